//! Queues under keys: who may send and receive, and what a change of the key does.

use super::{ACCOUNT, OTHER, Server};
use serde_json::{Value, json};

/// A key of the account, under an alias that the queue names.
async fn encrypted(server: &Server) -> (String, String) {
    let made = server.kms(&server.root, "CreateKey", json!({})).await.unwrap();
    let key = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    let alias = json!({"AliasName": "alias/orders", "TargetKeyId": key});
    server.kms(&server.root, "CreateAlias", alias).await.unwrap();
    let url = server.queue(json!({"KmsMasterKeyId": "alias/orders"})).await;
    (url, key)
}

fn send(url: &str) -> Value {
    json!({"QueueUrl": url, "MessageBody": "secret"})
}

fn allow(actions: &[&str]) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
        .to_string()
}

#[tokio::test]
async fn a_message_of_a_queue_with_a_key_arrives() {
    let server = Server::start().await;
    let (url, _) = encrypted(&server).await;
    server.send(&url, "secret").await;
    assert_eq!(server.bodies(&url).await, ["secret"]);
}

#[tokio::test]
async fn a_disabled_key_stops_the_next_send() {
    let server = Server::start().await;
    let (url, key) = encrypted(&server).await;
    server.send(&url, "secret").await;
    server
        .kms(&server.root, "DisableKey", json!({"KeyId": key}))
        .await
        .unwrap();
    assert_eq!(server.refused("SendMessage", send(&url)).await, "KmsDisabled");
}

#[tokio::test]
async fn a_disabled_key_stops_receiving_and_loses_nothing() {
    let server = Server::start().await;
    let (url, key) = encrypted(&server).await;
    server.send(&url, "secret").await;
    server
        .kms(&server.root, "DisableKey", json!({"KeyId": key}))
        .await
        .unwrap();
    assert_eq!(
        server.refused("ReceiveMessage", json!({"QueueUrl": url})).await,
        "KmsDisabled"
    );
    server
        .kms(&server.root, "EnableKey", json!({"KeyId": key}))
        .await
        .unwrap();
    assert_eq!(server.bodies(&url).await, ["secret"]);
}

#[tokio::test]
async fn a_key_that_waits_for_its_deletion_stops_sending() {
    let server = Server::start().await;
    let (url, key) = encrypted(&server).await;
    server
        .kms(&server.root, "ScheduleKeyDeletion", json!({"KeyId": key}))
        .await
        .unwrap();
    assert_eq!(server.refused("SendMessage", send(&url)).await, "KmsInvalidState");
}

#[tokio::test]
async fn a_key_that_does_not_exist_stops_sending() {
    let server = Server::start().await;
    let url = server.queue(json!({"KmsMasterKeyId": "alias/none"})).await;
    assert_eq!(server.refused("SendMessage", send(&url)).await, "KmsNotFound");
}

#[tokio::test]
async fn a_producer_needs_both_permissions_on_the_key() {
    let server = Server::start().await;
    let (url, _) = encrypted(&server).await;
    let people = &server.world.people;
    let without_key = people.user(ACCOUNT, "plain", Some(&allow(&["sqs:SendMessage"])));
    let without_decrypt = people.user(
        ACCOUNT,
        "half",
        Some(&allow(&["sqs:SendMessage", "kms:GenerateDataKey"])),
    );
    let whole = people.user(
        ACCOUNT,
        "whole",
        Some(&allow(&["sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"])),
    );
    for key in [without_key, without_decrypt] {
        assert_eq!(
            server
                .sqs(&key, "SendMessage", send(&url))
                .await
                .unwrap_err()
                .code,
            "KmsAccessDenied"
        );
    }
    server.sqs(&whole, "SendMessage", send(&url)).await.unwrap();
}

#[tokio::test]
async fn a_consumer_needs_to_decrypt_and_nothing_else_of_the_key() {
    let server = Server::start().await;
    let (url, _) = encrypted(&server).await;
    server.send(&url, "secret").await;
    let people = &server.world.people;
    let without = people.user(ACCOUNT, "without", Some(&allow(&["sqs:ReceiveMessage"])));
    let with = people.user(
        ACCOUNT,
        "with",
        Some(&allow(&["sqs:ReceiveMessage", "kms:Decrypt"])),
    );
    let receive = json!({"QueueUrl": url});
    assert_eq!(
        server
            .sqs(&without, "ReceiveMessage", receive.clone())
            .await
            .unwrap_err()
            .code,
        "KmsAccessDenied"
    );
    let received = server.sqs(&with, "ReceiveMessage", receive).await.unwrap();
    assert_eq!(received["Messages"][0]["Body"], "secret");
}

#[tokio::test]
async fn the_key_policy_sees_the_service_and_the_queue() {
    let server = Server::start().await;
    let statement = |name: &str, queue: &str| {
        json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/{name}")},
               "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*",
               "Condition": {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com",
                                              "kms:EncryptionContext:aws:sqs:arn": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}")}}})
    };
    let root = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [root, statement("right", "orders"), statement("wrong", "others")]});
    let made = server
        .kms(&server.root, "CreateKey", json!({"Policy": policy.to_string()}))
        .await
        .unwrap();
    let key = made["KeyMetadata"]["KeyId"].as_str().unwrap();
    let url = server.queue(json!({"KmsMasterKeyId": key})).await;
    let right = server
        .world
        .people
        .user(ACCOUNT, "right", Some(&allow(&["sqs:SendMessage"])));
    let wrong = server
        .world
        .people
        .user(ACCOUNT, "wrong", Some(&allow(&["sqs:SendMessage"])));
    server.sqs(&right, "SendMessage", send(&url)).await.unwrap();
    assert_eq!(
        server
            .sqs(&wrong, "SendMessage", send(&url))
            .await
            .unwrap_err()
            .code,
        "KmsAccessDenied"
    );
    let direct = server
        .kms(
            &right,
            "GenerateDataKey",
            json!({"KeyId": key, "KeySpec": "AES_256"}),
        )
        .await;
    assert_eq!(direct.unwrap_err().code, "AccessDeniedException");
}

#[tokio::test]
async fn an_alias_of_the_queue_belongs_to_the_queues_account() {
    let server = Server::start().await;
    let (url, key) = encrypted(&server).await;
    let partner = server
        .world
        .people
        .user(OTHER, "partner", Some(&allow(&["sqs:SendMessage", "kms:*"])));
    let queue_policy = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sqs:SendMessage", "Resource": "*"}]});
    let attributes = json!({"Policy": queue_policy.to_string()});
    server
        .ok(
            "SetQueueAttributes",
            json!({"QueueUrl": url, "Attributes": attributes}),
        )
        .await;
    assert_eq!(
        server
            .sqs(&partner, "SendMessage", send(&url))
            .await
            .unwrap_err()
            .code,
        "KmsAccessDenied"
    );
    let key_policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": [ACCOUNT, OTHER]}, "Action": "kms:*", "Resource": "*"}]});
    let input = json!({"KeyId": key, "PolicyName": "default", "Policy": key_policy.to_string()});
    server.kms(&server.root, "PutKeyPolicy", input).await.unwrap();
    server.sqs(&partner, "SendMessage", send(&url)).await.unwrap();
}

#[tokio::test]
async fn data_keys_are_used_again_for_the_reuse_period() {
    let server = Server::start().await;
    let (url, _) = encrypted(&server).await;
    let generated = || {
        server
            .world
            .audit
            .records()
            .iter()
            .filter(|(name, _)| name == "GenerateDataKey")
            .count()
    };
    for _ in 0..3 {
        server.send(&url, "x").await;
    }
    assert_eq!(generated(), 1);
    server.pass(300);
    server.send(&url, "x").await;
    assert_eq!(generated(), 2);
}

#[tokio::test]
async fn data_keys_of_one_requester_are_not_anothers() {
    let server = Server::start().await;
    let (url, _) = encrypted(&server).await;
    server.send(&url, "x").await;
    let other = server
        .world
        .people
        .user(ACCOUNT, "other", Some(&allow(&["sqs:SendMessage"])));
    assert_eq!(
        server
            .sqs(&other, "SendMessage", send(&url))
            .await
            .unwrap_err()
            .code,
        "KmsAccessDenied"
    );
}

#[tokio::test]
async fn messages_stay_readable_when_the_queue_changes_its_key() {
    let server = Server::start().await;
    let (url, _) = encrypted(&server).await;
    server.send(&url, "under the first").await;
    server
        .ok(
            "SetQueueAttributes",
            json!({"QueueUrl": url, "Attributes": {"SqsManagedSseEnabled": "true", "KmsMasterKeyId": ""}}),
        )
        .await;
    server.send(&url, "under the service's").await;
    assert_eq!(
        server.bodies(&url).await,
        ["under the first", "under the service's"]
    );
}

#[tokio::test]
async fn no_store_ever_holds_a_body_in_the_clear() {
    let server = Server::start().await;
    let (url, _) = encrypted(&server).await;
    server.send(&url, "a very recognisable body").await;
    server
        .ok(
            "CreateQueue",
            json!({"QueueName": "open", "Attributes": {"SqsManagedSseEnabled": "false"}}),
        )
        .await;
    let open = format!("https://localhost:4566/{ACCOUNT}/open");
    server.send(&open, "a very recognisable body").await;
    assert_eq!(server.bodies(&open).await.len(), 1);
    for bytes in server.stored_bytes().await {
        let found = bytes.windows(12).any(|window| window == b"recognisable");
        assert!(!found);
    }
}

impl Server {
    /// Every meta and body that the log holds.
    async fn stored_bytes(&self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for partition in 0..self.world.stores.log.partitions() {
            let opened = self
                .world
                .stores
                .log
                .open(bulla_storage::PartitionId(partition), "reader")
                .await
                .unwrap();
            let reader = opened.owner.reader();
            let page = reader.scan(None, 500).await.unwrap();
            for record in page.items {
                all.push(record.meta.to_vec());
                all.extend(
                    reader
                        .bodies(vec![record.pos])
                        .await
                        .unwrap()
                        .into_iter()
                        .flatten()
                        .map(|body| body.to_vec()),
                );
            }
        }
        assert!(!all.is_empty());
        all
    }
}

#[tokio::test]
async fn a_receiver_that_may_not_decrypt_leaves_the_message_to_one_that_may() {
    let server = Server::start().await;
    let (url, _) = encrypted(&server).await;
    let bad = server
        .world
        .people
        .user(ACCOUNT, "bad", Some(&allow(&["sqs:ReceiveMessage"])));
    let poll = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
    let good = server.sqs(&server.root, "ReceiveMessage", poll.clone());
    let (refused, received, ()) = tokio::join!(server.sqs(&bad, "ReceiveMessage", poll), good, async {
        server.somebody_waits(&url).await;
        server.send(&url, "secret").await;
        // Both polls end by themselves; the clock moves on only if one was forgotten.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        server.pass(20);
    });
    assert_eq!(refused.unwrap_err().code, "KmsAccessDenied");
    assert_eq!(received.unwrap()["Messages"][0]["Body"], "secret");
}

#[tokio::test]
async fn a_poll_that_began_before_a_change_of_access_is_judged_as_things_are_then() {
    for (change, code) in [("EnableKey", None), ("DisableKey", Some("KmsDisabled"))] {
        let server = Server::start().await;
        let (url, key) = encrypted(&server).await;
        let later = json!({"QueueUrl": url, "MessageBody": "secret", "DelaySeconds": 5});
        server.ok("SendMessage", later).await;
        let poll = server.sqs(
            &server.root,
            "ReceiveMessage",
            json!({"QueueUrl": url, "WaitTimeSeconds": 20}),
        );
        let (received, ()) = tokio::join!(poll, async {
            server.somebody_waits(&url).await;
            server
                .kms(&server.root, change, json!({"KeyId": key}))
                .await
                .unwrap();
            server.pass(5);
        });
        match code {
            None => assert_eq!(received.unwrap()["Messages"][0]["Body"], "secret"),
            Some(code) => {
                assert_eq!(received.unwrap_err().code, code);
                server
                    .kms(&server.root, "EnableKey", json!({"KeyId": key}))
                    .await
                    .unwrap();
                assert_eq!(server.bodies(&url).await, ["secret"]);
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_does_not_open_holds_up_no_other() {
    let server = Server::start().await;
    let (url, key) = encrypted(&server).await;
    server.send(&url, "under the key").await;
    let attributes = json!({"SqsManagedSseEnabled": "true", "KmsMasterKeyId": ""});
    server
        .ok(
            "SetQueueAttributes",
            json!({"QueueUrl": url, "Attributes": attributes}),
        )
        .await;
    server.send(&url, "under the service's").await;
    server
        .kms(&server.root, "DisableKey", json!({"KeyId": key}))
        .await
        .unwrap();
    assert_eq!(server.bodies(&url).await, ["under the service's"]);
    server
        .kms(&server.root, "EnableKey", json!({"KeyId": key}))
        .await
        .unwrap();
    assert_eq!(server.bodies(&url).await, ["under the key"]);
}
