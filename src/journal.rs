//! The hash chains of the journal: verify, export, fold.
//!
//! What a check proves: a line that was changed, removed or moved breaks its chain, and an anchor that does not match
//! the chains that it names is found. But someone who can rewrite the whole journal can also compute all hashes again,
//! and someone who cuts off its end leaves a valid journal. Both are found only against copies of anchors that were
//! kept elsewhere, and only up to the last of these copies. A journal that was reset and then continued is found if
//! such copies have two hashes for one anchor. A check proves no more than this, and a [`JournalReport`] says what it
//! cannot see.

mod kept;
mod report;
mod signed;
mod texts;

pub use kept::{KeptAnchor, KeptAnchors, LINE_MAX};
pub use report::{FAULTS_MAX, JournalFault, JournalFaultKind, JournalReport, UncoveredLines, VerifyConclusion};
pub use signed::{AnchorKey, SignedAnchor};
pub use texts::TextCheck;

use crate::core::{
    Incident, IncidentId, JournalRecord, ShownText, StoredLine,
    event::{ANCHORS, AnchorEvent, VERSION, genesis, hex, link, unhex},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead, Write},
};

/// Why a check is not possible at all.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A line of a file is not valid.
    #[error("line {line} is not a line of {of}: {why}")]
    Line {
        /// The line number, from 1.
        line: usize,
        /// The kind of file.
        of: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The file cannot be read or written.
    #[error("the file can not be read or written")]
    Io(#[from] io::Error),
    /// A chain cannot be folded.
    #[error("{chain} line {seq} can not be folded: {why}")]
    Fold {
        /// The chain.
        chain: String,
        /// The line's place in the chain.
        seq: u64,
        /// What is wrong.
        why: String,
    },
}

/// Checks lines, in the order of their commits, against each other and against anchors that were kept elsewhere.
pub fn verify(lines: impl IntoIterator<Item = StoredLine>, kept: KeptAnchors) -> JournalReport {
    let mut verifier = JournalVerifier::new(kept);
    for line in lines {
        verifier.line(&line);
    }
    verifier.finish()
}

/// [`verify`] for lines that arrive in portions. Keeps one head for each chain, never the lines.
#[derive(Debug, Default)]
pub struct JournalVerifier {
    tails: BTreeMap<String, (u64, [u8; 32])>,
    grown: BTreeSet<String>,
    awaited: BTreeMap<(String, u64), ([u8; 32], u64)>,
    kept: KeptAnchors,
    report: JournalReport,
}

impl JournalVerifier {
    /// A check that has read no line yet.
    pub fn new(kept: KeptAnchors) -> Self {
        Self { kept, ..Self::default() }
    }

    /// Takes the next line.
    pub fn line(&mut self, line: &StoredLine) {
        self.report.lines += 1;
        self.report.unanchored.grow();
        self.report.unproven.grow();
        self.follow(line);
        self.read(line);
        if let Some((hash, anchor)) = self.awaited.remove(&(line.chain.clone(), line.seq))
            && hash != line.hash
        {
            self.fault(&line.chain, line.seq, JournalFaultKind::Disowned { anchor });
        }
        if line.chain == ANCHORS {
            self.compare(line);
        } else {
            self.grown.insert(line.chain.clone());
        }
    }

    /// Ends the check after the last line.
    pub fn finish(mut self) -> JournalReport {
        for ((chain, seq), (_, anchor)) in std::mem::take(&mut self.awaited) {
            self.fault(&chain, seq, JournalFaultKind::Missing { anchor });
        }
        let last = self.tails.get(ANCHORS).map_or(0, |(seq, _)| *seq);
        for JournalFault { chain, seq, what } in std::mem::take(&mut self.kept).rest(last) {
            self.fault(&chain, seq, what);
        }
        self.report.chains = self.tails.len();
        self.report
    }

    /// Whether it continues its chain. The check continues from the line as it is, so that each fault is reported once.
    fn follow(&mut self, line: &StoredLine) {
        let (seq, hash) = self.tails.get(&line.chain).copied().unwrap_or_else(|| (0, genesis(&line.chain)));
        // Of a line that somebody altered the number may be the last that there is.
        if seq.checked_add(1) != Some(line.seq) {
            self.fault(&line.chain, line.seq, JournalFaultKind::Gap { expected: seq.saturating_add(1) });
        } else if link(&hash, line.body.as_bytes()) != line.hash {
            self.fault(&line.chain, line.seq, JournalFaultKind::Altered);
        }
        self.tails.insert(line.chain.clone(), (line.seq, line.hash));
    }

    /// Whether its content matches its place.
    fn read(&mut self, line: &StoredLine) {
        match serde_json::from_str::<LineHeader>(&line.body) {
            Ok(place) if place.chain == line.chain && place.seq == line.seq => {}
            Ok(_) => self.fault(&line.chain, line.seq, JournalFaultKind::Misplaced),
            Err(_) => self.fault(&line.chain, line.seq, JournalFaultKind::Unreadable),
        }
    }

    /// Whether an anchor matches the chains, and the kept copy of the anchor.
    fn compare(&mut self, line: &StoredLine) {
        let faulty = self.report.faulty;
        let mut grown = std::mem::take(&mut self.grown);
        let (at, heads) = match serde_json::from_str::<JournalRecord<AnchorEvent>>(&line.body) {
            Ok(JournalRecord { at, event: AnchorEvent::Anchored { heads }, .. }) => (at, heads),
            Err(_) => return self.fault(&line.chain, line.seq, JournalFaultKind::Unreadable),
        };
        self.report.unanchored = UncoveredLines::covered_by(line.seq, at);
        for (chain, seq, hash) in heads {
            grown.remove(&chain);
            self.compare_head(chain, seq, unhex(&hash).unwrap_or_default(), line.seq);
        }
        for chain in grown {
            let seq = self.tails.get(&chain).map_or(0, |(seq, _)| *seq);
            self.fault(&chain, seq, JournalFaultKind::Unanchored { anchor: line.seq });
        }
        if let Some(wrong) = self.kept.take(line.seq, &line.hash, &line.body) {
            for what in wrong {
                self.fault(ANCHORS, line.seq, what);
            }
            if self.report.is_sound() {
                self.report.proven_to = Some(line.seq);
                self.report.unproven = UncoveredLines::covered_by(line.seq, at);
            }
        }
        self.report.anchors += u64::from(self.report.faulty == faulty);
    }

    fn compare_head(&mut self, chain: String, seq: u64, hash: [u8; 32], anchor: u64) {
        match self.tails.get(&chain) {
            Some(tail) if *tail == (seq, hash) => {}
            // It may still come: another node's commit can get a number later than its time suggests.
            None => drop(self.awaited.insert((chain, seq), (hash, anchor))),
            Some((tail, _)) if *tail < seq => drop(self.awaited.insert((chain, seq), (hash, anchor))),
            Some(_) => self.fault(&chain, seq, JournalFaultKind::Disowned { anchor }),
        }
    }

    fn fault(&mut self, chain: &str, seq: u64, what: JournalFaultKind) {
        if let JournalFaultKind::Disowned { anchor } | JournalFaultKind::Missing { anchor } = &what
            && self.report.proven_to.is_some_and(|proven| *anchor <= proven)
        {
            // This came too late: what the anchor covers is not there.
            self.report.proven_to = None;
            self.report.unproven = UncoveredLines { lines: self.report.lines, ..UncoveredLines::default() };
        }
        self.report.faulty += 1;
        if self.report.faults.len() < FAULTS_MAX {
            self.report.faults.push(JournalFault { chain: chain.to_owned(), seq, what });
        }
    }
}

#[derive(Deserialize)]
struct LineHeader {
    chain: String,
    seq: u64,
}

/// A line as it is exported. The record is text, and not JSON within JSON: tools that write a number or a letter in
/// another way would change the bytes that were hashed.
#[derive(Serialize)]
struct WrittenLine<'a> {
    pos: i64,
    chain: &'a str,
    seq: u64,
    hash: String,
    body: &'a str,
}

/// A line of an export: of the journal, or a text.
#[derive(Deserialize)]
struct ExportedLine<'a> {
    #[serde(default)]
    pos: i64,
    #[serde(default)]
    chain: String,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    hash: String,
    /// The record: as text, or, in exports of earlier versions, JSON byte for byte as it was hashed.
    #[serde(default, borrow)]
    body: Option<&'a RawValue>,
    /// The record as text, in exports of earlier versions, if it was not JSON on one line.
    #[serde(default)]
    raw: Option<String>,
    /// The hash of a text.
    #[serde(default)]
    text: Option<String>,
}

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportedItem {
    /// A journal line.
    Line(StoredLine),
    /// A text.
    Text(ShownText),
}

/// Writes lines as JSON, one on each line: `{"pos", "chain", "seq", "hash", "body"}`. The lines of the chain `anchors`
/// in such a file are what [`KeptAnchors::read`] reads.
pub fn export(lines: impl IntoIterator<Item = StoredLine>, to: &mut impl Write) -> Result<(), JournalError> {
    for StoredLine { pos, chain, seq, body, hash } in lines {
        write_json(&WrittenLine { pos, chain: &chain, seq, hash: hex(&hash), body: &body }, to)?;
    }
    Ok(())
}

/// Writes texts, one on each line: `{"text", "body"}`.
pub fn export_texts(texts: impl IntoIterator<Item = ShownText>, to: &mut impl Write) -> Result<(), JournalError> {
    texts.into_iter().try_for_each(|text| write_json(&text, to))
}

fn write_json(line: &impl Serialize, to: &mut impl Write) -> Result<(), JournalError> {
    serde_json::to_writer(&mut *to, line).map_err(io::Error::from)?;
    Ok(to.write_all(b"\n")?)
}

/// Reads what [`export`] and [`export_texts`] wrote, line by line.
pub fn read_export(from: impl BufRead) -> impl Iterator<Item = Result<ExportedItem, JournalError>> {
    let lines = (1..).zip(from.lines()).filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()));
    lines.map(|(number, line)| {
        let line = line?;
        imported(&line).map_err(|why| JournalError::Line { line: number, of: "an export", why })
    })
}

fn imported(line: &str) -> Result<ExportedItem, String> {
    let line: ExportedLine<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let body = match line.body.map(RawValue::get) {
        Some(text) if text.starts_with('"') => serde_json::from_str(text).map_err(|error| error.to_string())?,
        Some(json) => json.to_owned(),
        None => line.raw.ok_or("it has no body")?,
    };
    if let Some(hash) = line.text {
        return Ok(ExportedItem::Text(ShownText { hash, body }));
    }
    if line.chain.is_empty() {
        return Err("it names no chain".into());
    }
    let hash = unhex(&line.hash).ok_or("its hash does not have 64 hex digits")?;
    Ok(ExportedItem::Line(StoredLine { pos: line.pos, chain: line.chain, seq: line.seq, body, hash }))
}

/// Folds the lines of one incident, from the first line, into its state.
pub fn fold_check(id: IncidentId, lines: &[StoredLine]) -> Result<Incident, JournalError> {
    fold(id, &records(id, lines)?)
}

/// Reads the lines of one incident.
pub fn records(id: IncidentId, lines: &[StoredLine]) -> Result<Vec<JournalRecord>, JournalError> {
    let chain = id.to_string();
    let fault = |seq: u64, why: String| JournalError::Fold { chain: chain.clone(), seq, why };
    let mut records = Vec::with_capacity(lines.len());
    for line in lines {
        let record: JournalRecord =
            serde_json::from_str(&line.body).map_err(|error| fault(line.seq, error.to_string()))?;
        if VERSION < record.v {
            return Err(fault(line.seq, format!("it was written by a newer stentor (version {})", record.v)));
        }
        records.push(record);
    }
    Ok(records)
}

/// Folds what [`records`] read.
pub fn fold(id: IncidentId, records: &[JournalRecord]) -> Result<Incident, JournalError> {
    let events = records.iter().map(|record| (record.at, &record.event));
    let why = "it does not begin with an opening".to_owned();
    Incident::fold(id, events).ok_or_else(|| JournalError::Fold { chain: id.to_string(), seq: 1, why })
}
