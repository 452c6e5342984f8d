//! What those may do for whom a user vouches, as far as it hangs on that user.

use super::realm;
use crate::testing_realm::{Keys, Realm, allow, keys};
use serde_json::{Value, json};

async fn federated(realm: &Realm, by: &Keys, policy: Option<&str>) -> Keys {
    let mut members = vec![("Name", "bob")];
    members.extend(policy.map(|policy| ("Policy", policy)));
    keys(&realm.sts(by, "GetFederationToken", &members).await.unwrap())
}

async fn list_roots(realm: &Realm, by: &Keys) -> Result<(), String> {
    let answer = realm.organizations(by, "ListRoots", json!({})).await;
    answer.map(drop).map_err(|refused| refused.message)
}

fn statement(principal: &str, action: &str) -> Value {
    json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": action, "Resource": "*" })
}

/// A key that the administrator may use, and others as these statements say.
async fn key(realm: &Realm, admin: &Keys, more: &[Value]) -> String {
    let mut statements = vec![statement(&user_arn(realm, "admin"), "kms:*")];
    statements.extend_from_slice(more);
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let made = realm
        .kms(admin, "CreateKey", json!({ "Policy": policy }))
        .await
        .unwrap();
    made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
}

fn user_arn(realm: &Realm, name: &str) -> String {
    format!("arn:aws:iam::{}:user/{name}", realm.account)
}

async fn may_encrypt(realm: &Realm, by: &Keys, key: &str) -> bool {
    let input = json!({ "KeyId": key, "Plaintext": "Zm9v" });
    match realm.kms(by, "Encrypt", input).await {
        Ok(_) => true,
        Err(refused) => {
            assert_eq!(refused.code, "AccessDeniedException");
            false
        }
    }
}

#[tokio::test]
async fn the_boundary_of_the_user_limits_those_for_whom_it_vouches() {
    let (realm, admin) = realm().await;
    let user = realm.user(&admin, "proxy", Some(&allow("*"))).await;
    let session = federated(&realm, &user, Some(&allow("organizations:*"))).await;
    list_roots(&realm, &session).await.unwrap();
    let document = allow("sts:*");
    let members = [("PolicyName", "most"), ("PolicyDocument", document.as_str())];
    let made = realm.iam(&admin, "CreatePolicy", &members).await.unwrap();
    let members = [
        ("UserName", "proxy"),
        ("PermissionsBoundary", made.text("Arn").unwrap()),
    ];
    realm
        .iam(&admin, "PutUserPermissionsBoundary", &members)
        .await
        .unwrap();
    let later = federated(&realm, &user, Some(&allow("organizations:*"))).await;
    for session in [session, later] {
        let message = list_roots(&realm, &session).await.unwrap_err();
        assert!(message.contains("permissions boundary"), "{message}");
    }
}

#[tokio::test]
async fn a_policy_of_a_resource_that_names_the_user_reaches_only_as_far_as_session_policies() {
    let (realm, admin) = realm().await;
    let user = realm
        .user(&admin, "proxy", Some(&allow("sts:GetFederationToken")))
        .await;
    let key = key(
        &realm,
        &admin,
        &[statement(&user_arn(&realm, "proxy"), "kms:Encrypt")],
    )
    .await;
    assert!(may_encrypt(&realm, &user, &key).await);
    for (policy, expected) in [
        (None, false),
        (Some(allow("kms:Decrypt")), false),
        (Some(allow("kms:Encrypt")), true),
    ] {
        let session = federated(&realm, &user, policy.as_deref()).await;
        assert_eq!(may_encrypt(&realm, &session, &key).await, expected, "{policy:?}");
    }
}

#[tokio::test]
async fn a_policy_of_a_resource_that_names_the_session_needs_no_session_policy() {
    let (realm, admin) = realm().await;
    let user = realm
        .user(&admin, "proxy", Some(&allow("sts:GetFederationToken")))
        .await;
    let named = format!("arn:aws:sts::{}:federated-user/bob", realm.account);
    let key = key(&realm, &admin, &[statement(&named, "kms:Encrypt")]).await;
    assert!(!may_encrypt(&realm, &user, &key).await);
    let session = federated(&realm, &user, None).await;
    assert!(may_encrypt(&realm, &session, &key).await);
}

#[tokio::test]
async fn a_grant_to_the_user_reaches_only_as_far_as_session_policies() {
    let (realm, admin) = realm().await;
    let user = realm
        .user(&admin, "proxy", Some(&allow("sts:GetFederationToken")))
        .await;
    let key = key(&realm, &admin, &[]).await;
    let grant =
        json!({ "KeyId": key, "GranteePrincipal": user_arn(&realm, "proxy"), "Operations": ["Encrypt"] });
    realm.kms(&admin, "CreateGrant", grant).await.unwrap();
    assert!(may_encrypt(&realm, &user, &key).await);
    let session = federated(&realm, &user, None).await;
    assert!(!may_encrypt(&realm, &session, &key).await);
    let session = federated(&realm, &user, Some(&allow("kms:*"))).await;
    assert!(may_encrypt(&realm, &session, &key).await);
}

#[tokio::test]
async fn a_federated_session_changes_with_its_user_and_ends_with_it() {
    let (realm, admin) = realm().await;
    let user = realm.user(&admin, "proxy", Some(&allow("*"))).await;
    let session = federated(&realm, &user, Some(&allow("*"))).await;
    list_roots(&realm, &session).await.unwrap();
    let inline = [("UserName", "proxy"), ("PolicyName", "inline")];
    realm.iam(&admin, "DeleteUserPolicy", &inline).await.unwrap();
    list_roots(&realm, &session).await.unwrap_err();
    let who = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap();
    assert!(who.text("Arn").unwrap().ends_with(":federated-user/bob"));
    let members = [("UserName", "proxy"), ("AccessKeyId", user.id.as_str())];
    realm.iam(&admin, "DeleteAccessKey", &members).await.unwrap();
    realm.iam(&admin, "DeleteUser", &inline[..1]).await.unwrap();
    let refused = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(refused.code, "InvalidClientTokenId");
}

#[tokio::test]
async fn who_cannot_ask_for_reasons_is_told_no_decision() {
    let (realm, admin) = realm().await;
    let user = realm.user(&admin, "proxy", Some(&allow("sts:*"))).await;
    let message = list_roots(&realm, &user).await.unwrap_err();
    assert!(message.contains("Decision id"), "{message}");
    let session = federated(&realm, &user, Some(&allow("*"))).await;
    let message = list_roots(&realm, &session).await.unwrap_err();
    assert!(!message.contains("Decision id"), "{message}");
}

#[tokio::test]
async fn session_tags_replace_those_of_the_user_in_any_letter_case() {
    let (realm, admin) = realm().await;
    let condition = json!({ "StringEquals": { "aws:PrincipalTag/Équipe": "red" } });
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": "sts:*", "Resource": "*" },
            { "Effect": "Allow", "Action": "organizations:*", "Resource": "*", "Condition": condition },
        ],
    });
    let user = realm.user(&admin, "proxy", Some(&document.to_string())).await;
    let members = [
        ("UserName", "proxy"),
        ("Tags.member.1.Key", "Équipe"),
        ("Tags.member.1.Value", "blue"),
    ];
    realm.iam(&admin, "TagUser", &members).await.unwrap();
    let policy = allow("*");
    let members = [
        ("Name", "bob"),
        ("Policy", policy.as_str()),
        ("Tags.member.1.Key", "équipe"),
        ("Tags.member.1.Value", "red"),
    ];
    let session = keys(&realm.sts(&user, "GetFederationToken", &members).await.unwrap());
    list_roots(&realm, &session).await.unwrap();
}

#[tokio::test]
async fn session_policies_have_1_to_2048_characters() {
    let (realm, admin) = realm().await;
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let padded = |length: usize| format!("{:<length$}", allow("*"));
    let (full, long, most) = (padded(2_048), padded(2_049), padded(2_048 - arn.len()));
    let code = async |members: &[(&str, &str)]| {
        let mut all = vec![("Name", "bob")];
        all.extend_from_slice(members);
        let made = realm.sts(&admin, "GetFederationToken", &all).await;
        made.err()
            .map_or_else(|| "made".to_owned(), |refused| refused.code)
    };
    assert_eq!(code(&[("Policy", "")]).await, "ValidationError");
    assert_eq!(code(&[("Policy", &long)]).await, "ValidationError");
    assert_eq!(code(&[("Policy", &full)]).await, "made");
    let managed = ("PolicyArns.member.1.arn", arn);
    assert_eq!(code(&[("Policy", &full), managed]).await, "PackedPolicyTooLarge");
    assert_eq!(code(&[("Policy", &most), managed]).await, "made");
    let role = realm
        .role(
            &admin,
            "guest",
            &crate::testing_realm::trust(realm.account.as_str()),
        )
        .await;
    let refused = realm.assume(&admin, &role, &[("Policy", "")]).await.unwrap_err();
    assert_eq!(refused.code, "ValidationError");
}
