//! The operator's own door: a socket in the data folder, for what must be asked of the running server and is nobody
//! else's business.
//!
//! Why not the network: whoever may open this socket may read the data anyway, so it needs no credentials of its own
//! and nobody reaches it from afar. Who asks must be the server's own user or root; the system says who it is.
//! One line of JSON in, one line out: `{"command": .., "arguments": {..}}`, then `{"ok": ..}` or `{"error": {"what",
//! "why", "fix"}}`. The commands are the table in `control_commands.rs`.

use crate::control_commands::COMMANDS;
use crate::host::Host;
use crate::operator_error::OperatorError;
use bulla_runtime::{BoxFuture, Runtime};
use serde_json::{Value, json};
use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// The socket's name in the data folder.
const SOCKET_FILE: &str = "control.sock";
/// The longest path that an address of a socket holds with certainty, bytes (unix(7) has 108 with the final zero;
/// other systems have less).
const SOCKET_PATH_BYTES_MAX: usize = 100;
/// The longest line in either direction, bytes.
pub(crate) const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// The longest line that a secret comes in, bytes.
const LINE_BYTES_EXPECTED: usize = 16 * 1024;
/// How long the other end may take to ask.
const ASK_TIME_MAX: Duration = Duration::from_secs(5);
/// How many may be served at once; more wait.
const CONVERSATIONS_MAX: usize = 8;

/// A path by which the socket can be addressed, also when its own is too long.
pub(crate) struct Address {
    path: PathBuf,
    /// Keeps the short path valid.
    _folder: Option<File>,
}

impl Address {
    /// The address of the socket in this data folder.
    pub(crate) fn of(data: &Path) -> std::io::Result<Self> {
        let path = data.join(SOCKET_FILE);
        if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(data)?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        Ok(Self {
            path: short.join(SOCKET_FILE),
            _folder: Some(folder),
        })
    }

    /// For connecting.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The open door.
pub(crate) struct Control {
    socket: UnixListener,
    file: PathBuf,
}

impl Control {
    /// Opens the door in a data folder that this process has locked: a socket that lies there is of a server that is
    /// gone.
    pub(crate) fn open(data: &Path) -> Result<Self, OperatorError> {
        let file = data.join(SOCKET_FILE);
        let open = || -> std::io::Result<UnixListener> {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let socket = UnixListener::bind(Address::of(data)?.path())?;
            fs::set_permissions(&file, Permissions::from_mode(0o600))?;
            Ok(socket)
        };
        match open() {
            Ok(socket) => Ok(Self { socket, file }),
            Err(error) => Err(OperatorError::failed(format!(
                "the operator's socket `{}` cannot be opened",
                file.display()
            ))
            .why(error)
            .fix("let the server's user make sockets in the data folder")),
        }
    }

    /// Answers until the server stops.
    pub(crate) fn serve(self, runtime: &Runtime, host: Arc<Host>) {
        let world = runtime.clone();
        runtime.tasks.spawn(Box::pin(async move {
            let places = Arc::new(Semaphore::new(CONVERSATIONS_MAX));
            loop {
                let next = async {
                    let place = Arc::clone(&places).acquire_owned().await;
                    (self.socket.accept().await, place)
                };
                tokio::select! {
                    () = world.shutdown.wait() => break,
                    (accepted, place) = next => match accepted {
                        Ok((stream, _)) => {
                            let (world, host) = (world.clone(), Arc::clone(&host));
                            let tasks = Arc::clone(&world.tasks);
                            tasks.spawn(Box::pin(async move {
                                converse(&world, &host, stream).await;
                                drop(place);
                            }));
                        }
                        Err(error) => {
                            tracing::error!(%error, "the operator's socket fails");
                            world.clock.sleep(Duration::from_secs(1)).await;
                        }
                    }
                }
            }
        }));
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // It may be gone with the data folder.
        drop(fs::remove_file(&self.file));
    }
}

async fn converse(world: &Runtime, host: &Arc<Host>, mut stream: UnixStream) {
    if !is_operator(&stream) {
        tracing::warn!("another user asked on the operator's socket and got no answer");
        return;
    }
    // There may be secrets in it; it does not grow, so that no copy of them is left behind.
    let mut line = Zeroizing::new(String::with_capacity(LINE_BYTES_EXPECTED));
    {
        let mut reader = BufReader::new(&mut stream).take(LINE_BYTES_MAX);
        tokio::select! {
            read = reader.read_line(&mut line) => if read.is_err() { return },
            () = world.clock.sleep(ASK_TIME_MAX) => return,
        }
    }
    let answer = match obey(host, &line).await {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error.to_json() }),
    };
    // Whoever asked may have gone away; what was asked is done all the same.
    drop(stream.write_all(format!("{answer}\n").as_bytes()).await);
    drop(stream.shutdown().await);
}

/// Only the server's own user and root may ask, whatever the modes of the folder and the socket are.
fn is_operator(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn obey(host: &Arc<Host>, line: &str) -> Result<Value, OperatorError> {
    let mut asked: Value = serde_json::from_str(line)
        .map_err(|error| OperatorError::usage("the command is not a line of JSON").why(error))?;
    let arguments = asked.get_mut("arguments").map(Value::take).unwrap_or_default();
    let name = asked.get("command").and_then(Value::as_str).unwrap_or_default();
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(
            OperatorError::usage(format!("this server has no command `{name}`"))
                .why("it may be of another version than the command line")
                .fix("use the `bulla` that the server runs"),
        );
    };
    tracing::info!(command = name, "asked by the operator");
    let run: BoxFuture<'static, _> = (command.run)(Arc::clone(host), arguments);
    run.await
}
