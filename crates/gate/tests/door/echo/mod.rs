//! A service of a few operations, and a door to it.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "test code")]

mod service;

use bulla_gate::{
    AuditRecord, AuditTrail, Authentication, Credential, CredentialRefusal, Credentials, EndpointFacts,
    Endpoints, Gate, Identity, IdentityKind, OrganizationPlace, Organizations, Outcome, Ports,
    SecretAccessKey, Transport,
};
use bulla_policy::{IdentityOwner, Policy, PolicyKind};
use bulla_runtime::{BoxFuture, Clock, ManualClock, Runtime, ShutdownTrigger};
use bulla_sigv4::{Payload, RequestHead, ServiceRules, Signer};
use bulla_types::{AccountId, Region, Timestamp, VpcEndpointId, VpcId};
use bytes::Bytes;
use http::request::Parts;
use service::Echo;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub const ACCOUNT: &str = "111122223333";
pub const ENDPOINT: &str = "vpce-0123456789abcdef0";

/// A request as a client sends it.
pub struct Sent {
    headers: Vec<(String, String)>,
    body: String,
}

impl Sent {
    pub fn signed(operation: &str) -> Self {
        Self::signed_with(ACCESS_KEY, SECRET, operation)
    }

    pub fn signed_with(access_key: &str, secret: &str, operation: &str) -> Self {
        let body = r#"{"Text":"hello"}"#.to_owned();
        let mut headers = vec![
            ("host".to_owned(), "localhost:4566".to_owned()),
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), format!("Echo.{operation}")),
        ];
        let at = ManualClock::default().now();
        let head = RequestHead {
            method: "POST",
            path: "/",
            query: "",
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect::<Vec<_>>(),
        };
        let mut ann = Signer::new(
            access_key,
            secret,
            None,
            "us-east-1",
            ServiceRules::standard("echo"),
        );
        let at = i64::try_from(at.as_seconds()).unwrap();
        let made = ann.sign(head, &Payload::Bytes(body.as_bytes()), at);
        let extra: Vec<_> = made
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        headers.extend(extra);
        Self { headers, body }
    }

    pub fn without_signature(mut self) -> Self {
        self.headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        self
    }

    pub fn with_body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn parts(&self) -> Parts {
        let mut request = http::Request::builder().method("POST").uri("/");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(()).unwrap().into_parts().0
    }
}

pub struct Answered {
    pub status: u16,
    pub request_id: String,
    body: String,
}

impl Answered {
    /// The text of a member; the answers here are flat.
    pub fn field(&self, name: &str) -> String {
        let (_, rest) = self
            .body
            .split_once(&format!("\"{name}\":\""))
            .unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    pub fn code(&self) -> String {
        self.field("__type")
    }
}

pub struct Door {
    gate: Arc<Gate>,
    echo: Arc<Echo>,
    clock: Arc<ManualClock>,
    audit: Arc<Audit>,
    network: Arc<Network>,
    _running: ShutdownTrigger,
}

impl Door {
    /// A door where ann may do this, or nothing.
    pub fn new(action: Option<&str>) -> Self {
        Self::with(Authentication::Verified, action.map(allow).as_deref())
    }

    pub fn with_policy(policy: &str) -> Self {
        Self::with(Authentication::Verified, Some(policy))
    }

    pub fn with(authentication: Authentication, policy: Option<&str>) -> Self {
        let (runtime, clock, running) = Runtime::manual(1);
        let audit = Arc::<Audit>::default();
        let network = Arc::<Network>::default();
        let ports = Ports {
            credentials: Arc::new(Ann::new(policy)),
            organizations: Arc::new(Nowhere),
            endpoints: Arc::<Network>::clone(&network),
            audit: Arc::<Audit>::clone(&audit),
        };
        let echo = Arc::<Echo>::default();
        let mut gate = Gate::new(runtime, ports, authentication);
        gate.serve(Arc::clone(&echo), service::OPERATIONS);
        Self {
            gate: Arc::new(gate),
            echo,
            clock,
            audit,
            network,
            _running: running,
        }
    }

    /// Puts up the endpoint [`ENDPOINT`] to the service, which stands in account 444455556666.
    pub fn put_endpoint(&self, service: &str, policy: &str) {
        let policy = Policy::parse(policy, PolicyKind::VpcEndpoint).unwrap();
        *self.network.0.lock().unwrap() = Some(Arc::new(EndpointFacts {
            id: VpcEndpointId::parse(ENDPOINT).unwrap(),
            vpc: VpcId::parse("vpc-11112222").unwrap(),
            vpc_arn: "arn:aws:ec2:us-east-1:444455556666:vpc/vpc-11112222".into(),
            account: AccountId::parse("444455556666").unwrap(),
            region: Region::parse("us-east-1").unwrap(),
            service: service.into(),
            policy: [Arc::new(policy.labelled("endpoint policy"))],
        }));
    }

    pub async fn send(&self, sent: &Sent) -> Answered {
        self.send_over(sent, transport()).await
    }

    /// Sends to the listener of [`ENDPOINT`].
    pub async fn send_by_endpoint(&self, sent: &Sent) -> Answered {
        let endpoint = Some(VpcEndpointId::parse(ENDPOINT).unwrap());
        let transport = Transport {
            endpoint,
            ..transport()
        };
        self.send_over(sent, transport).await
    }

    async fn send_over(&self, sent: &Sent, transport: Transport) -> Answered {
        let body = Bytes::from(sent.body.clone());
        let response = self.gate.handle(sent.parts(), body, transport).await;
        let header = response.headers().get("x-amzn-requestid");
        Answered {
            status: response.status().as_u16(),
            request_id: header
                .map(|id| id.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            body: String::from_utf8(response.body().to_vec()).unwrap(),
        }
    }

    /// Sends, waits until the call has begun, and goes away without the answer.
    pub async fn send_and_leave(&self, sent: &Sent) {
        let call = self
            .gate
            .handle(sent.parts(), Bytes::from(sent.body.clone()), transport());
        tokio::select! {
            _ = call => panic!("the call was to wait"),
            () = self.echo.until_begun() => {}
        }
    }

    pub async fn finish_slow_calls(&self) {
        self.echo.finish.notify_one();
        self.until_executed(1).await;
    }

    pub async fn until_executed(&self, count: usize) {
        while self.executed() < count {
            tokio::task::yield_now().await;
        }
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn executed(&self) -> usize {
        self.echo.executed()
    }

    /// What the last call's caller showed of its connection.
    pub fn seen(&self, key: &str) -> String {
        let transport = self.echo.transport().unwrap();
        match key {
            "aws:SecureTransport" => transport.secure.to_string(),
            _ => transport.source_ip.to_string(),
        }
    }

    /// The reasons of the last denial, as JSON.
    pub fn last_reasons(&self) -> Option<String> {
        self.gate.last_denial().map(|denial| denial.json.clone())
    }

    pub fn audited(&self) -> Vec<String> {
        self.audit.0.lock().unwrap().clone()
    }
}

fn transport() -> Transport {
    Transport {
        secure: true,
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        endpoint: None,
    }
}

fn allow(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
    )
}

/// One IAM user, the same for all calls.
struct Ann(Arc<Identity>);

impl Ann {
    fn new(policy: Option<&str>) -> Self {
        let parsed = policy.iter().map(|text| {
            let policy = Policy::parse(text, PolicyKind::Identity(IdentityOwner::User)).unwrap();
            Arc::new(policy.labelled("ann's policy"))
        });
        let account = AccountId::parse(ACCOUNT).unwrap();
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/ann");
        Self(identity(IdentityKind::User, account, &arn, parsed.collect()))
    }
}

fn identity(kind: IdentityKind, account: AccountId, arn: &str, policies: Vec<Arc<Policy>>) -> Arc<Identity> {
    Arc::new(Identity {
        kind,
        account,
        arn: arn.into(),
        principal_arn: arn.into(),
        user_id: "AIDAANN".into(),
        user_name: None,
        tags: Vec::new(),
        policies,
        boundary: None,
        session: None,
        token_issued: None,
        source_identity: None,
    })
}

impl Credentials for Ann {
    fn find(&self, access_key: &str, _: Option<&str>, _: Timestamp) -> Result<Credential, CredentialRefusal> {
        if access_key != ACCESS_KEY {
            return Err(CredentialRefusal::Unknown);
        }
        Ok(Credential {
            secret: Arc::new(SecretAccessKey::new(SECRET.to_owned().into())),
            identity: Arc::clone(&self.0),
        })
    }

    fn open_account(&self, account: AccountId) -> BoxFuture<'_, Result<Arc<Identity>, String>> {
        let arn = format!("arn:aws:iam::{account}:root");
        Box::pin(async move { Ok(identity(IdentityKind::Root, account, &arn, Vec::new())) })
    }
}

/// At most one endpoint.
#[derive(Default)]
struct Network(Mutex<Option<Arc<EndpointFacts>>>);

impl Endpoints for Network {
    fn endpoint(&self, id: VpcEndpointId) -> Option<Arc<EndpointFacts>> {
        self.0.lock().unwrap().clone().filter(|facts| facts.id == id)
    }
}

struct Nowhere;

impl Organizations for Nowhere {
    fn place(&self, _: AccountId) -> Option<Arc<OrganizationPlace>> {
        None
    }
}

#[derive(Default)]
struct Audit(Mutex<Vec<String>>);

impl AuditTrail for Audit {
    fn record(&self, record: &AuditRecord<'_>) {
        let ended = match record.outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Failed { code } => code.to_owned(),
            Outcome::Denied(denial) => {
                format!(
                    "denied by {}, {}",
                    denial.policy().unwrap_or("-"),
                    denial.statement().unwrap_or("-")
                )
            }
        };
        self.0
            .lock()
            .unwrap()
            .push(format!("{} {ended}", record.operation.name));
    }
}
