//! The tree as JSON.
//!
//! Written out by hand: the shape is a promise to readers, so it changes only on purpose.

use super::{ConditionReport, Explanation, LayerReport, PolicyReport, StatementReport};
use crate::json::Quoted;

impl Explanation {
    /// The tree as one JSON object without white space.
    #[must_use]
    pub fn to_json(&self) -> String {
        let position = self.decision.position.map_or_else(
            || "null".to_owned(),
            |at| {
                format!(
                    "{{\"level\":{},\"policy\":{},\"statement\":{}}}",
                    at.level, at.policy, at.statement
                )
            },
        );
        object(&[
            ("decision", quoted(self.decision.outcome.as_str())),
            ("layer", quoted(self.decision.layer.as_str())),
            ("position", position),
            ("principal", quoted(&self.principal)),
            ("action", quoted(&self.action)),
            ("resource", quoted(&self.resource)),
            ("message", optional(self.message.as_deref())),
            ("hint", optional(self.hint.as_deref())),
            ("layers", list(self.layers.iter().map(layer))),
        ])
    }
}

fn layer(report: &LayerReport) -> String {
    object(&[
        ("layer", quoted(report.layer.as_str())),
        ("name", quoted(&report.name)),
        ("verdict", quoted(report.verdict.as_str())),
        ("note", optional(report.note)),
        ("policies", list(report.policies.iter().map(policy))),
    ])
}

fn policy(report: &PolicyReport) -> String {
    object(&[
        ("label", quoted(&report.label)),
        ("statements", list(report.statements.iter().map(statement))),
    ])
}

fn statement(report: &StatementReport) -> String {
    object(&[
        ("index", report.index.to_string()),
        ("sid", optional(report.sid.as_deref())),
        ("line", report.line.to_string()),
        ("effect", quoted(&report.effect.to_string())),
        ("applies", report.applies().to_string()),
        ("action", report.action.to_string()),
        ("resource", report.resource.to_string()),
        ("principal", report.principal.to_string()),
        ("conditions", list(report.conditions.iter().map(condition))),
    ])
}

fn condition(report: &ConditionReport) -> String {
    let required = report.required.iter().map(|(written, resolved)| {
        object(&[
            ("written", quoted(written)),
            ("resolved", optional(resolved.as_deref())),
        ])
    });
    let actual = report
        .actual
        .as_ref()
        .map(|values| list(values.iter().map(|value| quoted(value))));
    object(&[
        ("operator", quoted(&report.operator)),
        ("key", quoted(&report.key)),
        ("line", report.line.to_string()),
        ("required", list(required)),
        ("actual", actual.unwrap_or_else(|| "null".to_owned())),
        ("holds", report.holds.to_string()),
    ])
}

fn quoted(text: &str) -> String {
    Quoted(text).to_string()
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), quoted)
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn object(members: &[(&str, String)]) -> String {
    let members: Vec<_> = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", Quoted(name)))
        .collect();
    format!("{{{}}}", members.join(","))
}
