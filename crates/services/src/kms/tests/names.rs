//! Key ids, ARNs, aliases, regions, tags, pages.

use super::{ALLOW_KMS, OWNER, Server, account, code, encrypt, policy, statement, user};
use serde_json::{Value, json};

#[tokio::test]
async fn regions_do_not_see_each_others_keys() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let by_id = server
        .ask_in(
            "us-west-2",
            &server.root,
            "DescribeKey",
            json!({"KeyId": key["KeyId"]}),
        )
        .await;
    assert_eq!(code(by_id), "NotFoundException");
    let by_arn = server
        .ask_in(
            "us-west-2",
            &server.root,
            "DescribeKey",
            json!({"KeyId": key["Arn"]}),
        )
        .await
        .unwrap_err();
    assert_eq!(
        (by_arn.code.as_str(), by_arn.message.as_str()),
        ("NotFoundException", "Invalid arn us-east-1")
    );
    let blob = server.done("Encrypt", encrypt(&key["KeyId"])).await["CiphertextBlob"].clone();
    let decrypt = json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1", "b": "2"}});
    assert_eq!(
        code(server.ask_in("us-west-2", &server.root, "Decrypt", decrypt).await),
        "AccessDeniedException"
    );
    let listed = server
        .ask_in("us-west-2", &server.root, "ListKeys", json!({}))
        .await
        .unwrap();
    assert_eq!(listed["Keys"], json!([]));
}

#[tokio::test]
async fn missing_keys_are_named_as_aws_does() {
    let server = Server::start().await;
    let message = |input: &'static str| {
        let server = &server;
        async move {
            server
                .ask(&server.root, "DescribeKey", json!({"KeyId": input}))
                .await
                .unwrap_err()
                .message
        }
    };
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    assert_eq!(
        message(id).await,
        format!("Key 'arn:aws:kms:us-east-1:{OWNER}:key/{id}' does not exist")
    );
    assert_eq!(
        message("alias/none").await,
        format!("Alias arn:aws:kms:us-east-1:{OWNER}:alias/none is not found.")
    );
    assert_eq!(message("garbage").await, "Invalid keyId 'garbage'");
}

#[tokio::test]
async fn an_alias_is_unique_moves_and_goes() {
    let server = Server::start().await;
    let (key, other) = (server.key(json!({})).await, server.key(json!({})).await);
    let create = json!({"AliasName": "alias/x", "TargetKeyId": key["KeyId"]});
    server.done("CreateAlias", create.clone()).await;
    let twice = server.ask(&server.root, "CreateAlias", create).await.unwrap_err();
    assert_eq!(twice.code, "AlreadyExistsException");
    assert_eq!(
        twice.message,
        format!("An alias with the name arn:aws:kms:us-east-1:{OWNER}:alias/x already exists")
    );
    server
        .done(
            "UpdateAlias",
            json!({"AliasName": "alias/x", "TargetKeyId": other["KeyId"]}),
        )
        .await;
    let described = server.done("DescribeKey", json!({"KeyId": "alias/x"})).await;
    assert_eq!(described["KeyMetadata"]["KeyId"], other["KeyId"]);
    let of_key = server.done("ListAliases", json!({"KeyId": key["KeyId"]})).await;
    assert_eq!(of_key["Aliases"], json!([]));
    let server = server.restart().await;
    let of_other = server.done("ListAliases", json!({"KeyId": other["KeyId"]})).await;
    assert_eq!(of_other["Aliases"][0]["AliasName"], "alias/x");
    server.done("DeleteAlias", json!({"AliasName": "alias/x"})).await;
    assert_eq!(
        server.error("DeleteAlias", json!({"AliasName": "alias/x"})).await,
        "NotFoundException"
    );
}

#[tokio::test]
async fn an_alias_needs_permission_on_the_alias_and_on_the_key() {
    let server = Server::start().await;
    let key = server
        .key_with_policy(policy(&[
            statement(&account(OWNER), "kms:*"),
            statement(&user(OWNER, "by-key-policy"), "kms:CreateAlias"),
        ]))
        .await;
    let people = &server.world.people;
    let by_key_policy = people.user(OWNER, "by-key-policy", None);
    let alias_only = people.user(OWNER, "alias-only", Some(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:CreateAlias","Resource":"arn:aws:kms:*:*:alias/*"}}"#,
    ));
    let create = json!({"AliasName": "alias/x", "TargetKeyId": key});
    assert_eq!(
        code(server.ask(&by_key_policy, "CreateAlias", create.clone()).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(server.ask(&alias_only, "CreateAlias", create.clone()).await),
        "AccessDeniedException"
    );
    let both = people.user(OWNER, "both", Some(ALLOW_KMS));
    assert_eq!(code(server.ask(&both, "CreateAlias", create).await), "allowed");
}

#[tokio::test]
async fn aliases_of_services_are_reserved() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let create = json!({"AliasName": "alias/aws/sqs", "TargetKeyId": key["KeyId"]});
    assert_eq!(
        server.error("CreateAlias", create).await,
        "InvalidAliasNameException"
    );
}

#[tokio::test]
async fn keys_aliases_and_tags_are_listed_by_pages() {
    let server = Server::start().await;
    let tags: Vec<Value> = (0..5)
        .map(|n| json!({"TagKey": format!("t{n}"), "TagValue": ""}))
        .collect();
    let key = server.key(json!({"Tags": tags})).await;
    for n in 0..4 {
        server.key(json!({})).await;
        server
            .done(
                "CreateAlias",
                json!({"AliasName": format!("alias/{n}"), "TargetKeyId": key["KeyId"]}),
            )
            .await;
    }
    server
        .done(
            "CreateAlias",
            json!({"AliasName": "alias/4", "TargetKeyId": key["KeyId"]}),
        )
        .await;
    for (operation, list) in [
        ("ListKeys", "Keys"),
        ("ListAliases", "Aliases"),
        ("ListResourceTags", "Tags"),
    ] {
        let (mut found, mut marker) = (Vec::new(), Value::Null);
        loop {
            let page = server
                .done(
                    operation,
                    json!({"KeyId": key["KeyId"], "Limit": 2, "Marker": marker}),
                )
                .await;
            found.extend(page[list].as_array().unwrap().clone());
            marker = page["NextMarker"].clone();
            if page["Truncated"] == json!(false) {
                break;
            }
        }
        assert_eq!(found.len(), 5, "{operation}");
    }
    assert_eq!(
        server.error("ListKeys", json!({"Limit": 1001})).await,
        "ValidationException"
    );
    assert_eq!(
        server.error("ListKeys", json!({"Marker": "x"})).await,
        "InvalidMarkerException"
    );
}

#[tokio::test]
async fn tags_have_rules() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let tag = |tags: Value| json!({"KeyId": key["KeyId"], "Tags": tags});
    let twice = json!([{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]);
    assert_eq!(server.error("TagResource", tag(twice)).await, "TagException");
    assert_eq!(
        server
            .error("TagResource", tag(json!([{"TagKey": "aws:x", "TagValue": ""}])))
            .await,
        "TagException"
    );
    let many: Vec<Value> = (0..51)
        .map(|n| json!({"TagKey": format!("k{n}"), "TagValue": ""}))
        .collect();
    assert_eq!(
        server.error("TagResource", tag(json!(many))).await,
        "LimitExceededException"
    );
}
