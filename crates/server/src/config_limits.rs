//! The limits on clients: what one of them may do, and what all of them together may make the server hold.

use clap::Args;
use std::time::Duration;

/// The largest accepted request body, bytes: a 1 MiB message whose every byte is escaped in JSON or
/// percent-encoded in a form takes six, and attributes and names come on top.
pub const REQUEST_BODY_BYTES_DEFAULT: u32 = 8 * 1024 * 1024;
/// How much all requests and large answers that are under way may hold together, bytes.
pub const BUFFERED_BYTES_DEFAULT: u32 = 512 * 1024 * 1024;
/// The largest accepted request line and headers together, bytes. An identity's session token is the longest.
pub const REQUEST_HEADER_BYTES_DEFAULT: u32 = 64 * 1024;
/// How many header lines one request may have.
pub const REQUEST_HEADER_COUNT_DEFAULT: u32 = 64;
/// The most header lines that can be allowed: the HTTP/1 parser's own bound is 100.
pub const REQUEST_HEADER_COUNT_MAX: u32 = 96;
/// How many connections may be open at once: ten thousand long polls, and room for everybody else.
pub const CONNECTION_COUNT_DEFAULT: u32 = 16_384;
/// How many requests may be under way at once, long polls among them.
pub const REQUEST_COUNT_DEFAULT: u32 = 20_000;
/// How many long polls may wait at once.
pub const LONG_POLL_COUNT_DEFAULT: u32 = 16_000;
/// How many requests of one HTTP/2 connection may be under way at once (RFC 9113, 6.5.2, recommends at least 100).
pub const CONNECTION_STREAM_COUNT_DEFAULT: u32 = 128;

const _: () = assert!(LONG_POLL_COUNT_DEFAULT < REQUEST_COUNT_DEFAULT);
const _: () = assert!(REQUEST_BODY_BYTES_DEFAULT < BUFFERED_BYTES_DEFAULT);

/// What a client may do before it is turned away.
#[derive(Args, Clone, Copy, Debug)]
pub struct LimitSettings {
    /// How many connections may be open at once; more are turned away with 503.
    #[arg(
        long,
        value_name = "COUNT",
        env = "BULLA_MAX_CONNECTIONS",
        hide_env_values = true
    )]
    #[arg(default_value_t = CONNECTION_COUNT_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// How many requests may be under way at once, also those whose client has gone; more are told to come again
    /// later.
    #[arg(
        long,
        value_name = "COUNT",
        env = "BULLA_MAX_REQUESTS",
        hide_env_values = true
    )]
    #[arg(default_value_t = REQUEST_COUNT_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_requests: u32,

    /// How many receives may wait for messages at once; more are told to come again later.
    #[arg(
        long,
        value_name = "COUNT",
        env = "BULLA_MAX_LONG_POLLS",
        hide_env_values = true
    )]
    #[arg(default_value_t = LONG_POLL_COUNT_DEFAULT, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub max_long_polls: u32,

    /// How many requests of one HTTP/2 connection may be under way at once.
    #[arg(long, value_name = "COUNT", env = "BULLA_MAX_STREAMS", hide_env_values = true)]
    #[arg(default_value_t = CONNECTION_STREAM_COUNT_DEFAULT)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_streams: u32,

    /// The largest request body, bytes.
    #[arg(
        long,
        value_name = "BYTES",
        env = "BULLA_MAX_BODY_BYTES",
        hide_env_values = true
    )]
    #[arg(default_value_t = REQUEST_BODY_BYTES_DEFAULT)]
    #[arg(value_parser = clap::value_parser!(u32).range(1024..=67_108_864))]
    pub max_body_bytes: u32,

    /// How much all requests and answers above 16 KiB may hold together, bytes; more are told to come again later.
    #[arg(
        long,
        value_name = "BYTES",
        env = "BULLA_MAX_BUFFERED_BYTES",
        hide_env_values = true
    )]
    #[arg(default_value_t = BUFFERED_BYTES_DEFAULT)]
    #[arg(value_parser = clap::value_parser!(u32).range(65_536..))]
    pub max_buffered_bytes: u32,

    /// The largest request line and headers together, bytes.
    #[arg(
        long,
        value_name = "BYTES",
        env = "BULLA_MAX_HEADER_BYTES",
        hide_env_values = true
    )]
    #[arg(default_value_t = REQUEST_HEADER_BYTES_DEFAULT)]
    #[arg(value_parser = clap::value_parser!(u32).range(4096..=1_048_576))]
    pub max_header_bytes: u32,

    /// How many header lines one request may have.
    #[arg(long, value_name = "COUNT", env = "BULLA_MAX_HEADERS", hide_env_values = true)]
    #[arg(default_value_t = REQUEST_HEADER_COUNT_DEFAULT)]
    #[arg(value_parser = clap::value_parser!(u32).range(16..=i64::from(REQUEST_HEADER_COUNT_MAX)))]
    pub max_headers: u32,

    /// How long a client may take for the TLS handshake, and for a request's headers, seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "BULLA_HEADER_TIMEOUT_SECONDS",
        hide_env_values = true
    )]
    #[arg(default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub header_timeout_seconds: u32,

    /// How long a client may take to send a request's body, seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "BULLA_BODY_TIMEOUT_SECONDS",
        hide_env_values = true
    )]
    #[arg(default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub body_timeout_seconds: u32,

    /// How slowly a request's body may arrive, bytes a second on the average since its headers, once these have
    /// had the time they may take; 0 for as slowly as the time for bodies allows.
    #[arg(
        long,
        value_name = "BYTES",
        env = "BULLA_MIN_BODY_BYTES_PER_SECOND",
        hide_env_values = true
    )]
    #[arg(default_value_t = 1024)]
    pub min_body_bytes_per_second: u32,

    /// How long a client may leave an answer unread while more of it waits to be sent, seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "BULLA_WRITE_TIMEOUT_SECONDS",
        hide_env_values = true
    )]
    #[arg(default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub write_timeout_seconds: u32,

    /// How long a connection may stay open without a request, and how long a client may take to read a whole
    /// answer, seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "BULLA_IDLE_TIMEOUT_SECONDS",
        hide_env_values = true
    )]
    #[arg(default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub idle_timeout_seconds: u32,
}

impl LimitSettings {
    /// Time for a handshake, or for a request's headers.
    #[must_use]
    pub fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_seconds.into())
    }

    /// Time for a request's body.
    #[must_use]
    pub fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout_seconds.into())
    }

    /// Time for a body of which this many bytes have arrived.
    #[must_use]
    pub fn body_time(&self, received: u64) -> Duration {
        match received.checked_div(self.min_body_bytes_per_second.into()) {
            Some(seconds) => self
                .header_timeout()
                .saturating_add(Duration::from_secs(seconds))
                .min(self.body_timeout()),
            None => self.body_timeout(),
        }
    }

    /// Time for a client to take anything of an answer.
    #[must_use]
    pub fn write_timeout(&self) -> Duration {
        Duration::from_secs(self.write_timeout_seconds.into())
    }

    /// Time without a request.
    #[must_use]
    pub fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.idle_timeout_seconds.into())
    }
}
