//! What conditions see of a call: the gate's own keys, and those that the service stated.
//!
//! Nothing here comes from what a client writes, except where AWS says so (`aws:UserAgent`, tags in the request).
//! A call that one service makes for a caller shows the caller's identity, but not the caller's connection: it comes
//! from the service, over a channel that cannot be listened to. Its `aws:SecureTransport` is true, its `aws:SourceIp`
//! absent, and `aws:ViaAWSService` tells it apart (IAM User Guide, "Forward access sessions", read 2026-11-21).

use crate::access::AccessRequest;
use crate::caller::{Caller, OrganizationPlace, Source};
use crate::tag_key::is_same_tag_key;
use bulla_policy::{Cardinality, ConditionKey, Context, KnownKey, Value, Values};
use bulla_types::Timestamp;

/// The condition keys of one question.
pub(crate) struct CallContext<'a> {
    caller: &'a Caller,
    request: &'a AccessRequest,
    owner_place: Option<&'a OrganizationPlace>,
    owner_paths: [&'a str; 1],
    org_paths: [&'a str; 1],
    source_org_paths: [&'a str; 1],
    endpoint_org_paths: [&'a str; 1],
    via_service: Option<String>,
}

impl<'a> CallContext<'a> {
    pub(crate) fn new(
        caller: &'a Caller,
        request: &'a AccessRequest,
        owner_place: Option<&'a OrganizationPlace>,
    ) -> Self {
        let source_place = caller
            .source
            .as_ref()
            .and_then(|source| source.organization.as_deref());
        let endpoint_place = caller
            .own_endpoint()
            .and_then(|endpoint| endpoint.organization.as_deref());
        Self {
            caller,
            request,
            owner_place,
            owner_paths: [owner_place.map_or("", |place| &place.path)],
            org_paths: [caller.organization.as_deref().map_or("", |place| &place.path)],
            source_org_paths: [source_place.map_or("", |place| &place.path)],
            endpoint_org_paths: [endpoint_place.map_or("", |place| &place.path)],
            via_service: caller.via.last().map(|service| via_service(service, caller)),
        }
    }

    /// Keys that say who asks.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a key that is not about the caller is not answered here"
    )]
    fn principal(&self, key: &ConditionKey) -> Option<Values<'_>> {
        let identity = &*self.caller.identity;
        let is_service = self.caller.source.is_some();
        match key.known() {
            KnownKey::AwsPrincipalIsAwsService => boolean(is_service),
            KnownKey::AwsPrincipalServiceName if is_service => text(&identity.arn),
            _ if is_service => None,
            KnownKey::AwsPrincipalAccount => text(identity.account.as_str()),
            KnownKey::AwsPrincipalArn => text(&identity.principal_arn),
            KnownKey::AwsPrincipalType => identity.principal_type().and_then(text),
            KnownKey::AwsUserId => text(&identity.user_id),
            KnownKey::AwsUsername => identity.user_name.as_deref().and_then(text),
            KnownKey::AwsSourceIdentity => identity.source_identity.as_deref().and_then(text),
            KnownKey::AwsTokenIssueTime => identity.token_issued.and_then(time),
            // Only temporary credentials have the key; none are made with MFA here.
            KnownKey::AwsMultiFactorAuthPresent => identity.token_issued.and_then(|_| boolean(false)),
            KnownKey::AwsPrincipalOrgId => self
                .caller
                .organization
                .as_ref()
                .and_then(|place| text(place.id.as_str())),
            KnownKey::AwsPrincipalOrgPaths => self
                .caller
                .organization
                .as_ref()
                .map(|_| Values::Borrowed(&self.org_paths)),
            KnownKey::AwsPrincipalTag => {
                let tags = &identity.tags;
                let tag = tags.iter().find(|(name, _)| is_same_tag_key(name, key.suffix()));
                tag.and_then(|(_, value)| text(value))
            }
            _ => None,
        }
    }

    /// Keys that say how the call came here.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a key that is not about the path is not answered here"
    )]
    fn path(&self, key: &ConditionKey) -> Option<Values<'_>> {
        let direct = self.caller.via.is_empty() && self.caller.source.is_none();
        // What comes by an endpoint has a private address, which another network may have too.
        let is_public = direct && self.caller.via_endpoint.is_none();
        match key.known() {
            KnownKey::AwsSecureTransport => boolean(!direct || self.caller.transport.secure),
            KnownKey::AwsSourceIp if is_public => {
                Some(Values::One(Value::Address(self.caller.transport.source_ip)))
            }
            KnownKey::AwsUserAgent => self.caller.user_agent.as_deref().and_then(text),
            KnownKey::AwsRequestedRegion => text(
                self.request
                    .region
                    .as_ref()
                    .unwrap_or(&self.caller.region)
                    .as_str(),
            ),
            KnownKey::AwsCurrentTime | KnownKey::AwsEpochTime => time(self.caller.time),
            KnownKey::AwsViaAwsService => boolean(!self.caller.via.is_empty()),
            KnownKey::AwsCalledVia if !self.caller.via.is_empty() => Some(Values::Borrowed(&self.caller.via)),
            KnownKey::AwsCalledViaFirst => self.caller.via.first().copied().and_then(text),
            KnownKey::AwsCalledViaLast => self.caller.via.last().copied().and_then(text),
            KnownKey::KmsViaService => self.via_service.as_deref().and_then(text),
            KnownKey::KmsCallerAccount => text(self.caller.identity.account.as_str()),
            _ => None,
        }
    }

    /// Keys that say by which VPC endpoint the call came.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a key that is not about the endpoint is not answered here"
    )]
    fn endpoint(&self, key: &ConditionKey) -> Option<Values<'_>> {
        let endpoint = self.caller.own_endpoint()?;
        let facts = &*endpoint.facts;
        match key.known() {
            KnownKey::AwsVpcSourceIp => Some(Values::One(Value::Address(self.caller.transport.source_ip))),
            KnownKey::AwsSourceVpce => text(facts.id.as_str()),
            KnownKey::AwsSourceVpc => text(facts.vpc.as_str()),
            KnownKey::AwsSourceVpcArn => text(&facts.vpc_arn),
            KnownKey::AwsVpceAccount => text(facts.account.as_str()),
            KnownKey::AwsVpceOrgId => endpoint
                .organization
                .as_ref()
                .and_then(|place| text(place.id.as_str())),
            KnownKey::AwsVpceOrgPaths => endpoint
                .organization
                .as_ref()
                .map(|_| Values::Borrowed(&self.endpoint_org_paths)),
            _ => None,
        }
    }

    /// Keys that say on whose behalf a service calls.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a key that is not about the source is not answered here"
    )]
    fn source(&self, key: &ConditionKey) -> Option<Values<'_>> {
        let Source {
            arn,
            account,
            organization,
        } = self.caller.source.as_ref()?;
        match key.known() {
            KnownKey::AwsSourceArn => text(arn),
            KnownKey::AwsSourceAccount => text(account.as_str()),
            KnownKey::AwsSourceOrgId => organization.as_ref().and_then(|place| text(place.id.as_str())),
            KnownKey::AwsSourceOrgPaths => organization
                .as_ref()
                .map(|_| Values::Borrowed(&self.source_org_paths)),
            _ => None,
        }
    }

    /// Keys that say whose the resource is.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a key that is not about the owner is not answered here"
    )]
    fn resource(&self, key: &ConditionKey) -> Option<Values<'_>> {
        match key.known() {
            KnownKey::AwsResourceAccount => text(self.request.owner.as_str()),
            KnownKey::AwsResourceOrgId => self.owner_place.and_then(|place| text(place.id.as_str())),
            KnownKey::AwsResourceOrgPaths => self.owner_place.map(|_| Values::Borrowed(&self.owner_paths)),
            _ => None,
        }
    }

    fn stated(&self, key: &ConditionKey) -> Option<Values<'_>> {
        let values = self.request.keys.values(key.lower())?;
        match (key.cardinality(), values) {
            (Some(Cardinality::Single) | None, [value]) => text(value),
            (Some(Cardinality::Single | Cardinality::Many) | None, _) => Some(Values::Many(values)),
        }
    }
}

impl Context for CallContext<'_> {
    fn values(&self, key: &ConditionKey) -> Option<Values<'_>> {
        // The gate's keys come first, so that no service can state another caller or connection.
        self.principal(key)
            .or_else(|| self.path(key))
            .or_else(|| self.endpoint(key))
            .or_else(|| self.source(key))
            .or_else(|| self.resource(key))
            .or_else(|| self.stated(key))
    }
}

/// `sqs.us-east-1.amazonaws.com`, the form of `kms:ViaService`.
fn via_service(principal: &str, caller: &Caller) -> String {
    let service = principal.strip_suffix(".amazonaws.com").unwrap_or(principal);
    format!("{service}.{}.amazonaws.com", caller.region)
}

#[expect(clippy::unnecessary_wraps, reason = "every answer to a key is an option")]
fn text(value: &str) -> Option<Values<'_>> {
    Some(Values::text(value))
}

#[expect(clippy::unnecessary_wraps, reason = "every answer to a key is an option")]
fn boolean(value: bool) -> Option<Values<'static>> {
    Some(Values::One(Value::Bool(value)))
}

fn time(at: Timestamp) -> Option<Values<'static>> {
    i64::try_from(at.as_seconds())
        .ok()
        .map(|seconds| Values::One(Value::Time(seconds)))
}
