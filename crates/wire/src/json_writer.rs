//! JSON straight into bytes.

use crate::kind::Member;
use crate::text::copy_escaped;
use crate::writer::Writer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_types::Timestamp;
use std::io::Write as _;

/// Writes JSON without spaces. Numbers are never written as text; times are seconds since the epoch.
#[derive(Debug, Default)]
pub struct JsonWriter {
    out: Vec<u8>,
    /// Whether something already stands in the structure, list or map that is being written.
    separated: bool,
}

impl JsonWriter {
    /// An empty document.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(256)
    }

    /// An empty document with room for that many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
            separated: false,
        }
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    fn separate(&mut self) {
        if self.separated {
            self.out.push(b',');
        }
        self.separated = true;
    }

    fn begin(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.separated = false;
    }

    fn end(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.separated = true;
    }

    /// Appends what displays as ASCII.
    fn display(&mut self, value: impl std::fmt::Display) {
        // Writing to a vector cannot fail.
        let _ = write!(self.out, "{value}");
    }
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(out: &mut Vec<u8>, text: &[u8]) -> usize {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match text.first().copied().unwrap_or_default() {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        control => {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(control >> 4), digit(control & 15)]);
            return 1;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
    1
}

impl Writer for JsonWriter {
    fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }
    fn text(&mut self, value: &str) {
        self.out.reserve(value.len().saturating_add(2));
        self.out.push(b'"');
        copy_escaped(&mut self.out, value.as_bytes(), needs_escape, escape);
        self.out.push(b'"');
    }
    fn integer(&mut self, value: i64) {
        self.display(value);
    }
    fn double(&mut self, value: f64) {
        if value.is_finite() {
            self.display(value);
        } else {
            // Smithy's notation for what JSON has no number for.
            let word = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            self.text(word);
        }
    }
    fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }
    fn blob(&mut self, value: &[u8]) {
        self.out.push(b'"');
        self.out.extend_from_slice(BASE64.encode(value).as_bytes());
        self.out.push(b'"');
    }
    fn timestamp(&mut self, value: Timestamp) {
        let (seconds, millis) = (value.as_millis() / 1000, value.as_millis() % 1000);
        if millis == 0 {
            self.display(seconds);
        } else {
            let fraction = format!("{millis:03}");
            self.display(format_args!("{seconds}.{}", fraction.trim_end_matches('0')));
        }
    }
    fn begin_structure(&mut self) {
        self.begin(b'{');
    }
    fn member(&mut self, member: &'static Member) {
        // The names of members are letters and digits.
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(member.name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
    fn end_structure(&mut self) {
        self.end(b'}');
    }
    fn begin_list(&mut self) {
        self.begin(b'[');
    }
    fn item(&mut self) {
        self.separate();
    }
    fn end_list(&mut self) {
        self.end(b']');
    }
    fn begin_map(&mut self) {
        self.begin(b'{');
    }
    fn key(&mut self, key: &str) {
        self.separate();
        self.text(key);
        self.out.push(b':');
    }
    fn end_map(&mut self) {
        self.end(b'}');
    }
}
