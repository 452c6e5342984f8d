//! Data keys per (queue, key, requester), and the sealing of messages with them.
//!
//! Each message carries the data key it was sealed with, wrapped: by the queue's KMS key, or by the service's own
//! key for queues without one (SSE-SQS). A data key seals for at most the queue's reuse period and never after a
//! restart. What KMS allowed once is asked again as soon as any policy, key state or principal has changed, which is
//! stricter than AWS, where a cached data key outlives the change.
//!
//! Invariants: an [`Envelope`] holds nothing that is not sealed, and only [`Encryption::seal`] makes one; a message
//! opens only as the message of the queue it was sealed for.

use super::content::Content;
use super::errors::SqsError;
use super::index::Monotonic;
use super::queue::Queue;
use super::settings::EncryptionSetting;
use crate::kms::operations::{Decrypt, DecryptInput, GenerateDataKey, GenerateDataKeyInput};
use bulla_envelope::{DataKey, InstanceKey, Opener, Purpose, SealBuffer, SealedRef, Sealer, SecretKey};
use bulla_envelope::{encode_parts, unwrap, wrap};
use bulla_gate::{Call, Identity};
use bulla_runtime::Runtime;
use bulla_wire::Blob;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Data keys that are kept for use again, at most this many of each kind.
const CACHED_KEYS_MAX: usize = 8192;

/// A sealed message with its wrapped data key: what the log stores.
#[derive(Clone, Debug)]
pub(crate) struct Envelope(Bytes);

impl Envelope {
    /// For the log, and for nothing else.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// Which key wrapped a data key: the last byte of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Wrapper {
    Service,
    Kms,
}

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
                encryption_context: context(queue),
                key_spec: Some("AES_256".into()),
                ..GenerateDataKeyInput::default()
            })
            .await
            .map_err(SqsError::from_kms)?;
        let wrapped = Bytes::from(made.ciphertext_blob.0);
        // A producer must be allowed to decrypt too: the new key is verified before it is used.
        let opened = self.decrypt(call, queue, &wrapped).await?;
        let plaintext = SecretKey::from_slice(made.plaintext.expose()).ok_or(SqsError::Internal)?;
        if opened != plaintext {
            return Err(SqsError::Internal);
        }
        let data_key = DataKey::just_generated(plaintext, self.runtime.entropy.as_ref());
        Ok((data_key, Wrapper::Kms, wrapped))
    }

    async fn decrypt(&self, call: &Call<'_>, queue: &Queue, wrapped: &Bytes) -> Result<SecretKey, SqsError> {
        let opened = call
            .forward::<Decrypt>(DecryptInput {
                ciphertext_blob: Some(Blob(wrapped.to_vec())),
                encryption_context: context(queue),
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
            &wrap_aad(queue),
            entropy,
        )
        .map_err(|_| SqsError::Internal)?;
        Ok((data_key, Wrapper::Service, Bytes::from(wrapped)))
    }

    /// Opens a message for the caller; asks KMS when it was sealed under a KMS key.
    ///
    /// # Errors
    /// The `Kms*` errors when KMS refuses the caller; `Internal` when the bytes are not what was stored.
    pub(crate) async fn open(
        &self,
        call: &Call<'_>,
        queue: &Queue,
        message: &[u8; 16],
        envelope: &Bytes,
    ) -> Result<Content, SqsError> {
        let (sealed, kind, wrapped) = split(envelope).ok_or(SqsError::Internal)?;
        let opener = self.opener(call, queue, kind, wrapped).await?;
        let sealed = SealedRef::parse(&sealed).map_err(|_| SqsError::Internal)?;
        let plaintext = opener
            .open(sealed, &message_aad(queue, message))
            .map_err(|_| SqsError::Internal)?;
        Content::decode(&zeroize::Zeroizing::new(plaintext)).ok_or(SqsError::Internal)
    }

    async fn opener(
        &self,
        call: &Call<'_>,
        queue: &Queue,
        kind: Wrapper,
        wrapped: Bytes,
    ) -> Result<Arc<Opener>, SqsError> {
        let requester = (kind == Wrapper::Kms).then(|| requester(call));
        let scope = OpenScope {
            queue: queue.id,
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
            Wrapper::Kms => self.decrypt(call, queue, &scope.wrapped).await?,
            Wrapper::Service => {
                let opened = unwrap(&self.service_key, &scope.wrapped, &wrap_aad(queue));
                opened
                    .ok()
                    .and_then(|key| SecretKey::from_slice(key.expose()))
                    .ok_or(SqsError::Internal)?
            }
        };
        let opener = Arc::new(Opener::new(&key).map_err(|_| SqsError::Internal)?);
        let expires = now.after(queue.properties().settings.key_reuse());
        let fresh = Arc::new(OpeningKey {
            opener: Arc::clone(&opener),
            expires,
            epoch,
        });
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
    /// Seals one message.
    pub(crate) fn seal(
        &self,
        queue: &Queue,
        message: &[u8; 16],
        content: &Content,
    ) -> Result<Envelope, SqsError> {
        let key = &self.0;
        let trailer = key.wrapped.len() + 3;
        let mut buffer = SealBuffer::with_capacity(content.encoded_len() + trailer);
        content.encode_into(&mut |bytes| buffer.extend_from_slice(bytes));
        let sealed = key
            .sealer
            .seal(buffer, &message_aad(queue, message))
            .map_err(|_| SqsError::Internal)?;
        let mut bytes = sealed.into_bytes();
        bytes.extend_from_slice(&key.wrapped);
        let wrapped_len = u16::try_from(key.wrapped.len()).map_err(|_| SqsError::Internal)?;
        bytes.extend_from_slice(&wrapped_len.to_be_bytes());
        bytes.push(match key.wrapper {
            Wrapper::Service => 0,
            Wrapper::Kms => 1,
        });
        Ok(Envelope(Bytes::from(bytes)))
    }
}

/// Sealed bytes, wrapper and wrapped data key of an envelope: they lie in this order, so that sealing happens in
/// place and the rest is appended.
fn split(envelope: &Bytes) -> Option<(Bytes, Wrapper, Bytes)> {
    let (rest, trailer) = envelope.split_last_chunk::<3>()?;
    let [high, low, wrapper] = *trailer;
    let wrapper = match wrapper {
        0 => Wrapper::Service,
        1 => Wrapper::Kms,
        _ => return None,
    };
    let sealed_len = rest
        .len()
        .checked_sub(usize::from(u16::from_be_bytes([high, low])))?;
    Some((
        envelope.slice(..sealed_len),
        wrapper,
        envelope.slice(sealed_len..rest.len()),
    ))
}

fn message_aad(queue: &Queue, message: &[u8; 16]) -> Vec<u8> {
    encode_parts(&[
        b"sqs message",
        queue.arn.as_bytes(),
        &queue.id.to_be_bytes(),
        message,
    ])
}

fn wrap_aad(queue: &Queue) -> Vec<u8> {
    encode_parts(&[b"sqs data key", queue.arn.as_bytes(), &queue.id.to_be_bytes()])
}

/// What SQS puts into the encryption context of every KMS call.
///
/// Source: SQS Developer Guide, "Encryption at rest", "Encryption context" (read 2026-11-21).
fn context(queue: &Queue) -> BTreeMap<String, String> {
    BTreeMap::from([("aws:sqs:arn".to_owned(), queue.arn.to_string())])
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
