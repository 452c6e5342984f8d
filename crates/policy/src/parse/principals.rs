//! `Principal` and `NotPrincipal`.

use super::{Reading, texts_of};
use crate::diagnostic::{Fault, Reason};
use crate::json::{Member, Value};
use crate::kind::{PolicyKind, Vendor};
use crate::principal::{Entry, PrincipalElement};

pub(super) fn read(
    reading: &mut Reading<'_>,
    member: &Member,
    negated: bool,
) -> Result<PrincipalElement, Fault> {
    if negated && !reading.kind.takes_not_principal() {
        let message = format!("{} has no `NotPrincipal`", reading.kind.noun());
        return Err(Fault::new(Reason::UnsupportedElement, member.at, message));
    }
    let node = &member.value;
    let entries = match &node.value {
        Value::Text(text) if text == "*" => {
            reading.principals.push(("AWS".into(), "*".into()));
            vec![Entry::Everyone]
        }
        Value::Object(members) => {
            let mut entries = Vec::new();
            for member in members {
                entries.extend(of_type(reading, member)?);
            }
            entries
        }
        Value::Text(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) => {
            let message = format!("`{}` is `\"*\"` or an object", member.name);
            return Err(Fault::new(Reason::InvalidPrincipal, node.at, message)
                .help("write `{\"AWS\": \"arn:aws:iam::111122223333:role/name\"}`"));
        }
    };
    if entries.is_empty() {
        let message = format!("`{}` names nobody", member.name);
        return Err(Fault::new(Reason::MissingPrincipal, node.at, message));
    }
    if reading.is_strict() {
        check_kind(reading, node.at, &entries)?;
    }
    Ok(PrincipalElement {
        negated,
        entries: entries.into(),
    })
}

fn check_kind(reading: &Reading<'_>, at: usize, entries: &[Entry]) -> Result<(), Fault> {
    if reading.kind == PolicyKind::ResourceControl && entries != [Entry::Everyone] {
        let message = "`Principal` of a resource control policy is exactly `\"*\"`";
        return Err(Fault::new(Reason::InvalidPrincipal, at, message)
            .help("narrow it by conditions such as `aws:PrincipalOrgID`"));
    }
    let max = reading.limits.principals_max;
    reading.quota(
        Reason::TooManyPrincipals,
        at,
        reading.principals.len(),
        max,
        "principals",
    )
}

fn of_type(reading: &mut Reading<'_>, member: &Member) -> Result<Vec<Entry>, Fault> {
    let parse: fn(&str) -> Result<Entry, &'static str> = match member.name.as_str() {
        "AWS" => Entry::parse_aws,
        "Service" => Entry::parse_service,
        "Federated" => Entry::parse_federated,
        "CanonicalUser" => Entry::parse_canonical_user,
        other => {
            let message = format!("`{other}` is not a type of principal");
            return Err(Fault::new(Reason::InvalidPrincipal, member.at, message).help(
                "the types are `AWS`, `Service`, `Federated` and `CanonicalUser`; letter case matters",
            ));
        }
    };
    let bucket = reading.kind == PolicyKind::Resource(Vendor::S3);
    if member.name == "CanonicalUser" && !bucket && reading.is_strict() {
        let message = "`CanonicalUser` is known to bucket policies only";
        return Err(Fault::new(Reason::InvalidPrincipal, member.at, message));
    }
    let mut entries = Vec::new();
    for (at, text) in texts_of(&member.value, &member.name)? {
        let entry = match parse(text) {
            Ok(entry) => entry,
            Err(_) if !reading.is_strict() => Entry::Nobody,
            Err(wanted) => {
                return Err(Fault::new(
                    Reason::InvalidPrincipal,
                    at,
                    format!("`{text}`: {wanted}"),
                ));
            }
        };
        reading
            .principals
            .push((member.name.as_str().into(), text.into()));
        entries.push(entry);
    }
    Ok(entries)
}
