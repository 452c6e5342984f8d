//! `CreateGroup`: a group without users and permissions.

use crate::iam::Iam;
use crate::iam::entity::{Entity, Group, Naming, Profile, Stored};
use crate::iam::errors::IamError;
use crate::iam::ids::{IdKind, unique_id};
use crate::iam::limits::{GROUP_NAME_CHARS_MAX, GROUPS_PER_ACCOUNT_MAX};
use crate::iam::shapes::GroupShape;
use crate::iam::validate::{self, Tags};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateGroup;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateGroupRequest")]
pub(crate) struct CreateGroupInput {
    /// `/` if absent.
    pub(crate) path: Option<String>,
    pub(crate) group_name: String,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateGroupResponse")]
pub(crate) struct CreateGroupOutput {
    pub(crate) group: GroupShape,
}

impl Operation for CreateGroup {
    const NAME: &'static str = "CreateGroup";
    type Service = Iam;
    type Input = CreateGroupInput;
    type Output = CreateGroupOutput;
    type Error = IamError;
    type Target = Group;

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: CreateGroupInput,
    ) -> Result<Resolved<Self>, IamError> {
        let path = input.path.clone().unwrap_or_else(|| "/".to_owned());
        validate::name(&input.group_name, "groupName", GROUP_NAME_CHARS_MAX)?;
        validate::path(&path)?;
        let naming = Naming {
            account: call.account(),
            id: unique_id(IdKind::Group, &*iam.runtime.entropy).into(),
            path,
            name: input.group_name.clone(),
        };
        let profile = Profile::new::<Group>(naming, call.time(), Tags::new());
        let access = Access::one(AccessRequest::new(
            "iam:CreateGroup",
            Arc::clone(&profile.arn),
            call.account(),
        ));
        Ok(Resolved {
            input,
            target: Group { profile },
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateGroupOutput, IamError> {
        let (_, group) = granted.into_parts();
        let shape = group.described();
        iam.change(call, |view| {
            let profile = &group.profile;
            if view.group_name_taken(profile.account, &profile.name, "") {
                return Err(IamError::EntityAlreadyExists {
                    noun: Group::TITLE,
                    name: profile.name.clone(),
                });
            }
            if view.groups_of(profile.account).count() >= GROUPS_PER_ACCOUNT_MAX {
                let reason = format!("Cannot exceed quota for GroupsPerAccount: {GROUPS_PER_ACCOUNT_MAX}");
                return Err(IamError::LimitExceeded { reason });
            }
            Ok((vec![Stored::Group(group)], ()))
        })
        .await?;
        Ok(CreateGroupOutput { group: shape })
    }
}
