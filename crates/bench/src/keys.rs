//! The key service: calls per second and the server's CPU time for each, beside the same cryptography without a server.
//!
//! `aws-lc-rs` is the library that the server uses, on one thread: what is between the two is the price of HTTP, signature,
//! policies, JSON and wrapping.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PSS_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::connection::{self, Call, Connection, Keys, Route};
use crate::report::{Latencies, NO_TRANSPORT, Row, Under};
use crate::setting::{Setting, answered};
use crate::suites::Findings;
use crate::{Failure, clock, process};

const PLAINTEXT_BYTES: usize = 255;
const DATA_KEY_BYTES: usize = 32;
const DIGEST_BYTES: usize = 32;
/// A signature with RSA costs so much that fewer are made.
const RSA_PART: usize = 10;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Encrypt,
    Decrypt,
    GenerateDataKey,
    SignRsa,
    SignEcdsa,
}

impl Deed {
    const ALL: [Self; 5] = [
        Self::Encrypt,
        Self::Decrypt,
        Self::GenerateDataKey,
        Self::SignEcdsa,
        Self::SignRsa,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::GenerateDataKey => "data key",
            Self::SignRsa | Self::SignEcdsa => "sign",
        }
    }

    const fn under(self) -> &'static str {
        match self {
            Self::Encrypt | Self::Decrypt | Self::GenerateDataKey => "AES-256",
            Self::SignRsa => "RSA-PSS",
            Self::SignEcdsa => "P-256",
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::Encrypt | Self::Decrypt => PLAINTEXT_BYTES,
            Self::GenerateDataKey => DATA_KEY_BYTES,
            Self::SignRsa | Self::SignEcdsa => DIGEST_BYTES,
        }
    }

    const fn count(self, arguments: &Arguments) -> usize {
        match self {
            Self::Encrypt | Self::Decrypt | Self::GenerateDataKey | Self::SignEcdsa => arguments.messages,
            Self::SignRsa => arguments.messages.div_ceil(RSA_PART),
        }
    }

    const fn target(self) -> &'static str {
        match self {
            Self::Encrypt => "TrentService.Encrypt",
            Self::Decrypt => "TrentService.Decrypt",
            Self::GenerateDataKey => "TrentService.GenerateDataKey",
            Self::SignRsa | Self::SignEcdsa => "TrentService.Sign",
        }
    }

    /// Where the answer has what was asked for, and what it must be if that is known.
    fn answer(self) -> (&'static str, Option<String>) {
        match self {
            Self::Encrypt => ("/CiphertextBlob", None),
            Self::Decrypt => ("/Plaintext", Some(plaintext())),
            Self::GenerateDataKey => ("/Plaintext", None),
            Self::SignRsa | Self::SignEcdsa => ("/Signature", None),
        }
    }
}

/// Base64 of as many zeros.
fn plaintext() -> String {
    "A".repeat(PLAINTEXT_BYTES / 3 * 4)
}

/// Measures all.
pub(crate) async fn measure(arguments: &Arguments, findings: &mut Findings) -> Result<(), Failure> {
    let setting = Setting::new(arguments, "keys").await?;
    let route = Route::plain(&setting.server.address);
    let bodies = connection::with(&route, &setting.keys, "kms", prepare).await?;
    for _ in 0..arguments.rounds {
        for (deed, body) in Deed::ALL.into_iter().zip(&bodies) {
            findings.rows.push(served(&setting, &route, deed, body).await?);
            findings.rows.push(raw(deed, deed.count(arguments))?);
        }
    }
    setting.server.stop().await
}

fn kms(target: &str) -> Call<'_> {
    Call::Json {
        target,
        version: "1.1",
    }
}

/// Makes the keys; answers the body of each deed's requests.
async fn prepare(connection: &mut Connection<'_>) -> Result<Vec<Value>, Failure> {
    let mut key = async |spec: &str, usage: &str| {
        let input = json!({ "KeySpec": spec, "KeyUsage": usage }).to_string();
        let made = connection
            .expect(kms("TrentService.CreateKey"), input.into())
            .await?;
        answered(&made, "/KeyMetadata/KeyId")
    };
    let symmetric = key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await?;
    let ecdsa = key("ECC_NIST_P256", "SIGN_VERIFY").await?;
    let rsa = key("RSA_2048", "SIGN_VERIFY").await?;
    let encrypt = json!({ "KeyId": symmetric, "Plaintext": plaintext() });
    let sealed = connection
        .expect(kms("TrentService.Encrypt"), encrypt.to_string().into())
        .await?;
    let sealed = answered(&sealed, "/CiphertextBlob")?;
    let digest = format!("{}=", "A".repeat(43));
    let sign = |key: &str, algorithm: &str| json!({ "KeyId": key, "Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": algorithm });
    Ok(vec![
        encrypt,
        json!({ "CiphertextBlob": sealed }),
        json!({ "KeyId": symmetric, "KeySpec": "AES_256" }),
        sign(&ecdsa, "ECDSA_SHA_256"),
        sign(&rsa, "RSASSA_PSS_SHA_256"),
    ])
}

/// The calls of all connections.
struct Calls {
    route: Route,
    keys: Keys,
    deed: Deed,
    body: Vec<u8>,
    next: AtomicUsize,
    count: usize,
    wrong: AtomicUsize,
}

async fn served(setting: &Setting<'_>, route: &Route, deed: Deed, body: &Value) -> Result<Row, Failure> {
    let calls = Arc::new(Calls {
        route: route.clone(),
        keys: setting.keys.clone(),
        deed,
        body: body.to_string().into_bytes(),
        next: AtomicUsize::new(0),
        count: deed.count(setting.arguments),
        wrong: AtomicUsize::new(0),
    });
    let (started, before) = (clock::now(), setting.server.cpu_seconds());
    let mut connections = JoinSet::new();
    for _ in 0..setting.arguments.connections {
        let calls = Arc::clone(&calls);
        connections.spawn(async move {
            let part = async |connection: &mut Connection<'_>| calls.part(connection).await;
            connection::with(&calls.route, &calls.keys, "kms", part).await
        });
    }
    let mut latencies = Latencies::default();
    while let Some(ended) = connections.join_next().await {
        latencies.add(ended??);
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu = before.zip(setting.server.cpu_seconds());
    Ok(Row {
        cpu_seconds: cpu.map(|(before, after)| after - before),
        resident_mib: setting.server.resident_mib(),
        latencies: latencies.sorted(),
        wrong: calls.wrong.load(Ordering::Relaxed),
        ..row(deed, "bulla", route.transport.to_string(), calls.count, seconds)
    })
}

impl Calls {
    async fn part(&self, connection: &mut Connection<'_>) -> Result<Vec<u32>, Failure> {
        let (pointer, expected) = self.deed.answer();
        let mut latencies = Vec::new();
        while self.next.fetch_add(1, Ordering::Relaxed) < self.count {
            let started = clock::now();
            let answer = connection
                .expect(kms(self.deed.target()), self.body.clone())
                .await?;
            latencies.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
            let found = answered(&answer, pointer)?;
            if found.is_empty() || expected.as_ref().is_some_and(|expected| *expected != found) {
                self.wrong.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(latencies)
    }
}

fn row(deed: Deed, server: &str, transport: String, count: usize, seconds: f64) -> Row {
    Row {
        scenario: deed.name().to_owned(),
        under: Under {
            server: server.to_owned(),
            encryption: deed.under(),
            transport,
            batch: 1,
            body_bytes: deed.bytes(),
            statements: 0,
            note: "",
        },
        messages: count,
        seconds,
        cpu_seconds: None,
        resident_mib: None,
        latencies: Latencies::default(),
        wrong: 0,
        duplicates: 0,
        disordered: 0,
        missing: 0,
    }
}

/// The same cryptography, so many times, on this thread.
fn raw(deed: Deed, count: usize) -> Result<Row, Failure> {
    let once = alone(deed).map_err(|_| "the cryptographic library refuses")?;
    let (started, before) = (clock::now(), process::own_cpu_seconds());
    for _ in 0..count {
        once().map_err(|_| "the cryptographic library refuses")?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu = before.zip(process::own_cpu_seconds());
    Ok(Row {
        cpu_seconds: cpu.map(|(before, after)| after - before),
        ..row(deed, "aws-lc-rs", NO_TRANSPORT.to_owned(), count, seconds)
    })
}

type Once = Box<dyn Fn() -> Result<(), Unspecified>>;

fn alone(deed: Deed) -> Result<Once, Unspecified> {
    let random = SystemRandom::new();
    let mut secret = [0; 32];
    fill(&mut secret)?;
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &secret)?);
    Ok(match deed {
        Deed::Encrypt => Box::new(move || seal(&cipher, vec![0; PLAINTEXT_BYTES]).map(drop)),
        Deed::Decrypt => {
            let sealed = seal(&cipher, vec![0; PLAINTEXT_BYTES])?;
            Box::new(move || open(&cipher, sealed.clone()))
        }
        Deed::GenerateDataKey => Box::new(move || {
            let mut data_key = vec![0; DATA_KEY_BYTES];
            fill(&mut data_key)?;
            seal(&cipher, data_key).map(drop)
        }),
        Deed::SignRsa => {
            let own = RsaKeyPair::generate(KeySize::Rsa2048)?;
            Box::new(move || {
                let mut signature = vec![0; own.public_modulus_len()];
                own.sign(&RSA_PSS_SHA256, &random, &[0; DIGEST_BYTES], &mut signature)
            })
        }
        Deed::SignEcdsa => {
            let own = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
            Box::new(move || own.sign(&random, &[0; DIGEST_BYTES]).map(drop))
        }
    })
}

fn seal(cipher: &LessSafeKey, mut text: Vec<u8>) -> Result<(Vec<u8>, [u8; NONCE_LEN]), Unspecified> {
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce)?;
    cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text)?;
    Ok((text, nonce))
}

fn open(cipher: &LessSafeKey, (mut text, nonce): (Vec<u8>, [u8; NONCE_LEN])) -> Result<(), Unspecified> {
    cipher
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text)
        .map(drop)
}
