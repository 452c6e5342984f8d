//! The canonical request and the string to sign: one writer for verifying and for signing.

use crate::digest::{Hash, hex_digits, sha256};
use crate::encoding::{decode_path, push_encoded};
use crate::query::{self, Parameter};
use crate::request::PathRule;
use crate::time::RequestTime;
use crate::{ALGORITHM, UNSIGNED_PAYLOAD};

/// A header as received: the name in any case, the value unfolded or not.
pub(crate) type Header<'a> = (&'a str, &'a [u8]);

/// The last line of a canonical request.
pub(crate) enum PayloadLine {
    /// The body's hash in hexadecimal.
    Hash([u8; 64]),
    /// The body is not signed.
    Unsigned,
}

impl PayloadLine {
    pub(crate) fn of(hash: &Hash) -> Self {
        Self::Hash(hex_digits(hash))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Hash(digits) => digits,
            Self::Unsigned => UNSIGNED_PAYLOAD.as_bytes(),
        }
    }
}

/// Everything that a canonical request is made of.
pub(crate) struct CanonicalRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) path_rule: PathRule,
    pub(crate) query: &'a [Parameter],
    /// The parameter that is not part of the canonical query: the signature of a presigned request.
    pub(crate) query_leaves_out: Option<&'a str>,
    pub(crate) headers: &'a [Header<'a>],
    /// Names in any case, in the order to write them.
    pub(crate) signed_headers: &'a [&'a [u8]],
    /// The body's hash in hexadecimal, or `UNSIGNED-PAYLOAD`.
    pub(crate) payload: &'a [u8],
}

impl CanonicalRequest<'_> {
    /// Writes it; `None` when a header that is said to be signed is absent.
    ///
    /// An absent header is refused rather than read as an empty one, so that nothing signed can be taken away.
    pub(crate) fn write(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(1024);
        out.extend_from_slice(self.method.as_bytes());
        out.push(b'\n');
        push_path(&mut out, self.path, self.path_rule);
        out.push(b'\n');
        query::push_canonical(&mut out, self.query, self.query_leaves_out);
        out.push(b'\n');
        for name in self.signed_headers {
            self.push_header(&mut out, name)?;
        }
        out.push(b'\n');
        for (index, name) in self.signed_headers.iter().enumerate() {
            if index > 0 {
                out.push(b';');
            }
            push_lower_case(&mut out, name);
        }
        out.push(b'\n');
        out.extend_from_slice(self.payload);
        Some(out)
    }

    fn push_header(&self, out: &mut Vec<u8>, name: &[u8]) -> Option<()> {
        push_lower_case(out, name);
        let mut separator = b':';
        for (_, value) in self
            .headers
            .iter()
            .filter(|header| header.0.as_bytes().eq_ignore_ascii_case(name))
        {
            out.push(separator);
            push_folded(out, value);
            separator = b',';
        }
        if separator == b':' {
            return None;
        }
        out.push(b'\n');
        Some(())
    }
}

/// The string to sign over a canonical request.
pub(crate) fn string_to_sign(canonical_request: &[u8], time: &RequestTime, scope: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    for line in [ALGORITHM, time.as_str(), scope] {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(&hex_digits(&sha256(canonical_request)));
    out
}

fn push_lower_case(out: &mut Vec<u8>, name: &[u8]) {
    let start = out.len();
    out.extend_from_slice(name);
    out.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
}

/// Appends a header's value without white space at its ends, and with one space for each run of white space inside.
fn push_folded(out: &mut Vec<u8>, value: &[u8]) {
    let value = value.trim_ascii();
    // Most values have no white space at all; seen without an early exit, in vectors.
    let spaced = value.iter().fold(false, |found, byte| {
        found | matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0C)
    });
    let mut previous = 0;
    let to_fold = spaced
        && value.iter().any(|&byte| {
            let fold = byte.is_ascii_whitespace() && (byte != b' ' || previous == b' ');
            previous = byte;
            fold
        });
    if !to_fold {
        out.extend_from_slice(value);
        return;
    }
    let words = value
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

fn push_path(out: &mut Vec<u8>, path: &str, rule: PathRule) {
    match rule {
        PathRule::AsIs if path.is_empty() => out.push(b'/'),
        PathRule::AsIs => push_as_is(out, path),
        PathRule::Normalized => push_normalized(out, path),
    }
}

/// Appends the path with each segment decoded and encoded once; an encoded slash stays one.
fn push_as_is(out: &mut Vec<u8>, path: &str) {
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            out.push(b'/');
        }
        push_encoded(out, &decode_path(segment.as_bytes()));
    }
}

/// Appends the path without empty, `.` and `..` segments, each segment encoded once more.
fn push_normalized(out: &mut Vec<u8>, path: &str) {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    out.push(b'/');
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            out.push(b'/');
        }
        push_encoded(out, segment.as_bytes());
    }
    if !segments.is_empty() && path.ends_with('/') {
        out.push(b'/');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str, rule: PathRule) -> String {
        let mut out = Vec::new();
        push_path(&mut out, path, rule);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn paths_are_normalised_and_encoded_twice() {
        // Source: AWS Signature Version 4 test suite, normalize-path (get-relative, get-slash, get-space, ...).
        for (received, canonical) in [
            ("/", "/"),
            ("", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/example/..", "/"),
            ("/foo/bar/../..", "/"),
            ("/./example", "/example"),
            ("//example//", "/example/"),
            ("/example%20space/", "/example%2520space/"),
            ("/-._~0123456789", "/-._~0123456789"),
            ("/a/../../b", "/b"),
            ("/a%2Fb", "/a%252Fb"),
        ] {
            assert_eq!(path(received, PathRule::Normalized), canonical, "{received}");
        }
    }

    #[test]
    fn paths_of_s3_are_encoded_once_and_kept() {
        for (received, canonical) in [
            ("/a//b/../c", "/a//b/../c"),
            ("/a%20b", "/a%20b"),
            ("/a+b", "/a%2Bb"),
            ("/a%2fb", "/a%2Fb"),
            ("/test%24file.text", "/test%24file.text"),
            ("", "/"),
            ("/(x)", "/%28x%29"),
            ("/50%", "/50%25"),
        ] {
            assert_eq!(path(received, PathRule::AsIs), canonical, "{received}");
        }
    }

    #[test]
    fn white_space_in_header_values_is_folded() {
        for (value, folded) in [
            ("  a   b  c ", "a b c"),
            ("a\t b\r\n c", "a b c"),
            ("", ""),
            ("  ", ""),
        ] {
            let mut out = Vec::new();
            push_folded(&mut out, value.as_bytes());
            assert_eq!(out, folded.as_bytes());
        }
    }
}
