//! States, deletion, restart, what is stored.

use super::{DAY, OTHER, OWNER, Server, account, code, encrypt, policy, statement, text};
use crate::kms::Kms;
use crate::testing::{World, ask};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

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
    assert!(scheduled["DeletionDate"].to_string().starts_with("1767830400"));
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
    server
        .world
        .clock
        .advance((7 * DAY).saturating_sub(Duration::from_secs(1)));
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
        found.material.secret.stored().to_vec()
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
        Kms::open(
            foreign.runtime.clone(),
            records,
            &instance,
            Arc::clone(&server.world.erasure)
        )
        .await
        .is_err()
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

#[tokio::test]
async fn a_change_that_is_not_stored_is_not_made_and_encrypting_needs_no_storage() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    // Another owner of the directory: the service can no longer write.
    let _owner = server.world.records().await;
    let refused = server
        .ask(&server.root, "DisableKey", json!({"KeyId": key["KeyId"]}))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (500, "KMSInternalException")
    );
    let made = server
        .done(
            "GenerateDataKey",
            json!({"KeyId": key["KeyId"], "KeySpec": "AES_256"}),
        )
        .await;
    let opened = server
        .done("Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]}))
        .await;
    assert_eq!(opened["Plaintext"], made["Plaintext"]);
}
