//! Which operation of which service a request asks for.

use super::shapes::*;
use crate::error::common;
use crate::{Protocol, Request, Route, RouteError, ServiceWire, route};

static SERVICES: [ServiceWire; 4] = [SQS, KMS, IAM, STS];

const FORM: Request<'_> = Request {
    method: "POST",
    path: "/",
    query: "",
    target: None,
    content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
    smithy_protocol: None,
    authorization: None,
    body: b"",
};

fn find<'a>(request: &Request<'a>) -> Result<Route<'static, 'a>, RouteError> {
    route(&SERVICES, request)
}

fn found(request: &Request<'_>) -> (&'static str, String, Protocol) {
    let route = find(request).unwrap();
    (
        route.service.signing_name,
        route.operation.into_owned(),
        route.protocol,
    )
}

#[test]
fn a_query_is_asked_by_get_or_post_and_by_nothing_else() {
    for method in ["GET", "POST"] {
        let request = Request {
            method,
            body: b"Action=ListQueues&Version=2012-11-05",
            ..FORM
        };
        assert!(find(&request).is_ok(), "{method}");
    }
    for method in ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "get"] {
        let request = Request {
            method,
            query: "Action=DeleteQueue&Version=2012-11-05",
            ..FORM
        };
        let error = find(&request).unwrap_err();
        assert_eq!(
            (error.row, error.protocol),
            (common::METHOD_NOT_ALLOWED, Protocol::AwsQuery),
            "{method}"
        );
    }
}

#[test]
fn json_goes_by_its_target() {
    for (target, expected) in [
        (
            "AmazonSQS.SendMessage",
            ("sqs", "SendMessage".to_owned(), Protocol::AwsJson10),
        ),
        (
            "TrentService.Encrypt",
            ("kms", "Encrypt".to_owned(), Protocol::AwsJson11),
        ),
    ] {
        let request = Request {
            method: "POST",
            path: "/",
            target: Some(target),
            content_type: Some("application/x-amz-json-1.0"),
            body: b"{}",
            ..Request::default()
        };
        assert_eq!(found(&request), expected);
    }
}

#[test]
fn headers_are_found_in_any_case() {
    let mut request = Request {
        method: "POST",
        path: "/",
        ..Request::default()
    };
    request.header("X-AMZ-Target", b"TrentService.Encrypt");
    request.header("content-TYPE", b"application/x-amz-json-1.1");
    request.header("host", b"x");
    assert_eq!(found(&request).1, "Encrypt");
}

#[test]
fn query_goes_by_its_version_in_a_form_or_in_the_url() {
    let request = Request {
        body: b"Action=GetCallerIdentity&Version=2011-06-15",
        ..FORM
    };
    assert_eq!(
        found(&request),
        ("sts", "GetCallerIdentity".to_owned(), Protocol::AwsQuery)
    );
    let request = Request {
        body: b"Version=2010-05-08&Action=ListUsers",
        ..FORM
    };
    assert_eq!(found(&request).0, "iam");
    let request = Request {
        method: "GET",
        path: "/",
        query: "Action=ListQueues&Version=2012-11-05&X-Amz-Signature=x",
        ..Request::default()
    };
    assert_eq!(found(&request).0, "sqs");
}

#[test]
fn without_a_version_the_signature_names_the_service() {
    let request = Request {
        body: b"Action=ListUsers",
        authorization: Some(
            "AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
        ),
        ..FORM
    };
    assert_eq!(found(&request).0, "iam");
    let request = Request {
        method: "GET",
        path: "/",
        query: "Action=X&X-Amz-Credential=AKID%2F20261121%2Fus-east-1%2Fsts%2Faws4_request",
        ..Request::default()
    };
    assert_eq!(found(&request).0, "sts");
    assert_eq!(
        find(&Request {
            body: b"Action=X",
            ..FORM
        })
        .unwrap_err()
        .row,
        common::MISSING_PARAMETER
    );
}

#[test]
fn services_that_share_a_version_are_told_apart_by_the_signature() {
    static SHARED: [ServiceWire; 2] = [
        ServiceWire {
            query_version: Some("2010-05-08"),
            ..ServiceWire::new("other")
        },
        IAM,
    ];
    let request = Request {
        body: b"Action=X&Version=2010-05-08",
        authorization: Some(
            "AWS4-HMAC-SHA256 Credential=A/20261121/us-east-1/iam/aws4_request,SignedHeaders=host",
        ),
        ..FORM
    };
    assert_eq!(route(&SHARED, &request).unwrap().service.signing_name, "iam");
}

#[test]
fn the_path_is_the_queue_unless_the_parameters_name_one() {
    for (body, queue) in [
        (&b"Action=SendMessage&MessageBody=b"[..], "/123456789012/orders"),
        (
            b"Action=SendMessage&MessageBody=b&Version=2012-11-05&QueueUrl=other",
            "other",
        ),
    ] {
        let request = Request {
            path: "/123456789012/orders",
            body,
            ..FORM
        };
        let route = find(&request).unwrap();
        let input: SendMessage = route.protocol.read(route.payload).unwrap();
        assert_eq!(input.queue_url, queue);
    }
}

#[test]
fn what_leads_nowhere_is_answered_in_the_protocol_it_came_in() {
    let json = Request {
        method: "POST",
        path: "/",
        content_type: Some("application/x-amz-json-1.0"),
        ..FORM
    };
    let cases = [
        (
            Request {
                target: Some("Nobody.Op"),
                ..json
            },
            Protocol::AwsJson10,
            common::UNKNOWN_OPERATION,
        ),
        (
            Request {
                target: Some("NoDot"),
                ..json
            },
            Protocol::AwsJson10,
            common::UNKNOWN_OPERATION,
        ),
        (
            Request {
                target: Some("AmazonSQS.X"),
                method: "GET",
                ..json
            },
            Protocol::AwsJson10,
            common::METHOD_NOT_ALLOWED,
        ),
        (
            Request {
                body: b"Version=2012-11-05",
                ..FORM
            },
            Protocol::AwsQuery,
            common::MISSING_ACTION,
        ),
        (
            Request {
                body: b"Action=X&Version=1999-01-01",
                ..FORM
            },
            Protocol::AwsQuery,
            common::NO_SUCH_VERSION,
        ),
        (
            Request {
                body: b"Action=%",
                ..FORM
            },
            Protocol::AwsQuery,
            common::MALFORMED_QUERY_STRING,
        ),
    ];
    for (request, protocol, row) in cases {
        let error = find(&request).unwrap_err();
        assert_eq!((error.protocol, error.row), (protocol, row), "{request:?}");
        assert!(!error.foreign);
    }
    let browser = Request {
        method: "GET",
        path: "/favicon.ico",
        ..Request::default()
    };
    assert!(find(&browser).unwrap_err().foreign);
}

#[test]
fn cbor_is_refused_with_a_way_out() {
    for request in [
        Request {
            smithy_protocol: Some("rpc-v2-cbor"),
            ..FORM
        },
        Request {
            content_type: Some("application/x-amz-cbor-1.1"),
            target: Some("AmazonSQS.X"),
            ..FORM
        },
        Request {
            content_type: Some("application/cbor"),
            ..FORM
        },
    ] {
        let error = find(&request).unwrap_err();
        assert_eq!(error.row.status, 415);
        assert!(error.message.contains("AWS JSON"));
    }
}

#[test]
fn an_unknown_operation_is_named() {
    let route = find(&Request {
        body: b"Action=Foo&Version=2010-05-08",
        ..FORM
    })
    .unwrap();
    let (row, message) = route.unknown_operation();
    assert_eq!(row.query_code, "InvalidAction");
    assert_eq!(message, "Could not find operation Foo for version 2010-05-08");
}
