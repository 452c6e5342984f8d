//! KMS grants: an allow beside the key policy, for one grantee, some operations, perhaps one encryption context.
//!
//! Source: KMS Developer Guide, "Grants in AWS KMS" and "Using grant constraints".

use crate::context::{Context, Value};
use crate::key::ConditionKey;
use crate::principal::{Entry, Naming, Principal};
use std::collections::BTreeMap;

/// What the encryption context of a request must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantConstraint {
    /// Exactly these pairs.
    EncryptionContextEquals(BTreeMap<String, String>),
    /// These pairs and perhaps others.
    EncryptionContextSubset(BTreeMap<String, String>),
}

/// A grant, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    id: Box<str>,
    grantee: Entry,
    operations: Box<[Box<str>]>,
    exact: bool,
    pairs: Box<[Pair]>,
    keys: Option<ConditionKey>,
}

/// A pair that the encryption context must have. Condition keys know no letter case, encryption contexts do: so the name
/// is compared again, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair {
    key: ConditionKey,
    name: Box<str>,
    value: Box<str>,
}

/// Operations that have no encryption context, so that a constraint does not bind them.
const UNCONSTRAINED: [&str; 3] = ["CreateGrant", "DescribeKey", "RetireGrant"];

impl Grant {
    /// Compiles a grant to `grantee` (an ARN or a service name) for `operations` such as `Decrypt`.
    ///
    /// # Errors
    /// What is wrong with the grantee or with a key of the encryption context.
    pub fn new(
        id: &str,
        grantee: &str,
        operations: impl IntoIterator<Item = impl AsRef<str>>,
        constraint: Option<&GrantConstraint>,
    ) -> Result<Self, &'static str> {
        let service = Entry::parse_service(grantee);
        let entry = service.or_else(|_| Entry::parse_aws(grantee))?;
        let (exact, wanted) = match constraint {
            None => (false, None),
            Some(GrantConstraint::EncryptionContextEquals(pairs)) => (true, Some(pairs)),
            Some(GrantConstraint::EncryptionContextSubset(pairs)) => (false, Some(pairs)),
        };
        let mut pairs = Vec::new();
        for (name, value) in wanted.into_iter().flatten() {
            let key = ConditionKey::parse(&format!("kms:EncryptionContext:{name}"))
                .ok_or("a key of this encryption context cannot be a condition key")?;
            pairs.push(Pair {
                key,
                name: name.as_str().into(),
                value: value.as_str().into(),
            });
        }
        Ok(Self {
            id: id.into(),
            grantee: entry,
            operations: operations
                .into_iter()
                .map(|operation| operation.as_ref().into())
                .collect(),
            exact,
            pairs: pairs.into(),
            keys: ConditionKey::parse("kms:EncryptionContextKeys"),
        })
    }

    /// The grant's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How the grant reaches the caller, if it allows the action.
    pub(crate) fn allows(
        &self,
        principal: &Principal<'_>,
        action: &str,
        context: &dyn Context,
    ) -> Option<Naming> {
        let (service, operation) = action.split_once(':')?;
        let listed = self
            .operations
            .iter()
            .any(|known| known.eq_ignore_ascii_case(operation));
        if !service.eq_ignore_ascii_case("kms") || !listed {
            return None;
        }
        let naming = self.grantee.names(principal)?;
        let free = UNCONSTRAINED
            .iter()
            .any(|known| known.eq_ignore_ascii_case(operation));
        (free || self.constraint_holds(context)).then_some(naming)
    }

    fn constraint_holds(&self, context: &dyn Context) -> bool {
        let pair = |wanted: &Pair| {
            let value = context
                .values(&wanted.key)
                .and_then(crate::context::Values::single)
                .is_some_and(|value| value.with_text(|text| *text == *wanted.value));
            let is_named = |name: Value<'_>| name.with_text(|text| *text == *wanted.name);
            value && self.names(context).any(is_named)
        };
        self.pairs.iter().all(pair) && (!self.exact || self.names(context).count() == self.pairs.len())
    }

    /// The names of the request's encryption context.
    fn names<'a>(&self, context: &'a dyn Context) -> impl Iterator<Item = Value<'a>> {
        let values = self.keys.as_ref().and_then(|key| context.values(key));
        values.into_iter().flat_map(crate::context::Values::iter)
    }
}
