//! What all batch operations share: how many entries, what their ids look like, how a failed one is told.

use super::errors::SqsError;
use super::limits::{BATCH_ENTRIES_MAX, BATCH_ENTRY_ID_CHARS_MAX};
use bulla_gate::ErrorCode;
use bulla_wire::{Fault, Shape};
use std::collections::BTreeSet;

/// Why one entry of a batch failed.
#[derive(Debug, Shape)]
pub struct BatchResultErrorEntry {
    /// The entry's id.
    pub id: String,
    /// Whether it was the client's fault.
    pub sender_fault: bool,
    /// The error's code.
    pub code: String,
    /// What happened.
    pub message: Option<String>,
}

impl BatchResultErrorEntry {
    pub(crate) fn new(id: String, error: &SqsError) -> Self {
        let row = error.row();
        Self {
            id,
            sender_fault: row.fault == Fault::Sender,
            code: row.query_code.to_owned(),
            message: Some(error.message().into_owned()),
        }
    }
}

/// Checks the entries of a batch as a whole; `entry` is the shape's name, for the message of an empty batch.
pub(crate) fn check<'a>(
    entry: &'static str,
    ids: impl ExactSizeIterator<Item = &'a str>,
) -> Result<(), SqsError> {
    let count = ids.len();
    if count == 0 {
        return Err(SqsError::EmptyBatchRequest(entry));
    }
    if count > BATCH_ENTRIES_MAX {
        return Err(SqsError::TooManyEntriesInBatchRequest(count));
    }
    let mut seen = BTreeSet::new();
    for id in ids {
        let well_formed = !id.is_empty()
            && id.len() <= BATCH_ENTRY_ID_CHARS_MAX
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !well_formed {
            return Err(SqsError::InvalidBatchEntryId);
        }
        if !seen.insert(id) {
            return Err(SqsError::BatchEntryIdsNotDistinct(id.to_owned()));
        }
    }
    Ok(())
}
