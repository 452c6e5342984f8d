//! One record for each finished call, also for those that a service makes for a caller.

use crate::authorize::Denial;
use crate::caller::Caller;
use crate::operation::OperationName;

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// It was done.
    Done,
    /// The policies do not allow it.
    Denied(&'a Denial),
    /// The operation's own error, or a common one.
    Failed {
        /// The error's code.
        code: &'a str,
    },
}

/// What is recorded of one call. Never a message's body, never a secret.
#[derive(Clone, Copy, Debug)]
pub struct AuditRecord<'a> {
    /// Which operation.
    pub operation: OperationName,
    /// Who asked, from where, and through whom.
    pub caller: &'a Caller,
    /// How it ended.
    pub outcome: Outcome<'a>,
}
