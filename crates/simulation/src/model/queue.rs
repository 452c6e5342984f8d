//! A queue from its creation to its deletion. One of the same name that is made later is another queue.

/// Number of a queue.
pub(crate) type QueueId = usize;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) url: String,
    /// Milliseconds, as all times here.
    pub(crate) visibility: u64,
    pub(crate) delay: u64,
    pub(crate) retention: u64,
    pub(crate) wait: u64,
    /// Whether other accounts may use it.
    pub(crate) is_open: bool,
    /// What FIFO queues have; none in standard ones.
    pub(crate) fifo: Option<FifoSettings>,
    /// Where messages go that were received too often, and how many receives are allowed.
    pub(crate) redrive: Option<(QueueId, u32)>,
    /// Whether somebody has begun to delete it.
    pub(crate) is_ending: bool,
    /// Whether another queue has its name, or will have soon.
    pub(crate) is_replaced: bool,
}

/// See [`Queue::fifo`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct FifoSettings {
    /// Whether the body is the deduplication id where none is sent.
    pub(crate) by_content: bool,
    /// Whether deduplication ids of different groups are different.
    pub(crate) by_group: bool,
}
