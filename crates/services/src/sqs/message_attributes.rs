//! Message attributes: names, types, values, and their MD5.
//!
//! Source: SQS Developer Guide, "Amazon SQS message metadata" and "Calculating the MD5 message digest for message
//! attributes" (read 2026-11-21).

use super::errors::SqsError;
use super::limits::{ATTRIBUTE_NAME_CHARS_MAX, MESSAGE_ATTRIBUTES_MAX};
use super::text::is_allowed_text;
use bulla_wire::{Blob, Shape};
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// `MessageAttributeValue` and `MessageSystemAttributeValue` as clients send and receive it.
#[derive(Clone, Debug, Default, PartialEq, Shape)]
#[shape(name = "MessageAttributeValue")]
pub struct MessageAttributeValue {
    /// For types String and Number.
    pub string_value: Option<String>,
    /// For type Binary.
    pub binary_value: Option<Blob>,
    /// Reserved by AWS, refused.
    #[member(query = "StringListValue", flattened, item = "StringListValue")]
    pub string_list_values: Option<Vec<String>>,
    /// Reserved by AWS, refused.
    #[member(query = "BinaryListValue", flattened, item = "BinaryListValue")]
    pub binary_list_values: Option<Vec<Blob>>,
    /// `String`, `Number` or `Binary`, with an optional suffix: `Number.float`.
    pub data_type: String,
}

/// `MessageSystemAttributeValue`: the same members under a name of its own.
#[derive(Clone, Debug, Default, PartialEq, Shape)]
#[shape(name = "MessageSystemAttributeValue")]
pub struct MessageSystemAttributeValue {
    /// For types String and Number.
    pub string_value: Option<String>,
    /// For type Binary.
    pub binary_value: Option<Blob>,
    /// Reserved by AWS, refused.
    #[member(query = "StringListValue", flattened, item = "StringListValue")]
    pub string_list_values: Option<Vec<String>>,
    /// Reserved by AWS, refused.
    #[member(query = "BinaryListValue", flattened, item = "BinaryListValue")]
    pub binary_list_values: Option<Vec<Blob>>,
    /// `String`.
    pub data_type: String,
}

impl MessageAttributeValue {
    /// Type and value, bytes.
    pub(crate) fn size(&self) -> usize {
        self.data_type.len()
            + self.string_value.as_ref().map_or(0, String::len)
            + self.binary_value.as_ref().map_or(0, |bytes| bytes.0.len())
    }
}

impl MessageSystemAttributeValue {
    /// The same value as a user attribute's.
    pub(crate) fn into_message_attribute(self) -> MessageAttributeValue {
        let Self {
            string_value,
            binary_value,
            string_list_values,
            binary_list_values,
            data_type,
        } = self;
        MessageAttributeValue {
            string_value,
            binary_value,
            string_list_values,
            binary_list_values,
            data_type,
        }
    }
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttributeData {
    Text(String),
    Binary(Vec<u8>),
}

impl AttributeData {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// A well-formed attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageAttribute {
    pub(crate) data_type: String,
    pub(crate) data: AttributeData,
}

impl MessageAttribute {
    /// The form that clients receive.
    pub(crate) fn into_value(self) -> MessageAttributeValue {
        let (string_value, binary_value) = match self.data {
            AttributeData::Text(text) => (Some(text), None),
            AttributeData::Binary(bytes) => (None, Some(Blob(bytes))),
        };
        MessageAttributeValue {
            string_value,
            binary_value,
            data_type: self.data_type,
            ..Default::default()
        }
    }

    /// What the attribute adds to the message's size, without its name, bytes.
    pub(crate) fn size(&self) -> usize {
        self.data_type.len() + self.data.bytes().len()
    }
}

/// Checks the attributes of one message.
pub(crate) fn parse(
    values: BTreeMap<String, MessageAttributeValue>,
) -> Result<BTreeMap<String, MessageAttribute>, SqsError> {
    if values.len() > MESSAGE_ATTRIBUTES_MAX {
        return Err(SqsError::InvalidParameterValue(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MESSAGE_ATTRIBUTES_MAX}].",
            values.len()
        )));
    }
    values.keys().try_for_each(|name| check_name(name))?;
    parse_unnamed(values)
}

/// Checks types and values alone, for attributes whose names SQS itself defines.
pub(crate) fn parse_unnamed(
    values: BTreeMap<String, MessageAttributeValue>,
) -> Result<BTreeMap<String, MessageAttribute>, SqsError> {
    values
        .into_iter()
        .map(|(name, value)| {
            let attribute = parse_value(&name, value)?;
            Ok((name, attribute))
        })
        .collect()
}

fn check_name(name: &str) -> Result<(), SqsError> {
    let well_formed = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    if !well_formed {
        return Err(SqsError::InvalidParameterValue(
            "Message attribute name can contain alphanumeric characters, hyphens, underscores and periods, must not \
             start or end with a period and must not have periods in succession."
                .into(),
        ));
    }
    if name.len() > ATTRIBUTE_NAME_CHARS_MAX {
        return Err(SqsError::InvalidParameterValue(format!(
            "Length of message attribute name must be less than {ATTRIBUTE_NAME_CHARS_MAX} bytes."
        )));
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return Err(SqsError::InvalidParameterValue(
            "Message attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon."
                .into(),
        ));
    }
    Ok(())
}

fn parse_value(name: &str, value: MessageAttributeValue) -> Result<MessageAttribute, SqsError> {
    let MessageAttributeValue {
        string_value,
        binary_value,
        string_list_values,
        binary_list_values,
        data_type,
    } = value;
    if string_list_values.is_some_and(|list| !list.is_empty())
        || binary_list_values.is_some_and(|list| !list.is_empty())
    {
        return Err(SqsError::UnsupportedOperation(
            "Message attribute list values are not supported.".into(),
        ));
    }
    let kind = data_type.split('.').next().unwrap_or_default();
    let plausible = matches!(kind, "String" | "Number" | "Binary")
        && data_type.len() <= ATTRIBUTE_NAME_CHARS_MAX
        && is_allowed_text(&data_type);
    if !plausible {
        return Err(SqsError::InvalidParameterValue(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes \
             is Binary, Number, and String."
        )));
    }
    let data = match (kind, string_value, binary_value) {
        ("Binary", None, Some(bytes)) if !bytes.0.is_empty() => AttributeData::Binary(bytes.0),
        ("String" | "Number", Some(text), None) if !text.is_empty() => AttributeData::Text(text),
        (_, None, None) => {
            return Err(SqsError::InvalidParameterValue(format!(
                "The message attribute '{name}' must contain a non-empty message attribute value for message \
                 attribute type '{data_type}'."
            )));
        }
        _ => {
            return Err(SqsError::InvalidParameterValue(format!(
                "The message attribute '{name}' with type '{data_type}' must use field '{}'.",
                if kind == "Binary" { "Binary" } else { "String" }
            )));
        }
    };
    if let AttributeData::Text(text) = &data {
        if !is_allowed_text(text) {
            return Err(SqsError::InvalidMessageContents);
        }
        if kind == "Number" && !is_number(text) {
            return Err(SqsError::InvalidParameterValue(format!(
                "Can't cast the value of message (user) attribute '{name}' to a number."
            )));
        }
    }
    Ok(MessageAttribute { data_type, data })
}

/// A decimal number of up to 38 digits, with an optional exponent.
fn is_number(text: &str) -> bool {
    text.len() <= 256
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// The MD5 over attributes as AWS computes it: sorted by name; of each the name, the type, a byte for the kind of
/// transport (1 text, 2 binary) and the value, with lengths before all but that byte. `None` without attributes.
pub(crate) fn md5<'a>(
    attributes: impl Iterator<Item = (&'a String, &'a MessageAttribute)>,
) -> Option<[u8; 16]> {
    let mut digest = Md5::new();
    let mut any = false;
    for (name, attribute) in attributes {
        any = true;
        update(&mut digest, name.as_bytes());
        update(&mut digest, attribute.data_type.as_bytes());
        digest.update([match attribute.data {
            AttributeData::Text(_) => 1,
            AttributeData::Binary(_) => 2,
        }]);
        update(&mut digest, attribute.data.bytes());
    }
    any.then(|| digest.finalize().into())
}

fn update(digest: &mut Md5, bytes: &[u8]) {
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}
