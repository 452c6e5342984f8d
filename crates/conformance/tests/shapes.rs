//! Every operation that is built has AWS's members, types and errors.

use std::collections::BTreeSet;
use std::path::Path;

use bulla_conformance::{Described, Model, differences};

const SERVICES: [&str; 5] = ["iam", "kms", "organizations", "sqs", "sts"];

/// Known differences, each with its reason beside it.
fn not_built() -> BTreeSet<String> {
    let text = include_str!("../not_built.txt");
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn described() -> Vec<Described> {
    bulla_services::catalogue()
        .into_iter()
        .map(|(endpoint, errors)| Described {
            service: SERVICES.into_iter().find(|name| *name == endpoint.name().service).unwrap(),
            operation: endpoint.name().name,
            input: endpoint.input(),
            output: endpoint.output(),
            errors,
        })
        .collect()
}

#[test]
fn shapes_and_errors_are_those_of_the_aws_models() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev/models");
    let found: BTreeSet<String> = SERVICES
        .into_iter()
        .flat_map(|service| {
            let model = Model::read(&models, service).unwrap_or_else(|error| panic!("{error}"));
            let own = described().into_iter().filter(move |described| described.service == service);
            own.flat_map(|described| differences(&described, &model)).collect::<Vec<_>>()
        })
        .collect();
    let known = not_built();
    let unknown: Vec<&String> = found.difference(&known).collect();
    assert!(unknown.is_empty(), "differences from the AWS models:\n{unknown:#?}");
    let stale: Vec<&String> = known.difference(&found).collect();
    assert!(stale.is_empty(), "no longer true, remove from not_built.txt:\n{stale:#?}");
}
