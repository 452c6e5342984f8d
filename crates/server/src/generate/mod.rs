//! `bulla policy generate`: from what shall be allowed to the policies that say so, and the proof that they do.
//!
//! The proof is made by the evaluator that judges calls, not by looking at the text, and a set that does not do what was
//! intended is not written.

mod documents;
mod intent;
mod proof;

use crate::cli::OutputFormat;
use crate::operator_error::{ExitReason, OperatorError};
use bulla_policy::Policy;
use documents::{Document, documents};
pub use intent::{GenerateArguments, Intent};
use proof::{Trial, prove};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Reads the intent, makes the policies, proves them, and writes or prints them.
pub(crate) fn run(arguments: &GenerateArguments) -> Result<ExitReason, OperatorError> {
    let checked = arguments.read()?;
    let documents = documents(&checked);
    documents.iter().try_for_each(storable)?;
    let trials = prove(&checked, &documents);
    let holds = trials.iter().all(Trial::holds);
    if holds && let Some(folder) = &arguments.to {
        write(folder, &documents)?;
    }
    let told = match arguments.output {
        OutputFormat::Json => as_json(&documents, &trials).to_string(),
        // Writing to text does not fail.
        OutputFormat::Text => as_text(&documents, &trials, arguments.to.as_deref()).unwrap_or_default(),
    };
    let mut out = std::io::stdout().lock();
    // Whoever reads it may have seen enough.
    drop(writeln!(out, "{}", told.trim_end()));
    if holds {
        return Ok(ExitReason::Clean);
    }
    Err(OperatorError::failed("the policies do not do what was intended")
        .why("the table has the calls that are decided otherwise")
        .fix("look whether one principal stands for two things that exclude each other, such as a producer that is an administrator"))
}

/// AWS's limits are met, too.
fn storable(document: &Document) -> Result<(), OperatorError> {
    let text = document.policy.to_string();
    match Policy::parse(text, document.kind) {
        Ok(_) => Ok(()),
        Err(rejection) => Err(
            OperatorError::failed(format!("the {} would not be stored", document.name))
                .why(rejection.message())
                .fix("ask for less in one policy: fewer kinds of sources, or principals that share a role"),
        ),
    }
}

fn write(folder: &Path, documents: &[Document]) -> Result<(), OperatorError> {
    let failed = |error: std::io::Error| {
        OperatorError::failed(format!(
            "the policies cannot be written to `{}`",
            folder.display()
        ))
        .why(error)
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    for document in documents {
        let path = folder.join(format!("{}.json", document.name));
        std::fs::write(path, format!("{:#}\n", document.policy)).map_err(failed)?;
    }
    Ok(())
}

fn as_json(documents: &[Document], trials: &[Trial]) -> Value {
    let policies: Vec<Value> = documents
        .iter()
        .map(|document| json!({ "name": document.name, "of": document.of, "policy": document.policy }))
        .collect();
    let proof: Vec<Value> = trials
        .iter()
        .map(|trial| {
            json!({
                "principal": trial.who,
                "action": trial.action,
                "resource": trial.resource,
                "but": trial.but,
                "expected": trial.expected,
                "decision": trial.found,
                "statement": trial.statement,
                "holds": trial.holds(),
            })
        })
        .collect();
    json!({ "policies": policies, "proof": proof })
}

fn as_text(documents: &[Document], trials: &[Trial], to: Option<&Path>) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for document in documents {
        match to {
            Some(folder) => writeln!(
                text,
                "{}  for {}",
                folder.join(format!("{}.json", document.name)).display(),
                document.of
            ),
            None => writeln!(
                text,
                "# {}, for {}\n{:#}\n",
                document.name, document.of, document.policy
            ),
        }?;
    }
    let width = |of: fn(&Trial) -> usize| trials.iter().map(of).max().unwrap_or_default();
    let who = width(|trial| trial.who.len());
    let action = width(|trial| trial.action.len());
    let resource = width(|trial| short(&trial.resource).len());
    let but = width(|trial| trial.but.len());
    text.push('\n');
    for trial in trials {
        let mark = if trial.holds() { ' ' } else { '!' };
        writeln!(
            text,
            "{mark} {:who$}  {:action$}  {:resource$}  {:but$}  {:13}  {}",
            trial.who,
            trial.action,
            short(&trial.resource),
            trial.but,
            trial.found,
            trial.statement
        )?;
    }
    let failed = trials.iter().filter(|trial| !trial.holds()).count();
    writeln!(
        text,
        "\n{} decisions as intended, {failed} otherwise",
        trials.len() - failed
    )?;
    Ok(text)
}

fn short(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}
