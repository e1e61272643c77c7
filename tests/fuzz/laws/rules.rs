//! The matrix, scenarios and conditions.

use super::first_line;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, LazyLock},
};
use stentor::{
    core::{Alert, Timestamp},
    drill::{
        Scenario,
        scenario::definition::{COMPRESS_MAX, INJECTS_MAX, LONGEST},
    },
    http::{
        api::alerts::parse,
        monitors::{item::MonitorItem, mapped},
    },
    matrix::{
        CostMeter, Diagnostic, EXPRESSION_COST_MAX, KnownNames, Matrix, ParsedMatrix, Severity, SourceText,
        TriggerMatch, read_folder, render_of,
    },
    template::PageTemplates,
};

/// 2026-11-23T09:00:00Z.
const NOW: Timestamp = Timestamp::from_micros(1_795_424_400_000_000);

static TEMPLATES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| PageTemplates::shipped().revisions());

fn parsed(files: &[SourceText]) -> ParsedMatrix {
    Matrix::parse(files, &KnownNames { templates: &TEMPLATES }, NOW)
}

/// Every fault stands where it says, and is shown in signs that move no cursor.
fn told(diagnostics: &[Diagnostic], file: &SourceText) {
    for fault in diagnostics {
        assert!(file.text.get(fault.span.clone()).is_some(), "{fault:?} is no place in the file");
        assert_ne!(fault.code, "can-not-read", "{fault:?}");
    }
    let shown = render_of("the file", diagnostics, std::slice::from_ref(file), false);
    let moves = shown.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert_eq!(moves, None, "{shown:?}");
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|fault| fault.severity == Severity::Error)
}

/// A matrix is read or all its faults are told, never both; whatever is read names only what is there.
pub fn matrix(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = SourceText { path: "matrix.toml".into(), text: text.to_owned() };
    let read = parsed(std::slice::from_ref(&file));
    told(&read.diagnostics, &file);
    assert_eq!(read.matrix.is_none(), has_errors(&read.diagnostics));
    let Some(matrix) = read.matrix else { return };
    for name in matrix.triggers.keys() {
        let plan = matrix.plan(name).expect("a trigger has a plan");
        assert!(plan.required.iter().all(|role| plan.roles.contains_key(role)));
    }
    let again = parsed(std::slice::from_ref(&file)).matrix.expect("it was read");
    assert_eq!(again.revision, matrix.revision);
}

/// The matrix that ships.
static SHIPPED: LazyLock<Matrix> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let near = [root.join("matrix"), root.join("../../matrix")].into_iter().find(|folder| folder.is_dir());
    let files = read_folder(&near.expect("the matrix that ships")).expect("it can be read");
    parsed(&files).matrix.expect("it is sound")
});

/// The same for a scenario, which stays within its limits.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = SourceText { path: "scenario.toml".into(), text: text.to_owned() };
    let read = Scenario::read(&file, &SHIPPED);
    told(&read.diagnostics, &file);
    assert_eq!(read.scenario.is_none(), has_errors(&read.diagnostics));
    let Some(scenario) = read.scenario else { return };
    assert!(scenario.ends <= LONGEST && (1..=COMPRESS_MAX).contains(&scenario.compress));
    assert!(scenario.injects.iter().map(|inject| u64::from(inject.count)).sum::<u64>() <= u64::from(INJECTS_MAX));
    assert!(scenario.injects.iter().all(|inject| inject.at <= scenario.ends && inject.alert.flaw().is_none()));
    assert!(scenario.hypotheses.iter().all(|hypothesis| !format!("{hypothesis:?}").is_empty()));
}

/// The first line is a condition, the rest an alert: it holds or it does not or it says why, and always within its cost.
pub fn conditions(bytes: &[u8]) {
    let (condition, alert) = first_line(bytes);
    let Ok(condition) = std::str::from_utf8(condition) else { return };
    let Some(read) = parse(alert).ok().and_then(|read| read.into_iter().flatten().next()) else { return };
    let alert = Alert { kind: "k".into(), ..read.alert().clone() };
    let condition = serde_json::to_string(condition).expect("a text");
    for key in ["when", "key"] {
        let text = include_str!("condition.toml").replace("KEY", &format!("{key} = {condition}"));
        let file = SourceText { path: "matrix.toml".into(), text };
        let read = parsed(std::slice::from_ref(&file));
        told(&read.diagnostics, &file);
        let Some(matrix) = read.matrix else { continue };
        let said = matrix.judge(&alert);
        let quick = Arc::new(CostMeter::new(EXPRESSION_COST_MAX / 100));
        let quickly = matrix.judge_within(&alert, &quick, false);
        for said in &said {
            match said {
                TriggerMatch::Holds { key, .. }
                | TriggerMatch::Clears { key, .. }
                | TriggerMatch::Speaks { key, .. }
                | TriggerMatch::Breaks { key, .. } => {
                    assert!(key.to_string().len() <= 300, "{key}");
                }
                TriggerMatch::Failed { why, .. } => {
                    let room = 300 + condition.chars().count();
                    assert!(why.chars().count() <= room, "{} characters are said", why.chars().count());
                }
            }
        }
        // Who has no time to look fails, and says nothing else than who has.
        let failed = quickly.iter().any(|said| matches!(said, TriggerMatch::Failed { .. }));
        assert!(quickly == said || (quick.is_overrun() && failed), "{quickly:?} but {said:?}");
    }
}

/// The first line is an expression of a mapping, the rest a body: each item is an alert that can be kept, or it says why not.
pub fn mappings(bytes: &[u8]) {
    let (expression, body) = first_line(bytes);
    let Ok(expression) = std::str::from_utf8(expression) else { return };
    let expression = serde_json::to_string(expression).expect("a text");
    let text = include_str!("mapping.toml").replace("EXPRESSION", &expression);
    let file = SourceText { path: "matrix.toml".into(), text };
    let read = parsed(std::slice::from_ref(&file));
    told(&read.diagnostics, &file);
    let Some(matrix) = read.matrix else { return };
    let map = matrix.sources.values().find_map(|source| source.map.clone()).expect("it has a mapping");
    let Ok(mapped) = mapped::read(&matrix, &map, body) else { return };
    for item in mapped.items {
        let alert = match item {
            Ok(MonitorItem::Alert(alert) | MonitorItem::Once { alert, .. }) => alert,
            Ok(MonitorItem::Noted(_)) => continue,
            Err(why) => {
                assert!(why.chars().count() <= 300, "{why}");
                continue;
            }
        };
        assert_eq!((alert.flaw(), alert.kind.as_str()), (None, "k"));
    }
}
