//! Every operation that is built has AWS's members, types and errors.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bulla_conformance::{Described, Model, differences, query_differences};

/// Known differences, each with its reason beside it. `*` stands for any operation.
fn not_built() -> BTreeSet<String> {
    let text = include_str!("../not_built.txt");
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// `sqs.SendMessage.X: ..` as `sqs.*.X: ..`.
fn of_any_operation(difference: &str) -> Option<String> {
    let (service, rest) = difference.split_once('.')?;
    let (_, rest) = rest.split_once('.')?;
    Some(format!("{service}.*.{rest}"))
}

fn described() -> Vec<Described> {
    bulla_services::catalogue()
        .into_iter()
        .map(|(endpoint, errors)| Described {
            service: endpoint.name().service,
            operation: endpoint.name().name,
            input: endpoint.input(),
            output: endpoint.output(),
            errors,
        })
        .collect()
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev/models")
}

#[test]
fn shapes_and_errors_are_those_of_the_aws_models() {
    let own = described();
    let services: BTreeSet<&str> = own.iter().map(|described| described.service).collect();
    let mut found = BTreeSet::new();
    for service in services {
        let model = Model::read(&models(), service).unwrap_or_else(|error| panic!("{error}"));
        let of_service = own.iter().filter(|described| described.service == service);
        found.extend(of_service.flat_map(|described| differences(described, &model)));
    }
    let known = not_built();
    let mut used = BTreeSet::new();
    let mut unknown = Vec::new();
    for difference in found {
        let forms = [Some(difference.clone()), of_any_operation(&difference)];
        match forms.into_iter().flatten().find(|form| known.contains(form)) {
            Some(form) => drop(used.insert(form)),
            None => unknown.push(difference),
        }
    }
    assert!(
        unknown.is_empty(),
        "differences from the AWS models:\n{unknown:#?}"
    );
    let stale: Vec<&String> = known.difference(&used).collect();
    assert!(
        stale.is_empty(),
        "no longer true, remove from not_built.txt:\n{stale:#?}"
    );
}

#[test]
fn every_operation_of_the_aws_models_is_built_or_listed_as_not_built() {
    let built = described();
    for (service, listed) in bulla_services::not_built() {
        let model = Model::read(&models(), service).unwrap_or_else(|error| panic!("{error}"));
        let is_built = |name: &str| {
            built
                .iter()
                .any(|described| described.service == service && described.operation == name)
        };
        let known: BTreeSet<&str> = model.operations().collect();
        for name in &known {
            assert!(is_built(name) != listed.contains(name), "{service}:{name}");
        }
        let unknown: Vec<&&str> = listed.iter().filter(|name| !known.contains(*name)).collect();
        assert!(
            unknown.is_empty(),
            "{service} lists what AWS does not have: {unknown:?}"
        );
    }
}

#[test]
fn query_names_and_codes_of_sqs_are_those_of_the_last_model_that_has_them() {
    let model = Model::read(&models(), "sqs-query").unwrap_or_else(|error| panic!("{error}"));
    let own = described()
        .into_iter()
        .filter(|described| described.service == "sqs");
    let found: Vec<String> = own
        .flat_map(|described| query_differences(&described, &model))
        .collect();
    assert!(
        found.is_empty(),
        "differences from the AWS model of the Query protocol:\n{found:#?}"
    );
}
