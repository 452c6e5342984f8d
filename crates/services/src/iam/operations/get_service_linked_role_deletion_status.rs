//! `GetServiceLinkedRoleDeletionStatus`: every deletion that has an id is done.

use crate::iam::Iam;
use crate::iam::errors::IamError;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct GetServiceLinkedRoleDeletionStatus;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "GetServiceLinkedRoleDeletionStatusRequest")]
pub(crate) struct GetServiceLinkedRoleDeletionStatusInput {
    /// Known until the server ends, and as long as no thousand others follow.
    pub(crate) deletion_task_id: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "GetServiceLinkedRoleDeletionStatusResponse")]
pub(crate) struct GetServiceLinkedRoleDeletionStatusOutput {
    pub(crate) status: String,
    /// Of deletions that failed; there are none.
    pub(crate) reason: Option<DeletionTaskFailureReasonType>,
}

/// Why a deletion failed.
#[derive(Debug, Shape)]
pub(crate) struct DeletionTaskFailureReasonType {
    pub(crate) reason: Option<String>,
    pub(crate) role_usage_list: Option<Vec<RoleUsageType>>,
}

/// What uses a role.
#[derive(Debug, Shape)]
pub(crate) struct RoleUsageType {
    pub(crate) region: Option<String>,
    pub(crate) resources: Option<Vec<String>>,
}

impl Operation for GetServiceLinkedRoleDeletionStatus {
    const NAME: &'static str = "GetServiceLinkedRoleDeletionStatus";
    type Service = Iam;
    type Input = GetServiceLinkedRoleDeletionStatusInput;
    type Output = GetServiceLinkedRoleDeletionStatusOutput;
    type Error = IamError;
    type Target = ();

    async fn resolve(
        _: &Iam,
        call: &Call<'_>,
        input: GetServiceLinkedRoleDeletionStatusInput,
    ) -> Result<Resolved<Self>, IamError> {
        // `task/aws-service-role/SERVICE/ROLE/ID`
        let mut parts = input.deletion_task_id.split('/').skip(1);
        let role = match (parts.next(), parts.next(), parts.next()) {
            (Some("aws-service-role"), Some(service), Some(name)) => {
                format!(
                    "arn:aws:iam::{}:role/aws-service-role/{service}/{name}",
                    call.account()
                )
            }
            _ => {
                return Err(IamError::InvalidInput {
                    reason: "The deletion task id is invalid.".to_owned(),
                });
            }
        };
        let request = AccessRequest::new("iam:GetServiceLinkedRoleDeletionStatus", role, call.account());
        Ok(Resolved {
            input,
            target: (),
            access: Access::one(request),
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<GetServiceLinkedRoleDeletionStatusOutput, IamError> {
        let (input, ()) = granted.into_parts();
        let id = input.deletion_task_id;
        if !iam.deletions.knows(call.account(), &id) {
            let reason = format!("The deletion task {id} cannot be found.");
            return Err(IamError::NotFound { reason });
        }
        Ok(GetServiceLinkedRoleDeletionStatusOutput {
            status: "SUCCEEDED".to_owned(),
            reason: None,
        })
    }
}
