//! Every rule, in one table.

mod actions;
mod conditions;
mod principals;

use super::Severity;
use super::statement::{Found, View, member};
use crate::json::Node;

/// One trap.
pub(super) struct Rule {
    /// Stable, in upper snake case.
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    /// Looks at one statement.
    pub(super) check: fn(&View<'_>) -> Vec<Found>,
}

const fn rule(code: &'static str, severity: Severity, check: fn(&View<'_>) -> Vec<Found>) -> Rule {
    Rule {
        code,
        severity,
        check,
    }
}

use Severity::{Error, SecurityWarning, Suggestion, Warning};

/// All rules that look at a statement. The codes `ALLOW_WITH_PUBLIC_PRINCIPAL`, `DENY_LOCKS_OUT_OWNER` and
/// `FORALLVALUES_WITH_ABSENT_KEY` are Bulla's own.
pub(super) const RULES: &[Rule] = &[
    rule("INVALID_ACTION", Error, actions::unknown),
    rule(
        "INVALID_GLOBAL_CONDITION_KEY",
        Error,
        conditions::unknown_global_key,
    ),
    rule(
        "INVALID_SERVICE_CONDITION_KEY",
        Error,
        conditions::unknown_service_key,
    ),
    rule("MISSING_QUALIFIER", Error, conditions::missing_qualifier),
    rule("PRIVATE_IP_ADDRESS", Error, conditions::private_source_ip),
    rule(
        "ALLOW_WITH_NOT_PRINCIPAL",
        SecurityWarning,
        principals::allow_with_not_principal,
    ),
    rule(
        "ALLOW_WITH_PUBLIC_PRINCIPAL",
        SecurityWarning,
        principals::everyone,
    ),
    rule("DENY_LOCKS_OUT_OWNER", SecurityWarning, principals::locks_out),
    rule(
        "FORALLVALUES_WITH_ABSENT_KEY",
        SecurityWarning,
        conditions::for_all_values_absent,
    ),
    rule(
        "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
        SecurityWarning,
        conditions::for_all_values_single,
    ),
    rule(
        "MISSING_PAIRED_CONDITION_KEYS",
        SecurityWarning,
        conditions::unpaired_vpc_address,
    ),
    rule(
        "PASS_ROLE_WITH_STAR_IN_RESOURCE",
        SecurityWarning,
        actions::pass_any_role,
    ),
    rule(
        "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL",
        SecurityWarning,
        principals::confused_deputy,
    ),
    rule(
        "DEPRECATED_GLOBAL_CONDITION_KEY",
        Warning,
        conditions::deprecated_key,
    ),
    rule(
        "VARIABLE_UNSUPPORTED_IN_VERSION",
        Warning,
        conditions::variable_in_old_version,
    ),
    rule(
        "WILDCARD_WITHOUT_LIKE_OPERATOR",
        Warning,
        conditions::wildcard_without_like,
    ),
    rule("NULL_WITH_QUALIFIER", Suggestion, conditions::null_with_qualifier),
    rule("REDUNDANT_ACTION", Suggestion, actions::redundant),
];

/// `MISSING_VERSION`, which belongs to no statement.
pub(super) fn missing_version(document: &Node) -> Option<Found> {
    let help = "begin with `\"Version\": \"2012-10-17\"`";
    let is_policy = member(document, "Statement").is_some();
    (is_policy && member(document, "Version").is_none()).then(|| {
        let message = "without `Version` this is a policy of 2008-10-17: policy variables are plain text";
        Found::new(document.at, message, help)
    })
}
