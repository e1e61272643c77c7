//! The signature of a receipt: made and checked over the very bytes that are sent, which nobody writes anew.

use super::key::ReceiptKeys;
use crate::core::canonical::{CanonicalError, CanonicalJson, read_exact};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Value, json};

/// The algorithm, Ed25519 by its name in RFC 8037. RFC 9864 has a new one (`Ed25519`), which not every library reads yet.
pub const ALGORITHM: &str = "EdDSA";

/// The type of a receipt: another JWS by the same key, should there be one, is none.
pub const TYPE: &str = "stentor-receipt+jws";

/// The largest receipt that is read, in bytes.
pub const RECEIPT_MAX: usize = 64 * 1024;

/// The names of the header, all that there are.
const NAMES: [&str; 3] = ["alg", "kid", "typ"];

/// A receipt that its key has signed as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedReceipt {
    /// The name of the key.
    pub kid: String,
    /// What it says.
    pub claims: Value,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// It is no receipt.
    #[error("it is no receipt: {0}")]
    Form(String),
    /// Its header has a name that is not known, such as `crit`.
    #[error("its header has `{0}`, which a receipt does not have")]
    Header(String),
    /// It names another algorithm.
    #[error("it is signed by {0:?}, and a receipt is by {ALGORITHM}")]
    Algorithm(String),
    /// It is another kind of token.
    #[error("it is of the type {0:?}, and a receipt of {TYPE}")]
    Type(String),
    /// None of the keys is its.
    #[error("none of the keys is {0:?}: the keys that were published when it was signed are needed")]
    UnknownKey(String),
    /// It is not what was signed.
    #[error("it was changed, or another key signed it")]
    Altered,
}

/// Why a receipt can not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// What it shall say has no canonical form.
    #[error("the receipt can not be written: {0}")]
    Claims(#[from] CanonicalError),
    /// There is no key.
    #[error("there is no key for receipts")]
    NoKey,
    /// It would be larger than what is read.
    #[error("the receipt would have {0} bytes, more than {RECEIPT_MAX}")]
    TooLarge(usize),
}

/// A receipt that says this, signed by the key of that name: `sign` makes the signature of the bytes.
///
/// # Errors
/// [`SignError::Claims`] for numbers that not every reader keeps, [`SignError::TooLarge`].
pub fn sign(claims: &impl Serialize, kid: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<String, SignError> {
    let header = CanonicalJson::of(&json!({ "alg": ALGORITHM, "kid": kid, "typ": TYPE }))?;
    let claims = CanonicalJson::of_serialized(claims)?;
    let [header, claims] = [&header, &claims].map(|part| URL_SAFE_NO_PAD.encode(part.text()));
    let signed = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    let receipt = format!("{signed}.{signature}");
    if receipt.len() <= RECEIPT_MAX { Ok(receipt) } else { Err(SignError::TooLarge(receipt.len())) }
}

/// What a receipt says, if one of these keys has signed it as it is.
///
/// # Errors
/// The first [`ReceiptFault`] that is found.
pub fn verify(receipt: &str, keys: &ReceiptKeys) -> Result<VerifiedReceipt, ReceiptFault> {
    let form = |why: &str| ReceiptFault::Form(why.to_owned());
    if RECEIPT_MAX < receipt.len() {
        return Err(ReceiptFault::Form(format!("it has more than {RECEIPT_MAX} bytes")));
    }
    let parts: Vec<&str> = receipt.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err(form("it has no three parts between dots")) };
    let kid = key_of(&json_of(header)?)?;
    let key = keys.get(&kid).ok_or_else(|| ReceiptFault::UnknownKey(kid.clone()))?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| form("its signature is not base64url"))?;
    let signed = &receipt[..header.len() + 1 + claims.len()];
    if !key.has_signed(signed.as_bytes(), &signature) {
        return Err(ReceiptFault::Altered);
    }
    Ok(VerifiedReceipt { kid, claims: json_of(claims)? })
}

/// The name of the key in a header that is a receipt's.
fn key_of(header: &Value) -> Result<String, ReceiptFault> {
    let fields = header.as_object().ok_or_else(|| ReceiptFault::Form("its header is no object".to_owned()))?;
    if let Some(other) = fields.keys().find(|name| !NAMES.contains(&name.as_str())) {
        return Err(ReceiptFault::Header(other.clone()));
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match [text("alg"), text("typ")] {
        [algorithm, _] if algorithm != ALGORITHM => Err(ReceiptFault::Algorithm(algorithm)),
        [_, kind] if kind != TYPE => Err(ReceiptFault::Type(kind)),
        _ => Ok(text("kid")),
    }
}

/// A part that is JSON. Base64 with spare bits is none: another text would be the same receipt.
fn json_of(part: &str) -> Result<Value, ReceiptFault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| ReceiptFault::Form("a part is not base64url".to_owned()))?;
    let text = String::from_utf8(bytes).map_err(|_| ReceiptFault::Form("a part is not UTF-8".to_owned()))?;
    read_exact(&text).map_err(|error| ReceiptFault::Form(error.to_string()))
}
