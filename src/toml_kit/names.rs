//! Names that the matrix's authors choose.

use super::faults::{MatrixFaults, SourceSpan};
use crate::core::names::{BY_HAND, DRILLS, SELF};

/// The longest name, in characters.
const LONGEST: usize = 40;

/// Whether a name has the form that names must have; reports it where not.
pub(crate) fn is_good(name: &str, at: SourceSpan, faults: &mut MatrixFaults) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
    if starts && rest && name.len() <= LONGEST {
        return true;
    }
    let message = format!("{name:?} can not be a name");
    let help = format!("use lower-case letters, digits, `-` and `_`, a letter or digit first, at most {LONGEST}");
    faults.error("bad-name", at, message, help);
    false
}

/// Names under which Stentor itself opens, journals and reports, by the kind of thing that bears them. The other kinds
/// of names meet none of its own; the role `catch-all` is looked at where roles are read.
const RESERVED: [(&str, &[&str]); 2] = [("trigger", &[SELF, BY_HAND, DRILLS]), ("source", &[SELF, DRILLS])];

/// Refuses a name that is Stentor's own.
pub(crate) fn must_be_free(kind: &str, name: &str, at: SourceSpan, faults: &mut MatrixFaults) {
    let reserved = RESERVED.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, names)| names);
    if reserved.contains(&name) {
        let message = format!("a {kind} can not be called `{name}`");
        let help = "Stentor uses this name for its own reports: choose another name";
        faults.error("reserved-name", at, message, help);
    }
}
