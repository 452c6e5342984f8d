//! Queues under the key that AWS manages for SQS.

use super::{ACCOUNT, OTHER, Server, text};
use serde_json::{Value, json};

const ALIAS: &str = "alias/aws/sqs";

fn allow(action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
        .to_string()
}

async fn made(server: &Server) -> bool {
    let listed = server.kms(&server.root, "ListKeys", json!({})).await.unwrap();
    !listed["Keys"].as_array().unwrap().is_empty()
}

#[tokio::test]
async fn the_first_send_makes_the_key_and_the_message_arrives_also_after_a_restart() {
    let server = Server::start().await;
    let url = server.queue(json!({"KmsMasterKeyId": ALIAS})).await;
    assert_eq!(server.attribute(&url, "KmsMasterKeyId").await, ALIAS);
    assert!(!made(&server).await);
    server.send(&url, "secret").await;
    assert!(made(&server).await);
    let server = server.restart().await;
    assert_eq!(server.bodies(&url).await, ["secret"]);
}

#[tokio::test]
async fn principals_of_the_account_need_permission_for_the_queue_alone() {
    let server = Server::start().await;
    let url = server.queue(json!({"KmsMasterKeyId": ALIAS})).await;
    let user = server.world.people.user(ACCOUNT, "plain", Some(&allow("sqs:*")));
    let send = json!({"QueueUrl": url, "MessageBody": "x"});
    server.sqs(&user, "SendMessage", send).await.unwrap();
    let received = server
        .sqs(&user, "ReceiveMessage", json!({"QueueUrl": url}))
        .await
        .unwrap();
    assert_eq!(text(&received["Messages"][0], "Body"), "x");
}

#[tokio::test]
async fn principals_of_other_accounts_are_refused_by_the_key() {
    let server = Server::start().await;
    let policy = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sqs:*", "Resource": "*"}]});
    let attributes = json!({"KmsMasterKeyId": ALIAS, "Policy": policy.to_string()});
    let url = server.queue(attributes).await;
    let partner = server.world.people.user(OTHER, "partner", Some(&allow("*")));
    let send = json!({"QueueUrl": url, "MessageBody": "x"});
    let refused = |answer: Result<Value, crate::testing::Refused>| answer.unwrap_err().code;
    assert_eq!(
        refused(server.sqs(&partner, "SendMessage", send.clone()).await),
        "KmsAccessDenied"
    );
    assert!(!made(&server).await);
    server.send(&url, "x").await;
    assert_eq!(
        refused(server.sqs(&partner, "SendMessage", send).await),
        "KmsAccessDenied"
    );
    let receive = json!({"QueueUrl": url});
    assert_eq!(
        refused(server.sqs(&partner, "ReceiveMessage", receive).await),
        "KmsAccessDenied"
    );
    assert_eq!(server.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn the_managed_key_of_another_service_is_refused() {
    let server = Server::start().await;
    let url = server.queue(json!({"KmsMasterKeyId": "alias/aws/sns"})).await;
    let send = json!({"QueueUrl": url, "MessageBody": "x"});
    assert_eq!(server.refused("SendMessage", send).await, "KmsAccessDenied");
    assert!(!made(&server).await);
}
