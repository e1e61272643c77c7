//! One incident: folded from its chain, and compared with its rows.

use super::Audit;
use crate::{
    core::{
        AlertRepeats, ChannelName, Event, Incident, IncidentId, JournalRecord, PersonName, Timestamp,
        record::RecordPlace, repeats::JOINED_WHOLE,
    },
    store::{
        ChainHead, StoreError,
        body::{SharedPlans, StoredRepeats},
        sqlite::{
            column::{column, unsigned},
            failure::failure,
            read,
        },
    },
};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use std::collections::{BTreeMap, BTreeSet};

impl Audit<'_> {
    pub(super) async fn incident(&mut self, id: IncidentId) -> Result<(), StoreError> {
        let lines = self.chain(id).await?;
        let records: Result<Vec<JournalRecord>, _> =
            lines.iter().map(|line| serde_json::from_str::<JournalRecord>(&line.body)).collect();
        let folded = records.as_ref().ok().and_then(|records| fold(id, records));
        let Some((folded, records)) = folded.zip(records.ok()) else {
            self.fault(RecordPlace::Incident, id, "its journal can not be folded: its state can not be compared");
            return Ok(());
        };
        let head = lines.last().map(|line| ChainHead { seq: line.seq, hash: line.hash });
        let told_at = records.iter().rev().find(|record| matches!(record.event, Event::Repeated { .. }));
        let told_at = told_at.map_or(folded.opened_at, |record| record.at);
        let folded = self.with_repeats(id, folded, told_at).await?;
        self.end(id, head).await?;
        self.columns(id, &folded, &times(&records)).await?;
        self.joined(id, &records).await?;
        self.state(id, &folded).await?;
        self.proven(id, &records).await?;
        self.conversation(id, &folded).await?;
        self.run_of(id, &folded).await
    }

    /// With what was counted since the last line of the journal, which says nothing of it: the rows are compared with
    /// each other.
    async fn with_repeats(
        &mut self,
        id: IncidentId,
        folded: Incident,
        told_at: Timestamp,
    ) -> Result<Incident, StoreError> {
        const REPEATS: &str = "SELECT repeats FROM incident WHERE id = ?";
        let row = sqlx::query(REPEATS).bind(id.0).fetch_optional(&mut *self.conn).await.map_err(failure)?;
        Ok(match row.map(|row| read::repeats(&row, 0)).transpose() {
            Ok(kept) => match kept.flatten() {
                Some(kept) => {
                    let AlertRepeats { first_at, last_at, .. } = kept.repeats;
                    // A line tells of them before the incident is over.
                    let can_be =
                        folded.is_open() && JOINED_WHOLE <= folded.alerts && can_follow(&kept.repeats, &folded);
                    if !can_be || first_at < told_at || last_at < first_at {
                        self.fault(
                            RecordPlace::Incident,
                            id,
                            "its journal leaves no room for the repeats that are counted",
                        );
                    }
                    let StoredRepeats { repeats, alert } = kept;
                    folded.with_repeats(Some(repeats), &alert)
                }
                None => folded,
            },
            Err(error) => {
                self.fault(RecordPlace::Incident, id, error.to_string());
                folded
            }
        })
    }

    /// The end of its chain, beside its head.
    async fn end(&mut self, id: IncidentId, end: Option<ChainHead>) -> Result<(), StoreError> {
        const END: &str = "SELECT seq, hash FROM incident WHERE id = ?";
        let row = sqlx::query(END).bind(id.0).fetch_optional(&mut *self.conn).await.map_err(failure)?;
        let Some(row) = row else {
            self.fault(RecordPlace::Incident, id, "it has a journal and is in no table: it was deleted");
            return Ok(());
        };
        let hash = end.map(|end| end.hash.to_vec());
        let is_end = end.is_some_and(|end| unsigned(&row, 0).is_ok_and(|seq| seq == end.seq));
        if !is_end || column::<Vec<u8>>(&row, 1).ok() != hash {
            self.fault(RecordPlace::Head, id, "it is not the last line of its chain");
        }
        Ok(())
    }

    /// The line that an earlier version names in place of writing the body: the newest alert that joined.
    async fn joined(&mut self, id: IncidentId, records: &[JournalRecord]) -> Result<(), StoreError> {
        const JOINED: &str = "SELECT joined FROM incident WHERE id = ?";
        let row = sqlx::query(JOINED).bind(id.0).fetch_optional(&mut *self.conn).await.map_err(failure)?;
        let newest = records.iter().rfind(|record| matches!(record.event, Event::Joined { .. }));
        let newest = newest.and_then(|record| i64::try_from(record.seq).ok());
        let is_right =
            |row: &SqliteRow| column::<Option<i64>>(row, 0).is_ok_and(|joined| joined.is_none() || joined == newest);
        self.named_faults(RecordPlace::Incident, id, &[("newest alert", row.as_ref().is_none_or(is_right))]);
        Ok(())
    }

    /// The body, its plan and its pages.
    async fn state(&mut self, id: IncidentId, folded: &Incident) -> Result<(), StoreError> {
        // Plans of their own, so that each is read from its row.
        let kept = match read::unmended(self.conn, id, &SharedPlans::default()).await {
            Ok(Some(kept)) => kept.incident,
            Ok(None) => return Ok(()),
            Err(error) => {
                self.fault(RecordPlace::Incident, id, format!("can not be read: {error}"));
                return Ok(());
            }
        };
        let wrong = differences(&kept, folded);
        if !wrong.is_empty() {
            self.fault(RecordPlace::Incident, id, format!("not what its journal says: {}", wrong.join(", ")));
        }
        for n in kept.pages.keys().filter(|n| !folded.pages.contains_key(n)) {
            self.fault(RecordPlace::Page, format!("{id}.{n}"), "no line of its journal made it");
        }
        for (n, page) in folded.pages.iter() {
            match kept.pages.get(n) {
                None => self.fault(RecordPlace::Page, format!("{id}.{n}"), "it was deleted"),
                Some(kept) if kept != page => {
                    let wrong = differing(&value(&**kept), &value(&**page)).join(", ");
                    self.fault(RecordPlace::Page, format!("{id}.{n}"), format!("not what its journal says: {wrong}"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Each answer that proves a contact has left a proof, no older than itself.
    async fn proven(&mut self, id: IncidentId, records: &[JournalRecord]) -> Result<(), StoreError> {
        let mut newest: BTreeMap<(&PersonName, &ChannelName), Timestamp> = BTreeMap::new();
        for record in records {
            if let Event::Answered { person, channel: Some(channel), .. }
            | Event::Chosen { person, channel: Some(channel), .. } = &record.event
            {
                let at = newest.entry((person, channel)).or_default();
                *at = record.at.max(*at);
            }
        }
        for ((person, channel), at) in newest {
            let kept = sqlx::query_scalar("SELECT max(at) FROM contact_proof WHERE person = ? AND channel = ?");
            let kept = kept.bind(person.as_str()).bind(channel.as_str()).fetch_one(&mut *self.conn).await;
            let kept: Option<i64> = kept.map_err(failure)?;
            if kept.is_none_or(|kept| kept < at.as_micros()) {
                let why = format!("{id} has an answer of {at} that is not in it: it was deleted or set back");
                self.fault(RecordPlace::Proof, format!("of {person} by {channel}"), why);
            }
        }
        Ok(())
    }

    /// A handoff has the key of its conversation, and the conversation, until a line says that it was erased.
    async fn conversation(&mut self, id: IncidentId, folded: &Incident) -> Result<(), StoreError> {
        const KEY: &str = "SELECT typeof(key) = 'blob' AND length(key) = 32 FROM request_key WHERE incident = ?";
        let key = sqlx::query_scalar::<_, bool>(KEY).bind(id.0).fetch_optional(&mut *self.conn).await;
        let key = key.map_err(failure)?;
        let request = folded.request.as_ref();
        let handoff = request.and_then(|request| Some((request.ask.handoff.as_ref()?, request.handoff.as_ref()?)));
        let why = match (handoff.map(|(_, progress)| progress.erased_at.is_some()), key) {
            (None, Some(_)) => Some("there is a key of its conversation, and it has none"),
            (Some(true), Some(_)) => Some("its conversation was erased, and the key of it is there"),
            (Some(false), None) => Some("the key of its conversation was deleted, and no line says so"),
            (Some(false), Some(false)) => Some("the key of its conversation is no key"),
            (None | Some(true), None) | (Some(false), Some(true)) => None,
        };
        why.into_iter().for_each(|why| self.fault(RecordPlace::Incident, id, why));
        let packet = handoff.filter(|(_, progress)| progress.erased_at.is_none()).map(|(terms, _)| &terms.packet);
        if let Some(packet) = packet {
            self.kept_text(packet, || format!("it is the conversation of {id}, and it is missing")).await?;
        }
        Ok(())
    }

    /// The run that a drill names is there.
    async fn run_of(&mut self, id: IncidentId, folded: &Incident) -> Result<(), StoreError> {
        let Some(run) = folded.terms.as_ref().and_then(|terms| terms.run) else { return Ok(()) };
        let there = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM drill_run WHERE id = ?)").bind(run.0);
        if !there.fetch_one(&mut *self.conn).await.map_err(failure)? {
            self.fault(RecordPlace::Run, run, format!("{id} belongs to it, and it is missing"));
        }
        Ok(())
    }
}

/// Whether these can be counted after what the journal tells: something was, and changes only of what it knows.
fn can_follow(counted: &AlertRepeats, folded: &Incident) -> bool {
    let Some(changes) = &counted.changes else { return 0 < counted.count };
    let total = folded.all_clears() + changes.all_clears;
    let keys = &changes.keys;
    let knows = folded.overflow.as_ref().map_or(keys.is_empty(), |overflow| overflow.knows(keys.keys()));
    // One that stands came among them, or before them and is in the journal.
    let some_came = 0 < changes.all_clears || folded.overflow.is_some();
    let came = |at| some_came && (counted.first_at..=counted.last_at).contains(&at);
    let is_known = changes.all_clear_at.is_none_or(|at| came(at) || folded.all_clear_at == Some(at));
    let some = 0 < counted.count + changes.all_clears || changes.all_clear_at.is_some();
    folded.changes.is_some() && knows && is_known && some && changes.total == total
}

fn fold(id: IncidentId, records: &[JournalRecord]) -> Option<Incident> {
    Incident::fold(id, records.iter().map(|record| (record.at, &record.event)))
}

/// When something happened.
fn times(records: &[JournalRecord]) -> BTreeSet<i64> {
    records.iter().map(|record| record.at.as_micros()).collect()
}

/// The fields in which two states of an incident differ, pages aside.
fn differences(kept: &Incident, folded: &Incident) -> Vec<String> {
    let bare = |incident: &Incident| {
        // What an earlier version opened does not tell its alerts apart.
        let known = incident.known.clone().filter(|_| kept.known.is_some());
        let changes = incident.changes.clone().filter(|_| kept.changes.is_some());
        value(&Incident { pages: Default::default(), known, changes, ..incident.clone() })
    };
    differing(&bare(kept), &bare(folded))
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

fn differing(kept: &Value, folded: &Value) -> Vec<String> {
    let (Value::Object(kept), Value::Object(folded)) = (kept, folded) else { return Vec::new() };
    let names = kept.keys().chain(folded.keys().filter(|name| !kept.contains_key(*name)));
    names.filter(|name| kept.get(*name) != folded.get(*name)).cloned().collect()
}
