//! `CreateKey`: a key of any kind that is built, with its policy.

use crate::kms::access::{check_not_locked_out, with_key_kind, with_request_tags};
use crate::kms::errors::KmsError;
use crate::kms::key::{AWS_KMS, Key, KeyState, Material};
use crate::kms::kind::{KeyKind, KeySpec, KeyUsage, built};
use crate::kms::limits::KEYS_PER_REGION_MAX;
use crate::kms::reference::key_arn;
use crate::kms::shapes::{KeyMetadata, Tag};
use crate::kms::validate::{self, one_of};
use crate::kms::view::View;
use crate::kms::words::Word;
use crate::kms::{Kms, policy};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::KeyId;
use bulla_wire::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateKey;

/// Its input.
#[derive(Debug, Default, Shape)]
#[shape(name = "CreateKeyRequest")]
pub(crate) struct CreateKeyInput {
    /// The default key policy if absent.
    pub(crate) policy: Option<String>,
    /// At most 8,192 characters.
    pub(crate) description: Option<String>,
    /// `ENCRYPT_DECRYPT` if absent; required of all but symmetric encryption keys.
    pub(crate) key_usage: Option<String>,
    /// The former name of `key_spec`.
    pub(crate) customer_master_key_spec: Option<String>,
    /// `SYMMETRIC_DEFAULT` if absent.
    pub(crate) key_spec: Option<String>,
    /// `AWS_KMS`, also if absent.
    pub(crate) origin: Option<String>,
    pub(crate) custom_key_store_id: Option<String>,
    /// Whether the author may lock himself out.
    #[member(default)]
    pub(crate) bypass_policy_lockout_safety_check: bool,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
    pub(crate) multi_region: Option<bool>,
    pub(crate) xks_key_id: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateKeyResponse")]
pub(crate) struct CreateKeyOutput {
    pub(crate) key_metadata: KeyMetadata,
}

/// The key that is to be: what the policies are asked about before it exists.
#[derive(Debug)]
pub(crate) struct NewKey {
    id: KeyId,
    arn: Arc<str>,
    kind: KeyKind,
    tags: BTreeMap<String, String>,
}

impl Operation for CreateKey {
    const NAME: &'static str = "CreateKey";
    type Service = Kms;
    type Input = CreateKeyInput;
    type Output = CreateKeyOutput;
    type Error = KmsError;
    type Target = NewKey;

    async fn resolve(_: &Kms, call: &Call<'_>, input: CreateKeyInput) -> Result<Resolved<Self>, KmsError> {
        let kind = kind(&input)?;
        check_origin(&input)?;
        validate::description(input.description.as_deref().unwrap_or_default())?;
        let tags = validate::tags(&input.tags)?;
        let id = KeyId::from_entropy(call.runtime().entropy.id_bytes());
        let arn = key_arn(call.region(), call.account(), id);
        let create = with_key_kind(AccessRequest::new("kms:CreateKey", "*", call.account()), kind).with_key(
            "kms:BypassPolicyLockoutSafetyCheck",
            input.bypass_policy_lockout_safety_check.to_string(),
        );
        let mut needs = vec![with_request_tags(create, tags.keys(), &tags)];
        if !tags.is_empty() {
            let tag = AccessRequest::new("kms:TagResource", Arc::clone(&arn), call.account());
            needs.push(with_request_tags(tag, tags.keys(), &tags));
        }
        Ok(Resolved {
            input,
            target: NewKey { id, arn, kind, tags },
            access: Access::Needs(needs),
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateKeyOutput, KmsError> {
        let (input, new) = granted.into_parts();
        let (owner, region, now) = (call.account(), call.region(), call.time());
        let text = input.policy.clone().unwrap_or_else(|| policy::default_for(owner));
        let policy = policy::parse(&text, &new.arn)?;
        check_quota(&kms.view(), call)?;
        let secret = kms.new_secret(new.kind).await?;
        let key = Key {
            id: new.id,
            region,
            owner,
            arn: new.arn,
            kind: new.kind,
            created: now,
            description: input.description.unwrap_or_default(),
            state: KeyState::Enabled,
            policy,
            tags: new.tags,
            aliases: Vec::new(),
            material: Arc::new(Material::first(secret, now, &*call.runtime().entropy)),
            former: Vec::new(),
            schedule: None,
        };
        if input.policy.is_some() && !input.bypass_policy_lockout_safety_check {
            check_not_locked_out(call, &key)?;
        }
        kms.write(call, |view| {
            check_quota(view, call)?;
            let key_metadata = KeyMetadata::from(&key);
            Ok((vec![key], CreateKeyOutput { key_metadata }))
        })
        .await
    }
}

fn check_quota(view: &View, call: &Call<'_>) -> Result<(), KmsError> {
    if view.count(call.account(), call.region()) < KEYS_PER_REGION_MAX {
        return Ok(());
    }
    Err(KmsError::LimitExceeded {
        reason: format!("An account has at most {KEYS_PER_REGION_MAX} keys in a region"),
    })
}

/// A usage that is not built.
const ENCAPSULATE: &str = "ENCAPSULATE_DECAPSULATE";
const ORIGINS: &[&str] = &[AWS_KMS, "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];

/// The kind of key that is asked for. Misspelt ones are invalid, others of AWS's are not built.
fn kind(input: &CreateKeyInput) -> Result<KeyKind, KmsError> {
    let (text, member) = match (&input.key_spec, &input.customer_master_key_spec) {
        (Some(_), Some(_)) => {
            return Err(KmsError::Validation {
                reason: "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
                         CustomerMasterKeySpec is deprecated."
                    .to_owned(),
            });
        }
        (Some(spec), None) => (Some(spec), "keySpec"),
        (None, spec) => (spec.as_ref(), "customerMasterKeySpec"),
    };
    let symmetric = KeyKind::SYMMETRIC;
    let spec = text.map_or(Ok(symmetric.spec()), |text| built::<KeySpec>(text, member))?;
    let usage = match input.key_usage.as_deref() {
        Some(ENCAPSULATE) => return Err(unsupported(ENCAPSULATE)),
        Some(usage) => KeyUsage::parse(usage, "keyUsage")?,
        None if spec == symmetric.spec() => symmetric.usage(),
        None => {
            return Err(KmsError::Validation {
                reason:
                    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
                        .to_owned(),
            });
        }
    };
    KeyKind::new(spec, usage).ok_or_else(|| KmsError::Validation {
        reason: format!(
            "KeyUsage {} is not compatible with KeySpec {}",
            usage.word(),
            spec.word()
        ),
    })
}

/// Refuses material from elsewhere, and copies in other regions.
fn check_origin(input: &CreateKeyInput) -> Result<(), KmsError> {
    if let Some(origin) = input.origin.as_deref() {
        one_of(origin, "origin", ORIGINS)?;
        if origin != AWS_KMS {
            return Err(unsupported(&format!("Keys of the origin {origin}")));
        }
    }
    if input.multi_region == Some(true) {
        return Err(unsupported("Multi-Region keys"));
    }
    if input.custom_key_store_id.is_some() || input.xks_key_id.is_some() {
        return Err(unsupported("Custom key stores"));
    }
    Ok(())
}

fn unsupported(what: &str) -> KmsError {
    KmsError::Unsupported {
        reason: format!("{what} are not built"),
    }
}
