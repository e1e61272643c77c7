//! Reports over many incidents, made from the journal: `/v1/report/tte`, `/v1/report/triggers`.

use crate::{
    core::{RoleName, Timestamp, Zone, Zones},
    http::{
        caller::UnixCaller,
        credential::may_read,
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::{SourceScope, zone_named},
    report::{
        TteGrouping, TteQuestion, TteReport, TteTally, gather,
        handoffs::{HandoffGrouping, HandoffTally, HandoffsReport},
        triggers::{TriggerTally, TriggersReport},
    },
};
use axum::{
    Extension, Json,
    extract::{Query, State},
    handler::Handler,
    http::{HeaderMap, StatusCode},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};

/// One report at a time: it reads much data, and pages must not wait for it.
static UNDER_WAY: Semaphore = Semaphore::const_new(1);

/// When to ask again while another report is being made.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The query of the report on time to engagement.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct TteQuery {
    /// Only incidents opened at this time or later: a duration before now (`30d`) or a time (RFC 3339).
    #[serde(default)]
    #[schemars(schema_with = "since_schema")]
    since: Option<String>,
    /// Only this role.
    role: Option<String>,
    /// The grouping.
    #[schemars(with = "Option<TteGrouping>")]
    by: Option<String>,
    /// Drills instead of live incidents.
    #[serde(default)]
    drills: bool,
    /// Whether duplicates count too.
    #[serde(default)]
    duplicates: bool,
    /// Whether incidents count that had pages in the sandbox, which were sent to nobody.
    #[serde(default)]
    sandbox: bool,
    /// The time zone of the hours, as in the IANA database (`Europe/Zurich`); by default UTC.
    #[schemars(extend("format" = "time-zone"))]
    zone: Option<String>,
    /// Whether to include the points of each curve, for pictures.
    #[serde(default)]
    curves: bool,
}

impl TteQuery {
    fn parsed(self, now: Timestamp, zones: &Zones) -> Result<TteQuestion, ProblemDetails> {
        Ok(TteQuestion {
            since: self.since.map(|text| since(&text, now)).transpose()?,
            role: self.role.map(RoleName::from),
            by: self
                .by
                .map(|by| by.parse().map_err(|why: String| ProblemDetails::bad(why)))
                .transpose()?
                .unwrap_or_default(),
            drills: self.drills,
            duplicates: self.duplicates,
            sandbox: self.sandbox,
            zone: self.zone.map(|name| zone(&name, zones)).transpose()?,
            curves: self.curves,
        })
    }
}

/// Parses a duration before `now` (`30d`) or a time.
pub fn since(text: &str, now: Timestamp) -> Result<Timestamp, ProblemDetails> {
    if let Ok(span) = humantime::parse_duration(text) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        return Ok(Timestamp::from_micros(now.as_micros().saturating_sub(micros)));
    }
    let detail = format!("since={text:?} is neither a span like 30d nor a time like 2026-11-01T00:00:00Z");
    Timestamp::parse(text).ok_or_else(|| ProblemDetails::bad(detail))
}

fn zone(name: &str, zones: &Zones) -> Result<Zone, ProblemDetails> {
    zone_named(name, zones).map_err(|unknown| ProblemDetails::bad(format!("{unknown}: {}", unknown.help)))
}

/// What [`since`] reads.
fn since_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "string", "pattern": "^(0|[0-9]{1,4}(s|m|h|d|w))$" },
            { "type": "string", "format": "date-time" },
        ],
    })
}

/// `GET /v1/report/tte` in the API's document.
pub fn tte_operation() -> Operation {
    report("getTteReport", tte)
        .about("Time to engagement", "How long it took until roles had somebody, from the journal.")
        .query::<TteQuery>()
        .answer::<TteReport>(StatusCode::OK, "The report.")
}

/// `GET /v1/report/triggers` in the API's document.
pub fn triggers_operation() -> Operation {
    report("getTriggersReport", triggers)
        .about("How often triggers are right", "From what people said about their incidents.")
        .query::<SinceQuery>()
        .answer::<TriggersReport>(StatusCode::OK, "The report.")
}

/// `GET /v1/report/handoffs` in the API's document.
pub fn handoffs_operation() -> Operation {
    report("getHandoffsReport", handoffs)
        .about("Conversations that were handed over", "How long users waited for a person, and who left before.")
        .query::<HandoffsQuery>()
        .answer::<HandoffsReport>(StatusCode::OK, "The report.")
}

/// What is the same for each report.
fn report<H: Handler<T, Arc<AppState>>, T: 'static>(id: &'static str, handler: H) -> Operation {
    Operation::get(id, handler)
        .access(Access::Reader(SourceScope::Read))
        .stored()
        .problem(StatusCode::BAD_REQUEST, "A parameter is not valid.")
        .busy::<ProblemDetails>("Another report is being made; one is made at a time.")
}

/// `GET /v1/report/tte`.
pub async fn tte(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
    Query(asked): Query<TteQuery>,
) -> Result<Json<TteReport>, ProblemDetails> {
    may_read(&app, caller, &headers, SourceScope::Read)?;
    let now = app.engine.now();
    let mut tally = TteTally::new(asked.parsed(now, &app.engine.config().matrix.zones)?);
    let _turn = turn()?;
    app.engine.reads().each_incident(gather(&mut tally, now)).await?;
    Ok(Json(tally.report(now)))
}

/// The query of the report on triggers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct SinceQuery {
    /// Only incidents opened at this time or later: a duration before now (`30d`) or a time (RFC 3339).
    #[serde(default)]
    #[schemars(schema_with = "since_schema")]
    since: Option<String>,
}

/// `GET /v1/report/triggers`.
pub async fn triggers(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
    Query(asked): Query<SinceQuery>,
) -> Result<Json<TriggersReport>, ProblemDetails> {
    may_read(&app, caller, &headers, SourceScope::Read)?;
    let now = app.engine.now();
    let mut tally = TriggerTally::new(asked.since.map(|text| since(&text, now)).transpose()?);
    let _turn = turn()?;
    app.engine.reads().each_incident(gather(&mut tally, now)).await?;
    Ok(Json(tally.report(now)))
}

/// The query of the report on handoffs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct HandoffsQuery {
    /// Only incidents opened at this time or later: a duration before now (`30d`) or a time (RFC 3339).
    #[serde(default)]
    #[schemars(schema_with = "since_schema")]
    since: Option<String>,
    /// The grouping.
    #[schemars(with = "Option<HandoffGrouping>")]
    by: Option<String>,
    /// The time zone of the hours, as in the IANA database (`Europe/Zurich`); by default UTC.
    #[schemars(extend("format" = "time-zone"))]
    zone: Option<String>,
}

/// `GET /v1/report/handoffs`.
pub async fn handoffs(
    State(app): State<Arc<AppState>>,
    caller: Option<Extension<UnixCaller>>,
    headers: HeaderMap,
    Query(asked): Query<HandoffsQuery>,
) -> Result<Json<HandoffsReport>, ProblemDetails> {
    may_read(&app, caller, &headers, SourceScope::Read)?;
    let now = app.engine.now();
    let by = asked.by.map(|by| by.parse().map_err(|why: String| ProblemDetails::bad(why))).transpose()?;
    let zone = asked.zone.map(|name| zone(&name, &app.engine.config().matrix.zones)).transpose()?;
    let since = asked.since.map(|text| since(&text, now)).transpose()?;
    let mut tally = HandoffTally::new(since, by.unwrap_or_default(), zone);
    let _turn = turn()?;
    app.engine.reads().each_incident(gather(&mut tally, now)).await?;
    Ok(Json(tally.report(now)))
}

fn turn() -> Result<SemaphorePermit<'static>, ProblemDetails> {
    let busy = "another report is being made: ask again in a moment";
    UNDER_WAY.try_acquire().map_err(|_| ProblemDetails::new(StatusCode::TOO_MANY_REQUESTS, busy).after(AGAIN_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_a_report_is_made_the_next_one_is_told_when_to_ask_again() {
        let first = turn();
        assert!(first.is_ok());
        let busy = turn().err();
        assert_eq!(busy.map(|busy| (busy.status().as_u16(), busy.retry_after())), Some((429, Some(1))));
        drop(first);
        assert!(turn().is_ok());
    }
}
