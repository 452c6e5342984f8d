//! Reading members of an object, with errors that name them.

use crate::json::{Node, Value};

/// An object and the words that name it in errors.
pub(super) struct Members<'a> {
    node: &'a Node,
    name: &'a str,
}

/// A member of an object; `null` counts as absent, and so does everything in a value that is no object.
pub(super) fn find<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let Value::Object(members) = &node.value else {
        return None;
    };
    let member = members.iter().find(|member| member.name == name)?;
    (member.value.value != Value::Null).then_some(&member.value)
}

/// A string, number or boolean as text.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    }
}

/// The items of a list; a single value is a list of one.
pub(super) fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
            std::slice::from_ref(node)
        }
    }
}

impl<'a> Members<'a> {
    pub(super) fn of(node: &'a Node, name: &'a str) -> Result<Self, String> {
        match &node.value {
            Value::Object(_) => Ok(Self { node, name }),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_)) => {
                Err(format!("{name} is an object, not {}", other.kind()))
            }
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&'a Node> {
        find(self.node, name)
    }

    /// Name and value of every member that is not `null`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Node)> {
        let members: &[_] = match &self.node.value {
            Value::Object(members) => members,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => &[],
        };
        members
            .iter()
            .filter(|member| member.value.value != Value::Null)
            .map(|member| (member.name.as_str(), &member.value))
    }

    /// A text that must be there.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, String> {
        self.text_if_any(name)?
            .ok_or_else(|| format!("{} has no `{name}`", self.name))
    }

    pub(super) fn text_if_any(&self, name: &str) -> Result<Option<&'a str>, String> {
        match self.find(name).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(format!("`{name}` is a string, not {}", other.kind())),
        }
    }

    /// An object that may be absent.
    pub(super) fn object(&self, name: &'a str) -> Result<Option<Members<'a>>, String> {
        self.find(name).map(|node| Members::of(node, name)).transpose()
    }
}
