//! What the listener itself refuses, before any service sees the request: one table.
//!
//! The answers have the form AWS clients read: JSON for the JSON protocols, XML for the others.

use crate::overloaded::Words;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{Response, StatusCode, Version};

/// Where everything lies that is Bulla's and not AWS's.
pub(crate) const OWN_PATHS: &str = "/_bulla/";

/// When to try again, seconds.
pub(crate) const RETRY_AFTER_SECONDS: &str = "1";
/// Where clients of JSON services that once spoke Query look for the code of that time.
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

/// A request that goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// The body broke off.
    BodyIncomplete,
    /// Headers are too many or too large.
    HeadersTooLarge,
    /// More than one host is named.
    ManyHosts,
    /// Plain HTTP on an address that only speaks TLS.
    PlainHttp,
    /// A web page of another origin asks, in open mode.
    ForeignOrigin,
    /// The request is addressed to a name that is not this server's, in open mode.
    ForeignHost,
    /// A reset outside open mode.
    ResetOutsideOpenMode,
    /// A path under `/_bulla/` that there is not.
    UnknownPath,
    /// A path under `/_bulla/` with a method it does not have.
    WrongMethod,
    /// There is no room for the request.
    Overloaded(Words),
    /// A defect in this program.
    Internal,
    /// The services are being built again.
    Unavailable,
    /// The root key cannot be reached, in the words of KMS.
    KeyUnavailable,
    /// The root key cannot be reached.
    RootKeyAway,
}

/// What names the operation in the JSON protocols, and how it begins for KMS.
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const KMS_TARGET: &[u8] = b"TrentService.";
const ROOT_KEY_AWAY: &str =
    "The key that protects this server's data cannot be reached. Nothing is lost; try again later.";
const FOREIGN_ORIGIN: &str = "In open mode requests from web pages of other origins are refused.";
const FOREIGN_HOST: &str = "In open mode only requests to localhost, a loopback address or a name given with --tls-name are answered.";
const NOT_OPEN: &str = "Only a server in open mode can be reset.";

/// One row of the table.
struct Row {
    code: &'static str,
    status: StatusCode,
    message: &'static str,
}

impl Refusal {
    const fn row(self) -> Row {
        let (code, status, message) = match self {
            Self::BodyTooLarge => (
                "RequestEntityTooLarge",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request body is larger than this server accepts.",
            ),
            Self::BodyTooSlow => (
                "RequestTimeout",
                StatusCode::REQUEST_TIMEOUT,
                "The request body did not arrive in time.",
            ),
            Self::BodyIncomplete => (
                "IncompleteBody",
                StatusCode::BAD_REQUEST,
                "The request body ended before it was complete.",
            ),
            Self::HeadersTooLarge => (
                "RequestHeaderFieldsTooLarge",
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "The request's headers are larger or more than this server accepts.",
            ),
            Self::ManyHosts => (
                "InvalidRequest",
                StatusCode::BAD_REQUEST,
                "The request names more than one host.",
            ),
            Self::PlainHttp => (
                "InsecureTransport",
                StatusCode::FORBIDDEN,
                "This address answers TLS only: use https:// (the operator may allow plain HTTP with --allow-plain-http, unless clients need certificates).",
            ),
            Self::ForeignOrigin => ("AccessDenied", StatusCode::FORBIDDEN, FOREIGN_ORIGIN),
            Self::ForeignHost => ("AccessDenied", StatusCode::FORBIDDEN, FOREIGN_HOST),
            Self::ResetOutsideOpenMode => ("AccessDenied", StatusCode::FORBIDDEN, NOT_OPEN),
            Self::UnknownPath => (
                "NotFound",
                StatusCode::NOT_FOUND,
                "There is nothing at this path.",
            ),
            Self::WrongMethod => (
                "MethodNotAllowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This path does not have that method.",
            ),
            Self::Unavailable => (
                "ServiceUnavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The services are being reset. Try again.",
            ),
            Self::KeyUnavailable => away("KeyUnavailableException", StatusCode::INTERNAL_SERVER_ERROR),
            Self::RootKeyAway => away("ServiceUnavailable", StatusCode::SERVICE_UNAVAILABLE),
            Self::Overloaded(words) => words.row(),
            Self::Internal => (
                "InternalFailure",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The request processing has failed because of an unknown error, exception or failure.",
            ),
        };
        Row {
            code,
            status,
            message,
        }
    }

    /// The code that clients see.
    pub(crate) const fn code(self) -> &'static str {
        self.row().code
    }

    /// Whether the same request may be answered a little later.
    pub(crate) const fn is_overload(self) -> bool {
        matches!(
            self,
            Self::Overloaded(_) | Self::Unavailable | Self::KeyUnavailable | Self::RootKeyAway
        )
    }

    /// What a request is told as long as the root key cannot be reached.
    pub(crate) fn root_key(parts: &Parts) -> Self {
        let target = parts.headers.get(TARGET).map_or(&b""[..], HeaderValue::as_bytes);
        if target.starts_with(KMS_TARGET) {
            Self::KeyUnavailable
        } else {
            Self::RootKeyAway
        }
    }

    /// The code, with its namespace where the service that it is said for writes one.
    fn json_type(self) -> &'static str {
        if self == Self::Overloaded(Words::Sqs) {
            "com.amazonaws.sqs#RequestThrottled"
        } else {
            self.code()
        }
    }

    /// The answer, in the form the request's protocol reads.
    pub(crate) fn answer(self, form: Form, request_id: &str) -> Response<Bytes> {
        let Row {
            code,
            status,
            message,
        } = self.row();
        let (content_type, body) = match form {
            Form::Json { content_type } => (
                content_type,
                serde_json::json!({ "__type": self.json_type(), "message": message }).to_string(),
            ),
            Form::Xml => {
                let fault = if status.is_server_error() {
                    "Receiver"
                } else {
                    "Sender"
                };
                let body = format!(
                    "<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message>\
                     <Detail/></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
                );
                ("text/xml", body)
            }
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if self.is_overload() {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        if let (Self::Overloaded(Words::Sqs), Form::Json { .. }) = (self, form) {
            let code = HeaderValue::from_static("RequestThrottled;Sender");
            response.headers_mut().insert(QUERY_ERROR, code);
        }
        response
    }
}

/// What is said as long as the root key cannot be reached. The status is the service's own: for KMS that of the KMS API
/// Reference, `KeyUnavailableException` (read 2026-11-21).
const fn away(code: &'static str, status: StatusCode) -> (&'static str, StatusCode, &'static str) {
    (code, status, ROOT_KEY_AWAY)
}

/// Says on HTTP/1 that the connection ends with this answer, as the request's body was not read.
pub(crate) fn close_after(response: &mut Response<Bytes>, version: Version) {
    if version < Version::HTTP_2 {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// The form in which a client reads errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// An object with `__type` and `message`.
    Json {
        /// The same type as the request's.
        content_type: &'static str,
    },
    /// `ErrorResponse`.
    Xml,
}

impl Form {
    /// The form that suits a request.
    pub(crate) fn of(parts: &Parts) -> Self {
        let content_type = parts
            .headers
            .get(CONTENT_TYPE)
            .map_or(&b""[..], HeaderValue::as_bytes);
        if content_type.starts_with(b"application/x-amz-json-1.1") {
            Self::Json {
                content_type: "application/x-amz-json-1.1",
            }
        } else if content_type.starts_with(b"application/x-amz-json-1.0") {
            Self::Json {
                content_type: "application/x-amz-json-1.0",
            }
        } else if parts.uri.path().starts_with(OWN_PATHS) {
            Self::Json {
                content_type: "application/json",
            }
        } else {
            Self::Xml
        }
    }
}
