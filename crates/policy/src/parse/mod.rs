//! From bytes to a compiled policy. Whatever is not understood is refused, never skipped: a member that is ignored
//! is a restriction that is lost.

mod conditions;
mod principals;
pub(crate) mod scope;
mod statement;

use crate::diagnostic::{Fault, Reason, Rejection};
use crate::json::{self, Member, Node, Value};
use crate::kind::PolicyKind;
use crate::limits::{DOCUMENT_BYTES_MAX, Limits};
use crate::policy::{Policy, Version};
use std::collections::BTreeSet;

/// How strictly a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rigour {
    /// To be stored: as the service's own call would check it.
    Store,
    /// To be evaluated only.
    Evaluate,
}

/// What is the same for the whole document, and what is counted over it.
pub(crate) struct Reading<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: PolicyKind,
    pub(crate) rigour: Rigour,
    pub(crate) limits: Limits,
    pub(crate) version: Version,
    pub(crate) conditions: usize,
    pub(crate) principals: Vec<(Box<str>, Box<str>)>,
    pub(crate) sids: BTreeSet<String>,
}

impl Reading<'_> {
    pub(crate) fn is_strict(&self) -> bool {
        self.rigour == Rigour::Store
    }

    /// Refuses `count` above `max` when quotas are checked.
    pub(crate) fn quota(
        &self,
        reason: Reason,
        at: usize,
        count: usize,
        max: Option<usize>,
        noun: &str,
    ) -> Result<(), Fault> {
        match max {
            Some(max) if self.is_strict() && count > max => {
                let message = format!("{} has at most {max} {noun}", self.kind.noun());
                Err(Fault::new(reason, at, message))
            }
            Some(_) | None => Ok(()),
        }
    }
}

pub(crate) fn policy(bytes: &[u8], kind: PolicyKind, rigour: Rigour) -> Result<Policy, Rejection> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let text = String::from_utf8_lossy(valid);
            let fault = Fault::new(Reason::JsonSyntax, text.len(), "the document is not UTF-8");
            return Err(fault.into_rejection(&text));
        }
    };
    read(text, kind, rigour).map_err(|fault| fault.into_rejection(text))
}

fn read(text: &str, kind: PolicyKind, rigour: Rigour) -> Result<Policy, Fault> {
    let limits = kind.limits();
    if text.len() > DOCUMENT_BYTES_MAX {
        let message = format!(
            "a policy has at most {DOCUMENT_BYTES_MAX} bytes, this one {}",
            text.len()
        );
        return Err(Fault::new(Reason::TooLarge, 0, message));
    }
    if rigour == Rigour::Store && !text.starts_with('\u{feff}') {
        limits.check_text(text, kind)?;
    }
    let node = json::read(text)?;
    let Value::Object(members) = &node.value else {
        let message = format!("a policy is an object, not {}", node.value.kind());
        return Err(Fault::new(Reason::DataTypeMismatch, node.at, message));
    };
    let version = version(node.at, members, kind, rigour)?;
    let mut reading = Reading {
        text,
        kind,
        rigour,
        limits,
        version,
        conditions: 0,
        principals: Vec::new(),
        sids: BTreeSet::new(),
    };
    let statements = top_level(&mut reading, &node, members)?;
    Ok(Policy {
        kind,
        version,
        label: kind
            .noun()
            .trim_start_matches("a ")
            .trim_start_matches("an ")
            .into(),
        text: text.into(),
        statements: statements.into(),
        principals: reading.principals.into(),
    })
}

fn version(at: usize, members: &[Member], kind: PolicyKind, rigour: Rigour) -> Result<Version, Fault> {
    let must_be_current = kind.needs_current_version() && rigour == Rigour::Store;
    let Some(member) = members.iter().find(|member| member.name == "Version") else {
        if must_be_current {
            let message = format!("{} needs `\"Version\": \"2012-10-17\"`", kind.noun());
            return Err(Fault::new(Reason::MissingVersion, at, message));
        }
        return Ok(Version::Of2008);
    };
    match text_of(&member.value, "Version")? {
        "2012-10-17" => Ok(Version::Of2012),
        "2008-10-17" if !must_be_current => Ok(Version::Of2008),
        other => {
            let message = format!("`{other}` is not a version of the policy language");
            Err(Fault::new(Reason::InvalidVersion, member.value.at, message)
                .help("use `2012-10-17`; the version of your own document belongs into `Id`"))
        }
    }
}

fn top_level(
    reading: &mut Reading<'_>,
    document: &Node,
    members: &[Member],
) -> Result<Vec<crate::policy::Statement>, Fault> {
    let mut statements = None;
    for member in members {
        match member.name.as_str() {
            "Version" => {}
            "Id" => {
                text_of(&member.value, "Id")?;
            }
            "Statement" => statements = Some(&member.value),
            other => return Err(unknown_top_level(member.at, other)),
        }
    }
    let node = statements.ok_or_else(|| {
        Fault::new(
            Reason::MissingStatement,
            document.at,
            "a policy needs `Statement`",
        )
    })?;
    let nodes = match &node.value {
        Value::Object(_) => std::slice::from_ref(node),
        Value::List(nodes) if nodes.is_empty() => {
            return Err(Fault::new(
                Reason::MissingStatement,
                node.at,
                "`Statement` is empty",
            ));
        }
        Value::List(nodes) => nodes.as_slice(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_)) => {
            let message = format!(
                "`Statement` is a statement or a list of them, not {}",
                other.kind()
            );
            return Err(Fault::new(Reason::DataTypeMismatch, node.at, message));
        }
    };
    let max = reading.limits.statements_max;
    reading.quota(Reason::TooManyStatements, node.at, nodes.len(), max, "statements")?;
    nodes.iter().map(|node| statement::read(reading, node)).collect()
}

fn unknown_top_level(at: usize, name: &str) -> Fault {
    let message = format!("`{name}` is not an element of a policy");
    let fault = Fault::new(Reason::UnknownElement, at, message);
    match name {
        "Sid" | "Effect" | "Principal" | "NotPrincipal" | "Action" | "NotAction" | "Resource"
        | "NotResource" | "Condition" => fault.help(
            "this is a statement: a policy wraps it as `{\"Version\": \"2012-10-17\", \"Statement\": [...]}`",
        ),
        _ => fault.help("a policy has `Version`, `Id` and `Statement`; names are case-sensitive"),
    }
}

/// The text of a value that must be a string.
pub(crate) fn text_of<'a>(node: &'a Node, name: &str) -> Result<&'a str, Fault> {
    match &node.value {
        Value::Text(text) => Ok(text),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_)) => {
            let message = format!("`{name}` is a string, not {}", other.kind());
            Err(Fault::new(Reason::DataTypeMismatch, node.at, message))
        }
    }
}

/// The texts of a value that is a string or a list of strings, with their places.
pub(crate) fn texts_of<'a>(node: &'a Node, name: &str) -> Result<Vec<(usize, &'a str)>, Fault> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .map(|item| Ok((item.at, text_of(item, name)?)))
            .collect(),
        Value::Text(text) => Ok(vec![(node.at, text)]),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            let message = format!("`{name}` is a string or a list of strings, not {}", other.kind());
            Err(Fault::new(Reason::DataTypeMismatch, node.at, message))
        }
    }
}
