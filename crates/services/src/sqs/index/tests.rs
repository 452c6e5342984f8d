//! The index against a model that is slow and obvious.

use super::{Arrival, Counts, Index, LeaseRefusal, Moment, Monotonic, Order, Removal, Wanted};
use bulla_storage::Pos;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// What happens to a queue.
#[derive(Clone, Debug)]
enum Step {
    Arrive { delay: u64 },
    Take { max: usize, visibility: u64 },
    Remove { which: usize, stale: bool },
    Change { which: usize, visibility: u64 },
    PutBack { which: usize },
    Pass { millis: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop_oneof![Just(0), 1_u64..50].prop_map(|delay| Step::Arrive { delay }),
        3 => (1_usize..4, 0_u64..50).prop_map(|(max, visibility)| Step::Take { max, visibility }),
        2 => (0_usize..8, any::<bool>()).prop_map(|(which, stale)| Step::Remove { which, stale }),
        1 => (0_usize..8, 0_u64..50).prop_map(|(which, visibility)| Step::Change { which, visibility }),
        1 => (0_usize..8).prop_map(|which| Step::PutBack { which }),
        2 => (1_u64..40).prop_map(|millis| Step::Pass { millis }),
    ]
}

/// A message as the model sees it: when it is ready, whether a receive hides it, and how often it was received.
#[derive(Clone, Debug)]
struct Modelled {
    ready_at: u64,
    received: bool,
    receives: u32,
}

#[derive(Default)]
struct Model {
    now: u64,
    messages: BTreeMap<u64, Modelled>,
    next: u64,
}

impl Model {
    fn moment(&self) -> Moment {
        Moment {
            monotonic: Monotonic(self.now),
            wall: 1_000_000 + self.now,
        }
    }

    fn settle(&mut self) {
        for message in self.messages.values_mut() {
            message.received &= message.ready_at > self.now;
        }
    }

    fn counts(&self) -> Counts {
        let hidden = |received: bool| {
            let all = self.messages.values();
            all.filter(|message| message.ready_at > self.now && message.received == received)
                .count()
        };
        let ready = self
            .messages
            .values()
            .filter(|message| message.ready_at <= self.now)
            .count();
        Counts {
            ready,
            in_flight: hidden(true),
            delayed: hidden(false),
        }
    }

    fn nth(&self, which: usize) -> Option<u64> {
        self.messages.keys().nth(which).copied()
    }
}

fn run(steps: Vec<Step>) {
    let (mut index, mut model) = (Index::new(Order::Standard), Model::default());
    for step in steps {
        model.settle();
        let now = model.moment();
        match step {
            Step::Arrive { delay } => {
                model.next += 1;
                let ready_at = model.now + delay;
                model.messages.insert(
                    model.next,
                    Modelled {
                        ready_at,
                        received: false,
                        receives: 0,
                    },
                );
                let delayed_until = (delay > 0).then_some(Monotonic(ready_at));
                index.insert(Arrival {
                    position: Pos(model.next),
                    sent: now.wall,
                    group: None,
                    delayed_until,
                });
            }
            Step::Take { max, visibility } => take(&mut index, &mut model, max, visibility),
            Step::Remove { which, stale } => {
                let Some(at) = model.nth(which) else { continue };
                let receives = model.messages[&at].receives;
                let receive = if stale {
                    receives.saturating_sub(1)
                } else {
                    receives
                };
                let removed = index.begin_removal(now.monotonic, Pos(at), receive) == Removal::Begun;
                assert_eq!(removed, receive >= receives);
                if removed {
                    index.end_removal(Pos(at), true);
                    model.messages.remove(&at);
                }
            }
            Step::Change { which, visibility } => change(&mut index, &mut model, which, visibility),
            Step::PutBack { which } => {
                let Some(at) = model.nth(which) else { continue };
                let message = model.messages.get_mut(&at).unwrap();
                if message.received {
                    let taken = super::Taken {
                        position: Pos(at),
                        sent: 0,
                        receives: message.receives,
                        first_received: 0,
                        group: None,
                    };
                    index.put_back(&taken);
                    *message = Modelled {
                        ready_at: model.now,
                        received: false,
                        receives: message.receives - 1,
                    };
                }
            }
            Step::Pass { millis } => model.now += millis,
        }
        model.settle();
        assert_eq!(index.counts(Monotonic(model.now)), model.counts());
    }
}

fn take(index: &mut Index, model: &mut Model, max: usize, visibility: u64) {
    let wanted = Wanted {
        max,
        visibility: Duration::from_millis(visibility),
        receives_max: None,
        oldest_kept: 0,
    };
    let taken = index.take(model.moment(), &wanted).taken;
    let now = model.now;
    let ready = model
        .messages
        .iter_mut()
        .filter(|(_, message)| message.ready_at <= now)
        .take(max);
    let mut expected = Vec::new();
    for (at, message) in ready {
        *message = Modelled {
            ready_at: now + visibility,
            received: true,
            receives: message.receives + 1,
        };
        expected.push((*at, message.receives));
    }
    let got: Vec<_> = taken
        .iter()
        .map(|taken| (taken.position.0, taken.receives))
        .collect();
    assert_eq!(got, expected);
}

fn change(index: &mut Index, model: &mut Model, which: usize, visibility: u64) {
    let Some(at) = model.nth(which) else { return };
    let now = model.moment();
    let message = model.messages.get_mut(&at).unwrap();
    let (hide, total) = (Duration::from_millis(visibility), Duration::from_hours(12));
    let changed = index.change_visibility(now, Pos(at), message.receives, hide, total);
    if message.received {
        assert!(changed.is_ok());
        message.ready_at = model.now + visibility;
    } else {
        assert_eq!(changed.unwrap_err(), LeaseRefusal::NotInFlight);
    }
}

proptest! {
    #[test]
    fn the_index_agrees_with_the_model(steps in proptest::collection::vec(step(), 0..60)) {
        run(steps);
    }
}
