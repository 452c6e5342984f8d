//! `UpdateAlias`: points an alias to another key.

use crate::kms::access::Sought;
use crate::kms::alias::{Alias, check_not_reserved};
use crate::kms::errors::KmsError;
use crate::kms::reference::alias_arn;
use crate::kms::{Kms, current};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdateAlias;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdateAliasRequest")]
pub(crate) struct UpdateAliasInput {
    /// With the prefix `alias/`.
    pub(crate) alias_name: String,
    /// Key id or key ARN of the key that it names from now on.
    pub(crate) target_key_id: String,
}

/// The key that the alias names, and the one that it will name.
#[derive(Debug)]
pub(crate) struct Move {
    from: Sought,
    to: Sought,
}

impl Operation for UpdateAlias {
    const NAME: &'static str = "UpdateAlias";
    type Service = Kms;
    type Input = UpdateAliasInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Move;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: UpdateAliasInput,
    ) -> Result<Resolved<Self>, KmsError> {
        check_not_reserved(&input.alias_name)?;
        let from = kms.seek(call, &input.alias_name)?;
        let to = kms.seek_key(call, &input.target_key_id, "targetKeyId")?;
        let alias = alias_arn(call.region(), call.account(), &input.alias_name);
        let access = Access::Needs(vec![
            AccessRequest::new("kms:UpdateAlias", alias, call.account()),
            from.request(kms, "kms:UpdateAlias"),
            to.request(kms, "kms:UpdateAlias")
                .with_key("kms:RequestAlias", &input.alias_name),
        ]);
        Ok(Resolved {
            input,
            target: Move { from, to },
            access,
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (input, target) = granted.into_parts();
        let (from, to) = (target.from.into_key()?, target.to.into_key()?);
        let (name, now) = (input.alias_name, call.time());
        kms.write(call, |view| {
            let mut from = current(view, &from, now)?;
            let place = from.aliases.iter().position(|alias| *alias.name == *name);
            let place = place.ok_or_else(|| KmsError::AliasNotFound {
                alias: alias_arn(from.region, from.owner, &name),
            })?;
            let moved = Alias {
                updated: now,
                ..from.aliases.remove(place)
            };
            if from.id == to.id {
                from.check_not_pending()?;
                from.add_alias(moved)?;
                return Ok((vec![from], Empty));
            }
            let mut to = current(view, &to, now)?;
            to.check_not_pending()?;
            to.add_alias(moved)?;
            Ok((vec![from, to], Empty))
        })
        .await
    }
}
