//! One incident: folded from its chain, and compared with its rows.

use super::Audit;
use crate::{
    core::{
        AlertRepeats, ChannelName, Event, Incident, IncidentId, IncidentStatus, JournalRecord, Page, PersonName,
        Timestamp, record::RecordPlace, repeats::JOINED_WHOLE,
    },
    store::{
        ChainHead, StoreError,
        body::SharedPlans,
        sqlite::{
            column::{column, shown, unsigned},
            failure::failure,
            read,
        },
    },
};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;

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
        self.head(id, &folded, head).await?;
        self.state(id, &folded).await?;
        self.page_rows(id, &folded).await?;
        self.asked(id, &folded).await?;
        self.proven(id, &records).await?;
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
                    let AlertRepeats { count, first_at, last_at } = kept.repeats;
                    // A line tells of them before the incident is over.
                    let can_be = folded.is_open() && JOINED_WHOLE <= folded.alerts && 0 < count;
                    if !can_be || first_at < told_at || last_at < first_at {
                        self.fault(
                            RecordPlace::Incident,
                            id,
                            "its journal leaves no room for the repeats that are counted",
                        );
                    }
                    folded.with_repeats(Some(kept.repeats), &kept.alert)
                }
                None => folded,
            },
            Err(error) => {
                self.fault(RecordPlace::Incident, id, error.to_string());
                folded
            }
        })
    }

    /// The row with an incident's head.
    async fn head(&mut self, id: IncidentId, folded: &Incident, head: Option<ChainHead>) -> Result<(), StoreError> {
        const HEAD: &str = "SELECT key, open, deadline, seq, hash, at, alerts, nonce FROM incident WHERE id = ?";
        let row = sqlx::query(HEAD).bind(id.0).fetch_optional(&mut *self.conn).await.map_err(failure)?;
        let Some(row) = row else {
            self.fault(RecordPlace::Incident, id, "it has a journal and is in no table: it was deleted");
            return Ok(());
        };
        let hash = head.map(|head| head.hash.to_vec());
        let is_end = head.is_some_and(|head| unsigned(&row, 3).is_ok_and(|seq| seq == head.seq));
        if !is_end || column::<Vec<u8>>(&row, 4).ok() != hash {
            self.fault(RecordPlace::Head, id, "it is not the last line of its chain");
        }
        let nonce = folded.nonce.map(|nonce| nonce.to_string());
        let kept = crate::store::sqlite::column::nonce(&row, 7).ok().flatten().map(|nonce| nonce.to_string());
        // The deadline of what is over is an archive's, whose rule may be a newer version's.
        let deadline = folded.deadline().map(Timestamp::as_micros).filter(|_| folded.is_open());
        let kept_deadline = column::<Option<i64>>(&row, 2).unwrap_or(Some(-1)).filter(|_| folded.is_open());
        let alerts = column::<Option<i64>>(&row, 6).unwrap_or(Some(-1));
        let same_alerts = alerts.is_none_or(|alerts| u64::try_from(alerts).ok() == Some(folded.alerts));
        let checks = [
            ("key", shown(&row, 0) == folded.key.as_str()),
            ("open", column::<i64>(&row, 1).is_ok_and(|open| (open != 0) == folded.is_open())),
            ("deadline", kept_deadline == deadline),
            ("last time", column::<i64>(&row, 5).is_ok_and(|at| at == folded.last_at.as_micros())),
            ("number of alerts", same_alerts),
            ("nonce", kept == nonce),
        ];
        self.named_faults(RecordPlace::Incident, id, &checks);
        Ok(())
    }

    fn named_faults(&mut self, place: RecordPlace, row: impl ToString, checks: &[(&str, bool)]) {
        let wrong: Vec<&str> = checks.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
        if !wrong.is_empty() {
            self.fault(place, row, format!("not what its journal says: {}", wrong.join(", ")));
        }
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

    /// The columns beside each page, by which it is found and sent.
    async fn page_rows(&mut self, id: IncidentId, folded: &Incident) -> Result<(), StoreError> {
        const PAGES: &str = "SELECT n, owed, state, asks, channel, receipt FROM page WHERE incident = ?";
        let rows = sqlx::query(PAGES).bind(id.0).fetch_all(&mut *self.conn).await.map_err(failure)?;
        for row in &rows {
            let Some(page) = column::<u32>(row, 0).ok().and_then(|n| folded.pages.get(&n)) else { continue };
            self.named_faults(RecordPlace::Page, format!("{id}.{}", page.n), &page_checks(row, page));
        }
        Ok(())
    }

    async fn asked(&mut self, id: IncidentId, folded: &Incident) -> Result<(), StoreError> {
        const ASKED: &str = "SELECT person, waits, ended FROM asked WHERE incident = ?";
        let rows = sqlx::query(ASKED).bind(id.0).fetch_all(&mut *self.conn).await.map_err(failure)?;
        let mut kept: BTreeMap<String, &SqliteRow> = rows.iter().map(|row| (shown(row, 0), row)).collect();
        let is_open = matches!(folded.status, IncidentStatus::Open);
        for person in folded.asked() {
            let row = format!("{person} in {id}");
            let Some(found) = kept.remove(person.as_str()) else {
                self.fault(RecordPlace::Asked, row, "it was deleted");
                continue;
            };
            let waits = column::<i64>(found, 1).ok();
            // Of what ended before there was this table, neither is exact.
            let checks = [
                ("end", column::<Option<i64>>(found, 2).is_ok_and(|ended| ended.is_none() == is_open)),
                ("waits", !is_open || waits == Some(i64::from(folded.waits_for(person)))),
            ];
            self.named_faults(RecordPlace::Asked, row, &checks);
        }
        for person in kept.into_keys() {
            self.fault(RecordPlace::Asked, format!("{person} in {id}"), "its journal asks this person for nothing");
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

fn fold(id: IncidentId, records: &[JournalRecord]) -> Option<Incident> {
    Incident::fold(id, records.iter().map(|record| (record.at, &record.event)))
}

fn page_checks(row: &SqliteRow, page: &Page) -> [(&'static str, bool); 5] {
    let text = |i| column::<Option<String>>(row, i).ok();
    [
        ("owed", column::<i64>(row, 1).is_ok_and(|owed| (owed != 0) == page.is_owed())),
        ("state", shown(row, 2) == page.state.as_str()),
        ("who is asked", text(3) == Some(page.asks().map(ToString::to_string))),
        ("channel", text(4) == Some(Some(page.channel.to_string()))),
        ("provider's id", text(5) == Some(page.receipt.as_ref().map(|kept| kept.id.clone()))),
    ]
}

/// The fields in which two states of an incident differ, pages aside.
fn differences(kept: &Incident, folded: &Incident) -> Vec<String> {
    let bare = |incident: &Incident| {
        // What an earlier version opened does not tell its alerts apart.
        let known = incident.known.clone().filter(|_| kept.known.is_some());
        value(&Incident { pages: Default::default(), known, ..incident.clone() })
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
