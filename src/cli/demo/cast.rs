//! The people in the demo. Each answers through a real way: the desk, a link in a mail, an SMS with its code. The
//! viewer at the keyboard may be faster.

use crate::{
    channel::contact::PHONE,
    cli::error::CliError,
    core::{Incident, Page, PageId, PersonName, RoleName, StepTarget},
    engine::keys::{DESK_LINK_LIFE, SESSION_LIFE},
    http::state::AppState,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// When the person for each role answers after being paged: fast enough to watch, slow enough to read.
const SCRIPT: [(&str, AnswerMode, Duration); 4] = [
    ("it", AnswerMode::Desk, Duration::from_secs(3)),
    ("compliance", AnswerMode::MailLink, Duration::from_secs(5)),
    ("head-of-desk", AnswerMode::Sms, Duration::from_secs(4)),
    ("catch-all", AnswerMode::Sms, Duration::from_secs(3)),
];

#[derive(Debug, Clone, Copy)]
enum AnswerMode {
    Desk,
    MailLink,
    Sms,
}

/// Everybody who can answer.
pub struct DemoCast {
    pub app: Arc<AppState>,
    pub base: String,
    pub attended: bool,
    pub token: SecretString,
    hook: SecretString,
    http: reqwest::Client,
}

impl DemoCast {
    pub fn new(app: Arc<AppState>, base: String, token: SecretString, hook: SecretString, attended: bool) -> Self {
        Self { http: app.client.clone(), app, base, attended, token, hook }
    }

    /// The person who is paged first for a role.
    pub fn on_call(&self, role: &str) -> Option<PersonName> {
        let live = self.app.engine.config();
        let row = live.matrix.roles.get(&RoleName::from(role))?;
        let whom: &[StepTarget] = row.steps.first().map_or(&[], |step| step.page.as_slice());
        live.matrix.roster.resolve(whom, self.app.engine.time().civil).into_iter().next()
    }

    pub fn name(&self, person: &PersonName) -> String {
        self.app.engine.config().name_of(person).to_owned()
    }

    pub fn desk_link(&self, person: &PersonName) -> String {
        let until = self.app.engine.now() + DESK_LINK_LIFE;
        format!("{}/desk/login?t={}", self.base, self.app.engine.keys().sign_in(person, until).expose_secret())
    }

    /// Posts an alert as the monitor would.
    pub async fn send(&self, alert: &Value) -> Result<Value, CliError> {
        let request = self.http.post(format!("{}/v1/alerts", self.base)).header("authorization", bearer(&self.token));
        let response = request.json(alert).send().await?.error_for_status()?;
        Ok(response.json().await?)
    }

    /// Lets the people answer whose time has come; returns when the next one is due.
    pub async fn act(&self, incident: &Incident, acted: &mut Vec<&'static str>) -> Result<Duration, CliError> {
        let now = self.app.engine.now();
        let mut next = Duration::from_millis(500);
        for (role, mode, after) in SCRIPT {
            let name = RoleName::from(role);
            let open = incident.engagements.get(&name).is_some_and(|engagement| engagement.is_open());
            let Some(first) = incident.briefs_of(&name).next().filter(|_| open && !acted.contains(&role)) else {
                continue;
            };
            let due = first.born_at + after;
            if due <= now {
                acted.push(role);
                self.answer(incident, &name, mode).await?;
            } else {
                next = next.min(due.since(now));
            }
        }
        Ok(next.max(Duration::from_millis(20)))
    }

    /// The viewer answers for a role at the desk.
    pub async fn press(&self, incident: &Incident, role: &'static str) -> Result<String, CliError> {
        let role = RoleName::from(role);
        match incident.briefs_of(&role).next() {
            Some(page) => self.by_desk(incident, page).await,
            None => Ok(format!("nobody was paged for {role} yet")),
        }
    }

    async fn answer(&self, incident: &Incident, role: &RoleName, mode: AnswerMode) -> Result<(), CliError> {
        let Some(page) = incident.briefs_of(role).find(|page| self.suits(page, mode)) else { return Ok(()) };
        match mode {
            AnswerMode::Desk => self.by_desk(incident, page).await.map(drop),
            AnswerMode::MailLink => self.by_mail(incident, page).await,
            AnswerMode::Sms => self.by_sms(incident, page, None).await.map(drop),
        }
    }

    fn suits(&self, page: &Page, mode: AnswerMode) -> bool {
        let live = self.app.engine.config();
        let kind = live.channels.get(&page.channel).map(|wired| wired.kind.as_str());
        match mode {
            AnswerMode::Desk => kind == Some("screen"),
            AnswerMode::MailLink => kind == Some("smtp"),
            AnswerMode::Sms => kind == Some("kannel"),
        }
    }

    async fn by_desk(&self, incident: &Incident, page: &Page) -> Result<String, CliError> {
        let Some(person) = &page.person else { return Ok(String::new()) };
        let keys = &self.app.engine.keys();
        let session = keys.session(person, self.app.engine.now() + SESSION_LIFE);
        let answer = crate::engine::asked_of(incident, page.n).to_string();
        let body = json!({ "page": PageId { incident: incident.id, n: page.n }.to_string(), "answer": answer });
        let request = self
            .http
            .post(format!("{}/desk/answer", self.base))
            .header("cookie", format!("{}={}", crate::http::credential::COOKIE, session.expose_secret()))
            .header("x-stentor-csrf", keys.csrf(session.expose_secret()).expose_secret());
        let verdict: Value = request.json(&body).send().await?.error_for_status()?.json().await?;
        Ok(verdict["text"].as_str().unwrap_or_default().to_owned())
    }

    async fn by_mail(&self, incident: &Incident, page: &Page) -> Result<(), CliError> {
        let id = PageId { incident: incident.id, n: page.n };
        let mails = self.app.outbox.recent();
        let Some(link) = mails.into_iter().find(|entry| entry.page == id).and_then(|entry| entry.link) else {
            return Ok(());
        };
        let answer = crate::engine::asked_of(incident, page.n).to_string();
        self.http.post(link).form(&[("answer", answer)]).send().await?.error_for_status()?;
        Ok(())
    }

    /// Whether its text, with its code, has gone out.
    pub fn has_code(&self, incident: &Incident, page: &Page) -> bool {
        self.code(incident, page).is_some()
    }

    fn code(&self, incident: &Incident, page: &Page) -> Option<String> {
        let id = PageId { incident: incident.id, n: page.n };
        self.app.outbox.recent().into_iter().find(|entry| entry.page == id).and_then(|entry| entry.code)
    }

    /// Answers a page by SMS, with the letter of an option where it asks for one; returns what comes back.
    pub async fn by_sms(&self, incident: &Incident, page: &Page, letter: Option<char>) -> Result<String, CliError> {
        let live = self.app.engine.config();
        let phone = page.person.as_ref().and_then(|person| Some(live.contact(person)?.get(PHONE)?.to_owned()));
        let (Some(code), Some(phone)) = (self.code(incident, page), phone) else { return Ok(String::new()) };
        let text = letter.map_or_else(|| code.clone(), |letter| format!("{code} {letter}"));
        let query = [("token", self.hook.expose_secret()), ("from", phone.as_str()), ("text", text.as_str())];
        let url = reqwest::Url::parse_with_params(&format!("{}/hooks/kannel/{}", self.base, page.channel), query)?;
        Ok(self.http.get(url).send().await?.error_for_status()?.text().await?)
    }
}

/// A secret, for a header.
pub fn bearer(token: &SecretString) -> String {
    format!("Bearer {}", token.expose_secret())
}
