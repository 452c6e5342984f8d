//! A file has at most 600 lines, a function at most 70.
//!
//! The ratchet `xtask/ratchet.txt` names what is longer, with its length. What it names may shrink, never grow; a line
//! of it that is no longer needed is a finding, so the list can only get shorter.

use std::collections::BTreeMap;

use super::Finding;
use crate::project;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const RATCHET: &str = "xtask/ratchet.txt";

pub(super) fn check(files: &[String], findings: &mut Vec<Finding>) -> Result<(), String> {
    let mut allowed = ratchet()?;
    for file in files
        .iter()
        .filter(|file| matches!(project::extension(file), "rs" | "py"))
    {
        let text = project::read(&project::root().join(file))?;
        let lines = text.lines().count();
        let mut report = |what: String, lines: usize, max: usize| match allowed.remove(&what) {
            Some(known) if lines <= known && lines > max => {}
            Some(_) if lines <= max => {
                findings.push(format!("{RATCHET}: `{what}` is short enough now: remove it"));
            }
            Some(known) => findings.push(format!("{what}: {lines} lines; the ratchet allows {known}")),
            None if lines > max => findings.push(format!("{what}: {lines} lines, more than {max}")),
            None => {}
        };
        report(file.clone(), lines, FILE_LINES_MAX);
        if project::extension(file) == "rs" {
            for (name, lines) in functions(&text) {
                report(format!("{file}:{name}"), lines, FUNCTION_LINES_MAX);
            }
        }
    }
    findings.extend(
        allowed
            .into_keys()
            .map(|what| format!("{RATCHET}: `{what}` does not exist")),
    );
    Ok(())
}

/// `path` or `path:function`, a space, the number of lines.
fn ratchet() -> Result<BTreeMap<String, usize>, String> {
    let path = project::root().join(RATCHET);
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    project::read(&path)?
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(
            |line| match line.rsplit_once(' ').map(|(what, lines)| (what, lines.parse())) {
                Some((what, Ok(lines))) => Ok((what.to_owned(), lines)),
                _ => Err(format!("{RATCHET}: cannot read the line `{line}`")),
            },
        )
        .collect()
}

/// Every function with its number of lines. Formatted code closes a body at the indentation of its `fn`.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indentation = line.len() - line.trim_start().len();
        let rest = lines.get(start..).unwrap_or_default();
        let closes = |line: &&str| {
            line.len() - line.trim_start().len() == indentation && line.trim_start().starts_with('}')
        };
        // A head may take several lines; it ends with a body or, in a trait, without one.
        let head = rest
            .iter()
            .position(|line| line.trim_end().ends_with(['{', '}', ';']))
            .unwrap_or_default();
        let has_body = rest.get(head).is_some_and(|line| line.trim_end().ends_with('{'));
        let end = if has_body {
            rest.iter().skip(1).position(closes).map_or(0, |at| at + 1)
        } else {
            head
        };
        let length = end + 1;
        found.push((name.to_owned(), length));
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let qualifiers = |word: &str| {
        matches!(word, "pub" | "const" | "async" | "extern" | "default")
            || word.starts_with("pub(")
            || word.ends_with(')')
    };
    if !before.split_whitespace().all(qualifiers) {
        return None;
    }
    after.split(['(', '<']).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_ends_where_its_indentation_closes() {
        let text = "impl A {\n    pub(crate) async fn go(&self) {\n        if x {\n        }\n    }\n}\n";
        assert_eq!(functions(text), [("go".to_owned(), 4)]);
    }

    #[test]
    fn a_declaration_ends_without_a_body() {
        assert_eq!(
            functions("    fn now(&self) -> u64;\n}\n"),
            [("now".to_owned(), 1)]
        );
    }

    #[test]
    fn a_closure_or_a_comment_is_not_a_function() {
        assert_eq!(functions("// calls fn go() {\nlet f: fn (u8) = go;\n"), []);
    }
}
