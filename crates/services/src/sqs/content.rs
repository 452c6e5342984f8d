//! What a message says, as bytes to be sealed: body, attributes, and what is needed to answer a receive.
//!
//! The layout is ours and versioned: a version byte, then fields, each with its length before it (big-endian).
//! Nothing of this is ever written outside an envelope.

use super::message_attributes::{AttributeData, MessageAttribute};
use std::collections::BTreeMap;

const VERSION: u8 = 1;

/// A message's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// The body.
    pub(crate) body: String,
    /// Message attributes by name.
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    /// Who sent it: `aws:userid` of the sender.
    pub(crate) sender: String,
    /// The `AWSTraceHeader` system attribute.
    pub(crate) trace_header: Option<String>,
}

impl Content {
    /// Room that [`encode_into`](Self::encode_into) needs, bytes.
    pub(crate) fn encoded_len(&self) -> usize {
        let attributes: usize = self
            .attributes
            .iter()
            .map(|(name, attribute)| {
                13 + name.len() + attribute.data_type.len() + attribute.data.bytes().len()
            })
            .sum();
        let trace = self.trace_header.as_ref().map_or(0, |header| 4 + header.len());
        1 + 4 + self.body.len() + 4 + self.sender.len() + 1 + trace + 4 + attributes
    }

    /// Gives the bytes to `out`, piece by piece, so that they can be written where they will be sealed.
    pub(crate) fn encode_into(&self, out: &mut dyn FnMut(&[u8])) {
        out(&[VERSION]);
        put(out, self.body.as_bytes());
        put(out, self.sender.as_bytes());
        out(&[u8::from(self.trace_header.is_some())]);
        if let Some(header) = &self.trace_header {
            put(out, header.as_bytes());
        }
        put_len(out, self.attributes.len());
        for (name, attribute) in &self.attributes {
            put(out, name.as_bytes());
            put(out, attribute.data_type.as_bytes());
            out(&[u8::from(matches!(attribute.data, AttributeData::Binary(_)))]);
            put(out, attribute.data.bytes());
        }
    }

    /// Reads the bytes; `None` when they are not in this form.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        if take_byte(&mut rest)? != VERSION {
            return None;
        }
        let body = take_text(&mut rest)?;
        let sender = take_text(&mut rest)?;
        let trace_header = match take_byte(&mut rest)? {
            0 => None,
            _ => Some(take_text(&mut rest)?),
        };
        let count = take_len(&mut rest)?;
        let mut attributes = BTreeMap::new();
        for _ in 0..count {
            let name = take_text(&mut rest)?;
            let data_type = take_text(&mut rest)?;
            let data = match take_byte(&mut rest)? {
                0 => AttributeData::Text(take_text(&mut rest)?),
                _ => AttributeData::Binary(take(&mut rest)?.to_vec()),
            };
            attributes.insert(name, MessageAttribute { data_type, data });
        }
        rest.is_empty().then_some(Self {
            body,
            attributes,
            sender,
            trace_header,
        })
    }
}

fn put_len(out: &mut dyn FnMut(&[u8]), len: usize) {
    // Everything in a message is shorter than MESSAGE_BYTES_MAX.
    out(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
}

fn put(out: &mut dyn FnMut(&[u8]), bytes: &[u8]) {
    put_len(out, bytes.len());
    out(bytes);
}

fn take_byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

fn take_len(rest: &mut &[u8]) -> Option<usize> {
    let (len, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    usize::try_from(u32::from_be_bytes(*len)).ok()
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = take_len(rest)?;
    let (bytes, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(bytes)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    String::from_utf8(take(rest)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::Content;
    use crate::sqs::message_attributes::{AttributeData, MessageAttribute};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn attribute() -> impl Strategy<Value = MessageAttribute> {
        let data = prop_oneof![
            "\\PC{0,20}".prop_map(AttributeData::Text),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(AttributeData::Binary),
        ];
        ("[A-Za-z.]{1,10}", data).prop_map(|(data_type, data)| MessageAttribute { data_type, data })
    }

    proptest! {
        #[test]
        fn content_reads_back(
            body in "\\PC{0,200}",
            sender in "[A-Z0-9:]{0,20}",
            trace_header in proptest::option::of("\\PC{0,20}"),
            attributes in proptest::collection::btree_map("[a-z]{1,8}", attribute(), 0..5),
        ) {
            let content = Content { body, attributes, sender, trace_header };
            let mut bytes = Vec::new();
            content.encode_into(&mut |piece| bytes.extend_from_slice(piece));
            prop_assert_eq!(bytes.len(), content.encoded_len());
            prop_assert_eq!(Content::decode(&bytes), Some(content));
        }

        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Content::decode(&bytes);
        }
    }

    #[test]
    fn content_with_bytes_behind_it_is_refused() {
        let content = Content {
            body: "b".into(),
            attributes: BTreeMap::new(),
            sender: "s".into(),
            trace_header: None,
        };
        let mut bytes = Vec::new();
        content.encode_into(&mut |piece| bytes.extend_from_slice(piece));
        bytes.push(0);
        assert_eq!(Content::decode(&bytes), None);
    }
}
