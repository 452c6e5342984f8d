//! What is wrong or dangerous in a policy, beyond what storing it refuses.
//!
//! A document can be stored and still not do what its author meant. Each rule looks for one such trap in one statement
//! and stands once in `rules::RULES`, with the code by which IAM Access Analyzer's policy validation knows it where
//! it knows it (IAM User Guide, "Access Analyzer policy check reference").
//!
//! What must stay true: a rule never fails on a malformed statement, it is silent; what is malformed is the parser's to
//! say, and it says its first fault only.

mod rules;
mod statement;

use crate::diagnostic::Spot;
use crate::json::{self, Node, Value};
use crate::kind::{IdentityOwner, PolicyKind, Vendor};
use crate::policy::Policy;
use rules::{RULES, missing_version};
use statement::{Found, View};
use std::fmt;

/// How bad a finding is, as Access Analyzer sorts them; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy cannot be stored, or a part of it can never apply.
    Error,
    /// The policy allows more than it seems to, or locks its owner out.
    SecurityWarning,
    /// The policy probably does not do what it seems to.
    Warning,
    /// The policy could be written better.
    Suggestion,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::SecurityWarning => "security warning",
            Self::Warning => "warning",
            Self::Suggestion => "suggestion",
        })
    }
}

/// One thing found in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    severity: Severity,
    code: &'static str,
    spot: Spot,
}

impl Finding {
    /// How bad it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// The stable code, in upper snake case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// One sentence without place, lower-case start, no full stop.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.spot.message
    }

    /// How to repair it, where that can be said.
    #[must_use]
    pub const fn help(&self) -> Option<&'static str> {
        self.spot.help
    }

    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.spot.line
    }

    /// The column in characters, from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.spot.column
    }

    /// Several lines with the source line and a caret; `name` is the file or policy shown.
    #[must_use]
    pub fn render(&self, name: &str) -> String {
        self.spot.render(&self.severity.to_string(), self.code, name)
    }
}

/// Checks a document: the first fault for which it could not be stored, and every trap, in the order of the text.
#[must_use]
pub fn lint(bytes: &[u8], kind: PolicyKind) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(rejection) = Policy::parse(bytes, kind) {
        findings.push(Finding {
            severity: Severity::Error,
            code: rejection.reason().code(),
            spot: rejection.into_spot(),
        });
    }
    // A document that is no JSON has its fault said above.
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    if let Ok(node) = json::read(text) {
        let mut add = |severity, code, found: Found| {
            findings.push(Finding {
                severity,
                code,
                spot: Spot::of(text, found.at, found.message, found.help),
            });
        };
        if let Some(found) = missing_version(&node) {
            add(Severity::Warning, "MISSING_VERSION", found);
        }
        for statement in statements(&node) {
            let view = View::of(&node, statement, kind);
            for rule in RULES {
                for found in (rule.check)(&view) {
                    add(rule.severity, rule.code, found);
                }
            }
        }
    }
    findings.sort_by_key(|finding| (finding.spot.line, finding.spot.column, finding.severity));
    findings
}

fn statements(document: &Node) -> &[Node] {
    match statement::member(document, "Statement") {
        Some(node) => match &node.value {
            Value::List(nodes) => nodes,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                std::slice::from_ref(node)
            }
        },
        None => &[],
    }
}

/// What a document is for, by the look of it: one with `Principal` belongs to the resource whose actions it names first,
/// any other to an identity.
#[must_use]
pub fn guess_kind(bytes: &[u8]) -> PolicyKind {
    let identity = PolicyKind::Identity(IdentityOwner::Managed);
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    if !text.contains("principal\"") {
        return identity;
    }
    let kinds = [
        ("\"sqs:", PolicyKind::Resource(Vendor::Sqs)),
        ("\"kms:", PolicyKind::Resource(Vendor::Kms)),
        ("\"sns:", PolicyKind::Resource(Vendor::Sns)),
        ("\"s3:", PolicyKind::Resource(Vendor::S3)),
        ("\"sts:", PolicyKind::Trust),
    ];
    // Condition keys look like actions, so only what stands behind `Action` counts.
    let actions = text
        .find("action\"")
        .and_then(|at| text.get(at..))
        .unwrap_or_default();
    let first = kinds
        .into_iter()
        .filter_map(|(prefix, kind)| Some((actions.find(prefix)?, kind)))
        .min_by_key(|(at, _)| *at);
    first.map_or(identity, |(_, kind)| kind)
}

#[cfg(test)]
mod tests;
