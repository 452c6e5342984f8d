//! `CreateAlias`: a friendly name for a key of the caller's account and region.

use crate::kms::access::Sought;
use crate::kms::alias::{Alias, check_not_reserved};
use crate::kms::errors::KmsError;
use crate::kms::limits::ALIASES_PER_KEY_MAX;
use crate::kms::reference::alias_arn;
use crate::kms::{Kms, current};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateAlias;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateAliasRequest")]
pub(crate) struct CreateAliasInput {
    /// With the prefix `alias/`, 256 characters at most.
    pub(crate) alias_name: String,
    /// Key id or key ARN.
    pub(crate) target_key_id: String,
}

impl Operation for CreateAlias {
    const NAME: &'static str = "CreateAlias";
    type Service = Kms;
    type Input = CreateAliasInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: CreateAliasInput,
    ) -> Result<Resolved<Self>, KmsError> {
        check_not_reserved(&input.alias_name)?;
        let target = kms.seek_key(call, &input.target_key_id, "targetKeyId")?;
        let alias = alias_arn(call.region(), call.account(), &input.alias_name);
        let access = Access::Needs(vec![
            AccessRequest::new("kms:CreateAlias", alias, call.account()),
            target
                .request(kms, "kms:CreateAlias")
                .with_key("kms:RequestAlias", &input.alias_name),
        ]);
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.into_key()?;
        let (name, now) = (input.alias_name, call.time());
        kms.write(call, |view| {
            if view.alias(key.owner, key.region, &name, now).is_some() {
                return Err(KmsError::AliasExists {
                    alias: alias_arn(key.region, key.owner, &name),
                });
            }
            let mut key = current(view, &key, now)?;
            key.check_not_pending()?;
            key.add_alias(Alias {
                name: name.into(),
                created: now,
                updated: now,
            })?;
            Ok((vec![key], Empty))
        })
        .await
    }
}

impl crate::kms::key::Key {
    /// One more alias, at its place in the order of names.
    pub(super) fn add_alias(&mut self, alias: Alias) -> Result<(), KmsError> {
        if self.aliases.len() >= ALIASES_PER_KEY_MAX {
            return Err(KmsError::LimitExceeded {
                reason: format!("A key has at most {ALIASES_PER_KEY_MAX} aliases"),
            });
        }
        let place = self.aliases.partition_point(|other| other.name < alias.name);
        self.aliases.insert(place, alias);
        Ok(())
    }
}
