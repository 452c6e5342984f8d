//! Random sequences of everything that happens to a queue, on the index and on the model; every answer must be the same.

use super::model::Model;
use crate::sqs::index::{Arrival, GroupTag, Index, Lease, Moment, Monotonic, Order, Removal, Taken, Wanted};
use bulla_storage::Pos;
use proptest::prelude::*;
use std::time::Duration;

/// What happens to a queue. `which` picks among the hand-outs so far, or among the positions.
#[derive(Clone, Debug)]
enum Step {
    Come(Come),
    Receive(Receive),
    Go(Go),
    Pass { millis: u64 },
}

#[derive(Clone, Debug)]
enum Come {
    /// `skip` leaves room for a late arrival, `age` is how long ago it was sent.
    New {
        delay: u64,
        age: u64,
        skip: bool,
    },
    Late {
        which: usize,
    },
    Restored {
        receives: u32,
        hidden: u64,
    },
}

#[derive(Clone, Debug)]
enum Receive {
    Take {
        max: usize,
        visibility: u64,
        receives_max: Option<u32>,
        retention: u64,
    },
    Change {
        which: usize,
        visibility: u64,
    },
    PutBack {
        which: usize,
    },
}

#[derive(Clone, Debug)]
enum Go {
    Begin { which: usize, older: u32 },
    BeginForgotten { which: usize },
    End { which: usize, durable: bool },
    Expire { retention: u64, max: usize },
    Purge { which: usize },
}

fn delay() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 1 => 1_u64..50]
}

fn retention() -> impl Strategy<Value = u64> {
    prop_oneof![6 => Just(u64::MAX), 1 => 0_u64..200]
}

fn come() -> impl Strategy<Value = Come> {
    prop_oneof![
        8 => (delay(), delay(), any::<bool>()).prop_map(|(delay, age, skip)| Come::New { delay, age, skip }),
        1 => any::<usize>().prop_map(|which| Come::Late { which }),
        1 => (0_u32..3, delay()).prop_map(|(receives, hidden)| Come::Restored { receives, hidden }),
    ]
}

fn receive() -> impl Strategy<Value = Receive> {
    let receives_max = prop_oneof![2 => Just(None), 1 => (1_u32..4).prop_map(Some)];
    let visibility = prop_oneof![1 => Just(0), 3 => 1_u64..50];
    prop_oneof![
        8 => (1_usize..5, visibility, receives_max, retention()).prop_map(|(max, visibility, receives_max, retention)| {
            Receive::Take { max, visibility, receives_max, retention }
        }),
        2 => (any::<usize>(), delay()).prop_map(|(which, visibility)| Receive::Change { which, visibility }),
        2 => any::<usize>().prop_map(|which| Receive::PutBack { which }),
    ]
}

fn go() -> impl Strategy<Value = Go> {
    let older = prop_oneof![4 => Just(0), 1 => Just(1)];
    let durable = prop_oneof![3 => Just(true), 1 => Just(false)];
    prop_oneof![
        4 => (any::<usize>(), older).prop_map(|(which, older)| Go::Begin { which, older }),
        1 => any::<usize>().prop_map(|which| Go::BeginForgotten { which }),
        4 => (any::<usize>(), durable).prop_map(|(which, durable)| Go::End { which, durable }),
        1 => (retention(), 1_usize..4).prop_map(|(retention, max)| Go::Expire { retention, max }),
        1 => any::<usize>().prop_map(|which| Go::Purge { which }),
    ]
}

/// Each step with a group, which only arrivals heed.
fn steps() -> impl Strategy<Value = Vec<(u8, Step)>> {
    let step = prop_oneof![
        10 => come().prop_map(Step::Come),
        12 => receive().prop_map(Step::Receive),
        11 => go().prop_map(Step::Go),
        4 => (1_u64..40).prop_map(|millis| Step::Pass { millis }),
    ];
    proptest::collection::vec((0_u8..4, step), 0..150)
}

struct Both {
    index: Index,
    model: Model,
    now: u64,
    last: u64,
    /// Positions that were left out.
    free: Vec<u64>,
    handed: Vec<Taken>,
    removing: Vec<Pos>,
}

/// The wall clock when the monotonic one is zero.
const WALL: u64 = 1_000_000;

impl Both {
    fn moment(&self) -> Moment {
        Moment {
            monotonic: Monotonic(self.now),
            wall: WALL + self.now,
        }
    }

    fn arrival(&self, position: u64, group: u8, delay: u64, age: u64) -> Arrival {
        Arrival {
            position: Pos(position),
            sent: WALL + self.now - age,
            group: (group > 0).then_some(GroupTag([group; 16])),
            delayed_until: (delay > 0).then_some(Monotonic(self.now + delay)),
        }
    }

    fn picked(&self, which: usize) -> Option<Taken> {
        self.handed.get(which.checked_rem(self.handed.len())?).copied()
    }

    fn come(&mut self, group: u8, come: &Come) {
        match *come {
            Come::New { delay, age, skip } => {
                if skip {
                    self.last += 1;
                    self.free.push(self.last);
                }
                self.last += 1;
                let arrival = self.arrival(self.last, group, delay, age);
                self.index.insert(arrival);
                self.model.insert(arrival);
            }
            Come::Late { which } => {
                let Some(at) = which.checked_rem(self.free.len()) else {
                    return;
                };
                let position = self.free.swap_remove(at);
                let arrival = self.arrival(position, group, 0, 0);
                self.index.insert(arrival);
                self.model.insert(arrival);
            }
            Come::Restored { receives, hidden } => {
                self.last += 1;
                let arrival = self.arrival(self.last, group, 0, 0);
                let lease = Lease {
                    receives,
                    first_received: WALL,
                    until: (hidden > 0).then_some(Monotonic(self.now + hidden)),
                };
                self.index.restore(Monotonic(self.now), arrival, lease);
                self.model.restore(Monotonic(self.now), arrival, lease);
            }
        }
    }

    fn receive(&mut self, receive: &Receive) {
        let now = self.moment();
        match *receive {
            Receive::Take {
                max,
                visibility,
                receives_max,
                retention,
            } => {
                let oldest_kept = now.wall.saturating_sub(retention);
                let visibility = Duration::from_millis(visibility);
                let wanted = Wanted {
                    max,
                    visibility,
                    receives_max,
                    oldest_kept,
                };
                let hand = self.index.take(now, &wanted);
                assert_eq!(hand, self.model.take(now, &wanted));
                self.removing.extend(hand.dead.iter().map(|dead| dead.position));
                self.handed.extend(hand.taken.into_iter().chain(hand.dead));
            }
            Receive::Change { which, visibility } => {
                let Some(taken) = self.picked(which) else { return };
                let (visibility, total) = (Duration::from_millis(visibility), Duration::from_millis(100));
                let (position, receive) = (taken.position, taken.receives);
                assert_eq!(
                    self.index
                        .change_visibility(now, position, receive, visibility, total),
                    self.model
                        .change_visibility(now, position, receive, visibility, total)
                );
            }
            Receive::PutBack { which } => {
                let Some(taken) = self.picked(which) else { return };
                self.index.put_back(&taken);
                self.model.put_back(&taken);
            }
        }
    }

    fn go(&mut self, go: &Go) {
        match *go {
            Go::Begin { which, older } => {
                let Some(taken) = self.picked(which) else { return };
                self.begin(taken.position, taken.receives.saturating_sub(older).max(1));
            }
            Go::BeginForgotten { which } => {
                let Some(at) = which.checked_rem(usize::try_from(self.last).unwrap()) else {
                    return;
                };
                self.begin(Pos(u64::try_from(at).unwrap() + 1), 1);
            }
            Go::End { which, durable } => {
                let Some(at) = which.checked_rem(self.removing.len()) else {
                    return;
                };
                let position = self.removing.swap_remove(at);
                assert_eq!(
                    self.index.end_removal(position, durable),
                    self.model.end_removal(position, durable)
                );
            }
            Go::Expire { retention, max } => {
                let oldest_kept = self.moment().wall.saturating_sub(retention);
                let expired = self.model.expired(oldest_kept);
                let gone = self.index.expire(oldest_kept, max);
                assert_eq!(gone.len(), expired.len().min(max));
                assert!(gone.iter().all(|position| expired.contains(position)));
                self.model.remove(&gone);
            }
            Go::Purge { which } => {
                let Some(through) = which.checked_rem(usize::try_from(self.last + 2).unwrap()) else {
                    return;
                };
                let through = Pos(u64::try_from(through).unwrap());
                let mut gone = if through.0 > self.last {
                    self.index.clear()
                } else {
                    self.index.clear_through(through)
                };
                gone.sort();
                assert_eq!(gone, self.model.clear_through(through));
            }
        }
    }

    fn begin(&mut self, position: Pos, receive: u32) {
        let begun = self.index.begin_removal(Monotonic(self.now), position, receive);
        assert_eq!(
            begun,
            self.model.begin_removal(Monotonic(self.now), position, receive)
        );
        if begun == Removal::Begun {
            self.removing.push(position);
        }
    }

    fn compare(&mut self) {
        let now = Monotonic(self.now);
        assert_eq!(self.index.counts(now), self.model.counts(now));
        assert_eq!(self.index.in_flight(now), self.model.counts(now).in_flight);
        assert_eq!(self.index.next_due(), self.model.next_due());
        assert_eq!(self.index.last(), self.model.last());
        self.index.check();
    }

    /// Removes everything, one hand after the other: nothing is left over, neither message nor memory of it.
    fn drain(&mut self) {
        for position in std::mem::take(&mut self.removing) {
            self.index.end_removal(position, true);
            self.model.end_removal(position, true);
        }
        self.now += 1_000;
        loop {
            let wanted = Wanted {
                max: 10,
                visibility: Duration::from_secs(9),
                receives_max: None,
                oldest_kept: 0,
            };
            let hand = self.index.take(self.moment(), &wanted);
            assert_eq!(hand, self.model.take(self.moment(), &wanted));
            if hand.taken.is_empty() {
                break;
            }
            for taken in hand.taken {
                self.begin(taken.position, taken.receives);
                self.index.end_removal(taken.position, true);
                self.model.end_removal(taken.position, true);
            }
        }
        self.compare();
        assert!(self.index.is_forgotten());
    }
}

fn run(order: Order, groups: bool, steps: Vec<(u8, Step)>) {
    let mut both = Both {
        index: Index::new(order),
        model: Model::new(order),
        now: 100,
        last: 0,
        free: Vec::new(),
        handed: Vec::new(),
        removing: Vec::new(),
    };
    for (group, step) in steps {
        let group = match order {
            Order::Standard if !groups => 0,
            Order::Standard => group,
            Order::Fifo => group % 3 + 1,
        };
        match &step {
            Step::Come(come) => both.come(group, come),
            Step::Receive(receive) => both.receive(receive),
            Step::Go(go) => both.go(go),
            Step::Pass { millis } => both.now += millis,
        }
        both.compare();
    }
    both.drain();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn the_index_agrees_with_the_model(steps in steps()) {
        run(Order::Standard, false, steps);
    }

    #[test]
    fn the_index_of_a_fair_queue_agrees_with_the_model(steps in steps()) {
        run(Order::Standard, true, steps);
    }

    #[test]
    fn the_index_of_a_fifo_queue_agrees_with_the_model(steps in steps()) {
        run(Order::Fifo, true, steps);
    }
}
