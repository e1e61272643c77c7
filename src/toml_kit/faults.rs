//! Faults found while a document is read, each with its place, until they are shown.

use super::{
    diagnostic::{Diagnostic, Severity},
    source::SourceText,
};
use std::{ops::Range, path::PathBuf};

/// A place in the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceSpan {
    /// Which file, by its place in the list.
    pub file: usize,
    /// First byte.
    pub start: usize,
    /// Behind the last byte.
    pub end: usize,
}

impl SourceSpan {
    pub(crate) fn new(file: usize, span: Range<usize>) -> Self {
        Self { file, start: span.start, end: span.end }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct LocatedValue<T> {
    pub value: T,
    pub at: SourceSpan,
}

impl LocatedValue<&str> {
    /// The same, kept for longer than the document.
    pub(crate) fn owned(self) -> LocatedValue<String> {
        LocatedValue { value: self.value.to_owned(), at: self.at }
    }
}

/// A fault before its line is counted.
#[derive(Debug, PartialEq)]
struct MatrixFault {
    severity: Severity,
    code: &'static str,
    at: Option<SourceSpan>,
    message: String,
    help: Option<String>,
}

/// Faults found so far.
#[derive(Debug, Default)]
pub(crate) struct MatrixFaults {
    found: Vec<MatrixFault>,
    /// Some text could not even be read, so that what is missing may only be hidden.
    pub unreadable: bool,
}

impl MatrixFaults {
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        at: SourceSpan,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Error, code, Some(at), message.into(), help.into());
    }

    /// Reports an error in place of a value; always none.
    pub(crate) fn refuse<T>(
        &mut self,
        code: &'static str,
        at: SourceSpan,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.error(code, at, message, help);
        None
    }

    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        at: SourceSpan,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, Some(at), message.into(), help.into());
    }

    /// A fault that is in no file.
    pub(crate) fn nowhere(&mut self, severity: Severity, code: &'static str, message: &str, help: &str) {
        self.add(severity, code, None, message.to_owned(), help.to_owned());
    }

    /// Whether any fault so far refuses the matrix.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|fault| fault.severity == Severity::Error)
    }

    fn add(&mut self, severity: Severity, code: &'static str, at: Option<SourceSpan>, message: String, help: String) {
        let help = (!help.is_empty()).then_some(help);
        self.found.push(MatrixFault { severity, code, at, message, help });
    }

    /// The faults in the order of the files and their lines; those that are in no file come last.
    pub(crate) fn into_diagnostics(mut self, files: &[SourceText]) -> Vec<Diagnostic> {
        self.found.sort_by_key(|fault| (fault.at.is_none(), fault.at, fault.severity));
        self.found.dedup();
        self.found.into_iter().map(|fault| fault.placed(files)).collect()
    }
}

impl MatrixFault {
    fn placed(self, files: &[SourceText]) -> Diagnostic {
        let Self { severity, code, at, message, help } = self;
        let Some((at, source)) = at.and_then(|at| Some((at, files.get(at.file)?))) else {
            return Diagnostic { severity, code, message, file: PathBuf::new(), line: 0, column: 0, span: 0..0, help };
        };
        let text = source.text.as_str();
        let start = text.floor_char_boundary(at.start);
        let end = text.ceil_char_boundary(at.end).max(start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Diagnostic {
            severity,
            code,
            message,
            file: source.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span: start..end,
            help,
        }
    }
}
