//! Ready messages that were never received, in order of position: a list of chunks.
//!
//! Invariants: positions rise over all chunks; no chunk of `older` is empty; chunks are given back as they drain.

use super::chunk::{Chunk, Item};
use bulla_storage::Pos;
use std::collections::VecDeque;

/// A list of messages that is cheap at both ends and possible in between.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    older: VecDeque<Chunk>,
    /// Where new messages go; may be empty while `older` is not.
    tail: Chunk,
}

/// Chunks for which room is kept.
const SPARE_CHUNKS: usize = 16;

impl Backlog {
    pub(super) fn is_empty(&self) -> bool {
        self.older.is_empty() && self.tail.is_empty()
    }

    /// The first message.
    pub(super) fn front(&self) -> Option<Item> {
        self.older.front().unwrap_or(&self.tail).first()
    }

    fn back(&self) -> Option<Item> {
        self.tail
            .last()
            .or_else(|| self.older.back().and_then(Chunk::last))
    }

    /// Adds a message where it belongs; at the end that costs next to nothing.
    pub(super) fn push(&mut self, item: Item) {
        if self.back().is_some_and(|back| back.position > item.position) {
            return self.insert(item);
        }
        if !self.tail.push(item) {
            self.older.push_back(std::mem::take(&mut self.tail));
            self.tail.push(item);
        }
    }

    fn insert(&mut self, item: Item) {
        let at = self.chunk_of(item.position);
        match self.older.get_mut(at) {
            Some(chunk) => {
                if let Some(front) = chunk.insert(item) {
                    self.older.insert(at, front);
                }
            }
            None => {
                if let Some(front) = self.tail.insert(item) {
                    self.older.push_back(front);
                }
            }
        }
    }

    /// The first chunk of `older` that ends at `position` or behind; their number when that is the tail.
    fn chunk_of(&self, position: Pos) -> usize {
        let ends_before = |chunk: &Chunk| chunk.last().is_none_or(|last| last.position < position);
        self.older.partition_point(ends_before)
    }

    /// Takes the first message.
    pub(super) fn pop(&mut self) -> Option<Item> {
        let Some(chunk) = self.older.front_mut() else {
            return self.tail.pop();
        };
        let item = chunk.pop();
        if chunk.is_empty() {
            self.older.pop_front();
            self.give_back();
        }
        item
    }

    /// The message at `position`.
    pub(super) fn get(&self, position: Pos) -> Option<Item> {
        let chunk = self.older.get(self.chunk_of(position)).unwrap_or(&self.tail);
        if chunk.first()?.position > position || chunk.last()?.position < position {
            return None;
        }
        chunk.items().into_iter().find(|item| item.position == position)
    }

    /// Takes the message at `position`.
    pub(super) fn remove(&mut self, position: Pos) {
        let at = self.chunk_of(position);
        let gone = |item: Item| item.position == position;
        match self.older.get_mut(at) {
            Some(chunk) => {
                chunk.extract(gone);
                if chunk.is_empty() {
                    self.older.remove(at);
                }
            }
            None => {
                self.tail.extract(gone);
            }
        }
    }

    /// Takes the messages sent before `oldest_kept` until `out` holds `max`.
    pub(super) fn expire(&mut self, oldest_kept: u64, max: usize, out: &mut Vec<Pos>) {
        for chunk in self.older.iter_mut().chain([&mut self.tail]) {
            if out.len() >= max {
                break;
            }
            if chunk.oldest() >= oldest_kept {
                continue;
            }
            let mut room = max - out.len();
            let expired = chunk.extract(|item| {
                let gone = item.sent < oldest_kept && room > 0;
                room -= usize::from(gone);
                gone
            });
            out.extend(expired.into_iter().map(|item| item.position));
        }
        self.drop_empty();
    }

    /// Takes everything up to `last`.
    pub(super) fn clear_through(&mut self, last: Pos, out: &mut Vec<Pos>) {
        while self.front().is_some_and(|front| front.position <= last) {
            out.extend(self.pop().map(|item| item.position));
        }
    }

    /// No message was sent before; `u64::MAX` when there is none.
    pub(super) fn oldest(&self) -> u64 {
        let older = self.older.iter().map(Chunk::oldest).min();
        older.unwrap_or(u64::MAX).min(self.tail.oldest())
    }

    fn drop_empty(&mut self) {
        self.older.retain(|chunk| !chunk.is_empty());
        self.give_back();
    }

    fn give_back(&mut self) {
        if self.older.capacity() > SPARE_CHUNKS && self.older.len() < self.older.capacity() / 4 {
            self.older.shrink_to((2 * self.older.len()).max(SPARE_CHUNKS));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.older.iter().map(Chunk::len).sum::<usize>() + self.tail.len()
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let chunks = self.older.iter().map(Chunk::heap_bytes).sum::<usize>();
        chunks + self.older.capacity() * size_of::<Chunk>() + self.tail.heap_bytes()
    }
}
