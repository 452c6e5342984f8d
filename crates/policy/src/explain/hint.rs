//! The smallest change that would allow a denied request.
//!
//! A hint for the administrator who reads the explanation, never applied by itself: it names the nearest statement
//! and what keeps it from applying, or the layer that needs an Allow.

use super::{Explanation, LayerReport, StatementReport};
use crate::decision::{Layer, Outcome};
use crate::policy::Effect;
use crate::request::{Layers, Request};

pub(super) fn of(explanation: &Explanation, request: &Request<'_>, layers: &Layers<'_>) -> Option<String> {
    let decision = &explanation.decision;
    match decision.outcome {
        Outcome::Allow => None,
        Outcome::ExplicitDeny => {
            let policy = decision.policy(layers)?;
            let statement = decision.statement(layers)?;
            let place = place(statement.sid(), decision.position?.statement, statement.line());
            let narrowing = if statement.conditions.is_empty() {
                "narrow or remove it"
            } else {
                "meet its exception, narrow it or remove it"
            };
            Some(format!("{} {place} denies: {narrowing}", policy.label()))
        }
        Outcome::ImplicitDeny => Some(missing_allow(explanation, request)),
    }
}

fn missing_allow(explanation: &Explanation, request: &Request<'_>) -> String {
    let layer = explanation.decision.layer;
    let (action, resource) = (request.action, request.resource);
    if layer == Layer::Service {
        return format!("{action} works within account {} only", request.resource_account);
    }
    let mut reports = explanation.layers.iter().filter(|report| report.layer == layer);
    let report = match explanation.decision.level {
        Some(level) => reports.nth(level),
        None => reports.next(),
    };
    if let Some(near) = report.and_then(|report| nearest(report, request)) {
        return near;
    }
    let name = report.map_or("", |report| report.name.as_str());
    let place = if name.is_empty() {
        String::new()
    } else {
        format!(" of {name}")
    };
    let whom = match layer {
        Layer::Resource | Layer::Trust | Layer::Endpoint => format!(" for {}", explanation.principal),
        Layer::Boundary
        | Layer::Grant
        | Layer::Identity
        | Layer::ResourceControl
        | Layer::Root
        | Layer::Service
        | Layer::ServiceControl
        | Layer::Session => String::new(),
    };
    format!(
        "add an Allow of {action} on {resource}{whom} to a {}{place}",
        layer.policy_type()
    )
}

/// The Allow statement that fails in one part only.
fn nearest(report: &LayerReport, request: &Request<'_>) -> Option<String> {
    report.policies.iter().find_map(|policy| {
        let statements = policy
            .statements
            .iter()
            .filter(|statement| statement.effect == Effect::Allow);
        let change =
            statements.filter_map(|statement| change(statement, request).map(|change| (statement, change)));
        let (statement, change) = change.min_by_key(|(statement, _)| !statement.action)?;
        let place = place(statement.sid.as_deref(), statement.index, statement.line);
        Some(format!("{} {place} would allow it if {change}", policy.label))
    })
}

fn change(statement: &StatementReport, request: &Request<'_>) -> Option<String> {
    let failing: Vec<_> = statement
        .conditions
        .iter()
        .filter(|condition| !condition.holds)
        .collect();
    match (
        statement.action,
        statement.resource,
        statement.principal,
        failing.as_slice(),
    ) {
        (false, true, true, []) => Some(format!("its Action covered {}", request.action)),
        (true, false, true, []) => Some(format!("its Resource covered {}", request.resource)),
        (true, true, false, []) => Some(format!("its Principal covered {}", request.principal.name())),
        (true, true, true, [condition]) => Some(format!(
            "{} {} (line {}) held",
            condition.operator, condition.key, condition.line
        )),
        _ => None,
    }
}

pub(super) fn place(sid: Option<&str>, index: usize, line: usize) -> String {
    match sid.filter(|sid| !sid.is_empty()) {
        Some(sid) => format!("statement `{sid}` (line {line})"),
        None => format!("statement {} (line {line})", index.saturating_add(1)),
    }
}
