mod conditions;
mod federated;
mod own;

use crate::testing_realm::{Keys, Realm, allow, trust, trust_if};
use serde_json::json;

/// A realm with an administrator, because the root user may not assume roles.
async fn realm() -> (Realm, Keys) {
    let realm = Realm::new().await;
    let admin = realm.user(&realm.root, "admin", Some(&allow("*"))).await;
    (realm, admin)
}

#[tokio::test]
async fn everybody_may_ask_who_he_is() {
    let realm = Realm::new().await;
    let root = realm.sts(&realm.root, "GetCallerIdentity", &[]).await.unwrap();
    let account = realm.account.as_str();
    let arn = format!("arn:aws:iam::{account}:root");
    assert_eq!(
        (root.text("Arn"), root.text("UserId")),
        (Some(arn.as_str()), Some(account))
    );
    let user = realm.user(&realm.root, "ann", None).await;
    let user = realm.sts(&user, "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(
        user.text("Arn").unwrap(),
        format!("arn:aws:iam::{account}:user/ann")
    );
}

#[tokio::test]
async fn a_session_is_a_principal_of_its_own_with_the_roles_policies() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let session = realm.assume(&admin, &arn, &[]).await.unwrap();
    assert!(session.id.starts_with("ASIA"));
    let who = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap();
    let expected = format!("arn:aws:sts::{}:assumed-role/guest/session", realm.account);
    assert_eq!(who.text("Arn"), Some(expected.as_str()));
    assert!(who.text("UserId").unwrap().starts_with("AROA"));
    assert!(who.text("UserId").unwrap().ends_with(":session"));
    assert_eq!(
        realm.iam(&session, "ListUsers", &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    let policy = allow("iam:ListUsers");
    let members = [
        ("RoleName", "guest"),
        ("PolicyName", "p"),
        ("PolicyDocument", policy.as_str()),
    ];
    realm.iam(&admin, "PutRolePolicy", &members).await.unwrap();
    realm.iam(&session, "ListUsers", &[]).await.unwrap();
}

#[tokio::test]
async fn a_trust_in_the_account_leaves_the_choice_to_its_policies() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let allowed = realm
        .user(&admin, "allowed", Some(&allow("sts:AssumeRole")))
        .await;
    let other = realm.user(&admin, "other", None).await;
    realm.assume(&allowed, &arn, &[]).await.unwrap();
    assert_eq!(
        realm.assume(&other, &arn, &[]).await.unwrap_err().code,
        "AccessDenied"
    );
}

#[tokio::test]
async fn a_trust_in_a_user_of_the_account_needs_no_policy_of_that_user() {
    let (realm, admin) = realm().await;
    let named = realm.user(&admin, "named", None).await;
    let user = format!("arn:aws:iam::{}:user/named", realm.account);
    let arn = realm.role(&admin, "guest", &trust(&user)).await;
    realm.assume(&named, &arn, &[]).await.unwrap();
    let allowed = realm
        .user(&admin, "allowed", Some(&allow("sts:AssumeRole")))
        .await;
    assert_eq!(
        realm.assume(&allowed, &arn, &[]).await.unwrap_err().code,
        "AccessDenied"
    );
}

#[tokio::test]
async fn across_accounts_both_sides_must_allow() {
    let (realm, admin) = realm().await;
    let (theirs, session) = realm.member(&admin, "theirs").await;
    let guest = realm
        .user(&session, "guest", Some(&allow("sts:AssumeRole")))
        .await;
    let powerless = realm.user(&session, "powerless", None).await;
    let user = |name: &str| format!("arn:aws:iam::{theirs}:user/{name}");
    let closed = realm.role(&admin, "closed", &trust(realm.account.as_str())).await;
    let open = realm.role(&admin, "open", &trust(&theirs)).await;
    let named = realm.role(&admin, "named", &trust(&user("powerless"))).await;
    assert_eq!(
        realm.assume(&guest, &closed, &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    realm.assume(&guest, &open, &[]).await.unwrap();
    assert_eq!(
        realm.assume(&powerless, &open, &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    assert_eq!(
        realm.assume(&powerless, &named, &[]).await.unwrap_err().code,
        "AccessDenied"
    );
}

#[tokio::test]
async fn an_external_id_must_be_the_one_that_the_trust_policy_names() {
    let (realm, admin) = realm().await;
    let condition = json!({ "StringEquals": { "sts:ExternalId": "secret-42" } });
    let arn = realm
        .role(&admin, "guest", &trust_if(realm.account.as_str(), &condition))
        .await;
    realm
        .assume(&admin, &arn, &[("ExternalId", "secret-42")])
        .await
        .unwrap();
    for wrong in [&[("ExternalId", "other")][..], &[]] {
        assert_eq!(
            realm.assume(&admin, &arn, wrong).await.unwrap_err().code,
            "AccessDenied"
        );
    }
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_refused_like_one_that_does_not_trust() {
    let (realm, admin) = realm().await;
    let (theirs, session) = realm.member(&admin, "theirs").await;
    realm.role(&session, "real", &trust(&theirs)).await;
    let answer = async |name: &str| {
        let arn = format!("arn:aws:iam::{theirs}:role/{name}");
        let refused = realm.assume(&admin, &arn, &[]).await.unwrap_err();
        (
            refused.status,
            refused.code,
            refused.message.replace(name, "ROLE"),
        )
    };
    assert_eq!(answer("real").await, answer("none").await);
    assert_eq!(answer("none").await.1, "AccessDenied");
}

#[tokio::test]
async fn the_root_user_may_not_assume_roles() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let refused = realm.assume(&realm.root, &arn, &[]).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (403, "AccessDenied"));
    assert_eq!(refused.message, "Roles may not be assumed by root accounts.");
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let session = realm
        .assume(&admin, &arn, &[("DurationSeconds", "900")])
        .await
        .unwrap();
    realm.advance(899);
    realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap();
    realm.advance(1);
    let refused = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (403, "ExpiredToken"));
}

#[tokio::test]
async fn a_session_survives_a_restart_and_ends_with_its_role() {
    let (mut realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let session = realm.assume(&admin, &arn, &[]).await.unwrap();
    realm.restart().await;
    realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap();
    realm
        .iam(&admin, "DeleteRole", &[("RoleName", "guest")])
        .await
        .unwrap();
    let gone = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(gone.code, "InvalidClientTokenId");
    realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let other = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(other.code, "InvalidClientTokenId");
}

#[tokio::test]
async fn a_token_belongs_to_its_access_key() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let first = realm.assume(&admin, &arn, &[]).await.unwrap();
    let second = realm.assume(&admin, &arn, &[]).await.unwrap();
    let without = Keys {
        token: None,
        ..first.clone()
    };
    let swapped = Keys {
        token: second.token.clone(),
        ..first.clone()
    };
    let borrowed = Keys {
        token: first.token.clone(),
        ..admin.clone()
    };
    for wrong in [without, swapped, borrowed] {
        let refused = realm.sts(&wrong, "GetCallerIdentity", &[]).await.unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (403, "InvalidClientTokenId")
        );
    }
}

#[tokio::test]
async fn a_session_policy_only_narrows() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let policy = allow("iam:List*");
    let members = [
        ("RoleName", "guest"),
        ("PolicyName", "p"),
        ("PolicyDocument", policy.as_str()),
    ];
    realm.iam(&admin, "PutRolePolicy", &members).await.unwrap();
    let narrow = realm
        .assume(&admin, &arn, &[("Policy", &allow("iam:*Users"))])
        .await
        .unwrap();
    realm.iam(&narrow, "ListUsers", &[]).await.unwrap();
    assert_eq!(
        realm.iam(&narrow, "ListRoles", &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    let get = realm
        .assume(&admin, &arn, &[("Policy", &allow("iam:GetUser"))])
        .await
        .unwrap();
    assert_eq!(
        realm
            .iam(&get, "GetUser", &[("UserName", "admin")])
            .await
            .unwrap_err()
            .code,
        "AccessDenied"
    );
    let broken = realm.assume(&admin, &arn, &[("Policy", "{")]).await.unwrap_err();
    assert_eq!(
        (broken.status, broken.code.as_str()),
        (400, "MalformedPolicyDocument")
    );
}

#[tokio::test]
async fn session_tags_are_the_principals_tags_and_are_passed_on_if_transitive() {
    let (realm, admin) = realm().await;
    let account = realm.account.as_str();
    let first = realm.role(&admin, "first", &trust(account)).await;
    let second = realm.role(&admin, "second", &trust(account)).await;
    let tagged = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": "sts:*", "Resource": "*" },
            { "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
              "Condition": { "StringEquals": { "aws:PrincipalTag/team": "red" } } },
            { "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*",
              "Condition": { "StringEquals": { "aws:PrincipalTag/stage": "dev" } } },
        ],
    })
    .to_string();
    for role in ["first", "second"] {
        let members = [
            ("RoleName", role),
            ("PolicyName", "p"),
            ("PolicyDocument", tagged.as_str()),
        ];
        realm.iam(&admin, "PutRolePolicy", &members).await.unwrap();
    }
    let tags = [
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "red"),
        ("Tags.member.2.Key", "stage"),
        ("Tags.member.2.Value", "dev"),
        ("TransitiveTagKeys.member.1", "team"),
    ];
    let one = realm.assume(&admin, &first, &tags).await.unwrap();
    realm.iam(&one, "ListUsers", &[]).await.unwrap();
    realm.iam(&one, "ListRoles", &[]).await.unwrap();
    let two = realm.assume(&one, &second, &[]).await.unwrap();
    realm.iam(&two, "ListUsers", &[]).await.unwrap();
    assert_eq!(
        realm.iam(&two, "ListRoles", &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    let replaced = realm.assume(&one, &second, &tags[..2]).await.unwrap_err();
    assert_eq!(replaced.code, "ValidationError");
}

#[tokio::test]
async fn tags_need_the_permission_to_tag_sessions() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let user = realm.user(&admin, "user", Some(&allow("sts:AssumeRole"))).await;
    realm.assume(&user, &arn, &[]).await.unwrap();
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    let refused = realm.assume(&user, &arn, &tags).await.unwrap_err();
    assert!(refused.message.contains("sts:TagSession"), "{}", refused.message);
}

#[tokio::test]
async fn sessions_have_a_longest_time() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let policy = allow("sts:AssumeRole");
    let members = [
        ("RoleName", "guest"),
        ("PolicyName", "p"),
        ("PolicyDocument", policy.as_str()),
    ];
    realm.iam(&admin, "PutRolePolicy", &members).await.unwrap();
    for wrong in ["899", "3601", "43201"] {
        let refused = realm
            .assume(&admin, &arn, &[("DurationSeconds", wrong)])
            .await
            .unwrap_err();
        assert_eq!(refused.code, "ValidationError", "{wrong}");
    }
    let members = [("RoleName", "guest"), ("MaxSessionDuration", "7200")];
    realm.iam(&admin, "UpdateRole", &members).await.unwrap();
    let session = realm
        .assume(&admin, &arn, &[("DurationSeconds", "7200")])
        .await
        .unwrap();
    let chained = realm
        .assume(&session, &arn, &[("DurationSeconds", "3601")])
        .await
        .unwrap_err();
    assert!(chained.message.contains("role chaining"), "{}", chained.message);
}

#[tokio::test]
async fn what_is_not_built_is_refused() {
    let (realm, admin) = realm().await;
    let arn = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    for member in [("SerialNumber", "123456789"), ("TokenCode", "123456")] {
        let refused = realm.assume(&admin, &arn, &[member]).await.unwrap_err();
        assert!(
            refused.code == "ValidationError" && refused.message.contains("not built"),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn managed_session_policies_limit_the_session_in_their_present_version() {
    let (realm, admin) = realm().await;
    let role = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let members = [
        ("RoleName", "guest"),
        ("PolicyName", "all"),
        ("PolicyDocument", &allow("iam:*")),
    ];
    realm.iam(&admin, "PutRolePolicy", &members).await.unwrap();
    let members = [
        ("PolicyName", "lister"),
        ("PolicyDocument", &allow("iam:ListUsers")),
    ];
    let made = realm.iam(&admin, "CreatePolicy", &members).await.unwrap();
    let arn = made.text("Arn").unwrap();
    let session = realm
        .assume(&admin, &role, &[("PolicyArns.member.1.arn", arn)])
        .await
        .unwrap();
    realm.iam(&session, "ListUsers", &[]).await.unwrap();
    let refused = realm.iam(&session, "ListRoles", &[]).await.unwrap_err();
    assert!(
        refused.message.contains("no session policy allows"),
        "{}",
        refused.message
    );
    let members = [
        ("PolicyArn", arn),
        ("PolicyDocument", &allow("sqs:*")),
        ("SetAsDefault", "true"),
    ];
    realm.iam(&admin, "CreatePolicyVersion", &members).await.unwrap();
    assert_eq!(
        realm.iam(&session, "ListUsers", &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    let misspelt = [("PolicyArns.member.1.Arn", arn)];
    let refused = realm.assume(&admin, &role, &misspelt).await.unwrap_err();
    assert_eq!(refused.code, "ValidationError", "a limit is never left out");
    let missing = [("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/Missing")];
    assert_eq!(
        realm.assume(&admin, &role, &missing).await.unwrap_err().code,
        "ValidationError"
    );
}

#[tokio::test]
async fn a_source_identity_needs_a_permission_and_stays_through_role_chaining() {
    let (realm, admin) = realm().await;
    let account = realm.account;
    let plain = realm.role(&admin, "plain", &trust(account.as_str())).await;
    let named = [("SourceIdentity", "ann")];
    let refused = realm.assume(&admin, &plain, &named).await.unwrap_err();
    assert!(
        refused.message.contains("sts:SetSourceIdentity"),
        "{}",
        refused.message
    );
    let document = |condition: serde_json::Value| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "AWS": account.as_str() },
                "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
                "Condition": condition,
            }],
        })
        .to_string()
    };
    let is_ann = json!({ "StringEquals": { "sts:SourceIdentity": "ann" } });
    let first = realm.role(&admin, "first", &document(is_ann)).await;
    let came_from_ann = json!({ "StringEquals": { "aws:SourceIdentity": "ann" } });
    let second = realm.role(&admin, "second", &document(came_from_ann)).await;
    let members = [
        ("RoleName", "first"),
        ("PolicyName", "all"),
        ("PolicyDocument", &allow("sts:*")),
    ];
    realm.iam(&admin, "PutRolePolicy", &members).await.unwrap();
    assert_eq!(
        realm.assume(&admin, &first, &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    let session = realm.assume(&admin, &first, &named).await.unwrap();
    realm.assume(&session, &second, &[]).await.unwrap();
    let other = realm
        .assume(&session, &second, &[("SourceIdentity", "bob")])
        .await
        .unwrap_err();
    assert!(other.message.contains("cannot be changed"), "{}", other.message);
}

#[tokio::test]
async fn a_user_made_again_under_an_old_name_is_not_trusted() {
    let (mut realm, admin) = realm().await;
    let first = realm.user(&admin, "ann", None).await;
    let user = format!("arn:aws:iam::{}:user/ann", realm.account);
    let arn = realm.role(&admin, "guest", &trust(&user)).await;
    realm.assume(&first, &arn, &[]).await.unwrap();
    let members = [("UserName", "ann"), ("AccessKeyId", first.id.as_str())];
    realm.iam(&admin, "DeleteAccessKey", &members).await.unwrap();
    realm
        .iam(&admin, "DeleteUser", &[("UserName", "ann")])
        .await
        .unwrap();
    let second = realm.user(&admin, "ann", None).await;
    assert_eq!(
        realm.assume(&second, &arn, &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    realm.restart().await;
    assert_eq!(
        realm.assume(&second, &arn, &[]).await.unwrap_err().code,
        "AccessDenied"
    );
    let shown = realm
        .iam(&admin, "GetRole", &[("RoleName", "guest")])
        .await
        .unwrap();
    assert!(shown.text("AssumeRolePolicyDocument").unwrap().contains("AIDA"));
    let policy = trust(&user);
    let members = [("RoleName", "guest"), ("PolicyDocument", policy.as_str())];
    realm
        .iam(&admin, "UpdateAssumeRolePolicy", &members)
        .await
        .unwrap();
    realm.assume(&second, &arn, &[]).await.unwrap();
}

#[tokio::test]
async fn an_access_key_tells_its_account() {
    let (realm, admin) = realm().await;
    let role = realm.role(&admin, "guest", &trust(realm.account.as_str())).await;
    let session = realm.assume(&admin, &role, &[]).await.unwrap();
    realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap();
    for keys in [&admin, &session] {
        let members = [("AccessKeyId", keys.id.as_str())];
        let found = realm.sts(&admin, "GetAccessKeyInfo", &members).await.unwrap();
        assert_eq!(found.text("Account"), Some(realm.account.as_str()));
    }
    let unknown = [("AccessKeyId", "AKIAUNKNOWNUNKNOWN12")];
    let refused = realm.sts(&admin, "GetAccessKeyInfo", &unknown).await.unwrap_err();
    assert_eq!(refused.code, "ValidationError");
}
