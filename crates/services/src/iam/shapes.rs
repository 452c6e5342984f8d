//! Structures that several operations share, as the API has them.

use super::entity::{AccessKey, Profile, Role, User};
use super::secret_text::SecretText;
use bulla_types::Timestamp;
use bulla_wire::Shape;

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Shape)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A permissions boundary; never written, because managed policies are not built.
#[derive(Clone, Debug, Shape)]
pub(crate) struct AttachedPermissionsBoundary {
    pub(crate) permissions_boundary_type: Option<String>,
    pub(crate) permissions_boundary_arn: Option<String>,
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
    fn tag_list(&self) -> Option<Vec<Tag>> {
        (!self.tags.is_empty()).then(|| self.tags.values().cloned().collect())
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
            assume_role_policy_document: Some(super::documents::percent_encode(self.trust.shown())),
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
