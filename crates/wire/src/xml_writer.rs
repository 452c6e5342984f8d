//! XML as AWS's Query services answer it.
//!
//! The element names come from the member tables: a list is `<X><member>..</member></X>`, a flattened one repeats
//! `<X>..</X>`; maps have `<entry><key/><value/></entry>` inside, or the names that the member gives.

use crate::kind::{Member, UNNAMED};
use crate::text::copy_escaped;
use crate::writer::Writer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_types::Timestamp;
use std::io::Write as _;

/// Writes elements without spaces between them.
#[derive(Debug)]
pub struct XmlWriter {
    out: Vec<u8>,
    frames: Vec<Frame>,
    /// Names for the list or map that comes next.
    names: &'static Member,
}

/// What is being written, innermost last.
#[derive(Debug)]
enum Frame {
    /// Members; the element that is open.
    Structure { open: Option<&'static str> },
    /// Items; their element's name.
    List { element: &'static str, open: bool },
    /// Entries; their element's name, and the names inside.
    Map {
        element: &'static str,
        key: &'static str,
        value: &'static str,
        open: bool,
    },
}

impl Default for XmlWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl XmlWriter {
    /// An empty document.
    #[must_use]
    pub fn new() -> Self {
        Self {
            out: Vec::with_capacity(512),
            frames: Vec::new(),
            names: &UNNAMED,
        }
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// `<?xml version="1.0"?>`.
    pub fn declaration(&mut self) {
        self.out.extend_from_slice(b"<?xml version=\"1.0\"?>");
    }

    /// `<Name>`; the name is one that XML allows.
    pub fn open(&mut self, name: &str) {
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    /// `<Name xmlns="..">`, or without the namespace when it is empty.
    pub fn open_in(&mut self, name: &str, namespace: &str) {
        if namespace.is_empty() {
            return self.open(name);
        }
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b" xmlns=\"");
        self.text(namespace);
        self.out.extend_from_slice(b"\">");
    }

    /// `</Name>`.
    pub fn close(&mut self, name: &str) {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    /// `<Name>text</Name>`.
    pub fn element(&mut self, name: &str, text: &str) {
        self.open(name);
        self.text(text);
        self.close(name);
    }

    /// `<Name/>`.
    pub fn empty_element(&mut self, name: &str) {
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"/>");
    }

    /// Closes the innermost frame's last element.
    fn close_last(&mut self) {
        match self.frames.last_mut() {
            None => {}
            Some(Frame::Structure { open }) => {
                if let Some(name) = open.take() {
                    self.close(name);
                }
            }
            Some(Frame::List { element, open }) => {
                let (element, was_open) = (*element, std::mem::take(open));
                if was_open {
                    self.close(element);
                }
            }
            Some(Frame::Map {
                element, value, open, ..
            }) => {
                let (element, value, was_open) = (*element, *value, std::mem::take(open));
                if was_open {
                    self.close(value);
                    self.close(element);
                }
            }
        }
    }

    fn end(&mut self) {
        self.close_last();
        self.frames.pop();
    }

    /// The names for what begins here; what is inside it starts without any.
    fn take_names(&mut self) -> &'static Member {
        std::mem::replace(&mut self.names, &UNNAMED)
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        // Writing to a vector cannot fail.
        let _ = write!(self.out, "{value}");
    }
}

/// Markup, control characters, and 0xEF, with which U+FFFE and U+FFFF begin.
fn needs_escape(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\n' && byte != b'\t')
        || matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'' | 0x7F | 0xEF)
}

/// XML 1.0 has no way to write most control characters, and would turn a raw carriage return into a line feed. AWS
/// writes numeric references for all of them; SDKs read these back, strict parsers refuse the impossible ones.
fn escape(out: &mut Vec<u8>, text: &[u8]) -> usize {
    let (reference, consumed): (&[u8], usize) = match text {
        [b'<', ..] => (b"&lt;", 1),
        [b'>', ..] => (b"&gt;", 1),
        [b'&', ..] => (b"&amp;", 1),
        [b'"', ..] => (b"&quot;", 1),
        [b'\'', ..] => (b"&apos;", 1),
        [0xEF, 0xBF, 0xBE, ..] => (b"&#xFFFE;", 3),
        [0xEF, 0xBF, 0xBF, ..] => (b"&#xFFFF;", 3),
        [0xEF, ..] => (b"\xEF", 1),
        [control, ..] => {
            let _ = write!(out, "&#x{control:X};");
            return 1;
        }
        [] => (b"", 0),
    };
    out.extend_from_slice(reference);
    consumed
}

impl Writer for XmlWriter {
    fn null(&mut self) {}
    fn text(&mut self, value: &str) {
        copy_escaped(&mut self.out, value.as_bytes(), needs_escape, escape);
    }
    fn integer(&mut self, value: i64) {
        self.display(value);
    }
    fn double(&mut self, value: f64) {
        self.display(value);
    }
    fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }
    fn blob(&mut self, value: &[u8]) {
        self.out.extend_from_slice(BASE64.encode(value).as_bytes());
    }
    fn timestamp(&mut self, value: Timestamp) {
        self.out.extend_from_slice(value.iso8601().as_bytes());
    }
    fn begin_structure(&mut self) {
        self.names = &UNNAMED;
        self.frames.push(Frame::Structure { open: None });
    }
    fn member(&mut self, member: &'static Member) {
        self.close_last();
        self.names = member;
        if !(member.flattened && member.kind.repeats()) {
            self.open(member.query_name);
            if let Some(Frame::Structure { open }) = self.frames.last_mut() {
                *open = Some(member.query_name);
            }
        }
    }
    fn end_structure(&mut self) {
        self.end();
    }
    fn begin_list(&mut self) {
        let names = self.take_names();
        let element = if names.flattened {
            names.query_name
        } else {
            names.item_name
        };
        self.frames.push(Frame::List { element, open: false });
    }
    fn item(&mut self) {
        self.close_last();
        if let Some(Frame::List { element, open }) = self.frames.last_mut() {
            *open = true;
            let element = *element;
            self.open(element);
        }
    }
    fn end_list(&mut self) {
        self.end();
    }
    fn begin_map(&mut self) {
        let names = self.take_names();
        let element = if names.flattened {
            names.query_name
        } else {
            "entry"
        };
        self.frames.push(Frame::Map {
            element,
            key: names.key_name,
            value: names.value_name,
            open: false,
        });
    }
    fn key(&mut self, text: &str) {
        self.close_last();
        if let Some(Frame::Map {
            element,
            key,
            value,
            open,
        }) = self.frames.last_mut()
        {
            *open = true;
            let (element, key, value) = (*element, *key, *value);
            self.open(element);
            self.element(key, text);
            self.open(value);
        }
    }
    fn end_map(&mut self) {
        self.end();
    }
}
