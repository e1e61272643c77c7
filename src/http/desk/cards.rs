//! The cards of a desk: a page of its person, a row of the board. Each is made from one incident as it is now.

use crate::{
    core::{
        Answer, AnswerLevel, AskOption, ChannelName, Engagement, Incident, IncidentStatus, PageId, PersonName, Request,
        Timestamp, WarRoom, answer::AFTER_ALL, page::Page,
    },
    engine::RuntimeConfig,
    http::{
        api::view,
        desk::standing::{RoleStanding, ended},
        state::AppState,
    },
    matrix::ChannelKind,
    template::{ActionText, CODE, LINK, RenderedText, action_of, summary_of},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::{borrow::Cow, time::Duration};

/// How long a page stays on its reader's desk after somebody else took the role or the incident ended.
pub const ENDED_SHOWN: Duration = Duration::from_secs(10 * 60);

/// One card, as it is sent.
pub struct Card {
    /// What tells it from all others of its list.
    pub key: String,
    /// Until when it is shown, if time alone takes it away.
    pub until: Option<Timestamp>,
    /// Its content, with its key.
    pub json: Box<RawValue>,
    /// The words of a page as they are kept, with placeholders in place of codes and links.
    pub shown: Option<(PageId, String)>,
}

impl Card {
    /// `None` never: these are our own types, and all map keys are strings.
    fn new(key: &str, until: Option<Timestamp>, content: &impl Serialize) -> Option<Self> {
        Some(Self { key: key.to_owned(), until, json: to_raw_value(content).ok()?, shown: None })
    }
}

#[derive(Serialize)]
struct DeskPage {
    /// Its page and mark.
    key: String,
    page: String,
    /// Distinguishes its incident from one with the same number before a backup was restored; answers contain it.
    mark: String,
    incident: String,
    drill: bool,
    role: String,
    /// What people call it.
    role_name: String,
    state: &'static str,
    headline: String,
    /// What happened.
    what: String,
    /// What will be done if people agree, in one line.
    action: Option<String>,
    /// The whole of it, where the line does not show all.
    action_whole: Option<String>,
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
    /// When the request ends without a decision, while it is open.
    until: Option<Timestamp>,
    /// The priority of its trigger: 1 is the most urgent.
    priority: u8,
    wanted: String,
    offers: Vec<AnswerButton>,
    /// What must be repeated with an option.
    repeat: Option<String>,
    /// The state, as a text for this person.
    standing: String,
    /// The answers of this person after which nothing more is asked of them.
    heard: Vec<String>,
    /// Who has chosen what so far, and how many more must agree; empty if nobody has.
    chosen: String,
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
    pub label: Cow<'static, str>,
    /// Whether it is the wanted answer.
    pub primary: bool,
    /// The letter of an option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letter: Option<char>,
    /// What an option leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub does: Option<String>,
}

impl AnswerButton {
    fn plain(answer: String, label: impl Into<Cow<'static, str>>, primary: bool) -> Self {
        Self { answer, label: label.into(), primary, letter: None, does: None }
    }
}

#[derive(Serialize)]
struct BoardRow {
    key: String,
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
    /// What people call it.
    name: String,
    state: String,
    /// The same in plain words for this person: who has it, who is asked.
    says: String,
    deadline: Option<Timestamp>,
    tte_ms: Option<f64>,
}

/// One card for each role: the newest brief of this person about it.
pub fn pages(app: &AppState, live: &RuntimeConfig, incident: &Incident, person: &PersonName) -> Vec<Card> {
    let card = |(role, engagement): (_, &Engagement)| {
        // From the newest step the page that was sent to the desk, so that it is recorded as seen.
        let newest = || incident.pages.last_call(role, person);
        let page = newest().find(|page| is_screen(live, page)).or_else(|| newest().last())?;
        let standing = RoleStanding::of(live, incident, role, person)?;
        let (content, shown) = desk_page(app, live, incident, page, engagement, standing);
        let card = Card::new(&content.key, until(incident, engagement, person), &content)?;
        Some(Card { shown: Some(shown), ..card })
    };
    incident.engagements.iter().filter_map(card).collect()
}

/// A role that a person has stays on their desk as long as the incident is open.
fn until(incident: &Incident, engagement: &Engagement, person: &PersonName) -> Option<Timestamp> {
    match (&incident.status, &engagement.outcome) {
        (IncidentStatus::Resolved { at, .. }, _) => Some(*at + ENDED_SHOWN),
        (IncidentStatus::Open, Some(outcome)) if engagement.holder() != Some(person) => {
            Some(outcome.at() + ENDED_SHOWN)
        }
        (IncidentStatus::Open, _) => None,
    }
}

/// The incident's row on the board.
pub fn row(live: &RuntimeConfig, incident: &Incident, person: &PersonName) -> Vec<Card> {
    let content = board_row(live, incident, person);
    Card::new(&content.key, None, &content).into_iter().collect()
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
) -> (DeskPage, (PageId, String)) {
    let identity = incident.page_identity(page.n);
    let rendered = live.render(incident, page, ChannelKind::SCREEN);
    let action = action_of(incident);
    let shown = (identity.page, words(&rendered, action.as_ref(), &standing));
    let alarm = rendered.alarm.clone();
    let code = app.engine.keys().code(identity);
    let fill = |text: String| text.replace(CODE, code.expose_secret()).replace(LINK, "the buttons here");
    let state = match engagement.holder() {
        _ if !incident.is_open() => "over",
        // Until it is decided they may choose again, also where their choice engaged their role.
        Some(holder) if Some(holder) == page.person.as_ref() && standing.choice().is_some() => "chosen",
        Some(holder) if Some(holder) == page.person.as_ref() => "yours",
        Some(_) => "taken",
        None if !engagement.is_open() => "closed",
        None if standing.is_passed() => "passed",
        None if standing.choice().is_some() => "chosen",
        None => "open",
    };
    let received = page.person.as_ref().is_some_and(|person| engagement.received.contains(person));
    let heard = [("roger", received), ("standby", engagement.stood_by)];
    let heard = heard.into_iter().filter(|(_, said)| *said).map(|(answer, _)| answer.to_owned());
    let heard = heard.chain(standing.choice().map(|option| format!("{OPTION}{option}")));
    let row = page.role.as_ref().and_then(|role| incident.plan.roles.get(role));
    let level = row.map_or(AnswerLevel::Wilco, |row| row.engaged_by);
    // A request ends at its own deadline, whatever its ladder waits for.
    let until = incident.request.as_ref().and_then(|request| request.deadline());
    let content = DeskPage {
        key: format!("{} {}", identity.page, identity.mark()),
        page: identity.page.to_string(),
        mark: identity.mark(),
        incident: incident.id.to_string(),
        drill: incident.drill,
        role: page.role.as_ref().map(ToString::to_string).unwrap_or_default(),
        role_name: page.role.as_ref().map(|role| incident.plan.called(role).to_owned()).unwrap_or_default(),
        state,
        body: fill(below(&rendered, action.as_ref()).to_owned()),
        headline: fill(rendered.headline),
        what: alarm.as_ref().map_or_else(|| summary_of(incident), |alarm| alarm.what.clone()),
        action_whole: action.as_ref().and_then(|action| action.whole.clone()),
        action: action.map(|action| action.line),
        ask: alarm.as_ref().map(|alarm| alarm.ask.clone()),
        otherwise: alarm.and_then(|alarm| alarm.otherwise),
        links: links(live, incident, page),
        holder: engagement.holder().map(|holder| live.name_of(holder).to_owned()),
        since: page.born_at,
        deadline: [engagement.deadline, until].into_iter().flatten().min(),
        until,
        priority: incident.plan.priority.into(),
        wanted: level.to_string(),
        offers: match (state, incident.request.as_ref().filter(|request| decides(incident, page, request))) {
            ("over", _) => Vec::new(),
            (state, Some(request)) => options(request, state == "open"),
            ("open", None) => offers(level, incident.drill),
            ("passed", None) => after_all(level),
            _ => Vec::new(),
        },
        repeat: incident.repeats().filter(|_| incident.decides(page)),
        standing: standing.words(),
        heard: heard.collect(),
        chosen: standing.chosen(),
    };
    (content, shown)
}

/// All words of a page on a desk, in their order.
fn words(rendered: &RenderedText, action: Option<&ActionText>, standing: &RoleStanding<'_>) -> String {
    let alarm = rendered.alarm.iter();
    let whole = action.and_then(|action| action.whole.clone());
    let alarm = alarm.flat_map(|alarm| [Some(&alarm.what), Some(&alarm.ask), alarm.otherwise.as_ref()]);
    let lines = alarm.flatten().cloned().chain(whole).chain([rendered.body.clone(), standing.words()]);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The text without what stands above it: its first line, and the line of the action.
pub fn below<'t>(rendered: &'t RenderedText, action: Option<&ActionText>) -> &'t str {
    let body = rendered.body.strip_prefix(&rendered.headline).unwrap_or(&rendered.body).trim_start();
    let line = action.map_or("", |action| action.line.as_str());
    body.strip_prefix(line).unwrap_or(body).trim_start()
}

/// The conversation, the runbook, and the room where it is talked about.
fn links(live: &RuntimeConfig, incident: &Incident, page: &Page) -> Vec<PageLink> {
    let runbook = live.runbook(incident).map(|url| PageLink { label: "Runbook", url });
    let room = |(channel, room): (&ChannelName, &WarRoom)| {
        live.channels.get(channel).filter(|active| active.sandboxed.is_none())?;
        let url = live.matrix.channel(channel)?.config.room_url(&room.id)?;
        Some(PageLink { label: "War room", url })
    };
    let handoff = incident.request.as_ref().filter(|request| request.handoff.is_some());
    let conversation =
        handoff.map(|_| PageLink { label: "Conversation", url: format!("/desk/conversations/{}", incident.id) });
    let form = |label| PageLink { label, url: format!("/desk/forms/{}", incident.id) };
    let change = incident.takes_changes() && incident.decides(page);
    let form = match incident.asks_for_a_form() {
        true => Some(form("Fill in the form")),
        false => change.then(|| form("Approve with changes")),
    };
    let links = form.into_iter().chain(conversation).chain(runbook);
    links.chain(incident.rooms.iter().filter_map(room)).collect()
}

/// The button for somebody who passed the role on or handed it back, and can take it after all.
pub fn after_all(level: AnswerLevel) -> Vec<AnswerButton> {
    vec![AnswerButton::plain(Answer::of_level(level).to_string(), AFTER_ALL, true)]
}

/// How the answer of an option's button begins; its name follows.
pub const OPTION: &str = "option ";

/// Whether the page offers the options of the request. A conversation is taken, and who was told because nobody answered
/// does not decide.
pub fn decides(incident: &Incident, page: &Page, request: &Request) -> bool {
    request.handoff.is_none() && incident.decides(page)
}

/// The buttons of a request: its options, and for whom its role waits, to pass it on. None stands out: nobody should press
/// without reading.
pub fn options(request: &Request, may_pass: bool) -> Vec<AnswerButton> {
    let option = |(letter, option): (char, &AskOption)| AnswerButton {
        letter: Some(letter),
        does: option.does.clone(),
        ..AnswerButton::plain(format!("{OPTION}{}", option.name), option.label.clone(), false)
    };
    let pass = || AnswerButton::plain(Answer::Unable.to_string(), Answer::Unable.label(), false);
    request.ask.lettered().map(option).chain(may_pass.then(pass)).collect()
}

/// The buttons for a role that requires `level`, the wanted one first.
pub fn offers(level: AnswerLevel, drill: bool) -> Vec<AnswerButton> {
    let offer = |(index, answer): (usize, Answer)| {
        let said = match answer {
            Answer::Standby { .. } => "standby".into(),
            other => other.to_string(),
        };
        AnswerButton::plain(said, level.button(answer, drill), index == 0)
    };
    level.offers().into_iter().enumerate().map(offer).collect()
}

fn board_row(live: &RuntimeConfig, incident: &Incident, person: &PersonName) -> BoardRow {
    // Nothing on the board depends on when it is looked at.
    let view = view::without_pages(live, incident, incident.last_at);
    let says = |role: &str| RoleStanding::of(live, incident, &role.into(), person).map(|standing| standing.short());
    let role = |role: view::RoleView| BoardRole {
        says: says(&role.role).unwrap_or_default(),
        name: incident.plan.called(&role.role.as_str().into()).to_owned(),
        role: role.role,
        state: role.state,
        deadline: role.deadline,
        tte_ms: role.tte_ms,
    };
    BoardRow {
        key: view.id.clone(),
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
