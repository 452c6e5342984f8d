//! What may be sent, and what the sender is told.

use super::{Server, text};
use serde_json::json;

#[tokio::test]
async fn the_answer_carries_the_digest_of_the_body() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let sent = server
        .ok(
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": "This is a test message"}),
        )
        .await;
    assert_eq!(
        text(&sent, "MD5OfMessageBody"),
        "fafb00f5732ab283681e124bf8747ed1"
    );
}

#[tokio::test]
async fn attributes_arrive_as_they_were_sent() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let attributes = json!({
        "text": {"DataType": "String.note", "StringValue": "x"},
        "bytes": {"DataType": "Binary", "BinaryValue": "AAEC"},
        "count": {"DataType": "Number", "StringValue": "42"},
    });
    let input = json!({"QueueUrl": url, "MessageBody": "x", "MessageAttributes": attributes});
    let sent = server.ok("SendMessage", input).await;
    let input = json!({"QueueUrl": url, "MessageAttributeNames": ["All"]});
    let received = server.ok("ReceiveMessage", input).await["Messages"][0].clone();
    assert_eq!(received["MessageAttributes"], attributes);
    assert_eq!(received["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
}

#[tokio::test]
async fn a_body_over_the_queues_limit_is_refused() {
    let server = Server::start().await;
    let url = server.queue(json!({"MaximumMessageSize": "1024"})).await;
    server.send(&url, &"x".repeat(1024)).await;
    let input = json!({"QueueUrl": url, "MessageBody": "x".repeat(1025)});
    assert_eq!(
        server.refused("SendMessage", input).await,
        "InvalidParameterValueException"
    );
}

#[tokio::test]
async fn attributes_count_to_the_size_of_a_message() {
    let server = Server::start().await;
    let url = server.queue(json!({"MaximumMessageSize": "1024"})).await;
    let attributes = json!({"a": {"DataType": "String", "StringValue": "x"}});
    let input = json!({"QueueUrl": url, "MessageBody": "x".repeat(1020), "MessageAttributes": attributes});
    assert_eq!(
        server.refused("SendMessage", input).await,
        "InvalidParameterValueException"
    );
}

#[tokio::test]
async fn a_body_with_forbidden_characters_is_refused() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let input = json!({"QueueUrl": url, "MessageBody": "a\u{0}"});
    assert_eq!(
        server.refused("SendMessage", input).await,
        "InvalidMessageContents"
    );
}

#[tokio::test]
async fn an_empty_body_is_a_missing_parameter() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let input = json!({"QueueUrl": url, "MessageBody": ""});
    assert_eq!(
        server.refused("SendMessage", input).await,
        "MissingRequiredParameterException"
    );
}

#[tokio::test]
async fn a_wrong_entry_of_a_batch_fails_alone() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let entries = json!([{"Id": "good", "MessageBody": "x"}, {"Id": "bad", "MessageBody": "\u{1}"}]);
    let answer = server
        .ok("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries}))
        .await;
    assert_eq!(answer["Successful"][0]["Id"], "good");
    assert_eq!(answer["Failed"][0]["Id"], "bad");
    assert_eq!(server.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_when_it_is_not_well_formed() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let entry = |id: &str| json!({"Id": id, "MessageBody": "x"});
    let many: Vec<_> = (0..11).map(|number| entry(&number.to_string())).collect();
    for (entries, code) in [
        (json!([]), "EmptyBatchRequest"),
        (json!(many), "TooManyEntriesInBatchRequest"),
        (json!([entry("a"), entry("a")]), "BatchEntryIdsNotDistinct"),
        (json!([entry("a b")]), "InvalidBatchEntryId"),
    ] {
        assert_eq!(
            server
                .refused("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries}))
                .await,
            code
        );
    }
}

#[tokio::test]
async fn a_batch_larger_than_one_message_may_be_is_refused() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let entries = json!([
        {"Id": "a", "MessageBody": "x".repeat(600_000)},
        {"Id": "b", "MessageBody": "x".repeat(600_000)},
    ]);
    let code = server
        .refused("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries}))
        .await;
    assert_eq!(code, "BatchRequestTooLong");
}

#[tokio::test]
async fn attribute_names_and_types_outside_the_rules_are_refused() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    for (name, data_type) in [
        ("AWS.x", "String"),
        ("a..b", "String"),
        (".a", "String"),
        ("a b", "String"),
        ("a", "Text"),
    ] {
        let attributes = json!({name: {"DataType": data_type, "StringValue": "x"}});
        let input = json!({"QueueUrl": url, "MessageBody": "x", "MessageAttributes": attributes});
        assert_eq!(
            server.refused("SendMessage", input).await,
            "InvalidParameterValueException",
            "{name} {data_type}"
        );
    }
}

#[tokio::test]
async fn the_parameters_of_fifo_queues_are_refused() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let input = json!({"QueueUrl": url, "MessageBody": "x", "MessageDeduplicationId": "d"});
    let refused = server.sqs(&server.root, "SendMessage", input).await.unwrap_err();
    assert_eq!(refused.code, "InvalidParameterValueException");
    assert_eq!(
        refused.message,
        "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not \
         valid for this queue type."
    );
    let input = json!({"QueueUrl": url, "ReceiveRequestAttemptId": "a"});
    assert_eq!(
        server.refused("ReceiveMessage", input).await,
        "InvalidParameterValueException"
    );
}

#[tokio::test]
async fn a_standard_queue_tells_the_group_of_a_message() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    let input = json!({"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "tenant-1"});
    let sent = server.ok("SendMessage", input).await;
    assert!(sent["SequenceNumber"].is_null());
    let input = json!({"QueueUrl": url, "MessageSystemAttributeNames": ["MessageGroupId", "SequenceNumber"]});
    let received = server.ok("ReceiveMessage", input).await;
    assert_eq!(
        received["Messages"][0]["Attributes"],
        json!({"MessageGroupId": "tenant-1"})
    );
}

#[tokio::test]
async fn a_noisy_group_does_not_delay_the_others() {
    let server = Server::start().await;
    let url = server.queue(json!({})).await;
    for (group, count) in [("noisy", 20), ("quiet", 1)] {
        for number in 0..count {
            let body = format!("{group} {number}");
            server
                .ok(
                    "SendMessage",
                    json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group}),
                )
                .await;
        }
    }
    let bodies = server.bodies(&url).await;
    assert!(bodies[..2].contains(&"quiet 0".to_owned()), "{bodies:?}");
}
