//! Proxies and VPC endpoints at the listener.

#![allow(dead_code, reason = "the server has more than is used here")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails fails its test"
)]

mod common;

use common::{exchange, settings, start, tls_connect};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const PROXIES: &str = "--proxy-protocol-from=127.0.0.0/8";
/// A proxy's header for a client at 203.0.113.9.
const HEADER: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\x0a\0\0\x01\x30\x39\x11\xd6";
/// One for the proxy itself.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

async fn after(header: &[u8], mut stream: TcpStream) -> TcpStream {
    stream.write_all(header).await.unwrap();
    stream
}

#[tokio::test]
async fn a_trusted_proxy_says_where_the_client_is() {
    let server = start(&[PROXIES]).await;
    let stream = after(HEADER, server.plain().await).await;
    let stream = tls_connect(stream, &server.ca_pem, &[], "127.0.0.1")
        .await
        .unwrap();
    let answer = exchange(stream, GET).await;
    assert!(answer.contains("secure=true ip=203.0.113.9"), "{answer}");
}

#[tokio::test]
async fn a_trusted_proxy_may_speak_for_itself() {
    let server = start(&[PROXIES]).await;
    let answer = exchange(after(LOCAL, server.plain().await).await, GET).await;
    assert!(answer.contains("secure=false ip=127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn a_client_behind_a_proxy_on_loopback_is_not_local() {
    let server = start(&[PROXIES]).await;
    let answer = exchange(after(HEADER, server.plain().await).await, GET).await;
    assert!(!answer.contains("secure=false"), "{answer}");
    let server = start(&[PROXIES, "--allow-plain-http"]).await;
    let answer = exchange(after(HEADER, server.plain().await).await, GET).await;
    assert!(answer.contains("secure=false ip=203.0.113.9"), "{answer}");
}

#[tokio::test]
async fn a_trusted_proxy_that_does_not_say_who_is_behind_it_is_not_served() {
    let server = start(&[PROXIES]).await;
    assert_eq!(exchange(server.plain().await, GET).await, "");
}

#[tokio::test]
async fn nobody_else_says_where_the_client_is() {
    for flags in [&[][..], &["--proxy-protocol-from=10.0.0.0/8"]] {
        let server = start(flags).await;
        let answer = exchange(after(HEADER, server.plain().await).await, GET).await;
        assert!(
            !answer.contains("203.0.113.9") && !answer.contains("200 OK"),
            "{answer}"
        );
    }
}

#[test]
fn subnets_of_the_settings_make_the_network() {
    let settings = settings(&[
        "--subnet=subnet-0a1b2c3d,vpc=vpc-0a1b2c3d,account=111122223333,address=127.0.0.1,ports=1-2",
    ]);
    let network = settings.network.network().unwrap();
    assert!(network.subnet("subnet-0a1b2c3d".parse().unwrap()).is_some());
}
