//! What a check of the journal found, what it stands on, and what it cannot see.

use crate::core::Timestamp;
use serde::Serialize;
use std::fmt;

/// A report names at most so many faults, and counts the rest.
pub const FAULTS_MAX: usize = 1000;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalReport {
    /// Lines that were read.
    pub lines: u64,
    /// Chains that they belong to.
    pub chains: usize,
    /// Anchors among them that agree with their chains.
    pub anchors: u64,
    /// The newest anchor of those that were kept elsewhere which the journal still has, unaltered: its place in the
    /// chain of anchors. Up to there the history is proven.
    pub proven_to: Option<u64>,
    /// The lines after the journal's own last anchor.
    pub unanchored: UncoveredLines,
    /// The lines after the one that [`JournalReport::proven_to`] names; all, if it names none.
    pub unproven: UncoveredLines,
    /// What is wrong, in the order of the lines; at most [`FAULTS_MAX`].
    pub faults: Vec<JournalFault>,
    /// How many faults there are in all.
    pub faulty: usize,
}

/// Lines at the end that no anchor covers: whether they were altered, or others followed them, cannot be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UncoveredLines {
    /// How many.
    pub lines: u64,
    /// The anchor that they follow; `None` if there is none.
    pub after: Option<u64>,
    /// When that was written.
    pub since: Option<Timestamp>,
}

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyConclusion {
    /// Something is wrong.
    NotSound,
    /// Nothing is wrong, as far as the journal alone can tell.
    WholeInItself,
    /// Nothing is wrong, and up to [`JournalReport::proven_to`] it is the history of which copies were kept.
    WholeUpToAnchor,
}

impl JournalReport {
    /// Whether nothing is wrong that the check can see; [`JournalReport::conclusion`] says what that is worth.
    pub fn is_sound(&self) -> bool {
        self.faulty == 0
    }

    /// What it comes to.
    pub fn conclusion(&self) -> VerifyConclusion {
        match self.proven_to {
            _ if !self.is_sound() => VerifyConclusion::NotSound,
            Some(_) => VerifyConclusion::WholeUpToAnchor,
            None => VerifyConclusion::WholeInItself,
        }
    }

    /// What the check cannot see, as sentences; empty if it has found something wrong.
    pub fn unseen(&self) -> Vec<String> {
        match self.conclusion() {
            VerifyConclusion::NotSound => Vec::new(),
            VerifyConclusion::WholeInItself => vec![
                "without a kept anchor a cut at the end can not be seen, nor a journal that was written anew".into(),
            ],
            VerifyConclusion::WholeUpToAnchor => {
                let last = self.proven_to.unwrap_or_default();
                vec![format!("what came after anchor {last} can have been cut off, and what follows it written anew")]
            }
        }
    }
}

impl UncoveredLines {
    /// One more line.
    pub(super) fn grow(&mut self) {
        self.lines += 1;
    }

    /// Everything up to this anchor is covered.
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

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFault {
    /// The chain.
    pub chain: String,
    /// The place in the chain.
    pub seq: u64,
    /// What.
    pub what: JournalFaultKind,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalFaultKind {
    /// Its bytes, its hash or those of the line before were altered.
    Altered,
    /// Lines before it are missing, or it is there twice.
    Gap {
        /// The place that the chain goes on with.
        expected: u64,
    },
    /// It says of itself that it is another line.
    Misplaced,
    /// It is no record.
    Unreadable,
    /// An anchor of the journal says that the chain had another line there.
    Disowned {
        /// The anchor's place.
        anchor: u64,
    },
    /// An anchor of the journal names a line which is not there (any more).
    Missing {
        /// The anchor's place.
        anchor: u64,
    },
    /// The next anchor should name this line as its chain's last, and does not name the chain at all.
    Unanchored {
        /// The anchor's place.
        anchor: u64,
    },
    /// The anchor that was kept elsewhere is not this one.
    NotAsKept,
    /// The anchor that was kept elsewhere is not there, though later ones are.
    KeptMissing,
    /// The anchor that was kept elsewhere is newer than all that the journal has.
    KeptCutOff {
        /// The journal's last.
        last: u64,
    },
    /// Two different hashes were kept for it.
    KeptTwice,
    /// A log that was kept has it behind a newer one.
    KeptBackwards {
        /// That one.
        after: u64,
    },
    /// The copy has other chain heads than this anchor, or than its own hash was made of.
    KeptAltered,
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
            JournalFaultKind::Misplaced => write!(f, "it says of itself that it is another line"),
            JournalFaultKind::Unreadable => write!(f, "it is no journal record"),
            JournalFaultKind::Disowned { anchor } => write!(f, "anchor {anchor} says that another line was here"),
            JournalFaultKind::Missing { anchor } => write!(f, "anchor {anchor} names this line, and it is missing"),
            JournalFaultKind::Unanchored { anchor } => {
                write!(f, "anchor {anchor} should name it and does not: inserted")
            }
            JournalFaultKind::NotAsKept => write!(f, "the anchor that was kept elsewhere is another one"),
            JournalFaultKind::KeptMissing => write!(f, "this anchor was kept elsewhere and is missing here"),
            JournalFaultKind::KeptCutOff { last: 0 } => {
                write!(f, "this anchor was kept elsewhere, and the journal has none: the end was cut off")
            }
            JournalFaultKind::KeptCutOff { last } => {
                write!(f, "this anchor was kept elsewhere, and the journal's last is {last}: the end was cut off")
            }
            JournalFaultKind::KeptTwice => write!(
                f,
                "two different hashes were kept for this anchor: the journal was set back to an older state and \
                 written on, or a copy was altered"
            ),
            JournalFaultKind::KeptBackwards { after } => write!(
                f,
                "it was kept after anchor {after}: the journal was set back to an older state, or the lines of that \
                 file are not in their order"
            ),
            JournalFaultKind::KeptAltered => {
                write!(f, "the chain heads in the copy that was kept are not those of this anchor")
            }
        }
    }
}
