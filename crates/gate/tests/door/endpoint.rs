//! What a VPC endpoint is to the gate: a limit, and facts that only its listener knows.

use super::echo::{Door, ENDPOINT, Sent};

const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
const SAYING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"echo:Say","Resource":"*"}}"#;

/// A door where ann may do everything under this condition.
fn door_under(condition: &str) -> Door {
    let door = Door::with_policy(&format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}}}"#
    ));
    door.put_endpoint("echo", EVERYTHING);
    door
}

#[tokio::test]
async fn an_endpoint_policy_limits_what_comes_by_the_endpoint_and_nothing_else() {
    let door = Door::new(Some("echo:*"));
    door.put_endpoint("echo", SAYING);
    assert_eq!(door.send_by_endpoint(&Sent::signed("Say")).await.status, 200);
    assert_eq!(door.send_by_endpoint(&Sent::signed("Slow")).await.status, 400);
    assert_eq!(door.send(&Sent::signed("Relay")).await.status, 200);
}

#[tokio::test]
async fn a_denial_by_the_endpoint_policy_says_so() {
    let door = Door::new(Some("echo:*"));
    door.put_endpoint("echo", SAYING);
    let message = door
        .send_by_endpoint(&Sent::signed("Slow"))
        .await
        .field("message");
    assert!(
        message.contains("because no VPC endpoint policy allows"),
        "{message}"
    );
}

#[tokio::test]
async fn an_endpoint_policy_allows_nobody_what_no_other_policy_allows() {
    let door = Door::new(None);
    door.put_endpoint("echo", EVERYTHING);
    assert_eq!(door.send_by_endpoint(&Sent::signed("Say")).await.status, 400);
}

#[tokio::test]
async fn conditions_know_the_endpoint_and_its_network() {
    let door = door_under(&format!(
        r#"{{"StringEquals":{{"aws:SourceVpce":"{ENDPOINT}","aws:SourceVpc":"vpc-11112222","aws:VpceAccount":"444455556666"}},
            "ArnEquals":{{"aws:SourceVpcArn":"arn:aws:ec2:us-east-1:444455556666:vpc/vpc-11112222"}},
            "IpAddress":{{"aws:VpcSourceIp":"127.0.0.1"}},"Null":{{"aws:SourceIp":"true"}}}}"#
    ));
    assert_eq!(door.send_by_endpoint(&Sent::signed("Say")).await.status, 200);
    assert_eq!(door.send(&Sent::signed("Say")).await.status, 400);
}

#[tokio::test]
async fn no_header_makes_a_request_come_by_an_endpoint() {
    let door = door_under(r#"{"Null":{"aws:SourceVpce":"false"}}"#);
    let spoofed = Sent::signed("Say")
        .with_header("source-vpce", ENDPOINT)
        .with_header("x-aws-vpce", ENDPOINT);
    assert_eq!(door.send(&spoofed).await.status, 400);
    assert_eq!(door.send_by_endpoint(&spoofed).await.status, 200);
}

#[tokio::test]
async fn a_forwarded_call_shows_no_endpoint_and_is_not_limited_by_it() {
    let door = Door::with_policy(
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"echo:Relay","Resource":"*"},
            {"Effect":"Allow","Action":"echo:Say","Resource":"*","Condition":{
                "Null":{"aws:SourceVpce":"true","aws:SourceVpc":"true","aws:VpcSourceIp":"true"}}}]}"#,
    );
    let relaying = SAYING.replace("echo:Say", "echo:Relay");
    door.put_endpoint("echo", &relaying);
    assert_eq!(door.send_by_endpoint(&Sent::signed("Relay")).await.status, 200);
}

#[tokio::test]
async fn an_endpoint_policy_limits_also_what_needs_no_permission() {
    let door = Door::new(None);
    door.put_endpoint("echo", SAYING);
    assert_eq!(door.send_by_endpoint(&Sent::signed("Whoami")).await.status, 400);
    door.put_endpoint("echo", EVERYTHING);
    assert_eq!(door.send_by_endpoint(&Sent::signed("Whoami")).await.status, 200);
}

#[tokio::test]
async fn an_endpoint_leads_to_its_service_alone() {
    let door = Door::new(Some("echo:*"));
    door.put_endpoint("sqs", EVERYTHING);
    let answer = door.send_by_endpoint(&Sent::signed("Say")).await;
    assert_eq!(
        (answer.code().as_str(), door.executed()),
        ("AccessDeniedException", 0)
    );
}

#[tokio::test]
async fn an_endpoint_that_was_deleted_leads_nowhere() {
    let door = Door::new(Some("echo:*"));
    let answer = door.send_by_endpoint(&Sent::signed("Say")).await;
    assert_eq!(
        (answer.code().as_str(), door.executed()),
        ("AccessDeniedException", 0)
    );
}
