//! What requests may say.

use super::{Cloud, OWNER, SQS, VPC, text, texts};
use crate::testing::Refused;
use serde_json::json;

fn code<T: std::fmt::Debug>(answer: Result<T, Refused>) -> String {
    answer.unwrap_err().code
}

#[tokio::test]
async fn what_is_not_built_is_refused_and_nothing_is_made() {
    let cloud = Cloud::new().await;
    for member in [
        ("SecurityGroupId.1", "sg-11112222"),
        ("RouteTableId.1", "rtb-11112222"),
        ("PrivateDnsEnabled", "true"),
        ("DnsOptions.DnsRecordIpType", "ipv4"),
        ("ServiceRegion", "eu-west-1"),
        ("SubnetConfiguration.1.SubnetId", "subnet-0000000a"),
    ] {
        assert_eq!(
            code(cloud.create(&[member]).await),
            "UnsupportedOperation",
            "{member:?}"
        );
    }
    assert!(cloud.listening().is_empty());
}

#[tokio::test]
async fn wrong_members_are_refused_with_the_codes_of_ec2() {
    let cloud = Cloud::new().await;
    for (member, expected) in [
        (("SubnetId.1", "subnet-99999999"), "InvalidSubnetID.NotFound"),
        (("PolicyDocument", "{"), "InvalidPolicyDocument"),
        (
            ("ServiceName", "com.amazonaws.us-east-1.s3"),
            "InvalidServiceName",
        ),
        (
            ("ServiceName", "com.amazonaws.eu-west-1.sqs"),
            "InvalidServiceName",
        ),
        (("VpcId", "vpc-99999999"), "InvalidVpcID.NotFound"),
        (("VpcId", "vpc-1"), "InvalidVpcID.Malformed"),
        (("VpcEndpointType", "Door"), "InvalidVpcEndpointType"),
        (("VpcEndpointType", "Gateway"), "InvalidParameterValue"),
        (("IpAddressType", "ipv6"), "InvalidParameterValue"),
    ] {
        // The last of two parameters of one name counts.
        assert_eq!(code(cloud.create(&[member]).await), expected, "{member:?}");
    }
}

#[tokio::test]
async fn a_missing_vpc_is_named() {
    let cloud = Cloud::new().await;
    let members = [("VpcEndpointType", "Interface"), ("ServiceName", SQS)];
    let refused = cloud.ask(OWNER, "CreateVpcEndpoint", &members).await.unwrap_err();
    assert_eq!(refused.code, "MissingParameter");
    assert!(refused.message.contains("VpcId"), "{}", refused.message);
}

#[tokio::test]
async fn a_token_makes_one_endpoint_however_often_it_is_sent() {
    let cloud = Cloud::new().await;
    let first = cloud
        .create(&[("ClientToken", "once"), ("SubnetId.1", "subnet-0000000a")])
        .await;
    let again = cloud
        .create(&[("ClientToken", "once"), ("SubnetId.1", "subnet-0000000a")])
        .await;
    assert_eq!(first.unwrap(), again.unwrap());
    let other = cloud
        .create(&[("ClientToken", "once"), ("SubnetId.1", "subnet-0000000b")])
        .await;
    assert_eq!(code(other), "IdempotentParameterMismatch");
}

#[tokio::test]
async fn a_dry_run_says_that_it_would_be_allowed_and_makes_nothing() {
    let cloud = Cloud::new().await;
    let refused = cloud.create(&[("DryRun", "true")]).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (412, "DryRunOperation"));
    assert!(cloud.listening().is_empty());
}

#[tokio::test]
async fn who_may_not_is_told_in_the_words_of_ec2() {
    let cloud = Cloud::new().await;
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*",
        "Action": "ec2:CreateVpcEndpoint",
        "Condition": {"StringEqualsIfExists": {"ec2:VpceServiceName": "com.amazonaws.us-east-1.kms"}}}});
    let ann = cloud.world.people.user(OWNER, "ann", Some(&policy.to_string()));
    let ask = |service| {
        let members = [
            ("VpcEndpointType", "Interface"),
            ("VpcId", VPC),
            ("ServiceName", service),
        ];
        let (cloud, ann) = (&cloud, &ann);
        async move { cloud.ask(ann, "CreateVpcEndpoint", &members).await }
    };
    let refused = ask(SQS).await.unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "UnauthorizedOperation")
    );
    assert!(
        refused
            .message
            .starts_with("You are not authorized to perform this operation. User: "),
        "{}",
        refused.message
    );
    ask("com.amazonaws.us-east-1.kms").await.unwrap();
}

#[tokio::test]
async fn tags_are_kept_and_found_and_reserved_ones_refused() {
    let cloud = Cloud::new().await;
    let tag = |key| {
        [
            ("TagSpecification.1.ResourceType", "vpc-endpoint"),
            ("TagSpecification.1.Tag.1.Key", key),
            ("TagSpecification.1.Tag.1.Value", "blue"),
            ("SubnetId.1", "subnet-0000000a"),
        ]
    };
    assert_eq!(
        code(cloud.create(&tag("bulla:url")).await),
        "InvalidParameterValue"
    );
    let id = cloud.create(&tag("team")).await.unwrap();
    for (value, expected) in [("bl*", vec![id]), ("red", vec![])] {
        let shown = cloud
            .describe(&[("Filter.1.Name", "tag:team"), ("Filter.1.Value.1", value)])
            .await;
        assert_eq!(texts(&shown, "vpcEndpointId"), expected);
    }
}

#[tokio::test]
async fn a_filter_that_does_not_exist_is_refused() {
    let cloud = Cloud::new().await;
    let members = [("Filter.1.Name", "colour"), ("Filter.1.Value.1", "blue")];
    let answer = cloud.ask(OWNER, "DescribeVpcEndpoints", &members).await;
    assert_eq!(code(answer), "InvalidParameterValue");
}

#[tokio::test]
async fn pages_show_every_endpoint_once() {
    let cloud = Cloud::new().await;
    let mut made = Vec::new();
    for _ in 0..2 {
        made.push(cloud.create(&[("SubnetId.1", "subnet-0000000a")]).await.unwrap());
    }
    made.sort();
    let first = cloud.describe(&[("MaxResults", "1")]).await;
    let token = text(&first, "nextToken");
    let second = cloud
        .describe(&[("MaxResults", "1"), ("NextToken", &token)])
        .await;
    let shown = [texts(&first, "vpcEndpointId"), texts(&second, "vpcEndpointId")].concat();
    assert_eq!(shown, made);
    assert!(text(&second, "nextToken").is_empty());
}
