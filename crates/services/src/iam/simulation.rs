//! The policy simulator: the evaluator that the gate asks, asked about what nobody does.
//!
//! A simulation sees the policies that stand and those that the request brings, and no condition keys but those of the
//! request. It decides one action on one resource at a time.

use super::Iam;
use super::documents::{compile, labelled};
use super::entity::{Entity, Group, Role, User};
use super::errors::IamError;
use super::limits::POLICY_SENT_CHARS_MAX;
use super::page::{Page, page};
use super::simulation_shapes::{
    BoundaryDecision, ContextEntry, EvaluationResult, OrganizationsDecision, Position, Statement,
};
use bulla_gate::Call;
use bulla_policy::{
    Decision, IdentityOwner, Layer, Layers, Level, MapContext, Outcome, Policy, PolicyKind, Principal,
    Request, ResourcePolicy, Vendor, decide,
};
use bulla_types::{AccountId, Arn};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Decisions of one call, at most: a page of answers holds no more either.
const DECISIONS_MAX: usize = 1_000;

/// What a request to simulate brings beside policies.
#[derive(Debug)]
pub(crate) struct Question {
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) resource_policy: Option<String>,
    pub(super) resource_owner: Option<String>,
    pub(super) caller_arn: Option<String>,
    pub(super) context: Vec<ContextEntry>,
    pub(super) marker: Option<String>,
    pub(super) max_items: Option<i32>,
}

/// The policies that have a say.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    pub(super) identity: Vec<Arc<Policy>>,
    pub(super) boundary: Option<Vec<Arc<Policy>>>,
    pub(super) service_control: Vec<Level>,
    pub(super) management_account: Option<AccountId>,
}

/// Whose policies are simulated.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A user.
    User(Arc<User>),
    /// A group: its policies alone.
    Group(Arc<Group>),
    /// A role.
    Role(Arc<Role>),
}

fn invalid(reason: impl Into<String>) -> IamError {
    IamError::InvalidInput {
        reason: reason.into(),
    }
}

/// What is not built is refused, not ignored.
pub(super) fn not_built(member: &str) -> IamError {
    invalid(format!(
        "The parameter {member} is not supported: it is not built yet."
    ))
}

/// Policies that a request brings.
pub(super) fn given(texts: &[String], member: &str) -> Result<Vec<Arc<Policy>>, IamError> {
    let named = texts.iter().zip(1..).map(|(text, number)| {
        let kind = PolicyKind::Identity(IdentityOwner::Managed);
        let policy = compile(text, kind).map_err(|error| {
            if let IamError::MalformedPolicyDocument { reason } = error {
                invalid(reason)
            } else {
                error
            }
        })?;
        Ok(labelled(policy, &format!("{member}.{number}"), "the request"))
    });
    named.collect()
}

/// Service control policies that a request brings, a list for each level.
pub(super) fn given_levels(levels: &[Vec<String>]) -> Result<Vec<Level>, IamError> {
    let level = |(texts, number): (&Vec<String>, usize)| {
        let policies = texts.iter().map(|text| {
            check_length(text)?;
            let policy = Policy::parse(text, PolicyKind::ServiceControl);
            policy
                .map(Arc::new)
                .map_err(|rejection| invalid(rejection.to_string()))
        });
        Ok(Level {
            name: format!("level {number}").into(),
            policies: policies.collect::<Result<_, IamError>>()?,
        })
    };
    levels.iter().zip(1..).map(level).collect()
}

impl Source {
    /// The policies that bind it.
    pub(super) fn policies(&self, iam: &Iam, call: &Call<'_>) -> Policies {
        let effective = match self {
            Self::User(user) => user.profile.effective.clone(),
            Self::Role(role) => role.profile.effective.clone(),
            Self::Group(group) => iam.view().effective(&group.profile, &[]),
        };
        let place = call.caller().organization();
        Policies {
            identity: effective.policies,
            boundary: effective.boundary,
            service_control: place
                .map(|place| place.service_control.clone())
                .unwrap_or_default(),
            management_account: place.map(|place| place.management_account),
        }
    }

    /// Its ARN.
    pub(super) fn arn(&self) -> &Arc<str> {
        match self {
            Self::User(user) => &user.profile.arn,
            Self::Group(group) => &group.profile.arn,
            Self::Role(role) => &role.profile.arn,
        }
    }
}

impl Iam {
    /// The user, group or role of the caller's account that an ARN names.
    pub(super) fn source(&self, call: &Call<'_>, arn: &str) -> Result<Source, IamError> {
        let account = call.account();
        let missing = || IamError::NotFound {
            reason: format!("The principal {arn} cannot be found."),
        };
        let parsed = Arn::parse(arn).map_err(|_| invalid(format!("ARN {arn} is not valid.")))?;
        if parsed.service() != "iam" || parsed.account_id() != Some(account) {
            return Err(missing());
        }
        let (kind, path) = parsed.resource().split_once('/').unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        let view = self.view();
        let found = match kind {
            User::KIND => view.user(account, name).map(Source::User),
            Group::KIND => view.group(account, name).map(Source::Group),
            Role::KIND => view.role(account, name).map(Source::Role),
            _ => {
                return Err(invalid(format!(
                    "{arn} is neither a user nor a group nor a role."
                )));
            }
        };
        found.filter(|found| **found.arn() == *arn).ok_or_else(missing)
    }
}

/// All condition keys that policies look at, also in policy variables.
pub(super) fn context_keys<'a>(policies: impl IntoIterator<Item = &'a Arc<Policy>>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for policy in policies {
        let statements = policy.statements().iter();
        keys.extend(
            statements
                .flat_map(bulla_policy::Statement::condition_keys)
                .map(str::to_owned),
        );
        let variables = policy.text().split("${").skip(1);
        let names = variables.filter_map(|rest| rest.split(['}', ',']).next());
        keys.extend(
            names
                .map(str::trim)
                .filter(|name| name.contains(':'))
                .map(str::to_owned),
        );
    }
    keys
}

/// Decides everything that is asked.
pub(super) fn simulate(
    account: AccountId,
    policies: &Policies,
    question: &Question,
    principal_arn: &str,
) -> Result<Page<EvaluationResult>, IamError> {
    let principal_arn = question.caller_arn.as_deref().unwrap_or(principal_arn);
    let caller_account = account_of(principal_arn).unwrap_or(account);
    let principal = principal(principal_arn, caller_account.as_str());
    let owner = question
        .resource_owner
        .as_deref()
        .and_then(account_of)
        .unwrap_or(account);
    let context = context(&question.context);
    let full_access = full_access()?;
    let everywhere = ["*".to_owned()];
    let resources = if question.resources.is_empty() {
        &everywhere[..]
    } else {
        &question.resources
    };
    let asked = question.actions.len().checked_mul(resources.len());
    if asked.is_none_or(|asked| asked > DECISIONS_MAX) {
        return Err(invalid(format!(
            "At most {DECISIONS_MAX} combinations of ActionNames and ResourceArns can be simulated at once."
        )));
    }
    let services: BTreeSet<&str> = resources.iter().map(|resource| service_of(resource)).collect();
    let parsed = services.into_iter().map(|service| {
        let policy = resource_policy(question.resource_policy.as_deref(), service)?;
        Ok((service, policy))
    });
    let parsed: BTreeMap<&str, Option<Policy>> = parsed.collect::<Result<_, IamError>>()?;
    let mut results = Vec::new();
    for action in &question.actions {
        for resource in resources {
            let policy = parsed.get(service_of(resource)).and_then(Option::as_ref);
            let request = Request {
                principal,
                action,
                resource,
                resource_account: owner.as_str(),
                context: &context,
                same_account_only: false,
            };
            let result = evaluated(&request, policies, policy, &full_access);
            results.push((format!("{:08}", results.len()), result));
        }
    }
    page(
        results.into_iter(),
        question.marker.as_deref(),
        question.max_items,
    )
}

fn evaluated(
    request: &Request<'_>,
    policies: &Policies,
    resource_policy: Option<&Policy>,
    full_access: &[Arc<Policy>],
) -> EvaluationResult {
    let managed_by = policies.management_account;
    let layers = Layers {
        identity: &policies.identity,
        boundary: policies.boundary.as_deref(),
        service_control: &policies.service_control,
        resource: match resource_policy {
            Some(policy) if policy.kind() == PolicyKind::Resource(Vendor::Kms) => {
                ResourcePolicy::Mandatory(policy)
            }
            other => ResourcePolicy::Ordinary(other),
        },
        management_account: managed_by.as_ref().map(AccountId::as_str),
        ..Layers::default()
    };
    let decision = decide(request, &layers);
    // Each limit alone: what it says although another layer decides.
    let own = Request {
        resource_account: request.principal.account().unwrap_or(request.resource_account),
        ..*request
    };
    let allowed_by = |limits: Layers<'_>| {
        decide(
            &own,
            &Layers {
                identity: full_access,
                ..limits
            },
        )
        .is_allowed()
    };
    let organizations = (!policies.service_control.is_empty()).then(|| OrganizationsDecision {
        allowed_by_organizations: Some(allowed_by(Layers {
            service_control: layers.service_control,
            management_account: layers.management_account,
            ..Layers::default()
        })),
    });
    let boundary = layers.boundary.map(|_| BoundaryDecision {
        allowed_by_permissions_boundary: Some(allowed_by(Layers {
            boundary: layers.boundary,
            ..Layers::default()
        })),
    });
    let all = policies.identity.iter().chain(policies.boundary.iter().flatten());
    let missing = context_keys(all)
        .into_iter()
        .filter(|key| !has_key(request, key))
        .collect();
    EvaluationResult {
        eval_action_name: request.action.to_owned(),
        eval_resource_name: Some(request.resource.to_owned()),
        eval_decision: outcome(decision.outcome).to_owned(),
        matched_statements: Some(matched(&decision, &layers)),
        missing_context_values: Some(missing),
        organizations_decision_detail: organizations,
        permissions_boundary_decision_detail: boundary,
        eval_decision_details: None,
        resource_specific_results: None,
    }
}

fn has_key(request: &Request<'_>, key: &str) -> bool {
    bulla_policy::ConditionKey::parse(key).is_some_and(|key| request.context.values(&key).is_some())
}

/// The statement that decided, if one did.
fn matched(decision: &Decision, layers: &Layers<'_>) -> Vec<Statement> {
    let found = decision.policy(layers).zip(decision.statement(layers));
    let Some((policy, statement)) = found else {
        return Vec::new();
    };
    vec![Statement {
        source_policy_id: Some(policy.label().to_owned()),
        source_policy_type: Some(source_type(decision.layer, policy).to_owned()),
        start_position: Some(Position {
            line: i32::try_from(statement.line()).ok(),
            column: None,
        }),
        end_position: None,
    }]
}

fn source_type(layer: Layer, policy: &Policy) -> &'static str {
    match layer {
        Layer::Identity => match policy.kind() {
            PolicyKind::Identity(IdentityOwner::User) => "user",
            PolicyKind::Identity(IdentityOwner::Group) => "group",
            PolicyKind::Identity(IdentityOwner::Role) => "role",
            PolicyKind::Identity(IdentityOwner::Managed)
            | PolicyKind::Resource(_)
            | PolicyKind::Trust
            | PolicyKind::Session
            | PolicyKind::Boundary
            | PolicyKind::ServiceControl
            | PolicyKind::ResourceControl
            | PolicyKind::VpcEndpoint => "user-managed",
        },
        Layer::Resource | Layer::Trust => "resource",
        Layer::Boundary
        | Layer::Endpoint
        | Layer::Grant
        | Layer::ResourceControl
        | Layer::Root
        | Layer::Service
        | Layer::ServiceControl
        | Layer::Session => "none",
    }
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allowed",
        Outcome::ImplicitDeny => "implicitDeny",
        Outcome::ExplicitDeny => "explicitDeny",
    }
}

fn account_of(arn: &str) -> Option<AccountId> {
    Arn::parse(arn).ok().and_then(|arn| arn.account_id())
}

fn principal<'a>(arn: &'a str, account: &'a str) -> Principal<'a> {
    if arn.ends_with(":root") {
        Principal::Root { account }
    } else if arn.contains(":role/") {
        Principal::AssumedRole {
            account,
            role_arn: arn,
            session_arn: arn,
        }
    } else {
        Principal::User { account, arn }
    }
}

fn context(entries: &[ContextEntry]) -> MapContext {
    let mut context = MapContext::new();
    for entry in entries {
        let Some(name) = &entry.name else {
            continue;
        };
        let list = entry.kind.as_deref().is_some_and(|kind| kind.ends_with("List"));
        match entry.values.as_deref().unwrap_or_default() {
            [value] if !list => context.insert(name, value.clone()),
            values => context.insert_list(name, values.to_vec()),
        }
    }
    context
}

/// The service in an ARN.
fn service_of(resource: &str) -> &str {
    resource.split(':').nth(2).unwrap_or_default()
}

/// What a request brings is bounded as what is stored is.
fn check_length(text: &str) -> Result<(), IamError> {
    if text.len() <= POLICY_SENT_CHARS_MAX {
        return Ok(());
    }
    Err(invalid(format!(
        "A policy has at most {POLICY_SENT_CHARS_MAX} characters."
    )))
}

fn resource_policy(text: Option<&str>, service: &str) -> Result<Option<Policy>, IamError> {
    let vendor = match service {
        "kms" => Vendor::Kms,
        "sns" => Vendor::Sns,
        "sqs" => Vendor::Sqs,
        _ => Vendor::S3,
    };
    text.map_or(Ok(()), check_length)?;
    let parsed = text.map(|text| Policy::parse_lenient(text, PolicyKind::Resource(vendor)));
    parsed
        .transpose()
        .map_err(|rejection| invalid(rejection.to_string()))
}

fn full_access() -> Result<Vec<Arc<Policy>>, IamError> {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    given(&[text.to_owned()], "FullAccess")
}
