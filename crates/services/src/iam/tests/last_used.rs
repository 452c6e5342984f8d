use crate::testing_realm::{Keys, Realm, Xml, allow};

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
    written().await;
    realm.restart().await;
    let refused = realm
        .iam(&realm.root, "GetAccessKeyLastUsed", &members)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "NoSuchEntity");
}
