//! Every rule from both sides.

use super::{Severity, guess_kind, lint};
use crate::kind::{IdentityOwner, PolicyKind, Vendor};

const QUEUE: PolicyKind = PolicyKind::Resource(Vendor::Sqs);
const KEY: PolicyKind = PolicyKind::Resource(Vendor::Kms);
const IDENTITY: PolicyKind = PolicyKind::Identity(IdentityOwner::Managed);
const ROLE: &str = r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/r"}"#;

fn codes(text: &str, kind: PolicyKind) -> Vec<&'static str> {
    lint(text.as_bytes(), kind)
        .iter()
        .map(super::Finding::code)
        .collect()
}

/// The codes found in a policy of one statement.
fn of_statement(statement: &str, kind: PolicyKind) -> Vec<&'static str> {
    codes(
        &format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#),
        kind,
    )
}

/// A queue policy that lets a role send under this condition.
fn allow(condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow",{ROLE},"Action":"sqs:SendMessage","Resource":"*","Condition":{condition}}}"#
    )
}

fn identity(rest: &str) -> String {
    format!(r#"{{"Effect":"Allow",{rest}}}"#)
}

/// The rule's code, a statement in which it finds something, and the nearest one in which it does not.
type Side = (&'static str, PolicyKind, String, String);

fn sides() -> Vec<Side> {
    [sides_of_actions_and_principals(), sides_of_conditions()].concat()
}

fn sides_of_conditions() -> Vec<Side> {
    let queue = |code, bad: &str, good: &str| (code, QUEUE, allow(bad), allow(good));
    vec![
        queue(
            "INVALID_GLOBAL_CONDITION_KEY",
            r#"{"StringEquals":{"aws:PrincipalOrganisation":"o"}}"#,
            r#"{"StringEquals":{"AWS:principalorgid":"o"}}"#,
        ),
        queue(
            "INVALID_SERVICE_CONDITION_KEY",
            r#"{"StringEquals":{"kms:Via":"x"}}"#,
            r#"{"StringEquals":{"kms:ViaService":"x"}}"#,
        ),
        queue(
            "MISSING_QUALIFIER",
            r#"{"StringLike":{"aws:PrincipalOrgPaths":"o/*"}}"#,
            r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o/*"}}"#,
        ),
        queue(
            "PRIVATE_IP_ADDRESS",
            r#"{"IpAddress":{"aws:SourceIp":["10.1.0.0/16","192.168.7.1"]}}"#,
            r#"{"IpAddress":{"aws:SourceIp":["10.1.0.0/16","203.0.113.0/24"]}}"#,
        ),
        queue(
            "FORALLVALUES_WITH_ABSENT_KEY",
            r#"{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o/*"}}"#,
            r#"{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o/*"},"Null":{"aws:PrincipalOrgPaths":"false"}}"#,
        ),
        queue(
            "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
            r#"{"ForAllValues:StringEquals":{"aws:PrincipalOrgId":"o-1"}}"#,
            r#"{"StringEquals":{"aws:PrincipalOrgId":"o-1"}}"#,
        ),
        queue(
            "MISSING_PAIRED_CONDITION_KEYS",
            r#"{"IpAddress":{"aws:VpcSourceIp":"10.0.0.1"}}"#,
            r#"{"IpAddress":{"aws:VpcSourceIp":"10.0.0.1"},"StringEquals":{"aws:SourceVpc":"vpc-1"}}"#,
        ),
        queue(
            "DEPRECATED_GLOBAL_CONDITION_KEY",
            r#"{"StringEquals":{"aws:SourceOwner":"111111111111"}}"#,
            r#"{"StringEquals":{"aws:SourceAccount":"111111111111"}}"#,
        ),
        queue(
            "WILDCARD_WITHOUT_LIKE_OPERATOR",
            r#"{"StringEquals":{"aws:UserAgent":"curl/*"}}"#,
            r#"{"StringLike":{"aws:UserAgent":"curl/*"}}"#,
        ),
        queue(
            "NULL_WITH_QUALIFIER",
            r#"{"ForAllValues:Null":{"aws:TagKeys":"false"}}"#,
            r#"{"Null":{"aws:TagKeys":"false"}}"#,
        ),
    ]
}

fn sides_of_actions_and_principals() -> Vec<Side> {
    let whom = |code, bad: &str, good: &str| (code, QUEUE, bad.to_owned(), good.to_owned());
    let own = |code, bad: &str, good: &str| (code, IDENTITY, identity(bad), identity(good));
    vec![
        own(
            "INVALID_ACTION",
            r#""Action":"sqs:SendMessageBatch","Resource":"*""#,
            r#""Action":["sqs:SendMessage","kms:ReEncrypt*","SNS:Publish","ec2:Anything"],"Resource":"*""#,
        ),
        whom(
            "ALLOW_WITH_NOT_PRINCIPAL",
            r#"{"Effect":"Allow","NotPrincipal":{"AWS":"111111111111"},"Action":"sqs:SendMessage","Resource":"*"}"#,
            r#"{"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"Action":"sqs:SendMessage","Resource":"*"}"#,
        ),
        whom(
            "ALLOW_WITH_PUBLIC_PRINCIPAL",
            r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sqs:SendMessage","Resource":"*"}"#,
            r#"{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*",
                "Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}"#,
        ),
        whom(
            "DENY_LOCKS_OUT_OWNER",
            r#"{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}"#,
            r#"{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*",
                "Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
        ),
        whom(
            "DENY_LOCKS_OUT_OWNER",
            r#"{"Effect":"Deny","Principal":"*","NotAction":"sqs:SendMessage","Resource":"*"}"#,
            r#"{"Effect":"Deny","Principal":"*","NotAction":"sqs:Set*","Resource":"*"}"#,
        ),
        own(
            "PASS_ROLE_WITH_STAR_IN_RESOURCE",
            r#""Action":"iam:passrole","Resource":"*""#,
            r#""Action":"iam:PassRole","Resource":"arn:aws:iam::111111111111:role/r""#,
        ),
        whom(
            "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL",
            r#"{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}"#,
            r#"{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*",
                "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:eu-west-1:111111111111:t"}}}"#,
        ),
        own(
            "REDUNDANT_ACTION",
            r#""Action":["sqs:SendMessage","sqs:Send*"],"Resource":"*""#,
            r#""Action":["sqs:SendMessage","sqs:Receive*"],"Resource":"*""#,
        ),
    ]
}

#[test]
fn every_rule_finds_its_trap_and_is_silent_without_it() {
    for (code, kind, bad, good) in sides() {
        let (bad, good) = (of_statement(&bad, kind), of_statement(&good, kind));
        assert_eq!(bad, [code]);
        assert!(good.is_empty(), "{code}: {good:?}");
    }
}

#[test]
fn every_rule_of_the_table_has_its_two_sides() {
    let tested: Vec<_> = sides().iter().map(|(code, ..)| *code).collect();
    for rule in super::rules::RULES {
        let has_own_test = rule.code == "VARIABLE_UNSUPPORTED_IN_VERSION";
        assert!(has_own_test || tested.contains(&rule.code), "{}", rule.code);
    }
}

#[test]
fn variables_want_the_version_that_knows_them() {
    let statement =
        identity(r#""Action":"sqs:*","Resource":"arn:aws:sqs:eu-west-1:111111111111:${aws:username}""#);
    let old = codes(
        &format!(r#"{{"Version":"2008-10-17","Statement":{statement}}}"#),
        IDENTITY,
    );
    assert_eq!(old, ["VARIABLE_UNSUPPORTED_IN_VERSION"]);
    let none = codes(&format!(r#"{{"Statement":{statement}}}"#), IDENTITY);
    assert_eq!(none, ["MISSING_VERSION", "VARIABLE_UNSUPPORTED_IN_VERSION"]);
    assert!(of_statement(&statement, IDENTITY).is_empty());
}

#[test]
fn what_cannot_be_stored_is_an_error_with_the_parsers_place() {
    for (text, code) in [
        ("{\"Statement\": [] # none\n}", "JSON_SYNTAX_ERROR"),
        ("{\"Statement\": [],}", "JSON_SYNTAX_ERROR"),
    ] {
        let found = lint(text.as_bytes(), QUEUE);
        assert_eq!((found[0].code(), found[0].severity()), (code, Severity::Error));
    }
    let url = allow("{}").replace(
        r#""Resource":"*""#,
        r#""Resource":"https://sqs.eu-west-1.amazonaws.com/1/q""#,
    );
    assert_eq!(of_statement(&url, QUEUE), ["INVALID_ARN_PREFIX"]);
    let beside = format!(
        r#"{{"Effect":"Allow",{ROLE},"Action":"kms:Decrypt","Resource":"*","StringEquals":{{"kms:ViaService":"x"}}}}"#
    );
    assert_eq!(of_statement(&beside, KEY), ["INVALID_POLICY_ELEMENT"]);
}

#[test]
fn a_finding_shows_the_source_line_a_caret_and_the_fix() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\"Effect\": \"Allow\",\n    \"Principal\": {\"Service\": \
                \"sns.amazonaws.com\"},\n    \"Action\": \"sqs:SendMessage\", \"Resource\": \"*\"}\n}";
    let found = lint(text.as_bytes(), QUEUE);
    assert_eq!(
        found[0].render("queue.json"),
        "security warning[RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL]: `sns.amazonaws.com` may use this for anybody's \
         resources: nothing says on whose behalf it acts\n --> queue.json:4:30\n  |\n4 | \"Principal\": {\"Service\": \
         \"sns.amazonaws.com\"},\n  |                          ^\n  = help: add a condition on `aws:SourceArn`, \
         `aws:SourceAccount` or `aws:SourceOrgID`\n"
    );
}

#[test]
fn the_kind_of_a_document_is_guessed_by_its_actions() {
    let key = format!(r#"{{"Statement":{{{ROLE},"Action":["kms:Decrypt"]}}}}"#);
    assert_eq!(guess_kind(key.as_bytes()), KEY);
    let queue = r#"{"Statement":{"Principal":"*","Condition":{"StringEquals":{"kms:ViaService":1}},"Action":"SQS:Send"}}"#;
    assert_eq!(guess_kind(queue.as_bytes()), QUEUE);
    let trust = r#"{"Statement":{"Principal":{"Service":"x"},"Action":"sts:AssumeRole"}}"#;
    assert_eq!(guess_kind(trust.as_bytes()), PolicyKind::Trust);
    assert_eq!(guess_kind(br#"{"Statement":{"Action":"sqs:*"}}"#), IDENTITY);
}
