//! The stream of one request (server-sent events): every state, from its journal. So a client that comes back after a
//! restart goes on where it was.

use super::{
    RequestView,
    service::{self, asker, theirs, unknown, watch},
};
use crate::{
    core::{RequestId, StoredLine, event::hex},
    engine::{
        IncidentWatch,
        request_history::{RequestHistory, RequestMoment},
    },
    http::{
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::{Stream, stream};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};

/// The interval of heartbeats: a connection whose answer says nothing for a minute is closed.
const BEAT_EVERY: Duration = Duration::from_secs(15);

/// In which header a client says what it has seen.
const LAST_EVENT: &str = "last-event-id";

/// How many digits of a line's hash are in the id of its event: enough to tell two chains apart.
const HASH_DIGITS: usize = 8;

/// The media type.
const MEDIA: &str = "text/event-stream";

/// `GET /v1/requests/{id}/events` in the API's document.
pub fn operation() -> Operation {
    let details = "Server-sent events: each state of the request since it was accepted, in order, and the end of the stream after \
                   the outcome. Their names are those of the webhooks: `request.opened`, `request.chosen`, `request.ended`, \
                   and of a handoff `handoff.assigned`, `handoff.connected`, `handoff.passed_on`. \
                   `data` is the request as it was then, `id` its line in the journal of the incident (`17-9f3a2c1b`: its number, and \
                   the first digits of its hash): with the header `Last-Event-ID` the stream goes on behind it, after a restart of the \
                   daemon, too; a line that the journal does not have begins anew. A number alone is also taken. A client that has seen the outcome gets `204`. A comment comes every 15 seconds.";
    Operation::get("getRequestEvents", events)
        .about("The states of a request", details)
        .access(Access::Source(SourceScope::Alerts))
        .stored()
        .path::<String>("id")
        .answer_as::<RequestEvent>(StatusCode::OK, MEDIA, "The events.")
        .problem(StatusCode::BAD_REQUEST, "`Last-Event-ID` is no id of an event.")
        .problem(StatusCode::NOT_FOUND, "This source has no request with this id.")
        .busy::<ProblemDetails>("Too many requests of the source, or of all, are waited for.")
}

/// An event of the stream.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is a schema alone: the stream is written event by event")]
struct RequestEvent {
    /// `request.opened`, `request.chosen`, `handoff.connected`, `request.ended`, ..
    event: String,
    /// For the header `Last-Event-ID`.
    id: String,
    /// The request as it was then, as JSON.
    #[schemars(schema_with = "data")]
    data: String,
}

fn data(generator: &mut SchemaGenerator) -> Schema {
    let request = generator.subschema_for::<RequestView>();
    json_schema!({ "type": "string", "contentMediaType": "application/json", "contentSchema": request })
}

/// `GET /v1/requests/{id}/events`.
async fn events(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ProblemDetails> {
    let source = asker(&app, &headers)?;
    let id: RequestId = id.parse().map_err(|_| unknown())?;
    let seen = headers.get(LAST_EVENT).map(SeenEvent::read).transpose()?.unwrap_or_default();
    theirs(&app, &source, id).await?;
    let watch = watch(&app, &source, id)?;
    let mut line = RequestLine {
        watch,
        history: RequestHistory::of(id.incident).marking(seen.line),
        seen: seen.line,
        ready: VecDeque::new(),
        is_over: false,
        beat_at: Instant::now() + BEAT_EVERY,
        app,
    };
    line.read().await?;
    // It has seen what a backup that was restored does not have: for this chain it has seen nothing.
    if !seen.is_in(&line.history) {
        (line.history, line.seen, line.is_over) = (RequestHistory::of(id.incident), 0, false);
        line.ready.clear();
        line.read().await?;
    }
    if line.ready.is_empty() && line.is_over {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let mut response = Sse::new(events_of(line)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response.map(Body::new))
}

/// The id of the event of a line. The number alone would be found again in a chain that was restored and has grown since.
fn event_id(line: &StoredLine) -> String {
    format!("{}-{}", line.seq, first_digits(&line.hash))
}

fn first_digits(hash: &[u8; 32]) -> String {
    hex(hash).chars().take(HASH_DIGITS).collect()
}

/// The last event that a client has seen.
#[derive(Debug, Default, PartialEq, Eq)]
struct SeenEvent {
    /// The number of its line; 0 if it has seen none.
    line: u64,
    /// The first digits of the line's hash. Ids had none once.
    hash: Option<String>,
}

impl SeenEvent {
    fn read(value: &HeaderValue) -> Result<Self, ProblemDetails> {
        let text = value.to_str().unwrap_or_default().trim();
        // A client that has seen none may send the header without a value.
        if text.is_empty() {
            return Ok(Self::default());
        }
        Self::parse(text).ok_or_else(|| ProblemDetails::bad("`Last-Event-ID` is no id of an event"))
    }

    fn parse(text: &str) -> Option<Self> {
        let (line, hash) = text.split_once('-').map_or((text, None), |(line, hash)| (line, Some(hash)));
        let is_hash = |hash: &str| hash.len() == HASH_DIGITS && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !hash.is_none_or(is_hash) {
            return None;
        }
        Some(Self { line: line.parse().ok()?, hash: hash.map(str::to_ascii_lowercase) })
    }

    /// Whether this journal has its line.
    fn is_in(&self, history: &RequestHistory) -> bool {
        let is_same = |mark| self.hash.as_ref().is_none_or(|hash| *hash == first_digits(mark));
        self.line == 0 || history.mark().is_some_and(is_same)
    }
}

struct RequestLine {
    app: Arc<AppState>,
    watch: IncidentWatch,
    history: RequestHistory,
    /// The line of the last event that its client has seen.
    seen: u64,
    /// What is read and not sent yet: at most one for each choice and the ends of the request.
    ready: VecDeque<Event>,
    /// Whether the outcome was read.
    is_over: bool,
    beat_at: Instant,
}

impl RequestLine {
    /// Reads what is new in the journal.
    async fn read(&mut self) -> Result<(), ProblemDetails> {
        let (seen, is_over) = (self.seen, &mut self.is_over);
        let mut moments = Vec::new();
        let take = |moment: RequestMoment<'_>| {
            *is_over |= moment.incident.request.as_ref().is_some_and(|request| request.outcome().is_some());
            if seen < moment.line.seq {
                moments.push((event_id(moment.line), moment.what.name(), moment.incident.clone()));
            }
        };
        self.history.read(self.app.engine.reads(), take).await?;
        for (id, name, incident) in moments {
            let view = service::view(&self.app, &incident).await?;
            // It can not fail: these are our own types, and all names are strings.
            self.ready.extend(Event::default().id(id).event(name).json_data(view).ok());
        }
        Ok(())
    }
}

fn events_of(line: RequestLine) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(line, |mut line| async move {
        loop {
            if let Some(event) = line.ready.pop_front() {
                return Some((Ok(event), line));
            }
            if line.is_over {
                return None;
            }
            let shutdown = line.app.shutdown.clone();
            tokio::select! {
                () = shutdown.cancelled() => return None,
                () = sleep_until(line.beat_at) => {
                    line.beat_at = Instant::now() + BEAT_EVERY;
                    return Some((Ok(Event::default().comment("still waiting")), line));
                }
                () = line.watch.changed() => {
                    if let Err(error) = line.read().await {
                        tracing::error!(error = error.detail(), "the stream of a request ends, because its journal can not be read");
                        return None;
                    }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_number_with_or_without_the_digits_of_a_hash() {
        let seen = |line, hash: Option<&str>| Some(SeenEvent { line, hash: hash.map(str::to_owned) });
        for (text, read) in [
            ("17", seen(17, None)),
            ("17-9f3a2c1b", seen(17, Some("9f3a2c1b"))),
            ("17-9F3A2C1B", seen(17, Some("9f3a2c1b"))),
            ("0", seen(0, None)),
            ("17-", None),
            ("17-9f3a2c1", None),
            ("17-9f3a2c1g", None),
            ("-9f3a2c1b", None),
            ("soon", None),
        ] {
            assert_eq!(SeenEvent::parse(text), read, "{text}");
        }
    }
}
