//! gradscape.
fn main() {}
