//! The simulator: the core and the engine's rules in virtual time, with people and channels as distributions.

mod people;
pub mod picture;
pub mod random;
pub mod sequence;
pub mod setting;
pub mod simulate;
pub mod virtual_time;
mod world;
