//! Written cases: a request with all its policies, or a policy that is to be stored, as one line of JSON.
//!
//! Implementations of the policy language are compared by such lines, so the format is nobody's own: a case holds
//! everything its answer depends on, and nothing is added. What a line says and this reader does not know is an error
//! where it could change the answer (a kind of policy, a type of value) and is ignored where it is said for people
//! (`title`, `reason`).
//!
//! What must stay true: a line is answered from itself alone, so that lines can be answered in any order.

mod decide;
mod members;
mod put;

use crate::json::{self, Node, Quoted};
use crate::kind::PolicyKind;
use crate::policy::Policy;
use members::Members;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Longer lines are not read.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// Compiled policies that are kept, since cases share them.
const KEPT_POLICIES_MAX: usize = 1_024;

/// What a case was answered with. Displays as one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A request was decided.
    Decided {
        /// The case's id as it stands in the line, as JSON.
        id: String,
        /// `allow`, `implicit_deny` or `explicit_deny`.
        decision: &'static str,
        /// The layer that decided, see [`crate::Layer::as_str`].
        layer: &'static str,
        /// The deciding statement: its `Sid`, or `#2` for the second statement of its policy if it has none. `None`
        /// when the lack of a statement decided.
        statement: Option<String>,
    },
    /// The policy would be stored.
    Accepted {
        /// The case's id, as JSON.
        id: String,
    },
    /// The policy would be refused.
    Rejected {
        /// The case's id, as JSON.
        id: String,
        /// The error code of the call.
        error: &'static str,
        /// Why, with line and column.
        message: String,
    },
    /// The line is not a case.
    Unreadable {
        /// The case's id, as JSON; `null` when it cannot be read.
        id: String,
        /// What is wrong with the line.
        message: String,
    },
}

impl Answer {
    /// The answer to a line that is not even text of a bounded length.
    #[must_use]
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self::Unreadable {
            id: "null".to_owned(),
            message: message.into(),
        }
    }

    /// Whether the line was a case at all.
    #[must_use]
    pub const fn is_readable(&self) -> bool {
        !matches!(self, Self::Unreadable { .. })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided {
                id,
                decision,
                layer,
                statement,
            } => {
                write!(
                    formatter,
                    r#"{{"id":{id},"decision":"{decision}","layer":"{layer}","statement":"#
                )?;
                match statement {
                    Some(statement) => write!(formatter, "{}}}", Quoted(statement)),
                    None => formatter.write_str("null}"),
                }
            }
            Self::Accepted { id } => write!(
                formatter,
                r#"{{"id":{id},"result":"accept","error":null,"message":null}}"#
            ),
            Self::Rejected { id, error, message } => write!(
                formatter,
                r#"{{"id":{id},"result":"reject","error":"{error}","message":{}}}"#,
                Quoted(message)
            ),
            Self::Unreadable { id, message } => write!(
                formatter,
                r#"{{"id":{id},"error":"InvalidCase","message":{}}}"#,
                Quoted(message)
            ),
        }
    }
}

/// Answers cases, one line at a time.
#[derive(Debug, Default)]
pub struct Cases {
    kept: HashMap<PolicyKind, HashMap<Box<str>, Arc<Policy>>>,
    kept_count: usize,
}

impl Cases {
    /// With nothing kept yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers one line.
    pub fn answer(&mut self, line: &str) -> Answer {
        let node = match json::read(line) {
            Ok(node) => node,
            Err(fault) => return Answer::unreadable(fault.into_rejection(line).to_string()),
        };
        let id = members::find(&node, "id").map_or_else(|| "null".to_owned(), Node::to_string);
        self.answer_node(line, &node, &id)
            .unwrap_or_else(|message| Answer::Unreadable { id, message })
    }

    fn answer_node(&mut self, line: &str, node: &Node, id: &str) -> Result<Answer, String> {
        let case = Members::of(node, "the case")?;
        match case.text("kind")? {
            "decide" => decide::answer(self, line, &case, id),
            "put" => put::answer(&case, id),
            other => Err(format!("`kind` is `decide` or `put`, not `{other}`")),
        }
    }

    /// A policy that stands in the line, compiled; `place` names it in errors.
    fn policy(
        &mut self,
        line: &str,
        node: &Node,
        kind: PolicyKind,
        place: &str,
    ) -> Result<Arc<Policy>, String> {
        let text = line.get(node.at..node.end).unwrap_or_default();
        if let Some(policy) = self.kept.get(&kind).and_then(|kept| kept.get(text)) {
            return Ok(Arc::clone(policy));
        }
        let policy =
            Policy::parse_lenient(text, kind).map_err(|rejection| format!("`{place}`: {rejection}"))?;
        let policy = Arc::new(policy);
        if self.kept_count >= KEPT_POLICIES_MAX {
            self.kept.clear();
            self.kept_count = 0;
        }
        let kept = self.kept.entry(kind).or_default();
        kept.insert(text.into(), Arc::clone(&policy));
        self.kept_count = self.kept_count.saturating_add(1);
        Ok(policy)
    }
}

#[cfg(test)]
mod tests;
