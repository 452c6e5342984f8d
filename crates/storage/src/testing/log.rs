//! What every log engine must do.

use super::{Restart, text};
use crate::{Append, Error, Group, LIMITS, Log, LogOwner, LogReader, Opened, PartitionId, Pos, Record};
use bytes::Bytes;
use std::time::Duration;

const PARTITION: PartitionId = PartitionId(0);

type Engine<'a> = &'a mut dyn Restart<dyn Log>;

/// Runs every test of the suite, each on an engine of its own from `make`.
///
/// # Panics
/// When the engine breaks the contract.
pub async fn run_all(make: &dyn Fn() -> Box<dyn Restart<dyn Log>>) {
    appended_records_survive_a_restart(&mut *make()).await;
    deleted_records_do_not_return(&mut *make()).await;
    a_group_is_all_or_nothing(&mut *make()).await;
    a_newer_owner_fences_the_older(&mut *make()).await;
    tokens_rise_across_restarts(&mut *make()).await;
    commit_numbers_are_stored_and_in_turn(&mut *make()).await;
    positions_rise_and_are_never_reused(&mut *make()).await;
    limits_are_enforced(&mut *make()).await;
    pages_follow_each_other_without_gap_or_repetition(&mut *make()).await;
    a_cursor_survives_deletion_and_new_owners(&mut *make()).await;
    the_latest_note_counts_and_goes_with_its_record(&mut *make()).await;
    partitions_do_not_see_each_other(&mut *make()).await;
    bodies_come_in_the_order_asked(&mut *make()).await;
    a_dropped_commit_still_happens(&mut *make()).await;
}

fn record(pos: u64, body: &str) -> Append {
    Append {
        pos: Pos(pos),
        meta: text(&format!("meta {pos}")),
        body: text(body),
    }
}

fn appends(positions: impl IntoIterator<Item = u64>) -> Group {
    let append = positions
        .into_iter()
        .map(|pos| record(pos, &format!("body {pos}")))
        .collect();
    Group {
        append,
        ..Group::default()
    }
}

fn deletes(positions: impl IntoIterator<Item = u64>) -> Group {
    Group {
        delete: positions.into_iter().map(Pos).collect(),
        ..Group::default()
    }
}

async fn open(log: &dyn Log) -> Opened<dyn LogOwner> {
    log.open(PARTITION, "node").await.unwrap()
}

/// All live records, by pages of `max`.
///
/// # Panics
/// When a page cannot be read.
pub async fn scan_all(reader: &dyn LogReader, max: usize) -> Vec<Record> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = reader.scan(cursor, max).await.unwrap();
        assert!(page.items.len() <= max, "a page is never larger than asked");
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

async fn positions(owner: &dyn LogOwner) -> Vec<u64> {
    scan_all(&*owner.reader(), 7)
        .await
        .into_iter()
        .map(|record| record.pos.0)
        .collect()
}

async fn body(owner: &dyn LogOwner, pos: u64) -> Option<Bytes> {
    owner.reader().bodies(vec![Pos(pos)]).await.unwrap().remove(0)
}

async fn appended_records_survive_a_restart(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    opened.owner.commit(1, appends(1..=3)).await.unwrap();
    assert_eq!(body(&*opened.owner, 2).await, Some(text("body 2")));
    drop(opened);
    engine.restart().await;
    let opened = open(engine.engine()).await;
    assert_eq!(positions(&*opened.owner).await, [1, 2, 3]);
    assert_eq!(body(&*opened.owner, 2).await, Some(text("body 2")));
    assert_eq!(scan_all(&*opened.owner.reader(), 1).await[2].meta, text("meta 3"));
}

async fn deleted_records_do_not_return(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    opened.owner.commit(1, appends(1..=4)).await.unwrap();
    opened.owner.commit(2, deletes([2, 4, 4, 99])).await.unwrap();
    assert_eq!(positions(&*opened.owner).await, [1, 3]);
    assert_eq!(body(&*opened.owner, 2).await, None);
    opened.owner.commit(3, appends([99])).await.unwrap();
    drop(opened);
    engine.restart().await;
    let opened = open(engine.engine()).await;
    assert_eq!(
        positions(&*opened.owner).await,
        [1, 3, 99],
        "a tombstone ahead of its record does not count"
    );
}

async fn a_group_is_all_or_nothing(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    opened.owner.commit(1, appends([5])).await.unwrap();
    let group = Group {
        append: vec![record(6, "six"), record(6, "again")],
        delete: vec![Pos(5)],
        notes: vec![],
    };
    assert!(matches!(
        opened.owner.commit(2, group).await,
        Err(Error::Misuse(_))
    ));
    assert_eq!(positions(&*opened.owner).await, [5]);
    let group = Group {
        append: vec![record(6, "six")],
        delete: vec![Pos(5)],
        notes: vec![(Pos(6), text("n"))],
    };
    opened.owner.commit(2, group).await.unwrap();
    let records = scan_all(&*opened.owner.reader(), 10).await;
    assert_eq!(
        records,
        [Record {
            pos: Pos(6),
            meta: text("meta 6"),
            note: Some(text("n"))
        }]
    );
}

async fn a_newer_owner_fences_the_older(engine: Engine<'_>) {
    let mut old = open(engine.engine()).await;
    old.owner.commit(1, appends([1])).await.unwrap();
    let mut new = open(engine.engine()).await;
    assert!(new.token > old.token);
    assert_eq!(new.last_commit, (old.token, 1));
    assert_eq!(old.owner.commit(2, appends([2])).await, Err(Error::Fenced));
    assert_eq!(old.owner.reader().confirm().await, Err(Error::Fenced));
    assert_eq!(old.owner.reader().scan(None, 10).await, Err(Error::Fenced));
    assert_eq!(old.owner.reader().bodies(vec![Pos(1)]).await, Err(Error::Fenced));
    old.owner.note(vec![(Pos(1), text("stale"))], Duration::ZERO);
    new.owner.commit(2, appends([2])).await.unwrap();
    new.owner.reader().confirm().await.unwrap();
    let records = scan_all(&*new.owner.reader(), 10).await;
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].note, None, "a fenced owner's note does not count");
}

async fn tokens_rise_across_restarts(engine: Engine<'_>) {
    let mut last = open(engine.engine()).await.token;
    for _ in 0..3 {
        engine.restart().await;
        let token = open(engine.engine()).await.token;
        assert!(token > last);
        last = token;
    }
}

async fn commit_numbers_are_stored_and_in_turn(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    assert_eq!(opened.last_commit.1, 0);
    for wrong in [0, 2] {
        assert!(matches!(
            opened.owner.commit(wrong, appends([1])).await,
            Err(Error::Misuse(_))
        ));
    }
    opened.owner.commit(1, appends([1])).await.unwrap();
    opened.owner.commit(2, Group::default()).await.unwrap();
    let token = opened.token;
    drop(opened);
    engine.restart().await;
    let opened = open(engine.engine()).await;
    assert_eq!(opened.last_commit, (token, 2));
}

async fn positions_rise_and_are_never_reused(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    assert_eq!(opened.last_pos, Pos(0));
    assert!(matches!(
        opened.owner.commit(1, appends([0])).await,
        Err(Error::Misuse(_))
    ));
    opened.owner.commit(1, appends([3, 10])).await.unwrap();
    opened.owner.commit(2, deletes([3, 10])).await.unwrap();
    drop(opened);
    engine.restart().await;
    let mut opened = open(engine.engine()).await;
    assert_eq!(opened.last_pos, Pos(10));
    assert!(matches!(
        opened.owner.commit(3, appends([10])).await,
        Err(Error::Misuse(_))
    ));
    opened.owner.commit(3, appends([11])).await.unwrap();
}

async fn limits_are_enforced(engine: Engine<'_>) {
    let opened = open(engine.engine()).await;
    let mut owner = opened.owner;
    let large = Bytes::from(vec![1; LIMITS.value]);
    let of = |meta: &Bytes, body: &Bytes, count: u64| Group {
        append: (1..=count)
            .map(|pos| Append {
                pos: Pos(pos),
                meta: meta.clone(),
                body: body.clone(),
            })
            .collect(),
        ..Group::default()
    };
    let over = [
        appends(1..=LIMITS.ops as u64 + 1),
        deletes(1..=LIMITS.ops as u64 + 1),
        of(&text("m"), &large, 1),
        of(&Bytes::new(), &large, 8),
        Group {
            notes: vec![(Pos(1), Bytes::from(vec![0; LIMITS.key + 1]))],
            ..Group::default()
        },
    ];
    for group in over {
        assert_eq!(owner.commit(1, group).await, Err(Error::TooLarge));
    }
    assert_eq!(
        owner.reader().scan(None, LIMITS.page + 1).await,
        Err(Error::TooLarge)
    );
    assert!(matches!(
        owner.reader().scan(None, 0).await,
        Err(Error::Misuse(_))
    ));
    owner.commit(1, of(&Bytes::new(), &large, 7)).await.unwrap();
    assert_eq!(body(&*owner, 7).await, Some(large));
    assert!(matches!(
        engine.engine().open(PartitionId(u32::MAX), "node").await,
        Err(Error::Misuse(_))
    ));
}

async fn pages_follow_each_other_without_gap_or_repetition(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    opened.owner.commit(1, appends(1..=100)).await.unwrap();
    opened
        .owner
        .commit(2, appends((101..=200).map(|pos| pos * 3)))
        .await
        .unwrap();
    opened
        .owner
        .commit(3, deletes((1..=100).filter(|pos| pos % 2 == 0)))
        .await
        .unwrap();
    let expected: Vec<u64> = (1..=99)
        .step_by(2)
        .chain((101..=200).map(|pos| pos * 3))
        .collect();
    for max in [1, 2, 49, 50, 51, 150, 1_000] {
        let all = scan_all(&*opened.owner.reader(), max).await;
        assert_eq!(
            all.iter().map(|record| record.pos.0).collect::<Vec<_>>(),
            expected
        );
    }
}

async fn a_cursor_survives_deletion_and_new_owners(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    opened.owner.commit(1, appends(1..=10)).await.unwrap();
    let first = opened.owner.reader().scan(None, 4).await.unwrap();
    opened.owner.commit(2, deletes([4, 5])).await.unwrap();
    drop(opened);
    engine.restart().await;
    let opened = open(engine.engine()).await;
    let rest = opened.owner.reader().scan(first.next, 100).await.unwrap();
    assert_eq!(
        rest.items.iter().map(|record| record.pos.0).collect::<Vec<_>>(),
        [6, 7, 8, 9, 10]
    );
    assert_eq!(rest.next, None);
}

async fn the_latest_note_counts_and_goes_with_its_record(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    opened.owner.commit(1, appends(1..=3)).await.unwrap();
    opened.owner.note(
        vec![(Pos(1), text("a")), (Pos(9), text("nobody"))],
        Duration::ZERO,
    );
    let notes = vec![(Pos(1), text("b")), (Pos(2), text("c")), (Pos(1), text("d"))];
    opened
        .owner
        .commit(
            2,
            Group {
                notes,
                delete: vec![Pos(2)],
                ..Group::default()
            },
        )
        .await
        .unwrap();
    drop(opened);
    engine.restart().await;
    let opened = open(engine.engine()).await;
    let records = scan_all(&*opened.owner.reader(), 10).await;
    let notes: Vec<_> = records
        .into_iter()
        .map(|record| (record.pos.0, record.note))
        .collect();
    assert_eq!(notes, [(1, Some(text("d"))), (3, None)]);
}

async fn partitions_do_not_see_each_other(engine: Engine<'_>) {
    let log = engine.engine();
    let mut first = log.open(PartitionId(0), "node").await.unwrap();
    let mut second = log.open(PartitionId(1), "node").await.unwrap();
    first.owner.commit(1, appends([1, 2])).await.unwrap();
    second.owner.commit(1, appends([2, 3])).await.unwrap();
    first.owner.commit(2, deletes([2, 3])).await.unwrap();
    assert_eq!(positions(&*first.owner).await, [1]);
    assert_eq!(positions(&*second.owner).await, [2, 3]);
}

async fn bodies_come_in_the_order_asked(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    let mut group = appends(1..=20);
    group.append[4].body = Bytes::new();
    opened.owner.commit(1, group).await.unwrap();
    opened.owner.commit(2, deletes([7])).await.unwrap();
    let asked = [20, 7, 1, 5, 20, 400, 12];
    let bodies = opened
        .owner
        .reader()
        .bodies(asked.map(Pos).to_vec())
        .await
        .unwrap();
    let expected = [
        Some("body 20"),
        None,
        Some("body 1"),
        Some(""),
        Some("body 20"),
        None,
        Some("body 12"),
    ];
    assert_eq!(bodies, expected.map(|body| body.map(text)));
}

async fn a_dropped_commit_still_happens(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    {
        let mut commit = opened.owner.commit(1, appends([1]));
        // One look at it starts it; then the caller loses interest.
        std::future::poll_fn(|context| {
            let _ = commit.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    opened.owner.commit(2, appends([2])).await.unwrap();
    assert_eq!(positions(&*opened.owner).await, [1, 2]);
}
