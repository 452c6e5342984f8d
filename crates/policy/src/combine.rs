//! How the layers make one decision.
//!
//! Source: IAM User Guide, "Policy evaluation logic", "How AWS enforcement code logic evaluates requests" and
//! "Cross-account policy evaluation logic"; KMS Developer Guide, "Key policies".
//!
//! What must stay true: a Deny anywhere decides; every limit (SCP at every level, endpoint, boundary, session policy)
//! must allow what it limits; across accounts both sides must allow; a mandatory resource policy must allow or
//! delegate even within the account.

use crate::decision::{Decision, Layer, Outcome};
use crate::evaluate::{self, Facts, Position, Scan};
use crate::kind::PolicyKind;
use crate::principal::Principal;
use crate::request::{Layers, Request, ResourcePolicy};

/// Decides a request. Allocates nothing.
#[must_use]
pub fn decide(request: &Request<'_>, layers: &Layers<'_>) -> Decision {
    combine(request, layers, &evaluate::facts(request, layers))
}

pub(crate) fn combine(request: &Request<'_>, layers: &Layers<'_>, facts: &Facts) -> Decision {
    explicit_deny(layers, facts)
        .or_else(|| missing_guard(request, facts))
        .unwrap_or_else(|| granted(request, layers, facts))
}

const fn allow(layer: Layer, position: Option<Position>) -> Decision {
    Decision {
        outcome: Outcome::Allow,
        layer,
        position,
        level: None,
    }
}

const fn implicit(layer: Layer) -> Decision {
    Decision {
        outcome: Outcome::ImplicitDeny,
        layer,
        position: None,
        level: None,
    }
}

/// How denials name the policy of this resource.
pub(crate) fn resource_layer(layers: &Layers<'_>) -> Layer {
    match layers.resource.policy() {
        Some(policy) if policy.kind() == PolicyKind::Trust => Layer::Trust,
        Some(_) | None => Layer::Resource,
    }
}

fn explicit_deny(layers: &Layers<'_>, facts: &Facts) -> Option<Decision> {
    let denied = |scan: Option<Scan>| scan.and_then(|scan| scan.deny);
    let found = [
        (Layer::ResourceControl, facts.resource_control_deny),
        (Layer::ServiceControl, facts.service_control_deny),
        (Layer::Endpoint, denied(facts.endpoint)),
        (resource_layer(layers), facts.resource.deny),
        (Layer::Identity, facts.identity.deny),
        (Layer::Boundary, denied(facts.boundary)),
        (Layer::Session, denied(facts.session)),
    ];
    let first = found.into_iter().find(|(_, position)| position.is_some());
    first.map(|(layer, position)| Decision {
        outcome: Outcome::ExplicitDeny,
        layer,
        position,
        level: None,
    })
}

/// Limits that bind whoever grants: the service, the organization, the endpoint.
fn missing_guard(request: &Request<'_>, facts: &Facts) -> Option<Decision> {
    if request.same_account_only && !request.is_same_account() {
        return Some(implicit(Layer::Service));
    }
    if facts.service_control_gap.is_some() {
        return Some(Decision {
            level: facts.service_control_gap,
            ..implicit(Layer::ServiceControl)
        });
    }
    facts
        .endpoint
        .filter(|scan| scan.allow.is_none())
        .map(|_| implicit(Layer::Endpoint))
}

/// The first of boundary and session policy that does not allow.
fn missing_limit(facts: &Facts) -> Option<Layer> {
    let lacks = |scan: Option<Scan>| scan.is_some_and(|scan| scan.allow.is_none());
    if lacks(facts.boundary) {
        Some(Layer::Boundary)
    } else if lacks(facts.session) {
        Some(Layer::Session)
    } else {
        None
    }
}

fn granted(request: &Request<'_>, layers: &Layers<'_>, facts: &Facts) -> Decision {
    let resource_layer = resource_layer(layers);
    let same_account = request.is_same_account();
    let limit = missing_limit(facts);
    // A caller without account has no identity policies that could be asked.
    let resource_side_suffices = same_account || request.principal.account().is_none();
    if resource_side_suffices && facts.resource.direct.is_some() {
        return allow(resource_layer, facts.resource.direct);
    }
    if resource_side_suffices && facts.resource.limited.is_some() && limit.is_none() {
        return allow(resource_layer, facts.resource.limited);
    }
    if facts.grant.direct.is_some() || (facts.grant.limited.is_some() && limit.is_none()) {
        return allow(Layer::Grant, facts.grant.direct.or(facts.grant.limited));
    }
    if request.principal.account().is_none() || !resource_side_opens(layers, facts, same_account) {
        return implicit(resource_layer);
    }
    let is_root = matches!(request.principal, Principal::Root { .. });
    match (limit, is_root || facts.identity.allow.is_some()) {
        (None, true) if facts.identity.allow.is_some() => allow(Layer::Identity, facts.identity.allow),
        (None, true) => allow(Layer::Root, None),
        (Some(limit), true) => implicit(limit),
        (Some(limit), false) if same_account && facts.resource.limited.is_some() => implicit(limit),
        (Some(_) | None, false) => implicit(Layer::Identity),
    }
}

/// Whether the resource's side lets the caller's own policies decide.
fn resource_side_opens(layers: &Layers<'_>, facts: &Facts, same_account: bool) -> bool {
    let named = facts
        .resource
        .direct
        .or(facts.resource.limited)
        .or(facts.resource.account)
        .is_some();
    let granted = facts.grant.account.or(facts.grant.limited).is_some();
    match layers.resource {
        ResourcePolicy::None => same_account,
        ResourcePolicy::Ordinary(_) => same_account || named,
        ResourcePolicy::Mandatory(_) => named || granted,
    }
}
