//! A short ASCII text without an allocation, so that names can be copied freely.

/// At most `N` bytes of ASCII. The bytes behind `len` are zero, so that derived comparison is right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Inline<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> Inline<N> {
    /// `None` when the text is longer than `N` or not ASCII.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let len = u8::try_from(text.len()).ok()?;
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        text.is_ascii().then_some(Self { bytes, len })
    }

    /// All `N` bytes used; the caller gives ASCII.
    #[expect(clippy::cast_possible_truncation, reason = "N is at most 64 in this crate")]
    pub(crate) const fn full(bytes: [u8; N]) -> Self {
        Self { bytes, len: N as u8 }
    }

    pub(crate) fn as_str(&self) -> &str {
        let used = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(used).unwrap_or_default()
    }
}
