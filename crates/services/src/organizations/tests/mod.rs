mod controls;

use super::organization::{Creation, CreationState};
use super::view::Stored;
use crate::testing::World;
use crate::testing_realm::{Keys, Realm, allow, open};
use bulla_gate::Organizations as _;
use bulla_types::AccountId;
use serde_json::{Value, json};

async fn realm() -> (Realm, Keys) {
    let realm = Realm::new().await;
    let admin = realm.user(&realm.root, "admin", Some(&allow("*"))).await;
    (realm, admin)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn root_id(realm: &Realm) -> String {
    let roots = realm
        .organizations(&realm.root, "ListRoots", json!({}))
        .await
        .unwrap();
    text(&roots["Roots"][0]["Id"])
}

async fn unit(realm: &Realm, parent: &str, name: &str) -> String {
    let input = json!({ "ParentId": parent, "Name": name });
    let made = realm
        .organizations(&realm.root, "CreateOrganizationalUnit", input)
        .await
        .unwrap();
    text(&made["OrganizationalUnit"]["Id"])
}

fn path(realm: &Realm, account: &str) -> Option<String> {
    let place = realm.organizations.place(AccountId::parse(account).unwrap())?;
    Some(place.path.to_string())
}

#[tokio::test]
async fn the_first_start_makes_an_organization_once() {
    let mut realm = Realm::new().await;
    let found = realm
        .organizations(&realm.root, "DescribeOrganization", json!({}))
        .await
        .unwrap();
    let organization = &found["Organization"];
    assert_eq!(organization["MasterAccountId"], realm.account.as_str());
    assert_eq!(organization["FeatureSet"], "ALL");
    let id = text(&organization["Id"]);
    assert_eq!(
        organization["MasterAccountArn"],
        format!("arn:aws:organizations::{0}:account/{id}/{0}", realm.account)
    );
    let again = realm
        .organizations(&realm.root, "CreateOrganization", json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (again.status, again.code.as_str()),
        (400, "AlreadyInOrganizationException")
    );
    // Fails if there were another first start.
    realm.restart().await;
}

#[tokio::test]
async fn a_new_account_is_entered_by_its_access_role() {
    let (realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    let who = realm.sts(&session, "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(who.text("Account"), Some(account.as_str()));
    realm
        .iam(&session, "CreateUser", &[("UserName", "ann")])
        .await
        .unwrap();
    let found = realm
        .organizations(&admin, "DescribeAccount", json!({ "AccountId": account }))
        .await
        .unwrap();
    assert_eq!(
        (&found["Account"]["Name"], &found["Account"]["Email"]),
        (&json!("dev"), &json!("dev@example.com"))
    );
    assert_eq!(
        (&found["Account"]["Status"], &found["Account"]["JoinedMethod"]),
        (&json!("ACTIVE"), &json!("CREATED"))
    );
}

#[tokio::test]
async fn the_access_role_trusts_the_management_account_alone() {
    let (realm, admin) = realm().await;
    let (account, _) = realm.member(&admin, "dev").await;
    let (_, stranger) = realm.member(&admin, "prod").await;
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    assert_eq!(
        realm.assume(&stranger, &role, &[]).await.unwrap_err().code,
        "AccessDenied"
    );
}

#[tokio::test]
async fn an_email_address_belongs_to_one_account() {
    let realm = Realm::new().await;
    let input = json!({ "AccountName": "dev", "Email": "dev@example.com" });
    let first = realm
        .organizations(&realm.root, "CreateAccount", input.clone())
        .await
        .unwrap();
    assert_eq!(first["CreateAccountStatus"]["State"], "SUCCEEDED");
    let second = realm
        .organizations(&realm.root, "CreateAccount", input)
        .await
        .unwrap();
    let status = &second["CreateAccountStatus"];
    assert_eq!(
        (&status["State"], &status["FailureReason"]),
        (&json!("FAILED"), &json!("EMAIL_ALREADY_EXISTS"))
    );
    let asked = json!({ "CreateAccountRequestId": status["Id"] });
    let told = realm
        .organizations(&realm.root, "DescribeCreateAccountStatus", asked)
        .await
        .unwrap();
    assert_eq!(told["CreateAccountStatus"], *status);
}

#[tokio::test]
async fn units_make_a_tree_of_five_levels() {
    let realm = Realm::new().await;
    let mut parent = root_id(&realm).await;
    for level in 0..5 {
        parent = unit(&realm, &parent, &format!("level {level}")).await;
    }
    let input = json!({ "ParentId": parent, "Name": "too deep" });
    let refused = realm
        .organizations(&realm.root, "CreateOrganizationalUnit", input)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "ConstraintViolationException");
}

#[tokio::test]
async fn siblings_have_names_of_their_own() {
    let realm = Realm::new().await;
    let root = root_id(&realm).await;
    let dev = unit(&realm, &root, "Dev").await;
    let prod = unit(&realm, &root, "Prod").await;
    unit(&realm, &dev, "Dev").await;
    let input = json!({ "ParentId": root, "Name": "Dev" });
    let refused = realm
        .organizations(&realm.root, "CreateOrganizationalUnit", input)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "DuplicateOrganizationalUnitException");
    let rename = |name: &str| json!({ "OrganizationalUnitId": prod, "Name": name });
    let refused = realm
        .organizations(&realm.root, "UpdateOrganizationalUnit", rename("Dev"))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "DuplicateOrganizationalUnitException");
    let renamed = realm
        .organizations(&realm.root, "UpdateOrganizationalUnit", rename("Live"))
        .await
        .unwrap();
    assert_eq!(renamed["OrganizationalUnit"]["Name"], "Live");
}

#[tokio::test]
async fn a_moved_account_has_another_path_at_once_and_after_a_restart() {
    let (mut realm, admin) = realm().await;
    let root = root_id(&realm).await;
    let (account, _) = realm.member(&admin, "dev").await;
    let found = realm
        .organizations(&realm.root, "DescribeOrganization", json!({}))
        .await
        .unwrap();
    let top = format!("{}/{root}/", text(&found["Organization"]["Id"]));
    assert_eq!(path(&realm, &account), Some(top.clone()));
    let outer = unit(&realm, &root, "Outer").await;
    let inner = unit(&realm, &outer, "Inner").await;
    let input = json!({ "AccountId": account, "SourceParentId": root, "DestinationParentId": inner });
    realm
        .organizations(&admin, "MoveAccount", input.clone())
        .await
        .unwrap();
    assert_eq!(path(&realm, &account), Some(format!("{top}{outer}/{inner}/")));
    realm.restart().await;
    assert_eq!(path(&realm, &account), Some(format!("{top}{outer}/{inner}/")));
    let parents = realm
        .organizations(&admin, "ListParents", json!({ "ChildId": account }))
        .await
        .unwrap();
    assert_eq!(
        parents["Parents"],
        json!([{ "Id": inner, "Type": "ORGANIZATIONAL_UNIT" }])
    );
    let again = realm
        .organizations(&admin, "MoveAccount", input)
        .await
        .unwrap_err();
    assert_eq!(again.code, "SourceParentNotFoundException");
}

#[tokio::test]
async fn a_unit_is_deleted_only_when_it_is_empty() {
    let (realm, admin) = realm().await;
    let root = root_id(&realm).await;
    let outer = unit(&realm, &root, "Outer").await;
    let (account, _) = realm.member(&admin, "dev").await;
    let step = |from: &str, to: &str| json!({ "AccountId": account, "SourceParentId": from, "DestinationParentId": to });
    realm
        .organizations(&admin, "MoveAccount", step(&root, &outer))
        .await
        .unwrap();
    let delete = || {
        realm.organizations(
            &admin,
            "DeleteOrganizationalUnit",
            json!({ "OrganizationalUnitId": outer }),
        )
    };
    assert_eq!(
        delete().await.unwrap_err().code,
        "OrganizationalUnitNotEmptyException"
    );
    realm
        .organizations(&admin, "MoveAccount", step(&outer, &root))
        .await
        .unwrap();
    delete().await.unwrap();
    assert_eq!(
        delete().await.unwrap_err().code,
        "OrganizationalUnitNotFoundException"
    );
}

#[tokio::test]
async fn only_the_management_account_changes_the_organization() {
    let (realm, admin) = realm().await;
    let root = root_id(&realm).await;
    let (_, session) = realm.member(&admin, "dev").await;
    realm
        .organizations(&session, "DescribeOrganization", json!({}))
        .await
        .unwrap();
    let input = json!({ "ParentId": root, "Name": "Mine" });
    let refused = realm
        .organizations(&session, "CreateOrganizationalUnit", input)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "AccessDeniedException")
    );
    assert_eq!(
        realm
            .organizations(&session, "ListAccounts", json!({}))
            .await
            .unwrap_err()
            .code,
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn an_account_that_left_is_in_no_organization_and_may_make_one() {
    let (mut realm, admin) = realm().await;
    let (account, session) = realm.member(&admin, "dev").await;
    realm
        .organizations(
            &admin,
            "RemoveAccountFromOrganization",
            json!({ "AccountId": account }),
        )
        .await
        .unwrap();
    assert_eq!(path(&realm, &account), None);
    let refused = realm
        .organizations(&session, "DescribeOrganization", json!({}))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "AWSOrganizationsNotInUseException");
    realm
        .organizations(&session, "CreateOrganization", json!({ "FeatureSet": "ALL" }))
        .await
        .unwrap();
    realm.restart().await;
    assert!(path(&realm, &account).is_some());
    let manager = json!({ "AccountId": realm.account.as_str() });
    let refused = realm
        .organizations(&admin, "RemoveAccountFromOrganization", manager)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "MasterCannotLeaveOrganizationException");
    realm
        .organizations(&session, "DeleteOrganization", json!({}))
        .await
        .unwrap();
    assert_eq!(path(&realm, &account), None);
    assert_eq!(
        realm
            .organizations(&admin, "DeleteOrganization", json!({}))
            .await
            .map(drop),
        Ok(()),
        "nobody else is in it"
    );
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    let realm = Realm::new().await;
    for number in 0..4 {
        let input = json!({ "AccountName": "a", "Email": format!("a{number}@example.com") });
        realm
            .organizations(&realm.root, "CreateAccount", input)
            .await
            .unwrap();
    }
    let (mut listed, mut token) = (Vec::new(), Value::Null);
    loop {
        let input = json!({ "MaxResults": 2, "NextToken": token });
        let page = realm
            .organizations(&realm.root, "ListAccounts", input)
            .await
            .unwrap();
        listed.extend(
            page["Accounts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|account| text(&account["Id"])),
        );
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(listed.len(), 5);
    assert!(listed.is_sorted());
    let refused = realm
        .organizations(&realm.root, "ListAccounts", json!({ "MaxResults": 21 }))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "InvalidInputException");
}

#[tokio::test]
async fn the_policies_of_the_management_account_decide_who_may_change_the_organization() {
    let (realm, admin) = realm().await;
    let root = root_id(&realm).await;
    let reader = realm
        .user(&admin, "reader", Some(&allow("organizations:List*")))
        .await;
    realm
        .organizations(&reader, "ListAccounts", json!({}))
        .await
        .unwrap();
    let input = json!({ "ParentId": root, "Name": "Mine" });
    let refused = realm
        .organizations(&reader, "CreateOrganizationalUnit", input)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "AccessDeniedException")
    );
    assert!(
        refused.message.contains("organizations:CreateOrganizationalUnit"),
        "{}",
        refused.message
    );
}

#[tokio::test]
async fn a_request_for_an_account_that_was_interrupted_is_finished_at_the_next_start() {
    let (mut realm, admin) = realm().await;
    let account = AccountId::parse("111122223333").unwrap();
    let creation = Creation {
        id: "car-00000001".to_owned(),
        name: "dev".to_owned(),
        email: "dev@example.com".to_owned(),
        role_name: "Entrance".to_owned(),
        requested: realm.world.runtime.clock.now(),
        state: CreationState::InProgress { account },
    };
    let manager = realm.account;
    let write = realm.organizations.write(manager, |view| {
        Ok((
            vec![Stored::Creation(view.of(manager)?.organization.id, creation)],
            (),
        ))
    });
    write.await.unwrap();
    let asked = json!({ "CreateAccountRequestId": "car-00000001" });
    let told = realm
        .organizations(&admin, "DescribeCreateAccountStatus", asked.clone())
        .await
        .unwrap();
    assert_eq!(told["CreateAccountStatus"]["State"], "IN_PROGRESS");
    realm.restart().await;
    let told = realm
        .organizations(&admin, "DescribeCreateAccountStatus", asked)
        .await
        .unwrap();
    assert_eq!(told["CreateAccountStatus"]["State"], "SUCCEEDED");
    realm
        .assume(&admin, "arn:aws:iam::111122223333:role/Entrance", &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_first_start_that_was_interrupted_is_taken_up() {
    let world = World::new();
    let account = AccountId::parse("111122223333").unwrap();
    let (_, _, _, organizations) = open(&world).await;
    let begun = organizations
        .create(account, "management", world.runtime.clock.now())
        .await
        .unwrap();
    let (_, _, _, organizations) = open(&world).await;
    let first = organizations.first_start(None).await.unwrap().unwrap();
    assert_eq!((first.account, first.organization), (account, begun.id));
    assert!(organizations.first_start(None).await.unwrap().is_none());
    assert!(!format!("{first:?}").contains(first.secret_access_key.expose()));
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let realm = Realm::new().await;
    let root = &realm.root;
    let answers = [
        realm.iam(root, "CreateInstanceProfile", &[]).await.unwrap_err(),
        realm.sts(root, "AssumeRoleWithSAML", &[]).await.unwrap_err(),
    ];
    for refused in answers {
        assert_eq!(refused.code, "UnsupportedOperation", "{refused:?}");
        assert!(refused.message.ends_with("is not built."), "{refused:?}");
    }
    let refused = realm
        .organizations(root, "RegisterDelegatedAdministrator", json!({}))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "UnsupportedOperationException");
}
