//! The content of a desk as JSON: its person's pages and the board of incidents.

use crate::{
    channel::slack,
    core::{
        Answer, AnswerLevel, ChannelName, Engagement, Incident, IncidentId, IncidentStatus, PageId, PersonName,
        Timestamp, WarRoom, Zone, page::Page,
    },
    engine::RuntimeConfig,
    http::{
        api::view,
        desk::{
            idle,
            standing::{RoleStanding, ended},
        },
        state::AppState,
    },
    matrix::ChannelKind,
    store::{AskedIncidents, AskedQuery, AskedStanding, IncidentFilter, StoreError, earlier},
    template::{CODE, LINK, RenderedText},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// The largest number of incidents on the board, open ones first; the board says how many it leaves out.
pub const BOARD_MAX: usize = 30;

/// The largest number of open incidents that a desk can ask for beyond those on its board.
pub const MORE_OPEN_MAX: usize = 1000;

/// The desk shows the pages of this many of the newest and of the oldest incidents that wait for its person. It says
/// how many it leaves out; they appear when others are answered.
pub const WAITING_SHOWN: usize = 25;

/// The same limit for the newest open incidents that do not wait for its person, and for ended ones.
pub const OTHERS_SHOWN: usize = 25;

/// How long a page stays on its reader's desk after somebody else took the role or the incident ended.
const ENDED_SHOWN: Duration = Duration::from_secs(10 * 60);

/// Everything that one desk shows.
#[derive(Serialize)]
pub struct DeskSnapshot {
    person: PersonView,
    /// While nothing is open: until when its person is on call, who is next, when a page last reached them.
    idle: Vec<String>,
    build: &'static str,
    pages: Vec<DeskPage>,
    incidents: Vec<BoardRow>,
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

#[derive(Serialize)]
struct DeskPage {
    page: String,
    /// Distinguishes its incident from one with the same number before a backup was restored; answers contain it.
    mark: String,
    incident: String,
    drill: bool,
    role: String,
    state: &'static str,
    headline: String,
    /// What happened.
    what: String,
    /// Which answer is wanted by when, as long as one is.
    ask: Option<String>,
    /// What happens if nobody answers.
    otherwise: Option<String>,
    body: String,
    /// Where to read on.
    links: Vec<PageLink>,
    holder: Option<String>,
    since: Timestamp,
    deadline: Option<Timestamp>,
    wanted: String,
    offers: Vec<AnswerButton>,
    /// The state, as a text for this person.
    standing: String,
    /// The answers of this person after which nothing more is asked of them.
    heard: Vec<&'static str>,
    /// What of this is kept: all its words, with placeholders in place of codes and links.
    #[serde(skip)]
    shown: (PageId, String),
}

/// An address beside a page.
#[derive(Serialize)]
struct PageLink {
    label: &'static str,
    url: String,
}

/// A button.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerButton {
    /// The answer that it sends.
    pub answer: String,
    /// Its label.
    pub label: &'static str,
    /// Whether it is the wanted answer.
    pub primary: bool,
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

#[derive(Serialize)]
struct BoardRow {
    id: String,
    drill: bool,
    /// A text about its messages that went to the sandbox; `None` if all were sent.
    sandbox: Option<String>,
    summary: String,
    status: String,
    /// Who ended it and when, once it is over.
    ended: Option<String>,
    opened_at: Timestamp,
    roles: Vec<BoardRole>,
}

#[derive(Serialize)]
struct BoardRole {
    role: String,
    state: String,
    /// The same in plain words for this person: who has it, who is asked.
    says: String,
    deadline: Option<Timestamp>,
    tte_ms: Option<f64>,
}

impl DeskSnapshot {
    /// The words of each page as they are kept, with placeholders in place of codes and links.
    pub fn shown(&self) -> impl Iterator<Item = (PageId, String)> {
        self.pages.iter().map(|page| page.shown.clone())
    }
}

/// The current content of the desk of `person`.
pub async fn snapshot(app: &AppState, person: &PersonName) -> Result<DeskSnapshot, StoreError> {
    let live = app.engine.config();
    let mut left_out = LeftOut::default();
    let mut pages = Vec::new();
    for id in asked(app, person, &mut left_out).await? {
        // An incident that can not be read must not remove the others from the desk.
        match app.engine.reads().view(id).await {
            Ok(incident) => pages.extend(incident.iter().flat_map(|i| desk_pages(app, &live, i, person))),
            Err(error) => tracing::error!(incident.id = %id, %error, "a desk can not show this incident"),
        }
    }
    let board = board(app, &mut left_out).await?;
    let is_idle = pages.is_empty() && !board.iter().any(|incident| incident.is_open());
    Ok(DeskSnapshot {
        person: person_view(app, &live, person),
        idle: if is_idle {
            idle::lines(&live, &app.engine.reads().proofs().await?, person, app.engine.now())
        } else {
            Vec::new()
        },
        build: env!("CARGO_PKG_VERSION"),
        pages,
        incidents: board.iter().map(|incident| board_row(&live, incident, person)).collect(),
        left_out,
    })
}

fn person_view(app: &AppState, live: &RuntimeConfig, person: &PersonName) -> PersonView {
    let zone = live.matrix.people.get(person).map_or_else(Zone::utc, |settings| settings.zone.clone());
    let clock = app.engine.now().to_utc().with_timezone(&zone).format("%Z").to_string();
    PersonView { id: person.to_string(), name: live.name_of(person).to_owned(), zone: zone.name().to_owned(), clock }
}

/// The incidents whose pages this person's desk shows: first those that wait for them, each group newest first.
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

/// The incidents on the board: first the open ones, each group newest first.
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

/// The open incidents that do not fit on the board, a line each. They are read when somebody asks for them: a desk that
/// carried them all in each of its states would be slow in the hour in which there are many.
pub async fn more_open(app: &AppState) -> Result<Vec<OpenRow>, StoreError> {
    let filter = IncidentFilter { open_only: true, limit: BOARD_MAX + MORE_OPEN_MAX };
    let open = app.engine.reads().list(filter).await?;
    let row = |incident: &Arc<Incident>| OpenRow {
        id: incident.id.to_string(),
        drill: incident.drill,
        summary: incident.summary.clone(),
        opened_at: incident.opened_at,
        open_roles: incident.open_roles().map(ToString::to_string).collect(),
    };
    Ok(open.iter().skip(BOARD_MAX).map(row).collect())
}

/// One entry for each role: the newest brief of this person about it.
fn desk_pages(app: &AppState, live: &RuntimeConfig, incident: &Incident, person: &PersonName) -> Vec<DeskPage> {
    let now = app.engine.now();
    // A role that a person has stays on their desk as long as the incident is open.
    let roles = incident.engagements.iter().filter(|(_, e)| match (&incident.status, &e.outcome) {
        (IncidentStatus::Resolved { at, .. }, _) => now < *at + ENDED_SHOWN,
        (IncidentStatus::Open, Some(outcome)) => e.holder() == Some(person) || now < outcome.at() + ENDED_SHOWN,
        (IncidentStatus::Open, None) => true,
    });
    roles
        .filter_map(|(role, engagement)| {
            let mine = || incident.briefs_of(role).filter(|page| page.person.as_ref() == Some(person));
            let newest = mine().last()?;
            // From the newest step the page that was sent to the desk, so that it is recorded as seen.
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
    let shown = (identity.page, words(&rendered, &standing));
    let alarm = rendered.alarm;
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
        // The first line is not sent twice.
        body: fill(rendered.body.strip_prefix(&rendered.headline).unwrap_or(&rendered.body).trim_start().to_owned()),
        headline: fill(rendered.headline),
        what: alarm.as_ref().map_or_else(|| incident.summary.clone(), |alarm| alarm.what.clone()),
        ask: alarm.as_ref().map(|alarm| alarm.ask.clone()),
        otherwise: alarm.and_then(|alarm| alarm.otherwise),
        links: links(live, incident),
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
        shown,
    }
}

/// All words of a page on a desk, in their order.
fn words(rendered: &RenderedText, standing: &RoleStanding<'_>) -> String {
    let alarm = rendered.alarm.iter();
    let alarm = alarm.flat_map(|alarm| [Some(&alarm.what), Some(&alarm.ask), alarm.otherwise.as_ref()]);
    let lines = alarm.flatten().cloned().chain([rendered.body.clone(), standing.words()]);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The runbook, and the room where it is talked about.
fn links(live: &RuntimeConfig, incident: &Incident) -> Vec<PageLink> {
    let runbook = live.runbook(incident).map(|url| PageLink { label: "Runbook", url });
    let is_slack = |channel: &ChannelName| {
        live.channels.get(channel).is_some_and(|active| active.kind == slack::KIND && active.sandboxed.is_none())
    };
    let rooms = incident.rooms.iter().filter(|(channel, room)| {
        is_slack(channel) && !room.id.is_empty() && room.id.chars().all(|c| c.is_ascii_alphanumeric())
    });
    let room = |(_, room): (&ChannelName, &WarRoom)| PageLink {
        label: "War room",
        url: format!("https://slack.com/app_redirect?channel={}", room.id),
    };
    runbook.into_iter().chain(rooms.map(room)).collect()
}

/// The button for somebody who passed the role on or handed it back, and can take it after all.
pub fn after_all(level: AnswerLevel) -> Vec<AnswerButton> {
    vec![AnswerButton { answer: Answer::of_level(level).to_string(), label: "I have it after all", primary: true }]
}

/// The buttons for a role that requires `level`, the wanted one first.
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

fn board_row(live: &RuntimeConfig, incident: &Incident, person: &PersonName) -> BoardRow {
    let view = view::incident(live, incident);
    let says = |role: &str| RoleStanding::of(live, incident, &role.into(), person).map(|standing| standing.short());
    let role = |role: view::RoleView| BoardRole {
        says: says(&role.role).unwrap_or_default(),
        role: role.role,
        state: role.state,
        deadline: role.deadline,
        tte_ms: role.tte_ms,
    };
    BoardRow {
        id: view.id,
        drill: view.drill,
        sandbox: view.sandbox.map(|sandbox| sandbox.to_string()),
        summary: view.summary,
        status: view.status,
        ended: ended(live, incident, person),
        opened_at: view.opened_at,
        roles: view.roles.into_iter().map(role).collect(),
    }
}
