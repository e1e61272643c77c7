//! Quarantine: rows that can not be read any more are set aside, so that they affect nothing else. An unreadable
//! incident has no key and no deadline and is in no list. It is reported until somebody has looked at it; its journal
//! stays as it is.

use super::StoreError;
use crate::core::{IncidentId, IncidentKey, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The most rows other than incidents that are held; further ones are only logged.
const OTHERS_MAX: usize = 1_000;

/// The name of a row: `INC-7`, or its kind and name, as in `turn/crash`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RowName {
    /// An incident, with its plan and its pages.
    Incident(IncidentId),
    /// Anything else.
    Other(RowKind, String),
}

impl RowName {
    /// The incident, if the row is one.
    pub fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Incident(id) => Some(*id),
            Self::Other(..) => None,
        }
    }
}

/// The kind of a row that is no incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKind {
    /// A run of a drill.
    Run,
    /// When a scenario runs next.
    Turn,
    /// When a person was last reached by a channel.
    Proof,
    /// A window of a trigger.
    Window,
    /// What a trigger knows of one key.
    Judgement,
    /// The head of a source's chain, or of the chain of anchors.
    Head,
    /// A setting of the store: the server key, the epoch.
    Meta,
    /// A line of Stentor's own chain.
    Line,
}

impl RowKind {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Run, "run"),
        (Self::Turn, "turn"),
        (Self::Proof, "proof"),
        (Self::Window, "window"),
        (Self::Judgement, "judgement"),
        (Self::Head, "head"),
        (Self::Meta, "meta"),
        (Self::Line, "line"),
    ];

    /// The name of the kind.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

impl fmt::Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incident(id) => id.fmt(f),
            Self::Other(kind, name) => f.pad(&format!("{}/{}", kind.as_str(), typeable(name))),
        }
    }
}

impl FromStr for RowName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Whatever is shown can be named: a damaged row may have any number.
        let number = text.strip_prefix("INC-").or_else(|| text.strip_prefix("inc-")).unwrap_or(text);
        if let Ok(number) = number.parse() {
            return Ok(Self::Incident(IncidentId(number)));
        }
        let known = text.split_once('/').and_then(|(kind, name)| {
            let (kind, _) = RowKind::ALL.iter().find(|(_, known)| *known == kind)?;
            Some(Self::Other(*kind, typed(name)))
        });
        known.ok_or_else(|| format!("{text:?} names no row: they look like INC-42 or turn/crash"))
    }
}

/// Replaces characters of a name that nobody can type.
fn typeable(name: &str) -> String {
    let sign = |c: char| if c.is_control() || c == '%' { format!("%{:02X}", u32::from(c)) } else { c.to_string() };
    name.chars().map(sign).collect()
}

/// The reverse of [`typeable`].
fn typed(text: &str) -> String {
    let mut parts = text.split('%');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let sign = part.get(..2).and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        match sign {
            Some(sign) => name.extend([sign].into_iter().chain(part[2..].chars())),
            None => name.extend(["%", part]),
        }
    }
    name
}

impl TryFrom<String> for RowName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RowName> for String {
    fn from(row: RowName) -> Self {
        row.to_string()
    }
}

/// A row that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedRow {
    /// The row.
    pub row: RowName,
    /// When it was found.
    pub found_at: Timestamp,
    /// What is wrong with it.
    pub why: String,
    /// What is still known of an unreadable incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<LostIncident>,
    /// Its state.
    #[serde(flatten)]
    pub standing: QuarantineStatus,
}

/// What the head of an unreadable incident and the first line of its journal say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostIncident {
    /// Its key, which is free now.
    pub key: IncidentKey,
    /// Its summary, where that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Whether it was open: then people may wait for pages that do not come.
    pub open: bool,
}

/// The state of a row that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "standing")]
pub enum QuarantineStatus {
    /// Nobody was told yet.
    Found,
    /// The catch-all was told; where there is none, the journal says so.
    Told,
    /// Somebody has looked at it.
    Cleared {
        /// When they looked.
        cleared_at: Timestamp,
        /// Who looked.
        cleared_by: String,
    },
    /// It could be read again when the store was opened, and is in use.
    Restored,
}

impl QuarantinedRow {
    /// A row that was just found.
    pub fn new(row: RowName, found_at: Timestamp, why: String) -> Self {
        Self { row, found_at, why, incident: None, standing: QuarantineStatus::Found }
    }

    /// Whether nobody has looked at it yet.
    pub fn is_waiting(&self) -> bool {
        matches!(self.standing, QuarantineStatus::Found | QuarantineStatus::Told)
    }

    /// Whether people may wait for it: it is an open incident, and nobody has looked at it yet.
    pub fn is_problem(&self) -> bool {
        self.is_waiting() && self.incident.as_ref().is_some_and(|incident| incident.open)
    }
}

/// All rows that were set aside. There is no limit for incidents: each one must be held so that it affects nothing
/// else.
#[derive(Debug, Clone, Default)]
pub struct Quarantine(BTreeMap<RowName, QuarantinedRow>);

impl Quarantine {
    /// All rows, incidents first.
    pub fn all(&self) -> Vec<QuarantinedRow> {
        self.0.values().cloned().collect()
    }

    /// The incidents that must not be used.
    pub fn incidents(&self) -> Vec<IncidentId> {
        let held = self.0.values().filter(|entry| entry.standing != QuarantineStatus::Restored);
        held.filter_map(|entry| entry.row.incident()).collect()
    }

    /// The incidents that nobody has looked at yet.
    pub fn waiting(&self) -> Vec<IncidentId> {
        let waiting = self.0.values().filter(|entry| entry.is_waiting());
        waiting.filter_map(|entry| entry.row.incident()).collect()
    }

    /// An incident can be read again.
    pub fn restore(&mut self, id: IncidentId) {
        if let Some(entry) = self.0.get_mut(&RowName::Incident(id)) {
            entry.standing = QuarantineStatus::Restored;
        }
    }

    /// The error for this incident, if it was set aside.
    pub fn holds(&self, id: IncidentId) -> Option<StoreError> {
        let entry = self.0.get(&RowName::Incident(id)).filter(|entry| entry.standing != QuarantineStatus::Restored)?;
        Some(StoreError::Corrupt { what: id.to_string(), why: entry.why.clone() })
    }

    /// Sets a row aside. Returns whether that is news. A known row keeps its state, unless something else is wrong with
    /// it now.
    pub fn add(&mut self, entry: QuarantinedRow) -> bool {
        let others = || self.0.keys().filter(|row| matches!(row, RowName::Other(..))).count();
        if matches!(entry.row, RowName::Other(..)) && !self.0.contains_key(&entry.row) && OTHERS_MAX <= others() {
            return false;
        }
        let known = self.0.get(&entry.row).filter(|known| known.standing != QuarantineStatus::Restored);
        let stays = |known: &QuarantinedRow| known.why == entry.why || known.is_waiting() || entry.incident.is_some();
        if known.is_some_and(stays) {
            return false;
        }
        self.0.insert(entry.row.clone(), entry);
        true
    }

    /// Applies what a commit stored; `None` removes a row.
    pub fn keep(&mut self, changes: BTreeMap<RowName, Option<QuarantinedRow>>) {
        for (row, entry) in changes {
            match entry {
                Some(entry) => drop(self.0.insert(row, entry)),
                None => drop(self.0.remove(&row)),
            }
        }
    }
}

/// What is left of a row, for those who repair it by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRemains {
    /// Where it is: a table, or the journal.
    pub place: String,
    /// The content as text, as far as it can be shown.
    pub content: String,
}

/// The key of the incident about a row, if there may be one.
pub fn about(entry: &QuarantinedRow) -> Option<IncidentKey> {
    match entry.row {
        RowName::Incident(id) if entry.incident.as_ref().is_some_and(|incident| incident.open) => {
            Some(IncidentKey::of_unreadable(id))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_row_is_named_by_its_text(name in "\\PC{0,8}|.{0,8}|[a-z%/|]{0,8}", n in any::<i64>(), kind in 0..RowKind::ALL.len()) {
            for row in [RowName::Incident(IncidentId(n)), RowName::Other(RowKind::ALL[kind].0, name)] {
                prop_assert_eq!(row.to_string().parse(), Ok(row.clone()));
                prop_assert!(!row.to_string().contains(char::is_control));
            }
        }
    }

    #[test]
    fn what_was_cleared_stays_so_until_something_else_is_wrong_with_it() {
        let mut quarantine = Quarantine::default();
        let row = RowName::Other(RowKind::Turn, "crash".into());
        let found = |why: &str| QuarantinedRow::new(row.clone(), Timestamp::default(), why.into());
        quarantine.add(found("gone"));
        assert!(quarantine.all()[0].is_waiting());
        let cleared = QuarantineStatus::Cleared { cleared_at: Timestamp::default(), cleared_by: "ana".into() };
        let entry = QuarantinedRow { standing: cleared.clone(), ..found("gone") };
        quarantine.keep([(row.clone(), Some(entry))].into());
        quarantine.add(found("gone"));
        assert_eq!(quarantine.all()[0].standing, cleared);
        quarantine.add(found("cut off"));
        assert!(quarantine.all()[0].is_waiting());
    }

    #[test]
    fn other_rows_than_incidents_are_bounded() {
        let mut quarantine = Quarantine::default();
        for n in 0..2 * OTHERS_MAX {
            let row = RowName::Other(RowKind::Line, n.to_string());
            quarantine.add(QuarantinedRow::new(row, Timestamp::default(), "gone".into()));
        }
        assert_eq!(quarantine.all().len(), OTHERS_MAX);
    }
}
