//! Text that people read and write: the SMS alphabet, numbers, amounts of money, spoken text, replies. Nothing is decided here.

pub mod field_name;
pub mod gsm7;
pub mod money;
pub mod number;
pub mod quantity;
pub mod reply;
pub mod signature;
pub mod speech;
