//! A request that does not have the declared shape.

use std::fmt;

/// One step from a structure to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member, by its JSON name.
    Member(&'static str),
    /// An item of a list, counted from 0.
    Item(usize),
    /// An entry of a map.
    Entry(String),
}

/// Where in the request: `Entries.1.MessageBody` (list items counted from 1, as Query does).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Innermost first, because a path is made while an error travels outward.
    inside_out: Vec<Step>,
}

impl Path {
    /// From the outside inward.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.inside_out.iter().rev()
    }

    /// As AWS's constraint messages write it: `entries.1.member.messageBody`.
    #[must_use]
    pub fn constraint_style(&self) -> String {
        let mut text = String::new();
        for step in self.steps() {
            if !text.is_empty() {
                text.push('.');
            }
            match step {
                Step::Member(name) => {
                    let mut letters = name.chars();
                    text.extend(letters.next().map(|first| first.to_ascii_lowercase()));
                    text.push_str(letters.as_str());
                }
                Step::Item(index) => {
                    text.push_str(&index.saturating_add(1).to_string());
                    text.push_str(".member");
                }
                Step::Entry(key) => {
                    text.push_str(key);
                    text.push_str(".member");
                }
            }
        }
        text
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            match step {
                Step::Member(name) => f.write_str(name)?,
                Step::Item(index) => write!(f, "{}", index.saturating_add(1))?,
                Step::Entry(key) => f.write_str(key)?,
            }
        }
        Ok(())
    }
}

/// Why a request could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Not JSON, not a form, or beyond [`NODE_DEPTH_MAX`](crate::NODE_DEPTH_MAX) or
    /// [`NODE_COUNT_MAX`](crate::NODE_COUNT_MAX).
    Syntax {
        /// What is wrong, for the client.
        reason: String,
    },
    /// A member has a value of another kind.
    WrongType {
        /// Which.
        path: Path,
        /// What it should hold: `integer`.
        expected: &'static str,
        /// What it held: `text`.
        found: &'static str,
    },
    /// A member that must be there is absent.
    Missing {
        /// Which.
        path: Path,
    },
}

impl Malformed {
    /// Wrong syntax.
    pub fn syntax(reason: impl Into<String>) -> Self {
        Self::Syntax {
            reason: reason.into(),
        }
    }

    /// A value of another kind, at the value itself; whoever reads around it adds the path.
    #[must_use]
    pub fn wrong_type(expected: &'static str, found: &'static str) -> Self {
        Self::WrongType {
            path: Path::default(),
            expected,
            found,
        }
    }

    /// An absent member.
    #[must_use]
    pub fn missing(member: &'static str) -> Self {
        Self::Missing {
            path: Path {
                inside_out: vec![Step::Member(member)],
            },
        }
    }

    /// The same error seen from one level further out.
    #[must_use]
    pub fn within(mut self, step: Step) -> Self {
        match &mut self {
            Self::Syntax { .. } => {}
            Self::WrongType { path, .. } | Self::Missing { path } => path.inside_out.push(step),
        }
        self
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { reason } => f.write_str(reason),
            Self::WrongType {
                path,
                expected,
                found,
            } => {
                write!(f, "{found} at {path} can not be converted to {expected}")
            }
            Self::Missing { path } => write!(f, "{path} is missing"),
        }
    }
}

impl std::error::Error for Malformed {}
