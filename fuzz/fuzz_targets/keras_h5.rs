#![no_main]
//! Keras models in HDF5.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gradscape_fuzz::model("model.h5", bytes));
