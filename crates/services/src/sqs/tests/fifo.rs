//! FIFO queues: order within groups, what locks a group and what does not.

use super::{Server, text};
use serde_json::{Value, json};

async fn refused(server: &Server, name: &str, input: Value) -> (String, String) {
    let refused = server.sqs(&server.root, name, input).await.unwrap_err();
    (refused.code, refused.message)
}

#[tokio::test]
async fn messages_of_a_group_arrive_in_the_order_they_were_sent() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    for body in ["1", "2", "3"] {
        server.send_to(&url, "g", body).await;
    }
    assert_eq!(server.bodies(&url).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_group_with_a_message_in_flight_is_locked_and_others_are_not() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2")] {
        server.send_to(&url, group, body).await;
    }
    let one = json!({"QueueUrl": url});
    let first = server.ok("ReceiveMessage", one).await["Messages"][0].clone();
    assert_eq!(first["Body"], "a1");
    assert_eq!(server.bodies(&url).await, ["b1"]);
    assert!(server.bodies(&url).await.is_empty());
    server.delete(&url, &first).await;
    assert_eq!(server.bodies(&url).await, ["a2"]);
}

#[tokio::test]
async fn a_receive_goes_on_within_a_group_before_it_turns_to_the_next() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2")] {
        server.send_to(&url, group, body).await;
    }
    assert_eq!(server.bodies(&url).await, ["a1", "a2", "b1", "b2"]);
}

#[tokio::test]
async fn a_new_send_does_not_unlock_a_group() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    server.send_to(&url, "g", "1").await;
    server.receive(&url).await;
    server.send_to(&url, "g", "2").await;
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn a_message_that_becomes_visible_again_comes_before_those_behind_it() {
    let server = Server::start().await;
    let url = server.fifo(json!({"VisibilityTimeout": "30"})).await;
    server.send_to(&url, "g", "1").await;
    server.receive(&url).await;
    server.send_to(&url, "g", "2").await;
    server.pass(30);
    assert_eq!(server.bodies(&url).await, ["1", "2"]);
}

#[tokio::test]
async fn extending_the_visibility_of_a_groups_first_message_keeps_the_rest_back() {
    let server = Server::start().await;
    let url = server.fifo(json!({"VisibilityTimeout": "30"})).await;
    server.send_to(&url, "g", "1").await;
    let first = server.receive(&url).await;
    server.send_to(&url, "g", "2").await;
    server.pass(20);
    let input = json!({"QueueUrl": url, "ReceiptHandle": first[0]["ReceiptHandle"], "VisibilityTimeout": 60});
    server.ok("ChangeMessageVisibility", input).await;
    server.pass(59);
    assert!(server.bodies(&url).await.is_empty());
    server.pass(1);
    assert_eq!(server.bodies(&url).await, ["1", "2"]);
}

#[tokio::test]
async fn an_expired_receipt_handle_of_a_fifo_message_cannot_delete() {
    let server = Server::start().await;
    let url = server.fifo(json!({"VisibilityTimeout": "30"})).await;
    server.send_to(&url, "g", "1").await;
    let messages = server.receive(&url).await;
    let handle = text(&messages[0], "ReceiptHandle");
    server.pass(30);
    let input = json!({"QueueUrl": url, "ReceiptHandle": handle});
    let (code, message) = refused(&server, "DeleteMessage", input).await;
    assert_eq!(code, "InvalidParameterValueException");
    assert_eq!(
        message,
        format!(
            "Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
        )
    );
    let entries = json!([{"Id": "a", "ReceiptHandle": handle}]);
    let answer = server
        .ok("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": entries}))
        .await;
    assert_eq!(answer["Failed"][0]["Code"], "InvalidParameterValue");
    assert_eq!(server.bodies(&url).await, ["1"]);
}

#[tokio::test]
async fn delayed_messages_keep_their_groups_order() {
    let server = Server::start().await;
    let url = server.fifo(json!({"DelaySeconds": "10"})).await;
    server.send_to(&url, "g", "1").await;
    server.pass(5);
    server.send_to(&url, "g", "2").await;
    assert!(server.bodies(&url).await.is_empty());
    server.pass(5);
    assert_eq!(server.bodies(&url).await, ["1"]);
    server.pass(5);
    // The first is in flight.
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn a_fifo_queue_has_no_delay_per_message_and_lets_a_zero_pass() {
    let server = Server::start().await;
    let url = server.fifo(json!({"DelaySeconds": "10"})).await;
    let send = |delay: u32| {
        json!({"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d",
               "DelaySeconds": delay})
    };
    let (code, message) = refused(&server, "SendMessage", send(1)).await;
    assert_eq!(code, "InvalidParameterValueException");
    assert_eq!(
        message,
        "Value 1 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for \
         this queue type."
    );
    server.ok("SendMessage", send(0)).await;
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn a_missing_group_is_a_missing_parameter_and_in_a_batch_an_invalid_value() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    let input = json!({"QueueUrl": url, "MessageBody": "x", "MessageDeduplicationId": "d"});
    let (code, message) = refused(&server, "SendMessage", input).await;
    assert_eq!(code, "MissingRequiredParameterException");
    assert_eq!(message, "The request must contain the parameter MessageGroupId.");
    let entries = json!([{"Id": "a", "MessageBody": "x", "MessageDeduplicationId": "d"}]);
    let answer = server
        .ok("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries}))
        .await;
    assert_eq!(answer["Failed"][0]["Code"], "InvalidParameterValue");
    assert_eq!(answer["Failed"][0]["SenderFault"], true);
}

#[tokio::test]
async fn identifiers_outside_the_rules_are_refused() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    for (group, id) in [("", "d"), ("a b", "d"), ("g", "\u{e9}"), ("g", &"x".repeat(129))] {
        let input = json!({"QueueUrl": url, "MessageBody": "x", "MessageGroupId": group, "MessageDeduplicationId": id});
        let (code, message) = refused(&server, "SendMessage", input).await;
        assert_eq!(code, "InvalidParameterValueException", "{group} {id}");
        assert!(
            message
                .ends_with("can only include alphanumeric and punctuation characters. 1 to 128 in length."),
            "{message}"
        );
    }
}

#[tokio::test]
async fn sequence_numbers_have_twenty_digits_and_rise() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    let mut numbers = Vec::new();
    for body in ["1", "2", "3"] {
        numbers.push(text(&server.send_to(&url, "g", body).await, "SequenceNumber"));
    }
    assert!(numbers.iter().all(|number| number.len() == 20));
    assert!(numbers.is_sorted() && numbers[0] != numbers[1]);
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]});
    let received = server.ok("ReceiveMessage", input).await;
    let attributes = &received["Messages"][0]["Attributes"];
    assert_eq!(attributes["SequenceNumber"], *numbers[0]);
    assert_eq!(attributes["MessageGroupId"], "g");
    assert_eq!(attributes["MessageDeduplicationId"], "1");
}

#[tokio::test]
async fn a_batch_keeps_its_order_also_when_entries_of_it_fail() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    let entry = |id: &str, body: &str| json!({"Id": id, "MessageBody": body, "MessageGroupId": "g", "MessageDeduplicationId": id});
    let entries = json!([
        entry("a", "1"),
        entry("b", "\u{1}"),
        entry("c", "2"),
        entry("d", "3")
    ]);
    let answer = server
        .ok("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries}))
        .await;
    assert_eq!(answer["Failed"][0]["Id"], "b");
    let successful = answer["Successful"].as_array().unwrap();
    let numbers: Vec<_> = successful
        .iter()
        .map(|sent| text(sent, "SequenceNumber"))
        .collect();
    assert!(numbers.len() == 3 && numbers.is_sorted());
    assert_eq!(server.bodies(&url).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn order_and_locks_outlive_a_restart() {
    let server = Server::start().await;
    let url = server.fifo(json!({"VisibilityTimeout": "30"})).await;
    for body in ["1", "2", "3"] {
        server.send_to(&url, "g", body).await;
    }
    let first = server.ok("ReceiveMessage", json!({"QueueUrl": url})).await["Messages"][0].clone();
    let server = server.restart().await;
    server.pass(30);
    assert_eq!(server.bodies(&url).await, ["1", "2", "3"]);
    let input = json!({"QueueUrl": url, "ReceiptHandle": first["ReceiptHandle"]});
    assert_eq!(
        server.refused("DeleteMessage", input).await,
        "InvalidParameterValueException"
    );
}

#[tokio::test]
async fn a_poll_that_waits_gets_the_next_message_when_a_deletion_unlocks_the_group() {
    let server = Server::start().await;
    let url = server.fifo(json!({})).await;
    server.send_to(&url, "g", "1").await;
    server.send_to(&url, "g", "2").await;
    let first = server.ok("ReceiveMessage", json!({"QueueUrl": url})).await["Messages"][0].clone();
    let poll = server.ok("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
    let (received, ()) = tokio::join!(poll, async {
        server.somebody_waits(&url).await;
        server.delete(&url, &first).await;
    });
    assert_eq!(text(&received["Messages"][0], "Body"), "2");
}

fn attempt(url: &str, id: &str) -> Value {
    json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "ReceiveRequestAttemptId": id})
}

#[tokio::test]
async fn a_repeated_attempt_gets_the_same_messages_and_handles_hidden_anew() {
    let server = Server::start().await;
    let url = server.fifo(json!({"VisibilityTimeout": "30"})).await;
    server.send_to(&url, "g", "1").await;
    server.send_to(&url, "g", "2").await;
    let first = server.ok("ReceiveMessage", attempt(&url, "a")).await;
    server.pass(20);
    let again = server.ok("ReceiveMessage", attempt(&url, "a")).await;
    assert_eq!(first, again);
    server.pass(20);
    assert!(server.bodies(&url).await.is_empty());
    server.pass(10);
    assert_eq!(server.bodies(&url).await, ["1", "2"]);
}

#[tokio::test]
async fn an_attempt_is_void_when_a_message_of_it_was_deleted_changed_or_became_visible() {
    let server = Server::start().await;
    let url = server.fifo(json!({"VisibilityTimeout": "30"})).await;
    for (group, body) in [("a", "1"), ("b", "2"), ("c", "3")] {
        server.send_to(&url, group, body).await;
    }
    let first = server.ok("ReceiveMessage", attempt(&url, "a")).await;
    server.delete(&url, &first["Messages"][0]).await;
    let again = server.ok("ReceiveMessage", attempt(&url, "a")).await;
    assert!(again["Messages"].is_null());
    server.pass(30);
    let second = server.ok("ReceiveMessage", attempt(&url, "b")).await;
    assert_eq!(second["Messages"].as_array().unwrap().len(), 2);
    let input = json!({"QueueUrl": url, "ReceiptHandle": second["Messages"][0]["ReceiptHandle"], "VisibilityTimeout": 10});
    server.ok("ChangeMessageVisibility", input).await;
    assert!(server.ok("ReceiveMessage", attempt(&url, "b")).await["Messages"].is_null());
    server.pass(30);
    server.ok("ReceiveMessage", attempt(&url, "c")).await;
    server.pass(30);
    let anew = server.ok("ReceiveMessage", attempt(&url, "c")).await;
    assert_ne!(
        anew["Messages"][0]["ReceiptHandle"],
        second["Messages"][0]["ReceiptHandle"]
    );
}

#[tokio::test]
async fn an_attempt_cannot_be_repeated_after_five_minutes() {
    let server = Server::start().await;
    let url = server.fifo(json!({"VisibilityTimeout": "3600"})).await;
    server.send_to(&url, "g", "1").await;
    server.ok("ReceiveMessage", attempt(&url, "a")).await;
    server.pass(299);
    assert!(!server.ok("ReceiveMessage", attempt(&url, "a")).await["Messages"].is_null());
    server.pass(1);
    assert!(server.ok("ReceiveMessage", attempt(&url, "a")).await["Messages"].is_null());
}
