#![no_main]
//! Text tables as data.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gradscape_fuzz::data(&[("data.csv", bytes)]));
