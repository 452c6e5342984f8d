//! Which actions a statement names.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys" of SQS, KMS and STS. What is not
//! listed here belongs to services whose actions this program does not know, and is not judged.

use crate::catalogue;
use crate::context::EmptyContext;
use crate::lint::statement::{Found, Placed, View};
use crate::pattern::{Case, Pattern, Variables, Wildcards};

/// Every action of SQS; the batch operations ask for the action of a single one.
const SQS: [&str; 20] = [
    "AddPermission",
    "CancelMessageMoveTask",
    "ChangeMessageVisibility",
    "CreateQueue",
    "DeleteMessage",
    "DeleteQueue",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "ListMessageMoveTasks",
    "ListQueueTags",
    "ListQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "RemovePermission",
    "SendMessage",
    "SetQueueAttributes",
    "StartMessageMoveTask",
    "TagQueue",
    "UntagQueue",
];

/// Every action of KMS; `ReEncrypt` asks for two.
const KMS: [&str; 58] = [
    "CancelKeyDeletion",
    "ConnectCustomKeyStore",
    "CreateAlias",
    "CreateCustomKeyStore",
    "CreateGrant",
    "CreateKey",
    "Decapsulate",
    "Decrypt",
    "DeleteAlias",
    "DeleteCustomKeyStore",
    "DeleteImportedKeyMaterial",
    "DeriveSharedSecret",
    "DescribeCustomKeyStores",
    "DescribeKey",
    "DisableKey",
    "DisableKeyRotation",
    "DisconnectCustomKeyStore",
    "EnableKey",
    "EnableKeyRotation",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GenerateRandom",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "GetPublicKey",
    "ImportKeyMaterial",
    "ListAliases",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListKeys",
    "ListResourceTags",
    "ListRetirableGrants",
    "PutKeyPolicy",
    "ReEncryptFrom",
    "ReEncryptTo",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "Sign",
    "SynchronizeMultiRegionKey",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateCustomKeyStore",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
    "Verify",
    "VerifyMac",
];

/// Every action of STS.
const STS: [&str; 16] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetCallerIdentity",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetServiceBearerToken",
    "GetSessionToken",
    "GetWebIdentityToken",
    "SetContext",
    "SetSourceIdentity",
    "TagGetWebIdentityToken",
    "TagSession",
];

fn compile(text: &str) -> Option<Pattern> {
    Pattern::compile(text, Wildcards::Active, Variables::Literal).ok()
}

fn covers(pattern: &Pattern, action: &str) -> bool {
    pattern.matches(action, &EmptyContext, Case::Ignored)
}

fn named<'a>(view: &View<'a>) -> Vec<Placed<'a>> {
    let mut named = view.texts("Action");
    named.extend(view.texts("NotAction"));
    named
}

/// Whether a service whose actions are known has none that this names.
fn names_nothing(text: &str) -> bool {
    let Some((prefix, _)) = text.split_once(':') else {
        return false;
    };
    let prefix = prefix.to_lowercase();
    let Some(pattern) = compile(text) else {
        return false;
    };
    let none_of = |names: &[&str]| {
        !names
            .iter()
            .any(|name| covers(&pattern, &format!("{prefix}:{name}")))
    };
    match prefix.as_str() {
        "sqs" => none_of(&SQS),
        "kms" => none_of(&KMS),
        "sts" => none_of(&STS),
        "sns" => !catalogue::is_known_sns_action(&pattern),
        _ => false,
    }
}

/// An action that does not exist.
pub(super) fn unknown(view: &View<'_>) -> Vec<Found> {
    let found = |action: Placed<'_>| {
        let message = format!("there is no action `{}`", action.text);
        let lower = action.text.to_lowercase();
        let help = if lower.starts_with("sqs:") && lower.ends_with("batch") {
            "a batch operation asks for the action of a single one, such as `sqs:SendMessage`"
        } else if lower == "kms:reencrypt" {
            "re-encryption asks for `kms:ReEncryptFrom` and `kms:ReEncryptTo`"
        } else {
            "see the Service Authorization Reference for the service's actions"
        };
        Found::new(action.at, message, help)
    };
    let actions = named(view).into_iter();
    actions
        .filter(|action| names_nothing(action.text))
        .map(found)
        .collect()
}

/// An action that another one of the same list covers.
pub(super) fn redundant(view: &View<'_>) -> Vec<Found> {
    let actions = view.texts("Action");
    let covered = |(index, action): (usize, &Placed<'_>)| {
        let cover = actions.iter().enumerate().find(|(other, wider)| {
            let same = wider.text.eq_ignore_ascii_case(action.text);
            *other != index
                && (!same || *other < index)
                && compile(wider.text).is_some_and(|pattern| covers(&pattern, action.text))
        });
        cover.map(|(_, wider)| {
            let message = format!("`{}` is covered by `{}`", action.text, wider.text);
            Found::new(action.at, message, "leave it out")
        })
    };
    actions.iter().enumerate().filter_map(covered).collect()
}

/// `iam:PassRole` for every role hands every role's rights to whoever may call.
pub(super) fn pass_any_role(view: &View<'_>) -> Vec<Found> {
    let passes = view
        .texts("Action")
        .iter()
        .any(|action| action.text.eq_ignore_ascii_case("iam:PassRole"));
    if !view.allows() || !passes || view.tests_one_of(&["iam:passedtoservice"]) {
        return Vec::new();
    }
    let every = view
        .texts("Resource")
        .into_iter()
        .filter(|resource| resource.text == "*");
    every
        .map(|resource| {
            let message = "`iam:PassRole` on `*` hands out every role of the account";
            Found::new(resource.at, message, "name the roles that may be passed")
        })
        .collect()
}
