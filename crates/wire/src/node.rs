//! A decoded request before it becomes a shape.
//!
//! Why a tree between: the two ways in (JSON text, a flat list of Query parameters) meet here, so that shapes are
//! read by one piece of code. Text is borrowed from the request where nothing had to be unescaped.

use bytes::Bytes;
use std::borrow::Cow;

/// How deep values may nest; deeper requests are refused. No AWS shape needs more than a dozen levels.
pub const NODE_DEPTH_MAX: usize = 32;

/// How many values one request may hold; more are refused. The widest AWS batch needs some thousands.
pub const NODE_COUNT_MAX: usize = 65_536;

/// One value of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<'a> {
    /// JSON's `null`; reads as absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number, also one beyond 64 bits.
    Double(f64),
    /// Text; blobs are still base64.
    Text(Cow<'a, str>),
    /// Long text that stands in the request as it is, and the memory in which it stands: see [`crate::SharedText`].
    Shared(&'a str, &'a Bytes),
    /// A point in time that the wire wrote as a date: milliseconds since the epoch.
    Instant(u64),
    /// Values in order.
    List(Vec<Node<'a>>),
    /// Members or map entries in order. A name that stands twice counts with its last value, as at AWS.
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Its text, or the node itself when it is something else.
    pub(crate) fn into_text(self) -> Result<Cow<'a, str>, Self> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Shared(text, _) => Ok(Cow::Borrowed(text)),
            Self::Null
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Double(_)
            | Self::Instant(_)
            | Self::List(_)
            | Self::Map(_) => Err(self),
        }
    }

    /// A word for messages: `text`, `list`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Double(_) => "double",
            Self::Text(_) | Self::Shared(..) => "text",
            Self::Instant(_) => "timestamp",
            Self::List(_) => "list",
            Self::Map(_) => "structure or map",
        }
    }
}
