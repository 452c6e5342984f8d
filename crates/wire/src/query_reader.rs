//! Query parameters to a tree, guided by the shape.
//!
//! `Entry.1.Attribute.2.Name=x` names a place by its path. The parameters are sorted by path once, after which
//! everything below a prefix lies together: one walk builds the tree, whatever the order and number of the
//! parameters.
//!
//! What clients send differs, and AWS reads it all: lists with and without `member`, maps with and without
//! `entry`, members by their Query name or their JSON name.

use crate::form::Form;
use crate::kind::{Kind, Member, Structure, UNNAMED};
use crate::malformed::{Malformed, Step};
use crate::node::{NODE_DEPTH_MAX, Node};
use bulla_types::Timestamp;
use std::borrow::Cow;
use std::cmp::Ordering;

/// A parameter: the whole name, and its value until it is taken.
type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Decodes the input of an operation from its parameters.
///
/// # Errors
/// [`Malformed::WrongType`] when a value does not parse as its member's kind; [`Malformed::Syntax`] when names nest
/// too deeply.
pub(crate) fn read<'a>(form: Form<'a>, structure: &'static Structure) -> Result<Node<'a>, Malformed> {
    let mut parameters = form.pairs;
    parameters.sort_by(|(left, _), (right, _)| compare_paths(left, right));
    let mut group = Group {
        parameters: &mut parameters,
        offset: 0,
        depth: 0,
    };
    group.structure(structure)
}

/// By segments, so that `A.1` and `A.1.B` are not torn apart by `A.10` or `A-B`.
fn compare_paths(left: &str, right: &str) -> Ordering {
    left.split('.').cmp(right.split('.'))
}

/// Parameters that agree in the first `offset` bytes of their names.
struct Group<'g, 'a> {
    parameters: &'g mut [Parameter<'a>],
    offset: usize,
    depth: usize,
}

impl<'a> Group<'_, 'a> {
    /// What is left of a name at this level; `None` when the name ends here.
    fn rest<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.get(self.offset..)
    }

    /// The parameters below the segment `head`, if there are any.
    fn below(&mut self, head: &str) -> Result<Option<Group<'_, 'a>>, Malformed> {
        let (offset, depth) = (self.offset, self.depth.saturating_add(1));
        if depth > NODE_DEPTH_MAX {
            return Err(Malformed::syntax("A parameter name has too many parts."));
        }
        let first = |name: &str| {
            name.get(offset..)
                .and_then(|rest| rest.split('.').next().map(|s| s.cmp(head)))
        };
        let start = self
            .parameters
            .partition_point(|(name, _)| first(name).is_none_or(|order| order == Ordering::Less));
        let length = self
            .parameters
            .get(start..)
            .unwrap_or_default()
            .partition_point(|(name, _)| first(name) == Some(Ordering::Equal));
        let Some(parameters) = self.parameters.get_mut(start..start.saturating_add(length)) else {
            return Ok(None);
        };
        if parameters.is_empty() {
            return Ok(None);
        }
        Ok(Some(Group {
            parameters,
            offset: offset.saturating_add(head.len()).saturating_add(1),
            depth,
        }))
    }

    /// The value of the parameter whose name ends here; the last one when it stands twice.
    fn own_value(&mut self) -> Option<Cow<'a, str>> {
        let offset = self.offset;
        let ending = self
            .parameters
            .partition_point(|(name, _)| name.get(offset..).is_none());
        let (_, value) = self.parameters.get_mut(..ending)?.last_mut()?;
        Some(std::mem::take(value))
    }

    fn structure(&mut self, structure: &'static Structure) -> Result<Node<'a>, Malformed> {
        let mut pairs = Vec::with_capacity(structure.members.len());
        for member in structure.members {
            if let Some(node) = self.member(member)? {
                pairs.push((Cow::Borrowed(member.name), node));
            }
        }
        Ok(Node::Map(pairs))
    }

    fn member(&mut self, member: &'static Member) -> Result<Option<Node<'a>>, Malformed> {
        let name = if self.below(member.query_name)?.is_some() {
            member.query_name
        } else {
            member.name
        };
        let Some(mut group) = self.below(name)? else {
            // An empty list leaves no parameter behind, so that it cannot be told from one that was not sent.
            let empty = member.required && member.flattened && matches!(member.kind, Kind::List(_));
            return Ok(empty.then(|| Node::List(Vec::new())));
        };
        group
            .value(&member.kind, member)
            .map_err(|error| error.within(Step::Member(member.name)))
    }

    /// The value at this place; `names` are those of the member it belongs to.
    fn value(&mut self, kind: &'static Kind, names: &'static Member) -> Result<Option<Node<'a>>, Malformed> {
        match kind {
            Kind::List(item) => self.list(item, names).map(Some),
            Kind::Map(value) => self.map(value, names).map(Some),
            Kind::Structure(structure) => self.structure(structure()).map(Some),
            Kind::Text
            | Kind::Integer
            | Kind::Long
            | Kind::Double
            | Kind::Boolean
            | Kind::Blob
            | Kind::Timestamp => self.own_value().map(|text| scalar(kind, text)).transpose(),
        }
    }

    fn list(&mut self, item: &'static Kind, names: &'static Member) -> Result<Node<'a>, Malformed> {
        if let Some(mut wrapped) = self.below(names.item_name)? {
            return wrapped.items(item);
        }
        if self.has_numbers() {
            return self.items(item);
        }
        // `AttributeName=All`, a list of one; `AttributeName=`, how SDKs write an empty list.
        match self.own_value() {
            Some(text) if !text.is_empty() && names.flattened => Ok(Node::List(vec![scalar(item, text)?])),
            Some(_) | None => Ok(Node::List(Vec::new())),
        }
    }

    fn items(&mut self, item: &'static Kind) -> Result<Node<'a>, Malformed> {
        let mut items = Vec::new();
        for (index, number) in self.numbers().into_iter().enumerate() {
            if let Some(mut group) = self.below(&number)? {
                let node = group
                    .value(item, &UNNAMED)
                    .map_err(|error| error.within(Step::Item(index)))?;
                items.extend(node);
            }
        }
        Ok(Node::List(items))
    }

    fn map(&mut self, value: &'static Kind, names: &'static Member) -> Result<Node<'a>, Malformed> {
        match self.below("entry")? {
            Some(mut wrapped) => wrapped.entries(value, names),
            None => self.entries(value, names),
        }
    }

    fn entries(&mut self, kind: &'static Kind, names: &'static Member) -> Result<Node<'a>, Malformed> {
        let mut pairs = Vec::new();
        for number in self.numbers() {
            let Some(mut entry) = self.below(&number)? else {
                continue;
            };
            let key = match entry.below(names.key_name)? {
                Some(mut group) => group.own_value(),
                None => None,
            };
            // An entry without a key, or without a value, says nothing.
            let Some(key) = key else { continue };
            let value = match entry.below(names.value_name)? {
                Some(mut group) => group
                    .value(kind, &UNNAMED)
                    .map_err(|error| error.within(Step::Entry(key.clone().into_owned())))?,
                None => None,
            };
            if let Some(value) = value {
                pairs.push((key, value));
            }
        }
        Ok(Node::Map(pairs))
    }

    fn has_numbers(&self) -> bool {
        self.parameters
            .iter()
            .any(|(name, _)| self.rest(name).is_some_and(|rest| number(rest).is_some()))
    }

    /// The distinct first segments that are numbers, in numeric order.
    fn numbers(&self) -> Vec<String> {
        let mut numbers: Vec<(u32, &str)> = self
            .parameters
            .iter()
            .filter_map(|(name, _)| self.rest(name).and_then(number))
            .collect();
        numbers.dedup();
        numbers.sort_unstable();
        numbers
            .into_iter()
            .map(|(_, segment)| segment.to_owned())
            .collect()
    }
}

/// The first segment when it is a list index.
fn number(rest: &str) -> Option<(u32, &str)> {
    let segment = rest.split('.').next()?;
    let digits = segment.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        segment.parse().ok().map(|number| (number, segment))
    } else {
        None
    }
}

/// A text as the kind that the shape declares.
fn scalar<'a>(kind: &Kind, text: Cow<'a, str>) -> Result<Node<'a>, Malformed> {
    let node = match kind {
        Kind::Text | Kind::Blob => return Ok(Node::Text(text)),
        Kind::Integer | Kind::Long => text.trim().parse().ok().map(Node::Integer),
        Kind::Double => text.trim().parse().ok().map(Node::Double),
        Kind::Boolean => match text.trim() {
            "true" | "True" | "TRUE" => Some(Node::Bool(true)),
            "false" | "False" | "FALSE" => Some(Node::Bool(false)),
            _ => None,
        },
        Kind::Timestamp => {
            Timestamp::parse_iso8601(text.trim()).map(|instant| Node::Instant(instant.as_millis()))
        }
        Kind::List(_) | Kind::Map(_) | Kind::Structure(_) => None,
    };
    node.ok_or_else(|| Malformed::wrong_type(kind.word(), "text"))
}
