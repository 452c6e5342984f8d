//! What is measured: a server of its own, a user with a policy, queues of a kind.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::Failure;
use crate::arguments::Arguments;
use crate::connection::{self, Call, Keys, Route};
use crate::process::Server;
use crate::report::{Row, Under};
use crate::scenario::Load;
use crate::transport::{Http, Transport};
use crate::work::Work;

const USER_POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:*","kms:*"],"Resource":"*"}]}"#;

/// How queues are encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encryption {
    SseKms,
    #[default]
    SseSqs,
}

impl Encryption {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SseKms => "SSE-KMS",
            Self::SseSqs => "SSE-SQS",
        }
    }
}

/// The queues of a case and how they are used.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) encryption: Encryption,
    pub(crate) batch: usize,
    pub(crate) body_bytes: usize,
    /// Statements in the queues' policies.
    pub(crate) statements: usize,
    pub(crate) tls: bool,
    pub(crate) http: Http,
    /// Message groups, for FIFO queues.
    pub(crate) groups: Option<usize>,
    pub(crate) messages: usize,
    /// Bodies in the queues are numbered below this; below `messages` when nothing is said.
    pub(crate) numbers: Option<usize>,
    pub(crate) note: &'static str,
}

impl Case {
    /// Standard queues, SSE-SQS, HTTP/1.1.
    pub(crate) fn of(arguments: &Arguments, batch: usize) -> Self {
        Self {
            encryption: Encryption::default(),
            batch,
            body_bytes: arguments.body_bytes,
            statements: 0,
            tls: false,
            http: Http::One,
            groups: None,
            messages: arguments.messages,
            numbers: None,
            note: "",
        }
    }
}

/// A running Bulla with a user and an authority to trust.
pub(crate) struct Setting<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) server: Server,
    pub(crate) keys: Keys,
    authority: Vec<u8>,
    made: std::cell::Cell<usize>,
}

impl<'a> Setting<'a> {
    /// Starts a server in a folder of its own and makes a user.
    pub(crate) async fn new(arguments: &'a Arguments, name: &str) -> Result<Self, Failure> {
        let folder = match &arguments.folder {
            Some(folder) => folder.clone(),
            None => std::env::current_exe()?.with_file_name("bench-data"),
        };
        let folder = folder.join(format!("{name}-{}", std::process::id()));
        let (server, root) = Server::bulla(arguments.server.as_os_str(), folder).await?;
        let route = Route::plain(&server.address);
        let keys = user(&route, &root).await?;
        let authority = crate::process::authority(&server.address).await?;
        Ok(Self {
            arguments,
            server,
            keys,
            authority,
            made: std::cell::Cell::new(0),
        })
    }

    /// The way to the server.
    pub(crate) fn route(&self, http: Http, tls: bool) -> Result<Route, Failure> {
        let transport = if tls {
            Transport::tls(http, &self.authority)?
        } else {
            Transport::plain(http)
        };
        Ok(Route {
            address: self.server.address.clone(),
            transport,
        })
    }

    /// Makes the queues of a case and runs these scenarios on them, one after the other.
    pub(crate) async fn run(&self, case: &Case, works: &[Work]) -> Result<Vec<Row>, Failure> {
        let queues = self.queues(case).await?;
        self.run_on(case, works, &queues).await
    }

    /// As `run`, on queues that are there.
    pub(crate) async fn run_on(
        &self,
        case: &Case,
        works: &[Work],
        queues: &[String],
    ) -> Result<Vec<Row>, Failure> {
        let route = self.route(case.http, case.tls)?;
        let load = Load {
            arguments: self.arguments,
            server: &self.server,
            keys: &self.keys,
            under: Under {
                server: "bulla".to_owned(),
                encryption: case.encryption.name(),
                transport: route.transport.to_string(),
                batch: case.batch,
                body_bytes: case.body_bytes,
                statements: case.statements,
                note: case.note,
            },
            route,
            queues,
            groups: case.groups,
            messages: case.messages,
            numbers: case.numbers.unwrap_or(case.messages),
        };
        let mut rows: Vec<Row> = Vec::new();
        let mut handles = Vec::new();
        let mut sent = case.messages;
        for work in works {
            let messages = match work {
                Work::Empty => case.messages / 10,
                Work::Send | Work::RoundTrip | Work::SendUnread => case.messages,
                Work::Delete | Work::Drain | Work::DrainPart | Work::Receive => sent,
            };
            let measured = load.of(messages).run(*work, std::mem::take(&mut handles)).await?;
            if *work == Work::Send {
                sent = measured.row.messages;
            }
            handles = measured.handles;
            rows.push(measured.row);
        }
        Ok(rows)
    }

    /// New queues; their visibility timeout is longer than any scenario, so that no message comes twice.
    pub(crate) async fn queues(&self, case: &Case) -> Result<Vec<String>, Failure> {
        let route = Route::plain(&self.server.address);
        let mut attributes = json!({ "VisibilityTimeout": "3600" });
        if case.encryption == Encryption::SseKms {
            let key = connection::with(&route, &self.keys, "kms", async |kms| {
                let call = Call::Json {
                    target: "TrentService.CreateKey",
                    version: "1.1",
                };
                answered(&kms.expect(call, b"{}".to_vec()).await?, "/KeyMetadata/KeyId")
            })
            .await?;
            set(&mut attributes, "KmsMasterKeyId", &key);
        }
        let suffix = if case.groups.is_some() { ".fifo" } else { "" };
        if case.groups.is_some() {
            set(&mut attributes, "FifoQueue", "true");
            set(&mut attributes, "DeduplicationScope", "messageGroup");
            set(&mut attributes, "FifoThroughputLimit", "perMessageGroupId");
        }
        if case.statements > 0 {
            set(&mut attributes, "Policy", &policy(case.statements).to_string());
        }
        connection::with(&route, &self.keys, "sqs", async |sqs| {
            let mut urls = Vec::new();
            for _ in 0..self.arguments.queues {
                let number = self.made.get();
                self.made.set(number + 1);
                let name = format!("bench-{number}{suffix}");
                let body = json!({ "QueueName": name, "Attributes": attributes }).to_string();
                let made = sqs
                    .expect(Call::sqs("AmazonSQS.CreateQueue"), body.into())
                    .await?;
                urls.push(answered(&made, "/QueueUrl")?);
            }
            Ok(urls)
        })
        .await
    }
}

/// Conditions that a queue policy may have.
///
/// Source: SQS Developer Guide, "Quotas related to policies" (read 2026-11-21).
const POLICY_CONDITIONS_MAX: usize = 10;

/// A queue policy that has to be looked through to its end: every statement is about somebody else.
fn policy(statements: usize) -> Value {
    let statements: Vec<Value> = (0..statements)
        .map(|number| {
            let mut statement = json!({
                "Sid": format!("NotThatOne{number}"), "Effect": "Deny", "Principal": { "AWS": "111122223333" },
                "Action": ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": "*",
            });
            if number < POLICY_CONDITIONS_MAX
                && let Some(statement) = statement.as_object_mut()
            {
                statement.insert("Principal".to_owned(), "*".into());
                let user = format!("arn:aws:iam::111122223333:user/user-{number}");
                let condition = json!({ "StringEquals": { "aws:PrincipalArn": user } });
                statement.insert("Condition".to_owned(), condition);
            }
            statement
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// A user with one identity policy, so that every call is decided by a policy and none by being root.
async fn user(route: &Route, root: &Keys) -> Result<Keys, Failure> {
    connection::with(route, root, "iam", async |iam| {
        let version = "Version=2010-05-08&UserName=bench";
        iam.expect(Call::Query, format!("Action=CreateUser&{version}").into())
            .await?;
        let policy = percent_encoded(USER_POLICY);
        let put = format!("Action=PutUserPolicy&{version}&PolicyName=bench&PolicyDocument={policy}");
        iam.expect(Call::Query, put.into()).await?;
        let made = iam
            .expect(Call::Query, format!("Action=CreateAccessKey&{version}").into())
            .await?;
        let made = String::from_utf8(made.to_vec())?;
        let text = |name: &str| {
            let (_, rest) = made.split_once(&format!("<{name}>"))?;
            Some(rest.split_once('<')?.0.to_owned())
        };
        let keys = text("AccessKeyId").zip(text("SecretAccessKey"));
        let (id, secret) = keys.ok_or("CreateAccessKey answered no key")?;
        Ok(Keys { id, secret })
    })
    .await
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        // Writing to a string cannot fail.
        let _ = write!(encoded, "%{byte:02X}");
        encoded
    })
}

fn set(object: &mut Value, name: &str, value: &str) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value.into());
    }
}

pub(crate) fn answered(body: &[u8], pointer: &str) -> Result<String, Failure> {
    let value: Value = serde_json::from_slice(body)?;
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .ok_or_else(|| format!("no `{pointer}` in the answer"))?
        .to_owned())
}
