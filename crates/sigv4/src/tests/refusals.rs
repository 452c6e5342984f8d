//! Each way to be refused, with AWS's words.

use super::{BOTOCORE_SECRET, Request};
use crate::{
    Payload, Presented, RequestTime, Secret, ServiceRules, SignatureError, SignatureErrorCode, Signer,
    SigningKey,
};

const NOW: &str = "20261121T053000Z";
const RULES: ServiceRules<'static> = ServiceRules::standard("sqs");

fn at(text: &str) -> i64 {
    RequestTime::parse(text).unwrap().epoch_seconds()
}

fn unsigned() -> Request {
    Request::new(
        "POST",
        "/",
        "",
        &[
            ("host", "127.0.0.1:4566"),
            ("x-amz-target", "AmazonSQS.SendMessage"),
            ("Content-Type", "application/json"),
        ],
        b"{}",
    )
}

fn signed_with(mut request: Request, rules: ServiceRules<'_>, time: &str) -> Request {
    let mut signer = Signer::new("AKIDBULLAEXAMPLE", BOTOCORE_SECRET, None, "eu-central-1", rules);
    let headers = signer.sign(request.head(), &Payload::Bytes(&request.body), at(time));
    for (name, value) in headers.iter() {
        request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
    }
    request
}

fn signed() -> Request {
    signed_with(unsigned(), RULES, NOW)
}

fn verify(request: &Request) -> Result<(), SignatureError> {
    request.verify(BOTOCORE_SECRET, &RULES, NOW).map(drop)
}

/// Changes the value of a header that is there.
fn replace(mut request: Request, name: &str, from: &str, to: &str) -> Request {
    let header = request
        .headers
        .iter_mut()
        .find(|header| header.0.eq_ignore_ascii_case(name))
        .unwrap();
    let value = String::from_utf8(header.1.clone()).unwrap();
    assert!(value.contains(from), "{value}");
    header.1 = value.replace(from, to).into_bytes();
    request
}

#[track_caller]
fn refused(request: &Request, code: SignatureErrorCode, message: &str) {
    let error = verify(request).unwrap_err();
    assert_eq!(error.message(), message);
    assert_eq!(error.code(), code);
}

const INCOMPLETE: SignatureErrorCode = SignatureErrorCode::IncompleteSignature;
const MISMATCH: SignatureErrorCode = SignatureErrorCode::SignatureDoesNotMatch;

#[test]
fn a_request_without_signature_lacks_its_authentication_token() {
    refused(
        &unsigned(),
        SignatureErrorCode::MissingAuthenticationToken,
        "Request is missing Authentication Token",
    );
}

#[test]
fn an_authorization_header_without_parts_names_every_part() {
    refused(
        &unsigned().header("Authorization", "AWS4-HMAC-SHA256"),
        INCOMPLETE,
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either \
         a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256",
    );
}

#[test]
fn the_credential_of_another_scheme_is_not_repeated() {
    let error = verify(&unsigned().header("Authorization", "Bearer hunter2")).unwrap_err();
    assert_eq!(error.code(), INCOMPLETE);
    assert!(error.message().ends_with("Authorization=Bearer"), "{error}");
}

#[test]
fn another_algorithm_is_refused() {
    refused(
        &replace(
            signed(),
            "authorization",
            "AWS4-HMAC-SHA256",
            "AWS4-ECDSA-P256-SHA256",
        ),
        INCOMPLETE,
        "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
    );
}

#[test]
fn a_part_without_equal_sign_is_named() {
    refused(
        &unsigned().header("Authorization", "AWS4-HMAC-SHA256 Credential"),
        INCOMPLETE,
        "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: \
         'AWS4-HMAC-SHA256 Credential'.",
    );
}

#[test]
fn a_credential_must_have_five_elements() {
    refused(
        &replace(signed(), "authorization", "/sqs/aws4_request", "/sqs"),
        INCOMPLETE,
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
         got 'AKIDBULLAEXAMPLE/20261121/eu-central-1/sqs'",
    );
    let error = verify(&replace(signed(), "authorization", "AKIDBULLAEXAMPLE/", "/")).unwrap_err();
    assert_eq!(error.code(), INCOMPLETE);
}

#[test]
fn a_part_given_twice_is_refused() {
    let error = verify(&replace(
        signed(),
        "authorization",
        "Credential=",
        "Signature=aa, Credential=",
    ))
    .unwrap_err();
    assert_eq!(error.code(), INCOMPLETE);
    for name in ["authorization", "x-amz-date"] {
        let request = signed();
        let value = request
            .headers
            .iter()
            .find(|header| header.0 == name)
            .unwrap()
            .1
            .clone();
        let request = request.header(name, std::str::from_utf8(&value).unwrap());
        assert_eq!(verify(&request).unwrap_err().code(), INCOMPLETE, "{name}");
    }
}

#[test]
fn a_malformed_date_is_refused() {
    refused(
        &replace(signed(), "x-amz-date", NOW, "2026-11-21T05:30:00Z"),
        INCOMPLETE,
        "Date must be in ISO-8601 'basic format'. Got '2026-11-21T05:30:00Z'. See \
         http://en.wikipedia.org/wiki/ISO_8601",
    );
}

#[test]
fn signatures_in_header_and_query_together_are_refused() {
    let mut request = signed();
    request.query = "X-Amz-Signature=00".to_owned();
    assert_eq!(verify(&request).unwrap_err().code(), INCOMPLETE);
}

#[test]
fn a_presigned_url_without_parts_names_them() {
    let request = Request::new(
        "GET",
        "/",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        &[("host", "h")],
        b"",
    );
    refused(
        &request,
        INCOMPLETE,
        "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include \
         'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string \
         parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.",
    );
}

fn presigned(expires_seconds: u32) -> Request {
    let mut request = Request::new("GET", "/1/q", "Action=ReceiveMessage", &[("host", "h")], b"");
    let mut signer = Signer::new(
        "AKIDBULLAEXAMPLE",
        BOTOCORE_SECRET,
        Some("tok/en"),
        "eu-central-1",
        RULES,
    );
    request.query = signer.presign(request.head(), &Payload::Bytes(b""), at(NOW), expires_seconds);
    request
}

#[test]
fn a_presigned_url_is_valid_for_a_second_to_a_week() {
    for expires_seconds in [1, 604_800] {
        let verified = presigned(expires_seconds)
            .verify(BOTOCORE_SECRET, &RULES, NOW)
            .unwrap();
        assert_eq!(verified.session_token(), Some("tok/en"));
    }
    for expires_seconds in [0, 604_801] {
        assert_eq!(
            verify(&presigned(expires_seconds)).unwrap_err().code(),
            INCOMPLETE
        );
    }
}

#[test]
fn a_presigned_url_is_not_valid_before_its_date() {
    let error = presigned(60)
        .verify(BOTOCORE_SECRET, &RULES, "20261121T051459Z")
        .unwrap_err();
    assert_eq!(error.code(), MISMATCH);
}

#[test]
fn a_request_older_than_fifteen_minutes_has_expired() {
    let request = signed();
    assert!(
        request
            .verify(BOTOCORE_SECRET, &RULES, "20261121T054500Z")
            .is_ok()
    );
    let error = request
        .verify(BOTOCORE_SECRET, &RULES, "20261121T054501Z")
        .unwrap_err();
    assert_eq!(
        error.message(),
        "Signature expired: 20261121T053000Z is now earlier than 20261121T053001Z (20261121T054501Z - 15 min.)"
    );
    assert_eq!(error.code(), MISMATCH);
}

#[test]
fn a_request_from_more_than_fifteen_minutes_ahead_is_not_yet_current() {
    let request = signed();
    assert!(
        request
            .verify(BOTOCORE_SECRET, &RULES, "20261121T051500Z")
            .is_ok()
    );
    let error = request
        .verify(BOTOCORE_SECRET, &RULES, "20261121T051459Z")
        .unwrap_err();
    assert_eq!(
        error.message(),
        "Signature not yet current: 20261121T053000Z is still later than 20261121T052959Z (20261121T051459Z + 15 min.)"
    );
}

#[test]
fn the_scope_must_name_the_service_the_date_and_the_terminator() {
    refused(
        &signed_with(unsigned(), ServiceRules::standard("sns"), NOW),
        MISMATCH,
        "Credential should be scoped to correct service: 'sqs'. ",
    );
    refused(
        &replace(signed(), "authorization", "/20261121/", "/20261120/"),
        MISMATCH,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261120' != \
         '20261121', from '20261121T053000Z'.",
    );
    refused(
        &replace(signed(), "authorization", "aws4_request", "aws5_request"),
        MISMATCH,
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ",
    );
}

#[test]
fn host_must_be_signed() {
    refused(
        &replace(signed(), "authorization", "content-type;host;", "content-type;"),
        MISMATCH,
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
}

#[test]
fn every_amz_header_must_be_signed() {
    for name in ["X-Amz-Security-Token", "x-amz-anything"] {
        let error = verify(&signed().header(name, "x")).unwrap_err();
        assert_eq!(
            error.message(),
            format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")
        );
    }
}

#[test]
fn a_signed_header_that_is_absent_is_refused_even_if_it_was_empty() {
    let mut request = signed_with(unsigned().header("x-empty", ""), RULES, NOW);
    assert!(verify(&request).is_ok());
    request.headers.retain(|header| header.0 != "x-empty");
    assert_eq!(verify(&request).unwrap_err().code(), MISMATCH);
}

#[test]
fn too_many_signed_headers_are_refused() {
    let names = vec!["host"; crate::SIGNED_HEADERS_MAX + 1].join(";");
    let error = verify(&replace(signed(), "authorization", "content-type;host", &names)).unwrap_err();
    assert_eq!(error.code(), INCOMPLETE);
}

#[test]
fn a_stated_body_hash_must_be_the_bodys() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let request = signed_with(unsigned().header("x-amz-content-sha256", empty), RULES, NOW);
    let error = verify(&request).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("The provided 'x-amz-content-sha256' header does not match"),
        "{error}"
    );
}

#[test]
fn an_unsigned_body_is_accepted_only_where_the_rules_say_so() {
    let request = unsigned().header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert_eq!(
        verify(&signed_with(request.clone(), RULES, NOW))
            .unwrap_err()
            .code(),
        MISMATCH
    );
    let request = signed_with(request, ServiceRules::s3(), NOW);
    assert!(request.verify(BOTOCORE_SECRET, &ServiceRules::s3(), NOW).is_ok());
}

#[test]
fn a_mismatch_shows_what_should_have_been_signed_and_no_signature() {
    let mut request = signed();
    request.body = b"{ }".to_vec();
    let error = verify(&request).unwrap_err();
    let message = error.message();
    assert!(message.starts_with(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this \
         request should have been\n'POST\n/\n\ncontent-type:application/json\nhost:127.0.0.1:4566\n"
    ));
    assert!(
        message.contains("'AWS4-HMAC-SHA256\n20261121T053000Z\n20261121/eu-central-1/sqs/aws4_request\n")
    );
    let key = SigningKey::derive(BOTOCORE_SECRET.as_bytes(), "20261121", "eu-central-1", "sqs");
    let to_sign = message.rsplit('\'').nth(1).unwrap();
    assert!(!message.contains(&crate::digest::hex(&key.sign(to_sign.as_bytes()))));
}

#[test]
fn upper_case_signatures_and_short_signatures_are_refused() {
    let request = signed();
    let header = request
        .headers
        .iter()
        .find(|header| header.0 == "authorization")
        .unwrap();
    let text = String::from_utf8(header.1.clone()).unwrap();
    let signature = text.rsplit('=').next().unwrap();
    for other in [
        signature.to_uppercase(),
        signature[..63].to_owned(),
        String::new(),
        format!("{signature}0"),
    ] {
        let changed = replace(request.clone(), "authorization", signature, &other);
        assert_eq!(verify(&changed).unwrap_err().code(), MISMATCH, "{other}");
    }
}

#[test]
fn a_cached_signing_key_verifies_as_the_secret_does() {
    let request = signed();
    let presented = Presented::parse(request.head()).unwrap();
    let key = presented.signing_key(BOTOCORE_SECRET.as_bytes());
    let payload = Payload::Sha256(crate::digest::sha256(&request.body));
    let verified = presented
        .verify(Secret::SigningKey(&key), &RULES, &payload, at(NOW))
        .unwrap();
    assert_eq!(
        (verified.access_key_id(), verified.service()),
        ("AKIDBULLAEXAMPLE", "sqs")
    );
    let other = SigningKey::derive(BOTOCORE_SECRET.as_bytes(), "20261121", "eu-central-1", "sns");
    assert!(
        presented
            .verify(Secret::SigningKey(&other), &RULES, &payload, at(NOW))
            .is_err()
    );
}

#[test]
fn an_http_date_may_stand_for_the_amz_date() {
    let request = replace(signed(), "authorization", "x-amz-date", "date");
    let mut request = request.header("Date", "Sat, 21 Nov 2026 05:30:00 GMT");
    request.headers.retain(|header| header.0 != "x-amz-date");
    let error = verify(&request).unwrap_err();
    assert!(
        error.message().contains("AWS4-HMAC-SHA256\n20261121T053000Z\n"),
        "{error}"
    );
}

#[test]
fn a_plus_in_the_query_is_a_space_so_that_it_cannot_replace_an_encoded_plus() {
    let sign = |query: &str| {
        signed_with(
            Request {
                query: query.to_owned(),
                ..unsigned()
            },
            RULES,
            NOW,
        )
    };
    let with = |request: Request, query: &str| Request {
        query: query.to_owned(),
        ..request
    };
    assert!(verify(&with(sign("a=1%20b"), "a=1+b")).is_ok());
    assert!(verify(&with(sign("a=1%2Bb"), "a=1+b")).is_err());
    assert!(verify(&with(sign("a=1%2bb"), "a=1%2Bb")).is_ok());
}

#[test]
fn debug_does_not_print_the_session_token() {
    let request = presigned(60);
    let presented = Presented::parse(request.head()).unwrap();
    assert!(!format!("{presented:?}").contains("tok/en"));
    assert!(!format!("{:?}", request.verify(BOTOCORE_SECRET, &RULES, NOW).unwrap()).contains("tok/en"));
}
