//! A server as a process of its own: started, asked what CPU time it has used, ended.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

use crate::connection::Keys;
use crate::{Failure, clock};

const START_SECONDS_MAX: u64 = 30;
const STOP_SECONDS_MAX: u64 = 30;

/// A running server. It is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    ticks_per_second: f64,
    folder: Option<PathBuf>,
    program: OsString,
    /// Where it speaks plain HTTP, such as `127.0.0.1:4566`.
    pub(crate) address: String,
}

impl Server {
    /// Starts a Bulla with a fresh data folder; returns it with its root access key.
    pub(crate) async fn bulla(program: &OsStr, folder: PathBuf) -> Result<(Self, Keys), Failure> {
        std::fs::create_dir_all(&folder)?;
        let (server, keys) = Self::serve(program, folder).await?;
        Ok((server, keys.ok_or("the server printed no access key")?))
    }

    /// Starts a Bulla; the keys are those of its first start.
    async fn serve(program: &OsStr, folder: PathBuf) -> Result<(Self, Option<Keys>), Failure> {
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.join("data"));
        command.arg("--root-key-file").arg(folder.join("root.key"));
        let mut server = Self::start(&mut command, Some(folder)).await?;
        server.program = program.to_owned();
        let (mut id, mut secret) = (None, None);
        loop {
            let line = server.line().await?;
            if let Some(value) = exported(&line, "AWS_ACCESS_KEY_ID") {
                id = Some(value);
            } else if let Some(value) = exported(&line, "AWS_SECRET_ACCESS_KEY") {
                secret = Some(value);
            } else if let Some((_, address)) = line
                .split_once(" and http://")
                .filter(|_| line.contains("is ready on"))
            {
                address
                    .split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .clone_into(&mut server.address);
                break;
            }
        }
        let keys = id.zip(secret).map(|(id, secret)| Keys { id, secret });
        Ok((server, keys))
    }

    /// Kills the server without warning and starts it again on its folder. Answers how long the start took, from the
    /// birth of the process to its first answer.
    pub(crate) async fn restart(self) -> Result<(Self, Duration), Failure> {
        let mut old = self;
        let folder = old.folder.take().ok_or("this server has no folder")?;
        let program = old.program.clone();
        old.stop().await?;
        let started = clock::now();
        let (server, _) = Self::serve(&program, folder).await?;
        authority(&server.address).await?;
        Ok((server, started.elapsed()))
    }

    /// Where its data folder is.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Starts another program that serves on this address, and waits until it accepts connections.
    pub(crate) async fn other(command: &mut Command, address: String) -> Result<Self, Failure> {
        let mut server = Self::start(command, None).await?;
        let limit = Duration::from_secs(START_SECONDS_MAX);
        let ready = async {
            while TcpStream::connect(&address).await.is_err() {
                clock::pause(Duration::from_millis(50)).await;
            }
        };
        clock::within(limit, ready)
            .await
            .ok_or("the other server did not become ready in time")?;
        server.address = address;
        Ok(server)
    }

    /// Starts this program as the yardstick.
    pub(crate) async fn yardstick() -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut server = Self::start(command.arg("--yardstick"), None).await?;
        server.address = server.line().await?;
        Ok(server)
    }

    async fn start(command: &mut Command, folder: Option<PathBuf>) -> Result<Self, Failure> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|error| format!("cannot start the server: {error}"))?;
        let output = child.stdout.take().ok_or("the server has no output")?;
        let ticks = Command::new("getconf").arg("CLK_TCK").output().await;
        let ticks = ticks
            .ok()
            .and_then(|output| String::from_utf8(output.stdout).ok());
        let ticks_per_second = ticks.and_then(|text| text.trim().parse().ok()).unwrap_or(100.0);
        let lines = BufReader::new(output).lines();
        Ok(Self {
            child,
            lines,
            ticks_per_second,
            folder,
            program: OsString::new(),
            address: String::new(),
        })
    }

    async fn line(&mut self) -> Result<String, Failure> {
        let limit = Duration::from_secs(START_SECONDS_MAX);
        let line = clock::within(limit, self.lines.next_line()).await;
        line.ok_or("the server did not become ready in time")??
            .ok_or_else(|| "the server ended while it was starting".into())
    }

    /// CPU time used so far by all its threads, in user and kernel mode, seconds. Resolution is 10 ms as a rule.
    ///
    /// `None` where there is no `/proc`. Source: `man 5 proc_pid_stat`, fields 14 and 15.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        Some(cpu_ticks(&self.child.id()?.to_string())? / self.ticks_per_second)
    }

    /// Resident memory, MiB.
    pub(crate) fn resident_mib(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim()
            .trim_end_matches(" kB")
            .parse::<f64>()
            .ok()
            .map(|kib| kib / 1024.0)
    }

    /// Ends the process and removes its folder.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        drop(self.child.stdin.take());
        self.child.start_kill()?;
        let limit = Duration::from_secs(STOP_SECONDS_MAX);
        clock::within(limit, self.child.wait())
            .await
            .ok_or("the server does not end")??;
        if let Some(folder) = &self.folder {
            std::fs::remove_dir_all(folder)?;
        }
        Ok(())
    }
}

/// CPU time that this thread used so far, seconds; `None` where there is no `/proc`. Source: `man 5 proc_pid_schedstat`.
pub(crate) fn own_cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

/// CPU time of a process in clock ticks.
fn cpu_ticks(process: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let kernel: f64 = fields.next()?.parse().ok()?;
    Some(user + kernel)
}

/// The certificate of the server's development authority, in PEM.
pub(crate) async fn authority(address: &str) -> Result<Vec<u8>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /_bulla/ca.pem HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let text = String::from_utf8(answer)?;
    let (_, pem) = text
        .split_once("\r\n\r\n")
        .ok_or("the authority's certificate did not come")?;
    Ok(pem.as_bytes().to_vec())
}

fn exported(line: &str, name: &str) -> Option<String> {
    let value = line
        .trim()
        .strip_prefix("export ")?
        .strip_prefix(name)?
        .strip_prefix('=')?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::exported;

    #[test]
    fn an_export_line_gives_its_value() {
        assert_eq!(
            exported("  export AWS_ACCESS_KEY_ID='AKIA'", "AWS_ACCESS_KEY_ID").as_deref(),
            Some("AKIA")
        );
        assert_eq!(exported("export AWS_REGION=x", "AWS_ACCESS_KEY_ID"), None);
    }
}
