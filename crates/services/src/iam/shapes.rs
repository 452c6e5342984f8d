//! Structures that several operations share, as the API has them.

use super::attachments::Usage;
use super::documents::percent_encode;
use super::entity::{AccessKey, Group, Profile, Role, User};
use super::managed::{ManagedPolicy, version_id};
use super::secret_text::SecretText;
use bulla_types::Timestamp;
use bulla_wire::Shape;

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Shape)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A permissions boundary.
#[derive(Clone, Debug, Shape)]
pub(crate) struct AttachedPermissionsBoundary {
    pub(crate) permissions_boundary_type: Option<String>,
    pub(crate) permissions_boundary_arn: Option<String>,
}

/// A managed policy.
#[derive(Clone, Debug, Shape)]
#[shape(name = "Policy")]
pub(crate) struct PolicyShape {
    pub(crate) policy_name: Option<String>,
    pub(crate) policy_id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) default_version_id: Option<String>,
    pub(crate) attachment_count: Option<i32>,
    pub(crate) permissions_boundary_usage_count: Option<i32>,
    pub(crate) is_attachable: Option<bool>,
    pub(crate) description: Option<String>,
    pub(crate) create_date: Option<Timestamp>,
    pub(crate) update_date: Option<Timestamp>,
    pub(crate) tags: Option<Vec<Tag>>,
}

/// A version of a managed policy.
#[derive(Clone, Debug, Shape)]
#[shape(name = "PolicyVersion")]
pub(crate) struct PolicyVersionShape {
    /// Percent-encoded.
    pub(crate) document: Option<String>,
    pub(crate) version_id: Option<String>,
    pub(crate) is_default_version: Option<bool>,
    pub(crate) create_date: Option<Timestamp>,
}

/// A managed policy at somebody.
#[derive(Clone, Debug, Shape)]
pub(crate) struct AttachedPolicy {
    pub(crate) policy_name: Option<String>,
    pub(crate) policy_arn: Option<String>,
}

/// A group that has a policy.
#[derive(Clone, Debug, Shape)]
pub(crate) struct PolicyGroup {
    pub(crate) group_name: Option<String>,
    pub(crate) group_id: Option<String>,
}

/// A role that has a policy.
#[derive(Clone, Debug, Shape)]
pub(crate) struct PolicyRole {
    pub(crate) role_name: Option<String>,
    pub(crate) role_id: Option<String>,
}

/// A user who has a policy.
#[derive(Clone, Debug, Shape)]
pub(crate) struct PolicyUser {
    pub(crate) user_name: Option<String>,
    pub(crate) user_id: Option<String>,
}

/// A group.
#[derive(Clone, Debug, Shape)]
#[shape(name = "Group")]
pub(crate) struct GroupShape {
    pub(crate) path: String,
    pub(crate) group_name: String,
    pub(crate) group_id: String,
    pub(crate) arn: String,
    pub(crate) create_date: Timestamp,
}

/// A user. The root user has neither path nor name.
#[derive(Clone, Debug, Shape)]
#[shape(name = "User")]
pub(crate) struct UserShape {
    pub(crate) path: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) user_id: String,
    pub(crate) arn: String,
    pub(crate) create_date: Timestamp,
    pub(crate) password_last_used: Option<Timestamp>,
    pub(crate) permissions_boundary: Option<AttachedPermissionsBoundary>,
    pub(crate) tags: Option<Vec<Tag>>,
}

/// A role.
#[derive(Clone, Debug, Shape)]
#[shape(name = "Role")]
pub(crate) struct RoleShape {
    pub(crate) path: String,
    pub(crate) role_name: String,
    pub(crate) role_id: String,
    pub(crate) arn: String,
    pub(crate) create_date: Timestamp,
    /// Percent-encoded.
    pub(crate) assume_role_policy_document: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) max_session_duration: Option<i32>,
    pub(crate) permissions_boundary: Option<AttachedPermissionsBoundary>,
    pub(crate) tags: Option<Vec<Tag>>,
    pub(crate) role_last_used: Option<RoleLastUsed>,
    pub(crate) source_role_template: Option<SourceRoleTemplate>,
}

/// When a role was last used; never written, because it is not recorded.
#[derive(Clone, Debug, Shape)]
pub(crate) struct RoleLastUsed {
    pub(crate) last_used_date: Option<Timestamp>,
    pub(crate) region: Option<String>,
}

/// What a role was made from; never written.
#[derive(Clone, Debug, Shape)]
pub(crate) struct SourceRoleTemplate {
    pub(crate) template_arn: String,
    pub(crate) template_minor_version: i32,
}

/// An instance profile; there are none.
#[derive(Clone, Debug, Shape)]
#[shape(name = "InstanceProfile")]
pub(crate) struct InstanceProfileShape {
    pub(crate) path: String,
    pub(crate) instance_profile_name: String,
    pub(crate) instance_profile_id: String,
    pub(crate) arn: String,
    pub(crate) create_date: Timestamp,
    pub(crate) roles: Vec<RoleShape>,
    pub(crate) tags: Option<Vec<Tag>>,
}

/// An access key with its secret: the answer of the one operation that makes it.
#[derive(Clone, Debug, Shape)]
#[shape(name = "AccessKey")]
pub(crate) struct AccessKeyShape {
    pub(crate) user_name: Option<String>,
    pub(crate) access_key_id: String,
    pub(crate) status: String,
    pub(crate) secret_access_key: SecretText,
    pub(crate) create_date: Option<Timestamp>,
}

/// An access key without its secret.
#[derive(Clone, Debug, Shape)]
pub(crate) struct AccessKeyMetadata {
    pub(crate) user_name: Option<String>,
    pub(crate) access_key_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) create_date: Option<Timestamp>,
}

impl Profile {
    /// The tags in order of their keys; `None` when there are none.
    pub(super) fn tag_list(&self) -> Option<Vec<Tag>> {
        (!self.tags.is_empty()).then(|| self.tags.values().cloned().collect())
    }
}

impl Profile {
    /// The permissions boundary, if there is one.
    pub(super) fn boundary_shape(&self) -> Option<AttachedPermissionsBoundary> {
        let arn = self.boundary.as_deref()?;
        Some(AttachedPermissionsBoundary {
            permissions_boundary_type: Some("Policy".to_owned()),
            permissions_boundary_arn: Some(arn.to_owned()),
        })
    }
}

impl ManagedPolicy {
    /// As lists show it: without description and tags.
    pub(super) fn listed(&self, usage: Usage) -> PolicyShape {
        PolicyShape {
            policy_name: Some(self.name.clone()),
            policy_id: Some(self.id.to_string()),
            arn: Some(self.arn.to_string()),
            path: Some(self.path.clone()),
            default_version_id: Some(version_id(self.default)),
            attachment_count: Some(usage.attached),
            permissions_boundary_usage_count: Some(usage.boundaries),
            is_attachable: Some(true),
            description: None,
            create_date: Some(self.created),
            update_date: Some(self.updated),
            tags: None,
        }
    }

    /// With everything that is known.
    pub(super) fn described(&self, usage: Usage) -> PolicyShape {
        PolicyShape {
            description: self.description.clone(),
            tags: (!self.tags.is_empty()).then(|| self.tags.values().cloned().collect()),
            ..self.listed(usage)
        }
    }

    /// A version as lists show it: without its document.
    pub(super) fn listed_version(&self, number: u32) -> Option<PolicyVersionShape> {
        let version = self.versions.get(&number)?;
        Some(PolicyVersionShape {
            document: None,
            version_id: Some(version_id(number)),
            is_default_version: Some(number == self.default),
            create_date: Some(version.created),
        })
    }

    /// A version with its document.
    pub(super) fn described_version(&self, number: u32) -> Option<PolicyVersionShape> {
        let version = self.versions.get(&number)?;
        Some(PolicyVersionShape {
            document: Some(percent_encode(version.policy.text())),
            ..self.listed_version(number)?
        })
    }
}

impl Group {
    /// With everything that is known.
    pub(super) fn described(&self) -> GroupShape {
        let profile = &self.profile;
        GroupShape {
            path: profile.path.clone(),
            group_name: profile.name.clone(),
            group_id: profile.id.to_string(),
            arn: profile.arn.to_string(),
            create_date: profile.created,
        }
    }
}

impl User {
    /// As lists show it: without tags.
    pub(super) fn listed(&self) -> UserShape {
        let profile = &self.profile;
        UserShape {
            path: Some(profile.path.clone()),
            user_name: Some(profile.name.clone()),
            user_id: profile.id.to_string(),
            arn: profile.arn.to_string(),
            create_date: profile.created,
            password_last_used: None,
            permissions_boundary: None,
            tags: None,
        }
    }

    /// With everything that is known.
    pub(super) fn described(&self) -> UserShape {
        UserShape {
            permissions_boundary: self.profile.boundary_shape(),
            tags: self.profile.tag_list(),
            ..self.listed()
        }
    }
}

impl Role {
    /// As lists show it: without tags.
    pub(super) fn listed(&self) -> RoleShape {
        let profile = &self.profile;
        RoleShape {
            path: profile.path.clone(),
            role_name: profile.name.clone(),
            role_id: profile.id.to_string(),
            arn: profile.arn.to_string(),
            create_date: profile.created,
            assume_role_policy_document: Some(percent_encode(self.trust.shown())),
            description: self.description.clone(),
            max_session_duration: Some(self.max_session_seconds),
            permissions_boundary: None,
            tags: None,
            role_last_used: None,
            source_role_template: None,
        }
    }

    /// With everything that is known.
    pub(super) fn described(&self) -> RoleShape {
        RoleShape {
            permissions_boundary: self.profile.boundary_shape(),
            tags: self.profile.tag_list(),
            ..self.listed()
        }
    }
}

impl AccessKey {
    /// `Active` or `Inactive`.
    pub(super) fn status(&self) -> String {
        if self.active { "Active" } else { "Inactive" }.to_owned()
    }

    /// Without the secret.
    pub(super) fn listed(&self, user_name: Option<String>) -> AccessKeyMetadata {
        AccessKeyMetadata {
            user_name,
            access_key_id: Some(self.id.to_string()),
            status: Some(self.status()),
            create_date: Some(self.created),
        }
    }
}
