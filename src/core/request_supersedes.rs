//! A question that is asked in the place of another one.

use super::request_id::RequestId;
use serde::{Deserialize, Serialize};

/// The question that another one takes the place of, because the facts changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supersedes {
    /// The request that was asked before.
    pub request: RequestId,
    /// What changed, in one line for people: `orders 1204 -> 15`.
    pub changed: String,
    /// Which question of its line this is; the first one has no such entry, so from 2.
    pub question: u32,
}
