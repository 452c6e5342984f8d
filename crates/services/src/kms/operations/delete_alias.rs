//! `DeleteAlias`: takes an alias off its key; the key stays.

use crate::kms::access::Sought;
use crate::kms::alias::check_not_reserved;
use crate::kms::errors::KmsError;
use crate::kms::reference::alias_arn;
use crate::kms::{Kms, current};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteAlias;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteAliasRequest")]
pub(crate) struct DeleteAliasInput {
    /// With the prefix `alias/`.
    pub(crate) alias_name: String,
}

impl Operation for DeleteAlias {
    const NAME: &'static str = "DeleteAlias";
    type Service = Kms;
    type Input = DeleteAliasInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: DeleteAliasInput,
    ) -> Result<Resolved<Self>, KmsError> {
        check_not_reserved(&input.alias_name)?;
        let target = kms.seek(call, &input.alias_name)?;
        let alias = alias_arn(call.region(), call.account(), &input.alias_name);
        let access = Access::Needs(vec![
            AccessRequest::new("kms:DeleteAlias", alias, call.account()),
            target.request(kms, "kms:DeleteAlias"),
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
            let mut key = current(view, &key, now)?;
            let before = key.aliases.len();
            key.aliases.retain(|alias| *alias.name != *name);
            if key.aliases.len() == before {
                return Err(KmsError::AliasNotFound {
                    alias: alias_arn(key.region, key.owner, &name),
                });
            }
            Ok((vec![key], Empty))
        })
        .await
    }
}
