//! The recent changes of a directory partition, for followers. A bounded memory: who is too far behind scans.

use crate::contract::{Change, Feed, Pos};
use std::collections::VecDeque;

/// Changes kept per partition.
const CHANGES_MAX: usize = 4_096;

/// A window on the changes of one partition.
#[derive(Default)]
pub(super) struct Recent {
    /// Changes at or before this position are no longer known.
    forgotten: Pos,
    last: Pos,
    changes: VecDeque<(Pos, Change)>,
}

impl Recent {
    /// A window that opens after `last`.
    pub(super) fn after(last: Pos) -> Self {
        Self {
            forgotten: last,
            last,
            changes: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, pos: Pos, changes: &[Change]) {
        self.last = pos;
        self.changes
            .extend(changes.iter().map(|change| (pos, change.clone())));
        while self.changes.len() > CHANGES_MAX {
            if let Some((dropped, _)) = self.changes.pop_front() {
                self.forgotten = dropped;
            }
        }
    }

    pub(super) fn since(&self, after: Option<Pos>) -> Feed {
        match after {
            Some(after) if after >= self.forgotten && after <= self.last => Feed::Changes(
                self.changes
                    .iter()
                    .filter(|(pos, _)| *pos > after)
                    .cloned()
                    .collect(),
            ),
            Some(_) | None => Feed::Reset(self.last),
        }
    }
}
