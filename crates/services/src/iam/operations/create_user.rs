//! `CreateUser`: a user without access keys and permissions.

use crate::iam::Iam;
use crate::iam::entity::{Entity, Profile, Stored, User, entity_arn};
use crate::iam::errors::IamError;
use crate::iam::ids::{IdKind, unique_id};
use crate::iam::limits::{NAME_CHARS_MAX, USERS_PER_ACCOUNT_MAX};
use crate::iam::shapes::{Tag, UserShape};
use crate::iam::sought::request_for_new;
use crate::iam::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;
use std::collections::BTreeMap;

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
    type Target = User;

    async fn resolve(iam: &Iam, call: &Call<'_>, input: CreateUserInput) -> Result<Resolved<Self>, IamError> {
        let path = input.path.clone().unwrap_or_else(|| "/".to_owned());
        validate::name(&input.user_name, "userName", NAME_CHARS_MAX)?;
        validate::path(&path)?;
        let tags = validate::tags(&input.tags)?;
        let account = call.account();
        let profile = Profile {
            account,
            id: unique_id(IdKind::User, &*iam.runtime.entropy).into(),
            arn: entity_arn(account, User::KIND, &path, &input.user_name),
            name: input.user_name.clone(),
            path,
            created: call.time(),
            tags,
            policies: BTreeMap::new(),
        };
        let access = Access::one(request_for_new(
            "iam:CreateUser",
            &profile.arn,
            account,
            &profile.tags,
        ));
        Ok(Resolved {
            input,
            target: User {
                profile,
                keys: Vec::new(),
            },
            access,
        })
    }

    async fn execute(
        iam: &Iam,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateUserOutput, IamError> {
        let (input, user) = granted.into_parts();
        if let Some(arn) = input.permissions_boundary {
            return Err(IamError::BoundaryNotFound { arn });
        }
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
            Ok((vec![Stored::User(user)], ()))
        })
        .await?;
        Ok(CreateUserOutput { user: Some(shape) })
    }
}
