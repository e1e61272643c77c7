//! Receipts, checked by a library for JOSE that knows nothing of us.

use crate::parts;
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
};
use stentor::engine::keys::DerivedKeys;

/// Reads `{keys, receipts}`; says for each receipt what it says, or `null`, and how it would name each key.
const REFEREE: &str = r#"
import json, sys
from joserfc import jws
from joserfc.jwk import KeySet, OKPKey
asked = json.load(sys.stdin)
keys = KeySet.import_key_set(asked["keys"])
def said(receipt):
    try:
        return json.loads(jws.deserialize_compact(receipt, keys, algorithms=["EdDSA"]).payload)
    except Exception:
        return None
names = [OKPKey.import_key(key).thumbprint() for key in asked["keys"]["keys"]]
print(json.dumps({"said": [said(receipt) for receipt in asked["receipts"]], "names": names}))
"#;

/// What the referee says; none where it is not here.
fn judged(asked: &Value) -> Option<Value> {
    let python = std::env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let knows = Command::new(&python).args(["-c", "import joserfc"]).stderr(Stdio::null()).status();
    if !knows.is_ok_and(|status| status.success()) {
        parts::skipped("joserfc", "pip install joserfc, and name that python in STENTOR_PYTHON");
        return None;
    }
    let mut command = Command::new(python);
    let mut child = command.args(["-c", REFEREE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the referee fell over");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_foreign_library_takes_our_receipts_and_refuses_changed_ones() {
    let daemon = DerivedKeys::new([7; 32]);
    let claims = json!({ "request": "req_7", "who": ["ana", "bo"], "note": "€ \"yes\"\n\u{1f4c9}", "seconds": 41.5 });
    let signed = |number: u32| daemon.sign_receipt(number, &claims).unwrap();
    let keys = daemon.receipt_keys(2).jwks();
    let mut receipts =
        vec![signed(2), signed(1), signed(3), DerivedKeys::new([8; 32]).sign_receipt(2, &claims).unwrap()];
    let good = signed(2);
    let dots: Vec<usize> = good.match_indices('.').map(|(at, _)| at).collect();
    for at in [10, dots[0] + 5, dots[1] + 5] {
        let other = if &good[at..=at] == "A" { "B" } else { "A" };
        receipts.push(format!("{}{other}{}", &good[..at], &good[at + 1..]));
    }
    let Some(told) = judged(&json!({ "keys": keys, "receipts": receipts })) else { return };
    assert_eq!(told["said"], json!([claims, claims, null, null, null, null, null]));
    let names: Vec<&Value> = keys["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(told["names"], json!(names));
}
