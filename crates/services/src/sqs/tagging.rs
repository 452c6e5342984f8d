//! Tags of message groups and of deduplication ids: what the log and the index know them by.
//!
//! The texts are the client's and may say something, so they lie only inside the sealed content; whoever reads the log
//! without the instance's key does not learn them. A deduplication id's tag is bound to its queue. A group's tag is
//! bound to account and region only: a message that is moved to another queue, sealed as it is, stays in its group.

use super::deduplication::DeduplicationTag;
use super::index::GroupTag;
use super::queue::QueueKey;
use bulla_envelope::{InstanceKey, Purpose, SealError, Tagger, encode_parts};

/// Makes tags.
#[derive(Debug)]
pub(crate) struct Tagging(Tagger);

impl Tagging {
    /// With the instance's key for them.
    pub(crate) fn new(instance: &InstanceKey) -> Result<Self, SealError> {
        Ok(Self(Tagger::new(&instance.derive(Purpose::MessageTags, &[])?)))
    }

    /// The tag of a message group in the queues of this account and region.
    pub(crate) fn group(&self, queue: &QueueKey, group: &str) -> GroupTag {
        let (account, region) = (queue.account, queue.region);
        GroupTag(self.tag(&[
            b"group",
            account.as_str().as_bytes(),
            region.as_str().as_bytes(),
            group.as_bytes(),
        ]))
    }

    /// The tag of a deduplication id of this queue; of this group alone, when the queue deduplicates by group.
    pub(crate) fn deduplication(&self, queue: u64, group: Option<&str>, id: &str) -> DeduplicationTag {
        let (queue, id) = (queue.to_be_bytes(), id.as_bytes());
        DeduplicationTag(match group {
            Some(group) => self.tag(&[b"message group", &queue, group.as_bytes(), id]),
            None => self.tag(&[b"queue", &queue, id]),
        })
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 16] {
        self.0.tag(&encode_parts(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::Tagging;
    use crate::sqs::queue::QueueKey;
    use bulla_envelope::{InstanceKey, MemoryRootKey};
    use bulla_runtime::SeededEntropy;
    use bulla_types::{AccountId, QueueName, Region};

    #[test]
    fn tags_tell_queues_scopes_and_texts_apart() {
        let entropy = SeededEntropy::new(1);
        let root = MemoryRootKey::generate(&entropy).unwrap();
        let tagging = Tagging::new(&InstanceKey::create(&root, &entropy).unwrap().0).unwrap();
        let queue = |name: &str, account: &str| QueueKey {
            account: AccountId::parse(account).unwrap(),
            region: Region::parse("us-east-1").unwrap(),
            name: QueueName::parse(name).unwrap(),
        };
        let (mine, other) = (queue("a", "111122223333"), queue("a", "444455556666"));
        let tags = [
            tagging.deduplication(1, None, "ab").0,
            tagging.deduplication(2, None, "ab").0,
            tagging.deduplication(1, Some(""), "ab").0,
            tagging.deduplication(1, Some("a"), "b").0,
            tagging.deduplication(1, Some("ab"), "").0,
            tagging.group(&mine, "ab").0,
            tagging.group(&other, "ab").0,
        ];
        let distinct: std::collections::HashSet<_> = tags.iter().collect();
        assert_eq!(distinct.len(), tags.len());
        let dead_letters = queue("dead-letters", "111122223333");
        assert_eq!(tagging.group(&mine, "ab"), tagging.group(&dead_letters, "ab"));
    }
}
