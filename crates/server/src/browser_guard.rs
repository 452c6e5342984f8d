//! Keeps web pages out of a server in open mode.
//!
//! Open mode checks no signature, and every page the developer's browser shows may send requests to loopback. Such
//! a request names the page in `Origin` or is marked by `Sec-Fetch-Site` (Fetch Metadata Request Headers, W3C); a
//! page that points its own host name at 127.0.0.1 (DNS rebinding) names that host in `Host`. All three are looked
//! at, for every request. A browser application under test needs a name given with `--tls-name` and its own origin.

use crate::config::ServeSettings;
use crate::refusal::Refusal;
use http::header::{HOST, HeaderValue, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use std::net::IpAddr;

/// The names under which a server in open mode answers.
#[derive(Clone, Debug)]
pub struct BrowserGuard {
    names: Vec<String>,
}

impl BrowserGuard {
    /// A guard that lets these names pass beside `localhost` and loopback addresses; `*.` stands for one or more
    /// labels.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// The guard that a server with these settings needs; none outside open mode.
    #[must_use]
    pub fn of(settings: &ServeSettings) -> Option<Self> {
        let public: Option<http::Uri> = settings.public_url.as_deref().and_then(|url| url.parse().ok());
        let public = public.as_ref().and_then(http::Uri::host).map(str::to_owned);
        settings
            .open
            .then(|| Self::new(settings.tls_name.iter().cloned().chain(public).collect()))
    }

    pub(crate) fn check(&self, parts: &Parts) -> Result<(), Refusal> {
        let host = authority(parts);
        if let Some(host) = &host
            && !self.is_own_name(host.host())
        {
            return Err(Refusal::ForeignHost);
        }
        let site = parts.headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        if !matches!(site, None | Some(b"same-origin" | b"none")) {
            return Err(Refusal::ForeignOrigin);
        }
        match parts.headers.get(ORIGIN) {
            None => Ok(()),
            Some(origin) if host.is_some() && origin_authority(origin) == host => Ok(()),
            Some(_) => Err(Refusal::ForeignOrigin),
        }
    }

    fn is_own_name(&self, host: &str) -> bool {
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .trim_end_matches('.')
            .to_ascii_lowercase();
        if let Ok(address) = host.parse::<IpAddr>() {
            return address.to_canonical().is_loopback() || self.names.contains(&host);
        }
        host == "localhost"
            || host.ends_with(".localhost")
            || self.names.iter().any(|name| covers(name, &host))
    }
}

fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == name,
    }
}

fn authority(parts: &Parts) -> Option<Authority> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.clone()),
        None => Authority::try_from(parts.headers.get(HOST)?.as_bytes()).ok(),
    }
}

fn origin_authority(origin: &HeaderValue) -> Option<Authority> {
    let (_, authority) = origin.to_str().ok()?.split_once("://")?;
    authority.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::BrowserGuard;
    use crate::refusal::Refusal;
    use http::Request;

    fn check(headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let guard = BrowserGuard::new(vec!["bulla".to_owned(), "*.example.com".to_owned()]);
        let mut request = Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard.check(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn requests_to_the_servers_own_names_pass() {
        for host in [
            "localhost:4566",
            "127.0.0.1:4566",
            "[::1]:4566",
            "sqs.localhost",
            "bulla:1",
            "a.example.com",
        ] {
            assert_eq!(check(&[("host", host)]), Ok(()), "{host}");
        }
    }

    #[test]
    fn requests_to_another_name_are_refused() {
        for host in [
            "attacker.com:4566",
            "10.0.0.1:4566",
            "notlocalhost",
            "example.com",
        ] {
            assert_eq!(check(&[("host", host)]), Err(Refusal::ForeignHost), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        for origin in ["http://attacker.com", "http://localhost:3000", "null"] {
            let headers = [("host", "localhost:4566"), ("origin", origin)];
            assert_eq!(check(&headers), Err(Refusal::ForeignOrigin), "{origin}");
        }
        let image = [("host", "localhost:4566"), ("sec-fetch-site", "cross-site")];
        assert_eq!(check(&image), Err(Refusal::ForeignOrigin));
    }

    #[test]
    fn a_page_of_the_servers_own_origin_passes() {
        let headers = [
            ("host", "localhost:4566"),
            ("origin", "http://localhost:4566"),
            ("sec-fetch-site", "same-origin"),
        ];
        assert_eq!(check(&headers), Ok(()));
    }
}
