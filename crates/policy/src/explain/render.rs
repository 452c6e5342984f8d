//! The tree as text.

use super::{ConditionReport, Explanation, LayerReport, StatementReport, hint};
use crate::decision::Outcome;
use std::fmt::{self, Display, Formatter};

/// Prints the tree: the decision, then each layer with the statements that speak about the action.
///
/// Statements about other actions are counted, not shown.
impl Display for Explanation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let outcome = match self.decision.outcome {
            Outcome::Allow => "ALLOW",
            Outcome::ImplicitDeny => "DENY (implicit)",
            Outcome::ExplicitDeny => "DENY (explicit)",
        };
        writeln!(formatter, "{outcome}  {} on {}", self.action, self.resource)?;
        writeln!(formatter, "  by {}", self.principal)?;
        writeln!(formatter, "  decided by {}", self.decision.layer.policy_type())?;
        for layer in &self.layers {
            write_layer(formatter, layer)?;
        }
        if let Some(message) = &self.message {
            writeln!(formatter, "  {message}")?;
        }
        match &self.hint {
            Some(hint) => writeln!(formatter, "  hint: {hint}"),
            None => Ok(()),
        }
    }
}

fn write_layer(formatter: &mut Formatter<'_>, report: &LayerReport) -> fmt::Result {
    let name = if report.name.is_empty() {
        String::new()
    } else {
        format!(" {}", report.name)
    };
    write!(formatter, "  {}{name}: {}", report.layer, report.verdict.as_str())?;
    match report.note {
        Some(note) => writeln!(formatter, " ({note})")?,
        None => writeln!(formatter)?,
    }
    for policy in &report.policies {
        let about_others = policy
            .statements
            .iter()
            .filter(|statement| !statement.action)
            .count();
        writeln!(formatter, "    {}", policy.label)?;
        for statement in policy.statements.iter().filter(|statement| statement.action) {
            write_statement(formatter, statement)?;
        }
        if about_others > 0 {
            writeln!(
                formatter,
                "      {about_others} of {} about other actions",
                policy.statements.len()
            )?;
        }
    }
    Ok(())
}

fn write_statement(formatter: &mut Formatter<'_>, statement: &StatementReport) -> fmt::Result {
    let place = hint::place(statement.sid.as_deref(), statement.index, statement.line);
    let applies = if statement.applies() {
        "applies"
    } else {
        "does not apply"
    };
    writeln!(formatter, "      {place} {} {applies}", statement.effect)?;
    if !statement.resource {
        writeln!(formatter, "        Resource does not cover the resource")?;
    }
    if !statement.principal {
        writeln!(formatter, "        Principal does not name the caller")?;
    }
    for condition in &statement.conditions {
        write_condition(formatter, condition)?;
    }
    Ok(())
}

fn write_condition(formatter: &mut Formatter<'_>, condition: &ConditionReport) -> fmt::Result {
    let holds = if condition.holds { "holds" } else { "fails" };
    write!(
        formatter,
        "        {} {} {holds}: wants ",
        condition.operator, condition.key
    )?;
    for (index, (written, resolved)) in condition.required.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        match resolved {
            Some(resolved) if resolved == written => write!(formatter, "{comma}`{written}`")?,
            Some(resolved) => write!(formatter, "{comma}`{written}` = `{resolved}`")?,
            None => write!(formatter, "{comma}`{written}` (has no value)")?,
        }
    }
    match &condition.actual {
        None => writeln!(formatter, "; the request does not have it"),
        Some(actual) => {
            let shown: Vec<_> = actual.iter().map(|value| format!("`{value}`")).collect();
            writeln!(formatter, "; got {}", shown.join(", "))
        }
    }
}
