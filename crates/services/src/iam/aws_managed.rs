//! The AWS managed policies of the services that are here.
//!
//! `ReadOnlyAccess` names at AWS thousands of actions; what stands here is its part about these services. Ids and
//! version numbers are ours: AWS documents neither.
//!
//! Source: AWS Managed Policy Reference, one page each.

use super::documents::labelled_managed;
use super::managed::{ManagedPolicy, PolicyVersion, policy_arn};
use super::validate::Tags;
use bulla_policy::{IdentityOwner, Policy, PolicyKind};
use bulla_types::Timestamp;
use std::collections::BTreeMap;

/// 2015-02-06, when AWS made the first ones.
const FIRST: u64 = 1_423_180_800;

struct Row {
    name: &'static str,
    path: &'static str,
    description: &'static str,
    /// Seconds since 1970.
    created: u64,
    text: &'static str,
}

const fn row(name: &'static str, description: &'static str, text: &'static str) -> Row {
    Row {
        name,
        path: "/",
        description,
        created: FIRST,
        text,
    }
}

const TABLE: &[Row] = &[
    row(
        "AdministratorAccess",
        "Provides full access to AWS services and resources.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    ),
    row(
        "PowerUserAccess",
        "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},{"Effect":"Allow","Action":["account:GetAccountInformation","account:GetPrimaryEmail","account:ListRegions","iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles","organizations:DescribeOrganization"],"Resource":"*"}]}"#,
    ),
    row(
        "ReadOnlyAccess",
        "Provides read-only access to AWS services and resources.",
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"ReadOnlyActions","Effect":"Allow","Action":["iam:Generate*","iam:Get*","iam:List*","iam:Simulate*","kms:Describe*","kms:Get*","kms:List*","organizations:Describe*","organizations:List*","s3:Describe*","s3:Get*","s3:List*","sns:Check*","sns:Get*","sns:List*","sqs:Get*","sqs:List*","sqs:Receive*","sts:GetAccessKeyInfo","sts:GetCallerIdentity","sts:GetSessionToken"],"Resource":"*"}]}"#,
    ),
    row(
        "IAMFullAccess",
        "Provides full access to IAM via the AWS Management Console.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","organizations:DescribeAccount","organizations:DescribeOrganization","organizations:DescribeOrganizationalUnit","organizations:DescribePolicy","organizations:ListChildren","organizations:ListParents","organizations:ListPoliciesForTarget","organizations:ListRoots","organizations:ListPolicies","organizations:ListTargetsForPolicy"],"Resource":"*"}]}"#,
    ),
    row(
        "IAMReadOnlyAccess",
        "Provides read only access to IAM via the AWS Management Console.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}]}"#,
    ),
    row(
        "AWSKeyManagementServicePowerUser",
        "Provides access to AWS Key Management Service (KMS).",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:CreateAlias","kms:CreateKey","kms:DeleteAlias","kms:Describe*","kms:GenerateRandom","kms:Get*","kms:List*","kms:TagResource","kms:UntagResource","iam:ListGroups","iam:ListRoles","iam:ListUsers"],"Resource":"*"}]}"#,
    ),
    row(
        "AmazonSNSFullAccess",
        "Provides full access to Amazon SNS via the AWS Management Console.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:*"],"Resource":"*"}]}"#,
    ),
    row(
        "AmazonSNSReadOnlyAccess",
        "Provides read only access to Amazon SNS via the AWS Management Console.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:GetTopicAttributes","sns:List*","sns:CheckIfPhoneNumberIsOptedOut","sns:GetEndpointAttributes","sns:GetDataProtectionPolicy","sns:GetPlatformApplicationAttributes","sns:GetSMSAttributes","sns:GetSMSSandboxAccountStatus","sns:GetSubscriptionAttributes"],"Resource":"*"}]}"#,
    ),
    row(
        "AmazonSQSFullAccess",
        "Provides full access to Amazon SQS via the AWS Management Console.",
        r#"{"Version":"2012-10-17","Statement":[{"Action":["sqs:*"],"Effect":"Allow","Resource":"*"}]}"#,
    ),
    row(
        "AmazonSQSReadOnlyAccess",
        "Provides read only access to Amazon SQS via the AWS Management Console.",
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"AmazonSQSReadOnlyAccess","Effect":"Allow","Action":["sqs:GetQueueAttributes","sqs:GetQueueUrl","sqs:ListDeadLetterSourceQueues","sqs:ListQueues","sqs:ListMessageMoveTasks","sqs:ListQueueTags"],"Resource":"*"}]}"#,
    ),
    Row {
        name: "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy",
        path: "/aws-service-role/",
        description: "Enables access to AWS services and resources required for AWS KMS multi-Region keys",
        // 2021-06-14.
        created: 1_623_628_800,
        text: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:SynchronizeMultiRegionKey"],"Resource":"*"}]}"#,
    },
    Row {
        name: "AWSOrganizationsServiceTrustPolicy",
        path: "/aws-service-role/",
        description: "A policy to allow AWS Organizations to share trust with other approved AWS Services for the purpose \
                      of simplifying customer configuration.",
        // 2017-10-10.
        created: 1_507_593_600,
        text: r#"{"Version":"2012-10-17","Statement":[{"Sid":"AllowDeletionOfServiceLinkedRoleForOrganizations","Effect":"Allow","Action":["iam:DeleteRole"],"Resource":["arn:aws:iam::*:role/aws-service-role/organizations.amazonaws.com/*"]},{"Sid":"AllowCreationOfServiceLinkedRoles","Effect":"Allow","Action":["iam:CreateServiceLinkedRole"],"Resource":"*"}]}"#,
    },
    Row {
        name: "AWSLambdaSQSQueueExecutionRole",
        path: "/service-role/",
        description: "Provides receive message, delete message, and read attribute access to SQS queues, and write \
                      permissions to CloudWatch logs.",
        // 2018-06-14.
        created: 1_528_934_400,
        text: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    },
];

/// All of them, compiled.
///
/// # Errors
/// One of the documents is not understood: a defect.
pub(super) fn all() -> Result<Vec<ManagedPolicy>, &'static str> {
    TABLE
        .iter()
        .zip(1..)
        .map(|(row, number)| compiled(row, number))
        .collect()
}

fn compiled(row: &Row, number: u32) -> Result<ManagedPolicy, &'static str> {
    let policy = Policy::parse(row.text, PolicyKind::Identity(IdentityOwner::Managed))
        .map_err(|_| "an AWS managed policy that is built in does not compile")?;
    let created = Timestamp::from_seconds(row.created);
    let version = PolicyVersion {
        created,
        policy: labelled_managed(policy, row.name),
    };
    Ok(ManagedPolicy {
        account: None,
        id: format!("ANPAAWSMANAGED{number:07}").into(),
        name: row.name.to_owned(),
        path: row.path.to_owned(),
        arn: policy_arn(None, row.path, row.name),
        created,
        updated: created,
        description: Some(row.description.to_owned()),
        tags: Tags::new(),
        versions: BTreeMap::from([(1, version)]),
        default: 1,
        last: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn every_built_in_policy_compiles_and_has_a_name_of_its_own() {
        let all = all().unwrap();
        let arns: std::collections::BTreeSet<_> = all.iter().map(|policy| &policy.arn).collect();
        assert_eq!(arns.len(), all.len());
        assert!(
            arns.iter()
                .any(|arn| ***arn == *"arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole")
        );
    }
}
