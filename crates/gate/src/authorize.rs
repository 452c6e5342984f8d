//! One question to the policies, and what becomes of a no.
//!
//! Deciding is cheap and explains nothing; the tree of reasons is computed only when the answer is no, and goes to
//! the log and the audit trail. The client learns what AWS would tell it.

use crate::access::{AccessRequest, Reach, ResourcePolicy};
use crate::caller::{Caller, OrganizationPlace};
use crate::context::CallContext;
use crate::gate::Gate;
use crate::operation::Family;
use crate::verdicts::VerdictKey;
use bulla_policy::{Decision, Explanation, Layers, Request, Watched, decide, explain};
use bulla_types::AccountId;
use std::sync::Arc;

/// A no, with its reasons.
#[derive(Clone, Debug)]
pub struct Denial {
    message: String,
    action: &'static str,
    resource: Arc<str>,
    owner: AccountId,
    decision: Decision,
    policy: Option<String>,
    statement: Option<String>,
    explanation: Explanation,
}

impl Denial {
    /// What the client is told, in AWS's words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The action that was asked.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// The resource it was asked for.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The account that owns the resource.
    #[must_use]
    pub fn owner(&self) -> AccountId {
        self.owner
    }

    pub(crate) fn add_to_message(&mut self, text: &str) {
        self.message.push_str(text);
    }

    /// What was decided, and by which kind of policy.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The policy that denied explicitly.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// The statement that denied explicitly: its Sid, or its number from 1.
    #[must_use]
    pub fn statement(&self) -> Option<&str> {
        self.statement.as_deref()
    }

    /// The tree of reasons. Not for the client.
    #[must_use]
    pub fn explanation(&self) -> &Explanation {
        &self.explanation
    }
}

impl Gate {
    /// Asks the policies one question.
    pub(crate) fn authorize(
        &self,
        caller: &Caller,
        request: &AccessRequest,
        family: Family,
    ) -> Result<(), Box<Denial>> {
        let key = VerdictKey::of(caller, request);
        if self.is_kept(caller, key.as_ref()) {
            return Ok(());
        }
        self.ask(caller, request, key, |question, layers, decision| {
            if decision.is_allowed() {
                return Ok(());
            }
            Err(Box::new(denial(request, question, layers, decision, family)))
        })
    }

    /// Asks the policy of the VPC endpoint by which the call came, and no other, about an operation that needs no permission.
    ///
    /// Source: IAM User Guide, "Interface VPC endpoints" of STS: an endpoint policy says which of its actions may be
    /// called (read 2026-11-21).
    pub(crate) fn authorize_by_endpoint(
        &self,
        caller: &Caller,
        action: &'static str,
        family: Family,
    ) -> Result<(), Box<Denial>> {
        let Some(endpoint) = caller.own_endpoint() else {
            return Ok(());
        };
        let request = AccessRequest::new(action, "*", caller.account());
        let context = CallContext::new(caller, &request, None);
        let question = Request {
            principal: caller.identity.principal(),
            action,
            resource: &request.resource,
            resource_account: request.owner.as_str(),
            context: &context,
            same_account_only: false,
        };
        let layers = Layers {
            identity: &self.everything,
            endpoint: Some(&endpoint.facts.policy),
            ..Layers::default()
        };
        let decision = decide(&question, &layers);
        if decision.is_allowed() {
            return Ok(());
        }
        Err(Box::new(denial(&request, &question, &layers, decision, family)))
    }

    /// The answer alone, for questions of which nobody wants the reasons.
    pub(crate) fn allows(&self, caller: &Caller, request: &AccessRequest) -> bool {
        let key = VerdictKey::of(caller, request);
        self.is_kept(caller, key.as_ref())
            || self.ask(caller, request, key, |_, _, decision| decision.is_allowed())
    }

    /// Whether this was allowed before, and could not come out otherwise now.
    fn is_kept(&self, caller: &Caller, key: Option<&VerdictKey>) -> bool {
        key.and_then(|key| self.verdicts.find(caller.epoch, key))
            .is_some_and(|decision| decision.is_allowed())
    }

    fn ask<T>(
        &self,
        caller: &Caller,
        request: &AccessRequest,
        key: Option<VerdictKey>,
        then: impl FnOnce(&Request<'_>, &Layers<'_>, Decision) -> T,
    ) -> T {
        let owner_place = self.place(request.owner);
        let context = CallContext::new(caller, request, owner_place.as_deref());
        let context = Watched::new(&context);
        let question = Request {
            principal: caller.identity.principal(),
            action: request.action,
            resource: &request.resource,
            resource_account: request.owner.as_str(),
            context: &context,
            same_account_only: request.reach == Reach::OwnAccount,
        };
        let layers = layers(caller, request, owner_place.as_deref());
        let decision = decide(&question, &layers);
        if let Some(key) = key
            && decision.is_allowed()
            && !context.was_looked_at()
        {
            self.verdicts.keep(caller.epoch, key, decision);
        }
        then(&question, &layers, decision)
    }
}

fn layers<'a>(
    caller: &'a Caller,
    request: &'a AccessRequest,
    owner_place: Option<&'a OrganizationPlace>,
) -> Layers<'a> {
    let identity = &*caller.identity;
    let place: Option<&OrganizationPlace> = caller.organization.as_deref();
    Layers {
        identity: &identity.policies,
        boundary: identity.boundary.as_deref(),
        session: identity.session.as_deref(),
        service_control: place.map_or(&[], |place| &place.service_control),
        // The owner's organization can be another than the caller's.
        resource_control: owner_place
            .filter(|owner| request.resource_control && owner.management_account != request.owner)
            .map_or(&[], |owner| &owner.resource_control),
        resource: match &request.policy {
            ResourcePolicy::None => bulla_policy::ResourcePolicy::None,
            ResourcePolicy::Attached(policy) => bulla_policy::ResourcePolicy::Ordinary(policy.as_deref()),
            ResourcePolicy::Mandatory(policy) => bulla_policy::ResourcePolicy::Mandatory(policy),
        },
        grants: &request.grants,
        // What a service forwards comes from the service, not by the caller's endpoint.
        endpoint: caller
            .own_endpoint()
            .map(|endpoint| endpoint.facts.policy.as_slice()),
        management_account: place.map(|place| place.management_account.as_str()),
    }
}

fn denial(
    request: &AccessRequest,
    question: &Request<'_>,
    layers: &Layers<'_>,
    decision: Decision,
    family: Family,
) -> Denial {
    // SQS writes actions in lower case in its messages.
    let lower = request.action.to_ascii_lowercase();
    let worded = match family {
        Family::Sqs => Request {
            action: &lower,
            ..*question
        },
        Family::Json | Family::Query | Family::Ec2 => *question,
    };
    let statement = decision.statement(layers).map(|statement| {
        let number = decision.position.map_or(0, |position| position.statement + 1);
        statement
            .sid()
            .map_or_else(|| format!("#{number}"), str::to_owned)
    });
    let mut message = decision.message(&worded).unwrap_or_default();
    if family == Family::Ec2 {
        message.insert_str(0, "You are not authorized to perform this operation. ");
    }
    Denial {
        message,
        action: request.action,
        resource: Arc::clone(&request.resource),
        owner: request.owner,
        decision,
        policy: decision.policy(layers).map(|policy| policy.label().to_owned()),
        statement,
        explanation: explain(question, layers),
    }
}
