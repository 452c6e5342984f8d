//! What outlives the process.

use super::Server;
use serde_json::json;

#[tokio::test]
async fn acknowledged_messages_are_there_after_a_restart() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "a").await;
    server.send(&url, "b").await;
    let server = server.restart().await;
    assert_eq!(server.bodies(&url).await, ["a", "b"]);
}

#[tokio::test]
async fn a_deleted_message_is_gone_after_a_restart() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "a").await;
    let messages = server.receive(&url).await;
    server.delete(&url, &messages[0]).await;
    let server = server.restart().await;
    server.pass(60);
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn a_handle_from_before_a_restart_still_deletes() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "a").await;
    let messages = server.receive(&url).await;
    let server = server.restart().await;
    server.delete(&url, &messages[0]).await;
    server.pass(60);
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn settings_tags_and_policy_are_there_after_a_restart() {
    let server = Server::start().await;
    let policy =
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}]}"#;
    let url = server.queue(json!({"DelaySeconds": "7", "Policy": policy})).await;
    server
        .ok("TagQueue", json!({"QueueUrl": url, "Tags": {"team": "a"}}))
        .await;
    let before = server.attribute(&url, "Policy").await;
    let server = server.restart().await;
    assert_eq!(server.attribute(&url, "DelaySeconds").await, "7");
    assert_eq!(server.attribute(&url, "Policy").await, before);
    assert_eq!(
        server.ok("ListQueueTags", json!({"QueueUrl": url})).await["Tags"]["team"],
        "a"
    );
}

#[tokio::test]
async fn a_delay_goes_on_after_a_restart() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server
        .ok(
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": "x", "DelaySeconds": 100}),
        )
        .await;
    let server = server.restart().await;
    assert!(server.bodies(&url).await.is_empty());
    server.pass(100);
    assert_eq!(server.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn purged_messages_stay_gone_after_a_restart() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "old").await;
    server.ok("PurgeQueue", json!({"QueueUrl": url})).await;
    server.send(&url, "new").await;
    let server = server.restart().await;
    assert_eq!(server.bodies(&url).await, ["new"]);
}

#[tokio::test]
async fn messages_of_a_deleted_queue_do_not_enter_a_new_one_of_that_name() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "old").await;
    server.ok("DeleteQueue", json!({"QueueUrl": url})).await;
    server.pass(60);
    server.queue(json!({})).await;
    let server = server.restart().await;
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn a_name_stays_taken_for_its_minute_over_a_restart() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.ok("DeleteQueue", json!({"QueueUrl": url})).await;
    let server = server.restart().await;
    assert_eq!(
        server
            .refused("CreateQueue", json!({"QueueName": "orders"}))
            .await,
        "QueueDeletedRecently"
    );
}
