//! The texts of a keyring's files: an erasure key, and what is left of one.
//!
//! ```text
//! bulla-erasure-key 1            bulla-erasure-tombstone 1
//! name NAME                      name NAME
//! wrapped HEXADECIMAL            begun MILLISECONDS
//!                                had-key true
//!                                seal HEXADECIMAL
//! ```
//!
//! The key is wrapped under a key of the instance, bound to its name: a copy of the keyring alone is of no use, and no file
//! serves in another's place. A tombstone is sealed by the same key, because a server that meets one throws the record of
//! the key away.

use super::{ErasureName, Tombstone};
use crate::aad::encode_parts;
use crate::hex::{hex, unhex};
use crate::seal::SealError;
use crate::secret::SecretKey;
use crate::wrap::{unwrap, wrap};
use bulla_runtime::Entropy;
use bulla_types::Timestamp;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The largest file that is read, bytes.
pub(super) const FILE_BYTES_MAX: u64 = 4096;

const KEY_LINE: &str = "bulla-erasure-key 1";
const TOMBSTONE_LINE: &str = "bulla-erasure-tombstone 1";

/// The text of a key's file.
pub(super) fn write_key(
    name: &ErasureName,
    key: &SecretKey,
    wrapping: &SecretKey,
    entropy: &dyn Entropy,
) -> Result<String, SealError> {
    let wrapped = wrap(wrapping, key.expose(), &key_binding(name), entropy)?;
    Ok(format!("{KEY_LINE}\nname {name}\nwrapped {}\n", *hex(&wrapped)))
}

/// Reads the text of a key's file.
///
/// # Errors
/// What is wrong with it, in the operator's words.
pub(super) fn read_key(
    name: &ErasureName,
    text: &str,
    wrapping: &SecretKey,
) -> Result<Arc<SecretKey>, &'static str> {
    let mut lines = Lines::of(text, KEY_LINE, name)?;
    let wrapped = lines.field("wrapped").and_then(unhex).ok_or(DAMAGED)?;
    lines.end()?;
    let key = unwrap(wrapping, &wrapped, &key_binding(name))
        .map_err(|_| "it was changed, or belongs to another instance")?;
    SecretKey::from_slice(key.expose())
        .map(Arc::new)
        .ok_or("its key has the wrong length")
}

/// The text of a tombstone.
pub(super) fn write_tombstone(
    name: &ErasureName,
    tombstone: &Tombstone,
    wrapping: &SecretKey,
    entropy: &dyn Entropy,
) -> Result<String, SealError> {
    let seal = wrap(wrapping, b"", &tombstone_binding(name, tombstone), entropy)?;
    let (begun, had_key) = (tombstone.begun.as_millis(), tombstone.had_key);
    Ok(format!(
        "{TOMBSTONE_LINE}\nname {name}\nbegun {begun}\nhad-key {had_key}\nseal {}\n",
        *hex(&seal)
    ))
}

/// Reads the text of a tombstone.
///
/// # Errors
/// What is wrong with it, in the operator's words.
pub(super) fn read_tombstone(
    name: &ErasureName,
    text: &str,
    wrapping: &SecretKey,
) -> Result<Tombstone, &'static str> {
    let mut lines = Lines::of(text, TOMBSTONE_LINE, name)?;
    let begun = lines.field("begun").and_then(|text| text.parse().ok());
    let had_key = lines.field("had-key").and_then(|text| text.parse().ok());
    let seal = lines.field("seal").and_then(unhex).ok_or(DAMAGED)?;
    lines.end()?;
    let tombstone = Tombstone {
        begun: Timestamp::from_millis(begun.ok_or(DAMAGED)?),
        had_key: had_key.ok_or(DAMAGED)?,
    };
    unwrap(wrapping, &seal, &tombstone_binding(name, &tombstone))
        .map(|_| tombstone)
        .map_err(|_| "it was changed, or belongs to another instance")
}

const DAMAGED: &str = "a line is missing, unreadable or too many";

struct Lines<'a>(std::str::Lines<'a>);

impl<'a> Lines<'a> {
    /// The lines behind the first two, which say what the file is.
    fn of(text: &'a str, first: &str, name: &ErasureName) -> Result<Self, &'static str> {
        let mut lines = Self(text.lines());
        if lines.0.next() != Some(first) {
            return Err("it is not a file of a keyring that this version knows");
        }
        match lines.field("name") {
            Some(found) if found == name.as_str() => Ok(lines),
            Some(_) => Err("it belongs to another key"),
            None => Err(DAMAGED),
        }
    }

    fn field(&mut self, name: &str) -> Option<&'a str> {
        let (found, value) = self.0.next()?.split_once(' ')?;
        (found == name).then_some(value)
    }

    fn end(mut self) -> Result<(), &'static str> {
        self.0.next().map_or(Ok(()), |_| Err(DAMAGED))
    }
}

fn key_binding(name: &ErasureName) -> Vec<u8> {
    encode_parts(&[b"bulla erasure key 1", name.as_str().as_bytes()])
}

fn tombstone_binding(name: &ErasureName, tombstone: &Tombstone) -> Vec<u8> {
    let begun = tombstone.begun.as_millis().to_be_bytes();
    let had_key = [u8::from(tombstone.had_key)];
    encode_parts(&[
        b"bulla erasure tombstone 1",
        name.as_str().as_bytes(),
        &begun,
        &had_key,
    ])
}

/// As much room as a file takes, so that no copy of it is left behind by growing.
pub(super) fn room() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(
        2 * usize::try_from(FILE_BYTES_MAX).unwrap_or_default(),
    ))
}
