//! Structures that several operations share, as the API has them.

use super::control::Found;
use super::organization::{Creation, CreationState, Member, Unit};
use super::view::Tree;
use bulla_types::{AccountId, ParentId, Timestamp};
use bulla_wire::Shape;

/// A tag; Organizations' tags are not built, so that a request with one is refused.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A kind of policy and whether it is in use.
#[derive(Clone, Debug, Shape)]
pub(crate) struct PolicyTypeSummary {
    #[member(name = "Type")]
    pub(crate) kind: Option<String>,
    pub(crate) status: Option<String>,
}

/// An organization.
#[derive(Clone, Debug, Shape)]
#[shape(name = "Organization")]
pub(crate) struct OrganizationShape {
    pub(crate) id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) feature_set: Option<String>,
    pub(crate) master_account_arn: Option<String>,
    pub(crate) master_account_id: Option<String>,
    pub(crate) master_account_email: Option<String>,
    pub(crate) available_policy_types: Option<Vec<PolicyTypeSummary>>,
}

/// A root.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Root {
    pub(crate) id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) policy_types: Option<Vec<PolicyTypeSummary>>,
}

/// An organizational unit.
#[derive(Clone, Debug, Shape)]
pub(crate) struct OrganizationalUnit {
    pub(crate) id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) path: Option<String>,
}

/// An account.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Account {
    pub(crate) id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) paths: Option<Vec<String>>,
    pub(crate) joined_method: Option<String>,
    pub(crate) joined_timestamp: Option<Timestamp>,
}

/// A control policy without its document.
#[derive(Clone, Debug, Shape)]
pub(crate) struct PolicySummary {
    pub(crate) id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    #[member(name = "Type")]
    pub(crate) kind: Option<String>,
    pub(crate) aws_managed: Option<bool>,
}

/// A control policy.
#[derive(Clone, Debug, Shape)]
#[shape(name = "Policy")]
pub(crate) struct PolicyShape {
    pub(crate) policy_summary: Option<PolicySummary>,
    pub(crate) content: Option<String>,
}

/// What a control policy is attached to.
#[derive(Clone, Debug, Shape)]
pub(crate) struct PolicyTargetSummary {
    pub(crate) target_id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) name: Option<String>,
    #[member(name = "Type")]
    pub(crate) kind: Option<String>,
}

/// What policies of a type come to at an account; never written, because the types that have it are not built.
#[derive(Clone, Debug, Shape)]
pub(crate) struct EffectivePolicy {
    pub(crate) policy_content: Option<String>,
    pub(crate) last_updated_timestamp: Option<Timestamp>,
    pub(crate) target_id: Option<String>,
    pub(crate) policy_type: Option<String>,
}

/// How far a request for an account is.
#[derive(Clone, Debug, Shape)]
pub(crate) struct CreateAccountStatus {
    pub(crate) id: Option<String>,
    pub(crate) account_name: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) requested_timestamp: Option<Timestamp>,
    pub(crate) completed_timestamp: Option<Timestamp>,
    pub(crate) account_id: Option<String>,
    pub(crate) gov_cloud_account_id: Option<String>,
    pub(crate) failure_reason: Option<String>,
}

impl Tree {
    /// The organization.
    pub(super) fn described(&self) -> OrganizationShape {
        let organization = &self.organization;
        let manager = organization.management_account;
        let enabled = PolicyTypeSummary {
            kind: Some("SERVICE_CONTROL_POLICY".to_owned()),
            status: Some("ENABLED".to_owned()),
        };
        OrganizationShape {
            id: Some(organization.id.to_string()),
            arn: Some(organization.arn()),
            feature_set: Some("ALL".to_owned()),
            master_account_arn: Some(organization.account_arn(manager)),
            master_account_id: Some(manager.to_string()),
            master_account_email: self.members.get(&manager).map(|member| member.email.clone()),
            // What can be enabled on the root, not what is (API Reference, `Organization`).
            available_policy_types: Some(vec![enabled]),
        }
    }

    /// The root.
    pub(super) fn root(&self) -> Root {
        let organization = &self.organization;
        let enabled = self.controls.enabled.iter().map(|kind| PolicyTypeSummary {
            kind: Some(kind.name().to_owned()),
            status: Some("ENABLED".to_owned()),
        });
        Root {
            id: Some(organization.root.to_string()),
            arn: Some(organization.parent_arn(ParentId::Root(organization.root))),
            name: Some("Root".to_owned()),
            policy_types: Some(enabled.collect()),
        }
    }

    /// A control policy with its document.
    pub(super) fn policy(&self, found: Found<'_>) -> PolicyShape {
        PolicyShape {
            policy_summary: Some(found.summary(&self.organization)),
            content: Some(found.content().to_owned()),
        }
    }

    /// A unit of it.
    pub(super) fn unit(&self, unit: &Unit) -> OrganizationalUnit {
        OrganizationalUnit {
            id: Some(unit.id.to_string()),
            arn: Some(self.organization.unit_arn(unit.id)),
            name: Some(unit.name.clone()),
            path: Some(self.path(ParentId::Unit(unit.id))),
        }
    }

    /// An account of it.
    pub(super) fn account(&self, member: &Member) -> Account {
        Account {
            id: Some(member.account.to_string()),
            arn: Some(self.organization.account_arn(member.account)),
            email: Some(member.email.clone()),
            name: Some(member.name.clone()),
            status: Some("ACTIVE".to_owned()),
            state: Some("ACTIVE".to_owned()),
            paths: Some(vec![format!("{}{}/", self.path(member.parent), member.account)]),
            joined_method: Some(if member.created { "CREATED" } else { "INVITED" }.to_owned()),
            joined_timestamp: Some(member.joined),
        }
    }
}

impl Creation {
    /// As the API tells it.
    pub(super) fn status(&self) -> CreateAccountStatus {
        let (state, account, completed, failure): (_, Option<AccountId>, _, Option<&str>) = match self.state {
            CreationState::InProgress { .. } => ("IN_PROGRESS", None, None, None),
            CreationState::Succeeded { account, completed } => {
                ("SUCCEEDED", Some(account), Some(completed), None)
            }
            CreationState::EmailExists { completed } => {
                ("FAILED", None, Some(completed), Some("EMAIL_ALREADY_EXISTS"))
            }
        };
        CreateAccountStatus {
            id: Some(self.id.clone()),
            account_name: Some(self.name.clone()),
            state: Some(state.to_owned()),
            requested_timestamp: Some(self.requested),
            completed_timestamp: completed,
            account_id: account.map(|account| account.to_string()),
            gov_cloud_account_id: None,
            failure_reason: failure.map(str::to_owned),
        }
    }
}
