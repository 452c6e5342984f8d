//! `UpdateUser`: gives a user another name or path. Its unique id stays, and so does who trusts it.

use crate::iam::Iam;
use crate::iam::current;
use crate::iam::documents::labelled;
use crate::iam::entity::{Entity, Stored, User, entity_arn};
use crate::iam::errors::IamError;
use crate::iam::limits::NAME_CHARS_MAX;
use crate::iam::sought::Sought;
use crate::iam::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_policy::Policy;
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdateUser;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdateUserRequest")]
pub(crate) struct UpdateUserInput {
    pub(crate) user_name: String,
    pub(crate) new_path: Option<String>,
    pub(crate) new_user_name: Option<String>,
}

impl Operation for UpdateUser {
    const NAME: &'static str = "UpdateUser";
    type Service = Iam;
    type Input = UpdateUserInput;
    type Output = Empty;
    type Error = IamError;
    type Target = (Sought<User>, Option<Arc<str>>);

    async fn resolve(iam: &Iam, call: &Call<'_>, input: UpdateUserInput) -> Result<Resolved<Self>, IamError> {
        if let Some(name) = &input.new_user_name {
            validate::name(name, "newUserName", NAME_CHARS_MAX)?;
        }
        if let Some(path) = &input.new_path {
            validate::path(path)?;
        }
        let user = iam.seek::<User>(call, &input.user_name)?;
        // Both the present and the new ARN must be allowed (IAM User Guide, "Renaming an IAM user").
        let mut requests = vec![user.request("iam:UpdateUser")];
        let new_arn = user.found().ok().map(|found| {
            let (path, name) = renamed(found, &input);
            entity_arn(call.account(), User::KIND, path, name)
        });
        if let Some(arn) = &new_arn {
            requests.push(AccessRequest::new(
                "iam:UpdateUser",
                Arc::clone(arn),
                call.account(),
            ));
        }
        Ok(Resolved {
            input,
            target: (user, new_arn),
            access: Access::Needs(requests),
        })
    }

    async fn execute(iam: &Iam, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, IamError> {
        let (input, (target, allowed_arn)) = granted.into_parts();
        let id = Arc::clone(&target.found()?.profile.id);
        iam.change(call, |view| {
            let mut user = User::clone(&*current::<User>(view, &target, &id)?);
            let (path, name) = renamed(&user, &input);
            let (path, name) = (path.to_owned(), name.to_owned());
            if view.user_name_taken(user.profile.account, &name, &id) {
                return Err(IamError::EntityAlreadyExists {
                    noun: User::TITLE,
                    name,
                });
            }
            let words = format!("{} {name}", User::KIND);
            for (policy_name, policy) in &mut user.profile.policies {
                *policy = labelled(Policy::clone(policy), policy_name, &words);
            }
            let arn = entity_arn(user.profile.account, User::KIND, &path, &name);
            if allowed_arn.as_ref() != Some(&arn) {
                // Another call renamed the user meanwhile: this ARN is not the one that was asked about.
                return Err(IamError::ConcurrentModification);
            }
            user.profile.arn = arn;
            user.profile.path = path;
            user.profile.name = name;
            Ok((vec![Stored::User(user)], ()))
        })
        .await?;
        Ok(Empty)
    }
}

/// Path and name as they will be.
fn renamed<'a>(user: &'a User, input: &'a UpdateUserInput) -> (&'a str, &'a str) {
    (
        input.new_path.as_deref().unwrap_or(&user.profile.path),
        input.new_user_name.as_deref().unwrap_or(&user.profile.name),
    )
}
