//! The matrix: what it accepts, what it refuses and with which words, and how it judges alerts.
#![allow(clippy::disallowed_methods)]

use std::{collections::BTreeMap, path::Path};
use stentor::{
    core::Timestamp,
    matrix::{Diagnostic, KnownNames, Matrix, ParsedMatrix, SourceText, read_folder, render},
};

mod actions;
mod assessments;
mod decision;
mod fault_texts;
mod faults;
mod handoff;
mod judging;
mod laws;
mod layers;
mod plans;
mod rooms;
mod shipped;
mod sources;
mod stand_ins;
mod tables;
mod timezone;
mod turns;
mod urgency;
mod without_effect;

/// A fixed time, so that turns of rotations are the same in every run.
fn as_of() -> Timestamp {
    Timestamp::parse("2026-11-23T09:00:00Z").expect("a time")
}

fn templates() -> BTreeMap<String, String> {
    ["default", "trader", "head-of-desk", "compliance", "it", "commander", "catch-all"]
        .map(|name| (name.to_owned(), format!("{name}-1")))
        .into()
}

fn parse(files: &[SourceText]) -> ParsedMatrix {
    Matrix::parse(files, &KnownNames { templates: &templates() }, as_of())
}

fn file(name: &str, text: &str) -> SourceText {
    SourceText { path: name.into(), text: text.into() }
}

fn folder(path: &str) -> Vec<SourceText> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut files = read_folder(&path).expect("the folder can be read");
    for file in &mut files {
        file.path = file.path.file_name().expect("a file has a name").into();
    }
    files
}

/// Warnings about who and what is not used: small matrices have them, and tests of their own.
const USE: [&str; 4] = ["catch-all-decides", "stands-in-for-themselves", "unused-person", "unused-channel"];

/// A matrix that must be without any fault but those of [`USE`].
fn sound(files: &[SourceText]) -> Matrix {
    let mut parsed = parse(files);
    parsed.diagnostics.retain(|diagnostic| !USE.contains(&diagnostic.code));
    assert!(parsed.diagnostics.is_empty(), "{}", render(&parsed.diagnostics, files, false));
    parsed.matrix.expect("without faults there is a matrix")
}

/// `unknown-key 3:1 "wen"`: the code, the place and the text underlined.
fn told(diagnostic: &Diagnostic, files: &[SourceText]) -> String {
    let file = files.iter().find(|file| file.path == diagnostic.file);
    let underlined = file.map_or("", |file| &file.text[diagnostic.span.clone()]);
    format!("{} {}:{} {underlined:?}", diagnostic.code, diagnostic.line, diagnostic.column)
}
