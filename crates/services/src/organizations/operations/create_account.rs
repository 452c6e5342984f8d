//! `CreateAccount`: a new account with a role by which the management account enters it.

use crate::iam::Accounts;
use crate::organizations::access;
use crate::organizations::limits::{ACCOUNTS_MAX, CREATIONS_MAX};
use crate::organizations::organization::{Creation, CreationState};
use crate::organizations::shapes::{CreateAccountStatus, Tag};
use crate::organizations::validate;
use crate::organizations::view::Stored;
use crate::organizations::{Organizations, OrganizationsError};
use bulla_gate::{Authorized, Call, Operation, Resolved};
use bulla_types::AccountId;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateAccount;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateAccountRequest")]
pub(crate) struct CreateAccountInput {
    /// No other account may have it.
    pub(crate) email: String,
    pub(crate) account_name: String,
    /// `OrganizationAccountAccessRole` if absent.
    pub(crate) role_name: Option<String>,
    /// `ALLOW` or `DENY`. There is no billing that it could open or close.
    pub(crate) iam_user_access_to_billing: Option<String>,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateAccountResponse")]
pub(crate) struct CreateAccountOutput {
    pub(crate) create_account_status: Option<CreateAccountStatus>,
}

impl Operation for CreateAccount {
    const NAME: &'static str = "CreateAccount";
    type Service = Organizations;
    type Input = CreateAccountInput;
    type Output = CreateAccountOutput;
    type Error = OrganizationsError;
    type Target = String;

    async fn resolve(
        organizations: &Organizations,
        call: &Call<'_>,
        input: CreateAccountInput,
    ) -> Result<Resolved<Self>, OrganizationsError> {
        validate::email(&input.email)?;
        validate::account_name(&input.account_name)?;
        validate::no_tags(&input.tags)?;
        let role = input
            .role_name
            .clone()
            .unwrap_or_else(|| "OrganizationAccountAccessRole".to_owned());
        if !Accounts::is_role_name(&role) || role.starts_with("AWSServiceRoleFor") {
            let reason = "You provided a role name that isn't valid.".to_owned();
            return Err(OrganizationsError::InvalidInput { reason });
        }
        match input.iam_user_access_to_billing.as_deref() {
            None | Some("ALLOW" | "DENY") => {}
            Some(other) => {
                let reason =
                    format!("You provided {other} for IamUserAccessToBilling, which takes ALLOW or DENY.");
                return Err(OrganizationsError::InvalidInput { reason });
            }
        }
        organizations.managed(call)?;
        Ok(Resolved {
            input,
            target: role,
            access: access("organizations:CreateAccount", "*", call),
        })
    }

    async fn execute(
        organizations: &Organizations,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateAccountOutput, OrganizationsError> {
        let (input, role_name) = granted.into_parts();
        let account = organizations.unused_account();
        let mut creation = Creation {
            id: organizations.request_id(),
            name: input.account_name,
            email: input.email,
            role_name,
            requested: call.time(),
            state: CreationState::InProgress { account },
        };
        let owner = call.account();
        let (organization, creation) = organizations
            .write(owner, |view| {
                let tree = view.managed_by(owner)?;
                if tree.members.len() >= ACCOUNTS_MAX {
                    let reason = format!("An organization has at most {ACCOUNTS_MAX} accounts.");
                    return Err(OrganizationsError::ConstraintViolation { reason });
                }
                if view.email_taken(&creation.email) {
                    creation.state = CreationState::EmailExists {
                        completed: call.time(),
                    };
                }
                let id = tree.organization.id;
                let oldest = tree
                    .oldest_finished_creation()
                    .map(|oldest| Stored::NoCreation(id, oldest.to_owned()));
                let room = oldest.filter(|_| tree.creations.len() >= CREATIONS_MAX);
                let stored = room
                    .into_iter()
                    .chain([Stored::Creation(id, creation.clone())])
                    .collect();
                Ok((stored, (id, creation)))
            })
            .await?;
        let creation = organizations.finish(organization, creation, call.time()).await?;
        call.authorization_changed();
        Ok(CreateAccountOutput {
            create_account_status: Some(creation.status()),
        })
    }
}

impl Organizations {
    /// An account id that no account has.
    fn unused_account(&self) -> AccountId {
        let drawn = || AccountId::from_entropy(self.runtime.entropy.number());
        let mut account = drawn();
        while self.accounts.exists(account) {
            account = drawn();
        }
        account
    }

    /// `car-` and 32 hexadecimal digits.
    fn request_id(&self) -> String {
        format!(
            "car-{:032x}",
            u128::from_be_bytes(self.runtime.entropy.id_bytes())
        )
    }
}
