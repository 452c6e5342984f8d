//! From a request's head to its answer: limits, the body, then the handler.

use crate::handler::{Handler, Transport};
use crate::own_paths;
use crate::refusal::{Form, OWN_PATHS, Refusal, close_after};
use crate::server::Server;
use bulla_types::RequestId;
use bytes::{Bytes, BytesMut};
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use tokio::sync::SemaphorePermit;

/// The header of every answer that names the call.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// What a body's buffer has at most before any of it is there, bytes: enough for most, little enough to promise
/// to many.
const BODY_RESERVATION_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bodies up to this size, bytes, do not count towards the memory for bodies; connections bound them.
const BODY_BYTES_UNCOUNTED_MAX: u32 = 64 * 1024;

/// What a connection knows about its other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// The facts of the socket.
    pub(crate) transport: Transport,
    /// Whether requests are refused because they came in the clear.
    pub(crate) plain_refused: bool,
}

/// Answers one request.
pub(crate) async fn answer<H: Handler + ?Sized>(
    server: &Server<H>,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let (form, version) = (Form::of(&parts), parts.version);
    let mut response = match receive(server, peer, &parts, body).await {
        // The memory is given back once the answer is there.
        Ok((body, _held)) => dispatch(server, peer, parts, body, form).await,
        Err(refusal) => {
            let mut response = refuse(server, peer, refusal, form);
            close_after(&mut response, version);
            response
        }
    };
    if !response.headers().contains_key(REQUEST_ID) {
        name_call(&mut response, &new_request_id(server));
    }
    response.map(Full::new)
}

async fn dispatch<H: Handler + ?Sized>(
    server: &Server<H>,
    peer: Peer,
    parts: Parts,
    body: Bytes,
    form: Form,
) -> Response<Bytes> {
    if parts.uri.path().starts_with(OWN_PATHS) {
        return match own_paths::answer(server, &parts).await {
            Ok(response) => response,
            Err(refusal) => refuse(server, peer, refusal, form),
        };
    }
    match catch_panic(server.handler.handle(parts, body, peer.transport)).await {
        Some(response) => response,
        None => refuse(server, peer, Refusal::Internal, form),
    }
}

fn refuse<H: ?Sized>(server: &Server<H>, peer: Peer, refusal: Refusal, form: Form) -> Response<Bytes> {
    let request_id = new_request_id(server);
    tracing::info!(
        request_id = request_id.as_str(),
        source_ip = %peer.transport.source_ip,
        code = refusal.code(),
        "request refused by the listener"
    );
    let mut response = refusal.answer(form, request_id.as_str());
    name_call(&mut response, &request_id);
    response
}

fn new_request_id<H: ?Sized>(server: &Server<H>) -> RequestId {
    RequestId::from_entropy(server.runtime.entropy.id_bytes())
}

fn name_call(response: &mut Response<Bytes>, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

/// The body and its share of the memory for bodies, when the request may go on.
async fn receive<'a, H: ?Sized>(
    server: &'a Server<H>,
    peer: Peer,
    parts: &Parts,
    body: Incoming,
) -> Result<(Bytes, Option<SemaphorePermit<'a>>), Refusal> {
    if peer.plain_refused {
        return Err(Refusal::PlainHttp);
    }
    if let Some(guard) = &server.browser_guard {
        guard.check(parts)?;
    }
    check_head(parts, server)?;
    let mut collecting = pin!(receive_body(server, body));
    // Most bodies are here with the head: only the others need a timer.
    if let Poll::Ready(body) = poll_once(collecting.as_mut()).await {
        return body;
    }
    tokio::select! {
        biased;
        body = collecting => body,
        () = server.runtime.clock.sleep(server.limits.body_timeout()) => Err(Refusal::BodyTooSlow),
    }
}

fn check_head<H: ?Sized>(parts: &Parts, server: &Server<H>) -> Result<(), Refusal> {
    let line = parts.uri.path().len() + parts.uri.query().map_or(0, str::len);
    let bytes = parts
        .headers
        .iter()
        .fold(line, |sum, (name, value)| sum + name.as_str().len() + value.len());
    let within = bytes <= to_usize(server.limits.max_header_bytes)
        && parts.headers.len() <= to_usize(server.limits.max_headers);
    if within {
        Ok(())
    } else {
        Err(Refusal::HeadersTooLarge)
    }
}

async fn receive_body<H: ?Sized>(
    server: &Server<H>,
    body: Incoming,
) -> Result<(Bytes, Option<SemaphorePermit<'_>>), Refusal> {
    let limit = server.limits.max_body_bytes;
    let hint = body.size_hint();
    if hint.lower() > u64::from(limit) {
        return Err(Refusal::BodyTooLarge);
    }
    // A body that does not state its size may become as large as any.
    let share = if body.is_end_stream() {
        Some(0)
    } else {
        hint.upper()
    };
    let share = share.and_then(|bytes| u32::try_from(bytes).ok()).unwrap_or(limit);
    let held = if share > BODY_BYTES_UNCOUNTED_MAX {
        Some(
            server
                .body_bytes
                .acquire_many(share)
                .await
                .map_err(|_| Refusal::Internal)?,
        )
    } else {
        None
    };
    Ok((collect(body, to_usize(limit)).await?, held))
}

/// Gathers a body into one piece, without copying when it came as one.
async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, Refusal> {
    let stated = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::BodyIncomplete)?.into_data() else {
            continue;
        };
        if first.is_empty() && whole.is_empty() {
            if data.len() > limit {
                return Err(Refusal::BodyTooLarge);
            }
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(stated.min(BODY_RESERVATION_BYTES_MAX));
            whole.extend_from_slice(&first);
        }
        if whole.len().saturating_add(data.len()) > limit {
            return Err(Refusal::BodyTooLarge);
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// A defect ends one request, not the connection with all the others on it. `None` when the future panicked; the
/// process's panic hook has said where.
async fn catch_panic<T>(mut future: bulla_runtime::BoxFuture<'_, T>) -> Option<T> {
    poll_fn(|context| {
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
