//! For tests of principals: IAM, STS, Organizations and KMS behind a gate that verifies signatures, over stores in memory.
//!
//! Requests are signed as clients sign them, so that a test that passes has shown the whole way from an access key to
//! an answer. [`Realm::restart`] builds everything anew from what was stored.

use crate::iam::{Iam, KnownAccounts};
use crate::kms::Kms;
use crate::organizations::Organizations;
use crate::sts::Sts;
use crate::testing::{Refused, World};
use crate::{iam, kms, organizations, sts};
use bulla_gate::{Authentication, Credentials, Gate, Ports, Transport};
use bulla_sigv4::{Payload, RequestHead, ServiceRules, Signer};
use bulla_types::AccountId;
use bytes::Bytes;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// The services, and everything that they stand on.
pub(crate) struct Realm {
    pub(crate) world: World,
    pub(crate) gate: Arc<Gate>,
    pub(crate) iam: Arc<Iam>,
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) organizations: Arc<Organizations>,
    /// The management account.
    pub(crate) account: AccountId,
    /// Its root user.
    pub(crate) root: Keys,
}

/// What a client signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// An answer in XML.
#[derive(Clone, Debug)]
pub(crate) struct Xml(pub(crate) String);

impl Xml {
    /// The text of the first element of that name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let rest = self.0.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    }

    /// The texts of all elements of that name.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.0.split(&begin).skip(1);
        parts.filter_map(|part| Some(part.split_once(&end)?.0)).collect()
    }
}

impl Realm {
    /// A first start.
    pub(crate) async fn new() -> Self {
        let world = World::new();
        let (gate, iam, credentials, organizations) = open(&world).await;
        let first = organizations.first_start(None).await.unwrap().unwrap();
        let root = Keys {
            id: first.access_key_id.to_string(),
            secret: first.secret_access_key.expose().to_owned(),
            token: None,
        };
        Self {
            world,
            gate,
            iam,
            credentials,
            organizations,
            account: first.account,
            root,
        }
    }

    /// Everything anew from what was stored; whatever stood before is fenced.
    pub(crate) async fn restart(&mut self) {
        let (gate, iam, credentials, organizations) = open(&self.world).await;
        assert!(organizations.first_start(None).await.unwrap().is_none());
        (self.gate, self.iam, self.credentials, self.organizations) = (gate, iam, credentials, organizations);
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
    }

    /// Asks IAM.
    pub(crate) async fn iam(
        &self,
        keys: &Keys,
        action: &str,
        members: &[(&str, &str)],
    ) -> Result<Xml, Refused> {
        self.query(keys, ("iam", "2010-05-08"), action, members).await
    }

    /// Asks STS.
    pub(crate) async fn sts(
        &self,
        keys: &Keys,
        action: &str,
        members: &[(&str, &str)],
    ) -> Result<Xml, Refused> {
        self.query(keys, ("sts", "2011-06-15"), action, members).await
    }

    async fn query(
        &self,
        keys: &Keys,
        (service, version): (&str, &str),
        action: &str,
        members: &[(&str, &str)],
    ) -> Result<Xml, Refused> {
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in members {
            body.extend(["&", name, "=", &encode(value)]);
        }
        let (status, text) = self
            .send(keys, service, "application/x-www-form-urlencoded", None, body)
            .await;
        let xml = Xml(text);
        if status == 200 {
            return Ok(xml);
        }
        let part = |name| xml.text(name).unwrap_or_default().to_owned();
        Err(Refused {
            status,
            code: part("Code"),
            message: unescape(&part("Message")),
        })
    }

    /// Asks Organizations.
    pub(crate) async fn organizations(
        &self,
        keys: &Keys,
        name: &str,
        input: Value,
    ) -> Result<Value, Refused> {
        let target = format!("AWSOrganizationsV20161128.{name}");
        self.json(keys, "organizations", &target, input).await
    }

    /// Asks KMS.
    pub(crate) async fn kms(&self, keys: &Keys, name: &str, input: Value) -> Result<Value, Refused> {
        self.json(keys, "kms", &format!("TrentService.{name}"), input)
            .await
    }

    async fn json(&self, keys: &Keys, service: &str, target: &str, input: Value) -> Result<Value, Refused> {
        let kind = "application/x-amz-json-1.1";
        let (status, text) = self
            .send(keys, service, kind, Some(target), input.to_string())
            .await;
        let json: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status == 200 {
            return Ok(json);
        }
        let part = |names: [&str; 2]| {
            let found = names
                .iter()
                .find_map(|name| json.get(name))
                .and_then(Value::as_str)
                .unwrap_or_default();
            found.rsplit('#').next().unwrap_or_default().to_owned()
        };
        Err(Refused {
            status,
            code: part(["__type", "code"]),
            message: part(["Message", "message"]),
        })
    }

    async fn send(
        &self,
        keys: &Keys,
        service: &str,
        content_type: &str,
        target: Option<&str>,
        body: String,
    ) -> (u16, String) {
        let mut headers = vec![("host", "localhost:4566"), ("content-type", content_type)];
        headers.extend(target.map(|target| ("x-amz-target", target)));
        let rules = ServiceRules::standard(service);
        let mut signer = Signer::new(&keys.id, &keys.secret, keys.token.as_deref(), "us-east-1", rules);
        let head = RequestHead {
            method: "POST",
            path: "/",
            query: "",
            headers: headers.iter().map(|(name, value)| (*name, value.as_bytes())),
        };
        let now = i64::try_from(self.world.runtime.clock.now().as_seconds()).unwrap();
        let added = signer.sign(head, &Payload::Bytes(body.as_bytes()), now);
        let mut request = http::Request::builder().method("POST").uri("/");
        for (name, value) in headers.iter().copied().chain(added.iter()) {
            request = request.header(name, value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let transport = Transport {
            secure: true,
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            endpoint: None,
        };
        let answer = self.gate.handle(parts, Bytes::from(body), transport).await;
        (
            answer.status().as_u16(),
            String::from_utf8(answer.body().to_vec()).unwrap(),
        )
    }

    /// A user of the account of `by`, with one inline policy or none, and an access key.
    pub(crate) async fn user(&self, by: &Keys, name: &str, policy: Option<&str>) -> Keys {
        self.iam(by, "CreateUser", &[("UserName", name)]).await.unwrap();
        if let Some(policy) = policy {
            let members = [
                ("UserName", name),
                ("PolicyName", "inline"),
                ("PolicyDocument", policy),
            ];
            self.iam(by, "PutUserPolicy", &members).await.unwrap();
        }
        self.key(by, name).await
    }

    /// A new access key of a user.
    pub(crate) async fn key(&self, by: &Keys, user: &str) -> Keys {
        let made = self
            .iam(by, "CreateAccessKey", &[("UserName", user)])
            .await
            .unwrap();
        keys(&made)
    }

    /// A role with this trust policy; its ARN.
    pub(crate) async fn role(&self, by: &Keys, name: &str, trust: &str) -> String {
        let members = [("RoleName", name), ("AssumeRolePolicyDocument", trust)];
        let made = self.iam(by, "CreateRole", &members).await.unwrap();
        made.text("Arn").unwrap().to_owned()
    }

    /// A session of a role.
    pub(crate) async fn assume(&self, by: &Keys, role: &str, more: &[(&str, &str)]) -> Result<Keys, Refused> {
        let mut members = vec![("RoleArn", role), ("RoleSessionName", "session")];
        members.extend(more);
        self.sts(by, "AssumeRole", &members).await.map(|made| keys(&made))
    }

    /// A new member account: its id and an administrator's session in it.
    pub(crate) async fn member(&self, admin: &Keys, name: &str) -> (String, Keys) {
        let input = json!({ "AccountName": name, "Email": format!("{name}@example.com") });
        let made = self.organizations(admin, "CreateAccount", input).await.unwrap();
        let account = made["CreateAccountStatus"]["AccountId"]
            .as_str()
            .unwrap()
            .to_owned();
        let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
        let session = self.assume(admin, &role, &[]).await.unwrap();
        (account, session)
    }
}

/// All services over the stores of a world, and a gate before them.
pub(crate) async fn open(world: &World) -> (Arc<Gate>, Arc<Iam>, Arc<dyn Credentials>, Arc<Organizations>) {
    let records = world.records().await;
    let runtime = world.runtime.clone();
    let iam = Iam::open(
        runtime.clone(),
        records.clone(),
        &world.instance,
        KnownAccounts::Made,
    )
    .await
    .unwrap();
    let sts = Sts::open(&iam, &world.instance).unwrap();
    let kms = Kms::open(
        runtime.clone(),
        records.clone(),
        &world.instance,
        Arc::clone(&world.erasure),
    )
    .await
    .unwrap();
    let organizations = Organizations::open(runtime.clone(), records, &iam).await.unwrap();
    let credentials = sts.credentials();
    let ports = Ports {
        credentials: Arc::clone(&credentials),
        organizations: Arc::<Organizations>::clone(&organizations),
        endpoints: Arc::new(bulla_gate::NoEndpoints),
        audit: Arc::<crate::testing::Audit>::clone(&world.audit),
    };
    let mut gate = Gate::new(runtime, ports, Authentication::Verified);
    gate.serve(Arc::clone(&iam), iam::operations::OPERATIONS);
    gate.serve(sts, sts::operations::OPERATIONS);
    gate.serve(kms, kms::operations::OPERATIONS);
    gate.serve(Arc::clone(&organizations), organizations::operations::OPERATIONS);
    (Arc::new(gate), iam, credentials, organizations)
}

/// The keys that an answer hands out.
pub(crate) fn keys(made: &Xml) -> Keys {
    Keys {
        id: made.text("AccessKeyId").unwrap().to_owned(),
        secret: unescape(made.text("SecretAccessKey").unwrap()),
        token: made.text("SessionToken").map(unescape),
    }
}

/// An identity policy that allows `actions` (a JSON value) everywhere.
pub(crate) fn allow(actions: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
    })
    .to_string()
}

/// A trust policy for one principal.
pub(crate) fn trust(principal: &str) -> String {
    trust_if(principal, &json!({}))
}

/// A trust policy for one principal under a condition.
pub(crate) fn trust_if(principal: &str, condition: &Value) -> String {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "AWS": principal },
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    });
    if condition
        .as_object()
        .is_some_and(|condition| !condition.is_empty())
    {
        statement["Condition"] = condition.clone();
    }
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.as_bytes()
        .iter()
        .map(|byte| {
            if plain(byte) {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn unescape(text: &str) -> String {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'");
    text.replace("&apos;", "'").replace("&amp;", "&")
}
