//! Bodies that prove themselves: each is made from its number, so a received one can be compared byte by byte, and
//! each number must come exactly once, and within a message group in rising order.

use std::collections::HashMap;
use std::fmt::Write as _;

/// What has been received of the messages `0..count`.
pub(crate) struct Seen {
    numbers: Vec<bool>,
    body_bytes: usize,
    pub(crate) wrong: usize,
    pub(crate) duplicates: usize,
    pub(crate) disordered: usize,
    /// The latest number of each group, by the queue's place and the group's name.
    latest: HashMap<(usize, String), usize>,
}

impl Seen {
    pub(crate) fn new(count: usize, body_bytes: usize) -> Self {
        Self {
            numbers: vec![false; count],
            body_bytes,
            wrong: 0,
            duplicates: 0,
            disordered: 0,
            latest: HashMap::new(),
        }
    }

    /// Notes a received body, and its queue and group if it has one.
    pub(crate) fn note(&mut self, text: &str, group: Option<(usize, &str)>) {
        let number = text
            .get(..16)
            .and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let Some((number, seen)) = number.and_then(|number| Some((number, self.numbers.get_mut(number)?)))
        else {
            self.wrong += 1;
            return;
        };
        if text != body(number, self.body_bytes) {
            self.wrong += 1;
        } else if std::mem::replace(seen, true) {
            self.duplicates += 1;
        } else if let Some((queue, group)) = group {
            let latest = self.latest.insert((queue, group.to_owned()), number);
            if latest.is_some_and(|latest| latest >= number) {
                self.disordered += 1;
            }
        }
    }

    /// How many different messages have come unchanged.
    pub(crate) fn distinct(&self) -> usize {
        self.numbers.iter().filter(|seen| **seen).count()
    }
}

/// The body of a message: its number in 16 hexadecimal digits, then text that depends on the number.
pub(crate) fn body(number: usize, bytes: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes);
    // Writing to a string cannot fail.
    let _ = write!(text, "{number:016x}");
    let letters = ALPHABET.iter().cycle().skip(number % ALPHABET.len());
    text.extend(
        letters
            .take(bytes.saturating_sub(16))
            .map(|&letter| char::from(letter)),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_size_asked_for() {
        assert_eq!(body(7, 1024).len(), 1024);
    }

    #[test]
    fn a_changed_body_is_noticed() {
        let mut seen = Seen::new(10, 64);
        seen.note(&body(3, 64).replace('D', "E"), None);
        seen.note("short", None);
        seen.note(&body(10, 64), None);
        assert_eq!((seen.wrong, seen.distinct()), (3, 0));
    }

    #[test]
    fn a_message_that_comes_twice_is_noticed() {
        let mut seen = Seen::new(10, 64);
        seen.note(&body(3, 64), None);
        seen.note(&body(3, 64), None);
        assert_eq!((seen.duplicates, seen.distinct()), (1, 1));
    }

    #[test]
    fn a_group_out_of_order_is_noticed() {
        let mut seen = Seen::new(10, 64);
        seen.note(&body(3, 64), Some((0, "a")));
        seen.note(&body(2, 64), Some((0, "b")));
        seen.note(&body(1, 64), Some((0, "a")));
        assert_eq!(seen.disordered, 1);
    }
}
