//! Managed policies, their versions, and permissions boundaries.

use crate::testing_realm::{Keys, Realm, allow, trust};
use serde_json::json;

fn deny(actions: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": actions, "Resource": "*" }],
    })
    .to_string()
}

/// A managed policy; its ARN.
async fn policy(realm: &Realm, name: &str, document: &str) -> String {
    let members = [("PolicyName", name), ("PolicyDocument", document)];
    let made = realm.iam(&realm.root, "CreatePolicy", &members).await.unwrap();
    made.text("Arn").unwrap().to_owned()
}

async fn at_user(realm: &Realm, action: &str, arn: &str) {
    let members = [("UserName", "ann"), ("PolicyArn", arn)];
    realm.iam(&realm.root, action, &members).await.unwrap();
}

async fn may_list(realm: &Realm, keys: &Keys) -> bool {
    realm.iam(keys, "ListUsers", &[]).await.is_ok()
}

#[tokio::test]
async fn an_attached_policy_binds_the_next_call_and_a_detached_one_no_more() {
    let realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", None).await;
    let arn = policy(&realm, "lister", &allow("iam:ListUsers")).await;
    assert_eq!(arn, format!("arn:aws:iam::{}:policy/lister", realm.account));
    assert!(!may_list(&realm, &ann).await);
    at_user(&realm, "AttachUserPolicy", &arn).await;
    assert!(may_list(&realm, &ann).await);
    at_user(&realm, "DetachUserPolicy", &arn).await;
    assert!(!may_list(&realm, &ann).await);
}

#[tokio::test]
async fn a_session_has_what_is_attached_to_its_role_now() {
    let realm = Realm::new().await;
    let by = realm
        .user(&realm.root, "by", Some(&allow("sts:AssumeRole")))
        .await;
    let role = realm
        .role(&realm.root, "guest", &trust(realm.account.as_str()))
        .await;
    let session = realm.assume(&by, &role, &[]).await.unwrap();
    let arn = policy(&realm, "lister", &allow("iam:ListUsers")).await;
    let members = [("RoleName", "guest"), ("PolicyArn", arn.as_str())];
    realm
        .iam(&realm.root, "AttachRolePolicy", &members)
        .await
        .unwrap();
    assert!(may_list(&realm, &session).await);
    let members = [
        ("PolicyArn", arn.as_str()),
        ("PolicyDocument", &deny("*")),
        ("SetAsDefault", "true"),
    ];
    realm
        .iam(&realm.root, "CreatePolicyVersion", &members)
        .await
        .unwrap();
    assert!(!may_list(&realm, &session).await);
}

#[tokio::test]
async fn the_default_version_binds_and_no_other() {
    let realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", None).await;
    let arn = policy(&realm, "lister", &allow("iam:ListUsers")).await;
    at_user(&realm, "AttachUserPolicy", &arn).await;
    let members = [("PolicyArn", arn.as_str()), ("PolicyDocument", &allow("sqs:*"))];
    let made = realm
        .iam(&realm.root, "CreatePolicyVersion", &members)
        .await
        .unwrap();
    assert_eq!(
        (made.text("VersionId"), made.text("IsDefaultVersion")),
        (Some("v2"), Some("false"))
    );
    assert!(may_list(&realm, &ann).await);
    let second = [("PolicyArn", arn.as_str()), ("VersionId", "v2")];
    realm
        .iam(&realm.root, "SetDefaultPolicyVersion", &second)
        .await
        .unwrap();
    assert!(!may_list(&realm, &ann).await);
    let refused = realm
        .iam(&realm.root, "DeletePolicyVersion", &second)
        .await
        .unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (409, "DeleteConflict"));
    let first = [("PolicyArn", arn.as_str()), ("VersionId", "v1")];
    realm
        .iam(&realm.root, "DeletePolicyVersion", &first)
        .await
        .unwrap();
    let gone = realm
        .iam(&realm.root, "GetPolicyVersion", &first)
        .await
        .unwrap_err();
    assert_eq!((gone.status, gone.code.as_str()), (404, "NoSuchEntity"));
}

#[tokio::test]
async fn a_policy_has_five_versions_at_most_and_no_number_comes_twice() {
    let realm = Realm::new().await;
    let arn = policy(&realm, "p", &allow("sqs:*")).await;
    let document = allow("sns:*");
    let add = || {
        let members = [("PolicyArn", arn.as_str()), ("PolicyDocument", document.as_str())];
        let realm = &realm;
        async move { realm.iam(&realm.root, "CreatePolicyVersion", &members).await }
    };
    for _ in 0..4 {
        add().await.unwrap();
    }
    let refused = add().await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (409, "LimitExceeded"));
    let newest = [("PolicyArn", arn.as_str()), ("VersionId", "v5")];
    realm
        .iam(&realm.root, "DeletePolicyVersion", &newest)
        .await
        .unwrap();
    assert_eq!(add().await.unwrap().text("VersionId"), Some("v6"));
    let listed = realm
        .iam(&realm.root, "ListPolicyVersions", &[("PolicyArn", arn.as_str())])
        .await
        .unwrap();
    assert_eq!(listed.texts("VersionId"), ["v6", "v4", "v3", "v2", "v1"]);
}

#[tokio::test]
async fn a_policy_that_somebody_has_is_not_deleted() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    let arn = policy(&realm, "p", &allow("sqs:*")).await;
    at_user(&realm, "AttachUserPolicy", &arn).await;
    let delete = async || {
        let members = [("PolicyArn", arn.as_str())];
        realm.iam(&realm.root, "DeletePolicy", &members).await
    };
    let refused = delete().await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (409, "DeleteConflict"));
    assert_eq!(refused.message, "Cannot delete a policy attached to entities.");
    let refused = realm
        .iam(&realm.root, "DeleteUser", &[("UserName", "ann")])
        .await
        .unwrap_err();
    assert_eq!(refused.code, "DeleteConflict");
    at_user(&realm, "DetachUserPolicy", &arn).await;
    delete().await.unwrap();
    let gone = realm
        .iam(&realm.root, "GetPolicy", &[("PolicyArn", arn.as_str())])
        .await
        .unwrap_err();
    assert_eq!(gone.message, format!("Policy {arn} was not found."));
}

#[tokio::test]
async fn a_user_has_ten_attached_policies_at_most() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    for number in 0..10 {
        let arn = policy(&realm, &format!("p{number}"), &allow("sqs:*")).await;
        at_user(&realm, "AttachUserPolicy", &arn).await;
    }
    let members = [
        ("UserName", "ann"),
        ("PolicyArn", "arn:aws:iam::aws:policy/AmazonSQSFullAccess"),
    ];
    let refused = realm
        .iam(&realm.root, "AttachUserPolicy", &members)
        .await
        .unwrap_err();
    assert_eq!(refused.message, "Cannot exceed quota for PoliciesPerUser: 10");
}

#[tokio::test]
async fn aws_policies_are_attached_but_not_changed() {
    let realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", None).await;
    let arn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    at_user(&realm, "AttachUserPolicy", arn).await;
    assert!(may_list(&realm, &ann).await);
    let found = realm.iam(&ann, "GetPolicy", &[("PolicyArn", arn)]).await.unwrap();
    assert_eq!(
        (found.text("PolicyName"), found.text("AttachmentCount")),
        (Some("IAMReadOnlyAccess"), Some("1"))
    );
    let members = [("PolicyArn", arn), ("PolicyDocument", &allow("*"))];
    let refused = realm
        .iam(&realm.root, "CreatePolicyVersion", &members)
        .await
        .unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (403, "AccessDenied"));
    let members = [
        ("UserName", "ann"),
        ("PolicyArn", "arn:aws:iam::aws:policy/Missing"),
    ];
    let refused = realm
        .iam(&realm.root, "AttachUserPolicy", &members)
        .await
        .unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (404, "NoSuchEntity"));
}

#[tokio::test]
async fn a_managed_policy_has_6144_characters_at_most() {
    let realm = Realm::new().await;
    let document = allow(&format!("sqs:{}", "x".repeat(6_144)));
    let members = [("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    let refused = realm
        .iam(&realm.root, "CreatePolicy", &members)
        .await
        .unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (409, "LimitExceeded"));
}

#[tokio::test]
async fn a_boundary_is_the_most_that_a_user_may_do() {
    let realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", Some(&allow("iam:*"))).await;
    let arn = policy(&realm, "most", &allow("sqs:*")).await;
    assert!(may_list(&realm, &ann).await);
    let members = [("UserName", "ann"), ("PermissionsBoundary", arn.as_str())];
    realm
        .iam(&realm.root, "PutUserPermissionsBoundary", &members)
        .await
        .unwrap();
    let refused = realm.iam(&ann, "ListUsers", &[]).await.unwrap_err();
    assert!(
        refused.message.contains("because no permissions boundary allows"),
        "{}",
        refused.message
    );
    let shown = realm
        .iam(&realm.root, "GetUser", &[("UserName", "ann")])
        .await
        .unwrap();
    assert_eq!(shown.text("PermissionsBoundaryArn"), Some(arn.as_str()));
    let held = realm
        .iam(
            &realm.root,
            "ListEntitiesForPolicy",
            &[
                ("PolicyArn", arn.as_str()),
                ("PolicyUsageFilter", "PermissionsBoundary"),
            ],
        )
        .await
        .unwrap();
    assert_eq!(held.texts("UserName"), ["ann"]);
    realm
        .iam(
            &realm.root,
            "DeleteUserPermissionsBoundary",
            &[("UserName", "ann")],
        )
        .await
        .unwrap();
    assert!(may_list(&realm, &ann).await);
}

#[tokio::test]
async fn users_and_roles_can_be_made_with_a_boundary() {
    let realm = Realm::new().await;
    let arn = policy(&realm, "most", &allow("sqs:*")).await;
    let members = [("UserName", "ann"), ("PermissionsBoundary", arn.as_str())];
    let made = realm.iam(&realm.root, "CreateUser", &members).await.unwrap();
    assert_eq!(made.text("PermissionsBoundaryArn"), Some(arn.as_str()));
    let document = trust(realm.account.as_str());
    let members = [
        ("RoleName", "guest"),
        ("AssumeRolePolicyDocument", document.as_str()),
        ("PermissionsBoundary", arn.as_str()),
    ];
    realm.iam(&realm.root, "CreateRole", &members).await.unwrap();
    let members = [
        ("RoleName", "guest"),
        ("PolicyName", "all"),
        ("PolicyDocument", &allow("*")),
    ];
    realm.iam(&realm.root, "PutRolePolicy", &members).await.unwrap();
    let by = realm
        .user(&realm.root, "by", Some(&allow("sts:AssumeRole")))
        .await;
    let role = format!("arn:aws:iam::{}:role/guest", realm.account);
    let session = realm.assume(&by, &role, &[]).await.unwrap();
    assert!(!may_list(&realm, &session).await);
    let members = [
        ("UserName", "bob"),
        ("PermissionsBoundary", "arn:aws:iam::aws:policy/Missing"),
    ];
    let refused = realm.iam(&realm.root, "CreateUser", &members).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (404, "NoSuchEntity"));
}

#[tokio::test]
async fn who_must_give_a_boundary_cannot_leave_it_out() {
    let realm = Realm::new().await;
    let arn = policy(&realm, "most", &allow("sqs:*")).await;
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["iam:CreateUser", "iam:PutUserPolicy"],
            "Resource": "*",
            "Condition": { "StringEquals": { "iam:PermissionsBoundary": arn } },
        }],
    });
    let clerk = realm
        .user(&realm.root, "clerk", Some(&document.to_string()))
        .await;
    let refused = realm
        .iam(&clerk, "CreateUser", &[("UserName", "ann")])
        .await
        .unwrap_err();
    assert_eq!(refused.code, "AccessDenied");
    let members = [("UserName", "ann"), ("PermissionsBoundary", arn.as_str())];
    realm.iam(&clerk, "CreateUser", &members).await.unwrap();
    let put = async |user| {
        let members = [
            ("UserName", user),
            ("PolicyName", "p"),
            ("PolicyDocument", &allow("*")),
        ];
        realm.iam(&clerk, "PutUserPolicy", &members).await
    };
    put("ann").await.unwrap();
    assert_eq!(put("clerk").await.unwrap_err().code, "AccessDenied");
}

#[tokio::test]
async fn a_condition_on_the_policy_says_what_may_be_attached() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "iam:AttachUserPolicy",
            "Resource": "*",
            "Condition": { "ArnEquals": { "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonSQS*" } },
        }],
    });
    let clerk = realm
        .user(&realm.root, "clerk", Some(&document.to_string()))
        .await;
    let attach = async |arn| {
        let members = [("UserName", "ann"), ("PolicyArn", arn)];
        realm.iam(&clerk, "AttachUserPolicy", &members).await
    };
    attach("arn:aws:iam::aws:policy/AmazonSQSFullAccess")
        .await
        .unwrap();
    let refused = attach("arn:aws:iam::aws:policy/AdministratorAccess")
        .await
        .unwrap_err();
    assert_eq!(refused.code, "AccessDenied");
}

#[tokio::test]
async fn lists_of_policies_are_filtered() {
    let realm = Realm::new().await;
    realm.user(&realm.root, "ann", None).await;
    let arn = policy(&realm, "p", &allow("sqs:*")).await;
    policy(&realm, "q", &allow("sqs:*")).await;
    at_user(&realm, "AttachUserPolicy", &arn).await;
    let names = async |members: &[(&str, &str)]| {
        let listed = realm.iam(&realm.root, "ListPolicies", members).await.unwrap();
        listed
            .texts("PolicyName")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&[("Scope", "Local")]).await, ["p", "q"]);
    assert_eq!(names(&[("OnlyAttached", "true")]).await, ["p"]);
    let of_aws = names(&[("Scope", "AWS"), ("PathPrefix", "/service-role/")]).await;
    assert_eq!(of_aws, ["AWSLambdaSQSQueueExecutionRole"]);
    let listed = realm
        .iam(&realm.root, "ListAttachedUserPolicies", &[("UserName", "ann")])
        .await
        .unwrap();
    assert_eq!(listed.texts("PolicyArn"), [arn.as_str()]);
}

#[tokio::test]
async fn tags_of_a_policy_are_kept_and_decide() {
    let realm = Realm::new().await;
    let arn = policy(&realm, "p", &allow("sqs:*")).await;
    let members = [
        ("PolicyArn", arn.as_str()),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "blue"),
    ];
    realm.iam(&realm.root, "TagPolicy", &members).await.unwrap();
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "iam:GetPolicy",
            "Resource": "*",
            "Condition": { "StringEquals": { "aws:ResourceTag/team": "blue" } },
        }],
    });
    let ann = realm.user(&realm.root, "ann", Some(&document.to_string())).await;
    let members = [("PolicyArn", arn.as_str())];
    assert_eq!(
        realm
            .iam(&ann, "GetPolicy", &members)
            .await
            .unwrap()
            .text("Value"),
        Some("blue")
    );
    let members = [("PolicyArn", arn.as_str()), ("TagKeys.member.1", "team")];
    realm.iam(&realm.root, "UntagPolicy", &members).await.unwrap();
    let members = [("PolicyArn", arn.as_str())];
    assert_eq!(
        realm.iam(&ann, "GetPolicy", &members).await.unwrap_err().code,
        "AccessDenied"
    );
}

#[tokio::test]
async fn a_restart_keeps_policies_versions_attachments_and_boundaries() {
    let mut realm = Realm::new().await;
    let ann = realm.user(&realm.root, "ann", None).await;
    let arn = policy(&realm, "lister", &allow("iam:Get*")).await;
    at_user(&realm, "AttachUserPolicy", &arn).await;
    let members = [
        ("PolicyArn", arn.as_str()),
        ("PolicyDocument", &allow("iam:*")),
        ("SetAsDefault", "true"),
    ];
    realm
        .iam(&realm.root, "CreatePolicyVersion", &members)
        .await
        .unwrap();
    realm.restart().await;
    assert!(may_list(&realm, &ann).await);
    let members = [
        ("UserName", "ann"),
        (
            "PermissionsBoundary",
            "arn:aws:iam::aws:policy/AmazonSQSFullAccess",
        ),
    ];
    realm
        .iam(&realm.root, "PutUserPermissionsBoundary", &members)
        .await
        .unwrap();
    realm.restart().await;
    assert!(!may_list(&realm, &ann).await);
}
