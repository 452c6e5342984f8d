//! `bulla policy lint` as a process: findings and exit codes.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

fn lint(flags: &[&str], document: &str) -> (Option<i32>, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["policy", "lint"])
        .args(flags)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(document.as_bytes())
        .unwrap();
    let output = process.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// The queue policy of a published guide: it means to let in an organization, and lets in everybody.
const ORGANIZATION: &str = r#"{
  "Version": "2008-10-17",
  "Statement": {
    "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SQS:SendMessage", "Resource": "*",
    "Condition": {"ForAllValues:StringEquals": {"aws:PrincipalOrgId": "o-abc123"}}
  }
}"#;

#[test]
fn a_set_operator_that_lets_everybody_in_is_a_finding_with_its_line_and_fix() {
    let (code, told) = lint(&[], ORGANIZATION);
    assert_eq!(code, Some(1));
    assert!(
        told.starts_with("security warning[FORALLVALUES_WITH_SINGLE_VALUED_KEY]: "),
        "{told}"
    );
    assert!(told.contains("--> -:5:49\n"), "{told}");
    assert!(told.contains("= help: leave `ForAllValues:` out\n"), "{told}");
    assert!(told.ends_with("1 file, 1 finding\n"), "{told}");
}

#[test]
fn findings_are_told_to_programs_as_json() {
    let (code, told) = lint(&["--output=json", "--kind=queue"], ORGANIZATION);
    assert_eq!(code, Some(1));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told[0]["code"], "FORALLVALUES_WITH_SINGLE_VALUED_KEY");
    assert_eq!(told[0]["severity"], "SECURITY_WARNING");
    assert_eq!(
        (&told[0]["line"], &told[0]["column"]),
        (&Value::from(5), &Value::from(49))
    );
}

#[test]
fn a_sound_policy_and_suggestions_end_well() {
    let sound = ORGANIZATION.replace("ForAllValues:", "");
    assert_eq!(lint(&[], &sound), (Some(0), "1 file, 0 findings\n".to_owned()));
    let redundant = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sqs:*","sqs:SendMessage"],
        "Resource":"*"}}"#;
    let (code, told) = lint(&[], redundant);
    assert_eq!(code, Some(0));
    assert!(told.starts_with("suggestion[REDUNDANT_ACTION]: "), "{told}");
}

#[test]
fn the_kind_that_is_named_decides_what_may_stand_in_the_policy() {
    let (code, told) = lint(&["--kind=scp"], ORGANIZATION);
    assert_eq!(code, Some(1));
    assert!(told.starts_with("error[INVALID_VERSION]"), "{told}");
}
