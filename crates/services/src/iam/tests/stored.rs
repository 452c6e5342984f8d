//! What is in the folder: records of older formats, and records that lack something.

use crate::iam::{Iam, IamOpenError, KnownAccounts};
use crate::testing_realm::{Realm, allow, trust};
use bulla_storage::Change;
use bytes::Bytes;
use serde_json::Value;

/// Changes every record of IAM, or deletes it, behind the server's back.
async fn rewrite(realm: &Realm, edit: impl Fn(&str, Value) -> Option<Value>) {
    let records = realm.world.records().await;
    for (partition, name, value) in records.scan_all(Bytes::from_static(b"iam/")).await.unwrap() {
        let text = std::str::from_utf8(&name).unwrap().to_owned();
        let change = match edit(&text, serde_json::from_slice(&value).unwrap()) {
            Some(json) => Change::Put(name, serde_json::to_vec(&json).unwrap().into()),
            None => Change::Delete(name),
        };
        records.commit(partition, Vec::new(), vec![change]).await.unwrap();
    }
}

#[tokio::test]
async fn accounts_users_and_roles_of_the_first_format_are_read() {
    let mut realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", Some(&allow("iam:*"))).await;
    realm
        .role(&realm.root, "guest", &trust(realm.account.as_str()))
        .await;
    rewrite(&realm, |_, mut record| {
        let members = record.as_object_mut().unwrap();
        members.insert("format".to_owned(), 1.into());
        for name in ["alias", "groups"] {
            members.remove(name);
        }
        if let Some(profile) = members.get_mut("profile").and_then(Value::as_object_mut) {
            profile.remove("attached").unwrap();
            profile.remove("boundary").unwrap();
        }
        Some(record)
    })
    .await;
    realm.restart().await;
    let found = realm.iam(&ann, "ListRoles", &[]).await.unwrap();
    assert_eq!(found.texts("RoleName"), ["guest"]);
}

#[tokio::test]
async fn an_attached_policy_that_is_missing_is_reported_and_nothing_is_opened() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    let document = allow("sqs:*");
    let members = [("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    let made = realm.iam(&realm.root, "CreatePolicy", &members).await.unwrap();
    let members = [("UserName", "ann"), ("PolicyArn", made.text("Arn").unwrap())];
    realm
        .iam(&realm.root, "AttachUserPolicy", &members)
        .await
        .unwrap();
    rewrite(&realm, |name, record| {
        Some(record).filter(|_| !name.starts_with("iam/policy/"))
    })
    .await;
    let records = realm.world.records().await;
    let runtime = realm.world.runtime.clone();
    let opened = Iam::open(runtime, records, &realm.world.instance, KnownAccounts::Made).await;
    let error = opened.unwrap_err();
    assert!(
        matches!(&error, IamOpenError::Damaged { reason, .. } if reason.contains("policy/p does not exist")),
        "{error}"
    );
}
