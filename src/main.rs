//! Stentor.
fn main() {}
