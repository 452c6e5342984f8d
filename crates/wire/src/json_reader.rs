//! JSON text to a tree.
//!
//! Why not `serde_json::Value`: it copies every text and has no bound on its size. An empty body reads as `{}`.
//! A member that stands twice counts with its last value, as at AWS (a parser that streams cannot do otherwise
//! without remembering names).

use crate::malformed::Malformed;
use crate::node::{NODE_COUNT_MAX, NODE_DEPTH_MAX, Node};
use bytes::Bytes;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Text from this length on is worth a share in the request's memory, bytes.
const SHARED_BYTES_MIN: usize = 128;

/// Decodes a JSON document whose top is a structure. `memory` is where the document stands, if long texts may hold on
/// to that.
///
/// # Errors
/// [`Malformed::Syntax`] when it is not JSON, not an object, too deep or too wide.
pub(crate) fn read<'a>(body: &'a [u8], memory: Option<&'a Bytes>) -> Result<Node<'a>, Malformed> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Node::Map(Vec::new()));
    }
    let mut left = NODE_COUNT_MAX;
    let mut json = serde_json::Deserializer::from_slice(body);
    let node = Seed {
        depth: 0,
        left: &mut left,
        memory,
    }
    .deserialize(&mut json)
    .map_err(|error| Malformed::syntax(error.to_string()))?;
    json.end().map_err(|error| Malformed::syntax(error.to_string()))?;
    match node {
        Node::Map(_) => Ok(node),
        Node::Null
        | Node::Bool(_)
        | Node::Integer(_)
        | Node::Double(_)
        | Node::Text(_)
        | Node::Shared(..)
        | Node::Instant(_)
        | Node::List(_) => Err(Malformed::syntax("the request is not a JSON object")),
    }
}

/// Counts down what one document may still hold.
struct Seed<'c, 'de> {
    depth: usize,
    left: &'c mut usize,
    memory: Option<&'de Bytes>,
}

impl<'de> Seed<'_, 'de> {
    fn deeper<E: de::Error>(&mut self) -> Result<Seed<'_, 'de>, E> {
        if self.depth >= NODE_DEPTH_MAX {
            return Err(E::custom("nested too deeply"));
        }
        *self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| E::custom("too many values"))?;
        Ok(Seed {
            depth: self.depth.saturating_add(1),
            left: self.left,
            memory: self.memory,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, 'de> {
    type Value = Node<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, 'de> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Integer(value))
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "beyond 64 bits with a sign nothing is whole any more"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(i64::try_from(value).map_or(Node::Double(value as f64), Node::Integer))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Double(value))
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(match self.memory {
            Some(memory) if value.len() >= SHARED_BYTES_MIN => Node::Shared(value, memory),
            Some(_) | None => Node::Text(Cow::Borrowed(value)),
        })
    }
    fn visit_str<E>(self, value: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }
    fn visit_string<E>(self, value: String) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value)))
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self.deeper()?)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Node<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(Name(name)) = access.next_key_seed(NameSeed)? {
            pairs.push((name, access.next_value_seed(self.deeper()?)?));
        }
        Ok(Node::Map(pairs))
    }
}

/// A member's name, borrowed where possible (`Cow`'s own implementation always copies).
struct Name<'a>(Cow<'a, str>);
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Name<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name<'de>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Name<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(value)))
    }
    fn visit_str<E>(self, value: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(value.to_owned())))
    }
}
