//! The policy simulator.

use crate::testing_realm::{Realm, allow};
use serde_json::json;

fn deny(actions: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": actions, "Resource": "*" }],
    })
    .to_string()
}

#[tokio::test]
async fn a_simulation_decides_as_the_principals_policies_do() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", Some(&allow("sqs:*"))).await;
    let ann = format!("arn:aws:iam::{}:user/ann", realm.account);
    let members = [
        ("PolicySourceArn", ann.as_str()),
        ("ActionNames.member.1", "sqs:SendMessage"),
        ("ActionNames.member.2", "kms:Decrypt"),
    ];
    let found = realm
        .iam(&realm.root, "SimulatePrincipalPolicy", &members)
        .await
        .unwrap();
    assert_eq!(found.texts("EvalDecision"), ["allowed", "implicitDeny"]);
    assert_eq!(found.text("SourcePolicyType"), Some("user"));
}

#[tokio::test]
async fn what_the_request_adds_has_a_say() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", Some(&allow("sqs:*"))).await;
    let ann = format!("arn:aws:iam::{}:user/ann", realm.account);
    let simulate = async |member: (&str, &str)| {
        let members = [
            ("PolicySourceArn", ann.as_str()),
            ("ActionNames.member.1", "sqs:SendMessage"),
            member,
        ];
        realm
            .iam(&realm.root, "SimulatePrincipalPolicy", &members)
            .await
            .unwrap()
    };
    let denied = simulate(("PolicyInputList.member.1", &deny("sqs:*"))).await;
    assert_eq!(denied.text("EvalDecision"), Some("explicitDeny"));
    let bounded = simulate(("PermissionsBoundaryPolicyInputList.member.1", &allow("kms:*"))).await;
    assert_eq!(bounded.text("EvalDecision"), Some("implicitDeny"));
    assert_eq!(bounded.text("AllowedByPermissionsBoundary"), Some("false"));
}

#[tokio::test]
async fn conditions_see_the_context_of_the_request_alone() {
    let realm = Realm::new().await;
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "sqs:*",
            "Resource": "arn:aws:sqs:*:*:${aws:username}",
            "Condition": { "Bool": { "aws:SecureTransport": "true" } },
        }],
    })
    .to_string();
    let asked = [
        ("PolicyInputList.member.1", document.as_str()),
        ("ActionNames.member.1", "sqs:SendMessage"),
        ("ResourceArns.member.1", "arn:aws:sqs:us-east-1:111122223333:ann"),
        ("ContextEntries.member.1.ContextKeyName", "aws:username"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "ann"),
        ("ContextEntries.member.1.ContextKeyType", "string"),
    ];
    let found = realm
        .iam(&realm.root, "SimulateCustomPolicy", &asked)
        .await
        .unwrap();
    assert_eq!(found.text("EvalDecision"), Some("implicitDeny"));
    assert!(
        found.0.contains("<member>aws:SecureTransport</member>"),
        "{}",
        found.0
    );
    let secure = [
        ("ContextEntries.member.2.ContextKeyName", "aws:SecureTransport"),
        ("ContextEntries.member.2.ContextKeyValues.member.1", "true"),
        ("ContextEntries.member.2.ContextKeyType", "boolean"),
    ];
    let asked: Vec<_> = asked.into_iter().chain(secure).collect();
    let found = realm
        .iam(&realm.root, "SimulateCustomPolicy", &asked)
        .await
        .unwrap();
    assert_eq!(found.text("EvalDecision"), Some("allowed"));
    let keys = realm
        .iam(
            &realm.root,
            "GetContextKeysForCustomPolicy",
            &[("PolicyInputList.member.1", document.as_str())],
        )
        .await
        .unwrap();
    assert_eq!(keys.texts("member"), ["aws:SecureTransport", "aws:username"]);
}

#[tokio::test]
async fn every_level_of_the_organization_is_simulated() {
    let realm = Realm::new().await;
    let level = "OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1";
    let members = [
        ("PolicyInputList.member.1", &*allow("*")),
        ("ActionNames.member.1", "sqs:SendMessage"),
        (level, &*allow("kms:*")),
    ];
    let found = realm
        .iam(&realm.root, "SimulateCustomPolicy", &members)
        .await
        .unwrap();
    assert_eq!(found.text("EvalDecision"), Some("implicitDeny"));
    assert_eq!(found.text("AllowedByOrganizations"), Some("false"));
}

#[tokio::test]
async fn more_decisions_than_a_page_holds_are_refused() {
    let realm = Realm::new().await;
    let actions: Vec<String> = (1..=1_001)
        .map(|number| format!("ActionNames.member.{number}"))
        .collect();
    let document = allow("*");
    let mut members = vec![("PolicyInputList.member.1", document.as_str())];
    members.extend(actions.iter().map(|name| (name.as_str(), "sqs:SendMessage")));
    let refused = realm.iam(&realm.root, "SimulateCustomPolicy", &members).await;
    assert_eq!(refused.unwrap_err().code, "InvalidInput");
}
