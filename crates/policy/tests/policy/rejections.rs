//! What is refused, why, and where.

use bulla_policy::{DOCUMENT_BYTES_MAX, IdentityOwner, Policy, PolicyKind, Reason, Rejection, Vendor};

const IDENTITY: PolicyKind = PolicyKind::Identity(IdentityOwner::Managed);
const QUEUE: PolicyKind = PolicyKind::Resource(Vendor::Sqs);
const KEY: PolicyKind = PolicyKind::Resource(Vendor::Kms);
const TOPIC: PolicyKind = PolicyKind::Resource(Vendor::Sns);
const BUCKET: PolicyKind = PolicyKind::Resource(Vendor::S3);

fn one(elements: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": {{{elements}}}}}"#)
}

fn refused(text: &str, kind: PolicyKind) -> Rejection {
    Policy::parse(text, kind).expect_err(text)
}

/// Reason, kind, what the text is (a whole document, a statement's elements, or elements added to a good
/// statement), text.
const FAULTS: &str = r#"
DATA_TYPE_MISMATCH | identity | document | []
MISSING_STATEMENT | identity | document | {}
MISSING_STATEMENT | identity | document | {"Statement": []}
DATA_TYPE_MISMATCH | identity | document | {"Statement": ["x"]}
INVALID_POLICY_ELEMENT | identity | document | {"version": "2012-10-17", "Statement": []}
INVALID_VERSION | identity | document | {"Version": "2012-10-18", "Statement": []}
DATA_TYPE_MISMATCH | identity | document | {"Version": 2012, "Statement": []}
MISSING_VERSION | scp | document | {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
MISSING_EFFECT | identity | statement | "Action": "a:b", "Resource": "*"
INVALID_EFFECT | identity | statement | "Effect": "Permit", "Action": "a:b", "Resource": "*"
MISSING_ACTION | identity | statement | "Effect": "Allow", "Resource": "*"
MISSING_ACTION | identity | statement | "Effect": "Allow", "Action": [], "Resource": "*"
MISSING_RESOURCE | identity | statement | "Effect": "Allow", "Action": "a:b"
DATA_TYPE_MISMATCH | identity | statement | "Effect": "Allow", "Action": "a:b", "Resource": 7
INVALID_ACTION | identity | statement | "Effect": "Allow", "Action": "s*:b", "Resource": "*"
INVALID_ACTION | identity | statement | "Effect": "Allow", "Action": "sqs:Send Message", "Resource": "*"
INVALID_ARN_PREFIX | identity | statement | "Effect": "Allow", "Action": "a:b", "Resource": "arn:aws:sqs:eu:1:q"
INVALID_ARN_PREFIX | identity | statement | "Effect": "Allow", "Action": "a:b", "Resource": "arn:aws:*:eu:111122223333:q"
INVALID_VARIABLE | identity | statement | "Effect": "Allow", "Action": "a:b", "Resource": "arn:aws:sqs::${aws:userid}:q"
UNSUPPORTED_ELEMENT_COMBINATION | identity | statement | "Effect": "Allow", "Action": "a:b", "NotAction": "a:c", "Resource": "*"
UNSUPPORTED_ELEMENT | identity | with | "NotPrincipal": "*"
INVALID_POLICY_ELEMENT | identity | with | "Comment": "x"
UNSUPPORTED_SID | identity | with | "Sid": "a b"
DATA_TYPE_MISMATCH | identity | with | "Condition": []
DATA_TYPE_MISMATCH | identity | with | "Condition": {"StringEquals": "x"}
DATA_TYPE_MISMATCH | identity | with | "Condition": {"StringEquals": {"aws:username": null}}
DATA_TYPE_MISMATCH | identity | with | "Condition": {"StringEquals": {"aws:username": [["x"]]}}
INVALID_CONDITION_OPERATOR | identity | with | "Condition": {"aws:username": {"StringEquals": "x"}}
INVALID_CONDITION_OPERATOR | identity | with | "Condition": {"ForSomeValues:StringEquals": {"aws:username": "x"}}
INVALID_CONDITION_KEY_FORMAT | identity | with | "Condition": {"StringEquals": {"username": "x"}}
INVALID_CONDITION_KEY_FORMAT | identity | with | "Condition": {"StringEquals": {"aws:PrincipalTag/": "x"}}
DUPLICATE_KEYS_WITH_DIFFERENT_CASE | identity | with | "Condition": {"StringEquals": {"aws:SourceArn": "x", "AWS:sourcearn": "y"}}
DUPLICATE_KEYS_WITH_DIFFERENT_CASE | identity | with | "Condition": {"StringEquals": {}, "stringequals": {}}
NULL_WITH_IF_EXISTS | identity | with | "Condition": {"NullIfExists": {"aws:username": "true"}}
TYPE_MISMATCH | identity | with | "Condition": {"Bool": {"aws:SecureTransport": "yes"}}
INVALID_VARIABLE | identity | with | "Condition": {"Bool": {"aws:SecureTransport": "${aws:x}"}}
TYPE_MISMATCH | identity | with | "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/40"}}
TYPE_MISMATCH | identity | with | "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}}
TYPE_MISMATCH | identity | with | "Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}
INVALID_VARIABLE | identity | with | "Condition": {"StringEquals": {"aws:username": "${aws:username"}}
INVALID_VARIABLE | identity | with | "Condition": {"StringEquals": {"aws:username": "${}"}}
INVALID_VARIABLE | identity | with | "Condition": {"StringEquals": {"aws:username": "${aws: username}"}}
INVALID_VARIABLE | identity | with | "Condition": {"StringEquals": {"aws:username": "${aws:username, 'x}"}}
INVALID_PRINCIPAL_FORMAT | queue | with | "Principal": "me"
INVALID_PRINCIPAL_FORMAT | queue | with | "Principal": {"aws": "*"}
MISSING_PRINCIPAL | queue | with | "Principal": {"AWS": []}
INVALID_PRINCIPAL_FORMAT | queue | with | "Principal": {"AWS": "11112222333"}
INVALID_PRINCIPAL_FORMAT | queue | with | "Principal": {"AWS": "arn:aws:iam::111122223333:group/g"}
INVALID_PRINCIPAL_FORMAT | queue | with | "Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/r"}
INVALID_PRINCIPAL_FORMAT | queue | with | "Principal": {"Service": "sns"}
INVALID_PRINCIPAL_FORMAT | queue | with | "Principal": {"Service": "*.amazonaws.com"}
INVALID_PRINCIPAL_FORMAT | queue | with | "Principal": {"CanonicalUser": "0"}
UNSUPPORTED_ELEMENT_COMBINATION | queue | with | "Principal": "*", "NotPrincipal": "*"
UNSUPPORTED_ACTION_IN_POLICY | trust | with | "Principal": "*"
UNSUPPORTED_ELEMENT | trust | statement | "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", "Resource": "*"
UNSUPPORTED_ELEMENT | trust | statement | "Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": "*"}
UNSUPPORTED_ACTION_IN_POLICY | rcp | statement | "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"
INVALID_PRINCIPAL_FORMAT | rcp | statement | "Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"
UNSUPPORTED_ELEMENT | rcp | statement | "Effect": "Deny", "Principal": "*", "NotAction": "s3:*", "Resource": "*"
UNSUPPORTED_ACTION_IN_POLICY | topic | statement | "Effect": "Allow", "Principal": "*", "Action": "sns:*", "Resource": "*"
UNSUPPORTED_ACTION_IN_POLICY | topic | statement | "Effect": "Allow", "Principal": "*", "Action": "sns:CreateTopic", "Resource": "*"
UNSUPPORTED_ACTION_IN_POLICY | bucket | statement | "Effect": "Allow", "Principal": "*", "Action": "s3:GetObjects", "Resource": "*"
INVALID_CONDITION_KEY_FORMAT | bucket | statement | "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"s3:Secure": "true"}}
INVALID_CHARACTER | key | statement | "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Sid": "Ω"
"#;

fn kind(name: &str) -> PolicyKind {
    match name {
        "identity" => IDENTITY,
        "queue" => QUEUE,
        "key" => KEY,
        "topic" => TOPIC,
        "bucket" => BUCKET,
        "trust" => PolicyKind::Trust,
        "scp" => PolicyKind::ServiceControl,
        "rcp" => PolicyKind::ResourceControl,
        other => panic!("no kind {other}"),
    }
}

#[test]
fn each_fault_has_its_reason() {
    let good = r#""Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*""#;
    for row in FAULTS.trim().lines() {
        let cells: Vec<_> = row.splitn(4, " | ").collect();
        let text = match cells[2] {
            "document" => cells[3].to_owned(),
            "statement" => one(cells[3]),
            _ => one(&format!("{good}, {}", cells[3])),
        };
        assert_eq!(refused(&text, kind(cells[1])).reason().code(), cells[0], "{row}");
    }
}

#[test]
fn json_is_read_strictly_and_faults_are_placed() {
    let rows: [(&str, usize, usize); 12] = [
        ("", 1, 1),
        ("\u{feff}{}", 1, 1),
        ("{\n  \"Statement\": [],\n}", 3, 1),
        ("{\"Statement\": [1,]}", 1, 18),
        ("{ // why\n}", 1, 3),
        ("{'a': 1}", 1, 2),
        ("{\"a\": 01}", 1, 9),
        ("{\"a\": \"\\x\"}", 1, 9),
        ("{\"a\": \"\\ud800\"}", 1, 14),
        ("{\"a\": 1} x", 1, 10),
        ("{\"é\": tru}", 1, 7),
        ("{\"a\": \"b", 1, 7),
    ];
    for (text, line, column) in rows {
        let rejection = refused(text, IDENTITY);
        assert_eq!(rejection.reason(), Reason::JsonSyntax, "{text}");
        assert_eq!(
            (rejection.line(), rejection.column()),
            (line, column),
            "{text}: {rejection}"
        );
    }
    assert_eq!(
        refused(r#"{"Version": "2012-10-17", "Version": "2012-10-17"}"#, IDENTITY).reason(),
        Reason::DuplicateMember
    );
    assert_eq!(
        Policy::parse(b"{\"a\": \"\xff\"}", IDENTITY)
            .unwrap_err()
            .reason(),
        Reason::JsonSyntax
    );
}

#[test]
fn a_diagnostic_shows_source_line_caret_and_help() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\n    \"Effect\": \"Allow\",\n    \"Action\": \"sqs:*\",\n    \
                \"Resource\": \"*\",\n    \"StringEquals\": {\"aws:username\": \"x\"}\n  }\n}";
    assert_eq!(
        refused(text, IDENTITY).render("orders.json"),
        "error[INVALID_POLICY_ELEMENT]: `StringEquals` is not an element of a statement\n \
         --> orders.json:7:5\n  |\n7 | \"StringEquals\": {\"aws:username\": \"x\"}\n  | ^\n  \
         = help: a condition operator stands inside `Condition`: outside of it, it restricts nothing\n"
    );
}

#[test]
fn depth_and_size_are_bounded() {
    for open in ["[", "{\"a\":"] {
        let deep = open.repeat(20_000);
        assert!(Policy::parse_lenient(&deep, IDENTITY).is_err());
    }
    let long = format!("{}{}", " ".repeat(DOCUMENT_BYTES_MAX), one(""));
    assert_eq!(
        Policy::parse_lenient(&long, IDENTITY).unwrap_err().reason(),
        Reason::TooLarge
    );
}

#[test]
fn size_quotas_count_as_each_service_counts() {
    let sized = |size: usize| {
        let bare =
            one(r#""Effect": "Allow", "Action": "kms:*", "Principal": "*", "Resource": "*", "Sid": """#);
        bare.replace(
            r#""Sid": """#,
            &format!(r#""Sid": "{}""#, "x".repeat(size - bare.len())),
        )
    };
    assert!(Policy::parse(sized(32_768), KEY).is_ok());
    assert_eq!(refused(&sized(32_769), KEY).reason(), Reason::TooLarge);
    let padded = |spaces: usize| {
        let text = one(r#""Effect": "Allow", "Action": "sqs:*", "Resource": "*""#);
        text.replace("\"Statement\"", &format!("{}\"Statement\"", " ".repeat(spaces)))
    };
    assert!(Policy::parse(padded(10_000), IDENTITY).is_ok());
    assert_eq!(
        refused(&padded(5_200), PolicyKind::ServiceControl).reason(),
        Reason::TooLarge
    );
}

#[test]
fn queue_policies_have_their_quotas() {
    let statement = |action: &str, principal: &str, condition: &str| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {principal}, "Action": {action}, "Resource": "*"{condition}}}"#
        )
    };
    let document = |statements: &[String]| format!(r#"{{"Statement": [{}]}}"#, statements.join(","));
    let principals = |count: usize| {
        let each: Vec<_> = (0..count).map(|number| format!("\"{number:012}\"")).collect();
        format!(r#"{{"AWS": [{}]}}"#, each.join(","))
    };
    let conditions = |count: usize| {
        let each: Vec<_> = (0..count)
            .map(|number| format!(r#""aws:PrincipalTag/t{number}": "x""#))
            .collect();
        format!(r#", "Condition": {{"StringEquals": {{{}}}}}"#, each.join(","))
    };
    let send = "\"sqs:SendMessage\"";
    let plain = statement(send, "\"*\"", "");
    let rows = [
        (document(&vec![plain.clone(); 20]), None),
        (document(&vec![plain; 21]), Some(Reason::TooManyStatements)),
        (document(&[statement(send, &principals(50), "")]), None),
        (
            document(&[
                statement(send, &principals(30), ""),
                statement(send, &principals(21), ""),
            ]),
            Some(Reason::TooManyPrincipals),
        ),
        (document(&[statement(send, "\"*\"", &conditions(10))]), None),
        (
            document(&[statement(send, "\"*\"", &conditions(11))]),
            Some(Reason::TooManyConditions),
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(
            Policy::parse(&text, QUEUE)
                .err()
                .map(|rejection| rejection.reason()),
            expected,
            "{text}"
        );
    }
}

#[test]
fn resource_policies_speak_of_their_resource() {
    let bucket = |action: &str, resource: &str| {
        let text = one(&format!(
            r#""Effect": "Allow", "Principal": "*", "Action": "{action}", "Resource": {resource}"#
        ));
        Policy::parse(text, BUCKET)
            .unwrap()
            .check_resource("arn:aws:s3:::box")
            .err()
            .map(|rejection| rejection.reason())
    };
    assert_eq!(bucket("s3:GetObject", r#""arn:aws:s3:::box/*""#), None);
    assert_eq!(
        bucket("s3:*", r#"["arn:aws:s3:::box", "arn:aws:s3:::box/*"]"#),
        None
    );
    assert_eq!(bucket("s3:ListBucket", r#""arn:aws:s3:::box""#), None);
    assert_eq!(
        bucket("s3:GetObject", r#""arn:aws:s3:::box""#),
        Some(Reason::ActionOutOfScope)
    );
    assert_eq!(
        bucket("s3:ListBucket", r#""arn:aws:s3:::box/*""#),
        Some(Reason::ActionOutOfScope)
    );
    assert_eq!(
        bucket("s3:GetObject", r#""arn:aws:s3:::box2/*""#),
        Some(Reason::ResourceOutOfScope)
    );
    assert_eq!(bucket("s3:GetObject", r#""*""#), Some(Reason::ResourceOutOfScope));
    let topic = |resource: &str| {
        let text = one(&format!(
            r#""Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": {resource}"#
        ));
        let policy = Policy::parse(text, TOPIC).unwrap();
        policy
            .check_resource("arn:aws:sns:eu-west-1:111122223333:t")
            .err()
            .map(|rejection| rejection.reason())
    };
    assert_eq!(topic(r#""arn:aws:sns:eu-west-1:111122223333:t""#), None);
    assert_eq!(topic(r#""*""#), None);
    assert_eq!(topic(r#"["*", "*"]"#), Some(Reason::ResourceOutOfScope));
}
