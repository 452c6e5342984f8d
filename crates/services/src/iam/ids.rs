//! Ids and secrets of principals, out of random bytes.
//!
//! Source: IAM User Guide, "IAM identifiers: Unique identifiers" (read 2026-11-21).

use bulla_gate::SecretAccessKey;
use bulla_runtime::Entropy;
use zeroize::Zeroizing;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Characters behind the four that say what an id is of.
const ID_CHARS: usize = 16;
/// Characters of a secret access key: 240 bits.
const SECRET_CHARS: usize = 40;

/// What an id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdKind {
    AccessKey,
    TemporaryAccessKey,
    User,
    Group,
    Policy,
    Role,
}

impl IdKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::AccessKey => "AKIA",
            Self::TemporaryAccessKey => "ASIA",
            Self::User => "AIDA",
            Self::Group => "AGPA",
            Self::Policy => "ANPA",
            Self::Role => "AROA",
        }
    }
}

/// `AKIA` and the like, and 16 characters: 80 random bits.
pub(crate) fn unique_id(kind: IdKind, entropy: &dyn Entropy) -> String {
    let mut random = [0; ID_CHARS];
    entropy.fill(&mut random);
    let tail = random
        .iter()
        .filter_map(|byte| BASE32.get(usize::from(*byte) % BASE32.len()));
    kind.prefix()
        .chars()
        .chain(tail.map(|byte| char::from(*byte)))
        .collect()
}

/// The unique id of a managed policy: `ANPA` and 17 characters, as AWS's are.
pub(super) fn policy_id(entropy: &dyn Entropy) -> String {
    let mut id = unique_id(IdKind::Policy, entropy);
    let mut random = [0];
    entropy.fill(&mut random);
    let last = BASE32.get(usize::from(random[0]) % BASE32.len());
    id.extend(last.map(|byte| char::from(*byte)));
    id
}

/// A secret access key.
pub(crate) fn secret_access_key(entropy: &dyn Entropy) -> SecretAccessKey {
    let mut random = Zeroizing::new([0; SECRET_CHARS]);
    entropy.fill(random.as_mut_slice());
    let mut text = Zeroizing::new(String::with_capacity(SECRET_CHARS));
    for byte in random.iter() {
        text.extend(
            BASE64
                .get(usize::from(*byte) % BASE64.len())
                .map(|byte| char::from(*byte)),
        );
    }
    SecretAccessKey::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulla_runtime::SeededEntropy;

    #[test]
    fn ids_and_secrets_have_the_form_that_aws_gives_them() {
        let entropy = SeededEntropy::new(7);
        let id = unique_id(IdKind::AccessKey, &entropy);
        assert_eq!(id.len(), 20);
        assert!(
            id.starts_with("AKIA")
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        );
        let secret = secret_access_key(&entropy);
        assert_eq!(secret.expose().len(), 40);
        assert_eq!(format!("{secret:?}"), "SecretAccessKey(..)");
    }
}
