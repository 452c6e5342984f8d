//! The list of chunks against an ordered map.

use crate::sqs::index::backlog::Backlog;
use crate::sqs::index::chunk::Item;
use bulla_storage::Pos;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Push { count: u64, gap: u64, sent: i64 },
    Insert { at: u64, sent: u64 },
    Pop { count: usize },
    UnPop { count: usize },
    Remove { which: usize },
    Expire { which: usize, max: usize },
    Clear { which: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let gap = prop_oneof![Just(1_u64), 1_u64..300, 1_u64..(1 << 40)];
    let sent = prop_oneof![0_i64..100, -9_000_i64..9_000, any::<i32>().prop_map(i64::from)];
    prop_oneof![
        4 => (1_u64..400, gap, sent).prop_map(|(count, gap, sent)| Step::Push { count, gap, sent }),
        4 => (any::<u64>(), any::<u64>()).prop_map(|(at, sent)| Step::Insert { at, sent }),
        2 => (1_usize..400).prop_map(|count| Step::Pop { count }),
        2 => (1_usize..20).prop_map(|count| Step::UnPop { count }),
        3 => any::<usize>().prop_map(|which| Step::Remove { which }),
        1 => (any::<usize>(), 1_usize..500).prop_map(|(which, max)| Step::Expire { which, max }),
        1 => any::<usize>().prop_map(|which| Step::Clear { which }),
    ]
}

fn nth(map: &BTreeMap<u64, u64>, which: usize) -> Option<(u64, u64)> {
    map.iter()
        .nth(which.checked_rem(map.len())?)
        .map(|(position, sent)| (*position, *sent))
}

fn apply(list: &mut Backlog, map: &mut BTreeMap<u64, u64>, newest: &mut Item, step: &Step) {
    match *step {
        Step::Push { count, gap, sent } => {
            for _ in 0..count {
                newest.position.0 += gap;
                newest.sent = newest.sent.saturating_add_signed(sent);
                list.push(*newest);
                map.insert(newest.position.0, newest.sent);
            }
        }
        Step::Insert { at, sent } => {
            let at = at % (newest.position.0 + 1);
            if let std::collections::btree_map::Entry::Vacant(free) = map.entry(at) {
                free.insert(sent);
                list.push(Item {
                    position: Pos(at),
                    sent,
                });
            }
        }
        Step::Pop { count } => {
            for _ in 0..count {
                let item = list.pop().map(|item| (item.position.0, item.sent));
                assert_eq!(item, map.pop_first());
            }
        }
        Step::UnPop { count } => {
            let popped: Vec<Item> = (0..count).filter_map(|_| list.pop()).collect();
            for item in popped.into_iter().rev() {
                list.push(item);
            }
        }
        Step::Remove { which } => {
            let Some((position, sent)) = nth(map, which) else {
                return;
            };
            let item = Item {
                position: Pos(position),
                sent,
            };
            assert_eq!(list.get(Pos(position)), Some(item));
            list.remove(Pos(position));
            assert_eq!(list.get(Pos(position)), None);
            map.remove(&position);
        }
        Step::Expire { which, max } => {
            let Some((_, kept)) = nth(map, which) else { return };
            let expired = map.values().filter(|sent| **sent < kept).count();
            let mut gone = Vec::new();
            list.expire(kept, max, &mut gone);
            assert_eq!(gone.len(), expired.min(max));
            for position in gone {
                assert!(map.remove(&position.0).unwrap() < kept);
            }
            if expired <= max {
                assert!(list.oldest() >= kept);
            }
        }
        Step::Clear { which } => {
            let Some((through, _)) = nth(map, which / 7) else {
                return;
            };
            clear(list, map, through);
        }
    }
}

fn clear(list: &mut Backlog, map: &mut BTreeMap<u64, u64>, through: u64) {
    let mut gone = Vec::new();
    list.clear_through(Pos(through), &mut gone);
    let rest = map.split_off(&(through + 1));
    let cleared = std::mem::replace(map, rest).into_keys();
    assert_eq!(gone, cleared.map(Pos).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn a_list_of_chunks_is_an_ordered_map(steps in proptest::collection::vec(step(), 0..40)) {
        let (mut list, mut map) = (Backlog::default(), BTreeMap::new());
        let mut newest = Item { position: Pos(0), sent: 1 << 40 };
        for step in steps {
            apply(&mut list, &mut map, &mut newest, &step);
            let front = list.front().map(|item| (item.position.0, item.sent));
            prop_assert_eq!(front, map.first_key_value().map(|(position, sent)| (*position, *sent)));
            prop_assert!(list.oldest() <= map.values().min().copied().unwrap_or(u64::MAX));
        }
        while let Some(item) = list.pop() {
            prop_assert_eq!(Some((item.position.0, item.sent)), map.pop_first());
        }
        prop_assert!(map.is_empty());
        prop_assert!(list.heap_bytes() <= 16 * 1024);
    }
}
