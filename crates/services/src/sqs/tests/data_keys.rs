//! The data keys that are held in clear: whose, for how long, and how they are taken away.

use super::{ACCOUNT, Server, text};
use crate::sqs::{HolderUse, KeyHolder, KeyHolders};
use serde_json::{Value, json};
use std::time::Duration;

fn allow(actions: &[&str]) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
        .to_string()
}

/// A queue under a key that a producer has sent to and a consumer has received from.
struct Used {
    server: Server,
    url: String,
    key: Value,
    producer: String,
    consumer: String,
}

impl Used {
    async fn new(attributes: Value) -> Self {
        let server = Server::start().await;
        let made = server.kms(&server.root, "CreateKey", json!({})).await.unwrap();
        let key = made["KeyMetadata"].clone();
        let mut all = attributes;
        all["KmsMasterKeyId"] = key["KeyId"].clone();
        let url = server.queue(all).await;
        let people = &server.world.people;
        let sends = allow(&["sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"]);
        let receives = allow(&["sqs:ReceiveMessage", "kms:Decrypt"]);
        let (producer, consumer) = (
            people.user(ACCOUNT, "producer", Some(&sends)),
            people.user(ACCOUNT, "consumer", Some(&receives)),
        );
        let used = Self {
            server,
            url,
            key,
            producer,
            consumer,
        };
        used.send().await;
        used.receive().await;
        used
    }

    async fn send(&self) {
        let input = json!({"QueueUrl": self.url, "MessageBody": "x"});
        self.server
            .sqs(&self.producer, "SendMessage", input)
            .await
            .unwrap();
    }

    async fn receive(&self) {
        let input = json!({"QueueUrl": self.url, "VisibilityTimeout": 0});
        let received = self.server.sqs(&self.consumer, "ReceiveMessage", input).await;
        assert_eq!(text(&received.unwrap()["Messages"][0], "Body"), "x");
    }

    fn held(&self) -> KeyHolders {
        let arn = text(&self.key, "Arn");
        self.server
            .service
            .key_holders(&arn, self.server.gate.authorization_epoch())
    }

    fn asked(&self) -> usize {
        let records = self.server.world.audit.records();
        let of_kms = |name: &str| name == "GenerateDataKey" || name == "Decrypt";
        records.iter().filter(|(name, _)| of_kms(name)).count()
    }

    /// Lets the sweep do what is due.
    async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

impl crate::sqs::Sqs {
    /// Data keys of KMS keys that seal, those that open, and answers of KMS, as they are in memory.
    fn cached_of_keys(&self) -> (usize, usize, usize) {
        self.encryption.counts()
    }
}

#[tokio::test]
async fn the_holders_of_a_key_are_its_producers_and_consumers() {
    let used = Used::new(json!({})).await;
    let since = used.server.world.runtime.clock.now();
    let holder = |name: &str, purpose| KeyHolder {
        principal: format!("arn:aws:iam::{ACCOUNT}:user/{name}").into(),
        access_key: None,
        queue: format!("arn:aws:sqs:us-east-1:{ACCOUNT}:orders").into(),
        purpose,
        since,
        until: since.after(Duration::from_mins(5)),
        current: true,
    };
    let holders = vec![
        holder("consumer", HolderUse::Opening),
        holder("producer", HolderUse::Sealing),
    ];
    assert_eq!(
        used.held(),
        KeyHolders {
            holders,
            data_keys: 1
        }
    );
}

#[tokio::test]
async fn data_keys_are_wiped_when_they_expire_without_anybody_asking() {
    let used = Used::new(json!({"KmsDataKeyReusePeriodSeconds": "60"})).await;
    used.settle().await;
    let cached = || used.server.service.cached_of_keys();
    assert_eq!(cached(), (1, 1, 1));
    used.server.pass(61);
    used.settle().await;
    // What the producer sealed at last may still be opened.
    assert_eq!(cached(), (0, 1, 0));
    used.server.pass(61);
    used.settle().await;
    assert_eq!(cached(), (0, 0, 0));
}

#[tokio::test]
async fn an_earlier_expiry_wakes_the_sweep() {
    let used = Used::new(json!({"KmsDataKeyReusePeriodSeconds": "86400"})).await;
    used.settle().await;
    let attributes = json!({"KmsDataKeyReusePeriodSeconds": "60"});
    let input = json!({"QueueUrl": used.url, "Attributes": attributes});
    used.server.ok("SetQueueAttributes", input).await;
    used.send().await;
    used.settle().await;
    used.server.pass(61);
    used.settle().await;
    assert_eq!(used.server.service.cached_of_keys().0, 0);
}

#[tokio::test]
async fn after_a_revocation_everybody_asks_kms_again() {
    let used = Used::new(json!({})).await;
    let before = used.asked();
    used.send().await;
    used.receive().await;
    assert_eq!(used.asked(), before);
    let revoked = used.server.service.revoke_data_keys(&text(&used.key, "Arn"));
    assert_eq!((revoked.holders, revoked.data_keys), (2, 1));
    assert_eq!(
        used.held(),
        KeyHolders {
            holders: vec![],
            data_keys: 0
        }
    );
    used.receive().await;
    used.send().await;
    assert_eq!(used.asked(), before + 3);
}

#[tokio::test]
async fn revoking_one_key_leaves_the_others() {
    let used = Used::new(json!({})).await;
    let revoked = used
        .server
        .service
        .revoke_data_keys("arn:aws:kms:us-east-1:111122223333:key/another");
    assert_eq!((revoked.holders, revoked.data_keys), (0, 0));
    assert_eq!(used.held().holders.len(), 2);
}

#[tokio::test]
async fn after_a_change_of_policy_holders_are_told_to_be_of_former_times() {
    let used = Used::new(json!({})).await;
    let input = json!({"KeyId": used.key["KeyId"], "Description": "another"});
    used.server
        .kms(&used.server.root, "UpdateKeyDescription", input)
        .await
        .unwrap();
    assert!(used.held().holders.iter().all(|holder| !holder.current));
    used.receive().await;
    let current = used.held().holders.iter().filter(|holder| holder.current).count();
    assert_eq!(current, 1);
}

#[tokio::test]
async fn an_opened_data_key_opens_nothing_for_those_who_may_not_decrypt() {
    let used = Used::new(json!({})).await;
    let stranger = used
        .server
        .world
        .people
        .user(ACCOUNT, "stranger", Some(&allow(&["sqs:ReceiveMessage"])));
    let input = json!({"QueueUrl": used.url});
    let refused = used.server.sqs(&stranger, "ReceiveMessage", input).await;
    assert_eq!(refused.unwrap_err().code, "KmsAccessDenied");
}

#[tokio::test]
async fn who_may_decrypt_no_more_opens_nothing_with_a_data_key_that_is_held() {
    let used = Used::new(json!({})).await;
    let deny = json!({"Effect": "Deny", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/consumer")},
        "Action": "kms:Decrypt", "Resource": "*"});
    let root = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [root, deny]});
    let input = json!({"KeyId": used.key["KeyId"], "Policy": policy.to_string()});
    used.server
        .kms(&used.server.root, "PutKeyPolicy", input)
        .await
        .unwrap();
    let input = json!({"QueueUrl": used.url});
    let refused = used.server.sqs(&used.consumer, "ReceiveMessage", input).await;
    assert_eq!(refused.unwrap_err().code, "KmsAccessDenied");
    assert_eq!(used.held().data_keys, 1);
}
