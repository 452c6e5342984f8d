//! Multi-Region keys: what the keys of one id share, what they do not, and how they end.

use super::imports::{DAY_SECONDS, NOW};
use super::{ALLOW_KMS, DAY, OTHER, OWNER, Server, account, code, encrypt, policy, statement, text};
use crate::testing::Refused;
use serde_json::{Value, json};

const HERE: &str = "us-east-1";
const THERE: &str = "eu-west-1";
const ELSEWHERE: &str = "ap-southeast-2";

impl Server {
    /// As root of the owner in a region.
    async fn at(&self, region: &str, operation: &str, input: Value) -> Result<Value, Refused> {
        self.ask_in(region, &self.root, operation, input).await
    }

    async fn done_at(&self, region: &str, operation: &str, input: Value) -> Value {
        self.at(region, operation, input).await.unwrap()
    }

    async fn described(&self, region: &str, id: &Value) -> Value {
        self.done_at(region, "DescribeKey", json!({"KeyId": id})).await["KeyMetadata"].clone()
    }

    /// A primary key here and its replica there.
    async fn pair(&self, input: Value) -> Value {
        let mut input = input;
        input["MultiRegion"] = json!(true);
        let key = self.key(input).await;
        let replicate = json!({"KeyId": key["KeyId"], "ReplicaRegion": THERE});
        self.done("ReplicateKey", replicate).await;
        key
    }

    async fn materials_at(&self, region: &str, id: &Value) -> Vec<Value> {
        let input = json!({"KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
        let listed = self.done_at(region, "ListKeyRotations", input).await;
        let listed = listed["Rotations"].as_array().unwrap();
        listed
            .iter()
            .map(|entry| entry["KeyMaterialId"].clone())
            .collect()
    }
}

fn opens(blob: &Value) -> Value {
    json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1", "b": "2"}})
}

fn arn(region: &str, id: &Value) -> String {
    format!("arn:aws:kms:{region}:{OWNER}:key/{}", id.as_str().unwrap())
}

#[tokio::test]
async fn a_ciphertext_of_one_region_opens_in_the_other() {
    let server = Server::start().await;
    let key = server.pair(json!({})).await;
    let id = &key["KeyId"];
    assert!(text(id).starts_with("mrk-") && key["MultiRegion"] == json!(true));
    let server = server.restart().await;
    for (from, to) in [(HERE, THERE), (THERE, HERE)] {
        let blob = server.done_at(from, "Encrypt", encrypt(id)).await["CiphertextBlob"].clone();
        let opened = server.done_at(to, "Decrypt", opens(&blob)).await;
        assert_eq!(opened["KeyId"], json!(arn(to, id)));
        // A region without a replica has no such key.
        assert_eq!(
            code(server.at(ELSEWHERE, "Decrypt", opens(&blob)).await),
            "AccessDeniedException"
        );
    }
    let made = server.done("CreateKey", json!({})).await;
    let single = json!({"KeyId": made["KeyMetadata"]["KeyId"], "ReplicaRegion": THERE});
    assert_eq!(
        server.error("ReplicateKey", single).await,
        "UnsupportedOperationException"
    );
}

#[tokio::test]
async fn a_signature_of_one_region_verifies_in_the_other() {
    let server = Server::start().await;
    let key = server
        .pair(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}))
        .await;
    let mut input =
        json!({"KeyId": key["KeyId"], "Message": "aGVsbG8=", "SigningAlgorithm": "ECDSA_SHA_256"});
    let signed = server.done_at(THERE, "Sign", input.clone()).await;
    input["Signature"] = signed["Signature"].clone();
    assert_eq!(server.done("Verify", input).await["SignatureValid"], true);
}

#[tokio::test]
async fn every_key_names_the_primary_and_all_replicas() {
    let server = Server::start().await;
    let key = server
        .key(json!({"MultiRegion": true, "Description": "first"}))
        .await;
    let id = &key["KeyId"];
    assert_eq!(key["MultiRegionConfiguration"]["MultiRegionKeyType"], "PRIMARY");
    assert_eq!(key["MultiRegionConfiguration"]["ReplicaKeys"], json!([]));
    let replicate = json!({"KeyId": id, "ReplicaRegion": THERE, "Description": "second",
        "Tags": [{"TagKey": "team", "TagValue": "blue"}]});
    let made = server.done("ReplicateKey", replicate.clone()).await;
    let metadata = &made["ReplicaKeyMetadata"];
    assert_eq!(
        (&metadata["KeyState"], &metadata["Enabled"]),
        (&json!("Creating"), &json!(false))
    );
    assert_eq!(made["ReplicaTags"], replicate["Tags"]);
    assert!(text(&made["ReplicaPolicy"]).contains("Enable IAM User Permissions"));
    assert_eq!(metadata["Arn"], json!(arn(THERE, id)));
    let expected = json!({"Arn": arn(HERE, id), "Region": HERE});
    let replicas = json!([{"Arn": arn(THERE, id), "Region": THERE}]);
    for (region, role, description) in [(HERE, "PRIMARY", "first"), (THERE, "REPLICA", "second")] {
        let described = server.described(region, id).await;
        let configuration = &described["MultiRegionConfiguration"];
        assert_eq!(configuration["MultiRegionKeyType"], role);
        assert_eq!(
            (&configuration["PrimaryKey"], &configuration["ReplicaKeys"]),
            (&expected, &replicas)
        );
        assert_eq!(
            (&described["KeyState"], &described["Description"]),
            (&json!("Enabled"), &json!(description))
        );
    }
    assert_eq!(
        server.error("ReplicateKey", replicate).await,
        "AlreadyExistsException"
    );
    let of_a_replica = json!({"KeyId": id, "ReplicaRegion": ELSEWHERE});
    let refused = server.at(THERE, "ReplicateKey", of_a_replica).await;
    assert_eq!(code(refused), "UnsupportedOperationException");
    for region in ["nowhere", "US-EAST-2", ""] {
        let input = json!({"KeyId": id, "ReplicaRegion": region});
        assert_eq!(server.error("ReplicateKey", input).await, "ValidationException");
    }
}

#[tokio::test]
async fn policy_state_and_aliases_are_each_keys_own() {
    let server = Server::start().await;
    let key = server.pair(json!({})).await;
    let id = &key["KeyId"];
    server.done("DisableKey", json!({"KeyId": id})).await;
    assert_eq!(server.error("Encrypt", encrypt(id)).await, "DisabledException");
    let blob = server.done_at(THERE, "Encrypt", encrypt(id)).await["CiphertextBlob"].clone();
    let alias = json!({"AliasName": "alias/orders", "TargetKeyId": id});
    server.done_at(THERE, "CreateAlias", alias).await;
    let found = server.described(THERE, &json!("alias/orders")).await;
    assert_eq!(found["Arn"], json!(arn(THERE, id)));
    assert_eq!(
        server
            .error("DescribeKey", json!({"KeyId": "alias/orders"}))
            .await,
        "NotFoundException"
    );
    // A stranger whom the replica's policy allows.
    let stranger = server.world.people.user(OTHER, "stranger", Some(ALLOW_KMS));
    let open = policy(&[
        statement(&account(OWNER), "kms:*"),
        statement(&account(OTHER), "kms:Decrypt"),
    ]);
    let put = json!({"KeyId": id, "Policy": open.to_string()});
    server.done_at(THERE, "PutKeyPolicy", put).await;
    server.done("EnableKey", json!({"KeyId": id})).await;
    let allowed = server.ask_in(THERE, &stranger, "Decrypt", opens(&blob)).await;
    assert_eq!(code(allowed), "allowed");
    let refused = server.ask_in(HERE, &stranger, "Decrypt", opens(&blob)).await;
    assert_eq!(code(refused), "AccessDeniedException");
}

#[tokio::test]
async fn a_rotation_of_the_primary_is_one_of_all() {
    let server = Server::start().await;
    let key = server.pair(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    server.done_at(THERE, "DisableKey", id.clone()).await;
    server.done("RotateKeyOnDemand", id.clone()).await;
    server
        .done(
            "EnableKeyRotation",
            json!({"KeyId": key["KeyId"], "RotationPeriodInDays": 90}),
        )
        .await;
    let status = server.done_at(THERE, "GetKeyRotationStatus", id.clone()).await;
    assert_eq!(
        (&status["KeyRotationEnabled"], &status["RotationPeriodInDays"]),
        (&json!(true), &json!(90))
    );
    server.world.clock.advance(90 * DAY);
    server.kms.rotate_due().await;
    let server = server.restart().await;
    let listed = server.materials_at(HERE, &key["KeyId"]).await;
    assert_eq!(listed.len(), 3);
    assert_eq!(server.materials_at(THERE, &key["KeyId"]).await, listed);
    server.done_at(THERE, "EnableKey", id.clone()).await;
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    let opened = server.done_at(THERE, "Decrypt", opens(&blob)).await;
    assert_eq!(opened["KeyMaterialId"], listed[2]);
    for operation in ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"] {
        let refused = server.at(THERE, operation, id.clone()).await;
        assert_eq!(code(refused), "UnsupportedOperationException", "{operation}");
    }
}

#[tokio::test]
async fn a_replica_made_later_opens_what_was_encrypted_before() {
    let server = Server::start().await;
    let key = server.key(json!({"MultiRegion": true})).await;
    let id = &key["KeyId"];
    let blob = server.done("Encrypt", encrypt(id)).await["CiphertextBlob"].clone();
    server.done("RotateKeyOnDemand", json!({"KeyId": id})).await;
    server
        .done("ReplicateKey", json!({"KeyId": id, "ReplicaRegion": THERE}))
        .await;
    assert_eq!(code(server.at(THERE, "Decrypt", opens(&blob)).await), "allowed");
}

#[tokio::test]
async fn primary_and_replica_change_places() {
    let server = Server::start().await;
    let key = server.pair(json!({})).await;
    let id = &key["KeyId"];
    server
        .done("ReplicateKey", json!({"KeyId": id, "ReplicaRegion": ELSEWHERE}))
        .await;
    let to = |region: &str| json!({"KeyId": id, "PrimaryRegion": region});
    assert_eq!(
        server.error("UpdatePrimaryRegion", to("ca-central-1")).await,
        "NotFoundException"
    );
    assert_eq!(
        server.error("UpdatePrimaryRegion", to(HERE)).await,
        "UnsupportedOperationException"
    );
    assert_eq!(
        code(server.at(THERE, "UpdatePrimaryRegion", to(ELSEWHERE)).await),
        "UnsupportedOperationException"
    );
    server.done("UpdatePrimaryRegion", to(THERE)).await;
    let server = server.restart().await;
    for (region, role) in [(HERE, "REPLICA"), (THERE, "PRIMARY"), (ELSEWHERE, "REPLICA")] {
        let configuration = server.described(region, id).await["MultiRegionConfiguration"].clone();
        assert_eq!(configuration["MultiRegionKeyType"], role, "{region}");
        assert_eq!(configuration["PrimaryKey"]["Region"], THERE);
        assert_eq!(configuration["ReplicaKeys"].as_array().unwrap().len(), 2);
    }
    let rotate = json!({"KeyId": id});
    assert_eq!(
        server.error("RotateKeyOnDemand", rotate.clone()).await,
        "UnsupportedOperationException"
    );
    server.done_at(THERE, "RotateKeyOnDemand", rotate).await;
    assert_eq!(
        server.materials_at(HERE, id).await,
        server.materials_at(ELSEWHERE, id).await
    );
    server.done_at(THERE, "DisableKey", json!({"KeyId": id})).await;
    assert_eq!(
        code(server.at(THERE, "UpdatePrimaryRegion", to(HERE)).await),
        "DisabledException"
    );
}

#[tokio::test]
async fn a_primary_is_not_destroyed_before_its_replicas() {
    let server = Server::start().await;
    let key = server.pair(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    let schedule = json!({"KeyId": key["KeyId"], "PendingWindowInDays": 7});
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    let scheduled = server.done("ScheduleKeyDeletion", schedule.clone()).await;
    assert_eq!(scheduled["KeyState"], "PendingReplicaDeletion");
    assert!(scheduled.get("DeletionDate").is_none());
    let described = server.described(HERE, &key["KeyId"]).await;
    assert_eq!(
        (&described["KeyState"], &described["PendingDeletionWindowInDays"]),
        (&json!("PendingReplicaDeletion"), &json!(7))
    );
    for (operation, input) in [
        ("Encrypt", encrypt(&key["KeyId"])),
        (
            "ReplicateKey",
            json!({"KeyId": key["KeyId"], "ReplicaRegion": ELSEWHERE}),
        ),
        (
            "UpdatePrimaryRegion",
            json!({"KeyId": key["KeyId"], "PrimaryRegion": THERE}),
        ),
        ("EnableKey", id.clone()),
        ("ScheduleKeyDeletion", schedule.clone()),
    ] {
        assert_eq!(
            server.error(operation, input).await,
            "KMSInvalidStateException",
            "{operation}"
        );
    }
    server.world.clock.advance(60 * DAY);
    server.kms.sweep().await;
    server.kms.release_primaries().await;
    assert_eq!(code(server.at(THERE, "Decrypt", opens(&blob)).await), "allowed");
    server.done_at(THERE, "ScheduleKeyDeletion", schedule).await;
    server.world.clock.advance(7 * DAY);
    let server = server.restart().await;
    server.kms.sweep().await;
    server.kms.release_primaries().await;
    let described = server.described(HERE, &key["KeyId"]).await;
    assert_eq!(described["KeyState"], "PendingDeletion");
    assert!(described.get("PendingDeletionWindowInDays").is_none());
    server.world.clock.advance(7 * DAY);
    server.kms.sweep().await;
    assert_eq!(server.error("DescribeKey", id).await, "NotFoundException");
    assert!(!String::from_utf8_lossy(&server.stored().await).contains("mrk-"));
}

#[tokio::test]
async fn a_primary_that_waits_for_its_replicas_can_be_kept() {
    let server = Server::start().await;
    let key = server.pair(json!({})).await;
    let id = json!({"KeyId": key["KeyId"]});
    server.done("ScheduleKeyDeletion", id.clone()).await;
    server.done("CancelKeyDeletion", id.clone()).await;
    assert_eq!(
        server.described(HERE, &key["KeyId"]).await["KeyState"],
        "Disabled"
    );
    server.done("EnableKey", id).await;
}

#[tokio::test]
async fn a_replica_that_was_destroyed_can_be_made_again() {
    let server = Server::start().await;
    let key = server.pair(json!({})).await;
    let id = &key["KeyId"];
    let blob = server.done("Encrypt", encrypt(id)).await["CiphertextBlob"].clone();
    let grant = json!({"KeyId": id, "GranteePrincipal": format!("arn:aws:iam::{OTHER}:root"), "Operations": ["Decrypt"]});
    server.done_at(THERE, "CreateGrant", grant).await;
    let replicate = json!({"KeyId": id, "ReplicaRegion": THERE});
    server
        .done_at(
            THERE,
            "ScheduleKeyDeletion",
            json!({"KeyId": id, "PendingWindowInDays": 7}),
        )
        .await;
    assert_eq!(
        server.error("ReplicateKey", replicate.clone()).await,
        "AlreadyExistsException"
    );
    server.world.clock.advance(7 * DAY);
    // Gone, and not yet swept: its grants must not come to the new one.
    assert_eq!(
        server.error("ReplicateKey", replicate.clone()).await,
        "AlreadyExistsException"
    );
    server.kms.sweep().await;
    server.done("ReplicateKey", replicate).await;
    let server = server.restart().await;
    assert_eq!(code(server.at(THERE, "Decrypt", opens(&blob)).await), "allowed");
    let grants = server.done_at(THERE, "ListGrants", json!({"KeyId": id})).await;
    assert_eq!(grants["Grants"], json!([]));
}

#[tokio::test]
async fn replicating_asks_about_the_primary_and_about_the_region() {
    let server = Server::start().await;
    let key = server.key(json!({"MultiRegion": true})).await;
    let to = |region: &str| json!({"KeyId": key["KeyId"], "ReplicaRegion": region});
    let user = |name: &str, statements: Value| {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        server.world.people.user(OWNER, name, Some(&text))
    };
    let replicate = json!({"Effect": "Allow", "Action": "kms:ReplicateKey", "Resource": "*",
        "Condition": {"StringEquals": {"kms:ReplicaRegion": [THERE, ELSEWHERE], "kms:MultiRegionKeyType": "PRIMARY"}}});
    let create = json!({"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": THERE, "kms:MultiRegionKeyType": "REPLICA"}}});
    let only_primary = user("p", json!([replicate]));
    let only_create = user("c", json!([create]));
    let both = user("b", json!([replicate, create]));
    for (who, region, expected) in [
        (&only_primary, THERE, "AccessDeniedException"),
        (&only_create, THERE, "AccessDeniedException"),
        (&both, ELSEWHERE, "AccessDeniedException"),
        (&both, "ca-central-1", "AccessDeniedException"),
        (&both, THERE, "allowed"),
    ] {
        assert_eq!(
            code(server.ask(who, "ReplicateKey", to(region)).await),
            expected,
            "{region}"
        );
    }
    let stranger = server.world.people.user(OTHER, "stranger", Some(ALLOW_KMS));
    let by_arn = json!({"KeyId": key["Arn"], "ReplicaRegion": ELSEWHERE});
    assert_eq!(
        code(server.ask(&stranger, "ReplicateKey", by_arn).await),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn a_new_primary_region_needs_the_permission_of_both_keys() {
    let server = Server::start().await;
    let key = server.pair(json!({})).await;
    let input = json!({"KeyId": key["KeyId"], "PrimaryRegion": THERE});
    let denied =
        json!({"Effect": "Deny", "Principal": "*", "Action": "kms:UpdatePrimaryRegion", "Resource": "*"});
    let closed = policy(&[statement(&account(OWNER), "kms:*"), denied]);
    let put = json!({"KeyId": key["KeyId"], "Policy": closed.to_string()});
    server.done_at(THERE, "PutKeyPolicy", put).await;
    assert_eq!(
        server.error("UpdatePrimaryRegion", input.clone()).await,
        "AccessDeniedException"
    );
    let open = policy(&[statement(&account(OWNER), "kms:*")]);
    let put = json!({"KeyId": key["KeyId"], "Policy": open.to_string()});
    server.done_at(THERE, "PutKeyPolicy", put).await;
    server.done("UpdatePrimaryRegion", input).await;
}

#[tokio::test]
async fn only_multi_region_keys_are_in_the_condition() {
    let server = Server::start().await;
    let allow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*",
        "Condition": {"Bool": {"kms:MultiRegion": "true"}}}});
    let user = server.world.people.user(OWNER, "u", Some(&allow.to_string()));
    assert_eq!(
        code(server.ask(&user, "CreateKey", json!({})).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(server.ask(&user, "CreateKey", json!({"MultiRegion": true})).await),
        "allowed"
    );
}

#[tokio::test]
async fn each_key_of_a_multi_region_key_imports_the_same_material() {
    let server = Server::start().await;
    let key = server.external(json!({"MultiRegion": true})).await;
    let replicate = json!({"KeyId": key["KeyId"], "ReplicaRegion": "eu-west-1"});
    assert_eq!(
        server.error("ReplicateKey", replicate.clone()).await,
        "KMSInvalidStateException"
    );
    let first = server.import(&key, &[9; 32]).await.unwrap();
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    server.done("ReplicateKey", replicate).await;
    let there =
        |operation: &'static str, input: Value| server.ask_in("eu-west-1", &server.root, operation, input);
    assert_eq!(
        code(there("Decrypt", opens(&blob)).await),
        "KMSInvalidStateException"
    );
    let with = ("RSAES_OAEP_SHA_256", "RSA_2048");
    let expires = json!({"ValidTo": NOW + DAY_SECONDS});
    let refused = server
        .import_with("eu-west-1", &key, with, &[8; 32], expires.clone())
        .await;
    assert_eq!(code(refused), "IncorrectKeyMaterialException");
    let same = server
        .import_with("eu-west-1", &key, with, &[9; 32], expires)
        .await
        .unwrap();
    assert_eq!(same["KeyMaterialId"], first["KeyMaterialId"]);
    assert_eq!(code(there("Decrypt", opens(&blob)).await), "allowed");
    server.world.clock.advance(DAY);
    assert_eq!(
        code(there("Decrypt", opens(&blob)).await),
        "KMSInvalidStateException"
    );
    assert_eq!(
        code(server.ask(&server.root, "Decrypt", opens(&blob)).await),
        "allowed"
    );
}
