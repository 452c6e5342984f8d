//! The listener through real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails fails its test"
)]

mod common;

use bulla_server::ExitReason;
use common::{exchange, http2, one_answer, rest, start, tls_connect, until};
use std::collections::HashSet;
use std::net::UdpSocket;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const KEEP: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn one_port_speaks_plain_http_and_tls() {
    let server = start(&[]).await;
    let plain = exchange(server.plain().await, GET).await;
    assert!(
        plain.ends_with("HTTP/1.1 secure=false ip=127.0.0.1 bytes=0"),
        "{plain}"
    );
    let tls = exchange(server.tls(&[]).await, GET).await;
    assert!(
        tls.ends_with("HTTP/1.1 secure=true ip=127.0.0.1 bytes=0"),
        "{tls}"
    );
}

#[tokio::test]
async fn http2_is_agreed_on_over_tls() {
    let server = start(&[]).await;
    let stream = server.tls(&["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let response = http2(stream, "/").await;
    assert_eq!(response.body(), "HTTP/2.0 secure=true ip=127.0.0.1 bytes=5");
}

#[tokio::test]
async fn http2_with_prior_knowledge_is_understood_without_tls() {
    let server = start(&[]).await;
    let response = http2(server.plain().await, "/").await;
    assert_eq!(response.body(), "HTTP/2.0 secure=false ip=127.0.0.1 bytes=5");
}

#[tokio::test]
async fn the_development_certificate_covers_the_local_names() {
    let server = start(&["--tls-name=queues.example.com,10.1.2.3"]).await;
    for name in ["localhost", "127.0.0.1", "::1", "queues.example.com", "10.1.2.3"] {
        let connected = tls_connect(server.plain().await, &server.ca_pem, &[], name).await;
        assert!(connected.is_ok(), "{name}: {:?}", connected.err());
    }
    let other = tls_connect(server.plain().await, &server.ca_pem, &[], "example.com").await;
    assert!(other.is_err());
}

#[tokio::test]
async fn a_client_that_trusts_another_authority_refuses_the_server() {
    let (server, other) = (start(&[]).await, start(&[]).await);
    assert!(
        tls_connect(server.plain().await, &other.ca_pem, &[], "localhost")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn forwarding_headers_change_neither_source_nor_security() {
    let server = start(&[]).await;
    let request =
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 8.8.8.8\r\nx-forwarded-proto: https\r\n\
        forwarded: for=8.8.8.8;proto=https\r\nx-real-ip: 8.8.8.8\r\nconnection: close\r\n\r\n";
    let answer = exchange(server.plain().await, request).await;
    assert!(answer.ends_with("secure=false ip=127.0.0.1 bytes=0"), "{answer}");
}

/// An address of this machine that is not loopback; `None` on a machine without a network.
fn outside_address() -> Option<std::net::IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket
        .local_addr()
        .ok()
        .map(|address| address.ip())
        .filter(|ip| !ip.is_loopback())
}

#[tokio::test]
async fn plain_http_on_another_address_than_loopback_is_refused_unless_allowed() {
    let Some(outside) = outside_address() else { return };
    let server = start(&["--listen=0.0.0.0:0"]).await;
    let port = server.address.port();
    let answer = exchange(TcpStream::connect((outside, port)).await.unwrap(), KEEP).await;
    assert!(
        answer.starts_with("HTTP/1.1 403 ") && answer.contains("<Code>InsecureTransport</Code>"),
        "{answer}"
    );
    assert!(answer.contains("connection: close"), "{answer}");
    let stream = TcpStream::connect((outside, port)).await.unwrap();
    let tls = tls_connect(stream, &server.ca_pem, &[], "localhost")
        .await
        .unwrap();
    assert!(
        exchange(tls, GET)
            .await
            .contains(&format!("secure=true ip={outside}"))
    );
    let loopback = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert!(exchange(loopback, GET).await.contains("secure=false"));

    let allowed = start(&["--listen=0.0.0.0:0", "--allow-plain-http"]).await;
    let answer = exchange(
        TcpStream::connect((outside, allowed.address.port()))
            .await
            .unwrap(),
        GET,
    )
    .await;
    assert!(answer.contains("secure=false"), "{answer}");
}

#[tokio::test]
async fn an_ipv4_client_of_an_ipv6_socket_is_known_by_its_ipv4_address() {
    let server = start(&["--listen=[::]:0"]).await;
    let stream = TcpStream::connect(("127.0.0.1", server.address.port()))
        .await
        .unwrap();
    assert!(exchange(stream, GET).await.contains("ip=127.0.0.1 "));
}

#[tokio::test]
async fn headers_that_do_not_arrive_in_time_end_the_connection() {
    let server = start(&["--header-timeout-seconds=7"]).await;
    for begun in [&b""[..], b"GET / HT", b"PRI * HTTP", b"\x16\x03\x01"] {
        let mut stream = server.plain().await;
        stream.write_all(begun).await.unwrap();
        server.advance(7).await;
        let ended = rest(stream).await;
        assert_eq!(ended, "", "{begun:?}");
    }
}

#[tokio::test]
async fn headers_that_drip_end_the_connection_also_after_a_first_request() {
    let server = start(&["--header-timeout-seconds=7"]).await;
    let mut stream = server.plain().await;
    stream.write_all(KEEP).await.unwrap();
    one_answer(&mut stream).await;
    stream.write_all(b"GET / ").await.unwrap();
    for _ in 0..3 {
        server.advance(7).await;
        drop(stream.write_all(b"x").await);
    }
    assert_eq!(rest(stream).await, "");
}

#[tokio::test]
async fn a_kept_connection_stays_until_it_has_idled_too_long() {
    let server = start(&["--header-timeout-seconds=10", "--idle-timeout-seconds=30"]).await;
    let mut stream = server.plain().await;
    for _ in 0..2 {
        stream.write_all(KEEP).await.unwrap();
        one_answer(&mut stream).await;
        server.advance(10).await;
        server.advance(10).await;
    }
    server.advance(10).await;
    assert_eq!(rest(stream).await, "");
}

#[tokio::test]
async fn a_long_poll_outlives_every_timeout() {
    let server = start(&[
        "--header-timeout-seconds=5",
        "--idle-timeout-seconds=5",
        "--body-timeout-seconds=5",
    ])
    .await;
    let mut stream = server.plain().await;
    stream
        .write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    until(|| server.handler.waiting.load(Ordering::SeqCst) == 1).await;
    for _ in 0..5 {
        server.advance(5).await;
    }
    server.handler.go.add_permits(1);
    assert!(one_answer(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_refused() {
    let server = start(&["--header-timeout-seconds=60", "--body-timeout-seconds=5"]).await;
    let mut stream = server.plain().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n12345")
        .await
        .unwrap();
    until(|| server.clock.sleepers() == 2).await;
    server.advance(5).await;
    let answer = rest(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains("RequestTimeout"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_that_is_stated_too_large_is_refused_before_it_is_sent() {
    let server = start(&["--max-body-bytes=1024"]).await;
    let request = b"POST / HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 1025\r\n\
        content-type: application/x-amz-json-1.0\r\n\r\n";
    let answer = exchange(server.plain().await, request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.contains("content-type: application/x-amz-json-1.0"),
        "{answer}"
    );
    assert!(
        answer.contains("\"__type\":\"RequestEntityTooLarge\""),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_of_unstated_size_is_refused_once_it_is_too_large() {
    let server = start(&["--max-body-bytes=1024"]).await;
    let head = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("200\r\n{}\r\n", "x".repeat(512));
    let request = [
        head,
        chunk.as_bytes(),
        chunk.as_bytes(),
        chunk.as_bytes(),
        b"0\r\n\r\n",
    ]
    .concat();
    let answer = exchange(server.plain().await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_body_in_many_pieces_arrives_whole() {
    let server = start(&[]).await;
    let mut stream = server.plain().await;
    let head = b"POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 3000000\r\n\r\n";
    stream.write_all(head).await.unwrap();
    stream.write_all(&vec![b'x'; 3_000_000]).await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.ends_with("bytes=3000000"), "{answer}");
}

#[tokio::test]
async fn headers_that_are_too_large_or_too_many_are_refused_with_a_request_id() {
    let server = start(&["--max-header-bytes=4096", "--max-headers=16"]).await;
    let large = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx-large: {}\r\n\r\n",
        "x".repeat(5000)
    );
    let many = "x-one: 1\r\n".repeat(17);
    let many = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n");
    for request in [large, many] {
        let answer = exchange(server.plain().await, request.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 431 ") && answer.contains("x-amzn-requestid: "),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn headers_far_beyond_the_limit_end_the_connection() {
    let server = start(&["--max-header-bytes=4096"]).await;
    let huge = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx-large: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let mut stream = server.plain().await;
    drop(stream.write_all(huge.as_bytes()).await);
    let answer = rest(stream).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{answer}"
    );
}

#[tokio::test]
async fn a_request_that_names_two_hosts_is_refused() {
    let server = start(&[]).await;
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: other\r\n\r\n";
    let answer = exchange(server.plain().await, request).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("more than one host"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_client_that_waits_for_it_is_told_to_go_on() {
    let server = start(&[]).await;
    let mut stream = server.plain().await;
    let head = b"POST / HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: 3\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert!(exchange(stream, b"abc").await.ends_with("bytes=3"));
}

#[tokio::test]
async fn a_body_in_chunks_arrives_whole() {
    let server = start(&[]).await;
    let request =
        b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
        3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n";
    assert!(exchange(server.plain().await, request).await.ends_with("bytes=8"));
}

#[tokio::test]
async fn a_body_shorter_or_other_than_announced_is_refused() {
    let server = start(&[]).await;
    for (framing, body, expected) in [
        ("content-length: 10", "abc", "<Code>IncompleteBody</Code>"),
        (
            "transfer-encoding: chunked",
            "zz\r\n",
            "<Code>IncompleteBody</Code>",
        ),
        ("content-length: 3\r\ncontent-length: 4", "abcd", "HTTP/1.1 400 "),
        ("content-length: -1", "", "HTTP/1.1 400 "),
    ] {
        let request = format!("POST / HTTP/1.1\r\nhost: localhost\r\n{framing}\r\n\r\n{body}");
        let mut stream = server.plain().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = rest(stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains(expected),
            "{framing}: {answer}"
        );
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let server = start(&[]).await;
    let mut ids = HashSet::new();
    for path in ["/", "/_bulla/health", "/_bulla/nothing", "/panic"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = exchange(server.plain().await, request.as_bytes()).await;
        let id = answer
            .lines()
            .find_map(|line| line.strip_prefix("x-amzn-requestid: "))
            .unwrap()
            .to_owned();
        assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "{id}");
        ids.insert(id);
    }
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn a_defect_costs_one_answer_and_not_the_connection() {
    let server = start(&[]).await;
    let mut stream = server.plain().await;
    stream
        .write_all(b"GET /panic HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let answer = one_answer(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 500 ") && answer.contains("InternalFailure"),
        "{answer}"
    );
    stream.write_all(KEEP).await.unwrap();
    assert!(one_answer(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn stopping_answers_what_is_under_way_and_accepts_nothing_new() {
    let mut server = start(&[]).await;
    let mut stream = server.plain().await;
    stream
        .write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    until(|| server.handler.waiting.load(Ordering::SeqCst) == 1).await;
    server.trigger.pull();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(server.exit.try_recv().is_err());
    server.handler.go.add_permits(1);
    let answer = rest(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(server.exit.await.unwrap(), ExitReason::Clean);
    assert_eq!(server.handler.closes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn stopping_does_not_wait_for_idle_connections() {
    let server = start(&[]).await;
    let (mut plain, silent) = (server.plain().await, server.plain().await);
    plain.write_all(KEEP).await.unwrap();
    one_answer(&mut plain).await;
    server.trigger.pull();
    assert_eq!(server.exit.await.unwrap(), ExitReason::Clean);
    assert_eq!(rest(plain).await, "");
    drop(silent);
}

#[tokio::test]
async fn stopping_waits_no_longer_than_the_grace_period() {
    let server = start(&["--shutdown-grace-seconds=3"]).await;
    let mut stream = server.plain().await;
    stream
        .write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    until(|| server.handler.waiting.load(Ordering::SeqCst) == 1).await;
    server.trigger.pull();
    until(|| server.clock.sleepers() == 2).await;
    server.advance(3).await;
    assert_eq!(server.exit.await.unwrap(), ExitReason::Cut);
}

#[tokio::test]
async fn the_authority_can_be_fetched_from_the_server() {
    let server = start(&[]).await;
    let request = b"GET /_bulla/ca.pem HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = exchange(server.plain().await, request).await;
    assert!(
        answer.ends_with(&server.ca_pem) && server.ca_pem.contains("BEGIN CERTIFICATE"),
        "{answer}"
    );
}

const RESET: &str =
    "POST /_bulla/reset HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n";

#[tokio::test]
async fn only_a_server_in_open_mode_is_reset() {
    for (flags, status, resets) in [(&[][..], "403", 0), (&["--open"], "200", 1)] {
        let server = start(flags).await;
        let answer = exchange(server.plain().await, format!("{RESET}\r\n").as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert_eq!(server.handler.resets.load(Ordering::SeqCst), resets);
    }
}

#[tokio::test]
async fn a_web_page_cannot_reset_a_server_in_open_mode() {
    let server = start(&["--open"]).await;
    let request = format!("{RESET}origin: http://attacker.example\r\n\r\n");
    assert!(
        exchange(server.plain().await, request.as_bytes())
            .await
            .starts_with("HTTP/1.1 403 ")
    );
    let rebound = request.replace("host: localhost", "host: attacker.example");
    assert!(
        exchange(server.plain().await, rebound.as_bytes())
            .await
            .starts_with("HTTP/1.1 403 ")
    );
    assert_eq!(server.handler.resets.load(Ordering::SeqCst), 0);
}
