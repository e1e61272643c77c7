//! The public keys of receipts.

use crate::core::canonical::read_exact;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The most keys of a set that is read. A daemon publishes two; who keeps receipts for long keeps the sets of before.
pub const KEYS_MAX: usize = 64;

/// A public key, Ed25519 (RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptKey([u8; 32]);

/// Public keys, the current one first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptKeys(Vec<ReceiptKey>);

impl ReceiptKey {
    /// The key with these bytes (RFC 8032, 5.1.5).
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its name: the thumbprint of RFC 7638, SHA-256 in base64url.
    pub fn kid(&self) -> String {
        // The members that the RFC names, in its order, which is the order of their names.
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        URL_SAFE_NO_PAD.encode(Sha256::digest(members.as_bytes()))
    }

    /// Whether it signed this.
    pub fn has_signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(signed, signature).is_ok()
    }

    /// As a JWK. It names no `alg`: libraries differ in which of two names for the same one they take (RFC 9864).
    pub fn jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": self.x(), "kid": self.kid(), "use": "sig" })
    }

    fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads a JWK; `None` for a key of another kind.
    fn of_jwk(jwk: &Value) -> Result<Option<Self>, String> {
        if jwk["kty"] != "OKP" || jwk["crv"] != "Ed25519" {
            return Ok(None);
        }
        if jwk.get("d").is_some() {
            return Err("a key has a private part (`d`), which nobody but its daemon may have".to_owned());
        }
        let bytes = jwk["x"].as_str().and_then(|x| URL_SAFE_NO_PAD.decode(x).ok());
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        let key = Self(bytes.ok_or("a key has no `x` of 32 bytes in base64url")?);
        match jwk.get("kid").map(|kid| kid.as_str().unwrap_or_default()) {
            Some(kid) if kid != key.kid() => Err("the `kid` of a key is not its thumbprint (RFC 7638)".to_owned()),
            _ => Ok(Some(key)),
        }
    }
}

impl ReceiptKeys {
    /// These keys.
    pub fn new(keys: Vec<ReceiptKey>) -> Self {
        Self(keys)
    }

    /// Reads a JWK set, or one JWK. Keys of other kinds are skipped.
    ///
    /// # Errors
    /// If it is no JSON, has no Ed25519 key, more than [`KEYS_MAX`] keys, or a key that is not what it says.
    pub fn read(text: &str) -> Result<Self, String> {
        let json = read_exact(text).map_err(|error| error.to_string())?;
        let all = match json.get("keys") {
            Some(keys) => keys.as_array().map(Vec::as_slice).ok_or("its `keys` are no list")?,
            None => std::slice::from_ref(&json),
        };
        if KEYS_MAX < all.len() {
            return Err(format!("it has {} keys, and at most {KEYS_MAX} are read", all.len()));
        }
        let keys: Vec<Option<ReceiptKey>> = all.iter().map(ReceiptKey::of_jwk).collect::<Result<_, _>>()?;
        let keys: Vec<ReceiptKey> = keys.into_iter().flatten().collect();
        if keys.is_empty() { Err("it has no Ed25519 key".to_owned()) } else { Ok(Self(keys)) }
    }

    /// Adds the keys of another set.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The key of this name.
    pub fn get(&self, kid: &str) -> Option<&ReceiptKey> {
        self.0.iter().find(|key| key.kid() == kid)
    }

    /// As a JWK set.
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.0.iter().map(ReceiptKey::jwk).collect::<Vec<_>>() })
    }
}
