//! Randomness.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::cell::RefCell;

/// Random bytes that are drawn ahead for ids, bytes.
const IDS_BYTES: usize = 1024;
const _: () = assert!(IDS_BYTES >= 16);

/// Random bytes, fit for keys.
pub trait Entropy: Send + Sync {
    /// Fills `out` wholly.
    fn fill(&self, out: &mut [u8]);

    /// Eight random bytes as a number.
    fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Sixteen random bytes, enough for an id. Not for keys: an implementation may draw them ahead.
    fn id_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }
}

/// Bytes for ids, drawn ahead: the generator takes as long for sixteen bytes as for a thousand.
struct Ids {
    bytes: [u8; IDS_BYTES],
    /// From here on nobody has had them.
    unused_from: usize,
}

impl Ids {
    fn next(&mut self, source: SystemEntropy) -> [u8; 16] {
        if let Some(id) = self.take() {
            return id;
        }
        source.fill(&mut self.bytes);
        self.unused_from = 0;
        self.take().unwrap_or_default()
    }

    fn take(&mut self) -> Option<[u8; 16]> {
        let (id, _) = self
            .bytes
            .get_mut(self.unused_from..)?
            .split_first_chunk_mut::<16>()?;
        self.unused_from += id.len();
        // What was handed out is not kept.
        Some(std::mem::take(id))
    }
}

thread_local! {
    static IDS: RefCell<Ids> = const {
        RefCell::new(Ids { bytes: [0; IDS_BYTES], unused_from: IDS_BYTES })
    };
}

/// The generator of aws-lc, seeded by the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        if SystemRandom::new().fill(out).is_err() {
            // A key made without randomness is worse than no server.
            std::process::abort();
        }
    }

    fn id_bytes(&self) -> [u8; 16] {
        IDS.with_borrow_mut(|ids| ids.next(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::{Entropy as _, IDS_BYTES, SystemEntropy};
    use std::collections::HashSet;

    #[test]
    fn no_id_comes_twice_and_none_is_empty() {
        let count = 3 * IDS_BYTES / 16;
        let mut ids: HashSet<[u8; 16]> = (0..count).map(|_| SystemEntropy.id_bytes()).collect();
        assert!(ids.insert([0; 16]), "an id was all zeros");
        assert_eq!(ids.len(), count + 1);
    }
}
