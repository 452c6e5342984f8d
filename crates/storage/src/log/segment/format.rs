//! How the log lies in its files.
//!
//! A file is a run of frames. A frame is a group: whole or not there. It begins with a header that names its
//! segment and its own offset (so that bytes in the wrong place are not taken for a frame), goes on with the
//! metadata of all its records, then their bodies, and ends with a trailer, the commit marker.
//!
//! ```text
//! header 48: magic u32 · version u8 · kind u8 · 0 u16 · segment u64 · offset u64 · synced_to u64
//!            · meta bytes u32 · body bytes u32 · crc of meta u32 · crc of this header u32
//! meta:      items (see `items`), or the start or index of a segment
//! bodies:    one after the other, each followed by its own checksum u32; in an index, the metas of its records
//! trailer 16: magic u32 · crc of header u32 · bytes of the frame u64
//! ```
//!
//! All numbers are little-endian or, where it says so, of variable length: seven bits a byte, lowest first, the
//! high bit set in all but the last. All checksums are CRC-32C. `synced_to` is how far the segment was durable when
//! the frame was written. It is what tells a torn write from corruption: a damaged frame that begins before the
//! `synced_to` of a later one had been durable, so it was damaged afterwards.

use crate::contract::{Error, Pos, Token};

pub(super) const HEADER_BYTES: usize = 48;
pub(super) const TRAILER_BYTES: usize = 16;
pub(super) const FRAME_MAGIC: u32 = 0x464C_7542;
const TRAILER_MAGIC: u32 = 0x6D6F_4342;
/// Raised with every change of the layout; nothing is read that has another one.
pub(super) const VERSION: u8 = 2;

/// What a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The first frame of a file: which segments it covers and the state of the partitions before it.
    Start,
    /// Commits, claims, notes.
    Group,
    /// The last frame of a sealed file: what the file holds and the state of the partitions after it.
    Index,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Start => 1,
            Self::Group => 2,
            Self::Index => 3,
        }
    }

    const fn parse(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Start),
            2 => Some(Self::Group),
            3 => Some(Self::Index),
            _ => None,
        }
    }
}

/// The head of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// The number of the (last) segment the file covers.
    pub(super) segment: u64,
    /// Where the frame begins in its file.
    pub(super) offset: u64,
    pub(super) synced_to: u64,
    pub(super) meta_bytes: u32,
    pub(super) body_bytes: u32,
    pub(super) meta_crc: u32,
}

impl Header {
    /// Bytes of the whole frame.
    pub(super) fn frame_bytes(&self) -> u64 {
        let fixed = (HEADER_BYTES + TRAILER_BYTES) as u64;
        fixed + u64::from(self.meta_bytes) + u64::from(self.body_bytes)
    }

    /// Where the bodies begin in the file.
    pub(super) fn bodies_at(&self) -> u64 {
        self.offset
            .saturating_add(HEADER_BYTES as u64)
            .saturating_add(u64::from(self.meta_bytes))
    }

    /// Where the frame ends in the file.
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.frame_bytes())
    }

    fn unsealed(&self, version: u8) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&FRAME_MAGIC.to_le_bytes());
        out.extend_from_slice(&[version, self.kind.code(), 0, 0]);
        for wide in [self.segment, self.offset, self.synced_to] {
            out.extend_from_slice(&wide.to_le_bytes());
        }
        for narrow in [self.meta_bytes, self.body_bytes, self.meta_crc] {
            out.extend_from_slice(&narrow.to_le_bytes());
        }
        out
    }

    /// Header and trailer as bytes.
    pub(super) fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let mut header = self.unsealed(VERSION);
        let crc = crc32c::crc32c(&header);
        header.extend_from_slice(&crc.to_le_bytes());
        let mut trailer = Vec::with_capacity(TRAILER_BYTES);
        trailer.extend_from_slice(&TRAILER_MAGIC.to_le_bytes());
        trailer.extend_from_slice(&crc.to_le_bytes());
        trailer.extend_from_slice(&self.frame_bytes().to_le_bytes());
        (header, trailer)
    }

    /// The header that `bytes` begin with, if it is one that belongs there.
    pub(super) fn decode(bytes: &[u8], segment: u64, offset: u64) -> Option<Self> {
        let (header, version) = Self::parse(bytes)?;
        let belongs = version == VERSION
            && header.segment == segment
            && header.offset == offset
            && header.synced_to <= offset;
        belongs.then_some(header)
    }

    /// The version of the layout, if `bytes` begin with the undamaged header of another one.
    pub(super) fn other_version(bytes: &[u8]) -> Option<u8> {
        let (_, version) = Self::parse(bytes)?;
        (version != VERSION).then_some(version)
    }

    /// Versions differ in what follows the header, not in the header.
    fn parse(bytes: &[u8]) -> Option<(Self, u8)> {
        let mut input = Input(bytes);
        let magic = input.u32()?;
        let [version, kind, zero_a, zero_b] = *input.take(4)?.first_chunk()?;
        let header = Self {
            kind: Kind::parse(kind)?,
            segment: input.u64()?,
            offset: input.u64()?,
            synced_to: input.u64()?,
            meta_bytes: input.u32()?,
            body_bytes: input.u32()?,
            meta_crc: input.u32()?,
        };
        let crc = input.u32()?;
        let sound = magic == FRAME_MAGIC
            && (zero_a, zero_b) == (0, 0)
            && crc32c::crc32c(&header.unsealed(version)) == crc;
        sound.then_some((header, version))
    }

    /// Whether `bytes` are this frame's trailer.
    pub(super) fn ends_with(&self, bytes: &[u8]) -> bool {
        self.encode().1 == bytes
    }
}

/// The length of the frame that ends where `trailer` does, if it is a trailer.
pub(super) fn trailer_frame_bytes(trailer: &[u8]) -> Option<u64> {
    let mut input = Input(trailer);
    let magic = input.u32()?;
    let _crc = input.u32()?;
    let bytes = input.u64()?;
    (magic == TRAILER_MAGIC && input.is_empty()).then_some(bytes)
}

/// What the engine knows about a partition besides its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct State {
    pub(super) token: Token,
    pub(super) last_commit: (Token, u64),
    pub(super) last_pos: Pos,
}

pub(super) fn encode_states(states: &[State], out: &mut Vec<u8>) {
    out.extend_from_slice(&length(states.len()).to_le_bytes());
    for state in states {
        for wide in [
            state.token.0,
            state.last_commit.0.0,
            state.last_commit.1,
            state.last_pos.0,
        ] {
            out.extend_from_slice(&wide.to_le_bytes());
        }
    }
}

pub(super) fn decode_states(input: &mut Input<'_>) -> Option<Vec<State>> {
    let count = input.count(32)?;
    (0..count)
        .map(|_| {
            Some(State {
                token: Token(input.u64()?),
                last_commit: (Token(input.u64()?), input.u64()?),
                last_pos: Pos(input.u64()?),
            })
        })
        .collect()
}

/// The content of a [`Kind::Start`] frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Start {
    /// The first segment that the file covers.
    pub(super) first: u64,
    /// The last one; the same unless several were rewritten into one.
    pub(super) last: u64,
    /// The partitions as they were before the first frame.
    pub(super) states: Vec<State>,
}

impl Start {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.last.to_le_bytes());
        encode_states(&self.states, &mut out);
        out
    }

    pub(super) fn decode(meta: &[u8]) -> Option<Self> {
        let mut input = Input(meta);
        let start = Self {
            first: input.u64()?,
            last: input.u64()?,
            states: decode_states(&mut input)?,
        };
        input.is_empty().then_some(start)
    }
}

/// A frame as bytes.
pub(super) fn plain_frame(
    kind: Kind,
    segment: u64,
    offset: u64,
    synced_to: u64,
    meta: &[u8],
    bodies: &[u8],
) -> Result<Vec<u8>, Error> {
    let header = Header {
        kind,
        segment,
        offset,
        synced_to,
        meta_bytes: u32::try_from(meta.len()).map_err(|_| Error::TooLarge)?,
        body_bytes: u32::try_from(bodies.len()).map_err(|_| Error::TooLarge)?,
        meta_crc: crc32c::crc32c(meta),
    };
    let (mut out, trailer) = header.encode();
    out.reserve_exact(
        meta.len()
            .saturating_add(bodies.len())
            .saturating_add(TRAILER_BYTES),
    );
    out.extend_from_slice(meta);
    out.extend_from_slice(bodies);
    out.extend_from_slice(&trailer);
    Ok(out)
}

/// A length that the limits keep far below 4 GiB.
pub(super) fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Appends a number of variable length.
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7F) as u8);
}

/// Appends how far `to` is from `from`, in either direction.
pub(super) fn put_step(out: &mut Vec<u8>, from: u64, to: u64) {
    let step = to.wrapping_sub(from).cast_signed();
    put_varint(out, ((step << 1) ^ (step >> 63)).cast_unsigned());
}

/// Bytes being decoded. Every read is checked against what is left.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.take(8)?.first_chunk()?))
    }

    /// A number of variable length, in its shortest form.
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return (byte != 0 || shift == 0).then_some(number);
            }
        }
        None
    }

    /// A number of variable length with at most 32 bits.
    pub(super) fn varint_u32(&mut self) -> Option<u32> {
        u32::try_from(self.varint()?).ok()
    }

    /// What lies as far from `from` as the next number says; see [`put_step`].
    pub(super) fn step(&mut self, from: u64) -> Option<u64> {
        let code = self.varint()?;
        let step = (code >> 1) ^ (code & 1).wrapping_neg();
        Some(from.wrapping_add(step))
    }

    /// A number of things of at least one byte each, as a number of variable length.
    pub(super) fn varint_count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.varint()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }

    /// As many bytes as the next number says.
    pub(super) fn varint_bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.varint_count()?;
        self.take(count)
    }

    /// A number of things of at least `each` bytes that can still be there.
    pub(super) fn count(&mut self, each: usize) -> Option<usize> {
        let count = usize::try_from(self.u32()?).ok()?;
        (count.checked_mul(each)? <= self.0.len()).then_some(count)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
