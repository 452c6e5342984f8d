//! Randomness.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

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

    /// Sixteen random bytes, enough for an id.
    fn id_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }
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
}
