//! Tasks on one thread. Which ready task runs next is a choice of the seed, so that a seed is one interleaving.

use bulla_runtime::{BoxFuture, Tasks};
use bulla_storage::testing::disk::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Whom a task dies with: the world lives on, a life of the server ends in a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    World,
    Server,
}

type Ready = Arc<Mutex<BTreeSet<u64>>>;

struct Alarm {
    task: u64,
    ready: Ready,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.ready.lock().unwrap().insert(self.task);
    }
}

struct Task {
    owner: Owner,
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
}

/// What the server starts while it runs. Each life has its own, so that nothing of an earlier one comes in late.
#[derive(Clone, Default)]
pub(crate) struct Inbox(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Tasks for Inbox {
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(future);
    }

    fn spawn_thread(&self, _: &str, _: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Executor {
    tasks: BTreeMap<u64, Task>,
    ready: Ready,
    next: u64,
}

impl Executor {
    /// Adds a task. Those of the world are made first and have the smallest numbers.
    pub(crate) fn spawn(&mut self, owner: Owner, future: Pin<Box<dyn Future<Output = ()>>>) {
        let number = self.next;
        self.next += 1;
        let alarm = Alarm {
            task: number,
            ready: Arc::clone(&self.ready),
        };
        let task = Task {
            owner,
            future,
            waker: Waker::from(Arc::new(alarm)),
        };
        self.tasks.insert(number, task);
        self.ready.lock().unwrap().insert(number);
    }

    /// Takes over what the server started.
    pub(crate) fn take_in(&mut self, inbox: &Inbox) {
        let new = std::mem::take(&mut *inbox.0.lock().unwrap());
        for future in new {
            self.spawn(Owner::Server, future);
        }
    }

    /// Picks a task that can go on: one of the world if there is any, so that what the clients see is noted in the
    /// order in which it happened; else any.
    fn pick(&self, random: &mut Random) -> Option<u64> {
        let mut ready = self.ready.lock().unwrap();
        ready.retain(|number| self.tasks.contains_key(number));
        let worlds = |number: &&u64| self.tasks[*number].owner == Owner::World;
        let picked = match ready.iter().find(worlds) {
            Some(number) => *number,
            None if ready.is_empty() => return None,
            None => {
                let at = usize::try_from(random.below(ready.len() as u64)).unwrap();
                *ready.iter().nth(at)?
            }
        };
        ready.remove(&picked);
        Some(picked)
    }

    /// Runs one task a little; answers its number, or `None` when nobody can go on.
    pub(crate) fn step(&mut self, random: &mut Random) -> Option<u64> {
        let number = self.pick(random)?;
        let task = self.tasks.get_mut(&number)?;
        let mut context = Context::from_waker(&task.waker);
        if task.future.as_mut().poll(&mut context) == Poll::Ready(()) {
            self.tasks.remove(&number);
        }
        Some(number)
    }

    /// Ends all tasks of the server without a word.
    pub(crate) fn kill_server(&mut self) {
        let dead = self.tasks.extract_if(.., |_, task| task.owner == Owner::Server);
        drop(dead.collect::<Vec<_>>());
    }

    /// Whether every task of the world has ended.
    pub(crate) fn world_is_done(&self) -> bool {
        self.tasks.values().all(|task| task.owner == Owner::Server)
    }
}
