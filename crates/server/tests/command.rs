//! The `bulla` command as its operator meets it: a process with flags, environment and files.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A folder that is removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn bulla(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied());
    command
}

fn output(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = bulla(arguments, environment).output().unwrap();
    (
        status.code(),
        String::from_utf8([stdout, stderr].concat()).unwrap(),
    )
}

/// A server that has said it is ready, and what it said.
struct Running {
    process: Child,
    said: Vec<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--listen=127.0.0.1:0"], arguments].concat();
        // Never the machine's own root key, nor a home folder that a test may not have.
        let root_key = format!("{}/root-{}.key", env!("CARGO_TARGET_TMPDIR"), std::process::id());
        let mut process = bulla(&arguments, &[("BULLA_ROOT_KEY_FILE", &root_key)])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut server = Self {
            process,
            said: Vec::new(),
        };
        for line in lines {
            server.said.push(line.unwrap());
            if server
                .said
                .last()
                .is_some_and(|line| line.starts_with("bulla is ready on "))
            {
                return server;
            }
        }
        panic!("never ready: {:?}", server.said);
    }

    fn stop(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        self.process.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let folder = Folder::new("precedence");
    let file = folder.write(
        "bulla.toml",
        "region = 'of-file'\nopen_account = '111111111111'\nmax_headers = 20\n",
    );
    let arguments = ["config", "explain", "--config", &file, "--region=of-flag"];
    let environment = [
        ("BULLA_REGION", "of-environment"),
        ("BULLA_OPEN_ACCOUNT", "222222222222"),
    ];
    let (code, text) = output(&arguments, &environment);
    assert_eq!(code, Some(0), "{text}");
    let line = |key: &str| {
        text.lines()
            .find(|line| line.starts_with(key))
            .unwrap()
            .split_once("= ")
            .unwrap()
            .1
    };
    assert_eq!(line("region "), "of-flag  (flag --region)");
    assert_eq!(
        line("open_account "),
        "222222222222  (environment BULLA_OPEN_ACCOUNT)"
    );
    assert_eq!(line("max_headers "), format!("20  (file {file}:3)"));
    assert_eq!(line("max_body_bytes "), "8388608  (default)");
}

#[test]
fn a_flag_can_take_back_what_the_environment_switched_on() {
    let (_, text) = output(&["config", "explain", "--open=false"], &[("BULLA_OPEN", "1")]);
    assert!(text.contains("= false  (flag --open)"), "{text}");
}

#[test]
fn an_unknown_key_in_the_file_is_refused() {
    let folder = Folder::new("unknown-key");
    let file = folder.write("bulla.toml", "open = true\nlisten_on = '127.0.0.1:1'\n");
    let (code, text) = output(&["serve", "--config", &file], &[]);
    assert_eq!(code, Some(2));
    assert!(
        text.contains(&format!("error: `{file}` line 2: unknown key `listen_on`")),
        "{text}"
    );
    assert!(text.contains("did you mean `listen`?"), "{text}");
}

#[test]
fn an_unknown_flag_is_refused() {
    assert_eq!(output(&["serve", "--opem"], &[]).0, Some(2));
}

#[test]
fn a_value_in_the_environment_that_is_refused_is_named_by_its_variable() {
    let (code, text) = output(&["serve"], &[("BULLA_MAX_HEADERS", "many")]);
    assert_eq!(code, Some(2));
    assert!(text.contains("BULLA_MAX_HEADERS"), "{text}");
}

#[test]
fn open_mode_is_refused_on_an_address_that_others_reach() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let (code, text) = output(&["serve", "--open", "--ephemeral", "--listen", address], &[]);
        assert_eq!(code, Some(2), "{text}");
        assert!(
            text.contains("error: open mode cannot listen on") && text.contains("  fix: "),
            "{text}"
        );
    }
}

#[test]
fn help_shows_units_defaults_and_variables() {
    let (code, text) = output(&["serve", "--help"], &[]);
    assert_eq!(code, Some(0));
    for part in [
        "[default: 127.0.0.1:4566]",
        "[env: BULLA_MAX_BODY_BYTES]",
        "The largest request body, bytes",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_server_says_where_it_listens_and_stops_when_asked() {
    let folder = Folder::new("start-stop");
    let (data, ready) = (folder.path("data"), folder.path("ready"));
    let server = Running::start(&["--data", &data, "--ready-file", &ready]);
    let last = server.said.last().unwrap().clone();
    let port = last.rsplit(':').next().unwrap();
    assert_ne!(port, "0");
    assert_eq!(
        last,
        format!("bulla is ready on https://127.0.0.1:{port} and http://127.0.0.1:{port}")
    );
    assert!(
        server
            .said
            .contains(&format!("export AWS_CA_BUNDLE={data}/tls/ca.pem")),
        "{:?}",
        server.said
    );
    assert!(!server.said.iter().any(|line| line.contains("OPEN MODE")));
    assert_eq!(server.stop(), Some(0));
    assert_eq!(fs::read_to_string(ready).unwrap().trim_end(), last);
}

#[test]
fn open_mode_is_said_in_one_line() {
    let server = Running::start(&["--ephemeral", "--open"]);
    assert_eq!(
        server
            .said
            .iter()
            .filter(|line| line.contains("OPEN MODE"))
            .count(),
        1
    );
}

#[test]
fn private_keys_are_readable_by_the_server_alone() {
    let folder = Folder::new("modes");
    let data = folder.path("data");
    assert_eq!(Running::start(&["--data", &data]).stop(), Some(0));
    let mode = |name: &str| fs::metadata(folder.0.join(name)).unwrap().permissions().mode() & 0o777;
    for (name, expected) in [
        ("data", 0o700),
        ("data/tls", 0o700),
        ("data/tls/ca-key.pem", 0o600),
        ("data/tls/server-key.pem", 0o600),
        ("data/tls/server.pem", 0o600),
        ("data/tls/ca.pem", 0o644),
    ] {
        assert_eq!(mode(name), expected, "{name}");
    }
}

#[test]
fn the_authority_stays_and_the_certificate_changes_with_its_names() {
    let folder = Folder::new("authority");
    let (data, out) = (folder.path("data"), folder.path("out.pem"));
    let read = |name: &str| fs::read_to_string(folder.0.join("data/tls").join(name)).unwrap();
    let mut seen = Vec::new();
    for more in [
        &[][..],
        &[],
        &["--tls-name=queues.example.com"],
        &["--ca-out", &out],
    ] {
        assert_eq!(
            Running::start(&[&["--data", &data], more].concat()).stop(),
            Some(0)
        );
        seen.push((read("ca.pem"), read("server.pem")));
    }
    assert!(seen.iter().all(|(ca, _)| *ca == seen[0].0));
    assert_eq!(seen[0].1, seen[1].1);
    assert_ne!(seen[1].1, seen[2].1);
    assert_eq!(fs::read_to_string(out).unwrap(), seen[0].0);
}

#[test]
fn an_operators_certificate_needs_its_key() {
    let folder = Folder::new("own-certificate");
    let data = folder.path("data");
    assert_eq!(Running::start(&["--data", &data]).stop(), Some(0));
    let (certificate, key) = (
        folder.path("data/tls/server.pem"),
        folder.path("data/tls/server-key.pem"),
    );
    let wrong = folder.path("data/tls/ca-key.pem");
    let (code, text) = output(
        &[
            "serve",
            "--ephemeral",
            "--listen=127.0.0.1:0",
            "--tls-cert",
            &certificate,
        ],
        &[],
    );
    assert!(code == Some(2) && text.contains("go together"), "{text}");
    let both = [
        "serve",
        "--ephemeral",
        "--listen=127.0.0.1:0",
        "--tls-cert",
        &certificate,
        "--tls-key",
        &wrong,
    ];
    let (code, text) = output(&both, &[]);
    assert!(
        code == Some(1) && text.contains("is this certificate's private key"),
        "{text}"
    );
    let server = Running::start(&["--ephemeral", "--tls-cert", &certificate, "--tls-key", &key]);
    assert!(!server.said.iter().any(|line| line.contains("AWS_CA_BUNDLE")));
}

#[test]
fn an_address_that_is_taken_is_an_error_with_a_fix() {
    let server = Running::start(&["--ephemeral"]);
    let address = server.said.last().unwrap().rsplit('/').next().unwrap().to_owned();
    let (code, text) = output(&["serve", "--ephemeral", "--listen", &address], &[]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains(&format!("error: cannot listen on `{address}`")) && text.contains("  fix: "),
        "{text}"
    );
}

#[test]
fn a_running_and_a_stopped_server_are_backed_up_and_restored() {
    let folder = Folder::new("backup");
    let path = |name: &str| folder.path(name);
    let server = Running::start(&["--data", &path("data")]);
    let backup = |to: &str| output(&["backup", "--data", &path("data"), "--to", &path(to)], &[]);
    let (code, text) = backup("running");
    assert!(code == Some(0) && text.contains("backed up"), "{text}");
    let (code, text) = backup("running");
    assert!(
        code == Some(1) && text.contains("is not empty") && text.contains("  fix: "),
        "{text}"
    );
    assert_eq!(server.stop(), Some(0));
    assert!(!folder.0.join("data/control.sock").exists());
    assert_eq!(backup("stopped").0, Some(0));
    for from in ["running", "stopped"] {
        let data = path(&format!("{from}-restored"));
        let restore = [
            "restore",
            "--from",
            &path(from),
            "--data",
            &data,
            "--output",
            "json",
        ];
        let (code, text) = output(&restore, &[]);
        assert!(code == Some(0) && text.contains("\"damaged\":[]"), "{text}");
        let again = Running::start(&["--data", &data]);
        assert!(
            !again
                .said
                .iter()
                .any(|line| line.contains("AWS_SECRET_ACCESS_KEY"))
        );
        assert_eq!(again.stop(), Some(0));
        let (code, text) = output(&restore, &[]);
        assert!(code == Some(1) && text.starts_with("{\"error\":"), "{text}");
    }
}

#[test]
fn a_folder_without_data_is_not_backed_up_and_stays_as_it_is() {
    let folder = Folder::new("backup-nothing");
    let (code, text) = output(
        &[
            "backup",
            "--data",
            &folder.path("none"),
            "--to",
            &folder.path("to"),
        ],
        &[],
    );
    assert!(code == Some(2) && text.contains("there are no data in"), "{text}");
    assert!(!folder.0.join("none").exists() && !folder.0.join("to").exists());
}

#[test]
fn the_operators_socket_is_for_its_user_alone_and_refuses_what_it_does_not_know() {
    let folder = Folder::new("control");
    // Longer than the address of a socket can be.
    let data = folder.path(&"d".repeat(120));
    let server = Running::start(&["--data", &data]);
    let socket = Path::new(&data).join("control.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let open = fs::File::open(&data).unwrap();
    let short = format!("/proc/self/fd/{}/control.sock", open.as_raw_fd());
    for (line, expected) in [
        ("{\"command\":\"status\"}", "{\"ok\":{\"version\":"),
        ("{\"command\":\"colour\"}", "no command `colour`"),
        (
            "{\"command\":\"backup\",\"arguments\":{\"to\":\"here\"}}",
            "an absolute path",
        ),
        ("garbage", "not a line of JSON"),
    ] {
        let mut stream = UnixStream::connect(&short).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(expected), "{answer}");
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn too_few_open_files_are_told_at_start_and_leave_room_for_the_stores() {
    let folder = Folder::new("files");
    let script = format!(
        "ulimit -n 600; exec '{}' serve --ephemeral --listen=127.0.0.1:0 2>&1",
        env!("CARGO_BIN_EXE_bulla")
    );
    let mut process = Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .current_dir(&folder.0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let told: Vec<String> = lines
        .map(Result::unwrap)
        .take_while(|line| !line.starts_with("bulla is ready on "))
        .collect();
    process.kill().unwrap();
    process.wait().unwrap();
    let warning = told.iter().find(|line| line.contains("limit on open files"));
    assert!(warning.is_some_and(|line| line.contains("300")), "{told:?}");
}
