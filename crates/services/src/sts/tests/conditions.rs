//! What a trust policy can ask of a request for a session.

use super::realm;
use crate::testing_realm::{allow, trust_if};
use serde_json::{Value, json};

const TEAM: [(&str, &str); 2] = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];

/// A role that trusts the account under a condition: what is answered to requests with more members.
async fn answers(condition: &Value, requests: &[&[(&str, &str)]]) -> Vec<bool> {
    let (realm, admin) = realm().await;
    let arn = realm
        .role(&admin, "guest", &trust_if(realm.account.as_str(), condition))
        .await;
    let mut answers = Vec::new();
    for more in requests {
        let members: Vec<_> = [("RoleArn", arn.as_str()), ("RoleSessionName", "session")]
            .into_iter()
            .filter(|(name, _)| more.iter().all(|(other, _)| other != name))
            .chain(more.iter().copied())
            .collect();
        let answer = realm.sts(&admin, "AssumeRole", &members).await;
        if let Err(refused) = &answer {
            assert_eq!(refused.code, "AccessDenied", "{refused:?}");
        }
        answers.push(answer.is_ok());
    }
    answers
}

#[tokio::test]
async fn a_trust_policy_can_ask_for_the_name_of_the_session() {
    let condition = json!({ "StringLike": { "sts:RoleSessionName": "ann-*" } });
    let named = [("RoleSessionName", "ann-1")];
    assert_eq!(answers(&condition, &[&named, &[]]).await, [true, false]);
}

#[tokio::test]
async fn a_trust_policy_can_ask_for_tags_of_the_session() {
    let value = json!({ "StringEquals": { "aws:RequestTag/team": ["red", "blue"] } });
    let green = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "green")];
    assert_eq!(answers(&value, &[&TEAM, &green, &[]]).await, [true, false, false]);
    let keys = json!({
        "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] },
        "Null": { "aws:TagKeys": "false" },
    });
    let other = [("Tags.member.1.Key", "stage"), ("Tags.member.1.Value", "dev")];
    assert_eq!(answers(&keys, &[&TEAM, &other, &[]]).await, [true, false, false]);
}

#[tokio::test]
async fn a_trust_policy_can_ask_for_what_a_session_passes_on() {
    let condition = json!({ "ForAnyValue:StringEquals": { "sts:TransitiveTagKeys": ["team"] } });
    let mut passed = TEAM.to_vec();
    passed.push(("TransitiveTagKeys.member.1", "team"));
    assert_eq!(answers(&condition, &[&passed, &TEAM]).await, [true, false]);
}

#[tokio::test]
async fn a_trust_policy_can_ask_for_tags_of_the_caller() {
    let (realm, admin) = realm().await;
    let condition = json!({ "StringEquals": { "aws:PrincipalTag/team": "red" } });
    let arn = realm
        .role(&admin, "guest", &trust_if(realm.account.as_str(), &condition))
        .await;
    let user = realm.user(&admin, "ann", Some(&allow("sts:*"))).await;
    let refused = realm.assume(&user, &arn, &[]).await.unwrap_err();
    assert_eq!(refused.code, "AccessDenied");
    let mut members = vec![("UserName", "ann")];
    members.extend(TEAM);
    realm.iam(&admin, "TagUser", &members).await.unwrap();
    realm.assume(&user, &arn, &[]).await.unwrap();
}

#[tokio::test]
async fn temporary_credentials_say_that_they_were_made_without_mfa() {
    let (realm, admin) = realm().await;
    let condition = json!({ "Bool": { "aws:MultiFactorAuthPresent": "false" } });
    let arn = realm
        .role(&admin, "guest", &trust_if(realm.account.as_str(), &condition))
        .await;
    let refused = realm.assume(&admin, &arn, &[]).await.unwrap_err();
    assert_eq!(
        refused.code, "AccessDenied",
        "long-term credentials have no such key"
    );
    let session = realm.sts(&admin, "GetSessionToken", &[]).await.unwrap();
    realm
        .assume(&crate::testing_realm::keys(&session), &arn, &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn transitive_tags_are_passed_on_through_a_chain_of_three() {
    let (realm, admin) = realm().await;
    let account = realm.account;
    let red = json!({ "StringEquals": { "aws:PrincipalTag/team": "red" } });
    let first = realm
        .role(&admin, "first", &trust_if(account.as_str(), &json!({})))
        .await;
    let second = realm
        .role(&admin, "second", &trust_if(account.as_str(), &red))
        .await;
    let third = realm
        .role(&admin, "third", &trust_if(account.as_str(), &red))
        .await;
    for role in ["first", "second"] {
        let policy = allow("sts:*");
        let members = [
            ("RoleName", role),
            ("PolicyName", "p"),
            ("PolicyDocument", policy.as_str()),
        ];
        realm.iam(&admin, "PutRolePolicy", &members).await.unwrap();
    }
    let mut passed = TEAM.to_vec();
    passed.push(("TransitiveTagKeys.member.1", "team"));
    let one = realm.assume(&admin, &first, &passed).await.unwrap();
    let two = realm.assume(&one, &second, &[]).await.unwrap();
    realm.assume(&two, &third, &[]).await.unwrap();
    let plain = realm.assume(&admin, &first, &TEAM).await.unwrap();
    let two = realm.assume(&plain, &second, &[]).await.unwrap();
    let refused = realm.assume(&two, &third, &[]).await.unwrap_err();
    assert_eq!(refused.code, "AccessDenied", "the tag was not passed on");
}
