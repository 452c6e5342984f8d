//! `CreateRole`: a role with its trust policy, without permissions.

use crate::iam::Iam;
use crate::iam::entity::{Entity, Naming, Profile, Role, Stored};
use crate::iam::errors::IamError;
use crate::iam::ids::{IdKind, unique_id};
use crate::iam::limits::{NAME_CHARS_MAX, ROLES_PER_ACCOUNT_MAX, SESSION_SECONDS_DEFAULT};
use crate::iam::managed::SoughtPolicy;
use crate::iam::shapes::{RoleShape, Tag};
use crate::iam::sought::request_for_new;
use crate::iam::trust::Trust;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateRole;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateRoleRequest")]
pub(crate) struct CreateRoleInput {
    /// `/` if absent.
    pub(crate) path: Option<String>,
    pub(crate) role_name: String,
    /// The trust policy.
    pub(crate) assume_role_policy_document: String,
    pub(crate) description: Option<String>,
    /// Seconds, 3,600 if absent.
    pub(crate) max_session_duration: Option<i32>,
    /// ARN of a managed policy.
    pub(crate) permissions_boundary: Option<String>,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateRoleResponse")]
pub(crate) struct CreateRoleOutput {
    pub(crate) role: RoleShape,
}

impl Operation for CreateRole {
    const NAME: &'static str = "CreateRole";
    type Service = Iam;
    type Input = CreateRoleInput;
    type Output = CreateRoleOutput;
    type Error = IamError;
    type Target = (Profile, Option<SoughtPolicy>);

    async fn resolve(iam: &Iam, call: &Call<'_>, input: CreateRoleInput) -> Result<Resolved<Self>, IamError> {
        let path = input.path.clone().unwrap_or_else(|| "/".to_owned());
        validate::name(&input.role_name, "roleName", NAME_CHARS_MAX)?;
        validate::path(&path)?;
        validate::description(input.description.as_deref().unwrap_or_default())?;
        let tags = validate::tags(&input.tags)?;
        let account = call.account();
        let naming = Naming {
            account,
            id: unique_id(IdKind::Role, &*iam.runtime.entropy).into(),
            path,
            name: input.role_name.clone(),
        };
        let mut profile = Profile::new::<Role>(naming, call.time(), tags);
        let mut request = request_for_new("iam:CreateRole", &profile.arn, account, &profile.tags);
        let boundary = iam.seek_boundary(call, input.permissions_boundary.as_deref())?;
        if let Some(boundary) = &boundary {
            request = request.with_key("iam:PermissionsBoundary", &*boundary.arn);
            profile.boundary = Some(Arc::clone(&boundary.arn));
        }
        let mut needs = vec![request];
        if !profile.tags.is_empty() {
            needs.push(request_for_new(
                "iam:TagRole",
                &profile.arn,
                account,
                &profile.tags,
            ));
        }
        Ok(Resolved {
            input,
            target: (profile, boundary),
            access: Access::Needs(needs),
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateRoleOutput, IamError> {
        let (input, (profile, boundary)) = granted.into_parts();
        let seconds = validate::max_session(input.max_session_duration.unwrap_or(SESSION_SECONDS_DEFAULT))?;
        let role = iam
            .change(call, |view| {
                if view.role_name_taken(profile.account, &profile.name) {
                    return Err(IamError::EntityAlreadyExists {
                        noun: Role::TITLE,
                        name: profile.name,
                    });
                }
                if view.roles_of(profile.account).count() >= ROLES_PER_ACCOUNT_MAX {
                    let reason = format!("Cannot exceed quota for RolesPerAccount: {ROLES_PER_ACCOUNT_MAX}");
                    return Err(IamError::LimitExceeded { reason });
                }
                view.check_boundary(profile.account, boundary.as_ref())?;
                let role = Role {
                    trust: Trust::new(&input.assume_role_policy_document, view)?,
                    profile,
                    description: input.description,
                    max_session_seconds: seconds,
                };
                let shape = role.described();
                Ok((vec![Stored::Role(role)], shape))
            })
            .await?;
        Ok(CreateRoleOutput { role })
    }
}
