//! What a desk shows: its person's pages and the board of incidents, as JSON.

use super::{App, standing::Standing, view};
use crate::{
    core::{Answer, Engagement, Incident, Level, PageId, PersonName, Status, Timestamp, page::Page},
    engine::Live,
    matrix::ChannelKind,
    store::{Filter, StoreError},
    template::{CODE, LINK},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::time::Duration;

/// Incidents on the board.
const BOARD_MAX: usize = 30;

/// Open incidents that are looked through for a person's pages.
const OPEN_MAX: usize = 2_000;

/// How long a page that has its end stays on its reader's desk: what somebody else has, and what is over.
const ENDED_SHOWN: Duration = Duration::from_secs(10 * 60);

/// Everything that one desk shows.
#[derive(Serialize)]
pub struct Snapshot {
    person: PersonView,
    build: &'static str,
    pages: Vec<DeskPage>,
    incidents: Vec<BoardRow>,
}

#[derive(Serialize)]
struct PersonView {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct DeskPage {
    page: String,
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
    offers: Vec<Offer>,
    /// How it stands, in words for this person.
    standing: String,
    /// What this person is known to have said that asks for no more of them.
    heard: Vec<&'static str>,
}

/// A button.
#[derive(Debug, Clone, Serialize)]
pub struct Offer {
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
pub async fn snapshot(app: &App, person: &PersonName) -> Result<Snapshot, StoreError> {
    let live = app.engine.live.load_full();
    let open = app.engine.store.list(Filter { open_only: true, limit: OPEN_MAX }).await?;
    let recent = app.engine.store.list(Filter { open_only: false, limit: BOARD_MAX }).await?;
    let now = app.engine.store.now();
    let mut pages = Vec::new();
    for incident in open.iter().chain(recent.iter().filter(|incident| !incident.is_open())) {
        pages.extend(desk_pages(app, &live, incident, person, now));
    }
    Ok(Snapshot {
        person: PersonView { id: person.to_string(), name: live.name_of(person).to_owned() },
        build: env!("CARGO_PKG_VERSION"),
        pages,
        incidents: recent.iter().map(|incident| board_row(&live, incident)).collect(),
    })
}

/// One entry a role: the newest brief of this person about it.
fn desk_pages(app: &App, live: &Live, incident: &Incident, person: &PersonName, now: Timestamp) -> Vec<DeskPage> {
    // What somebody has stays on their own desk as long as the incident is open.
    let roles = incident.engagements.iter().filter(|(_, e)| match (&incident.status, &e.outcome) {
        (Status::Resolved { at, .. }, _) => now < *at + ENDED_SHOWN,
        (Status::Open, Some(outcome)) => e.holder() == Some(person) || now < outcome.at() + ENDED_SHOWN,
        (Status::Open, None) => true,
    });
    roles
        .filter_map(|(role, engagement)| {
            let mine = || incident.briefs_of(role).filter(|page| page.person.as_ref() == Some(person));
            let newest = mine().last()?;
            // Of the newest rung the one that was sent to the desk, so that what is seen here is seen there.
            let page =
                mine().filter(|page| page.rung == newest.rung).find(|page| is_screen(live, page)).unwrap_or(newest);
            Some(desk_page(app, live, incident, page, engagement, Standing::of(live, incident, role, person)?))
        })
        .collect()
}

fn is_screen(live: &Live, page: &Page) -> bool {
    live.channels.get(&page.channel).is_some_and(|wired| wired.kind == ChannelKind::Screen)
}

fn desk_page(
    app: &App,
    live: &Live,
    incident: &Incident,
    page: &Page,
    engagement: &Engagement,
    standing: Standing<'_>,
) -> DeskPage {
    let id = PageId { incident: incident.id, n: page.n };
    let rendered = live.render(incident, page, ChannelKind::Screen);
    let code = app.engine.keys.code(id);
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
    let level = row.map_or(Level::Wilco, |row| row.engaged_by);
    DeskPage {
        page: id.to_string(),
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
pub fn after_all(level: Level) -> Vec<Offer> {
    vec![Offer { answer: Answer::of_level(level).to_string(), label: "I have it after all", primary: true }]
}

/// The buttons for a role that demands `level`, the wanted one first.
pub fn offers(level: Level) -> Vec<Offer> {
    let offer = |(index, answer): (usize, Answer)| Offer {
        answer: match answer {
            Answer::Standby { .. } => "standby".into(),
            other => other.to_string(),
        },
        label: answer.label(),
        primary: index == 0,
    };
    level.offers().into_iter().enumerate().map(offer).collect()
}

fn board_row(live: &Live, incident: &Incident) -> BoardRow {
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
