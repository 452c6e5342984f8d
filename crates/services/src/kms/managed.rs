//! AWS managed keys: one for each service, account and region, made when it is first used, with a policy that never changes.
//!
//! What makes a key a managed one is its alias under `alias/aws/`: nobody but this module gives such an alias, and no
//! operation moves or takes it. The fixed policy allows nobody to change, disable, delete, tag or rotate the key, nor
//! any other account anything; the operations need no rule of their own.
//!
//! A key that is not made yet is asked about as it would be made: the policies decide on the fixed policy, and only an
//! operation that was allowed, and that uses the key, makes it. Invariant: nothing is encrypted under a key that was
//! not stored.
//!
//! Source: KMS Developer Guide, "AWS managed keys", and KMS API Reference, `DescribeKey`: describing a predefined alias
//! makes its key (read 2026-11-21).

use super::access::Sought;
use super::alias::{Alias, RESERVED};
use super::erasure::Wrapping;
use super::errors::KmsError;
use super::key::{Key, KeyState, Material};
use super::kind::KeyKind;
use super::limits::MANAGED_ROTATION_DAYS;
use super::reference::{alias_arn, key_arn};
use super::rotation::Schedule;
use super::secret::Secret;
use super::{Kms, policy};
use bulla_gate::Call;
use bulla_types::{AccountId, KeyId, Region};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// A service with a managed key.
#[derive(Debug)]
struct ManagingService {
    /// Behind `alias/aws/`, in `kms:ViaService` and in the policy's id.
    name: &'static str,
    /// The version of AWS's policy.
    policy_version: u8,
    /// What AWS calls it in the policy.
    title: &'static str,
    /// As `title`, where AWS abbreviates it in the same sentence.
    short_title: &'static str,
    description: &'static str,
    /// What its callers may do with the key through it.
    through: &'static [&'static str],
    /// What the account may do with the key itself.
    direct: &'static [&'static str],
}

/// In order of name.
const SERVICES: [ManagingService; 3] = [
    ManagingService {
        name: "s3",
        policy_version: 2,
        title: "S3",
        short_title: "S3",
        description: "Default key that protects my S3 objects when no other key is defined",
        through: &[
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:DescribeKey",
        ],
        direct: &["kms:Describe*", "kms:Get*", "kms:List*"],
    },
    ManagingService {
        name: "sns",
        policy_version: 1,
        title: "SNS",
        short_title: "SNS",
        description: "Default key that protects my SNS data when no other key is defined",
        through: &[
            "kms:Decrypt",
            "kms:GenerateDataKey*",
            "kms:CreateGrant",
            "kms:ListGrants",
            "kms:DescribeKey",
        ],
        direct: &["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
    },
    ManagingService {
        name: "sqs",
        policy_version: 1,
        title: "Simple Queue Service (SQS)",
        short_title: "SQS",
        description: "Default key that protects my SQS messages when no other key is defined",
        through: &[
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:CreateGrant",
            "kms:DescribeKey",
        ],
        direct: &["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
    },
];

/// The aliases that every account has, in order, whether or not their keys are made.
pub(super) fn aliases() -> impl Iterator<Item = String> {
    SERVICES
        .iter()
        .map(|service| format!("{RESERVED}{}", service.name))
}

impl ManagingService {
    fn of_alias(alias: &str) -> Option<&'static Self> {
        let name = alias.strip_prefix(RESERVED)?;
        SERVICES.iter().find(|service| service.name == name)
    }

    /// The fixed policy, as AWS writes it.
    fn policy(&self, account: AccountId, region: Region) -> String {
        let Self {
            name,
            policy_version,
            title,
            short_title,
            ..
        } = self;
        let (through, direct) = (quoted(self.through), quoted(self.direct));
        format!(
            r#"{{
  "Version" : "2012-10-17",
  "Id" : "auto-{name}-{policy_version}",
  "Statement" : [ {{
    "Sid" : "Allow access through {title} for all principals in the account that are authorized to use {short_title}",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "*"
    }},
    "Action" : [ {through} ],
    "Resource" : "*",
    "Condition" : {{
      "StringEquals" : {{
        "kms:CallerAccount" : "{account}",
        "kms:ViaService" : "{name}.{region}.amazonaws.com"
      }}
    }}
  }}, {{
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : [ {direct} ],
    "Resource" : "*"
  }} ]
}}"#
        )
    }
}

fn quoted(actions: &[&str]) -> String {
    let quoted: Vec<String> = actions.iter().map(|action| format!("\"{action}\"")).collect();
    quoted.join(", ")
}

impl Key {
    /// Whether an AWS service manages it.
    pub(super) fn is_aws_managed(&self) -> bool {
        self.aliases.iter().any(|alias| alias.name.starts_with(RESERVED))
    }
}

impl Kms {
    /// The caller's managed key of this alias as it would be made; `None` when no service has the alias.
    pub(super) fn unmade(&self, call: &Call<'_>, alias: &str) -> Result<Option<Arc<Key>>, KmsError> {
        let Some(service) = ManagingService::of_alias(alias) else {
            return Ok(None);
        };
        let (owner, region, now) = (call.account(), call.region(), call.time());
        let entropy = &*self.runtime.entropy;
        let id = KeyId::from_entropy(entropy.id_bytes());
        let arn = key_arn(region, owner, id);
        let alias = Alias {
            name: alias.into(),
            created: now,
            updated: now,
        };
        Ok(Some(Arc::new(Key {
            id,
            region,
            owner,
            kind: KeyKind::SYMMETRIC,
            created: now,
            description: service.description.to_owned(),
            state: KeyState::Enabled,
            policy: policy::parse(&service.policy(owner, region), &arn)?,
            tags: BTreeMap::new(),
            aliases: vec![alias],
            material: Arc::new(Material::first(Secret::symmetric(entropy), now, entropy)),
            former: Vec::new(),
            schedule: Some(Schedule::starting(MANAGED_ROTATION_DAYS, now)),
            external: None,
            primary: None,
            wrapping: Wrapping::NotYet,
            scheduled: None,
            arn,
        })))
    }

    /// The key that a call was allowed to use; a managed key is made if there is none yet.
    ///
    /// Nobody was allowed anything that the new key forbids, so what was decided before stays decided.
    pub(super) async fn key_for_use(&self, call: &Call<'_>, sought: Sought) -> Result<Arc<Key>, KmsError> {
        let Some((key, alias)) = sought.unmade() else {
            return sought.into_key();
        };
        let _writing = self.writing.lock().await;
        let made = self
            .view()
            .alias(key.owner, key.region, alias, call.time())
            .cloned();
        if let Some(made) = made {
            return Ok(made);
        }
        let stored = self.store(vec![Key::clone(key)]).await?;
        let key = stored.into_iter().next().map(Arc::new);
        let key = key.ok_or(KmsError::Internal)?;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.put(Arc::clone(&key));
        drop(view);
        tracing::info!(
            key = %key.arn,
            alias = %alias_arn(key.region, key.owner, alias),
            "the managed key was made on its first use"
        );
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::{SERVICES, aliases};
    use crate::kms::policy;
    use bulla_types::{AccountId, Region};

    #[test]
    fn every_fixed_policy_is_understood() {
        for service in &SERVICES {
            let text = service.policy(AccountId::ZERO, Region::parse("eu-west-1").unwrap());
            policy::parse(&text, "arn").unwrap();
        }
    }

    #[test]
    fn the_aliases_are_in_order() {
        assert!(aliases().is_sorted());
    }
}
