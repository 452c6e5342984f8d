//! A root key that somebody knows: derived from a passphrase by Argon2id (RFC 9106).
//!
//! Nothing of it is stored but the salt and what the derivation costs, beside what was wrapped. So whoever has the data
//! folder can try passphrases, each at that cost: a short one is found. Therefore a passphrase has a least length when
//! something is bound to it, and the cost is the one that RFC 9106 (section 4, second choice) recommends where memory is
//! limited: 64 MiB, 3 passes, 4 lanes.
//!
//! What is wrapped is `01` (the format), the memory in KiB (4 bytes, big-endian), the passes (4), the lanes (1), 16 bytes
//! of salt, and a value of [`crate::wrap`] whose associated data begin with all of these.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use bulla_runtime::Entropy;
use zeroize::{Zeroize, Zeroizing};

use super::{
    LocalRootKey, RootKey, RootKeyDescription, RootKeyError, RootKeyErrorCode, RootKeyProvider, Wrapped,
};
use crate::aad::encode_parts;
use crate::secret::{KEY_BYTES, SecretBytes, SecretKey};
use crate::wrap::unwrap;

/// The fewest characters of a passphrase that something is bound to (NIST SP 800-63B-4, 3.1.1.2, for a password that
/// stands alone).
pub const PASSPHRASE_CHARACTERS_MIN: usize = 15;

/// The longest passphrase, bytes.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;

const FORMAT: u8 = 1;
const SALT_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + 4 + 4 + 1 + SALT_BYTES;

/// What one derivation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u8,
}

impl Cost {
    const RECOMMENDED: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 4,
    };
    /// A record that asks for more was tampered with: it would stop the server, not protect it.
    const MAX: Self = Self {
        memory_kib: 2 * 1024 * 1024,
        passes: 64,
        lanes: 64,
    };

    fn is_allowed(self) -> bool {
        let Self {
            memory_kib,
            passes,
            lanes,
        } = self;
        memory_kib <= Self::MAX.memory_kib && passes <= Self::MAX.passes && lanes <= Self::MAX.lanes
    }
}

/// The cost and the salt, as they stand before what was wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    cost: Cost,
    salt: [u8; SALT_BYTES],
}

impl Header {
    fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.cost.memory_kib.to_be_bytes());
        bytes.extend_from_slice(&self.cost.passes.to_be_bytes());
        bytes.push(self.cost.lanes);
        bytes.extend_from_slice(&self.salt);
        bytes
    }

    /// The header and what follows it.
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (format, rest) = bytes.split_first()?;
        let (memory_kib, rest) = rest.split_first_chunk()?;
        let (passes, rest) = rest.split_first_chunk()?;
        let (lanes, rest) = rest.split_first()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let cost = Cost {
            memory_kib: u32::from_be_bytes(*memory_kib),
            passes: u32::from_be_bytes(*passes),
            lanes: *lanes,
        };
        (*format == FORMAT && cost.is_allowed()).then_some((Self { cost, salt: *salt }, rest))
    }
}

/// The root key that a passphrase gives.
pub struct PassphraseRootKey {
    passphrase: SecretBytes,
    cost: Cost,
}

impl PassphraseRootKey {
    /// The root key of a passphrase. Whether it is the right one shows when something is unwrapped.
    ///
    /// # Errors
    /// `BULLA-K019` when it is empty or longer than [`PASSPHRASE_BYTES_MAX`].
    pub fn new(passphrase: SecretBytes) -> Result<Self, RootKeyError> {
        let bytes = passphrase.expose().len();
        if bytes == 0 {
            return Err(unusable("it is empty"));
        }
        if bytes > PASSPHRASE_BYTES_MAX {
            return Err(unusable(format!(
                "it is longer than {PASSPHRASE_BYTES_MAX} bytes"
            )));
        }
        Ok(Self {
            passphrase,
            cost: Cost::RECOMMENDED,
        })
    }

    fn key(&self, header: &Header) -> Result<LocalRootKey, RootKeyError> {
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = header.cost;
        let failed = |error: argon2::Error| {
            RootKeyError::new(
                RootKeyErrorCode::CannotUnwrap,
                "the root key cannot be derived from the passphrase",
                error.to_string(),
                "restore the data folder from a backup",
            )
        };
        let params = Params::new(memory_kib, passes, lanes.into(), Some(KEY_BYTES)).map_err(failed)?;
        // The memory of the derivation tells the key; it is wiped before it is given back.
        let mut memory = vec![Block::default(); params.block_count()];
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let derived = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                self.passphrase.expose(),
                &header.salt,
                key.as_mut_slice(),
                &mut memory,
            );
        memory.iter_mut().for_each(Zeroize::zeroize);
        derived.map_err(failed)?;
        let key = SecretKey::from_slice(key.as_slice()).ok_or_else(RootKeyError::binding_damaged)?;
        LocalRootKey::new(key)
    }
}

impl RootKey for PassphraseRootKey {
    fn wrap(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Wrapped, RootKeyError> {
        let characters = String::from_utf8_lossy(self.passphrase.expose()).chars().count();
        if characters < PASSPHRASE_CHARACTERS_MIN {
            return Err(unusable(format!(
                "it has fewer than {PASSPHRASE_CHARACTERS_MIN} characters, and whoever has a copy of the data can try \
                 as many as they like"
            )));
        }
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt);
        let header = Header {
            cost: self.cost,
            salt,
        };
        let mut bytes = header.write();
        let inner = self
            .key(&header)?
            .wrap(plaintext, &encode_parts(&[&bytes, aad]), entropy)?;
        bytes.extend_from_slice(&inner.bytes);
        Ok(Wrapped { id: inner.id, bytes })
    }

    fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<SecretBytes, RootKeyError> {
        let (header, inner) = Header::read(&wrapped.bytes).ok_or_else(RootKeyError::binding_damaged)?;
        let key = self.key(&header)?;
        // The name is derived from the key, one way: another passphrase gives another name.
        if key.id != wrapped.id {
            return Err(RootKeyError::new(
                RootKeyErrorCode::WrongPassphrase,
                "the passphrase is not the one of this data folder",
                format!("the data folder is bound to root key {}", wrapped.id),
                "give the passphrase that the data folder was bound to; check the file for further lines and spaces",
            ));
        }
        unwrap(&key.key, inner, &encode_parts(&[&header.write(), aad]))
            .map_err(|error| RootKeyError::cannot_unwrap(key.id, error))
    }

    fn describe(&self) -> RootKeyDescription {
        RootKeyDescription {
            provider: RootKeyProvider::Passphrase,
            id: None,
            since_epoch_seconds: None,
            place: "known to the operator".to_owned(),
        }
    }
}

impl fmt::Debug for PassphraseRootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassphraseRootKey(..)")
    }
}

fn unusable(why: impl Into<String>) -> RootKeyError {
    RootKeyError::new(
        RootKeyErrorCode::UnusablePassphrase,
        "the passphrase cannot be used",
        why,
        "choose a longer one, for instance six random words",
    )
}

#[cfg(test)]
mod tests {
    use bulla_runtime::SystemEntropy;

    use super::*;

    const PASSPHRASE: &str = "correct horse battery staple";
    const CHEAP: Cost = Cost {
        memory_kib: 64,
        passes: 1,
        lanes: 2,
    };

    fn root(passphrase: &str) -> PassphraseRootKey {
        PassphraseRootKey {
            cost: CHEAP,
            ..PassphraseRootKey::new(SecretBytes::new(passphrase.into())).unwrap()
        }
    }

    #[test]
    fn the_passphrase_gives_back_what_was_wrapped() {
        let wrapped = root(PASSPHRASE).wrap(b"secret", b"aad", &SystemEntropy).unwrap();
        let again = root(PASSPHRASE);
        assert_eq!(again.unwrap(&wrapped, b"aad").unwrap().expose(), b"secret");
        assert_eq!(
            again.unwrap(&wrapped, b"aae").unwrap_err().code(),
            RootKeyErrorCode::CannotUnwrap
        );
    }

    #[test]
    fn what_is_bound_costs_what_rfc_9106_recommends() {
        let root = PassphraseRootKey::new(SecretBytes::new(PASSPHRASE.into())).unwrap();
        let wrapped = root.wrap(b"secret", b"", &SystemEntropy).unwrap();
        let (header, _) = Header::read(&wrapped.bytes).unwrap();
        assert_eq!(
            header.cost,
            Cost {
                memory_kib: 65_536,
                passes: 3,
                lanes: 4
            }
        );
        assert_eq!(root.unwrap(&wrapped, b"").unwrap().expose(), b"secret");
    }

    #[test]
    fn a_wrong_passphrase_is_told_from_damage() {
        let wrapped = root(PASSPHRASE).wrap(b"secret", b"", &SystemEntropy).unwrap();
        for wrong in [
            "Correct horse battery staple",
            "correct horse battery staple ",
            "\u{1F600}",
        ] {
            let error = root(wrong).unwrap(&wrapped, b"").unwrap_err();
            assert_eq!(error.code(), RootKeyErrorCode::WrongPassphrase);
            assert!(!error.to_string().contains(wrong), "{error}");
        }
        let mut damaged = wrapped;
        *damaged.bytes.last_mut().unwrap() ^= 1;
        let error = root(PASSPHRASE).unwrap(&damaged, b"").unwrap_err();
        assert_eq!(error.code(), RootKeyErrorCode::CannotUnwrap);
    }

    #[test]
    fn a_short_passphrase_opens_and_binds_nothing() {
        let error = root("fourteen chars").wrap(b"", b"", &SystemEntropy).unwrap_err();
        assert_eq!(error.code(), RootKeyErrorCode::UnusablePassphrase);
        // Characters count, not bytes.
        assert!(root("ööööööööööööööö").wrap(b"", b"", &SystemEntropy).is_ok());
        for unusable in [Vec::new(), vec![b'x'; PASSPHRASE_BYTES_MAX + 1]] {
            let error = PassphraseRootKey::new(SecretBytes::new(unusable)).unwrap_err();
            assert_eq!(error.code(), RootKeyErrorCode::UnusablePassphrase);
        }
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let root = root(PASSPHRASE);
        let wrapped = root.wrap(b"secret", b"", &SystemEntropy).unwrap();
        for bit in 0..wrapped.bytes.len() * 8 {
            // Other memory and passes are other keys, at a cost that a test need not pay.
            if (1..9).contains(&(bit / 8)) {
                continue;
            }
            let mut damaged = wrapped.clone();
            damaged.bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(root.unwrap(&damaged, b"").is_err(), "bit {bit}");
        }
        for end in 0..wrapped.bytes.len() {
            let mut damaged = wrapped.clone();
            damaged.bytes.truncate(end);
            assert!(root.unwrap(&damaged, b"").is_err(), "{end} bytes");
        }
    }

    #[test]
    fn a_record_cannot_ask_for_more_memory_than_allowed() {
        let header = |memory_kib| Header {
            cost: Cost { memory_kib, ..CHEAP },
            salt: [0; SALT_BYTES],
        };
        assert!(Header::read(&header(Cost::MAX.memory_kib).write()).is_some());
        assert!(Header::read(&header(Cost::MAX.memory_kib + 1).write()).is_none());
    }

    /// Test vector of the reference implementation (P-H-C/phc-winner-argon2, `src/test.c`: version 0x13, Argon2id, 2
    /// passes, 64 MiB, 1 lane).
    #[test]
    fn the_derivation_is_argon2id() {
        let mut key = [0; KEY_BYTES];
        let params = Params::new(64 * 1024, 2, 1, Some(KEY_BYTES)).unwrap();
        let mut memory = vec![Block::default(); params.block_count()];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(b"password", b"somesalt", &mut key, &mut memory)
            .unwrap();
        let tag = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        let byte = |at: usize| u8::from_str_radix(&tag[2 * at..2 * at + 2], 16).unwrap();
        assert_eq!(key, std::array::from_fn(byte));
    }

    #[test]
    fn debug_never_prints_the_passphrase() {
        assert_eq!(format!("{:?}", root(PASSPHRASE)), "PassphraseRootKey(..)");
    }
}
