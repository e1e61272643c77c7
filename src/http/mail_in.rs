//! Mails that come back, as the site's mail server hands them over: answers, automatic replies, bounces.

use crate::{
    channel::smtp::incoming::{self, IncomingMail, MailMeaning},
    core::{Answer, AnswerVia, Page, PersonName},
    http::{
        body,
        caller::UnixCaller,
        desk::standing::told,
        problem::{ProblemDetails, answer_problem},
        state::AppState,
    },
    text::reply::{Reply, ReplyDoubt},
};
use axum::{
    Extension, Json,
    extract::{Request, State},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Said to those whose reply is no answer, behind what was not understood.
const HOW: &str = "Nothing was changed. Reply with one word as the first line: roger (received), wilco (I have it), \
     standby 3 (minutes), unable (pass it on).";

/// Said where the page is one that this daemon never sent.
const ELSEWHERE: &str =
    "this mail answers a page of another Stentor, which alone can take it: the mail server is to keep it";

/// Said to those whose reply comes when nothing of its page is kept any more.
const GONE: &str =
    "Nothing was changed: the page that you answer is not kept any more. Call whoever may be waiting for you.";

/// What became of a mail.
#[derive(Debug, Serialize, Deserialize)]
pub struct MailResult {
    /// In a word.
    pub outcome: MailOutcome,
    /// In words, for the one who wrote it.
    pub text: String,
}

/// What became of a mail, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailOutcome {
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
    /// It is about a page of another installation: only that one can take it.
    Elsewhere,
}

/// `POST /v1/mail`: one mail, as it is.
pub async fn take(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    request: Request,
) -> Result<Json<MailResult>, ProblemDetails> {
    caller.may_hand_in_mail()?;
    let raw = body::whole(request.into_body()).await?;
    let mail_result = |outcome, text: &str| MailResult { outcome, text: text.to_owned() };
    let live = app.engine.config();
    let name_of = |mailbox: &str| {
        let mut people = live.matrix.people.values();
        people.find(|person| person.email.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(mailbox)))
    };
    let Some(incoming) = incoming::read(&raw, |mailbox| name_of(mailbox).map(|person| person.name.clone())) else {
        return Ok(Json(mail_result(MailOutcome::Ignored, "it names no page")));
    };
    let reader = match proven(&app, &incoming).await? {
        MailProof::Reader(reader) => reader,
        MailProof::Elsewhere if incoming.meaning == MailMeaning::Nothing => {
            return Ok(Json(mail_result(MailOutcome::Ignored, "it changes nothing")));
        }
        MailProof::Elsewhere => {
            tracing::error!(page.id = %incoming.page, "a mail about a page of another installation came here: its server is to keep it");
            return Ok(Json(mail_result(MailOutcome::Elsewhere, ELSEWHERE)));
        }
        MailProof::Gone if matches!(incoming.meaning, MailMeaning::Said(_)) => {
            tracing::warn!(page.id = %incoming.page, "a reply to this page came, which is not kept any more: it is returned");
            return Ok(Json(mail_result(MailOutcome::Unclear, GONE)));
        }
        MailProof::Gone => return Ok(Json(mail_result(MailOutcome::Ignored, "its page is not kept any more"))),
        MailProof::Nothing => {
            tracing::warn!(page.id = %incoming.page, "a mail about this page has no good token: it is ignored");
            return Ok(Json(mail_result(MailOutcome::Ignored, "it names no page")));
        }
    };
    if let MailMeaning::Bounced(status) = &incoming.meaning {
        let why = format!("the mail came back ({status})");
        app.engine.inbound().undelivered(incoming.page, why).await?;
        return Ok(Json(mail_result(MailOutcome::Bounced, "noted")));
    }
    if !is_from(&app, &incoming, &reader) {
        tracing::warn!(page.id = %incoming.page, "a reply to this page is from somebody else's mailbox: it is ignored");
        return Ok(Json(mail_result(MailOutcome::Ignored, "it is not from the mailbox that was written to")));
    }
    said(&app, incoming, reader).await.map(Json)
}

async fn said(app: &AppState, incoming: IncomingMail, reader: PersonName) -> Result<MailResult, ProblemDetails> {
    // A code of another page is none of this one's.
    let own = match &incoming.meaning {
        MailMeaning::Said(Reply::Answer { code: Some(code), .. }) => {
            app.engine.inbound().is_code(incoming.page, code).await?
        }
        _ => true,
    };
    if incoming.says_exercise && !app.engine.inbound().is_drill(incoming.page.incident).await? {
        let reply = Reply::Unclear { code: None, doubt: ReplyDoubt::Live };
        return Ok(MailResult { outcome: MailOutcome::Unclear, text: format!("{} {HOW}", not_understood(&reply)) });
    }
    let (answer, outcome, via) = match incoming.meaning {
        // A word, and no code of another page: a number on the first line is no answer, and nor is a bare "ok".
        MailMeaning::Said(Reply::Answer { answer, .. }) if own => {
            (Some(answer), MailOutcome::Answered, AnswerVia::Mail)
        }
        MailMeaning::Away => (Some(Answer::Unable), MailOutcome::Away, AnswerVia::AutoReply),
        MailMeaning::Said(reply) => {
            return Ok(MailResult { outcome: MailOutcome::Unclear, text: format!("{} {HOW}", not_understood(&reply)) });
        }
        MailMeaning::Nothing | MailMeaning::Bounced(_) => {
            return Ok(MailResult { outcome: MailOutcome::Ignored, text: "it changes nothing".to_owned() });
        }
    };
    let verdict = app.engine.inbound().answer_page(incoming.page, reader.clone(), answer, via).await;
    let word = told(&app.engine.config(), &verdict.map_err(answer_problem)?, &reader);
    Ok(MailResult { outcome, text: format!("{}: {word}", incoming.page.incident) })
}

fn not_understood(reply: &Reply) -> String {
    match reply {
        Reply::Unclear { doubt: ReplyDoubt::Nothing, .. } => {
            "Your reply says nothing above the mail that it quotes.".to_owned()
        }
        Reply::Unclear { doubt: ReplyDoubt::Live, .. } => format!("Not taken: {}.", ReplyDoubt::Live),
        Reply::Unclear { doubt, .. } => format!("Not understood: {doubt}."),
        Reply::Answer { .. } => "Your reply has the code of another page.".to_owned(),
        Reply::AsAsked { code: Some(_) } => "A code is no answer to a mail.".to_owned(),
        Reply::AsAsked { code: None } => "It is not clear what your yes is to.".to_owned(),
        // To leave a list of mails is no word about a crisis.
        Reply::OptOut | Reply::OptIn => "Stentor's mails are no list that can be left or joined.".to_owned(),
    }
}

/// What a mail proves by the message id that it names.
enum MailProof {
    /// That it is about a page of this person's.
    Reader(PersonName),
    /// That another installation wrote that page.
    Elsewhere,
    /// That it is about a page of ours that is not there any more.
    Gone,
    /// Nothing.
    Nothing,
}

async fn proven(app: &AppState, incoming: &IncomingMail) -> Result<MailProof, ProblemDetails> {
    if incoming.site.as_ref().is_some_and(|site| *site != app.engine.keys().site()) {
        return Ok(MailProof::Elsewhere);
    }
    if app.engine.reads().identity(incoming.page.incident).await?.is_none() {
        // Its own nonce is gone with it: that the mail names this installation is all that can be seen.
        return Ok(if incoming.site.is_some() { MailProof::Gone } else { MailProof::Nothing });
    }
    if !app.engine.inbound().is_mail_token(incoming.page, &incoming.token).await? {
        return Ok(MailProof::Nothing);
    }
    let incident = app.engine.reads().view(incoming.page.incident).await?;
    let Some(page) = incident.as_ref().and_then(|incident| incident.pages.get(&incoming.page.n)) else {
        return Ok(MailProof::Gone);
    };
    // The word that somebody has a role can be answered too: by handing it back.
    let answerable = |page: &&Arc<Page>| page.purpose.is_brief() || page.purpose.tells_who_has_it();
    let page = Some(page).filter(|page| incoming.is_bounce() || answerable(page));
    Ok(page.and_then(|page| page.person.clone()).map_or(MailProof::Nothing, MailProof::Reader))
}

/// A page that was forwarded is answered by its reader alone.
fn is_from(app: &AppState, incoming: &IncomingMail, reader: &PersonName) -> bool {
    let live = app.engine.config();
    let mailbox = live.matrix.people.get(reader).and_then(|person| person.email.as_deref());
    mailbox.is_some_and(|mailbox| mailbox.eq_ignore_ascii_case(&incoming.from))
}
