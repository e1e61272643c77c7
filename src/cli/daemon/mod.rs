//! The daemon, as `stentor serve` and the demo run it.

pub mod bound;
pub mod descriptors;
mod reload;
pub mod serve;
pub mod socket;
pub mod stop;
