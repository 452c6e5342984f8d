//! One statement: which elements it has, and that each is well-formed for this kind of policy.

use super::{Reading, conditions, principals, text_of, texts_of};
use crate::arn;
use crate::catalogue;
use crate::diagnostic::{Fault, Reason, line_of};
use crate::json::{Member, Node, Value};
use crate::kind::{PolicyKind, Presence};
use crate::pattern::{Pattern, Variables, Wildcards};
use crate::policy::{Effect, PatternElement, Statement};

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

pub(super) fn read(reading: &mut Reading<'_>, node: &Node) -> Result<Statement, Fault> {
    let Value::Object(members) = &node.value else {
        let message = format!("a statement is an object, not {}", node.value.kind());
        return Err(Fault::new(Reason::DataTypeMismatch, node.at, message));
    };
    if let Some(member) = members
        .iter()
        .find(|member| !ELEMENTS.contains(&member.name.as_str()))
    {
        return Err(unknown(member));
    }
    let statement = Elements { node, members };
    let sid = sid(reading, &statement)?;
    let effect = effect(reading, &statement)?;
    let principal = match statement.either("Principal", "NotPrincipal")? {
        Some((member, negated)) => Some(principals::read(reading, member, negated)?),
        None => None,
    };
    presence(
        &statement,
        reading.kind.principal(),
        principal.is_some(),
        reading.kind,
        Reason::MissingPrincipal,
    )?;
    let action = action(reading, &statement)?;
    let resource = match statement.either("Resource", "NotResource")? {
        Some((member, negated)) => Some(resource(reading, member, negated)?),
        None => None,
    };
    presence(
        &statement,
        reading.kind.resource(),
        resource.is_some(),
        reading.kind,
        Reason::MissingResource,
    )?;
    let conditions = match statement.find("Condition") {
        Some(member) => conditions::read(reading, &member.value)?,
        None => Vec::new(),
    };
    Ok(Statement {
        sid: sid.map(Into::into),
        line: line_of(reading.text, node.at),
        effect,
        principal,
        action,
        resource,
        conditions: conditions.into(),
    })
}

struct Elements<'a> {
    node: &'a Node,
    members: &'a [Member],
}

impl<'a> Elements<'a> {
    fn find(&self, name: &str) -> Option<&'a Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// An element or its negation, which exclude each other; `true` for the negation.
    fn either(&self, name: &str, negation: &str) -> Result<Option<(&'a Member, bool)>, Fault> {
        match (self.find(name), self.find(negation)) {
            (Some(_), Some(other)) => {
                let message = format!("`{name}` and `{negation}` cannot stand in one statement");
                Err(Fault::new(
                    Reason::UnsupportedElementCombination,
                    other.at,
                    message,
                ))
            }
            (Some(member), None) => Ok(Some((member, false))),
            (None, Some(member)) => Ok(Some((member, true))),
            (None, None) => Ok(None),
        }
    }
}

fn unknown(member: &Member) -> Fault {
    let name = &member.name;
    let fault = Fault::new(
        Reason::UnknownElement,
        member.at,
        format!("`{name}` is not an element of a statement"),
    );
    let alike = ELEMENTS.iter().any(|known| known.eq_ignore_ascii_case(name));
    if crate::condition::operator::Operator::parse(name).is_some() {
        return fault
            .help("a condition operator stands inside `Condition`: outside of it, it restricts nothing");
    }
    if alike {
        return fault.help("element names are case-sensitive");
    }
    fault
}

fn sid(reading: &mut Reading<'_>, statement: &Elements<'_>) -> Result<Option<String>, Fault> {
    let Some(member) = statement.find("Sid") else {
        return Ok(None);
    };
    let sid = text_of(&member.value, "Sid")?;
    if reading.is_strict() && reading.kind.has_strict_sids() {
        if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let message = format!("`Sid` of {} holds letters and digits only", reading.kind.noun());
            return Err(Fault::new(Reason::InvalidSid, member.value.at, message));
        }
        if !sid.is_empty() && !reading.sids.insert(sid.to_owned()) {
            let message = format!("two statements have the `Sid` `{sid}`");
            return Err(Fault::new(Reason::DuplicateSid, member.value.at, message));
        }
    }
    Ok(Some(sid.to_owned()))
}

fn effect(reading: &Reading<'_>, statement: &Elements<'_>) -> Result<Effect, Fault> {
    let member = statement.find("Effect").ok_or_else(|| {
        Fault::new(
            Reason::MissingEffect,
            statement.node.at,
            "this statement has no `Effect`",
        )
    })?;
    let at = member.value.at;
    let effect = match text_of(&member.value, "Effect")? {
        "Allow" => Effect::Allow,
        "Deny" => Effect::Deny,
        other => {
            let message = format!("`Effect` is `Allow` or `Deny`, not `{other}`");
            return Err(Fault::new(Reason::InvalidEffect, at, message).help("letter case matters here"));
        }
    };
    if reading.is_strict() && reading.kind == PolicyKind::ResourceControl && effect == Effect::Allow {
        return Err(Fault::new(
            Reason::InvalidEffect,
            at,
            "a resource control policy can only deny",
        ));
    }
    Ok(effect)
}

fn presence(
    statement: &Elements<'_>,
    wanted: Presence,
    found: bool,
    kind: PolicyKind,
    missing: Reason,
) -> Result<(), Fault> {
    let name = if missing == Reason::MissingPrincipal {
        "Principal"
    } else {
        "Resource"
    };
    match (wanted, found) {
        (Presence::Required, true) | (Presence::Forbidden, false) => Ok(()),
        (Presence::Required, false) => Err(Fault::new(
            missing,
            statement.node.at,
            format!("this statement has no `{name}`"),
        )),
        (Presence::Forbidden, true) => {
            let at = statement
                .members
                .iter()
                .find(|member| member.name.ends_with(name))
                .map_or(statement.node.at, |member| member.at);
            let message = format!("{} has no `{name}`", kind.noun());
            Err(Fault::new(Reason::UnsupportedElement, at, message))
        }
    }
}

fn action(reading: &Reading<'_>, statement: &Elements<'_>) -> Result<PatternElement, Fault> {
    let (member, negated) = statement.either("Action", "NotAction")?.ok_or_else(|| {
        Fault::new(
            Reason::MissingAction,
            statement.node.at,
            "this statement has no `Action`",
        )
    })?;
    let name = member.name.as_str();
    if negated && reading.is_strict() && reading.kind == PolicyKind::ResourceControl {
        let message = "a resource control policy has no `NotAction`";
        return Err(Fault::new(Reason::UnsupportedElement, member.at, message));
    }
    let texts = texts_of(&member.value, name)?;
    if texts.is_empty() {
        return Err(Fault::new(
            Reason::MissingAction,
            member.value.at,
            format!("`{name}` is empty"),
        ));
    }
    let max = reading.limits.actions_max;
    reading.quota(
        Reason::TooManyActions,
        member.value.at,
        texts.len(),
        max,
        "actions in one statement",
    )?;
    let compile = |(at, text)| one_action(reading, at, text);
    let patterns = texts.into_iter().map(compile).collect::<Result<_, _>>()?;
    Ok(PatternElement { negated, patterns })
}

fn one_action(reading: &Reading<'_>, at: usize, text: &str) -> Result<Pattern, Fault> {
    let pattern = Pattern::compile(text, Wildcards::Active, Variables::Literal)
        .map_err(|error| Fault::new(Reason::InvalidAction, at, error.message))?;
    let kind = reading.kind;
    if text == "*" {
        let wants_vendor = matches!(kind, PolicyKind::Trust | PolicyKind::ResourceControl);
        let sns = kind == PolicyKind::Resource(crate::kind::Vendor::Sns);
        if reading.is_strict() && (wants_vendor || sns) {
            let message = format!(
                "`Action` of {} names a service: the bare `*` is too wide",
                kind.noun()
            );
            return Err(Fault::new(Reason::ActionOutOfScope, at, message));
        }
        return Ok(pattern);
    }
    let plain = |part: &str, extra: &[u8]| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    let Some((vendor, name)) = text.split_once(':') else {
        let message = format!("`{text}` names no service");
        return Err(Fault::new(Reason::InvalidAction, at, message)
            .help("an action is `*` or `service:Name`, such as `sqs:SendMessage`"));
    };
    if !plain(vendor, b"-") || !plain(name, b"*?") {
        let message = format!("`{text}` is not an action");
        return Err(Fault::new(Reason::InvalidAction, at, message)
            .help("an action is `*` or `service:Name`; wildcards stand after the colon only"));
    }
    if !reading.is_strict() {
        return Ok(pattern);
    }
    if kind
        .vendor()
        .is_some_and(|wanted| !wanted.eq_ignore_ascii_case(vendor))
    {
        let message = format!("`{text}` belongs to another service than {}", kind.noun());
        return Err(Fault::new(Reason::ActionOutOfScope, at, message));
    }
    if let PolicyKind::Resource(vendor) = kind
        && let Some(fault) = catalogue::action_fault(vendor, &pattern)
    {
        return Err(Fault::new(
            Reason::ActionOutOfScope,
            at,
            format!("`{text}`: {fault}"),
        ));
    }
    Ok(pattern)
}

fn resource(reading: &Reading<'_>, member: &Member, negated: bool) -> Result<PatternElement, Fault> {
    let name = member.name.as_str();
    let texts = texts_of(&member.value, name)?;
    if texts.is_empty() {
        return Err(Fault::new(
            Reason::MissingResource,
            member.value.at,
            format!("`{name}` is empty"),
        ));
    }
    let variables = reading.version.variables();
    let compile = |(at, text): (usize, &str)| {
        let pattern = Pattern::compile(text, Wildcards::Active, variables)
            .map_err(|error| Fault::new(Reason::InvalidVariable, at, error.message))?;
        if reading.is_strict() {
            one_resource(reading, at, text, variables)?;
        }
        Ok(pattern)
    };
    let patterns = texts.into_iter().map(compile).collect::<Result<_, Fault>>()?;
    Ok(PatternElement { negated, patterns })
}

fn one_resource(reading: &Reading<'_>, at: usize, text: &str, variables: Variables) -> Result<(), Fault> {
    if let Some(fault) = arn::resource_fault(text, variables) {
        let reason = if fault.starts_with("policy variables") {
            Reason::InvalidVariable
        } else {
            Reason::InvalidResource
        };
        let fault = Fault::new(reason, at, format!("`{text}`: {fault}"));
        let is_url = text.starts_with("http");
        return Err(if is_url {
            fault.help("this is a URL: name the resource by its ARN")
        } else {
            fault
        });
    }
    if let PolicyKind::Resource(vendor) = reading.kind
        && let Some(service) = arn::service(text)
        && service != vendor.prefix()
    {
        let message = format!("`{text}` is not a resource of {}", vendor.prefix());
        return Err(Fault::new(Reason::ResourceOutOfScope, at, message));
    }
    Ok(())
}
