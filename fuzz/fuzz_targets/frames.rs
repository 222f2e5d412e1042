#![no_main]
//! What is sent to who watches: as it is, or made of headers and bodies without their frames.

use gradscape_fuzz::{frames, parts, stream};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match bytes.starts_with(b"GRSP") {
        true => stream(bytes),
        false => stream(&frames(&parts(bytes))),
    }
});
