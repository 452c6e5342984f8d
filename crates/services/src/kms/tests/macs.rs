//! HMAC keys.

use super::{Server, code, policy, statement, user};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};

const KINDS: [(&str, &str, usize); 4] = [
    ("HMAC_224", "HMAC_SHA_224", 28),
    ("HMAC_256", "HMAC_SHA_256", 32),
    ("HMAC_384", "HMAC_SHA_384", 48),
    ("HMAC_512", "HMAC_SHA_512", 64),
];

async fn hmac_key(server: &Server, spec: &str) -> Value {
    server
        .key(json!({"KeySpec": spec, "KeyUsage": "GENERATE_VERIFY_MAC"}))
        .await
}

fn generate(key: &Value, algorithm: &str) -> Value {
    json!({"KeyId": key["KeyId"], "MacAlgorithm": algorithm, "Message": BASE64.encode("a message")})
}

fn verify(key: &Value, algorithm: &str, mac: &[u8]) -> Value {
    let mut input = generate(key, algorithm);
    input["Mac"] = BASE64.encode(mac).into();
    input
}

async fn mac(server: &Server, key: &Value, algorithm: &str) -> Vec<u8> {
    let made = server.done("GenerateMac", generate(key, algorithm)).await;
    BASE64.decode(made["Mac"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_code_is_valid_for_its_message_and_key() {
    let server = Server::start().await;
    for (spec, algorithm, bytes) in KINDS {
        let key = hmac_key(&server, spec).await;
        let mac = mac(&server, &key, algorithm).await;
        assert_eq!(mac.len(), bytes);
        let answer = server.done("VerifyMac", verify(&key, algorithm, &mac)).await;
        assert_eq!(
            answer,
            json!({"KeyId": key["Arn"], "MacValid": true, "MacAlgorithm": algorithm})
        );
        let other = hmac_key(&server, spec).await;
        let refused = server
            .ask(&server.root, "VerifyMac", verify(&other, algorithm, &mac))
            .await;
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.message.as_str()),
            ("KMSInvalidMacException", "")
        );
    }
}

#[tokio::test]
async fn an_hmac_key_describes_itself() {
    let server = Server::start().await;
    let key = hmac_key(&server, "HMAC_256").await;
    assert_eq!(key["KeySpec"], "HMAC_256");
    assert_eq!(key["CustomerMasterKeySpec"], "HMAC_256");
    assert_eq!(key["KeyUsage"], "GENERATE_VERIFY_MAC");
    assert_eq!(key["MacAlgorithms"], json!(["HMAC_SHA_256"]));
    assert_eq!(key.get("EncryptionAlgorithms"), None);
    assert_eq!(key.get("CurrentKeyMaterialId"), None);
}

#[tokio::test]
async fn codes_are_the_same_after_a_restart() {
    let server = Server::start().await;
    let key = hmac_key(&server, "HMAC_384").await;
    let before = mac(&server, &key, "HMAC_SHA_384").await;
    let server = server.restart().await;
    assert_eq!(mac(&server, &key, "HMAC_SHA_384").await, before);
}

#[tokio::test]
async fn an_hmac_key_is_for_nothing_else() {
    let server = Server::start().await;
    let key = hmac_key(&server, "HMAC_256").await;
    let id = &key["KeyId"];
    let plaintext = json!({"KeyId": id, "Plaintext": BASE64.encode("x")});
    for (operation, input) in [
        ("Encrypt", plaintext),
        ("GenerateDataKey", json!({"KeyId": id, "KeySpec": "AES_256"})),
        ("GenerateMac", generate(&key, "HMAC_SHA_512")),
    ] {
        assert_eq!(
            server.error(operation, input).await,
            "InvalidKeyUsageException",
            "{operation}"
        );
    }
    for operation in [
        "EnableKeyRotation",
        "DisableKeyRotation",
        "RotateKeyOnDemand",
        "ListKeyRotations",
    ] {
        assert_eq!(
            server.error(operation, json!({"KeyId": id})).await,
            "UnsupportedOperationException",
            "{operation}"
        );
    }
    let status = server.done("GetKeyRotationStatus", json!({"KeyId": id})).await;
    assert_eq!(status["KeyRotationEnabled"], false);
}

#[tokio::test]
async fn an_encryption_key_makes_no_codes() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let refused = server
        .ask(&server.root, "GenerateMac", generate(&key, "HMAC_SHA_256"))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "InvalidKeyUsageException");
    let arn = key["Arn"].as_str().unwrap();
    assert_eq!(
        refused.message,
        format!("{arn} key usage is ENCRYPT_DECRYPT which is not valid for GenerateMac.")
    );
}

#[tokio::test]
async fn a_disabled_hmac_key_makes_and_checks_nothing() {
    let server = Server::start().await;
    let key = hmac_key(&server, "HMAC_256").await;
    let mac = mac(&server, &key, "HMAC_SHA_256").await;
    server.done("DisableKey", json!({"KeyId": key["KeyId"]})).await;
    let made = server.error("GenerateMac", generate(&key, "HMAC_SHA_256")).await;
    let checked = server
        .error("VerifyMac", verify(&key, "HMAC_SHA_256", &mac))
        .await;
    assert_eq!((&*made, &*checked), ("DisabledException", "DisabledException"));
}

#[tokio::test]
async fn dry_runs_of_codes_tell_what_would_be() {
    let server = Server::start().await;
    let key = hmac_key(&server, "HMAC_256").await;
    let right = mac(&server, &key, "HMAC_SHA_256").await;
    let dry = |mut input: Value| {
        input["DryRun"] = true.into();
        input
    };
    let made = server
        .error("GenerateMac", dry(generate(&key, "HMAC_SHA_256")))
        .await;
    assert_eq!(made, "DryRunOperationException");
    for (mac, expected) in [
        (&*right, "DryRunOperationException"),
        (b"wrong", "KMSInvalidMacException"),
    ] {
        let input = dry(verify(&key, "HMAC_SHA_256", mac));
        assert_eq!(server.error("VerifyMac", input).await, expected);
    }
}

#[tokio::test]
async fn messages_and_codes_have_bounds() {
    let server = Server::start().await;
    let key = hmac_key(&server, "HMAC_256").await;
    for change in [
        json!({"Message": BASE64.encode(vec![1; 4097])}),
        json!({"Message": ""}),
        json!({"Message": null}),
        json!({"MacAlgorithm": "HMAC_MD5"}),
        json!({"MacAlgorithm": null}),
        json!({"Mac": BASE64.encode(vec![1; 6145])}),
        json!({"Mac": null}),
    ] {
        let mut input = verify(&key, "HMAC_SHA_256", b"x");
        for (name, value) in change.as_object().unwrap() {
            input[name] = value.clone();
        }
        assert_eq!(
            server.error("VerifyMac", input).await,
            "ValidationException",
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_policy_may_ask_for_algorithm_and_usage() {
    let server = Server::start().await;
    let who = server.world.people.user(super::OWNER, "a", None);
    let mut allow = statement(&user(super::OWNER, "a"), "kms:GenerateMac");
    allow["Condition"] = json!({"StringEquals": {"kms:MacAlgorithm": "HMAC_SHA_256",
        "kms:KeyUsage": "GENERATE_VERIFY_MAC", "kms:KeySpec": "HMAC_256"}});
    for (spec, algorithm, expected) in [
        ("HMAC_256", "HMAC_SHA_256", "allowed"),
        ("HMAC_512", "HMAC_SHA_512", "AccessDeniedException"),
    ] {
        let input = json!({"KeySpec": spec, "KeyUsage": "GENERATE_VERIFY_MAC",
            "Policy": policy(&[allow.clone()]).to_string(), "BypassPolicyLockoutSafetyCheck": true});
        let key = server.key(input).await;
        let answer = server.ask(&who, "GenerateMac", generate(&key, algorithm)).await;
        assert_eq!(code(answer), expected);
    }
}

#[tokio::test]
async fn grants_on_hmac_keys_are_about_codes() {
    let server = Server::start().await;
    let key = hmac_key(&server, "HMAC_256").await;
    let who = server.world.people.user(super::OWNER, "a", None);
    let grant = |operations: Value| {
        json!({"KeyId": key["KeyId"], "Operations": operations,
            "GranteePrincipal": format!("arn:aws:iam::{}:user/a", super::OWNER)})
    };
    assert_eq!(
        server.error("CreateGrant", grant(json!(["Encrypt"]))).await,
        "ValidationException"
    );
    server.done("CreateGrant", grant(json!(["GenerateMac"]))).await;
    let made = server
        .ask(&who, "GenerateMac", generate(&key, "HMAC_SHA_256"))
        .await;
    assert_eq!(code(made), "allowed");
    let checked = server
        .ask(&who, "VerifyMac", verify(&key, "HMAC_SHA_256", b"x"))
        .await;
    assert_eq!(code(checked), "AccessDeniedException");
}

#[test]
fn a_code_with_a_changed_bit_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (server, key) = runtime.block_on(async {
        let server = Server::start().await;
        let key = hmac_key(&server, "HMAC_256").await;
        (server, key)
    });
    let right = runtime.block_on(mac(&server, &key, "HMAC_SHA_256"));
    proptest!(ProptestConfig::with_cases(64), |(at in 0..256_usize)| {
        let mut changed = right.clone();
        changed[at / 8] ^= 1 << (at % 8);
        let input = verify(&key, "HMAC_SHA_256", &changed);
        prop_assert_eq!(runtime.block_on(server.error("VerifyMac", input)), "KMSInvalidMacException");
    });
}
