//! The result of a journal check: what it found, what it is based on, and what it cannot see.

use crate::core::Timestamp;
use serde::Serialize;
use std::fmt;

/// The largest number of faults that a report names; it counts the rest.
pub const FAULTS_MAX: usize = 1000;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalReport {
    /// How many lines were read.
    pub lines: u64,
    /// How many chains they belong to.
    pub chains: usize,
    /// How many of their anchors match their chains.
    pub anchors: u64,
    /// The newest kept anchor that the journal still has unaltered, by its place in the chain of anchors. The history
    /// is proven up to there.
    pub proven_to: Option<u64>,
    /// The lines after the journal's own last anchor.
    pub unanchored: UncoveredLines,
    /// The lines after the anchor in [`JournalReport::proven_to`]; all lines if it is `None`.
    pub unproven: UncoveredLines,
    /// What is wrong, in the order of the lines; at most [`FAULTS_MAX`].
    pub faults: Vec<JournalFault>,
    /// How many faults there are in total.
    pub faulty: usize,
}

/// Lines at the end that no anchor covers. The check cannot see whether they were altered, or whether more lines
/// followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UncoveredLines {
    /// How many lines.
    pub lines: u64,
    /// The anchor before them; `None` if there is none.
    pub after: Option<u64>,
    /// When that anchor was written.
    pub since: Option<Timestamp>,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyConclusion {
    /// Something is wrong.
    NotSound,
    /// Nothing is wrong, as far as the journal alone can show.
    WholeInItself,
    /// Nothing is wrong, and up to [`JournalReport::proven_to`] it matches the kept copies.
    WholeUpToAnchor,
}

impl JournalReport {
    /// Whether the check found nothing wrong; [`JournalReport::conclusion`] says how much that proves.
    pub fn is_sound(&self) -> bool {
        self.faulty == 0
    }

    /// The result.
    pub fn conclusion(&self) -> VerifyConclusion {
        match self.proven_to {
            _ if !self.is_sound() => VerifyConclusion::NotSound,
            Some(_) => VerifyConclusion::WholeUpToAnchor,
            None => VerifyConclusion::WholeInItself,
        }
    }

    /// What the check cannot see, as sentences; empty if it found something wrong.
    pub fn unseen(&self) -> Vec<String> {
        match self.conclusion() {
            VerifyConclusion::NotSound => Vec::new(),
            VerifyConclusion::WholeInItself => {
                vec!["without a kept anchor, neither a cut at the end nor a rewritten journal can be seen".into()]
            }
            VerifyConclusion::WholeUpToAnchor => {
                let last = self.proven_to.unwrap_or_default();
                vec![format!("what came after anchor {last} may have been cut off or rewritten")]
            }
        }
    }
}

impl UncoveredLines {
    /// Counts one more line.
    pub(super) fn grow(&mut self) {
        self.lines += 1;
    }

    /// The state after this anchor, which covers all lines so far.
    pub(super) fn covered_by(seq: u64, at: Timestamp) -> Self {
        Self { lines: 0, after: Some(seq), since: Some(at) }
    }
}

impl fmt::Display for UncoveredLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.after, self.since) {
            (Some(after), Some(since)) => write!(f, "{} line(s) after anchor {after} (since {since})", self.lines),
            _ => write!(f, "all {} line(s)", self.lines),
        }
    }
}

/// A fault and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFault {
    /// The chain.
    pub chain: String,
    /// The place in the chain.
    pub seq: u64,
    /// The fault.
    pub what: JournalFaultKind,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalFaultKind {
    /// Its bytes, its hash or those of the line before were changed.
    Altered,
    /// Lines before it are missing, or it appears twice.
    Gap {
        /// The place that was expected next.
        expected: u64,
    },
    /// Its content says that it is another line.
    Misplaced,
    /// It is not a valid record.
    Unreadable,
    /// An anchor in the journal says that the chain had another line there.
    Disowned {
        /// The anchor's place.
        anchor: u64,
    },
    /// An anchor in the journal names a line that is not there (any more).
    Missing {
        /// The anchor's place.
        anchor: u64,
    },
    /// The next anchor should name this line as the last of its chain, but does not name the chain at all.
    Unanchored {
        /// The anchor's place.
        anchor: u64,
    },
    /// The kept anchor differs from this one.
    NotAsKept,
    /// The kept anchor is not there, though later ones are.
    KeptMissing,
    /// The kept anchor is newer than anything in the journal.
    KeptCutOff {
        /// The journal's last anchor.
        last: u64,
    },
    /// Two different hashes were kept for it.
    KeptTwice,
    /// A kept log has it after a newer one.
    KeptBackwards {
        /// The newer anchor.
        after: u64,
    },
    /// The copy has other chain heads than this anchor, or than the heads that its own hash was made from.
    KeptAltered,
    /// The signature of the copy is not one that the given key made for it.
    KeptForged,
}

impl fmt::Display for JournalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, seq, what } = self;
        write!(f, "{chain} line {seq}: ")?;
        match what {
            JournalFaultKind::Altered => {
                write!(f, "its hash does not follow from its bytes and the line before: altered")
            }
            JournalFaultKind::Gap { expected } => {
                write!(f, "line {expected} should come here: lines are missing or repeated")
            }
            JournalFaultKind::Misplaced => write!(f, "its content says that it is another line"),
            JournalFaultKind::Unreadable => write!(f, "it is not a journal record"),
            JournalFaultKind::Disowned { anchor } => write!(f, "anchor {anchor} says that another line was here"),
            JournalFaultKind::Missing { anchor } => write!(f, "anchor {anchor} names this line, and it is missing"),
            JournalFaultKind::Unanchored { anchor } => {
                write!(f, "anchor {anchor} should name it and does not: inserted")
            }
            JournalFaultKind::NotAsKept => write!(f, "the anchor that was kept elsewhere is different"),
            JournalFaultKind::KeptMissing => write!(f, "this anchor was kept elsewhere and is missing here"),
            JournalFaultKind::KeptCutOff { last: 0 } => {
                write!(f, "this anchor was kept elsewhere, and the journal has none: the end was cut off")
            }
            JournalFaultKind::KeptCutOff { last } => {
                write!(f, "this anchor was kept elsewhere, and the journal's last is {last}: the end was cut off")
            }
            JournalFaultKind::KeptTwice => write!(
                f,
                "two different hashes were kept for this anchor: the journal was reset to an older state and continued, or a copy was altered"
            ),
            JournalFaultKind::KeptBackwards { after } => write!(
                f,
                "it was kept after anchor {after}: the journal was reset to an older state, or the lines of that \
                 file are not in their order"
            ),
            JournalFaultKind::KeptAltered => {
                write!(f, "the chain heads in the copy that was kept are not those of this anchor")
            }
            JournalFaultKind::KeptForged => {
                write!(
                    f,
                    "the copy that was kept was altered, or signed with another key: its signature does not match"
                )
            }
        }
    }
}
