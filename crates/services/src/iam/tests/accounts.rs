//! The account itself: its alias, and how much it uses.

use crate::testing_realm::{Realm, allow};

#[tokio::test]
async fn an_account_has_one_alias_which_no_other_account_has() {
    let mut realm = Realm::new().await;
    let admin = realm.user(&realm.root, "admin", Some(&allow("*"))).await;
    let (_, other) = realm.member(&admin, "dev").await;
    let create = async |keys, alias| {
        realm
            .iam(keys, "CreateAccountAlias", &[("AccountAlias", alias)])
            .await
    };
    create(&admin, "first").await.unwrap();
    create(&admin, "second").await.unwrap();
    let taken = create(&other, "second").await.unwrap_err();
    assert_eq!((taken.status, taken.code.as_str()), (409, "EntityAlreadyExists"));
    create(&other, "first").await.unwrap();
    assert_eq!(
        create(&admin, "Not-good").await.unwrap_err().code,
        "ValidationError"
    );
    realm.restart().await;
    let listed = realm.iam(&admin, "ListAccountAliases", &[]).await.unwrap();
    assert_eq!(listed.texts("member"), ["second"]);
    let delete = async |alias| {
        realm
            .iam(&admin, "DeleteAccountAlias", &[("AccountAlias", alias)])
            .await
    };
    assert_eq!(delete("first").await.unwrap_err().code, "NoSuchEntity");
    delete("second").await.unwrap();
    let listed = realm.iam(&admin, "ListAccountAliases", &[]).await.unwrap();
    assert!(listed.texts("member").is_empty());
}

#[tokio::test]
async fn the_summary_counts_what_there_is() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    let found = realm.iam(&realm.root, "GetAccountSummary", &[]).await.unwrap();
    let number = |name: &str| {
        let keys = found.texts("key");
        let at = keys.iter().position(|key| *key == name).unwrap();
        found.texts("value")[at].to_owned()
    };
    assert_eq!(
        (number("Users"), number("UsersQuota")),
        ("1".to_owned(), "5000".to_owned())
    );
    assert_eq!(number("AccountAccessKeysPresent"), "1");
}
