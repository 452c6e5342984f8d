//! Whether a resource policy speaks of the resource it is attached to.

use crate::context::EmptyContext;
use crate::diagnostic::{Fault, Reason};
use crate::kind::{PolicyKind, Vendor};
use crate::pattern::Case;
use crate::policy::{Policy, Statement};
use crate::s3;

pub(crate) fn check(policy: &Policy, arn: &str) -> Result<(), Fault> {
    let PolicyKind::Resource(vendor) = policy.kind else {
        return Ok(());
    };
    let check: fn(&Statement, &str) -> Option<(Reason, String)> = match vendor {
        Vendor::Kms | Vendor::Sqs => return Ok(()),
        Vendor::Sns => topic,
        Vendor::S3 => bucket,
    };
    for statement in &policy.statements {
        if let Some((reason, message)) = check(statement, arn) {
            let at = offset_of_line(&policy.text, statement.line);
            return Err(Fault::new(reason, at, message));
        }
    }
    Ok(())
}

fn offset_of_line(text: &str, line: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = before.map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start.saturating_add(rest.len().saturating_sub(rest.trim_start().len()))
}

fn topic(statement: &Statement, arn: &str) -> Option<(Reason, String)> {
    let resource = statement.resource.as_ref()?;
    let fault = |message: String| Some((Reason::ResourceOutOfScope, message));
    if resource.negated {
        return fault("a topic policy speaks of its topic: `NotResource` cannot".to_owned());
    }
    match &*resource.patterns {
        [only] if only.matches(arn, &EmptyContext, Case::Sensitive) || only.has_variable() => None,
        [only] => fault(format!("`{}` is not the topic `{arn}`", only.text())),
        _ => fault("a statement of a topic policy applies to a single resource, the topic".to_owned()),
    }
}

fn bucket(statement: &Statement, arn: &str) -> Option<(Reason, String)> {
    let resource = statement.resource.as_ref()?;
    for pattern in &resource.patterns {
        let inside = pattern.text().strip_prefix(arn);
        if !inside.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*'])) {
            let message = format!("`{}` does not lie in the bucket `{arn}`", pattern.text());
            return Some((Reason::ResourceOutOfScope, message));
        }
    }
    if statement.action.negated || resource.negated {
        return None;
    }
    let names_bucket = |text: &str| !text.contains('/');
    let names_objects = |text: &str| text.contains('/') || text.ends_with('*');
    let has_bucket = resource
        .patterns
        .iter()
        .any(|pattern| names_bucket(pattern.text()));
    let has_objects = resource
        .patterns
        .iter()
        .any(|pattern| names_objects(pattern.text()));
    let misfit = statement.action.patterns.iter().find(|action| {
        let (on_bucket, on_objects) = s3::applies_to(action);
        !((on_bucket && has_bucket) || (on_objects && has_objects))
    })?;
    let message = format!(
        "`{}` applies to none of the resources of this statement",
        misfit.text()
    );
    Some((Reason::ActionOutOfScope, message))
}
