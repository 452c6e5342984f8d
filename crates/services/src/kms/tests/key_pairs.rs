//! RSA keys that encrypt, keys that agree on secrets, and data key pairs.

use super::{Server, code};
use aws_lc_rs::agreement::{self, PrivateKey};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};

async fn rsa_key(server: &Server) -> Value {
    server
        .key(json!({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}))
        .await
}

fn blob(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().unwrap()).unwrap()
}

fn encrypt(key: &Value, algorithm: &str, plaintext: &[u8]) -> Value {
    json!({"KeyId": key["KeyId"], "EncryptionAlgorithm": algorithm, "Plaintext": BASE64.encode(plaintext)})
}

fn decrypt(key: &Value, algorithm: &str, ciphertext: &[u8]) -> Value {
    json!({"KeyId": key["KeyId"], "EncryptionAlgorithm": algorithm, "CiphertextBlob": BASE64.encode(ciphertext)})
}

#[tokio::test]
async fn an_rsa_key_decrypts_what_it_encrypted() {
    let server = Server::start().await;
    let key = rsa_key(&server).await;
    assert_eq!(
        key["EncryptionAlgorithms"],
        json!(["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
    );
    for algorithm in ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] {
        let sealed = server.done("Encrypt", encrypt(&key, algorithm, b"secret")).await;
        assert_eq!(sealed["EncryptionAlgorithm"], algorithm);
        let sealed = blob(&sealed["CiphertextBlob"]);
        assert_eq!(sealed.len(), 256);
        let opened = server.done("Decrypt", decrypt(&key, algorithm, &sealed)).await;
        assert_eq!(blob(&opened["Plaintext"]), b"secret");
        assert_eq!(opened.get("KeyMaterialId"), None);
    }
}

#[tokio::test]
async fn what_was_encrypted_with_the_public_key_elsewhere_decrypts() {
    let server = Server::start().await;
    let key = rsa_key(&server).await;
    let public = server.done("GetPublicKey", json!({"KeyId": key["KeyId"]})).await;
    let public = PublicEncryptingKey::from_der(&blob(&public["PublicKey"])).unwrap();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let mut sealed = vec![0; public.ciphertext_size()];
    let sealed = public
        .encrypt(&OAEP_SHA256_MGF1SHA256, b"secret", &mut sealed, None)
        .unwrap();
    let opened = server
        .done("Decrypt", decrypt(&key, "RSAES_OAEP_SHA_256", sealed))
        .await;
    assert_eq!(blob(&opened["Plaintext"]), b"secret");
}

#[tokio::test]
async fn the_plaintext_of_rsa_is_as_long_as_key_and_digest_allow() {
    let server = Server::start().await;
    let key = rsa_key(&server).await;
    for (algorithm, max) in [("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)] {
        server
            .done("Encrypt", encrypt(&key, algorithm, &vec![1; max]))
            .await;
        let long = encrypt(&key, algorithm, &vec![1; max + 1]);
        assert_eq!(server.error("Encrypt", long).await, "ValidationException");
    }
}

#[tokio::test]
async fn rsa_ciphertexts_need_key_algorithm_and_no_context() {
    let server = Server::start().await;
    let key = rsa_key(&server).await;
    let algorithm = "RSAES_OAEP_SHA_256";
    let sealed = server.done("Encrypt", encrypt(&key, algorithm, b"secret")).await;
    let right = decrypt(&key, algorithm, &blob(&sealed["CiphertextBlob"]));
    for (change, expected) in [
        (json!({"KeyId": null}), "ValidationException"),
        (json!({"EncryptionAlgorithm": null}), "InvalidKeyUsageException"),
        (
            json!({"EncryptionAlgorithm": "SM2PKE"}),
            "InvalidKeyUsageException",
        ),
        (
            json!({"EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}),
            "InvalidCiphertextException",
        ),
        (json!({"EncryptionContext": {"a": "1"}}), "ValidationException"),
        (
            json!({"CiphertextBlob": BASE64.encode("short")}),
            "InvalidCiphertextException",
        ),
        (
            json!({"KeyId": rsa_key(&server).await["KeyId"]}),
            "InvalidCiphertextException",
        ),
    ] {
        let mut input = right.clone();
        for (name, value) in change.as_object().unwrap() {
            input[name] = value.clone();
        }
        assert_eq!(server.error("Decrypt", input).await, expected, "{change}");
    }
}

#[tokio::test]
async fn ciphertext_moves_between_rsa_and_symmetric_keys() {
    let server = Server::start().await;
    let (rsa, symmetric) = (rsa_key(&server).await, server.key(json!({})).await);
    let sealed = server
        .done("Encrypt", encrypt(&rsa, "RSAES_OAEP_SHA_256", b"secret"))
        .await;
    let input = json!({"CiphertextBlob": sealed["CiphertextBlob"], "SourceKeyId": rsa["KeyId"],
        "SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "DestinationKeyId": symmetric["KeyId"],
        "DestinationEncryptionContext": {"a": "1"}});
    let moved = server.done("ReEncrypt", input).await;
    assert_eq!(moved.get("SourceKeyMaterialId"), None);
    let input = json!({"CiphertextBlob": moved["CiphertextBlob"], "SourceEncryptionContext": {"a": "1"},
        "DestinationKeyId": rsa["KeyId"], "DestinationEncryptionAlgorithm": "RSAES_OAEP_SHA_1"});
    let back = server.done("ReEncrypt", input).await;
    let opened = server
        .done(
            "Decrypt",
            decrypt(&rsa, "RSAES_OAEP_SHA_1", &blob(&back["CiphertextBlob"])),
        )
        .await;
    assert_eq!(blob(&opened["Plaintext"]), b"secret");
}

#[tokio::test]
async fn an_rsa_key_makes_no_data_keys_and_signs_nothing() {
    let server = Server::start().await;
    let key = rsa_key(&server).await;
    let id = &key["KeyId"];
    for (operation, input) in [
        ("GenerateDataKey", json!({"KeyId": id, "KeySpec": "AES_256"})),
        (
            "GenerateDataKeyPair",
            json!({"KeyId": id, "KeyPairSpec": "ECC_NIST_P256"}),
        ),
        ("Encrypt", json!({"KeyId": id, "Plaintext": BASE64.encode("x")})),
        (
            "Sign",
            json!({"KeyId": id, "Message": "YQ==", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}),
        ),
    ] {
        assert_eq!(
            server.error(operation, input).await,
            "InvalidKeyUsageException",
            "{operation}"
        );
    }
}

#[tokio::test]
async fn grants_on_rsa_keys_have_no_constraints() {
    let server = Server::start().await;
    let key = rsa_key(&server).await;
    let who = server.world.people.user(super::OWNER, "a", None);
    let mut input = json!({"KeyId": key["KeyId"], "Operations": ["GetPublicKey", "Decrypt"],
        "GranteePrincipal": format!("arn:aws:iam::{}:user/a", super::OWNER)});
    input["Constraints"] = json!({"EncryptionContextSubset": {"a": "1"}});
    assert_eq!(
        server.error("CreateGrant", input.clone()).await,
        "ValidationException"
    );
    input["Constraints"] = Value::Null;
    server.done("CreateGrant", input.clone()).await;
    let public = server
        .ask(&who, "GetPublicKey", json!({"KeyId": key["KeyId"]}))
        .await;
    assert_eq!(code(public), "allowed");
    input["Operations"] = json!(["GenerateDataKey"]);
    assert_eq!(server.error("CreateGrant", input).await, "ValidationException");
}

#[tokio::test]
async fn both_sides_agree_on_the_secret() {
    let server = Server::start().await;
    for (spec, curve) in [
        ("ECC_NIST_P256", &agreement::ECDH_P256),
        ("ECC_NIST_P384", &agreement::ECDH_P384),
        ("ECC_NIST_P521", &agreement::ECDH_P521),
    ] {
        let key = server
            .key(json!({"KeySpec": spec, "KeyUsage": "KEY_AGREEMENT"}))
            .await;
        assert_eq!(key["KeyAgreementAlgorithms"], json!(["ECDH"]));
        let public = server.done("GetPublicKey", json!({"KeyId": key["KeyId"]})).await;
        let public = blob(&public["PublicKey"]);
        let own = PrivateKey::generate(curve).unwrap();
        let theirs = agreement::UnparsedPublicKey::new(curve, &public);
        let expected = agreement::agree(&own, theirs, (), |secret| Ok(secret.to_vec())).unwrap();
        let own = own.compute_public_key().unwrap();
        let own = own.as_der().unwrap();
        let answer = server
            .done(
                "DeriveSharedSecret",
                json!({"KeyId": key["KeyId"], "KeyAgreementAlgorithm": "ECDH",
                    "PublicKey": BASE64.encode(own.as_ref())}),
            )
            .await;
        assert_eq!(blob(&answer["SharedSecret"]), expected);
        assert_eq!(answer["KeyOrigin"], "AWS_KMS");
    }
}

#[tokio::test]
async fn a_public_key_of_another_curve_is_refused() {
    let server = Server::start().await;
    let input = json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"});
    let key = server.key(input).await;
    let other = server
        .key(json!({"KeySpec": "ECC_NIST_P384", "KeyUsage": "SIGN_VERIFY"}))
        .await;
    let other = server
        .done("GetPublicKey", json!({"KeyId": other["KeyId"]}))
        .await;
    let ask =
        |public: &Value| json!({"KeyId": key["KeyId"], "KeyAgreementAlgorithm": "ECDH", "PublicKey": public});
    for public in [&other["PublicKey"], &json!("AAAA"), &Value::Null] {
        assert_eq!(
            server.error("DeriveSharedSecret", ask(public)).await,
            "ValidationException"
        );
    }
    let sign = json!({"KeyId": key["KeyId"], "Message": "YQ==", "SigningAlgorithm": "ECDSA_SHA_256"});
    assert_eq!(server.error("Sign", sign).await, "InvalidKeyUsageException");
}

#[tokio::test]
async fn a_data_key_pair_is_one_pair_encrypted_and_in_clear() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    for spec in [
        "RSA_2048",
        "ECC_NIST_P256",
        "ECC_SECG_P256K1",
        "ECC_NIST_EDWARDS25519",
    ] {
        let input = json!({"KeyId": key["KeyId"], "KeyPairSpec": spec, "EncryptionContext": {"a": "1"}});
        let made = server.done("GenerateDataKeyPair", input.clone()).await;
        assert_eq!(made["KeyPairSpec"], spec);
        assert_eq!(made["KeyMaterialId"], key["CurrentKeyMaterialId"]);
        let open =
            json!({"CiphertextBlob": made["PrivateKeyCiphertextBlob"], "EncryptionContext": {"a": "1"}});
        let opened = server.done("Decrypt", open).await;
        assert_eq!(opened["Plaintext"], made["PrivateKeyPlaintext"]);
        let sealed = server.done("GenerateDataKeyPairWithoutPlaintext", input).await;
        assert_eq!(sealed.get("PrivateKeyPlaintext"), None);
        assert_ne!(sealed["PublicKey"], made["PublicKey"]);
    }
    let input = json!({"KeyId": key["KeyId"], "KeyPairSpec": "ECC_NIST_P256"});
    let made = server.done("GenerateDataKeyPair", input).await;
    let private = blob(&made["PrivateKeyPlaintext"]);
    let private = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &private).unwrap();
    let signature = private.sign(&aws_lc_rs::rand::SystemRandom::new(), b"x").unwrap();
    let public = blob(&made["PublicKey"]);
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &public);
    assert!(public.verify(b"x", signature.as_ref()).is_ok());
}

#[tokio::test]
async fn data_key_pairs_have_a_spec_that_is_built() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    for (spec, expected) in [
        (json!("SM2"), "UnsupportedOperationException"),
        (json!("ML_KEM_768"), "UnsupportedOperationException"),
        (json!("ML_DSA_44"), "ValidationException"),
        (json!("AES_256"), "ValidationException"),
        (Value::Null, "ValidationException"),
    ] {
        let input = json!({"KeyId": key["KeyId"], "KeyPairSpec": spec});
        assert_eq!(
            server.error("GenerateDataKeyPair", input).await,
            expected,
            "{spec}"
        );
    }
    let dry = json!({"KeyId": key["KeyId"], "KeyPairSpec": "RSA_4096", "DryRun": true});
    assert_eq!(
        server.error("GenerateDataKeyPair", dry).await,
        "DryRunOperationException"
    );
}

#[tokio::test]
async fn a_policy_may_ask_for_the_spec_of_data_key_pairs() {
    let server = Server::start().await;
    let who = server.world.people.user(super::OWNER, "a", None);
    let mut allow = super::statement(&super::user(super::OWNER, "a"), "kms:GenerateDataKeyPair");
    allow["Condition"] = json!({"StringEquals": {"kms:DataKeyPairSpec": "ECC_NIST_P256"}});
    let arn = server.key_with_policy(super::policy(&[allow])).await;
    for (spec, expected) in [
        ("ECC_NIST_P256", "allowed"),
        ("ECC_NIST_P384", "AccessDeniedException"),
    ] {
        let input = json!({"KeyId": arn, "KeyPairSpec": spec});
        assert_eq!(
            code(server.ask(&who, "GenerateDataKeyPair", input).await),
            expected
        );
    }
}

#[test]
fn an_rsa_ciphertext_with_a_changed_bit_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(Server::start());
    let key = runtime.block_on(rsa_key(&server));
    let algorithm = "RSAES_OAEP_SHA_256";
    let sealed = runtime.block_on(server.done("Encrypt", encrypt(&key, algorithm, b"secret")));
    let sealed = blob(&sealed["CiphertextBlob"]);
    proptest!(ProptestConfig::with_cases(32), |(at in 0..2048_usize)| {
        let mut changed = sealed.clone();
        changed[at / 8] ^= 1 << (at % 8);
        let answer = runtime.block_on(server.error("Decrypt", decrypt(&key, algorithm, &changed)));
        prop_assert_eq!(answer, "InvalidCiphertextException");
    });
}
