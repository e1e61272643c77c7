//! People who opted out of a channel (they texted STOP): a gap in the matrix that nobody would notice. Their pages skip
//! that channel at once, and the operators are told until they opt in again.
//!
//! The register is folded from Stentor's own journal chain, so a restart forgets nothing.

use crate::{
    channel::{ProbeCheck, SendError, contact::PHONE},
    core::{
        Actor, Alert, ChannelName, IncidentInput, IncidentKey, IncidentOpening, JournalRecord, PersonName, SendReceipt,
        SourceEvent, SourceName, names::SELF,
    },
    engine::{
        RuntimeConfig,
        inbound::{InboundResponses, opt_out_register::OptOut},
    },
    store::{LockSet, RequestClass, RowKind, RowName, StoreError, Transaction, transact},
};
use std::sync::Arc;

/// The number of journal lines that are read at once.
const LINES_AT_ONCE: usize = 1000;

impl InboundResponses {
    /// Who opted out of which channel, as far as the matrix still has that channel and the same number.
    pub fn opt_outs(&self) -> Vec<OptOut> {
        let config = self.context.config.load();
        let all: Vec<OptOut> = self.opt_out_register().all();
        let holds = |out: &OptOut| {
            let known = config.channels.contains_key(&out.channel);
            known && self.number_mark(&config, &out.person).is_some_and(|number| number == out.number)
        };
        all.into_iter().filter(holds).collect()
    }

    /// Opt-outs as checks of `stentor doctor`: failed if no other channel reaches the person.
    pub(in crate::engine) fn opt_out_checks(&self) -> Vec<ProbeCheck> {
        let config = self.context.config.load();
        let hole = |out: OptOut| {
            let others = other_ways(&config, &out.channel, &out.person);
            let name = config.name_of(&out.person);
            let detail = format!(
                "{name} has opted out of {} ({}): {}; they must text START",
                out.channel,
                out.how,
                left(&others)
            );
            if others.is_empty() {
                ProbeCheck::failed("opt-out", detail)
            } else {
                ProbeCheck::doubtful("opt-out", detail)
            }
        };
        self.opt_outs().into_iter().map(hole).collect()
    }

    /// Why a page to this person must not use this channel; `None` if it may.
    pub(in crate::engine) fn opt_out_reason(&self, channel: &ChannelName, person: &PersonName) -> Option<String> {
        let out = self.opt_out_register().get(channel, person)?;
        let same = self.number_mark(&self.context.config.load(), person).is_some_and(|number| number == out.number);
        same.then(|| format!("they have opted out of this channel since {}: {}", out.since, out.how))
    }

    /// Records that a person opted out of a channel and tells the operators once. Returns whether that is news.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be kept; then report it again.
    pub async fn opt_out(&self, channel: &ChannelName, person: &PersonName, how: &str) -> Result<bool, StoreError> {
        if self.opt_out_reason(channel, person).is_some() {
            return Ok(false);
        }
        let config = self.context.config.load_full();
        let Some(number) = self.number_mark(&config, person) else { return Ok(false) };
        let (channel, person, how) = (channel.clone(), person.clone(), how.to_owned());
        tracing::error!(channel = %channel, person = %person, how, "opted out: their pages fail over to other channels");
        let key = (channel.clone(), person.clone());
        let event = SourceEvent::OptedOut { channel, person, how, number };
        self.opt_out_register().apply(self.context.store.now(), &event);
        if let Err(error) = self.keep(event, config).await {
            // It will be reported again, and must be news then.
            self.opt_out_register().forget(&key.0, &key.1);
            return Err(error);
        }
        Ok(true)
    }

    /// Records that a person opted in again. Returns whether that is news.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be kept; then they are still opted out.
    pub async fn opt_in(&self, channel: &ChannelName, person: &PersonName, how: &str) -> Result<bool, StoreError> {
        if self.opt_out_register().get(channel, person).is_none() {
            return Ok(false);
        }
        let (channel, person, how) = (channel.clone(), person.clone(), how.to_owned());
        let event = SourceEvent::OptedIn { channel, person, how };
        self.keep(event.clone(), self.context.config.load_full()).await?;
        self.opt_out_register().apply(self.context.store.now(), &event);
        Ok(true)
    }

    /// Records an opt-out that an attempt to send ran into.
    pub(in crate::engine) async fn watch_person(
        &self,
        channel: &ChannelName,
        person: &PersonName,
        result: &Result<SendReceipt, SendError>,
    ) {
        let Err(SendError::Unreachable { why, opted_out: true }) = result else { return };
        if let Err(error) = self.opt_out(channel, person, why).await {
            tracing::error!(%error, channel = %channel, person = %person, "the opt-out could not be stored");
        }
    }

    /// Reads from the journal who opted out and who linked which account: once, before anything is sent.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the journal can not be read.
    pub async fn recall_people(&self) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let lines = self.context.store.lines(Some(format!("source:{SELF}")), after, LINES_AT_ONCE).await?;
            let Some(last) = lines.last() else { return Ok(()) };
            after = last.pos;
            for line in &lines {
                match serde_json::from_str::<JournalRecord<SourceEvent>>(&line.body) {
                    Ok(JournalRecord { event: SourceEvent::DesksSignedOut { person, .. }, .. }) => {
                        self.context.keys.sign_out(&person);
                    }
                    Ok(record) => {
                        self.opt_out_register().apply(record.at, &record.event);
                        self.context.silences.apply(record.at, &record.event);
                        self.link_register().apply(&record.event, &self.context.keys);
                    }
                    // An opt-out that is lost this way is found again by the next page; a link has to be made again, and
                    // a sign-out to be given again: that the line can not be read is a problem that is shown.
                    Err(error) => {
                        let row = RowName::Other(RowKind::Line, format!("{}/{}", line.chain, line.seq));
                        self.context.store.found_unreadable(row, error.to_string());
                    }
                }
            }
        }
    }

    /// In one transaction: writes the journal line, and opens or ends the operators' incident.
    async fn keep(&self, event: SourceEvent, config: Arc<RuntimeConfig>) -> Result<(), StoreError> {
        let (key, opening) = match &event {
            SourceEvent::OptedOut { channel, person, how, .. } => {
                (IncidentKey::of_opt_out(channel, person), self.opening(&config, channel, person, how))
            }
            SourceEvent::OptedIn { channel, person, .. } => (IncidentKey::of_opt_out(channel, person), None),
            _ => return Ok(()),
        };
        let source = SourceName::from(SELF);
        let needs = LockSet { keys: vec![key.clone()], sources: vec![source.clone()], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            tx.record_source(&source, event.clone());
            match (&opening, tx.open_with_key(&key)) {
                (Some(opening), None) => drop(tx.open(opening.clone(), &config.matrix.roster)),
                (None, Some(id)) if matches!(event, SourceEvent::OptedIn { .. }) => {
                    tx.step(
                        id,
                        IncidentInput::Resolve { by: Actor::Source(source.clone()), why: None },
                        &config.matrix.roster,
                    );
                }
                _ => {}
            }
        };
        transact(&*self.context.store, RequestClass::Ladder, needs, run).await.map(drop)
    }

    /// The operators' incident about an opt-out; `None` if the matrix has no catch-all.
    fn opening(
        &self,
        config: &RuntimeConfig,
        channel: &ChannelName,
        person: &PersonName,
        how: &str,
    ) -> Option<IncidentOpening> {
        let plan = config.matrix.operators_plan()?;
        let mut alert = Alert::new(SELF, "opted_out");
        alert.labels.insert("channel".into(), channel.to_string());
        alert.labels.insert("person".into(), person.to_string());
        let left = left(&other_ways(config, channel, person));
        alert.summary = format!("{} has opted out of {channel} ({how}): {left}", config.name_of(person));
        let (key, summary, received_at) =
            (IncidentKey::of_opt_out(channel, person), alert.summary.clone(), self.context.store.now());
        Some(IncidentOpening {
            key,
            summary,
            plan,
            alert: Arc::new(alert),
            received_at,
            terms: None,
            ask: None,
            nonce: None,
        })
    }

    fn number_mark(&self, config: &RuntimeConfig, person: &PersonName) -> Option<String> {
        let phone = config.matrix.people.get(person)?.contact(PHONE)?;
        Some(self.context.keys.number_mark(phone))
    }
}

/// The other channels that reach this person.
fn other_ways<'a>(config: &'a RuntimeConfig, channel: &ChannelName, person: &PersonName) -> Vec<&'a str> {
    let all = config.matrix.roster.channels(person).iter();
    all.filter(|other| *other != channel).map(ChannelName::as_str).collect()
}

fn left(others: &[&str]) -> String {
    match others {
        [] => "no other way reaches them".to_owned(),
        others => format!("their pages go by {}", others.join(", ")),
    }
}
