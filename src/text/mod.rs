//! Text that people read and write: the SMS alphabet, spoken text, replies. Nothing is decided here.

pub mod gsm7;
pub mod reply;
pub mod speech;
