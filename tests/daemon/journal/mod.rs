//! The journal outside of a store: exported, kept elsewhere, checked again.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod ahead;
mod backup;
mod columns;
mod command;
use crate::common;
use crate::fixture;
mod kept;
mod python;
mod signed;
mod tampered;
mod untouched;
mod words;

use fixture::{Hands, opening, roster};
use stentor::{
    core::{Actor, IncidentId, IncidentInput, IncidentKey, StoredLine},
    journal::{self, ExportedItem, FAULTS_MAX, JournalError, JournalFaultKind, KeptAnchors},
    store::{LockSet, MemoryStore, RequestClass, Store, Transaction, clock::ClockSources, transact},
};

/// Two incidents and two anchors.
async fn some_lines() -> Vec<StoredLine> {
    lines_of(&["A \u{1f4c9}", "B"]).await
}

/// An incident and an anchor a key.
async fn lines_of(keys: &[&'static str]) -> Vec<StoredLine> {
    let hands = Hands::new();
    let store = MemoryStore::new(move || hands.wall()).node();
    for key in keys.iter().copied() {
        let needs = LockSet { keys: vec![IncidentKey::stored(key)], ..LockSet::default() };
        let work = move |unit: &mut Transaction<'_>| {
            let id = unit.open(opening(key), &roster());
            unit.step(id, IncidentInput::Resolve { by: Actor::Operator("root".into()), why: None }, &roster());
        };
        transact(&store, RequestClass::Admission, needs, work).await.expect("kept");
        store.anchor().await.expect("anchored");
    }
    store.lines(None, 0, usize::MAX).await.expect("lines")
}

fn exported(lines: &[StoredLine]) -> String {
    let mut file = Vec::new();
    journal::export(lines.to_vec(), &mut file).expect("written");
    String::from_utf8(file).expect("text")
}

fn imported(file: &str) -> Vec<StoredLine> {
    let lines = journal::read_export(file.as_bytes()).map(|item| item.map(line));
    lines.collect::<Result<_, _>>().expect("an export")
}

fn line(item: ExportedItem) -> StoredLine {
    match item {
        ExportedItem::Line(line) => line,
        ExportedItem::Text(text) => panic!("{text:?}"),
    }
}

#[tokio::test]
async fn an_export_comes_back_to_the_byte_and_verifies() {
    let lines = some_lines().await;
    let file = exported(&lines);
    assert_eq!(file.lines().count(), lines.len());
    assert_eq!(imported(&file), lines);
    let anchors = kept::read(&file);
    assert_eq!(anchors.len(), 2);
    let report = journal::verify(imported(&file), anchors);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.proven_to, Some(2));
}

#[tokio::test]
async fn bodies_that_are_no_json_on_one_line_come_back_to_the_byte_too() {
    let mut lines = some_lines().await;
    for (line, body) in lines.iter_mut().zip(["gone", "", " {\"chain\":\"INC-1\"}", "{\n}", "\u{0}"]) {
        line.body = body.into();
    }
    let file = exported(&lines);
    assert_eq!(imported(&file), lines);
    let report = journal::verify(imported(&file), KeptAnchors::default());
    let unreadable = report.faults.iter().filter(|fault| fault.what == JournalFaultKind::Unreadable).count();
    assert_eq!(unreadable, 5, "{report:?}");
}

#[tokio::test]
async fn every_byte_of_an_export_counts() {
    let file = exported(&some_lines().await);
    let kept = kept::read(&file);
    let digits: Vec<usize> =
        file.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(i, _)| i).collect();
    for at in digits.into_iter().step_by(97) {
        let mut altered = file.clone().into_bytes();
        altered[at] = if altered[at] == b'7' { b'8' } else { b'7' };
        let altered = String::from_utf8(altered).expect("text");
        let lines: Result<Vec<_>, _> = journal::read_export(altered.as_bytes()).map(|item| item.map(line)).collect();
        let found = lines.map(|lines| journal::verify(lines, kept.clone()));
        // `pos` only orders the lines of a store; a file has an order already.
        let line = file[..at].rfind('\n').map_or(0, |end| end + 1);
        let in_pos = at < line + file[line..].find(',').expect("fields");
        assert!(
            in_pos || found.is_err() || found.is_ok_and(|report| !report.is_sound()),
            "byte {at}: {}",
            &file[line..]
        );
    }
}

#[tokio::test]
async fn a_fold_refuses_what_it_does_not_understand_and_says_where() {
    let lines = some_lines().await;
    let id = IncidentId(1);
    let of_one: Vec<StoredLine> = lines.into_iter().filter(|line| line.chain == id.to_string()).collect();
    assert!(!journal::fold_check(id, &of_one).expect("it folds").is_open());
    let mut newer = of_one.clone();
    newer[2].body = newer[2].body.replacen(r#""v":1"#, r#""v":2"#, 1);
    let mut gone = of_one.clone();
    gone[3].body = "gone".into();
    for (lines, seq) in [(newer, 3), (gone, 4), (of_one[1..].to_vec(), 1), (Vec::new(), 1)] {
        let refused = journal::fold_check(id, &lines);
        assert!(matches!(&refused, Err(JournalError::Fold { seq: at, .. }) if *at == seq), "{refused:?}");
    }
}

#[tokio::test]
async fn a_report_is_bounded() {
    let line = some_lines().await.remove(0);
    let report = journal::verify((0..2 * FAULTS_MAX).map(|_| line.clone()), KeptAnchors::default());
    assert_eq!((report.faults.len(), report.faulty), (FAULTS_MAX, 2 * FAULTS_MAX - 1));
    assert_eq!(report.faults[0].to_string(), "INC-1 line 1: line 2 should come here: lines are missing or repeated");
}
