//! Amazon resource names as patterns: six parts, the first five without colons.

use crate::context::Context;
use crate::pattern::{Case, Pattern, VariableError, Variables, Wildcards};

/// Splits `arn:partition:service:region:account:resource`; `None` when there are fewer parts.
pub(crate) fn split(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.splitn(6, ':');
    let six = [
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    ];
    Some(six)
}

/// A pattern of `ArnEquals` and `ArnLike`, which AWS compares part by part: a `*` never crosses one of the first
/// five colons. Source: IAM User Guide, "Amazon Resource Name (ARN) condition operators".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    /// The bare `*`: any ARN.
    Any,
    Parts(Box<[Pattern; 6]>),
    /// Not an ARN: compared with nothing.
    Never,
}

impl ArnPattern {
    /// Compiles the pattern; an ill-formed one becomes [`ArnPattern::Never`].
    pub(crate) fn compile(text: &str, variables: Variables) -> Result<Self, VariableError> {
        let whole = Pattern::compile(text, Wildcards::Active, variables)?;
        if whole.is_everything() {
            return Ok(Self::Any);
        }
        if let Some(parts) = split_outside_variables(text, variables) {
            let mut compiled = Vec::with_capacity(6);
            for part in parts {
                compiled.push(Pattern::compile(part, Wildcards::Active, variables)?);
            }
            if let Ok(six) = <Box<[Pattern; 6]>>::try_from(compiled.into_boxed_slice()) {
                return Ok(Self::Parts(six));
            }
        }
        Ok(Self::Never)
    }

    pub(crate) fn matches(&self, text: &str, context: &dyn Context) -> bool {
        let Some(parts) = split(text) else { return false };
        match self {
            Self::Any => true,
            Self::Never => false,
            Self::Parts(patterns) => patterns
                .iter()
                .zip(parts)
                .all(|(pattern, part)| pattern.matches(part, context, Case::Sensitive)),
        }
    }
}

/// Splits at the first five colons that do not stand inside `${…}`: keys in variables hold colons.
fn split_outside_variables(text: &str, variables: Variables) -> Option<[&str; 6]> {
    let mut parts = [""; 6];
    let mut count = 0_usize;
    let mut start = 0_usize;
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        let opens =
            variables == Variables::Active && text.get(at..).is_some_and(|rest| rest.starts_with("${"));
        if opens {
            depth = depth.saturating_add(1);
        } else if character == '}' {
            depth = depth.saturating_sub(1);
        } else if character == ':' && depth == 0 && count < 5 {
            if let Some(part) = parts.get_mut(count) {
                *part = text.get(start..at)?;
            }
            count = count.saturating_add(1);
            start = at.saturating_add(1);
        }
    }
    if count != 5 {
        return None;
    }
    if let Some(part) = parts.get_mut(5) {
        *part = text.get(start..)?;
    }
    (parts.first() == Some(&"arn")).then_some(parts)
}

/// What is wrong with the text of a `Resource` element, if anything.
///
/// `*`, an ARN of six parts, or a shorter one that ends in `*`. Variables may stand in the sixth part only.
/// Source: IAM User Guide, "IAM JSON policy elements: Resource".
pub(crate) fn resource_fault(text: &str, variables: Variables) -> Option<&'static str> {
    if text == "*" {
        return None;
    }
    if !text.starts_with("arn:") {
        return Some("a resource is `*` or an ARN that starts with `arn:`");
    }
    let (head, complete) = match split_outside_variables(text, variables) {
        Some([arn, partition, service, region, account, resource]) => {
            if resource.is_empty() {
                return Some("the sixth part of this ARN, the resource, is empty");
            }
            ([arn, partition, service, region, account], true)
        }
        None if text.ends_with('*') => {
            let mut parts = text.split(':');
            (std::array::from_fn(|_| parts.next().unwrap_or("*")), false)
        }
        None => return Some("an ARN has six parts: `arn:partition:service:region:account:resource`"),
    };
    let [_, partition, service, region, account] = head;
    if head
        .iter()
        .any(|part| variables == Variables::Active && part.contains("${"))
    {
        return Some("policy variables can stand in the last part of a resource ARN only");
    }
    let plain = |part: &str, extra: &[u8]| {
        part.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || extra.contains(&byte))
    };
    if partition.is_empty() || !plain(partition, b"-*?") {
        return Some("the partition of this ARN is malformed: it is `aws`, `aws-cn`, `aws-us-gov` or alike");
    }
    if complete && (service.is_empty() || !plain(service, b"-")) {
        return Some("the service of this ARN is malformed: a lower-case name without wildcards");
    }
    if !plain(region, b"-*?") {
        return Some("the region of this ARN is malformed");
    }
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let wild = account.contains(['*', '?'])
        && account
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'?'));
    if !(account.is_empty() || account == "aws" || digits || wild) {
        return Some("the account of this ARN is malformed: twelve digits");
    }
    None
}

/// The service part of a resource, when it names one without wildcards.
pub(crate) fn service(text: &str) -> Option<&str> {
    let service = text.strip_prefix("arn:")?.split(':').nth(1)?;
    (!service.contains(['*', '?'])).then_some(service)
}
