//! Tombstones of one partition in one file, packed: ranges of positions, each as the step from the last one.
//!
//! They are kept in memory only while their file is written to, and lie in its catalog as they are here. What is
//! drained in order costs a few bytes however much it is.

use super::format::{Input, put_step, put_varint};
use crate::contract::Pos;

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Tombstones {
    /// For each range: step from the end of the one before to its first position, positions after the first.
    packed: Vec<u8>,
    /// Where the last packed range ends.
    end: u64,
    /// The newest range, which may still grow.
    open: Option<(u64, u64)>,
}

impl Tombstones {
    /// Adds these positions and all between them.
    pub(super) fn push(&mut self, first: Pos, last: Pos) {
        match &mut self.open {
            Some((_, end)) if end.checked_add(1) == Some(first.0) => *end = last.0,
            Some(_) | None => {
                self.close();
                self.open = Some((first.0, last.0));
            }
        }
    }

    fn close(&mut self) {
        if let Some((first, last)) = self.open.take() {
            put_step(&mut self.packed, self.end, first);
            put_varint(&mut self.packed, last.saturating_sub(first));
            self.end = last;
        }
    }

    /// Bytes that they take when packed, at most.
    pub(super) fn bytes(&self) -> usize {
        self.packed
            .len()
            .saturating_add(if self.open.is_some() { 20 } else { 0 })
    }

    /// As they lie in a catalog.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut closed = self.clone();
        closed.close();
        closed.packed
    }

    /// From a catalog.
    pub(super) fn decode(packed: &[u8]) -> Option<Self> {
        let mut ranges = Ranges {
            input: Input(packed),
            end: 0,
        };
        while !ranges.input.is_empty() {
            ranges.read()?;
        }
        Some(Self {
            packed: packed.to_vec(),
            end: ranges.end,
            open: None,
        })
    }

    /// First and last position of each range.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (Pos, Pos)> {
        let mut ranges = Ranges {
            input: Input(&self.packed),
            end: 0,
        };
        std::iter::from_fn(move || ranges.read())
            .chain(self.open)
            .map(|(first, last)| (Pos(first), Pos(last)))
    }
}

struct Ranges<'a> {
    input: Input<'a>,
    end: u64,
}

impl Ranges<'_> {
    fn read(&mut self) -> Option<(u64, u64)> {
        let first = self.input.step(self.end)?;
        self.end = first.checked_add(self.input.varint()?)?;
        Some((first, self.end))
    }
}
