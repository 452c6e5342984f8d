//! What is known about a request besides principal, action and resource: the values of condition keys.
//!
//! The evaluator asks for a key when a statement needs it, so that nothing is computed for requests no condition
//! looks at. An implementation answers from what it already holds; borrowed answers keep the allow path free of
//! allocation. A key that is absent is `None`, which differs from every value.

use crate::key::ConditionKey;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::IpAddr;

/// Where the evaluator finds the values of condition keys.
pub trait Context {
    /// The values of `key`, or `None` when the request does not have it.
    ///
    /// [`ConditionKey::known`] identifies a key of AWS without comparing text; [`ConditionKey::suffix`] is the part
    /// after `aws:PrincipalTag/` and the like; [`ConditionKey::lower`] is the whole name for anything else.
    fn values(&self, key: &ConditionKey) -> Option<Values<'_>>;
}

/// One value of a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text, and everything for which there is no better form.
    Text(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A point in time, seconds since 1970-01-01T00:00:00Z.
    Time(i64),
    /// An address.
    Address(IpAddr),
}

impl<'a> Value<'a> {
    /// The value as text compares it. Allocates for numbers, times and addresses only.
    #[must_use]
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bool(_) | Self::Number(_) | Self::Time(_) | Self::Address(_) => {
                Cow::Owned(self.with_text(str::to_owned))
            }
        }
    }

    /// Does something with the value as text compares it. Allocates nothing.
    pub(crate) fn with_text<T>(self, then: impl FnOnce(&str) -> T) -> T {
        match self {
            Self::Text(text) => then(text),
            Self::Bool(true) => then("true"),
            Self::Bool(false) => then("false"),
            Self::Number(number) => ShortText::of(|to| write!(to, "{number}"), then),
            Self::Time(seconds) => ShortText::of(|to| crate::condition::date::write(seconds, to), then),
            Self::Address(address) => ShortText::of(|to| write!(to, "{address}"), then),
        }
    }
}

/// Room for the text of a number, time or address: the longest is an IPv6 address with an IPv4 address in it, 45.
const SHORT_TEXT_BYTES_MAX: usize = 64;

struct ShortText {
    bytes: [u8; SHORT_TEXT_BYTES_MAX],
    used: usize,
}

impl ShortText {
    /// Writes, and does something with what was written.
    fn of<T>(fill: impl FnOnce(&mut Self) -> fmt::Result, then: impl FnOnce(&str) -> T) -> T {
        let mut text = Self {
            bytes: [0; SHORT_TEXT_BYTES_MAX],
            used: 0,
        };
        // What is written is shorter than the room; what did not fit would equal nothing.
        let whole = fill(&mut text).is_ok();
        let written = text.bytes.get(..text.used).filter(|_| whole);
        then(
            written
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .unwrap_or_default(),
        )
    }
}

impl fmt::Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.used.saturating_add(text.len());
        let room = self.bytes.get_mut(self.used..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.used = end;
        Ok(())
    }
}

/// The values of a condition key: one, or a list for keys that are multivalued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values<'a> {
    /// A single-valued key.
    One(Value<'a>),
    /// A multivalued key; an empty list counts as an absent key.
    Many(&'a [String]),
    /// A multivalued key whose values are borrowed.
    Borrowed(&'a [&'a str]),
}

impl<'a> Values<'a> {
    /// A single text.
    #[must_use]
    pub const fn text(text: &'a str) -> Self {
        Self::One(Value::Text(text))
    }

    /// Whether there is no value at all.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        match self {
            Self::One(_) => false,
            Self::Many(list) => list.is_empty(),
            Self::Borrowed(list) => list.is_empty(),
        }
    }

    /// The values in order.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        let (one, many, borrowed): (_, &[String], &[&str]) = match self {
            Self::One(value) => (Some(value), &[], &[]),
            Self::Many(list) => (None, list, &[]),
            Self::Borrowed(list) => (None, &[], list),
        };
        one.into_iter()
            .chain(many.iter().map(|text| Value::Text(text)))
            .chain(borrowed.iter().map(|text| Value::Text(text)))
    }

    /// Whether a condition holds of any value.
    pub(crate) fn any(self, mut holds: impl FnMut(Value<'a>) -> bool) -> bool {
        match self {
            Self::One(value) => holds(value),
            Self::Many(list) => list.iter().any(|text| holds(Value::Text(text))),
            Self::Borrowed(list) => list.iter().any(|text| holds(Value::Text(text))),
        }
    }

    /// The one value of a single-valued key: only those can stand in a policy variable.
    #[must_use]
    pub const fn single(self) -> Option<Value<'a>> {
        match self {
            Self::One(value) => Some(value),
            Self::Many(_) | Self::Borrowed(_) => None,
        }
    }
}

/// A context without any key.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyContext;

impl Context for EmptyContext {
    fn values(&self, _key: &ConditionKey) -> Option<Values<'_>> {
        None
    }
}

/// A context that owns its values: for tests, the simulator and the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapContext {
    values: BTreeMap<String, Owned>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Owned {
    One(String),
    Many(Vec<String>),
}

impl MapContext {
    /// A context without any key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same context with one more single-valued key; key names are case-insensitive.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.insert(key, value);
        self
    }

    /// Adds or replaces a single-valued key.
    pub fn insert(&mut self, key: &str, value: impl Into<String>) {
        self.values.insert(key.to_lowercase(), Owned::One(value.into()));
    }

    /// Adds or replaces a multivalued key.
    pub fn insert_list(&mut self, key: &str, values: Vec<String>) {
        self.values.insert(key.to_lowercase(), Owned::Many(values));
    }

    /// The value of a single-valued key; `lower` is its name in lower case.
    pub(crate) fn single_text(&self, lower: &str) -> Option<&str> {
        match self.values.get(lower)? {
            Owned::One(text) => Some(text),
            Owned::Many(_) => None,
        }
    }

    /// The names of all keys, in lower case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

impl Context for MapContext {
    fn values(&self, key: &ConditionKey) -> Option<Values<'_>> {
        self.values.get(key.lower()).map(|owned| match owned {
            Owned::One(text) => Values::text(text),
            Owned::Many(list) => Values::Many(list),
        })
    }
}
