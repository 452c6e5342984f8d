//! `ListUserPolicies`: the names of a user's inline policies.

use crate::iam::Iam;
use crate::iam::entity::User;
use crate::iam::errors::IamError;
use crate::iam::page::page;
use crate::iam::sought::Sought;
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListUserPolicies;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListUserPoliciesRequest")]
pub(crate) struct ListUserPoliciesInput {
    pub(crate) user_name: String,
    pub(crate) marker: Option<String>,
    pub(crate) max_items: Option<i32>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListUserPoliciesResponse")]
pub(crate) struct ListUserPoliciesOutput {
    pub(crate) policy_names: Vec<String>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl Operation for ListUserPolicies {
    const NAME: &'static str = "ListUserPolicies";
    type Service = Iam;
    type Input = ListUserPoliciesInput;
    type Output = ListUserPoliciesOutput;
    type Error = IamError;
    type Target = Sought<User>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: ListUserPoliciesInput,
    ) -> Result<Resolved<Self>, IamError> {
        let target = iam.seek::<User>(call, &input.user_name)?;
        let access = target.access("iam:ListUserPolicies");
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        _: &Iam,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListUserPoliciesOutput, IamError> {
        let (input, target) = granted.into_parts();
        let names = target
            .found()?
            .profile
            .policies
            .keys()
            .map(|name| (name, name.clone()));
        let page = page(names, input.marker.as_deref(), input.max_items)?;
        Ok(ListUserPoliciesOutput {
            is_truncated: page.is_truncated(),
            policy_names: page.items,
            marker: page.marker,
        })
    }
}
