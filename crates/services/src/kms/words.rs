//! Enumerations of the KMS model as Rust enums: each value has AWS's word, and a text is one of the words or refused.

use super::errors::KmsError;
use super::validate::one_of;

/// A closed set of AWS's words.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// AWS's word for it.
    fn word(self) -> &'static str;

    /// The value whose word this is. `member` is what the request calls it.
    ///
    /// # Errors
    /// `ValidationException`, with all words, when there is none.
    fn parse(text: &str, member: &str) -> Result<Self, KmsError> {
        if let Some(found) = Self::find(text) {
            return Ok(found);
        }
        let words: Vec<&str> = Self::ALL.iter().map(|value| value.word()).collect();
        Err(one_of(text, member, &words).err().unwrap_or(KmsError::Internal))
    }

    /// The value whose word this is.
    fn find(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == text)
    }
}

/// The words of some values.
pub(super) fn words<W: Word>(values: &[W]) -> Vec<String> {
    values.iter().map(|value| value.word().to_owned()).collect()
}
