//! What the world gives us: time, randomness, tasks and the wish to stop.
//!
//! Everything that is not a function of its inputs comes through a [`Runtime`], so that a simulation can own
//! it and a test never sleeps. This crate is the only place where `clippy.toml`'s disallowed methods are used.

mod clock;
mod entropy;
mod manual;
mod shutdown;
mod tasks;

pub use clock::{Clock, SystemClock};
pub use entropy::{Entropy, SystemEntropy};
pub use manual::{ManualClock, SeededEntropy};
pub use shutdown::{Shutdown, ShutdownTrigger};
pub use tasks::{Tasks, TokioTasks, on_thread};

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The four gifts, bundled; cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    /// What time it is, and waiting for a later one.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Tasks and threads.
    pub tasks: Arc<dyn Tasks>,
    /// Whether we have been asked to stop.
    pub shutdown: Shutdown,
}

impl Runtime {
    /// The real world, on the current tokio runtime. The trigger belongs to whoever handles signals.
    #[must_use]
    pub fn system() -> (Self, ShutdownTrigger) {
        let (trigger, shutdown) = Shutdown::pair();
        let runtime = Self {
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            tasks: Arc::new(TokioTasks),
            shutdown,
        };
        (runtime, trigger)
    }

    /// A world for tests: time stands still until advanced, randomness repeats for the same seed; tasks still
    /// run on the current tokio runtime.
    #[must_use]
    pub fn manual(seed: u64) -> (Self, Arc<ManualClock>, ShutdownTrigger) {
        let (trigger, shutdown) = Shutdown::pair();
        let clock = Arc::new(ManualClock::default());
        let runtime = Self {
            clock: Arc::<ManualClock>::clone(&clock),
            entropy: Arc::new(SeededEntropy::new(seed)),
            tasks: Arc::new(TokioTasks),
            shutdown,
        };
        (runtime, clock, trigger)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Runtime").finish_non_exhaustive()
    }
}
