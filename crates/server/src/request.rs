//! From a request's head to its answer: limits, the body, then the handler.

use crate::handler::{Handler, Transport};
use crate::load::{Admitted, Load};
use crate::overloaded::{self, Words};
use crate::own_paths;
use crate::refusal::{Form, OWN_PATHS, Refusal, close_after};
use crate::server::Server;
use bulla_types::RequestId;
use bytes::{Bytes, BytesMut};
use http::header::{HOST, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

/// The header of every answer that names the call.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// What a body's buffer has at most before any of it is there, bytes: enough for most, little enough to promise
/// to many.
const BODY_RESERVATION_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bulla's own paths take no body to speak of, bytes.
const OWN_PATHS_BODY_BYTES_MAX: u32 = 1024;

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
        Ok((body, admitted)) => dispatch(server, peer, parts, body, admitted, form).await,
        Err(refusal) => {
            let mut response = refuse(server, peer, overloaded::told(refusal, &parts), form);
            close_after(&mut response, version);
            response
        }
    };
    if !response.headers().contains_key(REQUEST_ID) {
        name_call(&mut response, &new_request_id(server));
    }
    response.map(|body| Full::new(Load::count_answer(&server.load, body)))
}

async fn dispatch<H: Handler + ?Sized>(
    server: &Server<H>,
    peer: Peer,
    parts: Parts,
    body: Bytes,
    admitted: Option<Admitted>,
    form: Form,
) -> Response<Bytes> {
    if parts.uri.path().starts_with(OWN_PATHS) {
        return match own_paths::answer(server, &parts).await {
            Ok(response) => response,
            Err(refusal) => refuse(server, peer, refusal, form),
        };
    }
    match catch_panic(server.handler.handle(parts, body, peer.transport, admitted)).await {
        Some(response) => response,
        None => refuse(server, peer, Refusal::Internal, form),
    }
}

fn refuse<H: ?Sized>(server: &Server<H>, peer: Peer, refusal: Refusal, form: Form) -> Response<Bytes> {
    let request_id = new_request_id(server);
    if refusal.is_overload() {
        overloaded::note(&server.load, server.runtime.clock.as_ref());
    } else {
        tracing::info!(
            request_id = request_id.as_str(),
            source_ip = %peer.transport.source_ip,
            code = refusal.code(),
            "request refused by the listener"
        );
    }
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

/// The body, and the request's place among those under way, when it may go on.
async fn receive<H: ?Sized>(
    server: &Server<H>,
    peer: Peer,
    parts: &Parts,
    body: Incoming,
) -> Result<(Bytes, Option<Admitted>), Refusal> {
    if peer.plain_refused {
        return Err(Refusal::PlainHttp);
    }
    if let Some(guard) = &server.browser_guard {
        guard.check(parts)?;
    }
    let head_bytes = check_head(parts, server)?;
    // Whoever asks how the server does must hear it, also when it has much to do.
    let mut admitted = if parts.uri.path().starts_with(OWN_PATHS) {
        None
    } else {
        Some(Load::admit(&server.load).ok_or(Refusal::Overloaded(Words::Http))?)
    };
    grow(admitted.as_mut(), head_bytes)?;
    let received = AtomicU64::new(0);
    let body = {
        let mut collecting = pin!(receive_body(server, body, admitted.as_mut(), &received));
        // Most bodies are here with the head: only the others need a timer.
        if let Poll::Ready(body) = poll_once(collecting.as_mut()).await {
            body
        } else {
            tokio::select! {
                biased;
                body = collecting => body,
                () = too_slow(server, &received) => Err(Refusal::BodyTooSlow),
            }
        }
    }?;
    Ok((body, admitted))
}

/// Completes when the body has taken longer than one of which so much has arrived may take.
async fn too_slow<H: ?Sized>(server: &Server<H>, received: &AtomicU64) {
    let clock = &server.runtime.clock;
    let begun = clock.monotonic();
    loop {
        let time = server.limits.body_time(received.load(Ordering::Relaxed));
        let left = (begun + time).saturating_sub(clock.monotonic());
        if left.is_zero() {
            return;
        }
        clock.sleep(left).await;
    }
}

/// More memory for a request; those that are not admitted are small.
fn grow(admitted: Option<&mut Admitted>, bytes: usize) -> Result<(), Refusal> {
    if admitted.is_none_or(|admitted| admitted.grow(bytes)) {
        Ok(())
    } else {
        Err(Refusal::Overloaded(Words::Http))
    }
}

fn check_head<H: ?Sized>(parts: &Parts, server: &Server<H>) -> Result<usize, Refusal> {
    let line = parts.uri.path().len() + parts.uri.query().map_or(0, str::len);
    let bytes = parts
        .headers
        .iter()
        .fold(line, |sum, (name, value)| sum + name.as_str().len() + value.len());
    let within = bytes <= to_usize(server.limits.max_header_bytes)
        && parts.headers.len() <= to_usize(server.limits.max_headers);
    if !within {
        return Err(Refusal::HeadersTooLarge);
    }
    // RFC 9112, 3.2: what is meant is unclear, and a proxy before this server may have looked at the other one.
    if parts.headers.get_all(HOST).iter().nth(1).is_some() {
        return Err(Refusal::ManyHosts);
    }
    Ok(bytes)
}

async fn receive_body<H: ?Sized>(
    server: &Server<H>,
    body: Incoming,
    admitted: Option<&mut Admitted>,
    received: &AtomicU64,
) -> Result<Bytes, Refusal> {
    let limit = match admitted {
        Some(_) => server.limits.max_body_bytes,
        None => OWN_PATHS_BODY_BYTES_MAX,
    };
    if body.size_hint().lower() > u64::from(limit) {
        return Err(Refusal::BodyTooLarge);
    }
    collect(body, to_usize(limit), admitted, received).await
}

/// Gathers a body into one piece, without copying when it came as one.
async fn collect(
    mut body: Incoming,
    limit: usize,
    mut admitted: Option<&mut Admitted>,
    received: &AtomicU64,
) -> Result<Bytes, Refusal> {
    let stated = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::BodyIncomplete)?.into_data() else {
            continue;
        };
        grow(admitted.as_deref_mut(), data.len())?;
        received.fetch_add(data.len() as u64, Ordering::Relaxed);
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
