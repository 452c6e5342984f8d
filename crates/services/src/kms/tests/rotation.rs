//! Rotation: by itself, on demand, and what it leaves as it was.

use super::{ALLOW_KMS, DAY, OTHER, Server, code, encrypt, text};
use serde_json::{Value, json};

async fn materials(server: &Server, key: &Value) -> Vec<Value> {
    let input = json!({"KeyId": key["KeyId"], "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
    server.done("ListKeyRotations", input).await["Rotations"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn new_material_encrypts_and_old_ciphertext_still_opens() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let mut blobs = Vec::new();
    for _ in 0..3 {
        let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
        blobs.push(blob);
        let rotated = server
            .done("RotateKeyOnDemand", json!({"KeyId": key["KeyId"]}))
            .await;
        assert_eq!(rotated["KeyId"], key["Arn"]);
    }
    let server = server.restart().await;
    let listed = materials(&server, &key).await;
    assert_eq!(listed.len(), 4);
    for (blob, material) in blobs.iter().zip(&listed) {
        let decrypt = json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1", "b": "2"}});
        let opened = server.done("Decrypt", decrypt).await;
        assert_eq!(opened["KeyMaterialId"], material["KeyMaterialId"]);
    }
    let described = server.done("DescribeKey", json!({"KeyId": key["KeyId"]})).await;
    assert_eq!(
        described["KeyMetadata"]["CurrentKeyMaterialId"],
        listed[3]["KeyMaterialId"]
    );
    let states: Vec<&str> = listed
        .iter()
        .map(|entry| entry["KeyMaterialState"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["NON_CURRENT", "NON_CURRENT", "NON_CURRENT", "CURRENT"]);
    let made = server
        .done(
            "GenerateDataKey",
            json!({"KeyId": key["KeyId"], "KeySpec": "AES_256"}),
        )
        .await;
    assert_eq!(made["KeyMaterialId"], listed[3]["KeyMaterialId"]);
}

#[tokio::test]
async fn a_key_is_rotated_each_period_and_not_before() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    server
        .done(
            "EnableKeyRotation",
            json!({"KeyId": key["KeyId"], "RotationPeriodInDays": 90}),
        )
        .await;
    let status = server.done("GetKeyRotationStatus", id.clone()).await;
    assert_eq!(
        (&status["KeyRotationEnabled"], &status["RotationPeriodInDays"]),
        (&json!(true), &json!(90))
    );
    assert!(status["NextRotationDate"].to_string().starts_with("1775001600"));
    server.world.clock.advance(89 * DAY);
    server.kms.rotate_due().await;
    assert_eq!(materials(&server, &key).await.len(), 1);
    server.world.clock.advance(DAY);
    server.kms.rotate_due().await;
    server.kms.rotate_due().await;
    let server = server.restart().await;
    let listed = server.done("ListKeyRotations", id.clone()).await["Rotations"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["RotationType"], "AUTOMATIC");
    let status = server.done("GetKeyRotationStatus", id.clone()).await;
    assert!(status["NextRotationDate"].to_string().starts_with("1782777600"));
    server.done("DisableKeyRotation", id.clone()).await;
    assert_eq!(
        server.done("GetKeyRotationStatus", id).await["KeyRotationEnabled"],
        false
    );
    server.world.clock.advance(90 * DAY);
    server.kms.rotate_due().await;
    assert_eq!(materials(&server, &key).await.len(), 2);
}

#[tokio::test]
async fn a_disabled_key_is_rotated_once_when_it_is_enabled_again() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    server
        .done(
            "EnableKeyRotation",
            json!({"KeyId": key["KeyId"], "RotationPeriodInDays": 90}),
        )
        .await;
    server.done("DisableKey", id.clone()).await;
    server.world.clock.advance(400 * DAY);
    server.kms.rotate_due().await;
    assert_eq!(materials(&server, &key).await.len(), 1);
    server.done("EnableKey", id.clone()).await;
    server.kms.rotate_due().await;
    server.kms.rotate_due().await;
    assert_eq!(materials(&server, &key).await.len(), 2);
    let next = server.done("GetKeyRotationStatus", id).await["NextRotationDate"].to_string();
    assert!(
        next.starts_with(&(1_767_225_600_u64 + 490 * 86_400).to_string()),
        "{next}"
    );
}

#[tokio::test]
async fn a_rotation_on_demand_moves_no_date_and_has_a_quota() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    server.done("EnableKeyRotation", id.clone()).await;
    let before = server.done("GetKeyRotationStatus", id.clone()).await;
    assert_eq!(before["RotationPeriodInDays"], 365);
    server.world.clock.advance(DAY);
    for _ in 0..25 {
        server.done("RotateKeyOnDemand", id.clone()).await;
    }
    server.done("EnableKeyRotation", id.clone()).await;
    assert_eq!(server.done("GetKeyRotationStatus", id.clone()).await, before);
    assert_eq!(
        server.error("RotateKeyOnDemand", id.clone()).await,
        "LimitExceededException"
    );
    let page = server
        .done("ListKeyRotations", json!({"KeyId": key["KeyId"], "Limit": 20}))
        .await;
    assert_eq!(
        (page["Rotations"].as_array().unwrap().len(), &page["Truncated"]),
        (20, &json!(true))
    );
    let rest = server
        .done(
            "ListKeyRotations",
            json!({"KeyId": key["KeyId"], "Marker": page["NextMarker"]}),
        )
        .await;
    assert_eq!(
        (rest["Rotations"].as_array().unwrap().len(), &rest["Truncated"]),
        (5, &json!(false))
    );
    assert_eq!(rest["Rotations"][4]["RotationType"], "ON_DEMAND");
}

#[tokio::test]
async fn rotation_follows_the_state_of_the_key() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    let all = ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"];
    server.done("EnableKeyRotation", id.clone()).await;
    server.done("DisableKey", id.clone()).await;
    for operation in all {
        assert_eq!(
            server.error(operation, id.clone()).await,
            "DisabledException",
            "{operation}"
        );
    }
    assert_eq!(
        server.done("GetKeyRotationStatus", id.clone()).await["KeyRotationEnabled"],
        true
    );
    server.done("ScheduleKeyDeletion", id.clone()).await;
    for operation in all {
        assert_eq!(
            server.error(operation, id.clone()).await,
            "KMSInvalidStateException",
            "{operation}"
        );
    }
    assert_eq!(
        server.done("GetKeyRotationStatus", id.clone()).await["KeyRotationEnabled"],
        false
    );
    server.done("CancelKeyDeletion", id.clone()).await;
    assert_eq!(
        server.done("GetKeyRotationStatus", id).await["KeyRotationEnabled"],
        true
    );
}

#[tokio::test]
async fn rotation_has_bounds_and_permissions_of_its_own() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let enable = |days: u32| json!({"KeyId": key["KeyId"], "RotationPeriodInDays": days});
    for days in [89, 2561] {
        assert_eq!(
            server.error("EnableKeyRotation", enable(days)).await,
            "ValidationException"
        );
    }
    let allow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:EnableKeyRotation", "Resource": "*",
        "Condition": {"NumericLessThanEquals": {"kms:RotationPeriodInDays": "180"}}}});
    let admin = server
        .world
        .people
        .user(super::OWNER, "admin", Some(&allow.to_string()));
    assert_eq!(
        code(server.ask(&admin, "EnableKeyRotation", enable(181)).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(server.ask(&admin, "EnableKeyRotation", enable(180)).await),
        "allowed"
    );
    let stranger = server.world.people.user(OTHER, "stranger", Some(ALLOW_KMS));
    let by_arn = json!({"KeyId": text(&key["Arn"])});
    for operation in [
        "RotateKeyOnDemand",
        "ListKeyRotations",
        "GetKeyRotationStatus",
        "DisableKeyRotation",
    ] {
        let answer = server.ask(&stranger, operation, by_arn.clone()).await;
        assert_eq!(code(answer), "AccessDeniedException", "{operation}");
    }
}
