//! KMS through the gate: memory stores, a manual clock, principals made up here.

use super::Kms;
use super::operations::{GenerateDataKey, GenerateDataKeyInput, OPERATIONS};
use crate::testing::{Refused, World, ask};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_gate::{
    Access, AccessRequest, Authorized, Call, Endpoint, ErrorCode, Family, Gate, Operation, Refusal, Resolved,
    Service,
};
use bulla_storage::PartitionId;
use bulla_wire::{ErrorRow, Fault, Protocol, ServiceWire, Shape};
use bytes::Bytes;
use serde_json::{Value, json};
use std::borrow::Cow;
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

    /// All values in the directory.
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
                all.extend_from_slice(&key);
                all.extend_from_slice(&value);
            }
        }
        all
    }
}

async fn serve(world: &World) -> (Arc<Kms>, Arc<Gate>) {
    let kms = Kms::open(world.runtime.clone(), world.records().await, &world.instance)
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

#[tokio::test]
async fn what_is_encrypted_decrypts_without_naming_the_key() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let sealed = server.done("Encrypt", encrypt(&key["KeyId"])).await;
    assert_eq!(sealed["KeyId"], key["Arn"]);
    let input =
        json!({"CiphertextBlob": sealed["CiphertextBlob"], "EncryptionContext": {"b": "2", "a": "1"}});
    let opened = server.done("Decrypt", input).await;
    assert_eq!(opened["Plaintext"], BASE64.encode("secret"));
    assert_eq!(opened["KeyId"], key["Arn"]);
    assert_eq!(opened["KeyMaterialId"], key["CurrentKeyMaterialId"]);
}

#[tokio::test]
async fn another_context_is_an_invalid_ciphertext_without_a_message() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    for context in [
        json!({}),
        json!({"a": "1"}),
        json!({"a": "1", "b": "3"}),
        json!({"A": "1", "b": "2"}),
    ] {
        let input = json!({"CiphertextBlob": blob, "EncryptionContext": context});
        let refused = server.ask(&server.root, "Decrypt", input).await.unwrap_err();
        let expected = ("InvalidCiphertextException", "", 400);
        assert_eq!(
            (refused.code.as_str(), refused.message.as_str(), refused.status),
            expected
        );
    }
}

#[tokio::test]
async fn naming_another_key_than_the_ciphertexts_is_an_incorrect_key() {
    let server = Server::start().await;
    let (key, other) = (server.key(json!({})).await, server.key(json!({})).await);
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    let input =
        json!({"CiphertextBlob": blob, "KeyId": other["KeyId"], "EncryptionContext": {"a": "1", "b": "2"}});
    assert_eq!(server.error("Decrypt", input).await, "IncorrectKeyException");
}

#[tokio::test]
async fn a_data_key_in_clear_is_the_one_that_was_encrypted() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let made = server
        .done(
            "GenerateDataKey",
            json!({"KeyId": key["KeyId"], "KeySpec": "AES_256"}),
        )
        .await;
    assert_eq!(
        BASE64.decode(made["Plaintext"].as_str().unwrap()).unwrap().len(),
        32
    );
    assert_eq!(made["KeyMaterialId"], key["CurrentKeyMaterialId"]);
    let opened = server
        .done("Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]}))
        .await;
    assert_eq!(opened["Plaintext"], made["Plaintext"]);
}

#[tokio::test]
async fn a_data_key_without_plaintext_opens_later() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let input = json!({"KeyId": key["KeyId"], "NumberOfBytes": 64});
    let made = server.done("GenerateDataKeyWithoutPlaintext", input).await;
    assert_eq!(made.get("Plaintext"), None);
    let opened = server
        .done("Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]}))
        .await;
    assert_eq!(
        BASE64
            .decode(opened["Plaintext"].as_str().unwrap())
            .unwrap()
            .len(),
        64
    );
}

#[tokio::test]
async fn a_dry_run_gives_nothing_away() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let input = json!({"KeyId": key["KeyId"], "KeySpec": "AES_256", "DryRun": true});
    assert_eq!(
        server.error("GenerateDataKey", input).await,
        "DryRunOperationException"
    );
}

#[tokio::test]
async fn grant_tokens_are_refused_while_there_are_no_grants() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let input = json!({"KeyId": key["KeyId"], "KeySpec": "AES_256", "GrantTokens": ["x"]});
    assert_eq!(
        server.error("GenerateDataKey", input).await,
        "InvalidGrantTokenException"
    );
}

#[tokio::test]
async fn plaintext_and_ciphertext_have_bounds() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let of = |bytes: usize| json!({"KeyId": key["KeyId"], "Plaintext": BASE64.encode(vec![1; bytes])});
    let blob = server.done("Encrypt", of(4096)).await["CiphertextBlob"].clone();
    assert!(
        server
            .ask(&server.root, "Decrypt", json!({"CiphertextBlob": blob}))
            .await
            .is_ok()
    );
    assert_eq!(server.error("Encrypt", of(4097)).await, "ValidationException");
    assert_eq!(server.error("Encrypt", of(0)).await, "ValidationException");
    let long = BASE64.encode(vec![1; 6145]);
    assert_eq!(
        server.error("Decrypt", json!({"CiphertextBlob": long})).await,
        "ValidationException"
    );
    assert_eq!(server.error("Decrypt", json!({})).await, "ValidationException");
}

#[tokio::test]
async fn keys_of_other_kinds_say_that_they_are_not_built() {
    let server = Server::start().await;
    for input in [
        json!({"KeySpec": "RSA_2048"}),
        json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}),
        json!({"Origin": "EXTERNAL"}),
        json!({"MultiRegion": true}),
        json!({"KeyUsage": "SIGN_VERIFY"}),
    ] {
        assert_eq!(
            server.error("CreateKey", input).await,
            "UnsupportedOperationException"
        );
    }
    assert_eq!(
        server.error("CreateKey", json!({"KeySpec": "DES"})).await,
        "ValidationException"
    );
}

#[tokio::test]
async fn the_default_key_policy_hands_the_key_to_the_accounts_identity_policies() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let allowed = server.world.people.user(OWNER, "allowed", Some(ALLOW_KMS));
    let nobody = server.world.people.user(OWNER, "nobody", None);
    assert_eq!(
        code(server.ask(&allowed, "Encrypt", encrypt(&key["Arn"])).await),
        "allowed"
    );
    assert_eq!(
        code(server.ask(&nobody, "Encrypt", encrypt(&key["Arn"])).await),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn no_identity_policy_and_no_root_user_opens_a_key_whose_policy_does_not_name_the_account() {
    let server = Server::start().await;
    let key = json!(
        server
            .key_with_policy(policy(&[statement(&user(OWNER, "only"), "kms:*")]))
            .await
    );
    let admin = server.world.people.user(OWNER, "admin", Some(ALLOW_KMS));
    let only = server.world.people.user(OWNER, "only", None);
    assert_eq!(
        code(server.ask(&admin, "Encrypt", encrypt(&key)).await),
        "AccessDeniedException"
    );
    assert_eq!(
        server.error("Encrypt", encrypt(&key)).await,
        "AccessDeniedException"
    );
    assert_eq!(
        server.error("DescribeKey", json!({"KeyId": key})).await,
        "AccessDeniedException"
    );
    assert_eq!(
        server.error("ScheduleKeyDeletion", json!({"KeyId": key})).await,
        "AccessDeniedException"
    );
    assert_eq!(code(server.ask(&only, "Encrypt", encrypt(&key)).await), "allowed");
}

#[tokio::test]
async fn across_accounts_key_policy_and_identity_policy_must_both_allow() {
    let server = Server::start().await;
    let people = &server.world.people;
    let shared = policy(&[
        statement(&account(OWNER), "kms:*"),
        statement(&account(OTHER), "kms:Encrypt"),
    ]);
    let key = json!(server.key_with_policy(shared).await);
    let own = json!(text(&server.key(json!({})).await["Arn"]));
    let (with, without) = (
        people.user(OTHER, "with", Some(ALLOW_KMS)),
        people.user(OTHER, "without", None),
    );
    assert_eq!(code(server.ask(&with, "Encrypt", encrypt(&key)).await), "allowed");
    assert_eq!(
        code(server.ask(&without, "Encrypt", encrypt(&key)).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(server.ask(&with, "Encrypt", encrypt(&own)).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(server.ask(&with, "DescribeKey", json!({"KeyId": key})).await),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn management_never_works_across_accounts_whatever_the_policies_say() {
    let server = Server::start().await;
    let key = server
        .key_with_policy(policy(&[statement(&json!({"AWS": "*"}), "kms:*")]))
        .await;
    let stranger = server.world.people.user(OTHER, "stranger", Some(ALLOW_KMS));
    for (operation, input) in [
        ("DisableKey", json!({"KeyId": key})),
        ("GetKeyPolicy", json!({"KeyId": key})),
        ("ScheduleKeyDeletion", json!({"KeyId": key})),
        (
            "TagResource",
            json!({"KeyId": key, "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ),
        (
            "CreateAlias",
            json!({"AliasName": "alias/mine", "TargetKeyId": key}),
        ),
    ] {
        assert_eq!(
            code(server.ask(&stranger, operation, input).await),
            "AccessDeniedException",
            "{operation}"
        );
    }
    assert_eq!(
        code(server.ask(&stranger, "DescribeKey", json!({"KeyId": key})).await),
        "allowed"
    );
}

#[tokio::test]
async fn a_stranger_cannot_tell_a_missing_key_from_a_forbidden_one() {
    let server = Server::start().await;
    let key = text(&server.key(json!({})).await["Arn"]);
    let missing = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let stranger = server.world.people.user(OTHER, "stranger", Some(ALLOW_KMS));
    let answer = |arn: String| {
        let (server, stranger) = (&server, &stranger);
        async move {
            let refused = server
                .ask(stranger, "DescribeKey", json!({"KeyId": arn}))
                .await
                .unwrap_err();
            (refused.code, refused.message.replace(&arn, "ARN"))
        }
    };
    assert_eq!(answer(key).await, answer(missing.to_owned()).await);
}

#[tokio::test]
async fn a_key_may_be_limited_to_calls_that_a_service_passes_on() {
    let server = Server::start().await;
    let mut through = statement(&account(OWNER), "kms:*");
    through["Condition"] = json!({"StringEquals": {"kms:ViaService": "courier.us-east-1.amazonaws.com"}});
    let key = server.key_with_policy(policy(&[through])).await;
    let direct = json!({"KeyId": key, "KeySpec": "AES_256"});
    assert_eq!(
        server.error("GenerateDataKey", direct).await,
        "AccessDeniedException"
    );
    let answer = ask(
        &server.gate,
        &server.root,
        "courier/us-east-1",
        "Courier.Carry",
        json!({"KeyId": key}),
    )
    .await;
    assert_eq!(code(answer), "allowed");
    let answer = ask(
        &server.gate,
        &server.root,
        "courier/eu-west-1",
        "Courier.Carry",
        json!({"KeyId": key}),
    )
    .await;
    assert_ne!(code(answer), "allowed");
}

#[tokio::test]
async fn a_key_policy_may_demand_an_encryption_context() {
    let server = Server::start().await;
    let mut bound = statement(&account(OWNER), "kms:*");
    bound["Condition"] =
        json!({"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": "arn:aws:sqs:us-east-1:1:q"}});
    let key = server.key_with_policy(policy(&[bound])).await;
    let with = |context: Value| json!({"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context});
    let right = with(json!({"aws:sqs:arn": "arn:aws:sqs:us-east-1:1:q"}));
    assert_eq!(
        code(server.ask(&server.root, "GenerateDataKey", right).await),
        "allowed"
    );
    for wrong in [json!({}), json!({"aws:sqs:arn": "arn:aws:sqs:us-east-1:1:p"})] {
        assert_eq!(
            server.error("GenerateDataKey", with(wrong)).await,
            "AccessDeniedException"
        );
    }
}

#[tokio::test]
async fn a_policy_may_look_at_aliases_and_tags() {
    let server = Server::start().await;
    let key = server
        .key(json!({"Tags": [{"TagKey": "team", "TagValue": "blue"}]}))
        .await;
    server
        .done(
            "CreateAlias",
            json!({"AliasName": "alias/a", "TargetKeyId": key["KeyId"]}),
        )
        .await;
    let allow = |condition: Value| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:DescribeKey",
               "Resource": "*", "Condition": condition}})
        .to_string()
    };
    let people = &server.world.people;
    let by_tag = people.user(
        OWNER,
        "tag",
        Some(&allow(json!({"StringEquals": {"aws:ResourceTag/team": "blue"}}))),
    );
    let by_request = people.user(
        OWNER,
        "req",
        Some(&allow(json!({"StringEquals": {"kms:RequestAlias": "alias/a"}}))),
    );
    let by_alias = people.user(
        OWNER,
        "ali",
        Some(&allow(
            json!({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/a"}}),
        )),
    );
    let by_id = json!({"KeyId": key["KeyId"]});
    assert_eq!(
        code(server.ask(&by_tag, "DescribeKey", by_id.clone()).await),
        "allowed"
    );
    assert_eq!(
        code(server.ask(&by_alias, "DescribeKey", by_id.clone()).await),
        "allowed"
    );
    assert_eq!(
        code(server.ask(&by_request, "DescribeKey", by_id.clone()).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(
            server
                .ask(&by_request, "DescribeKey", json!({"KeyId": "alias/a"}))
                .await
        ),
        "allowed"
    );
    server
        .done(
            "UntagResource",
            json!({"KeyId": key["KeyId"], "TagKeys": ["team"]}),
        )
        .await;
    assert_eq!(
        code(server.ask(&by_tag, "DescribeKey", by_id).await),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn a_disabled_key_refuses_until_it_is_enabled() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    let decrypt = json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1", "b": "2"}});
    server.done("DisableKey", id.clone()).await;
    let refused = server
        .ask(&server.root, "Decrypt", decrypt.clone())
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.message),
        ("DisabledException", format!("{} is disabled.", text(&key["Arn"])))
    );
    assert_eq!(
        server.error("Encrypt", encrypt(&key["KeyId"])).await,
        "DisabledException"
    );
    let generate = json!({"KeyId": key["KeyId"], "KeySpec": "AES_256"});
    assert_eq!(
        server.error("GenerateDataKey", generate).await,
        "DisabledException"
    );
    server.done("EnableKey", id).await;
    assert_eq!(
        code(server.ask(&server.root, "Decrypt", decrypt).await),
        "allowed"
    );
}

#[tokio::test]
async fn a_scheduled_key_refuses_until_the_deletion_is_cancelled() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    let scheduled = server
        .done(
            "ScheduleKeyDeletion",
            json!({"KeyId": key["KeyId"], "PendingWindowInDays": 7}),
        )
        .await;
    assert_eq!(
        (&scheduled["KeyState"], &scheduled["KeyId"]),
        (&json!("PendingDeletion"), &key["Arn"])
    );
    assert_eq!(
        scheduled["DeletionDate"].as_f64().unwrap(),
        1_767_225_600.0 + 7.0 * 86_400.0
    );
    for operation in ["EnableKey", "DisableKey", "ScheduleKeyDeletion"] {
        assert_eq!(
            server.error(operation, id.clone()).await,
            "KMSInvalidStateException",
            "{operation}"
        );
    }
    let refused = server
        .ask(&server.root, "Encrypt", encrypt(&key["KeyId"]))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "KMSInvalidStateException");
    assert_eq!(
        refused.message,
        format!("{} is pending deletion.", text(&key["Arn"]))
    );
    server.done("CancelKeyDeletion", id.clone()).await;
    assert_eq!(
        server.done("DescribeKey", id.clone()).await["KeyMetadata"]["KeyState"],
        "Disabled"
    );
    assert_eq!(
        server.error("CancelKeyDeletion", id).await,
        "KMSInvalidStateException"
    );
}

#[tokio::test]
async fn a_deletion_window_has_bounds() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    for days in [6, 31] {
        let input = json!({"KeyId": key["KeyId"], "PendingWindowInDays": days});
        assert_eq!(
            server.error("ScheduleKeyDeletion", input).await,
            "ValidationException"
        );
    }
}

#[tokio::test]
async fn a_key_is_gone_on_its_deletion_date_and_the_sweep_destroys_it() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let id = text(&key["KeyId"]);
    server
        .done(
            "CreateAlias",
            json!({"AliasName": "alias/gone", "TargetKeyId": id}),
        )
        .await;
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    server
        .done(
            "ScheduleKeyDeletion",
            json!({"KeyId": id, "PendingWindowInDays": 7}),
        )
        .await;
    server.world.clock.advance(7 * DAY - Duration::from_secs(1));
    assert_eq!(
        code(
            server
                .ask(&server.root, "DescribeKey", json!({"KeyId": id}))
                .await
        ),
        "allowed"
    );
    server.world.clock.advance(Duration::from_secs(1));
    assert_eq!(
        server.error("DescribeKey", json!({"KeyId": id})).await,
        "NotFoundException"
    );
    assert_eq!(
        server.error("DescribeKey", json!({"KeyId": "alias/gone"})).await,
        "NotFoundException"
    );
    assert_eq!(
        server.error("CancelKeyDeletion", json!({"KeyId": id})).await,
        "NotFoundException"
    );
    assert_eq!(server.done("ListKeys", json!({})).await["Keys"], json!([]));
    server.kms.sweep().await;
    assert!(!contains(&server.stored().await, id.as_bytes()));
    let server = server.restart().await;
    let decrypt = json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1", "b": "2"}});
    assert_eq!(
        server.error("Decrypt", decrypt.clone()).await,
        "AccessDeniedException"
    );
    let named = json!({"CiphertextBlob": blob, "KeyId": key["Arn"]});
    assert_eq!(server.error("Decrypt", named).await, "NotFoundException");
}

#[tokio::test]
async fn the_sweep_leaves_keys_that_are_not_due() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    server
        .done("ScheduleKeyDeletion", json!({"KeyId": key["KeyId"]}))
        .await;
    server.world.clock.advance(29 * DAY);
    server.kms.sweep().await;
    let server = server.restart().await;
    assert_eq!(
        server.done("DescribeKey", json!({"KeyId": key["KeyId"]})).await["KeyMetadata"]["KeyState"],
        "PendingDeletion"
    );
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let server = Server::start().await;
    let input = json!({"Description": "mine", "Tags": [{"TagKey": "a", "TagValue": "1"}]});
    let key = server.key(input).await;
    let id = json!({"KeyId": key["KeyId"]});
    server
        .done(
            "CreateAlias",
            json!({"AliasName": "alias/kept", "TargetKeyId": key["KeyId"]}),
        )
        .await;
    let only_encrypt = policy(&[
        statement(&account(OWNER), "kms:*"),
        statement(&account(OTHER), "kms:Encrypt"),
    ]);
    server
        .done(
            "PutKeyPolicy",
            json!({"KeyId": key["KeyId"], "Policy": only_encrypt.to_string()}),
        )
        .await;
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    server.done("DisableKey", id.clone()).await;
    let mut before = Vec::new();
    let questions = [
        ("DescribeKey", id.clone()),
        ("GetKeyPolicy", id.clone()),
        ("ListResourceTags", id.clone()),
        ("ListAliases", json!({})),
    ];
    for (operation, input) in questions.clone() {
        before.push(server.done(operation, input).await);
    }
    let server = server.restart().await;
    for ((operation, input), before) in questions.into_iter().zip(before) {
        assert_eq!(server.done(operation, input).await, before, "{operation}");
    }
    let decrypt = json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1", "b": "2"}});
    assert_eq!(
        server.error("Decrypt", decrypt.clone()).await,
        "DisabledException"
    );
    server.done("EnableKey", id).await;
    assert_eq!(
        server.done("Decrypt", decrypt).await["Plaintext"],
        BASE64.encode("secret")
    );
}

#[tokio::test]
async fn material_is_never_stored_in_clear() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let id = text(&key["KeyId"]).parse().unwrap();
    let region = "us-east-1".parse().unwrap();
    let material = {
        let view = server.kms.view();
        let found = view.key(region, id, server.world.runtime.clock.now()).unwrap();
        found.material.key.expose().to_vec()
    };
    let stored = server.stored().await;
    assert!(contains(&stored, text(&key["KeyId"]).as_bytes()));
    assert!(!contains(&stored, &material));
    assert!(!contains(
        &stored,
        BASE64.encode(&material).trim_end_matches('=').as_bytes()
    ));
}

#[tokio::test]
async fn a_data_folder_of_another_instance_is_refused_at_start() {
    let server = Server::start().await;
    server.key(json!({})).await;
    let other = World::new();
    let foreign = World::new();
    drop(other);
    let root = bulla_envelope::MemoryRootKey::generate(&bulla_runtime::SystemEntropy).unwrap();
    let (instance, _) = bulla_envelope::InstanceKey::create(&root, &bulla_runtime::SystemEntropy).unwrap();
    let records = server.world.records().await;
    assert!(
        Kms::open(foreign.runtime.clone(), records, &instance)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_policy_that_locks_its_author_out_is_refused_unless_he_insists() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let locked = policy(&[statement(&account(OWNER), "kms:DescribeKey")]).to_string();
    let input = json!({"KeyId": key["KeyId"], "Policy": locked});
    let refused = server.ask(&server.root, "PutKeyPolicy", input).await.unwrap_err();
    assert_eq!(refused.code, "MalformedPolicyDocumentException");
    assert_eq!(
        refused.message,
        "The new key policy will not allow you to update the key policy in the future."
    );
    assert_eq!(
        server.error("CreateKey", json!({"Policy": locked})).await,
        "MalformedPolicyDocumentException"
    );
    let insists = json!({"KeyId": key["KeyId"], "Policy": locked, "BypassPolicyLockoutSafetyCheck": true});
    server.done("PutKeyPolicy", insists).await;
    assert_eq!(
        server
            .error("PutKeyPolicy", json!({"KeyId": key["KeyId"], "Policy": locked}))
            .await,
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn a_policy_that_is_not_understood_is_refused_and_changes_nothing() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let mut unknown_operator = statement(&account(OWNER), "kms:*");
    unknown_operator["Condition"] = json!({"StringResembles": {"aws:PrincipalAccount": "1"}});
    let mut unknown_member = statement(&account(OWNER), "kms:*");
    unknown_member["StringEquals"] = json!({"kms:ViaService": "sqs.us-east-1.amazonaws.com"});
    let documents = [
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        policy(&[unknown_operator]).to_string(),
        policy(&[unknown_member]).to_string(),
        policy(&[json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})]).to_string(),
    ];
    for document in documents {
        let input = json!({"KeyId": key["KeyId"], "Policy": document});
        assert_eq!(
            server.error("PutKeyPolicy", input).await,
            "MalformedPolicyDocumentException",
            "{document}"
        );
    }
    let found = server.done("GetKeyPolicy", json!({"KeyId": key["KeyId"]})).await;
    assert!(
        found["Policy"]
            .as_str()
            .unwrap()
            .contains("Enable IAM User Permissions")
    );
    let long = json!({"KeyId": key["KeyId"], "Policy": " ".repeat(32_769)});
    assert_eq!(server.error("PutKeyPolicy", long).await, "LimitExceededException");
}

#[tokio::test]
async fn regions_do_not_see_each_others_keys() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let by_id = server
        .ask_in(
            "us-west-2",
            &server.root,
            "DescribeKey",
            json!({"KeyId": key["KeyId"]}),
        )
        .await;
    assert_eq!(code(by_id), "NotFoundException");
    let by_arn = server
        .ask_in(
            "us-west-2",
            &server.root,
            "DescribeKey",
            json!({"KeyId": key["Arn"]}),
        )
        .await
        .unwrap_err();
    assert_eq!(
        (by_arn.code.as_str(), by_arn.message.as_str()),
        ("NotFoundException", "Invalid arn us-east-1")
    );
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    let decrypt = json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1", "b": "2"}});
    assert_eq!(
        code(server.ask_in("us-west-2", &server.root, "Decrypt", decrypt).await),
        "AccessDeniedException"
    );
    let listed = server
        .ask_in("us-west-2", &server.root, "ListKeys", json!({}))
        .await
        .unwrap();
    assert_eq!(listed["Keys"], json!([]));
}

#[tokio::test]
async fn missing_keys_are_named_as_aws_does() {
    let server = Server::start().await;
    let message = |input: &'static str| {
        let server = &server;
        async move {
            server
                .ask(&server.root, "DescribeKey", json!({"KeyId": input}))
                .await
                .unwrap_err()
                .message
        }
    };
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    assert_eq!(
        message(id).await,
        format!("Key 'arn:aws:kms:us-east-1:{OWNER}:key/{id}' does not exist")
    );
    assert_eq!(
        message("alias/none").await,
        format!("Alias arn:aws:kms:us-east-1:{OWNER}:alias/none is not found.")
    );
    assert_eq!(message("garbage").await, "Invalid keyId 'garbage'");
}

#[tokio::test]
async fn an_alias_is_unique_moves_and_goes() {
    let server = Server::start().await;
    let (key, other) = (server.key(json!({})).await, server.key(json!({})).await);
    let create = json!({"AliasName": "alias/x", "TargetKeyId": key["KeyId"]});
    server.done("CreateAlias", create.clone()).await;
    let twice = server.ask(&server.root, "CreateAlias", create).await.unwrap_err();
    assert_eq!(twice.code, "AlreadyExistsException");
    assert_eq!(
        twice.message,
        format!("An alias with the name arn:aws:kms:us-east-1:{OWNER}:alias/x already exists")
    );
    server
        .done(
            "UpdateAlias",
            json!({"AliasName": "alias/x", "TargetKeyId": other["KeyId"]}),
        )
        .await;
    let described = server.done("DescribeKey", json!({"KeyId": "alias/x"})).await;
    assert_eq!(described["KeyMetadata"]["KeyId"], other["KeyId"]);
    let of_key = server.done("ListAliases", json!({"KeyId": key["KeyId"]})).await;
    assert_eq!(of_key["Aliases"], json!([]));
    let server = server.restart().await;
    let of_other = server.done("ListAliases", json!({"KeyId": other["KeyId"]})).await;
    assert_eq!(of_other["Aliases"][0]["AliasName"], "alias/x");
    server.done("DeleteAlias", json!({"AliasName": "alias/x"})).await;
    assert_eq!(
        server.error("DeleteAlias", json!({"AliasName": "alias/x"})).await,
        "NotFoundException"
    );
}

#[tokio::test]
async fn an_alias_needs_permission_on_the_alias_and_on_the_key() {
    let server = Server::start().await;
    let key = server
        .key_with_policy(policy(&[
            statement(&account(OWNER), "kms:*"),
            statement(&user(OWNER, "by-key-policy"), "kms:CreateAlias"),
        ]))
        .await;
    let people = &server.world.people;
    let by_key_policy = people.user(OWNER, "by-key-policy", None);
    let alias_only = people.user(OWNER, "alias-only", Some(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:CreateAlias","Resource":"arn:aws:kms:*:*:alias/*"}}"#,
    ));
    let create = json!({"AliasName": "alias/x", "TargetKeyId": key});
    assert_eq!(
        code(server.ask(&by_key_policy, "CreateAlias", create.clone()).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(server.ask(&alias_only, "CreateAlias", create.clone()).await),
        "AccessDeniedException"
    );
    let both = people.user(OWNER, "both", Some(ALLOW_KMS));
    assert_eq!(code(server.ask(&both, "CreateAlias", create).await), "allowed");
}

#[tokio::test]
async fn aliases_of_services_are_reserved() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let create = json!({"AliasName": "alias/aws/sqs", "TargetKeyId": key["KeyId"]});
    assert_eq!(
        server.error("CreateAlias", create).await,
        "InvalidAliasNameException"
    );
}

#[tokio::test]
async fn keys_aliases_and_tags_are_listed_by_pages() {
    let server = Server::start().await;
    let tags: Vec<Value> = (0..5)
        .map(|n| json!({"TagKey": format!("t{n}"), "TagValue": ""}))
        .collect();
    let key = server.key(json!({"Tags": tags})).await;
    for n in 0..4 {
        server.key(json!({})).await;
        server
            .done(
                "CreateAlias",
                json!({"AliasName": format!("alias/{n}"), "TargetKeyId": key["KeyId"]}),
            )
            .await;
    }
    server
        .done(
            "CreateAlias",
            json!({"AliasName": "alias/4", "TargetKeyId": key["KeyId"]}),
        )
        .await;
    for (operation, list) in [
        ("ListKeys", "Keys"),
        ("ListAliases", "Aliases"),
        ("ListResourceTags", "Tags"),
    ] {
        let (mut found, mut marker) = (Vec::new(), Value::Null);
        loop {
            let page = server
                .done(
                    operation,
                    json!({"KeyId": key["KeyId"], "Limit": 2, "Marker": marker}),
                )
                .await;
            found.extend(page[list].as_array().unwrap().clone());
            marker = page["NextMarker"].clone();
            if page["Truncated"] == json!(false) {
                break;
            }
        }
        assert_eq!(found.len(), 5, "{operation}");
    }
    assert_eq!(
        server.error("ListKeys", json!({"Limit": 1001})).await,
        "ValidationException"
    );
    assert_eq!(
        server.error("ListKeys", json!({"Marker": "x"})).await,
        "InvalidMarkerException"
    );
}

#[tokio::test]
async fn tags_have_rules() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let tag = |tags: Value| json!({"KeyId": key["KeyId"], "Tags": tags});
    let twice = json!([{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]);
    assert_eq!(server.error("TagResource", tag(twice)).await, "TagException");
    assert_eq!(
        server
            .error("TagResource", tag(json!([{"TagKey": "aws:x", "TagValue": ""}])))
            .await,
        "TagException"
    );
    let many: Vec<Value> = (0..51)
        .map(|n| json!({"TagKey": format!("k{n}"), "TagValue": ""}))
        .collect();
    assert_eq!(
        server.error("TagResource", tag(json!(many))).await,
        "LimitExceededException"
    );
}

#[tokio::test]
async fn random_bytes_come_in_the_number_asked_for() {
    let server = Server::start().await;
    let random = server.done("GenerateRandom", json!({"NumberOfBytes": 40})).await;
    assert_eq!(
        BASE64
            .decode(random["Plaintext"].as_str().unwrap())
            .unwrap()
            .len(),
        40
    );
    assert_eq!(
        server
            .error("GenerateRandom", json!({"NumberOfBytes": 1025}))
            .await,
        "ValidationException"
    );
    assert_eq!(
        server.error("GenerateRandom", json!({})).await,
        "ValidationException"
    );
}

#[tokio::test]
async fn a_change_of_policy_or_state_raises_the_authorization_number() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    let mut last = epoch(&server).await;
    for (operation, input) in [
        ("DisableKey", id.clone()),
        ("EnableKey", id.clone()),
        (
            "TagResource",
            json!({"KeyId": key["KeyId"], "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ),
        ("ScheduleKeyDeletion", id.clone()),
        ("CancelKeyDeletion", id),
    ] {
        server.done(operation, input).await;
        let now = epoch(&server).await;
        assert!(now > last, "{operation}");
        last = now;
    }
}

async fn epoch(server: &Server) -> u64 {
    let answer = ask(
        &server.gate,
        &server.root,
        "courier/us-east-1",
        "Courier.Carry",
        json!({}),
    )
    .await
    .unwrap();
    answer["Epoch"].as_u64().unwrap()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// A service that asks KMS for its caller, as SQS does.
struct Courier;

static COURIER_WIRE: ServiceWire = ServiceWire {
    json: Some(Protocol::AwsJson11),
    target_prefix: Some("Courier"),
    ..ServiceWire::new("courier")
};

impl Service for Courier {
    const WIRE: &'static ServiceWire = &COURIER_WIRE;
    const PRINCIPAL: &'static str = "courier.amazonaws.com";
    const FAMILY: Family = Family::Json;
}

const COURIER_OPERATIONS: &[Endpoint] = &[Endpoint::of::<Carry>()];

#[derive(Debug)]
struct Carry;

#[derive(Debug, Shape)]
struct CarryInput {
    key_id: Option<String>,
}

#[derive(Debug, Shape)]
struct CarryOutput {
    epoch: i64,
}

#[derive(Debug)]
struct CarryError(String);

impl ErrorCode for CarryError {
    fn row(&self) -> ErrorRow {
        ErrorRow {
            shape: "CarryError",
            query_code: "CarryError",
            status: 400,
            fault: Fault::Sender,
        }
    }
    fn message(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

impl Operation for Carry {
    const NAME: &'static str = "Carry";
    type Service = Courier;
    type Input = CarryInput;
    type Output = CarryOutput;
    type Error = CarryError;
    type Target = ();

    async fn resolve(_: &Courier, call: &Call<'_>, input: CarryInput) -> Result<Resolved<Self>, CarryError> {
        let access = Access::one(AccessRequest::new("courier:Carry", "*", call.account()));
        Ok(Resolved {
            input,
            target: (),
            access,
        })
    }

    async fn execute(
        _: &Courier,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CarryOutput, CarryError> {
        if let (CarryInput { key_id: Some(key_id) }, ()) = granted.into_parts() {
            let input = GenerateDataKeyInput {
                key_id,
                key_spec: Some("AES_256".to_owned()),
                ..Default::default()
            };
            match call.forward::<GenerateDataKey>(input).await {
                Ok(made) => assert_eq!(made.plaintext.expose().len(), 32),
                Err(Refusal::Operation(error)) => return Err(CarryError(error.message().into_owned())),
                Err(other) => return Err(CarryError(format!("{other:?}"))),
            }
        }
        Ok(CarryOutput {
            epoch: i64::try_from(call.authorization_epoch()).unwrap(),
        })
    }
}
