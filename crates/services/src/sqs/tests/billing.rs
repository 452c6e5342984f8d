//! How often KMS is called for a queue under a key: over B seconds with P producing and C consuming principals at reuse
//! period D, (B / D) × (2P + C) times. Source: SQS Developer Guide, "Estimating costs" (read 2026-11-21).

use super::{ACCOUNT, Server, text};
use proptest::prelude::*;
use serde_json::{Value, json};

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sqs:*","kms:GenerateDataKey","kms:Decrypt"],"Resource":"*"}}"#;

/// A queue under a key, those who send to it and those who receive from it.
struct Load {
    server: Server,
    url: String,
    key: String,
    producers: Vec<String>,
    consumers: Vec<String>,
}

impl Load {
    async fn new(producers: usize, consumers: usize, reuse_seconds: u64) -> Self {
        let server = Server::start().await;
        let made = server.kms(&server.root, "CreateKey", json!({})).await.unwrap();
        let key = text(&made["KeyMetadata"], "KeyId");
        let attributes = json!({
            "KmsMasterKeyId": key,
            "KmsDataKeyReusePeriodSeconds": reuse_seconds.to_string(),
            "VisibilityTimeout": "43200",
        });
        let url = server.queue(attributes).await;
        let people = &server.world.people;
        let user = |kind: &str, number: usize| people.user(ACCOUNT, &format!("{kind}{number}"), Some(ALLOW));
        let producers = (0..producers).map(|number| user("p", number)).collect();
        let consumers = (0..consumers).map(|number| user("c", number)).collect();
        Self {
            server,
            url,
            key,
            producers,
            consumers,
        }
    }

    /// Each producer sends a message for each consumer.
    async fn send(&self) {
        let entries: Vec<Value> = (0..self.consumers.len())
            .map(|number| json!({"Id": number.to_string(), "MessageBody": "x"}))
            .collect();
        for producer in &self.producers {
            let input = json!({"QueueUrl": self.url, "Entries": entries});
            let sent = self.server.sqs(producer, "SendMessageBatch", input).await;
            assert_eq!(sent.unwrap()["Failed"], json!([]));
        }
    }

    /// Each consumer receives as many messages as there are producers.
    async fn receive(&self) {
        for consumer in &self.consumers {
            let input = json!({"QueueUrl": self.url, "MaxNumberOfMessages": self.producers.len()});
            let received = self.server.sqs(consumer, "ReceiveMessage", input).await.unwrap();
            let received = received["Messages"].as_array().unwrap().clone();
            assert_eq!(received.len(), self.producers.len());
            for message in received {
                self.server.delete(&self.url, &message).await;
            }
        }
    }

    async fn rotate(&self) {
        let input = json!({"KeyId": self.key});
        let rotated = self.server.kms(&self.server.root, "RotateKeyOnDemand", input);
        rotated.await.unwrap();
    }

    /// Calls of `GenerateDataKey` and of `Decrypt`.
    fn calls(&self) -> (usize, usize) {
        let records = self.server.world.audit.records();
        let of = |operation: &str| {
            let asked = records.iter().filter(|(name, _)| name == operation);
            asked.inspect(|(_, ended)| assert_eq!(ended, "done")).count()
        };
        (of("GenerateDataKey"), of("Decrypt"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn kms_is_called_as_often_as_the_formula_says(
        producers in 1..6_usize, consumers in 1..6_usize, periods in 1..5_u64, steps in 2..6_u64,
        step_seconds in 30..200_u64, lag: bool, rotated_at in 0..20_u64,
    ) {
        let world = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        world.block_on(async {
            let load = Load::new(producers, consumers, steps * step_seconds).await;
            for step in 0..periods * steps {
                if step == rotated_at {
                    load.rotate().await;
                }
                // With a lag, what was sent at the end of a period is received at the beginning of the next one.
                if lag && step > 0 {
                    load.receive().await;
                }
                load.send().await;
                if !lag {
                    load.receive().await;
                }
                load.server.pass(step_seconds);
            }
            let periods = usize::try_from(periods).unwrap();
            assert_eq!(load.calls(), (periods * producers, periods * (producers + consumers)));
        });
    }
}

#[tokio::test]
async fn requests_at_the_same_time_ask_kms_once() {
    let load = Load::new(1, 1, 300).await;
    let send = || {
        let input = json!({"QueueUrl": load.url, "MessageBody": "x"});
        load.server.sqs(&load.producers[0], "SendMessage", input)
    };
    let (one, two, three) = tokio::join!(send(), send(), send());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(load.calls(), (1, 1));
}

#[tokio::test]
async fn a_backlog_older_than_the_data_keys_costs_one_call_for_each_of_them() {
    let load = Load::new(3, 1, 300).await;
    load.send().await;
    load.server.pass(3600);
    load.receive().await;
    assert_eq!(load.calls(), (3, 3 + 3));
}
