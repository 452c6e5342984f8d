//! For tests: a gate over stores in memory, a clock that moves when told to, and principals that a test makes up.
//!
//! Tests go through the same door as clients: a request with a credential scope and a JSON body. The gate is open, so
//! that requests need no signature; who asks is the principal that the test registered under the access key.

use bulla_envelope::{ErasureKeys, InstanceKey, MemoryErasureKeys, MemoryRootKey};
use bulla_gate::{
    AuditRecord, AuditTrail, Authentication, Credential, CredentialRefusal, Credentials, Gate, Identity,
    IdentityKind, OrganizationPlace, Organizations, Outcome, Ports, SecretAccessKey, Transport,
};
use bulla_policy::{IdentityOwner, Policy, PolicyKind};
use bulla_runtime::{BoxFuture, ManualClock, Runtime, ShutdownTrigger};
use bulla_storage::{DirectoryWriter, Stores, open_memory};
use bulla_types::{AccountId, Timestamp};
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

/// The world of one test.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) stores: Stores,
    pub(crate) instance: InstanceKey,
    pub(crate) erasure: Arc<dyn ErasureKeys>,
    pub(crate) people: Arc<People>,
    pub(crate) audit: Arc<Audit>,
    _running: ShutdownTrigger,
}

/// An error as a client sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let (runtime, clock, running) = Runtime::manual(7);
        let root = MemoryRootKey::generate(&*runtime.entropy).unwrap();
        let (instance, _) = InstanceKey::create(&root, &*runtime.entropy).unwrap();
        Self {
            erasure: Arc::new(MemoryErasureKeys::new(Arc::clone(&runtime.entropy))),
            runtime,
            clock,
            stores: open_memory(),
            instance,
            people: Arc::default(),
            audit: Arc::default(),
            _running: running,
        }
    }

    /// Claims the directory, as a start of the server does; whoever held it before is fenced.
    pub(crate) async fn records(&self) -> DirectoryWriter {
        DirectoryWriter::open(&*self.stores.directory, "test", &*self.runtime.tasks)
            .await
            .unwrap()
    }

    /// A gate without services.
    pub(crate) fn gate(&self) -> Gate {
        let ports = Ports {
            credentials: Arc::<People>::clone(&self.people),
            organizations: Arc::<People>::clone(&self.people),
            endpoints: Arc::new(bulla_gate::NoEndpoints),
            audit: Arc::<Audit>::clone(&self.audit),
        };
        Gate::new(
            self.runtime.clone(),
            ports,
            Authentication::Open {
                default_account: AccountId::ZERO,
            },
        )
    }
}

/// Asks an operation of a JSON service. `target` is `TrentService.CreateKey`, `scope` is `kms/us-east-1`.
pub(crate) async fn ask(
    gate: &Arc<Gate>,
    access_key: &str,
    scope: &str,
    target: &str,
    input: Value,
) -> Result<Value, Refused> {
    let (service, region) = scope.split_once('/').unwrap();
    let request = http::Request::builder()
        .method("POST")
        .uri("/")
        .header("host", "localhost:4566")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-date", "20260101T000000Z")
        .header("x-amz-target", target)
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/{service}/aws4_request, \
                 SignedHeaders=host;x-amz-date;x-amz-target, Signature={}",
                "0".repeat(64)
            ),
        )
        .body(())
        .unwrap();
    let transport = Transport {
        secure: true,
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        endpoint: None,
    };
    let body = Bytes::from(serde_json::to_vec(&input).unwrap());
    let answer = gate.handle(request.into_parts().0, body, transport).await;
    let json: Value = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    if answer.status().is_success() {
        return Ok(json);
    }
    let text = |names: [&str; 2]| {
        let value = names
            .iter()
            .find_map(|name| json.get(name))
            .and_then(Value::as_str)
            .unwrap_or_default();
        value.rsplit('#').next().unwrap_or_default().to_owned()
    };
    Err(Refused {
        status: answer.status().as_u16(),
        code: text(["__type", "code"]),
        message: text(["message", "Message"]),
    })
}

/// The access keys of a test, and the principals behind them.
#[derive(Default)]
pub(crate) struct People {
    by_access_key: Mutex<HashMap<String, Arc<Identity>>>,
    places: Mutex<HashMap<AccountId, Arc<OrganizationPlace>>>,
}

impl People {
    /// The root user of an account; the answer is its access key.
    pub(crate) fn root(&self, account: &str) -> String {
        self.add(
            account.to_owned(),
            root_identity(AccountId::parse(account).unwrap()),
        )
    }

    /// An IAM user with one identity policy, or none; the answer is the access key.
    pub(crate) fn user(&self, account: &str, name: &str, policy: Option<&str>) -> String {
        let id = AccountId::parse(account).unwrap();
        let arn: Arc<str> = format!("arn:aws:iam::{account}:user/{name}").into();
        let policies = policy.map(|text| {
            let policy = Policy::parse(text, PolicyKind::Identity(IdentityOwner::User)).unwrap();
            Arc::new(policy.labelled(format!("policy of {name}")))
        });
        let identity = Identity {
            kind: IdentityKind::User,
            arn: Arc::clone(&arn),
            principal_arn: arn,
            user_id: format!("AIDA{name}").into(),
            user_name: Some(name.into()),
            policies: policies.into_iter().collect(),
            ..root_identity(id)
        };
        self.add(format!("AKIA{account}{name}"), identity)
    }

    fn add(&self, access_key: String, identity: Identity) -> String {
        self.by_access_key
            .lock()
            .unwrap()
            .insert(access_key.clone(), Arc::new(identity));
        access_key
    }
}

fn root_identity(account: AccountId) -> Identity {
    let arn: Arc<str> = format!("arn:aws:iam::{account}:root").into();
    Identity {
        kind: IdentityKind::Root,
        account,
        arn: Arc::clone(&arn),
        principal_arn: arn,
        user_id: account.as_str().into(),
        user_name: None,
        tags: Vec::new(),
        policies: Vec::new(),
        boundary: None,
        session: None,
        token_issued: None,
        source_identity: None,
    }
}

impl Credentials for People {
    fn find(&self, access_key: &str, _: Option<&str>, _: Timestamp) -> Result<Credential, CredentialRefusal> {
        let people = self.by_access_key.lock().unwrap();
        let identity = people.get(access_key).ok_or(CredentialRefusal::Unknown)?;
        let secret = Arc::new(SecretAccessKey::new("secret".to_owned().into()));
        Ok(Credential {
            secret,
            identity: Arc::clone(identity),
        })
    }

    fn open_account(&self, account: AccountId) -> BoxFuture<'_, Result<Arc<Identity>, String>> {
        Box::pin(std::future::ready(Ok(Arc::new(root_identity(account)))))
    }
}

impl Organizations for People {
    fn place(&self, account: AccountId) -> Option<Arc<OrganizationPlace>> {
        self.places.lock().unwrap().get(&account).cloned()
    }
}

/// What was audited: the operation's name, and how it ended.
#[derive(Default)]
pub(crate) struct Audit(Mutex<Vec<(String, String)>>);

impl Audit {
    /// All records so far.
    pub(crate) fn records(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().clone()
    }
}

impl AuditTrail for Audit {
    fn record(&self, record: &AuditRecord<'_>) {
        let ended = match record.outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Denied(denial) => format!("denied {}", denial.action()),
            Outcome::Failed { code } => code.to_owned(),
        };
        self.0
            .lock()
            .unwrap()
            .push((record.operation.name.to_owned(), ended));
    }
}
