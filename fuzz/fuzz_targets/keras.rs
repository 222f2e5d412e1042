#![no_main]
//! Keras models in an archive: as it is, or made of a configuration and the weights' HDF5.

use gradscape_fuzz::{archive, halves, model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"PK") {
        model("model.keras", bytes);
    } else if let Some((config, weights)) = halves(bytes) {
        let members = [("config.json", config), ("model.weights.h5", weights)];
        model("model.keras", &archive(&members));
    }
});
