//! TOML that people write, read so that every fault is found and shown at its place: what the matrix, the scenarios and
//! the settings of channels are read with.

pub mod diagnostic;
pub(crate) mod document;
pub(crate) mod faults;
pub(crate) mod names;
pub(crate) mod nearest;
pub mod network;
pub mod secret;
pub mod source;
pub mod unread;
