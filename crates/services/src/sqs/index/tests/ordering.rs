//! The rules of order that SQS promises, one sentence each.

use super::{Queue, WALL};
use crate::sqs::index::{Counts, Lease, Monotonic, Order, Removal};
use bulla_storage::Pos;

fn fifo(groups: &str) -> Queue {
    let mut queue = Queue::new(Order::Fifo);
    groups.chars().for_each(|group| queue.send(group));
    queue
}

fn standard(groups: &str) -> Queue {
    let mut queue = Queue::new(Order::Standard);
    groups.chars().for_each(|group| queue.send(group));
    queue
}

#[test]
fn a_receive_goes_on_within_a_group_before_it_turns_to_the_next() {
    let mut queue = fifo("abaab");
    assert_eq!(queue.take(4), [1, 3, 4, 2]);
    assert_eq!(queue.take(4), [0; 0]);
}

#[test]
fn a_group_with_a_message_in_flight_hands_out_nothing() {
    let mut queue = fifo("aab");
    assert_eq!(queue.take(1), [1]);
    assert_eq!(queue.take(10), [3]);
}

#[test]
fn a_new_send_does_not_unlock_a_group() {
    let mut queue = fifo("a");
    assert_eq!(queue.take(1), [1]);
    queue.send('a');
    assert_eq!(queue.take(1), [0; 0]);
}

#[test]
fn a_group_is_unlocked_when_its_last_message_in_flight_is_deleted() {
    let mut queue = fifo("aaa");
    assert_eq!(queue.take(2), [1, 2]);
    queue.remove(2);
    assert_eq!(queue.take(1), [0; 0]);
    queue.remove(1);
    assert_eq!(queue.take(1), [3]);
}

#[test]
fn extending_the_visibility_of_a_groups_first_message_keeps_the_rest_back() {
    let mut queue = fifo("aaa");
    assert_eq!(queue.take(2), [1, 2]);
    queue.extend(1, 100);
    queue.now += 31;
    assert_eq!(queue.take(10), [0; 0]);
    queue.now += 70;
    assert_eq!(queue.take(10), [1, 2, 3]);
}

#[test]
fn a_message_that_comes_back_is_the_first_of_its_group_again() {
    let mut queue = fifo("aa");
    assert_eq!(queue.take(1), [1]);
    queue.now += 30;
    assert_eq!(queue.take(10), [1, 2]);
}

#[test]
fn an_expired_receipt_of_a_fifo_message_cannot_delete() {
    let mut queue = fifo("a");
    queue.take(1);
    queue.now += 30;
    let now = Monotonic(queue.now);
    assert_eq!(queue.index.begin_removal(now, Pos(1), 1), Removal::Expired);
    assert_eq!(queue.take(1), [1]);
    assert_eq!(queue.index.begin_removal(now, Pos(1), 1), Removal::ReceivedAgain);
    assert_eq!(queue.index.begin_removal(now, Pos(1), 2), Removal::Begun);
}

#[test]
fn a_late_delete_by_the_latest_receipt_works_on_a_standard_queue() {
    let mut queue = standard(" ");
    queue.take(1);
    queue.now += 30;
    let now = Monotonic(queue.now);
    assert_eq!(queue.index.begin_removal(now, Pos(1), 1), Removal::Begun);
    assert_eq!(queue.take(1), [0; 0]);
}

#[test]
fn delayed_fifo_messages_keep_their_groups_order() {
    let mut queue = Queue::new(Order::Fifo);
    queue.send_delayed('a', 50);
    queue.send('a');
    queue.send('b');
    assert_eq!(queue.take(10), [3]);
    queue.now += 50;
    assert_eq!(queue.take(10), [1, 2, 3]);
}

#[test]
fn a_delayed_message_of_a_standard_queue_keeps_nothing_back() {
    let mut queue = Queue::new(Order::Standard);
    queue.send_delayed('a', 50);
    queue.send('a');
    assert_eq!(queue.take(10), [2]);
    queue.now += 20;
    queue.remove(2);
    queue.send('a');
    queue.now += 30;
    assert_eq!(queue.take(10), [1, 3]);
}

#[test]
fn a_noisy_group_does_not_delay_the_others() {
    let mut queue = standard("aaaaab");
    assert_eq!(queue.take(2), [1, 6]);
    assert_eq!(queue.take(1), [2]);
    queue.send('b');
    assert_eq!(queue.take(1), [7]);
}

#[test]
fn the_oldest_message_breaks_the_tie_between_groups() {
    let mut queue = standard("ba ");
    assert_eq!(queue.take(1), [1]);
    assert_eq!(queue.take(1), [2]);
    assert_eq!(queue.take(1), [3]);
}

#[test]
fn messages_without_a_group_are_a_group_of_their_own() {
    let mut queue = standard("   a");
    assert_eq!(queue.take(3), [1, 4, 2]);
}

#[test]
fn a_dead_message_keeps_its_fifo_group_waiting_until_it_is_moved() {
    let mut queue = fifo("aa");
    queue.take(1);
    queue.now += 30;
    let hand = queue.hand(10, Some(1), 0);
    assert!(hand.taken.is_empty());
    assert_eq!((hand.dead[0].position, hand.dead[0].receives), (Pos(1), 1));
    assert_eq!(queue.take(10), [0; 0]);
    assert!(queue.index.end_removal(Pos(1), true));
    assert_eq!(queue.take(10), [2]);
}

#[test]
fn a_message_whose_move_is_refused_is_handed_out_before_the_next_try() {
    let mut queue = standard(" ");
    queue.take(1);
    queue.now += 30;
    let hand = queue.hand(1, Some(1), 0);
    queue.index.put_back(&hand.dead[0]);
    let hand = queue.hand(1, Some(1), 0);
    assert_eq!(hand.taken[0].receives, 2);
    queue.now += 30;
    assert_eq!(queue.hand(1, Some(1), 0).dead.len(), 1);
}

#[test]
fn a_message_on_its_way_to_the_dead_letter_queue_cannot_be_deleted() {
    let mut queue = standard(" ");
    queue.take(1);
    queue.now += 30;
    assert_eq!(queue.hand(1, Some(1), 0).dead.len(), 1);
    let now = Monotonic(queue.now);
    assert_eq!(queue.index.begin_removal(now, Pos(1), 1), Removal::Expired);
}

#[test]
fn a_message_that_arrived_elsewhere_and_could_not_be_deleted_here_is_not_received_again() {
    let mut queue = standard(" ");
    queue.take(1);
    queue.now += 30;
    let hand = queue.hand(1, Some(1), 0);
    queue.index.keep_aside(Pos(1));
    queue.index.put_back(&hand.dead[0]);
    queue.now += 1000;
    assert!(queue.take(1).is_empty());
}

#[test]
fn a_message_whose_deletion_fails_stays_with_its_receiver_until_its_visibility_timeout_ends() {
    let mut queue = fifo("a");
    queue.take(1);
    queue.index.begin_removal(Monotonic(0), Pos(1), 1);
    assert_eq!(queue.index.counts(Monotonic(0)), Counts::default());
    assert!(queue.index.end_removal(Pos(1), false));
    queue.now += 29;
    assert!(queue.take(1).is_empty());
    queue.now += 1;
    assert_eq!(queue.take(1), [1]);
}

#[test]
fn a_message_older_than_the_queue_keeps_it_is_never_handed_out() {
    let mut queue = standard(" ");
    queue.now += 10;
    queue.send(' ');
    let hand = queue.hand(10, None, WALL + 1);
    assert_eq!(hand.expired, [Pos(1)]);
    assert_eq!(hand.taken[0].position, Pos(2));
}

#[test]
fn changing_the_visibility_to_zero_makes_ready_at_once() {
    let mut queue = fifo("a");
    queue.take(1);
    queue.extend(1, 0);
    assert_eq!(queue.take(1), [1]);
}

#[test]
fn what_was_in_flight_before_a_restart_keeps_its_group_waiting() {
    let mut queue = Queue::new(Order::Fifo);
    let first = queue.arrival(super::tag('a'), 0);
    let lease = Lease {
        receives: 1,
        first_received: WALL,
        until: Some(Monotonic(20)),
    };
    queue.index.restore(Monotonic(0), first, lease);
    queue.send('a');
    assert_eq!(queue.take(10), [0; 0]);
    queue.now = 20;
    assert_eq!(queue.take(10), [1, 2]);
}

#[test]
fn a_receipt_whose_note_was_lost_in_a_crash_deletes() {
    let mut queue = fifo("ab");
    let now = Monotonic(queue.now);
    assert_eq!(queue.index.begin_removal(now, Pos(2), 1), Removal::Begun);
    assert!(queue.index.end_removal(Pos(2), true));
    assert_eq!(queue.take(10), [1]);
}

#[test]
fn a_receipt_that_was_never_given_deletes_nothing() {
    let mut queue = standard("");
    queue.take(1);
    queue.send(' ');
    assert_eq!(queue.index.begin_removal(Monotonic(0), Pos(1), 1), Removal::Gone);
}
