//! Keys that AWS manages: made on first use, with a policy that nobody changes.

use super::{ALLOW_KMS, DAY, OTHER, OWNER, Server, code, text};
use serde_json::{Value, json};

const ALIAS: &str = "alias/aws/sqs";

impl Server {
    /// Makes the managed key by describing it.
    async fn managed(&self) -> Value {
        self.done("DescribeKey", json!({"KeyId": ALIAS})).await["KeyMetadata"].clone()
    }

    async fn target(&self, alias: &str) -> Value {
        let listed = self.done("ListAliases", json!({})).await["Aliases"].clone();
        let entries = listed.as_array().unwrap();
        let entry = entries.iter().find(|entry| entry["AliasName"] == alias);
        entry.unwrap()["TargetKeyId"].clone()
    }
}

#[tokio::test]
async fn describing_the_alias_makes_the_key_once() {
    let server = Server::start().await;
    assert_eq!(server.target(ALIAS).await, Value::Null);
    let made = server.managed().await;
    assert_eq!(made["KeyManager"], "AWS");
    assert_eq!(
        made["Description"],
        "Default key that protects my SQS messages when no other key is defined"
    );
    assert_eq!(server.target(ALIAS).await, made["KeyId"]);
    let server = server.restart().await;
    assert_eq!(server.managed().await, made);
    let keys = server.done("ListKeys", json!({})).await["Keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_region_and_account_has_its_own() {
    let server = Server::start().await;
    let here = server.managed().await;
    let describe = json!({"KeyId": ALIAS});
    let there = server.ask_in("eu-west-1", &server.root, "DescribeKey", describe.clone());
    assert_ne!(there.await.unwrap()["KeyMetadata"]["KeyId"], here["KeyId"]);
    let other = server.world.people.root(OTHER);
    let others = server.ask(&other, "DescribeKey", describe).await.unwrap();
    assert_ne!(others["KeyMetadata"]["KeyId"], here["KeyId"]);
    assert_eq!(others["KeyMetadata"]["AWSAccountId"], OTHER);
}

#[tokio::test]
async fn all_aliases_of_services_are_listed_in_order_before_their_keys_are_made() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    for name in ["alias/a", "alias/aws-like", "alias/z"] {
        let create = json!({"AliasName": name, "TargetKeyId": key["KeyId"]});
        server.done("CreateAlias", create).await;
    }
    server.managed().await;
    for limit in 1..=6 {
        let (mut names, mut marker) = (Vec::new(), Value::Null);
        loop {
            let input = json!({"Limit": limit, "Marker": marker});
            let page = server.done("ListAliases", input).await;
            let entries = page["Aliases"].as_array().unwrap();
            names.extend(entries.iter().map(|entry| text(&entry["AliasName"])));
            marker = page["NextMarker"].clone();
            if page["Truncated"] == json!(false) {
                break;
            }
        }
        assert_eq!(
            names,
            [
                "alias/a",
                "alias/aws-like",
                "alias/aws/s3",
                "alias/aws/sns",
                "alias/aws/sqs",
                "alias/z"
            ]
        );
    }
    let of_key = server.done("ListAliases", json!({"KeyId": key["KeyId"]})).await;
    assert_eq!(of_key["Aliases"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn nobody_changes_a_managed_key() {
    let server = Server::start().await;
    let key = server.managed().await["KeyId"].clone();
    let policy = super::policy(&[super::statement(&super::account(OWNER), "kms:*")]).to_string();
    let tags = json!([{"TagKey": "a", "TagValue": "b"}]);
    let grantee = format!("arn:aws:iam::{OWNER}:root");
    for (operation, more) in [
        ("PutKeyPolicy", json!({"Policy": policy})),
        ("DisableKey", json!({})),
        ("EnableKey", json!({})),
        ("ScheduleKeyDeletion", json!({})),
        ("EnableKeyRotation", json!({})),
        ("DisableKeyRotation", json!({})),
        ("RotateKeyOnDemand", json!({})),
        ("UpdateKeyDescription", json!({"Description": "mine"})),
        ("TagResource", json!({"Tags": tags})),
        ("UntagResource", json!({"TagKeys": ["a"]})),
        (
            "CreateGrant",
            json!({"GranteePrincipal": grantee, "Operations": ["Decrypt"]}),
        ),
    ] {
        let mut input = more;
        input["KeyId"] = key.clone();
        assert_eq!(
            server.error(operation, input).await,
            "AccessDeniedException",
            "{operation}"
        );
    }
    let alias = json!({"AliasName": "alias/mine", "TargetKeyId": key});
    assert_eq!(server.error("CreateAlias", alias).await, "AccessDeniedException");
    let own = server.key(json!({})).await["KeyId"].clone();
    for (operation, input) in [
        ("UpdateAlias", json!({"AliasName": ALIAS, "TargetKeyId": own})),
        ("DeleteAlias", json!({"AliasName": ALIAS})),
    ] {
        assert_eq!(server.error(operation, input).await, "InvalidAliasNameException");
    }
}

#[tokio::test]
async fn a_managed_key_is_used_through_its_service_alone() {
    let server = Server::start().await;
    let generate = json!({"KeyId": ALIAS, "KeySpec": "AES_256"});
    assert_eq!(
        server.error("GenerateDataKey", generate.clone()).await,
        "AccessDeniedException"
    );
    assert_eq!(server.target(ALIAS).await, Value::Null);
    server.managed().await;
    assert_eq!(
        server.error("GenerateDataKey", generate).await,
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn another_account_neither_sees_nor_makes_a_managed_key() {
    let server = Server::start().await;
    let other = server.world.people.user(OTHER, "partner", Some(ALLOW_KMS));
    let describe = json!({"KeyId": format!("arn:aws:kms:us-east-1:{OWNER}:{ALIAS}")});
    for _ in 0..2 {
        let asked = server.ask(&other, "DescribeKey", describe.clone()).await;
        assert_eq!(code(asked), "AccessDeniedException");
        server.managed().await;
    }
}

#[tokio::test]
async fn an_alias_of_no_service_names_no_key() {
    let server = Server::start().await;
    let describe = json!({"KeyId": "alias/aws/none"});
    assert_eq!(server.error("DescribeKey", describe).await, "NotFoundException");
}

#[tokio::test]
async fn a_principal_who_may_not_describe_it_does_not_make_it() {
    let server = Server::start().await;
    let nobody = server.world.people.user(OWNER, "nobody", None);
    let asked = server.ask(&nobody, "DescribeKey", json!({"KeyId": ALIAS})).await;
    assert_eq!(code(asked), "AccessDeniedException");
    assert_eq!(server.target(ALIAS).await, Value::Null);
}

#[tokio::test]
async fn a_managed_key_is_rotated_every_year() {
    let server = Server::start().await;
    let id = json!({"KeyId": server.managed().await["KeyId"]});
    let status = server.done("GetKeyRotationStatus", id.clone()).await;
    assert_eq!(
        (&status["KeyRotationEnabled"], &status["RotationPeriodInDays"]),
        (&json!(true), &json!(365))
    );
    let before = server.managed().await["CurrentKeyMaterialId"].clone();
    server.world.clock.advance(365 * DAY);
    server.kms.rotate_due().await;
    assert_ne!(server.managed().await["CurrentKeyMaterialId"], before);
    let rotations = server.done("ListKeyRotations", id).await["Rotations"].clone();
    assert_eq!(rotations[0]["RotationType"], "AUTOMATIC");
}

#[tokio::test]
async fn the_fixed_policy_reads_back() {
    let server = Server::start().await;
    let id = json!({"KeyId": server.managed().await["KeyId"]});
    let policy = text(&server.done("GetKeyPolicy", id).await["Policy"]);
    let policy: Value = serde_json::from_str(&policy).unwrap();
    assert_eq!(policy["Id"], "auto-sqs-1");
    let condition = &policy["Statement"][0]["Condition"]["StringEquals"];
    assert_eq!(
        condition,
        &json!({"kms:CallerAccount": OWNER, "kms:ViaService": "sqs.us-east-1.amazonaws.com"})
    );
}
