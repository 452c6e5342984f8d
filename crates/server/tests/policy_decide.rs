//! `bulla policy decide` as a process: cases in, answers out.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

const PUBLIC: &str = include_str!("../../policy/tests/vectors/public.jsonl");

/// Runs the command with these cases on its standard input.
fn decide(input: String) -> (Option<i32>, Vec<Value>) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["policy", "decide"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        process.wait_with_output().unwrap()
    });
    let text = String::from_utf8(output.stdout).unwrap();
    let answers = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (output.status.code(), answers.collect())
}

#[test]
fn every_documented_case_is_answered_as_documented() {
    let (code, answers) = decide(PUBLIC.to_owned());
    assert_eq!(code, Some(0));
    let cases: Vec<Value> = PUBLIC
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), cases.len());
    let listed = |case: &Value, name: &str, value: &Value| {
        case[name].as_array().is_some_and(|values| values.contains(value))
    };
    let mut failures = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(case["id"], answer["id"]);
        let right = if case["kind"] == "put" {
            let error = &answer["error"];
            answer["result"] == case["expected"]
                && (*error == case["expected_error"] || listed(case, "also_accept_errors", error))
        } else {
            let decision = &answer["decision"];
            *decision == case["expected"] || listed(case, "also_accept", decision)
        };
        if !right {
            failures.push(format!("{} {}: {answer}", case["id"], case["title"]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_bad_line_is_told_and_the_rest_is_answered() {
    let first = PUBLIC.lines().next().unwrap();
    let (code, answers) = decide(format!("{first}\n{{\"id\": \"broken\"}}\n{first}\n"));
    assert_eq!(code, Some(1));
    assert_eq!(answers[0], answers[2]);
    assert_eq!(answers[1]["id"], "broken");
    assert_eq!(answers[1]["error"], "InvalidCase");
}

#[test]
fn a_file_that_does_not_exist_is_a_usage_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["policy", "decide", "/nowhere/cases.jsonl"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.starts_with("error: `/nowhere/cases.jsonl` cannot be read"),
        "{told}"
    );
}
