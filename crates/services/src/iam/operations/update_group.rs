//! `UpdateGroup`: another name or path for a group; what it has and who is in it stays.

use crate::iam::Iam;
use crate::iam::current;
use crate::iam::documents::labelled;
use crate::iam::entity::{Entity, Group, Stored, entity_arn};
use crate::iam::errors::IamError;
use crate::iam::limits::GROUP_NAME_CHARS_MAX;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_policy::Policy;
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdateGroup;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdateGroupRequest")]
pub(crate) struct UpdateGroupInput {
    pub(crate) group_name: String,
    pub(crate) new_path: Option<String>,
    pub(crate) new_group_name: Option<String>,
}

impl Operation for UpdateGroup {
    const NAME: &'static str = "UpdateGroup";
    type Service = Iam;
    type Input = UpdateGroupInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (Sought<Group>, Option<Arc<str>>);

    async fn resolve(
        iam: &Iam,
        call: &Call<'_>,
        input: UpdateGroupInput,
    ) -> Result<Resolved<Self>, IamError> {
        if let Some(name) = &input.new_group_name {
            validate::name(name, "newGroupName", GROUP_NAME_CHARS_MAX)?;
        }
        if let Some(path) = &input.new_path {
            validate::path(path)?;
        }
        let group = iam.seek::<Group>(call, &input.group_name)?;
        // Both the present and the new ARN must be allowed (IAM User Guide, "Renaming an IAM user group").
        let mut requests = vec![group.request("iam:UpdateGroup")];
        let new_arn = group.found().ok().map(|found| {
            let (path, name) = renamed(found, &input);
            entity_arn(call.account(), Group::KIND, path, name)
        });
        if let Some(arn) = &new_arn {
            requests.push(AccessRequest::new(
                "iam:UpdateGroup",
                Arc::clone(arn),
                call.account(),
            ));
        }
        Ok(Resolved {
            input,
            target: (group, new_arn),
            access: Access::Needs(requests),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, (target, allowed_arn)) = granted.into_parts();
        let id = Arc::clone(&target.found()?.profile.id);
        iam.change(call, |view| {
            let mut group = Group::clone(&*current::<Group>(view, &target, &id)?);
            let (path, name) = renamed(&group, &input);
            let (path, name) = (path.to_owned(), name.to_owned());
            if view.group_name_taken(group.profile.account, &name, &id) {
                return Err(IamError::EntityAlreadyExists {
                    noun: Group::TITLE,
                    name,
                });
            }
            let words = format!("{} {name}", Group::KIND);
            for (policy_name, policy) in &mut group.profile.policies {
                *policy = labelled(Policy::clone(policy), policy_name, &words);
            }
            let arn = entity_arn(group.profile.account, Group::KIND, &path, &name);
            if allowed_arn.as_ref() != Some(&arn) {
                // Another call renamed the group meanwhile: this ARN is not the one that was asked about.
                return Err(IamError::ConcurrentModification);
            }
            group.profile.arn = arn;
            group.profile.path = path;
            group.profile.name = name;
            Ok((vec![Stored::Group(group)], ()))
        })
        .await?;
        Ok(Empty)
    }
}

/// Path and name as they will be.
fn renamed<'a>(group: &'a Group, input: &'a UpdateGroupInput) -> (&'a str, &'a str) {
    (
        input.new_path.as_deref().unwrap_or(&group.profile.path),
        input.new_group_name.as_deref().unwrap_or(&group.profile.name),
    )
}
