//! Why a request was decided as it was: every layer, every statement, every condition with required and actual value.
//!
//! The tree is computed on its own, asking each element separately, and then combined by the same rules as
//! [`crate::decide`]; a property test holds the two together. It allocates freely: it runs when somebody asks.

mod hint;
mod json;
mod render;

use crate::combine;
use crate::condition::Condition;
use crate::decision::{Decision, Layer};
use crate::evaluate::{Facts, Position, ResourceScan, Scan};
use crate::policy::{Effect, Policy, Statement};
use crate::principal::Naming;
use crate::request::{Layers, Level, Request};
use std::sync::Arc;

/// The whole tree of reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Who asked, as error messages name it.
    pub principal: String,
    /// The action asked for.
    pub action: String,
    /// The resource asked for.
    pub resource: String,
    /// The decision; the same that [`crate::decide`] gives.
    pub decision: Decision,
    /// AWS's sentence for a denial.
    pub message: Option<String>,
    /// The smallest change that would turn a denial into an allow, where one can be named.
    pub hint: Option<String>,
    /// The layers in the order in which they are asked.
    pub layers: Vec<LayerReport>,
}

/// What a layer, or one level of it, contributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A statement allows.
    Allows,
    /// A statement allows what the account's own policies allow.
    Delegates,
    /// A statement denies.
    Denies,
    /// The layer exists and says nothing about the request.
    Silent,
    /// The layer has no say in this request.
    Exempt,
}

impl Verdict {
    /// The verdict in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allows => "allows",
            Self::Delegates => "delegates",
            Self::Denies => "denies",
            Self::Silent => "silent",
            Self::Exempt => "exempt",
        }
    }
}

/// One layer, or one level of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerReport {
    /// Which layer.
    pub layer: Layer,
    /// The name of the organization's node; empty in layers without levels.
    pub name: String,
    /// What it contributes.
    pub verdict: Verdict,
    /// Why the layer is exempt, or what else must be known about it.
    pub note: Option<&'static str>,
    /// Its policies; empty when the layer is exempt.
    pub policies: Vec<PolicyReport>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyReport {
    /// The policy's label.
    pub label: String,
    /// Its statements.
    pub statements: Vec<StatementReport>,
}

/// One statement, and which of its parts match the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementReport {
    /// The statement's place in the policy, from 0.
    pub index: usize,
    /// Its id.
    pub sid: Option<String>,
    /// Its line in the document, from 1.
    pub line: usize,
    /// `Allow` or `Deny`.
    pub effect: Effect,
    /// Whether `Action` or `NotAction` covers the action.
    pub action: bool,
    /// Whether `Resource` or `NotResource` covers the resource.
    pub resource: bool,
    /// Whether `Principal` or `NotPrincipal` reaches the caller; true in policies without principal.
    pub principal: bool,
    /// The conditions.
    pub conditions: Vec<ConditionReport>,
    naming: Option<Naming>,
}

/// One condition with what it wants and what it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionReport {
    /// The operator with its prefix and suffix.
    pub operator: String,
    /// The key as the policy spells it.
    pub key: String,
    /// The line in the document, from 1.
    pub line: usize,
    /// The policy's values: as written, and with policy variables replaced (`None`: a variable has no value).
    pub required: Vec<(String, Option<String>)>,
    /// The request's values; `None` when the request does not have the key.
    pub actual: Option<Vec<String>>,
    /// Whether the condition holds.
    pub holds: bool,
}

impl StatementReport {
    /// Whether the statement applies: all of its parts match.
    #[must_use]
    pub fn applies(&self) -> bool {
        self.action
            && self.resource
            && self.principal
            && self.conditions.iter().all(|condition| condition.holds)
    }

    fn of(index: usize, statement: &Statement, request: &Request<'_>, bounded: bool) -> Self {
        let naming = statement.reaches(request, bounded);
        Self {
            index,
            sid: statement.sid().map(str::to_owned),
            line: statement.line,
            effect: statement.effect,
            action: statement.covers_action(request),
            resource: statement.covers_resource(request),
            principal: naming.is_some(),
            conditions: statement
                .conditions
                .iter()
                .map(|each| ConditionReport::of(each, request))
                .collect(),
            naming,
        }
    }
}

impl ConditionReport {
    fn of(condition: &Condition, request: &Request<'_>) -> Self {
        let values = request
            .context
            .values(&condition.key)
            .filter(|values| !values.is_empty());
        Self {
            operator: condition.operator.to_string(),
            key: condition.key.name().to_owned(),
            line: condition.line,
            required: condition.resolved(request.context),
            actual: values.map(|values| values.iter().map(|value| value.text().into_owned()).collect()),
            holds: condition.holds(request.context),
        }
    }
}

impl PolicyReport {
    fn of(policy: &Policy, request: &Request<'_>, bounded: bool) -> Self {
        let report = |(index, statement)| StatementReport::of(index, statement, request, bounded);
        Self {
            label: policy.label().to_owned(),
            statements: policy.statements.iter().enumerate().map(report).collect(),
        }
    }
}

impl LayerReport {
    fn exempt(layer: Layer, name: &str, note: &'static str) -> Self {
        Self {
            layer,
            name: name.to_owned(),
            verdict: Verdict::Exempt,
            note: Some(note),
            policies: Vec::new(),
        }
    }

    fn of(layer: Layer, name: &str, policies: &[Arc<Policy>], request: &Request<'_>) -> Self {
        let policies = policies
            .iter()
            .map(|policy| PolicyReport::of(policy, request, false))
            .collect();
        Self {
            layer,
            name: name.to_owned(),
            verdict: Verdict::Silent,
            note: None,
            policies,
        }
        .judged()
    }

    fn judged(mut self) -> Self {
        let scan = self.scan(0);
        self.verdict = match (scan.deny, scan.allow) {
            (Some(_), _) => Verdict::Denies,
            (None, Some(_)) => Verdict::Allows,
            (None, None) => Verdict::Silent,
        };
        self
    }

    fn applying(&self) -> impl Iterator<Item = (usize, &StatementReport)> {
        let policies = self.policies.iter().enumerate();
        policies
            .flat_map(|(index, policy)| policy.statements.iter().map(move |statement| (index, statement)))
            .filter(|(_, statement)| statement.applies())
    }

    fn scan(&self, level: usize) -> Scan {
        let first = |effect| {
            self.applying()
                .find(|(_, statement)| statement.effect == effect)
                .map(|(policy, statement)| Position {
                    level,
                    policy,
                    statement: statement.index,
                })
        };
        Scan {
            allow: first(Effect::Allow),
            deny: first(Effect::Deny),
        }
    }

    fn resource_scan(&self) -> ResourceScan {
        let mut found = ResourceScan::default();
        for (policy, statement) in self.applying() {
            if let Some(naming) = statement.naming {
                found.add(
                    statement.effect,
                    naming,
                    Position {
                        level: 0,
                        policy,
                        statement: statement.index,
                    },
                );
            }
        }
        found
    }
}

/// Decides a request and tells why.
#[must_use]
pub fn explain(request: &Request<'_>, layers: &Layers<'_>) -> Explanation {
    let mut reports = Vec::new();
    let facts = reports_and_facts(request, layers, &mut reports);
    let decision = combine::combine(request, layers, &facts);
    let mut explanation = Explanation {
        principal: request.principal.name().into_owned(),
        action: request.action.to_owned(),
        resource: request.resource.to_owned(),
        decision,
        message: decision.message(request),
        hint: None,
        layers: reports,
    };
    explanation.hint = hint::of(&explanation, request, layers);
    explanation
}

fn reports_and_facts(request: &Request<'_>, layers: &Layers<'_>, reports: &mut Vec<LayerReport>) -> Facts {
    let mut facts = Facts::default();
    let exempt = (!request.is_under_resource_control(layers))
        .then_some("the management account and service-linked roles are exempt");
    for report in levels(Layer::ResourceControl, layers.resource_control, exempt, request) {
        facts.resource_control_deny = facts.resource_control_deny.or(report.scan(reports.len()).deny);
        reports.push(report);
    }
    let above = reports.len();
    let exempt = (!request.is_under_service_control(layers))
        .then_some("services, service-linked roles and the management account are exempt");
    for report in levels(Layer::ServiceControl, layers.service_control, exempt, request) {
        let level = reports.len().saturating_sub(above);
        let scan = report.scan(level);
        facts.service_control_deny = facts.service_control_deny.or(scan.deny);
        if scan.allow.is_none() && report.verdict != Verdict::Exempt {
            facts.service_control_gap = facts.service_control_gap.or(Some(level));
        }
        reports.push(report);
    }
    let mut limit = |layer, policies: Option<&[Arc<Policy>]>| {
        let report = LayerReport::of(layer, "", policies?, request);
        let scan = report.scan(0);
        reports.push(report);
        Some(scan)
    };
    facts.endpoint = limit(Layer::Endpoint, layers.endpoint);
    facts.boundary = limit(Layer::Boundary, layers.boundary);
    facts.session = limit(Layer::Session, layers.session);
    if request.principal.account().is_some() {
        facts.identity = limit(Layer::Identity, Some(layers.identity)).unwrap_or_default();
    } else {
        facts.identity = LayerReport::of(Layer::Identity, "", layers.identity, request).scan(0);
    }
    let resource = resource_report(request, layers);
    facts.resource = resource.resource_scan();
    reports.push(resource);
    if let Some((report, scan)) = grant_report(request, layers) {
        facts.grant = scan;
        reports.push(report);
    }
    facts
}

fn levels<'a>(
    layer: Layer,
    levels: &'a [Level],
    exempt: Option<&'static str>,
    request: &'a Request<'_>,
) -> impl Iterator<Item = LayerReport> + 'a {
    levels.iter().map(move |level| match exempt {
        Some(note) => LayerReport::exempt(layer, &level.name, note),
        None => LayerReport::of(layer, &level.name, &level.policies, request),
    })
}

fn resource_report(request: &Request<'_>, layers: &Layers<'_>) -> LayerReport {
    let layer = combine::resource_layer(layers);
    let bounded = layers.boundary.is_some();
    let policies = layers
        .resource
        .policy()
        .map(|policy| PolicyReport::of(policy, request, bounded));
    let note = policies.is_none().then_some("the resource has no policy");
    let policies = policies.into_iter().collect();
    let mut report = LayerReport {
        layer,
        name: String::new(),
        verdict: Verdict::Silent,
        note,
        policies,
    }
    .judged();
    let scan = report.resource_scan();
    if scan.deny.is_none() && scan.direct.is_none() && scan.limited.is_none() && scan.account.is_some() {
        report.verdict = Verdict::Delegates;
        report.note = Some("names the account: identity policies must allow as well");
    }
    report
}

fn grant_report(request: &Request<'_>, layers: &Layers<'_>) -> Option<(LayerReport, ResourceScan)> {
    if layers.grants.is_empty() {
        return None;
    }
    let mut scan = ResourceScan::default();
    for (policy, grant) in layers.grants.iter().enumerate() {
        if let Some(naming) = grant.allows(&request.principal, request.action, request.context) {
            scan.add(
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
    let allows = scan.direct.or(scan.limited).or(scan.account);
    let id = allows
        .and_then(|position| layers.grants.get(position.policy))
        .map_or("", |grant| grant.id());
    let verdict = if allows.is_some() {
        Verdict::Allows
    } else {
        Verdict::Silent
    };
    let report = LayerReport {
        layer: Layer::Grant,
        name: id.to_owned(),
        verdict,
        note: None,
        policies: Vec::new(),
    };
    Some((report, scan))
}
