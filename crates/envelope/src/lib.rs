//! Envelope encryption: what is stored is sealed with a data key, keys are wrapped by keys, and the first key of that
//! chain, the root key, does not lie beside the data.
//!
//! ```text
//! root key (a file, a passphrase, PKCS#11, a key service)
//!   └ wraps the instance key of one data folder          InstanceKey
//!       └ derives a key for each purpose (HKDF)           Purpose
//!           └ wraps access keys, and, together with an erasure key that lies elsewhere (`ErasureKeys`), KMS key material
//!               └ wraps data keys                         wrap
//!                   └ seals message bodies                Sealer
//! ```
//!
//! Why an instance key between the root key and the rest: a root key that lives in a device or another service can wrap
//! and unwrap but not derive; it is asked once at start; and replacing it rewrites one record, not every key.
//!
//! What must stay true:
//! - Nothing is sealed twice with one key and nonce. A [`Sealer`] takes a [`DataKey`] that was just generated, counts, and
//!   is never restored; [`wrap`] derives a key of its own for each call from a random salt.
//! - [`Sealed`] is made by a [`Sealer`] and nowhere else, so that a log which takes `Sealed` cannot hold plaintext.
//! - Every seal and wrap binds associated data. Where it has several parts they are joined by [`encode_parts`], which no
//!   two lists share.
//! - Secrets are wiped when dropped, compared in constant time, and never printed.
//!
//! All of it is AES-256-GCM (NIST SP 800-38D) and HKDF-SHA-256 (RFC 5869) of aws-lc.

mod aad;
mod derive;
mod erasure;
mod hex;
mod instance;
mod root;
mod seal;
mod secret;
mod tag;
mod wrap;

pub use aad::{encode_encryption_context, encode_parts, push_parts};
pub use derive::Purpose;
pub use erasure::{
    ErasureError, ErasureKeys, ErasureName, ErasureState, KeyringFolder, MemoryErasureKeys, Tombstone,
};
pub use instance::{Binding, InstanceKey};
pub use root::{
    DataFolder, DataFolderState, FileRootKey, MemoryRootKey, PASSPHRASE_BYTES_MAX, PASSPHRASE_CHARACTERS_MIN,
    PassphraseRootKey, Pkcs11Place, Pkcs11RootKey, RootKey, RootKeyDescription, RootKeyError,
    RootKeyErrorCode, RootKeyId, RootKeyLocation, RootKeyOrigin, RootKeyProvider, Wrapped, is_inside,
};
pub use seal::{
    OpenError, Opener, SEALED_OVERHEAD_BYTES, SEALS_MAX, SealBuffer, SealError, Sealed, SealedRef, Sealer,
};
pub use secret::{DataKey, KEY_BYTES, SecretBytes, SecretKey};
pub use tag::{TAG_BYTES, Tagger, sha256};
pub use wrap::{WRAPPED_OVERHEAD_BYTES, unwrap, wrap};
