//! Trust policies: who may become a role.
//!
//! A statement names users and roles by ARN, but means whoever bears that name when the policy is stored: a user who
//! is deleted and made again under the same name is somebody else, and a renamed one stays who he was. So each
//! named user and role is bound to its unique id when the policy is stored. When a name and an id no longer belong
//! together, the policy that decides is made anew from the text: a renamed principal gets its present ARN, a deleted
//! one an ARN that nobody can have.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal", the notes on transformed ids (read 2026-11-21).

use super::documents::compile;
use super::errors::IamError;
use super::limits::NAME_CHARS_MAX;
use bulla_policy::{Policy, PolicyKind, Rejection};
use bulla_types::{AccountId, Arn};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Begins the name of a principal that cannot exist.
const GONE: &str = "a-deleted-principal-whose-name-is-longer-than-any-that-can-be-given-to-";
const _: () = assert!(GONE.len() > NAME_CHARS_MAX);

/// A trust policy and the principals that it means.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// As it was given.
    given: Arc<str>,
    /// Unique ids of named users and roles, by the ARN that the text has.
    bindings: Arc<BTreeMap<String, String>>,
    effective: Arc<Policy>,
    shown: Arc<str>,
}

/// What a trust policy asks of the principals that exist.
pub(super) trait Principals {
    /// The unique id of the user or role with this ARN.
    fn id_of(&self, arn: &str) -> Option<Arc<str>>;
    /// The ARN of the user or role with this unique id.
    fn arn_of(&self, id: &str) -> Option<Arc<str>>;
    /// Whether there is such an account.
    fn has_account(&self, account: AccountId) -> bool;
}

impl Trust {
    /// Compiles a trust policy that is to be stored: everybody whom it names must exist.
    pub(super) fn new(text: &str, principals: &dyn Principals) -> Result<Self, IamError> {
        let policy = compile(text, PolicyKind::Trust)?;
        let mut bindings = BTreeMap::new();
        for (kind, value) in policy.principals().filter(|(kind, _)| *kind == "AWS") {
            match named(value) {
                Named::Nobody => {}
                Named::Account(account) if principals.has_account(account) => {}
                Named::Entity => {
                    let id = principals.id_of(value).ok_or_else(|| unknown(kind, value))?;
                    bindings.insert(value.to_owned(), id.to_string());
                }
                Named::Account(_) => return Err(unknown(kind, value)),
            }
        }
        Ok(Self::of(text, bindings, policy))
    }

    /// A stored trust policy. Whether names and ids still belong together is found out by [`Trust::rebound`].
    pub(super) fn stored(text: &str, bindings: BTreeMap<String, String>) -> Result<Self, Rejection> {
        Ok(Self::of(
            text,
            bindings,
            Policy::parse_lenient(text, PolicyKind::Trust)?,
        ))
    }

    fn of(text: &str, bindings: BTreeMap<String, String>, policy: Policy) -> Self {
        let given: Arc<str> = text.into();
        let effective = Arc::new(policy.labelled("trust policy"));
        Self {
            shown: Arc::clone(&given),
            given,
            bindings: bindings.into(),
            effective,
        }
    }

    /// As it was given.
    pub(super) fn given(&self) -> &str {
        &self.given
    }

    /// As clients see it: whoever is gone stands there by unique id.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Who is meant, by ARN in the text.
    pub(super) fn bindings(&self) -> &BTreeMap<String, String> {
        &self.bindings
    }

    /// What decides.
    pub(crate) fn effective(&self) -> &Arc<Policy> {
        &self.effective
    }

    /// Whether the policy means the principal with this unique id.
    pub(super) fn means(&self, id: &str) -> bool {
        self.bindings.values().any(|bound| bound == id)
    }

    /// The policy for the principals that exist now.
    pub(super) fn rebound(&self, principals: &dyn Principals, nobody: &Arc<Policy>) -> Self {
        let mut compared = BTreeMap::new();
        let mut shown = BTreeMap::new();
        for (arn, id) in self.bindings.iter() {
            match principals.arn_of(id) {
                Some(present) if *present == **arn => {}
                Some(present) => {
                    compared.insert(arn.clone(), present.to_string());
                    shown.insert(arn.clone(), present.to_string());
                }
                None => {
                    compared.insert(arn.clone(), nobodys_arn(arn, id));
                    shown.insert(arn.clone(), id.clone());
                }
            }
        }
        if compared.is_empty() {
            return Self::stored(&self.given, (*self.bindings).clone())
                .unwrap_or_else(|_| self.closed(nobody));
        }
        let lenient = |text: &str| Policy::parse_lenient(text, PolicyKind::Trust).ok();
        let Some(policy) = substituted(&self.given, &compared).as_deref().and_then(lenient) else {
            return self.closed(nobody);
        };
        Self {
            shown: substituted(&self.given, &shown).unwrap_or_default().into(),
            effective: Arc::new(policy.labelled("trust policy")),
            ..self.clone()
        }
    }

    /// When the policy cannot be made anew, nobody is trusted.
    fn closed(&self, nobody: &Arc<Policy>) -> Self {
        Self {
            effective: Arc::clone(nobody),
            ..self.clone()
        }
    }
}

/// A trust policy that trusts nobody: of roles that do not exist.
pub(super) fn nobody() -> Result<Arc<Policy>, &'static str> {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Principal":{"Service":"nobody.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
    let policy = Policy::parse(text, PolicyKind::Trust);
    policy
        .map(|policy| Arc::new(policy.labelled("trust policy")))
        .map_err(|_| "the policy that trusts nobody does not compile")
}

/// What a value of `"AWS"` names.
enum Named {
    /// `*`: nobody in particular.
    Nobody,
    /// An account, or a session in it.
    Account(AccountId),
    /// A user or role.
    Entity,
}

fn named(value: &str) -> Named {
    if let Ok(account) = AccountId::parse(value) {
        return Named::Account(account);
    }
    let Ok(arn) = Arn::parse(value) else {
        return Named::Nobody;
    };
    let entity = arn.service() == "iam"
        && (arn.resource().starts_with("user/") || arn.resource().starts_with("role/"));
    match arn.account_id() {
        Some(_) if entity => Named::Entity,
        Some(account) => Named::Account(account),
        None => Named::Nobody,
    }
}

fn unknown(kind: &str, value: &str) -> IamError {
    IamError::MalformedPolicyDocument {
        reason: format!("Invalid principal in policy: \"{kind}\":\"{value}\""),
    }
}

/// An ARN of the same account and kind that no principal can have.
fn nobodys_arn(arn: &str, id: &str) -> String {
    let kind = arn.split_once('/').map_or(arn, |(before, _)| before);
    format!("{kind}/{GONE}{id}")
}

/// The document with other principals.
fn substituted(text: &str, others: &BTreeMap<String, String>) -> Option<String> {
    let mut document: Value = serde_json::from_str(text).ok()?;
    let statements = document.get_mut("Statement")?;
    // One statement may stand without a list.
    let statements = if statements.is_array() {
        statements.as_array_mut()?
    } else {
        std::slice::from_mut(statements)
    };
    for statement in statements {
        for element in ["Principal", "NotPrincipal"] {
            match statement
                .get_mut(element)
                .and_then(|principal| principal.get_mut("AWS"))
            {
                Some(Value::Array(list)) => list.iter_mut().for_each(|value| substitute(value, others)),
                Some(value) => substitute(value, others),
                None => {}
            }
        }
    }
    serde_json::to_string(&document).ok()
}

fn substitute(value: &mut Value, others: &BTreeMap<String, String>) {
    if let Some(other) = value.as_str().and_then(|text| others.get(text)) {
        *value = Value::String(other.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Users by name; their ids.
    struct People(Vec<(&'static str, &'static str)>);

    const ANN: &str = "arn:aws:iam::111122223333:user/ann";

    impl Principals for People {
        fn id_of(&self, arn: &str) -> Option<Arc<str>> {
            self.0
                .iter()
                .find(|(known, _)| *known == arn)
                .map(|(_, id)| (*id).into())
        }
        fn arn_of(&self, id: &str) -> Option<Arc<str>> {
            self.0
                .iter()
                .find(|(_, known)| *known == id)
                .map(|(arn, _)| (*arn).into())
        }
        fn has_account(&self, account: AccountId) -> bool {
            account.as_str() == "111122223333"
        }
    }

    fn text(principal: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}}}"#
        )
    }

    #[test]
    fn a_trust_policy_names_principals_that_exist() {
        let people = People(vec![(ANN, "AIDA1")]);
        assert!(Trust::new(&text(ANN), &people).is_ok());
        assert!(Trust::new(&text("111122223333"), &people).is_ok());
        assert!(Trust::new(&text("*"), &people).is_ok());
        for wrong in [
            "arn:aws:iam::111122223333:user/bob",
            "999999999999",
            "arn:aws:iam::999999999999:root",
        ] {
            let refused = Trust::new(&text(wrong), &people).unwrap_err();
            let reason = format!("Invalid principal in policy: \"AWS\":\"{wrong}\"");
            assert_eq!(refused, IamError::MalformedPolicyDocument { reason });
        }
    }

    #[test]
    fn a_principal_that_was_made_again_is_not_the_one_that_is_trusted() {
        let nobody = nobody().unwrap();
        let trust = Trust::new(&text(ANN), &People(vec![(ANN, "AIDA1")])).unwrap();
        let again = trust.rebound(&People(vec![(ANN, "AIDA2")]), &nobody);
        assert!(again.shown().contains("AIDA1") && !again.shown().contains(ANN));
        assert!(!again.effective().text().contains(&format!("{ANN}\"")));
        let back = again.rebound(&People(vec![(ANN, "AIDA1")]), &nobody);
        assert_eq!(back.shown(), trust.given());
    }

    #[test]
    fn a_renamed_principal_stays_trusted_under_its_new_name() {
        let other = "arn:aws:iam::111122223333:user/anne";
        let trust = Trust::new(&text(ANN), &People(vec![(ANN, "AIDA1")])).unwrap();
        let renamed = trust.rebound(&People(vec![(other, "AIDA1")]), &nobody().unwrap());
        assert!(renamed.shown().contains(other));
        assert!(renamed.effective().text().contains(other));
    }
}
