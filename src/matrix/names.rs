//! Names that the matrix's authors choose, and the nearest known one to a name that is not known.

use super::document::{MatrixFaults, SourceSpan};
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
        let help = "Stentor uses this name for what it reports itself: call it otherwise";
        faults.error("reserved-name", at, message, help);
    }
}

/// The known name that is nearest to `name`, where one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let near = |candidate: &&str| {
        let distance = strsim::damerau_levenshtein(&name, &candidate.to_lowercase());
        let allowed = (name.chars().count().max(candidate.chars().count()) / 3).max(1);
        (distance <= allowed).then_some(distance)
    };
    known.filter_map(|candidate| near(&candidate).map(|distance| (distance, candidate))).min().map(|(_, name)| name)
}

/// "did you mean", or the list of what is known.
pub(crate) fn instead<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(name, known.clone()) {
        return format!("did you mean `{near}`?");
    }
    let mut all: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    all.sort();
    all.dedup();
    match all.len() {
        0 => String::from("there is none yet"),
        1..=16 => format!("known here: {}", all.join(", ")),
        more => format!("known here: {} and {} more", all[..12].join(", "), more - 12),
    }
}
