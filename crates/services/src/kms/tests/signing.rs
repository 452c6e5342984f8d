//! Keys that sign. Signatures are verified here once more, with the public key that the server hands out.

use super::{Server, code, policy, statement, user};
use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256K1_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};

const MESSAGE: &[u8] = b"a message";

type Row = (&'static str, &'static dyn VerificationAlgorithm);

const RSA: [Row; 6] = [
    ("RSASSA_PKCS1_V1_5_SHA_256", &RSA_PKCS1_2048_8192_SHA256),
    ("RSASSA_PKCS1_V1_5_SHA_384", &RSA_PKCS1_2048_8192_SHA384),
    ("RSASSA_PKCS1_V1_5_SHA_512", &RSA_PKCS1_2048_8192_SHA512),
    ("RSASSA_PSS_SHA_256", &RSA_PSS_2048_8192_SHA256),
    ("RSASSA_PSS_SHA_384", &RSA_PSS_2048_8192_SHA384),
    ("RSASSA_PSS_SHA_512", &RSA_PSS_2048_8192_SHA512),
];

/// Spec, and what its keys sign with.
const SPECS: [(&str, &[Row]); 10] = [
    ("RSA_2048", &RSA),
    ("RSA_3072", &RSA),
    ("ECC_NIST_P256", &[("ECDSA_SHA_256", &ECDSA_P256_SHA256_ASN1)]),
    ("ECC_NIST_P384", &[("ECDSA_SHA_384", &ECDSA_P384_SHA384_ASN1)]),
    ("ECC_NIST_P521", &[("ECDSA_SHA_512", &ECDSA_P521_SHA512_ASN1)]),
    ("ECC_SECG_P256K1", &[("ECDSA_SHA_256", &ECDSA_P256K1_SHA256_ASN1)]),
    ("ECC_NIST_EDWARDS25519", &[("ED25519_SHA_512", &ED25519)]),
    ("ML_DSA_44", &[("ML_DSA_SHAKE_256", &ML_DSA_44)]),
    ("ML_DSA_65", &[("ML_DSA_SHAKE_256", &ML_DSA_65)]),
    ("ML_DSA_87", &[("ML_DSA_SHAKE_256", &ML_DSA_87)]),
];

async fn signing_key(server: &Server, spec: &str) -> Value {
    server
        .key(json!({"KeySpec": spec, "KeyUsage": "SIGN_VERIFY"}))
        .await
}

fn sign(key: &Value, algorithm: &str) -> Value {
    json!({"KeyId": key["KeyId"], "SigningAlgorithm": algorithm, "Message": BASE64.encode(MESSAGE)})
}

/// The digest of the message that an algorithm signs.
fn message_digest(algorithm: &str) -> Option<Vec<u8>> {
    let hash = match algorithm.rsplit_once("SHA_")? {
        (rest, _) if rest.starts_with("ED") => return None,
        (_, "256") => &SHA256,
        (_, "384") => &SHA384,
        (_, "512") => &SHA512,
        _ => return None,
    };
    Some(digest(hash, MESSAGE).as_ref().to_vec())
}

fn verify(key: &Value, algorithm: &str, signature: &[u8]) -> Value {
    let mut input = sign(key, algorithm);
    input["Signature"] = BASE64.encode(signature).into();
    input
}

fn blob(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn signatures_verify_here_and_elsewhere() {
    let server = Server::start().await;
    for (spec, algorithms) in SPECS {
        let key = signing_key(&server, spec).await;
        let names: Vec<_> = algorithms.iter().map(|(name, _)| *name).collect();
        assert_eq!(key["SigningAlgorithms"], json!(names), "{spec}");
        let public = server.done("GetPublicKey", json!({"KeyId": key["KeyId"]})).await;
        let public = blob(&public["PublicKey"]);
        for (algorithm, elsewhere) in algorithms {
            let signature = blob(&server.done("Sign", sign(&key, algorithm)).await["Signature"]);
            let answer = server.done("Verify", verify(&key, algorithm, &signature)).await;
            let expected =
                json!({"KeyId": key["Arn"], "SignatureValid": true, "SigningAlgorithm": algorithm});
            assert_eq!(answer, expected);
            let elsewhere = UnparsedPublicKey::new(*elsewhere, &public);
            assert!(
                elsewhere.verify(MESSAGE, &signature).is_ok(),
                "{spec} {algorithm}"
            );
        }
    }
}

#[tokio::test]
async fn the_digest_of_a_message_is_signed_as_the_message() {
    let server = Server::start().await;
    for spec in ["RSA_2048", "ECC_NIST_P384", "ECC_SECG_P256K1"] {
        let key = signing_key(&server, spec).await;
        for algorithm in key["SigningAlgorithms"].as_array().unwrap() {
            let algorithm = algorithm.as_str().unwrap();
            let mut input = sign(&key, algorithm);
            input["Message"] = BASE64.encode(message_digest(algorithm).unwrap()).into();
            input["MessageType"] = "DIGEST".into();
            let signature = blob(&server.done("Sign", input.clone()).await["Signature"]);
            server.done("Verify", verify(&key, algorithm, &signature)).await;
            input["Signature"] = BASE64.encode(&signature).into();
            server.done("Verify", input).await;
        }
    }
}

#[tokio::test]
async fn a_digest_has_the_length_of_its_algorithm() {
    let server = Server::start().await;
    let key = signing_key(&server, "ECC_NIST_P256").await;
    let mut input = sign(&key, "ECDSA_SHA_256");
    input["MessageType"] = "DIGEST".into();
    input["Message"] = BASE64.encode([1; 31]).into();
    let refused = server.ask(&server.root, "Sign", input).await.unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.message.as_str()),
        (
            "ValidationException",
            "Digest is invalid length for algorithm ECDSA_SHA_256."
        )
    );
}

#[tokio::test]
async fn what_signs_messages_takes_no_digest() {
    let server = Server::start().await;
    for (spec, algorithm, kind, expected) in [
        (
            "ECC_NIST_EDWARDS25519",
            "ED25519_SHA_512",
            "DIGEST",
            "ValidationException",
        ),
        (
            "ECC_NIST_EDWARDS25519",
            "ED25519_PH_SHA_512",
            "DIGEST",
            "UnsupportedOperationException",
        ),
        ("ML_DSA_44", "ML_DSA_SHAKE_256", "DIGEST", "ValidationException"),
        (
            "ML_DSA_44",
            "ML_DSA_SHAKE_256",
            "EXTERNAL_MU",
            "UnsupportedOperationException",
        ),
        (
            "ECC_NIST_P256",
            "ECDSA_SHA_256",
            "EXTERNAL_MU",
            "ValidationException",
        ),
    ] {
        let key = signing_key(&server, spec).await;
        let mut input = sign(&key, algorithm);
        input["MessageType"] = kind.into();
        input["Message"] = BASE64.encode([1; 64]).into();
        assert_eq!(server.error("Sign", input).await, expected, "{algorithm} {kind}");
    }
}

#[tokio::test]
async fn a_signature_is_that_of_its_message_and_key() {
    let server = Server::start().await;
    for spec in ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ML_DSA_44"] {
        let (key, other) = (signing_key(&server, spec).await, signing_key(&server, spec).await);
        let algorithm = key["SigningAlgorithms"][0].as_str().unwrap();
        let signature = blob(&server.done("Sign", sign(&key, algorithm)).await["Signature"]);
        let mut message = verify(&key, algorithm, &signature);
        message["Message"] = BASE64.encode("another message").into();
        for input in [
            message,
            verify(&other, algorithm, &signature),
            verify(&key, algorithm, b"x"),
        ] {
            let refused = server.ask(&server.root, "Verify", input).await.unwrap_err();
            assert_eq!(
                (refused.code.as_str(), refused.message.as_str()),
                ("KMSInvalidSignatureException", ""),
                "{spec}"
            );
        }
    }
}

#[tokio::test]
async fn key_pairs_are_the_same_after_a_restart() {
    let server = Server::start().await;
    let mut made = Vec::new();
    for spec in ["RSA_2048", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519", "ML_DSA_65"] {
        let key = signing_key(&server, spec).await;
        let algorithm = key["SigningAlgorithms"][0].as_str().unwrap().to_owned();
        let signature = blob(&server.done("Sign", sign(&key, &algorithm)).await["Signature"]);
        made.push((key, algorithm, signature));
    }
    let server = server.restart().await;
    for (key, algorithm, signature) in made {
        server.done("Verify", verify(&key, &algorithm, &signature)).await;
        let again = server.done("DescribeKey", json!({"KeyId": key["KeyId"]})).await;
        assert_eq!(again["KeyMetadata"], key);
    }
}

#[tokio::test]
async fn private_keys_are_never_stored_in_clear() {
    let server = Server::start().await;
    let key = signing_key(&server, "ECC_NIST_P256").await;
    let (region, id) = (
        "us-east-1".parse().unwrap(),
        key["KeyId"].as_str().unwrap().parse().unwrap(),
    );
    let private = {
        let view = server.kms.view();
        let found = view.key(region, id, server.world.runtime.clock.now()).unwrap();
        found.material.secret.stored().to_vec()
    };
    let stored = server.stored().await;
    let contains = |part: &[u8]| stored.windows(part.len()).any(|window| window == part);
    assert!(!contains(&private) && !contains(BASE64.encode(&private).as_bytes()));
}

#[tokio::test]
async fn a_signing_key_is_for_nothing_else() {
    let server = Server::start().await;
    let key = signing_key(&server, "RSA_2048").await;
    let id = &key["KeyId"];
    let encrypt =
        json!({"KeyId": id, "Plaintext": BASE64.encode("x"), "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"});
    for (operation, input) in [
        ("Encrypt", encrypt),
        ("GenerateDataKey", json!({"KeyId": id, "KeySpec": "AES_256"})),
        ("Sign", sign(&key, "ECDSA_SHA_256")),
    ] {
        assert_eq!(
            server.error(operation, input).await,
            "InvalidKeyUsageException",
            "{operation}"
        );
    }
    let rotation = server.error("EnableKeyRotation", json!({"KeyId": id})).await;
    assert_eq!(rotation, "UnsupportedOperationException");
}

#[tokio::test]
async fn a_symmetric_key_has_no_public_key_and_signs_nothing() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let public = server.error("GetPublicKey", json!({"KeyId": key["KeyId"]})).await;
    assert_eq!(public, "UnsupportedOperationException");
    let signed = server.error("Sign", sign(&key, "RSASSA_PSS_SHA_256")).await;
    assert_eq!(signed, "InvalidKeyUsageException");
}

#[tokio::test]
async fn a_disabled_signing_key_does_nothing() {
    let server = Server::start().await;
    let key = signing_key(&server, "ECC_NIST_P256").await;
    server.done("DisableKey", json!({"KeyId": key["KeyId"]})).await;
    for (operation, input) in [
        ("Sign", sign(&key, "ECDSA_SHA_256")),
        ("Verify", verify(&key, "ECDSA_SHA_256", b"x")),
        ("GetPublicKey", json!({"KeyId": key["KeyId"]})),
    ] {
        assert_eq!(
            server.error(operation, input).await,
            "DisabledException",
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_policy_may_ask_for_algorithm_and_message_type() {
    let server = Server::start().await;
    let who = server.world.people.user(super::OWNER, "a", None);
    let mut allow = statement(&user(super::OWNER, "a"), "kms:Sign");
    allow["Condition"] =
        json!({"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "DIGEST"}});
    let key = server
        .key(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY",
            "Policy": policy(&[allow]).to_string(), "BypassPolicyLockoutSafetyCheck": true}))
        .await;
    let mut input = sign(&key, "ECDSA_SHA_256");
    assert_eq!(
        code(server.ask(&who, "Sign", input.clone()).await),
        "AccessDeniedException"
    );
    input["MessageType"] = "DIGEST".into();
    input["Message"] = BASE64.encode([1; 32]).into();
    assert_eq!(code(server.ask(&who, "Sign", input).await), "allowed");
}

#[tokio::test]
async fn a_dry_run_signs_nothing() {
    let server = Server::start().await;
    let key = signing_key(&server, "ECC_NIST_P256").await;
    let mut input = sign(&key, "ECDSA_SHA_256");
    input["DryRun"] = true.into();
    assert_eq!(server.error("Sign", input).await, "DryRunOperationException");
}

#[test]
fn a_signature_with_a_changed_bit_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(Server::start());
    for spec in ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ML_DSA_44"] {
        let key = runtime.block_on(signing_key(&server, spec));
        let algorithm = key["SigningAlgorithms"][0].as_str().unwrap();
        let right = runtime.block_on(server.done("Sign", sign(&key, algorithm)));
        let right = blob(&right["Signature"]);
        proptest!(ProptestConfig::with_cases(32), |(at in any::<prop::sample::Index>(), bit in 0..8_u8)| {
            let mut changed = right.clone();
            let at = at.index(changed.len());
            changed[at] ^= 1 << bit;
            let answer = runtime.block_on(server.error("Verify", verify(&key, algorithm, &changed)));
            prop_assert_eq!(answer, "KMSInvalidSignatureException");
        });
    }
}
