//! What people read and write, as text: the letters of an SMS, words to be spoken, replies. It decides nothing.

pub mod gsm7;
pub mod reply;
pub mod speech;
