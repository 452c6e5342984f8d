//! What becomes unreadable with a key: an operator's look at every stored message.
//!
//! What a queue is set to says which key seals its next message. What opens a message that is stored is written with it:
//! the wrapped data key names the KMS key. So messages are counted by what they say, wherever they are: in queues that have
//! another key by now, and in dead-letter queues. Their sealed content is read with them, and not opened.

use super::Sqs;
use super::envelope::{Stored, Wrapper};
use super::meta::Meta;
use super::queue::Queue;
use super::settings::EncryptionSetting;
use crate::kms::{KeyNames, key_of_ciphertext};
use bulla_storage::Error;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError};

/// Records that are read at once.
const PAGE_RECORDS: usize = 64;

/// Held while messages are counted: one reads all of them, and that is enough at a time.
static COUNTING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A queue that a key concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// ARN of the queue.
    pub arn: String,
    /// Whether its next message would be sealed under the key.
    pub uses_key: bool,
    /// Whether other queues move messages here that nobody wanted.
    pub is_dead_letter_queue: bool,
    /// Stored messages that are sealed under the key.
    pub messages: u64,
}

impl Sqs {
    /// The queues that use a key or hold messages sealed under it, in order of ARN.
    ///
    /// # Errors
    /// What the storage says.
    pub async fn impact(&self, key: &KeyNames) -> Result<Vec<Impact>, Error> {
        let _one = COUNTING.lock().await;
        let queues: Vec<Arc<Queue>> = {
            let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
            queues.values().cloned().collect()
        };
        let counted = self.count_under(key).await?;
        let dead_letter_queues: HashSet<String> = queues
            .iter()
            .filter_map(|queue| {
                queue
                    .properties()
                    .settings
                    .redrive
                    .map(|redrive| redrive.target.arn())
            })
            .collect();
        let mut impact = BTreeMap::new();
        for queue in queues {
            let uses_key = match &queue.properties().settings.encryption {
                EncryptionSetting::Kms(text) => key.is_meant(text, queue.key.account, queue.key.region),
                EncryptionSetting::SqsManaged | EncryptionSetting::None => false,
            };
            // Copies of a multi-Region key have one id; a queue asks for that of its own region.
            let of_region = counted
                .get(&queue.id)
                .filter(|_| queue.key.region == key.region());
            let messages = of_region.copied().unwrap_or_default();
            if uses_key || messages > 0 {
                let arn = queue.arn.to_string();
                let is_dead_letter_queue = dead_letter_queues.contains(&arn);
                impact.insert(
                    arn.clone(),
                    Impact {
                        arn,
                        uses_key,
                        is_dead_letter_queue,
                        messages,
                    },
                );
            }
        }
        Ok(impact.into_values().collect())
    }

    /// Messages sealed under a key, by queue.
    async fn count_under(&self, key: &KeyNames) -> Result<HashMap<u64, u64>, Error> {
        let mut counted = HashMap::new();
        for log in &self.logs {
            let mut cursor = None;
            loop {
                let page = log.scan(cursor, PAGE_RECORDS).await?;
                let messages = page
                    .items
                    .iter()
                    .filter_map(|record| match Meta::decode(&record.meta)? {
                        Meta::Message(meta) => Some((record.pos, meta.queue)),
                        Meta::Deduplication(_) => None,
                    });
                let (positions, queues): (Vec<_>, Vec<_>) = messages.unzip();
                let bodies = log.bodies(positions).await?;
                for (body, queue) in bodies.into_iter().zip(queues) {
                    let stored = body.and_then(Stored::parse);
                    let is_under = stored.is_some_and(|stored| {
                        stored.wrapper == Wrapper::Kms
                            && key_of_ciphertext(&stored.wrapped()) == Some(key.id())
                    });
                    if is_under {
                        let count: &mut u64 = counted.entry(queue).or_default();
                        *count = count.saturating_add(1);
                    }
                }
                // Pages are read where they are asked for; others have their turn in between.
                tokio::task::yield_now().await;
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(counted)
    }
}
