//! The event stream of a desk (server-sent events).

use crate::{
    channel::desk_hub::OpenDesk,
    core::{IncidentId, PersonName},
    engine::ReadAt,
    http::{
        credential,
        desk::{
            changes::{ChangedIncidents, DeskChanges},
            page,
        },
        state::AppState,
    },
    store::StoreError,
};
use axum::{
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::{Stream, stream};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, sleep_until, timeout_at},
};

/// The interval of heartbeats to the page.
const BEAT_EVERY: Duration = Duration::from_secs(5);

/// After this many beats, a minute, a desk looks for what time alone has changed.
const LOOK_EVERY: u32 = 12;

/// Changes within this time are sent together.
const SETTLE: Duration = Duration::from_millis(25);

/// The least time between two events with changes: nobody reads faster, and each costs a look at all that is open.
const APART: Duration = Duration::from_millis(200);

/// The query of the event stream.
#[derive(Deserialize)]
pub struct EventsQuery {
    /// Whether the page knows changes. Those of version 0.1.0 do not, and stay open over an upgrade.
    #[serde(default)]
    changes: bool,
}

/// The event stream of the desk: its whole state first, then what changed, and heartbeats in
/// between.
pub async fn events(
    State(app): State<Arc<AppState>>,
    Query(EventsQuery { changes }): Query<EventsQuery>,
    headers: HeaderMap,
) -> Response {
    let Some((cookie, person)) = credential::session(&app, &headers) else {
        return page::sign_in(StatusCode::UNAUTHORIZED);
    };
    let line = DeskLine {
        desk: app.hub.connect(person.clone()),
        changes: app.engine.changes(),
        csrf: app.engine.keys().csrf(&cookie).expose_secret().to_owned(),
        wants_whole: !changes,
        changed: ChangedIncidents::Any,
        sent: DeskChanges::default(),
        sent_at: Instant::now(),
        beat_at: Instant::now() + BEAT_EVERY,
        fresh: true,
        beats: LOOK_EVERY,
        person,
        cookies: headers,
        app,
    };
    line.app.engine.delivery().desk_opened(&line.person);
    let mut response = Sse::new(events_of(line)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.map(Body::new)
}

struct DeskLine {
    app: Arc<AppState>,
    person: PersonName,
    /// Checked at each heartbeat, because sessions expire and people leave the matrix.
    cookies: HeaderMap,
    /// Counts this desk as open while the stream is open.
    #[expect(dead_code, reason = "held for its drop")]
    desk: OpenDesk,
    changes: Receiver<IncidentId>,
    csrf: String,
    /// Whether the page reads nothing but whole states.
    wants_whole: bool,
    changed: ChangedIncidents,
    /// What this desk was told.
    sent: DeskChanges,
    sent_at: Instant,
    beat_at: Instant,
    fresh: bool,
    /// Beats until the state is looked at although nothing was reported: who is on call changes by the clock alone.
    beats: u32,
}

fn events_of(line: DeskLine) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(line, |mut line| async move {
        loop {
            if line.fresh {
                line.fresh = false;
                if !line.is_signed_in() {
                    return None;
                }
                if let Some(event) = line.news().await {
                    return Some((Ok(event), line));
                }
            }
            let shutdown = line.app.shutdown.clone();
            tokio::select! {
                () = shutdown.cancelled() => return None,
                () = sleep_until(line.beat_at) => {
                    line.beat_at = Instant::now() + BEAT_EVERY;
                    if !line.is_signed_in() {
                        return None;
                    }
                    line.beats -= 1;
                    if line.beats == 0 {
                        (line.beats, line.fresh) = (LOOK_EVERY, true);
                        line.changed = ChangedIncidents::Any;
                    }
                    let beat = Event::default().event("beat").data(line.app.engine.now().to_string());
                    return Some((Ok(beat), line));
                }
                change = line.changes.recv() => {
                    if !line.note(change) {
                        return None;
                    }
                    line.settle().await;
                }
            }
        }
    })
}

impl DeskLine {
    fn is_signed_in(&self) -> bool {
        credential::session(&self.app, &self.cookies).is_some()
    }

    /// Waits until a burst of changes is over, and until the last event is long enough ago.
    async fn settle(&mut self) {
        let end = (Instant::now() + SETTLE).max(self.sent_at + APART);
        while let Ok(change) = timeout_at(end, self.changes.recv()).await {
            if !self.note(change) {
                break;
            }
        }
        self.fresh = true;
    }

    /// Whether there will be more.
    fn note(&mut self, change: Result<IncidentId, RecvError>) -> bool {
        match change {
            Ok(id) => self.changed.add(id),
            Err(RecvError::Lagged(_)) => self.changed = ChangedIncidents::Any,
            Err(RecvError::Closed) => return false,
        }
        true
    }

    /// What changed since the last event.
    async fn news(&mut self) -> Option<Event> {
        let changed = std::mem::replace(&mut self.changed, ChangedIncidents::none());
        let event = self.event(&changed).await;
        event.unwrap_or_else(|error| {
            tracing::error!(%error, person = %self.person, "a desk's state could not be read");
            self.changed = ChangedIncidents::Any;
            None
        })
    }

    async fn event(&mut self, changed: &ChangedIncidents) -> Result<Option<Event>, StoreError> {
        let Some(mut change) = self.sent.next(&self.app, &self.person, changed).await? else { return Ok(None) };
        self.sent_at = Instant::now();
        let csrf = (change.seq == 1 || self.wants_whole).then_some(self.csrf.as_str());
        if !self.wants_whole {
            self.app.engine.inbound().keep_shown(ReadAt::Desk, &self.person, change.take_shown()).await;
            return Ok(event(csrf, change));
        }
        if change.seq != 1 {
            let whole = DeskChanges::default().next(&self.app, &self.person, &ChangedIncidents::Any).await?;
            let Some(whole) = whole else { return Ok(None) };
            change = whole;
        }
        self.app.engine.inbound().keep_shown(ReadAt::Desk, &self.person, change.take_shown()).await;
        Ok(event(csrf, change.into_whole()))
    }
}

fn event(csrf: Option<&str>, news: impl Serialize) -> Option<Event> {
    // This can not fail: these are our own types, and all map keys are strings.
    Event::default().event("state").json_data(DeskEvent { csrf, news }).ok()
}

/// The data of an event.
#[derive(Serialize)]
struct DeskEvent<'a, N> {
    /// The page's token, with the whole state.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<&'a str>,
    #[serde(flatten)]
    news: N,
}
