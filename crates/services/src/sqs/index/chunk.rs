//! Some hundreds of messages in a few bytes each: positions and sent times as differences to the message before.
//!
//! Reading goes from front to back only, so what is done most is cheap: adding at the end, and taking the first. Everything
//! else writes the chunk anew, which is a kibibyte.

use bulla_storage::Pos;

/// A message that is ready and was never received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) position: Pos,
    /// Milliseconds since the epoch.
    pub(super) sent: u64,
}

/// Encoded bytes of a chunk, at most.
const CHUNK_BYTES_MAX: usize = 1024;
/// Encoded bytes of one message, at most: two numbers of 64 bits in groups of seven.
const ITEM_BYTES_MAX: usize = 20;
const _: () = assert!(CHUNK_BYTES_MAX < u16::MAX as usize);

/// Messages in rising order of position.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    first: Item,
    last: Item,
    /// No message was sent before.
    oldest: u64,
    /// What follows the first message, from `start` on.
    bytes: Vec<u8>,
    start: u16,
    len: u16,
}

impl Chunk {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn first(&self) -> Option<Item> {
        (self.len > 0).then_some(self.first)
    }

    pub(super) fn last(&self) -> Option<Item> {
        (self.len > 0).then_some(self.last)
    }

    /// No message was sent before; `u64::MAX` when there is none.
    pub(super) fn oldest(&self) -> u64 {
        if self.len == 0 { u64::MAX } else { self.oldest }
    }

    /// Adds a message behind the last. Answers false when there is no room.
    pub(super) fn push(&mut self, item: Item) -> bool {
        if self.len > 0 && self.bytes.len() + ITEM_BYTES_MAX > CHUNK_BYTES_MAX {
            if usize::from(self.start) < CHUNK_BYTES_MAX / 2 {
                return false;
            }
            self.bytes.drain(..usize::from(self.start));
            self.start = 0;
        }
        self.append(item);
        true
    }

    fn append(&mut self, item: Item) {
        if self.len == 0 {
            self.bytes.clear();
            (self.first, self.start, self.oldest) = (item, 0, item.sent);
        } else {
            write_step(&mut self.bytes, self.last, item);
            self.oldest = self.oldest.min(item.sent);
        }
        self.last = item;
        self.len += 1;
    }

    /// Takes the first message.
    pub(super) fn pop(&mut self) -> Option<Item> {
        let first = self.first()?;
        self.len -= 1;
        if self.len > 0 {
            let rest = self.bytes.get(usize::from(self.start)..)?;
            let (next, behind) = read_step(rest, first)?;
            let read = rest.len() - behind.len();
            self.first = next;
            self.start += u16::try_from(read).unwrap_or(0);
        }
        Some(first)
    }

    /// All messages, in order.
    pub(super) fn items(&self) -> Vec<Item> {
        let mut items = Vec::with_capacity(self.len.into());
        let Some(mut item) = self.first() else {
            return items;
        };
        items.push(item);
        let mut rest = self.bytes.get(usize::from(self.start)..).unwrap_or_default();
        while let Some((next, behind)) = read_step(rest, item) {
            items.push(next);
            (item, rest) = (next, behind);
        }
        items
    }

    /// Puts a message in its place. When there is no room for all, the front half is answered.
    pub(super) fn insert(&mut self, item: Item) -> Option<Self> {
        if self.put_in_front(item) {
            return None;
        }
        let mut items = self.items();
        let at = items.partition_point(|other| other.position < item.position);
        items.insert(at, item);
        *self = Self::of(&items);
        if self.bytes.len() <= CHUNK_BYTES_MAX {
            return None;
        }
        let (front, back) = items.split_at(items.len() / 2);
        *self = Self::of(back);
        Some(Self::of(front))
    }

    /// Puts a message before the first where messages taken before left room.
    fn put_in_front(&mut self, item: Item) -> bool {
        if self.len == 0 {
            self.append(item);
            return true;
        }
        if item.position >= self.first.position {
            return false;
        }
        let mut step = Vec::with_capacity(ITEM_BYTES_MAX);
        write_step(&mut step, item, self.first);
        let end = usize::from(self.start);
        let start = end.checked_sub(step.len());
        let Some(room) = start.and_then(|start| self.bytes.get_mut(start..end)) else {
            return false;
        };
        room.copy_from_slice(&step);
        self.start -= u16::try_from(step.len()).unwrap_or(0);
        self.first = item;
        self.oldest = self.oldest.min(item.sent);
        self.len += 1;
        true
    }

    /// Takes out the messages for which `gone` holds.
    pub(super) fn extract(&mut self, mut gone: impl FnMut(Item) -> bool) -> Vec<Item> {
        let (out, kept): (Vec<Item>, Vec<Item>) = self.items().into_iter().partition(|item| gone(*item));
        // Also when nothing went: the oldest is exact afterwards.
        *self = Self::of(&kept);
        out
    }

    fn of(items: &[Item]) -> Self {
        let mut chunk = Self::default();
        for item in items {
            chunk.append(*item);
        }
        chunk
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len.into()
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

fn write_step(bytes: &mut Vec<u8>, from: Item, to: Item) {
    write(bytes, to.position.0.wrapping_sub(from.position.0));
    let sent = to.sent.wrapping_sub(from.sent);
    // Small numbers for small differences in both directions.
    write(bytes, (sent << 1) ^ (sent >> 63).wrapping_neg());
}

fn read_step(bytes: &[u8], from: Item) -> Option<(Item, &[u8])> {
    let (position, rest) = read(bytes)?;
    let (sent, rest) = read(rest)?;
    let sent = (sent >> 1) ^ (sent & 1).wrapping_neg();
    let item = Item {
        position: Pos(from.position.0.wrapping_add(position)),
        sent: from.sent.wrapping_add(sent),
    };
    Some((item, rest))
}

fn write(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn read(mut bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    loop {
        let (byte, rest) = bytes.split_first()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
        shift += 7;
        bytes = rest;
    }
}
