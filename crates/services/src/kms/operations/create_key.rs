//! `CreateKey`: a symmetric key with its policy.

use crate::kms::access::{check_not_locked_out, with_key_kind, with_request_tags};
use crate::kms::errors::KmsError;
use crate::kms::key::{AWS_KMS, ENCRYPT_DECRYPT, Key, KeyState, Made, Material, SYMMETRIC_DEFAULT};
use crate::kms::limits::KEYS_PER_REGION_MAX;
use crate::kms::reference::key_arn;
use crate::kms::shapes::{KeyMetadata, Tag};
use crate::kms::validate::{self, one_of};
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
    /// `ENCRYPT_DECRYPT`, also if absent.
    pub(crate) key_usage: Option<String>,
    /// The former name of `key_spec`.
    pub(crate) customer_master_key_spec: Option<String>,
    /// `SYMMETRIC_DEFAULT`, also if absent.
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
        check_kind(&input)?;
        validate::description(input.description.as_deref().unwrap_or_default())?;
        let tags = validate::tags(&input.tags)?;
        let id = KeyId::from_entropy(call.runtime().entropy.id_bytes());
        let arn = key_arn(call.region(), call.account(), id);
        let create = with_key_kind(AccessRequest::new("kms:CreateKey", "*", call.account())).with_key(
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
            target: NewKey { id, arn, tags },
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
        let key = Key {
            id: new.id,
            region,
            owner,
            arn: new.arn,
            created: now,
            description: input.description.unwrap_or_default(),
            state: KeyState::Enabled,
            policy,
            tags: new.tags,
            aliases: Vec::new(),
            material: Arc::new(Material::generate(
                1,
                Made::WithTheKey,
                now,
                &*call.runtime().entropy,
            )),
            former: Vec::new(),
            schedule: None,
        };
        if input.policy.is_some() && !input.bypass_policy_lockout_safety_check {
            check_not_locked_out(call, &key)?;
        }
        kms.write(call, |view| {
            if view.count(owner, region) >= KEYS_PER_REGION_MAX {
                return Err(KmsError::LimitExceeded {
                    reason: format!("An account has at most {KEYS_PER_REGION_MAX} keys in a region"),
                });
            }
            let key_metadata = KeyMetadata::from(&key);
            Ok((vec![key], CreateKeyOutput { key_metadata }))
        })
        .await
    }
}

const KEY_SPECS: &[&str] = &[
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    SYMMETRIC_DEFAULT,
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
];
const KEY_USAGES: &[&str] = &[
    "SIGN_VERIFY",
    ENCRYPT_DECRYPT,
    "GENERATE_VERIFY_MAC",
    "KEY_AGREEMENT",
    "ENCAPSULATE_DECAPSULATE",
];
const ORIGINS: &[&str] = &[AWS_KMS, "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];

/// Refuses every kind of key but the one that is built: misspelt ones as invalid, others as not built.
fn check_kind(input: &CreateKeyInput) -> Result<(), KmsError> {
    if input.key_spec.is_some() && input.customer_master_key_spec.is_some() {
        return Err(KmsError::Validation {
            reason: "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
                     CustomerMasterKeySpec is deprecated."
                .to_owned(),
        });
    }
    let members = [
        (&input.key_spec, "keySpec", KEY_SPECS, SYMMETRIC_DEFAULT),
        (
            &input.customer_master_key_spec,
            "customerMasterKeySpec",
            KEY_SPECS,
            SYMMETRIC_DEFAULT,
        ),
        (&input.origin, "origin", ORIGINS, AWS_KMS),
        (&input.key_usage, "keyUsage", KEY_USAGES, ENCRYPT_DECRYPT),
    ];
    for (value, member, words, _) in members {
        value
            .as_deref()
            .map_or(Ok(()), |value| one_of(value, member, words))?;
    }
    for (value, _, _, built) in members {
        if let Some(value) = value.as_deref().filter(|value| *value != built) {
            return Err(unsupported(&format!("Keys of the kind {value}")));
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
        reason: format!("{what} are not built; only symmetric encryption keys are"),
    }
}
