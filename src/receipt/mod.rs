//! Receipts: signed statements that anybody can check offline, with any library for JOSE. A receipt is a JWS (RFC 7515, in
//! its compact form) over canonical JSON; the keys are a JWK set (RFC 7517). What a receipt says is its caller's.

mod jws;
mod key;

pub use jws::{ALGORITHM, RECEIPT_MAX, ReceiptFault, SignError, TYPE, VerifiedReceipt, sign, verify};
pub use key::{KEYS_MAX, ReceiptKey, ReceiptKeys};
