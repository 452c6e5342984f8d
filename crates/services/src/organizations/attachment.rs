//! Attaching control policies and taking them away.

use super::Organizations;
use super::control::{ControlKind, ControlPolicy, Found, TargetId, policy_arn};
use super::errors::OrganizationsError;
use super::view::{Stored, Tree};
use bulla_gate::{Access, AccessRequest, Call};

/// Policies that are changed at once: less than a commit can hold.
const PART_MAX: usize = 100;

impl Tree {
    /// What is stored when a policy is attached.
    pub(super) fn attach(&self, id: &str, target: TargetId) -> Result<Stored, OrganizationsError> {
        let found = self.found(id)?;
        self.check_change(found, target)?;
        if self.is_attached(found, target) {
            return Err(OrganizationsError::DuplicatePolicyAttachment);
        }
        self.check_room(found.kind(), target)?;
        Ok(match found {
            Found::FullAccess(_) => {
                let mut controls = self.controls.clone();
                controls.without_full_access.remove(&target);
                Stored::Controls(self.organization.id, controls)
            }
            Found::Own(policy) => {
                let mut policy = policy.clone();
                policy.targets.insert(target);
                Stored::Policy(self.organization.id, policy)
            }
        })
    }

    /// What is stored when a policy is detached.
    pub(super) fn detach(&self, id: &str, target: TargetId) -> Result<Stored, OrganizationsError> {
        let found = self.found(id)?;
        self.check_change(found, target)?;
        if !self.is_attached(found, target) {
            return Err(OrganizationsError::PolicyNotAttached);
        }
        let kind = found.kind();
        let attached = self
            .policies_of(kind)
            .filter(|found| self.is_attached(*found, target));
        if kind == ControlKind::Service && attached.count() == 1 {
            let reason =
                "You can't detach the last policy of this type: every root, OU and account needs one.";
            return Err(OrganizationsError::ConstraintViolation {
                reason: reason.to_owned(),
            });
        }
        match found {
            Found::FullAccess(ControlKind::Resource) => Err(OrganizationsError::ConstraintViolation {
                reason: "You can't detach the RCPFullAWSAccess policy.".to_owned(),
            }),
            Found::FullAccess(ControlKind::Service) => {
                let mut controls = self.controls.clone();
                controls.without_full_access.insert(target);
                Ok(Stored::Controls(self.organization.id, controls))
            }
            Found::Own(policy) => {
                let mut policy = policy.clone();
                policy.targets.remove(&target);
                Ok(Stored::Policy(self.organization.id, policy))
            }
        }
    }

    fn check_change(&self, found: Found<'_>, target: TargetId) -> Result<(), OrganizationsError> {
        if !self.has_target(target) {
            return Err(OrganizationsError::TargetNotFound);
        }
        if !self.controls.enabled.contains(&found.kind()) {
            return Err(OrganizationsError::PolicyTypeNotEnabled);
        }
        Ok(())
    }
}

impl Organizations {
    /// Whether a type of control policy is in use.
    pub(super) fn is_enabled(&self, call: &Call<'_>, kind: ControlKind) -> Result<bool, OrganizationsError> {
        let view = self.view();
        Ok(view.managed_by(call.account())?.controls.enabled.contains(&kind))
    }

    /// Detaches all policies of a type, which is not in use, in parts that a commit can hold; an interruption is made
    /// good before the type is in use again.
    pub(super) async fn detach_all(
        &self,
        call: &Call<'_>,
        kind: ControlKind,
    ) -> Result<(), OrganizationsError> {
        loop {
            let more = self
                .change(call, |tree| {
                    // Somebody else has put the type to use meanwhile: what is attached now was attached since.
                    if tree.controls.enabled.contains(&kind) {
                        return Ok((Vec::new(), false));
                    }
                    let attached =
                        |policy: &&ControlPolicy| policy.kind == kind && !policy.targets.is_empty();
                    let part = tree.policies.values().filter(attached).take(PART_MAX);
                    let part = part.map(|policy| {
                        let mut policy = policy.clone();
                        policy.targets.clear();
                        Stored::Policy(tree.organization.id, policy)
                    });
                    let part: Vec<_> = part.collect();
                    let more = part.len() == PART_MAX;
                    Ok((part, more))
                })
                .await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// The question whether `action` is allowed on a control policy.
    pub(super) fn policy_access(
        &self,
        call: &Call<'_>,
        action: &'static str,
        id: &str,
    ) -> Result<Access, OrganizationsError> {
        self.policy_request(call, action, id).map(Access::one)
    }

    /// The questions whether `action` is allowed on a control policy and on what it is attached to.
    pub(super) fn attachment_access(
        &self,
        call: &Call<'_>,
        action: &'static str,
        id: &str,
        target: TargetId,
    ) -> Result<Access, OrganizationsError> {
        let policy = self.policy_request(call, action, id)?;
        let arn = target.arn(&self.managed(call)?);
        let target = AccessRequest::new(action, arn, call.account());
        let kind = policy
            .keys
            .values("organizations:PolicyType")
            .map(<[String]>::to_vec);
        let target = match kind {
            Some(kind) => target.with_keys("organizations:PolicyType", kind),
            None => target,
        };
        Ok(Access::Needs(vec![policy, target]))
    }

    fn policy_request(
        &self,
        call: &Call<'_>,
        action: &'static str,
        id: &str,
    ) -> Result<AccessRequest, OrganizationsError> {
        let view = self.view();
        let tree = view.managed_by(call.account())?;
        // Of one that is not there the type is not known either; the ARN is that of an SCP.
        let found = tree.found(id).ok();
        let kind = found.map_or(ControlKind::Service, |found| found.kind());
        let request = AccessRequest::new(action, policy_arn(&tree.organization, kind, id), call.account());
        Ok(match found {
            Some(_) => request.with_key("organizations:PolicyType", kind.name()),
            None => request,
        })
    }

    /// `p-` and 8 lower-case letters and digits.
    pub(super) fn policy_id(&self) -> String {
        const CHARACTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
        let mut random = [0; 8];
        self.runtime.entropy.fill(&mut random);
        let character = |byte: &u8| CHARACTERS.get(usize::from(*byte) % CHARACTERS.len()).copied();
        let tail = random.iter().filter_map(character).map(char::from);
        "p-".chars().chain(tail).collect()
    }
}
