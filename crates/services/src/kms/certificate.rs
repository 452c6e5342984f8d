//! Certificates of destruction: what was destroyed, when, how, and who had scheduled it, signed.
//!
//! A certificate is stored in the very commit that deletes the key's record, so there is one for each key that is gone and
//! none for a key that is there. It is JSON text, signed as it stands (Ed25519, RFC 8032), so that whoever has the public key
//! checks it without this program. Each names the SHA-256 of the one before it: none can be taken out of the middle
//! unnoticed. A folder restored from a backup continues from the last one that the backup has.
//!
//! The private key is made with the data folder, and stored wrapped under a key of the instance: certificates prove what this
//! server did, to those who trust whoever runs it.

use super::errors::KmsError;
use super::key::Key;
use super::words::Word;
use super::{Kms, KmsOpenError};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_envelope::{InstanceKey, Purpose, SecretKey, Tombstone, sha256, unwrap, wrap};
use bulla_runtime::Entropy;
use bulla_storage::{Change, DirectoryWriter, Expect};
use bulla_types::Timestamp;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Records of certificates begin so; then the number, in digits that sort.
const PREFIX: &str = "kms/certificate/";
/// The record of the key that signs.
const SIGNER_RECORD: &[u8] = b"kms/certificate-signer";
const SIGNER_LABEL: &[u8] = b"bulla certificate signer 1";
/// A public key of Ed25519 as `SubjectPublicKeyInfo`, before its 32 bytes (RFC 8410, section 4).
const PUBLIC_KEY_HEAD: [u8; 12] = [
    0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const KIND: &str = "bulla certificate of destruction";

/// Who scheduled a deletion, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scheduled {
    /// ARN of the principal.
    pub(super) by: String,
    /// Id of the call.
    pub(super) request_id: String,
    pub(super) at_ms: u64,
}

/// A certificate, as it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// JSON text; the signature is over these bytes.
    pub certificate: String,
    /// Base64 of the 64 bytes of the signature.
    pub signature: String,
}

/// All certificates, and the key to check them with.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The public key, PEM.
    pub public_key: String,
    /// In order of their numbers.
    pub certificates: Vec<Certificate>,
}

/// What the signature is over. Fields are added at the end, and never change their meaning.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    kind: &'a str,
    number: u64,
    instance: &'a str,
    key: &'a str,
    key_spec: &'a str,
    key_usage: &'a str,
    key_materials: Vec<String>,
    created: String,
    scheduled_by: Option<String>,
    scheduled_request_id: Option<String>,
    scheduled: Option<String>,
    deletion_date: Option<String>,
    /// When the erasure key was condemned: its tombstone was durable.
    destruction_began: String,
    /// When the erasure key was gone, and the record was about to go: the destruction was complete by then.
    destroyed: String,
    method: &'a str,
    /// ARNs of other copies of a multi-Region key, which hold the same material.
    other_copies: Vec<String>,
    /// SHA-256 of the certificate before, hexadecimal.
    previous: Option<String>,
}

const METHOD: &str = "the key material was wrapped under a key derived from the instance key and an erasure key of 256 bits; \
    the file of the erasure key was overwritten with random bytes, synced and unlinked, and the wrapped material was deleted";
const METHOD_WITHOUT_KEY: &str =
    "the erasure key was already missing when the destruction began; the wrapped material was deleted";

/// Signs certificates, each behind the one before.
pub(super) struct Certifier {
    pair: Ed25519KeyPair,
    instance: String,
    /// The next number, and the hash of the last certificate.
    head: Mutex<(u64, Option<String>)>,
}

impl Certifier {
    /// Reads the key that signs, or makes it, and finds the last certificate.
    pub(super) async fn open(
        records: &DirectoryWriter,
        instance: &InstanceKey,
        entropy: &dyn Entropy,
    ) -> Result<Self, KmsOpenError> {
        let seed = signer(records, instance, entropy).await?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose())
            .map_err(|_| KmsOpenError::Defect("the key that signs certificates cannot be used"))?;
        let name = instance
            .name()
            .map_err(|_| KmsOpenError::Defect("the instance has no name"))?;
        let stored = read(records).await.map_err(KmsOpenError::Storage)?;
        let last = stored.last();
        let next = last.map_or(0, |(number, _)| *number).saturating_add(1);
        let last = last.map(|(_, certificate)| hash(&certificate.certificate));
        Ok(Self {
            pair,
            instance: name,
            head: Mutex::new((next, last)),
        })
    }

    fn head(&self) -> (u64, Option<String>) {
        self.head.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The public key, PEM.
    fn public_key(&self) -> String {
        let mut der = PUBLIC_KEY_HEAD.to_vec();
        der.extend_from_slice(self.pair.public_key().as_ref());
        let text = BASE64.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }

    /// The next certificate, and the change that stores it.
    pub(super) fn certify(
        &self,
        key: &Key,
        tombstone: &Tombstone,
        other_copies: Vec<String>,
        now: Timestamp,
    ) -> Result<(Certificate, Change), KmsError> {
        let (number, previous) = self.head();
        let scheduled = key.scheduled.as_ref();
        let time = |at: Timestamp| at.iso8601_millis();
        let statement = Statement {
            kind: KIND,
            number,
            instance: &self.instance,
            key: &key.arn,
            key_spec: key.kind.spec().word(),
            key_usage: key.kind.usage().word(),
            key_materials: key.materials().map(|material| material.id.to_string()).collect(),
            created: time(key.created),
            scheduled_by: scheduled.map(|scheduled| scheduled.by.clone()),
            scheduled_request_id: scheduled.map(|scheduled| scheduled.request_id.clone()),
            scheduled: scheduled.map(|scheduled| time(Timestamp::from_millis(scheduled.at_ms))),
            deletion_date: key.state.deletion().map(time),
            destruction_began: time(tombstone.begun),
            destroyed: time(now),
            method: if tombstone.had_key {
                METHOD
            } else {
                METHOD_WITHOUT_KEY
            },
            other_copies,
            previous,
        };
        let text = serde_json::to_string(&statement).map_err(|_| KmsError::Internal)?;
        let signature = self.pair.sign(text.as_bytes());
        let certificate = Certificate {
            signature: BASE64.encode(signature.as_ref()),
            certificate: text,
        };
        let value = serde_json::to_vec(&certificate).map_err(|_| KmsError::Internal)?;
        let name = format!("{PREFIX}{number:020}");
        Ok((certificate, Change::Put(name.into(), value.into())))
    }

    /// The certificate is durable; the next one goes behind it.
    pub(super) fn certified(&self, certificate: &Certificate) {
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        *head = (head.0.saturating_add(1), Some(hash(&certificate.certificate)));
    }

    fn is_signed(&self, certificate: &Certificate) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref());
        let signature = BASE64.decode(&certificate.signature);
        signature.is_ok_and(|signature| key.verify(certificate.certificate.as_bytes(), &signature).is_ok())
    }
}

fn hash(certificate: &str) -> String {
    super::key::hex(&sha256(certificate.as_bytes()))
}

/// The seed of the key that signs, which is stored wrapped.
async fn signer(
    records: &DirectoryWriter,
    instance: &InstanceKey,
    entropy: &dyn Entropy,
) -> Result<SecretKey, KmsOpenError> {
    let defect = |_| KmsOpenError::Defect("the key that signs certificates cannot be made");
    let wrapping = instance
        .derive(Purpose::DestructionCertificates, &[])
        .map_err(defect)?;
    let key = Bytes::from_static(SIGNER_RECORD);
    let stored = records
        .scan_all(key.clone())
        .await
        .map_err(KmsOpenError::Storage)?;
    if let Some((_, name, value)) = stored.into_iter().next() {
        let seed = unwrap(&wrapping, &value, SIGNER_LABEL).ok();
        let seed = seed.and_then(|seed| SecretKey::from_slice(seed.expose()));
        return seed.ok_or_else(|| KmsOpenError::Damaged {
            record: String::from_utf8_lossy(&name).into_owned(),
            reason: "it was changed".to_owned(),
        });
    }
    let seed = SecretKey::generate(entropy);
    let wrapped = wrap(&wrapping, seed.expose(), SIGNER_LABEL, entropy).map_err(defect)?;
    let absent = Expect {
        key: key.clone(),
        absent: true,
    };
    let partition = records.partition_of(SIGNER_RECORD);
    let changes = vec![Change::Put(key, wrapped.into())];
    let stored = records.commit(partition, vec![absent], changes).await;
    stored.map(|_| seed).map_err(KmsOpenError::Storage)
}

/// All certificates in order of their numbers. They lie in the partitions of their keys' accounts.
async fn read(records: &DirectoryWriter) -> Result<Vec<(u64, Certificate)>, bulla_storage::Error> {
    let stored = records.scan_all(Bytes::from_static(PREFIX.as_bytes())).await?;
    let read = |(_, name, value): (_, Bytes, Bytes)| {
        let number = std::str::from_utf8(name.get(PREFIX.len()..)?)
            .ok()?
            .parse()
            .ok()?;
        let certificate = serde_json::from_slice(&value).unwrap_or_else(|error| {
            tracing::error!(number, %error, "a certificate of destruction is damaged");
            Certificate {
                certificate: String::from_utf8_lossy(&value).into_owned(),
                signature: String::new(),
            }
        });
        Some((number, certificate))
    };
    let mut certificates: Vec<(u64, Certificate)> = stored.into_iter().filter_map(read).collect();
    certificates.sort_by_key(|(number, _)| *number);
    Ok(certificates)
}

impl Kms {
    /// Certificates of all destroyed keys, checked; what does not hold is logged and told all the same.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn certificates(&self) -> Result<Certificates, bulla_storage::Error> {
        let certificates = read(&self.records).await?;
        let certificates: Vec<Certificate> = certificates
            .into_iter()
            .map(|(_, certificate)| certificate)
            .collect();
        for certificate in &certificates {
            if !self.certifier.is_signed(certificate) {
                tracing::error!(
                    certificate = certificate.certificate,
                    "a certificate of destruction was changed"
                );
            }
        }
        Ok(Certificates {
            public_key: self.certifier.public_key(),
            certificates,
        })
    }

    /// ARNs of other copies of a multi-Region key: they hold the same material.
    pub(super) fn other_copies(&self, key: &Key) -> Vec<String> {
        let view = self.view();
        let is_copy =
            |other: &&Arc<Key>| other.id == key.id && other.owner == key.owner && other.region != key.region;
        let mut arns: Vec<String> = view
            .all()
            .filter(is_copy)
            .map(|other| other.arn.to_string())
            .collect();
        arns.sort();
        arns
    }
}
