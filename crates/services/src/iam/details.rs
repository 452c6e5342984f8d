//! Everything about users, groups, roles and managed policies, as `GetAccountAuthorizationDetails` tells it.

use super::attachments::Usage;
use super::documents::percent_encode;
use super::entity::{Group, Profile, Role, User};
use super::managed::{ManagedPolicy, version_id};
use super::shapes::{
    AttachedPermissionsBoundary, AttachedPolicy, InstanceProfileShape, PolicyVersionShape, RoleLastUsed, Tag,
};
use bulla_types::Timestamp;
use bulla_wire::Shape;
use std::sync::Arc;

/// An inline policy.
#[derive(Debug, Shape)]
pub(crate) struct PolicyDetail {
    pub(crate) policy_name: Option<String>,
    /// Percent-encoded.
    pub(crate) policy_document: Option<String>,
}

/// A user.
#[derive(Debug, Shape)]
pub(crate) struct UserDetail {
    pub(crate) path: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) create_date: Option<Timestamp>,
    pub(crate) user_policy_list: Option<Vec<PolicyDetail>>,
    pub(crate) group_list: Option<Vec<String>>,
    pub(crate) attached_managed_policies: Option<Vec<AttachedPolicy>>,
    pub(crate) permissions_boundary: Option<AttachedPermissionsBoundary>,
    pub(crate) tags: Option<Vec<Tag>>,
}

/// A group.
#[derive(Debug, Shape)]
pub(crate) struct GroupDetail {
    pub(crate) path: Option<String>,
    pub(crate) group_name: Option<String>,
    pub(crate) group_id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) create_date: Option<Timestamp>,
    pub(crate) group_policy_list: Option<Vec<PolicyDetail>>,
    pub(crate) attached_managed_policies: Option<Vec<AttachedPolicy>>,
}

/// A role.
#[derive(Debug, Shape)]
pub(crate) struct RoleDetail {
    pub(crate) path: Option<String>,
    pub(crate) role_name: Option<String>,
    pub(crate) role_id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) create_date: Option<Timestamp>,
    /// Percent-encoded.
    pub(crate) assume_role_policy_document: Option<String>,
    pub(crate) instance_profile_list: Option<Vec<InstanceProfileShape>>,
    pub(crate) role_policy_list: Option<Vec<PolicyDetail>>,
    pub(crate) attached_managed_policies: Option<Vec<AttachedPolicy>>,
    pub(crate) permissions_boundary: Option<AttachedPermissionsBoundary>,
    pub(crate) tags: Option<Vec<Tag>>,
    pub(crate) role_last_used: Option<RoleLastUsed>,
}

/// A managed policy with all its versions.
#[derive(Debug, Shape)]
pub(crate) struct ManagedPolicyDetail {
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
    pub(crate) policy_version_list: Option<Vec<PolicyVersionShape>>,
}

impl Profile {
    fn inline(&self) -> Vec<PolicyDetail> {
        let policies = self.policies.iter();
        policies
            .map(|(name, policy)| PolicyDetail {
                policy_name: Some(name.clone()),
                policy_document: Some(percent_encode(policy.text())),
            })
            .collect()
    }

    /// Bytes of the inline policies.
    fn document_bytes(&self) -> usize {
        self.policies.values().map(|policy| policy.text().len()).sum()
    }
}

fn attached_shapes(attached: &[Arc<ManagedPolicy>]) -> Vec<AttachedPolicy> {
    let policies = attached.iter();
    policies
        .map(|policy| AttachedPolicy {
            policy_name: Some(policy.name.clone()),
            policy_arn: Some(policy.arn.to_string()),
        })
        .collect()
}

impl User {
    /// Bytes of the documents that are told.
    pub(super) fn document_bytes(&self) -> usize {
        self.profile.document_bytes()
    }

    pub(super) fn detail(&self, groups: &[Arc<Group>], attached: &[Arc<ManagedPolicy>]) -> UserDetail {
        let profile = &self.profile;
        let mut names: Vec<_> = groups.iter().map(|group| group.profile.name.clone()).collect();
        names.sort_unstable();
        UserDetail {
            path: Some(profile.path.clone()),
            user_name: Some(profile.name.clone()),
            user_id: Some(profile.id.to_string()),
            arn: Some(profile.arn.to_string()),
            create_date: Some(profile.created),
            user_policy_list: Some(profile.inline()),
            group_list: Some(names),
            attached_managed_policies: Some(attached_shapes(attached)),
            permissions_boundary: profile.boundary_shape(),
            tags: profile.tag_list(),
        }
    }
}

impl Group {
    /// Bytes of the documents that are told.
    pub(super) fn document_bytes(&self) -> usize {
        self.profile.document_bytes()
    }

    pub(super) fn detail(&self, attached: &[Arc<ManagedPolicy>]) -> GroupDetail {
        let profile = &self.profile;
        GroupDetail {
            path: Some(profile.path.clone()),
            group_name: Some(profile.name.clone()),
            group_id: Some(profile.id.to_string()),
            arn: Some(profile.arn.to_string()),
            create_date: Some(profile.created),
            group_policy_list: Some(profile.inline()),
            attached_managed_policies: Some(attached_shapes(attached)),
        }
    }
}

impl Role {
    /// Bytes of the documents that are told.
    pub(super) fn document_bytes(&self) -> usize {
        self.profile
            .document_bytes()
            .saturating_add(self.trust.shown().len())
    }

    pub(super) fn detail(&self, attached: &[Arc<ManagedPolicy>]) -> RoleDetail {
        let profile = &self.profile;
        RoleDetail {
            path: Some(profile.path.clone()),
            role_name: Some(profile.name.clone()),
            role_id: Some(profile.id.to_string()),
            arn: Some(profile.arn.to_string()),
            create_date: Some(profile.created),
            assume_role_policy_document: Some(percent_encode(self.trust.shown())),
            instance_profile_list: Some(Vec::new()),
            role_policy_list: Some(profile.inline()),
            attached_managed_policies: Some(attached_shapes(attached)),
            permissions_boundary: profile.boundary_shape(),
            tags: profile.tag_list(),
            role_last_used: None,
        }
    }
}

impl ManagedPolicy {
    /// Bytes of the documents that are told.
    pub(super) fn document_bytes(&self) -> usize {
        let versions = self.versions.values();
        versions.map(|version| version.policy.text().len()).sum()
    }

    pub(super) fn detail(&self, usage: Usage) -> ManagedPolicyDetail {
        // The newest first.
        let versions = self.versions.keys().rev();
        ManagedPolicyDetail {
            policy_name: Some(self.name.clone()),
            policy_id: Some(self.id.to_string()),
            arn: Some(self.arn.to_string()),
            path: Some(self.path.clone()),
            default_version_id: Some(version_id(self.default)),
            attachment_count: Some(usage.attached),
            permissions_boundary_usage_count: Some(usage.boundaries),
            is_attachable: Some(true),
            description: self.description.clone(),
            create_date: Some(self.created),
            update_date: Some(self.updated),
            policy_version_list: Some(
                versions
                    .filter_map(|number| self.described_version(*number))
                    .collect(),
            ),
        }
    }
}
