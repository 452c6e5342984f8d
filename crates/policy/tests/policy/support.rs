//! Reads test vectors into requests and layers.
use bulla_policy::{
    Grant, GrantConstraint, IdentityOwner, Layers, Level, MapContext, Policy, PolicyKind, Principal, Request,
    ResourcePolicy, Vendor, decide, is_same_account_only,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn vectors() -> Vec<Value> {
    let text = include_str!("../vectors/public.jsonl");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub(crate) fn kind_of_api(api: &str) -> PolicyKind {
    match api {
        "sqs:SetQueueAttributes" => PolicyKind::Resource(Vendor::Sqs),
        "sns:SetTopicAttributes" => PolicyKind::Resource(Vendor::Sns),
        "kms:PutKeyPolicy" | "kms:CreateKey" => PolicyKind::Resource(Vendor::Kms),
        "s3:PutBucketPolicy" => PolicyKind::Resource(Vendor::S3),
        "iam:PutUserPolicy" => PolicyKind::Identity(IdentityOwner::User),
        "iam:UpdateAssumeRolePolicy" => PolicyKind::Trust,
        "organizations:CreatePolicy(SERVICE_CONTROL_POLICY)" => PolicyKind::ServiceControl,
        "organizations:CreatePolicy(RESOURCE_CONTROL_POLICY)" => PolicyKind::ResourceControl,
        other => panic!("no kind for {other}"),
    }
}

/// One decision to make, owning everything it needs.
pub(crate) struct Case {
    principal: String,
    role_arn: String,
    account: String,
    action: String,
    resource: String,
    resource_account: String,
    context: MapContext,
    identity: Vec<Arc<Policy>>,
    boundary: Vec<Arc<Policy>>,
    session: Option<Vec<Arc<Policy>>>,
    endpoint: Vec<Arc<Policy>>,
    service_control: Vec<Level>,
    resource_control: Vec<Level>,
    resource_policy: Option<Policy>,
    grants: Vec<Grant>,
    management_account: Option<String>,
}

impl Case {
    pub(crate) fn read(vector: &Value) -> Self {
        let text = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
        let principal = text("principal");
        let policies = &vector["policies"];
        let context = context(&vector["context"]);
        let action = text("action");
        let vendor = match action.split(':').next().unwrap() {
            "kms" => Vendor::Kms,
            "sns" => Vendor::Sns,
            "s3" => Vendor::S3,
            _ => Vendor::Sqs,
        };
        let identity = PolicyKind::Identity(IdentityOwner::Managed);
        Self {
            account: principal.split(':').nth(4).unwrap_or_default().to_owned(),
            role_arn: role_arn(vector),
            principal,
            resource: text("resource"),
            resource_account: text("resourceAccountId"),
            context,
            identity: list(&policies["identity"], identity),
            boundary: list(&policies["boundary"], PolicyKind::Boundary),
            session: policies["session"]
                .is_object()
                .then(|| vec![parse(&policies["session"], PolicyKind::Session)]),
            endpoint: list(&policies["vpce"], PolicyKind::VpcEndpoint),
            service_control: levels(&policies["scp"], PolicyKind::ServiceControl),
            resource_control: levels(&policies["rcp"], PolicyKind::ResourceControl),
            resource_policy: policies["resource"].is_object().then(|| {
                Policy::parse_lenient(policies["resource"].to_string(), PolicyKind::Resource(vendor)).unwrap()
            }),
            grants: policies["grants"]
                .as_array()
                .into_iter()
                .flatten()
                .map(grant)
                .collect(),
            management_account: vector["org"]["managementAccount"].as_str().map(str::to_owned),
            action,
        }
    }

    pub(crate) fn with<T>(&self, use_case: impl FnOnce(&Request<'_>, &Layers<'_>) -> T) -> T {
        let request = Request {
            principal: principal(&self.principal, &self.account, &self.role_arn),
            action: &self.action,
            resource: &self.resource,
            resource_account: &self.resource_account,
            context: &self.context,
            same_account_only: is_same_account_only(&self.action),
        };
        let resource = match (&self.resource_policy, self.action.starts_with("kms:")) {
            (Some(policy), true) => ResourcePolicy::Mandatory(policy),
            (policy, _) => ResourcePolicy::Ordinary(policy.as_ref()),
        };
        let layers = Layers {
            identity: &self.identity,
            boundary: (!self.boundary.is_empty()).then_some(&self.boundary),
            session: self.session.as_deref(),
            service_control: &self.service_control,
            resource_control: &self.resource_control,
            resource,
            endpoint: (!self.endpoint.is_empty()).then_some(&self.endpoint),
            grants: &self.grants,
            management_account: self.management_account.as_deref(),
        };
        use_case(&request, &layers)
    }
}

/// The role of a session: from the context, otherwise a role without path.
fn role_arn(vector: &Value) -> String {
    let principal = vector["principal"].as_str().unwrap_or_default();
    let arn = vector["context"]["aws:PrincipalArn"].as_str();
    match (arn, principal.split(['/', ':']).nth(6)) {
        (Some(arn), _) => arn.to_owned(),
        (None, Some(role)) => format!(
            "arn:aws:iam::{}:role/{role}",
            principal.split(':').nth(4).unwrap()
        ),
        (None, None) => String::new(),
    }
}

pub(crate) fn principal<'a>(text: &'a str, account: &'a str, role_arn: &'a str) -> Principal<'a> {
    match text.split(':').nth(5) {
        None if text == "anonymous" => Principal::Anonymous,
        None => Principal::Service { name: text },
        Some("root") => Principal::Root { account },
        Some(name) if name.starts_with("user/") => Principal::User { account, arn: text },
        Some(name) if name.starts_with("assumed-role/") => Principal::AssumedRole {
            account,
            role_arn,
            session_arn: text,
        },
        Some(name) if name.starts_with("federated-user/") => Principal::FederatedUser {
            account,
            arn: text,
            user_arn: None,
        },
        Some(other) => panic!("no principal {other}"),
    }
}

fn context(value: &Value) -> MapContext {
    let mut context = MapContext::new();
    for (name, value) in value.as_object().unwrap() {
        match value {
            Value::Array(items) => {
                let items = items
                    .iter()
                    .map(|item| item.as_str().unwrap().to_owned())
                    .collect();
                context.insert_list(name, items);
            }
            Value::String(text) => context.insert(name, text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                context.insert(name, value.to_string());
            }
        }
    }
    context
}

/// Fills what a vector leaves out: user `ann` of account 1 sends to a queue of account 1.
pub(crate) fn outcome(mut vector: Value) -> &'static str {
    let defaults = serde_json::json!({
        "principal": "arn:aws:iam::111111111111:user/ann",
        "action": "sqs:SendMessage",
        "resource": "arn:aws:sqs:eu-central-1:111111111111:orders",
        "resourceAccountId": "111111111111",
        "context": {},
        "policies": {},
    });
    for (name, value) in defaults.as_object().unwrap() {
        if vector.get(name).is_none() {
            vector[name] = value.clone();
        }
    }
    Case::read(&vector).with(decide).outcome.as_str()
}

/// A policy document of version 2012-10-17.
pub(crate) fn document(statements: &Value) -> Value {
    serde_json::json!({"Version": "2012-10-17", "Statement": statements})
}

fn parse(value: &Value, kind: PolicyKind) -> Arc<Policy> {
    Arc::new(
        Policy::parse_lenient(value.to_string(), kind)
            .unwrap_or_else(|error| panic!("{}", error.render("vector"))),
    )
}

fn list(value: &Value, kind: PolicyKind) -> Vec<Arc<Policy>> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|policy| parse(policy, kind))
        .collect()
}

fn levels(value: &Value, kind: PolicyKind) -> Vec<Level> {
    let level = |(index, policies)| Level {
        name: format!("level {index}").into(),
        policies: list(policies, kind),
    };
    value
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(level)
        .collect()
}

fn grant(value: &Value) -> Grant {
    let pairs = |name: &str| {
        let object = value["Constraints"][name].as_object()?;
        let pair = |(key, value): (&String, &Value)| (key.clone(), value.as_str().unwrap().to_owned());
        Some(object.iter().map(pair).collect::<BTreeMap<_, _>>())
    };
    let constraint = pairs("EncryptionContextEquals")
        .map(GrantConstraint::EncryptionContextEquals)
        .or_else(|| pairs("EncryptionContextSubset").map(GrantConstraint::EncryptionContextSubset));
    let operations: Vec<_> = value["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap())
        .collect();
    Grant::new(
        "grant",
        value["GranteePrincipal"].as_str().unwrap(),
        operations,
        constraint.as_ref(),
    )
    .unwrap()
}

/// KMS's check that the caller could put a key policy again: by this policy, and by identity policies that allow.
pub(crate) fn locks_out(policy: &Policy, caller: &str, key: &str) -> bool {
    let account = caller.split(':').nth(4).unwrap();
    let role = caller.split('/').nth(1).unwrap_or_default();
    let role_arn = format!("arn:aws:iam::{account}:role/{role}");
    let everything = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let identity = [Arc::new(
        Policy::parse(everything, PolicyKind::Identity(IdentityOwner::Managed)).unwrap(),
    )];
    let layers = Layers {
        identity: &identity,
        resource: ResourcePolicy::Mandatory(policy),
        ..Layers::default()
    };
    let request = Request {
        principal: principal(caller, account, &role_arn),
        action: "kms:PutKeyPolicy",
        resource: key,
        resource_account: key.split(':').nth(4).unwrap(),
        context: &MapContext::new(),
        same_account_only: false,
    };
    !decide(&request, &layers).is_allowed()
}
