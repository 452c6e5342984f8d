//! `bulla policy generate` as a process: what is intended is allowed, what is not is denied, and it is proven.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use serde_json::Value;
use std::process::Command;

const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";
const WHOLE: [&str; 24] = [
    "--queue",
    QUEUE,
    "--dead-letter-queue",
    "arn:aws:sqs:eu-west-1:111122223333:orders-dead",
    "--key",
    "arn:aws:kms:eu-west-1:111122223333:key/0d1e2f30-1111-2222-3333-444455556666",
    "--consumer",
    "arn:aws:iam::111122223333:role/worker",
    "--producer",
    "arn:aws:iam::444455556666:role/shop",
    "--topic",
    "arn:aws:sns:eu-west-1:111122223333:orders",
    "--publisher",
    "arn:aws:iam::111122223333:role/desk",
    "--bucket",
    "arn:aws:s3:::uploads",
    "--administrator",
    "arn:aws:iam::111122223333:role/deployer",
    "--organizational-unit",
    "o-abcdefghij/r-ab12/ou-ab12-11111111/",
    "--endpoint",
    "vpce-0a1b2c3d4e5f67890",
    "--output",
    "json",
];

fn generate(flags: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["policy", "generate"])
        .args(flags)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn whole() -> Value {
    let (code, told, complaint) = generate(&WHOLE);
    assert_eq!(code, Some(0), "{complaint}");
    serde_json::from_str(&told).unwrap()
}

/// The decisions on one action of one principal.
fn decisions(told: &Value, principal: &str, action: &str) -> Vec<(String, String)> {
    let text = |trial: &Value, name: &str| trial[name].as_str().unwrap().to_owned();
    told["proof"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|trial| trial["principal"] == principal && trial["action"] == action)
        .map(|trial| (text(trial, "but"), text(trial, "decision")))
        .collect()
}

fn pair(but: &str, decision: &str) -> (String, String) {
    (but.to_owned(), decision.to_owned())
}

#[test]
fn every_call_of_the_proof_is_decided_as_intended() {
    let told = whole();
    let proof = told["proof"].as_array().unwrap();
    assert!(proof.len() > 30);
    assert!(proof.iter().all(|trial| trial["holds"] == true));
}

#[test]
fn a_topic_sends_and_another_topic_does_not() {
    let decisions = decisions(&whole(), "sns.amazonaws.com", "sqs:SendMessage");
    let wanted = [
        pair("for its source", "allow"),
        pair("for another source", "explicit_deny"),
    ];
    assert_eq!(decisions, wanted);
}

#[test]
fn the_key_serves_a_consumer_through_the_queue_only() {
    let decisions = decisions(&whole(), "role/worker", "kms:Decrypt");
    assert_eq!(
        decisions,
        [
            pair("through SQS", "allow"),
            pair("not through SQS", "implicit_deny")
        ]
    );
}

#[test]
fn a_role_that_its_own_policies_allow_everything_reads_nothing() {
    let decisions = decisions(&whole(), "role/stranger", "sqs:ReceiveMessage");
    assert_eq!(decisions, [pair("", "explicit_deny"), pair("", "explicit_deny")]);
}

#[test]
fn an_intent_in_a_file_and_in_flags_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let intent = folder.path().join("intent.toml");
    let administrator = "arn:aws:iam::111122223333:role/deployer";
    std::fs::write(
        &intent,
        format!("queue = \"{QUEUE}\"\nadministrators = [\"{administrator}\"]\n"),
    )
    .unwrap();
    let from_file = generate(&["--intent", intent.to_str().unwrap(), "--output", "json"]);
    let from_flags = generate(&[
        "--queue",
        QUEUE,
        "--administrator",
        administrator,
        "--output",
        "json",
    ]);
    assert_eq!(from_file.0, Some(0));
    assert_eq!(from_file, from_flags);
}

#[test]
fn the_policies_are_written_one_file_each() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("policies");
    let (code, ..) = generate(&[&WHOLE[..], &["--to", to.to_str().unwrap()]].concat());
    assert_eq!(code, Some(0));
    let text = std::fs::read_to_string(to.join("queue-policy.json")).unwrap();
    let policy: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(policy["Statement"][0]["Sid"], "RestrictAdminQueueActions");
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 8);
}

#[test]
fn roles_of_two_accounts_with_one_name_have_a_policy_each() {
    let folder = tempfile::tempdir().unwrap();
    let second = ["--consumer", "arn:aws:iam::444455556666:role/worker", "--to"];
    let (code, ..) = generate(&[&WHOLE[..], &second[..], &[folder.path().to_str().unwrap()]].concat());
    assert_eq!(code, Some(0));
    assert!(
        folder
            .path()
            .join("identity-policy-consumer-worker.json")
            .is_file()
    );
    assert!(
        folder
            .path()
            .join("identity-policy-consumer-worker-2.json")
            .is_file()
    );
}

#[test]
fn roles_that_exclude_each_other_are_found_by_the_proof_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("policies");
    let both = "arn:aws:iam::111122223333:role/both";
    let (code, told, complaint) = generate(&[
        "--queue",
        QUEUE,
        "--administrator",
        both,
        "--consumer",
        "arn:aws:iam::111122223333:role/stranger",
        "--to",
        to.to_str().unwrap(),
    ]);
    assert_eq!(code, Some(1));
    assert!(told.contains("\n! role/stranger"), "{told}");
    assert!(
        complaint.contains("the policies do not do what was intended"),
        "{complaint}"
    );
    assert!(!to.exists());
}

#[test]
fn an_intent_without_administrators_is_refused() {
    let (code, _, complaint) = generate(&["--queue", QUEUE]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("no administrator is named"), "{complaint}");
}

#[test]
fn a_topic_that_is_no_topic_is_refused() {
    let (code, _, complaint) = generate(&["--queue", QUEUE, "--topic", QUEUE]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("is no topic"), "{complaint}");
}
