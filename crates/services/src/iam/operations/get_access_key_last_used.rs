//! `GetAccessKeyLastUsed`: when, for which service and in which region; to a quarter of an hour.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use crate::iam::sought::with_resource_tags;
use crate::iam::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Identity, Operation, Resolved};
use bulla_types::Timestamp;
use bulla_wire::Shape;
use std::sync::Arc;

/// What stands for a service or region where there is none.
const NONE: &str = "N/A";

/// The operation.
#[derive(Debug)]
pub(crate) struct GetAccessKeyLastUsed;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetAccessKeyLastUsedRequest")]
pub(crate) struct GetAccessKeyLastUsedInput {
    pub(crate) access_key_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetAccessKeyLastUsedResponse")]
pub(crate) struct GetAccessKeyLastUsedOutput {
    /// Absent for the root user's.
    pub(crate) user_name: Option<String>,
    pub(crate) access_key_last_used: Option<AccessKeyLastUsed>,
}

/// The last use that was noted.
#[derive(Debug, Shape)]
pub(crate) struct AccessKeyLastUsed {
    /// Absent when the key was never used.
    pub(crate) last_used_date: Option<Timestamp>,
    pub(crate) service_name: String,
    pub(crate) region: String,
}

impl Operation for GetAccessKeyLastUsed {
    const NAME: &'static str = "GetAccessKeyLastUsed";
    type Service = Iam;
    type Input = GetAccessKeyLastUsedInput;
    type Output = GetAccessKeyLastUsedOutput;
    type Error = IamError;
    /// Whose key it is; `None` when the account has no such key.
    type Target = Option<Arc<Identity>>;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: GetAccessKeyLastUsedInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::access_key_id(&input.access_key_id)?;
        // A key of another account is answered like one that there is none of.
        let account = call.account();
        let view = iam.view();
        let owner = view
            .key(&input.access_key_id)
            .map(|key| Arc::clone(&key.identity))
            .filter(|owner| owner.account == account);
        let resource = owner
            .as_ref()
            .map_or_else(|| "*".into(), |owner| Arc::clone(&owner.arn));
        let request = AccessRequest::new("iam:GetAccessKeyLastUsed", resource, account);
        let user = owner.as_ref().and_then(|owner| view.user_by_id(&owner.user_id));
        let request = match user {
            Some(user) => with_resource_tags(request, &user.profile.tags),
            None => request,
        };
        Ok(Resolved {
            input,
            target: owner,
            access: Access::one(request),
        })
    }

    async fn execute(
        iam: &Iam,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetAccessKeyLastUsedOutput, IamError> {
        let (input, owner) = granted.into_parts();
        let id = input.access_key_id;
        let used = iam.last_used.of(&id);
        let owner = owner.ok_or(IamError::AccessKeyNotFound { id })?;
        let shown = match used {
            Some(used) => AccessKeyLastUsed {
                last_used_date: Some(used.at),
                service_name: used.service,
                region: used.region,
            },
            None => AccessKeyLastUsed {
                last_used_date: None,
                service_name: NONE.to_owned(),
                region: NONE.to_owned(),
            },
        };
        Ok(GetAccessKeyLastUsedOutput {
            user_name: owner.user_name.as_deref().map(str::to_owned),
            access_key_last_used: Some(shown),
        })
    }
}
