//! From an HTTP request to an HTTP answer.
//!
//! A call, once begun, runs to its end whatever becomes of the connection: what is durable must also become visible.
//! It runs in the connection's own task as long as that waits for it, because a task for each call costs a wake-up of
//! another thread; when the connection goes away, what is left moves into a task of its own. The client's presence is
//! passed along for those who only wait.

use crate::authenticate::Arrival;
use crate::caller::Transport;
use crate::client::{Client, Connected};
use crate::endpoint::Failure;
use crate::gate::Gate;
use bulla_runtime::{BoxFuture, Tasks};
use bulla_types::RequestId;
use bulla_wire::{Payload, Reply, Request, Route, ServiceWire, route};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The header of every answer that names the call.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

impl Gate {
    /// Answers one request. Dropping the future does not stop a call that has begun.
    pub async fn handle(
        self: &Arc<Self>,
        parts: Parts,
        body: Bytes,
        transport: Transport,
    ) -> Response<Bytes> {
        self.handle_holding(parts, body, transport, ()).await
    }

    /// Answers one request and keeps `held` until its call has ended, whatever becomes of the client: what bounds
    /// the number of calls.
    pub async fn handle_holding<H: Send + 'static>(
        self: &Arc<Self>,
        parts: Parts,
        body: Bytes,
        transport: Transport,
        held: H,
    ) -> Response<Bytes> {
        let (connected, client) = Client::connected();
        let gate = Arc::clone(self);
        let call = Box::pin(async move {
            let request_id = RequestId::from_entropy(gate.runtime.entropy.id_bytes());
            let arrival = Arrival {
                parts: &parts,
                body: &body,
                transport,
                request_id,
                time: gate.runtime.clock.now(),
                client,
            };
            let reply = gate.answer(arrival).await;
            drop(held);
            reply
        });
        let call = ToItsEnd {
            left: Some(call),
            connected: Some(connected),
            tasks: &self.runtime.tasks,
        };
        respond(call.await)
    }

    async fn answer(&self, arrival: Arrival<'_>) -> Reply {
        let request_id = arrival.request_id;
        let request = request(arrival.parts, arrival.body);
        match route(&self.wires, &request) {
            Ok(route) => {
                let (protocol, wire) = (route.protocol, route.service);
                match self.routed(route, arrival).await {
                    Ok(reply) => reply,
                    Err(failure) => {
                        let failure = bulla_wire::Failure::new(failure.row, &failure.message);
                        protocol.failure(wire, &failure, request_id.as_str())
                    }
                }
            }
            Err(error) => {
                let failure = bulla_wire::Failure::new(error.row, &error.message);
                error
                    .protocol
                    .failure(&ServiceWire::new(""), &failure, request_id.as_str())
            }
        }
    }

    async fn routed(&self, route: Route<'_, '_>, arrival: Arrival<'_>) -> Result<Reply, Failure> {
        let wire = route.service;
        let body = arrival.body;
        let family = self.family(wire.signing_name);
        let (request_id, transport) = (arrival.request_id, arrival.transport);
        let caller = self
            .authenticate(wire.signing_name, arrival)
            .await
            .map_err(|error| {
                let failure = Failure::common(&error, family);
                // The text of a wrong signature holds the request; only the code is for the log.
                let code = failure.row.bare_shape();
                let (source_ip, endpoint) = (transport.source_ip, transport.endpoint);
                tracing::info!(%request_id, %source_ip, ?endpoint, service = wire.signing_name, code, "caller refused");
                failure
            })?;
        let Some(endpoint) = self.endpoint(wire.signing_name, &route.operation) else {
            if let Some(row) = self.not_built(wire.signing_name, &route.operation) {
                let message = format!("{} is not built.", route.operation);
                return Err(Failure {
                    row,
                    message: Cow::Owned(message),
                });
            }
            let (row, message) = route.unknown_operation();
            let message = format!("{message} It may exist at AWS and not be built here yet.");
            return Err(Failure {
                row,
                message: Cow::Owned(message),
            });
        };
        let payload = match route.payload {
            // The same bytes, of which a long text may keep its part.
            Payload::Json(_) | Payload::SharedJson(_) => Payload::SharedJson(body),
            Payload::Form(form) => Payload::Form(form),
        };
        endpoint.call(self, &caller, route.protocol, payload).await
    }
}

/// A call that goes on in a task of its own when nobody waits for it any more.
struct ToItsEnd<'a> {
    /// Empty once the call has ended, and while it is polled: what has panicked is not polled again.
    left: Option<BoxFuture<'static, Reply>>,
    connected: Option<Connected>,
    tasks: &'a Arc<dyn Tasks>,
}

impl Future for ToItsEnd<'_> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let Some(mut call) = self.left.take() else {
            return Poll::Pending;
        };
        let polled = call.as_mut().poll(context);
        if polled.is_pending() {
            self.left = Some(call);
        }
        polled
    }
}

impl Drop for ToItsEnd<'_> {
    fn drop(&mut self) {
        // First the news, so that a call that only waits ends at its next turn.
        drop(self.connected.take());
        if let Some(call) = self.left.take() {
            self.tasks.spawn(Box::pin(async move { drop(call.await) }));
        }
    }
}

/// The request as routing sees it.
fn request<'a>(parts: &'a Parts, body: &'a [u8]) -> Request<'a> {
    let mut request = Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        body,
        ..Request::default()
    };
    for (name, value) in &parts.headers {
        request.header(name.as_str(), value.as_bytes());
    }
    request
}

fn respond(reply: Reply) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        // RFC 9110, 15.5.6.
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    for (name, value) in reply.headers {
        let value = match value {
            Cow::Borrowed(text) => Ok(HeaderValue::from_static(text)),
            Cow::Owned(text) => HeaderValue::try_from(text),
        };
        if let Ok(value) = value {
            response.headers_mut().insert(header_name(name), value);
        }
    }
    response
}

/// The two that every answer has are known without parsing.
fn header_name(name: &'static str) -> HeaderName {
    match name {
        "content-type" => CONTENT_TYPE,
        "x-amzn-requestid" => REQUEST_ID,
        other => HeaderName::from_static(other),
    }
}
