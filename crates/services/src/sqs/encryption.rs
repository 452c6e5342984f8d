//! Data keys per (queue, key, requester), and the sealing of messages with them.
//!
//! Each message carries the data key it was sealed with, wrapped: by the queue's KMS key, or by the service's own
//! key for queues without one (SSE-SQS). A data key seals for at most the queue's reuse period and never after a
//! restart. What KMS allowed once is asked again as soon as any policy, key state or principal has changed, which is
//! stricter than AWS, where a cached data key outlives the change.
//!
//! Invariant: a message opens only as the message of the queue it was sealed for. One that was moved says in the clear
//! as what it was sealed, and is opened with that queue's key.

use super::content::Content;
use super::envelope::{Envelope, Label, Stored, Wrapper, trailer_len};
use super::errors::SqsError;
use super::index::Monotonic;
use super::queue::Queue;
use super::settings::EncryptionSetting;
use crate::kms::operations::{
    Decrypt, DecryptInput, GenerateDataKey, GenerateDataKeyInput, ProbeDecrypt, ProbeDecryptInput,
};
use bulla_envelope::{DataKey, InstanceKey, Opener, Purpose, SealBuffer, SealedRef, Sealer, SecretKey};
use bulla_envelope::{encode_parts, push_parts, unwrap, wrap};
use bulla_gate::{Call, Identity};
use bulla_runtime::Runtime;
use bulla_wire::Blob;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Data keys that are kept for use again, at most this many of each kind.
const CACHED_KEYS_MAX: usize = 8192;

/// A data key that seals.
#[derive(Debug)]
struct SealingKey {
    sealer: Sealer,
    wrapper: Wrapper,
    wrapped: Bytes,
    expires: Monotonic,
    epoch: u64,
}

/// A data key that opens.
#[derive(Debug)]
struct OpeningKey {
    opener: Arc<Opener>,
    expires: Monotonic,
    epoch: u64,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct SealScope {
    queue: u64,
    /// The KMS key, or nothing for SSE-SQS.
    key: Option<String>,
    requester: Option<Arc<str>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct OpenScope {
    queue: u64,
    wrapped: Bytes,
    requester: Option<Arc<str>>,
}

/// All data keys of the service.
pub(crate) struct Encryption {
    runtime: Runtime,
    service_key: SecretKey,
    sealing: Mutex<HashMap<SealScope, Arc<SealingKey>>>,
    opening: Mutex<HashMap<OpenScope, Arc<OpeningKey>>>,
}

impl Encryption {
    /// Derives the service's own key.
    pub(crate) fn new(instance: &InstanceKey, runtime: Runtime) -> Result<Self, bulla_envelope::SealError> {
        let service_key = instance.derive(Purpose::SqsManagedKeys, &[])?;
        Ok(Self {
            runtime,
            service_key,
            sealing: Mutex::default(),
            opening: Mutex::default(),
        })
    }

    /// A key that seals for this queue and caller; asks KMS when there is none yet.
    ///
    /// # Errors
    /// The `Kms*` errors, when KMS refuses the caller.
    pub(crate) async fn sealing(&self, call: &Call<'_>, queue: &Queue) -> Result<Sealing, SqsError> {
        let settings = &queue.properties().settings;
        let key = match &settings.encryption {
            EncryptionSetting::Kms(key) => Some(qualified(key, queue)),
            EncryptionSetting::SqsManaged | EncryptionSetting::None => None,
        };
        let requester = key.as_ref().map(|_| requester(call));
        let scope = SealScope {
            queue: queue.id,
            key,
            requester,
        };
        let epoch = call.authorization_epoch();
        let now = self.now();
        if let Some(found) = lookup(&self.sealing, &scope)
            && found.expires > now
            && (found.wrapper == Wrapper::Service
                || (found.epoch == epoch && call.authorization_is_current()))
        {
            return Ok(Sealing(found));
        }
        let (data_key, kind, wrapped) = match &scope.key {
            Some(key) => self.generate(call, queue, key).await?,
            None => self.generate_own(queue)?,
        };
        let fresh = Arc::new(SealingKey {
            sealer: Sealer::new(data_key).map_err(|_| SqsError::Internal)?,
            wrapper: kind,
            wrapped,
            expires: now.after(settings.key_reuse()),
            epoch,
        });
        store(&self.sealing, scope, Arc::clone(&fresh), |kept| {
            kept.expires > now
        });
        Ok(Sealing(fresh))
    }

    async fn generate(
        &self,
        call: &Call<'_>,
        queue: &Queue,
        key: &str,
    ) -> Result<(DataKey, Wrapper, Bytes), SqsError> {
        let made = call
            .forward::<GenerateDataKey>(GenerateDataKeyInput {
                key_id: key.to_owned(),
                encryption_context: context(&queue.arn),
                key_spec: Some("AES_256".into()),
                ..GenerateDataKeyInput::default()
            })
            .await
            .map_err(SqsError::from_kms)?;
        let wrapped = Bytes::from(made.ciphertext_blob.0);
        // A producer must be allowed to decrypt too: the new key is verified before it is used.
        let opened = self.decrypt(call, &queue.arn, &wrapped).await?;
        let plaintext = SecretKey::from_slice(made.plaintext.expose()).ok_or(SqsError::Internal)?;
        if opened != plaintext {
            return Err(SqsError::Internal);
        }
        let data_key = DataKey::just_generated(plaintext, self.runtime.entropy.as_ref());
        Ok((data_key, Wrapper::Kms, wrapped))
    }

    async fn decrypt(&self, call: &Call<'_>, arn: &str, wrapped: &Bytes) -> Result<SecretKey, SqsError> {
        let opened = call
            .forward::<Decrypt>(DecryptInput {
                ciphertext_blob: Some(Blob(wrapped.to_vec())),
                encryption_context: context(arn),
                ..DecryptInput::default()
            })
            .await
            .map_err(SqsError::from_kms)?;
        SecretKey::from_slice(opened.plaintext.expose()).ok_or(SqsError::Internal)
    }

    fn generate_own(&self, queue: &Queue) -> Result<(DataKey, Wrapper, Bytes), SqsError> {
        let entropy = self.runtime.entropy.as_ref();
        let data_key = DataKey::generate(entropy);
        let wrapped = wrap(
            &self.service_key,
            data_key.key().expose(),
            &wrap_aad(queue.id, &queue.arn),
            entropy,
        )
        .map_err(|_| SqsError::Internal)?;
        Ok((data_key, Wrapper::Service, Bytes::from(wrapped)))
    }

    /// Whether the caller may decrypt with the queue's own key, as those must who receive what came from another queue.
    ///
    /// # Errors
    /// The `Kms*` errors, when KMS refuses the caller.
    pub(crate) async fn check_own_key(&self, call: &Call<'_>, queue: &Queue) -> Result<(), SqsError> {
        let key = match &queue.properties().settings.encryption {
            EncryptionSetting::Kms(key) => qualified(key, queue),
            EncryptionSetting::SqsManaged | EncryptionSetting::None => return Ok(()),
        };
        let input = ProbeDecryptInput {
            key_id: key,
            encryption_context: context(&queue.arn),
        };
        let asked = call.forward::<ProbeDecrypt>(input).await;
        asked.map(drop).map_err(SqsError::from_kms)
    }

    /// The way to open messages of this queue for this caller.
    pub(crate) fn opening<'a>(&'a self, call: &'a Call<'a>, queue: &'a Queue) -> Opening<'a> {
        Opening {
            encryption: self,
            call,
            queue,
            last: None,
            may_use_own_key: None,
            aad: Vec::new(),
        }
    }

    async fn opener(
        &self,
        opening: &Opening<'_>,
        (id, arn): (u64, &str),
        kind: Wrapper,
        wrapped: Bytes,
    ) -> Result<Arc<Opener>, SqsError> {
        let call = opening.call;
        let requester = (kind == Wrapper::Kms).then(|| requester(call));
        let scope = OpenScope {
            queue: id,
            wrapped,
            requester,
        };
        let epoch = call.authorization_epoch();
        let now = self.now();
        if let Some(found) = lookup(&self.opening, &scope)
            && found.expires > now
            && (kind == Wrapper::Service || (found.epoch == epoch && call.authorization_is_current()))
        {
            return Ok(Arc::clone(&found.opener));
        }
        let key = match kind {
            Wrapper::Kms => self.decrypt(call, arn, &scope.wrapped).await?,
            Wrapper::Service => {
                let opened = unwrap(&self.service_key, &scope.wrapped, &wrap_aad(id, arn));
                opened
                    .ok()
                    .and_then(|key| SecretKey::from_slice(key.expose()))
                    .ok_or(SqsError::Internal)?
            }
        };
        let opener = Arc::new(Opener::new(&key).map_err(|_| SqsError::Internal)?);
        let expires = now.after(opening.queue.properties().settings.key_reuse());
        let fresh = Arc::new(OpeningKey {
            opener: Arc::clone(&opener),
            expires,
            epoch,
        });
        // The wrapped key is a part of a message's bytes, which must not stay in memory for it.
        let scope = OpenScope {
            wrapped: Bytes::copy_from_slice(&scope.wrapped),
            ..scope
        };
        store(&self.opening, scope, fresh, |kept| kept.expires > now);
        Ok(opener)
    }

    fn now(&self) -> Monotonic {
        Monotonic::from_duration(self.runtime.clock.monotonic())
    }
}

impl std::fmt::Debug for Encryption {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Encryption(..)")
    }
}

/// The right to seal messages for one queue, once obtained.
#[derive(Clone, Debug)]
pub(crate) struct Sealing(Arc<SealingKey>);

impl Sealing {
    /// Seals messages, one after the other.
    ///
    /// # Errors
    /// `Internal`, when the cryptographic library refuses.
    pub(crate) fn seal<'a>(
        &self,
        queue: &Queue,
        messages: impl Iterator<Item = (Label, &'a Content)>,
    ) -> Result<Vec<Envelope>, SqsError> {
        let key = &self.0;
        let trailer = trailer_len(key.wrapped.len());
        let mut aad = Vec::new();
        messages
            .map(|(label, content)| {
                message_aad(&mut aad, queue.id, &queue.arn, &label.message);
                let mut buffer = SealBuffer::with_capacity(content.encoded_len() + trailer);
                content.encode_into(&mut |bytes| buffer.extend_from_slice(bytes));
                let sealed = key.sealer.seal(buffer, &aad).map_err(|_| SqsError::Internal)?;
                Envelope::new(sealed, key.wrapper, &key.wrapped, label).ok_or(SqsError::Internal)
            })
            .collect()
    }
}

/// The way to open messages of one queue for one caller; neighbours mostly share a data key.
pub(crate) struct Opening<'a> {
    encryption: &'a Encryption,
    call: &'a Call<'a>,
    queue: &'a Queue,
    /// The data key of the message before.
    last: Option<(Bytes, Arc<Opener>)>,
    /// Whether the caller may use the queue's own key, once it was asked.
    may_use_own_key: Option<Result<(), SqsError>>,
    aad: Vec<u8>,
}

impl Opening<'_> {
    /// The content of a message; asks KMS when it was sealed under a KMS key.
    ///
    /// # Errors
    /// The `Kms*` errors when KMS refuses the caller; `Internal` when the bytes are not what was stored.
    pub(crate) async fn open(&mut self, stored: &Stored) -> Result<Vec<u8>, SqsError> {
        let (id, arn, message) = match stored.origin() {
            None => (self.queue.id, &self.queue.arn, &stored.label.message),
            Some(origin) => {
                // Sealed under another queue's key: who receives it must be allowed both.
                if self.may_use_own_key.is_none() {
                    let asked = self.encryption.check_own_key(self.call, self.queue).await;
                    self.may_use_own_key = Some(asked);
                }
                if let Some(Err(refusal)) = &self.may_use_own_key {
                    return Err(refusal.clone());
                }
                let sealed_as = &origin.sealed_as;
                (sealed_as.queue, &sealed_as.arn, &sealed_as.message)
            }
        };
        let wrapped = stored.wrapped();
        let opener = match &self.last {
            Some((last, opener)) if *last == wrapped => Arc::clone(opener),
            Some(_) | None => {
                let opener = self
                    .encryption
                    .opener(self, (id, arn), stored.wrapper, wrapped.clone())
                    .await?;
                self.last = Some((wrapped, Arc::clone(&opener)));
                opener
            }
        };
        message_aad(&mut self.aad, id, arn, message);
        let sealed = SealedRef::parse(stored.sealed()).map_err(|_| SqsError::Internal)?;
        opener.open(sealed, &self.aad).map_err(|_| SqsError::Internal)
    }
}

fn message_aad(out: &mut Vec<u8>, queue: u64, arn: &str, message: &[u8; 16]) {
    out.clear();
    push_parts(
        out,
        &[b"sqs message", arn.as_bytes(), &queue.to_be_bytes(), message],
    );
}

fn wrap_aad(queue: u64, arn: &str) -> Vec<u8> {
    encode_parts(&[b"sqs data key", arn.as_bytes(), &queue.to_be_bytes()])
}

/// What SQS puts into the encryption context of every KMS call.
///
/// Source: SQS Developer Guide, "Encryption at rest", "Encryption context" (read 2026-11-21).
fn context(arn: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("aws:sqs:arn".to_owned(), arn.to_owned())])
}

/// The queue's key as an ARN: an id or an alias belongs to the queue's account, whoever asks.
fn qualified(key: &str, queue: &Queue) -> String {
    let (region, account) = (queue.key.region, queue.key.account);
    if key.starts_with("arn:") {
        key.to_owned()
    } else if key.starts_with("alias/") {
        format!("arn:aws:kms:{region}:{account}:{key}")
    } else {
        format!("arn:aws:kms:{region}:{account}:key/{key}")
    }
}

/// Who a cached data key belongs to. Sessions of one role may carry different session policies under one ARN, so
/// temporary credentials count by their access key.
fn requester(call: &Call<'_>) -> Arc<str> {
    let identity: &Identity = call.caller().identity();
    if identity.token_issued.is_some() {
        format!("{} {}", identity.arn, call.caller().access_key()).into()
    } else {
        Arc::clone(&identity.arn)
    }
}

fn lookup<K: Eq + Hash, V>(cache: &Mutex<HashMap<K, Arc<V>>>, scope: &K) -> Option<Arc<V>> {
    cache
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(scope)
        .cloned()
}

fn store<K: Eq + Hash, V>(
    cache: &Mutex<HashMap<K, Arc<V>>>,
    scope: K,
    value: Arc<V>,
    keep: impl Fn(&V) -> bool,
) {
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHED_KEYS_MAX {
        cache.retain(|_, value| keep(value));
    }
    if cache.len() >= CACHED_KEYS_MAX {
        cache.clear();
    }
    cache.insert(scope, value);
}
