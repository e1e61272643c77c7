//! Mails that come back, as the site's mail server hands them over: answers, automatic replies, bounces.

use super::{App, answer_problem, body, control::Caller, desk::named, problem::Problem};
use crate::{
    channel::{
        sms::Reply,
        smtp::incoming::{self, Incoming, Meaning},
    },
    core::{Answer, Page, PersonName, Via, sentence::judged},
};
use axum::{
    Extension, Json,
    extract::{Request, State},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Said to those whose reply is no answer.
const HOW: &str = "Not understood, nothing was changed. Reply with one word as the first line: roger (received), wilco (I have it), \
     standby 3 (minutes), unable (pass it on).";

/// What became of a mail.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// In a word.
    pub fate: MailFate,
    /// In words, for the one who wrote it.
    pub text: String,
}

/// What became of a mail, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailFate {
    /// It was an answer.
    Answered,
    /// A human's words that are no answer: they must hear that.
    Unclear,
    /// Its human is away: the page is passed on.
    Away,
    /// It did not arrive.
    Bounced,
    /// Nothing of ours, or nothing that changes anything.
    Ignored,
}

/// `POST /v1/mail`: one mail, as it is.
pub async fn take(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Json<Told>, Problem> {
    caller.may_hand_in_mail()?;
    let raw = body::whole(request.into_body()).await?;
    let told = |fate, text: &str| Told { fate, text: text.to_owned() };
    let Some(incoming) = incoming::read(&raw) else {
        return Ok(Json(told(MailFate::Ignored, "it names no page")));
    };
    let Some(reader) = reader(&app, &incoming).await? else {
        tracing::warn!(page.id = %incoming.page, "a mail about this page has no good token: it is ignored");
        return Ok(Json(told(MailFate::Ignored, "it names no page")));
    };
    if let Meaning::Bounced(status) = &incoming.meaning {
        let why = format!("the mail came back ({status})");
        app.engine.undelivered(incoming.page, why).await?;
        return Ok(Json(told(MailFate::Bounced, "noted")));
    }
    if !is_from(&app, &incoming, &reader) {
        tracing::warn!(page.id = %incoming.page, "a reply to this page is from somebody else's mailbox: it is ignored");
        return Ok(Json(told(MailFate::Ignored, "it is not from the mailbox that was written to")));
    }
    said(&app, incoming, reader).await.map(Json)
}

async fn said(app: &App, incoming: Incoming, reader: PersonName) -> Result<Told, Problem> {
    // A code of another page is none of this one's.
    let own = match &incoming.meaning {
        Meaning::Said(Reply::Said { code: Some(code), .. }) => app.engine.is_code(incoming.page, code).await?,
        _ => true,
    };
    let (answer, fate) = match incoming.meaning {
        // A word, and no code of another page: a number on the first line is no answer, and nor is a bare "ok".
        Meaning::Said(Reply::Said { answer: Some(answer), .. }) if own => (Some(answer), MailFate::Answered),
        Meaning::Away => (Some(Answer::Unable), MailFate::Away),
        // To leave a list of mails is no word about a crisis.
        Meaning::Said(_) => {
            return Ok(Told { fate: MailFate::Unclear, text: HOW.to_owned() });
        }
        Meaning::Nothing | Meaning::Bounced(_) => {
            return Ok(Told { fate: MailFate::Ignored, text: "it changes nothing".to_owned() });
        }
    };
    let verdict = app.engine.answer_page(incoming.page, reader, answer, Via::Mail).await.map_err(answer_problem)?;
    let word = judged(&named(&app.engine.live.load(), verdict));
    Ok(Told { fate, text: format!("{}: {word}", incoming.page.incident) })
}

/// Whose page it is, where the mail proves that it knows the page's own message id.
async fn reader(app: &App, incoming: &Incoming) -> Result<Option<PersonName>, Problem> {
    if !app.engine.is_mail_token(incoming.page, &incoming.token).await? {
        return Ok(None);
    }
    let incident = app.engine.store.view(incoming.page.incident).await?;
    let page = incident.as_ref().and_then(|incident| incident.pages.get(&incoming.page.n));
    let brief = page.filter(|page: &&Arc<Page>| page.purpose.is_brief() || incoming.is_bounce());
    Ok(brief.and_then(|page| page.person.clone()))
}

/// A page that was forwarded is answered by its reader alone.
fn is_from(app: &App, incoming: &Incoming, reader: &PersonName) -> bool {
    let live = app.engine.live.load();
    let mailbox = live.matrix.people.get(reader).and_then(|person| person.email.as_deref());
    mailbox.is_some_and(|mailbox| mailbox.eq_ignore_ascii_case(&incoming.from))
}
