//! What becomes of endpoints.

use super::{Cloud, DENY, OTHER, OWNER, VPC, network, subnet, text, texts};
use crate::ec2::Network;
use std::net::Ipv4Addr;

#[tokio::test]
async fn an_endpoint_listens_on_a_free_port_of_each_subnet_of_its_vpc() {
    let cloud = Cloud::new().await;
    let id = cloud.create(&[]).await.unwrap();
    assert_eq!(cloud.listening(), ["10.0.0.1:8000", "10.0.0.2:8000"]);
    assert!(cloud.knows(&id));
}

#[tokio::test]
async fn an_endpoint_listens_in_the_subnets_that_it_asks_for() {
    let cloud = Cloud::new().await;
    cloud.create(&[("SubnetId.1", "subnet-0000000b")]).await.unwrap();
    assert_eq!(cloud.listening(), ["10.0.0.2:8000"]);
}

#[tokio::test]
async fn an_endpoint_that_cannot_listen_everywhere_is_not_made_and_listens_nowhere() {
    let cloud = Cloud::new().await;
    cloud.create(&[("SubnetId.1", "subnet-0000000b")]).await.unwrap();
    let refused = cloud.create(&[]).await.unwrap_err();
    assert_eq!(refused.code, "InsufficientFreeAddressesInSubnet");
    assert_eq!(cloud.listening(), ["10.0.0.2:8000"]);
    assert_eq!(texts(&cloud.describe(&[]).await, "vpcEndpointId").len(), 1);
}

#[tokio::test]
async fn an_answer_shows_where_the_endpoint_listens() {
    let cloud = Cloud::new().await;
    cloud.create(&[("SubnetId.1", "subnet-0000000a")]).await.unwrap();
    let shown = cloud.describe(&[]).await;
    assert_eq!(text(&shown, "key"), "bulla:url:subnet-0000000a");
    assert_eq!(text(&shown, "value"), "https://10.0.0.1:8000");
    assert_eq!(text(&shown, "state"), "available");
}

#[tokio::test]
async fn an_endpoint_listens_again_after_a_restart_and_keeps_its_policy() {
    let cloud = Cloud::new().await;
    let id = cloud.create(&[("PolicyDocument", DENY)]).await.unwrap();
    let cloud = cloud.restarted(&[], network()).await;
    assert_eq!(cloud.listening(), ["10.0.0.1:8000", "10.0.0.2:8000"]);
    assert!(cloud.knows(&id));
    assert!(cloud.describe(&[]).await.contains("sqs:PurgeQueue"));
}

#[tokio::test]
async fn an_endpoint_whose_address_is_taken_after_a_restart_says_so() {
    let cloud = Cloud::new().await;
    cloud.create(&[]).await.unwrap();
    let cloud = cloud.restarted(&["10.0.0.2:8000"], network()).await;
    assert_eq!(cloud.listening(), ["10.0.0.1:8000"]);
    let shown = cloud.describe(&[]).await;
    assert_eq!(text(&shown, "state"), "failed");
    assert!(
        text(&shown, "failureReason").contains("10.0.0.2:8000: the address is in use"),
        "{shown}"
    );
}

#[tokio::test]
async fn an_endpoint_whose_subnet_left_the_settings_does_not_listen_there() {
    let cloud = Cloud::new().await;
    cloud.create(&[]).await.unwrap();
    let only = vec![subnet("subnet-0000000a", Ipv4Addr::new(10, 0, 0, 1), 8000..=8001)];
    let cloud = cloud.restarted(&[], Network::new(only).unwrap()).await;
    assert_eq!(cloud.listening(), ["10.0.0.1:8000"]);
    assert_eq!(text(&cloud.describe(&[]).await, "state"), "failed");
}

#[tokio::test]
async fn a_deleted_endpoint_listens_no_more_and_is_not_known() {
    let cloud = Cloud::new().await;
    let id = cloud.create(&[]).await.unwrap();
    let answer = cloud
        .ask(OWNER, "DeleteVpcEndpoints", &[("VpcEndpointId.1", &id)])
        .await
        .unwrap();
    assert!(!answer.contains("<item>"), "{answer}");
    assert!(cloud.listening().is_empty());
    assert!(!cloud.knows(&id));
    let cloud = cloud.restarted(&[], network()).await;
    assert!(!cloud.knows(&id));
}

#[tokio::test]
async fn deleting_names_each_endpoint_that_is_not_there_and_deletes_the_others() {
    let cloud = Cloud::new().await;
    let id = cloud.create(&[]).await.unwrap();
    let wrong = "vpce-0123456789abcdef0";
    let members = [("VpcEndpointId.1", wrong), ("VpcEndpointId.2", id.as_str())];
    let answer = cloud.ask(OWNER, "DeleteVpcEndpoints", &members).await.unwrap();
    assert_eq!(texts(&answer, "resourceId"), [wrong]);
    assert_eq!(text(&answer, "code"), "InvalidVpcEndpoint.NotFound");
    assert!(!cloud.knows(&id));
}

#[tokio::test]
async fn another_policy_takes_the_place_of_the_first_until_it_is_reset() {
    let cloud = Cloud::new().await;
    let id = cloud.create(&[]).await.unwrap();
    let change = |name, value| [("VpcEndpointId", id.clone()), (name, value)];
    for (members, has_deny) in [
        (change("PolicyDocument", DENY.to_owned()), true),
        (change("ResetPolicy", "true".to_owned()), false),
    ] {
        let members = members.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = cloud.ask(OWNER, "ModifyVpcEndpoint", &members).await.unwrap();
        assert_eq!(text(&answer, "return"), "true");
        assert_eq!(cloud.describe(&[]).await.contains("PurgeQueue"), has_deny);
    }
}

#[tokio::test]
async fn an_endpoint_leaves_subnets_and_enters_others() {
    let cloud = Cloud::new().await;
    let id = cloud.create(&[("SubnetId.1", "subnet-0000000a")]).await.unwrap();
    let members = [
        ("VpcEndpointId", id.as_str()),
        ("AddSubnetId.1", "subnet-0000000b"),
        ("RemoveSubnetId.1", "subnet-0000000a"),
    ];
    cloud.ask(OWNER, "ModifyVpcEndpoint", &members).await.unwrap();
    assert_eq!(cloud.listening(), ["10.0.0.2:8000"]);
    let cloud = cloud.restarted(&[], network()).await;
    assert_eq!(cloud.listening(), ["10.0.0.2:8000"]);
}

#[tokio::test]
async fn another_account_neither_sees_nor_changes_nor_deletes_an_endpoint() {
    let cloud = Cloud::new().await;
    let id = cloud.create(&[]).await.unwrap();
    let shown = cloud.ask(OTHER, "DescribeVpcEndpoints", &[]).await.unwrap();
    assert!(!shown.contains(&id));
    let members = [("VpcEndpointId", id.as_str()), ("ResetPolicy", "true")];
    let refused = cloud.ask(OTHER, "ModifyVpcEndpoint", &members).await.unwrap_err();
    assert_eq!(refused.code, "InvalidVpcEndpointId.NotFound");
    let members = [("VpcEndpointId.1", id.as_str())];
    let answer = cloud.ask(OTHER, "DeleteVpcEndpoints", &members).await.unwrap();
    assert_eq!(texts(&answer, "resourceId"), [id.as_str()]);
    assert!(cloud.knows(&id));
}

#[tokio::test]
async fn a_vpc_is_there_for_its_own_account_alone() {
    let cloud = Cloud::new().await;
    let members = [
        ("VpcEndpointType", "Interface"),
        ("VpcId", VPC),
        ("ServiceName", super::SQS),
    ];
    let refused = cloud.ask(OTHER, "CreateVpcEndpoint", &members).await.unwrap_err();
    assert_eq!(refused.code, "InvalidVpcID.NotFound");
}

#[tokio::test]
async fn a_vpc_without_an_owner_is_there_for_every_account() {
    let mut shared = subnet("subnet-0000000a", Ipv4Addr::new(10, 0, 0, 1), 8000..=8001);
    shared.account = None;
    let cloud = Cloud::new()
        .await
        .restarted(&[], Network::new(vec![shared]).unwrap())
        .await;
    cloud.create(&[]).await.unwrap();
    let members = [
        ("VpcEndpointType", "Interface"),
        ("VpcId", VPC),
        ("ServiceName", super::SQS),
    ];
    let made = cloud.ask(OTHER, "CreateVpcEndpoint", &members).await.unwrap();
    assert_eq!(text(&made, "ownerId"), OTHER);
}

#[tokio::test]
async fn an_endpoint_does_not_listen_in_a_subnet_that_was_given_to_another_account() {
    let cloud = Cloud::new().await;
    cloud.create(&[("SubnetId.1", "subnet-0000000a")]).await.unwrap();
    let mut given = subnet("subnet-0000000a", Ipv4Addr::new(10, 0, 0, 1), 8000..=8001);
    given.account = Some(OTHER.parse().unwrap());
    let cloud = cloud.restarted(&[], Network::new(vec![given]).unwrap()).await;
    assert!(cloud.listening().is_empty());
    assert_eq!(text(&cloud.describe(&[]).await, "state"), "failed");
}

#[tokio::test]
async fn an_endpoint_that_leaves_the_subnet_where_it_failed_is_available() {
    let cloud = Cloud::new().await;
    let id = cloud.create(&[]).await.unwrap();
    let cloud = cloud.restarted(&["10.0.0.2:8000"], network()).await;
    let members = [
        ("VpcEndpointId", id.as_str()),
        ("RemoveSubnetId.1", "subnet-0000000b"),
    ];
    cloud.ask(OWNER, "ModifyVpcEndpoint", &members).await.unwrap();
    assert_eq!(text(&cloud.describe(&[]).await, "state"), "available");
}

#[tokio::test]
async fn entering_a_subnet_needs_a_permission_for_it() {
    let cloud = Cloud::new().await;
    let id = cloud.create(&[("SubnetId.1", "subnet-0000000a")]).await.unwrap();
    let only = |subnet: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"ec2:ModifyVpcEndpoint",
                "Resource":["arn:aws:ec2:*:*:vpc-endpoint/*","arn:aws:ec2:*:*:subnet/{subnet}"]}}}}"#
        )
    };
    let members = [
        ("VpcEndpointId", id.as_str()),
        ("AddSubnetId.1", "subnet-0000000b"),
    ];
    for (name, subnet, allowed) in [
        ("ann", "subnet-0000000a", false),
        ("bob", "subnet-0000000b", true),
    ] {
        let user = cloud.world.people.user(OWNER, name, Some(&only(subnet)));
        assert_eq!(
            cloud.ask(&user, "ModifyVpcEndpoint", &members).await.is_ok(),
            allowed
        );
    }
}
