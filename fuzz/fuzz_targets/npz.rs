#![no_main]
//! NumPy archives as weights and as data: as they are, or made of two arrays.

use gradscape_fuzz::{archive, data, halves, model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let made;
    let file = if bytes.starts_with(b"PK") {
        bytes
    } else if let Some((first, second)) = halves(bytes) {
        made = archive(&[("x.npy", first), ("y.npy", second)]);
        &made
    } else {
        return;
    };
    model("model.npz", file);
    data(&[("data.npz", file)]);
});
