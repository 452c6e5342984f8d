//! One kept-alive connection that signs what it sends.

use std::time::Duration;

use bulla_sigv4::{Payload, RequestHead, ServiceRules, Signer};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode, Uri, Version};

use crate::transport::{Http, Sender, Transport};
use crate::{Failure, clock};

/// Longer than any answer may take, also that of a busy server.
const ANSWER_SECONDS_MAX: u64 = 60;

const REGION: &str = "us-east-1";

/// An access key.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// An answer, read to the end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Where a connection leads, and how.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) address: String,
    pub(crate) transport: Transport,
}

impl Route {
    /// Plain HTTP/1.1.
    pub(crate) fn plain(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            transport: Transport::default(),
        }
    }
}

/// A connection to one address, signing for one service.
pub(crate) struct Connection<'a> {
    route: &'a Route,
    signer: Signer<'a>,
    sender: Sender,
}

/// What a call is, besides its body.
#[derive(Clone, Copy)]
pub(crate) enum Call<'a> {
    /// AWS JSON, with the value of `X-Amz-Target` and the protocol's version, `1.0` or `1.1`.
    Json { target: &'a str, version: &'a str },
    /// AWS Query.
    Query,
}

impl<'a> Call<'a> {
    /// An operation of SQS by its target.
    pub(crate) const fn sqs(target: &'a str) -> Self {
        Self::Json {
            target,
            version: "1.0",
        }
    }
}

/// Connects, runs the work with the connection, and returns what the work returns.
///
/// The connection is driven beside the work in the same task, so that both end together.
pub(crate) async fn with<'a, T>(
    route: &'a Route,
    keys: &'a Keys,
    service: &'a str,
    work: impl AsyncFnOnce(&mut Connection<'a>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (sender, driver) = route.transport.connect(&route.address).await?;
    let rules = ServiceRules::standard(service);
    let signer = Signer::new(&keys.id, &keys.secret, None, REGION, rules);
    let mut connection = Connection {
        route,
        signer,
        sender,
    };
    tokio::select! {
        outcome = work(&mut connection) => outcome,
        ended = driver => Err(ended.err().map_or_else(|| "the server closed the connection".into(), Failure::from)),
    }
}

impl Connection<'_> {
    /// Signs, sends and reads the answer to its end.
    pub(crate) async fn call(&mut self, call: Call<'_>, body: Vec<u8>) -> Result<Answer, Failure> {
        let request = self.request(call, body)?;
        let exchange = async {
            let (status, body) = self.sender.exchange(request).await?;
            Ok::<_, Failure>(Answer { status, body })
        };
        let limit = Duration::from_secs(ANSWER_SECONDS_MAX);
        clock::within(limit, exchange).await.ok_or("no answer in time")?
    }

    fn request(&mut self, call: Call<'_>, body: Vec<u8>) -> Result<Request<Full<Bytes>>, Failure> {
        let address = self.route.address.as_str();
        let kind = match call {
            Call::Json { version, .. } => format!("application/x-amz-json-{version}"),
            Call::Query => "application/x-www-form-urlencoded".to_owned(),
        };
        let mut headers = vec![("host", address), ("content-type", kind.as_str())];
        if let Call::Json { target, .. } = call {
            headers.push(("x-amz-target", target));
        }
        let head = RequestHead {
            method: "POST",
            path: "/",
            query: "",
            headers: headers.iter().map(|(name, value)| (*name, value.as_bytes())),
        };
        let signed = self
            .signer
            .sign(head, &Payload::Bytes(&body), clock::epoch_seconds());
        let mut request = match self.route.transport.http {
            Http::One => Request::post("/"),
            Http::Two => {
                // HTTP/2 carries the host in the request's URI.
                headers.remove(0);
                let uri = Uri::builder()
                    .scheme("http")
                    .authority(address)
                    .path_and_query("/");
                Request::post(uri.build()?).version(Version::HTTP_2)
            }
        };
        for (name, value) in headers.into_iter().chain(signed.iter()) {
            request = request.header(name, value);
        }
        Ok(request.body(Full::from(body))?)
    }

    /// As `call`, for calls that must succeed; returns the body.
    pub(crate) async fn expect(&mut self, call: Call<'_>, body: Vec<u8>) -> Result<Bytes, Failure> {
        let answer = self.call(call, body).await?;
        if answer.status.is_success() {
            Ok(answer.body)
        } else {
            Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)).into())
        }
    }
}
