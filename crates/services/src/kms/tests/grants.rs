//! Grants: what they allow, hand on and cease to allow.

use super::{DAY, OTHER, OWNER, Server, code, encrypt, text};
use serde_json::{Value, json};

fn arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:user/{name}")
}

fn grant(key: &Value, grantee: &str, operations: &[&str]) -> Value {
    json!({"KeyId": key["Arn"], "GranteePrincipal": grantee, "Operations": operations})
}

/// A server, a key, and a user without any permission.
async fn start() -> (Server, Value, String) {
    let server = Server::start().await;
    let key = server.key(json!({})).await;
    let grantee = server.world.people.user(OWNER, "ann", None);
    (server, key, grantee)
}

#[tokio::test]
async fn a_grant_allows_its_operations_to_its_grantee_until_it_is_revoked() {
    let (server, key, ann) = start().await;
    let bob = server.world.people.user(OWNER, "bob", None);
    let made = server
        .done("CreateGrant", grant(&key, &arn(OWNER, "ann"), &["Encrypt"]))
        .await;
    assert_eq!(
        code(server.ask(&ann, "Encrypt", encrypt(&key["Arn"])).await),
        "allowed"
    );
    assert_eq!(
        code(server.ask(&bob, "Encrypt", encrypt(&key["Arn"])).await),
        "AccessDeniedException"
    );
    let describe = json!({"KeyId": key["Arn"]});
    assert_eq!(
        code(server.ask(&ann, "DescribeKey", describe).await),
        "AccessDeniedException"
    );
    let id = json!({"KeyId": key["KeyId"], "GrantId": made["GrantId"]});
    server.done("RevokeGrant", id.clone()).await;
    assert_eq!(
        code(server.ask(&ann, "Encrypt", encrypt(&key["Arn"])).await),
        "AccessDeniedException"
    );
    assert_eq!(server.error("RevokeGrant", id).await, "NotFoundException");
}

#[tokio::test]
async fn a_grant_reaches_a_principal_of_another_account() {
    let (server, key, _) = start().await;
    let eve = server.world.people.user(OTHER, "eve", None);
    assert_eq!(
        code(server.ask(&eve, "Encrypt", encrypt(&key["Arn"])).await),
        "AccessDeniedException"
    );
    server
        .done("CreateGrant", grant(&key, &arn(OTHER, "eve"), &["Encrypt"]))
        .await;
    assert_eq!(
        code(server.ask(&eve, "Encrypt", encrypt(&key["Arn"])).await),
        "allowed"
    );
}

#[tokio::test]
async fn a_constraint_binds_the_encryption_context_to_the_letter() {
    let (server, key, ann) = start().await;
    let context =
        |pairs: Value| json!({"KeyId": key["Arn"], "KeySpec": "AES_256", "EncryptionContext": pairs});
    for (constraint, allowed) in [
        ("EncryptionContextSubset", true),
        ("EncryptionContextEquals", false),
    ] {
        let mut input = grant(&key, &arn(OWNER, "ann"), &["GenerateDataKey"]);
        input["Constraints"] = json!({constraint: {"Team": "blue"}});
        let made = server.done("CreateGrant", input).await;
        let ask = |pairs: Value| server.ask(&ann, "GenerateDataKey", context(pairs));
        assert_eq!(code(ask(json!({"Team": "blue"})).await), "allowed");
        assert_eq!(
            code(ask(json!({"Team": "blue", "more": "x"})).await) == "allowed",
            allowed
        );
        for wrong in [json!({}), json!({"Team": "red"}), json!({"team": "blue"})] {
            assert_eq!(code(ask(wrong).await), "AccessDeniedException");
        }
        let id = json!({"KeyId": key["KeyId"], "GrantId": made["GrantId"]});
        server.done("RevokeGrant", id).await;
    }
}

#[tokio::test]
async fn the_same_name_and_terms_make_one_grant_with_a_token_each_time() {
    let (server, key, _) = start().await;
    let mut named = grant(&key, &arn(OWNER, "ann"), &["Decrypt", "Encrypt"]);
    named["Name"] = json!("mine");
    let first = server.done("CreateGrant", named.clone()).await;
    named["Operations"] = json!(["Encrypt", "Decrypt"]);
    let second = server.done("CreateGrant", named.clone()).await;
    assert_eq!(first["GrantId"], second["GrantId"]);
    assert_ne!(first["GrantToken"], second["GrantToken"]);
    named["Operations"] = json!(["Decrypt"]);
    assert_ne!(
        server.done("CreateGrant", named).await["GrantId"],
        first["GrantId"]
    );
    let unnamed = grant(&key, &arn(OWNER, "ann"), &["Decrypt"]);
    let first = server.done("CreateGrant", unnamed.clone()).await;
    assert_ne!(
        server.done("CreateGrant", unnamed).await["GrantId"],
        first["GrantId"]
    );
}

#[tokio::test]
async fn the_grant_says_who_may_retire_it() {
    let (server, key, ann) = start().await;
    let people = &server.world.people;
    let (bob, carl) = (people.user(OTHER, "bob", None), people.user(OWNER, "carl", None));
    let mut input = grant(&key, &arn(OWNER, "ann"), &["Encrypt"]);
    input["RetiringPrincipal"] = json!(arn(OTHER, "bob"));
    let by_id = |made: &Value| json!({"KeyId": key["Arn"], "GrantId": made["GrantId"]});
    let made = server.done("CreateGrant", input.clone()).await;
    for stranger in [&ann, &carl] {
        assert_eq!(
            code(server.ask(stranger, "RetireGrant", by_id(&made)).await),
            "AccessDeniedException"
        );
    }
    let other = people.root(OTHER);
    let listed = server.ask(
        &other,
        "ListRetirableGrants",
        json!({"RetiringPrincipal": arn(OTHER, "bob")}),
    );
    assert_eq!(listed.await.unwrap()["Grants"][0]["GrantId"], made["GrantId"]);
    assert_eq!(
        code(server.ask(&bob, "RetireGrant", by_id(&made)).await),
        "allowed"
    );
    assert_eq!(
        server.error("RetireGrant", by_id(&made)).await,
        "NotFoundException"
    );
    let made = server.done("CreateGrant", input.clone()).await;
    server
        .done("RetireGrant", json!({"GrantToken": made["GrantToken"]}))
        .await;
    assert_eq!(
        code(server.ask(&ann, "Encrypt", encrypt(&key["Arn"])).await),
        "AccessDeniedException"
    );
    input["Operations"] = json!(["Encrypt", "RetireGrant"]);
    let made = server.done("CreateGrant", input).await;
    let token = json!({"GrantToken": made["GrantToken"]});
    assert_eq!(
        code(server.ask(&ann, "RetireGrant", token.clone()).await),
        "allowed"
    );
    assert_eq!(
        code(server.ask(&ann, "RetireGrant", token).await),
        "InvalidGrantTokenException"
    );
}

#[tokio::test]
async fn a_grantee_hands_on_no_more_than_it_was_given() {
    let (server, key, ann) = start().await;
    let mut input = grant(&key, &arn(OWNER, "ann"), &["Encrypt", "CreateGrant"]);
    input["Constraints"] = json!({"EncryptionContextSubset": {"a": "1"}});
    server.done("CreateGrant", input).await;
    let bob = server.world.people.user(OWNER, "bob", None);
    let mut handed = grant(&key, &arn(OWNER, "bob"), &["Encrypt"]);
    assert_eq!(
        code(server.ask(&ann, "CreateGrant", handed.clone()).await),
        "AccessDeniedException"
    );
    handed["Constraints"] = json!({"EncryptionContextSubset": {"a": "1", "b": "2"}});
    let mut more = handed.clone();
    more["Operations"] = json!(["Encrypt", "Decrypt"]);
    assert_eq!(
        code(server.ask(&ann, "CreateGrant", more).await),
        "AccessDeniedException"
    );
    assert_eq!(code(server.ask(&ann, "CreateGrant", handed).await), "allowed");
    assert_eq!(
        code(server.ask(&bob, "Encrypt", encrypt(&key["Arn"])).await),
        "allowed"
    );
}

#[tokio::test]
async fn policies_may_look_at_the_grant_that_is_to_be() {
    let (server, key, _) = start().await;
    let allow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:CreateGrant", "Resource": "*",
        "Condition": {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]},
                      "StringEquals": {"kms:GranteePrincipal": arn(OWNER, "ann")}, "Bool": {"kms:GrantIsForAWSResource": "false"}}}});
    let admin = server.world.people.user(OWNER, "admin", Some(&allow.to_string()));
    let ask = |grantee: &str, operations: &[&str]| {
        server.ask(
            &admin,
            "CreateGrant",
            grant(&key, &arn(OWNER, grantee), operations),
        )
    };
    assert_eq!(code(ask("ann", &["Encrypt"]).await), "allowed");
    assert_eq!(code(ask("bob", &["Encrypt"]).await), "AccessDeniedException");
    assert_eq!(
        code(ask("ann", &["Encrypt", "DescribeKey"]).await),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn grants_are_listed_by_pages_and_survive_a_restart() {
    let (server, key, _) = start().await;
    for _ in 0..3 {
        server
            .done("CreateGrant", grant(&key, &arn(OWNER, "ann"), &["Encrypt"]))
            .await;
    }
    let server = server.restart().await;
    let page = server
        .done("ListGrants", json!({"KeyId": key["KeyId"], "Limit": 2}))
        .await;
    assert_eq!(
        (page["Grants"].as_array().unwrap().len(), &page["Truncated"]),
        (2, &json!(true))
    );
    let rest = server
        .done(
            "ListGrants",
            json!({"KeyId": key["KeyId"], "Marker": page["NextMarker"]}),
        )
        .await;
    assert_eq!(
        (rest["Grants"].as_array().unwrap().len(), &rest["Truncated"]),
        (1, &json!(false))
    );
    let entry = &rest["Grants"][0];
    assert_eq!(
        (&entry["KeyId"], &entry["Operations"]),
        (&key["Arn"], &json!(["Encrypt"]))
    );
    assert_eq!(entry["IssuingAccount"], format!("arn:aws:iam::{OWNER}:root"));
    let one = server
        .done(
            "ListGrants",
            json!({"KeyId": key["KeyId"], "GrantId": entry["GrantId"]}),
        )
        .await;
    assert_eq!(one["Grants"].as_array().unwrap().len(), 1);
    let ann = server.world.people.user(OWNER, "ann", None);
    assert_eq!(
        code(server.ask(&ann, "Encrypt", encrypt(&key["Arn"])).await),
        "allowed"
    );
}

#[tokio::test]
async fn wrong_terms_are_refused() {
    let (server, key, _) = start().await;
    let with = |member: &str, value: Value| {
        let mut input = grant(&key, &arn(OWNER, "ann"), &["Encrypt"]);
        input[member] = value;
        input
    };
    let nine: serde_json::Map<_, _> = (0..9).map(|n| (n.to_string(), json!("x"))).collect();
    for (input, wanted) in [
        (with("Operations", json!([])), "ValidationException"),
        (with("Operations", json!(["Sign"])), "ValidationException"),
        (with("Operations", json!(["Fly"])), "ValidationException"),
        (with("GranteePrincipal", json!("ann")), "InvalidArnException"),
        (with("GranteePrincipal", json!("*")), "InvalidArnException"),
        (with("GranteePrincipal", Value::Null), "ValidationException"),
        (with("Name", json!("a b")), "ValidationException"),
        (
            with("Constraints", json!({"EncryptionContextSubset": nine})),
            "ValidationException",
        ),
        (
            with(
                "Constraints",
                json!({"EncryptionContextSubset": {"a": "1"}, "EncryptionContextEquals": {"a": "1"}}),
            ),
            "ValidationException",
        ),
        (
            with("GranteeServicePrincipal", json!("sns.amazonaws.com")),
            "UnsupportedOperationException",
        ),
        (with("KeyId", json!("alias/x")), "NotFoundException"),
        (with("DryRun", json!(true)), "DryRunOperationException"),
        (
            with("GrantTokens", json!(["nonsense"])),
            "InvalidGrantTokenException",
        ),
    ] {
        assert_eq!(
            server.error("CreateGrant", input.clone()).await,
            wanted,
            "{input}"
        );
    }
    assert_eq!(
        server
            .error("RevokeGrant", json!({"KeyId": key["KeyId"], "GrantId": "x"}))
            .await,
        "InvalidGrantIdException"
    );
    assert_eq!(
        server.error("RetireGrant", json!({"KeyId": key["Arn"]})).await,
        "ValidationException"
    );
    let listed = server.done("ListGrants", json!({"KeyId": key["KeyId"]})).await;
    assert_eq!(listed["Grants"], json!([]));
}

#[tokio::test]
async fn grants_follow_the_state_of_their_key_and_go_with_it() {
    let (server, key, ann) = start().await;
    let id = json!({"KeyId": key["KeyId"]});
    server
        .done("CreateGrant", grant(&key, &arn(OWNER, "ann"), &["Encrypt"]))
        .await;
    server.done("DisableKey", id.clone()).await;
    assert_eq!(
        code(server.ask(&ann, "Encrypt", encrypt(&key["Arn"])).await),
        "DisabledException"
    );
    let another = grant(&key, &arn(OWNER, "ann"), &["Decrypt"]);
    assert_eq!(
        server.error("CreateGrant", another.clone()).await,
        "DisabledException"
    );
    server
        .done(
            "ScheduleKeyDeletion",
            json!({"KeyId": key["KeyId"], "PendingWindowInDays": 7}),
        )
        .await;
    assert_eq!(
        server.error("CreateGrant", another).await,
        "KMSInvalidStateException"
    );
    server.world.clock.advance(7 * DAY);
    server.kms.sweep().await;
    let stored = String::from_utf8_lossy(&server.stored().await).into_owned();
    assert!(!stored.contains(&text(&key["KeyId"])));
}
