//! `CreateKey`: a key of any kind that is built, with its policy.

use crate::kms::access::{check_not_locked_out, with_key_kind, with_request_tags};
use crate::kms::erasure::Wrapping;
use crate::kms::errors::KmsError;
use crate::kms::external::{AWS_KMS, EXTERNAL, External};
use crate::kms::key::{Key, KeyState, Material};
use crate::kms::kind::{KeyKind, KeySpec, KeyUsage, PairSpec, built};
use crate::kms::limits::KEYS_PER_REGION_MAX;
use crate::kms::multi_region::RegionRole;
use crate::kms::reference::key_arn;
use crate::kms::shapes::{KeyMetadata, Tag};
use crate::kms::validate::{self, one_of};
use crate::kms::view::View;
use crate::kms::words::Word;
use crate::kms::{Kms, policy};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::{AccountId, KeyId, Region};
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
    /// `AWS_KMS`, also if absent, or `EXTERNAL`: the material will be imported.
    pub(crate) origin: Option<String>,
    pub(crate) custom_key_store_id: Option<String>,
    /// Whether the author may lock himself out.
    #[member(default)]
    pub(crate) bypass_policy_lockout_safety_check: bool,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
    /// Whether it can be replicated to other regions.
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
    origin: &'static str,
    multi_region: bool,
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
        let origin = origin(&input, kind)?;
        let multi_region = input.multi_region == Some(true);
        validate::description(input.description.as_deref().unwrap_or_default())?;
        let tags = validate::tags(&input.tags)?;
        let random = call.runtime().entropy.id_bytes();
        let (id, role) = if multi_region {
            (
                KeyId::multi_region_from_entropy(random),
                Some(RegionRole::Primary),
            )
        } else {
            (KeyId::from_entropy(random), None)
        };
        let arn = key_arn(call.region(), call.account(), id);
        let create = AccessRequest::new("kms:CreateKey", "*", call.account()).with_key(
            "kms:BypassPolicyLockoutSafetyCheck",
            input.bypass_policy_lockout_safety_check.to_string(),
        );
        let create = with_key_kind(create, kind, origin, role);
        let mut needs = vec![with_request_tags(create, tags.keys(), &tags)];
        if !tags.is_empty() {
            let tag = AccessRequest::new("kms:TagResource", Arc::clone(&arn), call.account());
            needs.push(with_request_tags(tag, tags.keys(), &tags));
        }
        Ok(Resolved {
            input,
            target: NewKey {
                id,
                arn,
                kind,
                origin,
                multi_region,
                tags,
            },
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
        check_quota(&kms.view(), owner, region)?;
        let (material, external) = if new.origin == EXTERNAL {
            (Material::awaited(now), Some(External::default()))
        } else {
            let secret = kms.new_secret(new.kind).await?;
            (Material::first(secret, now, &*call.runtime().entropy), None)
        };
        let key = Key {
            id: new.id,
            region,
            owner,
            arn: new.arn,
            kind: new.kind,
            created: now,
            description: input.description.unwrap_or_default(),
            state: match external {
                None => KeyState::Enabled,
                Some(_) => KeyState::PendingImport,
            },
            policy,
            tags: new.tags,
            aliases: Vec::new(),
            material: Arc::new(material),
            former: Vec::new(),
            schedule: None,
            external,
            primary: new.multi_region.then_some(region),
            wrapping: Wrapping::NotYet,
            scheduled: None,
        };
        if input.policy.is_some() && !input.bypass_policy_lockout_safety_check {
            check_not_locked_out(call, &key)?;
        }
        kms.write(call, |view| {
            check_quota(view, owner, region)?;
            Ok((vec![key.clone()], ()))
        })
        .await?;
        Ok(CreateKeyOutput {
            key_metadata: kms.view().metadata(&key, now),
        })
    }
}

/// Refuses one key too many in a region.
pub(super) fn check_quota(view: &View, owner: AccountId, region: Region) -> Result<(), KmsError> {
    if view.count(owner, region) < KEYS_PER_REGION_MAX {
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

/// Where the material will come from. Custom key stores are not built.
fn origin(input: &CreateKeyInput, kind: KeyKind) -> Result<&'static str, KmsError> {
    let origin = input.origin.as_deref().unwrap_or(AWS_KMS);
    one_of(origin, "origin", ORIGINS)?;
    if input.custom_key_store_id.is_some() || input.xks_key_id.is_some() {
        return Err(unsupported("Custom key stores"));
    }
    if origin == AWS_KMS {
        return Ok(AWS_KMS);
    }
    let ml_dsa = matches!(
        kind.pair(),
        Some(PairSpec::MlDsa44 | PairSpec::MlDsa65 | PairSpec::MlDsa87)
    );
    if origin != EXTERNAL || ml_dsa {
        let spec = kind.spec().word();
        return Err(unsupported(&format!("{spec} keys of the origin {origin}")));
    }
    Ok(EXTERNAL)
}

fn unsupported(what: &str) -> KmsError {
    KmsError::Unsupported {
        reason: format!("{what} are not built"),
    }
}
