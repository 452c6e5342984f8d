//! `CreateAccountAlias`: a name for the account, in place of the one that it has.

use crate::iam::Iam;
use crate::iam::entity::{Account, Stored};
use crate::iam::errors::IamError;
use crate::iam::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateAccountAlias;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateAccountAliasRequest")]
pub(crate) struct CreateAccountAliasInput {
    pub(crate) account_alias: String,
}

impl Operation for CreateAccountAlias {
    const NAME: &'static str = "CreateAccountAlias";
    type Service = Iam;
    type Input = CreateAccountAliasInput;
    type Output = Empty;
    type Error = IamError;
    type Target = ();

    async fn resolve(
        _: &Iam,
        call: &Call<'_>,
        input: CreateAccountAliasInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::account_alias(&input.account_alias)?;
        let access = Access::one(AccessRequest::new("iam:CreateAccountAlias", "*", call.account()));
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
            if view.alias_taken(&input.account_alias, id) {
                return Err(IamError::AliasAlreadyExists {
                    alias: input.account_alias,
                });
            }
            let mut account = Account::clone(view.account(id).ok_or(IamError::Internal)?);
            account.alias = Some(input.account_alias);
            Ok((vec![Stored::Account(account)], ()))
        })
        .await?;
        Ok(Empty)
    }
}
