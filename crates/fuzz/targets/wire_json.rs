//! JSON: any bytes are read or refused, and what was read, written and read again is the same.
#![no_main]

use bulla_fuzz::{Everything, json};
use bulla_wire::{Payload, Protocol};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(read) = Protocol::AwsJson11.read::<Everything>(Payload::Json(data)) else {
        return;
    };
    let written = json(&read);
    let again = Protocol::AwsJson10
        .read::<Everything>(Payload::Json(&written))
        .unwrap();
    assert_eq!(again, read, "{}", String::from_utf8_lossy(&written));
    assert_eq!(json(&again), written);
});
