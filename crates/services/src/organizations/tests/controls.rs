//! Service control policies and resource control policies.

use super::{realm, root_id, text, unit};
use crate::testing_realm::{Keys, Realm, allow, trust};
use serde_json::{Value, json};

const SCP: &str = "SERVICE_CONTROL_POLICY";
const RCP: &str = "RESOURCE_CONTROL_POLICY";

async fn ask(realm: &Realm, name: &str, input: Value) -> Result<Value, String> {
    let answer = realm.organizations(&realm.root, name, input).await;
    answer.map_err(|refused| refused.code)
}

async fn enable(realm: &Realm, kind: &str) {
    let input = json!({ "RootId": root_id(realm).await, "PolicyType": kind });
    ask(realm, "EnablePolicyType", input).await.unwrap();
}

/// A new policy; its id.
async fn policy(realm: &Realm, kind: &str, name: &str, statement: Value) -> String {
    let content = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
    let input = json!({ "Content": content, "Description": "", "Name": name, "Type": kind });
    let made = ask(realm, "CreatePolicy", input).await.unwrap();
    text(&made["Policy"]["PolicySummary"]["Id"])
}

fn deny(action: &str) -> Value {
    json!({ "Sid": "Never", "Effect": "Deny", "Action": action, "Resource": "*" })
}

async fn attach(realm: &Realm, policy: &str, target: &str) -> Result<(), String> {
    let input = json!({ "PolicyId": policy, "TargetId": target });
    ask(realm, "AttachPolicy", input).await.map(drop)
}

async fn detach(realm: &Realm, policy: &str, target: &str) -> Result<(), String> {
    let input = json!({ "PolicyId": policy, "TargetId": target });
    ask(realm, "DetachPolicy", input).await.map(drop)
}

async fn may_list(realm: &Realm, keys: &Keys) -> bool {
    realm.iam(keys, "ListUsers", &[]).await.is_ok()
}

async fn ids(realm: &Realm, target: &str) -> Vec<String> {
    let input = json!({ "TargetId": target, "Filter": SCP });
    let found = ask(realm, "ListPoliciesForTarget", input).await.unwrap();
    found["Policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| text(&policy["Id"]))
        .collect()
}

#[tokio::test]
async fn an_attached_policy_limits_the_next_call_and_a_detached_one_no_more() {
    let (realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    enable(&realm, SCP).await;
    assert!(
        may_list(&realm, &session).await,
        "FullAWSAccess is attached everywhere"
    );
    let id = policy(&realm, SCP, "no-iam", deny("iam:*")).await;
    assert!(may_list(&realm, &session).await);
    attach(&realm, &id, &account).await.unwrap();
    let refused = realm.iam(&session, "ListUsers", &[]).await.unwrap_err();
    assert!(
        refused
            .message
            .contains("with an explicit deny in a service control policy"),
        "{}",
        refused.message
    );
    detach(&realm, &id, &account).await.unwrap();
    assert!(may_list(&realm, &session).await);
}

#[tokio::test]
async fn policies_of_the_root_and_of_units_limit_every_account_below() {
    let (realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    enable(&realm, SCP).await;
    let root = root_id(&realm).await;
    let outer = unit(&realm, &root, "Outer").await;
    let inner = unit(&realm, &outer, "Inner").await;
    let id = policy(&realm, SCP, "no-iam", deny("iam:*")).await;
    attach(&realm, &id, &outer).await.unwrap();
    assert!(may_list(&realm, &session).await);
    let input = json!({ "AccountId": account, "SourceParentId": root, "DestinationParentId": inner });
    ask(&realm, "MoveAccount", input).await.unwrap();
    assert!(!may_list(&realm, &session).await);
    detach(&realm, &id, &outer).await.unwrap();
    attach(&realm, &id, &root).await.unwrap();
    assert!(!may_list(&realm, &session).await);
}

#[tokio::test]
async fn the_management_account_is_not_limited() {
    let (realm, admin) = realm().await;
    enable(&realm, SCP).await;
    let id = policy(&realm, SCP, "no-iam", deny("iam:*")).await;
    attach(&realm, &id, &root_id(&realm).await).await.unwrap();
    assert!(may_list(&realm, &admin).await);
}

#[tokio::test]
async fn a_condition_of_a_control_policy_sees_who_asks() {
    let (realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    enable(&realm, SCP).await;
    let condition = json!({ "StringLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/Organization*" } });
    let statement =
        json!({ "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*", "Condition": condition });
    let id = policy(&realm, SCP, "not-by-the-role", statement).await;
    attach(&realm, &id, &account).await.unwrap();
    assert!(!may_list(&realm, &session).await);
    let user = realm.user(&session, "ann", Some(&allow("iam:*"))).await;
    assert!(may_list(&realm, &user).await);
}

#[tokio::test]
async fn every_level_must_allow() {
    let (realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    enable(&realm, SCP).await;
    let only = json!({ "Effect": "Allow", "Action": ["sts:*", "sqs:*"], "Resource": "*" });
    let id = policy(&realm, SCP, "only-sqs", only).await;
    attach(&realm, &id, &account).await.unwrap();
    assert!(
        may_list(&realm, &session).await,
        "FullAWSAccess allows it at the same level"
    );
    detach(&realm, "p-FullAWSAccess", &account).await.unwrap();
    assert_eq!(ids(&realm, &account).await, [id.as_str()]);
    let refused = realm.iam(&session, "ListUsers", &[]).await.unwrap_err();
    assert!(
        refused.message.contains("no service control policy allows"),
        "{}",
        refused.message
    );
    let last = detach(&realm, &id, &account).await.unwrap_err();
    assert_eq!(last, "ConstraintViolationException");
    attach(&realm, "p-FullAWSAccess", &account).await.unwrap();
    assert!(may_list(&realm, &session).await);
}

#[tokio::test]
async fn a_changed_document_limits_the_next_call() {
    let (realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    enable(&realm, SCP).await;
    let id = policy(&realm, SCP, "limit", deny("sqs:*")).await;
    attach(&realm, &id, &account).await.unwrap();
    assert!(may_list(&realm, &session).await);
    let content = json!({ "Version": "2012-10-17", "Statement": deny("iam:*") }).to_string();
    let input = json!({ "PolicyId": id, "Content": content });
    ask(&realm, "UpdatePolicy", input).await.unwrap();
    assert!(!may_list(&realm, &session).await);
    let found = ask(&realm, "DescribePolicy", json!({ "PolicyId": id }))
        .await
        .unwrap();
    assert_eq!(found["Policy"]["Content"], content);
    assert_eq!(found["Policy"]["PolicySummary"]["Name"], "limit");
}

#[tokio::test]
async fn a_type_that_is_not_enabled_limits_nobody_and_takes_no_attachments() {
    let (realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    let id = policy(&realm, SCP, "no-iam", deny("iam:*")).await;
    let refused = attach(&realm, &id, &account).await.unwrap_err();
    assert_eq!(refused, "PolicyTypeNotEnabledException");
    enable(&realm, SCP).await;
    attach(&realm, &id, &account).await.unwrap();
    assert!(!may_list(&realm, &session).await);
    let root = json!({ "RootId": root_id(&realm).await, "PolicyType": SCP });
    let answer = ask(&realm, "EnablePolicyType", root.clone()).await.unwrap_err();
    assert_eq!(answer, "PolicyTypeAlreadyEnabledException");
    let shown = ask(&realm, "DisablePolicyType", root.clone()).await.unwrap();
    assert_eq!(shown["Root"]["PolicyTypes"], json!([]));
    assert!(may_list(&realm, &session).await);
    let shown = ask(&realm, "EnablePolicyType", root).await.unwrap();
    assert_eq!(
        shown["Root"]["PolicyTypes"],
        json!([{ "Type": SCP, "Status": "ENABLED" }])
    );
    assert!(may_list(&realm, &session).await, "what was attached is detached");
}

#[tokio::test]
async fn a_resource_control_policy_limits_who_uses_the_accounts_resources() {
    let (realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    let role = realm
        .role(&session, "shared", &trust(realm.account.as_str()))
        .await;
    realm.assume(&admin, &role, &[]).await.unwrap();
    enable(&realm, RCP).await;
    realm.assume(&admin, &role, &[]).await.unwrap();
    let condition = json!({ "StringNotEquals": { "aws:PrincipalAccount": account } });
    let statement = json!({
        "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*", "Condition": condition,
    });
    let id = policy(&realm, RCP, "own-only", statement).await;
    attach(&realm, &id, &account).await.unwrap();
    let refused = realm.assume(&admin, &role, &[]).await.unwrap_err();
    assert!(
        refused
            .message
            .contains("with an explicit deny in a resource control policy"),
        "{}",
        refused.message
    );
    let refused = detach(&realm, "p-RCPFullAWSAccess", &account).await.unwrap_err();
    assert_eq!(refused, "ConstraintViolationException");
}

#[tokio::test]
async fn a_resource_control_policy_does_not_limit_the_management_accounts_resources() {
    let (realm, admin) = realm().await;
    enable(&realm, RCP).await;
    let statement =
        json!({ "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*" });
    let id = policy(&realm, RCP, "nobody", statement).await;
    attach(&realm, &id, &root_id(&realm).await).await.unwrap();
    let role = realm.role(&admin, "own", &trust(realm.account.as_str())).await;
    realm.assume(&admin, &role, &[]).await.unwrap();
}

#[tokio::test]
async fn documents_are_checked_by_the_rules_of_their_type() {
    let realm = Realm::new().await;
    let create = async |kind: &str, statement: Value| {
        let content = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
        let input = json!({ "Content": content, "Description": "", "Name": "p", "Type": kind });
        ask(&realm, "CreatePolicy", input).await.map(drop)
    };
    let malformed = Err("MalformedPolicyDocumentException".to_owned());
    let with_principal = json!({ "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*" });
    assert_eq!(create(SCP, with_principal.clone()).await, malformed);
    assert_eq!(create(RCP, deny("sqs:*")).await, malformed);
    let allows = json!({ "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*" });
    assert_eq!(create(RCP, allows).await, malformed);
    let refused = create("TAG_POLICY", deny("sqs:*")).await.unwrap_err();
    assert_eq!(refused, "PolicyTypeNotAvailableForOrganizationException");
    create(RCP, with_principal).await.unwrap();
    create(SCP, deny("sqs:*")).await.unwrap();
    assert_eq!(
        create(SCP, deny("sqs:*")).await,
        Err("DuplicatePolicyException".to_owned())
    );
}

#[tokio::test]
async fn a_policy_in_use_and_policies_of_aws_are_not_deleted() {
    let (realm, admin) = realm().await;
    let (account, _) = realm.member(&admin, "dev").await;
    enable(&realm, SCP).await;
    let id = policy(&realm, SCP, "p", deny("sqs:*")).await;
    attach(&realm, &id, &account).await.unwrap();
    let again = attach(&realm, &id, &account).await.unwrap_err();
    assert_eq!(again, "DuplicatePolicyAttachmentException");
    let delete = async |id: &str| {
        ask(&realm, "DeletePolicy", json!({ "PolicyId": id }))
            .await
            .map(drop)
    };
    assert_eq!(delete(&id).await, Err("PolicyInUseException".to_owned()));
    let found = ask(&realm, "ListTargetsForPolicy", json!({ "PolicyId": id }))
        .await
        .unwrap();
    assert_eq!(found["Targets"][0]["TargetId"], account);
    assert_eq!(found["Targets"][0]["Type"], "ACCOUNT");
    assert_eq!(
        delete("p-FullAWSAccess").await,
        Err("InvalidInputException".to_owned())
    );
    detach(&realm, &id, &account).await.unwrap();
    delete(&id).await.unwrap();
    assert_eq!(delete(&id).await, Err("PolicyNotFoundException".to_owned()));
    let refused = attach(&realm, "p-FullAWSAccess", "999999999999")
        .await
        .unwrap_err();
    assert_eq!(refused, "TargetNotFoundException");
}

#[tokio::test]
async fn five_policies_of_a_type_are_attached_at_most() {
    let (realm, admin) = realm().await;
    let (account, _) = realm.member(&admin, "dev").await;
    enable(&realm, SCP).await;
    for number in 0..5 {
        let id = policy(&realm, SCP, &format!("p{number}"), deny("sqs:*")).await;
        let attached = attach(&realm, &id, &account).await;
        assert_eq!(attached.is_ok(), number < 4, "FullAWSAccess is one of the five");
    }
}

#[tokio::test]
async fn service_control_policies_have_no_effective_policy() {
    let realm = Realm::new().await;
    let ask_for = async |kind: &str| {
        let input = json!({ "PolicyType": kind });
        ask(&realm, "DescribeEffectivePolicy", input).await.unwrap_err()
    };
    assert_eq!(ask_for(SCP).await, "InvalidInputException");
    assert_eq!(ask_for("TAG_POLICY").await, "EffectivePolicyNotFoundException");
}

#[tokio::test]
async fn member_accounts_do_not_change_what_limits_them() {
    let (realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    enable(&realm, SCP).await;
    let id = policy(&realm, SCP, "p", deny("sqs:*")).await;
    let input = json!({ "PolicyId": id, "TargetId": account });
    let refused = realm
        .organizations(&session, "AttachPolicy", input)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
}

#[tokio::test]
async fn a_restart_keeps_policies_and_what_they_are_attached_to() {
    let (mut realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    enable(&realm, SCP).await;
    let id = policy(&realm, SCP, "no-iam", deny("iam:*")).await;
    attach(&realm, &id, &account).await.unwrap();
    realm.restart().await;
    assert!(!may_list(&realm, &session).await);
    assert_eq!(ids(&realm, &account).await, ["p-FullAWSAccess", id.as_str()]);
    detach(&realm, "p-FullAWSAccess", &account).await.unwrap();
    realm.restart().await;
    assert_eq!(ids(&realm, &account).await, [id.as_str()]);
}
