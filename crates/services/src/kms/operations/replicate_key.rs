//! `ReplicateKey`: a key of the same id and material in another region.
//!
//! The permission to create a key is asked for in the region of the replica: what keeps an account out of a region keeps it
//! from replicating there.

use super::create_key::check_quota;
use crate::kms::access::{Sought, check_not_locked_out, with_key_kind, with_request_tags};
use crate::kms::erasure::Wrapping;
use crate::kms::errors::KmsError;
use crate::kms::external::External;
use crate::kms::key::{Key, KeyState};
use crate::kms::multi_region::{self, RegionRole};
use crate::kms::reference::key_arn;
use crate::kms::shapes::{KeyMetadata, Tag};
use crate::kms::{Kms, current, policy, validate};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::Region;
use bulla_wire::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct ReplicateKey;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ReplicateKeyRequest")]
pub(crate) struct ReplicateKeyInput {
    /// Key id or key ARN of a primary key.
    pub(crate) key_id: String,
    /// A region that has no key of that id.
    pub(crate) replica_region: String,
    /// The default key policy if absent.
    pub(crate) policy: Option<String>,
    /// Whether the author may lock himself out.
    #[member(default)]
    pub(crate) bypass_policy_lockout_safety_check: bool,
    /// At most 8,192 characters.
    pub(crate) description: Option<String>,
    #[member(default)]
    pub(crate) tags: Vec<Tag>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ReplicateKeyResponse")]
#[expect(clippy::struct_field_names, reason = "AWS's names")]
pub(crate) struct ReplicateKeyOutput {
    /// In the state `Creating`, as AWS says; the key can be used at once.
    pub(crate) replica_key_metadata: KeyMetadata,
    pub(crate) replica_policy: String,
    pub(crate) replica_tags: Vec<Tag>,
}

/// What is replicated, and what is the replica's own.
#[derive(Debug)]
pub(crate) struct Replication {
    primary: Sought,
    region: Region,
    tags: BTreeMap<String, String>,
}

impl Operation for ReplicateKey {
    const NAME: &'static str = "ReplicateKey";
    type Service = Kms;
    type Input = ReplicateKeyInput;
    type Output = ReplicateKeyOutput;
    type Error = KmsError;
    type Target = Replication;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: ReplicateKeyInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let region = multi_region::region(&input.replica_region, "replicaRegion")?;
        validate::description(input.description.as_deref().unwrap_or_default())?;
        let tags = validate::tags(&input.tags)?;
        let primary = kms.seek_key(call, &input.key_id, "keyId")?;
        let replicate = primary
            .request(kms, "kms:ReplicateKey")
            .with_key("kms:ReplicaRegion", region.as_str());
        let mut needs = vec![replicate];
        if let Some(key) = &primary.key {
            let create = AccessRequest::new("kms:CreateKey", "*", call.account())
                .in_region(region)
                .with_key(
                    "kms:BypassPolicyLockoutSafetyCheck",
                    input.bypass_policy_lockout_safety_check.to_string(),
                );
            let create = with_key_kind(create, key.kind, key.origin(), Some(RegionRole::Replica));
            needs.push(with_request_tags(create, tags.keys(), &tags));
            if !tags.is_empty() {
                let arn = key_arn(region, key.owner, key.id);
                let tag = AccessRequest::new("kms:TagResource", arn, call.account()).in_region(region);
                needs.push(with_request_tags(tag, tags.keys(), &tags));
            }
        }
        Ok(Resolved {
            input,
            target: Replication {
                primary,
                region,
                tags,
            },
            access: Access::Needs(needs),
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ReplicateKeyOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let Replication {
            primary,
            region,
            tags,
        } = target;
        let (primary, now) = (primary.into_key()?, call.time());
        let text = input.policy.clone();
        let text = text.unwrap_or_else(|| policy::default_for(primary.owner));
        let arn = key_arn(region, primary.owner, primary.id);
        let own = Own {
            policy: policy::parse(&text, &arn)?,
            arn,
            region,
            description: input.description.unwrap_or_default(),
            tags,
        };
        let checked = input.policy.is_some() && !input.bypass_policy_lockout_safety_check;
        let replica = kms
            .write(call, |view| {
                let primary = current(view, &primary, now)?;
                primary.check_primary()?;
                primary.check_usable()?;
                if view.has(region, primary.id) {
                    return Err(KmsError::ReplicaExists { key: own.arn });
                }
                view.check_replicable(&primary, now)?;
                check_quota(view, primary.owner, region)?;
                let replica = own.replica_of(&primary, now);
                if checked {
                    check_not_locked_out(call, &replica)?;
                }
                Ok((vec![replica.clone()], replica))
            })
            .await?;
        Ok(answer(kms, call, &replica))
    }
}

fn answer(kms: &Kms, call: &Call<'_>, replica: &Key) -> ReplicateKeyOutput {
    let mut metadata = kms.view().metadata(replica, call.time());
    metadata.enabled = false;
    "Creating".clone_into(&mut metadata.key_state);
    let tag = |(key, value): (&String, &String)| Tag {
        tag_key: key.clone(),
        tag_value: value.clone(),
    };
    ReplicateKeyOutput {
        replica_key_metadata: metadata,
        replica_policy: replica.policy.text().to_owned(),
        replica_tags: replica.tags.iter().map(tag).collect(),
    }
}

/// What a replica does not share.
struct Own {
    arn: Arc<str>,
    region: Region,
    policy: Arc<bulla_policy::Policy>,
    description: String,
    tags: BTreeMap<String, String>,
}

impl Own {
    /// A replica that can be used at once, or whose material is to be imported: the primary's, no other.
    fn replica_of(self, primary: &Key, now: bulla_types::Timestamp) -> Key {
        let replica = Key {
            id: primary.id,
            region: self.region,
            owner: primary.owner,
            arn: self.arn,
            kind: primary.kind,
            created: now,
            description: self.description,
            state: KeyState::Enabled,
            policy: self.policy,
            tags: self.tags,
            aliases: Vec::new(),
            material: Arc::clone(&primary.material),
            former: primary.former.clone(),
            schedule: primary.schedule,
            external: primary.external.as_ref().map(|_| External::default()),
            primary: primary.primary,
            wrapping: Wrapping::NotYet,
            scheduled: None,
        };
        match replica.external {
            None => replica,
            Some(_) => replica.without_material(),
        }
    }
}
