//! Faults of the matrix: where they are, what they mean, what to write instead; shown in rustc's style.

use crate::toml_kit::source::SourceText;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;
use std::{fmt, ops::Range, path::PathBuf};

/// One fault of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether the matrix is refused because of it.
    pub severity: Severity,
    /// What kind of fault, in kebab case, e.g. `unknown-key`.
    pub code: &'static str,
    /// What is wrong, in one sentence. Never holds a secret.
    pub message: String,
    /// The file; empty when the fault is in no file.
    pub file: PathBuf,
    /// The line, from 1; 0 when the fault is in no file.
    pub line: usize,
    /// The column in characters, from 1; 0 when the fault is in no file.
    pub column: usize,
    /// The text underlined, in bytes of the file.
    pub span: Range<usize>,
    /// What to write instead.
    pub help: Option<String>,
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The matrix is refused.
    Error,
    /// The matrix works, but probably not as meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// The code of a secret that stands in the clear; its text is never shown.
pub(crate) const PLAIN_SECRET: &str = "plain-secret";

/// Shows faults with the lines that they are in, in rustc's style, and a last line that counts them. `files` are those
/// that were parsed; secrets that stand in them in the clear are shown as stars. Empty without faults.
pub fn render(diagnostics: &[Diagnostic], files: &[SourceText], colour: bool) -> String {
    render_of("the matrix", diagnostics, files, colour)
}

/// The same for something else that is read in this way: `what` is "the scenario".
pub fn render_of(what: &str, diagnostics: &[Diagnostic], files: &[SourceText], colour: bool) -> String {
    render_within(None, what, diagnostics, files, colour)
}

/// The same for a terminal with so many columns: of a line of a file that is wider, only what is around the fault is
/// shown.
pub fn render_within(
    width: Option<usize>,
    what: &str,
    diagnostics: &[Diagnostic],
    files: &[SourceText],
    colour: bool,
) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = width.map_or(renderer.clone(), |width| renderer.term_width(width));
    let masked: Vec<(String, String)> =
        files.iter().map(|file| (file.path.display().to_string(), mask(file, diagnostics))).collect();
    let mut shown = String::new();
    // Because of the errors it is refused: they come first.
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.severity);
    for diagnostic in sorted {
        let path = diagnostic.file.display().to_string();
        let source = masked.iter().find(|(name, _)| *name == path);
        let group = group(diagnostic, source.map(|(path, text)| (path.as_str(), text.as_str())));
        shown.push_str(&renderer.render(&[group]));
        shown.push_str("\n\n");
    }
    shown.push_str(&count(what, diagnostics));
    shown.push('\n');
    shown
}

fn group<'a>(diagnostic: &'a Diagnostic, source: Option<(&'a str, &'a str)>) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group = Group::with_title(title);
    if let Some((path, text)) = source {
        let span = first_line(text, diagnostic.span.clone());
        let snippet = Snippet::source(text).path(path).annotation(AnnotationKind::Primary.span(span));
        group = group.element(snippet);
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// A span that goes over several lines is underlined on its first one only.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let part = text.get(span.clone()).unwrap_or_default();
    let len = part.find(['\n', '\r']).unwrap_or(part.len());
    let start = span.start.min(text.len());
    start..start + len
}

fn count(what: &str, diagnostics: &[Diagnostic]) -> String {
    let of = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match (errors, warnings) {
        (0, w) => format!("{}; {what} can be used", plural(w, "warning")),
        (e, 0) => format!("{}; {what} is refused", plural(e, "error")),
        (e, w) => format!("{} and {}; {what} is refused", plural(e, "error"), plural(w, "warning")),
    }
}

/// The text of a file with stars for secrets in the clear, byte for byte as long as it was.
fn mask(file: &SourceText, diagnostics: &[Diagnostic]) -> String {
    let mut secrets: Vec<Range<usize>> =
        diagnostics.iter().filter(|d| d.code == PLAIN_SECRET && d.file == file.path).map(|d| d.span.clone()).collect();
    secrets.extend(secret_lines(&file.text));
    let bytes = file.text.bytes().enumerate();
    let masked = bytes.map(|(at, byte)| {
        let secret = secrets.iter().any(|span| span.contains(&at));
        if secret && byte != b'\n' && byte != b'\r' { b'*' } else { byte }
    });
    // Stars are ASCII and spans lie on boundaries of characters; should one not, nothing is shown rather than a secret.
    String::from_utf8(masked.collect()).unwrap_or_else(|_| "*".repeat(file.text.len()))
}

/// Where a line seems to give a secret as text, even in a file that is not TOML.
fn secret_lines(text: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    let mut spans = Vec::new();
    for line in text.split_inclusive('\n') {
        let key = line.split('=').next().unwrap_or_default();
        let last = key.trim().rsplit('.').next().unwrap_or_default();
        let value = &line[(key.len() + 1).min(line.len())..];
        let names_secret =
            ["token", "app_token", "password", "signing_secret"].contains(&last.trim_matches(['"', '\'']));
        if names_secret && !value.trim_start().starts_with(['{', '[']) {
            let start = line.len() - value.trim_start().len();
            spans.push(at + start..at + line.trim_end().len().max(start));
        }
        at += line.len();
    }
    spans
}
