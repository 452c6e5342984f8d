//! The query string: read as form decoders read it, written in canonical form.

use crate::encoding::{decode_query, push_encoded};

/// One parameter, decoded.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

impl Parameter {
    pub(crate) fn new(name: &str, value: &str) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            value: value.as_bytes().to_vec(),
        }
    }
}

/// The parameters of a raw query string, in its order; a name without `=` has an empty value.
pub(crate) fn parse(query: &str) -> Vec<Parameter> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Parameter {
                name: decode_query(name.as_bytes()),
                value: decode_query(value.as_bytes()),
            }
        })
        .collect()
}

/// Appends the canonical query string: encoded, then sorted by name and by value, without the signature itself.
pub(crate) fn push_canonical(out: &mut Vec<u8>, parameters: &[Parameter], leave_out: Option<&str>) {
    let mut encoded: Vec<(Vec<u8>, Vec<u8>)> = parameters
        .iter()
        .filter(|parameter| leave_out.is_none_or(|name| parameter.name != name.as_bytes()))
        .map(|parameter| (encode(&parameter.name), encode(&parameter.value)))
        .collect();
    encoded.sort_unstable();
    for (index, (name, value)) in encoded.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    push_encoded(&mut out, bytes);
    out
}
