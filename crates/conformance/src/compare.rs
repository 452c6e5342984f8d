//! What the services declare against what AWS declares.

use std::collections::BTreeSet;

use bulla_wire::{ErrorRow, Kind, Member, Structure};
use serde_json::Value;

use crate::model::{self, Model, ModelShape};
use crate::sqs_errors::SQS_ERRORS;

/// An operation as a service declares it.
#[derive(Clone, Debug)]
pub struct Described {
    /// `sqs`, as the folder of its AWS model is called.
    pub service: &'static str,
    /// `SendMessage`.
    pub operation: &'static str,
    /// Members of the request.
    pub input: &'static Structure,
    /// Members of the answer.
    pub output: &'static Structure,
    /// The whole error table of the service.
    pub errors: Vec<ErrorRow>,
}

/// Every difference between an operation and the model of its service, a line each, sorted.
#[must_use]
pub fn differences(described: &Described, model: &Model) -> Vec<String> {
    let mut comparison = Comparison::new(described, model);
    if model.operation(described.operation).is_none() {
        comparison.report("", "AWS has no such operation");
    } else {
        comparison.side(described, "input", described.input);
        comparison.side(described, "output", described.output);
        comparison.errors(described);
    }
    comparison.found.extend(comparison.names);
    comparison.found.into_iter().collect()
}

/// The differences in names, codes and statuses of the Query protocol only, for a model that is older than the service.
#[must_use]
pub fn query_differences(described: &Described, model: &Model) -> Vec<String> {
    let mut comparison = Comparison::new(described, model);
    if model.operation(described.operation).is_some() {
        comparison.side(described, "input", described.input);
        comparison.side(described, "output", described.output);
    }
    comparison.errors(described);
    comparison.names.into_iter().collect()
}

struct Comparison<'a> {
    model: &'a Model,
    place: String,
    /// Differences in what there is.
    found: BTreeSet<String>,
    /// Differences in how it is called on the wire.
    names: BTreeSet<String>,
    /// Pairs of structures that are being or have been compared: a structure may contain itself.
    visited: BTreeSet<(&'static str, String)>,
}

impl<'a> Comparison<'a> {
    fn new(described: &Described, model: &'a Model) -> Self {
        Self {
            model,
            place: format!("{}.{}", described.service, described.operation),
            found: BTreeSet::new(),
            names: BTreeSet::new(),
            visited: BTreeSet::new(),
        }
    }

    fn report(&mut self, path: &str, what: &str) {
        self.found.insert(format!("{}{path}: {what}", self.place));
    }

    fn report_name(&mut self, path: &str, what: &str) {
        self.names.insert(format!("{}{path}: {what}", self.place));
    }

    fn side(&mut self, described: &Described, side: &str, ours: &'static Structure) {
        let path = format!(".{side}");
        match self.model.side(described.operation, side) {
            Some(theirs) => {
                if ours.name != theirs.name && !ours.members.is_empty() {
                    self.report(
                        &path,
                        &format!("is named `{}`, at AWS `{}`", ours.name, theirs.name),
                    );
                }
                self.structure(&path, ours, theirs, side == "input");
            }
            None if ours.members.is_empty() => {}
            None => self.report(&path, "has members, at AWS there is none"),
        }
    }

    fn structure(&mut self, path: &str, ours: &'static Structure, theirs: ModelShape<'_>, request: bool) {
        if !self.visited.insert((ours.name, theirs.name.to_owned())) {
            return;
        }
        let members = theirs.members();
        for (name, reference) in &members {
            let path = format!("{path}.{name}");
            match ours.member(name) {
                Some(member) => {
                    if request && theirs.requires(name) && !member.required {
                        self.report(&path, "must be required");
                    }
                    self.member(&path, member, reference, request);
                }
                None => self.report(&path, "is missing"),
            }
        }
        for member in ours.members {
            if !members.iter().any(|(name, _)| *name == member.name) {
                self.report(&format!("{path}.{}", member.name), "does not exist at AWS");
            }
        }
    }

    fn member(&mut self, path: &str, ours: &Member, reference: &Value, request: bool) {
        let Some(theirs) = self.model.shape(reference) else {
            self.report(path, "refers to a shape that the model does not have");
            return;
        };
        if self.model.is_query() {
            self.query_names(path, ours, reference, theirs);
        }
        if self.model.is_ec2() {
            self.ec2_names(path, ours, reference, theirs, request);
        }
        self.kind(path, &ours.kind, theirs, request);
    }

    /// In answers members are called as the model says. In requests the first letter is a capital, lists are always
    /// flattened, and a member is found by its own name too.
    ///
    /// Source: Smithy 2.0, "AWS EC2 query protocol", "Query key resolution" (read 2026-11-21).
    fn ec2_names(
        &mut self,
        path: &str,
        ours: &Member,
        reference: &Value,
        theirs: ModelShape<'_>,
        request: bool,
    ) {
        let named = model::name(reference).unwrap_or(ours.name);
        if request {
            let mut letters = named.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            let called: String = first.into_iter().chain(letters).collect();
            if ours.query_name != called && ours.name != called {
                self.query_name(path, "called", ours.query_name, &called);
            }
            if ours.kind.repeats() && !ours.flattened {
                self.report_name(path, "is not flattened, as lists in requests to EC2 are");
            }
            return;
        }
        self.query_name(path, "called", ours.query_name, named);
        if ours.kind.repeats() {
            self.query_name(
                path,
                "a list of",
                ours.item_name,
                theirs.inner_name("member").unwrap_or("member"),
            );
        }
    }

    /// A flattened list is called as its items are, everything else by the name that the reference or
    /// the shape gives.
    fn query_names(&mut self, path: &str, ours: &Member, reference: &Value, theirs: ModelShape<'_>) {
        let flattened = theirs.flattened() || model::flag(reference, "flattened");
        let item = theirs.inner_name("member");
        let named = model::name(reference)
            .or_else(|| theirs.wire_name())
            .unwrap_or(ours.name);
        let called = if flattened { item.unwrap_or(named) } else { named };
        self.query_name(path, "called", ours.query_name, called);
        if !ours.kind.repeats() {
            return;
        }
        if ours.flattened != flattened {
            self.report_name(path, "is flattened, or not, other than at AWS");
        }
        if theirs.kind() == "map" {
            self.query_name(
                path,
                "keyed by",
                ours.key_name,
                theirs.inner_name("key").unwrap_or("key"),
            );
            self.query_name(
                path,
                "valued by",
                ours.value_name,
                theirs.inner_name("value").unwrap_or("value"),
            );
        } else if !flattened {
            self.query_name(path, "a list of", ours.item_name, item.unwrap_or("member"));
        }
    }

    fn query_name(&mut self, path: &str, what: &str, ours: &str, theirs: &str) {
        if ours != theirs {
            self.report_name(path, &format!("is {what} `{ours}` in Query, at AWS `{theirs}`"));
        }
    }

    fn kind(&mut self, path: &str, ours: &Kind, theirs: ModelShape<'_>, request: bool) {
        let same = match ours {
            Kind::Text => theirs.kind() == "string",
            Kind::Integer => theirs.kind() == "integer",
            Kind::Long => theirs.kind() == "long",
            Kind::Double => matches!(theirs.kind(), "double" | "float"),
            Kind::Boolean => theirs.kind() == "boolean",
            Kind::Blob => theirs.kind() == "blob",
            Kind::Timestamp => theirs.kind() == "timestamp",
            Kind::List(inner) => self.inner(path, inner, theirs, "list", request),
            Kind::Map(inner) => self.inner(path, inner, theirs, "map", request),
            Kind::Structure(structure) => {
                self.structure(path, structure(), theirs, request);
                theirs.kind() == "structure"
            }
        };
        if !same {
            self.report(path, &format!("is a {}, at AWS a {}", ours.word(), theirs.kind()));
        }
    }

    fn inner(&mut self, path: &str, ours: &Kind, theirs: ModelShape<'_>, kind: &str, request: bool) -> bool {
        if let Some(inner) = theirs.inner().and_then(|reference| self.model.shape(reference)) {
            self.kind(&format!("{path}[]"), ours, inner, request);
        }
        theirs.kind() == kind
    }

    /// Every declared error must be in the service's table, with AWS's code and status.
    fn errors(&mut self, described: &Described) {
        for theirs in self.model.errors(described.operation) {
            let path = format!(".{}", theirs.name);
            let Some(ours) = described.errors.iter().find(|row| row.shape == theirs.name) else {
                self.report(&path, "is an error that the table does not have");
                continue;
            };
            let (code, status) = theirs.error();
            let documented = SQS_ERRORS
                .iter()
                .find(|row| described.service == "sqs" && row.0 == theirs.name);
            let code = code.or(documented.map(|row| row.1)).unwrap_or(theirs.name);
            let status = status.or(documented.map(|row| u64::from(row.2)));
            if ours.query_code != code {
                self.report_name(
                    &path,
                    &format!("has the code `{}`, at AWS `{code}`", ours.query_code),
                );
            }
            if status.is_some_and(|status| status != u64::from(ours.status)) {
                let status = status.unwrap_or_default();
                self.report_name(&path, &format!("has the status {}, at AWS {status}", ours.status));
            }
        }
    }
}
