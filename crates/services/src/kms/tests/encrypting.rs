//! Encrypting, decrypting, data keys, random bytes.

use super::{Server, encrypt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

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
async fn a_grant_token_that_was_not_made_here_is_refused() {
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
        json!({"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"}),
        json!({"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"}),
        json!({"Origin": "AWS_CLOUDHSM"}),
    ] {
        assert_eq!(
            server.error("CreateKey", input).await,
            "UnsupportedOperationException"
        );
    }
}

#[tokio::test]
async fn spec_and_usage_of_a_key_must_go_together() {
    let server = Server::start().await;
    for input in [
        json!({"KeySpec": "DES"}),
        json!({"KeyUsage": "SIGN_VERIFY"}),
        json!({"KeySpec": "RSA_2048"}),
        json!({"KeySpec": "HMAC_256"}),
        json!({"KeySpec": "HMAC_256", "KeyUsage": "ENCRYPT_DECRYPT"}),
        json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "ENCRYPT_DECRYPT"}),
        json!({"KeySpec": "ECC_SECG_P256K1", "KeyUsage": "KEY_AGREEMENT"}),
        json!({"KeySpec": "ML_DSA_65", "KeyUsage": "KEY_AGREEMENT"}),
        json!({"KeySpec": "HMAC_256", "CustomerMasterKeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}),
    ] {
        assert_eq!(
            server.error("CreateKey", input.clone()).await,
            "ValidationException",
            "{input}"
        );
    }
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
async fn an_operation_that_is_not_built_says_so() {
    let server = Server::start().await;
    for (operation, expected) in [
        ("DescribeCustomKeyStores", "UnsupportedOperationException"),
        ("GetKeyLastUsage", "UnsupportedOperationException"),
        ("Nonsense", "UnknownOperationException"),
    ] {
        assert_eq!(server.error(operation, json!({})).await, expected);
    }
    for name in crate::kms::operations::NOT_BUILT {
        let built = crate::kms::operations::OPERATIONS
            .iter()
            .any(|endpoint| endpoint.name().name == *name);
        assert!(!built, "{name} is built");
    }
}
