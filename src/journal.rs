//! The hash chains of the journal: verified, exported, folded.
//!
//! What a check proves: a line that was altered, removed or moved breaks its chain, and an anchor that does not agree
//! with the chains it names shows. Whoever can rewrite the whole journal can also compute every hash anew; that is
//! found only against a copy of an anchor that was kept elsewhere, and only up to that anchor. Nothing stronger is
//! claimed.

use crate::core::{
    Incident, IncidentId, Record, StoredLine,
    event::{ANCHORS, AnchorEvent, VERSION, genesis, hex, link, unhex},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::{self, BufRead, Write},
};

/// A report names at most so many faults, and counts the rest.
pub const FAULTS_MAX: usize = 1000;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines that were read.
    pub lines: u64,
    /// Chains that they belong to.
    pub chains: usize,
    /// Anchors among them that agree with their chains.
    pub anchors: u64,
    /// The newest anchor of those that were kept elsewhere which the journal still has, unaltered: its place in the
    /// chain of anchors. Up to there the history is proven.
    pub proven_to: Option<u64>,
    /// What is wrong, in the order of the lines; at most [`FAULTS_MAX`].
    pub faults: Vec<Fault>,
    /// How many faults there are in all.
    pub faulty: usize,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faulty == 0
    }
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The chain.
    pub chain: String,
    /// The place in the chain.
    pub seq: u64,
    /// What.
    pub what: Wrong,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
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
    /// The anchor that was kept elsewhere is not there (any more).
    KeptMissing,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, seq, what } = self;
        write!(f, "{chain} line {seq}: ")?;
        match what {
            Wrong::Altered => write!(f, "its hash does not follow from its bytes and the line before: altered"),
            Wrong::Gap { expected } => write!(f, "line {expected} should come here: lines are missing or repeated"),
            Wrong::Misplaced => write!(f, "it says of itself that it is another line"),
            Wrong::Unreadable => write!(f, "it is no journal record"),
            Wrong::Disowned { anchor } => write!(f, "anchor {anchor} says that another line was here"),
            Wrong::Missing { anchor } => write!(f, "anchor {anchor} names this line, and it is missing"),
            Wrong::Unanchored { anchor } => write!(f, "anchor {anchor} should name it and does not: inserted"),
            Wrong::NotAsKept => write!(f, "the anchor that was kept elsewhere is another one"),
            Wrong::KeptMissing => write!(f, "this anchor was kept elsewhere and is missing: the end was cut off"),
        }
    }
}

/// Why something can not be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A line of a file is not what it should be.
    #[error("line {line} is no line of {of}: {why}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Of what kind of file.
        of: &'static str,
        /// Why.
        why: String,
    },
    /// The file.
    #[error("the file can not be read or written")]
    Io(#[from] io::Error),
    /// A chain does not fold.
    #[error("{chain} line {seq} can not be folded: {why}")]
    Fold {
        /// The chain.
        chain: String,
        /// The line.
        seq: u64,
        /// Why.
        why: String,
    },
}

/// An anchor of which a copy was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptAnchor {
    /// Its place in the chain of anchors.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// Checks lines, which come in the order of their commit, against each other and against anchors kept elsewhere.
pub fn verify(lines: impl IntoIterator<Item = StoredLine>, kept: &[KeptAnchor]) -> Report {
    let mut verifier = Verifier::new(kept);
    for line in lines {
        verifier.line(&line);
    }
    verifier.finish()
}

/// [`verify`] for lines that come in portions. Holds one head a chain, never the lines.
#[derive(Debug, Default)]
pub struct Verifier {
    tails: BTreeMap<String, (u64, [u8; 32])>,
    grown: BTreeSet<String>,
    awaited: BTreeMap<(String, u64), ([u8; 32], u64)>,
    kept: BTreeMap<u64, [u8; 32]>,
    report: Report,
}

impl Verifier {
    /// Before the first line.
    pub fn new(kept: &[KeptAnchor]) -> Self {
        let kept = kept.iter().map(|anchor| (anchor.seq, anchor.hash)).collect();
        Self { kept, ..Self::default() }
    }

    /// Takes the next line.
    pub fn line(&mut self, line: &StoredLine) {
        self.report.lines += 1;
        self.follow(line);
        self.read(line);
        if let Some((hash, anchor)) = self.awaited.remove(&(line.chain.clone(), line.seq))
            && hash != line.hash
        {
            self.fault(&line.chain, line.seq, Wrong::Disowned { anchor });
        }
        if line.chain == ANCHORS {
            self.compare(line);
        } else {
            self.grown.insert(line.chain.clone());
        }
    }

    /// After the last line.
    pub fn finish(mut self) -> Report {
        for ((chain, seq), (_, anchor)) in std::mem::take(&mut self.awaited) {
            self.fault(&chain, seq, Wrong::Missing { anchor });
        }
        for seq in std::mem::take(&mut self.kept).into_keys() {
            self.fault(ANCHORS, seq, Wrong::KeptMissing);
        }
        self.report.chains = self.tails.len();
        self.report
    }

    /// Whether it continues its chain. The check goes on from the line as it is, so that one fault is told once.
    fn follow(&mut self, line: &StoredLine) {
        let (seq, hash) = self.tails.get(&line.chain).copied().unwrap_or_else(|| (0, genesis(&line.chain)));
        if line.seq != seq + 1 {
            self.fault(&line.chain, line.seq, Wrong::Gap { expected: seq + 1 });
        } else if link(&hash, line.body.as_bytes()) != line.hash {
            self.fault(&line.chain, line.seq, Wrong::Altered);
        }
        self.tails.insert(line.chain.clone(), (line.seq, line.hash));
    }

    /// Whether it says of itself what it is.
    fn read(&mut self, line: &StoredLine) {
        match serde_json::from_str::<Place>(&line.body) {
            Ok(place) if place.chain == line.chain && place.seq == line.seq => {}
            Ok(_) => self.fault(&line.chain, line.seq, Wrong::Misplaced),
            Err(_) => self.fault(&line.chain, line.seq, Wrong::Unreadable),
        }
    }

    /// Whether an anchor agrees with the chains, and with the copy of it.
    fn compare(&mut self, line: &StoredLine) {
        let faulty = self.report.faulty;
        let mut grown = std::mem::take(&mut self.grown);
        let heads = match serde_json::from_str::<Record<AnchorEvent>>(&line.body) {
            Ok(Record { event: AnchorEvent::Anchored { heads }, .. }) => heads,
            Err(_) => return self.fault(&line.chain, line.seq, Wrong::Unreadable),
        };
        for (chain, seq, hash) in heads {
            grown.remove(&chain);
            self.compare_head(chain, seq, unhex(&hash).unwrap_or_default(), line.seq);
        }
        for chain in grown {
            let seq = self.tails.get(&chain).map_or(0, |(seq, _)| *seq);
            self.fault(&chain, seq, Wrong::Unanchored { anchor: line.seq });
        }
        match self.kept.remove(&line.seq) {
            Some(hash) if hash != line.hash => self.fault(ANCHORS, line.seq, Wrong::NotAsKept),
            Some(_) if self.report.is_sound() => self.report.proven_to = Some(line.seq),
            _ => {}
        }
        self.report.anchors += u64::from(self.report.faulty == faulty);
    }

    fn compare_head(&mut self, chain: String, seq: u64, hash: [u8; 32], anchor: u64) {
        match self.tails.get(&chain) {
            Some(tail) if *tail == (seq, hash) => {}
            // It may come yet: another node's commit can be numbered later than it happened.
            None => drop(self.awaited.insert((chain, seq), (hash, anchor))),
            Some((tail, _)) if *tail < seq => drop(self.awaited.insert((chain, seq), (hash, anchor))),
            Some(_) => self.fault(&chain, seq, Wrong::Disowned { anchor }),
        }
    }

    fn fault(&mut self, chain: &str, seq: u64, what: Wrong) {
        self.report.faulty += 1;
        if self.report.faults.len() < FAULTS_MAX {
            self.report.faults.push(Fault { chain: chain.to_owned(), seq, what });
        }
    }
}

/// What every line says of itself.
#[derive(Deserialize)]
struct Place {
    chain: String,
    seq: u64,
}

/// A line as it is exported.
#[derive(Serialize, Deserialize)]
struct Exported<'a> {
    pos: i64,
    chain: String,
    seq: u64,
    hash: String,
    /// The record, byte for byte as it was hashed.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
    /// The same as text, where it is no JSON on one line: it was altered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
}

/// Writes lines as JSON, one on a line: `{"pos", "chain", "seq", "hash", "body"}`. The lines of the chain `anchors`
/// in such a file are what [`parse_anchors`] reads.
pub fn export(lines: impl IntoIterator<Item = StoredLine>, to: &mut impl Write) -> Result<(), JournalError> {
    for line in lines {
        let one_line = !line.body.contains(['\n', '\r']);
        let body = serde_json::from_str::<&RawValue>(&line.body).ok();
        // Parsing drops white space around the value; what was hashed must come back to the byte.
        let body = body.filter(|body| one_line && body.get() == line.body);
        let raw = if body.is_none() { Some(line.body.clone()) } else { None };
        let exported = Exported { pos: line.pos, chain: line.chain, seq: line.seq, hash: hex(&line.hash), body, raw };
        serde_json::to_writer(&mut *to, &exported).map_err(io::Error::from)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// Reads what [`export`] wrote, line by line.
pub fn read_export(from: impl BufRead) -> impl Iterator<Item = Result<StoredLine, JournalError>> {
    let lines = (1..).zip(from.lines()).filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()));
    lines.map(|(number, line)| {
        let line = line?;
        imported(&line).map_err(|why| JournalError::Line { line: number, of: "an export", why })
    })
}

fn imported(line: &str) -> Result<StoredLine, String> {
    let line: Exported<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let hash = unhex(&line.hash).ok_or("its hash has not 64 hex digits")?;
    let body = line.body.map(|body| body.get().to_owned()).or(line.raw).ok_or("it has no body")?;
    Ok(StoredLine { pos: line.pos, chain: line.chain, seq: line.seq, body, hash })
}

/// Reads anchors that were kept: JSON objects, one on a line, with `seq` and `hash`, as the daemon logs them and as
/// [`export`] writes them. Lines of other chains are passed over.
pub fn parse_anchors(text: &str) -> Result<Vec<KeptAnchor>, JournalError> {
    let mut anchors = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let fault = |why: &str| JournalError::Line { line: number, of: "a file of anchors", why: why.to_owned() };
        let value: serde_json::Value = serde_json::from_str(line).map_err(|error| fault(&error.to_string()))?;
        let fields = value.get("fields").unwrap_or(&value);
        let field = |name: &str| fields.get(name).or_else(|| fields.get(format!("journal.anchor.{name}")));
        // A whole log may be given: its other lines name neither.
        if field("seq").is_none() && field("hash").is_none() {
            continue;
        }
        if field("chain").and_then(|chain| chain.as_str()).is_some_and(|chain| chain != ANCHORS) {
            continue;
        }
        let seq = field("seq").and_then(serde_json::Value::as_u64).ok_or_else(|| fault("it has no seq"))?;
        let hash = field("hash").and_then(serde_json::Value::as_str).and_then(unhex);
        anchors.push(KeptAnchor { seq, hash: hash.ok_or_else(|| fault("it has no hash of 64 hex digits"))? });
    }
    Ok(anchors)
}

/// Folds the lines of one incident, from its first, into the incident that they tell of.
pub fn fold_check(id: IncidentId, lines: &[StoredLine]) -> Result<Incident, JournalError> {
    fold(id, &records(id, lines)?)
}

/// Reads the lines of one incident.
pub fn records(id: IncidentId, lines: &[StoredLine]) -> Result<Vec<Record>, JournalError> {
    let chain = id.to_string();
    let fault = |seq: u64, why: String| JournalError::Fold { chain: chain.clone(), seq, why };
    let mut records = Vec::with_capacity(lines.len());
    for line in lines {
        let record: Record = serde_json::from_str(&line.body).map_err(|error| fault(line.seq, error.to_string()))?;
        if VERSION < record.v {
            return Err(fault(line.seq, format!("it was written by a newer stentor (version {})", record.v)));
        }
        records.push(record);
    }
    Ok(records)
}

/// Folds what [`records`] read.
pub fn fold(id: IncidentId, records: &[Record]) -> Result<Incident, JournalError> {
    let events = records.iter().map(|record| (record.at, &record.event));
    let why = "it does not begin with an opening".to_owned();
    Incident::fold(id, events).ok_or_else(|| JournalError::Fold { chain: id.to_string(), seq: 1, why })
}
