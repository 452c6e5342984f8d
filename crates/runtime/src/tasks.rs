//! Tasks and threads.

use crate::BoxFuture;
use std::io::Error;
use tokio::sync::oneshot;

/// Starts work that outlives the call that asked for it.
pub trait Tasks: Send + Sync {
    /// Runs a future to its end in the background.
    fn spawn(&self, future: BoxFuture<'static, ()>);

    /// Runs a closure on a thread of its own, for blocking work such as syncing a file.
    ///
    /// # Errors
    /// What the operating system says when it cannot start a thread.
    fn spawn_thread(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()>;
}

/// Tasks on the current tokio runtime, threads of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct TokioTasks;

impl Tasks for TokioTasks {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the spawner that others use instead"
    )]
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        drop(tokio::spawn(future));
    }

    fn spawn_thread(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
        std::thread::Builder::new()
            .name(name.into())
            .spawn(work)
            .map(drop)
    }
}

/// Does blocking work on a thread of its own and waits for its end. The work is done also when nobody waits any more.
///
/// # Errors
/// When no thread can be started, or the work panicked.
pub async fn on_thread<T: Send + 'static>(
    tasks: &dyn Tasks,
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    let (done, coming) = oneshot::channel();
    tasks.spawn_thread(name, Box::new(move || drop(done.send(work()))))?;
    coming
        .await
        .map_err(|_| Error::other("the work on a thread ended unexpectedly"))
}
