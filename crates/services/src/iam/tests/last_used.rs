use crate::iam::last_used::{PREFIX, Use};
use crate::testing_realm::{Keys, Realm, Xml, allow};
use bulla_types::Timestamp;
use bytes::Bytes;
use serde_json::json;
use std::time::Duration;

async fn last_used(realm: &Realm, id: &str) -> Xml {
    realm
        .iam(&realm.root, "GetAccessKeyLastUsed", &[("AccessKeyId", id)])
        .await
        .unwrap()
}

/// Lets the task that writes uses end.
async fn written() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

async fn realm() -> (Realm, Keys) {
    let realm = Realm::new().await;
    let user = realm.user(&realm.root, "ann", Some(&allow("*"))).await;
    (realm, user)
}

#[tokio::test]
async fn a_key_that_was_never_used_says_so() {
    let (realm, user) = realm().await;
    let told = last_used(&realm, &user.id).await;
    assert_eq!(told.text("UserName"), Some("ann"));
    assert_eq!(
        (told.text("ServiceName"), told.text("Region")),
        (Some("N/A"), Some("N/A"))
    );
    assert_eq!(told.text("LastUsedDate"), None);
}

#[tokio::test]
async fn a_use_is_told_to_a_quarter_of_an_hour() {
    let (realm, user) = realm().await;
    realm.sts(&user, "GetCallerIdentity", &[]).await.unwrap();
    let first = last_used(&realm, &user.id).await;
    assert_eq!(first.text("ServiceName"), Some("sts"));
    assert_eq!(first.text("Region"), Some("us-east-1"));
    realm.advance(899);
    realm.iam(&user, "ListUsers", &[]).await.unwrap();
    let same = last_used(&realm, &user.id).await;
    assert_eq!(same.text("LastUsedDate"), first.text("LastUsedDate"));
    realm.advance(1);
    realm.iam(&user, "ListUsers", &[]).await.unwrap();
    let later = last_used(&realm, &user.id).await;
    assert!(later.text("LastUsedDate") > first.text("LastUsedDate"));
    assert_eq!(later.text("ServiceName"), Some("iam"));
}

#[tokio::test]
async fn what_was_noted_survives_a_restart() {
    let (mut realm, user) = realm().await;
    realm.sts(&user, "GetCallerIdentity", &[]).await.unwrap();
    let before = last_used(&realm, &user.id).await;
    written().await;
    realm.restart().await;
    let after = last_used(&realm, &user.id).await;
    assert_eq!(after.text("LastUsedDate"), before.text("LastUsedDate"));
    assert_eq!(after.text("ServiceName"), Some("sts"));
}

#[tokio::test]
async fn a_wrong_signature_is_no_use() {
    let (realm, user) = realm().await;
    let wrong = Keys {
        secret: "wrong".to_owned(),
        ..user.clone()
    };
    realm.sts(&wrong, "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(last_used(&realm, &user.id).await.text("LastUsedDate"), None);
}

#[tokio::test]
async fn keys_of_others_and_deleted_keys_cannot_be_found() {
    let (mut realm, user) = realm().await;
    realm.sts(&user, "GetCallerIdentity", &[]).await.unwrap();
    let (_, other) = realm.member(&user, "other").await;
    let members = [("AccessKeyId", user.id.as_str())];
    let refused = realm
        .iam(&other, "GetAccessKeyLastUsed", &members)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "NoSuchEntity");
    let both = [("UserName", "ann"), ("AccessKeyId", user.id.as_str())];
    realm.iam(&realm.root, "DeleteAccessKey", &both).await.unwrap();
    assert_eq!(realm.iam.last_used.of(&user.id), None);
    written().await;
    assert!(!is_stored(&realm, &user.id).await);
    realm.restart().await;
    let refused = realm
        .iam(&realm.root, "GetAccessKeyLastUsed", &members)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "NoSuchEntity");
}

fn used(at: Timestamp) -> Use {
    Use {
        at,
        service: "sqs".to_owned(),
        region: "us-east-1".to_owned(),
    }
}

/// Whether the folder has a use of the key. The server writes nothing after this.
async fn is_stored(realm: &Realm, id: &str) -> bool {
    let records = realm.world.records().await;
    let stored = records
        .scan_all(Bytes::from_static(PREFIX.as_bytes()))
        .await
        .unwrap();
    let mut names = stored.iter().map(|(_, name, _)| name);
    names.any(|name| name.ends_with(id.as_bytes()))
}

#[tokio::test]
async fn a_use_is_stored_and_one_of_a_key_that_was_deleted_meanwhile_is_not() {
    let (realm, user) = realm().await;
    let other = realm.key(&realm.root, "ann").await;
    let now = realm.world.runtime.clock.now();
    let both = [("UserName", "ann"), ("AccessKeyId", user.id.as_str())];
    realm.iam(&realm.root, "DeleteAccessKey", &both).await.unwrap();
    for id in [&user.id, &other.id] {
        realm.iam.note_use(realm.account, id, used(now));
    }
    assert_eq!(realm.iam.last_used.of(&user.id), None);
    assert_eq!(realm.iam.last_used.of(&other.id), Some(used(now)));
    written().await;
    assert!(!is_stored(&realm, &user.id).await);
    assert!(is_stored(&realm, &other.id).await);
}

#[tokio::test]
async fn a_use_in_the_future_does_not_hide_those_of_now() {
    let (realm, user) = realm().await;
    let now = realm.world.runtime.clock.now();
    let future = now.after(Duration::from_hours(24));
    realm.iam.note_use(realm.account, &user.id, used(future));
    realm.sts(&user, "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(realm.iam.last_used.of(&user.id).unwrap().at, now);
}

#[tokio::test]
async fn a_denial_by_tag_of_the_user_counts() {
    let (realm, user) = realm().await;
    for family in ["aws", "iam"] {
        let condition = json!({ "StringEquals": { format!("{family}:ResourceTag/team"): "red" } });
        let document = json!({
            "Version": "2012-10-17",
            "Statement": [
                { "Effect": "Allow", "Action": "iam:*", "Resource": "*" },
                { "Effect": "Deny", "Action": "iam:GetAccessKeyLastUsed", "Resource": "*", "Condition": condition },
            ],
        });
        let reader = realm.user(&realm.root, family, Some(&document.to_string())).await;
        let members = [("UserName", "ann"), ("TagKeys.member.1", "team")];
        realm.iam(&realm.root, "UntagUser", &members).await.unwrap();
        let asked = [("AccessKeyId", user.id.as_str())];
        realm.iam(&reader, "GetAccessKeyLastUsed", &asked).await.unwrap();
        let members = [
            ("UserName", "ann"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "red"),
        ];
        realm.iam(&realm.root, "TagUser", &members).await.unwrap();
        let refused = realm
            .iam(&reader, "GetAccessKeyLastUsed", &asked)
            .await
            .unwrap_err();
        assert_eq!(refused.code, "AccessDenied", "{family}");
    }
}
