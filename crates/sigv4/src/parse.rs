//! Finding the signature material of a request.
//!
//! The material stands in the `Authorization` header or in the query string, never in both, and each part of it once:
//! what could be read in two ways is refused.

use std::borrow::Cow;
use std::fmt;

use crate::canonical::Header;
use crate::credential::Credential;
use crate::digest::{Hash, parse_hash};
use crate::error::SignatureError;
use crate::query::{self, Parameter};
use crate::request::RequestHead;
use crate::time::RequestTime;
use crate::{ACCESS_KEY_ID_BYTES_MAX, ALGORITHM, PRESIGNED_EXPIRES_SECONDS_MAX, SIGNED_HEADERS_MAX};

/// Where the signature stands in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query string: a presigned URL.
    Query {
        /// How long it is valid from its date on, seconds, 1 to [`PRESIGNED_EXPIRES_SECONDS_MAX`]; `None` when the URL
        /// does not say, which is the allowed skew.
        expires_seconds: Option<u32>,
    },
}

/// A request that presents a signature. Nothing about it is proven yet.
pub struct Presented<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: Vec<Parameter>,
    pub(crate) headers: Vec<Header<'a>>,
    pub(crate) form: Form,
    pub(crate) credential: Credential<'a>,
    pub(crate) signed_headers: Cow<'a, str>,
    /// `None` when it is not 64 lower-case hexadecimal digits, so that it can match nothing.
    pub(crate) signature: Option<Hash>,
    pub(crate) time: RequestTime,
    pub(crate) session_token: Option<Cow<'a, str>>,
    pub(crate) content_sha256: Option<Cow<'a, str>>,
}

/// The four things that either form must give, as text.
struct Material<'a> {
    credential: Cow<'a, str>,
    signed_headers: Cow<'a, str>,
    signature: Cow<'a, str>,
    time: RequestTime,
}

impl<'a> Presented<'a> {
    /// Finds the signature material of a request.
    ///
    /// # Errors
    /// `MissingAuthenticationToken` when there is none, `IncompleteSignature` when it is not whole or not well-formed.
    pub fn parse<H>(head: RequestHead<'a, H>) -> Result<Self, SignatureError>
    where
        H: IntoIterator<Item = (&'a str, &'a [u8])>,
    {
        let headers: Vec<Header<'a>> = head.headers.into_iter().collect();
        let query = query::parse(head.query);
        let authorization = single_header(&headers, "authorization")?;
        let presigned = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"]
            .iter()
            .any(|name| query.iter().any(|parameter| parameter.name == name.as_bytes()));
        let (form, material) = match (authorization, presigned) {
            (None, false) => return Err(SignatureError::missing()),
            (Some(_), true) => {
                return Err(SignatureError::incomplete(
                    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the \
                     Authorization header should be specified",
                ));
            }
            (Some(authorization), false) => (Form::Header, from_header(authorization, &headers)?),
            (None, true) => (
                Form::Query {
                    expires_seconds: expires(&query)?,
                },
                from_query(&query)?,
            ),
        };
        let credential = parse_credential(material.credential)?;
        let separators = material
            .signed_headers
            .bytes()
            .filter(|byte| *byte == b';')
            .count();
        if separators >= SIGNED_HEADERS_MAX {
            return Err(SignatureError::incomplete(format!(
                "'SignedHeaders' must not have more than {SIGNED_HEADERS_MAX} names"
            )));
        }
        let session_token = in_header_or_query(&headers, &query, "X-Amz-Security-Token")?;
        let content_sha256 = in_header_or_query(&headers, &query, "X-Amz-Content-Sha256")?;
        Ok(Self {
            method: head.method,
            path: head.path,
            query,
            headers,
            form,
            credential,
            signature: parse_hash(material.signature.as_bytes()),
            signed_headers: material.signed_headers,
            time: material.time,
            session_token,
            content_sha256,
        })
    }

    /// Who claims to have signed, for which date, region and service.
    #[must_use]
    pub fn credential(&self) -> &Credential<'a> {
        &self.credential
    }

    /// The access key id whose secret is to be looked up.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credential.access_key_id()
    }

    /// The session token that came along, in the header `x-amz-security-token` or in the query.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// When the request says that it was signed.
    #[must_use]
    pub fn time(&self) -> RequestTime {
        self.time
    }

    /// Where the signature stands.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// The names of the headers that are said to be signed, as written.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("credential", &self.credential)
            .field("form", &self.form)
            .field("time", &self.time)
            .field("signed_headers", &self.signed_headers)
            .field("session_token", &self.session_token.as_ref().map(|_| ".."))
            .finish_non_exhaustive()
    }
}

fn parse_credential(text: Cow<'_, str>) -> Result<Credential<'_>, SignatureError> {
    let credential = Credential::parse(text).map_err(|text| {
        SignatureError::incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{text}'"
        ))
    })?;
    if credential.access_key_id().len() > ACCESS_KEY_ID_BYTES_MAX {
        return Err(SignatureError::incomplete(format!(
            "The access key id in 'Credential' must not be longer than {ACCESS_KEY_ID_BYTES_MAX} characters"
        )));
    }
    Ok(credential)
}

/// The material in `Authorization: AWS4-HMAC-SHA256 Credential=.., SignedHeaders=.., Signature=..`.
fn from_header<'a>(authorization: &'a str, headers: &[Header<'a>]) -> Result<Material<'a>, SignatureError> {
    let (scheme, parameters) = authorization
        .split_once([' ', '\t'])
        .unwrap_or((authorization, ""));
    if scheme != ALGORITHM && scheme.starts_with("AWS4-") {
        return Err(SignatureError::incomplete(format!(
            "Unsupported AWS 'algorithm': '{scheme}'."
        )));
    }
    // What follows another scheme is somebody else's credential and is neither read nor repeated.
    let (parameters, shown) = if scheme == ALGORITHM {
        (parameters, authorization)
    } else {
        ("", scheme_only(authorization))
    };
    let (mut credential, mut signature, mut signed_headers) = (None, None, None);
    for pair in pairs(parameters) {
        let (place, name, value) = if let Some(value) = pair.strip_prefix("Credential=") {
            (&mut credential, "Credential", value)
        } else if let Some(value) = pair.strip_prefix("SignedHeaders=") {
            (&mut signed_headers, "SignedHeaders", value)
        } else if let Some(value) = pair.strip_prefix("Signature=") {
            (&mut signature, "Signature", value)
        } else if pair.contains('=') {
            continue;
        } else {
            return Err(SignatureError::incomplete(format!(
                "'{pair}' not a valid key=value pair (missing equal-sign) in Authorization header: '{shown}'."
            )));
        };
        if place.replace(value).is_some() {
            return Err(SignatureError::incomplete(format!(
                "Authorization header must have the '{name}' parameter once. Authorization={shown}"
            )));
        }
    }
    let time = header_time(headers)?;
    let (Some(credential), Some(signature), Some(signed_headers), Some(time)) =
        (credential, signature, signed_headers, time)
    else {
        let absent = [
            credential
                .is_none()
                .then_some("Authorization header requires 'Credential' parameter. "),
            signature
                .is_none()
                .then_some("Authorization header requires 'Signature' parameter. "),
            signed_headers
                .is_none()
                .then_some("Authorization header requires 'SignedHeaders' parameter. "),
            time.is_none().then_some(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
            ),
        ];
        let absent: String = absent.into_iter().flatten().collect();
        return Err(SignatureError::incomplete(format!(
            "{absent}Authorization={shown}"
        )));
    };
    Ok(Material {
        credential: Cow::Borrowed(credential),
        signed_headers: Cow::Borrowed(signed_headers),
        signature: Cow::Borrowed(signature),
        time,
    })
}

/// What stands between commas and white space.
fn pairs(parameters: &str) -> impl Iterator<Item = &str> {
    parameters.split(',').flat_map(|part| {
        let part = part.trim_ascii();
        // Nobody writes white space but behind a comma; seen without an early exit, in vectors.
        let spaced = part
            .bytes()
            .fold(false, |found, byte| found | byte.is_ascii_whitespace());
        let whole = (!spaced && !part.is_empty()).then_some(part);
        let words = if spaced { part } else { "" };
        whole.into_iter().chain(words.split_ascii_whitespace())
    })
}

fn scheme_only(authorization: &str) -> &str {
    authorization
        .split_once([' ', '\t'])
        .map_or("", |(scheme, _)| scheme)
}

/// The date of a request whose signature stands in the header: `X-Amz-Date`, or else `Date`.
fn header_time(headers: &[Header<'_>]) -> Result<Option<RequestTime>, SignatureError> {
    let Some(text) = single_header(headers, "x-amz-date")?.or(single_header(headers, "date")?) else {
        return Ok(None);
    };
    let time = RequestTime::parse(text).or_else(|| RequestTime::parse_http_date(text));
    time.map(Some).ok_or_else(|| malformed_date(text))
}

fn malformed_date(text: &str) -> SignatureError {
    SignatureError::incomplete(format!(
        "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    ))
}

/// The material in the query string of a presigned URL.
fn from_query(query: &[Parameter]) -> Result<Material<'static>, SignatureError> {
    const NAMES: [&str; 5] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
    ];
    let mut values: [Option<String>; 5] = [const { None }; 5];
    for (value, name) in values.iter_mut().zip(NAMES) {
        *value = single_parameter(query, name)?.map(str::to_owned);
    }
    let [
        Some(algorithm),
        Some(credential),
        Some(signature),
        Some(signed_headers),
        Some(date),
    ] = values
    else {
        let absent = NAMES.iter().zip(&values).filter(|(_, value)| value.is_none());
        let mut message: Vec<String> = absent
            .map(|(name, _)| format!("AWS query-string parameters must include '{name}'."))
            .collect();
        message.push("Re-examine the query-string parameters.".to_owned());
        return Err(SignatureError::incomplete(message.join(" ")));
    };
    if algorithm != ALGORITHM {
        return Err(SignatureError::incomplete(format!(
            "Unsupported AWS 'algorithm': '{algorithm}'."
        )));
    }
    let time = RequestTime::parse(&date).ok_or_else(|| malformed_date(&date))?;
    Ok(Material {
        credential: Cow::Owned(credential),
        signed_headers: Cow::Owned(signed_headers),
        signature: Cow::Owned(signature),
        time,
    })
}

fn expires(query: &[Parameter]) -> Result<Option<u32>, SignatureError> {
    let Some(text) = single_parameter(query, "X-Amz-Expires")? else {
        return Ok(None);
    };
    let digits = !text.is_empty() && text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if digits { text.parse().ok() } else { None };
    match seconds {
        Some(seconds @ 1..=PRESIGNED_EXPIRES_SECONDS_MAX) => Ok(Some(seconds)),
        Some(_) | None => Err(SignatureError::incomplete(format!(
            "X-Amz-Expires must be a number of seconds from 1 to {PRESIGNED_EXPIRES_SECONDS_MAX}, got '{text}'"
        ))),
    }
}

/// A header that may be given once at most, as text without white space around it.
fn single_header<'a>(headers: &[Header<'a>], name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers
        .iter()
        .filter(|header| header.0.eq_ignore_ascii_case(name));
    let Some((_, value)) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(SignatureError::incomplete(format!(
            "The header '{name}' must be given once"
        )));
    }
    match std::str::from_utf8(value) {
        Ok(text) => Ok(Some(text.trim_ascii())),
        Err(_) => Err(SignatureError::incomplete(format!(
            "The header '{name}' must be UTF-8"
        ))),
    }
}

/// A parameter that may be given once at most, as text.
fn single_parameter<'q>(query: &'q [Parameter], name: &str) -> Result<Option<&'q str>, SignatureError> {
    let mut values = query.iter().filter(|parameter| parameter.name == name.as_bytes());
    let Some(parameter) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(SignatureError::incomplete(format!(
            "The query parameter '{name}' must be given once"
        )));
    }
    match std::str::from_utf8(&parameter.value) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(SignatureError::incomplete(format!(
            "The query parameter '{name}' must be UTF-8"
        ))),
    }
}

/// What may stand in a header or in the query, but not in both.
fn in_header_or_query<'a>(
    headers: &[Header<'a>],
    query: &[Parameter],
    name: &str,
) -> Result<Option<Cow<'a, str>>, SignatureError> {
    match (single_header(headers, name)?, single_parameter(query, name)?) {
        (None, None) => Ok(None),
        (Some(text), None) => Ok(Some(Cow::Borrowed(text))),
        (None, Some(text)) => Ok(Some(Cow::Owned(text.to_owned()))),
        (Some(_), Some(_)) => Err(SignatureError::incomplete(format!(
            "'{name}' must be given in a header or in the query, not in both"
        ))),
    }
}
