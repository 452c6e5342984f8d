//! The paths that are Bulla's own: health, reset, and the development CA's certificate. No credentials are needed,
//! so nothing here tells a secret. AWS paths never begin with `/_bulla/`: neither an account id nor a bucket's
//! name may begin with an underscore.

use crate::handler::Handler;
use crate::refusal::Refusal;
use crate::server::Server;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

/// Answers a path under `/_bulla/`.
pub(crate) async fn answer<H: Handler + ?Sized>(
    server: &Server<H>,
    parts: &Parts,
) -> Result<Response<Bytes>, Refusal> {
    let reading = matches!(parts.method, Method::GET | Method::HEAD);
    match (parts.uri.path(), reading) {
        ("/_bulla/health", true) => Ok(health(server)),
        ("/_bulla/ca.pem", true) => match &server.ca_pem {
            Some(pem) => Ok(text("application/x-pem-file", pem.clone())),
            None => Err(Refusal::UnknownPath),
        },
        ("/_bulla/reset", _) if parts.method == Method::POST => reset(server).await,
        ("/_bulla/health" | "/_bulla/ca.pem" | "/_bulla/reset", _) => Err(Refusal::WrongMethod),
        _ => Err(Refusal::UnknownPath),
    }
}

fn health<H: Handler + ?Sized>(server: &Server<H>) -> Response<Bytes> {
    let (status, state) = if server.runtime.shutdown.requested() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping")
    } else if !server.handler.is_ready() {
        (StatusCode::SERVICE_UNAVAILABLE, "waiting for the root key")
    } else {
        (StatusCode::OK, "running")
    };
    let body = serde_json::json!({ "status": state, "version": env!("CARGO_PKG_VERSION") });
    let mut response = text("application/json", body.to_string());
    *response.status_mut() = status;
    response
}

async fn reset<H: Handler + ?Sized>(server: &Server<H>) -> Result<Response<Bytes>, Refusal> {
    // The browser guard has already kept web pages out.
    if server.browser_guard.is_none() {
        return Err(Refusal::ResetOutsideOpenMode);
    }
    tracing::warn!("everything is forgotten, as asked through /_bulla/reset");
    server.handler.reset().await;
    Ok(text("application/json", "{\"status\":\"reset\"}".to_owned()))
}

fn text(content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
