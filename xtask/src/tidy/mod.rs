//! `cargo xtask tidy`: what neither rustc nor clippy checks.

mod directions;
mod documents;
mod lengths;

use crate::project;

/// One finding: where and what.
type Finding = String;

pub(crate) fn run() -> Result<(), String> {
    let files = project::files()?;
    let mut findings = Vec::new();
    directions::check(&files, &mut findings)?;
    lengths::check(&files, &mut findings)?;
    documents::check(&files, &mut findings)?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} files are in order", files.len());
            Ok(())
        }
        count => Err(format!("tidy: {count} findings")),
    }
}
