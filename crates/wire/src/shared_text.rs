//! Text that a request brought, without a copy of it.
//!
//! Why: a message's body may be a mebibyte, and all that is done with it is to check, hash and seal it. It holds on to
//! the whole request for as long as it lives, so it is for what ends with the call.

use crate::kind::Kind;
use crate::malformed::Malformed;
use crate::node::Node;
use crate::value::{Value, wrong};
use crate::writer::Writer;
use bytes::Bytes;
use std::fmt;

/// Text of a request, UTF-8. A copy is made only where it had to be decoded (JSON escapes, Query parameters) or is
/// short.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct SharedText(Bytes);

impl SharedText {
    /// Its bytes, which are UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How long it is, bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

/// Prints its length only, because it is what is to be sealed.
impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedText({} bytes)", self.0.len())
    }
}

impl Value for SharedText {
    const KIND: Kind = Kind::Text;
    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        if let Node::Shared(text, request) = node {
            return Ok(Self(request.slice_ref(text.as_bytes())));
        }
        let text = node.into_text().map_err(|node| wrong(Self::KIND, &node))?;
        Ok(Self::from(text.into_owned()))
    }
    fn write(&self, out: &mut dyn Writer) {
        out.text(&String::from_utf8_lossy(&self.0));
    }
    fn length_hint(&self) -> usize {
        self.0.len().saturating_add(3)
    }
}
