//! Reads rows, on the writer's connection and on the readers'.

use super::{
    column::{column, head, nonce, rows, shown, unsigned},
    failure::failure,
};
use crate::{
    core::{
        ContactProof, Event, Incident, IncidentId, IncidentIdentity, IncidentPages, JournalRecord, Page, PageId,
        ResultCount, ShownText, SourceName, StoredLine, Timestamp,
        event::{genesis, link},
        judgement::{JudgementState, PendingAlert},
        proof::ProofKind,
    },
    store::{
        ChainHead, PageClaims, RowKind, RowName as Name, StoreError, StoredIncident,
        body::{self, SharedPlans, StoredRepeats},
    },
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::{collections::BTreeMap, sync::Arc};

/// An incident as it was read, or why it could not be.
pub type ReadIncident = (IncidentId, Result<StoredIncident, StoreError>);

/// Reads incidents with their pages; missing ones are left out. An incident whose rows can not be read is folded from
/// its journal. If the file itself is damaged under one of them, the others are still read.
pub async fn incidents(
    conn: &mut SqliteConnection,
    ids: &[IncidentId],
    plans: &SharedPlans,
) -> Result<Vec<ReadIncident>, StoreError> {
    match together(conn, ids, plans).await {
        Err(StoreError::Corrupt { .. }) => {}
        read => return read,
    }
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        match together(conn, &[*id], plans).await {
            Ok(one) => found.extend(one),
            Err(error @ StoreError::Corrupt { .. }) => found.push((*id, rebuild(conn, *id, &[], error).await)),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn together(
    conn: &mut SqliteConnection,
    ids: &[IncidentId],
    plans: &SharedPlans,
) -> Result<Vec<ReadIncident>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for (id, kept, pages) in as_stored(conn, ids, plans).await? {
        let kept = match kept {
            Err(error) => rebuild(conn, id, &pages, error).await,
            kept => kept,
        };
        found.push((id, kept));
    }
    Ok(found)
}

/// One incident as its rows say, nothing of it mended by its journal.
///
/// # Errors
/// [`StoreError::Corrupt`] if a row of it can not be read.
pub async fn unmended(
    conn: &mut SqliteConnection,
    id: IncidentId,
    plans: &SharedPlans,
) -> Result<Option<StoredIncident>, StoreError> {
    as_stored(conn, &[id], plans).await?.pop().map(|(_, kept, _)| kept).transpose()
}

/// An incident from its rows, and the rows of its pages.
type RowsOfIncident = (IncidentId, Result<StoredIncident, StoreError>, Vec<SqliteRow>);

async fn as_stored(
    conn: &mut SqliteConnection,
    ids: &[IncidentId],
    plans: &SharedPlans,
) -> Result<Vec<RowsOfIncident>, StoreError> {
    const HEADS: &str = "SELECT i.id, i.seq, i.hash, i.at, b.body, b.plan, p.body, i.alerts, i.joined, j.body,
            (SELECT max(l.seq) FROM journal l WHERE l.chain = 'INC-' || i.id), i.nonce, i.repeats
        FROM json_each(?) wanted JOIN incident i ON i.id = wanted.value
        LEFT JOIN body b ON b.incident = i.id LEFT JOIN plan p ON p.hash = b.plan
        LEFT JOIN journal j ON j.chain = 'INC-' || i.id AND j.seq = i.joined";
    const PAGES: &str =
        "SELECT incident, n, owed, epoch, body FROM page WHERE incident IN (SELECT value FROM json_each(?))";
    let wanted: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let wanted = serde_json::to_string(&wanted).map_err(|error| corrupt("a list of numbers".into(), error))?;
    let heads = sqlx::query(HEADS).bind(wanted.clone()).fetch_all(&mut *conn).await.map_err(failure)?;
    let mut pages: BTreeMap<i64, Vec<SqliteRow>> = BTreeMap::new();
    for row in sqlx::query(PAGES).bind(wanted).fetch_all(&mut *conn).await.map_err(failure)? {
        pages.entry(column(&row, 0)?).or_default().push(row);
    }
    let mut found = Vec::with_capacity(heads.len());
    for row in &heads {
        let id = IncidentId(column(row, 0)?);
        let pages = pages.remove(&id.0).unwrap_or_default();
        found.push((id, assemble(id, row, &pages, plans), pages));
    }
    Ok(found)
}

fn assemble(
    id: IncidentId,
    row: &SqliteRow,
    pages: &[SqliteRow],
    plans: &SharedPlans,
) -> Result<StoredIncident, StoreError> {
    let bad = |error| corrupt(id.to_string(), error);
    let plan = plans.get(column(row, 5)?, column(row, 6)?).map_err(bad)?;
    let mut by_number = IncidentPages::default();
    for page in pages {
        let n: u32 = column(page, 1)?;
        let page = Page::read(column(page, 4)?).and_then(|page| numbered(page, n));
        by_number.insert(Arc::new(page.map_err(|error| corrupt(format!("page {id}.{n}"), error))?));
    }
    let at = Timestamp::from_micros(column(row, 3)?);
    let identity = IncidentIdentity { id, nonce: nonce(row, 11)? };
    let mut incident = body::read(identity, at, column(row, 4)?, plan, by_number).map_err(bad)?;
    let head = head(row, 1)?;
    // The next line's place would be taken, so no commit could succeed.
    let last: Option<i64> = column(row, 10)?;
    if last.is_some_and(|last| i64::try_from(head.seq).unwrap_or(i64::MAX) < last) {
        return Err(StoreError::Corrupt {
            what: id.to_string(),
            why: format!("its journal goes on after line {}, where it should end", head.seq),
        });
    }
    let joined: Option<i64> = column(row, 8)?;
    if joined.is_some() {
        rejoin(&mut incident, row);
    }
    count_repeats(&mut incident, row);
    let joined = joined.and_then(|seq| u64::try_from(seq).ok());
    Ok(StoredIncident { incident: Arc::new(incident), head, claims: claims(pages), joined })
}

/// A page whose text has another number than its row would take that page's place.
fn numbered(page: Page, n: u32) -> serde_json::Result<Page> {
    if page.n == n {
        return Ok(page);
    }
    Err(serde::de::Error::custom(format!("it says that it is page {}", page.n)))
}

/// The newest alert may have joined after the body was written: it is in its journal line. If that can not be read, the
/// ladder goes on with the earlier alert.
fn rejoin(incident: &mut Incident, row: &SqliteRow) {
    let line = column::<&str>(row, 9).ok().and_then(|line| serde_json::from_str::<JournalRecord>(line).ok());
    match line.filter(|record| matches!(record.event, Event::Joined { .. })) {
        Some(JournalRecord { at, event, .. }) => incident.apply(&event, at),
        None => tracing::error!(incident.id = %incident.id, "the newest alert of an incident can not be read"),
    }
    incident.alerts = unsigned(row, 7).unwrap_or(incident.alerts);
}

/// Repeats that were counted since the body was written. If they can not be read, the ladder goes on without them.
fn count_repeats(incident: &mut Incident, row: &SqliteRow) {
    match repeats(row, 12) {
        Ok(None) => {}
        Ok(Some(kept)) => {
            incident.alerts = unsigned(row, 7).unwrap_or(incident.alerts);
            incident.keep_repeats(kept.repeats, kept.alert);
        }
        Err(error) => tracing::error!(incident.id = %incident.id, %error, "the repeats of an alert can not be read"),
    }
}

/// The counted repeats in this column.
///
/// # Errors
/// [`StoreError::Corrupt`] if they can not be read.
pub fn repeats(row: &SqliteRow, at: usize) -> Result<Option<StoredRepeats>, StoreError> {
    let text = column::<Option<&str>>(row, at)?;
    text.map(serde_json::from_str).transpose().map_err(|error| corrupt("the number of repeats".into(), error))
}

fn claims(pages: &[SqliteRow]) -> PageClaims {
    let claim = |page: &SqliteRow| {
        let (n, owed, epoch): (u32, bool, Option<i64>) =
            (column(page, 1).ok()?, column(page, 2).ok()?, column(page, 3).ok()?);
        owed.then_some((n, u64::try_from(epoch?).ok()?))
    };
    pages.iter().filter_map(claim).collect()
}

/// The incident from its journal, whose lines must link from first to last.
async fn rebuild(
    conn: &mut SqliteConnection,
    id: IncidentId,
    pages: &[SqliteRow],
    error: StoreError,
) -> Result<StoredIncident, StoreError> {
    let chain = id.to_string();
    let (mut events, mut end) = (Vec::new(), ChainHead { seq: 0, hash: genesis(&chain) });
    for line in lines(conn, Some(&chain), 0, i64::MAX).await? {
        let record = serde_json::from_str::<JournalRecord>(&line.body);
        let hash = link(&end.hash, line.body.as_bytes());
        let Some(record) = record.ok().filter(|_| line.seq == end.seq + 1 && line.hash == hash) else {
            return Err(error);
        };
        end = ChainHead { seq: line.seq, hash };
        events.push(record);
    }
    let is_alert = |event: &Event| matches!(event, Event::Joined { .. } | Event::Repeated { .. });
    let last = events.iter().rfind(|record| is_alert(&record.event));
    let joined = last.filter(|record| matches!(record.event, Event::Joined { .. })).map(|record| record.seq);
    let events = events.iter().map(|record| (record.at, &record.event));
    let Some(incident) = Incident::fold(id, events) else { return Err(error) };
    // A later all-clear or silence of the monitor was written with the body.
    let joined = joined.filter(|_| incident.all_clear_at.is_none() && incident.silent_since.is_none());
    tracing::error!(incident.id = %id, %error, "an incident was rebuilt from its journal");
    let owed = |n: &u32| incident.pages.get(n).is_some_and(|page| page.is_owed());
    let claims = claims(pages).iter().filter(|(n, _)| owed(n)).map(|(n, epoch)| (*n, *epoch)).collect();
    Ok(StoredIncident { incident: Arc::new(incident), head: end, claims, joined })
}

/// Journal lines after `after`, in the order of their commit, of one chain or of all.
pub async fn lines(
    conn: &mut SqliteConnection,
    chain: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredLine>, StoreError> {
    const ALL: &str = "SELECT pos, chain, seq, hash, body FROM journal WHERE pos > ? ORDER BY pos LIMIT ?";
    // Continues from the previous line's position: a long chain is not scanned again for each portion.
    const ONE: &str = "SELECT pos, chain, seq, hash, body FROM journal
        WHERE chain = ?1 AND pos > ?2 AND seq > coalesce((SELECT seq FROM journal WHERE pos = ?2 AND chain = ?1), 0)
        ORDER BY seq LIMIT ?3";
    let query = match chain {
        Some(chain) => sqlx::query(ONE).bind(chain.to_owned()),
        None => sqlx::query(ALL),
    };
    let rows = query.bind(after).bind(limit).fetch_all(conn).await.map_err(failure)?;
    rows.iter().map(line).collect()
}

/// Texts after this row, each with its row. One that was altered is passed on, so that a check can report it.
pub async fn texts(conn: &mut SqliteConnection, after: i64, limit: i64) -> Result<Vec<(i64, ShownText)>, StoreError> {
    const TEXTS: &str = "SELECT rowid, hash, body FROM text WHERE rowid > ? ORDER BY rowid LIMIT ?";
    let rows = sqlx::query(TEXTS).bind(after).bind(limit).fetch_all(conn).await.map_err(failure)?;
    rows.iter().map(|row| Ok((column(row, 0)?, ShownText { hash: shown(row, 1), body: shown(row, 2) }))).collect()
}

/// Pages that this epoch owes, after `after`.
pub async fn owed(
    conn: &mut SqliteConnection,
    epoch: u64,
    after: Option<PageId>,
    limit: i64,
) -> Result<Vec<PageId>, StoreError> {
    const OWED: &str = "SELECT incident, n FROM page WHERE owed = 1 AND epoch = ?1 AND (incident, n) > (?2, ?3)
        ORDER BY incident, n LIMIT ?4";
    let (incident, n) = after.map_or((-1, 0), |page| (page.incident.0, page.n));
    let query = sqlx::query(OWED).bind(i64::try_from(epoch).unwrap_or(i64::MAX)).bind(incident).bind(n).bind(limit);
    let rows = query.fetch_all(conn).await.map_err(failure)?;
    rows.iter().map(|row| Ok(PageId { incident: IncidentId(column(row, 0)?), n: column(row, 1)? })).collect()
}

/// What is counted of alerts that opened nothing, by source. A count that can not be read begins anew.
pub async fn counts(conn: &mut SqliteConnection) -> Result<Vec<(SourceName, ResultCount)>, StoreError> {
    let mut counts = Vec::new();
    for row in &rows(conn, "SELECT source, body FROM tally").await? {
        let (source, body): (String, String) = (shown(row, 0), shown(row, 1));
        match serde_json::from_str(&body) {
            Ok(count) => counts.push((SourceName::from(source), count)),
            Err(error) => tracing::error!(source, %error, "a count of alerts can not be read; it begins anew"),
        }
    }
    Ok(counts)
}

/// What waits in the states of triggers and keys with these names. One that can not be read is found when the store is
/// opened, and is left out here.
pub async fn pending(conn: &mut SqliteConnection, names: &[String]) -> Result<Vec<(String, PendingAlert)>, StoreError> {
    const STATES: &str = "SELECT name, body FROM judgement WHERE name IN (SELECT value FROM json_each(?))";
    let asked = serde_json::to_string(names).unwrap_or_default();
    let states = sqlx::query(STATES).bind(asked).fetch_all(conn).await.map_err(failure)?;
    let pending = states.iter().filter_map(|row| {
        let state: JudgementState = serde_json::from_str(&shown(row, 1)).ok()?;
        Some((shown(row, 0), state.pending()?.clone()))
    });
    Ok(pending.collect())
}

/// Rows that were read, and those that could not be, each with the reason.
pub type SortedRows<T> = (Vec<T>, Vec<(Name, String)>);

/// When each channel was last proven to reach each person.
pub async fn proofs(conn: &mut SqliteConnection) -> Result<SortedRows<ContactProof>, StoreError> {
    const PROOFS: &str = "SELECT person, channel, at, how, drill, incident FROM contact_proof ORDER BY person, channel";
    let (mut proofs, mut unreadable) = (Vec::new(), Vec::new());
    for row in &rows(conn, PROOFS).await? {
        match proof(row) {
            Ok(proof) => proofs.push(proof),
            Err(error) => {
                let name = format!("{}/{}", shown(row, 0), shown(row, 1));
                unreadable.push((Name::Other(RowKind::Proof, name), error.to_string()));
            }
        }
    }
    Ok((proofs, unreadable))
}

fn proof(row: &SqliteRow) -> Result<ContactProof, StoreError> {
    let (person, channel, how): (&str, &str, &str) = (column(row, 0)?, column(row, 1)?, column(row, 3)?);
    let unknown = || StoreError::Corrupt { what: format!("the contact of {person} by {channel}"), why: how.to_owned() };
    Ok(ContactProof {
        person: person.into(),
        channel: channel.into(),
        at: Timestamp::from_micros(column(row, 2)?),
        how: ProofKind::parse(how).ok_or_else(unknown)?,
        drill: column(row, 4)?,
        incident: IncidentId(column(row, 5)?),
    })
}

fn line(row: &SqliteRow) -> Result<StoredLine, StoreError> {
    // A value of the wrong length or type was altered: it is passed on, so that a check can report it.
    let text = |i| column::<String>(row, i).unwrap_or_else(|_| shown(row, i));
    let hash = column::<&[u8]>(row, 3).ok().and_then(|hash| hash.try_into().ok()).unwrap_or_default();
    let seq = unsigned(row, 2).unwrap_or_default();
    Ok(StoredLine { pos: column(row, 0)?, chain: text(1), seq, body: text(4), hash })
}

fn corrupt(what: String, error: serde_json::Error) -> StoreError {
    StoreError::Corrupt { what, why: error.to_string() }
}
