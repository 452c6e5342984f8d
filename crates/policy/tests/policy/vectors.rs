//! Every documented case of `vectors/public.jsonl`.

use crate::support::{Case, vectors};
use bulla_policy::{PolicyKind, Rejection, Vendor, decide};
use serde_json::Value;

#[test]
fn every_documented_decision_is_reached() {
    let mut failures = Vec::new();
    let mut count = 0;
    for vector in vectors().iter().filter(|vector| vector["kind"] == "decide") {
        count += 1;
        let case = Case::read(vector);
        let actual = case.with(decide).outcome.as_str();
        let also = vector["also_accept"].as_array().cloned().unwrap_or_default();
        if vector["expected"] != actual && !also.iter().any(|accepted| accepted == actual) {
            failures.push(format!(
                "{}: {} is {actual}, expected {}",
                vector["id"], vector["title"], vector["expected"]
            ));
        }
    }
    assert_eq!(count, 297);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What storing a policy decides by its text alone; `None` where state decides (the lockout check of KMS).
fn put(vector: &Value) -> Option<Result<(), Rejection>> {
    let text = vector["policyText"].as_str().unwrap();
    let resource = vector["resource"].as_str().unwrap_or_default();
    let kind = crate::support::kind_of_api(vector["api"].as_str().unwrap());
    if text.is_empty() && kind == PolicyKind::Resource(Vendor::Sqs) {
        return Some(Ok(()));
    }
    let parsed = bulla_policy::Policy::parse(text, kind).and_then(|policy| {
        policy.check_resource(resource)?;
        Ok(policy)
    });
    let bypass = vector["params"]["BypassPolicyLockoutSafetyCheck"] == true;
    match (kind, parsed) {
        (PolicyKind::Resource(Vendor::Kms), Ok(policy)) if !bypass => {
            let locked_out = crate::support::locks_out(&policy, vector["caller"].as_str().unwrap(), resource);
            if locked_out { None } else { Some(Ok(())) }
        }
        (_, parsed) => Some(parsed.map(|_| ())),
    }
}

#[test]
fn every_documented_document_is_stored_or_refused() {
    let mut failures = Vec::new();
    let mut count = 0;
    for vector in vectors().iter().filter(|vector| vector["kind"] == "put") {
        count += 1;
        let actual = match put(vector) {
            Some(Ok(())) => "accept",
            Some(Err(_)) | None => "reject",
        };
        if vector["expected"] != actual {
            failures.push(format!(
                "{}: {} is {actual}: {:?}",
                vector["id"],
                vector["title"],
                put(vector)
            ));
        }
    }
    assert_eq!(count, 32);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
