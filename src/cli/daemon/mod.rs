//! The daemon: what `stentor serve` puts together, and what the demo has inside it.

pub mod bound;
pub mod descriptors;
pub mod serve;
pub mod socket;
pub mod stop;
