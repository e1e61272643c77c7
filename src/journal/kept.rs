//! Copies of anchors that were kept outside the journal, and the one reader for them.
//!
//! It reads what daemons log and what [`super::export`] writes, from files that also contain other lines: the JSON log,
//! the text log (with or without colours), both with what journald, Docker or syslog add before and around them, an
//! export, signed copies as they were handed out, and plain `{"seq": 7, "hash": ".."}`. Only text in the place where the daemon writes an anchor counts: the
//! same words inside the text of an alert do not.

use super::{
    report::{JournalFault, JournalFaultKind},
    signed::{AnchorKey, SignedAnchor},
};
use crate::core::{
    JournalRecord,
    event::{ANCHORS, AnchorEvent, link, unhex},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read},
    ops::RangeInclusive,
};

/// The longest line that is read as one, in bytes. An anchor over a hundred thousand chains fits; longer lines are cut.
pub const LINE_MAX: u64 = 32 * 1024 * 1024;

/// What the line of each anchor says before its fields.
const SAYS: &str = "journal anchored";

/// The names of its fields in a log, in their order. Earlier versions logged the first two alone.
const SEQ: &str = "journal.anchor.seq";
const HASH: &str = "journal.anchor.hash";
const AT: &str = "journal.anchor.at";
const SITE: &str = "journal.anchor.site";
const SIGNATURE: &str = "journal.anchor.signature";
const FIELDS: [&str; 5] = [SEQ, HASH, AT, SITE, SIGNATURE];

/// What a signed copy has, even if its end was cut off.
const SIGNED: [&str; 2] = ["\"seq\":", "\"hash\":\""];

/// The levels in the text log.
const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// How many levels of nested objects are searched: Docker's around journald's around ours.
const DEPTH_MAX: usize = 3;

/// An anchor with a kept copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptAnchor {
    /// Its place in the chain of anchors.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// All kept copies, and where they contradict each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptAnchors {
    anchors: BTreeMap<u64, AnchorCopies>,
    torn: u64,
    /// One of these must have signed each copy; if there are none, signatures are not looked at.
    keys: Vec<AnchorKey>,
    unsigned: u64,
}

/// The copies of one anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
struct AnchorCopies {
    /// The first that was read.
    hash: [u8; 32],
    /// The SHA-256 of its record, if the copy has the record too.
    record: Option<[u8; 32]>,
    faults: Vec<JournalFaultKind>,
}

/// What a line contains.
enum AnchorLine {
    Anchor {
        anchor: KeptAnchor,
        record: Option<String>,
        signed: Option<SignedAnchor>,
    },
    /// It names an anchor but is incomplete.
    Torn,
    Other,
}

impl KeptAnchors {
    /// Copies of which only those count that one of these keys signed. With no key, signatures are not looked at.
    pub fn signed_by(keys: Vec<AnchorKey>) -> Self {
        Self { keys, ..Self::default() }
    }

    /// Adds the anchors of one file, in the order of its lines, and returns how many there were. Lines without an
    /// anchor are skipped. Files may overlap and come in any order; within a file the numbers must grow.
    ///
    /// # Errors
    ///
    /// Reading fails.
    pub fn read(&mut self, mut from: impl BufRead) -> io::Result<u64> {
        let (mut found, mut last, mut line) = (0, None, Vec::new());
        loop {
            line.clear();
            if from.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)? == 0 {
                return Ok(found);
            }
            match read_line(&plain(&String::from_utf8_lossy(&line)), 0) {
                AnchorLine::Anchor { signed: None, .. } if !self.keys.is_empty() => self.unsigned += 1,
                AnchorLine::Anchor { anchor, record, signed } => {
                    found += 1;
                    self.add(anchor, record.as_deref(), last);
                    self.check(anchor.seq, signed.as_ref());
                    // An anchor that appears again does not count as a step back.
                    if last.is_none_or(|last: KeptAnchor| last.seq < anchor.seq) {
                        last = Some(anchor);
                    }
                }
                AnchorLine::Torn => self.torn += 1,
                AnchorLine::Other => {}
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// How many there are; several copies of one anchor count once.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Lines that name an anchor but are incomplete: they are ignored.
    pub fn torn(&self) -> u64 {
        self.torn
    }

    /// Copies without a signature: if there are keys, they are ignored.
    pub fn unsigned(&self) -> u64 {
        self.unsigned
    }

    /// The anchors between the first and the last for which no copy was kept. The next kept anchor covers what they
    /// cover.
    pub fn gaps(&self) -> Vec<RangeInclusive<u64>> {
        let all: Vec<u64> = self.anchors.keys().copied().collect();
        let pairs = all.iter().zip(all.iter().skip(1));
        pairs.filter(|(from, to)| *from + 1 < **to).map(|(from, to)| from + 1..=to - 1).collect()
    }

    /// Removes the copies of one anchor and compares them with the journal's line for it.
    pub(super) fn take(&mut self, seq: u64, hash: &[u8; 32], record: &str) -> Option<Vec<JournalFaultKind>> {
        let copies = self.anchors.remove(&seq)?;
        let mut wrong = copies.faults;
        if copies.hash != *hash && !wrong.contains(&JournalFaultKind::KeptTwice) {
            wrong.push(JournalFaultKind::NotAsKept);
        } else if wrong.is_empty() && copies.record.is_some_and(|kept| kept != digest(record)) {
            wrong.push(JournalFaultKind::KeptAltered);
        }
        Some(wrong)
    }

    /// What is wrong if the journal has no line for them: its chain of anchors ends with `last`.
    pub(super) fn rest(self, last: u64) -> impl Iterator<Item = JournalFault> {
        self.anchors.into_iter().flat_map(move |(seq, copies)| {
            let missing =
                if last < seq { JournalFaultKind::KeptCutOff { last } } else { JournalFaultKind::KeptMissing };
            let all = copies.faults.into_iter().chain([missing]);
            all.map(move |what| JournalFault { chain: ANCHORS.to_owned(), seq, what })
        })
    }

    /// Whether the copy is signed, if that is asked.
    fn check(&mut self, seq: u64, signed: Option<&SignedAnchor>) {
        let is_good =
            self.keys.is_empty() || signed.is_some_and(|copy| self.keys.iter().any(|key| key.has_signed(copy)));
        if !is_good
            && let Some(copies) = self.anchors.get_mut(&seq)
            && !copies.faults.contains(&JournalFaultKind::KeptForged)
        {
            copies.faults.push(JournalFaultKind::KeptForged);
        }
    }

    /// `last` is the newest anchor that came before it in its file.
    fn add(&mut self, anchor: KeptAnchor, record: Option<&str>, last: Option<KeptAnchor>) {
        let KeptAnchor { seq, hash } = anchor;
        let mut faults = Vec::new();
        if let Some(record) = record
            && !belongs(record, anchor, last)
        {
            faults.push(JournalFaultKind::KeptAltered);
        }
        let record = record.map(digest);
        let Some(known) = self.anchors.get_mut(&seq) else {
            if let Some(last) = last.filter(|last| seq < last.seq) {
                faults.push(JournalFaultKind::KeptBackwards { after: last.seq });
            }
            self.anchors.insert(seq, AnchorCopies { hash, record, faults });
            return;
        };
        if known.hash != hash {
            faults.push(JournalFaultKind::KeptTwice);
        } else if known.record.is_some_and(|known| record.is_some_and(|record| known != record)) {
            faults.push(JournalFaultKind::KeptAltered);
        }
        known.record = known.record.or(record);
        faults.retain(|fault| !known.faults.contains(fault));
        known.faults.extend(faults);
    }
}

impl FromIterator<KeptAnchor> for KeptAnchors {
    /// Anchors in the order in which they were written.
    fn from_iter<T: IntoIterator<Item = KeptAnchor>>(anchors: T) -> Self {
        let (mut kept, mut last) = (Self::default(), None);
        for anchor in anchors {
            kept.add(anchor, None, last);
            if last.is_none_or(|last: KeptAnchor| last.seq < anchor.seq) {
                last = Some(anchor);
            }
        }
        kept
    }
}

/// Whether the record in a copy belongs to this anchor, as far as a copy alone can tell.
fn belongs(record: &str, anchor: KeptAnchor, last: Option<KeptAnchor>) -> bool {
    let Ok(read) = serde_json::from_str::<JournalRecord<AnchorEvent>>(record) else { return false };
    // The hash can be computed again only if the anchor before it is known.
    let follows = last.is_none_or(|last| {
        last.seq.checked_add(1) != Some(anchor.seq) || link(&last.hash, record.as_bytes()) == anchor.hash
    });
    read.chain == ANCHORS && read.seq == anchor.seq && follows
}

fn digest(record: &str) -> [u8; 32] {
    Sha256::digest(record.as_bytes()).into()
}

/// The line without terminal colour codes.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

fn read_line(line: &str, depth: usize) -> AnchorLine {
    let line = line.trim();
    let Some((before, object)) = line.find('{').map(|at| line.split_at(at)) else { return read_text(line) };
    match serde_json::from_str::<Value>(object) {
        Ok(value) if !is_log_line(before) => read_object(before, object, &value, depth),
        Err(_) if !is_log_line(before) && object.contains(&format!("\"{SEQ}\"")) => AnchorLine::Torn,
        Err(_) if before.is_empty() && is_copy(object) => AnchorLine::Torn,
        _ => read_text(line),
    }
}

/// Whether this is a signed copy whose end was cut off; a line of an export has a chain, too.
fn is_copy(object: &str) -> bool {
    SIGNED.iter().all(|name| object.contains(name)) && !object.contains("\"chain\":")
}

/// Whether our text log begins a line like this. What follows is its own text, which others may have chosen.
fn is_log_line(before: &str) -> bool {
    before.split_whitespace().any(|word| LEVELS.contains(&word))
}

fn read_object(before: &str, text: &str, object: &Value, depth: usize) -> AnchorLine {
    let fields = object.get("fields").unwrap_or(object);
    if fields.get(SEQ).is_some() || fields.get(HASH).is_some() {
        let anchor = anchor(fields.get(SEQ), fields.get(HASH));
        let signed = signed(FIELDS.map(|name| fields.get(name)));
        return anchor.map_or(AnchorLine::Torn, |anchor| AnchorLine::Anchor { anchor, record: None, signed });
    }
    // What Docker and journald put around a line; ours has neither.
    if let Some(inner) = object.get("log").or_else(|| object.get("MESSAGE")).and_then(Value::as_str) {
        return if depth < DEPTH_MAX { read_line(&plain(inner), depth + 1) } else { AnchorLine::Other };
    }
    // What a webhook was told, as a receiver keeps it.
    let object = match object.get("type").and_then(Value::as_str) {
        Some(SignedAnchor::EVENT) => object.get("data").unwrap_or(object),
        _ => object,
    };
    let chain = object.get("chain");
    match anchor(object.get("seq"), object.get("hash")) {
        Some(anchor) if before.is_empty() && chain.is_none_or(|chain| chain == ANCHORS) => {
            let signed = signed(["seq", "hash", "at", "site", "signature"].map(|name| object.get(name)));
            AnchorLine::Anchor { anchor, record: record(text, object), signed }
        }
        None if chain.is_some_and(|chain| chain == ANCHORS) => AnchorLine::Torn,
        // An anchor that a person wrote down.
        None if is_pair(object) => AnchorLine::Torn,
        _ => AnchorLine::Other,
    }
}

/// A number and a hash, and nothing else.
fn is_pair(object: &Value) -> bool {
    object
        .as_object()
        .is_some_and(|fields| fields.len() == 2 && fields.contains_key("seq") && fields.contains_key("hash"))
}

fn anchor(seq: Option<&Value>, hash: Option<&Value>) -> Option<KeptAnchor> {
    Some(KeptAnchor { seq: seq?.as_u64()?, hash: unhex(hash?.as_str()?)? })
}

/// The signed copy with these values: number, hash, time, site and signature.
fn signed([seq, hash, at, site, signature]: [Option<&Value>; 5]) -> Option<SignedAnchor> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let at = at.and_then(|at| serde_json::from_value(at.clone()).ok())?;
    Some(SignedAnchor { site: text(site)?, seq: seq?.as_u64()?, hash: text(hash)?, at, signature: text(signature)? })
}

/// The record of an exported line, byte for byte; a line that a person wrote has none.
fn record(line: &str, object: &Value) -> Option<String> {
    object.get("body").or_else(|| object.get("raw"))?;
    match super::imported(line) {
        Ok(super::ExportedItem::Line(line)) => Some(line.body),
        _ => None,
    }
}

/// `.. INFO journal anchored journal.anchor.seq=7 journal.anchor.hash="ab.." ..`, to the line's end.
fn read_text(line: &str) -> AnchorLine {
    let said = line.split_once(&format!(" INFO {SAYS} ")).filter(|(before, _)| !is_log_line(before));
    let Some((_, said)) = said else { return AnchorLine::Other };
    let tokens: Vec<&str> = said.split(' ').collect();
    let values: Option<Vec<Value>> = tokens
        .iter()
        .zip(FIELDS)
        .map(|(token, name)| text_value(token.strip_prefix(name)?.strip_prefix('=')?))
        .collect();
    // Something follows: it is the text of another line. A line that ends too early was cut.
    let is_whole = [2, FIELDS.len()].contains(&tokens.len());
    match values.filter(|_| is_whole) {
        Some(values) => {
            let value = |at| values.get(at);
            match anchor(value(0), value(1)) {
                Some(anchor) => {
                    let signed = signed([0, 1, 2, 3, 4].map(value));
                    AnchorLine::Anchor { anchor, record: None, signed }
                }
                None => AnchorLine::Torn,
            }
        }
        None if is_cut(&tokens) => AnchorLine::Torn,
        None => AnchorLine::Other,
    }
}

/// A field's value: a number as it is, a text with or without quotes.
fn text_value(text: &str) -> Option<Value> {
    if let Ok(number) = text.parse::<u64>() {
        return Some(number.into());
    }
    let inner = text.strip_prefix('"').map_or(Some(text), |text| text.strip_suffix('"'))?;
    (!inner.contains('"')).then(|| inner.into())
}

/// Whether these are only the beginning of an anchor's fields.
fn is_cut(tokens: &[&str]) -> bool {
    let begins = |token: &str, name: &str| {
        token
            .strip_prefix(name)
            .map_or_else(|| name.starts_with(token), |value| value.is_empty() || value.starts_with('='))
    };
    let seq = tokens[0].strip_prefix(SEQ).and_then(|rest| rest.strip_prefix('='));
    tokens.len() <= FIELDS.len()
        && seq.is_some_and(|seq| seq.chars().all(|c| c.is_ascii_digit()))
        && tokens.iter().zip(FIELDS).all(|(token, name)| begins(token, name))
}
