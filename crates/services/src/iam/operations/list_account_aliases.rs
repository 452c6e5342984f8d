//! `ListAccountAliases`: the account's name, if it has one.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListAccountAliases;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListAccountAliasesRequest")]
pub(crate) struct ListAccountAliasesInput {
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListAccountAliasesResponse")]
pub(crate) struct ListAccountAliasesOutput {
    pub(crate) account_aliases: Vec<String>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListAccountAliases {
    const NAME: &'static str = "ListAccountAliases";
    type Service = Iam;
    type Input = ListAccountAliasesInput;
    type Output = ListAccountAliasesOutput;
    type Error = IamError;
    type Target = ();

    async fn resolve(
        _: &Iam,
        call: &Call<'_>,
        input: ListAccountAliasesInput,
    ) -> Result<Resolved<Self>, IamError> {
        let access = Access::one(AccessRequest::new("iam:ListAccountAliases", "*", call.account()));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListAccountAliasesOutput, IamError> {
        let (input, ()) = granted.into_parts();
        let account = iam.view().account(call.account()).cloned();
        let alias = account.and_then(|account| account.alias.clone());
        let aliases = alias.into_iter().map(|alias| (alias.clone(), alias));
        let page = page(aliases, input.marker.as_deref(), input.max_items)?;
        Ok(ListAccountAliasesOutput {
            is_truncated: page.is_truncated(),
            account_aliases: page.items,
            marker: page.marker,
        })
    }
}
