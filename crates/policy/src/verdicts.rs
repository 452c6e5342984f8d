//! Decisions that can be given again: those that looked at nothing but who asks for what.
//!
//! Most decisions meet no condition and no variable, and come out the same as long as the policies are the same. Who asks
//! the policies watches whether the context was looked at ([`Watched`]), and keeps what came without ([`Verdicts`]).
//!
//! What must stay true: a key names everything that went into the decision but the context, or the number that goes with
//! it rises whenever the rest changes.

use crate::context::{Context, Values};
use crate::decision::Decision;
use crate::key::ConditionKey;
use std::cell::Cell;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// A context that knows whether it was looked at.
#[derive(Debug)]
pub struct Watched<'a, C: ?Sized> {
    context: &'a C,
    was_looked_at: Cell<bool>,
}

impl<'a, C: Context + ?Sized> Watched<'a, C> {
    /// Watches a context.
    pub fn new(context: &'a C) -> Self {
        Self {
            context,
            was_looked_at: Cell::new(false),
        }
    }

    /// Whether any key was asked for, present or not.
    #[must_use]
    pub fn was_looked_at(&self) -> bool {
        self.was_looked_at.get()
    }
}

impl<C: Context + ?Sized> Context for Watched<'_, C> {
    fn values(&self, key: &ConditionKey) -> Option<Values<'_>> {
        self.was_looked_at.set(true);
        self.context.values(key)
    }
}

/// Decisions by what they were about, all of one version of everything else. Bounded: when it is full it is emptied.
#[derive(Debug)]
pub struct Verdicts<K> {
    kept: Mutex<Kept<K>>,
    max: usize,
}

#[derive(Debug)]
struct Kept<K> {
    version: u64,
    decisions: HashMap<K, Decision>,
}

impl<K: Eq + Hash> Verdicts<K> {
    /// An empty one for at most `max` decisions.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let (version, decisions) = (0, HashMap::new());
        Self {
            kept: Mutex::new(Kept { version, decisions }),
            max,
        }
    }

    /// What was decided about this when the version was the same.
    #[must_use]
    pub fn find(&self, version: u64, key: &K) -> Option<Decision> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.version != version {
            return None;
        }
        kept.decisions.get(key).copied()
    }

    /// Keeps a decision that did not look at its context. What was decided of older versions goes; one that comes later
    /// than a newer one is not kept.
    pub fn keep(&self, version: u64, key: K, decision: Decision) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.version > version {
            return;
        }
        if kept.version < version || kept.decisions.len() >= self.max {
            kept.decisions.clear();
            kept.version = version;
        }
        kept.decisions.insert(key, decision);
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdicts, Watched};
    use crate::{
        Decision, EmptyContext, IdentityOwner, Layers, Policy, PolicyKind, Principal, Request,
        ResourcePolicy, decide,
    };
    use std::sync::Arc;

    /// What a policy decides for ann on a queue, and whether the context mattered.
    fn decided(policy: &str) -> (Decision, bool) {
        let kind = PolicyKind::Identity(IdentityOwner::User);
        let identity = [Arc::new(Policy::parse(policy, kind).unwrap())];
        let layers = Layers {
            identity: &identity,
            resource: ResourcePolicy::Ordinary(None),
            ..Layers::default()
        };
        let context = Watched::new(&EmptyContext);
        let request = Request {
            principal: Principal::User {
                account: "111122223333",
                arn: "arn:aws:iam::111122223333:user/ann",
            },
            action: "sqs:SendMessage",
            resource: "arn:aws:sqs:us-east-1:111122223333:orders",
            resource_account: "111122223333",
            context: &context,
            same_account_only: false,
        };
        let decision = decide(&request, &layers);
        (decision, context.was_looked_at())
    }

    fn statement(more: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"sqs:*"{more}}}}}"#)
    }

    #[test]
    fn a_decision_without_conditions_does_not_look_at_the_context() {
        let (decision, looked) = decided(&statement(r#","Resource":"*""#));
        assert!(decision.is_allowed() && !looked);
    }

    #[test]
    fn conditions_and_variables_look_at_the_context_also_when_the_key_is_absent() {
        for more in [
            r#","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:SourceVpce":"x"}}"#,
            r#","Resource":"*","Condition":{"Null":{"aws:SourceVpce":"true"}}"#,
            r#","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"x"}}"#,
            r#","Resource":["arn:aws:sqs:*:*:${aws:username}","*"]"#,
        ] {
            assert!(decided(&statement(more)).1, "{more}");
        }
    }

    #[test]
    fn a_verdict_is_of_its_version_alone() {
        let (decision, _) = decided(&statement(r#","Resource":"*""#));
        let verdicts = Verdicts::new(8);
        verdicts.keep(3, "a", decision);
        assert_eq!(verdicts.find(3, &"a"), Some(decision));
        assert_eq!((verdicts.find(2, &"a"), verdicts.find(4, &"a")), (None, None));
        verdicts.keep(4, "b", decision);
        verdicts.keep(3, "c", decision);
        assert_eq!((verdicts.find(3, &"a"), verdicts.find(4, &"a")), (None, None));
        assert_eq!((verdicts.find(3, &"c"), verdicts.find(4, &"c")), (None, None));
        assert_eq!(verdicts.find(4, &"b"), Some(decision));
    }

    #[test]
    fn no_more_verdicts_are_kept_than_allowed() {
        let (decision, _) = decided(&statement(r#","Resource":"*""#));
        let verdicts = Verdicts::new(8);
        for key in 0..100 {
            verdicts.keep(1, key, decision);
            assert!((0..100).filter(|key| verdicts.find(1, key).is_some()).count() <= 8);
        }
    }
}
