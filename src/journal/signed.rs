//! Signed copies of anchors: what a daemon hands to somebody else, and how an outsider checks it.

use crate::core::{Timestamp, event::hex};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410).
const DER_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The first and the last line of a public key in PEM.
const PEM: (&str, &str) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");

/// A copy of an anchor with the signature of the daemon that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedAnchor {
    /// The name of the installation.
    pub site: String,
    /// The anchor's place in the chain of anchors.
    pub seq: u64,
    /// Its hash, in hex.
    pub hash: String,
    /// When it was written.
    pub at: Timestamp,
    /// Ed25519 (RFC 8032) over [`SignedAnchor::statement`], in base64.
    pub signature: String,
}

/// The public key with which a daemon's signatures are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorKey([u8; 32]);

impl SignedAnchor {
    /// The type of the event that a webhook is sent.
    pub const EVENT: &str = "journal.anchored";

    /// A copy whose signature `sign` makes.
    pub fn new(site: String, seq: u64, hash: &[u8; 32], at: Timestamp, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let unsigned = Self { site, seq, hash: hex(hash), at, signature: String::new() };
        let signature = STANDARD.encode(sign(unsigned.statement().as_bytes()));
        Self { signature, ..unsigned }
    }

    /// The bytes that are signed: five lines, each with its line end.
    pub fn statement(&self) -> String {
        let Self { site, seq, hash, at, .. } = self;
        format!("stentor journal anchor\nsite {site}\nseq {seq}\nhash {hash}\nat {at}\n")
    }
}

impl AnchorKey {
    /// The key with these bytes (RFC 8032, 5.1.5).
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a key in PEM. Text around it is skipped.
    pub fn from_pem(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(PEM.0)?;
        let (inner, _) = rest.split_once(PEM.1)?;
        let der = STANDARD.decode(inner.split_whitespace().collect::<String>()).ok()?;
        der.strip_prefix(&DER_HEAD)?.try_into().ok().map(Self)
    }

    /// The key in PEM, which OpenSSL reads.
    pub fn pem(&self) -> String {
        format!("{}\n{}\n{}\n", PEM.0, STANDARD.encode([&DER_HEAD[..], &self.0].concat()), PEM.1)
    }

    /// Whether the daemon with this key signed the copy as it is.
    pub fn has_signed(&self, copy: &SignedAnchor) -> bool {
        let Ok(signature) = STANDARD.decode(&copy.signature) else { return false };
        UnparsedPublicKey::new(&ED25519, &self.0).verify(copy.statement().as_bytes(), &signature).is_ok()
    }
}
