//! What a seed decides before anything happens, and what a test may break on purpose.

use bulla_storage::testing::disk::Random;

/// A defect that the checker must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// One delete in four is acknowledged and not done.
    DropsDeletes,
    /// One send in sixteen is acknowledged and not done.
    DropsSends,
    /// One body in sixteen is altered on its way out.
    AltersBodies,
    /// Messages are not hidden after they were received.
    IgnoresVisibility,
    /// Messages are not delayed.
    IgnoresDelays,
    /// A receive that finds something is answered as if it had found nothing, and hides nothing.
    MissesMessages,
    /// One message in eight is delivered twice by one receive.
    DeliversTwice,
    /// Purges are acknowledged and not done.
    DropsPurges,
    /// The messages of a FIFO queue come in the wrong order.
    ShufflesGroups,
    /// A duplicate is sent as if it were none.
    ForgetsDeduplication,
    /// FIFO messages come without the others of their group being waited for.
    ForgetsGroups,
    /// Receive counts are told wrong by one, as a server would that moves dead letters too late.
    Miscounts,
    /// A sync of the disk does nothing.
    SyncsNothing,
}

/// What a run is like. All of it follows from the seed, but for [`Mutation`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of everything.
    pub seed: u64,
    /// A defect to put in.
    pub mutation: Option<Mutation>,
    /// Whether to keep a line for every event, for people.
    pub trace: bool,
    /// Operations of each client.
    pub operations: u64,
    pub(crate) clients: u64,
    pub(crate) queues: usize,
    pub(crate) partitions: u32,
    pub(crate) segment_bytes: u64,
    /// A crash once in so many steps of the scheduler; 0 is never.
    pub(crate) crash_every: u64,
    /// Longest time of a log commit, milliseconds.
    pub(crate) commit_ms: u64,
    /// Longest time of a directory commit, milliseconds.
    pub(crate) directory_ms: u64,
    /// Longest way of a request or an answer, milliseconds.
    pub(crate) network_ms: u64,
    /// Longest pause of a client between two operations, milliseconds.
    pub(crate) think_ms: u64,
    /// Whether the disk may fill up or fail.
    pub(crate) disk_faults: bool,
    /// A client gives up waiting once in so many requests; 0 is never.
    pub(crate) give_up_every: u64,
}

impl Options {
    /// What the seed says.
    ///
    /// # Panics
    /// Never: every choice is from a list that is not empty.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x6f70_7469_6f6e_7300);
        let pick = |random: &mut Random, from: &[u64]| {
            let at = usize::try_from(random.below(from.len() as u64)).unwrap();
            from[at]
        };
        Self {
            seed,
            mutation: None,
            trace: false,
            operations: 20 + random.below(60),
            clients: 1 + random.below(4),
            queues: 1 + usize::try_from(random.below(3)).unwrap(),
            partitions: u32::try_from(1 + random.below(4)).unwrap(),
            segment_bytes: pick(&mut random, &[8 << 10, 32 << 10, 256 << 10]),
            crash_every: pick(&mut random, &[0, 300, 1_000, 4_000]),
            commit_ms: pick(&mut random, &[0, 2, 20, 3_000]),
            directory_ms: pick(&mut random, &[0, 2, 50]),
            network_ms: pick(&mut random, &[0, 5, 5, 2_000]),
            think_ms: pick(&mut random, &[10, 1_000, 20_000, 200_000]),
            disk_faults: random.one_in(4),
            give_up_every: pick(&mut random, &[0, 0, 10]),
        }
    }

    /// With a defect.
    #[must_use]
    pub fn with(self, mutation: Mutation) -> Self {
        Self {
            mutation: Some(mutation),
            ..self
        }
    }
}
