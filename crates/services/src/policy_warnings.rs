//! Traps in a policy that was just stored, told to the operator.
//!
//! AWS stores such a policy without a word, and so does Bulla: the client's answer is the same. The log names what
//! `bulla policy lint` would.

use bulla_gate::Call;
use bulla_policy::PolicyKind;
use bulla_policy::lint::{Severity, lint};

/// At most so many of one policy are told.
const TOLD_MAX: usize = 10;

/// Tells what is dangerous in a policy of `of`, which is an ARN or a name.
pub(crate) fn warn_of_traps(call: &Call<'_>, of: &str, text: &str, kind: PolicyKind) {
    let findings = lint(text.as_bytes(), kind);
    let told = findings
        .iter()
        .filter(|finding| finding.severity() != Severity::Suggestion);
    for finding in told.take(TOLD_MAX) {
        tracing::warn!(
            request_id = %call.request_id(),
            principal = &*call.caller().identity().arn,
            policy_of = of,
            code = finding.code(),
            line = finding.line(),
            column = finding.column(),
            found = finding.message(),
            "a policy was stored that may not say what is meant; `bulla policy lint` shows the place and a fix"
        );
    }
}
