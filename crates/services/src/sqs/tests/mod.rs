//! SQS through the gate, as clients see it, with stores in memory and a clock that moves when told to.

mod access;
mod billing;
mod data_keys;
mod dead_letters;
mod deduplicating;
mod encryption;
mod fifo;
mod fifo_settings;
mod impact;
mod managed_key;
mod move_tasks;
mod permissions;
mod polling;
mod queues;
mod receiving;
mod redriving;
mod restart;
mod sending;

use super::Sqs;
use super::operations::OPERATIONS;
use crate::kms::{self, Kms};
use crate::testing::{Refused, World, ask};
use bulla_gate::Gate;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const OTHER: &str = "444455556666";

/// A server of one test: queues and keys, and the access key of an account's root.
pub(super) struct Server {
    pub(super) world: World,
    pub(super) gate: Arc<Gate>,
    pub(super) root: String,
    keys: Arc<Kms>,
    service: Arc<Sqs>,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::over(World::new()).await
    }

    /// Starts over what an earlier server left.
    pub(super) async fn over(world: World) -> Self {
        let directory = world.records().await;
        let erasure = Arc::clone(&world.erasure);
        let kms = Kms::open(world.runtime.clone(), directory.clone(), &world.instance, erasure)
            .await
            .unwrap();
        let sqs = Sqs::open(world.runtime.clone(), &world.stores, directory, &world.instance)
            .await
            .unwrap();
        let mut gate = world.gate();
        gate.serve(Arc::clone(&kms), kms::operations::OPERATIONS);
        gate.serve(Arc::clone(&sqs), OPERATIONS);
        let root = world.people.root(ACCOUNT);
        Self {
            keys: kms,
            world,
            gate: Arc::new(gate),
            root,
            service: sqs,
        }
    }

    /// Ends the server without a word, as kill -9 does, and starts another over the same stores.
    pub(super) async fn restart(self) -> Self {
        let Self {
            world, gate, service, ..
        } = self;
        drop((gate, service));
        Self::over(world).await
    }

    pub(super) async fn sqs(&self, access_key: &str, name: &str, input: Value) -> Result<Value, Refused> {
        ask(
            &self.gate,
            access_key,
            "sqs/us-east-1",
            &format!("AmazonSQS.{name}"),
            input,
        )
        .await
    }

    pub(super) async fn kms(&self, access_key: &str, name: &str, input: Value) -> Result<Value, Refused> {
        ask(
            &self.gate,
            access_key,
            "kms/us-east-1",
            &format!("TrentService.{name}"),
            input,
        )
        .await
    }

    /// Asks as the account's root and expects success.
    pub(super) async fn ok(&self, name: &str, input: Value) -> Value {
        self.sqs(&self.root, name, input)
            .await
            .unwrap_or_else(|refused| panic!("{name}: {refused:?}"))
    }

    /// Asks as the account's root and expects a refusal; the answer is its code.
    pub(super) async fn refused(&self, name: &str, input: Value) -> String {
        self.sqs(&self.root, name, input).await.unwrap_err().code
    }

    /// Makes a queue and answers its URL.
    pub(super) async fn queue(&self, attributes: Value) -> String {
        let made = self
            .ok(
                "CreateQueue",
                json!({"QueueName": "orders", "Attributes": attributes}),
            )
            .await;
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    /// Makes a queue of this name and answers its URL.
    pub(super) async fn named(&self, name: &str, attributes: Value) -> String {
        let made = self
            .ok(
                "CreateQueue",
                json!({"QueueName": name, "Attributes": attributes}),
            )
            .await;
        text(&made, "QueueUrl")
    }

    /// Makes a FIFO queue and answers its URL.
    pub(super) async fn fifo(&self, attributes: Value) -> String {
        let mut all = json!({"FifoQueue": "true"});
        for (name, value) in attributes.as_object().unwrap() {
            all[name] = value.clone();
        }
        let made = self
            .ok(
                "CreateQueue",
                json!({"QueueName": "orders.fifo", "Attributes": all}),
            )
            .await;
        text(&made, "QueueUrl")
    }

    /// Sends to a group of a FIFO queue, under its body as deduplication id.
    pub(super) async fn send_to(&self, url: &str, group: &str, body: &str) -> Value {
        let input = json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": body});
        self.ok("SendMessage", input).await
    }

    pub(super) async fn send(&self, url: &str, body: &str) {
        self.ok("SendMessage", json!({"QueueUrl": url, "MessageBody": body}))
            .await;
    }

    /// Receives up to ten messages.
    pub(super) async fn receive(&self, url: &str) -> Vec<Value> {
        let answer = self
            .ok(
                "ReceiveMessage",
                json!({"QueueUrl": url, "MaxNumberOfMessages": 10}),
            )
            .await;
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }

    /// The bodies of up to ten messages, in order.
    pub(super) async fn bodies(&self, url: &str) -> Vec<String> {
        self.receive(url)
            .await
            .iter()
            .map(|message| text(message, "Body"))
            .collect()
    }

    pub(super) async fn delete(&self, url: &str, message: &Value) {
        let input = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
        self.ok("DeleteMessage", input).await;
    }

    pub(super) async fn attribute(&self, url: &str, name: &str) -> Value {
        let answer = self
            .ok(
                "GetQueueAttributes",
                json!({"QueueUrl": url, "AttributeNames": ["All"]}),
            )
            .await;
        answer["Attributes"][name].clone()
    }

    /// Completes when somebody waits for messages of the queue.
    pub(super) async fn somebody_waits(&self, url: &str) {
        let key = super::url::parse(url, bulla_types::Region::parse("us-east-1").unwrap()).unwrap();
        while self.service.queue(&key).unwrap().waiting() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// How many records the log holds, of messages and others.
    pub(super) async fn records_in_the_log(&self) -> usize {
        let mut count = 0;
        for log in &self.service.logs {
            count += log.scan(None, 500).await.unwrap().items.len();
        }
        count
    }

    /// Does what the sweep does from time to time for this queue, and waits until it is done.
    pub(super) async fn swept(&self, url: &str) {
        let key = super::url::parse(url, bulla_types::Region::parse("us-east-1").unwrap()).unwrap();
        let queue = self.service.queue(&key).unwrap();
        let now = super::queue::moment(self.world.runtime.clock.as_ref());
        self.service.expire(&queue, now);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Claims every partition of the log for somebody else, so that the server's writes fail.
    pub(super) async fn take_the_log_away(&self) {
        for partition in 0..self.world.stores.log.partitions() {
            self.world
                .stores
                .log
                .open(bulla_storage::PartitionId(partition), "another")
                .await
                .unwrap();
        }
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
    }
}

pub(super) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}
