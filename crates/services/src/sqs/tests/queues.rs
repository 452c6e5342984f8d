//! Making, finding, changing and ending queues.

use super::{ACCOUNT, Server, text};
use serde_json::json;

#[tokio::test]
async fn a_queue_url_is_under_the_host_that_the_client_used() {
    let server = Server::start().await;
    assert_eq!(
        server.queue(json!({})).await,
        format!("https://localhost:4566/{ACCOUNT}/orders")
    );
}

#[tokio::test]
async fn creating_a_queue_again_with_the_same_attributes_finds_it() {
    let server = Server::start().await;
    let first = server.queue(json!({"DelaySeconds": "5"})).await;
    assert_eq!(server.queue(json!({"DelaySeconds": "5"})).await, first);
}

#[tokio::test]
async fn creating_a_queue_again_names_the_attribute_that_differs() {
    let server = Server::start().await;
    server.queue(json!({"DelaySeconds": "5"})).await;
    let input = json!({"QueueName": "orders", "Attributes": {"DelaySeconds": "6"}});
    let refused = server.sqs(&server.root, "CreateQueue", input).await.unwrap_err();
    assert_eq!(refused.code, "QueueNameExists");
    assert!(
        refused
            .message
            .ends_with("a different value for attribute DelaySeconds"),
        "{}",
        refused.message
    );
}

#[tokio::test]
async fn a_name_is_free_again_a_minute_after_its_queue_was_deleted() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.ok("DeleteQueue", json!({"QueueUrl": url})).await;
    assert_eq!(
        server
            .refused("CreateQueue", json!({"QueueName": "orders"}))
            .await,
        "QueueDeletedRecently"
    );
    server.pass(60);
    server.queue(json!({})).await;
}

#[tokio::test]
async fn a_deleted_queue_does_not_exist() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.ok("DeleteQueue", json!({"QueueUrl": url})).await;
    let code = server
        .refused("SendMessage", json!({"QueueUrl": url, "MessageBody": "x"}))
        .await;
    assert_eq!(code, "QueueDoesNotExist");
}

#[tokio::test]
async fn attributes_that_aws_does_not_have_are_refused_by_name() {
    let server = Server::start().await;
    let input = json!({"QueueName": "orders", "Attributes": {"Colour": "red"}});
    assert_eq!(server.refused("CreateQueue", input).await, "InvalidAttributeName");
}

#[tokio::test]
async fn attributes_out_of_range_are_refused_and_change_nothing() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let input = json!({"QueueUrl": url, "Attributes": {"VisibilityTimeout": "43201", "DelaySeconds": "1"}});
    assert_eq!(
        server.refused("SetQueueAttributes", input).await,
        "InvalidAttributeValue"
    );
    assert_eq!(server.attribute(&url, "DelaySeconds").await, "0");
}

#[tokio::test]
async fn a_kms_key_turns_the_managed_encryption_off_and_it_stays_off_without_the_key() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    assert_eq!(server.attribute(&url, "SqsManagedSseEnabled").await, "true");
    for key in ["alias/orders", ""] {
        server
            .ok(
                "SetQueueAttributes",
                json!({"QueueUrl": url, "Attributes": {"KmsMasterKeyId": key}}),
            )
            .await;
        assert_eq!(server.attribute(&url, "SqsManagedSseEnabled").await, "false");
    }
}

#[tokio::test]
async fn the_reuse_period_is_echoed_only_beside_a_key() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    assert!(
        server
            .attribute(&url, "KmsDataKeyReusePeriodSeconds")
            .await
            .is_null()
    );
    server
        .ok(
            "SetQueueAttributes",
            json!({"QueueUrl": url, "Attributes": {"KmsMasterKeyId": "alias/x"}}),
        )
        .await;
    assert_eq!(
        server.attribute(&url, "KmsDataKeyReusePeriodSeconds").await,
        "300"
    );
}

#[tokio::test]
async fn both_kinds_of_encryption_at_once_are_refused() {
    let server = Server::start().await;
    let attributes = json!({"KmsMasterKeyId": "alias/x", "SqsManagedSseEnabled": "true"});
    let input = json!({"QueueName": "orders", "Attributes": attributes});
    assert_eq!(
        server.refused("CreateQueue", input).await,
        "InvalidAttributeValue"
    );
}

#[tokio::test]
async fn a_policy_that_is_not_understood_is_refused() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*","Colour":1}]}"#;
    let input = json!({"QueueUrl": url, "Attributes": {"Policy": policy}});
    assert_eq!(
        server.refused("SetQueueAttributes", input).await,
        "InvalidAttributeValue"
    );
}

#[tokio::test]
async fn queues_are_listed_by_prefix_and_page() {
    let server = Server::start().await;
    for name in ["a1", "a2", "a3", "b1"] {
        server.ok("CreateQueue", json!({"QueueName": name})).await;
    }
    let first = server
        .ok("ListQueues", json!({"QueueNamePrefix": "a", "MaxResults": 2}))
        .await;
    assert_eq!(first["QueueUrls"].as_array().unwrap().len(), 2);
    let input = json!({"QueueNamePrefix": "a", "MaxResults": 2, "NextToken": first["NextToken"]});
    let second = server.ok("ListQueues", input).await;
    assert_eq!(
        second["QueueUrls"],
        json!([format!("https://localhost:4566/{ACCOUNT}/a3")])
    );
    assert!(second["NextToken"].is_null());
}

#[tokio::test]
async fn regions_have_queues_of_their_own() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let input = json!({"QueueUrl": url, "MessageBody": "x"});
    let asked = crate::testing::ask(
        &server.gate,
        &server.root,
        "sqs/eu-west-1",
        "AmazonSQS.SendMessage",
        input,
    )
    .await;
    assert_eq!(asked.unwrap_err().code, "QueueDoesNotExist");
}

#[tokio::test]
async fn tags_can_be_set_read_and_removed() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server
        .ok(
            "TagQueue",
            json!({"QueueUrl": url, "Tags": {"team": "a", "cost": "b"}}),
        )
        .await;
    server
        .ok("UntagQueue", json!({"QueueUrl": url, "TagKeys": ["cost"]}))
        .await;
    assert_eq!(
        server.ok("ListQueueTags", json!({"QueueUrl": url})).await,
        json!({"Tags": {"team": "a"}})
    );
}

#[tokio::test]
async fn a_purge_ends_the_messages_that_were_there() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.send(&url, "old").await;
    server.ok("PurgeQueue", json!({"QueueUrl": url})).await;
    server.send(&url, "new").await;
    assert_eq!(server.bodies(&url).await, ["new"]);
}

#[tokio::test]
async fn a_queue_is_purged_at_most_once_a_minute() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    server.ok("PurgeQueue", json!({"QueueUrl": url})).await;
    assert_eq!(
        server.refused("PurgeQueue", json!({"QueueUrl": url})).await,
        "PurgeQueueInProgress"
    );
    server.pass(60);
    server.ok("PurgeQueue", json!({"QueueUrl": url})).await;
}

#[tokio::test]
async fn the_queue_arn_names_region_account_and_queue() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let attributes = server
        .ok(
            "GetQueueAttributes",
            json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]}),
        )
        .await;
    assert_eq!(
        text(&attributes["Attributes"], "QueueArn"),
        format!("arn:aws:sqs:us-east-1:{ACCOUNT}:orders")
    );
}
