//! Compiles an expression where it stands in a file, and tells its faults there.

use crate::{
    matrix::expression_fault::BadExpression,
    toml_kit::{
        document::TomlItem,
        faults::{MatrixFaults, SourceSpan},
    },
};

/// What `compile` makes of the text of this item of `file`.
pub(super) fn compiled<T>(
    item: &TomlItem<'_>,
    file: &str,
    faults: &mut MatrixFaults,
    compile: impl Fn(&str) -> Result<T, Vec<BadExpression>>,
) -> Option<T> {
    let text = item.lines(faults)?;
    match compile(text.value) {
        Ok(compiled) => Some(compiled),
        Err(bad) => {
            for fault in bad {
                let at = inside(text.at, file, text.value, &fault.within);
                faults.error(fault.code, at, fault.message, fault.help);
            }
            None
        }
    }
}

/// A place inside a text value. If the text is written with escapes, the whole value is used.
fn inside(at: SourceSpan, file: &str, value: &str, within: &std::ops::Range<usize>) -> SourceSpan {
    let raw = file.get(at.start..at.end).unwrap_or_default();
    match raw.find(value) {
        Some(offset) => {
            SourceSpan { start: at.start + offset + within.start, end: at.start + offset + within.end, ..at }
        }
        None => at,
    }
}
