//! From an HTTP request to an HTTP answer.
//!
//! A call, once begun, runs to its end in a task of its own, whatever becomes of the connection: what is durable
//! must also become visible. The client's presence is passed along for those who only wait.

use crate::authenticate::Arrival;
use crate::caller::Transport;
use crate::client::Client;
use crate::endpoint::Failure;
use crate::gate::Gate;
use bulla_runtime::Shutdown;
use bulla_types::RequestId;
use bulla_wire::{Reply, Request, Route, ServiceWire, route};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use std::borrow::Cow;
use std::sync::Arc;
use tokio::sync::oneshot;

impl Gate {
    /// Answers one request. Dropping the future does not stop a call that has begun.
    pub async fn handle(
        self: &Arc<Self>,
        parts: Parts,
        body: Bytes,
        transport: Transport,
    ) -> Response<Bytes> {
        let (presence_ended, presence) = Shutdown::pair();
        let (sender, receiver) = oneshot::channel();
        let gate = Arc::clone(self);
        self.runtime.tasks.spawn(Box::pin(async move {
            let request_id = RequestId::from_entropy(gate.runtime.entropy.id_bytes());
            let arrival = Arrival {
                parts: &parts,
                body: &body,
                transport,
                request_id,
                time: gate.runtime.clock.now(),
                client: Client::new(presence),
            };
            let reply = gate.answer(arrival).await;
            // The client may have gone away; the call is done all the same.
            drop(sender.send(reply));
        }));
        let reply = receiver.await;
        drop(presence_ended);
        reply.map_or_else(|_| failed(), respond)
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
        let family = self.family(wire.signing_name);
        let (request_id, source_ip) = (arrival.request_id, arrival.transport.source_ip);
        let caller = self
            .authenticate(wire.signing_name, arrival)
            .await
            .map_err(|error| {
                let failure = Failure::common(&error, family);
                // The text of a wrong signature holds the request; only the code is for the log.
                let code = failure.row.bare_shape();
                tracing::info!(%request_id, %source_ip, service = wire.signing_name, code, "caller refused");
                failure
            })?;
        let Some(endpoint) = self.endpoint(wire.signing_name, &route.operation) else {
            let (row, message) = route.unknown_operation();
            let message = format!("{message} It may exist at AWS and not be built here yet.");
            return Err(Failure {
                row,
                message: Cow::Owned(message),
            });
        };
        endpoint.call(self, &caller, route.protocol, route.payload).await
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
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The task that made the call is gone: it panicked, or the server is being torn down.
fn failed() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
