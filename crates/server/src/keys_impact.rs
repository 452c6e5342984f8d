//! `bulla keys impact`: what becomes unreadable when a key is destroyed, asked before its deletion is scheduled.

use serde_json::{Value, json};
use std::fmt::Write as _;

use crate::held_keys::HeldKeys;
use crate::operator_error::OperatorError;

/// As it is told to people.
pub(crate) fn told(value: &Value) -> String {
    let text_of =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_u64).unwrap_or_default();
    let is = |value: &Value, name: &str| value.get(name).and_then(Value::as_bool).unwrap_or_default();
    let mut text = format!(
        "when {} is destroyed, stored messages that become unreadable: {}",
        text_of(value, "key"),
        number(value, "messages")
    );
    let queues = value.get("queues").and_then(Value::as_array);
    for queue in queues.into_iter().flatten() {
        let uses = match (is(queue, "uses_key"), is(queue, "is_dead_letter_queue")) {
            (true, true) => "uses the key, and is a dead-letter queue",
            (true, false) => "uses the key: nothing can be sent to it until it has another",
            (false, true) => "a dead-letter queue, which uses no or another key",
            (false, false) => "does not use the key any more",
        };
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n  {:>9}  {}  ({uses})",
            number(queue, "messages"),
            text_of(queue, "queue")
        );
    }
    let _ = write!(text, "\nbackups: {}", text_of(value, "backups"));
    text
}

/// Answers it in the server.
pub(crate) async fn answer(services: HeldKeys, name: &str) -> Result<Value, OperatorError> {
    let arn = services.key(name)?;
    let key = services.kms.key_names(&arn).ok_or_else(|| {
        OperatorError::failed(format!("there is no key `{arn}`"))
            .why("it may have been destroyed")
            .fix("`bulla keys certificates` shows which keys were")
    })?;
    let impact = services
        .sqs
        .impact(&key)
        .await
        .map_err(|error| OperatorError::failed("the messages cannot be read").why(error))?;
    let messages: u64 = impact.iter().map(|queue| queue.messages).sum();
    let queues = impact.iter().map(|queue| {
        json!({
            "queue": queue.arn,
            "uses_key": queue.uses_key,
            "is_dead_letter_queue": queue.is_dead_letter_queue,
            "messages": queue.messages,
        })
    });
    Ok(json!({
        "key": key.arn(),
        "messages": messages,
        "queues": queues.collect::<Vec<_>>(),
        "backups": "what is sealed under the key opens from no backup either, as far as copies of the keyring are not older and other \
                    copies of a multi-Region key are gone; backups from before there was a keyring do open",
    }))
}
