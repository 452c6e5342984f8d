use std::collections::HashSet;

use bulla_runtime::SystemEntropy;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn sealer() -> Sealer {
    Sealer::new(DataKey::generate(&SystemEntropy)).unwrap()
}

/// A sealer and what opens its values.
fn pair() -> (Sealer, Arc<Opener>) {
    let sealer = sealer();
    let reader = sealer.opener();
    (sealer, reader)
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

// Source: NIST, "The Galois/Counter Mode of Operation (GCM)" (McGrew, Viega), appendix B, test cases 14 and 16.
#[test]
fn known_answers_of_aes_256_gcm() {
    let cases = [
        (
            "0000000000000000000000000000000000000000000000000000000000000000",
            "000000000000000000000000",
            "",
            "00000000000000000000000000000000",
            "cea7403d4d606b6e074ec5d3baf39d18",
            "d0d1c8a799996bf0265b98b5d48ab919",
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ),
    ];
    for (key, nonce, aad, plaintext, ciphertext, tag) in cases {
        let stored = [vec![VERSION], unhex(nonce), unhex(ciphertext), unhex(tag)].concat();
        let opener = Opener::new(&SecretKey::from_slice(&unhex(key)).unwrap()).unwrap();
        let answer = opener.open(SealedRef::parse(&stored).unwrap(), &unhex(aad));
        assert_eq!(answer, Ok(unhex(plaintext)));
    }
}

#[test]
fn a_sealed_value_opens_with_the_wrapped_key_given_back() {
    let data_key = DataKey::generate(&SystemEntropy);
    let stored_key = SecretKey::from_slice(data_key.key().expose()).unwrap();
    let sealed = Sealer::new(data_key)
        .unwrap()
        .seal(SealBuffer::from(&b"body"[..]), b"queue")
        .unwrap();
    let stored = sealed.into_bytes();
    assert_eq!(stored.len(), 4 + SEALED_OVERHEAD_BYTES);
    let opener = Opener::new(&stored_key).unwrap();
    assert_eq!(
        opener.open(SealedRef::parse(&stored).unwrap(), b"queue"),
        Ok(b"body".to_vec())
    );
    assert_eq!(
        opener.open(SealedRef::parse(&stored).unwrap(), b"other"),
        Err(OpenError::Refused)
    );
}

#[test]
fn another_key_does_not_open() {
    let sealed = sealer().seal(SealBuffer::from(&b"body"[..]), b"").unwrap();
    assert_eq!(
        sealer().opener().open(sealed.as_ref(), b""),
        Err(OpenError::Refused)
    );
}

#[test]
fn the_body_is_not_copied_while_it_is_sealed() {
    let buffer = SealBuffer::from(&[7_u8; 1000][..]);
    let place = buffer.0.as_ptr();
    let sealed = sealer().seal(buffer, b"").unwrap();
    assert_eq!(sealed.as_bytes().as_ptr(), place);
}

#[test]
fn no_two_values_share_a_nonce_even_when_sealed_from_many_threads() {
    let sealer = sealer();
    let nonces = |count: usize| -> Vec<Vec<u8>> {
        let seal =
            |_| sealer.seal(SealBuffer::with_capacity(0), b"").unwrap().as_bytes()[1..HEADER_BYTES].to_vec();
        (0..count).map(seal).collect()
    };
    let all: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| nonces(2_000))).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 8_000);
}

#[test]
fn a_sealer_refuses_after_its_last_value() {
    let sealer = sealer();
    sealer.sealed.store(SEALS_MAX - 1, Ordering::Relaxed);
    assert!(sealer.seal(SealBuffer::with_capacity(0), b"").is_ok());
    for _ in 0..3 {
        assert_eq!(
            sealer.seal(SealBuffer::with_capacity(0), b""),
            Err(SealError::Exhausted)
        );
    }
}

#[test]
fn debug_prints_no_content() {
    let sealer = sealer();
    assert_eq!(format!("{:?}", SealBuffer::from(&b"body"[..])), "SealBuffer(..)");
    assert_eq!(format!("{:?}", sealer.opener()), "Opener(..)");
    assert_eq!(
        format!("{:?}", sealer.seal(SealBuffer::with_capacity(0), b"").unwrap()),
        "Sealed(29 bytes)"
    );
}

#[test]
fn a_refused_value_leaves_the_output_as_it_was() {
    let (sealer, opener) = pair();
    let value = sealer.seal(SealBuffer::from(&b"body"[..]), b"").unwrap();
    let mut out = b"before".to_vec();
    assert_eq!(
        opener.open_into(value.as_ref(), b"x", &mut out),
        Err(OpenError::Refused)
    );
    assert_eq!(out, b"before");
    opener.open_into(value.as_ref(), b"", &mut out).unwrap();
    assert_eq!(out, b"beforebody");
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens(body in vec(any::<u8>(), 0..300), aad in vec(any::<u8>(), 0..40)) {
        let sealer = sealer();
        let sealed = sealer.seal(SealBuffer::from(body.as_slice()), &aad).unwrap();
        let stored = SealedRef::parse(sealed.as_bytes()).unwrap();
        prop_assert_eq!(stored.plaintext_bytes(), body.len());
        prop_assert_eq!(sealer.opener().open(stored, &aad), Ok(body));
    }

    #[test]
    fn every_flipped_bit_is_refused(body in vec(any::<u8>(), 0..40)) {
        let sealer = sealer();
        let sealed = sealer.seal(SealBuffer::from(body.as_slice()), b"aad").unwrap();
        for bit in 0..sealed.as_bytes().len() * 8 {
            let mut stored = sealed.as_bytes().to_vec();
            stored[bit / 8] ^= 1 << (bit % 8);
            let opened = SealedRef::parse(&stored).and_then(|stored| sealer.opener().open(stored, b"aad"));
            prop_assert!(opened.is_err());
        }
    }

    #[test]
    fn every_shortened_or_random_value_is_refused(body in vec(any::<u8>(), 0..80)) {
        let (sealer, opener) = pair();
        prop_assert!(SealedRef::parse(&body).and_then(|stored| opener.open(stored, b"")).is_err());
        let value = sealer.seal(SealBuffer::from(body.as_slice()), b"").unwrap();
        for end in 0..value.as_bytes().len() {
            let answer = SealedRef::parse(&value.as_bytes()[..end]).and_then(|stored| opener.open(stored, b""));
            prop_assert!(answer.is_err());
        }
    }
}
