//! One statement against one request, and one list of policies against it. Nothing here allocates.

use crate::pattern::Case;
use crate::policy::{Effect, PatternElement, Policy, Statement};
use crate::principal::Naming;
use crate::request::{Layers, Request, ResourcePolicy};
use std::sync::Arc;

/// Where a statement stands within its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The level of the organization, from the root down; 0 in layers without levels.
    pub level: usize,
    /// The policy within the level; the grant among the grants.
    pub policy: usize,
    /// The statement within the policy; 0 for grants.
    pub statement: usize,
}

/// The first statement of a list of policies that allows, and the first that denies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) allow: Option<Position>,
    pub(crate) deny: Option<Position>,
}

/// What the policy of the resource says, by how it names the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ResourceScan {
    pub(crate) deny: Option<Position>,
    pub(crate) account: Option<Position>,
    pub(crate) limited: Option<Position>,
    pub(crate) direct: Option<Position>,
}

/// What all layers say, before they are combined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) resource_control_deny: Option<Position>,
    pub(crate) service_control_deny: Option<Position>,
    /// The first level without an Allow.
    pub(crate) service_control_gap: Option<usize>,
    pub(crate) endpoint: Option<Scan>,
    pub(crate) resource: ResourceScan,
    pub(crate) identity: Scan,
    pub(crate) boundary: Option<Scan>,
    pub(crate) session: Option<Scan>,
    pub(crate) grant: ResourceScan,
}

impl PatternElement {
    pub(crate) fn covers_action(&self, action: &str, request: &Request<'_>) -> bool {
        let matches = |case| {
            self.patterns
                .iter()
                .any(|pattern| pattern.matches(action, request.context, case))
        };
        matches(Case::Ignored) != self.negated
    }

    pub(crate) fn covers_resource(&self, resource: &str, request: &Request<'_>) -> bool {
        let context = request.context;
        let matches = self
            .patterns
            .iter()
            .any(|pattern| pattern.matches(resource, context, Case::Sensitive));
        matches != self.negated
    }
}

impl Statement {
    pub(crate) fn covers_action(&self, request: &Request<'_>) -> bool {
        self.action.covers_action(request.action, request)
    }

    pub(crate) fn covers_resource(&self, request: &Request<'_>) -> bool {
        self.resource
            .as_ref()
            .is_none_or(|resource| resource.covers_resource(request.resource, request))
    }

    pub(crate) fn reaches(&self, request: &Request<'_>, bounded: bool) -> Option<Naming> {
        match &self.principal {
            None => Some(Naming::Direct),
            Some(element) => element.reaches(&request.principal, self.effect == Effect::Deny, bounded),
        }
    }

    /// Whether the statement applies to the request, and how it reaches the caller.
    pub(crate) fn applies(&self, request: &Request<'_>, bounded: bool) -> Option<Naming> {
        if !self.covers_action(request) {
            return None;
        }
        let naming = self.reaches(request, bounded)?;
        if !self.covers_resource(request) {
            return None;
        }
        self.conditions
            .iter()
            .all(|condition| condition.holds(request.context))
            .then_some(naming)
    }
}

pub(crate) fn scan(policies: &[Arc<Policy>], level: usize, request: &Request<'_>) -> Scan {
    let mut found = Scan::default();
    for (policy, document) in policies.iter().enumerate() {
        for (statement, compiled) in document.statements.iter().enumerate() {
            let slot = match compiled.effect {
                Effect::Allow => &mut found.allow,
                Effect::Deny => &mut found.deny,
            };
            if slot.is_none() && compiled.applies(request, false).is_some() {
                *slot = Some(Position {
                    level,
                    policy,
                    statement,
                });
                if compiled.effect == Effect::Deny {
                    return found;
                }
            }
        }
    }
    found
}

impl ResourceScan {
    pub(crate) fn add(&mut self, effect: Effect, naming: Naming, position: Position) {
        let slot = match (effect, naming) {
            (Effect::Deny, _) => &mut self.deny,
            (Effect::Allow, Naming::Account) => &mut self.account,
            (Effect::Allow, Naming::Limited) => &mut self.limited,
            (Effect::Allow, Naming::Direct) => &mut self.direct,
        };
        slot.get_or_insert(position);
    }
}

fn resource(policy: ResourcePolicy<'_>, request: &Request<'_>, bounded: bool) -> ResourceScan {
    let mut found = ResourceScan::default();
    for (statement, compiled) in policy
        .policy()
        .into_iter()
        .flat_map(|policy| &policy.statements)
        .enumerate()
    {
        if let Some(naming) = compiled.applies(request, bounded) {
            found.add(
                compiled.effect,
                naming,
                Position {
                    level: 0,
                    policy: 0,
                    statement,
                },
            );
        }
    }
    found
}

fn grants(layers: &Layers<'_>, request: &Request<'_>) -> ResourceScan {
    let mut found = ResourceScan::default();
    for (policy, grant) in layers.grants.iter().enumerate() {
        if let Some(naming) = grant.allows(&request.principal, request.action, request.context) {
            found.add(
                Effect::Allow,
                naming,
                Position {
                    level: 0,
                    policy,
                    statement: 0,
                },
            );
        }
    }
    found
}

/// Asks every layer.
pub(crate) fn facts(request: &Request<'_>, layers: &Layers<'_>) -> Facts {
    let mut facts = Facts::default();
    if request.is_under_resource_control(layers) {
        facts.resource_control_deny = layers
            .resource_control
            .iter()
            .enumerate()
            .find_map(|(level, node)| scan(&node.policies, level, request).deny);
    }
    if request.is_under_service_control(layers) {
        for (level, node) in layers.service_control.iter().enumerate() {
            let found = scan(&node.policies, level, request);
            facts.service_control_deny = facts.service_control_deny.or(found.deny);
            if found.allow.is_none() {
                facts.service_control_gap = facts.service_control_gap.or(Some(level));
            }
        }
    }
    facts.endpoint = layers.endpoint.map(|policies| scan(policies, 0, request));
    facts.resource = resource(layers.resource, request, layers.boundary.is_some());
    facts.identity = scan(layers.identity, 0, request);
    facts.boundary = layers.boundary.map(|policies| scan(policies, 0, request));
    facts.session = layers.session.map(|policies| scan(policies, 0, request));
    facts.grant = grants(layers, request);
    facts
}
