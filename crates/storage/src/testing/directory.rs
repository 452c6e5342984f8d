//! What every directory engine must do.

use super::{Restart, text};
use crate::{Change, Directory, DirectoryOwner, Error, Expect, Feed, LIMITS, Opened, PartitionId, Pos};
use bytes::Bytes;

const PARTITION: PartitionId = PartitionId(0);

type Engine<'a> = &'a mut dyn Restart<dyn Directory>;

/// Runs every test of the suite, each on an engine of its own from `make`.
///
/// # Panics
/// When the engine breaks the contract.
pub async fn run_all(make: &dyn Fn() -> Box<dyn Restart<dyn Directory>>) {
    changes_survive_a_restart(&mut *make()).await;
    a_failed_expectation_changes_nothing(&mut *make()).await;
    a_newer_owner_fences_the_older(&mut *make()).await;
    commit_numbers_and_positions_are_stored(&mut *make()).await;
    limits_are_enforced(&mut *make()).await;
    a_scan_shows_a_prefix_in_order_by_pages(&mut *make()).await;
    partitions_do_not_see_each_other(&mut *make()).await;
    a_follower_sees_changes_in_order_or_is_told_to_scan(&mut *make()).await;
    a_dropped_commit_still_happens(&mut *make()).await;
}

fn put(key: &str, value: &str) -> Change {
    Change::Put(text(key), text(value))
}

fn expect(key: &str, absent: bool) -> Expect {
    Expect {
        key: text(key),
        absent,
    }
}

async fn open(directory: &dyn Directory) -> Opened<dyn DirectoryOwner> {
    directory.open(PARTITION, "node").await.unwrap()
}

async fn scan(owner: &dyn DirectoryOwner, prefix: &str, max: usize) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut cursor = None;
    let string = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    loop {
        let page = owner.scan(text(prefix), cursor, max).await.unwrap();
        assert!(page.items.len() <= max, "a page is never larger than asked");
        all.extend(
            page.items
                .into_iter()
                .map(|(key, value)| (string(key), string(value))),
        );
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

async fn changes_survive_a_restart(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    opened
        .owner
        .commit(1, vec![], vec![put("a", "1"), put("b", "2"), put("c", "")])
        .await
        .unwrap();
    let changes = vec![
        put("b", "3"),
        Change::Delete(text("a")),
        Change::Delete(text("zz")),
    ];
    opened.owner.commit(2, vec![], changes).await.unwrap();
    drop(opened);
    engine.restart().await;
    let opened = open(engine.engine()).await;
    assert_eq!(
        scan(&*opened.owner, "", 10).await,
        pairs(&[("b", "3"), ("c", "")])
    );
}

async fn a_failed_expectation_changes_nothing(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    opened
        .owner
        .commit(1, vec![expect("a", true)], vec![put("a", "1")])
        .await
        .unwrap();
    let again = opened
        .owner
        .commit(2, vec![expect("b", true), expect("a", true)], vec![put("a", "2")])
        .await;
    assert_eq!(again, Err(Error::Conflict { index: 1 }));
    let absent = opened
        .owner
        .commit(2, vec![expect("b", false)], vec![put("a", "3")])
        .await;
    assert_eq!(absent, Err(Error::Conflict { index: 0 }));
    assert_eq!(scan(&*opened.owner, "", 10).await, pairs(&[("a", "1")]));
    opened
        .owner
        .commit(2, vec![expect("a", false)], vec![put("a", "4")])
        .await
        .unwrap();
    assert_eq!(scan(&*opened.owner, "", 10).await, pairs(&[("a", "4")]));
}

async fn a_newer_owner_fences_the_older(engine: Engine<'_>) {
    let mut old = open(engine.engine()).await;
    old.owner.commit(1, vec![], vec![put("a", "1")]).await.unwrap();
    let mut new = open(engine.engine()).await;
    assert!(new.token > old.token);
    assert_eq!(
        old.owner.commit(2, vec![], vec![put("a", "2")]).await,
        Err(Error::Fenced)
    );
    assert_eq!(old.owner.confirm().await, Err(Error::Fenced));
    assert_eq!(old.owner.scan(text(""), None, 10).await, Err(Error::Fenced));
    new.owner.confirm().await.unwrap();
    new.owner.commit(2, vec![], vec![put("b", "2")]).await.unwrap();
    assert_eq!(scan(&*new.owner, "", 10).await, pairs(&[("a", "1"), ("b", "2")]));
    let token = new.token;
    drop((old, new));
    engine.restart().await;
    assert!(open(engine.engine()).await.token > token);
}

async fn commit_numbers_and_positions_are_stored(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    assert_eq!((opened.last_commit.1, opened.last_pos), (0, Pos(0)));
    for wrong in [0, 2] {
        assert!(matches!(
            opened.owner.commit(wrong, vec![], vec![]).await,
            Err(Error::Misuse(_))
        ));
    }
    let first = opened.owner.commit(1, vec![], vec![put("a", "1")]).await.unwrap();
    let second = opened.owner.commit(2, vec![], vec![put("a", "2")]).await.unwrap();
    assert!(first < second);
    let token = opened.token;
    drop(opened);
    engine.restart().await;
    let opened = open(engine.engine()).await;
    assert_eq!((opened.last_commit, opened.last_pos), ((token, 2), second));
}

async fn limits_are_enforced(engine: Engine<'_>) {
    let mut owner = open(engine.engine()).await.owner;
    let key = Bytes::from(vec![b'k'; LIMITS.key]);
    let long_key = Bytes::from(vec![b'k'; LIMITS.key + 1]);
    let value = Bytes::from(vec![1; LIMITS.value]);
    let long_value = Bytes::from(vec![1; LIMITS.value + 1]);
    let many = |count: usize| {
        (0..count)
            .map(|number| put(&number.to_string(), ""))
            .collect::<Vec<_>>()
    };
    let over = [
        (vec![], vec![Change::Put(long_key.clone(), text(""))]),
        (vec![], vec![Change::Delete(long_key.clone())]),
        (
            vec![Expect {
                key: long_key,
                absent: true,
            }],
            vec![],
        ),
        (vec![], vec![Change::Put(key.clone(), long_value)]),
        (vec![], many(LIMITS.ops + 1)),
        (vec![expect("a", true)], many(LIMITS.ops)),
        (
            vec![],
            (0..8)
                .map(|number| Change::Put(text(&number.to_string()), value.clone()))
                .collect(),
        ),
    ];
    for (expect, changes) in over {
        assert_eq!(owner.commit(1, expect, changes).await, Err(Error::TooLarge));
    }
    owner
        .commit(1, vec![], vec![Change::Put(key.clone(), value.clone())])
        .await
        .unwrap();
    assert_eq!(
        owner.scan(text(""), None, 10).await.unwrap().items,
        [(key, value)]
    );
    assert_eq!(
        owner.scan(text(""), None, LIMITS.page + 1).await,
        Err(Error::TooLarge)
    );
    assert!(matches!(
        engine.engine().open(PartitionId(u32::MAX), "node").await,
        Err(Error::Misuse(_))
    ));
}

async fn a_scan_shows_a_prefix_in_order_by_pages(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    let keys = ["q/b", "q/a", "q", "q/", "q0", "p", "q/a/x", "r"];
    opened
        .owner
        .commit(1, vec![], keys.iter().map(|key| put(key, "v")).collect())
        .await
        .unwrap();
    let high = Bytes::from_static(&[0xFF, 0xFF, 1]);
    opened
        .owner
        .commit(2, vec![], vec![Change::Put(high.clone(), text("v"))])
        .await
        .unwrap();
    for max in [1, 2, 3, 100] {
        let found: Vec<String> = scan(&*opened.owner, "q/", max)
            .await
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(found, ["q/", "q/a", "q/a/x", "q/b"]);
    }
    let found = opened
        .owner
        .scan(Bytes::from_static(&[0xFF]), None, 10)
        .await
        .unwrap();
    assert_eq!(found.items, [(high, text("v"))]);
    let unclaimed = engine
        .engine()
        .scan(PARTITION, text("q/"), None, 2)
        .await
        .unwrap();
    assert_eq!(unclaimed.items.len(), 2);
    assert!(unclaimed.next.is_some());
}

async fn partitions_do_not_see_each_other(engine: Engine<'_>) {
    let directory = engine.engine();
    let mut first = directory.open(PartitionId(0), "node").await.unwrap();
    let mut second = directory.open(PartitionId(1), "node").await.unwrap();
    let put_first = first.owner.commit(1, vec![], vec![put("a", "1")]);
    let put_second = second
        .owner
        .commit(1, vec![expect("a", false)], vec![put("a", "2")]);
    assert_eq!(
        put_second.await,
        Err(Error::Conflict { index: 0 }),
        "a conflict is its own partition's"
    );
    put_first.await.unwrap();
    assert_eq!(scan(&*first.owner, "", 10).await, pairs(&[("a", "1")]));
    assert_eq!(scan(&*second.owner, "", 10).await, []);
}

async fn a_follower_sees_changes_in_order_or_is_told_to_scan(engine: Engine<'_>) {
    let directory = engine.engine();
    let mut opened = open(directory).await;
    opened.owner.commit(1, vec![], vec![put("a", "1")]).await.unwrap();
    let Feed::Reset(from) = directory.follow(PARTITION, None).await.unwrap() else {
        panic!("who follows from nowhere is told to scan");
    };
    assert_eq!(
        directory.follow(PARTITION, Some(from)).await.unwrap(),
        Feed::Changes(vec![])
    );
    let pos = opened
        .owner
        .commit(2, vec![], vec![put("b", "2"), Change::Delete(text("a"))])
        .await
        .unwrap();
    let changes = vec![(pos, put("b", "2")), (pos, Change::Delete(text("a")))];
    assert_eq!(
        directory.follow(PARTITION, Some(from)).await.unwrap(),
        Feed::Changes(changes)
    );
    for n in 3..20 {
        let changes = (0..LIMITS.ops)
            .map(|number| put(&number.to_string(), ""))
            .collect();
        opened.owner.commit(n, vec![], changes).await.unwrap();
    }
    assert!(
        matches!(
            directory.follow(PARTITION, Some(from)).await.unwrap(),
            Feed::Reset(_)
        ),
        "too far behind"
    );
}

async fn a_dropped_commit_still_happens(engine: Engine<'_>) {
    let mut opened = open(engine.engine()).await;
    {
        let mut commit = opened.owner.commit(1, vec![], vec![put("a", "1")]);
        // One look at it starts it; then the caller loses interest.
        std::future::poll_fn(|context| {
            let _ = commit.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    opened.owner.commit(2, vec![], vec![put("b", "2")]).await.unwrap();
    assert_eq!(
        scan(&*opened.owner, "", 10).await,
        pairs(&[("a", "1"), ("b", "2")])
    );
}
