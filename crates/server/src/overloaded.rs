//! What a request is told that there is no room for, as its service words it: AWS's clients know these codes, wait
//! and try again.
//!
//! Sources: SQS API Reference, error `RequestThrottled`; "Common Errors" of KMS (`ThrottlingException`) and of IAM and
//! STS (`Throttling`) (read 2026-11-21). The body is not looked at, so the service is known by the target or by the
//! signature's scope; who names none is not an AWS client and reads 503 with `Retry-After` (RFC 9110, 10.2.3).

use crate::load::Load;
use crate::refusal::{Form, Refusal};
use bulla_runtime::Clock;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;
use std::time::Duration;

/// How often it is said that requests are turned away.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);
/// What names the operation in the JSON protocols.
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// Whose words are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// Those of HTTP.
    Http,
    /// Those of SQS.
    Sqs,
    /// Those of the other JSON services.
    Json,
    /// Those of the other Query services.
    Query,
}

impl Words {
    /// Code, status and message.
    pub(crate) const fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Http => (
                "ServiceUnavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The server is busy. Try again later.",
            ),
            Self::Sqs => (
                "RequestThrottled",
                StatusCode::FORBIDDEN,
                "The request was denied due to request throttling.",
            ),
            Self::Json => ("ThrottlingException", StatusCode::BAD_REQUEST, "Rate exceeded"),
            Self::Query => ("Throttling", StatusCode::BAD_REQUEST, "Rate exceeded"),
        }
    }
}

/// The refusal as the request's service words it.
pub(crate) fn told(refusal: Refusal, parts: &Parts) -> Refusal {
    if matches!(refusal, Refusal::Overloaded(_)) {
        Refusal::Overloaded(words_for(parts))
    } else {
        refusal
    }
}

fn words_for(parts: &Parts) -> Words {
    let text = |name| parts.headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
    let (target, authorization) = (text(TARGET), text(AUTHORIZATION));
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let signed_for_sqs = has(authorization, b"/sqs/aws4_request") || has(query, b"%2Fsqs%2Faws4_request");
    let signed = has(authorization, b"/aws4_request") || has(query, b"%2Faws4_request");
    if target.starts_with(b"AmazonSQS.") || signed_for_sqs {
        return Words::Sqs;
    }
    match Form::of(parts) {
        Form::Json { .. } => Words::Json,
        Form::Xml if signed => Words::Query,
        Form::Xml => Words::Http,
    }
}

/// Says now and then that requests are turned away, and how many were since it was said last.
pub(crate) fn note(load: &Load, clock: &dyn Clock) {
    if let Some(count) = load.refused(clock.monotonic(), WARNING_INTERVAL) {
        tracing::warn!(
            requests = count,
            "there is no room for more requests: clients are told to come again later; see max_requests and \
             max_buffered_bytes"
        );
    }
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::{Words, told, words_for};
    use crate::refusal::Refusal;
    use http::Request;

    #[test]
    fn every_protocol_is_told_in_its_own_words() {
        let scope =
            |service| format!("AWS4-HMAC-SHA256 Credential=AK/20261121/us-east-1/{service}/aws4_request, Si");
        let json = ("content-type", "application/x-amz-json-1.1".to_owned());
        let rows = [
            (
                vec![("x-amz-target", "AmazonSQS.SendMessage".to_owned())],
                Words::Sqs,
            ),
            (vec![("authorization", scope("sqs"))], Words::Sqs),
            (vec![("authorization", scope("kms")), json], Words::Json),
            (vec![("authorization", scope("iam"))], Words::Query),
            (vec![], Words::Http),
        ];
        for (headers, expected) in rows {
            let mut request = Request::post("/");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let parts = request.body(()).unwrap().into_parts().0;
            assert_eq!(words_for(&parts), expected);
        }
        let presigned =
            Request::get("/?Action=X&X-Amz-Credential=AK%2F20261121%2Fus-east-1%2Fsqs%2Faws4_request");
        let parts = presigned.body(()).unwrap().into_parts().0;
        assert_eq!(words_for(&parts), Words::Sqs);
    }

    #[test]
    fn other_refusals_stay_what_they_are() {
        let parts = Request::post("/").body(()).unwrap().into_parts().0;
        assert_eq!(told(Refusal::BodyTooLarge, &parts), Refusal::BodyTooLarge);
    }
}
