//! A crate may depend only on those above it in the table of ARCHITECTURE.md.

use super::Finding;
use crate::project;

/// Every crate in the order of the table, with those above it that it must not name all the same.
const ORDER: &[(&str, Forbidden)] = &[
    ("types", Forbidden::Nothing),
    ("runtime", Forbidden::Nothing),
    ("policy", Forbidden::Everything),
    ("sigv4", Forbidden::Everything),
    ("wire-derive", Forbidden::Everything),
    ("wire", Forbidden::Nothing),
    ("storage", Forbidden::Nothing),
    ("envelope", Forbidden::These(&["storage"])),
    ("gate", Forbidden::These(&["storage", "envelope"])),
    ("services", Forbidden::Nothing),
    ("server", Forbidden::Nothing),
    ("simulation", Forbidden::Nothing),
    ("conformance", Forbidden::Nothing),
    ("bench", Forbidden::Nothing),
    ("fuzz", Forbidden::Nothing),
];

/// What a crate must not depend on although it stands above it.
enum Forbidden {
    Nothing,
    These(&'static [&'static str]),
    Everything,
}

pub(super) fn check(files: &[String], findings: &mut Vec<Finding>) -> Result<(), String> {
    for file in files {
        let Some(name) = file
            .strip_prefix("crates/")
            .and_then(|rest| rest.strip_suffix("/Cargo.toml"))
        else {
            continue;
        };
        if name.contains('/') {
            continue; // A workspace of its own, such as the client for the Rust SDK.
        }
        let manifest = project::read(&project::root().join(file))?;
        check_crate(name, &dependencies(&manifest), findings);
    }
    Ok(())
}

fn check_crate(name: &str, dependencies: &[String], findings: &mut Vec<Finding>) {
    let Some(place) = ORDER.iter().position(|(other, _)| *other == name) else {
        findings.push(format!(
            "crates/{name}: has no place in the order of crates (xtask/src/tidy/directions.rs)"
        ));
        return;
    };
    for dependency in dependencies {
        let below = !ORDER.iter().take(place).any(|(other, _)| other == dependency);
        let forbidden = match ORDER.get(place).map(|(_, forbidden)| forbidden) {
            Some(Forbidden::These(names)) => names.contains(&dependency.as_str()),
            Some(Forbidden::Everything) => true,
            Some(Forbidden::Nothing) | None => false,
        };
        if below || forbidden {
            findings.push(format!(
                "crates/{name}/Cargo.toml: must not depend on `{dependency}`"
            ));
        }
    }
}

/// The project's own crates under `[dependencies]` and `[build-dependencies]`; tests may look anywhere above and below.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            inside = section.starts_with("dependencies") || section.starts_with("build-dependencies");
            continue;
        }
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        if let (true, Some(own)) = (inside, name.strip_prefix("bulla-")) {
            found.push(own.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, dependencies: &[&str]) -> usize {
        let dependencies: Vec<String> = dependencies.iter().map(|&name| name.to_owned()).collect();
        let mut findings = Vec::new();
        check_crate(name, &dependencies, &mut findings);
        findings.len()
    }

    #[test]
    fn a_crate_may_depend_on_what_stands_above_it() {
        assert_eq!(findings("services", &["types", "wire", "storage", "gate"]), 0);
    }

    #[test]
    fn a_crate_may_not_depend_on_what_stands_below_it() {
        assert_eq!(findings("storage", &["services"]), 1);
    }

    #[test]
    fn the_gate_may_not_use_storage() {
        assert_eq!(findings("gate", &["types", "storage"]), 1);
    }

    #[test]
    fn the_policy_engine_depends_on_nothing_of_ours() {
        assert_eq!(findings("policy", &["types"]), 1);
    }

    #[test]
    fn only_the_project_s_own_dependencies_are_read() {
        let manifest = "[package]\nname = \"bulla-x\"\n[dependencies]\nbulla-types = { workspace = true }\nserde = \"1\"\n\
                        bulla-wire.workspace = true\n[dev-dependencies]\nbulla-gate = { workspace = true }\n";
        assert_eq!(dependencies(manifest), ["types", "wire"]);
    }
}
