//! Decoders take any bytes and never panic; what was encoded comes back.

use super::super::catalog::{Catalog, PartRef, encode};
use super::super::file::{parse_segment_name, segment_name};
use super::super::format::{
    HEADER_BYTES, Header, Input, Kind, Start, State, TRAILER_BYTES, decode_states, put_step, put_varint,
};
use super::super::items::{Effect, FrameBuilder, effects_of};
use super::super::run::{BLOCK_RECORDS, Place, Run, body_crc, pick_metas, sound_body};
use super::super::tombstones::Tombstones;
use crate::contract::{Append, Group, Pos, Token};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn bytes(max: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

fn state() -> impl Strategy<Value = State> {
    (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(token, commit, n, pos)| State {
        token: Token(token),
        last_commit: (Token(commit), n),
        last_pos: Pos(pos),
    })
}

/// A record's step from the last position, bytes of its body, meta, and whether it is deleted.
fn entry() -> impl Strategy<Value = (u64, u32, Bytes)> {
    (
        prop_oneof![3 => Just(1_u64), 1 => 1..1_u64 << 40],
        0..1_u32 << 20,
        bytes(40),
    )
}

fn tombstones() -> impl Strategy<Value = Vec<(Pos, Pos)>> {
    let range = (any::<u64>(), prop_oneof![Just(0), 0..1_000_u64]);
    let ranges = range.prop_map(|(first, more)| (Pos(first), Pos(first.saturating_add(more))));
    vec(ranges, 0..9)
}

/// A run as it is in memory while its file is written to.
fn held(entries: &[(u64, u32, Bytes)]) -> (Run, Vec<(Pos, Bytes)>) {
    let (mut run, mut known, mut pos, mut body) = (Run::default(), Vec::new(), 0, 64);
    for (step, body_bytes, meta) in entries {
        pos += step;
        let place = Place {
            body,
            body_bytes: *body_bytes,
        };
        run.push(Pos(pos), place, meta);
        body += body_bytes + 4;
        known.push((Pos(pos), meta.clone()));
    }
    (run, known)
}

fn note() -> impl Strategy<Value = (Pos, Bytes)> {
    (any::<u64>(), bytes(256)).prop_map(|(pos, note)| (Pos(pos), note))
}

fn group() -> impl Strategy<Value = Group> {
    let append = (any::<u64>(), bytes(300), bytes(300));
    let append = append.prop_map(|(pos, meta, body)| Append {
        pos: Pos(pos),
        meta,
        body,
    });
    let deletes = vec(any::<u64>().prop_map(Pos), 0..9);
    (vec(append, 0..9), deletes, vec(note(), 0..9)).prop_map(|(append, delete, notes)| Group {
        append,
        delete,
        notes,
    })
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..600), segment: u64, offset: u64) {
        let _ = Header::decode(&bytes, segment, offset);
        let _ = Start::decode(&bytes);
        let _ = Catalog::decode(&bytes, offset, u32::MAX);
        let _ = Catalog::decode(&bytes, 0, 0);
        let _ = Header::other_version(&bytes);
        let _ = Tombstones::decode(&bytes).map(|tombstones| tombstones.ranges().count());
        let _ = decode_states(&mut Input(&bytes));
        let _ = pick_metas(&Bytes::copy_from_slice(&bytes), 0, [0, 3, 4, 100].into_iter(), |_| {});
        let _ = sound_body(1, Pos(1), &bytes);
        let header = Header {
            kind: Kind::Group, segment, offset, synced_to: 0, meta_bytes: u32::MAX, body_bytes: u32::MAX, meta_crc: 0,
        };
        let _ = effects_of(&header, &bytes);
    }

    #[test]
    fn names_come_back(first: u64, more: u64, other in "[0-9a-f]{0,17}-[0-9a-f]{0,17}.log") {
        let last = first.saturating_add(more);
        prop_assert_eq!(parse_segment_name(&segment_name(first, last)), Some((first, last)));
        let _ = parse_segment_name(&other);
    }

    #[test]
    fn numbers_of_variable_length_come_back(number: u64, from: u64, to: u64) {
        let mut out = Vec::new();
        put_varint(&mut out, number);
        put_step(&mut out, from, to);
        let mut input = Input(&out);
        prop_assert_eq!(input.varint(), Some(number));
        prop_assert_eq!(input.step(from), Some(to));
        prop_assert!(input.is_empty());
    }

    #[test]
    fn tombstones_come_back(ranges in tombstones()) {
        let mut tombstones = Tombstones::default();
        for (first, last) in &ranges {
            tombstones.push(*first, *last);
        }
        let all = |tombstones: &Tombstones| {
            let ranges = tombstones.ranges();
            ranges.flat_map(|(first, last)| first.0..=last.0).collect::<Vec<_>>()
        };
        let expected: Vec<u64> = ranges.iter().flat_map(|(first, last)| first.0..=last.0).collect();
        prop_assert_eq!(all(&tombstones), expected.clone());
        prop_assert!(tombstones.encode().len() <= tombstones.bytes());
        prop_assert_eq!(all(&Tombstones::decode(&tombstones.encode()).unwrap()), expected);
    }

    #[test]
    fn a_run_finds_each_of_its_records_and_no_other(entries in vec(entry(), 0..300), from in 0..400_usize) {
        let (run, known) = held(&entries);
        for (at, (pos, _)) in known.iter().enumerate() {
            prop_assert_eq!(run.find(*pos), Some(at));
            prop_assert_eq!(run.lower_bound(*pos), at);
            let next = Pos(pos.0 + 1);
            let follows = known.get(at + 1).is_some_and(|(pos, _)| *pos == next);
            prop_assert_eq!(run.find(next).is_some(), follows);
            prop_assert_eq!(run.lower_bound(next), at + 1);
        }
        let expected: Vec<_> = known.iter().enumerate().skip(from).map(|(at, (pos, _))| (at, *pos)).collect();
        prop_assert_eq!(run.positions(from).collect::<Vec<_>>(), expected);
        prop_assert_eq!((run.first(), run.last()), (known.first().map(|k| k.0), known.last().map(|k| k.0)));
    }

    #[test]
    fn starts_and_catalogs_come_back(
        first: u64,
        last: u64,
        states in vec(state(), 0..9),
        parts in vec((vec(entry(), 0..300), tombstones(), vec(note(), 0..9)), 0..4),
        at in 0..1_u32 << 29,
    ) {
        let start = Start { first, last, states: states.clone() };
        prop_assert_eq!(Start::decode(&start.encode()), Some(start));
        let parts: Vec<_> = parts.into_iter().map(|(entries, ranges, notes)| {
            let mut deletes = Tombstones::default();
            for (first, last) in ranges { deletes.push(first, last); }
            (held(&entries), deletes, notes)
        }).collect();
        let refs: Vec<_> = (7..).zip(&parts).map(|(partition, ((run, _), deletes, notes))| PartRef {
            partition, run: Some(run), deletes: Some(deletes), notes: Some(notes),
        }).collect();
        let encoded = encode(&states, refs.into_iter());
        let (meta, blocks) = (encoded.meta.clone(), Bytes::from(encoded.blocks.clone()));
        let metas = encoded.placed(u64::from(at)).unwrap();
        let decoded = Catalog::decode(&meta, u64::from(at), u32::try_from(blocks.len()).unwrap()).unwrap();
        prop_assert_eq!(decoded.states, states);
        prop_assert_eq!(decoded.parts.len(), parts.len());
        for ((part, ((mut run, known), deletes, notes)), (partition, metas)) in decoded.parts.into_iter().zip(parts).zip(metas) {
            run.seal(metas.clone());
            prop_assert_eq!(part.partition, partition);
            prop_assert_eq!(&part.run, &run);
            prop_assert_eq!(part.deletes.encode(), deletes.encode());
            prop_assert_eq!(part.notes, notes);
            for (at_in_run, (_, meta)) in known.iter().enumerate() {
                let (from, to, crc) = metas.block(at_in_run / BLOCK_RECORDS).unwrap();
                let block = blocks.slice(usize::try_from(from - at).unwrap()..usize::try_from(to - at).unwrap());
                prop_assert_eq!(crc32c::crc32c(&block), crc);
                let first = at_in_run / BLOCK_RECORDS * BLOCK_RECORDS;
                let mut found = Vec::new();
                pick_metas(&block, first, [at_in_run].into_iter(), |meta| found.push(meta)).unwrap();
                prop_assert_eq!(found.as_slice(), std::slice::from_ref(meta));
            }
        }
    }

    #[test]
    fn a_flipped_bit_in_a_body_or_another_records_body_is_found(
        body in bytes(300), partition: u32, pos: u64, bit: prop::sample::Index,
    ) {
        let mut stored = body.to_vec();
        stored.extend_from_slice(&body_crc(partition, Pos(pos), &body).to_le_bytes());
        prop_assert_eq!(sound_body(partition, Pos(pos), &stored), Some(body.len()));
        prop_assert_eq!(sound_body(partition, Pos(pos ^ 1), &stored), None);
        prop_assert_eq!(sound_body(partition ^ 1, Pos(pos), &stored), None);
        let bit = bit.index(stored.len() * 8);
        stored[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(sound_body(partition, Pos(pos), &stored), None);
    }

    #[test]
    fn frames_come_back(
        groups in vec((0..4_u32, any::<u64>(), any::<u64>(), group()), 0..5),
        claim in proptest::option::of((any::<u32>(), any::<u64>(), "[a-z]{0,256}")),
        segment: u64,
        offset in 0..1_u64 << 30,
    ) {
        let mut builder = FrameBuilder::default();
        if let Some((partition, token, node)) = &claim {
            builder.claim(*partition, Token(*token), node);
        }
        for (partition, token, n, group) in groups.clone() {
            builder.commit(partition, Token(token), n, group);
        }
        let expected_bytes = builder.frame_bytes();
        let mut bytes = vec![0xEE; 10];
        let frame = builder.finish(segment, offset, offset, &mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), expected_bytes);
        let header = Header::decode(&bytes, segment, offset).unwrap();
        prop_assert_eq!(header.frame_bytes(), bytes.len() as u64);
        prop_assert!(header.ends_with(&bytes[bytes.len() - TRAILER_BYTES..]));
        let metas = HEADER_BYTES..HEADER_BYTES + usize::try_from(header.meta_bytes).unwrap();
        prop_assert_eq!(&bytes[metas.clone()], &frame.meta);
        let effects = effects_of(&header, &bytes[metas]).unwrap();
        prop_assert_eq!(&effects, &frame.effects);
        let mut found = Vec::new();
        for effect in &effects {
            if let Effect::Append { partition, pos, place, meta } = effect {
                let from = usize::try_from(u64::from(place.body) - offset).unwrap();
                let to = usize::try_from(place.end() - offset).unwrap();
                let length = sound_body(*partition, *pos, &bytes[from..to]).unwrap();
                found.push((*partition, *pos, meta.of(&frame.meta).to_vec(), bytes[from..from + length].to_vec()));
            }
        }
        let appended = |(partition, group): (u32, &Group)| {
            let append = |append: &Append| (partition, append.pos, append.meta.to_vec(), append.body.to_vec());
            group.append.iter().map(append).collect::<Vec<_>>()
        };
        let expected: Vec<_> = groups.iter().flat_map(|(partition, _, _, group)| appended((*partition, group))).collect();
        prop_assert_eq!(found, expected);
        let deleted: BTreeSet<_> = effects.iter().flat_map(|effect| match effect {
            Effect::Delete { partition, first, last } => (first.0..=last.0).map(|pos| (*partition, pos)).collect(),
            Effect::Append { .. } | Effect::Claim { .. } | Effect::Commit { .. } | Effect::Note { .. } => Vec::new(),
        }).collect();
        let expected: BTreeSet<_> = groups.iter()
            .flat_map(|(partition, _, _, group)| group.delete.iter().map(|pos| (*partition, pos.0)))
            .collect();
        prop_assert_eq!(deleted, expected);
    }
}
