//! From an HTTP request to an operation's name, before any service is involved.
//!
//! Several services share one port. JSON services are told apart by `X-Amz-Target`; Query services by `Version`,
//! and where that is absent or shared by the service name in the signature's scope. Nothing here is trusted: the
//! signature is checked later, over the same bytes, and must name the service that was found.

use crate::error::{ErrorRow, common};
use crate::form::Form;
use crate::malformed::Malformed;
use crate::protocol::{Payload, Protocol};
use crate::service::ServiceWire;
use std::borrow::Cow;

/// What routing looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The path as received, percent-encoded, without the query string.
    pub path: &'a str,
    /// The query string as received, without `?`; empty when there is none.
    pub query: &'a str,
    /// `X-Amz-Target`.
    pub target: Option<&'a str>,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `Smithy-Protocol`.
    pub smithy_protocol: Option<&'a str>,
    /// `Authorization`, for the service name in its scope.
    pub authorization: Option<&'a str>,
    /// The whole body; its size was limited before.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Takes note of one header if routing needs it. Names in any case; values that are not UTF-8 are skipped.
    pub fn header(&mut self, name: &str, value: &'a [u8]) {
        let place = match name {
            _ if name.eq_ignore_ascii_case("x-amz-target") => &mut self.target,
            _ if name.eq_ignore_ascii_case("content-type") => &mut self.content_type,
            _ if name.eq_ignore_ascii_case("smithy-protocol") => &mut self.smithy_protocol,
            _ if name.eq_ignore_ascii_case("authorization") => &mut self.authorization,
            _ => return,
        };
        *place = std::str::from_utf8(value).ok();
    }

    /// The content type without its parameters.
    fn media_type(&self) -> &'a str {
        let whole = self.content_type.unwrap_or_default();
        let end = whole.bytes().position(|byte| byte == b';').unwrap_or(whole.len());
        whole.get(..end).unwrap_or_default().trim()
    }

    fn has_media_type(&self, name: &str) -> bool {
        self.media_type().eq_ignore_ascii_case(name)
    }
}

/// An operation of a service, and its input still encoded.
#[derive(Clone, Debug)]
pub struct Route<'s, 'a> {
    /// How to answer.
    pub protocol: Protocol,
    /// Whose operation.
    pub service: &'s ServiceWire,
    /// Its name as the client wrote it; may be unknown to the service.
    pub operation: Cow<'a, str>,
    /// The input.
    pub payload: Payload<'a>,
}

impl Route<'_, '_> {
    /// Code and message for an operation that the service does not have.
    #[must_use]
    pub fn unknown_operation(&self) -> (ErrorRow, String) {
        let operation = &self.operation;
        let message = match self.protocol {
            Protocol::AwsJson10 | Protocol::AwsJson11 => format!("The operation {operation} is not known."),
            Protocol::AwsQuery | Protocol::Ec2Query => format!(
                "Could not find operation {operation} for version {}",
                self.service.query_version.unwrap_or("NO_VERSION_SPECIFIED")
            ),
        };
        (common::UNKNOWN_OPERATION, message)
    }
}

/// A request that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteError {
    /// How to answer.
    pub protocol: Protocol,
    /// What to answer.
    pub row: ErrorRow,
    /// For the client.
    pub message: String,
    /// Whether nothing in the request names an AWS operation: a browser, a probe, a wrong address.
    pub foreign: bool,
}

impl RouteError {
    fn new(protocol: Protocol, row: ErrorRow, message: impl Into<String>) -> Self {
        Self {
            protocol,
            row,
            message: message.into(),
            foreign: false,
        }
    }
}

/// Finds the operation that a request asks for.
///
/// # Errors
/// [`RouteError`], with everything that an answer needs; answer it with a [`ServiceWire::new`]`("")`.
pub fn route<'s, 'a>(
    services: &'s [ServiceWire],
    request: &Request<'a>,
) -> Result<Route<'s, 'a>, RouteError> {
    if is_cbor(request) {
        return Err(RouteError::new(
            Protocol::AwsJson11,
            common::UNSUPPORTED_PROTOCOL,
            "CBOR is not spoken here. Use AWS JSON or AWS Query: most SDKs choose it when told to, otherwise use an \
             older version of the SDK.",
        ));
    }
    match request.target {
        Some(target) => json(services, request, target),
        None => query(services, request),
    }
}

fn is_cbor(request: &Request<'_>) -> bool {
    let media_type = request.media_type();
    request
        .smithy_protocol
        .is_some_and(|protocol| protocol.to_ascii_lowercase().contains("cbor"))
        || [
            "application/x-amz-cbor",
            "application/x-amz-cbor-1.1",
            "application/cbor",
        ]
        .iter()
        .any(|name| media_type.eq_ignore_ascii_case(name))
}

fn json<'s, 'a>(
    services: &'s [ServiceWire],
    request: &Request<'a>,
    target: &'a str,
) -> Result<Route<'s, 'a>, RouteError> {
    let spoken = if request.has_media_type(Protocol::AwsJson10.content_type()) {
        Protocol::AwsJson10
    } else {
        Protocol::AwsJson11
    };
    if !request.method.eq_ignore_ascii_case("POST") {
        return Err(RouteError::new(
            spoken,
            common::METHOD_NOT_ALLOWED,
            "AWS JSON requests are POST requests.",
        ));
    }
    let found = target.rsplit_once('.').and_then(|(prefix, operation)| {
        let service = services
            .iter()
            .find(|service| service.target_prefix == Some(prefix))?;
        Some((service, service.json?, operation))
    });
    match found {
        Some((service, protocol, operation)) => Ok(Route {
            protocol,
            service,
            operation: Cow::Borrowed(operation),
            payload: Payload::Json(request.body),
        }),
        None => Err(RouteError::new(
            spoken,
            common::UNKNOWN_OPERATION,
            format!("No service here answers the X-Amz-Target {target}."),
        )),
    }
}

fn query<'s, 'a>(services: &'s [ServiceWire], request: &Request<'a>) -> Result<Route<'s, 'a>, RouteError> {
    // A `HEAD` or an `OPTIONS` that deleted a queue would surprise whoever sent it.
    if !matches!(request.method, "GET" | "POST") {
        return Err(RouteError::new(
            Protocol::AwsQuery,
            common::METHOD_NOT_ALLOWED,
            "AWS Query requests are GET or POST requests.",
        ));
    }
    let mut form = parameters(request).map_err(|malformed| {
        RouteError::new(
            Protocol::AwsQuery,
            common::MALFORMED_QUERY_STRING,
            malformed.to_string(),
        )
    })?;
    let Some(operation) = form
        .value("Action")
        .filter(|action| !action.is_empty())
        .map(str::to_owned)
    else {
        let mut error = RouteError::new(
            Protocol::AwsQuery,
            common::MISSING_ACTION,
            "The request must contain the parameter Action.",
        );
        error.foreign = form.value("Version").is_none() && scope_service(request, &form).is_none();
        return Err(error);
    };
    let service = query_service(services, request, &form)?;
    if let Some(member) = service.path_member
        && request.path.len() > 1
        && form.value(member).is_none()
    {
        form.pairs
            .push((Cow::Borrowed(member), Cow::Borrowed(request.path)));
    }
    Ok(Route {
        protocol: service.query,
        service,
        operation: Cow::Owned(operation),
        payload: Payload::Form(form),
    })
}

fn parameters<'a>(request: &Request<'a>) -> Result<Form<'a>, Malformed> {
    let mut form = Form::parse(request.query.as_bytes())?;
    if request.has_media_type("application/x-www-form-urlencoded") {
        form.append(request.body)?;
    }
    Ok(form)
}

fn query_service<'s>(
    services: &'s [ServiceWire],
    request: &Request<'_>,
    form: &Form<'_>,
) -> Result<&'s ServiceWire, RouteError> {
    let scope = scope_service(request, form);
    let named = |service: &&ServiceWire| scope == Some(service.signing_name);
    let of_path = |service: &&ServiceWire| service.path_member.is_some() && request.path.len() > 1;
    let Some(version) = form.value("Version") else {
        let mut speaking = services.iter().filter(|service| service.query_version.is_some());
        return speaking
            .clone()
            .find(named)
            .or_else(|| speaking.find(of_path))
            .ok_or_else(|| {
                RouteError::new(
                    Protocol::AwsQuery,
                    common::MISSING_PARAMETER,
                    "The request must contain the parameter Version.",
                )
            });
    };
    let mut speaking = services
        .iter()
        .filter(|service| service.query_version == Some(version));
    speaking
        .clone()
        .find(named)
        .or_else(|| speaking.next())
        .ok_or_else(|| {
            RouteError::new(
                Protocol::AwsQuery,
                common::NO_SUCH_VERSION,
                format!("No service here has an API of version {version}."),
            )
        })
}

/// The service in `Credential=AKID/20261121/us-east-1/sqs/aws4_request`, from the header or a presigned URL.
fn scope_service<'f>(request: &Request<'f>, form: &'f Form<'_>) -> Option<&'f str> {
    let credential = match request.authorization {
        Some(header) => header.split_once("Credential=")?.1.split([',', ' ']).next()?,
        None => form.value("X-Amz-Credential")?,
    };
    credential.rsplit('/').nth(1)
}
