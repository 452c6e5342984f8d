//! Data keys per (queue, key, requester), and the sealing of messages with them.
//!
//! Each message carries the data key it was sealed with, wrapped: by the queue's KMS key, or by the service's own
//! key for queues without one (SSE-SQS). A data key seals for at most the queue's reuse period and never after a
//! restart. What KMS allowed once is asked again when that period is over, and as soon as any policy, key state or
//! principal has changed, which is stricter than AWS, where a cached data key outlives the change. A data key opens for a
//! period after the last message was sealed with it or KMS decrypted it: by then whoever opens it has asked KMS again.
//!
//! Invariant: a message opens only as the message of the queue it was sealed for. One that was moved says in the clear
//! as what it was sealed, and is opened with that queue's key.

mod cache;
mod holders;
#[cfg(test)]
mod tests;

pub use holders::{HolderUse, KeyHolder, KeyHolders, Revoked};

use super::content::Content;
use super::envelope::{Envelope, Label, Stored, Wrapper, trailer_len};
use super::errors::SqsError;
use super::queue::Queue;
use super::settings::EncryptionSetting;
use crate::kms::operations::{
    Decrypt, DecryptInput, GenerateDataKey, GenerateDataKeyInput, ProbeDecrypt, ProbeDecryptInput,
};
use bulla_envelope::{DataKey, InstanceKey, Opener, Purpose, SealBuffer, SealedRef, Sealer, SecretKey};
use bulla_envelope::{encode_parts, push_parts, unwrap, wrap};
use bulla_gate::Call;
use bulla_runtime::Runtime;
use bulla_wire::Blob;
use bytes::Bytes;
use cache::{Cache, Life, OpenScope, OpenedKey, Requester, SealScope, SealingKey, Verdict, VerdictScope};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All data keys of the service.
pub(crate) struct Encryption {
    runtime: Runtime,
    service_key: SecretKey,
    cache: Arc<Cache>,
}

/// A data key that was just made.
struct Made {
    data_key: DataKey,
    /// To open what it seals.
    opener: Opener,
    wrapper: Wrapper,
    wrapped: Bytes,
    /// ARN of the KMS key that wrapped it.
    key: Option<Arc<str>>,
}

impl Encryption {
    /// Derives the service's own key, and begins to wipe data keys that expire.
    pub(crate) fn new(instance: &InstanceKey, runtime: Runtime) -> Result<Self, bulla_envelope::SealError> {
        let service_key = instance.derive(Purpose::SqsManagedKeys, &[])?;
        let cache = Arc::new(Cache::new(Arc::clone(&runtime.clock)));
        Cache::start_sweep(&cache, &runtime);
        Ok(Self {
            runtime,
            service_key,
            cache,
        })
    }

    /// A key that seals for this queue and caller; asks KMS when there is none yet.
    ///
    /// # Errors
    /// The `Kms*` errors, when KMS refuses the caller.
    pub(crate) async fn sealing(&self, call: &Call<'_>, queue: &Queue) -> Result<Sealing, SqsError> {
        let settings = &queue.properties().settings;
        let key = named_key(queue);
        let requester = key.as_ref().map(|_| Requester::of(call));
        let scope = SealScope {
            queue: queue.id,
            key,
            requester,
        };
        if let Some(found) = self.cache.sealing(call, &scope) {
            return Ok(Sealing(found));
        }
        let _turn = self.cache.turn(&scope).await;
        if let Some(found) = self.cache.sealing(call, &scope) {
            return Ok(Sealing(found));
        }
        let made = match &scope.key {
            Some(key) => self.generate(call, queue, key).await?,
            None => self.generate_own(queue)?,
        };
        let clock = self.runtime.clock.as_ref();
        let reuse = settings.key_reuse();
        // What is sealed at the end of the period is still to be opened then.
        let opened = OpenedKey {
            opener: Arc::new(made.opener),
            key: made.key.clone(),
            life: Life::beginning_now(clock, reuse.saturating_mul(2)),
        };
        let opens = OpenScope {
            queue: queue.id,
            wrapped: made.wrapped.clone(),
        };
        self.cache.put_opened(&opens, opened);
        let fresh = Arc::new(SealingKey {
            sealer: Sealer::new(made.data_key).map_err(|_| SqsError::Internal)?,
            wrapper: made.wrapper,
            wrapped: made.wrapped,
            key: made.key,
            queue: Arc::clone(&queue.arn),
            life: Life::beginning_now(clock, reuse),
            epoch: call.authorization_epoch(),
        });
        self.cache.put_sealing(call, scope, Arc::clone(&fresh));
        Ok(Sealing(fresh))
    }

    async fn generate(&self, call: &Call<'_>, queue: &Queue, key: &str) -> Result<Made, SqsError> {
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
        let (opened, key) = self.decrypt(call, &queue.arn, &wrapped).await?;
        let plaintext = SecretKey::from_slice(made.plaintext.expose()).ok_or(SqsError::Internal)?;
        if opened != plaintext {
            return Err(SqsError::Internal);
        }
        Ok(Made {
            opener: Opener::new(&opened).map_err(|_| SqsError::Internal)?,
            data_key: DataKey::just_generated(plaintext, self.runtime.entropy.as_ref()),
            wrapper: Wrapper::Kms,
            wrapped,
            key: Some(key),
        })
    }

    /// A data key, and the ARN of the KMS key that wrapped it.
    async fn decrypt(
        &self,
        call: &Call<'_>,
        arn: &str,
        wrapped: &Bytes,
    ) -> Result<(SecretKey, Arc<str>), SqsError> {
        let opened = call
            .forward::<Decrypt>(DecryptInput {
                ciphertext_blob: Some(Blob(wrapped.to_vec())),
                encryption_context: context(arn),
                ..DecryptInput::default()
            })
            .await
            .map_err(SqsError::from_kms)?;
        let key = SecretKey::from_slice(opened.plaintext.expose()).ok_or(SqsError::Internal)?;
        Ok((key, opened.key_id.into()))
    }

    fn generate_own(&self, queue: &Queue) -> Result<Made, SqsError> {
        let entropy = self.runtime.entropy.as_ref();
        let data_key = DataKey::generate(entropy);
        let wrapped = wrap(
            &self.service_key,
            data_key.key().expose(),
            &wrap_aad(queue.id, &queue.arn),
            entropy,
        )
        .map_err(|_| SqsError::Internal)?;
        Ok(Made {
            opener: Opener::new(data_key.key()).map_err(|_| SqsError::Internal)?,
            data_key,
            wrapper: Wrapper::Service,
            wrapped: Bytes::from(wrapped),
            key: None,
        })
    }

    /// Whether the caller may decrypt with the queue's own key, as those must who receive what came from another queue.
    ///
    /// # Errors
    /// The `Kms*` errors, when KMS refuses the caller.
    pub(crate) async fn check_own_key(&self, call: &Call<'_>, queue: &Queue) -> Result<(), SqsError> {
        let Some(named) = named_key(queue) else {
            return Ok(());
        };
        let scope = VerdictScope {
            queue: queue.id,
            named: named.as_str().into(),
            requester: Requester::of(call),
        };
        if self.cache.is_allowed(call, &scope) {
            return Ok(());
        }
        let _turn = self.cache.turn(&(scope.queue, &scope.requester)).await;
        if self.cache.is_allowed(call, &scope) {
            return Ok(());
        }
        let input = ProbeDecryptInput {
            key_id: named,
            encryption_context: context(&queue.arn),
        };
        let asked = call.forward::<ProbeDecrypt>(input).await;
        let answer = asked.map_err(SqsError::from_kms)?;
        let verdict = self.verdict(call, queue, Arc::clone(&queue.arn), answer.key_id.into());
        self.cache.put_verdict(call, scope, verdict);
        Ok(())
    }

    /// That KMS said yes just now; it is asked again after the reuse period of the queue that is received from.
    fn verdict(&self, call: &Call<'_>, received_from: &Queue, queue: Arc<str>, key: Arc<str>) -> Verdict {
        let reuse = received_from.properties().settings.key_reuse();
        Verdict {
            key,
            queue,
            life: Life::beginning_now(self.runtime.clock.as_ref(), reuse),
            epoch: call.authorization_epoch(),
        }
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
        let scope = OpenScope { queue: id, wrapped };
        match kind {
            Wrapper::Service => self.own_opener(opening.queue, &scope, arn),
            Wrapper::Kms => self.kms_opener(opening, &scope, arn).await,
        }
    }

    /// Opens a data key that the service wrapped itself.
    fn own_opener(&self, queue: &Queue, scope: &OpenScope, arn: &str) -> Result<Arc<Opener>, SqsError> {
        if let Some(found) = self.cache.opened(scope).filter(|found| found.key.is_none()) {
            return Ok(Arc::clone(&found.opener));
        }
        let opened = unwrap(&self.service_key, &scope.wrapped, &wrap_aad(scope.queue, arn));
        let key = opened
            .ok()
            .and_then(|key| SecretKey::from_slice(key.expose()))
            .ok_or(SqsError::Internal)?;
        self.keep_opened(queue, scope, &key, None)
    }

    /// Opens a data key that KMS wrapped, as this caller.
    async fn kms_opener(
        &self,
        opening: &Opening<'_>,
        scope: &OpenScope,
        arn: &str,
    ) -> Result<Arc<Opener>, SqsError> {
        let (call, queue) = (opening.call, opening.queue);
        let requester = Requester::of(call);
        if let Some(opener) = self.allowed_opener(call, scope, &requester) {
            return Ok(opener);
        }
        let _turn = self.cache.turn(&(scope.queue, &requester)).await;
        if let Some(opener) = self.allowed_opener(call, scope, &requester) {
            return Ok(opener);
        }
        let (key, name) = self.decrypt(call, arn, &scope.wrapped).await?;
        let verdict = self.verdict(call, queue, arn.into(), Arc::clone(&name));
        let asked = VerdictScope {
            queue: scope.queue,
            named: Arc::clone(&name),
            requester,
        };
        self.cache.put_verdict(call, asked, verdict);
        self.keep_opened(queue, scope, &key, Some(name))
    }

    /// Keeps a data key that was just unwrapped, for the reuse period of the queue that is received from.
    fn keep_opened(
        &self,
        received_from: &Queue,
        scope: &OpenScope,
        key: &SecretKey,
        name: Option<Arc<str>>,
    ) -> Result<Arc<Opener>, SqsError> {
        let opener = Arc::new(Opener::new(key).map_err(|_| SqsError::Internal)?);
        let reuse = received_from.properties().settings.key_reuse();
        let kept = OpenedKey {
            opener: Arc::clone(&opener),
            key: name,
            life: Life::beginning_now(self.runtime.clock.as_ref(), reuse),
        };
        self.cache.put_opened(scope, kept);
        Ok(opener)
    }

    /// What opens, if it is here and KMS allowed this caller to decrypt with the key that wrapped it.
    fn allowed_opener(
        &self,
        call: &Call<'_>,
        scope: &OpenScope,
        requester: &Requester,
    ) -> Option<Arc<Opener>> {
        let found = self.cache.opened(scope)?;
        let asked = VerdictScope {
            queue: scope.queue,
            named: Arc::clone(found.key.as_ref()?),
            requester: requester.clone(),
        };
        let allowed = self.cache.is_allowed(call, &asked);
        allowed.then(|| Arc::clone(&found.opener))
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
        open(stored, &opener, &self.aad)
    }
}

fn open(stored: &Stored, opener: &Opener, aad: &[u8]) -> Result<Vec<u8>, SqsError> {
    let sealed = SealedRef::parse(stored.sealed()).map_err(|_| SqsError::Internal)?;
    opener.open(sealed, aad).map_err(|_| SqsError::Internal)
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

/// The queue's KMS key as an ARN, or nothing for SSE-SQS.
fn named_key(queue: &Queue) -> Option<String> {
    match &queue.properties().settings.encryption {
        EncryptionSetting::Kms(key) => Some(qualified(key, queue)),
        EncryptionSetting::SqsManaged | EncryptionSetting::None => None,
    }
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
