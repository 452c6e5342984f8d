//! Turning a connection away when as many are open as may be.
//!
//! Over plain HTTP/1 the client reads 503 with `Retry-After`, whatever it asked; a TLS handshake would cost more than
//! the server has to give now, so there, and on HTTP/2, the connection just ends. Both are what AWS's clients try
//! again after.

use crate::connection::{TLS_HANDSHAKE, first_byte};
use crate::overloaded::Words;
use crate::refusal::{Form, RETRY_AFTER_SECONDS, Refusal};
use bulla_runtime::Clock;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the client may take to begin, and to read the answer.
const TURNING_AWAY_MAX: Duration = Duration::from_secs(1);
/// How much of the request is read so that the answer is not lost with it, bytes: closing a socket with unread bytes
/// resets the connection.
const DISCARDED_BYTES_MAX: usize = 64 * 1024;
/// What HTTP/2 begins with (RFC 9113, 3.4); no method of HTTP/1 begins with it.
const HTTP2_PREFACE: &[u8] = b"PRI ";

/// Tells a client to come again later.
pub(crate) async fn turn_away(clock: &dyn Clock, stream: TcpStream) {
    tokio::select! {
        () = tell(stream) => {}
        () = clock.sleep(TURNING_AWAY_MAX) => {}
    }
}

async fn tell(mut stream: TcpStream) {
    match first_byte(&stream).await {
        Ok(Some(byte)) if byte != TLS_HANDSHAKE => {}
        _ => return,
    }
    let mut buffer = [0; 4096];
    let first = stream.read(&mut buffer).await.unwrap_or_default();
    if buffer
        .get(..first)
        .is_none_or(|begun| begun.starts_with(HTTP2_PREFACE))
    {
        return;
    }
    if stream.write_all(answer().as_bytes()).await.is_err() || stream.shutdown().await.is_err() {
        return;
    }
    let mut discarded = first;
    while discarded < DISCARDED_BYTES_MAX {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(more) => discarded += more,
        }
    }
}

fn answer() -> String {
    let response = Refusal::Overloaded(Words::Http).answer(Form::Xml, "");
    let body = String::from_utf8_lossy(response.body()).into_owned();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/xml\r\nretry-after: {RETRY_AFTER_SECONDS}\r\nconnection: \
         close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
