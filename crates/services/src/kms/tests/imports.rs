//! Imported key material: how it comes in, how it ends, and that only the same comes back.

use super::{ALLOW_KMS, DAY, OTHER, OWNER, Server, code, encrypt, text};
use crate::testing::Refused;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

pub(super) const NOW: u64 = 1_767_225_600;
pub(super) const DAY_SECONDS: u64 = 86_400;

fn blob(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().unwrap()).unwrap()
}

/// As a client does it.
fn wrapped(parameters: &Value, algorithm: &str, material: &[u8]) -> Vec<u8> {
    let public = PublicEncryptingKey::from_der(&blob(&parameters["PublicKey"])).unwrap();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let oaep = if algorithm.ends_with("SHA_1") {
        &OAEP_SHA1_MGF1SHA1
    } else {
        &OAEP_SHA256_MGF1SHA256
    };
    let sealed = |plain: &[u8]| {
        let mut out = vec![0; public.ciphertext_size()];
        public.encrypt(oaep, plain, &mut out, None).unwrap().to_vec()
    };
    if algorithm.starts_with("RSAES") {
        return sealed(material);
    }
    let mut out = sealed(&[7; 32]);
    let mut buffer = vec![0; material.len() + 15];
    let kek = AesKek::new(&AES_256, &[7; 32]).unwrap();
    out.extend_from_slice(kek.wrap_with_padding(material, &mut buffer).unwrap());
    out
}

impl Server {
    pub(super) async fn external(&self, input: Value) -> Value {
        let mut input = input;
        input["Origin"] = json!("EXTERNAL");
        self.key(input).await
    }

    pub(super) async fn import_with(
        &self,
        region: &str,
        key: &Value,
        (algorithm, spec): (&str, &str),
        material: &[u8],
        more: Value,
    ) -> Result<Value, Refused> {
        let ask = json!({"KeyId": key["KeyId"], "WrappingAlgorithm": algorithm, "WrappingKeySpec": spec});
        let parameters = self
            .ask_in(region, &self.root, "GetParametersForImport", ask)
            .await?;
        let mut input = json!({
            "KeyId": key["KeyId"],
            "ImportToken": parameters["ImportToken"],
            "EncryptedKeyMaterial": BASE64.encode(wrapped(&parameters, algorithm, material)),
        });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        self.ask_in(region, &self.root, "ImportKeyMaterial", input).await
    }

    /// Material that does not expire.
    pub(super) async fn import(&self, key: &Value, material: &[u8]) -> Result<Value, Refused> {
        let forever = json!({"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"});
        self.import_with(
            "us-east-1",
            key,
            ("RSAES_OAEP_SHA_256", "RSA_2048"),
            material,
            forever,
        )
        .await
    }

    async fn metadata(&self, key: &Value) -> Value {
        self.done("DescribeKey", json!({"KeyId": key["KeyId"]})).await["KeyMetadata"].clone()
    }
}

fn opens(blob: &Value) -> Value {
    json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1", "b": "2"}})
}

#[tokio::test]
async fn a_key_works_once_its_material_is_imported() {
    let server = Server::start().await;
    let key = server.external(json!({})).await;
    assert_eq!(
        (&key["KeyState"], &key["Origin"], &key["Enabled"]),
        (&json!("PendingImport"), &json!("EXTERNAL"), &json!(false))
    );
    assert!(key.get("ExpirationModel").is_none() && key.get("CurrentKeyMaterialId").is_none());
    let refused = server
        .ask(&server.root, "Encrypt", encrypt(&key["KeyId"]))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.message),
        (
            "KMSInvalidStateException",
            format!("{} is pending import.", text(&key["Arn"]))
        )
    );
    let imported = server.import(&key, &[9; 32]).await.unwrap();
    let server = server.restart().await;
    let metadata = server.metadata(&key).await;
    assert_eq!(
        (
            &metadata["KeyState"],
            &metadata["ExpirationModel"],
            &metadata["CurrentKeyMaterialId"]
        ),
        (
            &json!("Enabled"),
            &json!("KEY_MATERIAL_DOES_NOT_EXPIRE"),
            &imported["KeyMaterialId"]
        )
    );
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    assert_eq!(
        code(server.ask(&server.root, "Decrypt", opens(&blob)).await),
        "allowed"
    );
    let stored = server.stored().await;
    assert!(!stored.windows(32).any(|window| window == [9; 32]));
}

#[tokio::test]
async fn every_wrapping_brings_the_material_in() {
    let server = Server::start().await;
    let forever = json!({"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"});
    let message = BASE64.encode("hello");
    for algorithm in ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] {
        let key = server
            .external(json!({"KeySpec": "HMAC_384", "KeyUsage": "GENERATE_VERIFY_MAC"}))
            .await;
        let with = (algorithm, "RSA_3072");
        server
            .import_with("us-east-1", &key, with, &[3; 48], forever.clone())
            .await
            .unwrap();
        let input = json!({"KeyId": key["KeyId"], "Message": message, "MacAlgorithm": "HMAC_SHA_384"});
        let made = server.done("GenerateMac", input).await;
        let expected = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA384, &[3; 48]);
        let expected = aws_lc_rs::hmac::sign(&expected, b"hello");
        assert_eq!(blob(&made["Mac"]), expected.as_ref());
    }
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let pair = pair.to_pkcs8v1().unwrap();
    for algorithm in [
        "RSAES_OAEP_SHA_256",
        "RSA_AES_KEY_WRAP_SHA_1",
        "RSA_AES_KEY_WRAP_SHA_256",
    ] {
        let key = server
            .external(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}))
            .await;
        let with = (algorithm, "RSA_2048");
        server
            .import_with("us-east-1", &key, with, pair.as_ref(), forever.clone())
            .await
            .unwrap();
        let input = json!({"KeyId": key["KeyId"], "Message": message, "SigningAlgorithm": "ECDSA_SHA_256"});
        server.done("Sign", input).await;
    }
}

#[tokio::test]
async fn an_rsa_key_is_imported_as_it_is() {
    let server = Server::start().await;
    let rsa = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = rsa.as_der().unwrap();
    let forever = json!({"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"});
    let with = ("RSA_AES_KEY_WRAP_SHA_256", "RSA_2048");
    let key = server
        .external(json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}))
        .await;
    server
        .import_with("us-east-1", &key, with, pkcs8.as_ref(), forever.clone())
        .await
        .unwrap();
    let public = server.done("GetPublicKey", json!({"KeyId": key["KeyId"]})).await;
    assert_eq!(
        blob(&public["PublicKey"]),
        rsa.public_key().as_der().unwrap().as_ref()
    );
    // Of another size, of another kind.
    for (spec, usage) in [("RSA_3072", "ENCRYPT_DECRYPT"), ("ECC_NIST_P256", "SIGN_VERIFY")] {
        let key = server.external(json!({"KeySpec": spec, "KeyUsage": usage})).await;
        let refused = server
            .import_with("us-east-1", &key, with, pkcs8.as_ref(), forever.clone())
            .await;
        assert_eq!(code(refused), "IncorrectKeyMaterialException", "{spec}");
    }
}

#[tokio::test]
async fn material_of_another_length_or_curve_is_refused() {
    let server = Server::start().await;
    let key = server.external(json!({})).await;
    for material in [&[1; 31][..], &[1; 33], &[1; 16], &[]] {
        assert_eq!(
            code(server.import(&key, material).await),
            "IncorrectKeyMaterialException"
        );
    }
    let key = server
        .external(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}))
        .await;
    let other = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
    for material in [other.to_pkcs8v1().unwrap().as_ref(), &[1; 32]] {
        assert_eq!(
            code(server.import(&key, material).await),
            "IncorrectKeyMaterialException"
        );
    }
    assert_eq!(server.metadata(&key).await["KeyState"], "PendingImport");
}

#[tokio::test]
async fn only_the_same_material_comes_back() {
    let server = Server::start().await;
    let key = server.external(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    let first = server.import(&key, &[9; 32]).await.unwrap();
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    assert_eq!(
        code(server.import(&key, &[8; 32]).await),
        "IncorrectKeyMaterialException"
    );
    let deleted = server.done("DeleteImportedKeyMaterial", id.clone()).await;
    assert_eq!(deleted["KeyMaterialId"], first["KeyMaterialId"]);
    let server = server.restart().await;
    let metadata = server.metadata(&key).await;
    assert_eq!(metadata["KeyState"], "PendingImport");
    assert!(metadata.get("ExpirationModel").is_none());
    assert_eq!(
        code(server.ask(&server.root, "Decrypt", opens(&blob)).await),
        "KMSInvalidStateException"
    );
    // Again changes nothing.
    server.done("DeleteImportedKeyMaterial", id).await;
    assert_eq!(
        code(server.import(&key, &[8; 32]).await),
        "IncorrectKeyMaterialException"
    );
    assert_eq!(server.import(&key, &[9; 32]).await.unwrap(), first);
    assert_eq!(
        code(server.ask(&server.root, "Decrypt", opens(&blob)).await),
        "allowed"
    );
}

#[tokio::test]
async fn expired_material_is_gone_on_the_next_call_and_then_from_the_store() {
    let server = Server::start().await;
    let key = server.external(json!({})).await;
    let expires = |days: u64| json!({"ValidTo": NOW + days * DAY_SECONDS});
    let with = ("RSAES_OAEP_SHA_256", "RSA_2048");
    server
        .import_with("us-east-1", &key, with, &[9; 32], expires(2))
        .await
        .unwrap();
    let metadata = server.metadata(&key).await;
    assert_eq!(metadata["ExpirationModel"], "KEY_MATERIAL_EXPIRES");
    assert!(
        metadata["ValidTo"]
            .to_string()
            .starts_with(&(NOW + 2 * DAY_SECONDS).to_string())
    );
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    server.world.clock.advance(2 * DAY);
    // No sweep has come by.
    assert_eq!(
        server.error("Encrypt", encrypt(&key["KeyId"])).await,
        "KMSInvalidStateException"
    );
    assert_eq!(
        server.error("Decrypt", opens(&blob)).await,
        "KMSInvalidStateException"
    );
    assert_eq!(server.metadata(&key).await["KeyState"], "PendingImport");
    let before = server.stored().await;
    server.kms.forget_expired().await;
    assert!(server.stored().await.len() < before.len());
    let server = server.restart().await;
    assert_eq!(server.metadata(&key).await["KeyState"], "PendingImport");
    server
        .import_with("us-east-1", &key, with, &[9; 32], expires(9))
        .await
        .unwrap();
    assert_eq!(
        code(server.ask(&server.root, "Decrypt", opens(&blob)).await),
        "allowed"
    );
}

#[tokio::test]
async fn an_expiry_is_stated_and_within_a_year() {
    let server = Server::start().await;
    let key = server.external(json!({})).await;
    let forever = "KEY_MATERIAL_DOES_NOT_EXPIRE";
    for more in [
        json!({}),
        json!({"ValidTo": NOW}),
        json!({"ValidTo": NOW + 366 * DAY_SECONDS}),
        json!({"ValidTo": NOW + DAY_SECONDS, "ExpirationModel": forever}),
        json!({"ExpirationModel": "NEVER"}),
        json!({"ExpirationModel": forever, "ImportType": "ANY"}),
        json!({"ExpirationModel": forever, "KeyMaterialDescription": "no; semicolons"}),
    ] {
        let with = ("RSAES_OAEP_SHA_256", "RSA_2048");
        let refused = server
            .import_with("us-east-1", &key, with, &[9; 32], more.clone())
            .await;
        assert_eq!(code(refused), "ValidationException", "{more}");
    }
}

#[tokio::test]
async fn a_token_is_for_one_key_and_one_day() {
    let server = Server::start().await;
    let (key, other) = (server.external(json!({})).await, server.external(json!({})).await);
    let ask = |key: &Value| json!({"KeyId": key["KeyId"], "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"});
    let parameters = server.done("GetParametersForImport", ask(&key)).await;
    assert_eq!(parameters["KeyId"], key["Arn"]);
    let material = BASE64.encode(wrapped(&parameters, "RSAES_OAEP_SHA_256", &[9; 32]));
    let input = |key: &Value, token: &Value| {
        json!({"KeyId": key["KeyId"], "ImportToken": token, "EncryptedKeyMaterial": material,
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"})
    };
    let token = &parameters["ImportToken"];
    assert_eq!(
        server.error("ImportKeyMaterial", input(&other, token)).await,
        "InvalidImportTokenException"
    );
    let mut changed = blob(token);
    changed[100] ^= 1;
    assert_eq!(
        server
            .error("ImportKeyMaterial", input(&key, &json!(BASE64.encode(changed))))
            .await,
        "InvalidImportTokenException"
    );
    let second = server.done("GetParametersForImport", ask(&key)).await;
    assert_eq!(
        server
            .error("ImportKeyMaterial", input(&key, &second["ImportToken"]))
            .await,
        "InvalidCiphertextException"
    );
    server.done("ImportKeyMaterial", input(&key, token)).await;
    server.world.clock.advance(DAY);
    assert_eq!(
        server.error("ImportKeyMaterial", input(&key, token)).await,
        "ExpiredImportTokenException"
    );
}

#[tokio::test]
async fn each_kind_of_material_has_its_wrappings() {
    let server = Server::start().await;
    let mac = json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"});
    let rsa = json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"});
    let p521 = json!({"KeySpec": "ECC_NIST_P521", "KeyUsage": "SIGN_VERIFY"});
    let rows = [
        (
            json!({}),
            "RSA_AES_KEY_WRAP_SHA_256",
            "RSA_2048",
            "UnsupportedOperationException",
        ),
        (
            mac,
            "RSA_AES_KEY_WRAP_SHA_1",
            "RSA_2048",
            "UnsupportedOperationException",
        ),
        (
            rsa,
            "RSAES_OAEP_SHA_256",
            "RSA_2048",
            "UnsupportedOperationException",
        ),
        (
            p521.clone(),
            "RSAES_OAEP_SHA_1",
            "RSA_2048",
            "UnsupportedOperationException",
        ),
        (p521, "RSAES_OAEP_SHA_1", "RSA_3072", "allowed"),
        (
            json!({}),
            "RSAES_PKCS1_V1_5",
            "RSA_2048",
            "UnsupportedOperationException",
        ),
        (json!({}), "SM2PKE", "SM2", "UnsupportedOperationException"),
        (json!({}), "ROT13", "RSA_2048", "ValidationException"),
        (json!({}), "RSAES_OAEP_SHA_256", "RSA_1024", "ValidationException"),
    ];
    for (kind, algorithm, spec, expected) in rows {
        let key = server.external(kind).await;
        let ask = json!({"KeyId": key["KeyId"], "WrappingAlgorithm": algorithm, "WrappingKeySpec": spec});
        let answer = server.ask(&server.root, "GetParametersForImport", ask).await;
        assert_eq!(code(answer), expected, "{algorithm} {spec}");
    }
}

#[tokio::test]
async fn each_state_allows_what_aws_allows() {
    let server = Server::start().await;
    let key = server.external(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    for operation in ["EnableKey", "DisableKey"] {
        assert_eq!(
            server.error(operation, id.clone()).await,
            "KMSInvalidStateException"
        );
    }
    for operation in ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"] {
        assert_eq!(
            server.error(operation, id.clone()).await,
            "UnsupportedOperationException"
        );
    }
    server
        .done(
            "CreateAlias",
            json!({"AliasName": "alias/mine", "TargetKeyId": key["KeyId"]}),
        )
        .await;
    server
        .done(
            "UpdateKeyDescription",
            json!({"KeyId": key["KeyId"], "Description": "x"}),
        )
        .await;
    server.import(&key, &[9; 32]).await.unwrap();
    // Whoever may import need not be allowed to enable.
    server.done("DisableKey", id.clone()).await;
    server.import(&key, &[9; 32]).await.unwrap();
    assert_eq!(server.metadata(&key).await["KeyState"], "Disabled");
    server.done("ScheduleKeyDeletion", id.clone()).await;
    assert_eq!(
        code(server.import(&key, &[9; 32]).await),
        "KMSInvalidStateException"
    );
    server.done("DeleteImportedKeyMaterial", id.clone()).await;
    assert_eq!(server.metadata(&key).await["KeyState"], "PendingDeletion");
    server.done("CancelKeyDeletion", id.clone()).await;
    assert_eq!(server.metadata(&key).await["KeyState"], "PendingImport");
    let made_here = server.key(json!({})).await;
    assert_eq!(
        code(server.import(&made_here, &[9; 32]).await),
        "UnsupportedOperationException"
    );
    assert_eq!(
        server
            .error("DeleteImportedKeyMaterial", json!({"KeyId": made_here["KeyId"]}))
            .await,
        "UnsupportedOperationException"
    );
    let ml_dsa = json!({"Origin": "EXTERNAL", "KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY"});
    assert_eq!(
        server.error("CreateKey", ml_dsa).await,
        "UnsupportedOperationException"
    );
}

#[tokio::test]
async fn types_descriptions_and_ids_are_for_symmetric_keys() {
    let server = Server::start().await;
    let key = server.external(json!({})).await;
    let with = ("RSAES_OAEP_SHA_256", "RSA_2048");
    let more = |more: Value| {
        let mut all = json!({"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    let existing = json!({"ImportType": "EXISTING_KEY_MATERIAL"});
    let refused = server
        .import_with("us-east-1", &key, with, &[9; 32], more(existing))
        .await;
    assert_eq!(code(refused), "IncorrectKeyMaterialException");
    let new = json!({"ImportType": "NEW_KEY_MATERIAL", "KeyMaterialDescription": "from the HSM"});
    let made = server
        .import_with("us-east-1", &key, with, &[9; 32], more(new.clone()))
        .await
        .unwrap();
    let refused = server
        .import_with("us-east-1", &key, with, &[8; 32], more(new.clone()))
        .await;
    assert_eq!(code(refused), "UnsupportedOperationException");
    let same = json!({"ImportType": "EXISTING_KEY_MATERIAL", "KeyMaterialId": made["KeyMaterialId"]});
    server
        .import_with("us-east-1", &key, with, &[9; 32], more(same))
        .await
        .unwrap();
    let wrong = json!({"KeyMaterialId": "0".repeat(64)});
    let refused = server
        .import_with("us-east-1", &key, with, &[9; 32], more(wrong))
        .await;
    assert_eq!(code(refused), "IncorrectKeyMaterialException");
    let list = json!({"KeyId": key["KeyId"], "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
    let listed = server.done("ListKeyRotations", list).await["Rotations"][0].clone();
    assert_eq!(
        (
            &listed["KeyMaterialDescription"],
            &listed["ImportState"],
            &listed["ExpirationModel"]
        ),
        (
            &json!("from the HSM"),
            &json!("IMPORTED"),
            &json!("KEY_MATERIAL_DOES_NOT_EXPIRE")
        )
    );
    let mac = server
        .external(json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}))
        .await;
    let refused = server
        .import_with("us-east-1", &mac, with, &[9; 32], more(new))
        .await;
    assert_eq!(code(refused), "UnsupportedOperationException");
}

#[tokio::test]
async fn conditions_see_how_and_for_how_long_material_is_imported() {
    let server = Server::start().await;
    let key = server.external(json!({})).await;
    let allow = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "kms:GetParametersForImport", "Resource": "*",
         "Condition": {"StringEquals": {"kms:WrappingAlgorithm": "RSAES_OAEP_SHA_256", "kms:WrappingKeySpec": "RSA_3072"}}},
        {"Effect": "Allow", "Action": "kms:ImportKeyMaterial", "Resource": "*",
         "Condition": {"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_EXPIRES", "kms:KeyOrigin": "EXTERNAL"},
                       "NumericLessThanEquals": {"kms:ValidTo": (NOW + 7 * DAY_SECONDS).to_string()}}}]});
    let admin = server.world.people.user(OWNER, "admin", Some(&allow.to_string()));
    let ask = |spec: &str| json!({"KeyId": key["KeyId"], "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": spec});
    assert_eq!(
        code(
            server
                .ask(&admin, "GetParametersForImport", ask("RSA_2048"))
                .await
        ),
        "AccessDeniedException"
    );
    let parameters = server
        .ask(&admin, "GetParametersForImport", ask("RSA_3072"))
        .await
        .unwrap();
    let material = BASE64.encode(wrapped(&parameters, "RSAES_OAEP_SHA_256", &[9; 32]));
    let mut input = json!({"KeyId": key["KeyId"], "ImportToken": parameters["ImportToken"], "EncryptedKeyMaterial": material});
    for (days, expected) in [(8, "AccessDeniedException"), (7, "allowed")] {
        input["ValidTo"] = json!(NOW + days * DAY_SECONDS);
        assert_eq!(
            code(server.ask(&admin, "ImportKeyMaterial", input.clone()).await),
            expected
        );
    }
    let stranger = server.world.people.user(OTHER, "stranger", Some(ALLOW_KMS));
    input["KeyId"] = key["Arn"].clone();
    let refused = server.ask(&stranger, "ImportKeyMaterial", input).await;
    assert_eq!(code(refused), "AccessDeniedException");
}
