//! A secret in the one answer that hands it out.

use bulla_gate::SecretAccessKey;
use bulla_wire::{Kind, Malformed, Node, Value, Writer};
use std::fmt;
use zeroize::Zeroizing;

/// Text that is wiped when dropped and never printed.
#[derive(Clone)]
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl From<&SecretAccessKey> for SecretText {
    fn from(secret: &SecretAccessKey) -> Self {
        Self::new(secret.expose())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText(..)")
    }
}

impl Value for SecretText {
    const KIND: Kind = Kind::Text;

    fn read(node: Node<'_>) -> Result<Self, Malformed> {
        String::read(node).map(|text| Self(Zeroizing::new(text)))
    }

    fn write(&self, out: &mut dyn Writer) {
        out.text(&self.0);
    }
}
