//! Journal lines and texts as they are stored and exported.

use serde::{Deserialize, Serialize};

/// A journal line as it is stored, or as an export contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLine {
    /// Its place in the order of commits; it grows, with gaps.
    pub pos: i64,
    /// Its chain.
    pub chain: String,
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// The exact bytes that were hashed: a [`JournalRecord`] in JSON.
    pub body: String,
    /// The hash of this link.
    pub hash: [u8; 32],
}

/// A text that was shown, as it is stored or exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownText {
    /// Its hash: [`text_hash`] of its content.
    #[serde(rename = "text")]
    pub hash: String,
    /// Its content, with placeholders in place of codes and links.
    pub body: String,
}
