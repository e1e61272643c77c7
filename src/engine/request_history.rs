//! A request as its journal tells it: what its stream of events and its receipt are made of, so that both say the same
//! after a restart.

use crate::{
    core::{
        Event, HandoffVerdict, Incident, IncidentId, JournalRecord, StoredLine, handoff::HandoffMove,
        page::SystemNotice, request_notice,
    },
    engine::EngineReader,
    store::StoreError,
};

/// How many lines are read at once.
const LINES_AT_ONCE: usize = 256;

/// The journal of one request, read so far.
pub struct RequestHistory {
    id: IncidentId,
    /// The position of the last line that was read.
    after: i64,
    /// The number of the line whose hash is wanted.
    marked: u64,
    /// Its hash, once it was read.
    mark: Option<[u8; 32]>,
    incident: Option<Incident>,
    /// What a person last did with the conversation.
    moved: Option<HandoffMove>,
}

/// A moment at which a request changed.
pub struct RequestMoment<'a> {
    /// What happened.
    pub what: SystemNotice,
    /// As it is in the journal.
    pub event: &'a Event,
    /// Its line.
    pub line: &'a StoredLine,
    /// The incident as it was then.
    pub incident: &'a Incident,
    /// What a person last did with the conversation, if it is a handoff.
    pub moved: Option<&'a HandoffMove>,
}

impl RequestHistory {
    /// The journal of this incident, from its first line.
    pub fn of(id: IncidentId) -> Self {
        Self { id, after: 0, marked: 0, mark: None, incident: None, moved: None }
    }

    /// The same, which keeps the hash of the line with this number.
    pub fn marking(self, line: u64) -> Self {
        Self { marked: line, ..self }
    }

    /// The hash of that line; `None` if it was not read.
    pub fn mark(&self) -> Option<&[u8; 32]> {
        self.mark.as_ref()
    }

    /// Reads what is new, and calls `on` with each moment at which the request changed.
    ///
    /// # Errors
    /// Those of the store, and [`StoreError::Corrupt`] for a line that can not be read.
    pub async fn read(
        &mut self,
        reads: &EngineReader,
        mut on: impl FnMut(RequestMoment<'_>) + Send,
    ) -> Result<(), StoreError> {
        loop {
            let lines = reads.lines(Some(self.id.to_string()), self.after, LINES_AT_ONCE).await?;
            for line in &lines {
                let event = self.apply(line)?;
                self.after = line.pos;
                if line.seq == self.marked {
                    self.mark = Some(line.hash);
                }
                if let Event::HandoffMoved(moved) = &event
                    && moved.verdict == HandoffVerdict::Done
                {
                    self.moved = Some(moved.clone());
                }
                let Some(incident) = &self.incident else { continue };
                if let Some(what) = request_notice(&event, incident) {
                    on(RequestMoment { what, event: &event, line, incident, moved: self.moved.as_ref() });
                }
            }
            if lines.len() < LINES_AT_ONCE {
                return Ok(());
            }
        }
    }

    fn apply(&mut self, line: &StoredLine) -> Result<Event, StoreError> {
        let corrupt = |why: String| StoreError::Corrupt { what: format!("line {} of {}", line.seq, self.id), why };
        let record: JournalRecord = serde_json::from_str(&line.body).map_err(|error| corrupt(error.to_string()))?;
        match (&mut self.incident, &record.event) {
            (Some(incident), event) => incident.apply(event, record.at),
            (unopened, Event::Opened(opening)) => *unopened = Some(Incident::opened(self.id, opening, record.at)),
            (None, _) => return Err(corrupt("the journal does not begin with the opening".to_owned())),
        }
        Ok(record.event)
    }
}
