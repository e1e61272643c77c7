//! Journals that were exported, and copies of anchors in logs.

use std::collections::BTreeMap;
use stentor::{
    core::{IncidentId, ShownText, StoredLine},
    journal::{ExportedItem, FAULTS_MAX, KeptAnchors, export as write, export_texts, fold_check, read_export, verify},
};

/// What is read and written again reads the same; a sound journal that is changed is not sound; every chain folds or
/// says why not.
pub fn export(bytes: &[u8]) {
    let (mut lines, mut texts) = (Vec::<StoredLine>::new(), Vec::<ShownText>::new());
    for item in read_export(bytes).flatten() {
        match item {
            ExportedItem::Line(line) => lines.push(line),
            ExportedItem::Text(text) => texts.push(text),
        }
    }
    let mut written = Vec::new();
    write(lines.clone(), &mut written).expect("a vector takes all");
    export_texts(texts.clone(), &mut written).expect("a vector takes all");
    let items = lines.iter().cloned().map(ExportedItem::Line).chain(texts.into_iter().map(ExportedItem::Text));
    let again: Vec<ExportedItem> = read_export(&written[..]).map(|item| item.expect("we wrote it")).collect();
    assert_eq!(again, items.collect::<Vec<_>>());
    let mut kept = KeptAnchors::default();
    kept.read(bytes).expect("bytes can be read");
    let report = verify(lines.clone(), kept);
    assert!(report.faults.len() <= FAULTS_MAX && report.lines <= lines.len() as u64);
    if let Some(last) = lines.last_mut().filter(|_| verify(again_lines(&again), KeptAnchors::default()).is_sound()) {
        last.body.push(' ');
        assert!(!verify(lines.clone(), KeptAnchors::default()).is_sound(), "a changed line is found");
    }
    let mut chains = BTreeMap::<IncidentId, Vec<StoredLine>>::new();
    for line in again_lines(&again) {
        if let Ok(id) = line.chain.parse() {
            chains.entry(id).or_default().push(line);
        }
    }
    for (id, lines) in chains {
        if let Ok(incident) = fold_check(id, &lines) {
            assert_eq!(incident.id, id);
            let _ = incident.deadline();
        }
    }
}

fn again_lines(items: &[ExportedItem]) -> Vec<StoredLine> {
    let line = |item: &ExportedItem| match item {
        ExportedItem::Line(line) => Some(line.clone()),
        ExportedItem::Text(_) => None,
    };
    items.iter().filter_map(line).collect()
}

/// A line gives one anchor at most, and a file that is read twice says no more than once.
pub fn anchors(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    let (mut once, mut twice) = (KeptAnchors::default(), KeptAnchors::default());
    let found = once.read(bytes).expect("bytes can be read");
    assert!(found + once.torn() <= lines && once.len() as u64 <= found);
    assert!(once.gaps().len() < once.len().max(1));
    for _ in 0..2 {
        assert_eq!(twice.read(bytes).expect("bytes can be read"), found);
    }
    assert_eq!((twice.len(), twice.torn()), (once.len(), 2 * once.torn()));
    // What an alert says is in the text of another line, and is no anchor.
    let quoted = format!("2026-11-23T09:00:00Z  INFO alert text={:?}", String::from_utf8_lossy(bytes));
    let mut within = KeptAnchors::default();
    assert_eq!(within.read(quoted.as_bytes()).expect("bytes can be read"), 0, "{quoted}");
}
