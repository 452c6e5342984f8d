//! The data keys that services hold in clear under a KMS key: who, until when, and taking them away.

use crate::operator_error::OperatorError;
use bulla_gate::Gate;
use bulla_services::kms::Kms;
use bulla_services::sqs::{HolderUse, KeyHolder, Sqs};
use serde_json::{Value, json};
use std::sync::Arc;

/// The services that know.
#[derive(Clone)]
pub(crate) struct HeldKeys {
    pub(crate) gate: Arc<Gate>,
    pub(crate) kms: Arc<Kms>,
    pub(crate) sqs: Arc<Sqs>,
}

impl HeldKeys {
    /// Who holds data keys of the key with this name.
    pub(crate) fn holders(&self, name: &str) -> Result<Value, OperatorError> {
        let key = self.key(name)?;
        let held = self.sqs.key_holders(&key, self.gate.authorization_epoch());
        let holders: Vec<Value> = held.holders.iter().map(shown).collect();
        Ok(json!({ "key": &*key, "data_keys": held.data_keys, "holders": holders }))
    }

    /// Takes them away. The log says so, as it does of calls.
    pub(crate) fn revoke(&self, name: &str) -> Result<Value, OperatorError> {
        let key = self.key(name)?;
        let revoked = self.sqs.revoke_data_keys(&key);
        tracing::info!(
            principal = "operator",
            service = "kms",
            operation = "RevokeDataKeys",
            resource = &*key,
            holders = revoked.holders,
            data_keys = revoked.data_keys,
            "data keys revoked"
        );
        Ok(json!({ "key": &*key, "data_keys": revoked.data_keys, "holders": revoked.holders }))
    }

    /// ARN of the one key that a name means.
    pub(crate) fn key(&self, name: &str) -> Result<Arc<str>, OperatorError> {
        let mut found = self.kms.keys_named(name);
        match (found.len(), found.pop()) {
            (1, Some(key)) => Ok(key),
            // Of a key that is destroyed there may still be data keys.
            (_, None) if name.starts_with("arn:aws:kms:") && name.contains(":key/") => Ok(name.into()),
            (_, None) => Err(OperatorError::failed(format!("there is no key `{name}`"))
                .why("no key of any account and region has this id, ARN or alias")
                .fix(
                    "give one of them as `ListKeys` and `ListAliases` show them, an alias with its `alias/`",
                )),
            (count, Some(last)) => {
                let all: Vec<&str> = found.iter().chain([&last]).map(|key| &**key).collect();
                Err(OperatorError::failed(format!("`{name}` names {count} keys"))
                    .why(all.join(", "))
                    .fix("give the ARN of the one that you mean"))
            }
        }
    }
}

fn shown(holder: &KeyHolder) -> Value {
    let KeyHolder {
        principal,
        access_key,
        queue,
        purpose,
        since,
        until,
        current,
    } = holder;
    json!({
        "principal": &**principal,
        "access_key": access_key.as_deref(),
        "queue": &**queue,
        "use": match purpose {
            HolderUse::Sealing => "seals",
            HolderUse::Opening => "opens",
        },
        "since": since.iso8601_millis(),
        "until": until.iso8601_millis(),
        "current": current,
    })
}
