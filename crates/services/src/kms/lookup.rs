//! Which keys the operator means, who belongs to no account and no region.

use super::Kms;
use super::reference::alias_arn;
use std::sync::Arc;

impl Kms {
    /// ARNs, in order, of all keys that have this name: key id, key ARN, alias or alias ARN. In different accounts and
    /// regions one alias may name many keys.
    #[must_use]
    pub fn keys_named(&self, text: &str) -> Vec<Arc<str>> {
        let now = self.runtime.clock.now();
        let view = self.view();
        let mut found: Vec<Arc<str>> = view
            .all()
            .filter(|key| !key.is_gone(now))
            .filter(|key| {
                let is_alias = |name: &str| name == text || alias_arn(key.region, key.owner, name) == text;
                key.id.as_str() == text
                    || *key.arn == *text
                    || key.aliases.iter().any(|alias| is_alias(&alias.name))
            })
            .map(|key| Arc::clone(&key.arn))
            .collect();
        found.sort_unstable();
        found
    }
}
