//! A statement as the rules see it: texts with their places, whatever is malformed left out.

use crate::condition::operator::Operator;
use crate::json::{Node, Value};
use crate::key::ConditionKey;
use crate::kind::PolicyKind;

/// What a rule found, and where.
pub(super) struct Found {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

impl Found {
    pub(super) fn new(at: usize, message: impl Into<String>, help: &'static str) -> Self {
        Self {
            at,
            message: message.into(),
            help: Some(help),
        }
    }
}

/// A text and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) at: usize,
    pub(super) text: &'a str,
}

/// One key under one operator.
pub(super) struct Test<'a> {
    pub(super) at: usize,
    pub(super) operator: Operator,
    pub(super) key: ConditionKey,
    pub(super) values: Vec<Placed<'a>>,
}

/// One statement.
pub(super) struct View<'a> {
    pub(super) kind: PolicyKind,
    pub(super) is_current_version: bool,
    pub(super) node: &'a Node,
    /// `Allow` or `Deny`.
    pub(super) effect: &'a str,
    pub(super) conditions: Vec<Test<'a>>,
}

pub(super) fn member<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let Value::Object(members) = &node.value else {
        return None;
    };
    let found = members.iter().find(|member| member.name == name)?;
    Some(&found.value)
}

/// The texts of a string or of a list.
pub(super) fn texts(node: Option<&Node>) -> Vec<Placed<'_>> {
    let items = match node {
        None => return Vec::new(),
        Some(node) => match &node.value {
            Value::List(items) => items.as_slice(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                std::slice::from_ref(node)
            }
        },
    };
    items
        .iter()
        .filter_map(|item| match &item.value {
            Value::Text(text) | Value::Number(text) => Some(Placed { at: item.at, text }),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => None,
        })
        .collect()
}

impl<'a> View<'a> {
    pub(super) fn of(document: &Node, node: &'a Node, kind: PolicyKind) -> Self {
        let version = texts(member(document, "Version"));
        Self {
            kind,
            is_current_version: version
                .first()
                .is_some_and(|version| version.text == "2012-10-17"),
            node,
            effect: texts(member(node, "Effect"))
                .first()
                .map_or("", |effect| effect.text),
            conditions: conditions(node),
        }
    }

    pub(super) fn allows(&self) -> bool {
        self.effect == "Allow"
    }

    pub(super) fn denies(&self) -> bool {
        self.effect == "Deny"
    }

    pub(super) fn texts(&self, element: &str) -> Vec<Placed<'a>> {
        texts(member(self.node, element))
    }

    /// Where an element's value stands, if it is there.
    pub(super) fn place(&self, element: &str) -> Option<usize> {
        member(self.node, element).map(|node| node.at)
    }

    /// The values of one type of principal.
    pub(super) fn principals(&self, kind: &str) -> Vec<Placed<'a>> {
        texts(member(self.node, "Principal").and_then(|principal| member(principal, kind)))
    }

    /// `"*"` or `{"AWS": "*"}`: everybody.
    pub(super) fn everyone(&self) -> Option<Placed<'a>> {
        let plain = self.texts("Principal").into_iter();
        plain
            .chain(self.principals("AWS"))
            .find(|principal| principal.text == "*")
    }

    /// Whether some condition looks at one of these keys, in lower case.
    pub(super) fn tests_one_of(&self, keys: &[&str]) -> bool {
        self.conditions
            .iter()
            .any(|test| keys.contains(&test.key.lower()))
    }
}

fn conditions(node: &Node) -> Vec<Test<'_>> {
    let mut tests = Vec::new();
    let Some(Value::Object(operators)) = member(node, "Condition").map(|node| &node.value) else {
        return tests;
    };
    for operator in operators {
        let (Some(parsed), Value::Object(keys)) = (Operator::parse(&operator.name), &operator.value.value)
        else {
            continue;
        };
        for key in keys {
            if let Some(name) = ConditionKey::parse(&key.name) {
                tests.push(Test {
                    at: key.at,
                    operator: parsed,
                    key: name,
                    values: texts(Some(&key.value)),
                });
            }
        }
    }
    tests
}
