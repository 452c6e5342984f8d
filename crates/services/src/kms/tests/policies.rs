//! Which key policies are stored.

use super::{OWNER, Server, account, policy, statement};
use serde_json::json;

#[tokio::test]
async fn a_policy_that_locks_its_author_out_is_refused_unless_he_insists() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let locked = policy(&[statement(&account(OWNER), "kms:DescribeKey")]).to_string();
    let input = json!({"KeyId": key["KeyId"], "Policy": locked});
    let refused = server.ask(&server.root, "PutKeyPolicy", input).await.unwrap_err();
    assert_eq!(refused.code, "MalformedPolicyDocumentException");
    assert_eq!(
        refused.message,
        "The new key policy will not allow you to update the key policy in the future."
    );
    assert_eq!(
        server.error("CreateKey", json!({"Policy": locked})).await,
        "MalformedPolicyDocumentException"
    );
    let insists = json!({"KeyId": key["KeyId"], "Policy": locked, "BypassPolicyLockoutSafetyCheck": true});
    server.done("PutKeyPolicy", insists).await;
    assert_eq!(
        server
            .error("PutKeyPolicy", json!({"KeyId": key["KeyId"], "Policy": locked}))
            .await,
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn a_policy_that_is_not_understood_is_refused_and_changes_nothing() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let mut unknown_operator = statement(&account(OWNER), "kms:*");
    unknown_operator["Condition"] = json!({"StringResembles": {"aws:PrincipalAccount": "1"}});
    let mut unknown_member = statement(&account(OWNER), "kms:*");
    unknown_member["StringEquals"] = json!({"kms:ViaService": "sqs.us-east-1.amazonaws.com"});
    let documents = [
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        policy(&[unknown_operator]).to_string(),
        policy(&[unknown_member]).to_string(),
        policy(&[json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})]).to_string(),
    ];
    for document in documents {
        let input = json!({"KeyId": key["KeyId"], "Policy": document});
        assert_eq!(
            server.error("PutKeyPolicy", input).await,
            "MalformedPolicyDocumentException",
            "{document}"
        );
    }
    let found = server.done("GetKeyPolicy", json!({"KeyId": key["KeyId"]})).await;
    assert!(
        found["Policy"]
            .as_str()
            .unwrap()
            .contains("Enable IAM User Permissions")
    );
    let long = json!({"KeyId": key["KeyId"], "Policy": " ".repeat(32_769)});
    assert_eq!(server.error("PutKeyPolicy", long).await, "LimitExceededException");
}
