//! `bulla policy lint`: what is wrong or dangerous in policy documents, said as a compiler says it.

use crate::cli::OutputFormat;
use crate::operator_error::{ExitReason, OperatorError};
use crate::policy_cli::{Kind, LintArguments};
use bulla_policy::lint::{Finding, Severity, guess_kind, lint};
use bulla_policy::{DOCUMENT_BYTES_MAX, IdentityOwner, PolicyKind, Vendor};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

pub(crate) fn run(arguments: &LintArguments) -> Result<ExitReason, OperatorError> {
    let mut out = io::stdout().lock();
    let mut told = Vec::new();
    let mut bad = false;
    let mut count = 0_usize;
    for path in &arguments.files {
        let name = path.display().to_string();
        let bytes = read(path, &name)?;
        let kind = arguments.kind.map_or_else(|| guess_kind(&bytes), Kind::of_policy);
        let findings = lint(&bytes, kind);
        bad |= findings
            .iter()
            .any(|finding| finding.severity() < Severity::Suggestion);
        count = count.saturating_add(findings.len());
        for finding in &findings {
            match arguments.output {
                OutputFormat::Json => told.push(object(&name, finding)),
                OutputFormat::Text => say(&mut out, &finding.render(&name))?,
            }
        }
    }
    match arguments.output {
        OutputFormat::Json => say(&mut out, &Value::Array(told).to_string())?,
        OutputFormat::Text => {
            let (files, findings) = (words(arguments.files.len(), "file"), words(count, "finding"));
            say(&mut out, &format!("{files}, {findings}"))?;
        }
    }
    Ok(if bad {
        ExitReason::Failed
    } else {
        ExitReason::Clean
    })
}

fn words(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Whoever reads may have seen enough.
fn say(out: &mut impl Write, text: &str) -> Result<(), OperatorError> {
    match writeln!(out, "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(OperatorError::failed("the findings could not be written").why(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Reads one byte more than a policy may have: the check then says that it is too long.
fn read(path: &Path, name: &str) -> Result<Vec<u8>, OperatorError> {
    let mut bytes = Vec::new();
    let max = u64::try_from(DOCUMENT_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let read = if path == Path::new("-") {
        io::stdin().lock().take(max).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(max).read_to_end(&mut bytes))
    };
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(OperatorError::usage(format!("`{name}` cannot be read"))
            .why(error)
            .fix("name files that hold one policy each, or `-` for standard input")),
    }
}

fn object(name: &str, finding: &Finding) -> Value {
    let severity = match finding.severity() {
        Severity::Error => "ERROR",
        Severity::SecurityWarning => "SECURITY_WARNING",
        Severity::Warning => "WARNING",
        Severity::Suggestion => "SUGGESTION",
    };
    json!({
        "file": name,
        "severity": severity,
        "code": finding.code(),
        "message": finding.message(),
        "help": finding.help(),
        "line": finding.line(),
        "column": finding.column(),
    })
}

impl Kind {
    const fn of_policy(self) -> PolicyKind {
        match self {
            Self::Identity => PolicyKind::Identity(IdentityOwner::Managed),
            Self::User => PolicyKind::Identity(IdentityOwner::User),
            Self::Group => PolicyKind::Identity(IdentityOwner::Group),
            Self::Role => PolicyKind::Identity(IdentityOwner::Role),
            Self::Queue => PolicyKind::Resource(Vendor::Sqs),
            Self::Topic => PolicyKind::Resource(Vendor::Sns),
            Self::Key => PolicyKind::Resource(Vendor::Kms),
            Self::Bucket => PolicyKind::Resource(Vendor::S3),
            Self::Trust => PolicyKind::Trust,
            Self::Session => PolicyKind::Session,
            Self::Boundary => PolicyKind::Boundary,
            Self::Scp => PolicyKind::ServiceControl,
            Self::Rcp => PolicyKind::ResourceControl,
            Self::Endpoint => PolicyKind::VpcEndpoint,
        }
    }
}
