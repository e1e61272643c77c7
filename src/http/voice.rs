//! Calls by Twilio: the text, and the meaning of the keys. Only the keys for answers count: picking up, a voicemail,
//! silence and all other keys are not answers.

use crate::{
    channel::{inbound::CallTurnRequest, twilio::twiml},
    core::{
        Answer, AnswerLevel, AnswerVerdict, AnswerVia, Ask, AskOption, Incident, NamedOption, Page, PageId,
        display_names::IncidentNames,
        sentence::{chosen, ended_request},
    },
    http::{
        desk::standing::{RoleStanding, verdict_text},
        problem::ProblemDetails,
        state::AppState,
    },
    text::speech::{digits, spoken},
};
use std::sync::{Arc, Mutex, PoisonError};

/// How often one call asks before it ends.
pub const TURNS_MAX: u32 = 5;

/// The keys for a role that must be taken, the wanted one first.
const KEYS_WILCO: &str = "Press 2 to take it. Press 1 if you only received it. Press 3 for two more minutes. \
                          Press 4 to pass it on. Press 0 to hear it again.";

/// The keys for a role that must only confirm.
const KEYS_ROGER: &str = "Press 1 to confirm that you received it. Press 2 to take it. Press 3 for two more minutes. \
                          Press 4 to pass it on. Press 0 to hear it again.";

/// The keys of the options of a request: those of the answers mean the same in each call.
const OPTION_KEYS: [char; 5] = ['5', '6', '7', '8', '9'];

/// The other keys while a request is open.
const KEYS_BESIDE: &str = "Press 3 for two more minutes. Press 4 to pass it on. Press 0 to hear it again.";

/// Said of a form: no key can fill it in.
const NO_KEYS: &str = "No key answers this: fill in the form on your desk, or by the link in your mail.";

/// Said of a request with more options than keys.
const TOO_MANY: &str = "There are more options than keys: choose on the desk, by mail or by text message.";

/// Said of a request of which something must be repeated: keys are pressed without reading.
const TO_REPEAT: &str = "This can not be decided by keys: choose on the desk, by mail or by text message.";

/// The keys for the person who has the role.
const KEYS_HELD: &str = "Press 4 to hand it back, or hang up to keep it.";

const NO_ANSWER: &str = "That key is not an answer.";

const GOODBYE: &str = "Goodbye.";

/// Said if no valid key was pressed.
const GIVEN_UP: &str = "No answer was heard, so others are asked. Goodbye.";

/// The next turn of a call about this page, as TwiML. `address` is this turn's.
pub async fn next(
    app: &AppState,
    page: PageId,
    address: &str,
    request: &CallTurnRequest,
) -> Result<String, ProblemDetails> {
    let script = CallTurn::of(app, page, address, request.turn).await?;
    let answer = script.next(&request.key, &request.call).await?;
    if let Some(person) = &script.page.person {
        let told = script.words.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
        app.engine.inbound().keep_exchange(person, AnswerVia::Voice, &request.key, &told).await;
    }
    Ok(answer)
}

/// One turn of a call about a page.
struct CallTurn<'a> {
    app: &'a AppState,
    incident: Arc<Incident>,
    page: Arc<Page>,
    /// This turn's address.
    address: &'a str,
    turn: u32,
    /// What the person hears.
    words: Mutex<Vec<String>>,
}

impl<'a> CallTurn<'a> {
    async fn of(app: &'a AppState, page: PageId, address: &'a str, turn: u32) -> Result<Self, ProblemDetails> {
        let incident = app.engine.reads().view(page.incident).await?;
        let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n).cloned());
        let (Some(incident), Some(page)) = (incident, row) else {
            return Err(ProblemDetails::not_found("no such page"));
        };
        Ok(Self { app, incident, page, address, turn, words: Mutex::default() })
    }

    async fn next(&self, key: &str, call: &str) -> Result<String, ProblemDetails> {
        if !self.page.purpose.is_brief() {
            let text = self.text().await?;
            return Ok(self.tell(&[&text, &text, GOODBYE]));
        }
        match key {
            "1" | "2" | "3" | "4" if 0 < self.turn => {
                // A repeated request does not become a second answer.
                let once = format!("{call}/{}/{key}", self.turn);
                let said = self.app.answered.once(once, async || self.answered(key).await).await?;
                // While the first of two requests is in progress, the second gets the current state.
                if said.is_empty() { self.asks("").await } else { Ok(said) }
            }
            key if 0 < self.turn && self.option(key).is_some() => {
                let once = format!("{call}/{}/{key}", self.turn);
                let said = self.app.answered.once(once, async || self.chosen(key).await).await?;
                if said.is_empty() { self.asks("").await } else { Ok(said) }
            }
            _ => self.asks(key).await,
        }
    }

    /// The request, while it is open, if this person can decide it.
    fn asked(&self) -> Option<&Ask> {
        let request = self.incident.request.as_deref()?;
        (request.outcome().is_none() && self.incident.decides(&self.page)).then_some(&request.ask)
    }

    /// The option with this key.
    fn option(&self, key: &str) -> Option<&AskOption> {
        let ask = self.asked().filter(|ask| ask.options.len() <= OPTION_KEYS.len() && ask.read_back.is_none())?;
        let nth = OPTION_KEYS.iter().position(|own| key.chars().eq([*own]))?;
        ask.options.get(nth)
    }

    async fn chosen(&self, key: &str) -> Result<String, ProblemDetails> {
        let person = self.page.person.clone().ok_or_else(|| ProblemDetails::not_found("no such page"))?;
        let option = self.option(key).ok_or_else(|| ProblemDetails::not_found("no such option"))?.name.clone();
        let page = PageId { incident: self.incident.id, n: self.page.n };
        let said = NamedOption { option, repeated: None };
        let verdict = self.app.engine.inbound().choose_on_page(page, &person, said, AnswerVia::Voice).await;
        let verdict = verdict.map_err(crate::http::problem::answer_problem)?;
        Ok(self.tell(&[&format!("{}: {}", self.name(), spoken(&chosen(&verdict))), GOODBYE]))
    }

    /// Asks, unless somebody has taken the role meanwhile or the call has asked often enough.
    async fn asks(&self, key: &str) -> Result<String, ProblemDetails> {
        if let Some(over) = self.over() {
            return Ok(match key {
                // A person who has the role and presses nothing keeps it.
                "" if 0 < self.turn => self.tell(&[&over, GOODBYE]),
                _ if self.is_theirs(&self.incident) && self.turn < TURNS_MAX => self.ask(&[&over, KEYS_HELD]),
                _ => self.tell(&[&over, GOODBYE]),
            });
        }
        if TURNS_MAX <= self.turn {
            return Ok(self.tell(&[GIVEN_UP]));
        }
        let text = self.text().await?;
        Ok(match (self.turn, key) {
            (0, _) => self.ask(&[&text, &text, &self.keys()]),
            (_, "" | "0") => self.ask(&[&text, &self.keys()]),
            _ => self.ask(&[NO_ANSWER, &self.keys()]),
        })
    }

    async fn answered(&self, key: &str) -> Result<String, ProblemDetails> {
        let answer: Answer = key.parse().map_err(|error| ProblemDetails::bad(format!("{error}")))?;
        let person = self.page.person.clone().ok_or_else(|| ProblemDetails::not_found("no such page"))?;
        let page = PageId { incident: self.incident.id, n: self.page.n };
        let verdict = self.app.engine.inbound().answer_page(page, person.clone(), Some(answer), AnswerVia::Voice).await;
        let verdict = verdict.map_err(crate::http::problem::answer_problem)?;
        let more = matches!(verdict, AnswerVerdict::Received | AnswerVerdict::StandbyRefused);
        let now = self.app.engine.reads().view(self.incident.id).await?.unwrap_or_else(|| self.incident.clone());
        let word = spoken(&verdict_text(&self.app.engine.config(), Some(&now), &person, verdict, ""));
        let word = format!("{}: {word}", self.name());
        Ok(match self.turn + 1 < TURNS_MAX {
            true if self.is_theirs(&now) => self.ask(&[&word, KEYS_HELD]),
            true if more => self.ask(&[&word, &self.keys()]),
            _ => self.tell(&[&word, GOODBYE]),
        })
    }

    /// Whether this person has the page's role.
    fn is_theirs(&self, incident: &Incident) -> bool {
        let (Some(role), Some(person)) = (&self.page.role, &self.page.person) else { return false };
        let live = self.app.engine.config();
        RoleStanding::of(&live, incident, role, person).is_some_and(|standing| standing.is_theirs())
    }

    /// Why nobody needs to be asked any more, if that is so.
    fn over(&self) -> Option<String> {
        let engagement = self.page.role.as_ref().and_then(|role| self.incident.engagements.get(role));
        if self.incident.is_open() && engagement.is_some_and(|engagement| engagement.is_open()) {
            return None;
        }
        let live = self.app.engine.config();
        if let Some(outcome) = self.incident.request.as_ref().and_then(|request| request.outcome()) {
            let names = IncidentNames { plan: &self.incident.plan, people: &live.names };
            return Some(format!("{}: {}", self.name(), spoken(&ended_request(outcome, &names))));
        }
        let why = match engagement.and_then(|engagement| engagement.holder()) {
            Some(holder) if Some(holder) == self.page.person.as_ref() => "You have it.".to_owned(),
            Some(holder) => format!("{} has it. No answer is needed any more.", live.name_of(holder)),
            None => "This is over. No answer is needed any more.".to_owned(),
        };
        Some(format!("{}. {}", self.name(), spoken(&why)))
    }

    /// The text for this person: the one that was kept when the call was created.
    async fn text(&self) -> Result<String, ProblemDetails> {
        Ok(self.app.engine.delivery().said(&self.incident, &self.page).await?)
    }

    /// The spoken name of the incident: `LIVE incident 4 2`.
    fn name(&self) -> String {
        let word = if self.incident.drill { "DRILL" } else { "LIVE" };
        format!("{word} incident {}", digits(&self.incident.id.to_string()))
    }

    fn keys(&self) -> String {
        if let Some(ask) = self.asked() {
            return format!("{} {KEYS_BESIDE}", option_keys(ask));
        }
        let row = self.page.role.as_ref().and_then(|role| self.incident.plan.roles.get(role));
        match row.map_or(AnswerLevel::Wilco, |row| row.engaged_by) {
            AnswerLevel::Wilco => KEYS_WILCO.to_owned(),
            AnswerLevel::Roger => KEYS_ROGER.to_owned(),
        }
    }

    /// Asks these lines; the next turn's address is this one's with the next number.
    fn ask(&self, lines: &[&str]) -> String {
        self.hears(lines);
        let (now, next) = (format!("turn={}", self.turn), format!("turn={}", self.turn + 1));
        let at = self.address.rfind(&now).unwrap_or(self.address.len());
        twiml::ask(lines, &format!("{}{next}", &self.address[..at]))
    }

    /// Says these lines and ends the call.
    fn tell(&self, lines: &[&str]) -> String {
        self.hears(lines);
        twiml::tell(lines)
    }

    fn hears(&self, lines: &[&str]) {
        let heard = lines.iter().map(|line| (*line).to_owned());
        self.words.lock().unwrap_or_else(PoisonError::into_inner).extend(heard);
    }
}

/// Each option with its key and what it does.
fn option_keys(ask: &Ask) -> String {
    if ask.needs_a_form() {
        return NO_KEYS.to_owned();
    }
    if ask.read_back.is_some() {
        return TO_REPEAT.to_owned();
    }
    if OPTION_KEYS.len() < ask.options.len() {
        return TOO_MANY.to_owned();
    }
    let key = |(key, option): (&char, &AskOption)| {
        let does = option.does.as_ref().map(|does| format!(": {}", does.trim_end_matches('.'))).unwrap_or_default();
        spoken(&format!("Press {key} for {}{does}", option.label))
    };
    OPTION_KEYS.iter().zip(&ask.options).map(key).collect::<Vec<_>>().join(" ")
}
