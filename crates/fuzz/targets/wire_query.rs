//! Query: any bytes are read or refused; what was read comes back through JSON, which knows no forms; and the pairs of
//! a form come back when they are encoded again.
#![no_main]

use bulla_fuzz::{Everything, json};
use bulla_wire::{Form, Payload, Protocol};
use std::fmt::Write;

fn encode(form: &Form<'_>) -> String {
    let mut text = String::new();
    let mut put = |part: &str, end: char| {
        for byte in part.bytes() {
            let _ = write!(text, "%{byte:02X}");
        }
        text.push(end);
    };
    for (name, value) in form.iter() {
        put(name, '=');
        put(value, '&');
    }
    text
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(form) = Form::parse(data) else { return };
    let encoded = encode(&form);
    assert_eq!(Form::parse(encoded.as_bytes()).unwrap(), form);
    let Ok(read) = Protocol::AwsQuery.read::<Everything>(Payload::Form(form)) else {
        return;
    };
    let written = json(&read);
    let again = Protocol::AwsJson11
        .read::<Everything>(Payload::Json(&written))
        .unwrap();
    assert_eq!(again, read, "{}", String::from_utf8_lossy(&written));
});
