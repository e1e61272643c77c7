//! What a desk shows: its person's pages and the board of incidents, as JSON.

use crate::{
    core::{Answer, AnswerLevel, Engagement, Incident, IncidentId, IncidentStatus, PersonName, Timestamp, page::Page},
    engine::RuntimeConfig,
    http::{api::view, desk::standing::RoleStanding, state::AppState},
    matrix::ChannelKind,
    store::{AskedIncidents, AskedQuery, AskedStanding, IncidentFilter, StoreError, earlier},
    template::{CODE, LINK},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// Incidents on the board: open ones first, as many as there is room for; it says how many it leaves out.
pub const BOARD_MAX: usize = 30;

/// Incidents that wait for the desk's person of which it shows the pages: the newest ones, and as many of the oldest. It
/// says how many it leaves out; they come up as the others are answered.
pub const WAITING_SHOWN: usize = 25;

/// The same of open incidents that do not wait for its person, the newest ones, and of ended ones.
pub const OTHERS_SHOWN: usize = 25;

/// How long a page that has its end stays on its reader's desk: what somebody else has, and what is over.
const ENDED_SHOWN: Duration = Duration::from_secs(10 * 60);

/// Everything that one desk shows.
#[derive(Serialize)]
pub struct DeskSnapshot {
    person: PersonView,
    build: &'static str,
    pages: Vec<DeskPage>,
    incidents: Vec<BoardRow>,
    left_out: LeftOut,
}

/// What a desk does not show, for want of room.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct LeftOut {
    /// Incidents that wait for its person.
    waiting: usize,
    /// Other open or just ended incidents that its person was asked in.
    asked: usize,
    /// Open incidents that are not on the board.
    open: usize,
}

#[derive(Serialize)]
struct PersonView {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct DeskPage {
    page: String,
    /// What tells its incident from one of the same number before a backup was restored; an answer carries it back.
    mark: String,
    incident: String,
    drill: bool,
    role: String,
    state: &'static str,
    headline: String,
    body: String,
    holder: Option<String>,
    since: Timestamp,
    deadline: Option<Timestamp>,
    wanted: String,
    offers: Vec<AnswerButton>,
    /// How it stands, in words for this person.
    standing: String,
    /// What this person is known to have said that asks for no more of them.
    heard: Vec<&'static str>,
}

/// A button.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerButton {
    /// What it says.
    pub answer: String,
    /// What it is called.
    pub label: &'static str,
    /// The one that is wanted.
    pub primary: bool,
}

#[derive(Serialize)]
struct BoardRow {
    id: String,
    drill: bool,
    /// What of it left nobody's machine, in words; none where all was sent.
    sandbox: Option<String>,
    summary: String,
    status: String,
    opened_at: Timestamp,
    roles: Vec<BoardRole>,
}

#[derive(Serialize)]
struct BoardRole {
    role: String,
    state: String,
    holder: Option<String>,
    deadline: Option<Timestamp>,
    tte_ms: Option<f64>,
    /// Who had it last and handed it back, while it is open.
    handed_back_by: Option<String>,
}

/// What the desk of `person` shows now.
pub async fn snapshot(app: &AppState, person: &PersonName) -> Result<DeskSnapshot, StoreError> {
    let live = app.engine.config();
    let mut left_out = LeftOut::default();
    let mut pages = Vec::new();
    for id in asked(app, person, &mut left_out).await? {
        // One that can not be read must not take the others off the desk.
        match app.engine.reads().view(id).await {
            Ok(incident) => pages.extend(incident.iter().flat_map(|i| desk_pages(app, &live, i, person))),
            Err(error) => tracing::error!(incident.id = %id, %error, "a desk can not show this incident"),
        }
    }
    let board = board(app, &mut left_out).await?;
    Ok(DeskSnapshot {
        person: PersonView { id: person.to_string(), name: live.name_of(person).to_owned() },
        build: env!("CARGO_PKG_VERSION"),
        pages,
        incidents: board.iter().map(|incident| board_row(&live, incident)).collect(),
        left_out,
    })
}

/// The incidents whose pages this person's desk shows, newest first, those that wait for them before the others.
async fn asked(app: &AppState, person: &PersonName, left_out: &mut LeftOut) -> Result<Vec<IncidentId>, StoreError> {
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
    left_out.waiting = total.saturating_sub(ids.len());
    let ended_since = earlier(app.engine.now(), ENDED_SHOWN);
    for standing in [AskedStanding::Open, AskedStanding::EndedSince(ended_since)] {
        let AskedIncidents { incidents, total } = look(standing, false, OTHERS_SHOWN).await?;
        left_out.asked += total - incidents.len();
        ids.extend(incidents);
    }
    Ok(ids)
}

/// Open incidents first, newest first, then those that are over.
async fn board(app: &AppState, left_out: &mut LeftOut) -> Result<Vec<Arc<Incident>>, StoreError> {
    let reads = app.engine.reads();
    let mut board = reads.list(IncidentFilter { open_only: true, limit: BOARD_MAX }).await?;
    if BOARD_MAX <= board.len() {
        left_out.open = reads.open_count().await?.saturating_sub(board.len());
    }
    let recent = reads.list(IncidentFilter { open_only: false, limit: BOARD_MAX }).await?;
    let over = recent.into_iter().filter(|incident| !incident.is_open());
    let room = BOARD_MAX - board.len().min(BOARD_MAX);
    board.extend(over.take(room));
    Ok(board)
}

/// One entry a role: the newest brief of this person about it.
fn desk_pages(app: &AppState, live: &RuntimeConfig, incident: &Incident, person: &PersonName) -> Vec<DeskPage> {
    let now = app.engine.now();
    // What somebody has stays on their own desk as long as the incident is open.
    let roles = incident.engagements.iter().filter(|(_, e)| match (&incident.status, &e.outcome) {
        (IncidentStatus::Resolved { at, .. }, _) => now < *at + ENDED_SHOWN,
        (IncidentStatus::Open, Some(outcome)) => e.holder() == Some(person) || now < outcome.at() + ENDED_SHOWN,
        (IncidentStatus::Open, None) => true,
    });
    roles
        .filter_map(|(role, engagement)| {
            let mine = || incident.briefs_of(role).filter(|page| page.person.as_ref() == Some(person));
            let newest = mine().last()?;
            // Of the newest step the one that was sent to the desk, so that what is seen here is seen there.
            let page = mine()
                .filter(|page| page.step_entry == newest.step_entry)
                .find(|page| is_screen(live, page))
                .unwrap_or(newest);
            Some(desk_page(app, live, incident, page, engagement, RoleStanding::of(live, incident, role, person)?))
        })
        .collect()
}

fn is_screen(live: &RuntimeConfig, page: &Page) -> bool {
    live.channels.get(&page.channel).is_some_and(|wired| wired.kind == ChannelKind::SCREEN)
}

fn desk_page(
    app: &AppState,
    live: &RuntimeConfig,
    incident: &Incident,
    page: &Page,
    engagement: &Engagement,
    standing: RoleStanding<'_>,
) -> DeskPage {
    let identity = incident.page_identity(page.n);
    let rendered = live.render(incident, page, ChannelKind::SCREEN);
    let code = app.engine.keys().code(identity);
    let fill = |text: String| text.replace(CODE, code.expose_secret()).replace(LINK, "the buttons here");
    let state = match engagement.holder() {
        _ if !incident.is_open() => "over",
        Some(holder) if Some(holder) == page.person.as_ref() => "yours",
        Some(_) => "taken",
        None if !engagement.is_open() => "closed",
        None if standing.is_passed() => "passed",
        None => "open",
    };
    let received = page.person.as_ref().is_some_and(|person| engagement.received.contains(person));
    let heard = [("roger", received), ("standby", engagement.stood_by)];
    let row = page.role.as_ref().and_then(|role| incident.plan.roles.get(role));
    let level = row.map_or(AnswerLevel::Wilco, |row| row.engaged_by);
    DeskPage {
        page: identity.page.to_string(),
        mark: identity.mark(),
        incident: incident.id.to_string(),
        drill: incident.drill,
        role: page.role.as_ref().map(ToString::to_string).unwrap_or_default(),
        state,
        headline: fill(rendered.headline),
        body: fill(rendered.body),
        holder: engagement.holder().map(|holder| live.name_of(holder).to_owned()),
        since: page.born_at,
        deadline: engagement.deadline,
        wanted: level.to_string(),
        offers: match state {
            "open" => offers(level),
            "passed" => after_all(level),
            _ => Vec::new(),
        },
        standing: standing.words(),
        heard: heard.into_iter().filter(|(_, said)| *said).map(|(answer, _)| answer).collect(),
    }
}

/// The button for somebody who has passed it on or handed it back, and can do it after all.
pub fn after_all(level: AnswerLevel) -> Vec<AnswerButton> {
    vec![AnswerButton { answer: Answer::of_level(level).to_string(), label: "I have it after all", primary: true }]
}

/// The buttons for a role that demands `level`, the wanted one first.
pub fn offers(level: AnswerLevel) -> Vec<AnswerButton> {
    let offer = |(index, answer): (usize, Answer)| AnswerButton {
        answer: match answer {
            Answer::Standby { .. } => "standby".into(),
            other => other.to_string(),
        },
        label: answer.label(),
        primary: index == 0,
    };
    level.offers().into_iter().enumerate().map(offer).collect()
}

fn board_row(live: &RuntimeConfig, incident: &Incident) -> BoardRow {
    let view = view::incident(live, incident);
    let role = |role: view::RoleView| BoardRole {
        handed_back_by: role.handed_back.last().filter(|_| role.is_open()).map(|back| back.person.clone()),
        role: role.role,
        state: role.state,
        holder: role.holder,
        deadline: role.deadline,
        tte_ms: role.tte_ms,
    };
    BoardRow {
        id: view.id,
        drill: view.drill,
        sandbox: view.sandbox.map(|sandbox| sandbox.to_string()),
        summary: view.summary,
        status: view.status,
        opened_at: view.opened_at,
        roles: view.roles.into_iter().map(role).collect(),
    }
}
