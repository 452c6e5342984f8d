//! One row, one fact of AWS. Sources: IAM User Guide unless a row says otherwise.

use crate::support::{document, outcome};
use bulla_policy::{
    Layers, MapContext, Policy, PolicyKind, Principal, Request, ResourcePolicy, Vendor, decide,
};
use serde_json::{Value, json};
use std::sync::Arc;

const ALLOW: &str = "allow";
const IMPLICIT: &str = "implicit_deny";
const EXPLICIT: &str = "explicit_deny";

/// Sends with one identity statement under one condition.
fn under(condition: &Value, context: &Value) -> &'static str {
    let statement = json!({"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Condition": condition});
    outcome(json!({"context": context, "policies": {"identity": [document(&statement)]}}))
}

/// Outcome, condition, context: "Condition operators", "Multivalued context keys", policy check reference.
const CONDITIONS: &str = r#"
allow         | {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}             | {"aws:TagKeys": ["a", "b"]}
implicit_deny | {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}}        | {"aws:TagKeys": ["a", "b"]}
implicit_deny | {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}             | {}
allow         | {"ForAllValues:StringNotEquals": {"aws:TagKeys": ["a"]}}            | {"aws:TagKeys": ["b", "c"]}
implicit_deny | {"ForAllValues:StringNotEquals": {"aws:TagKeys": ["a"]}}            | {"aws:TagKeys": ["a", "c"]}
allow         | {"ForAllValues:StringLike": {"aws:TagKeys": ["a*"]}}                | {"aws:TagKeys": []}
allow         | {"ForAllValues:StringLike": {"aws:TagKeys": ["a*"]}}                | {"aws:TagKeys": ""}
allow         | {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": ["a"]}}        | {}
implicit_deny | {"forallvalues:stringequals": {"aws:TagKeys": ["a"]}}               | {"aws:TagKeys": ["b"]}
allow         | {"ForAllValues:Null": {"aws:TagKeys": "true"}}                      | {"aws:TagKeys": ["a"]}
implicit_deny | {"ForAnyValue:Null": {"aws:TagKeys": "true"}}                       | {}
allow         | {"Null": {"aws:TagKeys": "true"}}                                   | {"aws:TagKeys": []}
allow         | {"NumericNotEquals": {"s3:max-keys": "10"}}                         | {"s3:max-keys": "many"}
allow         | {"NumericLessThan": {"s3:max-keys": 10}}                            | {"s3:max-keys": "9.5"}
allow         | {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}}              | {"aws:CurrentTime": "1795255200"}
implicit_deny | {"DateNotEquals": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}      | {"aws:CurrentTime": "2026-01-01T01:00:00+01:00"}
allow         | {"Bool": {"aws:SecureTransport": "TRUE"}}                           | {"aws:SecureTransport": "true"}
allow         | {"Bool": {"aws:SecureTransport": ["true", "false"]}}                | {"aws:SecureTransport": "false"}
implicit_deny | {"BinaryEquals": {"aws:PrincipalTag/b": "QQ=="}}                    | {"aws:PrincipalTag/b": "Qg=="}
implicit_deny | {"StringNotEqualsIgnoreCase": {"aws:PrincipalTag/t": "ÄB"}}         | {"aws:PrincipalTag/t": "äb"}
allow         | {"StringLike": {"aws:PrincipalTag/t": "*"}}                         | {"aws:PrincipalTag/t": ""}
allow         | {"StringLike": {"aws:PrincipalTag/t": "a?c"}}                       | {"aws:PrincipalTag/t": "aüc"}
implicit_deny | {"StringEquals": {"aws:PrincipalTag/t": []}}                        | {"aws:PrincipalTag/t": "a"}
allow         | {"StringNotEquals": {"aws:PrincipalTag/t": []}}                     | {"aws:PrincipalTag/t": "a"}
allow         | {}                                                                  | {}
allow         | {"StringEquals": {"aws:PrincipalTag/Team": "x"}}                    | {"aws:principaltag/team": "x"}
allow         | {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}                 | {"aws:SourceArn": "arn:aws:sns:eu-west-1:1:a:b"}
implicit_deny | {"ArnLike": {"aws:SourceArn": "*"}}                                 | {"aws:SourceArn": "not-an-arn"}
allow         | {"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}              | {"aws:SourceArn": "not-an-arn"}
allow         | {"ArnLike": {"aws:SourceArn": "arn:aws:sqs:*:${aws:userid}:*"}}     | {"aws:userid": "1", "aws:SourceArn": "arn:aws:sqs:r:1:q"}
allow         | {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "::/0"]}}             | {"aws:SourceIp": "2001:db8::1"}
allow         | {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}                    | {"aws:SourceIp": "2001:db8::1"}
allow         | {"IpAddressIfExists": {"aws:SourceIp": "10.0.0.0/8"}}               | {"aws:VpcSourceIp": "10.1.1.1"}
"#;

#[test]
fn conditions_hold_as_documented() {
    for row in CONDITIONS.trim().lines() {
        let cells: Vec<_> = row.split(" | ").collect();
        let json = |cell: &str| serde_json::from_str::<Value>(cell).unwrap();
        assert_eq!(under(&json(cells[1]), &json(cells[2])), cells[0].trim(), "{row}");
    }
}

#[test]
fn policy_variables_are_literal_in_wildcard_patterns_and_keep_their_escapes() {
    let rows = [
        (
            json!({"StringLike": {"aws:PrincipalTag/t": "${aws:username}-x"}}),
            "*",
            "anything-x",
            IMPLICIT,
        ),
        (
            json!({"StringLike": {"aws:PrincipalTag/t": "${aws:username}-*"}}),
            "ann",
            "ann-7",
            ALLOW,
        ),
        (
            json!({"StringLike": {"aws:PrincipalTag/t": "a${*}c"}}),
            "ann",
            "abc",
            IMPLICIT,
        ),
        (
            json!({"StringLike": {"aws:PrincipalTag/t": "a${*}c${?}${$}"}}),
            "ann",
            "a*c?$",
            ALLOW,
        ),
        (
            json!({"StringEquals": {"aws:PrincipalTag/t": "${aws:SourceIdentity, 'no, one'}"}}),
            "ann",
            "no, one",
            ALLOW,
        ),
        (
            json!({"StringEqualsIgnoreCase": {"aws:PrincipalTag/t": "${aws:username}"}}),
            "ann",
            "ANN",
            ALLOW,
        ),
        (
            json!({"StringEquals": {"aws:PrincipalTag/t": "${aws:TagKeys}"}}),
            "ann",
            "a",
            IMPLICIT,
        ),
    ];
    for (condition, username, tag, expected) in rows {
        let context = json!({"aws:username": username, "aws:PrincipalTag/t": tag, "aws:TagKeys": ["a"]});
        assert_eq!(under(&condition, &context), expected, "{condition}");
    }
}

const ROLE: &str = "arn:aws:iam::111111111111:role/worker";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/worker/s";

fn send(principal: &str, resource: &Value, more: &Value) -> &'static str {
    let mut policies = json!({"resource": document(resource)});
    for (name, value) in more.as_object().unwrap() {
        policies[name] = value.clone();
    }
    outcome(json!({"principal": principal, "policies": policies}))
}

fn allow_for(principal: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": "sqs:*", "Resource": "*"})
}

#[test]
fn how_a_resource_policy_names_the_caller_decides_which_limits_bind() {
    let reads_only = || {
        json!([document(
            &json!({"Effect": "Allow", "Action": "sqs:Get*", "Resource": "*"})
        )])
    };
    let boundary = json!({"boundary": reads_only()});
    let session =
        json!({"session": document(&json!({"Effect": "Allow", "Action": "sqs:Get*", "Resource": "*"}))});
    let federated = "arn:aws:sts::111111111111:federated-user/bob";
    let everyone = json!("*");
    let rows = [
        (SESSION, json!({"AWS": ROLE}), &boundary, IMPLICIT),
        (SESSION, json!({"AWS": ROLE}), &session, IMPLICIT),
        (SESSION, json!({"AWS": SESSION}), &boundary, ALLOW),
        (SESSION, json!({"AWS": SESSION}), &session, ALLOW),
        // "Permissions boundaries": not limited when reached through a wildcard principal.
        (SESSION, everyone.clone(), &boundary, ALLOW),
        (federated, json!({"AWS": federated}), &session, ALLOW),
        (federated, json!({"AWS": "111111111111"}), &session, IMPLICIT),
        (
            "arn:aws:iam::111111111111:user/ann",
            json!({"AWS": "arn:aws:iam::111111111111:user/ann"}),
            &boundary,
            ALLOW,
        ),
        (
            "arn:aws:iam::111111111111:user/ann",
            json!({"AWS": ROLE}),
            &boundary,
            IMPLICIT,
        ),
    ];
    for (principal, named, limits, expected) in rows {
        assert_eq!(
            send(principal, &allow_for(&named), limits),
            expected,
            "{principal} named as {named}"
        );
    }
}

#[test]
fn a_policy_that_names_the_user_behind_a_federated_session_leaves_it_under_its_session_policies() {
    let user = "arn:aws:iam::111111111111:user/proxy";
    let parse = |document: &Value, kind| Policy::parse_lenient(document.to_string(), kind).unwrap();
    let named = document(&json!([allow_for(&json!({"AWS": user}))]));
    let queue = parse(&named, PolicyKind::Resource(Vendor::Sqs));
    let request = Request {
        principal: Principal::FederatedUser {
            account: "111111111111",
            arn: "arn:aws:sts::111111111111:federated-user/bob",
            user_arn: Some(user),
        },
        action: "sqs:SendMessage",
        resource: "arn:aws:sqs:eu-central-1:111111111111:orders",
        resource_account: "111111111111",
        context: &MapContext::new(),
        same_account_only: false,
    };
    for (action, expected) in [("sqs:Get*", false), ("sqs:*", true)] {
        let allow = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
        let session = [Arc::new(parse(&document(&allow), PolicyKind::Session))];
        let layers = Layers {
            session: Some(&session),
            resource: ResourcePolicy::Ordinary(Some(&queue)),
            ..Layers::default()
        };
        assert_eq!(decide(&request, &layers).is_allowed(), expected, "{action}");
    }
}

#[test]
fn across_accounts_limits_of_the_caller_bind_even_when_the_session_is_named() {
    let session = "arn:aws:sts::222222222222:assumed-role/worker/s";
    let everything = json!([document(
        &json!({"Effect": "Allow", "Action": "*", "Resource": "*"})
    )]);
    let nothing = json!([document(
        &json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    )]);
    let named = allow_for(&json!({"AWS": session}));
    assert_eq!(send(session, &named, &json!({"identity": everything})), ALLOW);
    assert_eq!(send(session, &named, &json!({})), IMPLICIT);
    assert_eq!(
        send(
            session,
            &named,
            &json!({"identity": everything, "boundary": nothing})
        ),
        IMPLICIT
    );
}

#[test]
fn not_principal_spares_only_callers_listed_in_all_their_aspects() {
    let identity = json!([document(
        &json!({"Effect": "Allow", "Action": "*", "Resource": "*"})
    )]);
    let deny = |listed: Value| json!({"Effect": "Deny", "NotPrincipal": {"AWS": listed}, "Action": "*", "Resource": "*"});
    let user = "arn:aws:iam::111111111111:user/ann";
    let rows = [
        (user, json!([user, "111111111111"]), json!({}), ALLOW),
        (user, json!([user]), json!({}), EXPLICIT),
        (user, json!(["111111111111"]), json!({}), EXPLICIT),
        (SESSION, json!([SESSION, ROLE, "111111111111"]), json!({}), ALLOW),
        (SESSION, json!([ROLE, "111111111111"]), json!({}), EXPLICIT),
        // "Permissions boundaries": such a Deny always denies callers that have one.
        (
            user,
            json!([user, "111111111111"]),
            json!({"boundary": identity.clone()}),
            EXPLICIT,
        ),
    ];
    for (principal, listed, mut more, expected) in rows {
        more["identity"] = identity.clone();
        assert_eq!(
            send(principal, &deny(listed.clone()), &more),
            expected,
            "{principal} with {listed}"
        );
    }
    let allow = json!({"Effect": "Allow", "NotPrincipal": {"AWS": user}, "Action": "*", "Resource": "*"});
    assert_eq!(send(user, &allow, &json!({})), IMPLICIT);
    assert_eq!(send("anonymous", &allow, &json!({})), ALLOW);
}

fn decrypt(principal: &str, policy: Option<&Value>, more: &Value) -> &'static str {
    let mut policies = more.clone();
    if let Some(statement) = policy {
        policies["resource"] = document(statement);
    }
    outcome(json!({
        "principal": principal, "action": "kms:Decrypt",
        "resource": "arn:aws:kms:eu-central-1:111111111111:key/1", "policies": policies,
    }))
}

#[test]
fn a_key_policy_binds_even_the_root_user() {
    let root = "arn:aws:iam::111111111111:root";
    let to = |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"});
    let identity =
        json!({"identity": [document(&json!({"Effect": "Allow", "Action": "*", "Resource": "*"}))]});
    assert_eq!(
        decrypt(root, Some(&to(json!({"AWS": ROLE}))), &json!({})),
        IMPLICIT
    );
    assert_eq!(decrypt(root, Some(&to(json!({"AWS": root}))), &json!({})), ALLOW);
    assert_eq!(
        decrypt(SESSION, Some(&to(json!({"AWS": root}))), &json!({})),
        IMPLICIT
    );
    assert_eq!(
        decrypt(SESSION, Some(&to(json!({"AWS": root}))), &identity),
        ALLOW
    );
    assert_eq!(
        decrypt(SESSION, Some(&to(json!({"AWS": ROLE}))), &json!({})),
        ALLOW
    );
}

#[test]
fn grants_allow_beside_the_key_policy_and_never_against_a_deny() {
    let admin = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:role/admin"}, "Action": "kms:*", "Resource": "*"});
    let other = "arn:aws:sts::222222222222:assumed-role/worker/s";
    let grant = |grantee: &str| json!({"grants": [{"GranteePrincipal": grantee, "Operations": ["Decrypt"]}]});
    let denied =
        json!({"identity": [document(&json!({"Effect": "Deny", "Action": "kms:*", "Resource": "*"}))]});
    assert_eq!(decrypt(SESSION, Some(&admin), &grant(ROLE)), ALLOW);
    assert_eq!(
        decrypt(
            other,
            Some(&admin),
            &grant("arn:aws:iam::222222222222:role/worker")
        ),
        ALLOW
    );
    assert_eq!(
        decrypt(
            "dynamodb.amazonaws.com",
            Some(&admin),
            &grant("dynamodb.amazonaws.com")
        ),
        ALLOW
    );
    assert_eq!(
        decrypt(
            SESSION,
            Some(&admin),
            &grant("arn:aws:iam::111111111111:role/other")
        ),
        IMPLICIT
    );
    let mut both = grant(ROLE);
    both["identity"] = denied["identity"].clone();
    assert_eq!(decrypt(SESSION, Some(&admin), &both), EXPLICIT);
}

#[test]
fn grant_constraints_compare_the_encryption_context() {
    let admin = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:role/admin"}, "Action": "kms:*", "Resource": "*"});
    let run = |kind: &str, context: Value, action: &str| {
        let grant = json!({"GranteePrincipal": ROLE, "Operations": ["Decrypt", "DescribeKey"], "Constraints": {kind: {"a": "1"}}});
        outcome(json!({
            "principal": SESSION, "action": action, "resource": "arn:aws:kms:eu-central-1:111111111111:key/1",
            "context": context, "policies": {"resource": document(&admin), "grants": [grant]},
        }))
    };
    let exact = || json!({"kms:EncryptionContext:a": "1", "kms:EncryptionContextKeys": ["a"]});
    let more = || json!({"kms:EncryptionContext:a": "1", "kms:EncryptionContext:b": "2", "kms:EncryptionContextKeys": ["a", "b"]});
    assert_eq!(run("EncryptionContextEquals", exact(), "kms:Decrypt"), ALLOW);
    assert_eq!(run("EncryptionContextEquals", more(), "kms:Decrypt"), IMPLICIT);
    assert_eq!(run("EncryptionContextSubset", more(), "kms:Decrypt"), ALLOW);
    assert_eq!(run("EncryptionContextSubset", json!({}), "kms:Decrypt"), IMPLICIT);
    assert_eq!(
        run("EncryptionContextEquals", json!({}), "kms:DescribeKey"),
        ALLOW
    );
}

#[test]
fn organizations_limit_members_but_not_services_or_the_management_account() {
    let all = || document(&json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    let none = || document(&json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
    let public = document(&json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}));
    let run = |principal: &str, scp: Value, management: &str| {
        outcome(json!({
            "principal": principal, "org": {"managementAccount": management},
            "policies": {"identity": [all()], "resource": public, "scp": scp},
        }))
    };
    let user = "arn:aws:iam::111111111111:user/ann";
    assert_eq!(run(user, json!([[all()], [none()]]), "999999999999"), EXPLICIT);
    assert_eq!(run(user, json!([[all()], []]), "999999999999"), IMPLICIT);
    assert_eq!(run(user, json!([[none()]]), "111111111111"), ALLOW);
    assert_eq!(run("sns.amazonaws.com", json!([[none()]]), "999999999999"), ALLOW);
    assert_eq!(run("anonymous", json!([[none()]]), "999999999999"), ALLOW);
}

#[test]
fn actions_and_resources_match_as_documented() {
    let identity = |statement: Value, action: &str, resource: &str| {
        outcome(
            json!({"action": action, "resource": resource, "policies": {"identity": [document(&statement)]}}),
        )
    };
    let queue = "arn:aws:sqs:eu-central-1:111111111111:orders";
    let rows = [
        (
            json!({"Action": "sqs:*", "Resource": "arn:aws:sqs:*"}),
            "sqs:SendMessage",
            queue,
            ALLOW,
        ),
        (
            json!({"Action": "sqs:*", "Resource": "arn:aws:sqs:eu-*:*:ord?rs"}),
            "sqs:SendMessage",
            queue,
            ALLOW,
        ),
        (
            json!({"Action": "sqs:ListQueues", "Resource": queue}),
            "sqs:ListQueues",
            "*",
            IMPLICIT,
        ),
        (
            json!({"Action": "sqs:ListQueues", "Resource": "*"}),
            "sqs:ListQueues",
            "*",
            ALLOW,
        ),
        (
            json!({"Action": "SQS:S?nd*ge", "Resource": "*"}),
            "sqs:SendMessage",
            queue,
            ALLOW,
        ),
        (
            json!({"NotAction": "sqs:*", "Resource": "*"}),
            "sqs:SendMessage",
            queue,
            IMPLICIT,
        ),
    ];
    for (mut statement, action, resource, expected) in rows {
        statement["Effect"] = json!("Allow");
        assert_eq!(
            identity(statement.clone(), action, resource),
            expected,
            "{statement}"
        );
    }
}

#[test]
fn a_lenient_reading_keeps_what_matches_nothing() {
    let rows = [
        (json!({"AWS": "AIDAEXAMPLEOFDELETEDUSER"}), "*", IMPLICIT),
        (json!({"AWS": "arn:aws:iam::111111111111:user/a*"}), "*", IMPLICIT),
        (
            json!("*"),
            "https://sqs.eu-central-1.amazonaws.com/111111111111/orders",
            IMPLICIT,
        ),
        (json!("*"), "*", ALLOW),
    ];
    for (principal, resource, expected) in rows {
        let statement =
            json!({"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": resource});
        assert_eq!(
            send("arn:aws:iam::111111111111:user/ann", &statement, &json!({})),
            expected,
            "{statement}"
        );
    }
}

#[test]
fn a_role_trusts_whom_its_trust_policy_names() {
    use bulla_policy::{
        EmptyContext, Layers, Policy, PolicyKind, Principal, Request, ResourcePolicy, decide,
    };
    let assume = |principal: &Value, caller: Principal<'_>, action: &str| {
        let statement = json!({"Effect": "Allow", "Principal": principal, "Action": action});
        let policy = Policy::parse(document(&statement).to_string(), PolicyKind::Trust).unwrap();
        let request = Request {
            principal: caller,
            action,
            resource: ROLE,
            resource_account: "111111111111",
            context: &EmptyContext,
            same_account_only: false,
        };
        let layers = Layers {
            resource: ResourcePolicy::Mandatory(&policy),
            ..Layers::default()
        };
        let decision = decide(&request, &layers);
        decision.denial(action).unwrap_or_else(|| "allowed".to_owned())
    };
    let user = "arn:aws:iam::111111111111:user/ann";
    let ann = Principal::User {
        account: "111111111111",
        arn: user,
    };
    let provider = "arn:aws:iam::111111111111:saml-provider/idp";
    assert_eq!(assume(&json!({"AWS": user}), ann, "sts:AssumeRole"), "allowed");
    assert_eq!(
        assume(&json!({"AWS": "111111111111"}), ann, "sts:AssumeRole"),
        "because no identity-based policy allows the sts:AssumeRole action"
    );
    assert_eq!(
        assume(&json!({"AWS": "222222222222"}), ann, "sts:AssumeRole"),
        "because no role trust policy allows the sts:AssumeRole action"
    );
    let federated = Principal::Federated { provider };
    assert_eq!(
        assume(
            &json!({"Federated": provider}),
            federated,
            "sts:AssumeRoleWithSAML"
        ),
        "allowed"
    );
    let service = Principal::Service {
        name: "lambda.amazonaws.com",
    };
    assert_eq!(
        assume(
            &json!({"Service": "lambda.amazonaws.com"}),
            service,
            "sts:AssumeRole"
        ),
        "allowed"
    );
}
