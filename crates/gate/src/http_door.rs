//! From an HTTP request to an HTTP answer.
//!
//! A call, once begun, runs to its end in a task of its own, whatever becomes of the connection: what is durable
//! must also become visible. The client's presence is passed along for those who only wait.

use crate::authenticate::{Arrival, header};
use crate::caller::Transport;
use crate::client::Client;
use crate::common_error::CommonError;
use crate::endpoint::Failure;
use crate::gate::Gate;
use crate::operation::Family;
use bulla_runtime::Shutdown;
use bulla_types::{RequestId, Timestamp};
use bulla_wire::{Answer, Protocol, Route, RouteError, ServiceWire, route};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use std::sync::Arc;
use tokio::sync::oneshot;

impl Gate {
    /// Answers one request. Dropping the future does not stop a call that has begun.
    pub async fn handle(self: &Arc<Self>, parts: Parts, body: Bytes, transport: Transport) -> Response<Bytes> {
        let (presence_ended, presence) = Shutdown::pair();
        let (sender, receiver) = oneshot::channel();
        let gate = Arc::clone(self);
        self.runtime.tasks.spawn(Box::pin(async move {
            let answer = gate.answer(&parts, &body, transport, Client::new(presence)).await;
            // The client may have gone away; the call is done all the same.
            drop(sender.send(answer));
        }));
        let answer = receiver.await;
        drop(presence_ended);
        answer.unwrap_or_else(|_| {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }

    async fn answer(&self, parts: &Parts, body: &Bytes, transport: Transport, client: Client) -> Response<Bytes> {
        let request_id = RequestId::from_entropy(self.runtime.entropy.id_bytes());
        let time = self.runtime.clock.now();
        let scope = header(parts, "authorization").and_then(scope_service);
        let answer = match route(&self.wires, parts, body, scope) {
            Ok(route) => self.routed(&route, parts, body, transport, request_id, time, client).await,
            Err(error) => unrouted(&error, request_id),
        };
        respond(answer)
    }
}
