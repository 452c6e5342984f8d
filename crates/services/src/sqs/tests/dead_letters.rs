//! Messages that are received too often.

use super::super::envelope::{Envelope, Label, Origin, SealedAs, Stored};
use super::super::meta::{MessageMeta, Meta, MovedFrom};
use super::{ACCOUNT, Server, text};
use bulla_storage::Submission;
use bulla_types::Region;
use serde_json::{Value, json};
use std::sync::Arc;

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

fn policy(target: &str, receives: u32) -> String {
    json!({"deadLetterTargetArn": arn(target), "maxReceiveCount": receives}).to_string()
}

/// A queue whose messages go to `dead` after two receives, and that; a received message is visible again at once.
async fn pair(server: &Server, dead: Value) -> (String, String) {
    let dead = server.named("dead", dead).await;
    let attributes = json!({"RedrivePolicy": policy("dead", 2), "VisibilityTimeout": "0"});
    (server.named("orders", attributes).await, dead)
}

/// Receives as often as the policy of [`pair`] allows, and once more.
async fn wear_out(server: &Server, url: &str) -> Vec<String> {
    for _ in 0..2 {
        server.receive(url).await;
    }
    server.bodies(url).await
}

async fn receive_all(server: &Server, url: &str) -> Vec<Value> {
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"],
                       "MessageAttributeNames": ["All"]});
    let answer = server.ok("ReceiveMessage", input).await;
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue() {
    let server = Server::start().await;
    let (url, dead) = pair(&server, json!({})).await;
    server.send(&url, "x").await;
    assert_eq!(server.bodies(&url).await, ["x"]);
    assert_eq!(server.bodies(&url).await, ["x"]);
    assert!(server.bodies(&url).await.is_empty());
    assert_eq!(server.bodies(&dead).await, ["x"]);
    let server = server.restart().await;
    server.pass(60);
    assert!(server.bodies(&url).await.is_empty());
    assert_eq!(server.bodies(&dead).await, ["x"]);
}

#[tokio::test]
async fn a_dead_letter_keeps_id_attributes_and_time_of_sending_and_names_its_queue() {
    let server = Server::start().await;
    let (url, dead) = pair(&server, json!({})).await;
    let attributes = json!({"kind": {"DataType": "String", "StringValue": "order"}});
    let input = json!({"QueueUrl": url, "MessageBody": "x", "MessageAttributes": attributes});
    server.ok("SendMessage", input).await;
    let before = receive_all(&server, &url).await.remove(0);
    server.pass(7);
    wear_out(&server, &url).await;
    let after = receive_all(&server, &dead).await.remove(0);
    for member in [
        "MessageId",
        "Body",
        "MD5OfBody",
        "MessageAttributes",
        "MD5OfMessageAttributes",
    ] {
        assert_eq!(before[member], after[member], "{member}");
    }
    let (before, after) = (&before["Attributes"], &after["Attributes"]);
    assert_eq!(before["SentTimestamp"], after["SentTimestamp"]);
    assert_eq!(before["SenderId"], after["SenderId"]);
    assert_eq!(after["ApproximateReceiveCount"], "1");
    assert!(before["DeadLetterQueueSourceArn"].is_null());
    assert_eq!(after["DeadLetterQueueSourceArn"], arn("orders"));
}

#[tokio::test]
async fn retention_counts_from_the_original_time_of_sending() {
    let server = Server::start().await;
    let (url, dead) = pair(
        &server,
        json!({"MessageRetentionPeriod": "60", "VisibilityTimeout": "0"}),
    )
    .await;
    server.send(&url, "x").await;
    server.pass(40);
    wear_out(&server, &url).await;
    assert_eq!(server.bodies(&dead).await, ["x"]);
    server.pass(21);
    assert!(server.bodies(&dead).await.is_empty());
}

#[tokio::test]
async fn a_refused_move_loses_nothing_and_is_recorded() {
    let server = Server::start().await;
    let deny = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*",
                      "Action": "sqs:SendMessage", "Resource": "*"}});
    let (url, dead) = pair(&server, json!({"Policy": deny.to_string()})).await;
    server.send(&url, "x").await;
    assert_eq!(wear_out(&server, &url).await, ["x"]);
    let denied = ("SendMessage".to_owned(), "denied sqs:SendMessage".to_owned());
    assert!(server.world.audit.records().contains(&denied));
    let input = json!({"QueueUrl": dead, "Attributes": {"Policy": ""}});
    server.ok("SetQueueAttributes", input).await;
    assert!(server.bodies(&url).await.is_empty());
    assert_eq!(server.bodies(&dead).await, ["x"]);
}

#[tokio::test]
async fn the_dead_letter_queues_policy_sees_the_source_queue() {
    let server = Server::start().await;
    let unless = |source: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",
               "Action": "sqs:SendMessage", "Resource": "*",
               "Condition": {"ArnNotEquals": {"aws:SourceArn": arn(source)}}}]})
        .to_string()
    };
    let (url, dead) = pair(&server, json!({"Policy": unless("others")})).await;
    server.send(&url, "x").await;
    assert_eq!(wear_out(&server, &url).await, ["x"]);
    let input = json!({"QueueUrl": dead, "Attributes": {"Policy": unless("orders")}});
    server.ok("SetQueueAttributes", input).await;
    assert!(server.bodies(&url).await.is_empty());
    assert_eq!(server.bodies(&dead).await, ["x"]);
}

#[tokio::test]
async fn a_dead_letter_queue_that_is_gone_or_unwilling_leaves_the_message_deliverable() {
    let server = Server::start().await;
    let (url, dead) = pair(&server, json!({})).await;
    server.send(&url, "x").await;
    let unwilling = json!({"redrivePermission": "denyAll"}).to_string();
    let input = json!({"QueueUrl": dead, "Attributes": {"RedriveAllowPolicy": unwilling}});
    server.ok("SetQueueAttributes", input).await;
    assert_eq!(wear_out(&server, &url).await, ["x"]);
    server.ok("DeleteQueue", json!({"QueueUrl": dead})).await;
    assert_eq!(server.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn a_deleted_dead_letter_stays_deleted_after_a_restart() {
    // Queues of several numbers, so that pairs lie in the same and in different partitions of the log.
    let mut server = Server::start().await;
    for number in 0..8 {
        let (source, target) = (format!("orders-{number}"), format!("dead-{number}"));
        let dead = server.named(&target, json!({})).await;
        let attributes = json!({"RedrivePolicy": policy(&target, 2), "VisibilityTimeout": "0"});
        let url = server.named(&source, attributes).await;
        server.send(&url, "x").await;
        assert!(wear_out(&server, &url).await.is_empty());
        let letters = server.receive(&dead).await;
        server.delete(&dead, &letters[0]).await;
        server = server.restart().await;
        server.pass(60);
        assert!(server.bodies(&url).await.is_empty());
        assert!(server.bodies(&dead).await.is_empty());
    }
}

#[tokio::test]
async fn a_crash_between_the_copy_and_the_deletion_leaves_one_message() {
    let server = Server::start().await;
    let (url, dead) = pair(&server, json!({})).await;
    server.send(&url, "x").await;
    server.copy_without_deleting(&url, &dead).await;
    let server = server.restart().await;
    assert!(server.bodies(&url).await.is_empty());
    let letters = server.receive(&dead).await;
    assert_eq!(text(&letters[0], "Body"), "x");
    server.delete(&dead, &letters[0]).await;
    let server = server.restart().await;
    server.pass(60);
    assert!(server.bodies(&url).await.is_empty());
    assert!(server.bodies(&dead).await.is_empty());
}

#[tokio::test]
async fn a_fifo_group_goes_on_behind_its_dead_letters_and_keeps_its_order_there() {
    let server = Server::start().await;
    let attributes = json!({"FifoQueue": "true"});
    let dead = server.named("dead.fifo", attributes).await;
    let url = server
        .fifo(json!({"RedrivePolicy": policy("dead.fifo", 1), "VisibilityTimeout": "30"}))
        .await;
    for body in ["1", "2", "3", "4"] {
        server.send_to(&url, "g", body).await;
    }
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 2});
    server.ok("ReceiveMessage", input).await;
    server.pass(30);
    assert_eq!(server.bodies(&url).await, ["3", "4"]);
    let letters = receive_all(&server, &dead).await;
    let bodies: Vec<_> = letters.iter().map(|letter| text(letter, "Body")).collect();
    assert_eq!(bodies, ["1", "2"]);
    assert_eq!(letters[0]["Attributes"]["MessageGroupId"], "g");
    assert_eq!(letters[0]["Attributes"]["MessageDeduplicationId"], "1");
    // A message of the same group that is sent there stands behind them.
    server.send_to(&dead, "g", "5").await;
    assert!(server.bodies(&dead).await.is_empty());
    // The window of the source goes on.
    server.send_to(&url, "g", "1").await;
    server.pass(30);
    assert!(server.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn a_dead_letter_of_an_encrypted_queue_is_readable_to_those_whom_both_keys_allow() {
    let server = Server::start().await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let made = server.kms(&server.root, "CreateKey", json!({})).await.unwrap();
        keys.push(text(&made["KeyMetadata"], "KeyId"));
    }
    let dead = server
        .named(
            "dead",
            json!({"KmsMasterKeyId": keys[1], "VisibilityTimeout": "0"}),
        )
        .await;
    let attributes =
        json!({"RedrivePolicy": policy("dead", 2), "VisibilityTimeout": "0", "KmsMasterKeyId": keys[0]});
    let url = server.named("orders", attributes).await;
    server.send(&url, "x").await;
    assert!(wear_out(&server, &url).await.is_empty());
    let reader = |name: &str, allowed: &[usize]| {
        let keys: Vec<String> = allowed
            .iter()
            .map(|key| format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{}", keys[*key]))
            .collect();
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": "*"},
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": keys}]});
        server.world.people.user(ACCOUNT, name, Some(&policy.to_string()))
    };
    let receive = json!({"QueueUrl": dead});
    for (name, allowed) in [("first", [0].as_slice()), ("second", &[1])] {
        let reader = reader(name, allowed);
        let refused = server
            .sqs(&reader, "ReceiveMessage", receive.clone())
            .await
            .unwrap_err();
        assert_eq!(refused.code, "KmsAccessDenied", "{name}");
    }
    let both = reader("both", &[0, 1]);
    let received = server.sqs(&both, "ReceiveMessage", receive).await.unwrap();
    assert_eq!(received["Messages"][0]["Body"], "x");
}

impl Server {
    /// Does the first half of a move of the queue's only message, as if the server had crashed before the second.
    async fn copy_without_deleting(&self, url: &str, dead: &str) {
        let region = Region::parse("us-east-1").unwrap();
        let find = |url| {
            self.service
                .queue(&super::super::url::parse(url, region).unwrap())
                .unwrap()
        };
        let (source, target) = (find(url), find(dead));
        let log = self.service.log(source.id).unwrap();
        let position = log.scan(None, 10).await.unwrap().items[0].pos;
        let body = log.bodies(vec![position]).await.unwrap().remove(0).unwrap();
        let stored = Stored::parse(body).unwrap();
        let label: Label = stored.label;
        let origin = Origin {
            sealed_as: SealedAs {
                queue: source.id,
                arn: Arc::clone(&source.arn),
                message: label.message,
            },
            dead_letter_of: Some(Arc::clone(&source.arn)),
        };
        let meta = Meta::Message(MessageMeta {
            queue: target.id,
            sent: label.sent,
            available: None,
            group: None,
            deduplication: None,
            moved_from: Some(MovedFrom {
                queue: source.id,
                position,
            }),
        });
        let body = stored.moved(label, &origin).map(Envelope::into_bytes).unwrap();
        let submission = Submission {
            appends: vec![(Meta::encode_all([meta].into_iter()).remove(0), body)],
            ..Submission::default()
        };
        self.service.submit(target.id, submission).await.unwrap();
    }
}
