//! What is on a desk now: which incidents, and what is true of the desk as a whole.

use crate::{
    core::{AskKind, Incident, IncidentId, PersonName, Timestamp, Zone},
    engine::RuntimeConfig,
    http::{
        board::{BOARD_MAX, Board},
        desk::{cards::ENDED_SHOWN, idle},
        state::AppState,
    },
    store::{AskedIncidents, AskedQuery, AskedStanding, IncidentFilter, StoreError, earlier},
};
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};

/// The largest number of open incidents that a desk can ask for beyond those on its board.
pub const MORE_OPEN_MAX: usize = 1000;

/// The desk shows the pages of this many of the newest and of the oldest incidents that wait for its person. It says
/// how many it leaves out; they appear when others are answered.
pub const WAITING_SHOWN: usize = 25;

/// The same limit for the newest open incidents that do not wait for its person, and for ended ones.
pub const OTHERS_SHOWN: usize = 25;

/// The incidents whose pages a desk shows.
#[derive(Default)]
pub struct AskedOf {
    /// First those that wait for its person, each group newest first.
    pub ids: Vec<IncidentId>,
    /// How many more wait for its person.
    waiting: usize,
    /// How many others there are, open or ended a short time ago, in which its person was asked.
    others: usize,
}

/// What a desk says besides its cards.
#[derive(Serialize)]
pub struct DeskAbout {
    person: PersonView,
    /// While nothing is open: until when its person is on call, who is next, when a page last reached them.
    pub idle: Vec<String>,
    build: &'static str,
    /// Whether the matrix has a trigger that takes conversations.
    conversations: bool,
    left_out: LeftOut,
}

/// How many incidents a desk leaves out because of the limits.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct LeftOut {
    /// Incidents that wait for its person.
    waiting: usize,
    /// Other open or recently ended incidents in which its person was asked.
    asked: usize,
    /// Open incidents that are not on the board.
    open: usize,
}

#[derive(Serialize)]
struct PersonView {
    id: String,
    name: String,
    /// The zone of their clock, `Europe/Madrid`.
    zone: String,
    /// What that zone is called now, `CET`.
    clock: String,
}

/// An open incident in one line.
#[derive(Serialize)]
pub struct OpenRow {
    id: String,
    drill: bool,
    summary: String,
    opened_at: Timestamp,
    /// The roles that nobody has.
    open_roles: Vec<String>,
}

/// What is true of the desk of `person` as a whole.
pub async fn about(
    app: &AppState,
    live: &RuntimeConfig,
    person: &PersonName,
    asked: &AskedOf,
    board: &Board,
) -> Result<DeskAbout, StoreError> {
    let idle = if board.incidents.iter().any(|incident| incident.is_open()) {
        Vec::new()
    } else {
        idle::lines(live, &app.engine.reads().proofs().await?, person, app.engine.now())
    };
    let left_out = LeftOut { waiting: asked.waiting, asked: asked.others, open: board.left_out };
    let rules = |trigger| live.matrix.plan(trigger)?.ask.clone();
    let mut rules = live.matrix.triggers.keys().filter_map(rules);
    let conversations = rules.any(|rules| rules.takes(AskKind::Handoff));
    let (person, build) = (person_view(app, live, person), env!("CARGO_PKG_VERSION"));
    Ok(DeskAbout { person, idle, build, conversations, left_out })
}

/// The incidents, as far as they can be read: one that can not be must not remove the others from the desk.
pub async fn readable(app: &AppState, ids: &[IncidentId]) -> Vec<Arc<Incident>> {
    let mut incidents = Vec::with_capacity(ids.len());
    for id in ids {
        match app.engine.reads().view(*id).await {
            Ok(incident) => incidents.extend(incident),
            Err(error) => tracing::error!(incident.id = %id, %error, "a desk can not show this incident"),
        }
    }
    incidents
}

fn person_view(app: &AppState, live: &RuntimeConfig, person: &PersonName) -> PersonView {
    let zone = live.matrix.people.get(person).map_or_else(Zone::utc, |settings| settings.zone.clone());
    let clock = app.engine.now().to_utc().with_timezone(&zone).format("%Z").to_string();
    PersonView { id: person.to_string(), name: live.name_of(person).to_owned(), zone: zone.name().to_owned(), clock }
}

/// The incidents whose pages this person's desk shows.
pub async fn asked(app: &AppState, person: &PersonName) -> Result<AskedOf, StoreError> {
    let look = async |standing, oldest, limit| {
        app.engine.reads().asked(person.clone(), AskedQuery { standing, oldest, limit }).await
    };
    let AskedIncidents { incidents: mut ids, total } = look(AskedStanding::Waits, false, WAITING_SHOWN).await?;
    if ids.len() < total {
        let oldest = look(AskedStanding::Waits, true, WAITING_SHOWN).await?.incidents;
        ids.extend(oldest.into_iter().rev());
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
    }
    let (waiting, mut others) = (total.saturating_sub(ids.len()), 0);
    let ended_since = earlier(app.engine.now(), ENDED_SHOWN);
    for standing in [AskedStanding::Open, AskedStanding::EndedSince(ended_since)] {
        let AskedIncidents { incidents, total } = look(standing, false, OTHERS_SHOWN).await?;
        others += total - incidents.len();
        ids.extend(incidents);
    }
    // One that changed between two of these reads is in both.
    let mut known = BTreeSet::new();
    ids.retain(|id| known.insert(*id));
    Ok(AskedOf { ids, waiting, others })
}

/// The open incidents that do not fit on the board, a line each. They are read when somebody asks for them: a desk that
/// carried them all in each of its states would be slow in the hour in which there are many.
pub async fn more_open(app: &AppState) -> Result<Vec<OpenRow>, StoreError> {
    let filter = IncidentFilter { open_only: true, limit: BOARD_MAX + MORE_OPEN_MAX };
    let open = app.engine.reads().list(filter).await?;
    let row = |incident: &Arc<Incident>| OpenRow {
        id: incident.id.to_string(),
        drill: incident.drill,
        summary: incident.about().to_owned(),
        opened_at: incident.opened_at,
        open_roles: incident.open_roles().map(|role| incident.plan.called(role).to_owned()).collect(),
    };
    Ok(open.iter().skip(BOARD_MAX).map(row).collect())
}
