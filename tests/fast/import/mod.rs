//! Set-ups of other tools become matrices that pass their check, with everything else in the report.

mod alertmanager;
mod others;
mod pagerduty;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use stentor::{
    core::{Alert, Timestamp, TriggerName, Zones},
    import::{Export, ImportError, Imported, Tool, import},
    matrix::{KnownNames, Matrix, Severity, SourceText, TriggerMatch},
};

fn now() -> Timestamp {
    Timestamp::parse("2026-09-30T12:00:00Z").unwrap()
}

fn imported(tool: Tool, bytes: &[u8], rules: &[Vec<u8>]) -> Result<Imported, ImportError> {
    import(Export { tool, bytes, rules }, &Arc::new(Zones::bundled()), now())
}

/// The matrix, which must have no mistake.
fn checked(text: &str) -> Matrix {
    let files = [SourceText { path: PathBuf::from("matrix.toml"), text: text.to_owned() }];
    let templates = BTreeMap::from([("default".into(), String::new())]);
    let parsed = Matrix::parse(&files, &KnownNames { templates: &templates }, now());
    let errors: Vec<_> = parsed.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    parsed.matrix.unwrap()
}

/// The triggers whose conditions hold for an alert.
fn holding(matrix: &Matrix, alert: &Alert) -> Vec<TriggerName> {
    let holding = |said: TriggerMatch| match said {
        TriggerMatch::Holds { trigger, .. } => Some(trigger),
        TriggerMatch::Failed { trigger, .. } => panic!("{trigger} can not be judged"),
        _ => None,
    };
    matrix.judge(alert).into_iter().filter_map(holding).collect()
}

/// Nothing of an export's secrets is in what was made of it.
fn has_none_of(imported: &Imported, secrets: &[&str]) {
    let report = serde_json::to_string(&imported.report).unwrap() + &imported.report.text();
    for secret in secrets {
        assert!(!imported.matrix.contains(secret) && !report.contains(secret), "{secret}");
    }
}

/// Whatever is no export is refused with words, and cuts and noise never panic.
fn refuses_what_is_none(tool: Tool, good: &[u8]) {
    for bad in [&b""[..], b"  \n", b"null", b"[]", b"7", b"{}", b"{\"a\":", b"\xff\xfe", b"a: [", b"[[[[[[[["] {
        assert!(imported(tool, bad, &[]).is_err(), "{}", String::from_utf8_lossy(bad));
    }
    let deep = "[".repeat(200_000);
    assert!(imported(tool, deep.as_bytes(), &[]).is_err());
    for cut in (0..good.len()).step_by(97) {
        let _ = imported(tool, &good[..cut], &[]);
    }
}

/// Texts that no set-up should have, and some has.
const STRANGE: [&str; 5] = ["", "\u{7}\n'\"\\ \u{202e}x", "[", "9999-99-99T99:99:99Z", "Ana Ruiz"];

/// Whatever one text or number of a good export is (every second one is tried), what is made of it is a matrix, or it is refused with words.
fn takes_strange_values(tool: Tool, good: &serde_json::Value) {
    let mut places = Vec::new();
    leaves(good, String::new(), &mut places);
    for (n, place) in places.iter().step_by(2).enumerate() {
        let mut changed = good.clone();
        let strange = STRANGE.get(n % (STRANGE.len() + 1)).map_or(i64::MAX.into(), |text| (*text).into());
        *changed.pointer_mut(place).unwrap() = strange;
        // What is made was read as a matrix.
        if let Err(ImportError::Refused(why)) = imported(tool, changed.to_string().as_bytes(), &[]) {
            panic!("{place}: {:?}: {why}", changed.pointer(place));
        }
    }
}

/// The places of its texts and numbers.
fn leaves(value: &serde_json::Value, place: String, places: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| leaves(field, format!("{place}/{name}"), places));
        }
        serde_json::Value::Array(items) => {
            items.iter().take(4).enumerate().for_each(|(n, item)| leaves(item, format!("{place}/{n}"), places));
        }
        _ => places.push(place),
    }
}
