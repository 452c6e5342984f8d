//! Signing: for our own test clients and the load generator.

use std::fmt;

use zeroize::Zeroizing;

use crate::ALGORITHM;
use crate::canonical::{CanonicalRequest, Header, PayloadLine, string_to_sign};
use crate::digest::hex;
use crate::key::SigningKey;
use crate::query::{self, Parameter};
use crate::request::{Payload, RequestHead, ServiceRules};
use crate::time::RequestTime;

/// Headers that are never signed, because what stands between client and server may change them.
const UNSIGNED_HEADERS: [&str; 6] = [
    "authorization",
    "connection",
    "expect",
    "transfer-encoding",
    "user-agent",
    "x-amzn-trace-id",
];

/// Signs requests with one access key for one region and service.
///
/// The signing key of the day is kept, so that a request costs one HMAC and the hash of its body.
pub struct Signer<'a> {
    access_key_id: &'a str,
    secret_access_key: Zeroizing<Vec<u8>>,
    session_token: Option<&'a str>,
    region: &'a str,
    rules: ServiceRules<'a>,
    key_of_day: Option<([u8; 8], SigningKey)>,
}

/// The headers that a signed request must have in addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeaders {
    /// Value of `authorization`.
    pub authorization: String,
    /// Value of `x-amz-date`.
    pub date: RequestTime,
    /// Value of `x-amz-security-token`, if there is a session token.
    pub security_token: Option<String>,
}

impl SignedHeaders {
    /// Names and values, to be added to the request.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let token = self
            .security_token
            .as_deref()
            .map(|token| ("x-amz-security-token", token));
        [
            ("authorization", self.authorization.as_str()),
            ("x-amz-date", self.date.as_str()),
        ]
        .into_iter()
        .chain(token)
    }
}

impl<'a> Signer<'a> {
    /// A signer for an access key, with the session token that temporary credentials have.
    #[must_use]
    pub fn new(
        access_key_id: &'a str,
        secret_access_key: &str,
        session_token: Option<&'a str>,
        region: &'a str,
        rules: ServiceRules<'a>,
    ) -> Self {
        Self {
            access_key_id,
            secret_access_key: Zeroizing::new(secret_access_key.as_bytes().to_vec()),
            session_token,
            region,
            rules,
            key_of_day: None,
        }
    }

    /// Signs a request in its headers; all headers given are signed, except those that change on the way.
    ///
    /// `head.headers` must have `host`, and must not have what this adds. A given `x-amz-content-sha256` stands for the
    /// body.
    pub fn sign<'h, H>(
        &mut self,
        head: RequestHead<'h, H>,
        payload: &Payload<'_>,
        at_epoch_seconds: i64,
    ) -> SignedHeaders
    where
        H: IntoIterator<Item = (&'h str, &'h [u8])>,
    {
        let date = RequestTime::from_epoch_seconds(at_epoch_seconds);
        let token = self.session_token;
        let mut headers: Vec<Header<'_>> = head.headers.into_iter().collect();
        headers.push(("x-amz-date", date.as_str().as_bytes()));
        headers.extend(token.map(|token| ("x-amz-security-token", token.as_bytes())));
        let signed_headers = signed_names(&headers);
        let claimed = headers
            .iter()
            .find(|header| header.0.eq_ignore_ascii_case("x-amz-content-sha256"));
        let line;
        let payload = if let Some((_, value)) = claimed {
            value
        } else {
            line = PayloadLine::of(&payload.hash());
            line.as_bytes()
        };
        let canonical = CanonicalRequest {
            method: head.method,
            path: head.path,
            path_rule: self.rules.path,
            query: &query::parse(head.query),
            query_leaves_out: None,
            headers: &headers,
            signed_headers: &signed_headers
                .as_bytes()
                .split(|byte| *byte == b';')
                .collect::<Vec<_>>(),
            payload,
        };
        let (scope, signature) = self.signature(&canonical, &date);
        SignedHeaders {
            authorization: format!(
                "{ALGORITHM} Credential={}/{scope}, SignedHeaders={signed_headers}, Signature={signature}",
                self.access_key_id
            ),
            date,
            security_token: token.map(str::to_owned),
        }
    }

    /// Signs a request in its query string, and returns the whole query string of the presigned URL.
    ///
    /// It is valid for `expires_seconds` (1 to [`crate::PRESIGNED_EXPIRES_SECONDS_MAX`]). `head.headers` must have `host`;
    /// whoever uses the URL must send the same headers.
    pub fn presign<'h, H>(
        &mut self,
        head: RequestHead<'h, H>,
        payload: &Payload<'_>,
        at_epoch_seconds: i64,
        expires_seconds: u32,
    ) -> String
    where
        H: IntoIterator<Item = (&'h str, &'h [u8])>,
    {
        let date = RequestTime::from_epoch_seconds(at_epoch_seconds);
        let headers: Vec<Header<'_>> = head.headers.into_iter().collect();
        let signed_headers = signed_names(&headers);
        let credential = format!("{}/{}", self.access_key_id, self.scope(&date));
        let mut parameters = query::parse(head.query);
        parameters.extend([
            Parameter::new("X-Amz-Algorithm", ALGORITHM),
            Parameter::new("X-Amz-Credential", &credential),
            Parameter::new("X-Amz-Date", date.as_str()),
            Parameter::new("X-Amz-Expires", &expires_seconds.to_string()),
            Parameter::new("X-Amz-SignedHeaders", &signed_headers),
        ]);
        parameters.extend(
            self.session_token
                .map(|token| Parameter::new("X-Amz-Security-Token", token)),
        );
        let payload = if self.rules.unsigned_payload {
            PayloadLine::Unsigned
        } else {
            PayloadLine::of(&payload.hash())
        };
        let canonical = CanonicalRequest {
            method: head.method,
            path: head.path,
            path_rule: self.rules.path,
            query: &parameters,
            query_leaves_out: None,
            headers: &headers,
            signed_headers: &signed_headers
                .as_bytes()
                .split(|byte| *byte == b';')
                .collect::<Vec<_>>(),
            payload: payload.as_bytes(),
        };
        let (_, signature) = self.signature(&canonical, &date);
        let mut query = Vec::new();
        query::push_canonical(&mut query, &parameters, None);
        query.extend_from_slice(b"&X-Amz-Signature=");
        query.extend_from_slice(signature.as_bytes());
        String::from_utf8_lossy(&query).into_owned()
    }

    fn scope(&self, date: &RequestTime) -> String {
        format!(
            "{}/{}/{}/aws4_request",
            date.date(),
            self.region,
            self.rules.service
        )
    }

    /// The scope and the signature of a request; every header that is named in it is there.
    fn signature(&mut self, canonical: &CanonicalRequest<'_>, date: &RequestTime) -> (String, String) {
        let scope = self.scope(date);
        let to_sign = string_to_sign(&canonical.write().unwrap_or_default(), date, &scope);
        let signature = self.key(date).sign(&to_sign);
        (scope, hex(&signature))
    }

    fn key(&mut self, date: &RequestTime) -> &SigningKey {
        let kept = self
            .key_of_day
            .take()
            .filter(|(day, _)| day == date.date().as_bytes());
        let (_, key) = self.key_of_day.insert(kept.unwrap_or_else(|| {
            let mut day = [0; 8];
            day.copy_from_slice(date.date().as_bytes());
            (
                day,
                SigningKey::derive(
                    &self.secret_access_key,
                    date.date(),
                    self.region,
                    self.rules.service,
                ),
            )
        }));
        key
    }
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// The names of the headers to sign: lower-case, sorted, each once, separated by `;`.
fn signed_names(headers: &[Header<'_>]) -> String {
    let mut names: Vec<String> = headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.retain(|name| !UNSIGNED_HEADERS.contains(&name.as_str()));
    names.sort_unstable();
    names.dedup();
    names.join(";")
}
