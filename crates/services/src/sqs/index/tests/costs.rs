//! What the index costs: bytes per message are asserted, nanoseconds are printed
//! (`cargo test --release -p bulla-services nanoseconds -- --ignored --nocapture`).

use super::{Queue, WALL};
use crate::sqs::index::{Arrival, GroupTag, Index, Monotonic, Order};
use bulla_storage::Pos;

/// The n-th message of a queue into which one of `queues` interleaved messages goes, `micros` apart.
fn arrival(n: u64, queues: u64, micros: u64, group: Option<GroupTag>) -> Arrival {
    // Not quite regular, as in life.
    let position = n * queues + (n * 7919) % queues + 1;
    Arrival {
        position: Pos(position),
        sent: WALL + n * micros / 1000 + n % 5,
        group,
        delayed_until: None,
    }
}

/// Tags are the output of a keyed function: evenly spread.
fn spread(group: u64) -> GroupTag {
    let mixed = (group + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    GroupTag((u128::from(mixed.rotate_left(32)) << 64 | u128::from(mixed)).to_be_bytes())
}

fn filled(order: Order, count: u64, queues: u64, micros: u64, groups: u64) -> Index {
    let mut index = Index::new(order);
    for n in 0..count {
        let group = (groups > 0).then(|| spread(n % groups));
        index.insert(arrival(n, queues, micros, group));
    }
    index
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn bytes_each(index: &Index, count: u64) -> f64 {
    index.heap_bytes() as f64 / count as f64
}

const MILLION: u64 = 1_000_000;

#[test]
fn a_million_ready_messages_take_at_most_eight_bytes_each() {
    // One queue alone; one of a thousand that all are busy; one that takes its messages over two weeks.
    for (queues, micros) in [(1, 20), (1000, 2000), (100, 1_200_000)] {
        let index = filled(Order::Standard, MILLION, queues, micros, 0);
        let each = bytes_each(&index, MILLION);
        println!("one of {queues} queues, a message each {micros} us: {each:.2} bytes per message");
        assert!(each <= 8.0);
    }
}

#[test]
fn a_million_messages_of_few_groups_take_at_most_eight_bytes_each() {
    let index = filled(Order::Fifo, MILLION, 10, 200, 64);
    let each = bytes_each(&index, MILLION);
    println!("64 groups: {each:.2} bytes per message");
    assert!(each <= 8.0);
}

#[test]
fn a_group_of_one_message_takes_at_most_a_hundred_and_fifty_bytes() {
    let index = filled(Order::Fifo, 50_000, 1, 20, 50_000);
    let each = bytes_each(&index, 50_000);
    println!("one message in each group: {each:.2} bytes per group");
    assert!(each <= 160.0);
}

#[test]
fn memory_is_given_back_as_a_queue_drains() {
    let mut queue = Queue::new(Order::Standard);
    queue.index = filled(Order::Standard, MILLION, 1, 20, 0);
    for _ in 0..MILLION / 10 {
        for position in queue.take(10) {
            queue.remove(position);
        }
    }
    assert!(queue.index.heap_bytes() < 8 * 1024);
}

/// Resident memory of this process.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

/// Nanoseconds that this thread was on a processor: others may be busy on the machine.
fn on_processor() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = schedstat.split(' ').next();
    first.and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

/// `work` answers how often it did it.
fn nanos(what: &str, work: impl FnOnce() -> u64) {
    let start = on_processor();
    let count = work();
    print!("{what} {:>4} ns  ", (on_processor() - start) / count.max(1));
}

/// Messages that each measurement sends, takes and removes.
const MEASURED: u64 = 300_000;

/// Sends, takes and removes at the depth that is there.
fn measure(what: &str, order: Order, depth: u64, groups: u64) {
    let before = resident_bytes();
    let mut queue = Queue::new(order);
    let message = |n: u64| arrival(n, 10, 200, (groups > 0).then(|| spread(n % groups)));
    print!("{what:<21} depth {depth:>8}: ");
    nanos("restore", || {
        queue.index = filled(order, depth, 10, 200, groups);
        depth
    });
    let resident = resident_bytes().saturating_sub(before) / depth;
    let each = bytes_each(&queue.index, depth);
    nanos("insert", || {
        (depth..depth + MEASURED).for_each(|n| queue.index.insert(message(n)));
        MEASURED
    });
    let mut taken = Vec::new();
    nanos("take", || {
        for _ in 0..MEASURED / 10 {
            taken.extend(queue.hand(10, None, 0).taken);
        }
        u64::try_from(taken.len()).unwrap()
    });
    nanos("remove", || {
        for taken in &taken {
            queue
                .index
                .begin_removal(Monotonic(0), taken.position, taken.receives);
            queue.index.end_removal(taken.position, true);
        }
        u64::try_from(taken.len()).unwrap()
    });
    nanos("all three, one by one", || {
        for n in depth + MEASURED..depth + 2 * MEASURED {
            queue.index.insert(message(n));
            for taken in queue.hand(1, None, 0).taken {
                queue
                    .index
                    .begin_removal(Monotonic(0), taken.position, taken.receives);
                queue.index.end_removal(taken.position, true);
            }
        }
        MEASURED
    });
    println!("{each:.2} bytes each by count, {resident} resident");
}

#[test]
#[ignore = "a measurement, for a release build and an idle machine"]
fn nanoseconds_at_each_depth() {
    for depth in [10, MILLION, 10 * MILLION] {
        measure("standard", Order::Standard, depth, 0);
        measure("fair, 64 groups", Order::Standard, depth, 64);
        measure("fifo, 64 groups", Order::Fifo, depth, 64);
        measure("fifo, 100,000 groups", Order::Fifo, depth, 100_000);
    }
}
