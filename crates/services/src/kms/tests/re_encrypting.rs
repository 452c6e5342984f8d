//! `ReEncrypt`: two keys, two contexts, two permissions.

use super::{OWNER, Server, code};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

async fn sealed(server: &Server, key: &Value) -> Value {
    let input =
        json!({"KeyId": key["KeyId"], "Plaintext": BASE64.encode("secret"), "EncryptionContext": {"a": "1"}});
    server.done("Encrypt", input).await["CiphertextBlob"].clone()
}

#[tokio::test]
async fn ciphertext_moves_to_another_key_and_context() {
    let server = Server::start().await;
    let (from, to) = (server.key(json!({})).await, server.key(json!({})).await);
    let blob = sealed(&server, &from).await;
    let move_it = json!({"CiphertextBlob": blob, "SourceEncryptionContext": {"a": "1"}, "DestinationKeyId": to["KeyId"],
        "DestinationEncryptionContext": {"b": "2"}});
    let moved = server.done("ReEncrypt", move_it.clone()).await;
    assert_eq!(
        (&moved["SourceKeyId"], &moved["KeyId"]),
        (&from["Arn"], &to["Arn"])
    );
    assert_eq!(moved["SourceKeyMaterialId"], from["CurrentKeyMaterialId"]);
    assert_eq!(moved["DestinationKeyMaterialId"], to["CurrentKeyMaterialId"]);
    let decrypt =
        |context: Value| json!({"CiphertextBlob": moved["CiphertextBlob"], "EncryptionContext": context});
    let opened = server.done("Decrypt", decrypt(json!({"b": "2"}))).await;
    assert_eq!(
        (&opened["Plaintext"], &opened["KeyId"]),
        (&json!(BASE64.encode("secret")), &to["Arn"])
    );
    assert_eq!(
        server.error("Decrypt", decrypt(json!({"a": "1"}))).await,
        "InvalidCiphertextException"
    );
    for (member, value, wanted) in [
        ("SourceEncryptionContext", json!({}), "InvalidCiphertextException"),
        ("SourceKeyId", to["KeyId"].clone(), "IncorrectKeyException"),
        (
            "CiphertextBlob",
            json!(BASE64.encode("garbage")),
            "InvalidCiphertextException",
        ),
        ("DryRun", json!(true), "DryRunOperationException"),
        (
            "DestinationEncryptionAlgorithm",
            json!("RSAES_OAEP_SHA_256"),
            "InvalidKeyUsageException",
        ),
    ] {
        let mut wrong = move_it.clone();
        wrong[member] = value;
        assert_eq!(server.error("ReEncrypt", wrong).await, wanted, "{member}");
    }
    for (key, wanted) in [(&to, "DisabledException"), (&from, "DisabledException")] {
        server.done("DisableKey", json!({"KeyId": key["KeyId"]})).await;
        assert_eq!(server.error("ReEncrypt", move_it.clone()).await, wanted);
        server.done("EnableKey", json!({"KeyId": key["KeyId"]})).await;
    }
}

#[tokio::test]
async fn re_encrypting_brings_old_ciphertext_under_new_material() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let blob = sealed(&server, &key).await;
    server
        .done("RotateKeyOnDemand", json!({"KeyId": key["KeyId"]}))
        .await;
    let move_it = json!({"CiphertextBlob": blob, "SourceEncryptionContext": {"a": "1"}, "DestinationKeyId": key["KeyId"]});
    let moved = server.done("ReEncrypt", move_it).await;
    assert_ne!(moved["SourceKeyMaterialId"], moved["DestinationKeyMaterialId"]);
}

#[tokio::test]
async fn both_keys_must_allow_it() {
    let server = Server::start().await;
    let (from, to) = (server.key(json!({})).await, server.key(json!({})).await);
    let blob = sealed(&server, &from).await;
    let ann = server.world.people.user(OWNER, "ann", None);
    let input = json!({"CiphertextBlob": blob, "SourceEncryptionContext": {"a": "1"}, "DestinationKeyId": to["KeyId"]});
    let grant = |key: &Value, operation: &str| json!({"KeyId": key["KeyId"], "GranteePrincipal": format!("arn:aws:iam::{OWNER}:user/ann"), "Operations": [operation]});
    for (key, operation) in [(&from, "ReEncryptFrom"), (&to, "ReEncryptTo")] {
        assert_eq!(
            code(server.ask(&ann, "ReEncrypt", input.clone()).await),
            "AccessDeniedException"
        );
        server.done("CreateGrant", grant(key, operation)).await;
    }
    assert_eq!(code(server.ask(&ann, "ReEncrypt", input).await), "allowed");
}

#[tokio::test]
async fn a_policy_may_demand_that_the_key_stays_the_same() {
    let server = Server::start().await;
    let (from, to) = (server.key(json!({})).await, server.key(json!({})).await);
    let blob = sealed(&server, &from).await;
    let allow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:ReEncrypt*", "Resource": "*",
        "Condition": {"Bool": {"kms:ReEncryptOnSameKey": "true"}}}});
    let ann = server.world.people.user(OWNER, "ann", Some(&allow.to_string()));
    for (key, wanted) in [(&to, "AccessDeniedException"), (&from, "allowed")] {
        let input = json!({"CiphertextBlob": blob, "SourceEncryptionContext": {"a": "1"}, "DestinationKeyId": key["KeyId"]});
        assert_eq!(code(server.ask(&ann, "ReEncrypt", input).await), wanted);
    }
}
