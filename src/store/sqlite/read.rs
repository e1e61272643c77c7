//! Reading rows back, on the writer's connection and on the readers'.

use super::{StoreError, body, body::SharedPlans, failure};
use crate::{
    core::{
        Event, Incident, IncidentId, Page, Proof, Record, SourceName, StoredLine, Timestamp,
        event::{ANCHORS, genesis, link},
        proof::How,
        trigger::Observed,
    },
    store::{Head, Kept, Loaded},
};
use sqlx::{Row, Sqlite, SqliteConnection, sqlite::SqliteRow};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A window that nothing was counted in for so long is forgotten.
const WINDOW_KEPT: Duration = Duration::from_secs(31 * 24 * 3600);

/// What the writer keeps in memory besides incidents.
#[derive(Default)]
pub struct State {
    /// Keys of open incidents, sources, windows, the last number; no incidents.
    pub loaded: Loaded,
    /// Deadlines: of open incidents, and of those whose rooms are still to be put away.
    pub deadlines: Vec<(IncidentId, Option<Timestamp>)>,
    /// Where the chain of anchors ends.
    pub anchors: Option<Head>,
    /// Chains that grew since the last anchor.
    pub unanchored: BTreeMap<String, Head>,
}

/// Reads what the writer keeps in memory.
pub async fn state(conn: &mut SqliteConnection) -> Result<State, StoreError> {
    let mut state = State::default();
    const TIMED: &str =
        "SELECT id, key, deadline, open FROM incident WHERE open = 1 OR deadline IS NOT NULL ORDER BY id";
    for row in &rows(conn, TIMED).await? {
        let (id, deadline, open): (i64, Option<i64>, bool) = (column(row, 0)?, column(row, 2)?, column(row, 3)?);
        if open {
            state.loaded.keys.insert(column(row, 1)?, IncidentId(id));
        }
        state.deadlines.push((IncidentId(id), deadline.map(Timestamp::from_micros)));
    }
    for row in &rows(conn, "SELECT name, seq, hash FROM chain").await? {
        let (name, head): (String, Head) = (column(row, 0)?, head(row, 1)?);
        match name.strip_prefix("source:") {
            Some(source) => drop(state.loaded.sources.insert(SourceName::from(source), head)),
            None if name == ANCHORS => state.anchors = Some(head),
            None => {}
        }
    }
    for row in &rows(conn, "SELECT name, body FROM observed").await? {
        let (name, body): (String, &str) = (column(row, 0)?, column(row, 1)?);
        match serde_json::from_str::<Observed>(body) {
            Ok(window) => drop(state.loaded.observed.insert(name, window)),
            Err(error) => {
                tracing::error!(window = name, %error, "what a trigger counted is unreadable: it starts afresh")
            }
        }
    }
    state.unanchored = unanchored(conn).await?;
    state.loaded.last_id = scalar(conn, "SELECT coalesce(max(id), 0) FROM incident").await?;
    Ok(state)
}

/// Forgets windows that can not matter any more: empty ones, and those of which nothing was heard for a month.
pub async fn forget_windows(conn: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    let kept = i64::try_from(WINDOW_KEPT.as_micros()).unwrap_or(i64::MAX);
    let oldest = now.as_micros().saturating_sub(kept);
    let delete = "DELETE FROM observed WHERE at < ? OR json_array_length(body, '$.times') = 0";
    sqlx::query(delete).bind(oldest).execute(conn).await.map(drop).map_err(failure)
}

/// The time of the newest line.
pub async fn newest(conn: &mut SqliteConnection) -> Result<Option<Timestamp>, StoreError> {
    let newest: Option<i64> = scalar(conn, "SELECT (SELECT at FROM journal ORDER BY pos DESC LIMIT 1)").await?;
    Ok(newest.map(Timestamp::from_micros))
}

async fn unanchored(conn: &mut SqliteConnection) -> Result<BTreeMap<String, Head>, StoreError> {
    const SINCE: &str = "SELECT chain, max(seq), hash FROM journal WHERE chain <> 'anchors' AND pos >
        coalesce((SELECT pos FROM journal WHERE chain = 'anchors' ORDER BY seq DESC LIMIT 1), 0) GROUP BY chain";
    rows(conn, SINCE).await?.iter().map(|row| Ok((column(row, 0)?, head(row, 1)?))).collect()
}

/// An incident as it was read, or why it could not be.
pub type Found = (IncidentId, Result<Kept, StoreError>);

/// Reads incidents with their pages; what does not exist is absent. One whose rows can not be understood is folded
/// from its journal.
pub async fn incidents(
    conn: &mut SqliteConnection,
    ids: &[IncidentId],
    plans: &SharedPlans,
) -> Result<Vec<Found>, StoreError> {
    const HEADS: &str = "SELECT i.id, i.seq, i.hash, i.at, b.body, b.plan, p.body, i.alerts, i.joined, j.body
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
        let kept = match assemble(id, row, &pages, plans) {
            Err(trouble) => rebuild(conn, id, &pages, trouble).await,
            kept => kept,
        };
        found.push((id, kept));
    }
    Ok(found)
}

fn assemble(id: IncidentId, row: &SqliteRow, pages: &[SqliteRow], plans: &SharedPlans) -> Result<Kept, StoreError> {
    let bad = |error| corrupt(id.to_string(), error);
    let plan = plans.get(column(row, 5)?, column(row, 6)?).map_err(bad)?;
    let mut by_number = BTreeMap::new();
    for page in pages {
        let n: u32 = column(page, 1)?;
        let page = Page::read(column(page, 4)?);
        by_number.insert(n, Arc::new(page.map_err(|error| corrupt(format!("page {id}.{n}"), error))?));
    }
    let at = Timestamp::from_micros(column(row, 3)?);
    let mut incident = body::read(id, at, column(row, 4)?, plan, by_number).map_err(bad)?;
    let joined: Option<i64> = column(row, 8)?;
    if joined.is_some() {
        rejoin(&mut incident, row);
    }
    let joined = joined.and_then(|seq| u64::try_from(seq).ok());
    Ok(Kept { incident: Arc::new(incident), head: head(row, 1)?, claims: claims(pages), joined })
}

/// The newest alert joined after the body was written: it is in its journal line. Where that can not be read, the
/// ladder goes on with the alert of before.
fn rejoin(incident: &mut Incident, row: &SqliteRow) {
    let line = column::<&str>(row, 9).ok().and_then(|line| serde_json::from_str::<Record>(line).ok());
    match line.filter(|record| matches!(record.event, Event::Joined { .. })) {
        Some(Record { at, event, .. }) => incident.apply(&event, at),
        None => tracing::error!(incident.id = %incident.id, "the newest alert of an incident can not be read"),
    }
    incident.alerts = unsigned(row, 7).unwrap_or(incident.alerts);
}

fn claims(pages: &[SqliteRow]) -> BTreeMap<u32, u64> {
    let claim = |page: &SqliteRow| {
        let (n, owed, epoch): (u32, bool, Option<i64>) =
            (column(page, 1).ok()?, column(page, 2).ok()?, column(page, 3).ok()?);
        owed.then_some((n, u64::try_from(epoch?).ok()?))
    };
    pages.iter().filter_map(claim).collect()
}

/// The same incident from its journal, which must link from its first line to its last.
async fn rebuild(
    conn: &mut SqliteConnection,
    id: IncidentId,
    pages: &[SqliteRow],
    trouble: StoreError,
) -> Result<Kept, StoreError> {
    let chain = id.to_string();
    let (mut events, mut end) = (Vec::new(), Head { seq: 0, hash: genesis(&chain) });
    for line in lines(conn, Some(&chain), 0, i64::MAX).await? {
        let record = serde_json::from_str::<Record>(&line.body);
        let hash = link(&end.hash, line.body.as_bytes());
        let Some(record) = record.ok().filter(|_| line.seq == end.seq + 1 && line.hash == hash) else {
            return Err(trouble);
        };
        end = Head { seq: line.seq, hash };
        events.push(record);
    }
    let joined = events.iter().rfind(|record| matches!(record.event, Event::Joined { .. })).map(|record| record.seq);
    let events = events.iter().map(|record| (record.at, &record.event));
    let Some(incident) = Incident::fold(id, events) else { return Err(trouble) };
    // What a later all-clear or silence says of the monitor was written with the body.
    let joined = joined.filter(|_| incident.all_clear_at.is_none() && incident.silent_since.is_none());
    tracing::error!(incident.id = %id, %trouble, "an incident was rebuilt from its journal");
    let mut claims = claims(pages);
    claims.retain(|n, _| incident.pages.get(n).is_some_and(|page| page.is_owed()));
    Ok(Kept { incident: Arc::new(incident), head: end, claims, joined })
}

/// Journal lines after `after`, in the order of their commit, of one chain or of all.
pub async fn lines(
    conn: &mut SqliteConnection,
    chain: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredLine>, StoreError> {
    const ALL: &str = "SELECT pos, chain, seq, hash, body FROM journal WHERE pos > ? ORDER BY pos LIMIT ?";
    const ONE: &str =
        "SELECT pos, chain, seq, hash, body FROM journal WHERE chain = ? AND pos > ? ORDER BY seq LIMIT ?";
    let query = match chain {
        Some(chain) => sqlx::query(ONE).bind(chain.to_owned()),
        None => sqlx::query(ALL),
    };
    let rows = query.bind(after).bind(limit).fetch_all(conn).await.map_err(failure)?;
    rows.iter().map(line).collect()
}

/// When each person was last proven to be reached by each channel.
pub async fn proofs(conn: &mut SqliteConnection) -> Result<Vec<Proof>, StoreError> {
    const PROOFS: &str = "SELECT person, channel, at, how, drill, incident FROM contact_proof ORDER BY person, channel";
    rows(conn, PROOFS).await?.iter().map(proof).collect()
}

fn proof(row: &SqliteRow) -> Result<Proof, StoreError> {
    let (person, channel, how): (&str, &str, &str) = (column(row, 0)?, column(row, 1)?, column(row, 3)?);
    let unknown = || StoreError::Corrupt { what: format!("the contact of {person} by {channel}"), why: how.to_owned() };
    Ok(Proof {
        person: person.into(),
        channel: channel.into(),
        at: Timestamp::from_micros(column(row, 2)?),
        how: How::parse(how).ok_or_else(unknown)?,
        drill: column(row, 4)?,
        incident: IncidentId(column(row, 5)?),
    })
}

fn line(row: &SqliteRow) -> Result<StoredLine, StoreError> {
    // A body or a hash of another length or kind was altered: it is handed on, so that a check can name it.
    let body = column::<String>(row, 4).or_else(|_| lossy(row, 4))?;
    let hash = column::<&[u8]>(row, 3).ok().and_then(|hash| hash.try_into().ok()).unwrap_or_default();
    Ok(StoredLine { pos: column(row, 0)?, chain: column(row, 1)?, seq: unsigned(row, 2)?, body, hash })
}

fn lossy(row: &SqliteRow, i: usize) -> Result<String, StoreError> {
    let bytes: &[u8] = row.try_get_unchecked(i).map_err(|error| unreadable(i, &error))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

fn head(row: &SqliteRow, i: usize) -> Result<Head, StoreError> {
    let hash: &[u8] = column(row, i + 1)?;
    let hash = hash.try_into().map_err(|_| StoreError::Corrupt {
        what: "the head of a chain".into(),
        why: format!("its hash has {} bytes", hash.len()),
    })?;
    Ok(Head { seq: unsigned(row, i)?, hash })
}

async fn rows(conn: &mut SqliteConnection, sql: &'static str) -> Result<Vec<SqliteRow>, StoreError> {
    sqlx::query(sql).fetch_all(conn).await.map_err(failure)
}

/// The one value of a query.
pub async fn scalar<T>(conn: &mut SqliteConnection, sql: &'static str) -> Result<T, StoreError>
where
    T: for<'r> sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> + Send + Unpin,
{
    sqlx::query_scalar(sql).fetch_one(conn).await.map_err(failure)
}

/// One column, of the kind that it should be.
pub fn column<'r, T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(
    row: &'r SqliteRow,
    i: usize,
) -> Result<T, StoreError> {
    row.try_get(i).map_err(|error| unreadable(i, &error))
}

fn unsigned(row: &SqliteRow, i: usize) -> Result<u64, StoreError> {
    Ok(u64::try_from(column::<i64>(row, i)?).unwrap_or(0))
}

fn unreadable(i: usize, error: &sqlx::Error) -> StoreError {
    StoreError::Corrupt { what: format!("column {i} of a row"), why: error.to_string() }
}

fn corrupt(what: String, error: serde_json::Error) -> StoreError {
    StoreError::Corrupt { what, why: error.to_string() }
}
