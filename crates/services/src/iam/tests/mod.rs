mod accounts;
mod details;
mod groups;
mod last_used;
mod managed;
mod service_linked;
mod simulation;
mod stored;

use crate::testing_realm::{Realm, allow, trust};

#[tokio::test]
async fn a_user_is_made_described_and_deleted() {
    let realm = Realm::new().await;
    let root = &realm.root;
    let members = [
        ("UserName", "ann"),
        ("Path", "/team/"),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "1"),
    ];
    let made = realm.iam(root, "CreateUser", &members).await.unwrap();
    let arn = format!("arn:aws:iam::{}:user/team/ann", realm.account);
    assert_eq!(made.text("Arn"), Some(arn.as_str()));
    assert!(made.text("UserId").unwrap().starts_with("AIDA"));
    let found = realm.iam(root, "GetUser", &[("UserName", "ann")]).await.unwrap();
    assert_eq!(
        (found.text("Arn"), found.text("Key")),
        (Some(arn.as_str()), Some("a"))
    );
    let listed = realm
        .iam(root, "ListUsers", &[("PathPrefix", "/team/")])
        .await
        .unwrap();
    assert_eq!(
        (listed.text("UserName"), listed.text("IsTruncated")),
        (Some("ann"), Some("false"))
    );
    realm
        .iam(root, "DeleteUser", &[("UserName", "ann")])
        .await
        .unwrap();
    let gone = realm
        .iam(root, "GetUser", &[("UserName", "ann")])
        .await
        .unwrap_err();
    assert_eq!((gone.status, gone.code.as_str()), (404, "NoSuchEntity"));
    assert_eq!(gone.message, "The user with name ann cannot be found.");
}

#[tokio::test]
async fn names_differ_by_more_than_letter_case() {
    let realm = Realm::new().await;
    realm
        .iam(&realm.root, "CreateUser", &[("UserName", "Ann")])
        .await
        .unwrap();
    let again = realm
        .iam(&realm.root, "CreateUser", &[("UserName", "aNN")])
        .await
        .unwrap_err();
    assert_eq!((again.status, again.code.as_str()), (409, "EntityAlreadyExists"));
    let role = trust(realm.account.as_str());
    realm.role(&realm.root, "Ann", &role).await;
    let members = [("RoleName", "ANN"), ("AssumeRolePolicyDocument", role.as_str())];
    assert_eq!(
        realm
            .iam(&realm.root, "CreateRole", &members)
            .await
            .unwrap_err()
            .code,
        "EntityAlreadyExists"
    );
}

#[tokio::test]
async fn a_user_with_keys_or_policies_is_not_deleted() {
    let realm = Realm::new().await;
    let root = &realm.root;
    let key = realm.user(root, "ann", Some(&allow("sqs:*"))).await;
    let delete = || realm.iam(root, "DeleteUser", &[("UserName", "ann")]);
    assert_eq!(
        delete().await.unwrap_err().message,
        "Cannot delete entity, must delete access keys first."
    );
    let members = [("UserName", "ann"), ("AccessKeyId", key.id.as_str())];
    realm.iam(root, "DeleteAccessKey", &members).await.unwrap();
    let refused = delete().await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (409, "DeleteConflict"));
    realm
        .iam(
            root,
            "DeleteUserPolicy",
            &[("UserName", "ann"), ("PolicyName", "inline")],
        )
        .await
        .unwrap();
    delete().await.unwrap();
}

#[tokio::test]
async fn a_user_has_two_access_keys_at_most() {
    let realm = Realm::new().await;
    let first = realm.user(&realm.root, "ann", None).await;
    let second = realm.key(&realm.root, "ann").await;
    assert!(first.id.starts_with("AKIA") && first.id.len() == 20 && first.secret.len() == 40);
    let third = realm
        .iam(&realm.root, "CreateAccessKey", &[("UserName", "ann")])
        .await
        .unwrap_err();
    assert_eq!((third.status, third.code.as_str()), (409, "LimitExceeded"));
    let listed = realm
        .iam(&realm.root, "ListAccessKeys", &[("UserName", "ann")])
        .await
        .unwrap();
    let mut expected = vec![first.id.as_str(), second.id.as_str()];
    expected.sort_unstable();
    assert_eq!(listed.texts("AccessKeyId"), expected);
    assert!(!listed.0.contains("SecretAccessKey"));
}

#[tokio::test]
async fn an_inactive_or_deleted_access_key_opens_nothing() {
    let realm = Realm::new().await;
    let key = realm.user(&realm.root, "ann", None).await;
    realm.sts(&key, "GetCallerIdentity", &[]).await.unwrap();
    let set = async |status| {
        let members = [
            ("UserName", "ann"),
            ("AccessKeyId", key.id.as_str()),
            ("Status", status),
        ];
        realm.iam(&realm.root, "UpdateAccessKey", &members).await.unwrap();
    };
    set("Inactive").await;
    let refused = realm.sts(&key, "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "InvalidClientTokenId")
    );
    set("Active").await;
    realm.sts(&key, "GetCallerIdentity", &[]).await.unwrap();
    let members = [("UserName", "ann"), ("AccessKeyId", key.id.as_str())];
    realm.iam(&realm.root, "DeleteAccessKey", &members).await.unwrap();
    assert_eq!(
        realm.sts(&key, "GetCallerIdentity", &[]).await.unwrap_err().code,
        "InvalidClientTokenId"
    );
}

#[tokio::test]
async fn a_user_may_do_what_its_policies_allow() {
    let realm = Realm::new().await;
    let user = realm.user(&realm.root, "ann", Some(&allow("iam:GetUser"))).await;
    realm.iam(&user, "GetUser", &[]).await.unwrap();
    let refused = realm.iam(&user, "ListUsers", &[]).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (403, "AccessDenied"));
    let expected = format!(
        "User: arn:aws:iam::{0}:user/ann is not authorized to perform: iam:ListUsers on resource: \
         arn:aws:iam::{0}:user/",
        realm.account
    );
    assert!(refused.message.starts_with(&expected), "{}", refused.message);
    realm
        .iam(
            &realm.root,
            "DeleteUserPolicy",
            &[("UserName", "ann"), ("PolicyName", "inline")],
        )
        .await
        .unwrap();
    assert_eq!(
        realm.iam(&user, "GetUser", &[]).await.unwrap_err().code,
        "AccessDenied"
    );
}

#[tokio::test]
async fn who_may_not_look_does_not_learn_who_exists() {
    let realm = Realm::new().await;
    let user = realm.user(&realm.root, "ann", None).await;
    let there = realm
        .iam(&user, "GetUser", &[("UserName", "ann")])
        .await
        .unwrap_err();
    let absent = realm
        .iam(&user, "GetUser", &[("UserName", "bob")])
        .await
        .unwrap_err();
    assert_eq!(there.code, absent.code);
    assert_eq!(there.message.replace("user/ann on", "user/bob on"), there.message);
    assert_eq!(absent.code, "AccessDenied");
}

#[tokio::test]
async fn documents_come_back_percent_encoded() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", Some(&allow("sqs:*"))).await;
    let found = realm
        .iam(
            &realm.root,
            "GetUserPolicy",
            &[("UserName", "ann"), ("PolicyName", "inline")],
        )
        .await
        .unwrap();
    assert!(
        found
            .text("PolicyDocument")
            .unwrap()
            .starts_with("%7B%22Statement%22%3A%5B%7B")
    );
}

#[tokio::test]
async fn a_policy_that_is_not_understood_is_refused() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    for text in [
        "{",
        "{}",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*"}}"#,
    ] {
        let members = [("UserName", "ann"), ("PolicyName", "p"), ("PolicyDocument", text)];
        let refused = realm
            .iam(&realm.root, "PutUserPolicy", &members)
            .await
            .unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (400, "MalformedPolicyDocument")
        );
    }
    let listed = realm
        .iam(&realm.root, "ListUserPolicies", &[("UserName", "ann")])
        .await
        .unwrap();
    assert_eq!(listed.texts("member"), Vec::<&str>::new());
}

#[tokio::test]
async fn the_inline_policies_of_a_user_have_a_size_together() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    let long = allow(&format!("sqs:{}", "x".repeat(1000)));
    let put = async |name| {
        let members = [
            ("UserName", "ann"),
            ("PolicyName", name),
            ("PolicyDocument", long.as_str()),
        ];
        realm.iam(&realm.root, "PutUserPolicy", &members).await
    };
    put("one").await.unwrap();
    let refused = put("two").await.unwrap_err();
    assert_eq!(
        refused.message,
        "Maximum policy size of 2048 bytes exceeded for user ann"
    );
    assert_eq!((refused.status, refused.code.as_str()), (409, "LimitExceeded"));
}

#[tokio::test]
async fn tags_are_added_replaced_and_removed() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    let tag = async |key, value| {
        let members = [
            ("UserName", "ann"),
            ("Tags.member.1.Key", key),
            ("Tags.member.1.Value", value),
        ];
        realm.iam(&realm.root, "TagUser", &members).await.unwrap();
    };
    tag("Team", "red").await;
    tag("team", "blue").await;
    tag("stage", "").await;
    realm
        .iam(
            &realm.root,
            "UntagUser",
            &[("UserName", "ann"), ("TagKeys.member.1", "STAGE")],
        )
        .await
        .unwrap();
    let listed = realm
        .iam(&realm.root, "ListUserTags", &[("UserName", "ann")])
        .await
        .unwrap();
    assert_eq!(
        (listed.texts("Key"), listed.texts("Value")),
        (vec!["team"], vec!["blue"])
    );
}

#[tokio::test]
async fn a_renamed_user_keeps_keys_policies_and_id() {
    let realm = Realm::new().await;
    let key = realm.user(&realm.root, "ann", Some(&allow("iam:GetUser"))).await;
    let before = realm.iam(&key, "GetUser", &[]).await.unwrap();
    let members = [("UserName", "ann"), ("NewUserName", "anne"), ("NewPath", "/new/")];
    realm.iam(&realm.root, "UpdateUser", &members).await.unwrap();
    let after = realm.iam(&key, "GetUser", &[]).await.unwrap();
    assert_eq!(before.text("UserId"), after.text("UserId"));
    assert_eq!(
        after.text("Arn").unwrap(),
        format!("arn:aws:iam::{}:user/new/anne", realm.account)
    );
    assert_eq!(
        realm
            .iam(&realm.root, "GetUser", &[("UserName", "ann")])
            .await
            .unwrap_err()
            .code,
        "NoSuchEntity"
    );
}

#[tokio::test]
async fn the_root_user_has_access_keys_of_its_own() {
    let realm = Realm::new().await;
    let found = realm.iam(&realm.root, "GetUser", &[]).await.unwrap();
    assert_eq!(found.text("UserId"), Some(realm.account.as_str()));
    let made = realm.iam(&realm.root, "CreateAccessKey", &[]).await.unwrap();
    let id = made.text("AccessKeyId").unwrap();
    let listed = realm.iam(&realm.root, "ListAccessKeys", &[]).await.unwrap();
    assert_eq!(listed.texts("AccessKeyId").len(), 2);
    assert_eq!(
        realm
            .iam(&realm.root, "CreateAccessKey", &[])
            .await
            .unwrap_err()
            .code,
        "LimitExceeded"
    );
    realm
        .iam(&realm.root, "DeleteAccessKey", &[("AccessKeyId", id)])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_restart_keeps_users_keys_policies_and_roles() {
    let mut realm = Realm::new().await;
    let key = realm.user(&realm.root, "ann", Some(&allow("iam:Get*"))).await;
    let arn = realm
        .role(&realm.root, "guest", &trust(realm.account.as_str()))
        .await;
    realm.restart().await;
    let found = realm
        .iam(&key, "GetRole", &[("RoleName", "guest")])
        .await
        .unwrap();
    assert_eq!(found.text("Arn"), Some(arn.as_str()));
    assert_eq!(
        realm.iam(&key, "ListRoles", &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    realm.iam(&realm.root, "ListRoles", &[]).await.unwrap();
}

#[tokio::test]
async fn secrets_are_neither_stored_nor_printed_in_clear() {
    let realm = Realm::new().await;
    let key = realm.user(&realm.root, "ann", None).await;
    let records = realm
        .world
        .records()
        .await
        .scan_all(bytes::Bytes::new())
        .await
        .unwrap();
    assert!(records.len() >= 2);
    for secret in [&key.secret, &realm.root.secret] {
        for (_, name, value) in &records {
            let found = value
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{name:?} holds a secret");
        }
        let holder = realm.iam.view();
        assert!(!format!("{:?}", *holder).contains(secret.as_str()));
    }
}

#[tokio::test]
async fn a_rename_needs_permission_for_the_old_and_the_new_name() {
    let realm = Realm::new().await;
    realm
        .iam(&realm.root, "CreateUser", &[("UserName", "ann")])
        .await
        .unwrap();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"iam:UpdateUser","Resource":"arn:aws:iam::{}:user/a*"}}}}"#,
        realm.account
    );
    let clerk = realm.user(&realm.root, "clerk", Some(&policy)).await;
    let rename = async |from, to| {
        realm
            .iam(&clerk, "UpdateUser", &[("UserName", from), ("NewUserName", to)])
            .await
    };
    assert_eq!(rename("ann", "bob").await.unwrap_err().code, "AccessDenied");
    assert_eq!(rename("clerk", "another").await.unwrap_err().code, "AccessDenied");
    rename("ann", "anne").await.unwrap();
}
