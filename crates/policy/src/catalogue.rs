//! What services fix outside of any policy: which of their actions a resource policy can name, and which never work
//! across accounts.
//!
//! Source: Service Authorization Reference; SQS Developer Guide, "Limitations of Amazon SQS custom policies";
//! SNS Developer Guide, "Amazon SNS API permissions".

use crate::context::EmptyContext;
use crate::kind::Vendor;
use crate::pattern::{Case, Pattern};

/// Actions a topic policy can name.
const SNS_TOPIC_ACTIONS: [&str; 17] = [
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:GetDataProtectionPolicy",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:ListTagsForResource",
    "sns:Publish",
    "sns:PutDataProtectionPolicy",
    "sns:Receive",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sns:TagResource",
    "sns:UntagResource",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
];

/// Actions of SNS that no topic policy can name: they have no topic, or create it.
const SNS_OTHER_ACTIONS: [&str; 25] = [
    "sns:CheckIfPhoneNumberIsOptedOut",
    "sns:ConfirmSubscription",
    "sns:CreatePlatformApplication",
    "sns:CreatePlatformEndpoint",
    "sns:CreateSMSSandboxPhoneNumber",
    "sns:CreateTopic",
    "sns:DeleteEndpoint",
    "sns:DeletePlatformApplication",
    "sns:DeleteSMSSandboxPhoneNumber",
    "sns:GetEndpointAttributes",
    "sns:GetPlatformApplicationAttributes",
    "sns:GetSMSAttributes",
    "sns:GetSMSSandboxAccountStatus",
    "sns:ListEndpointsByPlatformApplication",
    "sns:ListOriginationNumbers",
    "sns:ListPhoneNumbersOptedOut",
    "sns:ListPlatformApplications",
    "sns:ListSMSSandboxPhoneNumbers",
    "sns:ListSubscriptions",
    "sns:ListTopics",
    "sns:OptInPhoneNumber",
    "sns:SetEndpointAttributes",
    "sns:SetPlatformApplicationAttributes",
    "sns:SetSMSAttributes",
    "sns:VerifySMSSandboxPhoneNumber",
];

/// Actions that work within the owner's account only, whatever a policy says.
const SAME_ACCOUNT_ONLY: [&str; 12] = [
    "sqs:AddPermission",
    "sqs:CancelMessageMoveTask",
    "sqs:CreateQueue",
    "sqs:DeleteQueue",
    "sqs:ListMessageMoveTasks",
    "sqs:ListQueues",
    "sqs:ListQueueTags",
    "sqs:RemovePermission",
    "sqs:SetQueueAttributes",
    "sqs:StartMessageMoveTask",
    "sqs:TagQueue",
    "sqs:UntagQueue",
];

/// Whether `action` (`sqs:SetQueueAttributes`) never works across accounts, whatever a policy says.
#[must_use]
pub fn is_same_account_only(action: &str) -> bool {
    SAME_ACCOUNT_ONLY
        .iter()
        .any(|known| known.eq_ignore_ascii_case(action))
}

/// Whether SNS has an action that this names.
pub(crate) fn is_known_sns_action(action: &Pattern) -> bool {
    let covers = |known: &str| action.matches(known, &EmptyContext, Case::Ignored);
    let mut known = SNS_TOPIC_ACTIONS.iter().chain(&SNS_OTHER_ACTIONS);
    known.any(|known| covers(known))
}

/// What is wrong with an action in a resource policy of this service, if anything.
pub(crate) fn action_fault(vendor: Vendor, action: &Pattern) -> Option<&'static str> {
    let covers = |known: &str| action.matches(known, &EmptyContext, Case::Ignored);
    match vendor {
        Vendor::Kms | Vendor::Sqs => None,
        Vendor::Sns => {
            let in_scope = SNS_TOPIC_ACTIONS.iter().any(|known| covers(known));
            let out_of_scope = SNS_OTHER_ACTIONS.iter().any(|known| covers(known));
            (out_of_scope || !in_scope).then_some("a topic policy can name actions on the topic only")
        }
        Vendor::S3 => crate::s3::is_unknown(action).then_some("S3 has no such action"),
    }
}
