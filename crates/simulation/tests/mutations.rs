//! A judge that never says no proves nothing: each defect that is put in must be noticed, within a few seeds.

use bulla_simulation::{Mutation, Options, run};

/// Seeds within which every defect must be noticed.
const SEEDS_MAX: u64 = 150;

/// The words with which the defect is noticed first.
fn noticed(mutation: Mutation) -> String {
    (1..=SEEDS_MAX)
        .find_map(|seed| run(&Options::of(seed).with(mutation)).broken)
        .unwrap_or_default()
}

fn is_noticed(mutation: Mutation, words: &[&str]) {
    let broken = noticed(mutation);
    assert!(
        !broken.is_empty(),
        "{mutation:?} was not noticed in {SEEDS_MAX} seeds"
    );
    assert!(
        words.iter().any(|words| broken.contains(words)),
        "{mutation:?}: {broken}"
    );
}

#[test]
fn a_delete_that_is_acknowledged_and_not_done_is_noticed() {
    is_noticed(Mutation::DropsDeletes, &["came back", "found nothing"]);
}

#[test]
fn a_message_that_is_acknowledged_and_not_stored_is_noticed() {
    is_noticed(
        Mutation::DropsSends,
        &["found nothing", "never came back", "has no sequence number"],
    );
}

#[test]
fn an_altered_body_is_noticed() {
    is_noticed(Mutation::AltersBodies, &["was altered"]);
}

#[test]
fn a_message_that_is_not_hidden_is_noticed() {
    is_noticed(
        Mutation::IgnoresVisibility,
        &[
            "had hidden it until",
            "not available for visibility timeout change",
        ],
    );
}

#[test]
fn a_message_that_comes_before_its_delay_is_over_is_noticed() {
    is_noticed(Mutation::IgnoresDelays, &["before its delay"]);
}

#[test]
fn a_receive_that_misses_a_ready_message_is_noticed() {
    is_noticed(Mutation::MissesMessages, &["found nothing"]);
}

#[test]
fn a_message_that_is_delivered_twice_at_once_is_noticed() {
    is_noticed(Mutation::DeliversTwice, &["twice"]);
}

#[test]
fn a_purge_that_is_not_done_is_noticed() {
    is_noticed(
        Mutation::DropsPurges,
        &["came back", "found nothing", "is empty and says"],
    );
}

#[test]
fn messages_of_a_group_in_the_wrong_order_are_noticed() {
    is_noticed(Mutation::ShufflesGroups, &["comes first", "before message"]);
}

#[test]
fn groups_that_are_not_kept_in_order_are_noticed() {
    is_noticed(Mutation::ForgetsGroups, &["comes first", "is in flight"]);
}

#[test]
fn a_duplicate_that_is_sent_again_is_noticed() {
    is_noticed(
        Mutation::ForgetsDeduplication,
        &["is a duplicate of", "another deduplication id"],
    );
}

#[test]
fn a_message_that_is_received_more_often_than_allowed_is_noticed() {
    is_noticed(Mutation::Miscounts, &["are allowed"]);
}

#[test]
fn a_disk_that_does_not_sync_is_noticed() {
    is_noticed(
        Mutation::SyncsNothing,
        &["found nothing", "never came back", "came back", "does not start"],
    );
}

#[test]
fn a_seed_repeats() {
    for seed in 1..10 {
        let options = Options::of(seed);
        assert_eq!(
            run(&options).fingerprint,
            run(&options).fingerprint,
            "seed {seed}"
        );
    }
}
