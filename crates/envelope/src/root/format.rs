//! The text of a root key file.
//!
//! ```text
//! # Root key of a Bulla server. ..
//! bulla-root-key 1
//! created 1795239000
//! key 64 hexadecimal digits
//! check 16 hexadecimal digits
//! ```
//!
//! Lines that begin with `#` and empty lines mean nothing. `check` is the beginning of SHA-256 over the two lines before it,
//! so that a file that was cut off or mistyped is told from a wrong key.

use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::hex::{hex, unhex};
use crate::secret::{KEY_BYTES, SecretKey};

/// The largest file that is read as a root key, bytes.
pub(super) const FILE_BYTES_MAX: u64 = 4096;

const CHECK_BYTES: usize = 8;
const COMMENT: &str = "\
# Root key of a Bulla server. Whoever reads this file can decrypt everything in the data folders bound to it;
# without this file nothing in them can be decrypted. Keep a copy, apart from the data and its backups.
";

/// What a root key file says.
#[derive(Debug)]
pub(super) struct KeyFile {
    pub(super) key: SecretKey,
    pub(super) created_epoch_seconds: u64,
}

/// What is wrong with a root key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It does not say that it is a root key of a version known here.
    NotARootKey,
    /// The key is not 64 hexadecimal digits.
    KeyLength,
    /// A line is missing or unreadable.
    Damaged,
    /// The check does not belong to the key.
    Check,
}

impl KeyFile {
    /// The text of the file.
    pub(super) fn write(&self) -> Zeroizing<String> {
        let key = hex(self.key.expose());
        let check = hex(&check(&self.key, self.created_epoch_seconds));
        let mut text = Zeroizing::new(String::with_capacity(1024));
        text.push_str(COMMENT);
        for part in [
            "bulla-root-key 1\ncreated ",
            &self.created_epoch_seconds.to_string(),
            "\nkey ",
            &key,
        ] {
            text.push_str(part);
        }
        text.push_str("\ncheck ");
        text.push_str(&check);
        text.push('\n');
        text
    }

    /// Reads the text of the file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Flaw> {
        let text = std::str::from_utf8(bytes).map_err(|_| Flaw::NotARootKey)?;
        let mut lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        if lines.next() != Some("bulla-root-key 1") {
            return Err(Flaw::NotARootKey);
        }
        let mut field = |name: &str| {
            let (found, value) = lines
                .next()
                .and_then(|line| line.split_once(' '))
                .ok_or(Flaw::Damaged)?;
            if found == name {
                Ok(value.trim())
            } else {
                Err(Flaw::Damaged)
            }
        };
        let created_epoch_seconds = field("created")?.parse().map_err(|_| Flaw::Damaged)?;
        let key = unhex(field("key")?)
            .and_then(|bytes| SecretKey::from_slice(&bytes))
            .ok_or(Flaw::KeyLength)?;
        let stated = unhex(field("check")?).ok_or(Flaw::Damaged)?;
        if lines.next().is_some() {
            return Err(Flaw::Damaged);
        }
        if stated.as_slice() != check(&key, created_epoch_seconds) {
            return Err(Flaw::Check);
        }
        Ok(Self {
            key,
            created_epoch_seconds,
        })
    }
}

fn check(key: &SecretKey, created_epoch_seconds: u64) -> [u8; CHECK_BYTES] {
    let mut checked = Zeroizing::new(Vec::with_capacity(64 + KEY_BYTES));
    checked.extend_from_slice(b"bulla-root-key 1");
    checked.extend_from_slice(&created_epoch_seconds.to_be_bytes());
    checked.extend_from_slice(key.expose());
    digest(&SHA256, &checked)
        .as_ref()
        .first_chunk()
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text() -> String {
        let key = SecretKey::from_slice(&[0xA5; KEY_BYTES]).unwrap();
        KeyFile {
            key,
            created_epoch_seconds: 1_795_239_000,
        }
        .write()
        .to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let read = KeyFile::parse(text().as_bytes()).unwrap();
        assert_eq!(read.key.expose(), &[0xA5; KEY_BYTES]);
        assert_eq!(read.created_epoch_seconds, 1_795_239_000);
    }

    #[test]
    fn flaws_are_told_apart() {
        let parse = |text: String| KeyFile::parse(text.as_bytes()).map(drop);
        assert_eq!(parse(String::new()), Err(Flaw::NotARootKey));
        assert_eq!(
            parse("-----BEGIN PRIVATE KEY-----".to_owned()),
            Err(Flaw::NotARootKey)
        );
        assert_eq!(
            parse(text().replace("root-key 1", "root-key 2")),
            Err(Flaw::NotARootKey)
        );
        assert_eq!(parse(text().replace("key a5", "key ")), Err(Flaw::KeyLength));
        assert_eq!(parse(text().replace("key a5", "key a6")), Err(Flaw::Check));
        assert_eq!(
            parse(text().replace("created 1795239000", "created 1795239001")),
            Err(Flaw::Check)
        );
        assert_eq!(parse(text().replace("created", "made")), Err(Flaw::Damaged));
        assert_eq!(parse(text() + "more\n"), Err(Flaw::Damaged));
    }

    #[test]
    fn every_shortened_file_is_refused() {
        let text = text();
        for end in 0..text.len() - 1 {
            assert!(KeyFile::parse(&text.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn random_files_never_panic(rest in "(created|key|check|[0-9a-f ]|\\PC|\n){0,60}") {
            let _ = KeyFile::parse(format!("bulla-root-key 1\n{rest}").as_bytes());
        }
    }
}
