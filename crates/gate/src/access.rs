//! What an operation asks of the policies.

use crate::tag_key::is_same_tag_key;
use bulla_policy::{Grant, Policy};
use bulla_types::{AccountId, Region};
use std::sync::Arc;

/// The permissions an operation needs.
#[derive(Debug)]
pub enum Access {
    /// All of these must be allowed. An empty list is a defect and is refused.
    Needs(Vec<AccessRequest>),
    /// AWS asks no permission for this operation, and no policy of the caller's or of its organization can forbid it. That of
    /// a VPC endpoint by which the call comes can. The text says where that is written.
    NeedsNone {
        /// The action, as a VPC endpoint's policy may name it.
        action: &'static str,
        /// The AWS document that says so.
        source: &'static str,
    },
}

impl Access {
    /// The usual case: one question.
    #[must_use]
    pub fn one(request: AccessRequest) -> Self {
        Self::Needs(vec![request])
    }
}

/// One question for the policy engine.
#[derive(Debug)]
pub struct AccessRequest {
    /// IAM action; not always the operation's name: `SendMessageBatch` asks `sqs:SendMessage`.
    pub action: &'static str,
    /// ARN of the resource, or `*` where the operation has none.
    pub resource: Arc<str>,
    /// The account that owns the resource.
    pub owner: AccountId,
    /// The policy attached to the resource.
    pub policy: ResourcePolicy,
    /// Grants beside that policy; only KMS keys have them.
    pub grants: Arc<[Grant]>,
    /// Whether principals of other accounts may use the operation at all.
    pub reach: Reach,
    /// Whether resource control policies limit who may be allowed; they do not limit keys that AWS manages.
    pub resource_control: bool,
    /// The region that the question is about, when it is another than the call's: what `aws:RequestedRegion` shows.
    pub region: Option<Region>,
    /// Condition keys that only the service knows.
    pub keys: ConditionKeys,
}

impl AccessRequest {
    /// A question about a resource without a policy, for principals of its own account.
    #[must_use]
    pub fn new(action: &'static str, resource: impl Into<Arc<str>>, owner: AccountId) -> Self {
        Self {
            action,
            resource: resource.into(),
            owner,
            policy: ResourcePolicy::None,
            grants: Arc::default(),
            reach: Reach::OwnAccount,
            resource_control: true,
            region: None,
            keys: ConditionKeys::default(),
        }
    }

    /// With the resource's policy.
    #[must_use]
    pub fn with_policy(mut self, policy: ResourcePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// With grants beside the policy; those to others than the caller do no harm.
    #[must_use]
    pub fn with_grants(mut self, grants: Arc<[Grant]>) -> Self {
        self.grants = grants;
        self
    }

    /// Principals of other accounts may be allowed.
    #[must_use]
    pub fn across_accounts(mut self) -> Self {
        self.reach = Reach::AnyAccount;
        self
    }

    /// Resource control policies have no say.
    ///
    /// Source: Organizations User Guide, "Resource control policies (RCPs)": they do not apply to AWS managed KMS keys
    /// (read 2026-11-21).
    #[must_use]
    pub fn beyond_resource_control(mut self) -> Self {
        self.resource_control = false;
        self
    }

    /// About another region than the call's: an operation that makes something there.
    #[must_use]
    pub fn in_region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// With one more condition key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.keys.add(key, vec![value.into()]);
        self
    }

    /// With one more condition key of many values.
    #[must_use]
    pub fn with_keys(mut self, key: impl Into<String>, values: Vec<String>) -> Self {
        self.keys.add(key, values);
        self
    }
}

/// The policy attached to a resource, and what it means there.
#[derive(Clone, Debug)]
pub enum ResourcePolicy {
    /// The kind of resource has no policy: identity policies of the owner's account decide.
    None,
    /// One more source of permission beside identity policies, if there is one (queues, topics, buckets).
    Attached(Option<Arc<Policy>>),
    /// The root of trust: nothing is allowed unless this policy allows it or hands it to its account
    /// (KMS key policies, role trust policies).
    Mandatory(Arc<Policy>),
}

/// Who may be allowed to use an operation, whatever policies say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Principals of the account that owns the resource.
    OwnAccount,
    /// Principals of any account.
    AnyAccount,
}

/// Condition keys that a service adds, in order; few, so a list.
#[derive(Clone, Debug, Default)]
pub struct ConditionKeys(Vec<(String, Vec<String>)>);

impl ConditionKeys {
    /// Adds a key with its values.
    pub fn add(&mut self, key: impl Into<String>, values: Vec<String>) {
        self.0.push((key.into(), values));
    }

    /// The values of a key, compared without regard to case: names end in keys of tags.
    #[must_use]
    pub fn values(&self, key: &str) -> Option<&[String]> {
        self.0
            .iter()
            .find(|(name, _)| is_same_tag_key(name, key))
            .map(|(_, values)| values.as_slice())
    }
}
