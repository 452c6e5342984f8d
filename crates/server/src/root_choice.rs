//! The root key that settings name, with the secrets it needs: from there it is opened, here or in the running server.

use crate::config::ServeSettings;
use crate::operator_error::OperatorError;
use crate::root_kms::{KmsPlace, KmsRootKey};
use crate::root_kms_credentials::{CredentialSource, KmsCredentials};
use crate::root_settings::{RootProvider, RootSettings};
use crate::secret_input;
use bulla_envelope::{
    DataFolder, DataFolderState, FileRootKey, MemoryRootKey, PassphraseRootKey, Pkcs11Place, Pkcs11RootKey,
    RootKey, RootKeyError, RootKeyLocation, SecretBytes,
};
use bulla_runtime::Runtime;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// The variable with the passphrase.
const PASSPHRASE_VARIABLE: &str = "BULLA_ROOT_PASSPHRASE";
/// The variable with the PIN of the PKCS#11 token.
const PIN_VARIABLE: &str = "BULLA_ROOT_PKCS11_PIN";
/// The label of the key in the token, unless another is named.
const PKCS11_KEY: &str = "bulla-root";

/// A root key to be opened.
#[derive(Debug)]
pub(crate) enum RootChoice {
    /// One that is gone with this process.
    Memory,
    /// The key in this file; `None` for the default one.
    File(Option<PathBuf>),
    /// The key that a passphrase gives.
    Passphrase(SecretBytes),
    /// A key in a token, and the token's PIN.
    Pkcs11(Pkcs11Place, SecretBytes),
    /// A key in a key service, and who asks for it.
    Kms(KmsPlace, CredentialSource),
}

impl RootChoice {
    /// What `bulla serve` was given.
    pub(crate) fn of_server(settings: &ServeSettings) -> Result<Self, OperatorError> {
        if settings.ephemeral {
            return Ok(Self::Memory);
        }
        // A folder without data is about to be bound to it.
        Self::of(&settings.root, !settings.data.join("format").is_file())
    }

    /// Finds out who is meant, and reads or asks for the secrets. `is_new` says that data are about to be bound to it.
    pub(crate) fn of(settings: &RootSettings, is_new: bool) -> Result<Self, OperatorError> {
        match provider(settings)? {
            RootProvider::File => Ok(Self::File(settings.root_key_file.clone())),
            RootProvider::Passphrase => passphrase(settings, is_new).map(Self::Passphrase),
            RootProvider::Pkcs11 => pkcs11(settings),
            RootProvider::Kms => kms(settings),
        }
    }

    /// As it is told to the running server. There are secrets in it.
    pub(crate) fn to_json(&self) -> Result<Value, OperatorError> {
        Ok(match self {
            Self::Memory => json!({ "provider": "memory" }),
            Self::File(path) => {
                let location = RootKeyLocation::of_process(path.as_deref()).map_err(|error| told(&error))?;
                json!({ "provider": "file", "path": named(location.path())? })
            }
            Self::Passphrase(passphrase) => {
                json!({ "provider": "passphrase", "passphrase": text(passphrase)? })
            }
            Self::Pkcs11(place, pin) => json!({
                "provider": "pkcs11",
                "module": named(&place.module)?,
                "token": place.token,
                "key": place.key,
                "pin": text(pin)?,
            }),
            Self::Kms(place, credentials) => json!({
                "provider": "kms",
                "key": place.key,
                "region": place.region,
                "endpoint": place.endpoint,
                "ca_file": place.ca_file.as_deref().map(named).transpose()?,
                "credentials": credentials_to_json(credentials)?,
            }),
        })
    }

    /// What the operator's command told; its secrets are taken out and wiped.
    pub(crate) fn from_json(told: &mut Value) -> Option<Self> {
        let field = |told: &Value, name: &str| told.get(name)?.as_str().map(str::to_owned);
        match told.get("provider")?.as_str()? {
            "file" => Some(Self::File(Some(field(told, "path")?.into()))),
            "pkcs11" => {
                let place = Pkcs11Place {
                    module: field(told, "module")?.into(),
                    token: field(told, "token")?,
                    key: field(told, "key")?,
                };
                Some(Self::Pkcs11(place, take(told, "pin")?))
            }
            "kms" => {
                let place = KmsPlace {
                    key: field(told, "key")?,
                    region: field(told, "region")?,
                    endpoint: field(told, "endpoint")?,
                    ca_file: field(told, "ca_file").map(PathBuf::from),
                };
                Some(Self::Kms(
                    place,
                    credentials_from_json(told.get_mut("credentials")?)?,
                ))
            }
            "passphrase" => Some(Self::Passphrase(take(told, "passphrase")?)),
            _ => None,
        }
    }

    /// Opens it, for a data folder in this state. It may make a file; it may take long.
    pub(crate) fn open(
        &self,
        data: &Path,
        state: DataFolderState,
        runtime: &Runtime,
    ) -> Result<Arc<dyn RootKey>, RootKeyError> {
        let entropy = runtime.entropy.as_ref();
        Ok(match self {
            Self::Memory => Arc::new(MemoryRootKey::generate(entropy)?),
            Self::File(chosen) => {
                let location = RootKeyLocation::of_process(chosen.as_deref())?;
                let folder = DataFolder {
                    path: data,
                    state,
                    may_hold_root_key: chosen.is_some(),
                };
                let now = runtime.clock.now().as_seconds();
                Arc::new(FileRootKey::load_or_create(&location, &folder, now, entropy)?.0)
            }
            Self::Passphrase(passphrase) => {
                let passphrase = SecretBytes::new(passphrase.expose().to_vec());
                Arc::new(PassphraseRootKey::new(passphrase)?)
            }
            Self::Pkcs11(place, pin) => {
                let pin = SecretBytes::new(pin.expose().to_vec());
                Arc::new(Pkcs11RootKey::new(place.clone(), pin))
            }
            Self::Kms(place, credentials) => {
                let clock = Arc::clone(&runtime.clock);
                Arc::new(KmsRootKey::new(place.clone(), credentials.clone(), clock))
            }
        })
    }
}

fn provider(settings: &RootSettings) -> Result<RootProvider, OperatorError> {
    if let Some(provider) = settings.root_provider {
        return Ok(provider);
    }
    let named = [
        (
            settings.root_key_file.is_some(),
            "`--root-key-file`",
            RootProvider::File,
        ),
        (
            settings.root_passphrase_file.is_some() || std::env::var_os(PASSPHRASE_VARIABLE).is_some(),
            "a passphrase",
            RootProvider::Passphrase,
        ),
        (
            settings.root_pkcs11_module.is_some(),
            "`--root-pkcs11-module`",
            RootProvider::Pkcs11,
        ),
        (
            settings.root_kms_key.is_some(),
            "`--root-kms-key`",
            RootProvider::Kms,
        ),
    ];
    let mut named = named.iter().filter(|(is_named, _, _)| *is_named);
    match (named.next(), named.next()) {
        (None, _) => Ok(RootProvider::File),
        (Some((_, _, provider)), None) => Ok(*provider),
        (Some((_, one, _)), Some((_, other, _))) => Err(OperatorError::usage("two root keys are named")
            .why(format!(
                "{one} and {other} are both set, by flags, environment or file"
            ))
            .fix("leave out one, or say with `--root-provider` who holds the root key")),
    }
}

fn passphrase(settings: &RootSettings, is_new: bool) -> Result<SecretBytes, OperatorError> {
    let what = "the root passphrase";
    let ask = if is_new {
        secret_input::of_new_input
    } else {
        secret_input::of_input
    };
    match &settings.root_passphrase_file {
        Some(path) => secret_input::of_file(path, what),
        None => secret_input::of_environment(PASSPHRASE_VARIABLE).map_or_else(|| ask(what), Ok),
    }
}

fn pkcs11(settings: &RootSettings) -> Result<RootChoice, OperatorError> {
    let (Some(module), Some(token)) = (&settings.root_pkcs11_module, &settings.root_pkcs11_token) else {
        return Err(OperatorError::usage(
            "a root key in a token needs `--root-pkcs11-module` and `--root-pkcs11-token`",
        )
        .why("they say which token, and how to talk to it"));
    };
    let place = Pkcs11Place {
        module: std::path::absolute(module).unwrap_or_else(|_| module.clone()),
        token: token.clone(),
        key: settings
            .root_pkcs11_key
            .clone()
            .unwrap_or_else(|| PKCS11_KEY.to_owned()),
    };
    let what = "the token's PIN";
    let pin = match &settings.root_pkcs11_pin_file {
        Some(path) => secret_input::of_file(path, what)?,
        None => {
            secret_input::of_environment(PIN_VARIABLE).map_or_else(|| secret_input::of_input(what), Ok)?
        }
    };
    Ok(RootChoice::Pkcs11(place, pin))
}

fn kms(settings: &RootSettings) -> Result<RootChoice, OperatorError> {
    let Some(key) = &settings.root_kms_key else {
        return Err(OperatorError::usage(
            "a root key in a key service needs `--root-kms-key`",
        ));
    };
    let place = KmsPlace::new(
        key,
        settings.root_kms_region.as_deref(),
        settings.root_kms_endpoint.as_deref(),
        settings.root_kms_ca_file.clone(),
    )?;
    let credentials = CredentialSource::of(settings.root_kms_credentials_file.as_ref());
    let credentials = credentials.ok_or_else(|| {
        OperatorError::usage("there is no access key for the key service").fix(
            "name a file with `--root-kms-credentials-file`, or set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
        )
    })?;
    Ok(RootChoice::Kms(place, credentials))
}

fn credentials_to_json(source: &CredentialSource) -> Result<Value, OperatorError> {
    Ok(match source {
        CredentialSource::File(path) => json!({ "file": named(path)? }),
        CredentialSource::Given(KmsCredentials { id, secret, token }) => {
            json!({ "id": id, "secret": secret.as_str(), "token": token.as_ref().map(|token| token.as_str()) })
        }
    })
}

fn credentials_from_json(told: &mut Value) -> Option<CredentialSource> {
    if let Some(file) = told.get("file").and_then(Value::as_str) {
        return Some(CredentialSource::File(file.into()));
    }
    let id = told.get("id")?.as_str()?.to_owned();
    let mut secret = |name| {
        let secret = take(told, name)?;
        let text = std::str::from_utf8(secret.expose()).ok()?;
        Some(Zeroizing::new(text.to_owned()))
    };
    Some(CredentialSource::Given(KmsCredentials {
        id,
        secret: secret("secret")?,
        token: secret("token"),
    }))
}

/// A path as another process of this machine finds it.
fn named(path: &Path) -> Result<String, OperatorError> {
    std::path::absolute(path)
        .ok()
        .and_then(|path| path.to_str().map(str::to_owned))
        .ok_or_else(|| {
            OperatorError::usage(format!("`{}` cannot be named to the server", path.display()))
                .why("it is not UTF-8")
        })
}

fn text(secret: &SecretBytes) -> Result<&str, OperatorError> {
    std::str::from_utf8(secret.expose())
        .map_err(|_| OperatorError::usage("the secret cannot be told to the server").why("it is not UTF-8"))
}

/// Takes a secret out of what was told, and leaves nothing of it.
fn take(told: &mut Value, name: &str) -> Option<SecretBytes> {
    let Value::String(text) = told.get_mut(name)? else {
        return None;
    };
    let secret = SecretBytes::new(text.as_bytes().to_vec());
    text.zeroize();
    Some(secret)
}

/// What a provider of root keys says, as the operator is told.
pub(crate) fn told(error: &RootKeyError) -> OperatorError {
    let told = OperatorError::failed(format!("{} ({})", error.what(), error.code().as_str()))
        .why(error.why())
        .fix(error.fix());
    if error.is_unreachable() {
        told.may_pass()
    } else {
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_told_is_taken_out_and_never_printed() {
        let choice = RootChoice::Passphrase(SecretBytes::new(b"correct horse battery".to_vec()));
        assert!(!format!("{choice:?}").contains("horse"));
        let mut told = choice.to_json().unwrap();
        let RootChoice::Passphrase(taken) = RootChoice::from_json(&mut told).unwrap() else {
            panic!("another provider");
        };
        assert_eq!(taken.expose(), b"correct horse battery");
        assert_eq!(told, json!({ "provider": "passphrase", "passphrase": "" }));
    }

    #[test]
    fn two_root_keys_are_refused_unless_one_is_chosen() {
        let both = RootSettings {
            root_key_file: Some("/a".into()),
            root_passphrase_file: Some("/b".into()),
            ..RootSettings::default()
        };
        assert!(provider(&both).is_err());
        let root_provider = Some(RootProvider::File);
        let one = RootSettings {
            root_provider,
            ..both
        };
        assert_eq!(provider(&one).unwrap(), RootProvider::File);
        assert_eq!(provider(&RootSettings::default()).unwrap(), RootProvider::File);
    }
}
