#![no_main]
//! Weights in safetensors.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gradscape_fuzz::model("model.safetensors", bytes));
