//! The hashes of the journal: of its chains with their anchors, and of the texts that were shown.

use super::hex::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Hashes one link: SHA-256 over the previous link's hash and this line's bytes.
pub fn link(previous: &[u8; 32], line: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(line);
    hash.finalize().into()
}

/// The hash before the first link of a chain: SHA-256 of the chain's name, so that chains cannot be swapped.
pub fn genesis(chain: &str) -> [u8; 32] {
    Sha256::digest(chain.as_bytes()).into()
}

/// The name of a text that was shown: the first half of the SHA-256 of its content, in hex.
pub fn text_hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..16])
}

/// The name of the chain of anchors.
pub const ANCHORS: &str = "anchors";

/// An anchor: the heads of all chains that grew since the last anchor. A copy of the anchors' chain that is kept
/// elsewhere proves the history up to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum AnchorEvent {
    /// The chain, sequence number and hash (hex) of each head, sorted by chain name.
    Anchored {
        /// The heads.
        heads: Vec<(String, u64, String)>,
    },
}
