//! The metadata of a group frame: a run of tagged items, and what they mean for the index.
//!
//! ```text
//! 1 partition: partition u32
//! 2 claim:     partition u32 · token u64 · bytes of node u16 · node
//! 3 commit:    partition u32 · token u64 · n u64
//! 4 append:    pos u64 · bytes of meta u32 · offset of body among the bodies u32 · bytes of body u32
//!              · crc of body u32 · crc of partition, these fields and meta u32 · meta
//! 5 delete:    pos u64
//! 6 note:      pos u64 · bytes of note u16 · note
//! ```
//!
//! Items 4 to 6 belong to the partition that the last item 1 to 3 named.

use super::format::{HEADER_BYTES, Header, Input, Kind, length};
use crate::contract::{Append, Error, Group, Pos, Token};
use bytes::Bytes;

const PARTITION: u8 = 1;
const CLAIM: u8 = 2;
const COMMIT: u8 = 3;
const APPEND: u8 = 4;
const DELETE: u8 = 5;
const NOTE: u8 = 6;

/// Bytes of an append item before its meta.
pub(super) const APPEND_BYTES: usize = 29;
/// Of these, those under the item's checksum.
const APPEND_SUMMED_BYTES: usize = 25;

/// Where a record is; all that is kept in memory per record. Offsets count from the start of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) pos: Pos,
    /// Of its append item.
    pub(super) head: u32,
    pub(super) body: u32,
    pub(super) body_bytes: u32,
    pub(super) body_crc: u32,
}

/// What an item does to the index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    Claim { partition: u32, token: Token },
    Commit { partition: u32, token: Token, n: u64 },
    Append { partition: u32, entry: Entry },
    Delete { partition: u32, pos: Pos },
    Note { partition: u32, pos: Pos, note: Bytes },
}

/// A group frame in the making.
#[derive(Default)]
pub(super) struct FrameBuilder {
    meta: Vec<u8>,
    bodies: Vec<Bytes>,
    body_bytes: usize,
    effects: Vec<Effect>,
    partition: Option<u32>,
}

/// A finished frame.
pub(super) struct Frame {
    pub(super) bytes: Vec<u8>,
    pub(super) effects: Vec<Effect>,
}

impl FrameBuilder {
    pub(super) fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    /// Bytes of the frame as it is now.
    pub(super) fn frame_bytes(&self) -> usize {
        HEADER_BYTES + super::format::TRAILER_BYTES + self.meta.len() + self.body_bytes
    }

    /// Bytes that the frame adds to the index of its file, at most.
    pub(super) fn index_bytes(&self) -> u64 {
        (self.effects.len() as u64).saturating_mul(super::catalog::ITEM_BYTES)
    }

    pub(super) fn claim(&mut self, partition: u32, token: Token, node: &str) {
        self.partition = None;
        self.meta.push(CLAIM);
        self.meta.extend_from_slice(&partition.to_le_bytes());
        self.meta.extend_from_slice(&token.0.to_le_bytes());
        self.short(node.as_bytes());
        self.effects.push(Effect::Claim { partition, token });
    }

    pub(super) fn commit(&mut self, partition: u32, token: Token, n: u64, group: Group) {
        self.partition = Some(partition);
        self.meta.push(COMMIT);
        self.meta.extend_from_slice(&partition.to_le_bytes());
        self.meta.extend_from_slice(&token.0.to_le_bytes());
        self.meta.extend_from_slice(&n.to_le_bytes());
        self.effects.push(Effect::Commit { partition, token, n });
        for append in group.append {
            self.append(partition, append);
        }
        for pos in group.delete {
            self.delete(partition, pos);
        }
        self.notes(partition, group.notes);
    }

    pub(super) fn notes(&mut self, partition: u32, notes: Vec<(Pos, Bytes)>) {
        for (pos, note) in notes {
            self.enter(partition);
            self.meta.push(NOTE);
            self.meta.extend_from_slice(&pos.0.to_le_bytes());
            self.short(&note);
            // A copy: a note must not hold on to the request that it came in.
            self.effects.push(Effect::Note {
                partition,
                pos,
                note: Bytes::copy_from_slice(&note),
            });
        }
    }

    pub(super) fn append(&mut self, partition: u32, append: Append) {
        self.enter(partition);
        let head = self.meta.len();
        let entry = Entry {
            pos: append.pos,
            head: length(head),
            body: length(self.body_bytes),
            body_bytes: length(append.body.len()),
            body_crc: crc32c::crc32c(&append.body),
        };
        self.meta.push(APPEND);
        self.meta.extend_from_slice(&append.pos.0.to_le_bytes());
        for narrow in [
            length(append.meta.len()),
            entry.body,
            entry.body_bytes,
            entry.body_crc,
        ] {
            self.meta.extend_from_slice(&narrow.to_le_bytes());
        }
        let fields = self.meta.get(head..).unwrap_or_default();
        let crc = head_crc(partition, fields, &append.meta);
        self.meta.extend_from_slice(&crc.to_le_bytes());
        self.meta.extend_from_slice(&append.meta);
        self.body_bytes = self.body_bytes.saturating_add(append.body.len());
        self.bodies.push(append.body);
        self.effects.push(Effect::Append { partition, entry });
    }

    pub(super) fn delete(&mut self, partition: u32, pos: Pos) {
        self.enter(partition);
        self.meta.push(DELETE);
        self.meta.extend_from_slice(&pos.0.to_le_bytes());
        self.effects.push(Effect::Delete { partition, pos });
    }

    fn enter(&mut self, partition: u32) {
        if self.partition != Some(partition) {
            self.partition = Some(partition);
            self.meta.push(PARTITION);
            self.meta.extend_from_slice(&partition.to_le_bytes());
        }
    }

    fn short(&mut self, bytes: &[u8]) {
        let count = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.meta.extend_from_slice(&count.to_le_bytes());
        self.meta
            .extend_from_slice(bytes.get(..usize::from(count)).unwrap_or_default());
    }

    /// Places the frame at `offset`. One buffer for the group: copying small bodies costs less than a list of
    /// vectors as long as the group.
    pub(super) fn finish(self, segment: u64, offset: u64, synced_to: u64) -> Result<Frame, Error> {
        let header = Header {
            kind: Kind::Group,
            segment,
            offset,
            synced_to,
            meta_bytes: u32::try_from(self.meta.len()).map_err(|_| Error::TooLarge)?,
            body_bytes: u32::try_from(self.body_bytes).map_err(|_| Error::TooLarge)?,
            meta_crc: crc32c::crc32c(&self.meta),
        };
        let (head, trailer) = header.encode();
        let mut bytes = Vec::with_capacity(self.frame_bytes());
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&self.meta);
        for body in &self.bodies {
            bytes.extend_from_slice(body);
        }
        bytes.extend_from_slice(&trailer);
        let mut effects = self.effects;
        for effect in &mut effects {
            if let Effect::Append { entry, .. } = effect {
                *entry = placed(&header, *entry).ok_or(Error::TooLarge)?;
            }
        }
        Ok(Frame { bytes, effects })
    }
}

/// An entry whose offsets count from the metadata and the bodies, counted from the start of the file.
fn placed(header: &Header, entry: Entry) -> Option<Entry> {
    let metas_at = header.offset.checked_add(HEADER_BYTES as u64)?;
    let head = u32::try_from(metas_at.checked_add(u64::from(entry.head))?).ok()?;
    let body = u32::try_from(header.bodies_at().checked_add(u64::from(entry.body))?).ok()?;
    Some(Entry { head, body, ..entry })
}

fn head_crc(partition: u32, fields: &[u8], meta: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&partition.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(crc, fields), meta)
}

/// An append item, read back.
pub(super) struct AppendItem<'a> {
    pub(super) pos: Pos,
    pub(super) meta: &'a [u8],
    pub(super) body: u32,
    pub(super) body_bytes: u32,
    pub(super) body_crc: u32,
}

/// How an attempt to read an append item from the start of `bytes` ended.
pub(super) enum AppendRead<'a> {
    Item(AppendItem<'a>),
    /// The item needs this many bytes, more than there are.
    Short(usize),
    Damaged,
}

/// Reads the append item that `bytes` begin with, and checks it.
pub(super) fn read_append(partition: u32, bytes: &[u8]) -> AppendRead<'_> {
    let mut input = Input(bytes);
    let Some(fields) = input.take(APPEND_BYTES) else {
        return AppendRead::Short(APPEND_BYTES);
    };
    let parse = |mut fields: Input<'_>| {
        let tag = fields.u8()?;
        let pos = Pos(fields.u64()?);
        Some((
            tag,
            pos,
            fields.u32()?,
            fields.u32()?,
            fields.u32()?,
            fields.u32()?,
            fields.u32()?,
        ))
    };
    let Some((APPEND, pos, meta_bytes, body, body_bytes, body_crc, crc)) = parse(Input(fields)) else {
        return AppendRead::Damaged;
    };
    let Some(meta_bytes) = usize::try_from(meta_bytes)
        .ok()
        .filter(|bytes| *bytes <= crate::LIMITS.value)
    else {
        return AppendRead::Damaged;
    };
    let Some(meta) = input.take(meta_bytes) else {
        return AppendRead::Short(APPEND_BYTES + meta_bytes);
    };
    let summed = fields.get(..APPEND_SUMMED_BYTES).unwrap_or_default();
    if head_crc(partition, summed, meta) != crc {
        return AppendRead::Damaged;
    }
    AppendRead::Item(AppendItem {
        pos,
        meta,
        body,
        body_bytes,
        body_crc,
    })
}

/// What the metadata of a group frame does; `None` when it is not well-formed.
pub(super) fn effects_of(header: &Header, meta: &[u8]) -> Option<Vec<Effect>> {
    let mut input = Input(meta);
    let mut effects = Vec::new();
    let mut current = None;
    while !input.is_empty() {
        let head = meta.len() - input.0.len();
        let before = input;
        match input.u8()? {
            PARTITION => current = Some(input.u32()?),
            CLAIM => {
                let (partition, token) = (input.u32()?, Token(input.u64()?));
                let node = input.u16()?;
                input.take(usize::from(node))?;
                current = None;
                effects.push(Effect::Claim { partition, token });
            }
            COMMIT => {
                let (partition, token, n) = (input.u32()?, Token(input.u64()?), input.u64()?);
                current = Some(partition);
                effects.push(Effect::Commit { partition, token, n });
            }
            APPEND => {
                let partition = current?;
                let AppendRead::Item(item) = read_append(partition, before.0) else {
                    return None;
                };
                input.take(APPEND_BYTES - 1 + item.meta.len())?;
                let AppendItem {
                    pos,
                    body,
                    body_bytes,
                    body_crc,
                    ..
                } = item;
                let entry = Entry {
                    pos,
                    head: u32::try_from(head).ok()?,
                    body,
                    body_bytes,
                    body_crc,
                };
                effects.push(Effect::Append {
                    partition,
                    entry: placed(header, entry)?,
                });
            }
            DELETE => effects.push(Effect::Delete {
                partition: current?,
                pos: Pos(input.u64()?),
            }),
            NOTE => {
                let pos = Pos(input.u64()?);
                let count = input.u16()?;
                let note = Bytes::copy_from_slice(input.take(usize::from(count))?);
                effects.push(Effect::Note {
                    partition: current?,
                    pos,
                    note,
                });
            }
            _ => return None,
        }
    }
    Some(effects)
}
