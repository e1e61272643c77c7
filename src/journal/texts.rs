//! The texts of an export: whether each is what its hash says, and whether all that the journal names are there.

use crate::core::{
    ShownText, StoredLine,
    event::text_hash,
    record::{NamedTexts, RecordFault, RecordPlace},
};
use std::collections::{BTreeMap, BTreeSet};

/// The fields in which a line may name a text.
const TEXT_FIELDS: [&str; 3] = ["\"text\"", "\"said\"", "\"told\""];

/// Compares the texts of an export with each other and with its lines.
#[derive(Debug, Default)]
pub struct TextCheck {
    named: BTreeMap<String, String>,
    seen: BTreeSet<String>,
    faults: Vec<RecordFault>,
}

impl TextCheck {
    /// Takes a line: it may name a text.
    pub fn line(&mut self, line: &StoredLine) {
        if !TEXT_FIELDS.iter().any(|field| line.body.contains(field)) {
            return;
        }
        let Ok(named) = serde_json::from_str::<NamedTexts>(&line.body) else { return };
        for hash in named.hashes() {
            self.named.entry(hash).or_insert_with(|| format!("{} line {}", line.chain, line.seq));
        }
    }

    /// Takes a text.
    pub fn text(&mut self, text: &ShownText) {
        let found = text_hash(&text.body);
        if found != text.hash {
            let why = format!("it was edited, or stored under another name: its content has the hash {found}");
            self.faults.push(RecordFault { place: RecordPlace::Text, row: text.hash.clone(), why });
        }
        self.seen.insert(text.hash.clone());
    }

    /// How many texts there were.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether there were none: then the export was made without texts, and nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// What is wrong.
    pub fn finish(mut self) -> Vec<RecordFault> {
        if self.seen.is_empty() {
            return self.faults;
        }
        for (hash, by) in self.named.into_iter().filter(|(hash, _)| !self.seen.contains(hash)) {
            let why = format!("{by} says that it was shown, and it is missing");
            self.faults.push(RecordFault { place: RecordPlace::Text, row: hash, why });
        }
        self.faults
    }
}
