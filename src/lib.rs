//! Stentor turns a crisis signal into engaged humans. See `ARCHITECTURE.md` for the map.

pub mod channel;
pub mod core;
pub mod store;
pub mod template;
