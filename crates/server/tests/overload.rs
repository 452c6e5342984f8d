//! Floods and slow clients through real sockets: what is bounded, what is told, and that the server goes on.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails fails its test"
)]

#[expect(dead_code, reason = "other test files use the rest")]
mod common;

use common::{LARGE_ANSWER_BYTES, Running, exchange, http2, one_answer, rest, start, until};
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const KEEP: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const WAIT: &[u8] = b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn post(path: &str, stated: usize, sent: usize) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {stated}\r\n\r\n");
    [head.into_bytes(), vec![b'x'; sent]].concat()
}

/// A connection whose request waits for the handler.
async fn waiting(server: &Running, request: &[u8], count: u32) -> TcpStream {
    let mut stream = server.plain().await;
    stream.write_all(request).await.unwrap();
    until(|| server.handler.waiting.load(Ordering::SeqCst) == count).await;
    stream
}

#[tokio::test]
async fn more_requests_than_allowed_are_told_so_in_the_words_of_their_service() {
    let server = start(&["--max-requests=1"]).await;
    let mut first = waiting(&server, WAIT, 1).await;
    let sqs = b"POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AmazonSQS.SendMessage\r\n\
        content-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}";
    let answer = exchange(server.plain().await, sqs).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(
        answer.contains("\"__type\":\"com.amazonaws.sqs#RequestThrottled\""),
        "{answer}"
    );
    assert!(
        answer.contains("x-amzn-query-error: RequestThrottled;Sender"),
        "{answer}"
    );
    let answer = exchange(server.plain().await, GET).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"),
        "{answer}"
    );
    server.handler.go.add_permits(1);
    one_answer(&mut first).await;
    assert!(
        exchange(server.plain().await, GET)
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn a_call_keeps_its_place_when_its_client_goes_away() {
    let server = start(&["--max-requests=2"]).await;
    for count in 1..=2 {
        let mut stream = server.plain().await;
        stream
            .write_all(b"GET /keep HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        until(|| server.handler.kept.lock().unwrap().len() == count).await;
    }
    assert!(
        exchange(server.plain().await, GET)
            .await
            .starts_with("HTTP/1.1 503 ")
    );
    server.handler.kept.lock().unwrap().pop();
    assert!(
        exchange(server.plain().await, GET)
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn a_server_that_is_full_still_tells_how_it_does() {
    let server = start(&["--max-requests=1"]).await;
    let _first = waiting(&server, WAIT, 1).await;
    let health = b"GET /_bulla/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = exchange(server.plain().await, health).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn requests_hold_no_more_memory_together_than_allowed() {
    let server = start(&["--max-body-bytes=65000", "--max-buffered-bytes=65536"]).await;
    let mut first = waiting(&server, &post("/wait", 60_000, 60_000), 1).await;
    let answer = exchange(server.plain().await, &post("/", 10_000, 10_000)).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    server.handler.go.add_permits(1);
    assert!(one_answer(&mut first).await.ends_with("bytes=60000"));
    let mut third = server.plain().await;
    third.write_all(&post("/", 10_000, 10_000)).await.unwrap();
    assert!(one_answer(&mut third).await.ends_with("bytes=10000"));
}

#[tokio::test]
async fn a_connection_holds_no_memory_for_requests_that_were_answered() {
    let server = start(&["--max-body-bytes=65000", "--max-buffered-bytes=65536"]).await;
    let mut kept = server.plain().await;
    for _ in 0..40 {
        // Small enough to arrive together with its head.
        kept.write_all(&post("/", 4000, 4000)).await.unwrap();
        assert!(one_answer(&mut kept).await.ends_with("bytes=4000"));
    }
    let mut other = server.plain().await;
    other.write_all(&post("/", 60_000, 60_000)).await.unwrap();
    assert!(one_answer(&mut other).await.ends_with("bytes=60000"));
}

#[tokio::test]
async fn a_body_that_is_announced_and_not_sent_takes_no_memory_from_others() {
    let server = start(&["--max-body-bytes=65000", "--max-buffered-bytes=65536"]).await;
    let mut lazy = server.plain().await;
    lazy.write_all(&post("/", 65_000, 10)).await.unwrap();
    // The connection's watch, and the timer of the body that does not come.
    until(|| server.clock.sleepers() == 2).await;
    let mut other = server.plain().await;
    other.write_all(&post("/", 60_000, 60_000)).await.unwrap();
    assert!(one_answer(&mut other).await.ends_with("bytes=60000"));
}

#[tokio::test]
async fn answers_that_are_not_read_count_as_memory() {
    let server = start(&["--max-body-bytes=65000", "--max-buffered-bytes=65536"]).await;
    let mut greedy = server.plain().await;
    greedy
        .write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    greedy.readable().await.unwrap();
    let answer = exchange(server.plain().await, GET).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    drop(greedy);
    while !exchange(server.plain().await, GET)
        .await
        .starts_with("HTTP/1.1 200 ")
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let server = start(&["--header-timeout-seconds=3600", "--write-timeout-seconds=7"]).await;
    let mut stream = server.plain().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    stream.readable().await.unwrap();
    // Until the sockets' buffers are full.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    server.advance(7).await;
    assert!(rest(stream).await.len() < LARGE_ANSWER_BYTES);
}

#[tokio::test]
async fn a_client_that_reads_slowly_but_reads_gets_its_answer() {
    let server = start(&["--header-timeout-seconds=7", "--write-timeout-seconds=7"]).await;
    let mut stream = server.plain().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut read = vec![0; LARGE_ANSWER_BYTES / 8];
    for _ in 0..7 {
        server.advance(3).await;
        stream.read_exact(&mut read).await.unwrap();
    }
    assert!(rest(stream).await.len() > LARGE_ANSWER_BYTES / 8);
}

#[tokio::test]
async fn a_body_that_drips_is_refused_long_before_the_time_for_bodies_ends() {
    let server = start(&[
        "--header-timeout-seconds=5",
        "--body-timeout-seconds=3600",
        "--min-body-bytes-per-second=10",
    ])
    .await;
    let mut stream = server.plain().await;
    stream.write_all(&post("/", 1000, 10)).await.unwrap();
    until(|| server.clock.sleepers() == 2).await;
    // Five seconds as for a head, and one for ten bytes.
    server.advance(6).await;
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_fast_enough_has_the_whole_time_for_bodies() {
    let server = start(&["--header-timeout-seconds=5", "--min-body-bytes-per-second=10"]).await;
    let mut stream = server.plain().await;
    stream.write_all(&post("/", 400, 300)).await.unwrap();
    until(|| server.clock.sleepers() == 2).await;
    server.advance(30).await;
    until(|| server.clock.sleepers() == 2).await;
    stream.write_all(&[b'x'; 100]).await.unwrap();
    assert!(one_answer(&mut stream).await.ends_with("bytes=400"));
}

#[tokio::test]
async fn heads_that_are_not_whole_hold_no_more_memory_together_than_allowed() {
    let server = start(&[
        "--max-header-bytes=65536",
        "--max-body-bytes=65000",
        "--max-buffered-bytes=65536",
    ])
    .await;
    let begun = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx-large: {}",
        "x".repeat(40_000)
    );
    let (mut first, mut second) = (server.plain().await, server.plain().await);
    first.write_all(begun.as_bytes()).await.unwrap();
    second.write_all(begun.as_bytes()).await.unwrap();
    // One of them is cut off, with a reset as its bytes were not read.
    let (mut one, mut two) = ([0], [0]);
    let ended = tokio::select! {
        read = first.read(&mut one) => read,
        read = second.read(&mut two) => read,
    };
    assert_eq!(ended.unwrap_or(0), 0);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_to_come_again_later() {
    let server = start(&["--max-connections=1"]).await;
    let mut first = server.plain().await;
    first.write_all(KEEP).await.unwrap();
    one_answer(&mut first).await;
    let answer = exchange(server.plain().await, &post("/", 20_000, 20_000)).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"),
        "{answer}"
    );
    assert!(answer.contains("<Code>ServiceUnavailable</Code>"), "{answer}");
    let mut tls = server.plain().await;
    tls.write_all(b"\x16\x03\x01").await.unwrap();
    assert_eq!(rest(tls).await, "");
    first.write_all(KEEP).await.unwrap();
    assert!(one_answer(&mut first).await.starts_with("HTTP/1.1 200 "));
    drop(first);
    while !exchange(server.plain().await, GET)
        .await
        .starts_with("HTTP/1.1 200 ")
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_that_is_turned_away_and_says_nothing_holds_its_place_for_a_second() {
    let server = start(&["--max-connections=1"]).await;
    let mut first = server.plain().await;
    first.write_all(KEEP).await.unwrap();
    one_answer(&mut first).await;
    let silent = server.plain().await;
    until(|| server.clock.sleepers() == 2).await;
    server.advance(1).await;
    assert_eq!(rest(silent).await, "");
}

/// What an HTTP/2 client says first: the preface and empty settings.
const HTTP2_BEGIN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET http://localhost/wait`, by the static table of HPACK (RFC 7541, Appendix A) and literals.
fn headers(stream: u32) -> Vec<u8> {
    let block = [&b"\x82\x86\x04\x05/wait\x01\x09localhost"[..]].concat();
    frame(1, 0x5, stream, &block)
}

#[tokio::test]
async fn a_flood_of_resets_ends_its_connection_and_no_other() {
    let server = start(&["--max-streams=10"]).await;
    let mut other = server.plain().await;
    let mut stream = server.plain().await;
    stream.write_all(HTTP2_BEGIN).await.unwrap();
    let mut flood = Vec::new();
    for number in 0..5000 {
        flood.extend(headers(number * 2 + 1));
        flood.extend(frame(3, 0, number * 2 + 1, &8_u32.to_be_bytes()));
    }
    // The server may end the connection while it is being written to.
    drop(stream.write_all(&flood).await);
    let mut said = Vec::new();
    drop(stream.read_to_end(&mut said).await);
    let go_away = said
        .windows(9)
        .any(|window| window[3] == 7 && window[4..] == [0; 5]);
    assert!(go_away || said.is_empty(), "{said:?}");
    other.write_all(KEEP).await.unwrap();
    assert!(one_answer(&mut other).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn one_http2_connection_has_no_more_requests_under_way_than_allowed() {
    let server = start(&["--max-streams=3"]).await;
    let mut stream = server.plain().await;
    let mut begin = HTTP2_BEGIN.to_vec();
    for number in 0..5 {
        begin.extend(headers(number * 2 + 1));
    }
    stream.write_all(&begin).await.unwrap();
    until(|| server.handler.waiting.load(Ordering::SeqCst) == 3).await;
    let mut refused = 0;
    while refused < 2 {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).await.unwrap();
        // RST_STREAM with REFUSED_STREAM (RFC 9113, 7).
        refused += u32::from(head[3] == 3 && payload == [0, 0, 0, 7]);
    }
    assert_eq!(server.handler.waiting.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn http2_is_told_of_overload_on_its_stream_and_goes_on() {
    let server = start(&["--max-requests=1"]).await;
    let _first = waiting(&server, WAIT, 1).await;
    let response = http2(server.plain().await, "/").await;
    assert_eq!(response.status(), 503);
    server.handler.go.add_permits(1);
    while http2(server.plain().await, "/").await.status() != 200 {
        tokio::task::yield_now().await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_without_a_sign_of_life_is_asked_for_one() {
    let server = start(&[]).await;
    let mut stream = server.plain().await;
    stream.write_all(KEEP).await.unwrap();
    one_answer(&mut stream).await;
    let (own, other) = (server.address.port(), stream.local_addr().unwrap().port());
    let pair = format!("0100007F:{own:04X} 0100007F:{other:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let line = table.lines().find(|line| line.contains(&pair)).unwrap();
    // Field `tr`: timer 2 is the one of keep-alive (proc(5)).
    assert!(
        line.split_whitespace().nth(5).unwrap().starts_with("02:"),
        "{line}"
    );
}
