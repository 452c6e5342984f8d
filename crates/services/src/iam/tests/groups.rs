//! Groups: what a group has, its users have.

use crate::testing_realm::{Keys, Realm, allow};

async fn group(realm: &Realm, name: &str) {
    realm
        .iam(&realm.root, "CreateGroup", &[("GroupName", name)])
        .await
        .unwrap();
}

async fn member(realm: &Realm, action: &str) {
    let members = [("GroupName", "staff"), ("UserName", "ann")];
    realm.iam(&realm.root, action, &members).await.unwrap();
}

async fn may_list(realm: &Realm, keys: &Keys) -> bool {
    realm.iam(keys, "ListUsers", &[]).await.is_ok()
}

async fn put(realm: &Realm, action: &str) {
    let document = allow(action);
    let members = [
        ("GroupName", "staff"),
        ("PolicyName", "inline"),
        ("PolicyDocument", document.as_str()),
    ];
    realm.iam(&realm.root, "PutGroupPolicy", &members).await.unwrap();
}

#[tokio::test]
async fn what_a_group_has_its_users_have_as_long_as_they_are_in_it() {
    let realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", None).await;
    group(&realm, "staff").await;
    put(&realm, "iam:ListUsers").await;
    assert!(!may_list(&realm, &ann).await);
    member(&realm, "AddUserToGroup").await;
    assert!(may_list(&realm, &ann).await);
    put(&realm, "sqs:*").await;
    assert!(!may_list(&realm, &ann).await);
    put(&realm, "iam:ListUsers").await;
    assert!(may_list(&realm, &ann).await);
    member(&realm, "RemoveUserFromGroup").await;
    assert!(!may_list(&realm, &ann).await);
}

#[tokio::test]
async fn a_policy_attached_to_a_group_binds_its_users_in_its_present_version() {
    let realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", None).await;
    group(&realm, "staff").await;
    member(&realm, "AddUserToGroup").await;
    let members = [("PolicyName", "p"), ("PolicyDocument", &allow("iam:ListUsers"))];
    let made = realm.iam(&realm.root, "CreatePolicy", &members).await.unwrap();
    let arn = made.text("Arn").unwrap();
    let members = [("GroupName", "staff"), ("PolicyArn", arn)];
    realm
        .iam(&realm.root, "AttachGroupPolicy", &members)
        .await
        .unwrap();
    assert!(may_list(&realm, &ann).await);
    let members = [
        ("PolicyArn", arn),
        ("PolicyDocument", &allow("sqs:*")),
        ("SetAsDefault", "true"),
    ];
    realm
        .iam(&realm.root, "CreatePolicyVersion", &members)
        .await
        .unwrap();
    assert!(!may_list(&realm, &ann).await);
    let listed = realm
        .iam(
            &realm.root,
            "ListAttachedGroupPolicies",
            &[("GroupName", "staff")],
        )
        .await
        .unwrap();
    assert_eq!(listed.texts("PolicyArn"), [arn]);
}

#[tokio::test]
async fn a_group_with_users_or_policies_is_not_deleted() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    group(&realm, "staff").await;
    member(&realm, "AddUserToGroup").await;
    let delete = || realm.iam(&realm.root, "DeleteGroup", &[("GroupName", "staff")]);
    let refused = delete().await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (409, "DeleteConflict"));
    member(&realm, "RemoveUserFromGroup").await;
    put(&realm, "sqs:*").await;
    assert_eq!(delete().await.unwrap_err().code, "DeleteConflict");
    let members = [("GroupName", "staff"), ("PolicyName", "inline")];
    realm
        .iam(&realm.root, "DeleteGroupPolicy", &members)
        .await
        .unwrap();
    delete().await.unwrap();
}

#[tokio::test]
async fn a_user_in_a_group_is_not_deleted() {
    let realm = Realm::new().await;
    realm
        .iam(&realm.root, "CreateUser", &[("UserName", "ann")])
        .await
        .unwrap();
    group(&realm, "staff").await;
    member(&realm, "AddUserToGroup").await;
    let refused = realm
        .iam(&realm.root, "DeleteUser", &[("UserName", "ann")])
        .await
        .unwrap_err();
    assert_eq!(
        refused.message,
        "Cannot delete entity, must remove users from group first."
    );
}

#[tokio::test]
async fn a_renamed_group_keeps_its_users_and_policies() {
    let realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", None).await;
    group(&realm, "staff").await;
    put(&realm, "iam:List*").await;
    member(&realm, "AddUserToGroup").await;
    let members = [
        ("GroupName", "staff"),
        ("NewGroupName", "crew"),
        ("NewPath", "/sea/"),
    ];
    realm.iam(&realm.root, "UpdateGroup", &members).await.unwrap();
    assert!(may_list(&realm, &ann).await);
    let found = realm
        .iam(&realm.root, "GetGroup", &[("GroupName", "crew")])
        .await
        .unwrap();
    assert_eq!(found.texts("UserName"), ["ann"]);
    let arn = format!("arn:aws:iam::{}:group/sea/crew", realm.account);
    assert_eq!(found.text("Arn"), Some(arn.as_str()));
    let gone = realm
        .iam(&realm.root, "GetGroup", &[("GroupName", "staff")])
        .await
        .unwrap_err();
    assert_eq!(gone.message, "The group with name staff cannot be found.");
    let of_user = realm
        .iam(&ann, "ListGroupsForUser", &[("UserName", "ann")])
        .await
        .unwrap();
    assert_eq!(of_user.texts("GroupName"), ["crew"]);
}

#[tokio::test]
async fn a_user_is_in_ten_groups_at_most() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    for number in 0..11 {
        let name = format!("g{number}");
        group(&realm, &name).await;
        let members = [("GroupName", name.as_str()), ("UserName", "ann")];
        let added = realm.iam(&realm.root, "AddUserToGroup", &members).await;
        assert_eq!(added.is_ok(), number < 10);
    }
}

#[tokio::test]
async fn a_restart_keeps_groups_and_who_is_in_them() {
    let mut realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", None).await;
    group(&realm, "staff").await;
    put(&realm, "iam:ListUsers").await;
    member(&realm, "AddUserToGroup").await;
    realm.restart().await;
    assert!(may_list(&realm, &ann).await);
    let listed = realm.iam(&realm.root, "ListGroups", &[]).await.unwrap();
    assert_eq!(listed.texts("GroupName"), ["staff"]);
}
