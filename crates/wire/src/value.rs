//! Values that can stand in a shape, and shapes themselves.

use crate::kind::{Kind, Member, Structure};
use crate::malformed::{Malformed, Step};
use crate::node::Node;
use crate::writer::Writer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_types::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Something that a member can hold.
///
/// Implement it for a type of your own by giving the kind it has on the wire and leaning on the implementation
/// for that kind:
///
/// ```
/// use bulla_wire::{Kind, Malformed, Node, Value, Writer};
///
/// struct Label(String);
///
/// impl Value for Label {
///     const KIND: Kind = Kind::Text;
///     fn read(node: Node<'_>) -> Result<Self, Malformed> {
///         String::read(node).map(Label)
///     }
///     fn write(&self, out: &mut dyn Writer) {
///         out.text(&self.0);
///     }
/// }
/// ```
///
/// Reading checks the kind only. Whether the value makes sense (a length, a pattern) is for the operation to say,
/// in the words and with the code that AWS has for it.
pub trait Value: Sized {
    /// What it is on the wire.
    const KIND: Kind;
    /// Whether a structure without it is refused.
    const REQUIRED: bool = true;

    /// From what the request held.
    ///
    /// # Errors
    /// [`Malformed`] when the node is of another kind.
    fn read(node: Node<'_>) -> Result<Self, Malformed>;

    /// What stands for an absent member; `None` when absence is an error. `Some` only where `REQUIRED` is false.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// Whether the member is written at all.
    fn present(&self) -> bool {
        true
    }

    /// Exactly one value to `out`.
    fn write(&self, out: &mut dyn Writer);

    /// About how many bytes it takes in JSON, so that an answer is written where it stays. Need not be exact.
    fn length_hint(&self) -> usize {
        16
    }
}

/// A structure: `#[derive(Shape)]` implements it, together with [`Value`].
pub trait Shape: Value {
    /// Name and members.
    fn structure() -> &'static Structure;
    /// Reads every member.
    ///
    /// # Errors
    /// [`Malformed`] for the first member that is missing or of another kind.
    fn take(members: &mut Members<'_>) -> Result<Self, Malformed>;
    /// Writes every member that is present.
    fn put(&self, out: &mut dyn Writer);
}

/// The members of a structure that is being read.
#[derive(Debug)]
pub struct Members<'a> {
    pairs: Vec<(Cow<'a, str>, Node<'a>)>,
}

impl Members<'_> {
    /// A member that must be there unless its type can be absent.
    ///
    /// # Errors
    /// [`Malformed::Missing`], or what reading the value says, with the path extended.
    pub fn take<T: Value>(&mut self, member: &'static Member) -> Result<T, Malformed> {
        match self.node(member.name) {
            Some(node) => T::read(node).map_err(|error| error.within(Step::Member(member.name))),
            None => T::absent().ok_or_else(|| Malformed::missing(member.name)),
        }
    }

    /// A member whose absence means the type's default.
    ///
    /// # Errors
    /// What reading the value says, with the path extended.
    pub fn take_or_default<T: Value + Default>(&mut self, member: &'static Member) -> Result<T, Malformed> {
        match self.node(member.name) {
            Some(node) => T::read(node).map_err(|error| error.within(Step::Member(member.name))),
            None => Ok(T::default()),
        }
    }

    /// The last value of that name; `null` counts as absent.
    fn node(&mut self, name: &str) -> Option<Node<'_>> {
        let (_, node) = self.pairs.iter_mut().rev().find(|(key, _)| key == name)?;
        let node = std::mem::replace(node, Node::Null);
        if node == Node::Null { None } else { Some(node) }
    }
}

/// Writes one member if it is present. For the derive.
pub fn put<T: Value>(out: &mut dyn Writer, member: &'static Member, value: &T) {
    if value.present() {
        out.member(member);
        value.write(out);
    }
}

/// About how many bytes a member takes in JSON, with its name. For the derive.
pub fn length_hint<T: Value>(member: &'static Member, value: &T) -> usize {
    if value.present() {
        // Two quotes, a colon, a comma.
        member
            .name
            .len()
            .saturating_add(4)
            .saturating_add(value.length_hint())
    } else {
        0
    }
}

/// Reads a structure. For the derive.
///
/// # Errors
/// [`Malformed`] when the node is not a structure or a member is wrong.
pub fn read_structure<T: Shape>(node: Node<'_>) -> Result<T, Malformed> {
    if let Node::Map(pairs) = node {
        T::take(&mut Members { pairs })
    } else {
        Err(wrong(T::KIND, &node))
    }
}

/// Writes a structure. For the derive.
pub fn write_structure<T: Shape>(value: &T, out: &mut dyn Writer) {
    out.begin_structure();
    value.put(out);
    out.end_structure();
}

pub(crate) fn wrong(kind: Kind, node: &Node<'_>) -> Malformed {
    Malformed::wrong_type(kind.word(), node.word())
}

/// No members at all: the input or output of an operation that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Empty;

static NOTHING: Structure = Structure {
    name: "",
    members: &[],
};

impl Shape for Empty {
    fn structure() -> &'static Structure {
        &NOTHING
    }
    fn take(_: &mut Members<'_>) -> Result<Self, Malformed> {
        Ok(Self)
    }
    fn put(&self, _: &mut dyn Writer) {}
}

impl Value for Empty {
    const KIND: Kind = Kind::Structure(<Self as Shape>::structure);
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        read_structure(node)
    }
    fn write(&self, out: &mut dyn Writer) {
        write_structure(self, out);
    }
}

impl Value for String {
    const KIND: Kind = Kind::Text;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        let text = node.into_text().map_err(|node| wrong(Self::KIND, &node))?;
        Ok(text.into_owned())
    }
    fn write(&self, out: &mut dyn Writer) {
        out.text(self);
    }
    fn length_hint(&self) -> usize {
        self.len().saturating_add(3)
    }
}

impl Value for bool {
    const KIND: Kind = Kind::Boolean;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        if let Node::Bool(value) = node {
            Ok(value)
        } else {
            Err(wrong(Self::KIND, &node))
        }
    }
    fn write(&self, out: &mut dyn Writer) {
        out.boolean(*self);
    }
}

impl Value for i32 {
    const KIND: Kind = Kind::Integer;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        let found = node.word();
        whole_number(&node)
            .and_then(|number| Self::try_from(number).ok())
            .ok_or_else(|| Malformed::wrong_type(Self::KIND.word(), found))
    }
    fn write(&self, out: &mut dyn Writer) {
        out.integer(i64::from(*self));
    }
}

impl Value for i64 {
    const KIND: Kind = Kind::Long;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        whole_number(&node).ok_or_else(|| wrong(Self::KIND, &node))
    }
    fn write(&self, out: &mut dyn Writer) {
        out.integer(*self);
    }
}

/// `5` and `5.0`, not `5.5`: AWS would cut the fraction off, which hides a mistake of the client.
fn whole_number(node: &Node<'_>) -> Option<i64> {
    // Beyond 2^53 a double no longer tells neighbouring whole numbers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match node {
        Node::Integer(number) => Some(*number),
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        Node::Double(number) if number.fract() == 0.0 && number.abs() <= EXACT => Some(*number as i64),
        Node::Double(_)
        | Node::Null
        | Node::Bool(_)
        | Node::Text(_)
        | Node::Shared(..)
        | Node::Instant(_)
        | Node::List(_)
        | Node::Map(_) => None,
    }
}

impl Value for f64 {
    const KIND: Kind = Kind::Double;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        match node {
            #[expect(clippy::cast_precision_loss, reason = "a double is what the model declares")]
            Node::Integer(number) => Ok(number as Self),
            Node::Double(number) => Ok(number),
            Node::Null
            | Node::Bool(_)
            | Node::Text(_)
            | Node::Shared(..)
            | Node::Instant(_)
            | Node::List(_)
            | Node::Map(_) => Err(wrong(Self::KIND, &node)),
        }
    }
    fn write(&self, out: &mut dyn Writer) {
        out.double(*self);
    }
}

/// Bytes. Prints its length only, because bytes are often what was encrypted.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Blob(pub Vec<u8>);

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Value for Blob {
    const KIND: Kind = Kind::Blob;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        let text = node.into_text().map_err(|node| wrong(Self::KIND, &node))?;
        BASE64
            .decode(text.as_bytes())
            .map(Self)
            .map_err(|_| Malformed::wrong_type(Self::KIND.word(), "text that is not base64"))
    }
    fn write(&self, out: &mut dyn Writer) {
        out.blob(&self.0);
    }
    fn length_hint(&self) -> usize {
        // Four letters for three bytes.
        self.0.len().saturating_add(self.0.len() / 2).saturating_add(8)
    }
}

impl Value for Timestamp {
    const KIND: Kind = Kind::Timestamp;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        // The year 9999; keeps the product below far from where doubles lose milliseconds.
        const SECONDS_MAX: f64 = 253_402_300_799.0;
        match node {
            Node::Instant(millis) => Ok(Self::from_millis(millis)),
            Node::Integer(seconds) => u64::try_from(seconds)
                .map(Self::from_seconds)
                .map_err(|_| Malformed::wrong_type(Self::KIND.word(), "time before 1970")),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked by the range"
            )]
            Node::Double(seconds) if (0.0..=SECONDS_MAX).contains(&seconds) => {
                Ok(Self::from_millis((seconds * 1000.0).round() as u64))
            }
            Node::Double(_)
            | Node::Null
            | Node::Bool(_)
            | Node::Text(_)
            | Node::Shared(..)
            | Node::List(_)
            | Node::Map(_) => Err(wrong(Self::KIND, &node)),
        }
    }
    fn write(&self, out: &mut dyn Writer) {
        out.timestamp(*self);
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;
    const REQUIRED: bool = false;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        if node == Node::Null {
            Ok(None)
        } else {
            T::read(node).map(Some)
        }
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn present(&self) -> bool {
        self.is_some()
    }
    fn write(&self, out: &mut dyn Writer) {
        match self {
            Some(value) => value.write(out),
            None => out.null(),
        }
    }
    fn length_hint(&self) -> usize {
        self.as_ref().map_or(4, T::length_hint)
    }
}

impl<T: Value> Value for Box<T> {
    const KIND: Kind = T::KIND;
    const REQUIRED: bool = T::REQUIRED;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        T::read(node).map(Self::new)
    }
    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }
    fn present(&self) -> bool {
        T::present(self)
    }
    fn write(&self, out: &mut dyn Writer) {
        T::write(self, out);
    }
    fn length_hint(&self) -> usize {
        T::length_hint(self)
    }
}

impl<T: Value> Value for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        if let Node::List(items) = node {
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| T::read(item).map_err(|error| error.within(Step::Item(index))))
                .collect()
        } else {
            Err(wrong(Self::KIND, &node))
        }
    }
    fn write(&self, out: &mut dyn Writer) {
        out.begin_list();
        for item in self {
            out.item();
            item.write(out);
        }
        out.end_list();
    }
    fn length_hint(&self) -> usize {
        let items = self.iter().map(T::length_hint);
        items.fold(2, |sum, item| sum.saturating_add(item).saturating_add(1))
    }
}

impl<T: Value> Value for BTreeMap<String, T> {
    const KIND: Kind = Kind::Map(&T::KIND);
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        if let Node::Map(pairs) = node {
            pairs
                .into_iter()
                .map(|(key, node)| match T::read(node) {
                    Ok(value) => Ok((key.into_owned(), value)),
                    Err(error) => Err(error.within(Step::Entry(key.into_owned()))),
                })
                .collect()
        } else {
            Err(wrong(Self::KIND, &node))
        }
    }
    fn write(&self, out: &mut dyn Writer) {
        out.begin_map();
        for (key, value) in self {
            out.key(key);
            value.write(out);
        }
        out.end_map();
    }
    fn length_hint(&self) -> usize {
        self.iter().fold(2, |sum, (key, value)| {
            sum.saturating_add(key.len())
                .saturating_add(4)
                .saturating_add(value.length_hint())
        })
    }
}
