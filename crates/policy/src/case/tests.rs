//! What lines are answered with.

use super::{Answer, Cases};

const SEND: &str = r#"{"id":"a","kind":"decide","principal":"arn:aws:iam::111111111111:user/ann","action":"sqs:SendMessage",
    "resource":"arn:aws:sqs:eu-west-1:111111111111:q","resourceAccountId":"111111111111","context":{},"policies":POLICIES}"#;

fn answer(line: &str) -> String {
    Cases::new().answer(line).to_string()
}

fn decided(policies: &str) -> String {
    answer(&SEND.replace("POLICIES", policies))
}

#[test]
fn a_decision_names_its_layer_and_its_statement() {
    let line = decided(
        r#"{"identity":[{"Statement":{"Sid":"S","Effect":"Allow","Action":"sqs:*","Resource":"*"}}]}"#,
    );
    assert_eq!(
        line,
        r#"{"id":"a","decision":"allow","layer":"identity","statement":"S"}"#
    );
}

#[test]
fn a_statement_without_sid_is_named_by_its_number() {
    let line = decided(
        r#"{"identity":[{"Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"},
            {"Effect":"Deny","Action":"sqs:Send*","Resource":"*"}]}]}"#,
    );
    assert_eq!(
        line,
        r##"{"id":"a","decision":"explicit_deny","layer":"identity","statement":"#2"}"##
    );
}

#[test]
fn a_missing_allow_has_no_statement() {
    assert_eq!(
        decided("{}"),
        r#"{"id":"a","decision":"implicit_deny","layer":"identity","statement":null}"#
    );
}

#[test]
fn a_kind_of_policy_that_is_not_known_is_an_error_and_not_a_lost_restriction() {
    assert_eq!(
        decided(r#"{"guardrail":[]}"#),
        r#"{"id":"a","error":"InvalidCase","message":"`policies` has `guardrail`, which is not a kind of policy"}"#
    );
}

#[test]
fn a_policy_that_cannot_be_read_is_named_by_its_place() {
    let line = decided(r#"{"scp":[[{"Statement":[]}]]}"#);
    assert!(
        line.contains("`policies.scp[0][0]`: `Statement` is empty"),
        "{line}"
    );
}

#[test]
fn a_line_that_is_not_json_is_answered_with_its_fault() {
    let answer = Cases::new().answer("{\"id\":1,}");
    assert!(!answer.is_readable());
    assert_eq!(
        answer.to_string(),
        r#"{"id":null,"error":"InvalidCase","message":"a comma stands before `}` at line 1, column 9"}"#
    );
}

#[test]
fn the_same_text_as_another_kind_of_policy_is_another_policy() {
    let mut cases = Cases::new();
    let text = r#"{"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}"#;
    let identity = cases.answer(&SEND.replace("POLICIES", &format!("{{\"identity\":{text}}}")));
    assert!(matches!(
        identity,
        Answer::Decided {
            decision: "allow",
            ..
        }
    ));
    let resource = cases.answer(&SEND.replace("POLICIES", &format!("{{\"resource\":{text}}}")));
    assert!(!resource.is_readable(), "a resource policy needs a principal");
}

#[test]
fn a_federated_session_without_session_policies_has_no_rights_of_its_user() {
    let policies = r#"{"identity":[{"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}]}"#;
    let line = SEND.replace("POLICIES", policies).replace(
        "iam::111111111111:user/ann",
        "sts::111111111111:federated-user/ann",
    );
    assert_eq!(
        answer(&line),
        r#"{"id":"a","decision":"implicit_deny","layer":"session","statement":null}"#
    );
}

#[test]
fn a_refused_policy_is_told_with_the_calls_error_code() {
    let line = r#"{"id":7,"kind":"put","api":"iam:CreatePolicy","policyText":"{\"Statement\":[]}"}"#;
    assert_eq!(
        answer(line),
        r#"{"id":7,"result":"reject","error":"MalformedPolicyDocument","message":"`Statement` is empty at line 1, column 14"}"#
    );
}

#[test]
fn a_policy_that_can_be_stored_is_accepted_without_error() {
    let line = r#"{"id":"p","kind":"put","api":"sqs:SetQueueAttributes","policyText":""}"#;
    assert_eq!(
        answer(line),
        r#"{"id":"p","result":"accept","error":null,"message":null}"#
    );
}
