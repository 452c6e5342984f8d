//! A stored message opens as what was sealed, or not at all.

use super::super::content::Content;
use super::super::envelope::{Label, Origin, SealedAs, Stored, Wrapper};
use super::super::queue::{Properties, Queue, QueueKey};
use super::super::settings::Settings;
use super::{Encryption, Life, OpenScope, Sealing, SealingKey, message_aad, open};
use bulla_envelope::{InstanceKey, MemoryRootKey, Sealer};
use bulla_runtime::{Runtime, ShutdownTrigger};
use bulla_storage::Pos;
use bulla_types::{AccountId, QueueName, Region, Timestamp};
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const LABEL: Label = Label {
    message: [7; 16],
    sent: 1_767_225_600_000,
};
/// How many bytes follow the time of sending, and how many it has. It is shown to receivers and decides nothing; the
/// log's checksum finds it damaged.
const SENT: (usize, usize) = (2 + 2 + 1, 8);

/// The service's encryption, and a queue without a KMS key.
struct World {
    encryption: Encryption,
    queue: Queue,
    _running: ShutdownTrigger,
}

impl World {
    fn new() -> Self {
        let (runtime, _, running) = Runtime::manual(3);
        let root = MemoryRootKey::generate(&*runtime.entropy).unwrap();
        let (instance, _) = InstanceKey::create(&root, &*runtime.entropy).unwrap();
        let name = QueueName::parse("orders").unwrap();
        let key = QueueKey {
            account: AccountId::parse("111122223333").unwrap(),
            region: Region::parse("us-east-1").unwrap(),
            name,
        };
        let properties = Properties {
            settings: Settings::of(&name),
            tags: BTreeMap::new(),
            modified: Timestamp::from_millis(0),
            purged_through: Pos(0),
            purged: None,
        };
        Self {
            encryption: Encryption::new(&instance, runtime).unwrap(),
            queue: Queue::new(5, key, Timestamp::from_millis(0), properties),
            _running: running,
        }
    }

    /// A message of the queue as the log stores it.
    fn stored(&self, body: &str) -> Bytes {
        let made = self.encryption.generate_own(&self.queue).unwrap();
        let clock = self.encryption.runtime.clock.as_ref();
        let key = SealingKey {
            sealer: Sealer::new(made.data_key).unwrap(),
            wrapper: made.wrapper,
            wrapped: made.wrapped,
            key: None,
            queue: Arc::clone(&self.queue.arn),
            life: Life::beginning_now(clock, std::time::Duration::from_mins(5)),
            epoch: 0,
        };
        let content = Content {
            body: body.to_owned().into(),
            body_md5: [0; 16],
            attributes: BTreeMap::new(),
            attributes_md5: None,
            sender: "AIDA".into(),
            trace_header: None,
            group: None,
            deduplication: None,
        };
        let sealed = Sealing(Arc::new(key))
            .seal(&self.queue, std::iter::once((LABEL, &content)))
            .unwrap();
        sealed.into_iter().next().unwrap().into_bytes()
    }

    /// What opens, as a receiver would have it. A wrapped key that says it is of KMS is refused there: it is none.
    fn open(&self, bytes: Bytes) -> Option<Vec<u8>> {
        let stored = Stored::parse(bytes)?;
        if stored.wrapper == Wrapper::Kms {
            return None;
        }
        let own = SealedAs {
            queue: self.queue.id,
            arn: Arc::clone(&self.queue.arn),
            message: stored.label.message,
        };
        let sealed_as = stored.origin().map_or(own, |origin| origin.sealed_as.clone());
        let scope = OpenScope {
            queue: sealed_as.queue,
            wrapped: stored.wrapped(),
        };
        let opener = self
            .encryption
            .own_opener(&self.queue, &scope, &sealed_as.arn)
            .ok()?;
        let mut aad = Vec::new();
        message_aad(&mut aad, sealed_as.queue, &sealed_as.arn, &sealed_as.message);
        open(&stored, &opener, &aad).ok()
    }

    /// Flips each bit; those of bytes that `is_clear` may open, as what was sealed.
    fn flip_each(&self, stored: &Bytes, is_clear: impl Fn(usize) -> bool) {
        let sealed = self.open(stored.clone()).unwrap();
        for bit in 0..stored.len() * 8 {
            let mut changed = stored.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let opened = self.open(Bytes::from(changed));
            if is_clear(bit / 8) {
                assert_eq!(opened.as_ref(), Some(&sealed), "bit {bit}");
            } else {
                assert_eq!(opened, None, "bit {bit}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn every_flipped_bit_of_a_stored_message_is_refused(body in "[a-z]{1,20}", after_opening: bool) {
        let tasks = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _entered = tasks.enter();
        let world = World::new();
        let stored = world.stored(&body);
        if after_opening {
            // With the right data key in the cache.
            prop_assert!(world.open(stored.clone()).is_some());
        }
        let (from_end, len) = SENT;
        let sent = stored.len() - from_end - len;
        world.flip_each(&stored, |at| (sent..sent + len).contains(&at));
    }

    #[test]
    fn every_flipped_bit_of_what_a_moved_message_was_sealed_as_is_refused(body in "[a-z]{1,20}") {
        let tasks = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _entered = tasks.enter();
        let world = World::new();
        let stored = Stored::parse(world.stored(&body)).unwrap();
        let origin = Origin {
            sealed_as: SealedAs {
                queue: world.queue.id,
                arn: Arc::clone(&world.queue.arn),
                message: LABEL.message,
            },
            dead_letter_of: None,
        };
        let moved = Label { message: [8; 16], ..LABEL };
        let moved = stored.moved(moved, &origin).unwrap().into_bytes();
        let (from_end, len) = SENT;
        // Its new id and the time of sending.
        let clear = moved.len() - from_end - len - 16..moved.len() - from_end;
        world.flip_each(&moved, |at| clear.contains(&at));
    }
}
