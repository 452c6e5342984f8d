//! `CreateUser`: a user without access keys and permissions.

use crate::iam::Iam;
use crate::iam::entity::{Entity, Naming, Profile, Stored, User};
use crate::iam::errors::IamError;
use crate::iam::ids::{IdKind, unique_id};
use crate::iam::limits::{NAME_CHARS_MAX, USERS_PER_ACCOUNT_MAX};
use crate::iam::managed::SoughtPolicy;
use crate::iam::shapes::{Tag, UserShape};
use crate::iam::sought::request_for_new;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateUser;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateUserRequest")]
pub(crate) struct CreateUserInput {
    /// `/` if absent.
    pub(crate) path: Option<String>,
    pub(crate) user_name: String,
    /// ARN of a managed policy.
    pub(crate) permissions_boundary: Option<String>,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateUserResponse")]
pub(crate) struct CreateUserOutput {
    pub(crate) user: Option<UserShape>,
}

impl Operation for CreateUser {
    const NAME: &'static str = "CreateUser";
    type Service = Iam;
    type Input = CreateUserInput;
    type Output = CreateUserOutput;
    type Error = IamError;
    type Target = (User, Option<SoughtPolicy>);

    async fn resolve(iam: &Iam, call: &Call<'_>, input: CreateUserInput) -> Result<Resolved<Self>, IamError> {
        let path = input.path.clone().unwrap_or_else(|| "/".to_owned());
        validate::name(&input.user_name, "userName", NAME_CHARS_MAX)?;
        validate::path(&path)?;
        let tags = validate::tags(&input.tags)?;
        let account = call.account();
        let naming = Naming {
            account,
            id: unique_id(IdKind::User, &*iam.runtime.entropy).into(),
            path,
            name: input.user_name.clone(),
        };
        let mut profile = Profile::new::<User>(naming, call.time(), tags);
        let mut request = request_for_new("iam:CreateUser", &profile.arn, account, &profile.tags);
        let boundary = iam.seek_boundary(call, input.permissions_boundary.as_deref())?;
        if let Some(boundary) = &boundary {
            request = request.with_key("iam:PermissionsBoundary", &*boundary.arn);
            profile.boundary = Some(Arc::clone(&boundary.arn));
        }
        let mut needs = vec![request];
        if !profile.tags.is_empty() {
            needs.push(request_for_new(
                "iam:TagUser",
                &profile.arn,
                account,
                &profile.tags,
            ));
        }
        let user = User {
            profile,
            keys: Vec::new(),
            groups: BTreeSet::new(),
        };
        Ok(Resolved {
            input,
            target: (user, boundary),
            access: Access::Needs(needs),
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateUserOutput, IamError> {
        let (_, (user, boundary)) = granted.into_parts();
        let shape = user.described();
        iam.change(call, |view| {
            let profile = &user.profile;
            if view.user_name_taken(profile.account, &profile.name, "") {
                return Err(IamError::EntityAlreadyExists {
                    noun: User::TITLE,
                    name: profile.name.clone(),
                });
            }
            if view.users_of(profile.account).count() >= USERS_PER_ACCOUNT_MAX {
                let reason = format!("Cannot exceed quota for UsersPerAccount: {USERS_PER_ACCOUNT_MAX}");
                return Err(IamError::LimitExceeded { reason });
            }
            view.check_boundary(profile.account, boundary.as_ref())?;
            Ok((vec![Stored::User(user)], ()))
        })
        .await?;
        Ok(CreateUserOutput { user: Some(shape) })
    }
}
