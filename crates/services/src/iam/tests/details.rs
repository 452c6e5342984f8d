use crate::iam::entity::Stored;
use crate::iam::managed::policy_arn;
use crate::testing_realm::{Realm, Xml, allow, trust};

/// An account with one of each kind, and an AWS managed policy in use.
async fn realm() -> Realm {
    let realm = Realm::new().await;
    let root = &realm.root;
    realm.user(root, "ann", Some(&allow("sqs:*"))).await;
    let ask = async |operation, members: &[(&str, &str)]| realm.iam(root, operation, members).await.unwrap();
    ask("CreateGroup", &[("GroupName", "staff")]).await;
    ask("AddUserToGroup", &[("GroupName", "staff"), ("UserName", "ann")]).await;
    realm.role(root, "guest", &trust(realm.account.as_str())).await;
    let document = allow("kms:*");
    ask(
        "CreatePolicy",
        &[("PolicyName", "own"), ("PolicyDocument", &document)],
    )
    .await;
    let read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    ask(
        "AttachRolePolicy",
        &[("RoleName", "guest"), ("PolicyArn", read_only)],
    )
    .await;
    realm
}

async fn details(realm: &Realm, members: &[(&str, &str)]) -> Xml {
    realm
        .iam(&realm.root, "GetAccountAuthorizationDetails", members)
        .await
        .unwrap()
}

fn part<'a>(told: &'a Xml, list: &str) -> &'a str {
    told.text(list).unwrap_or_default()
}

#[tokio::test]
async fn everything_of_an_account_is_told_with_its_policies() {
    let realm = realm().await;
    let told = details(&realm, &[]).await;
    let users = part(&told, "UserDetailList");
    assert!(users.contains("<UserName>ann</UserName>") && users.contains("<PolicyName>inline</PolicyName>"));
    assert!(
        users.contains("<GroupList><member>staff</member></GroupList>"),
        "{users}"
    );
    assert!(part(&told, "GroupDetailList").contains("<GroupName>staff</GroupName>"));
    let roles = part(&told, "RoleDetailList");
    assert!(roles.contains("<RoleName>guest</RoleName>") && roles.contains("ReadOnlyAccess"));
    let policies = part(&told, "Policies");
    assert!(policies.contains(">own<") && policies.contains("<VersionId>v1</VersionId>"));
    assert!(policies.contains("policy/ReadOnlyAccess<") && !policies.contains("AdministratorAccess"));
    assert_eq!(told.text("IsTruncated"), Some("false"));
}

#[tokio::test]
async fn only_the_kinds_asked_for_are_told() {
    let realm = realm().await;
    let all = [
        ("User", "<UserName>ann<"),
        ("Group", "<GroupName>staff<"),
        ("Role", "<RoleName>guest<"),
        ("LocalManagedPolicy", "<PolicyName>own<"),
        ("AWSManagedPolicy", "<PolicyId>"),
    ];
    for (kind, _) in all {
        let told = details(&realm, &[("Filter.member.1", kind)]).await;
        for (other, shown) in all {
            let is_policy = kind == "LocalManagedPolicy" && other == "AWSManagedPolicy";
            assert_eq!(
                told.0.contains(shown),
                kind == other || is_policy,
                "{kind}, {other}"
            );
        }
    }
    let refused = realm
        .iam(
            &realm.root,
            "GetAccountAuthorizationDetails",
            &[("Filter.member.1", "Everything")],
        )
        .await
        .unwrap_err();
    assert_eq!(refused.code, "ValidationError");
}

#[tokio::test]
async fn pages_together_tell_everything_once() {
    let realm = realm().await;
    let mut marker: Option<String> = None;
    let mut pages = Vec::new();
    loop {
        let mut members = vec![("MaxItems", "2")];
        members.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let told = details(&realm, &members).await;
        marker = told.text("Marker").map(str::to_owned);
        assert_eq!(
            told.text("IsTruncated"),
            Some(if marker.is_some() { "true" } else { "false" })
        );
        pages.push(told);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(pages.len(), 3);
    for arn in [":user/ann<", ":group/staff<", ":role/guest<", ":policy/own<"] {
        let times = pages
            .iter()
            .map(|page| page.0.matches(&format!("{arn}/Arn>")).count());
        assert_eq!(times.sum::<usize>(), 1, "{arn}");
    }
}

#[tokio::test]
async fn a_page_with_many_bytes_of_documents_ends_early_and_the_next_one_goes_on() {
    let realm = Realm::new().await;
    // White space does not count for the quota.
    let mut document = allow("sqs:*");
    document.push_str(&" ".repeat(131_000 - document.len()));
    let members = [("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    let made = realm.iam(&realm.root, "CreatePolicy", &members).await.unwrap();
    let first = {
        let mut view = realm.iam.view.write().unwrap();
        let first = view.managed(realm.account, made.text("Arn").unwrap()).unwrap();
        let copies = (1..40).map(|number| {
            let mut copy = (*first).clone();
            copy.name = format!("p{number:02}");
            copy.id = format!("ANPA{number:017}").into();
            copy.arn = policy_arn(Some(realm.account), "/", &copy.name);
            Stored::Policy(copy)
        });
        let copies = copies.collect();
        view.apply(copies);
        first
    };
    let stored = first.versions.values().map(|version| version.policy.text().len());
    assert_eq!(stored.sum::<usize>(), 131_000);
    let told = details(&realm, &[]).await;
    assert_eq!(told.text("IsTruncated"), Some("true"));
    let rest = details(&realm, &[("Marker", told.text("Marker").unwrap())]).await;
    assert_eq!(rest.text("IsTruncated"), Some("false"));
    let (mut names, more) = (told.texts("PolicyName"), rest.texts("PolicyName"));
    // 4 MiB over 131,000.
    assert_eq!((names.len(), more.len()), (33, 7));
    names.extend(more);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 40);
}
