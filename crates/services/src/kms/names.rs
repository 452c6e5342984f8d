//! The names of a key, for whoever must find out what uses it.

use super::Kms;
use super::ciphertext::Ciphertext;
use super::key::Key;
use super::reference::alias_arn;
use bulla_types::{AccountId, KeyId, Region};
use std::sync::Arc;

/// All that a key can be called by.
#[derive(Clone, Debug)]
pub struct KeyNames {
    arn: Arc<str>,
    id: KeyId,
    owner: AccountId,
    region: Region,
    aliases: Vec<Arc<str>>,
}

impl KeyNames {
    /// ARN of the key.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Its id, which the ciphertexts that it made begin with.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Its region: a queue asks the key service of its own.
    #[must_use]
    pub fn region(&self) -> Region {
        self.region
    }

    /// Whether this text means the key in a request of this account and region.
    #[must_use]
    pub fn is_meant(&self, text: &str, account: AccountId, region: Region) -> bool {
        if text.starts_with("arn:") {
            let is_alias = |name: &Arc<str>| text == alias_arn(self.region, self.owner, name);
            return text == &*self.arn || self.aliases.iter().any(is_alias);
        }
        let is_named = text == self.id.as_str() || self.aliases.iter().any(|name| text == &**name);
        is_named && account == self.owner && region == self.region
    }
}

impl From<&Key> for KeyNames {
    fn from(key: &Key) -> Self {
        Self {
            arn: Arc::clone(&key.arn),
            id: key.id,
            owner: key.owner,
            region: key.region,
            aliases: key.aliases.iter().map(|alias| Arc::clone(&alias.name)).collect(),
        }
    }
}

impl Kms {
    /// The names of the key with this ARN. For the operator, whom no policy concerns.
    #[must_use]
    pub fn key_names(&self, arn: &str) -> Option<KeyNames> {
        let now = self.runtime.clock.now();
        let view = self.view();
        let key = view.all().find(|key| *key.arn == *arn && !key.is_gone(now));
        key.map(|key| KeyNames::from(&**key))
    }
}

/// The key that made a ciphertext; `None` when it is not one.
pub(crate) fn key_of_ciphertext(blob: &[u8]) -> Option<KeyId> {
    Ciphertext::parse(blob).map(|ciphertext| ciphertext.key)
}
