//! JSON in its canonical form.

use serde_json::Value;
use stentor::core::canonical::{CanonicalJson, read_exact};

/// What is read is JSON to others, too; its form reads back as itself; what a reader could take for something else has
/// no form.
pub fn canonical(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let known: Option<Value> = serde_json::from_str(&text).ok();
    let Ok(json) = CanonicalJson::read(&text) else { return };
    let known = known.expect("what we read is JSON");
    assert_eq!(CanonicalJson::of(&known).as_ref(), Ok(&json), "another reader reads the same");
    let again = CanonicalJson::read(json.text()).expect("what we write can be read");
    assert_eq!((again.text(), again.digest()), (json.text(), json.digest()));
    assert!(json.digest().len() == "sha256:".len() + 64 && read_exact(json.text()).is_ok());
    let spaced = serde_json::to_string_pretty(&known).expect("JSON");
    assert_eq!(CanonicalJson::read(&spaced).expect("the same"), json);
}
