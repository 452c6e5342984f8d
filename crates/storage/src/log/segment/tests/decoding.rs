//! Decoders take any bytes and never panic; what was encoded comes back.

use super::super::catalog::{Catalog, Part};
use super::super::file::{parse_segment_name, segment_name};
use super::super::format::{HEADER_BYTES, Header, Input, Kind, Start, State, TRAILER_BYTES, decode_states};
use super::super::items::{Effect, Entry, FrameBuilder, effects_of, read_append};
use crate::contract::{Append, Group, Pos, Token};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

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

fn entry() -> impl Strategy<Value = Entry> {
    (any::<u64>(), any::<[u32; 4]>()).prop_map(|(pos, [head, body, body_bytes, body_crc])| Entry {
        pos: Pos(pos),
        head,
        body,
        body_bytes,
        body_crc,
    })
}

fn note() -> impl Strategy<Value = (Pos, Bytes)> {
    (any::<u64>(), bytes(256)).prop_map(|(pos, note)| (Pos(pos), note))
}

fn part() -> impl Strategy<Value = Part> {
    let deletes = vec(any::<u64>().prop_map(Pos), 0..9);
    (any::<u32>(), vec(entry(), 0..9), deletes, vec(note(), 0..9)).prop_map(
        |(partition, entries, deletes, notes)| Part {
            partition,
            entries,
            deletes,
            notes,
        },
    )
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
        let _ = Catalog::decode(&bytes);
        let _ = decode_states(&mut Input(&bytes));
        let _ = read_append(1, &bytes);
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
    fn starts_and_catalogs_come_back(first: u64, last: u64, states in vec(state(), 0..9), parts in vec(part(), 0..4)) {
        let start = Start { first, last, states: states.clone() };
        prop_assert_eq!(Start::decode(&start.encode()), Some(start));
        let catalog = Catalog { states, parts };
        prop_assert_eq!(Catalog::decode(&catalog.encode()), Some(catalog));
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
        let frame = builder.finish(segment, offset, offset).unwrap();
        let header = Header::decode(&frame.bytes, segment, offset).unwrap();
        prop_assert_eq!(header.frame_bytes(), frame.bytes.len() as u64);
        prop_assert!(header.ends_with(&frame.bytes[frame.bytes.len() - TRAILER_BYTES..]));
        let metas = HEADER_BYTES..HEADER_BYTES + usize::try_from(header.meta_bytes).unwrap();
        let effects = effects_of(&header, &frame.bytes[metas]).unwrap();
        prop_assert_eq!(&effects, &frame.effects);
        let bodies = effects.iter().filter_map(|effect| match effect {
            Effect::Append { entry, .. } => {
                let from = usize::try_from(u64::from(entry.body) - offset).unwrap();
                Some(frame.bytes[from..from + usize::try_from(entry.body_bytes).unwrap()].to_vec())
            }
            Effect::Claim { .. } | Effect::Commit { .. } | Effect::Delete { .. } | Effect::Note { .. } => None,
        });
        let expected = groups.iter().flat_map(|(_, _, _, group)| group.append.iter().map(|append| append.body.to_vec()));
        prop_assert!(bodies.eq(expected));
    }
}
