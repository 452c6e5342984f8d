//! EC2 Query (Smithy: "AWS EC2 Query protocol"): the answers. Requests are read in `query_reader`.
//!
//! Other than in AWS Query, no element stands around the output, the request's id comes first, and errors are a list.

use super::aws_query::document;
use super::{Failure, Success};
use crate::service::ServiceWire;

pub(super) fn success(success: &Success<'_>, request_id: &str) -> Vec<u8> {
    let mut out = document(success.service);
    let response = format!("{}Response", success.operation);
    out.open_in(&response, success.service.xmlns);
    out.element("requestId", request_id);
    if success.has_output {
        (success.write)(&mut out);
    }
    out.close(&response);
    out.finish()
}

pub(super) fn failure(service: &ServiceWire, failure: &Failure<'_>, request_id: &str) -> Vec<u8> {
    let mut out = document(service);
    out.open("Response");
    out.open("Errors");
    out.open("Error");
    out.element("Code", failure.row.query_code);
    out.element("Message", failure.message);
    for (member, text) in failure.details {
        out.element(member, text);
    }
    out.close("Error");
    out.close("Errors");
    out.element("RequestID", request_id);
    out.close("Response");
    out.finish()
}
