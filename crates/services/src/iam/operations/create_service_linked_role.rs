//! `CreateServiceLinkedRole`: the role of a service that needs one.

use crate::iam::Iam;
use crate::iam::entity::{Entity, Naming, Profile, Role};
use crate::iam::errors::IamError;
use crate::iam::ids::{IdKind, unique_id};
use crate::iam::limits::SESSION_SECONDS_DEFAULT;
use crate::iam::service_linked::LinkedService;
use crate::iam::shapes::RoleShape;
use crate::iam::trust::Trust;
use crate::iam::validate::{self, Tags};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateServiceLinkedRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateServiceLinkedRoleRequest")]
pub(crate) struct CreateServiceLinkedRoleInput {
    /// `organizations.amazonaws.com`
    #[member(name = "AWSServiceName")]
    pub(crate) aws_service_name: String,
    pub(crate) description: Option<String>,
    /// No service here takes one.
    pub(crate) custom_suffix: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateServiceLinkedRoleResponse")]
pub(crate) struct CreateServiceLinkedRoleOutput {
    pub(crate) role: Option<RoleShape>,
}

impl Operation for CreateServiceLinkedRole {
    const NAME: &'static str = "CreateServiceLinkedRole";
    type Service = Iam;
    type Input = CreateServiceLinkedRoleInput;
    type Output = CreateServiceLinkedRoleOutput;
    type Error = IamError;
    type Target = (&'static LinkedService, Profile);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: CreateServiceLinkedRoleInput,
    ) -> Result<Resolved<Self>, IamError> {
        validate::description(input.description.as_deref().unwrap_or_default())?;
        let service = &input.aws_service_name;
        let linked = LinkedService::find(service).ok_or_else(|| IamError::InvalidInput {
            reason: format!("{service} is not a service with a service-linked role here."),
        })?;
        if input.custom_suffix.is_some() {
            let reason = format!("Custom suffix is not allowed for {service}");
            return Err(IamError::InvalidInput { reason });
        }
        let naming = Naming {
            account: call.account(),
            id: unique_id(IdKind::Role, &*iam.runtime.entropy).into(),
            path: linked.path(),
            name: linked.role_name.to_owned(),
        };
        let mut profile = Profile::new::<Role>(naming, call.time(), Tags::new());
        profile.attached.insert(linked.policy_arn.into());
        let request = AccessRequest::new(
            "iam:CreateServiceLinkedRole",
            Arc::clone(&profile.arn),
            call.account(),
        );
        Ok(Resolved {
            access: Access::one(request.with_key("iam:AWSServiceName", linked.service)),
            input,
            target: (linked, profile),
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateServiceLinkedRoleOutput, IamError> {
        let (input, (linked, profile)) = granted.into_parts();
        let role = iam
            .change(call, |view| {
                if view.role_name_taken(profile.account, &profile.name) {
                    let reason = format!(
                        "Service role name {} has been taken in this account, please try a different suffix.",
                        profile.name
                    );
                    return Err(IamError::InvalidInput { reason });
                }
                let role = Role {
                    trust: Trust::new(&linked.trust(), view)?,
                    profile,
                    description: input.description,
                    max_session_seconds: SESSION_SECONDS_DEFAULT,
                };
                let shape = role.described();
                Ok((vec![role.put()], shape))
            })
            .await?;
        Ok(CreateServiceLinkedRoleOutput { role: Some(role) })
    }
}
