//! Incoming mails from the site's mail server: answers, automatic replies, bounces.

use crate::{
    channel::{
        contact::EMAIL,
        smtp::incoming::{self, IncomingMail, MailMeaning},
    },
    core::{Answer, AnswerVia, Ask, AskOption, Page, PersonName, RefusedInput},
    http::{
        answer_reply::answer_reply,
        body,
        caller::UnixCaller,
        desk::standing::told,
        problem::{ProblemDetails, answer_problem},
        state::AppState,
        text_words::asked_on,
    },
    text::reply::{Reply, ReplyDoubt, is_no, read},
};
use axum::{
    Extension, Json,
    extract::{Request, State},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Added to the response if a reply is not an answer, after the part that was not understood.
const HOW: &str = "Nothing was changed. Reply with one word as the first line: roger (received), wilco (I have it), \
     standby 3 (minutes), unable (pass it on).";

/// The response if this daemon did not send the page.
const ELSEWHERE: &str =
    "this mail answers a page of another Stentor, which alone can accept it: the mail server must keep it";

/// The response if the page has been deleted.
const GONE: &str =
    "Nothing was changed: the page that you answer is not kept any more. Call the people who may be waiting for you.";

/// The result of an incoming mail.
#[derive(Debug, Serialize, Deserialize)]
pub struct MailResult {
    /// The result in one word.
    pub outcome: MailOutcome,
    /// A text for the sender.
    pub text: String,
}

/// The result of an incoming mail in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailOutcome {
    /// It was an answer.
    Answered,
    /// A person's text that is not an answer: they must be told.
    Unclear,
    /// The person is away: the page is passed on.
    Away,
    /// A bounce.
    Bounced,
    /// Not about our pages, or without effect.
    Ignored,
    /// About a page of another installation, which alone can accept it.
    Elsewhere,
}

/// `POST /v1/mail`: one mail, unchanged.
pub async fn take(
    State(app): State<Arc<AppState>>,
    Extension(caller): Extension<UnixCaller>,
    request: Request,
) -> Result<Json<MailResult>, ProblemDetails> {
    caller.may_hand_in_mail()?;
    let raw = body::whole(request.into_body(), body::CONTROL_MAX).await?;
    let mail_result = |outcome, text: &str| MailResult { outcome, text: text.to_owned() };
    let live = app.engine.config();
    let name_of = |mailbox: &str| {
        let mut people = live.matrix.people.values();
        people.find(|person| person.contact(EMAIL).is_some_and(|own| own.eq_ignore_ascii_case(mailbox)))
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
            tracing::error!(page.id = %incoming.page, "a mail about a page of another installation was received: the mail server must keep it");
            return Ok(Json(mail_result(MailOutcome::Elsewhere, ELSEWHERE)));
        }
        MailProof::Gone if matches!(incoming.meaning, MailMeaning::Said(_)) => {
            tracing::warn!(page.id = %incoming.page, "a reply to a deleted page was received: it is returned");
            return Ok(Json(mail_result(MailOutcome::Unclear, GONE)));
        }
        MailProof::Gone => return Ok(Json(mail_result(MailOutcome::Ignored, "its page has been deleted"))),
        MailProof::Nothing => {
            tracing::warn!(page.id = %incoming.page, "a mail about this page has no valid token: it is ignored");
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
        app.engine.inbound().note_refused(RefusedInput::UnknownSender, AnswerVia::Mail, &incoming.from).await;
        return Ok(Json(mail_result(MailOutcome::Ignored, "it is not from the mailbox of the page's recipient")));
    }
    let (person, words) = (reader.clone(), incoming.words.clone());
    let via = if incoming.meaning == MailMeaning::Away { AnswerVia::AutoReply } else { AnswerVia::Mail };
    let told = said(&app, incoming, reader).await?;
    app.engine.inbound().keep_exchange(&person, via, &words, &told.text).await;
    Ok(Json(told))
}

async fn said(app: &AppState, incoming: IncomingMail, reader: PersonName) -> Result<MailResult, ProblemDetails> {
    let seen = app.engine.reads().view(incoming.page.incident).await?;
    // A code of another page is not valid for this one.
    let own = match &incoming.meaning {
        MailMeaning::Said(Reply::Answer { code: Some(code), .. }) => {
            app.engine.inbound().is_code(incoming.page, code).await?
        }
        _ => true,
    };
    if incoming.says_exercise && !seen.as_ref().is_some_and(|incident| incident.drill) {
        let reply = Reply::Unclear { code: None, doubt: ReplyDoubt::Live };
        return Ok(MailResult { outcome: MailOutcome::Unclear, text: format!("{} {HOW}", not_understood(&reply)) });
    }
    let asked = seen.as_deref().and_then(|incident| asked_on(incident, incoming.page.n));
    if let (Some(ask), MailMeaning::Said(reply)) = (asked, &incoming.meaning) {
        let received = match reply {
            Reply::Answer { answer: Answer::Standby { .. }, .. } if own => None,
            Reply::Answer { answer: Answer::Unable, .. } if own && passes_on(&incoming.words) => None,
            Reply::Answer { answer: answer @ (Answer::Roger | Answer::Wilco), .. } if own => Some(Some(*answer)),
            _ => Some(None),
        };
        if let Some(received) = received {
            if let Some(answer) = received {
                let said = app.engine.inbound().answer_page(incoming.page, reader, Some(answer), AnswerVia::Mail);
                said.await.map_err(answer_problem)?;
            }
            return Ok(MailResult { outcome: MailOutcome::Unclear, text: decide_by_link(ask) });
        }
    }
    let (answer, outcome, via) = match incoming.meaning {
        // Only a word counts: a number on the first line is not an answer, and neither is a plain "ok".
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
    // The answer is committed, even if reading the incident fails.
    let incident = app.engine.reads().view(incoming.page.incident).await.ok().flatten();
    Ok(MailResult { outcome, text: answer_reply(incoming.page.incident, incident.as_deref(), &word, false) })
}

/// Whether a line of a mail passes its page on in words that are no answer to a question.
fn passes_on(words: &str) -> bool {
    let unable = |line: &str| matches!(read(line), Reply::Answer { answer: Answer::Unable, .. });
    words.lines().any(|line| unable(line) && !is_no(line))
}

/// The response to a mail about a page that asks: nobody decides by mail, whatever they write.
fn decide_by_link(ask: &Ask) -> String {
    let option = |(letter, option): (char, &AskOption)| format!("{letter} ({})", option.label);
    let options = ask.lettered().map(option).collect::<Vec<_>>().join(" or ");
    let choose = if ask.needs_a_form() { "fill in the form".to_owned() } else { format!("choose {options}") };
    format!(
        "Nothing is decided: a mail decides nothing. Open the link in the mail that you answer, and {choose}. \
         To pass it on, reply with one word as the first line: unable."
    )
}

fn not_understood(reply: &Reply) -> String {
    match reply {
        Reply::Unclear { doubt: ReplyDoubt::Nothing, .. } => {
            "Your reply says nothing above the mail that it quotes.".to_owned()
        }
        Reply::Unclear { doubt: ReplyDoubt::Live, .. } => format!("Not taken: {}.", ReplyDoubt::Live),
        Reply::Unclear { doubt, .. } => format!("Not understood: {doubt}."),
        Reply::Answer { .. } => "Your reply has the code of another page.".to_owned(),
        Reply::AsAsked { code: Some(_) } => "A code is not an answer to a mail.".to_owned(),
        Reply::AsAsked { code: None } => "It is not clear what your yes is to.".to_owned(),
        // A request to unsubscribe is not an answer.
        Reply::OptOut | Reply::OptIn => {
            "Stentor's mails are not a mailing list: nobody can subscribe or unsubscribe.".to_owned()
        }
    }
}

/// What the message id in a mail proves.
enum MailProof {
    /// It is about a page of this person.
    Reader(PersonName),
    /// Another installation wrote that page.
    Elsewhere,
    /// It is about a page of ours that has been deleted.
    Gone,
    /// Nothing.
    Nothing,
}

async fn proven(app: &AppState, incoming: &IncomingMail) -> Result<MailProof, ProblemDetails> {
    if incoming.site.as_ref().is_some_and(|site| *site != app.engine.keys().site()) {
        return Ok(MailProof::Elsewhere);
    }
    if app.engine.reads().identity(incoming.page.incident).await?.is_none() {
        // The incident's nonce was deleted with it: we can only see that the mail names this installation.
        return Ok(if incoming.site.is_some() { MailProof::Gone } else { MailProof::Nothing });
    }
    if !app.engine.inbound().is_mail_token(incoming.page, &incoming.token).await? {
        return Ok(MailProof::Nothing);
    }
    let incident = app.engine.reads().view(incoming.page.incident).await?;
    let Some(page) = incident.as_ref().and_then(|incident| incident.pages.get(&incoming.page.n)) else {
        return Ok(MailProof::Gone);
    };
    // The message that somebody has a role can be answered too: by handing it back.
    let answerable = |page: &&Arc<Page>| page.purpose.is_brief() || page.purpose.tells_who_has_it();
    let page = Some(page).filter(|page| incoming.is_bounce() || answerable(page));
    Ok(page.and_then(|page| page.person.clone()).map_or(MailProof::Nothing, MailProof::Reader))
}

/// Whether the mail is from the page's recipient: nobody else can answer a forwarded page.
fn is_from(app: &AppState, incoming: &IncomingMail, reader: &PersonName) -> bool {
    let live = app.engine.config();
    let mailbox = live.matrix.people.get(reader).and_then(|person| person.contact(EMAIL));
    mailbox.is_some_and(|mailbox| mailbox.eq_ignore_ascii_case(&incoming.from))
}
