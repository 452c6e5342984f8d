//! Tasks and threads.

use crate::BoxFuture;

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
