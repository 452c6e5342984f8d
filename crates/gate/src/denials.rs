//! The last denials with their reasons, for those who may know them.
//!
//! AWS tells a caller that access was denied and little more. Here the reasons are kept for a while under the id of the
//! call, which every answer carries: the operator reads them with `bulla explain`, and a principal of the account that
//! owns the resource with `sts:DecodeAuthorizationMessage`. A caller of another account learns no more than at AWS.
//!
//! What must stay true: the memory is bounded, whatever is asked and denied; nothing of it is stored.

use crate::access::AccessRequest;
use crate::authorize::Denial;
use crate::caller::Caller;
use crate::gate::Gate;
use crate::operation::OperationName;
use bulla_policy::Layer;
use bulla_types::{AccountId, RequestId, Timestamp};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// At most so many denials are kept.
const DENIALS_MAX: usize = 1_000;
/// Their reasons take at most so much together, bytes; the newest is kept whatever it takes.
const BYTES_MAX: usize = 8 << 20;

/// The permission to know why something was denied.
///
/// Source: STS API Reference, `DecodeAuthorizationMessage` (read 2026-11-21).
pub const DECODE_AUTHORIZATION_MESSAGE: &str = "sts:DecodeAuthorizationMessage";

/// A denial that was kept.
#[derive(Debug)]
pub struct KeptDenial {
    /// The call, and so the decision: what the answer's `x-amzn-requestid` says.
    pub id: RequestId,
    /// When the call came.
    pub time: Timestamp,
    /// Service and operation.
    pub operation: OperationName,
    /// Who owns the resource, and may know the reasons.
    pub owner: AccountId,
    /// The tree of reasons, to be read.
    pub text: String,
    /// The same as one JSON object.
    pub json: String,
    /// What the owner may know: of a caller of another account nothing that is the caller's.
    pub for_owner: String,
}

impl KeptDenial {
    fn bytes(&self) -> usize {
        let (text, json) = (self.text.len(), self.json.len());
        text.saturating_add(json).saturating_add(self.for_owner.len())
    }
}

/// The last denials, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Denials(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    denials: VecDeque<Arc<KeptDenial>>,
    bytes: usize,
}

impl Denials {
    fn keep(&self, denial: KeptDenial) {
        let denial = Arc::new(denial);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes = kept.bytes.saturating_add(denial.bytes());
        kept.denials.push_back(denial);
        while kept.denials.len() > DENIALS_MAX || (kept.bytes > BYTES_MAX && kept.denials.len() > 1) {
            let bytes = kept.denials.pop_front().map_or(0, |oldest| oldest.bytes());
            kept.bytes = kept.bytes.saturating_sub(bytes);
        }
    }

    fn of(&self, wanted: impl Fn(&KeptDenial) -> bool) -> Option<Arc<KeptDenial>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.denials.iter().rev().find(|denial| wanted(denial)).cloned()
    }
}

impl Gate {
    /// The last denial of the call with this id, if it is not too long ago. For operators: it tells everything.
    #[must_use]
    pub fn denial(&self, id: RequestId) -> Option<Arc<KeptDenial>> {
        self.denials.of(|denial| denial.id == id)
    }

    /// The last denial of the call with this id that this account may know the reasons of.
    pub(crate) fn denial_for(&self, owner: AccountId, id: RequestId) -> Option<Arc<KeptDenial>> {
        self.denials.of(|denial| denial.id == id && denial.owner == owner)
    }

    /// The last denial of all.
    #[must_use]
    pub fn last_denial(&self) -> Option<Arc<KeptDenial>> {
        self.denials.of(|_| true)
    }

    /// Keeps the reasons, and tells callers who may know them how to ask.
    pub(crate) fn keep_reasons(&self, caller: &Caller, operation: OperationName, denial: &mut Denial) {
        self.denials.keep(KeptDenial {
            id: caller.request_id,
            time: caller.time,
            operation,
            owner: denial.owner(),
            text: denial.explanation().to_string(),
            json: denial.explanation().to_json(),
            for_owner: for_owner(caller, denial),
        });
        if caller.account() == denial.owner() && self.may_know_reasons(caller) {
            denial.add_to_message(&format!(" Decision id: {}.", caller.request_id));
        }
    }

    fn may_know_reasons(&self, caller: &Caller) -> bool {
        // A session whose policies allow the question may still be one whose credentials STS does not take for it.
        let asks = DECODE_AUTHORIZATION_MESSAGE.split_once(':');
        let endpoint = asks.and_then(|(service, name)| self.endpoint(service, name));
        if endpoint.is_some_and(|endpoint| endpoint.is_barred_to(caller.identity())) {
            return false;
        }
        let request = AccessRequest::new(DECODE_AUTHORIZATION_MESSAGE, "*", caller.account());
        self.allows(caller, &request)
    }
}

/// A caller of another account has policies and an organization of its own, which are not the owner's business; nor is the
/// policy of another account's VPC endpoint.
fn for_owner(caller: &Caller, denial: &Denial) -> String {
    let own_endpoint = caller
        .own_endpoint()
        .is_none_or(|endpoint| endpoint.facts.account == denial.owner());
    let own_caller = caller.account() == denial.owner();
    if own_caller && own_endpoint {
        return denial.explanation().to_json();
    }
    let mut shown = denial.explanation().clone();
    shown.layers.retain(|report| match report.layer {
        Layer::Endpoint => own_endpoint,
        Layer::Grant | Layer::Resource | Layer::ResourceControl | Layer::Service | Layer::Trust => true,
        Layer::Boundary | Layer::Identity | Layer::Root | Layer::ServiceControl | Layer::Session => {
            own_caller
        }
    });
    shown.hint = None;
    shown.to_json()
}

#[cfg(test)]
mod tests {
    use super::{BYTES_MAX, DENIALS_MAX, Denials, KeptDenial};
    use crate::operation::OperationName;
    use bulla_types::{AccountId, RequestId, Timestamp};

    fn denial(number: u8, bytes: usize) -> KeptDenial {
        KeptDenial {
            id: RequestId::from_entropy([number; 16]),
            time: Timestamp::from_millis(0),
            operation: OperationName {
                service: "sqs",
                name: "SendMessage",
            },
            owner: AccountId::parse("111122223333").unwrap(),
            text: "t".repeat(bytes),
            json: String::new(),
            for_owner: String::new(),
        }
    }

    fn kept(denials: &Denials) -> usize {
        denials.0.lock().unwrap().denials.len()
    }

    #[test]
    fn the_oldest_denials_make_room() {
        let denials = Denials::default();
        denials.keep(denial(1, 1));
        (0..DENIALS_MAX).for_each(|_| denials.keep(denial(2, 1)));
        assert_eq!(kept(&denials), DENIALS_MAX);
        let first = RequestId::from_entropy([1; 16]);
        assert!(denials.of(|denial| denial.id == first).is_none());
    }

    #[test]
    fn long_reasons_push_out_more() {
        let denials = Denials::default();
        (0..4).for_each(|_| denials.keep(denial(1, BYTES_MAX / 3)));
        assert_eq!(kept(&denials), 3);
    }

    #[test]
    fn the_newest_is_kept_however_long_it_is() {
        let denials = Denials::default();
        denials.keep(denial(1, 1));
        denials.keep(denial(2, BYTES_MAX + 1));
        assert_eq!(kept(&denials), 1);
    }
}
