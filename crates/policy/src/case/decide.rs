//! A request with all the policies that have a say in it.

use super::members::{Members, items, scalar};
use super::{Answer, Cases};
use crate::catalogue::is_same_account_only;
use crate::combine;
use crate::context::MapContext;
use crate::grant::{Grant, GrantConstraint};
use crate::json::{Node, Value};
use crate::kind::{IdentityOwner, PolicyKind, Vendor};
use crate::policy::Policy;
use crate::principal::Principal;
use crate::request::{Layers, Level, Request, ResourcePolicy};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The policies of a case, compiled.
#[derive(Default)]
struct Policies {
    identity: Vec<Arc<Policy>>,
    boundary: Vec<Arc<Policy>>,
    session: Option<Vec<Arc<Policy>>>,
    endpoint: Vec<Arc<Policy>>,
    service_control: Vec<Level>,
    resource_control: Vec<Level>,
    resource: Option<Arc<Policy>>,
    grants: Vec<Grant>,
}

pub(super) fn answer(cases: &mut Cases, line: &str, case: &Members<'_>, id: &str) -> Result<Answer, String> {
    let name = case.text("principal")?;
    let action = case.text("action")?;
    let context = context(case)?;
    let named = Named::read(name, action, &context)?;
    let principal = named.principal();
    let mut policies = match case.object("policies")? {
        Some(members) => Policies::read(cases, line, &members, kind_of_resource_policy(action))?,
        None => Policies::default(),
    };
    if matches!(principal, Principal::FederatedUser { .. }) {
        // Such a session has its session policies, if only none.
        policies.session.get_or_insert_default();
    }
    let organization = case.object("org")?;
    let management_account = match &organization {
        Some(organization) => organization.text_if_any("managementAccount")?,
        None => None,
    };
    let service_linked = organization
        .and_then(|organization| organization.find("serviceLinkedRole"))
        .is_some_and(|node| node.value == Value::Bool(true));
    if service_linked {
        policies.service_control.clear();
        policies.resource_control.clear();
    }
    let request = Request {
        principal,
        action,
        resource: case.text("resource")?,
        resource_account: case.text_if_any("resourceAccountId")?.unwrap_or_default(),
        context: &context,
        same_account_only: is_same_account_only(action),
    };
    let layers = policies.layers(action, management_account);
    let decision = combine::decide(&request, &layers);
    let statement = decision.statement(&layers).zip(decision.position);
    Ok(Answer::Decided {
        id: id.to_owned(),
        decision: decision.outcome.as_str(),
        layer: decision.layer.as_str(),
        statement: statement.map(|(statement, position)| match statement.sid() {
            Some(sid) if !sid.is_empty() => sid.to_owned(),
            Some(_) | None => format!("#{}", position.statement.saturating_add(1)),
        }),
    })
}

/// What the policy of the resource is for is said by the action's service. A service that is not built here is read
/// like a queue's: reading for evaluation does not look at the vendor.
fn kind_of_resource_policy(action: &str) -> PolicyKind {
    let vendor = action.split(':').next().unwrap_or_default();
    let is = |prefix: &str| vendor.eq_ignore_ascii_case(prefix);
    if is("sts") {
        PolicyKind::Trust
    } else if is("kms") {
        PolicyKind::Resource(Vendor::Kms)
    } else if is("sns") {
        PolicyKind::Resource(Vendor::Sns)
    } else if is("s3") {
        PolicyKind::Resource(Vendor::S3)
    } else {
        PolicyKind::Resource(Vendor::Sqs)
    }
}

impl Policies {
    fn read(
        cases: &mut Cases,
        line: &str,
        members: &Members<'_>,
        resource: PolicyKind,
    ) -> Result<Self, String> {
        let mut policies = Self::default();
        for (name, node) in members.iter() {
            let mut list = |kind| list(cases, line, node, kind, name);
            match name {
                "identity" => policies.identity = list(PolicyKind::Identity(IdentityOwner::Managed))?,
                "boundary" => policies.boundary = list(PolicyKind::Boundary)?,
                "session" => policies.session = Some(list(PolicyKind::Session)?),
                "vpce" => policies.endpoint = list(PolicyKind::VpcEndpoint)?,
                "resource" => policies.resource = Some(cases.policy(line, node, resource, name)?),
                "scp" => {
                    policies.service_control = levels(cases, line, node, PolicyKind::ServiceControl, name)?;
                }
                "rcp" => {
                    policies.resource_control = levels(cases, line, node, PolicyKind::ResourceControl, name)?;
                }
                "grants" => policies.grants = items(node).iter().map(grant).collect::<Result<_, _>>()?,
                other => return Err(format!("`policies` has `{other}`, which is not a kind of policy")),
            }
        }
        Ok(policies)
    }

    fn layers<'a>(&'a self, action: &str, management_account: Option<&'a str>) -> Layers<'a> {
        let limit = |policies: &'a Vec<Arc<Policy>>| (!policies.is_empty()).then_some(policies.as_slice());
        let vendor = action.split(':').next().unwrap_or_default();
        let is_mandatory = ["kms", "sts"]
            .iter()
            .any(|known| vendor.eq_ignore_ascii_case(known));
        Layers {
            identity: &self.identity,
            boundary: limit(&self.boundary),
            session: self.session.as_deref(),
            service_control: &self.service_control,
            resource_control: &self.resource_control,
            resource: match &self.resource {
                Some(policy) if is_mandatory => ResourcePolicy::Mandatory(policy),
                policy => ResourcePolicy::Ordinary(policy.as_deref()),
            },
            endpoint: limit(&self.endpoint),
            grants: &self.grants,
            management_account,
        }
    }
}

fn list(
    cases: &mut Cases,
    line: &str,
    node: &Node,
    kind: PolicyKind,
    name: &str,
) -> Result<Vec<Arc<Policy>>, String> {
    let policy = |(index, node)| cases.policy(line, node, kind, &format!("policies.{name}[{index}]"));
    items(node).iter().enumerate().map(policy).collect()
}

fn levels(
    cases: &mut Cases,
    line: &str,
    node: &Node,
    kind: PolicyKind,
    name: &str,
) -> Result<Vec<Level>, String> {
    let level = |(index, node)| {
        Ok(Level {
            name: format!("level {index}").into(),
            policies: list(cases, line, node, kind, &format!("{name}[{index}]"))?,
        })
    };
    items(node).iter().enumerate().map(level).collect()
}

fn context(case: &Members<'_>) -> Result<MapContext, String> {
    let mut context = MapContext::new();
    let Some(members) = case.object("context")? else {
        return Ok(context);
    };
    for (name, node) in members.iter() {
        let unfit = || format!("the context's `{name}` is neither a scalar nor a list of scalars");
        match &node.value {
            Value::List(items) => {
                let values: Option<Vec<_>> = items.iter().map(scalar).collect();
                context.insert_list(name, values.ok_or_else(unfit)?);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                context.insert(name, scalar(node).ok_or_else(unfit)?);
            }
        }
    }
    Ok(context)
}

fn grant(node: &Node) -> Result<Grant, String> {
    let members = Members::of(node, "a grant")?;
    let operations = members.find("Operations").ok_or("a grant has no `Operations`")?;
    let operations: Option<Vec<_>> = items(operations).iter().map(scalar).collect();
    let operations = operations.ok_or("the `Operations` of a grant are strings")?;
    let constraint = match members.object("Constraints")? {
        None => None,
        Some(constraints) => {
            let exact = pairs(&constraints, "EncryptionContextEquals")?;
            let subset = pairs(&constraints, "EncryptionContextSubset")?;
            exact
                .map(GrantConstraint::EncryptionContextEquals)
                .or(subset.map(GrantConstraint::EncryptionContextSubset))
        }
    };
    let grantee = members.text("GranteePrincipal")?;
    Ok(Grant::new("grant", grantee, operations, constraint.as_ref())?)
}

fn pairs<'a>(constraints: &Members<'a>, name: &'a str) -> Result<Option<BTreeMap<String, String>>, String> {
    let Some(object) = constraints.object(name)? else {
        return Ok(None);
    };
    let pair = |(key, node): (&str, &Node)| {
        let value = scalar(node).ok_or_else(|| format!("the value of `{key}` in a grant is a string"))?;
        Ok((key.to_owned(), value))
    };
    object.iter().map(pair).collect::<Result<_, String>>().map(Some)
}

/// A principal by its name, taken apart.
pub(super) struct Named<'a> {
    name: &'a str,
    account: &'a str,
    role_arn: String,
    kind: NamedKind,
}

#[derive(Clone, Copy)]
enum NamedKind {
    Anonymous,
    Service,
    Provider,
    Root,
    User,
    Session,
    FederatedUser,
}

impl<'a> Named<'a> {
    /// Reads an ARN, a service's name or `anonymous`. The role of a session is the context's `aws:PrincipalArn`, or
    /// the role of that name without path. The ARN of a role is a session of it of which nothing else is known.
    pub(super) fn read(name: &'a str, action: &str, context: &MapContext) -> Result<Self, String> {
        let mut parts = name.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next().unwrap_or_default(), parts.next());
        let kind = match resource.map(|resource| resource.split('/').next().unwrap_or_default()) {
            None if name == "anonymous" => NamedKind::Anonymous,
            None if is_federation(action) || !name.contains(".amazonaws.com") => NamedKind::Provider,
            None => NamedKind::Service,
            Some("root") => NamedKind::Root,
            Some("user") => NamedKind::User,
            Some("assumed-role" | "role") => NamedKind::Session,
            Some("federated-user") => NamedKind::FederatedUser,
            Some("saml-provider" | "oidc-provider") => NamedKind::Provider,
            Some(_) => return Err(format!("`{name}` is not a principal that can ask for something")),
        };
        let role_arn = match resource.and_then(|resource| resource.strip_prefix("assumed-role/")) {
            None => name.to_owned(),
            Some(session) => role_of(name, account, session, context),
        };
        Ok(Self {
            name,
            account,
            role_arn,
            kind,
        })
    }

    pub(super) fn principal(&self) -> Principal<'_> {
        let (account, name) = (self.account, self.name);
        match self.kind {
            NamedKind::Anonymous => Principal::Anonymous,
            NamedKind::Service => Principal::Service { name },
            NamedKind::Provider => Principal::Federated { provider: name },
            NamedKind::Root => Principal::Root { account },
            NamedKind::User => Principal::User { account, arn: name },
            NamedKind::Session => Principal::AssumedRole {
                account,
                role_arn: &self.role_arn,
                session_arn: name,
            },
            NamedKind::FederatedUser => Principal::FederatedUser {
                account,
                arn: name,
                user_arn: None,
            },
        }
    }

    pub(super) const fn account(&self) -> &'a str {
        self.account
    }
}

fn is_federation(action: &str) -> bool {
    ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(action))
}

fn role_of(name: &str, account: &str, session: &str, context: &MapContext) -> String {
    let given = context.single_text("aws:principalarn");
    if let Some(arn) = given.filter(|arn| arn.contains(":role/")) {
        return arn.to_owned();
    }
    let partition = name.split(':').nth(1).unwrap_or_default();
    let role = session.split('/').next().unwrap_or_default();
    format!("arn:{partition}:iam::{account}:role/{role}")
}
