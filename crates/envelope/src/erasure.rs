//! Erasure keys: what must be destroyed so that something can never be opened again, wherever copies of it lie.
//!
//! Deleting a record does not reach the backups that were made of it. So what shall once be destroyed for good is wrapped
//! under a key that is derived from the instance key *and* an erasure key ([`crate::SecretKey::derive_with`]). Erasure keys
//! lie in a place of their own, outside the data folder and its backups; when one is destroyed, whatever was wrapped
//! under it is lost in every copy of the data folder.
//!
//! What must stay true:
//! - An erasure key is durable before anything is wrapped under it.
//! - A name whose erasure key was destroyed never has one again: a tombstone stays, and says when.
//! - What is missing without a tombstone is reported, never taken for destroyed, and never made anew.
//! - A destruction that was interrupted is begun again with the same result.

mod folder;
mod format;
mod memory;

use crate::secret::SecretKey;
use bulla_runtime::BoxFuture;
use bulla_types::Timestamp;
use std::fmt;
use std::sync::Arc;

pub use folder::KeyringFolder;
pub use memory::MemoryErasureKeys;

/// The longest name, bytes.
const NAME_BYTES_MAX: usize = 128;

/// Where erasure keys are kept.
pub trait ErasureKeys: Send + Sync {
    /// The erasure keys of these names, in their order; those that do not exist are made. All are durable when it is
    /// answered.
    ///
    /// # Errors
    /// [`ErasureError`], also when one of them was destroyed or does not open; then some may have been made.
    fn create(&self, names: Vec<ErasureName>) -> BoxFuture<'_, Result<Vec<Arc<SecretKey>>, ErasureError>>;

    /// What there is under these names, in their order.
    ///
    /// # Errors
    /// [`ErasureError`] when the place as a whole cannot be read.
    fn load(&self, names: Vec<ErasureName>) -> BoxFuture<'_, Result<Vec<ErasureState>, ErasureError>>;

    /// Destroys an erasure key, and leaves a tombstone; done again it changes nothing. There need not be a key.
    ///
    /// # Errors
    /// [`ErasureError`]; the key may still be there, and destroying is to be tried again.
    fn destroy(&self, name: ErasureName, now: Timestamp) -> BoxFuture<'_, Result<Tombstone, ErasureError>>;

    /// Whether nothing was ever kept in the place.
    ///
    /// # Errors
    /// [`ErasureError`].
    fn is_new(&self) -> BoxFuture<'_, Result<bool, ErasureError>>;

    /// Where the erasure key of a name is, in the operator's words.
    fn describe(&self, name: &ErasureName) -> String;
}

/// What an erasure key is called: lower-case letters, digits and `-`, 1 to 128 of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErasureName(Arc<str>);

impl ErasureName {
    /// The name with this text; `None` when it is not one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ErasureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What there is under a name.
#[derive(Debug)]
pub enum ErasureState {
    /// The key.
    Present(Arc<SecretKey>),
    /// It was destroyed. Something of it may still be there, if that was interrupted.
    Destroyed(Tombstone),
    /// No key that can be used, and nothing that says that it was destroyed.
    Missing {
        /// What is wrong, in the operator's words.
        why: String,
    },
}

/// What is left of an erasure key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// When its destruction began.
    pub begun: Timestamp,
    /// Whether there was a key to destroy when it began.
    pub had_key: bool,
}

/// Why erasure keys cannot be made, read or destroyed, in the operator's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureError {
    what: String,
    why: String,
    fix: String,
}

impl ErasureError {
    /// What happened, why, and how to fix it; one line each, lower case, no secret.
    #[must_use]
    pub fn new(what: impl Into<String>, why: impl fmt::Display, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: why.to_string(),
            fix: fix.into(),
        }
    }

    /// What happened.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Why.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// How to fix it.
    #[must_use]
    pub fn fix(&self) -> &str {
        &self.fix
    }

    pub(crate) fn destroyed(name: &ErasureName, tombstone: &Tombstone) -> Self {
        Self::new(
            format!("the erasure key `{name}` was destroyed"),
            format!("its destruction began at {}", tombstone.begun.iso8601_millis()),
            "nothing can be wrapped under that name again; make a key of another name",
        )
    }
}

impl fmt::Display for ErasureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.what, self.why, self.fix)
    }
}

impl std::error::Error for ErasureError {}
