//! What the operator is told when something is wrong: what happened, why it matters, how to fix it.

use serde_json::{Value, json};
use std::fmt;
use std::process::ExitCode;

/// How the process ends. The numbers are part of the interface and stand in `bulla --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// Stopped after every request had been answered.
    Clean,
    /// Could not start, or could not go on.
    Failed,
    /// A flag, an environment variable or the configuration file is wrong.
    Usage,
    /// Stopped while requests were still waiting for their answer.
    Cut,
}

impl ExitReason {
    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Cut => 3,
        }
    }
}

impl From<ExitReason> for ExitCode {
    fn from(reason: ExitReason) -> Self {
        Self::from(reason.code())
    }
}

/// A message to the operator. Values they wrote stand in back-ticks, secrets never appear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorError {
    exit: ExitReason,
    what: String,
    why: Option<String>,
    fix: Option<String>,
    may_pass: bool,
}

impl OperatorError {
    /// Something that went wrong while starting or running.
    #[must_use]
    pub fn failed(what: impl Into<String>) -> Self {
        Self {
            exit: ExitReason::Failed,
            what: what.into(),
            why: None,
            fix: None,
            may_pass: false,
        }
    }

    /// A setting that cannot be accepted.
    #[must_use]
    pub fn usage(what: impl Into<String>) -> Self {
        Self {
            exit: ExitReason::Usage,
            what: what.into(),
            why: None,
            fix: None,
            may_pass: false,
        }
    }

    /// Why it is so, or why it matters.
    #[must_use]
    pub fn why(mut self, why: impl fmt::Display) -> Self {
        self.why = Some(why.to_string());
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Says that it may pass without anybody changing a setting.
    #[must_use]
    pub fn may_pass(mut self) -> Self {
        self.may_pass = true;
        self
    }

    /// Says that it will not pass.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        self.may_pass = false;
        self
    }

    /// Whether it may pass without anybody changing a setting.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        self.may_pass
    }

    /// As it is told to a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "what": self.what, "why": self.why, "fix": self.fix })
    }

    /// What another process of this program told.
    #[must_use]
    pub fn from_json(told: &Value) -> Self {
        let text = |name| told.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            exit: ExitReason::Failed,
            what: text("what").unwrap_or_else(|| "the server's answer cannot be read".to_owned()),
            why: text("why"),
            fix: text("fix"),
            may_pass: false,
        }
    }

    /// How the process ends because of it.
    #[must_use]
    pub const fn exit(&self) -> ExitReason {
        self.exit
    }
}

impl fmt::Display for OperatorError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.what)?;
        if let Some(why) = &self.why {
            write!(formatter, "\n  why: {why}")?;
        }
        if let Some(fix) = &self.fix {
            write!(formatter, "\n  fix: {fix}")?;
        }
        Ok(())
    }
}

impl std::error::Error for OperatorError {}

#[cfg(test)]
mod tests {
    use super::OperatorError;

    #[test]
    fn an_error_says_what_why_and_how_to_fix_it() {
        let error = OperatorError::usage("no `key`")
            .why("it is needed")
            .fix("write one");
        assert_eq!(
            error.to_string(),
            "error: no `key`\n  why: it is needed\n  fix: write one"
        );
        assert_eq!(error.exit().code(), 2);
    }
}
