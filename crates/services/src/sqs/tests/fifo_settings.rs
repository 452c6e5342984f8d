//! What makes a queue first-in-first-out, and what it then may be.

use super::Server;
use serde_json::{Value, json};

async fn create(server: &Server, name: &str, attributes: Value) -> Result<String, (String, String)> {
    server
        .sqs(
            &server.root,
            "CreateQueue",
            json!({"QueueName": name, "Attributes": attributes}),
        )
        .await
        .map(|made| super::text(&made, "QueueUrl"))
        .map_err(|refused| (refused.code, refused.message))
}

#[tokio::test]
async fn a_fifo_queue_reads_back_with_its_defaults() {
    let server = Server::start().await;
    let url = create(&server, "o.fifo", json!({"FifoQueue": "true"}))
        .await
        .unwrap();
    for (name, value) in [
        ("FifoQueue", "true"),
        ("ContentBasedDeduplication", "false"),
        ("DeduplicationScope", "queue"),
        ("FifoThroughputLimit", "perQueue"),
    ] {
        assert_eq!(server.attribute(&url, name).await, value, "{name}");
    }
}

#[tokio::test]
async fn a_standard_queue_has_no_attributes_of_fifo_queues() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    assert!(server.attribute(&url, "FifoQueue").await.is_null());
}

#[tokio::test]
async fn name_and_type_of_a_queue_fit_each_other() {
    let server = Server::start().await;
    for (name, attributes, begins) in [
        ("o.fifo", json!({}), "Can only include"),
        ("o", json!({"FifoQueue": "true"}), "The name of a FIFO queue"),
        (".fifo", json!({"FifoQueue": "true"}), "The name of a FIFO queue"),
    ] {
        let (code, message) = create(&server, name, attributes).await.unwrap_err();
        assert_eq!(code, "InvalidParameterValueException");
        assert!(message.starts_with(begins), "{message}");
    }
}

#[tokio::test]
async fn a_standard_queue_takes_no_attribute_of_fifo_queues() {
    let server = Server::start().await;
    for (name, value) in [
        ("FifoQueue", "false"),
        ("ContentBasedDeduplication", "true"),
        ("DeduplicationScope", "queue"),
        ("FifoThroughputLimit", "perQueue"),
    ] {
        let (code, _) = create(&server, "o", json!({name: value})).await.unwrap_err();
        assert_eq!(code, "InvalidAttributeName", "{name}");
    }
}

#[tokio::test]
async fn the_type_of_a_queue_never_changes() {
    let server = Server::start().await;
    let url = create(&server, "o.fifo", json!({"FifoQueue": "true"}))
        .await
        .unwrap();
    let input = |value| json!({"QueueUrl": url, "Attributes": {"FifoQueue": value}});
    assert_eq!(
        server.refused("SetQueueAttributes", input("false")).await,
        "InvalidAttributeValue"
    );
    server.ok("SetQueueAttributes", input("true")).await;
}

#[tokio::test]
async fn a_limit_per_group_needs_deduplication_per_group() {
    let server = Server::start().await;
    let high = json!({"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"});
    let (code, message) = create(&server, "o.fifo", high).await.unwrap_err();
    assert_eq!(code, "InvalidAttributeValue");
    assert!(
        message.contains("the DeduplicationScope must be messageGroup"),
        "{message}"
    );
    let both = json!({
        "FifoQueue": "true",
        "FifoThroughputLimit": "perMessageGroupId",
        "DeduplicationScope": "messageGroup",
    });
    let url = create(&server, "o.fifo", both).await.unwrap();
    let input = json!({"QueueUrl": url, "Attributes": {"DeduplicationScope": "queue"}});
    assert_eq!(
        server.refused("SetQueueAttributes", input).await,
        "InvalidAttributeValue"
    );
}

#[tokio::test]
async fn creating_a_fifo_queue_again_finds_it_or_names_what_differs() {
    let server = Server::start().await;
    let first = create(&server, "o.fifo", json!({"FifoQueue": "true"}))
        .await
        .unwrap();
    let again = create(&server, "o.fifo", json!({"FifoQueue": "true"}))
        .await
        .unwrap();
    assert_eq!(first, again);
    let other = json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"});
    let (code, message) = create(&server, "o.fifo", other).await.unwrap_err();
    assert_eq!(code, "QueueNameExists");
    assert!(
        message.ends_with("attribute ContentBasedDeduplication"),
        "{message}"
    );
}

#[tokio::test]
async fn a_fifo_queue_is_one_after_a_restart() {
    let server = Server::start().await;
    let attributes = json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"});
    let url = create(&server, "o.fifo", attributes).await.unwrap();
    let server = server.restart().await;
    assert_eq!(server.attribute(&url, "FifoQueue").await, "true");
    assert_eq!(server.attribute(&url, "ContentBasedDeduplication").await, "true");
}
