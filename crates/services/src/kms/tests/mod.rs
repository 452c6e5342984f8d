//! KMS through the gate: memory stores, a manual clock, principals made up here.

mod courier;
mod encrypting;
mod erasure;
mod grants;
mod imports;
mod key_pairs;
mod lifecycle;
mod macs;
mod managed;
mod multi_region;
mod names;
mod permissions;
mod policies;
mod re_encrypting;
mod rotation;
mod signing;

use super::Kms;
use super::operations::OPERATIONS;
use crate::testing::{Refused, World, ask};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_gate::Gate;
use bulla_storage::PartitionId;
use bytes::Bytes;
use courier::{COURIER_OPERATIONS, Courier};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const OWNER: &str = "111122223333";
const OTHER: &str = "444455556666";
const DAY: Duration = Duration::from_hours(24);
const ALLOW_KMS: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;

/// A server with KMS and a root user of `OWNER`.
struct Server {
    world: World,
    kms: Arc<Kms>,
    gate: Arc<Gate>,
    root: String,
}

impl Server {
    async fn start() -> Self {
        let world = World::new();
        let (kms, gate) = serve(&world).await;
        let root = world.people.root(OWNER);
        Self {
            world,
            kms,
            gate,
            root,
        }
    }

    /// The same world after a restart.
    async fn restart(self) -> Self {
        let Self {
            world,
            kms,
            gate,
            root,
        } = self;
        drop((kms, gate));
        let (kms, gate) = serve(&world).await;
        Self {
            world,
            kms,
            gate,
            root,
        }
    }

    async fn ask(&self, who: &str, operation: &str, input: Value) -> Result<Value, Refused> {
        self.ask_in("us-east-1", who, operation, input).await
    }

    async fn ask_in(&self, region: &str, who: &str, operation: &str, input: Value) -> Result<Value, Refused> {
        ask(
            &self.gate,
            who,
            &format!("kms/{region}"),
            &format!("TrentService.{operation}"),
            input,
        )
        .await
    }

    /// As root of the owner, successfully.
    async fn done(&self, operation: &str, input: Value) -> Value {
        self.ask(&self.root, operation, input).await.unwrap()
    }

    /// The code of the error, as root of the owner.
    async fn error(&self, operation: &str, input: Value) -> String {
        self.ask(&self.root, operation, input).await.unwrap_err().code
    }

    /// A new key's metadata.
    async fn key(&self, input: Value) -> Value {
        self.done("CreateKey", input).await["KeyMetadata"].clone()
    }

    /// A new key with a policy, and its ARN.
    async fn key_with_policy(&self, policy: Value) -> String {
        let input = json!({"Policy": policy.to_string(), "BypassPolicyLockoutSafetyCheck": true});
        self.key(input).await["Arn"].as_str().unwrap().to_owned()
    }

    /// All records of the directory but certificates, which name what was destroyed.
    async fn stored(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for partition in 0..self.world.stores.directory.partitions() {
            let directory = &self.world.stores.directory;
            let page = directory
                .scan(PartitionId(partition), Bytes::new(), None, 1000)
                .await
                .unwrap();
            assert!(page.next.is_none());
            for (key, value) in page.items {
                if key.starts_with(b"kms/certificate/") {
                    continue;
                }
                all.extend_from_slice(&key);
                all.extend_from_slice(&value);
            }
        }
        all
    }
}

async fn serve(world: &World) -> (Arc<Kms>, Arc<Gate>) {
    let (records, erasure) = (world.records().await, Arc::clone(&world.erasure));
    let kms = Kms::open(world.runtime.clone(), records, &world.instance, erasure)
        .await
        .unwrap();
    let mut gate = world.gate();
    gate.serve(Arc::clone(&kms), OPERATIONS);
    gate.serve(Arc::new(Courier), COURIER_OPERATIONS);
    (kms, Arc::new(gate))
}

fn statement(principal: &Value, action: &str) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"})
}

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn account(id: &str) -> Value {
    json!({"AWS": format!("arn:aws:iam::{id}:root")})
}

fn user(id: &str, name: &str) -> Value {
    json!({"AWS": format!("arn:aws:iam::{id}:user/{name}")})
}

fn code(answer: Result<Value, Refused>) -> String {
    answer
        .err()
        .map_or_else(|| "allowed".to_owned(), |refused| refused.code)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn encrypt(key: &Value) -> Value {
    json!({"KeyId": key, "Plaintext": BASE64.encode("secret"), "EncryptionContext": {"a": "1", "b": "2"}})
}
