#![no_main]
//! PyTorch's weights: the older form and archives as they are, or an archive made of a pickle
//! and one storage.

use gradscape_fuzz::{archive, halves, model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"PK") || bytes.starts_with(b"\x80\x02\x8a\x0a") {
        model("model.pt", bytes);
    } else if let Some((pickle, storage)) = halves(bytes) {
        let members = [("net/data.pkl", pickle), ("net/data/0", storage)];
        model("model.pt", &archive(&members));
    }
});
