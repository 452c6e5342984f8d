//! `PutKeyPolicy`: who may use and manage the key from now on.

use crate::kms::Kms;
use crate::kms::access::{Sought, check_not_locked_out};
use crate::kms::errors::KmsError;
use crate::kms::key::Key;
use crate::kms::policy::{self, DEFAULT_NAME};
use crate::policy_warnings::warn_of_traps;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct PutKeyPolicy;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "PutKeyPolicyRequest")]
pub(crate) struct PutKeyPolicyInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// `default`, also if absent.
    pub(crate) policy_name: Option<String>,
    /// At most 32,768 bytes.
    pub(crate) policy: String,
    /// Whether the author may lock himself out.
    #[member(default)]
    pub(crate) bypass_policy_lockout_safety_check: bool,
}

impl Operation for PutKeyPolicy {
    const NAME: &'static str = "PutKeyPolicy";
    type Service = Kms;
    type Input = PutKeyPolicyInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: PutKeyPolicyInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let request = target
            .request(kms, "kms:PutKeyPolicy")
            .with_key(
                "kms:PolicyName",
                input.policy_name.as_deref().unwrap_or(DEFAULT_NAME),
            )
            .with_key(
                "kms:BypassPolicyLockoutSafetyCheck",
                input.bypass_policy_lockout_safety_check.to_string(),
            );
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        if input.policy_name.is_some_and(|name| name != DEFAULT_NAME) {
            return Err(KmsError::PolicyNotFound);
        }
        let policy = policy::parse(&input.policy, &key.arn)?;
        if !input.bypass_policy_lockout_safety_check {
            check_not_locked_out(
                call,
                &Key {
                    policy: Arc::clone(&policy),
                    ..Key::clone(&key)
                },
            )?;
        }
        kms.update(call, &key, |key| {
            key.policy = policy;
            Ok(())
        })
        .await?;
        warn_of_traps(call, &key.arn, &input.policy, policy::KIND);
        Ok(Empty)
    }
}
