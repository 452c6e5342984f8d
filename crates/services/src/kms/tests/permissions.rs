//! Who may do what: key policies, identity policies, conditions.

use super::{ALLOW_KMS, OTHER, OWNER, Server, account, code, encrypt, policy, statement, text, user};
use crate::testing::ask;
use serde_json::{Value, json};

#[tokio::test]
async fn the_default_key_policy_hands_the_key_to_the_accounts_identity_policies() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let allowed = server.world.people.user(OWNER, "allowed", Some(ALLOW_KMS));
    let nobody = server.world.people.user(OWNER, "nobody", None);
    assert_eq!(
        code(server.ask(&allowed, "Encrypt", encrypt(&key["Arn"])).await),
        "allowed"
    );
    assert_eq!(
        code(server.ask(&nobody, "Encrypt", encrypt(&key["Arn"])).await),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn no_identity_policy_and_no_root_user_opens_a_key_whose_policy_does_not_name_the_account() {
    let server = Server::start().await;
    let key = json!(
        server
            .key_with_policy(policy(&[statement(&user(OWNER, "only"), "kms:*")]))
            .await
    );
    let admin = server.world.people.user(OWNER, "admin", Some(ALLOW_KMS));
    let only = server.world.people.user(OWNER, "only", None);
    assert_eq!(
        code(server.ask(&admin, "Encrypt", encrypt(&key)).await),
        "AccessDeniedException"
    );
    assert_eq!(
        server.error("Encrypt", encrypt(&key)).await,
        "AccessDeniedException"
    );
    assert_eq!(
        server.error("DescribeKey", json!({"KeyId": key})).await,
        "AccessDeniedException"
    );
    assert_eq!(
        server.error("ScheduleKeyDeletion", json!({"KeyId": key})).await,
        "AccessDeniedException"
    );
    assert_eq!(code(server.ask(&only, "Encrypt", encrypt(&key)).await), "allowed");
}

#[tokio::test]
async fn across_accounts_key_policy_and_identity_policy_must_both_allow() {
    let server = Server::start().await;
    let people = &server.world.people;
    let shared = policy(&[
        statement(&account(OWNER), "kms:*"),
        statement(&account(OTHER), "kms:Encrypt"),
    ]);
    let key = json!(server.key_with_policy(shared).await);
    let own = json!(text(&server.key(json!({})).await["Arn"]));
    let (with, without) = (
        people.user(OTHER, "with", Some(ALLOW_KMS)),
        people.user(OTHER, "without", None),
    );
    assert_eq!(code(server.ask(&with, "Encrypt", encrypt(&key)).await), "allowed");
    assert_eq!(
        code(server.ask(&without, "Encrypt", encrypt(&key)).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(server.ask(&with, "Encrypt", encrypt(&own)).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(server.ask(&with, "DescribeKey", json!({"KeyId": key})).await),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn management_never_works_across_accounts_whatever_the_policies_say() {
    let server = Server::start().await;
    let key = server
        .key_with_policy(policy(&[statement(&json!({"AWS": "*"}), "kms:*")]))
        .await;
    let stranger = server.world.people.user(OTHER, "stranger", Some(ALLOW_KMS));
    for (operation, input) in [
        ("DisableKey", json!({"KeyId": key})),
        ("GetKeyPolicy", json!({"KeyId": key})),
        ("ScheduleKeyDeletion", json!({"KeyId": key})),
        (
            "TagResource",
            json!({"KeyId": key, "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ),
        (
            "CreateAlias",
            json!({"AliasName": "alias/mine", "TargetKeyId": key}),
        ),
    ] {
        assert_eq!(
            code(server.ask(&stranger, operation, input).await),
            "AccessDeniedException",
            "{operation}"
        );
    }
    assert_eq!(
        code(server.ask(&stranger, "DescribeKey", json!({"KeyId": key})).await),
        "allowed"
    );
}

#[tokio::test]
async fn a_stranger_cannot_tell_a_missing_key_from_a_forbidden_one() {
    let server = Server::start().await;
    let key = text(&server.key(json!({})).await["Arn"]);
    let missing = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let stranger = server.world.people.user(OTHER, "stranger", Some(ALLOW_KMS));
    let answer = |arn: String| {
        let (server, stranger) = (&server, &stranger);
        async move {
            let refused = server
                .ask(stranger, "DescribeKey", json!({"KeyId": arn}))
                .await
                .unwrap_err();
            (refused.code, refused.message.replace(&arn, "ARN"))
        }
    };
    assert_eq!(answer(key).await, answer(missing.to_owned()).await);
}

#[tokio::test]
async fn a_key_may_be_limited_to_calls_that_a_service_passes_on() {
    let server = Server::start().await;
    let mut through = statement(&account(OWNER), "kms:*");
    through["Condition"] = json!({"StringEquals": {"kms:ViaService": "courier.us-east-1.amazonaws.com"}});
    let key = server.key_with_policy(policy(&[through])).await;
    let direct = json!({"KeyId": key, "KeySpec": "AES_256"});
    assert_eq!(
        server.error("GenerateDataKey", direct).await,
        "AccessDeniedException"
    );
    let answer = ask(
        &server.gate,
        &server.root,
        "courier/us-east-1",
        "Courier.Carry",
        json!({"KeyId": key}),
    )
    .await;
    assert_eq!(code(answer), "allowed");
    let answer = ask(
        &server.gate,
        &server.root,
        "courier/eu-west-1",
        "Courier.Carry",
        json!({"KeyId": key}),
    )
    .await;
    assert_ne!(code(answer), "allowed");
}

#[tokio::test]
async fn a_key_policy_may_demand_an_encryption_context() {
    let server = Server::start().await;
    let mut bound = statement(&account(OWNER), "kms:*");
    bound["Condition"] =
        json!({"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": "arn:aws:sqs:us-east-1:1:q"}});
    let key = server.key_with_policy(policy(&[bound])).await;
    let with = |context: Value| json!({"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context});
    let right = with(json!({"aws:sqs:arn": "arn:aws:sqs:us-east-1:1:q"}));
    assert_eq!(
        code(server.ask(&server.root, "GenerateDataKey", right).await),
        "allowed"
    );
    for wrong in [json!({}), json!({"aws:sqs:arn": "arn:aws:sqs:us-east-1:1:p"})] {
        assert_eq!(
            server.error("GenerateDataKey", with(wrong)).await,
            "AccessDeniedException"
        );
    }
}

#[tokio::test]
async fn a_policy_may_look_at_aliases_and_tags() {
    let server = Server::start().await;
    let key = server
        .key(json!({"Tags": [{"TagKey": "team", "TagValue": "blue"}]}))
        .await;
    server
        .done(
            "CreateAlias",
            json!({"AliasName": "alias/a", "TargetKeyId": key["KeyId"]}),
        )
        .await;
    let allow = |condition: Value| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:DescribeKey",
               "Resource": "*", "Condition": condition}})
        .to_string()
    };
    let people = &server.world.people;
    let by_tag = people.user(
        OWNER,
        "tag",
        Some(&allow(json!({"StringEquals": {"aws:ResourceTag/team": "blue"}}))),
    );
    let by_request = people.user(
        OWNER,
        "req",
        Some(&allow(json!({"StringEquals": {"kms:RequestAlias": "alias/a"}}))),
    );
    let by_alias = people.user(
        OWNER,
        "ali",
        Some(&allow(
            json!({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/a"}}),
        )),
    );
    let by_id = json!({"KeyId": key["KeyId"]});
    assert_eq!(
        code(server.ask(&by_tag, "DescribeKey", by_id.clone()).await),
        "allowed"
    );
    assert_eq!(
        code(server.ask(&by_alias, "DescribeKey", by_id.clone()).await),
        "allowed"
    );
    assert_eq!(
        code(server.ask(&by_request, "DescribeKey", by_id.clone()).await),
        "AccessDeniedException"
    );
    assert_eq!(
        code(
            server
                .ask(&by_request, "DescribeKey", json!({"KeyId": "alias/a"}))
                .await
        ),
        "allowed"
    );
    server
        .done(
            "UntagResource",
            json!({"KeyId": key["KeyId"], "TagKeys": ["team"]}),
        )
        .await;
    assert_eq!(
        code(server.ask(&by_tag, "DescribeKey", by_id).await),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn an_encryption_context_cannot_show_policies_one_value_and_bind_another() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let context = json!({"Tenant": "blue", "tenant": "red"});
    let input = json!({"KeyId": key["KeyId"], "KeySpec": "AES_256", "EncryptionContext": context});
    assert_eq!(
        server.error("GenerateDataKey", input).await,
        "ValidationException"
    );
}

#[tokio::test]
async fn a_denial_is_audited_with_the_action_that_was_asked() {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let nobody = server.world.people.user(OWNER, "nobody", None);
    assert_eq!(
        code(server.ask(&nobody, "Encrypt", encrypt(&key["Arn"])).await),
        "AccessDeniedException"
    );
    let last = server.world.audit.records().pop();
    assert_eq!(
        last,
        Some(("Encrypt".to_owned(), "denied kms:Encrypt".to_owned()))
    );
}
