//! What a check of the whole record finds: places where the stored state is not what the journal says.

use super::printable::one_line;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A row that is not what the journal, or its own hash, says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordFault {
    /// What kind of row.
    pub place: RecordPlace,
    /// Which one.
    pub row: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for RecordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{} {}: {}", self.place.as_str(), self.row, self.why);
        f.write_str(&one_line(&text))
    }
}

/// The texts that a journal line names, whatever else is in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NamedTexts {
    #[serde(default)]
    event: String,
    /// Only read of lines that name texts: in others a field of this name may be anything.
    #[serde(default)]
    text: Option<serde_json::Value>,
    #[serde(default)]
    said: Option<serde_json::Value>,
    #[serde(default)]
    told: Option<serde_json::Value>,
}

impl NamedTexts {
    /// Their hashes.
    pub fn hashes(self) -> impl Iterator<Item = String> {
        let named = match self.event.as_str() {
            "settled" | "desk-showed" | "link-showed" => [self.text, None],
            "exchanged" => [self.said, self.told],
            _ => [None, None],
        };
        named.into_iter().flatten().filter_map(|hash| hash.as_str().map(str::to_owned))
    }
}

/// The kinds of rows that are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordPlace {
    /// A journal line's columns.
    Line,
    /// The end of a chain.
    Head,
    /// An incident's state.
    Incident,
    /// A page's state.
    Page,
    /// Who was asked in an incident.
    Asked,
    /// A frozen plan.
    Plan,
    /// A text that was shown.
    Text,
    /// A proof of contact.
    Proof,
    /// A run of a drill.
    Run,
    /// A setting of the store.
    Setting,
    /// A count of alerts that opened nothing.
    Count,
    /// A row that was set aside.
    Quarantine,
    /// A table, index, view or trigger of the database.
    Object,
}

impl RecordPlace {
    /// What a fault of it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Head => "head of",
            Self::Incident => "state of",
            Self::Page => "page",
            Self::Asked => "who was asked:",
            Self::Plan => "plan",
            Self::Text => "text",
            Self::Proof => "proof of contact",
            Self::Run => "drill run",
            Self::Setting => "setting",
            Self::Count => "count of alerts",
            Self::Quarantine => "row that was set aside:",
            Self::Object => "database",
        }
    }

    /// What to do about a fault of it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Line | Self::Head => {
                "journal lines: keep the folder as it is, and compare it with an export or a backup from before"
            }
            Self::Incident | Self::Page | Self::Asked | Self::Plan => {
                "stored state: the journal is the record. Keep a copy of the folder, then restore a backup from before"
            }
            Self::Text => {
                "texts: the journal still says that a text with this hash was shown. Look for it in a backup, or in an \
                 export with --texts"
            }
            Self::Proof => "proofs of contact: do not rely on them; a drill proves the contact again",
            Self::Run => "drill runs: do not rely on the score; compare it with a backup, or run the drill again",
            Self::Setting => {
                "settings: restore a backup. Without its server key, codes and links that were sent do not work"
            }
            Self::Count => {
                "counts of alerts: do not rely on them. The alerts that the journal has are not touched by it"
            }
            Self::Quarantine => {
                "rows that were set aside: a start of the daemon takes out what the journal does not say, and finds anew \
                 what can not be read"
            }
            Self::Object => {
                "database: somebody changed its structure, and a trigger may change rows at any time. Keep a copy of the \
                 folder, then restore a backup from before"
            }
        }
    }
}

/// The parts of a check, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordPart {
    /// The columns of journal lines, and the texts that they name.
    #[default]
    Lines,
    /// Incidents with their pages.
    Incidents,
    /// Incidents that have a journal and no row.
    Deleted,
    /// Texts that were shown.
    Texts,
    /// Proofs of contact, incident by incident.
    Proofs,
    /// Everything else.
    Rest,
}

impl RecordPart {
    /// The part after it.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Lines => Some(Self::Incidents),
            Self::Incidents => Some(Self::Deleted),
            Self::Deleted => Some(Self::Texts),
            Self::Texts => Some(Self::Proofs),
            Self::Proofs => Some(Self::Rest),
            Self::Rest => None,
        }
    }
}

/// Where a check goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecordCursor {
    /// The part.
    #[serde(default)]
    pub part: RecordPart,
    /// Only rows after this one.
    #[serde(default)]
    pub after: i64,
}

/// The result of one portion of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecordPortion {
    /// How many rows were checked.
    pub checked: u64,
    /// What is wrong with them.
    pub faults: Vec<RecordFault>,
    /// Where the next portion begins; `None` after the last.
    pub next: Option<RecordCursor>,
}
