//! The metadata of a group frame: a run of tagged items, and what they mean for the index.
//!
//! ```text
//! 1 partition: partition
//! 2 claim:     partition · token · bytes of node · node
//! 3 commit:    partition · token · n
//! 4 append:    step of position · bytes of body · bytes of meta · meta
//! 5 delete:    step of position · positions after the first that are deleted too
//! 6 note:      step of position · bytes of note · note
//! ```
//!
//! All numbers are of variable length. Items 4 to 6 belong to the partition that the last item 1 to 3 named; their
//! steps are from the last position of the same kind of item since then. Bodies lie in the order of the items,
//! each followed by its checksum.

use super::format::{HEADER_BYTES, Header, Input, Kind, length, put_step, put_varint};
use super::run::{BODY_CRC_BYTES, Place, body_crc};
use crate::contract::{Append, Error, Group, Pos, Token};
use bytes::Bytes;

const PARTITION: u8 = 1;
const CLAIM: u8 = 2;
const COMMIT: u8 = 3;
const APPEND: u8 = 4;
const DELETE: u8 = 5;
const NOTE: u8 = 6;

/// Some bytes of a frame's metadata.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slice {
    pub(super) at: u32,
    pub(super) bytes: u32,
}

impl Slice {
    pub(super) fn of(self, meta: &[u8]) -> &[u8] {
        let place = usize::try_from(self.at)
            .ok()
            .zip(usize::try_from(self.bytes).ok());
        place
            .and_then(|(at, bytes)| meta.get(at..at.checked_add(bytes)?))
            .unwrap_or_default()
    }
}

/// What an item does to the index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    Claim {
        partition: u32,
        token: Token,
    },
    Commit {
        partition: u32,
        token: Token,
        n: u64,
    },
    Append {
        partition: u32,
        pos: Pos,
        place: Place,
        /// Its meta in the metadata of the frame.
        meta: Slice,
    },
    /// All from the first to the last.
    Delete {
        partition: u32,
        first: Pos,
        last: Pos,
    },
    Note {
        partition: u32,
        pos: Pos,
        note: Bytes,
    },
}

/// The last positions that items named since the last item that named a partition.
#[derive(Clone, Copy, Default)]
struct Last {
    append: u64,
    delete: u64,
    note: u64,
}

/// A group frame in the making.
#[derive(Default)]
pub(super) struct FrameBuilder {
    meta: Vec<u8>,
    bodies: Vec<(Bytes, u32)>,
    body_bytes: usize,
    effects: Vec<Effect>,
    partition: Option<u32>,
    last: Last,
}

/// What a finished frame holds besides its bytes.
pub(super) struct Frame {
    pub(super) meta: Vec<u8>,
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
        let items = (self.effects.len() as u64).saturating_mul(super::catalog::ITEM_BYTES);
        items.saturating_add(self.meta.len() as u64)
    }

    pub(super) fn claim(&mut self, partition: u32, token: Token, node: &str) {
        self.partition = None;
        self.meta.push(CLAIM);
        put_varint(&mut self.meta, u64::from(partition));
        put_varint(&mut self.meta, token.0);
        self.bytes(node.as_bytes());
        self.effects.push(Effect::Claim { partition, token });
    }

    pub(super) fn commit(&mut self, partition: u32, token: Token, n: u64, group: Group) {
        self.partition = Some(partition);
        self.last = Last::default();
        self.meta.push(COMMIT);
        put_varint(&mut self.meta, u64::from(partition));
        put_varint(&mut self.meta, token.0);
        put_varint(&mut self.meta, n);
        self.effects.push(Effect::Commit { partition, token, n });
        let Group {
            append,
            mut delete,
            notes,
        } = group;
        self.bodies.reserve(append.len());
        self.effects.reserve(append.len().saturating_add(notes.len()));
        for append in append {
            self.append(partition, append);
        }
        delete.sort_unstable();
        delete.dedup();
        for range in delete.chunk_by(|a, b| a.0.checked_add(1) == Some(b.0)) {
            if let [first, .., last] | [first @ last] = range {
                self.delete(partition, *first, *last);
            }
        }
        self.notes(partition, notes);
    }

    pub(super) fn notes(&mut self, partition: u32, notes: Vec<(Pos, Bytes)>) {
        for (pos, note) in notes {
            self.enter(partition);
            self.meta.push(NOTE);
            put_step(&mut self.meta, self.last.note, pos.0);
            self.last.note = pos.0;
            self.bytes(&note);
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
        let Append { pos, meta, body } = append;
        let place = Place {
            body: length(self.body_bytes),
            body_bytes: length(body.len()),
        };
        self.meta.push(APPEND);
        put_step(&mut self.meta, self.last.append, pos.0);
        self.last.append = pos.0;
        put_varint(&mut self.meta, body.len() as u64);
        self.bytes(&meta);
        let slice = Slice {
            at: length(self.meta.len().saturating_sub(meta.len())),
            bytes: length(meta.len()),
        };
        self.body_bytes = self
            .body_bytes
            .saturating_add(body.len())
            .saturating_add(BODY_CRC_BYTES);
        let crc = body_crc(partition, pos, &body);
        self.bodies.push((body, crc));
        self.effects.push(Effect::Append {
            partition,
            pos,
            place,
            meta: slice,
        });
    }

    /// Deletes all from the first to the last.
    pub(super) fn delete(&mut self, partition: u32, first: Pos, last: Pos) {
        self.enter(partition);
        self.meta.push(DELETE);
        put_step(&mut self.meta, self.last.delete, first.0);
        put_varint(&mut self.meta, last.0.saturating_sub(first.0));
        self.last.delete = last.0;
        self.effects.push(Effect::Delete {
            partition,
            first,
            last,
        });
    }

    fn enter(&mut self, partition: u32) {
        if self.partition != Some(partition) {
            self.partition = Some(partition);
            self.last = Last::default();
            self.meta.push(PARTITION);
            put_varint(&mut self.meta, u64::from(partition));
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        put_varint(&mut self.meta, bytes.len() as u64);
        self.meta.extend_from_slice(bytes);
    }

    /// Places the frame at `offset` and writes it into `out`, in the place of what is there. One buffer for the
    /// group, used again and again: copying small bodies once costs no more than a list of vectors as long as the group.
    pub(super) fn finish(
        self,
        segment: u64,
        offset: u64,
        synced_to: u64,
        out: &mut Vec<u8>,
    ) -> Result<Frame, Error> {
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
        out.clear();
        out.reserve(self.frame_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.meta);
        for (body, crc) in &self.bodies {
            out.extend_from_slice(body);
            out.extend_from_slice(&crc.to_le_bytes());
        }
        out.extend_from_slice(&trailer);
        let mut effects = self.effects;
        let base = header.bodies_at();
        for effect in &mut effects {
            if let Effect::Append { place, .. } = effect {
                place.body = base
                    .checked_add(u64::from(place.body))
                    .and_then(|body| u32::try_from(body).ok())
                    .ok_or(Error::TooLarge)?;
            }
        }
        Ok(Frame {
            meta: self.meta,
            effects,
        })
    }
}

/// What the metadata of a group frame does; `None` when it is not well-formed.
pub(super) fn effects_of(header: &Header, meta: &[u8]) -> Option<Vec<Effect>> {
    let mut input = Input(meta);
    let mut effects = Vec::new();
    let mut current = None;
    let mut last = Last::default();
    let mut body = header.bodies_at();
    while !input.is_empty() {
        match input.u8()? {
            PARTITION => {
                current = Some(input.varint_u32()?);
                last = Last::default();
            }
            CLAIM => {
                let (partition, token) = (input.varint_u32()?, Token(input.varint()?));
                input.varint_bytes()?;
                current = None;
                effects.push(Effect::Claim { partition, token });
            }
            COMMIT => {
                let (partition, token, n) = (input.varint_u32()?, Token(input.varint()?), input.varint()?);
                current = Some(partition);
                last = Last::default();
                effects.push(Effect::Commit { partition, token, n });
            }
            APPEND => {
                last.append = input.step(last.append)?;
                let place = Place {
                    body: u32::try_from(body).ok()?,
                    body_bytes: input.varint_u32()?,
                };
                body = place.end();
                let own = input.varint_bytes()?;
                let end = meta.len().checked_sub(input.0.len())?;
                effects.push(Effect::Append {
                    partition: current?,
                    pos: Pos(last.append),
                    place,
                    meta: Slice {
                        at: u32::try_from(end.checked_sub(own.len())?).ok()?,
                        bytes: length(own.len()),
                    },
                });
            }
            DELETE => {
                let first = input.step(last.delete)?;
                last.delete = first.checked_add(input.varint()?)?;
                effects.push(Effect::Delete {
                    partition: current?,
                    first: Pos(first),
                    last: Pos(last.delete),
                });
            }
            NOTE => {
                last.note = input.step(last.note)?;
                let note = Bytes::copy_from_slice(input.varint_bytes()?);
                effects.push(Effect::Note {
                    partition: current?,
                    pos: Pos(last.note),
                    note,
                });
            }
            _ => return None,
        }
    }
    let bodies_end = header.bodies_at().checked_add(u64::from(header.body_bytes))?;
    (body == bodies_end).then_some(effects)
}
