//! What works on a task: moves some, waits until more are due, and ends it.
//!
//! A worker holds the service only while it moves, so that a server that is dropped ends its tasks' work and not the
//! other way round.

use super::step::Step;
use super::{MoveTask, Status};
use crate::sqs::Sqs;
use bulla_runtime::Runtime;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Messages that are moved at once when no rate was asked for.
const STEP_MESSAGES_MAX: u32 = 100;
/// With a rate, steps follow each other about so often.
const STEPS_A_SECOND: u32 = 10;
/// How many messages were moved is recorded at most so often.
const RECORD_INTERVAL: Duration = Duration::from_secs(5);
/// A store that failed is asked again after this time.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// When how many messages are due.
#[derive(Debug)]
struct Pace {
    step: u32,
    /// Time for one step; nothing without a rate.
    interval: Duration,
    due: Duration,
}

impl Pace {
    fn new(rate: Option<u32>, now: Duration) -> Self {
        let step = rate.map_or(STEP_MESSAGES_MAX, |rate| (rate / STEPS_A_SECOND).max(1));
        let interval = rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) * step / rate.max(1));
        Self {
            step,
            interval,
            due: now,
        }
    }

    /// How long to wait after a step. Time that was lost is not caught up with: the rate is never exceeded.
    fn wait(&mut self, now: Duration) -> Duration {
        self.due = (self.due + self.interval).max(now);
        self.due.saturating_sub(now)
    }
}

impl Sqs {
    /// Starts a worker.
    pub(super) fn work_on(&self, task: Arc<MoveTask>) {
        let Some(service) = self.moves.service.get().cloned() else {
            return;
        };
        let runtime = self.runtime.clone();
        self.runtime.tasks.spawn(Box::pin(work(service, runtime, task)));
    }

    /// Says how a task ended. A cancellation wins over whatever the worker found at the same time.
    async fn end_move_task(&self, task: &MoveTask, ended: Status) {
        {
            let mut status = task.lock();
            *status = match &*status {
                Status::Cancelling => Status::Cancelled,
                Status::Running | Status::Cancelled | Status::Completed | Status::Failed(_) => ended,
            };
        }
        // What is not recorded runs again after a restart, and ends the same way.
        if self.record_move_task(task).await.is_err() {
            tracing::warn!(task = %task.plan.id, source = %task.plan.source.arn(), "the end of a message move task was not recorded; it is tried again after a restart");
        }
    }
}

async fn work(service: Weak<Sqs>, runtime: Runtime, task: Arc<MoveTask>) {
    let clock = &runtime.clock;
    let mut pace = Pace::new(task.plan.rate, clock.monotonic());
    let mut recorded = clock.monotonic();
    loop {
        let Some(sqs) = service.upgrade() else { return };
        let left = task.plan.to_move.saturating_sub(task.moved());
        let step = match task.status() {
            Status::Running if left == 0 => Step::Ended(Status::Completed),
            Status::Running => {
                let max = usize::try_from(left.min(pace.step.into())).unwrap_or(1);
                sqs.move_some(&task.plan, max).await
            }
            Status::Cancelling => Step::Ended(Status::Cancelled),
            Status::Cancelled | Status::Completed | Status::Failed(_) => return,
        };
        let wait = match step {
            Step::Moved(count) => {
                let count = u64::try_from(count).unwrap_or(u64::MAX);
                task.moved.fetch_add(count, Ordering::AcqRel);
                pace.wait(clock.monotonic())
            }
            Step::Ended(status) => {
                sqs.end_move_task(&task, status).await;
                return;
            }
            Step::SourceGone => return,
            Step::Later => RETRY_INTERVAL,
        };
        let now = clock.monotonic();
        if now.saturating_sub(recorded) >= RECORD_INTERVAL {
            recorded = now;
            // Only progress: the next note or the end says more.
            drop(sqs.record_move_task(&task).await);
        }
        drop(sqs);
        if wait.is_zero() {
            // Others get their turn between two steps.
            tokio::task::yield_now().await;
            if runtime.shutdown.requested() {
                return;
            }
            continue;
        }
        tokio::select! {
            () = clock.sleep(wait) => {}
            () = task.stop.notified() => {}
            () = runtime.shutdown.wait() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use proptest::prelude::*;
    use std::time::Duration;

    proptest! {
        #[test]
        fn a_rate_is_never_exceeded_and_nearly_reached(rate in 1_u32..=500, slow in 0_u64..30) {
            let mut now = Duration::ZERO;
            let mut pace = Pace::new(Some(rate), now);
            let mut moved = 0_u32;
            while now < Duration::from_secs(20) {
                moved += pace.step;
                now += Duration::from_millis(slow);
                now += pace.wait(now);
            }
            let allowed = rate * 20 + pace.step;
            prop_assert!(moved <= allowed + rate, "{moved} of {allowed}");
            prop_assert!(moved * 10 >= allowed * 8, "{moved} of {allowed}");
        }
    }

    #[test]
    fn without_a_rate_there_is_no_waiting() {
        let mut pace = Pace::new(None, Duration::ZERO);
        assert_eq!(pace.wait(Duration::from_secs(1)), Duration::ZERO);
    }
}
