#![no_main]
//! TensorBoard's event files: as they are, or made of records without their frames.

use gradscape_fuzz::{events, parts, records};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    events(bytes);
    events(&records(&parts(bytes)));
});
