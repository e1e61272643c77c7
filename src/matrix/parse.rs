//! Reads the files of a matrix; returns the matrix, or all faults at once.

use crate::{
    core::{Timestamp, Zones},
    matrix::{
        assemble, callbacks,
        draft::MatrixDraft,
        expression::ExpressionLanguage,
        hand_overs,
        model::{KnownNames, Matrix, ParsedMatrix},
        references, sms_letters,
    },
    toml_kit::{diagnostic::Severity, faults::MatrixFaults, source::SourceText},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::thread;

/// The expression parser is recursive and needs more stack than a task's thread has.
const STACK: usize = 32 << 20;

fn parse(files: &[SourceText], known: &KnownNames<'_>, zones: Arc<Zones>, as_of: Timestamp) -> ParsedMatrix {
    let mut faults = MatrixFaults::default();
    let mut language = ExpressionLanguage::new(zones);
    let draft = MatrixDraft::read(files, &mut language, &mut faults);
    if !faults.unreadable {
        references::check(&draft, known, &mut faults);
        callbacks::check(&draft, &mut faults);
        sms_letters::check(&draft, &mut faults);
        hand_overs::check(&draft, as_of, &mut faults);
    }
    let diagnostics = faults.into_diagnostics(files);
    let refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let matrix = (!refused).then(|| assemble::assemble(draft, language, revision(files), known, as_of));
    ParsedMatrix { matrix, diagnostics }
}

fn revision(files: &[SourceText]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        for part in [name.as_bytes(), file.text.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

impl Matrix {
    /// Reads the matrix with the built-in time zones.
    pub fn parse(files: &[SourceText], known: &KnownNames<'_>, as_of: Timestamp) -> ParsedMatrix {
        Self::parse_with(files, known, Arc::new(Zones::bundled()), as_of)
    }

    /// Reads the matrix from its files and finds all faults at once. Counts the turns of rotations up to `as_of`. Never
    /// panics, whatever the files contain; takes milliseconds.
    pub fn parse_with(
        files: &[SourceText],
        known: &KnownNames<'_>,
        zones: Arc<Zones>,
        as_of: Timestamp,
    ) -> ParsedMatrix {
        let parsed = thread::scope(|scope| {
            let builder = thread::Builder::new().name("matrix".into()).stack_size(STACK);
            let thread = builder.spawn_scoped(scope, || parse(files, known, zones, as_of)).ok()?;
            thread.join().ok()
        });
        parsed.unwrap_or_else(|| {
            let mut faults = MatrixFaults::default();
            let help = "this is a fault of stentor or of the machine, not of the matrix: please report it";
            faults.nowhere(Severity::Error, "can-not-read", "the matrix could not be read", help);
            ParsedMatrix { matrix: None, diagnostics: faults.into_diagnostics(files) }
        })
    }
}
