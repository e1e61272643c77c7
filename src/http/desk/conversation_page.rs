//! What the pages about conversations show: the queue of a person, and one conversation for one of those who were asked.

use crate::{
    core::{
        HandoffState, Incident, Packet, PersonName, Timestamp, Zone, display_names::IncidentNames, handoff::NOTE_MAX,
        packet::PacketTurn, request::Request as AskedRequest, sentence::ended_request,
    },
    engine::RuntimeConfig,
};
use serde::Serialize;

/// How much of what the user said last stands on top, in characters; the whole is in the transcript.
const LAST_MAX: usize = 240;

/// What waits for one person.
#[derive(Serialize)]
pub struct QueuePage<'a> {
    waiting: Vec<QueueLine>,
    mine: Vec<QueueLine>,
    taken: Vec<QueueLine>,
    /// When it was made, so that a script knows how wrong its own clock is.
    now: Timestamp,
    #[serde(skip)]
    reader: Reader<'a>,
}

#[derive(Serialize)]
struct QueueLine {
    id: String,
    drill: bool,
    role: String,
    reason: String,
    since: String,
    /// Until when the user waits.
    until: Option<Until>,
    /// Who has it, if somebody does.
    holder: Option<String>,
    since_us: i64,
}

/// A deadline, and how much time was left when the page was made.
#[derive(Serialize)]
struct Until {
    at: Timestamp,
    clock: String,
    left: String,
    now: String,
}

/// One conversation in full.
#[derive(Serialize)]
pub struct ConversationPage {
    id: String,
    drill: bool,
    /// The token of the session, which a press must have.
    pub csrf: String,
    /// What a press led to.
    pub notice: String,
    /// A note that was not taken, so that nobody writes it twice.
    pub note: String,
    role: String,
    reason: String,
    /// Where it stands, in words.
    standing: String,
    until: Option<Until>,
    can_take: bool,
    can_pass: bool,
    is_theirs: bool,
    is_connected: bool,
    is_over: bool,
    is_erased: bool,
    declined: Vec<PassedOn>,
    /// The language of the user, as a tag of HTML.
    lang: Option<String>,
    /// What the user said last, and whether it is cut.
    last: Option<LastWords>,
    packet: Option<Packet>,
    turns: Vec<Turn>,
    /// What the reader's clock is called.
    zone: String,
    note_max: usize,
    /// Another one means that something else is to be read or done.
    version: String,
    now: Timestamp,
}

#[derive(Serialize)]
struct PassedOn {
    who: String,
    why: String,
    at: String,
}

#[derive(Serialize)]
struct LastWords {
    text: String,
    is_cut: bool,
}

#[derive(Serialize)]
struct Turn {
    who: String,
    text: String,
    at: Option<String>,
    /// How sure the machine was, in percent.
    sure: Option<u64>,
    is_user: bool,
    /// Whether it is what the user said last.
    is_last: bool,
}

/// Who reads, and by which clock.
struct Reader<'a> {
    live: &'a RuntimeConfig,
    person: &'a PersonName,
    zone: Zone,
    now: Timestamp,
}

impl<'a> QueuePage<'a> {
    /// An empty one.
    pub fn of(live: &'a RuntimeConfig, person: &'a PersonName, now: Timestamp) -> Self {
        let reader = Reader::of(live, person, now);
        Self { waiting: Vec::new(), mine: Vec::new(), taken: Vec::new(), now, reader }
    }

    /// Adds an incident, if it is a handoff that its person was asked for.
    pub fn add(&mut self, incident: &Incident) {
        let Some((request, _)) = handoff_of(incident, self.reader.person) else { return };
        let line = self.reader.line(incident, request);
        match request.handoff.as_ref().and_then(|progress| progress.taken.as_ref()) {
            None => self.waiting.push(line),
            Some(taken) if taken.person == *self.reader.person => self.mine.push(line),
            Some(_) => self.taken.push(line),
        }
    }

    /// Puts who has waited longest first.
    pub fn sort(&mut self) {
        for lines in [&mut self.waiting, &mut self.mine, &mut self.taken] {
            lines.sort_by_key(|line| line.since_us);
        }
    }
}

/// The request and state of a handoff that this person was asked for.
pub fn handoff_of<'a>(incident: &'a Incident, person: &PersonName) -> Option<(&'a AskedRequest, HandoffState)> {
    let request = incident.request.as_deref().filter(|_| incident.has_asked(person))?;
    Some((request, request.handoff_state()?))
}

impl ConversationPage {
    /// What this person reads; `None` if it is no handoff that they were asked for.
    pub fn of(
        live: &RuntimeConfig,
        incident: &Incident,
        person: &PersonName,
        packet: Option<Packet>,
        now: Timestamp,
    ) -> Option<Self> {
        let (request, state) = handoff_of(incident, person)?;
        let reader = Reader::of(live, person, now);
        let progress = request.handoff.as_ref();
        let taken = progress.and_then(|progress| progress.taken.as_ref());
        let is_over = request.outcome().is_some();
        let waits = state == HandoffState::Offered;
        let passed = incident.engagements.values().filter(|e| e.is_open()).any(|e| e.unable.contains(person));
        let declined = progress.into_iter().flat_map(|progress| &progress.declined).map(|declined| PassedOn {
            who: live.name_of(&declined.person).to_owned(),
            why: declined.why.clone(),
            at: reader.clock(declined.at),
        });
        let since = progress.map_or(incident.opened_at, |progress| progress.since);
        let declines = progress.map_or(0, |progress| progress.declined.len());
        Some(Self {
            id: incident.id.to_string(),
            drill: incident.drill,
            csrf: String::new(),
            notice: String::new(),
            note: String::new(),
            role: role(incident),
            reason: reason(request),
            standing: reader.standing(incident, request, state),
            until: request.deadline().map(|at| reader.until(at)),
            can_take: waits,
            can_pass: waits && !passed,
            is_theirs: !is_over && taken.is_some_and(|taken| taken.person == *person),
            is_connected: state == HandoffState::Connected,
            is_over,
            is_erased: progress.is_some_and(|progress| progress.erased_at.is_some()),
            declined: declined.collect(),
            lang: packet.as_ref().and_then(|packet| language(packet.locale())),
            last: packet.as_ref().and_then(last_words),
            turns: packet.as_ref().map(|packet| reader.turns(packet)).unwrap_or_default(),
            packet,
            zone: now.to_utc().with_timezone(&reader.zone).format("%Z").to_string(),
            note_max: NOTE_MAX,
            version: format!("{}.{}.{declines}", state.as_str(), since.as_micros()),
            now,
        })
    }
}

impl<'a> Reader<'a> {
    fn of(live: &'a RuntimeConfig, person: &'a PersonName, now: Timestamp) -> Self {
        let zone = live.matrix.people.get(person).map_or_else(|| live.matrix.daemon.zone(), |known| known.zone.clone());
        Self { live, person, zone, now }
    }

    /// `14:05:09 CET`, as the reader's clock shows it.
    fn clock(&self, at: Timestamp) -> String {
        at.to_utc().with_timezone(&self.zone).format("%H:%M:%S %Z").to_string()
    }

    fn until(&self, at: Timestamp) -> Until {
        let now = self.now.to_utc().with_timezone(&self.zone).format("%H:%M:%S").to_string();
        Until { at, clock: self.clock(at), left: countdown(at.since(self.now).as_secs()), now }
    }

    fn turns(&self, packet: &Packet) -> Vec<Turn> {
        let mut turns: Vec<Turn> = packet.transcript.iter().map(|turn| self.turn(turn)).collect();
        if let Some(turn) = turns.iter_mut().rev().find(|turn| turn.is_user) {
            turn.is_last = true;
        }
        turns
    }

    /// A turn of the transcript, whose head names the zone; with its day, unless that is today.
    fn turn(&self, turn: &PacketTurn) -> Turn {
        let local = |at: Timestamp| at.to_utc().with_timezone(&self.zone);
        let at = turn.at.map(|at| {
            let is_today = local(at).date_naive() == local(self.now).date_naive();
            local(at).format(if is_today { "%H:%M:%S" } else { "%-d %b %Y %H:%M:%S" }).to_string()
        });
        Turn {
            is_user: is_user(turn),
            is_last: false,
            who: turn.who.clone(),
            text: turn.text.clone(),
            at,
            sure: turn.confidence.map(|confidence| (confidence.clamp(0.0, 1.0) * 100.0).round() as u64),
        }
    }

    fn standing(&self, incident: &Incident, request: &AskedRequest, state: HandoffState) -> String {
        if let Some((outcome, at)) = &request.ended {
            let names = IncidentNames { plan: &incident.plan, people: &self.live.names };
            return format!("It ended at {}: {}.", self.clock(*at), ended_request(outcome, &names));
        }
        let since = self.clock(request.handoff.as_ref().map_or(incident.opened_at, |progress| progress.since));
        let taken = request.handoff.as_ref().and_then(|progress| progress.taken.as_ref());
        let who = match taken {
            Some(taken) if taken.person == *self.person => "You have",
            Some(taken) => return format!("{} has it since {since}.", self.live.name_of(&taken.person)),
            None => return format!("A user waits since {since}."),
        };
        match state {
            HandoffState::Connected => format!("{who} it, and speak to the user since {since}."),
            _ => format!("{who} it since {since}. The user is told that you are reading it."),
        }
    }

    fn line(&self, incident: &Incident, request: &AskedRequest) -> QueueLine {
        let progress = request.handoff.as_ref();
        let since = progress.map_or(incident.opened_at, |progress| progress.since);
        let taken = progress.and_then(|progress| progress.taken.as_ref());
        QueueLine {
            id: incident.id.to_string(),
            drill: incident.drill,
            role: role(incident),
            reason: reason(request),
            since: self.clock(since),
            until: request.deadline().map(|at| self.until(at)),
            since_us: since.as_micros(),
            holder: taken.map(|taken| self.live.name_of(&taken.person).to_owned()),
        }
    }
}

fn role(incident: &Incident) -> String {
    incident.plan.required.first().map_or(String::new(), |role| incident.plan.called(role).to_owned())
}

fn reason(request: &AskedRequest) -> String {
    request.ask.handoff.as_ref().map_or(String::new(), |terms| terms.reason.text.clone())
}

fn is_user(turn: &PacketTurn) -> bool {
    turn.who == "user"
}

fn last_words(packet: &Packet) -> Option<LastWords> {
    let said = &packet.transcript.iter().rev().find(|turn| is_user(turn))?.text;
    let text: String = said.chars().take(LAST_MAX).collect();
    let is_cut = text.len() < said.len();
    Some(LastWords { text: if is_cut { text + "…" } else { text }, is_cut })
}

/// A locale as a tag of a language, `de-CH`; `None` if it is none, which readers for the blind would stumble over.
fn language(locale: &str) -> Option<String> {
    let tag = locale.replace('_', "-");
    let mut parts = tag.split('-');
    let first = parts.next().is_some_and(|part| matches!(part.len(), 2 | 3) && is_word(part, u8::is_ascii_alphabetic));
    (first && parts.all(|part| (2..=8).contains(&part.len()) && is_word(part, u8::is_ascii_alphanumeric)))
        .then_some(tag)
}

fn is_word(part: &str, letter: fn(&u8) -> bool) -> bool {
    part.bytes().all(|byte| letter(&byte))
}

/// `4:09` or `1:04:09`.
fn countdown(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_that_is_no_language_is_no_tag() {
        for (locale, tag) in [("de", Some("de")), ("de_CH", Some("de-CH")), ("zh-Hant-TW", Some("zh-Hant-TW"))] {
            assert_eq!(language(locale).as_deref(), tag);
        }
        for none in ["", "german, I think", "d", "de-", "1a", "de-x\"y"] {
            assert_eq!(language(none), None, "{none}");
        }
    }

    #[test]
    fn a_countdown_is_read_as_one() {
        assert_eq!([0, 9, 249, 3849].map(countdown), ["0:00", "0:09", "4:09", "1:04:09"]);
    }
}
