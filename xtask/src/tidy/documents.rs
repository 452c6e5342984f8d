//! What documents name must exist, and nothing names this or that machine.

use super::Finding;
use crate::project;

const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// Marks of unfinished work; in pieces, so that this file does not contain them.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
];

/// Package registries; the project builds from whichever one is configured.
const REGISTRIES: &[&str] = &[
    concat!("py", "pi.org"),
    concat!("pythonhos", "ted.org"),
    concat!("registry.npm", "js.org"),
    concat!("registry.yarn", "pkg.com"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
];

/// Folders of the machine on which something was written.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/home", "/"),
];

pub(super) fn check(files: &[String], findings: &mut Vec<Finding>) -> Result<(), String> {
    let mut names = Vec::new();
    for file in files.iter().filter(|file| is_text(file)) {
        let text = project::read(&project::root().join(file))?;
        check_lines(file, &text, findings);
        names.extend(test_names(file, &text));
    }
    let path = project::root().join(ARCHITECTURE);
    if !path.exists() {
        findings.push(format!("{ARCHITECTURE}: is missing"));
        return Ok(());
    }
    let text = project::read(&path)?;
    check_citations(&text, &names, files, findings);
    let manifest = project::read(&project::root().join("Cargo.toml"))?;
    check_dependency_table(&text, &manifest, findings);
    Ok(())
}

fn is_text(file: &str) -> bool {
    const SUFFIXES: &[&str] = &[
        ".rs", ".py", ".md", ".toml", ".sh", ".mjs", ".json", ".txt", ".yml", ".yaml", ".html", ".svg",
    ];
    SUFFIXES.iter().any(|suffix| file.ends_with(suffix)) || file.starts_with(".ci/")
}

fn check_lines(file: &str, text: &str, findings: &mut Vec<Finding>) {
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(format!("{file}:{number}: white space at the end of the line"));
        }
        for word in MACHINE_PATHS
            .iter()
            .chain(REGISTRIES)
            .filter(|word| line.contains(**word))
        {
            findings.push(format!(
                "{file}:{number}: names `{word}`, which is true of one machine only"
            ));
        }
        for word in UNFINISHED
            .iter()
            .filter(|word| project::extension(file) == "rs" && line.contains(**word))
        {
            findings.push(format!("{file}:{number}: `{word}` marks unfinished work"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(format!("{file}: the last line has no end"));
    }
}

/// Names of functions, which is what documents cite as tests.
fn test_names(file: &str, text: &str) -> Vec<String> {
    let keyword = match project::extension(file) {
        "rs" => "fn ",
        "py" => "def ",
        _ => return Vec::new(),
    };
    let name = |line: &str| {
        let (_, after) = line.split_once(keyword)?;
        after.split(['(', '<']).next().map(str::to_owned)
    };
    text.lines().filter_map(name).collect()
}

/// A back-ticked word with a slash is a path; one of three or more words joined by underscores is a test.
fn check_citations(text: &str, names: &[String], files: &[String], findings: &mut Vec<Finding>) {
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        for cited in line.split('`').skip(1).step_by(2) {
            if is_path(cited) && !exists(cited, files) {
                findings.push(format!("{ARCHITECTURE}:{number}: `{cited}` does not exist"));
            }
            let last = cited.rsplit("::").next().unwrap_or_default();
            if is_test_name(last) && !names.iter().any(|name| name == last) {
                findings.push(format!(
                    "{ARCHITECTURE}:{number}: no test or function is named `{last}`"
                ));
            }
        }
    }
}

fn is_path(cited: &str) -> bool {
    const ROOTS: &[&str] = &["crates/", "xtask/", "examples/", ".ci/", "./"];
    let file = [".rs", ".py", ".md", ".toml", ".sh"]
        .iter()
        .any(|suffix| cited.ends_with(suffix));
    !cited.contains([' ', '*', '<', '{', '…']) && (ROOTS.iter().any(|root| cited.starts_with(root)) || file)
}

/// Paths are cited from the root or by their end, as `services/sqs/log.rs`; `src/` may be left out.
fn exists(cited: &str, files: &[String]) -> bool {
    let wanted = format!("/{}", cited.trim_start_matches("./"));
    let ends = |file: &str| format!("/{file}").ends_with(&wanted);
    project::root().join(cited).exists()
        || files
            .iter()
            .any(|file| ends(file) || ends(&file.replacen("/src/", "/", 1)))
}

fn is_test_name(cited: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    cited.chars().all(plain) && cited.matches('_').count() >= 3
}

fn check_dependency_table(text: &str, manifest: &str, findings: &mut Vec<Finding>) {
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    let section = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .unwrap_or_default();
    let lines = section.lines().skip(1).take_while(|line| !line.starts_with('['));
    for line in lines.filter(|line| !line.starts_with('#') && line.contains('=')) {
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        let cited = format!("`{name}`");
        if !name.starts_with("bulla-") && !rows.iter().any(|row| row.contains(&cited)) {
            findings.push(format!(
                "{ARCHITECTURE}: the table of dependencies has no row for {cited}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_of_underscores_is_a_test_name() {
        assert!(is_test_name("message_reappears_when_its_lease_ends"));
        assert!(!is_test_name("send_message"));
        assert!(!is_test_name("MESSAGE_BYTES_MAX_OF_ALL"));
    }

    #[test]
    fn a_cited_test_that_is_missing_is_found() {
        let mut findings = Vec::new();
        let names = ["other".to_owned()];
        check_citations("kept by `nobody_wrote_this_test`", &names, &[], &mut findings);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn a_file_may_be_cited_by_its_end() {
        let files = ["crates/services/src/sqs/log.rs".to_owned()];
        assert!(exists("services/sqs/log.rs", &files));
        assert!(exists("log.rs", &files));
        assert!(!exists("og.rs", &files));
    }

    #[test]
    fn a_dependency_without_a_row_is_found() {
        let manifest = "[workspace.dependencies]\nbulla-types = { path = \"x\" }\nbytes = \"1\"\nhyper = \"1\"\n[profile.dev]\n";
        let mut findings = Vec::new();
        check_dependency_table("| `bytes` | buffers |\n", manifest, &mut findings);
        assert_eq!(
            findings,
            ["ARCHITECTURE.md: the table of dependencies has no row for `hyper`"]
        );
    }

    #[test]
    fn white_space_at_the_end_of_a_line_is_found() {
        let mut findings = Vec::new();
        check_lines("a.md", "one \ntwo\n", &mut findings);
        assert_eq!(findings, ["a.md:1: white space at the end of the line"]);
    }
}
