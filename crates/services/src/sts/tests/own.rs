//! Sessions of users and root users of their own, and of those for whom they vouch.

use super::realm;
use crate::testing_realm::{Keys, Realm, allow, keys, trust};
use serde_json::json;

async fn session_token(realm: &Realm, by: &Keys, more: &[(&str, &str)]) -> Keys {
    keys(&realm.sts(by, "GetSessionToken", more).await.unwrap())
}

async fn federation_token(realm: &Realm, by: &Keys, more: &[(&str, &str)]) -> Keys {
    let mut members = vec![("Name", "bob")];
    members.extend(more);
    keys(&realm.sts(by, "GetFederationToken", &members).await.unwrap())
}

#[tokio::test]
async fn a_session_of_a_user_is_the_user() {
    let (realm, admin) = realm().await;
    let user = realm.user(&admin, "ann", Some(&allow("organizations:*"))).await;
    let session = session_token(&realm, &user, &[]).await;
    let who = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap();
    let expected = format!("arn:aws:iam::{}:user/ann", realm.account);
    assert_eq!(who.text("Arn"), Some(expected.as_str()));
    assert!(who.text("UserId").unwrap().starts_with("AIDA"));
    realm
        .organizations(&session, "ListRoots", json!({}))
        .await
        .unwrap();
    let members = [("UserName", "ann"), ("PolicyName", "inline")];
    realm.iam(&admin, "DeleteUserPolicy", &members).await.unwrap();
    let refused = realm.organizations(&session, "ListRoots", json!({})).await;
    assert_eq!(refused.unwrap_err().code, "AccessDeniedException");
}

#[tokio::test]
async fn sessions_of_users_cannot_call_iam_and_of_sts_only_two_operations() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let session = session_token(&realm, &admin, &[]).await;
    let refused = realm.iam(&session, "ListUsers", &[]).await.unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "InvalidClientTokenId")
    );
    for (operation, member) in [
        ("GetSessionToken", ("DurationSeconds", "900")),
        ("GetFederationToken", ("Name", "bob")),
        ("GetAccessKeyInfo", ("AccessKeyId", admin.id.as_str())),
    ] {
        let refused = realm.sts(&session, operation, &[member]).await.unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (403, "AccessDenied"));
        let expected = format!("Cannot call {operation} with session credentials");
        assert_eq!(refused.message, expected);
    }
    realm.assume(&session, &arn, &[]).await.unwrap();
}

#[tokio::test]
async fn sessions_of_roles_make_no_sessions_of_users() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let session = realm.assume(&admin, &arn, &[]).await.unwrap();
    let refused = realm.sts(&session, "GetSessionToken", &[]).await.unwrap_err();
    assert_eq!(
        refused.message,
        "Cannot call GetSessionToken with session credentials"
    );
}

#[tokio::test]
async fn a_session_of_a_user_ends_with_its_time_and_with_the_user() {
    let (mut realm, admin) = realm().await;
    let user = realm.user(&admin, "ann", None).await;
    let short = session_token(&realm, &user, &[("DurationSeconds", "900")]).await;
    let long = session_token(&realm, &user, &[]).await;
    realm.advance(900);
    let refused = realm.sts(&short, "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(refused.code, "ExpiredToken");
    realm.advance(43_200 - 901);
    realm.restart().await;
    realm.sts(&long, "GetCallerIdentity", &[]).await.unwrap();
    let members = [("UserName", "ann"), ("AccessKeyId", user.id.as_str())];
    realm.iam(&admin, "DeleteAccessKey", &members).await.unwrap();
    realm.sts(&long, "GetCallerIdentity", &[]).await.unwrap();
    realm
        .iam(&admin, "DeleteUser", &[("UserName", "ann")])
        .await
        .unwrap();
    let refused = realm.sts(&long, "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(refused.code, "InvalidClientTokenId");
}

#[tokio::test]
async fn a_session_of_the_root_user_lasts_at_most_an_hour() {
    let realm = Realm::new().await;
    let session = session_token(&realm, &realm.root, &[("DurationSeconds", "129600")]).await;
    realm.advance(3_599);
    let who = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap();
    assert!(who.text("Arn").unwrap().ends_with(":root"));
    realm.advance(1);
    let refused = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(refused.code, "ExpiredToken");
}

#[tokio::test]
async fn lengths_out_of_bounds_and_mfa_are_refused() {
    let (realm, admin) = realm().await;
    for wrong in [
        ("DurationSeconds", "899"),
        ("DurationSeconds", "129601"),
        ("SerialNumber", "arn:aws:iam::123456789012:mfa/ann"),
        ("TokenCode", "123456"),
    ] {
        let refused = realm.sts(&admin, "GetSessionToken", &[wrong]).await.unwrap_err();
        assert_eq!(refused.code, "ValidationError", "{wrong:?}");
    }
    for wrong in ["b", "bob the builder", &"x".repeat(33)] {
        let refused = realm.sts(&admin, "GetFederationToken", &[("Name", wrong)]).await;
        assert_eq!(refused.unwrap_err().code, "ValidationError", "{wrong}");
    }
}

#[tokio::test]
async fn a_federated_user_is_a_principal_of_its_own_and_asks_only_who_it_is() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let policy = allow("*");
    let made = realm
        .sts(
            &admin,
            "GetFederationToken",
            &[("Name", "bob"), ("Policy", &policy)],
        )
        .await
        .unwrap();
    let account = realm.account;
    let expected = format!("arn:aws:sts::{account}:federated-user/bob");
    assert_eq!(made.text("Arn"), Some(expected.as_str()));
    let id = format!("{account}:bob");
    assert_eq!(made.text("FederatedUserId"), Some(id.as_str()));
    assert_eq!(made.text("PackedPolicySize"), Some("1"));
    let session = keys(&made);
    let who = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(
        (who.text("Arn"), who.text("UserId")),
        (Some(expected.as_str()), Some(id.as_str()))
    );
    let refused = realm.iam(&session, "ListUsers", &[]).await.unwrap_err();
    assert_eq!(refused.code, "InvalidClientTokenId");
    let refused = realm.assume(&session, &arn, &[]).await.unwrap_err();
    assert_eq!(refused.message, "Cannot call AssumeRole with session credentials");
}

#[tokio::test]
async fn a_federated_user_may_do_what_both_its_user_and_its_session_policy_allow() {
    let (realm, admin) = realm().await;
    let user = realm
        .user(
            &admin,
            "proxy",
            Some(
                &json!({
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": ["sts:GetFederationToken", "organizations:ListRoots", "organizations:ListAccounts"],
                        "Resource": "*",
                    }],
                })
                .to_string(),
            ),
        )
        .await;
    let without = federation_token(&realm, &user, &[]).await;
    let refused = realm.organizations(&without, "ListRoots", json!({})).await;
    let message = refused.unwrap_err().message;
    assert!(message.contains("no session policy allows"), "{message}");
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["organizations:ListRoots", "organizations:DescribeOrganization"],
            "Resource": "*",
        }],
    })
    .to_string();
    let narrow = federation_token(&realm, &user, &[("Policy", &policy)]).await;
    let ask = async |operation| realm.organizations(&narrow, operation, json!({})).await;
    ask("ListRoots").await.unwrap();
    for operation in ["ListAccounts", "DescribeOrganization"] {
        let refused = ask(operation).await.unwrap_err();
        assert_eq!(refused.code, "AccessDeniedException", "{operation}");
    }
}

#[tokio::test]
async fn a_federated_user_of_the_root_user_may_do_what_its_session_policies_allow() {
    let realm = Realm::new().await;
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let session = federation_token(&realm, &realm.root, &[("PolicyArns.member.1.arn", arn)]).await;
    realm
        .organizations(&session, "ListRoots", json!({}))
        .await
        .unwrap();
    let refused = realm
        .organizations(&session, "DeleteOrganization", json!({}))
        .await;
    assert_eq!(refused.unwrap_err().code, "AccessDeniedException");
}

#[tokio::test]
async fn session_tags_of_a_federated_user_stand_before_those_of_its_user_and_need_a_permission() {
    let (realm, admin) = realm().await;
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*" },
            { "Effect": "Allow", "Action": "sts:TagSession", "Resource": "*",
              "Condition": { "StringEquals": { "aws:RequestTag/team": "red" } } },
            { "Effect": "Allow", "Action": "organizations:*", "Resource": "*",
              "Condition": { "StringEquals": { "aws:PrincipalTag/team": "red" } } },
        ],
    });
    let user = realm.user(&admin, "proxy", Some(&document.to_string())).await;
    let members = [
        ("UserName", "proxy"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "blue"),
    ];
    realm.iam(&admin, "TagUser", &members).await.unwrap();
    let policy = allow("*");
    let tag = |value| {
        [
            ("Policy", policy.as_str()),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", value),
        ]
    };
    let red = federation_token(&realm, &user, &tag("red")).await;
    realm.organizations(&red, "ListRoots", json!({})).await.unwrap();
    let untagged = federation_token(&realm, &user, &tag("red")[..1]).await;
    let refused = realm.organizations(&untagged, "ListRoots", json!({})).await;
    assert_eq!(refused.unwrap_err().code, "AccessDeniedException");
    let mut members = vec![("Name", "bob")];
    members.extend(tag("green"));
    let refused = realm
        .sts(&user, "GetFederationToken", &members)
        .await
        .unwrap_err();
    assert!(refused.message.contains("sts:TagSession"), "{}", refused.message);
}

#[tokio::test]
async fn a_permission_to_federate_can_name_the_federated_user() {
    let (realm, admin) = realm().await;
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "sts:GetFederationToken",
            "Resource": format!("arn:aws:sts::{}:federated-user/app-*", realm.account),
        }],
    });
    let user = realm.user(&admin, "proxy", Some(&document.to_string())).await;
    realm
        .sts(&user, "GetFederationToken", &[("Name", "app-1")])
        .await
        .unwrap();
    let refused = realm.sts(&user, "GetFederationToken", &[("Name", "bob")]).await;
    assert_eq!(refused.unwrap_err().code, "AccessDenied");
}
