//! A parsed policy: its text as it came, and its statements compiled.

use crate::condition::Condition;
use crate::diagnostic::Rejection;
use crate::kind::PolicyKind;
use crate::parse;
use crate::pattern::{Pattern, Variables};
use crate::principal::PrincipalElement;
use std::fmt;

/// `Allow` or `Deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Grants, or leaves within the limit.
    Allow,
    /// Forbids, whatever else allows.
    Deny,
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        })
    }
}

/// The version of the policy language a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2008-10-17`, and what a document without `Version` is: policy variables are plain text.
    Of2008,
    /// `2012-10-17`.
    Of2012,
}

impl Version {
    pub(crate) const fn variables(self) -> Variables {
        match self {
            Self::Of2008 => Variables::Literal,
            Self::Of2012 => Variables::Active,
        }
    }
}

/// A list of patterns under `Action`, `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatternElement {
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[Pattern]>,
}

/// One statement, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) line: usize,
    pub(crate) effect: Effect,
    pub(crate) principal: Option<PrincipalElement>,
    pub(crate) action: PatternElement,
    pub(crate) resource: Option<PatternElement>,
    pub(crate) conditions: Box<[Condition]>,
}

impl Statement {
    /// The statement's id, if it has one.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// The line of the document on which the statement begins, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// `Allow` or `Deny`.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// The action patterns as written; with `true` when they stand under `NotAction`.
    #[must_use]
    pub fn actions(&self) -> (bool, Vec<&str>) {
        (
            self.action.negated,
            self.action.patterns.iter().map(Pattern::text).collect(),
        )
    }

    /// The resource patterns as written, with `true` when they stand under `NotResource`; `None` in trust policies.
    #[must_use]
    pub fn resources(&self) -> Option<(bool, Vec<&str>)> {
        let element = self.resource.as_ref()?;
        Some((
            element.negated,
            element.patterns.iter().map(Pattern::text).collect(),
        ))
    }

    /// The condition keys the statement looks at, as written.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|condition| condition.key.name())
    }
}

/// A policy document, validated and compiled.
///
/// Compiled once, evaluated often; share it behind an `Arc`. The label names it in explanations and log lines.
#[derive(Clone, PartialEq, Eq)]
pub struct Policy {
    pub(crate) kind: PolicyKind,
    pub(crate) version: Version,
    pub(crate) label: Box<str>,
    pub(crate) text: Box<str>,
    pub(crate) statements: Box<[Statement]>,
    pub(crate) principals: Box<[(Box<str>, Box<str>)]>,
}

impl Policy {
    /// Reads a document that is to be stored: everything the service would refuse is refused here.
    ///
    /// What depends on other state is left to the caller: whether principals exist, whether the resource fits (see
    /// [`Policy::check_resource`]), totals over several policies, the lockout check of KMS.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn parse(text: impl AsRef<[u8]>, kind: PolicyKind) -> Result<Self, Rejection> {
        parse::policy(text.as_ref(), kind, parse::Rigour::Store)
    }

    /// Reads a document that is only to be evaluated, for instance one that stands in AWS already.
    ///
    /// The grammar is the same: an element or operator that is not understood is an error. Quotas, the vendor of
    /// actions, the form of resources, of principals (AWS shows the unique id of somebody deleted) and of condition
    /// values are not checked; a value that has not the form that is compared matches nothing.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn parse_lenient(text: impl AsRef<[u8]>, kind: PolicyKind) -> Result<Self, Rejection> {
        parse::policy(text.as_ref(), kind, parse::Rigour::Evaluate)
    }

    /// Names the policy for people: "managed policy `orders-writer`", "queue policy".
    #[must_use]
    pub fn labelled(mut self, label: impl Into<Box<str>>) -> Self {
        self.label = label.into();
        self
    }

    /// The name given by [`Policy::labelled`], otherwise the kind in words.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What the document is for.
    #[must_use]
    pub const fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// The language version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The document exactly as it was parsed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The document without white space between its parts. The decision of the printed document is the same.
    #[must_use]
    pub fn compact(&self) -> String {
        crate::json::read(&self.text).map_or_else(|_| self.text.to_string(), |node| node.to_string())
    }

    /// The statements in order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// All principals the document names, as (`"AWS"`, value): what must exist before the policy is stored.
    pub fn principals(&self) -> impl Iterator<Item = (&str, &str)> {
        self.principals.iter().map(|(kind, value)| (&**kind, &**value))
    }

    /// Checks that a resource policy speaks of the resource it is attached to.
    ///
    /// Buckets: every resource lies in this bucket, and every action applies to one of the statement's resources.
    /// Topics: every statement has a single resource, which is or covers the topic. Queues and keys: no rule.
    ///
    /// # Errors
    /// The first statement at fault.
    pub fn check_resource(&self, arn: &str) -> Result<(), Rejection> {
        parse::scope::check(self, arn).map_err(|fault| fault.into_rejection(&self.text))
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Policy")
            .field("kind", &self.kind)
            .field("label", &self.label)
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}
