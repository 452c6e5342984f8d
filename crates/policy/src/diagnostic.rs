//! Why a document was refused, and where.
//!
//! A refused policy must be repairable from the message alone: the reason is a stable code, the sentence says
//! what is wrong, line and column say where, and [`Rejection::render`] prints it as a compiler would. Only the one
//! source line at fault is kept, cut to a bounded width, never the whole document.

use std::fmt;

/// What is wrong with a document: stable, so that services can choose their own error code by it.
///
/// The spelling of [`Reason::code`] follows the finding codes of IAM Access Analyzer's policy validation where
/// there is one (IAM User Guide, "Access Analyzer policy check reference").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// An action name is malformed.
    InvalidAction,
    /// An action belongs to another service, or cannot be granted by this kind of policy.
    ActionOutOfScope,
    /// Two condition keys, or two operators, differ in nothing but letter case.
    DuplicateConditionKey,
    /// A JSON object has two members of one name.
    DuplicateMember,
    /// Two statements share one `Sid` where that is forbidden.
    DuplicateSid,
    /// A value has the wrong JSON type.
    DataTypeMismatch,
    /// A character the service does not allow in this kind of document.
    InvalidCharacter,
    /// A condition key is malformed.
    InvalidConditionKey,
    /// No such condition operator.
    InvalidConditionOperator,
    /// A condition value does not have the form its operator compares.
    InvalidConditionValue,
    /// `Effect` is neither `Allow` nor `Deny`, or not the one this kind of policy takes.
    InvalidEffect,
    /// A principal is malformed, or of a form that this kind of policy does not take.
    InvalidPrincipal,
    /// A resource is neither `*` nor an ARN.
    InvalidResource,
    /// A `Sid` holds a character that this kind of policy forbids.
    InvalidSid,
    /// A policy variable is malformed or stands where none may stand.
    InvalidVariable,
    /// `Version` is neither `2012-10-17` nor `2008-10-17`.
    InvalidVersion,
    /// The text is not a JSON document.
    JsonSyntax,
    /// Neither `Action` nor `NotAction`.
    MissingAction,
    /// No `Effect`.
    MissingEffect,
    /// Neither `Principal` nor `NotPrincipal`, where one is required.
    MissingPrincipal,
    /// Neither `Resource` nor `NotResource`, where one is required.
    MissingResource,
    /// No `Statement`, or an empty one.
    MissingStatement,
    /// No `Version`, where it is required.
    MissingVersion,
    /// `Null` with `IfExists`.
    NullWithIfExists,
    /// A resource that the policy's own resource does not cover.
    ResourceOutOfScope,
    /// More actions in one statement than the quota.
    TooManyActions,
    /// More conditions than the quota.
    TooManyConditions,
    /// More principals than the quota.
    TooManyPrincipals,
    /// More statements than the quota.
    TooManyStatements,
    /// The document is longer than the quota.
    TooLarge,
    /// A member that the policy language does not have.
    UnknownElement,
    /// An element that this kind of policy does not take.
    UnsupportedElement,
    /// `Action` with `NotAction`, and the like.
    UnsupportedElementCombination,
}

impl Reason {
    /// The code in upper snake case, as Access Analyzer spells its findings.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidAction => "INVALID_ACTION",
            Self::ActionOutOfScope => "UNSUPPORTED_ACTION_IN_POLICY",
            Self::DuplicateConditionKey => "DUPLICATE_KEYS_WITH_DIFFERENT_CASE",
            Self::DuplicateMember => "DUPLICATE_MEMBER",
            Self::DuplicateSid => "UNIQUE_SIDS_REQUIRED",
            Self::DataTypeMismatch => "DATA_TYPE_MISMATCH",
            Self::InvalidCharacter => "INVALID_CHARACTER",
            Self::InvalidConditionKey => "INVALID_CONDITION_KEY_FORMAT",
            Self::InvalidConditionOperator => "INVALID_CONDITION_OPERATOR",
            Self::InvalidConditionValue => "TYPE_MISMATCH",
            Self::InvalidEffect => "INVALID_EFFECT",
            Self::InvalidPrincipal => "INVALID_PRINCIPAL_FORMAT",
            Self::InvalidResource => "INVALID_ARN_PREFIX",
            Self::InvalidSid => "UNSUPPORTED_SID",
            Self::InvalidVariable => "INVALID_VARIABLE",
            Self::InvalidVersion => "INVALID_VERSION",
            Self::JsonSyntax => "JSON_SYNTAX_ERROR",
            Self::MissingAction => "MISSING_ACTION",
            Self::MissingEffect => "MISSING_EFFECT",
            Self::MissingPrincipal => "MISSING_PRINCIPAL",
            Self::MissingResource => "MISSING_RESOURCE",
            Self::MissingStatement => "MISSING_STATEMENT",
            Self::MissingVersion => "MISSING_VERSION",
            Self::NullWithIfExists => "NULL_WITH_IF_EXISTS",
            Self::ResourceOutOfScope => "UNSUPPORTED_RESOURCE_ARN_IN_POLICY",
            Self::TooManyActions => "ACTION_QUOTA_EXCEEDED",
            Self::TooManyConditions => "CONDITION_QUOTA_EXCEEDED",
            Self::TooManyPrincipals => "PRINCIPAL_QUOTA_EXCEEDED",
            Self::TooManyStatements => "STATEMENT_QUOTA_EXCEEDED",
            Self::TooLarge => "POLICY_SIZE_EXCEEDS_QUOTA",
            Self::UnknownElement => "INVALID_POLICY_ELEMENT",
            Self::UnsupportedElement => "UNSUPPORTED_ELEMENT",
            Self::UnsupportedElementCombination => "UNSUPPORTED_ELEMENT_COMBINATION",
        }
    }

    /// Whether a quota was exceeded: most services answer those with another error code than a malformed document.
    #[must_use]
    pub const fn is_quota(self) -> bool {
        matches!(
            self,
            Self::TooLarge
                | Self::TooManyActions
                | Self::TooManyConditions
                | Self::TooManyPrincipals
                | Self::TooManyStatements
        )
    }
}

/// A fault found at a byte offset, before it is known in which line that is.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    pub(crate) at: usize,
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}

impl Fault {
    pub(crate) fn new(reason: Reason, at: usize, message: impl Into<String>) -> Self {
        Self {
            reason,
            at,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    pub(crate) fn into_rejection(self, text: &str) -> Rejection {
        Rejection {
            reason: self.reason,
            spot: Spot::of(text, self.at, self.message, self.help),
        }
    }
}

/// Source lines are shown up to this many characters.
const EXCERPT_CHARACTERS_MAX: usize = 160;

struct Place<'a> {
    line: usize,
    column: usize,
    source: &'a str,
}

impl<'a> Place<'a> {
    fn of(text: &'a str, at: usize) -> Self {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at = at.saturating_sub(1);
        }
        let (before, after) = text.split_at(at);
        let start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
        let end = after
            .find('\n')
            .map_or(text.len(), |newline| at.saturating_add(newline));
        Self {
            line: line_of(text, at),
            column: before
                .get(start..)
                .unwrap_or_default()
                .chars()
                .count()
                .saturating_add(1),
            source: text.get(start..end).unwrap_or_default().trim_end_matches('\r'),
        }
    }

    /// The part of the line around the fault, without control characters, and the caret's offset in it.
    fn excerpt(&self) -> (String, usize) {
        let first = (self.column.saturating_sub(1)).saturating_sub(EXCERPT_CHARACTERS_MAX / 2);
        let shown: String = self
            .source
            .chars()
            .skip(first)
            .take(EXCERPT_CHARACTERS_MAX)
            .map(|character| if character.is_control() { ' ' } else { character })
            .collect();
        let skipped = shown.chars().take_while(|character| *character == ' ').count();
        let caret = self.column.saturating_sub(1).saturating_sub(first);
        let trim = skipped.min(caret);
        (
            shown.chars().skip(trim).collect::<String>().trim_end().to_owned(),
            caret.saturating_sub(trim),
        )
    }
}

/// The line (from 1) of a byte offset.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    let newlines = text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    newlines.saturating_add(1)
}

/// What is said about one place of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
    pub(crate) line: usize,
    pub(crate) column: usize,
    excerpt: String,
    caret: usize,
}

impl Spot {
    pub(crate) fn of(text: &str, at: usize, message: String, help: Option<&'static str>) -> Self {
        let place = Place::of(text, at);
        let (excerpt, caret) = place.excerpt();
        Self {
            message,
            help,
            line: place.line,
            column: place.column,
            excerpt,
            caret,
        }
    }

    /// Several lines, with the source line and a caret, as a compiler prints them.
    pub(crate) fn render(&self, severity: &str, code: &str, name: &str) -> String {
        let line = self.line.to_string();
        let gutter = " ".repeat(line.len());
        let caret = " ".repeat(self.caret);
        let mut shown = format!(
            "{severity}[{code}]: {}\n{gutter}--> {name}:{line}:{}\n{gutter} |\n{line} | {}\n{gutter} | {caret}^\n",
            self.message, self.column, self.excerpt,
        );
        if let Some(help) = self.help {
            shown.push_str(&gutter);
            shown.push_str(" = help: ");
            shown.push_str(help);
            shown.push('\n');
        }
        shown
    }
}

/// A refused document.
///
/// [`fmt::Display`] prints one line; [`Rejection::render`] prints source line and caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    reason: Reason,
    spot: Spot,
}

impl Rejection {
    /// The stable reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
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

    /// The line at fault, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.spot.line
    }

    /// The column at fault in characters, from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.spot.column
    }

    pub(crate) fn into_spot(self) -> Spot {
        self.spot
    }

    /// A diagnostic of several lines with the source line and a caret; `name` is the file or policy shown.
    #[must_use]
    pub fn render(&self, name: &str) -> String {
        self.spot.render("error", self.reason.code(), name)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} at line {}, column {}",
            self.spot.message, self.spot.line, self.spot.column
        )
    }
}

impl std::error::Error for Rejection {}
