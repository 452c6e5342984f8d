//! AWS Query (Smithy: "AWS Query protocol"): the answers. Requests are read in `query_reader`.

use super::{Failure, Success};
use crate::service::ServiceWire;
use crate::xml_writer::XmlWriter;

pub(super) fn success(success: &Success<'_>, request_id: &str) -> Vec<u8> {
    let mut out = document(success.service);
    let response = format!("{}Response", success.operation);
    out.open_in(&response, success.service.xmlns);
    if success.has_output {
        let result = format!("{}Result", success.operation);
        out.open(&result);
        (success.write)(&mut out);
        out.close(&result);
    }
    out.open("ResponseMetadata");
    out.element("RequestId", request_id);
    out.close("ResponseMetadata");
    out.close(&response);
    out.finish()
}

pub(super) fn failure(service: &ServiceWire, failure: &Failure<'_>, request_id: &str) -> Vec<u8> {
    let mut out = document(service);
    out.open_in("ErrorResponse", service.xmlns);
    out.open("Error");
    out.element("Type", failure.row.fault.as_str());
    out.element("Code", failure.row.query_code);
    out.element("Message", failure.message);
    for (member, text) in failure.details {
        out.element(member, text);
    }
    out.empty_element("Detail");
    out.close("Error");
    out.element("RequestId", request_id);
    out.close("ErrorResponse");
    out.finish()
}

pub(super) fn document(service: &ServiceWire) -> XmlWriter {
    let mut out = XmlWriter::new();
    if service.xml_declaration {
        out.declaration();
    }
    out
}
