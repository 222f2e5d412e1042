#![no_main]
//! ONNX models.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gradscape_fuzz::model("model.onnx", bytes));
