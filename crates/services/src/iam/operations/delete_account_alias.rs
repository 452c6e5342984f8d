//! `DeleteAccountAlias`: takes the account's name from it.

use crate::iam::Iam;
use crate::iam::entity::{Account, Stored};
use crate::iam::errors::IamError;
use crate::iam::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteAccountAlias;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteAccountAliasRequest")]
pub(crate) struct DeleteAccountAliasInput {
    pub(crate) account_alias: String,
}

impl Operation for DeleteAccountAlias {
    const NAME: &'static str = "DeleteAccountAlias";
    type Service = Iam;
    type Input = DeleteAccountAliasInput;
    type Output = Empty;
    type Error = IamError;
    type Target = ();

    async fn resolve(
        _: &Iam,
        call: &Call<'_>,
        input: DeleteAccountAliasInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::account_alias(&input.account_alias)?;
        let access = Access::one(AccessRequest::new("iam:DeleteAccountAlias", "*", call.account()));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, ()) = granted.into_parts();
        let id = call.account();
        iam.change(call, |view| {
            let mut account = Account::clone(view.account(id).ok_or(IamError::Internal)?);
            let former = account.alias.take();
            if former.as_ref() != Some(&input.account_alias) {
                let alias = input.account_alias;
                return Err(IamError::NotFound {
                    reason: format!("The Account Alias {alias} cannot be found."),
                });
            }
            Ok((vec![Stored::Account(account)], ()))
        })
        .await?;
        Ok(Empty)
    }
}
