//! What a message says, as bytes to be sealed: the body, and behind it everything else that a receive answers.
//!
//! ```text
//! body │ flags 1 │ MD5 of the body 16 │ sender │ [trace header] │ [group] │ [deduplication id] │ [attributes] │ length of all behind the body 4
//! ```
//!
//! The body comes first, so that the buffer it is opened into becomes the body that is delivered, without a copy.
//! Digests are made once, when the message is sent, and kept here. Lengths are big-endian. Nothing of this is ever
//! written outside an envelope.

use super::message_attributes::{AttributeData, MessageAttribute};
use bulla_wire::SharedText;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An MD5 value.
pub(crate) type Md5 = [u8; 16];

const VERSION: u8 = 0x20;
const TRACED: u8 = 1;
const GROUPED: u8 = 2;
const DEDUPLICATED: u8 = 4;
const ATTRIBUTED: u8 = 8;

/// A message's content, as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) body: SharedText,
    pub(crate) body_md5: Md5,
    /// Message attributes by name.
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    /// Of all attributes; present when there are any.
    pub(crate) attributes_md5: Option<Md5>,
    /// Who sent it: `aws:userid` of the sender.
    pub(crate) sender: Arc<str>,
    /// The `AWSTraceHeader` system attribute.
    pub(crate) trace_header: Option<String>,
    /// The `MessageGroupId`.
    pub(crate) group: Option<String>,
    /// The `MessageDeduplicationId`.
    pub(crate) deduplication: Option<String>,
}

impl Content {
    /// Room that [`encode_into`](Self::encode_into) needs, bytes.
    pub(crate) fn encoded_len(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, |text| 4 + text.len());
        let attributes: usize = self
            .attributes
            .iter()
            .map(|(name, attribute)| {
                13 + name.len() + attribute.data_type.len() + attribute.data.bytes().len()
            })
            .sum();
        self.body.len()
            + 1
            + 16
            + 4
            + self.sender.len()
            + optional(&self.trace_header)
            + optional(&self.group)
            + optional(&self.deduplication)
            + self.attributes_md5.map_or(0, |_| 16 + 4 + attributes)
            + 4
    }

    /// Gives the bytes to `out`, piece by piece, so that they can be written where they will be sealed.
    pub(crate) fn encode_into(&self, out: &mut dyn FnMut(&[u8])) {
        let flag = |present: bool, flag: u8| if present { flag } else { 0 };
        out(self.body.as_bytes());
        out(&[VERSION
            | flag(self.trace_header.is_some(), TRACED)
            | flag(self.group.is_some(), GROUPED)
            | flag(self.deduplication.is_some(), DEDUPLICATED)
            | flag(self.attributes_md5.is_some(), ATTRIBUTED)]);
        out(&self.body_md5);
        put(out, self.sender.as_bytes());
        for text in [&self.trace_header, &self.group, &self.deduplication]
            .into_iter()
            .flatten()
        {
            put(out, text.as_bytes());
        }
        if let Some(md5) = &self.attributes_md5 {
            out(md5);
            put_len(out, self.attributes.len());
            for (name, attribute) in &self.attributes {
                put(out, name.as_bytes());
                put(out, attribute.data_type.as_bytes());
                out(&[u8::from(matches!(attribute.data, AttributeData::Binary(_)))]);
                put(out, attribute.data.bytes());
            }
        }
        put_len(out, self.encoded_len() - self.body.len());
    }
}

/// What stands behind the body, as it is read back; texts are those of the buffer.
#[derive(Clone, Debug)]
pub(crate) struct Opened<'a> {
    /// Bytes of the body, at the beginning of the buffer.
    pub(crate) body_len: usize,
    pub(crate) body_md5: Md5,
    pub(crate) sender: &'a str,
    pub(crate) trace_header: Option<&'a str>,
    pub(crate) group: Option<&'a str>,
    pub(crate) deduplication: Option<&'a str>,
    pub(crate) attributes: Option<OpenedAttributes<'a>>,
}

/// The message attributes, not yet looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenedAttributes<'a> {
    /// Of all of them.
    pub(crate) md5: Md5,
    bytes: &'a [u8],
}

impl<'a> Opened<'a> {
    /// Reads the bytes; `None` when they are not in this form.
    pub(crate) fn parse(plaintext: &'a [u8]) -> Option<Self> {
        let (rest, len) = plaintext.split_last_chunk::<4>()?;
        let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
        let body_len = plaintext.len().checked_sub(len)?;
        let mut rest = rest.get(body_len..)?;
        let flags = take_byte(&mut rest)? ^ VERSION;
        if flags & !(TRACED | GROUPED | DEDUPLICATED | ATTRIBUTED) != 0 {
            return None;
        }
        let mut opened = Self {
            body_len,
            body_md5: take_md5(&mut rest)?,
            sender: take_text(&mut rest)?,
            trace_header: None,
            group: None,
            deduplication: None,
            attributes: None,
        };
        for (flag, text) in [
            (TRACED, &mut opened.trace_header),
            (GROUPED, &mut opened.group),
            (DEDUPLICATED, &mut opened.deduplication),
        ] {
            if flags & flag != 0 {
                *text = Some(take_text(&mut rest)?);
            }
        }
        if flags & ATTRIBUTED != 0 {
            let md5 = take_md5(&mut rest)?;
            opened.attributes = Some(OpenedAttributes { md5, bytes: rest });
        } else if !rest.is_empty() {
            return None;
        }
        Some(opened)
    }
}

/// The body that lies at the beginning of the buffer, without a copy. `None` when it is not text.
pub(crate) fn into_body(mut plaintext: Vec<u8>, body_len: usize) -> Option<String> {
    plaintext.truncate(body_len);
    String::from_utf8(plaintext).ok()
}

impl OpenedAttributes<'_> {
    /// The attributes by name whose names are wanted, and whether these are all. `None` when the bytes are not in
    /// the form of attributes.
    pub(crate) fn select(
        &self,
        wanted: impl Fn(&str) -> bool,
    ) -> Option<(BTreeMap<String, MessageAttribute>, bool)> {
        let mut rest = self.bytes;
        let count = take_len(&mut rest)?;
        let mut selected = BTreeMap::new();
        for _ in 0..count {
            let name = take_text(&mut rest)?;
            let data_type = take_text(&mut rest)?;
            let binary = take_byte(&mut rest)? != 0;
            let data = take(&mut rest)?;
            if !wanted(name) {
                continue;
            }
            let data = if binary {
                AttributeData::Binary(data.to_vec())
            } else {
                AttributeData::Text(std::str::from_utf8(data).ok()?.to_owned())
            };
            let data_type = data_type.to_owned();
            selected.insert(name.to_owned(), MessageAttribute { data_type, data });
        }
        let all = selected.len() == count;
        rest.is_empty().then_some((selected, all))
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

fn take_md5(rest: &mut &[u8]) -> Option<Md5> {
    let (md5, after) = rest.split_first_chunk::<16>()?;
    *rest = after;
    Some(*md5)
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

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(take(rest)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{Content, Opened, into_body};
    use crate::sqs::message_attributes::{AttributeData, MessageAttribute};
    use proptest::option::of;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn attribute() -> impl Strategy<Value = MessageAttribute> {
        let data = prop_oneof![
            "\\PC{0,20}".prop_map(AttributeData::Text),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(AttributeData::Binary),
        ];
        ("[A-Za-z.]{1,10}", data).prop_map(|(data_type, data)| MessageAttribute { data_type, data })
    }

    prop_compose! {
        fn content()(
            body in "\\PC{0,200}", body_md5: [u8; 16], attributes_md5: [u8; 16],
            sender in "[A-Z0-9:]{0,20}", trace_header in of("\\PC{0,20}"),
            group in of("\\PC{1,20}"), deduplication in of("\\PC{1,20}"),
            attributes in proptest::collection::btree_map("[a-z]{1,8}", attribute(), 0..5),
        ) -> Content {
            let attributes_md5 = (!attributes.is_empty()).then_some(attributes_md5);
            Content { body: body.into(), body_md5, attributes, attributes_md5, sender: sender.into(), trace_header, group, deduplication }
        }
    }

    fn encode(content: &Content) -> Vec<u8> {
        let mut bytes = Vec::new();
        content.encode_into(&mut |piece| bytes.extend_from_slice(piece));
        bytes
    }

    proptest! {
        #[test]
        fn content_reads_back(content in content()) {
            let bytes = encode(&content);
            prop_assert_eq!(bytes.len(), content.encoded_len());
            let opened = Opened::parse(&bytes).unwrap();
            prop_assert_eq!(opened.body_md5, content.body_md5);
            prop_assert_eq!(opened.sender, &*content.sender);
            prop_assert_eq!(opened.trace_header, content.trace_header.as_deref());
            prop_assert_eq!(opened.group, content.group.as_deref());
            prop_assert_eq!(opened.deduplication, content.deduplication.as_deref());
            prop_assert_eq!(opened.attributes.map(|attributes| attributes.md5), content.attributes_md5);
            if let Some(attributes) = opened.attributes {
                prop_assert_eq!(attributes.select(|_| true), Some((content.attributes.clone(), true)));
                let none = Some((BTreeMap::new(), false));
                prop_assert_eq!(attributes.select(|_| false), none);
            }
            let body_len = opened.body_len;
            prop_assert_eq!(into_body(bytes, body_len).map(bulla_wire::SharedText::from), Some(content.body));
        }

        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(attributes) = Opened::parse(&bytes).and_then(|opened| opened.attributes) {
                let _ = attributes.select(|_| true);
            }
        }
    }
}
