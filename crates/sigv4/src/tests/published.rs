//! Known requests with known signatures.

use super::{BOTOCORE_SECRET, Request};
use crate::{Form, Payload, RequestTime, ServiceRules, Signer};

/// A request and the signature that it must have.
struct Published {
    name: &'static str,
    service: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    signed: &'static str,
    signature: &'static str,
}

impl Published {
    fn request(&self, access_key_id: &str, date: &str) -> Request {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={access_key_id}/{date}/us-east-1/{}/aws4_request, SignedHeaders={}, Signature={}",
            self.service, self.signed, self.signature
        );
        Request::new(
            self.method,
            self.path,
            self.query,
            self.headers,
            self.body.as_bytes(),
        )
        .header("Authorization", &authorization)
    }
}

const HOST: (&str, &str) = ("Host", "example.amazonaws.com");
const DATE: (&str, &str) = ("X-Amz-Date", "20150830T123600Z");

/// Source: AWS Signature Version 4 test suite (secret `wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY`, 20150830T123600Z), and the
/// IAM `ListUsers` example of the AWS General Reference, which has the same secret and date.
const TEST_SUITE: &[Published] = &[
    Published {
        name: "ListUsers",
        service: "iam",
        method: "GET",
        path: "/",
        query: "Action=ListUsers&Version=2010-05-08",
        headers: &[
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("Host", "iam.amazonaws.com"),
            DATE,
        ],
        body: "",
        signed: "content-type;host;x-amz-date",
        signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    },
    Published {
        name: "get-vanilla",
        service: "service",
        method: "GET",
        path: "/",
        query: "",
        headers: &[HOST, DATE],
        body: "",
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    Published {
        name: "get-vanilla-query-order-key-case",
        service: "service",
        method: "GET",
        path: "/",
        query: "Param2=value2&Param1=value1",
        headers: &[HOST, DATE],
        body: "",
        signed: "host;x-amz-date",
        signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    },
    Published {
        name: "post-x-www-form-urlencoded",
        service: "service",
        method: "POST",
        path: "/",
        query: "",
        headers: &[("Content-Type", "application/x-www-form-urlencoded"), HOST, DATE],
        body: "Param1=value1",
        signed: "content-type;host;x-amz-date",
        signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    },
    Published {
        name: "get-utf8",
        service: "service",
        method: "GET",
        path: "/\u{1234}",
        query: "",
        headers: &[HOST, DATE],
        body: "",
        signed: "host;x-amz-date",
        signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    },
    Published {
        name: "get-unreserved",
        service: "service",
        method: "GET",
        path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        query: "",
        headers: &[HOST, DATE],
        body: "",
        signed: "host;x-amz-date",
        signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    },
    Published {
        name: "get-header-value-trim",
        service: "service",
        method: "GET",
        path: "/",
        query: "",
        headers: &[
            HOST,
            ("My-Header1", " value1"),
            ("My-Header2", " \"a   b   c\""),
            DATE,
        ],
        body: "",
        signed: "host;my-header1;my-header2;x-amz-date",
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    },
    Published {
        name: "normalize-path/get-space",
        service: "service",
        method: "GET",
        path: "/example space/",
        query: "",
        headers: &[HOST, DATE],
        body: "",
        signed: "host;x-amz-date",
        signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    },
];

const S3_HOST: (&str, &str) = ("Host", "examplebucket.s3.amazonaws.com");
const S3_DATE: (&str, &str) = ("x-amz-date", "20130524T000000Z");
const S3_EMPTY: (&str, &str) = (
    "x-amz-content-sha256",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
);
const S3_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk".
const S3_EXAMPLES: &[Published] = &[
    Published {
        name: "GET Object",
        service: "s3",
        method: "GET",
        path: "/test.txt",
        query: "",
        headers: &[S3_HOST, ("Range", "bytes=0-9"), S3_EMPTY, S3_DATE],
        body: "",
        signed: "host;range;x-amz-content-sha256;x-amz-date",
        signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    },
    Published {
        name: "PUT Object",
        service: "s3",
        method: "PUT",
        path: "/test$file.text",
        query: "",
        headers: &[
            S3_HOST,
            ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
            S3_DATE,
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            (
                "x-amz-content-sha256",
                "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            ),
        ],
        body: "Welcome to Amazon S3.",
        signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    },
    Published {
        name: "GET Bucket Lifecycle",
        service: "s3",
        method: "GET",
        path: "/",
        query: "lifecycle",
        headers: &[S3_HOST, S3_DATE, S3_EMPTY],
        body: "",
        signed: "host;x-amz-content-sha256;x-amz-date",
        signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    },
    Published {
        name: "GET Bucket",
        service: "s3",
        method: "GET",
        path: "/",
        query: "max-keys=2&prefix=J",
        headers: &[S3_HOST, S3_DATE, S3_EMPTY],
        body: "",
        signed: "host;x-amz-content-sha256;x-amz-date",
        signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    },
];

#[test]
fn the_published_test_suite_verifies() {
    for case in TEST_SUITE {
        let request = case.request("AKIDEXAMPLE", "20150830");
        let rules = ServiceRules::standard(case.service);
        let verified = request.verify(BOTOCORE_SECRET, &rules, "20150830T123600Z");
        assert_eq!(verified.expect(case.name).access_key_id(), "AKIDEXAMPLE");
    }
}

#[test]
fn the_published_s3_examples_verify() {
    for case in S3_EXAMPLES {
        let request = case.request("AKIAIOSFODNN7EXAMPLE", "20130524");
        request
            .verify(S3_SECRET, &ServiceRules::s3(), "20130524T000000Z")
            .expect(case.name);
    }
}

// Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
const S3_PRESIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&\
    X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&\
    X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
    X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

#[test]
fn the_published_presigned_url_verifies_until_it_expires() {
    let request = Request::new("GET", "/test.txt", S3_PRESIGNED, &[S3_HOST], b"");
    let verified = request
        .verify(S3_SECRET, &ServiceRules::s3(), "20130525T000000Z")
        .unwrap();
    assert_eq!(
        verified.form(),
        Form::Query {
            expires_seconds: Some(86_400)
        }
    );
    let expired = request
        .verify(S3_SECRET, &ServiceRules::s3(), "20130525T000001Z")
        .unwrap_err();
    assert_eq!(
        expired.message(),
        "Signature expired: 20130524T000000Z is now earlier than 20130524T000001Z (20130525T000001Z - 1440 min.)"
    );
}

#[test]
fn the_published_examples_are_signed_alike() {
    let mut signer = Signer::new(
        "AKIDEXAMPLE",
        BOTOCORE_SECRET,
        None,
        "us-east-1",
        ServiceRules::standard("iam"),
    );
    let request = Request::new(
        "GET",
        "/",
        "Action=ListUsers&Version=2010-05-08",
        &[
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("Host", "iam.amazonaws.com"),
        ],
        b"",
    );
    let at = RequestTime::parse("20150830T123600Z").unwrap().epoch_seconds();
    let added = signer.sign(request.head(), &Payload::Bytes(b""), at);
    assert_eq!(
        added.authorization,
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
    let mut signer = Signer::new(
        "AKIAIOSFODNN7EXAMPLE",
        S3_SECRET,
        None,
        "us-east-1",
        ServiceRules::s3(),
    );
    let request = Request::new("GET", "/test.txt", "", &[S3_HOST], b"");
    let at = RequestTime::parse("20130524T000000Z").unwrap().epoch_seconds();
    assert_eq!(
        signer.presign(request.head(), &Payload::Bytes(b""), at, 86_400),
        S3_PRESIGNED
    );
}

/// A request as botocore 1.44.5 signed it at 20261121T053000Z.
struct Vector {
    name: &'static str,
    service: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

#[test]
fn requests_that_botocore_signed_verify() {
    for case in BOTOCORE {
        let rules = if case.service == "s3" {
            ServiceRules::s3()
        } else {
            ServiceRules::standard(case.service)
        };
        let request = Request::new(
            case.method,
            case.path,
            case.query,
            case.headers,
            case.body.as_bytes(),
        );
        let verified = request
            .verify(BOTOCORE_SECRET, &rules, "20261121T053030Z")
            .expect(case.name);
        assert_eq!(verified.access_key_id(), "AKIDBULLAEXAMPLE");
        assert_eq!(verified.region(), "eu-central-1");
        assert_eq!(verified.session_token().is_some(), case.name.contains("session"));
        request
            .verify("another secret", &rules, "20261121T053030Z")
            .unwrap_err();
    }
}

#[rustfmt::skip]
const BOTOCORE: &[Vector] = &[
    Vector {
        name: "json_post", service: "sqs", method: "POST", path: "/",
        query: "",
        headers: &[
            ("Content-Type", "application/x-amz-json-1.0"),
            ("X-Amz-Target", "AmazonSQS.SendMessage"),
            ("User-Agent", "x"),
            ("X-Amz-Date", "20261121T053000Z"),
            ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDBULLAEXAMPLE/20261121/eu-central-1/sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=866ce36fd4d9b48b6949e541b2eadd51ea21be4ef689ba6d43e1cd3363aba9bd"),
            ("Content-Length", "39"),
            ("Host", "127.0.0.1:4566"),
        ],
        body: "{\"QueueUrl\":\"u\",\"MessageBody\":\"héllo\"}",
    },
    Vector {
        name: "session_token", service: "sqs", method: "POST", path: "/",
        query: "",
        headers: &[
            ("Content-Type", "application/x-amz-json-1.0"),
            ("X-Amz-Target", "AmazonSQS.ListQueues"),
            ("X-Amz-Date", "20261121T053000Z"),
            ("X-Amz-Security-Token", "FwoGZXIvYXdzE/+==token"),
            ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDBULLAEXAMPLE/20261121/eu-central-1/sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=7be8782843179ba09ed8dfe606eb527af9cb9e88e1afff2eb18dcd3e7321652d"),
            ("Content-Length", "2"),
            ("Host", "127.0.0.1:4566"),
        ],
        body: "{}",
    },
    Vector {
        name: "query_get", service: "sqs", method: "GET", path: "/123456789012/orders",
        query: "Action=SendMessage&MessageBody=a%20b%2Bc%26d%C3%A9&Empty=&Flag&A=2&A=1",
        headers: &[
            ("X-Amz-Date", "20261121T053000Z"),
            ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDBULLAEXAMPLE/20261121/eu-central-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=6b164d0632356a3eaff79982b451c01bdeeb903b16ead5f18fbc75899944eb15"),
            ("Host", "127.0.0.1:4566"),
        ],
        body: "",
    },
    Vector {
        name: "dirty_path", service: "execute-api", method: "GET", path: "/a%20b//./c/../%C3%BC~(x)/",
        query: "",
        headers: &[
            ("X-Header", "  a   b  "),
            ("X-Amz-Date", "20261121T053000Z"),
            ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDBULLAEXAMPLE/20261121/eu-central-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date;x-header, Signature=f37be7cbfc6efa25c561b2cce2468328551b8885af733990c7a52d0badac5622"),
            ("Host", "localhost"),
        ],
        body: "",
    },
    Vector {
        name: "s3_put", service: "s3", method: "PUT", path: "/bucket/a%20b//..%2Fc%2Bd",
        query: "",
        headers: &[
            ("X-Amz-Meta-A", "v"),
            ("X-Amz-Date", "20261121T053000Z"),
            ("X-Amz-Content-SHA256", "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"),
            ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDBULLAEXAMPLE/20261121/eu-central-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a, Signature=e6ba85c7528d68172d047d48e99e0d5cea9d4889b4f094a7ea9e82d6f821fd03"),
            ("Content-Length", "4"),
            ("Host", "localhost:9000"),
        ],
        body: "data",
    },
    Vector {
        name: "presigned", service: "sqs", method: "GET", path: "/123456789012/orders",
        query: "Action=ReceiveMessage&Name=a%2Fb%20c&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDBULLAEXAMPLE%2F20261121%2Feu-central-1%2Fsqs%2Faws4_request&X-Amz-Date=20261121T053000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=6088c8724cfc3ea03649c58f2f67a2939da95f20f01d450b010774696ba66999",
        headers: &[
            ("Host", "127.0.0.1:4566"),
        ],
        body: "",
    },
    Vector {
        name: "presigned_session", service: "sts", method: "GET", path: "/",
        query: "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDBULLAEXAMPLE%2F20261121%2Feu-central-1%2Fsts%2Faws4_request&X-Amz-Date=20261121T053000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Security-Token=tok%2Fen%2B%3D&X-Amz-Signature=dfc3e960c1be2da05ab0f66dc9349a6189da485865b36cc9723c60e51a657b89",
        headers: &[
            ("x-k8s-aws-id", "cluster"),
            ("Host", "sts.eu-central-1.amazonaws.com"),
        ],
        body: "",
    },
    Vector {
        name: "presigned_s3", service: "s3", method: "GET", path: "/bucket/k%20ey",
        query: "versionId=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDBULLAEXAMPLE%2F20261121%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20261121T053000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=e8d858f16abcbba2a647fc9a25822290338ee07a88283020e59075882092342f",
        headers: &[
            ("Host", "localhost:9000"),
        ],
        body: "",
    },
];
