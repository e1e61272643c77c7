//! Journal lines as they are written. A line with content from outside is read back before it is stored.

use crate::core::{
    Event, JournalRecord, Timestamp,
    event::{VERSION, genesis, link},
};
use serde::{Serialize, de::DeserializeOwned};

/// The head of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The number of lines so far.
    pub seq: u64,
    /// The hash of the last line.
    pub hash: [u8; 32],
}

impl ChainHead {
    /// The head of an empty chain.
    pub fn before_first(chain: &str) -> Self {
        Self { seq: 0, hash: genesis(chain) }
    }
}

/// A journal line to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Its chain.
    pub chain: String,
    /// Its place in the chain.
    pub seq: u64,
    /// The time of the event.
    pub at: Timestamp,
    /// The line as JSON.
    pub body: String,
    /// Its hash.
    pub hash: [u8; 32],
}

impl JournalLine {
    /// Writes the next line of a chain and moves its head. On an error the head stays.
    pub(super) fn write(
        chain: &str,
        head: &mut ChainHead,
        at: Timestamp,
        event: &impl Serialize,
    ) -> Result<Self, String> {
        // SQLite ends a text at NUL: the line would belong to another chain.
        if chain.contains('\0') {
            return Err(format!("{chain:?} can not be the name of a chain"));
        }
        let record = JournalRecord { v: VERSION, chain: chain.to_owned(), seq: head.seq + 1, at, event };
        let written = serde_json::to_string(&record);
        let body = written.map_err(|error| format!("line {} of {chain} can not be written: {error}", record.seq))?;
        *head = ChainHead { seq: record.seq, hash: link(&head.hash, body.as_bytes()) };
        Ok(Self { chain: record.chain, seq: head.seq, at, body, hash: head.hash })
    }

    /// Checks that the line reads back as this event.
    pub(super) fn reads_as<E: DeserializeOwned + PartialEq>(&self, event: &E) -> Result<(), String> {
        match serde_json::from_str::<JournalRecord<E>>(&self.body) {
            Ok(read) if read.event == *event && read.at == self.at => Ok(()),
            Ok(_) => Err(format!("line {} of {} would not be read back as it is", self.seq, self.chain)),
            Err(error) => Err(format!("line {} of {} could not be read back: {error}", self.seq, self.chain)),
        }
    }
}

/// Whether an event contains an alert: nested JSON with any numbers. All other content of events are our own types,
/// which exist only if they can be written and read: names and texts, whole numbers, times within limits.
pub(super) fn is_foreign(event: &Event) -> bool {
    matches!(event, Event::Opened(_) | Event::Joined { .. } | Event::Overflowed { .. } | Event::Repeated { .. })
}
