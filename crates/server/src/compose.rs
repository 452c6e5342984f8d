//! What stands behind the listener. No service is built in yet: every call is answered with an error that says so.

use crate::config::ServeSettings;
use crate::handler::{Handler, Transport};
use crate::operator_error::OperatorError;
use crate::startup::FirstStart;
use bulla_runtime::{BoxFuture, Runtime};
use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use std::sync::Arc;

/// The services, ready to answer.
pub(crate) struct Composed {
    /// What answers.
    pub(crate) handler: Arc<dyn Handler>,
    /// What is told once, if this start made the organization.
    pub(crate) first_start: Option<FirstStart>,
    /// Where the root key comes from, for the start-up message.
    pub(crate) root_key: String,
}

/// Opens the data folder and builds the services.
pub(crate) async fn compose(_: &ServeSettings, _: &Runtime) -> Result<Composed, OperatorError> {
    Ok(Composed {
        handler: Arc::new(NotBuilt),
        first_start: None,
        root_key: "none".to_owned(),
    })
}

struct NotBuilt;

impl Handler for NotBuilt {
    fn handle(&self, _: Parts, _: Bytes, _: Transport) -> BoxFuture<'_, Response<Bytes>> {
        let mut response = Response::new(Bytes::from_static(b"No service is built into this server yet."));
        *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
        Box::pin(std::future::ready(response))
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
