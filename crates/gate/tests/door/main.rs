//! The gate from outside: a service of one operation, signed requests, and what may not get through.

mod echo;
mod endpoint;

use bulla_gate::Authentication;
use bulla_types::AccountId;
use echo::{ACCESS_KEY, ACCOUNT, Door, SECRET, Sent};

#[tokio::test]
async fn a_signed_request_of_an_allowed_principal_is_done() {
    let door = Door::new(Some("echo:Say"));
    let answer = door.send(&Sent::signed("Say")).await;
    assert_eq!((answer.status, answer.field("Text")), (200, "hello".to_owned()));
}

#[tokio::test]
async fn nothing_is_done_without_a_permission() {
    let door = Door::new(None);
    let answer = door.send(&Sent::signed("Say")).await;
    assert_eq!(
        (answer.status, answer.code()),
        (400, "AccessDeniedException".to_owned())
    );
    assert_eq!(door.executed(), 0);
}

#[tokio::test]
async fn an_operation_that_states_no_permission_is_refused() {
    let door = Door::new(Some("echo:*"));
    assert_eq!(door.send(&Sent::signed("Forget")).await.status, 500);
    assert_eq!(door.executed(), 0);
}

#[tokio::test]
async fn every_stated_permission_is_needed() {
    let door = Door::new(Some("echo:Say"));
    assert_eq!(
        door.send(&Sent::signed("SayTwice")).await.code(),
        "AccessDeniedException"
    );
    let door = Door::new(Some("echo:Say*"));
    assert_eq!(door.send(&Sent::signed("SayTwice")).await.status, 200);
}

#[tokio::test]
async fn an_operation_that_needs_no_permission_is_done_for_any_principal() {
    let door = Door::new(None);
    assert_eq!(
        door.send(&Sent::signed("Whoami")).await.field("Text"),
        format!("arn:aws:iam::{ACCOUNT}:user/ann")
    );
}

#[tokio::test]
async fn a_request_without_a_signature_is_refused() {
    let door = Door::new(Some("echo:*"));
    let answer = door.send(&Sent::signed("Say").without_signature()).await;
    assert_eq!(answer.code(), "MissingAuthenticationTokenException");
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let door = Door::new(Some("echo:*"));
    let answer = door
        .send(&Sent::signed_with(ACCESS_KEY, "another secret", "Say"))
        .await;
    assert_eq!(answer.code(), "InvalidSignatureException");
}

#[tokio::test]
async fn an_unknown_access_key_is_refused() {
    let door = Door::new(Some("echo:*"));
    let answer = door
        .send(&Sent::signed_with("AKIAUNKNOWN000000000", SECRET, "Say"))
        .await;
    assert_eq!(answer.code(), "UnrecognizedClientException");
}

#[tokio::test]
async fn an_old_signature_is_refused() {
    let door = Door::new(Some("echo:*"));
    let sent = Sent::signed("Say");
    door.advance(16 * 60);
    let answer = door.send(&sent).await;
    assert_eq!(answer.code(), "InvalidSignatureException");
    assert!(
        answer.field("message").starts_with("Signature expired"),
        "{}",
        answer.field("message")
    );
}

#[tokio::test]
async fn a_changed_body_is_refused() {
    let door = Door::new(Some("echo:*"));
    let answer = door
        .send(&Sent::signed("Say").with_body(r#"{"Text":"changed"}"#))
        .await;
    assert_eq!(answer.code(), "InvalidSignatureException");
}

#[tokio::test]
async fn a_right_signature_does_not_open_the_door_for_a_wrong_one() {
    let door = Door::new(Some("echo:*"));
    assert_eq!(door.send(&Sent::signed("Say")).await.status, 200);
    let answer = door
        .send(&Sent::signed_with(ACCESS_KEY, "another secret", "Say"))
        .await;
    assert_eq!(answer.code(), "InvalidSignatureException");
}

#[tokio::test]
async fn an_unknown_operation_says_that_it_may_not_be_built() {
    let door = Door::new(Some("echo:*"));
    let answer = door.send(&Sent::signed("Sing")).await;
    assert_eq!(answer.code(), "UnknownOperationException");
    assert!(
        answer.field("message").contains("not be built"),
        "{}",
        answer.field("message")
    );
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let door = Door::new(Some("echo:*"));
    for sent in [
        Sent::signed("Say"),
        Sent::signed("Sing"),
        Sent::signed("Say").without_signature(),
    ] {
        assert_eq!(door.send(&sent).await.request_id.len(), 36);
    }
}

#[tokio::test]
async fn the_facts_of_the_connection_come_from_the_listener() {
    let door = Door::new(Some("echo:*"));
    let spoofed = Sent::signed("Say")
        .with_header("x-forwarded-proto", "http")
        .with_header("x-forwarded-for", "1.2.3.4");
    door.send(&spoofed).await;
    assert_eq!(door.seen("aws:SecureTransport"), "true");
    assert_eq!(door.seen("aws:SourceIp"), "127.0.0.1");
}

#[tokio::test]
async fn a_condition_on_the_connection_decides() {
    let policy = |secure: bool| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"echo:*","Resource":"*",
                "Condition":{{"Bool":{{"aws:SecureTransport":"{secure}"}},"IpAddress":{{"aws:SourceIp":"127.0.0.0/8"}}}}}}]}}"#
        )
    };
    assert_eq!(
        Door::with_policy(&policy(true))
            .send(&Sent::signed("Say"))
            .await
            .status,
        200
    );
    assert_eq!(
        Door::with_policy(&policy(false))
            .send(&Sent::signed("Say"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_forwarded_call_hides_the_connection_and_names_the_service() {
    let door = Door::with_policy(
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"echo:Relay","Resource":"*"},
            {"Effect":"Allow","Action":"echo:Say","Resource":"*","Condition":{
                "Bool":{"aws:ViaAWSService":"true","aws:SecureTransport":"true"},
                "Null":{"aws:SourceIp":"true"},
                "StringEquals":{"aws:CalledViaFirst":"echo.amazonaws.com"}}}]}"#,
    );
    assert_eq!(door.send(&Sent::signed("Relay")).await.status, 200);
    assert_eq!(door.send(&Sent::signed("Say")).await.status, 400);
}

#[tokio::test]
async fn the_audit_trail_has_a_record_for_each_call_made_for_a_caller() {
    let door = Door::new(Some("echo:*"));
    door.send(&Sent::signed("Relay")).await;
    assert_eq!(door.audited(), ["Say done", "Relay done"]);
}

#[tokio::test]
async fn a_denial_names_policy_and_statement_in_the_audit_trail() {
    let door = Door::with_policy(
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"*","Resource":"*"},
            {"Sid":"NoEcho","Effect":"Deny","Action":"echo:*","Resource":"*"}]}"#,
    );
    door.send(&Sent::signed("Say")).await;
    assert_eq!(door.audited(), ["Say denied by ann's policy, NoEcho"]);
}

#[tokio::test]
async fn the_reasons_of_a_denial_are_kept() {
    let door = Door::new(Some("echo:Other"));
    door.send(&Sent::signed("Say")).await;
    let reasons = door.last_reasons().unwrap();
    assert!(reasons.contains(r#""action":"echo:Say""#), "{reasons}");
}

#[tokio::test]
async fn a_call_that_is_allowed_leaves_no_reasons() {
    let door = Door::new(Some("echo:*"));
    door.send(&Sent::signed("Say")).await;
    assert_eq!(door.last_reasons(), None);
}

#[tokio::test]
async fn a_message_names_the_decision_to_those_who_may_decode_it() {
    let told = async |action| {
        let door = Door::new(Some(action));
        door.send(&Sent::signed("Say")).await.field("message")
    };
    assert!(
        told("sts:DecodeAuthorizationMessage")
            .await
            .contains(" Decision id: ")
    );
    assert!(!told("echo:Other").await.contains("Decision id"));
}

#[tokio::test]
async fn open_mode_takes_any_signature_and_acts_for_the_account_of_the_access_key() {
    let default_account = AccountId::ZERO;
    let door = Door::with(Authentication::Open { default_account }, None);
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    let who = |access_key: &'static str| Sent::signed_with(access_key, "any", "Whoami");
    assert_eq!(
        door.send(&who("123456789012")).await.field("Text"),
        root("123456789012")
    );
    assert_eq!(door.send(&who("test")).await.field("Text"), root("000000000000"));
    assert_eq!(
        door.send(&who(ACCESS_KEY)).await.field("Text"),
        format!("arn:aws:iam::{ACCOUNT}:user/ann")
    );
}

#[tokio::test]
async fn a_call_runs_to_its_end_when_the_client_goes_away() {
    let door = Door::new(Some("echo:*"));
    door.send_and_leave(&Sent::signed("Slow")).await;
    door.finish_slow_calls().await;
    assert_eq!(door.executed(), 1);
}

#[tokio::test]
async fn a_call_that_waits_learns_that_the_client_has_gone() {
    let door = Door::new(Some("echo:*"));
    door.send_and_leave(&Sent::signed("Wait")).await;
    door.until_executed(1).await;
}

#[tokio::test]
async fn what_was_allowed_without_a_condition_is_not_what_is_allowed_by_an_endpoint() {
    let door = Door::new(Some("echo:*"));
    assert_eq!(door.send(&Sent::signed("Say")).await.status, 200);
    door.put_endpoint(
        "echo",
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"echo:Relay","Resource":"*"}}"#,
    );
    assert_eq!(door.send_by_endpoint(&Sent::signed("Say")).await.status, 400);
}

#[tokio::test]
async fn a_condition_is_asked_for_every_call() {
    let door = Door::with_policy(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",
            "Condition":{"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:05Z"}}}}"#,
    );
    assert_eq!(door.send(&Sent::signed("Say")).await.status, 200);
    door.advance(5);
    assert_eq!(door.send(&Sent::signed("Say")).await.status, 400);
}
