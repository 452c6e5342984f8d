//! Whom a statement names.

use crate::context::EmptyContext;
use crate::kind::{PolicyKind, Vendor};
use crate::lint::statement::{Found, View};
use crate::pattern::{Case, Pattern, Variables, Wildcards};

/// `NotPrincipal` with `Allow` means everybody else, the anonymous among them.
pub(super) fn allow_with_not_principal(view: &View<'_>) -> Vec<Found> {
    let at = view.place("NotPrincipal").filter(|_| view.allows());
    let found = |at| {
        let message = "`Allow` with `NotPrincipal` lets in everybody else, anonymous callers included";
        Found::new(at, message, "name whom to allow under `Principal`")
    };
    at.map(found).into_iter().collect()
}

/// Everybody, under no condition at all.
pub(super) fn everyone(view: &View<'_>) -> Vec<Found> {
    let public = view.everyone().filter(|_| {
        view.allows() && view.conditions.is_empty() && matches!(view.kind, PolicyKind::Resource(_))
    });
    let found = |principal: crate::lint::statement::Placed<'_>| {
        let message = "this statement allows everybody, of every account, under no condition";
        let help = "name accounts, roles or users, or add a condition such as `aws:PrincipalOrgID`";
        Found::new(principal.at, message, help)
    };
    public.map(found).into_iter().collect()
}

const SOURCE_KEYS: [&str; 4] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
];

/// A service acts for whoever configured it: without saying for whom, it acts for everybody.
pub(super) fn confused_deputy(view: &View<'_>) -> Vec<Found> {
    if !view.allows() || !matches!(view.kind, PolicyKind::Resource(_)) || view.tests_one_of(&SOURCE_KEYS) {
        return Vec::new();
    }
    let found = |service: &crate::lint::statement::Placed<'_>| {
        let message = format!(
            "`{}` may use this for anybody's resources: nothing says on whose behalf it acts",
            service.text
        );
        let help = "add a condition on `aws:SourceArn`, `aws:SourceAccount` or `aws:SourceOrgID`";
        Found::new(service.at, message, help)
    };
    view.principals("Service").iter().map(found).collect()
}

/// What changes the policy of a resource: who is denied it cannot repair the policy.
const fn repair(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Kms => "kms:PutKeyPolicy",
        Vendor::S3 => "s3:PutBucketPolicy",
        Vendor::Sns => "sns:SetTopicAttributes",
        Vendor::Sqs => "sqs:SetQueueAttributes",
    }
}

/// Denies everybody, the owner too, the change of the policy.
pub(super) fn locks_out(view: &View<'_>) -> Vec<Found> {
    let PolicyKind::Resource(vendor) = view.kind else {
        return Vec::new();
    };
    if !view.denies() || !view.conditions.is_empty() || view.everyone().is_none() {
        return Vec::new();
    }
    let action = repair(vendor);
    let covers = |text: &str| {
        Pattern::compile(text, Wildcards::Active, Variables::Literal)
            .is_ok_and(|pattern| pattern.matches(action, &EmptyContext, Case::Ignored))
    };
    let found = |at| {
        let message = format!("this denies `{action}` to everybody: nobody can repair the policy afterwards");
        let help = "spare the administrators by a condition such as `ArnNotEquals` on `aws:PrincipalArn`";
        Found::new(at, message, help)
    };
    let named = view.texts("Action");
    let spared = view.texts("NotAction");
    let by_name = named.iter().find(|name| covers(name.text)).map(|name| name.at);
    let by_negation = spared
        .first()
        .filter(|_| !spared.iter().any(|name| covers(name.text)))
        .map(|name| name.at);
    by_name.or(by_negation).map(found).into_iter().collect()
}
