//! One program for all laws, so that it is built and linked once: `STENTOR_FUZZ` names the law.
#![no_main]

mod laws;

use laws::{LAWS, Law};
use std::sync::LazyLock;

static LAW: LazyLock<Law> = LazyLock::new(|| {
    let wanted = std::env::var("STENTOR_FUZZ").unwrap_or_default();
    let found = LAWS.iter().find(|(name, _)| *name == wanted);
    let names: Vec<&str> = LAWS.iter().map(|(name, _)| *name).collect();
    found.unwrap_or_else(|| panic!("set STENTOR_FUZZ to one of {}", names.join(", "))).1
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| LAW(bytes));
