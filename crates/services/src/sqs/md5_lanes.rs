//! MD5 of several texts side by side (RFC 1321).
//!
//! Why our own: SQS answers carry the MD5 of every body, and MD5 is a chain of dependent steps that leaves most of a
//! processor idle. Eight texts in lanes take one and a half times as long as one. A checksum that the protocol
//! prescribes; nothing here relies on its strength.
//!
//! What must stay true: the digests are those of the `md-5` crate, for every number and every length of texts; and
//! [`compress`] stays one loop over lanes without a branch inside, which is what the compiler makes vector code of.

use std::array::from_fn;

/// A digest.
pub(crate) type Digest = [u8; 16];

/// Lanes of one vector, of the instructions that every processor has.
const WIDE: usize = 4;
/// A word of each lane, in `N` vectors: the steps of one vector fill the time in which another's are under way.
type Words<const N: usize> = [[u32; WIDE]; N];

const BLOCK_BYTES: usize = 64;
/// Where the length stands in the last block.
const LENGTH_AT: usize = 56;

const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// Added in each step: the integer part of 2^32 × |sin(step)|, steps counted from 1.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// The digest of each text, in order.
pub(crate) fn digests(texts: &[&[u8]]) -> Vec<Digest> {
    use md5::{Digest as _, Md5};
    let mut digests = Vec::with_capacity(texts.len());
    for group in texts.chunks(3 * WIDE) {
        match group.len() {
            0 | 1 => digests.extend(group.iter().map(|text| Digest::from(Md5::digest(text)))),
            2..=4 => digests.extend(side_by_side::<1>(group)),
            5..=8 => digests.extend(side_by_side::<2>(group)),
            _ => digests.extend(side_by_side::<3>(group)),
        }
    }
    digests
}

/// A text and its end as MD5 wants it: a one bit, zeros, the length in bits.
struct Lane<'a> {
    whole: &'a [[u8; BLOCK_BYTES]],
    end: [[u8; BLOCK_BYTES]; 2],
    /// Blocks altogether.
    count: usize,
}

impl<'a> Lane<'a> {
    /// A lane that has nothing to do.
    const IDLE: Self = Self {
        whole: &[],
        end: [[0; BLOCK_BYTES]; 2],
        count: 0,
    };

    fn new(text: &'a [u8]) -> Self {
        let (whole, rest) = text.as_chunks::<BLOCK_BYTES>();
        let mut end = [[0; BLOCK_BYTES]; 2];
        let padded = rest.iter().chain(&[0x80]);
        for (to, from) in end.as_flattened_mut().iter_mut().zip(padded) {
            *to = *from;
        }
        let ends = if rest.len() < LENGTH_AT { 1 } else { 2 };
        let bits = u64::try_from(text.len()).unwrap_or(u64::MAX).wrapping_mul(8);
        let last = end.iter_mut().take(ends).last();
        if let Some(to) = last.and_then(|block| block.last_chunk_mut::<8>()) {
            *to = bits.to_le_bytes();
        }
        Self {
            whole,
            end,
            count: whole.len().saturating_add(ends),
        }
    }

    /// The block of this number; any block when the lane has come to its end.
    fn block(&self, number: usize) -> &[u8; BLOCK_BYTES] {
        let [first, second] = &self.end;
        match self.whole.get(number) {
            Some(block) => block,
            None if number == self.whole.len() => first,
            None => second,
        }
    }
}

/// Digests of at most `N` vectors of texts.
fn side_by_side<'a, const N: usize>(texts: &[&'a [u8]]) -> impl Iterator<Item = Digest> + use<'a, N> {
    let mut sources = texts.iter();
    let lanes: [[Lane<'a>; WIDE]; N] =
        from_fn(|_| from_fn(|_| sources.next().map_or(Lane::IDLE, |text| Lane::new(text))));
    let all = lanes.as_flattened();
    let longest = all.iter().map(|lane| lane.count).max().unwrap_or_default();
    let mut state = START.map(|word| [[word; WIDE]; N]);
    for number in 0..longest {
        let before = state;
        compress(&mut state, &words(&lanes, number));
        // What has come to its end stays as it was.
        let ended = |(at, lane): (usize, &Lane<'_>)| (number >= lane.count).then_some(at);
        for at in all.iter().enumerate().filter_map(ended) {
            for (word, before) in state.iter_mut().zip(&before) {
                if let (Some(word), Some(before)) =
                    (word.as_flattened_mut().get_mut(at), before.as_flattened().get(at))
                {
                    *word = *before;
                }
            }
        }
    }
    let [a, b, c, d] = state.map(|words| words.into_iter().flatten());
    let words = a.zip(b).zip(c).zip(d).take(texts.len());
    words.map(|(((a, b), c), d)| {
        let mut digest = Digest::default();
        for (to, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip([a, b, c, d]) {
            *to = word.to_le_bytes();
        }
        digest
    })
}

/// The sixteen words of a block, of all lanes.
#[expect(
    clippy::indexing_slicing,
    reason = "all indexes are below the arrays' lengths"
)]
fn words<const N: usize>(lanes: &[[Lane<'_>; WIDE]; N], number: usize) -> [Words<N>; 16] {
    let mut words = [[[0; WIDE]; N]; 16];
    for vector in 0..N {
        for lane in 0..WIDE {
            let block = lanes[vector][lane].block(number).as_chunks::<4>().0;
            for word in 0..16 {
                words[word][vector][lane] = u32::from_le_bytes(block[word]);
            }
        }
    }
    words
}

/// One block of each lane.
#[inline(never)]
#[expect(
    clippy::indexing_slicing,
    clippy::many_single_char_names,
    reason = "all indexes are below the arrays' lengths; the names are those of RFC 1321"
)]
fn compress<const N: usize>(state: &mut [Words<N>; 4], words: &[Words<N>; 16]) {
    let [all_a, all_b, all_c, all_d] = state;
    for lane in 0..WIDE {
        let of_lane = |words: &Words<N>| -> [u32; N] { from_fn(|vector| words[vector][lane]) };
        let (mut a, mut b, mut c, mut d) = (of_lane(all_a), of_lane(all_b), of_lane(all_c), of_lane(all_d));
        let f = |b: u32, c: u32, d: u32| d ^ (b & (c ^ d));
        let g = |b: u32, c: u32, d: u32| c ^ (d & (b ^ c));
        let h = |b: u32, c: u32, d: u32| b ^ c ^ d;
        let i = |b: u32, c: u32, d: u32| c ^ (b | !d);
        // Written out by a macro: a loop would not be unrolled before the compiler looks for vectors.
        macro_rules! round {
            ($mix:ident, $turns:expr, $word:expr, $first:literal: $($at:literal)*) => {{
                const TURNS: [u32; 4] = $turns;
                let word = |at: usize| (of_lane(&words[$word(at) % 16]), SINES[$first + at]);
                $(
                    a = step(TURNS[0], $mix, a, b, c, d, word($at));
                    d = step(TURNS[1], $mix, d, a, b, c, word($at + 1));
                    c = step(TURNS[2], $mix, c, d, a, b, word($at + 2));
                    b = step(TURNS[3], $mix, b, c, d, a, word($at + 3));
                )*
            }};
        }
        round!(f, [7, 12, 17, 22], |at| at, 0: 0 4 8 12);
        round!(g, [5, 9, 14, 20], |at| 5 * at + 1, 16: 0 4 8 12);
        round!(h, [4, 11, 16, 23], |at| 3 * at + 5, 32: 0 4 8 12);
        round!(i, [6, 10, 15, 21], |at| 7 * at, 48: 0 4 8 12);
        for vector in 0..N {
            all_a[vector][lane] = all_a[vector][lane].wrapping_add(a[vector]);
            all_b[vector][lane] = all_b[vector][lane].wrapping_add(b[vector]);
            all_c[vector][lane] = all_c[vector][lane].wrapping_add(c[vector]);
            all_d[vector][lane] = all_d[vector][lane].wrapping_add(d[vector]);
        }
    }
}

/// One step of all vectors; the new value of `a`.
#[inline(always)]
#[expect(
    clippy::indexing_slicing,
    clippy::inline_always,
    reason = "all indexes are below N; without the body in place there is no vector code"
)]
fn step<const N: usize>(
    turn: u32,
    mix: impl Fn(u32, u32, u32) -> u32,
    a: [u32; N],
    b: [u32; N],
    c: [u32; N],
    d: [u32; N],
    (word, sine): ([u32; N], u32),
) -> [u32; N] {
    from_fn(|vector| {
        let sum = a[vector].wrapping_add(word[vector].wrapping_add(sine));
        let sum = sum.wrapping_add(mix(b[vector], c[vector], d[vector]));
        sum.rotate_left(turn).wrapping_add(b[vector])
    })
}

#[cfg(test)]
mod tests {
    use super::digests;
    use md5::{Digest, Md5};
    use proptest::prelude::*;

    fn expected(texts: &[&[u8]]) -> Vec<[u8; 16]> {
        texts.iter().map(|text| Md5::digest(text).into()).collect()
    }

    #[test]
    fn every_length_around_a_block_has_the_digest_of_the_md5_crate() {
        let bytes: Vec<u8> = (0..300_u32).map(|byte| (byte % 251) as u8).collect();
        for length in 0..bytes.len() {
            let texts = [&bytes[..length]];
            assert_eq!(digests(&texts), expected(&texts), "{length} bytes");
        }
    }

    #[test]
    fn the_digest_is_that_of_the_documentation() {
        // SQS Developer Guide: "This is a test message" in the SendMessage example.
        let digests = digests(&[b"This is a test message"]);
        assert_eq!(
            crate::sqs::text::hex(&digests[0]),
            "fafb00f5732ab283681e124bf8747ed1"
        );
    }

    #[test]
    fn nothing_has_no_digests() {
        assert!(digests(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn texts_side_by_side_have_the_digests_of_the_md5_crate(
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 0..20),
        ) {
            let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(digests(&texts), expected(&texts));
        }
    }
}
