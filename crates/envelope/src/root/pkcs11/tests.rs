//! With `SoftHSM`, as Debian packages it. Where it is not installed these tests say so and test nothing; continuous
//! integration (`CI` is set) installs it, and there its absence is a failure.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use bulla_runtime::SystemEntropy;
use cryptoki::types::AuthPin;

use super::*;

const MODULE_FILES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];
const TOKEN: &str = "bulla-test";
const PIN: &str = "4711-0815";

/// `SoftHSM` with a token of its own for this test run. The module reads where its tokens lie from the environment, which a
/// test must not change; so the tests run in a child process that has it.
fn softhsm() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<&'static str>> = OnceLock::new();
    let found = FOUND.get_or_init(|| MODULE_FILES.into_iter().find(|file| Path::new(file).exists()));
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "SoftHSM is not installed: apt-get install softhsm2"
        );
        eprintln!("SKIPPED: SoftHSM is not installed, PKCS#11 is not tested (apt-get install softhsm2)");
    }
    found.map(Path::new)
}

fn place(key: &str) -> Pkcs11Place {
    Pkcs11Place {
        module: softhsm().unwrap().to_owned(),
        token: TOKEN.to_owned(),
        key: key.to_owned(),
    }
}

fn root(key: &str) -> Pkcs11RootKey {
    Pkcs11RootKey::new(place(key), SecretBytes::new(PIN.into()))
}

fn make_token() {
    let module = Pkcs11::new(softhsm().unwrap()).unwrap();
    module
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .unwrap();
    let slot = module.get_slots_with_token().unwrap()[0];
    let officer = AuthPin::from("officer-pin".to_owned());
    module.init_token(slot, &officer, TOKEN).unwrap();
    {
        let session = module.open_rw_session(slot).unwrap();
        session.login(UserType::So, Some(&officer)).unwrap();
        session.init_pin(&AuthPin::from(PIN.to_owned())).unwrap();
    }
    module.finalize().unwrap();
}

/// Runs the test of that name again, in a process whose `SoftHSM` has an empty folder for its tokens.
fn in_a_process_with_a_token(name: &str, test: fn()) {
    if softhsm().is_none() {
        return;
    }
    if std::env::var_os("SOFTHSM2_CONF").is_some() {
        make_token();
        test();
        return;
    }
    let folder = std::env::temp_dir().join(format!("bulla-softhsm-{:016x}", SystemEntropy.number()));
    fs::create_dir_all(folder.join("tokens")).unwrap();
    let conf = folder.join("softhsm2.conf");
    let settings = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        folder.join("tokens").display()
    );
    fs::write(&conf, settings).unwrap();
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("root::pkcs11::tests::{name}"), "--nocapture"])
        .env("SOFTHSM2_CONF", &conf)
        .output()
        .unwrap();
    drop(fs::remove_dir_all(&folder));
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn the_token_makes_a_key_that_never_leaves_it_and_wraps_with_it() {
    in_a_process_with_a_token(
        "the_token_makes_a_key_that_never_leaves_it_and_wraps_with_it",
        || {
            let wrapped = root("root").wrap(b"secret", b"aad", &SystemEntropy).unwrap();
            let again = root("root");
            assert_eq!(again.unwrap(&wrapped, b"aad").unwrap().expose(), b"secret");
            let twice = again.wrap(b"secret", b"aad", &SystemEntropy).unwrap();
            assert_eq!(twice.id, wrapped.id);
            assert_ne!(twice.bytes, wrapped.bytes);
            let value = again
                .logged_in(|session| {
                    let (_, key) = again.keys(session)?[0];
                    Ok(session.get_attributes(key, &[AttributeType::Value]).unwrap())
                })
                .unwrap();
            assert!(value.is_empty(), "the token gave the key away");
        },
    );
}

#[test]
fn what_the_token_wrapped_is_bound_to_key_and_associated_data() {
    in_a_process_with_a_token(
        "what_the_token_wrapped_is_bound_to_key_and_associated_data",
        || {
            let root = root("root");
            let wrapped = root.wrap(b"secret", b"aad", &SystemEntropy).unwrap();
            let code = |wrapped: &Wrapped, aad: &[u8]| root.unwrap(wrapped, aad).unwrap_err().code();
            assert_eq!(code(&wrapped, b"aae"), RootKeyErrorCode::CannotUnwrap);
            for at in [0, 1, wrapped.bytes.len() - 1] {
                let mut damaged = wrapped.clone();
                damaged.bytes[at] ^= 1;
                assert!(
                    [RootKeyErrorCode::CannotUnwrap, RootKeyErrorCode::BindingDamaged]
                        .contains(&code(&damaged, b"aad"))
                );
            }
            let other = Pkcs11RootKey::new(place("other"), SecretBytes::new(PIN.into()));
            assert_eq!(
                other.unwrap(&wrapped, b"aad").unwrap_err().code(),
                RootKeyErrorCode::WrongKey
            );
            other.wrap(b"secret", b"", &SystemEntropy).unwrap();
            assert_eq!(
                other.unwrap(&wrapped, b"aad").unwrap_err().code(),
                RootKeyErrorCode::WrongKey
            );
        },
    );
}

#[test]
fn a_wrong_pin_is_told_and_a_missing_token_may_come_back() {
    in_a_process_with_a_token("a_wrong_pin_is_told_and_a_missing_token_may_come_back", || {
        let wrong = Pkcs11RootKey::new(place("root"), SecretBytes::new(b"1234-5678".to_vec()));
        let error = wrong.wrap(b"", b"", &SystemEntropy).unwrap_err();
        assert_eq!(error.code(), RootKeyErrorCode::Token);
        assert!(error.what().contains("refuses the PIN"), "{error}");
        assert!(!error.to_string().contains("1234-5678"), "{error}");
        let token = "unplugged".to_owned();
        let missing = Pkcs11RootKey::new(
            Pkcs11Place {
                token,
                ..place("root")
            },
            SecretBytes::new(PIN.into()),
        );
        let error = missing.wrap(b"", b"", &SystemEntropy).unwrap_err();
        assert!(error.is_unreachable(), "{error}");
    });
}

#[test]
fn a_key_that_the_token_would_give_away_is_refused() {
    in_a_process_with_a_token("a_key_that_the_token_would_give_away_is_refused", || {
        let root = root("extractable");
        let made = root.logged_in(|session| {
            let template = [
                Attribute::Token(true),
                Attribute::Sensitive(false),
                Attribute::Extractable(true),
                Attribute::Encrypt(true),
                Attribute::Decrypt(true),
                Attribute::ValueLen(32.into()),
                Attribute::Label(b"extractable".to_vec()),
            ];
            Ok(session.generate_key(&Mechanism::AesKeyGen, &template).is_ok())
        });
        assert!(made.unwrap());
        let error = root.wrap(b"", b"", &SystemEntropy).unwrap_err();
        assert_eq!(error.code(), RootKeyErrorCode::Token);
    });
}

#[test]
fn a_module_that_is_none_is_refused() {
    let place = Pkcs11Place {
        module: "/nothing/pkcs11.so".into(),
        token: TOKEN.to_owned(),
        key: "root".to_owned(),
    };
    let root = Pkcs11RootKey::new(place, SecretBytes::new(PIN.into()));
    let error = root.wrap(b"", b"", &SystemEntropy).unwrap_err();
    assert_eq!(error.code(), RootKeyErrorCode::Token);
    assert!(error.what().contains("/nothing/pkcs11.so"), "{error}");
}

#[test]
fn debug_never_prints_the_pin() {
    let place = Pkcs11Place {
        module: "m".into(),
        token: "t".into(),
        key: "k".into(),
    };
    let debug = format!("{:?}", Pkcs11RootKey::new(place, SecretBytes::new(PIN.into())));
    assert!(debug.contains("\"k\"") && !debug.contains(PIN), "{debug}");
}
