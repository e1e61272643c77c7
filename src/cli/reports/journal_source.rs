//! Where reports read from: the running daemon, or the state directory if none is running.

use crate::{
    cli::{client::DaemonClient, error::CliError, load, options::PathOptions, threads::runtime},
    core::{
        DrillRun, IncidentId, PersonName, ShownText, StoredLine, Timestamp,
        event::unhex,
        record::{RecordCursor, RecordPortion},
    },
    engine::history::{ChainPortion, HistoryControl, each_incident, one_incident},
    engine::keys::DerivedKeys,
    report::{IncidentTexts, IncidentTimeline, TimelineReader},
    store::{Store, StoreConfig, StoreError, clock::SystemClock, open_store, read_store},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use tokio::runtime::Runtime;

/// How many lines are read at once.
const LINES_AT_ONCE: usize = 5000;

/// The journal, in either place.
pub enum JournalSource {
    /// A daemon has it open.
    Daemon(DaemonClient),
    /// No daemon has it open.
    Folder {
        /// The runtime for reading it.
        runtime: Runtime,
        /// The store.
        store: Arc<dyn Store>,
    },
}

impl JournalSource {
    /// Uses the daemon of these paths, or reads their state directory if no daemon answers. Changes nothing there.
    pub fn of(places: &PathOptions) -> Result<Self, CliError> {
        Self::opened(places, |runtime, config| runtime.block_on(read_store(config, Arc::new(SystemClock))))
    }

    /// The same for what changes the store: without a daemon it is opened as a daemon opens it.
    pub fn to_change(places: &PathOptions) -> Result<Self, CliError> {
        Self::opened(places, |runtime, config| runtime.block_on(open_store(config, Arc::new(SystemClock))))
    }

    fn opened(
        places: &PathOptions,
        open: impl FnOnce(&Runtime, &StoreConfig) -> Result<Arc<dyn Store>, StoreError>,
    ) -> Result<Self, CliError> {
        if places.socket().exists()
            && let Ok(client) = DaemonClient::of(places)
            && client.get::<Value>(&format!("/v1/journal?after={}", i64::MAX)).is_ok()
        {
            return Ok(Self::Daemon(client));
        }
        let state = places.state();
        let config = StoreConfig::in_directory(&state);
        if !config.exists() {
            let state = state.display();
            return Err(format!("there is no journal in {state}: name the daemon's folder with --state DIR").into());
        }
        let runtime = runtime(1)?;
        let store = open(&runtime, &config)?;
        Ok(Self::Folder { runtime, store })
    }

    /// Passes every line to `f`, in portions, in the order of their commits.
    pub fn each_line(&self, mut f: impl FnMut(Vec<StoredLine>) -> Result<(), CliError>) -> Result<(), CliError> {
        let mut after = 0;
        loop {
            let lines = match self {
                Self::Daemon(client) => {
                    let lines: Vec<Value> = client.get(&format!("/v1/journal?after={after}"))?;
                    lines.iter().map(stored).collect::<Result<_, _>>()?
                }
                Self::Folder { runtime, store } => runtime.block_on(store.lines(None, after, LINES_AT_ONCE))?,
            };
            let Some(last) = lines.last().map(|line| line.pos) else { return Ok(()) };
            after = last;
            f(lines)?;
        }
    }

    /// Passes every text that was shown to `f`, in portions.
    pub fn each_text(&self, mut f: impl FnMut(Vec<ShownText>) -> Result<(), CliError>) -> Result<(), CliError> {
        let mut after = 0;
        loop {
            let texts: Vec<(i64, ShownText)> = match self {
                Self::Daemon(client) => client.get(&format!("/v1/texts?after={after}"))?,
                Self::Folder { runtime, store } => runtime.block_on(store.texts(after, LINES_AT_ONCE))?,
            };
            let Some((last, _)) = texts.last() else { return Ok(()) };
            after = *last;
            f(texts.into_iter().map(|(_, text)| text).collect())?;
        }
    }

    /// Compares the stored state with the journal, portion by portion.
    pub fn each_audit(&self, mut f: impl FnMut(RecordPortion)) -> Result<(), CliError> {
        let mut next = Some(RecordCursor::default());
        while let Some(from) = next {
            let portion: RecordPortion = match self {
                Self::Daemon(client) => {
                    let part = serde_json::to_value(from.part)?;
                    let part = part.as_str().unwrap_or_default();
                    client.get(&format!("/v1/journal/record?part={part}&after={}", from.after))?
                }
                Self::Folder { runtime, store } => runtime.block_on(store.audit(from))?,
            };
            next = portion.next;
            f(portion);
        }
        Ok(())
    }

    /// One incident's story, from the first line of its chain to the last.
    pub fn timeline(&self, id: IncidentId) -> Result<IncidentTimeline, CliError> {
        let (mut reader, mut failed) = (TimelineReader::new(id), None);
        let look = |_, portion: ChainPortion<'_>| {
            let read = match portion {
                ChainPortion::Lines(lines) => reader.read(lines, |_| true),
                ChainPortion::End => Ok(()),
            };
            failed = read.err();
            if failed.is_none() { HistoryControl::Rest } else { HistoryControl::Enough }
        };
        match self {
            Self::Daemon(client) => drop(one_of_daemon(client, id, look)?),
            Self::Folder { runtime, store } => drop(runtime.block_on(one_incident(&**store, id, look))?),
        }
        match failed {
            Some(error) => Err(error.into()),
            None if reader.opened_at().is_none() => Err(format!("there is no incident {id}").into()),
            None => Ok(reader.finish()?),
        }
    }

    /// Runs of drills, newest first.
    pub fn runs(&self) -> Result<Vec<DrillRun>, CliError> {
        match self {
            Self::Daemon(client) => client.get_all("/v1/drills?texts=true"),
            Self::Folder { runtime, store } => Ok(runtime.block_on(store.runs(usize::MAX))?),
        }
    }

    /// Passes the chain of each incident to `look`, newest first, until `look` has enough.
    pub fn each(
        &self,
        mut look: impl FnMut(IncidentId, ChainPortion<'_>) -> HistoryControl + Send,
    ) -> Result<(), CliError> {
        let client = match self {
            Self::Daemon(client) => client,
            Self::Folder { runtime, store } => return each_of_folder(runtime, &**store, look),
        };
        let newest: Value = client.get("/v1/incidents/newest")?;
        let newest = newest["incident"].as_str().and_then(|id| id.parse::<IncidentId>().ok()).map_or(0, |id| id.0);
        for id in (1..=newest).rev().map(IncidentId) {
            if one_of_daemon(client, id, &mut look)? == HistoryControl::Enough {
                break;
            }
        }
        Ok(())
    }

    /// Data outside a chain: the names of people, and the texts with these hashes.
    pub fn beside(
        &self,
        places: &PathOptions,
        hashes: impl Iterator<Item = String>,
    ) -> Result<IncidentTexts, CliError> {
        let mut texts = BTreeMap::new();
        for hash in hashes {
            if let Some(text) = self.text(&hash)? {
                texts.insert(hash, text);
            }
        }
        Ok(IncidentTexts { names: self.names(places)?, texts })
    }

    /// The names of people.
    pub fn names(&self, places: &PathOptions) -> Result<BTreeMap<PersonName, String>, CliError> {
        Ok(match self {
            Self::Daemon(client) => client.get("/v1/names")?,
            Self::Folder { .. } => names(places),
        })
    }

    fn text(&self, hash: &str) -> Result<Option<String>, CliError> {
        match self {
            Self::Daemon(client) => {
                let text = client.get::<Value>(&format!("/v1/texts/{hash}")).ok();
                Ok(text.and_then(|text| text["text"].as_str().map(str::to_owned)))
            }
            Self::Folder { runtime, store } => Ok(runtime.block_on(store.text(hash.to_owned()))?),
        }
    }

    /// The public key of the daemon's signatures, in PEM.
    pub fn anchor_key(&self) -> Result<String, CliError> {
        match self {
            Self::Daemon(client) => {
                let answer = client.get::<Value>("/v1/journal/key")?;
                Ok(answer["key"].as_str().unwrap_or_default().to_owned())
            }
            Self::Folder { store, .. } => {
                let key = DerivedKeys::new(store.server_key()).anchor_key();
                Ok(key.ok_or("the store has no key")?.pem())
            }
        }
    }

    /// The current time at the source.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Daemon(_) => crate::store::clock::ClockSources::wall(&SystemClock),
            Self::Folder { store, .. } => store.now(),
        }
    }
}

/// Every incident of a state folder, newest first.
pub fn each_of_folder(
    runtime: &Runtime,
    store: &dyn Store,
    look: impl FnMut(IncidentId, ChainPortion<'_>) -> HistoryControl + Send,
) -> Result<(), CliError> {
    Ok(runtime.block_on(each_incident(store, look))?)
}

/// The chain of one incident, in portions.
fn one_of_daemon(
    client: &DaemonClient,
    id: IncidentId,
    mut look: impl FnMut(IncidentId, ChainPortion<'_>) -> HistoryControl,
) -> Result<HistoryControl, CliError> {
    let mut after = 0;
    loop {
        let lines: Vec<Value> = client.get(&format!("/v1/journal?chain={id}&after={after}"))?;
        let lines: Vec<StoredLine> = lines.iter().map(stored).collect::<Result<_, _>>()?;
        let Some(last) = lines.last().map(|line| line.pos) else {
            return Ok(if after == 0 { HistoryControl::Older } else { look(id, ChainPortion::End) });
        };
        after = last;
        match look(id, ChainPortion::Lines(&lines)) {
            HistoryControl::Rest => {}
            next => return Ok(next),
        }
    }
}

/// A line in the daemon's format.
fn stored(line: &Value) -> Result<StoredLine, CliError> {
    let broken = || CliError::from("the daemon's response with the journal can not be read");
    let hash = line["hash"].as_str().and_then(unhex).ok_or_else(broken)?;
    Ok(StoredLine {
        pos: line["pos"].as_i64().ok_or_else(broken)?,
        chain: line["chain"].as_str().ok_or_else(broken)?.to_owned(),
        seq: line["seq"].as_u64().ok_or_else(broken)?,
        body: line["body"].as_str().ok_or_else(broken)?.to_owned(),
        hash,
    })
}

/// Names for display from the matrix; empty if it cannot be read here, and then the matrix's own names are used.
fn names(places: &PathOptions) -> BTreeMap<PersonName, String> {
    let matrix = load::load(places, load::now()).ok().and_then(|loaded| loaded.matrix);
    let people = matrix.map(|matrix| matrix.people).unwrap_or_default();
    people.into_iter().map(|(name, person)| (name, person.name)).collect()
}
