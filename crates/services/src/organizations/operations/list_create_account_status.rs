//! `ListCreateAccountStatus`: the requests for accounts, in order of their ids.

use crate::organizations::access;
use crate::organizations::page::page;
use crate::organizations::shapes::CreateAccountStatus;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListCreateAccountStatus;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListCreateAccountStatusRequest")]
pub(crate) struct ListCreateAccountStatusInput {
    /// Only those in one of these states; all if absent.
    #[member(default)]
    pub(crate) states: Vec<String>,
    pub(crate) next_token: Option<String>,
    /// 1 to 20.
    pub(crate) max_results: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListCreateAccountStatusResponse")]
pub(crate) struct ListCreateAccountStatusOutput {
    pub(crate) create_account_statuses: Vec<CreateAccountStatus>,
    pub(crate) next_token: Option<String>,
}

impl Operation for ListCreateAccountStatus {
    const NAME: &'static str = "ListCreateAccountStatus";
    type Service = Organizations;
    type Input = ListCreateAccountStatusInput;
    type Output = ListCreateAccountStatusOutput;
    type Error = OrganizationsError;
    type Target = ();

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: ListCreateAccountStatusInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        let known = |state: &String| matches!(state.as_str(), "IN_PROGRESS" | "SUCCEEDED" | "FAILED");
        if !input.states.iter().all(known) {
            let reason = "You specified an invalid value for States.".to_owned();
            return Err(OrganizationsError::InvalidInput { reason });
        }
        organizations.managed(call)?;
        Ok(Resolved {
            input,
            target: (),
            access: access("organizations:ListCreateAccountStatus", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListCreateAccountStatusOutput, OrganizationsError> {
        let (input, ()) = granted.into_parts();
        let view = organizations.view();
        let tree = view.managed_by(call.account())?;
        let all = tree
            .creations
            .iter()
            .map(|(id, creation)| (id.clone(), creation.status()));
        let wanted = all.filter(|(_, status)| {
            input.states.is_empty()
                || status
                    .state
                    .as_ref()
                    .is_some_and(|state| input.states.contains(state))
        });
        let (create_account_statuses, next_token) =
            page(wanted, input.next_token.as_deref(), input.max_results)?;
        Ok(ListCreateAccountStatusOutput {
            create_account_statuses,
            next_token,
        })
    }
}
