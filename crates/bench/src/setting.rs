//! What is measured: a server of its own, a user with a policy, queues under each kind of encryption.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::Failure;
use crate::arguments::Arguments;
use crate::connection::{self, Call, Keys};
use crate::process::Server;
use crate::report::Row;
use crate::scenario::{Load, Scenario};

const USER_POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:*","kms:*"],"Resource":"*"}]}"#;

/// How the queues are encrypted.
#[derive(Clone, Copy)]
enum Encryption {
    SseKms,
    SseSqs,
}

impl Encryption {
    const fn name(self) -> &'static str {
        match self {
            Self::SseKms => "SSE-KMS",
            Self::SseSqs => "SSE-SQS",
        }
    }
}

/// Send, receive and delete, one by one and ten at a time, under both encryptions.
pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Row>, Failure> {
    let folder = match &arguments.folder {
        Some(folder) => folder.clone(),
        None => std::env::current_exe()?.with_file_name("bench-data"),
    };
    let folder = folder.join(format!("run-{}", std::process::id()));
    let (server, root) = Server::bulla(arguments.server.as_os_str(), folder).await?;
    let keys = user(&server, &root).await?;
    let mut rows = Vec::new();
    for encryption in [Encryption::SseSqs, Encryption::SseKms] {
        for batch in [1, 10] {
            let queues = queues(&server, &keys, arguments, encryption, batch).await?;
            let load = Load {
                arguments,
                server: &server,
                keys: &keys,
                queues: &queues,
                batch,
            };
            let sent = load.run(Scenario::Send { read: true }, encryption.name()).await?;
            let received = load
                .run(
                    Scenario::Receive {
                        count: sent.row.messages,
                    },
                    encryption.name(),
                )
                .await?;
            let deleted = load
                .run(
                    Scenario::Delete {
                        handles: received.handles,
                    },
                    encryption.name(),
                )
                .await?;
            let empty = Scenario::Empty {
                calls: arguments.messages / 10,
            };
            rows.extend([sent.row, received.row, deleted.row]);
            if batch == 10 {
                rows.push(load.run(empty, encryption.name()).await?.row);
            }
        }
    }
    server.stop().await?;
    Ok(rows)
}

/// A user with one identity policy, so that every call is decided by a policy and none by being root.
async fn user(server: &Server, root: &Keys) -> Result<Keys, Failure> {
    connection::with(&server.address, root, "iam", async |iam| {
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

/// New queues; their visibility timeout is longer than any scenario, so that no message comes twice.
async fn queues(
    server: &Server,
    keys: &Keys,
    arguments: &Arguments,
    encryption: Encryption,
    batch: usize,
) -> Result<Vec<String>, Failure> {
    let mut attributes = json!({ "VisibilityTimeout": "3600" });
    if let Encryption::SseKms = encryption {
        let key = connection::with(&server.address, keys, "kms", async |kms| {
            let call = Call::Json {
                target: "TrentService.CreateKey",
                version: "1.1",
            };
            answered(&kms.expect(call, b"{}".to_vec()).await?, "/KeyMetadata/KeyId")
        })
        .await?;
        attributes = json!({ "VisibilityTimeout": "3600", "KmsMasterKeyId": key });
    }
    connection::with(&server.address, keys, "sqs", async |sqs| {
        let mut urls = Vec::new();
        for number in 0..arguments.queues {
            let name = format!("{}-{batch}-{number}", encryption.name());
            let body = json!({ "QueueName": name, "Attributes": attributes }).to_string();
            let call = Call::Json {
                target: "AmazonSQS.CreateQueue",
                version: "1.0",
            };
            urls.push(answered(&sqs.expect(call, body.into()).await?, "/QueueUrl")?);
        }
        Ok(urls)
    })
    .await
}

fn answered(body: &[u8], pointer: &str) -> Result<String, Failure> {
    let value: Value = serde_json::from_slice(body)?;
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .ok_or_else(|| format!("no `{pointer}` in the answer"))?
        .to_owned())
}
