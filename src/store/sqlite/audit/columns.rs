//! The columns beside an incident's state, by which it, its pages and its people are found. Each follows from the state:
//! they are written from it, and are compared with it here, by a check of the record and at each start.

use super::{AskedRow, Audit};
use crate::{
    core::{Incident, IncidentId, IncidentStatus, Page, PersonName, Timestamp, record::RecordPlace},
    store::{
        StoreError,
        sqlite::{
            column::{self, column, shown},
            failure::failure,
        },
    },
};
use sqlx::sqlite::SqliteRow;
use std::collections::{BTreeMap, BTreeSet};

impl Audit<'_> {
    /// Compares the columns of an incident, of its pages and of who was asked with its state. `times` has when anything
    /// happened in it.
    pub(super) async fn columns(
        &mut self,
        id: IncidentId,
        incident: &Incident,
        times: &BTreeSet<i64>,
    ) -> Result<(), StoreError> {
        self.head(id, incident).await?;
        self.page_rows(id, incident).await?;
        self.asked(id, incident, times);
        Ok(())
    }

    /// The row with an incident's head.
    async fn head(&mut self, id: IncidentId, incident: &Incident) -> Result<(), StoreError> {
        const HEAD: &str = "SELECT key, open, deadline, at, alerts, nonce FROM incident WHERE id = ?";
        let row = sqlx::query(HEAD).bind(id.0).fetch_optional(&mut *self.conn).await.map_err(failure)?;
        if let Some(row) = row {
            self.named_faults(RecordPlace::Incident, id, &head_checks(&row, incident));
        }
        Ok(())
    }

    async fn page_rows(&mut self, id: IncidentId, incident: &Incident) -> Result<(), StoreError> {
        const PAGES: &str = "SELECT n, owed, state, asks, channel, receipt, epoch,
            (SELECT value FROM meta WHERE name = 'epoch' AND typeof(value) = 'integer') FROM page WHERE incident = ?";
        let rows = sqlx::query(PAGES).bind(id.0).fetch_all(&mut *self.conn).await.map_err(failure)?;
        for row in &rows {
            let Some(page) = column::<u32>(row, 0).ok().and_then(|n| incident.pages.get(&n)) else { continue };
            self.named_faults(RecordPlace::Page, format!("{id}.{}", page.n), &page_checks(row, page));
        }
        Ok(())
    }

    fn asked(&mut self, id: IncidentId, incident: &Incident, times: &BTreeSet<i64>) {
        let rows = self.asked.remove(&id).unwrap_or_default();
        let mut kept: BTreeMap<&str, &AskedRow> = rows.iter().map(|row| (&*row.person, row)).collect();
        for person in incident.asked() {
            let row = format!("{person} in {id}");
            match kept.remove(person.as_str()) {
                Some(found) => {
                    self.named_faults(RecordPlace::Asked, row, &asked_checks(found, person, incident, times));
                }
                None => self.fault(RecordPlace::Asked, row, "it was deleted"),
            }
        }
        for person in kept.into_keys() {
            self.fault(RecordPlace::Asked, format!("{person} in {id}"), "its journal asks this person for nothing");
        }
    }

    pub(super) fn named_faults(&mut self, place: RecordPlace, row: impl ToString, checks: &[(&str, bool)]) {
        let wrong: Vec<&str> = checks.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
        if !wrong.is_empty() {
            self.fault(place, row, format!("not what its journal says: {}", wrong.join(", ")));
        }
    }
}

fn head_checks(row: &SqliteRow, incident: &Incident) -> [(&'static str, bool); 6] {
    let nonce = incident.nonce.map(|nonce| nonce.to_string());
    let kept_nonce = column::nonce(row, 5).ok().flatten().map(|nonce| nonce.to_string());
    // The deadline of what is over is an archive's, whose rule may be a newer version's.
    let deadline = incident.deadline().map(Timestamp::as_micros).filter(|_| incident.is_open());
    let kept_deadline = column::<Option<i64>>(row, 2).unwrap_or(Some(-1)).filter(|_| incident.is_open());
    let alerts = column::<Option<i64>>(row, 4).unwrap_or(Some(-1));
    [
        ("key", shown(row, 0) == incident.key.as_str()),
        ("open", is_flag(row, 1, incident.is_open())),
        ("deadline", kept_deadline == deadline),
        ("last time", column::<i64>(row, 3).is_ok_and(|at| at == incident.last_at.as_micros())),
        ("number of alerts", alerts.is_none_or(|alerts| u64::try_from(alerts).ok() == Some(incident.alerts))),
        ("nonce", kept_nonce == nonce),
    ]
}

fn page_checks(row: &SqliteRow, page: &Page) -> [(&'static str, bool); 6] {
    let text = |i| column::<Option<String>>(row, i).ok();
    let newest = column::<Option<i64>>(row, 7).ok().flatten().unwrap_or(i64::MAX);
    // The journal does not say which node has claimed a page: it is one that there was.
    let claim = match column::<Option<i64>>(row, 6) {
        Ok(Some(epoch)) => (1..=newest).contains(&epoch),
        Ok(None) => !page.is_owed(),
        Err(_) => false,
    };
    [
        ("owed", is_flag(row, 1, page.is_owed())),
        ("state", shown(row, 2) == page.state.as_str()),
        ("who is asked", text(3) == Some(page.asks().map(ToString::to_string))),
        ("channel", text(4) == Some(Some(page.channel.to_string()))),
        ("provider's id", text(5) == Some(page.receipt.as_ref().map(|kept| kept.id.clone()))),
        ("claim", claim),
    ]
}

fn asked_checks(
    row: &AskedRow,
    person: &PersonName,
    incident: &Incident,
    times: &BTreeSet<i64>,
) -> [(&'static str, bool); 2] {
    let end = match (&incident.status, row.ended) {
        (IncidentStatus::Open, ended) => ended == Some(None),
        // Of what ended before there was this table it is the time of a later event.
        (IncidentStatus::Resolved { at, .. }, Some(Some(ended))) => {
            ended == at.as_micros() || at.as_micros() < ended && times.contains(&ended)
        }
        (IncidentStatus::Resolved { .. }, _) => false,
    };
    [("end", end), ("waits", row.waits == Some(i64::from(incident.waits_for(person))))]
}

/// A flag is 0 or 1: indexes are made over those that are 1.
fn is_flag(row: &SqliteRow, at: usize, is_set: bool) -> bool {
    column::<i64>(row, at).is_ok_and(|flag| flag == i64::from(is_set))
}
