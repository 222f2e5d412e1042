#![no_main]
//! IDX files as data: images and labels, plain or compressed.

use gradscape_fuzz::{data, halves};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some((images, labels)) = halves(bytes) {
        data(&[("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)]);
    }
});
