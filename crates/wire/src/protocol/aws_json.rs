//! AWS JSON 1.0 and 1.1 (Smithy: "AWS JSON 1.0 protocol"); they differ in their content type only.

use super::{Failure, Success};
use crate::json_writer::JsonWriter;
use crate::service::ServiceWire;
use crate::writer::Writer as _;
use std::borrow::Cow;

/// An operation without output answers an empty body.
pub(super) fn success(success: &Success<'_>) -> Vec<u8> {
    if !success.has_output {
        return Vec::new();
    }
    let mut out = JsonWriter::with_capacity(success.length_hint);
    (success.write)(&mut out);
    out.finish()
}

pub(super) fn failure(
    service: &ServiceWire,
    failure: &Failure<'_>,
    headers: &mut Vec<(&'static str, Cow<'static, str>)>,
) -> Vec<u8> {
    let row = &failure.row;
    let name = match service.error_namespace {
        Some(_) if row.shape.contains('#') => row.shape.to_owned(),
        Some(namespace) => format!("{namespace}#{}", row.shape),
        None => row.bare_shape().to_owned(),
    };
    if service.query_compatible {
        headers.push((
            "x-amzn-query-error",
            format!("{};{}", row.query_code, row.fault.as_str()).into(),
        ));
    }
    let mut out = JsonWriter::new();
    out.begin_map();
    out.key("__type");
    out.text(&name);
    out.key(service.error_message_member);
    out.text(failure.message);
    for (member, text) in failure.details {
        out.key(member);
        out.text(text);
    }
    out.end_map();
    headers.push(("x-amzn-errortype", Cow::Owned(name)));
    out.finish()
}
