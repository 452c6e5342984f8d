use crate::testing_realm::{Realm, allow, trust};

const NAME: &str = "AWSServiceRoleForOrganizations";
const SERVICE: (&str, &str) = ("AWSServiceName", "organizations.amazonaws.com");

async fn realm() -> Realm {
    let realm = Realm::new().await;
    realm
        .iam(&realm.root, "CreateServiceLinkedRole", &[SERVICE])
        .await
        .unwrap();
    realm
}

#[tokio::test]
async fn a_service_linked_role_trusts_its_service_and_has_its_policy() {
    let mut realm = realm().await;
    realm.restart().await;
    let found = realm
        .iam(&realm.root, "GetRole", &[("RoleName", NAME)])
        .await
        .unwrap();
    let arn = format!(
        "arn:aws:iam::{}:role/aws-service-role/organizations.amazonaws.com/{NAME}",
        realm.account
    );
    assert_eq!(found.text("Arn"), Some(arn.as_str()));
    let trust = found.text("AssumeRolePolicyDocument").unwrap();
    assert!(trust.contains("organizations.amazonaws.com"), "{trust}");
    let listed = realm
        .iam(&realm.root, "ListAttachedRolePolicies", &[("RoleName", NAME)])
        .await
        .unwrap();
    assert_eq!(
        listed.text("PolicyName"),
        Some("AWSOrganizationsServiceTrustPolicy")
    );
}

#[tokio::test]
async fn a_service_linked_role_is_changed_by_nobody() {
    let realm = realm().await;
    let policy = allow("*");
    let trust = trust(realm.account.as_str());
    let attached = "arn:aws:iam::aws:policy/aws-service-role/AWSOrganizationsServiceTrustPolicy";
    let read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let requests: [(&str, &[(&str, &str)]); 9] = [
        ("AttachRolePolicy", &[("PolicyArn", read_only)]),
        ("DetachRolePolicy", &[("PolicyArn", attached)]),
        (
            "PutRolePolicy",
            &[("PolicyName", "p"), ("PolicyDocument", &policy)],
        ),
        ("DeleteRolePolicy", &[("PolicyName", "p")]),
        (
            "PutRolePermissionsBoundary",
            &[("PermissionsBoundary", read_only)],
        ),
        ("DeleteRolePermissionsBoundary", &[]),
        ("UpdateAssumeRolePolicy", &[("PolicyDocument", &trust)]),
        ("UpdateRole", &[("MaxSessionDuration", "7200")]),
        ("DeleteRole", &[]),
    ];
    for (operation, more) in requests {
        let mut members = vec![("RoleName", NAME)];
        members.extend(more);
        let refused = realm.iam(&realm.root, operation, &members).await.unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (400, "UnmodifiableEntity"),
            "{operation}"
        );
        assert_eq!(
            refused.message,
            format!(
                "Cannot perform the operation on the protected role '{NAME}' - this role is only modifiable by AWS"
            )
        );
    }
    let members = [("RoleName", NAME), ("Description", "ours")];
    realm
        .iam(&realm.root, "UpdateRoleDescription", &members)
        .await
        .unwrap();
}

#[tokio::test]
async fn no_other_role_can_look_like_a_service_linked_one() {
    let realm = realm().await;
    let trust = trust(realm.account.as_str());
    let members = [
        ("RoleName", "x"),
        ("Path", "/aws-service-role/organizations.amazonaws.com/"),
        ("AssumeRolePolicyDocument", trust.as_str()),
    ];
    let refused = realm.iam(&realm.root, "CreateRole", &members).await.unwrap_err();
    assert_eq!(refused.code, "ValidationError");
    realm.role(&realm.root, "plain", &trust).await;
    let members = [
        ("RoleName", "plain"),
        (
            "PolicyArn",
            "arn:aws:iam::aws:policy/aws-service-role/AWSOrganizationsServiceTrustPolicy",
        ),
    ];
    let refused = realm
        .iam(&realm.root, "AttachRolePolicy", &members)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "PolicyNotAttachable");
}

#[tokio::test]
async fn a_service_has_one_role_and_only_services_that_need_one_have() {
    let realm = realm().await;
    let requests: [&[(&str, &str)]; 3] = [
        &[SERVICE],
        &[("AWSServiceName", "sqs.amazonaws.com")],
        &[("AWSServiceName", "mrk.kms.amazonaws.com"), ("CustomSuffix", "x")],
    ];
    for members in requests {
        let refused = realm
            .iam(&realm.root, "CreateServiceLinkedRole", members)
            .await
            .unwrap_err();
        assert_eq!(refused.code, "InvalidInput", "{members:?}");
    }
}

#[tokio::test]
async fn a_deletion_of_a_service_linked_role_is_done_at_once_and_can_be_asked_for() {
    let realm = realm().await;
    let name = [("RoleName", NAME)];
    let made = realm
        .iam(&realm.root, "DeleteServiceLinkedRole", &name)
        .await
        .unwrap();
    let task = made.text("DeletionTaskId").unwrap();
    let prefix = format!("task/aws-service-role/organizations.amazonaws.com/{NAME}/");
    assert!(task.starts_with(&prefix), "{task}");
    let ask = async |task: &str| {
        let members = [("DeletionTaskId", task)];
        realm
            .iam(&realm.root, "GetServiceLinkedRoleDeletionStatus", &members)
            .await
    };
    assert_eq!(ask(task).await.unwrap().text("Status"), Some("SUCCEEDED"));
    let unknown = ask(&format!("{prefix}other")).await.unwrap_err();
    assert_eq!(unknown.code, "NoSuchEntity");
    assert_eq!(ask("nonsense").await.unwrap_err().code, "InvalidInput");
    let gone = realm.iam(&realm.root, "GetRole", &name).await.unwrap_err();
    assert_eq!(gone.code, "NoSuchEntity");
    let trust = trust(realm.account.as_str());
    realm.role(&realm.root, "plain", &trust).await;
    let plain = [("RoleName", "plain")];
    let refused = realm
        .iam(&realm.root, "DeleteServiceLinkedRole", &plain)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "NoSuchEntity");
}

#[tokio::test]
async fn a_permission_can_name_the_service() {
    let realm = realm().await;
    let policy = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": "*",
            "Condition": { "StringEquals": { "iam:AWSServiceName": "mrk.kms.amazonaws.com" } },
        }],
    });
    let user = realm.user(&realm.root, "ann", Some(&policy.to_string())).await;
    let ask = async |service| {
        let members = [("AWSServiceName", service)];
        realm.iam(&user, "CreateServiceLinkedRole", &members).await
    };
    ask("mrk.kms.amazonaws.com").await.unwrap();
    let refused = ask("organizations.amazonaws.com").await.unwrap_err();
    assert_eq!(refused.code, "AccessDenied");
}
