//! Replies by SMS from any gateway. The sender's number says who they seem to be; numbers can be forged, so only the
//! page's code proves that they have the page, even if only one page is open.

use crate::{
    channel::{
        contact::PHONE,
        inbound::{InboundText, OptOutWish},
    },
    core::{
        Answer, AnswerVia, AskOption, ChannelName, IncidentId, PageId, PersonName, RefusedInput, RoleName,
        form::FILL_IN, sentence::chosen,
    },
    engine::{AnswerSource, CodedPage, asked_of},
    http::{
        answer_reply::answer_reply,
        desk::standing::verdict_text,
        explanations::TextReply,
        problem::{ProblemDetails, answer_problem},
        state::AppState,
        wrong_codes::{GUESS_WINDOW, GUESSERS_MAX, NumberGuesses},
    },
    text::{
        gsm7,
        reply::{Reply, ReplyDoubt, folded, is_yes, read, says_exercise},
    },
};
use std::sync::Arc;

/// The largest number of incidents that a question names; the others are counted.
const NAMED_MAX: usize = 4;

/// The response if the code is missing, or the text is not an answer.
const HOW: &str = "Reply with the 5-digit code of the page, then 1 received, 2 I have it, 3 wait, 4 pass on.";

/// Replaces text that the GSM alphabet can not show.
const NO_LETTERS: &str = "a sign or word that I do not know";

/// The response to people who have opted in again.
const BACK: &str = "You are paged by SMS again.";

/// The sender of a text.
pub(super) struct TextWriter {
    /// The person in the matrix.
    pub person: PersonName,
    /// Their number or chat id, for which wrong codes are counted.
    pub address: String,
    /// The way by which it came.
    pub by: AnswerSource,
}

/// Handles a text; returns the reply, empty for none.
pub async fn take(app: &AppState, channel: &ChannelName, text: &InboundText) -> Result<String, ProblemDetails> {
    let address = international(&text.from);
    let person = app.engine.config().matrix.person_of(PHONE, &address).cloned();
    let Some(person) = person else {
        tracing::warn!("an SMS came from a number that the matrix does not know");
        app.engine.inbound().note_refused(RefusedInput::UnknownSender, AnswerVia::Sms, &address).await;
        return Ok(String::new());
    };
    match (text.wish, read(&text.text)) {
        (Some(OptOutWish::Stop), _) | (None, Reply::OptOut) => {
            app.engine.inbound().opt_out(channel, &person, "they texted STOP").await?;
            // A reply would not be delivered any more.
            Ok(String::new())
        }
        (Some(OptOutWish::Start), _) | (None, Reply::OptIn) => back(app, channel, &person).await,
        (Some(OptOutWish::Help), _) => Ok(String::new()),
        // For some carriers YES means that they opt in again.
        (None, Reply::AsAsked { code: None }) if is_yes(&text.text) && is_out(app, channel, &person) => {
            back(app, channel, &person).await
        }
        (None, reply) => {
            let origin = text.id.as_ref().filter(|id| !id.is_empty()).map(|id| format!("{channel} {id}"));
            let by = AnswerSource { via: AnswerVia::Sms, origin };
            answer(app, TextWriter { person, address, by }, &text.text, reply).await
        }
    }
}

/// Handles a reply with the code of a page; returns the reply to it, empty if that would be one too many.
pub(super) async fn answer(
    app: &AppState,
    writer: TextWriter,
    text: &str,
    reply: Reply,
) -> Result<String, ProblemDetails> {
    let (address, person, via) = (writer.address.clone(), writer.person.clone(), writer.by.via);
    let reply = by_code(app, writer, text, reply).await?;
    let told = app.texts.bounded(&address, text, reply, app.engine.now());
    app.engine.inbound().keep_exchange(&person, via, text, &told).await;
    Ok(told)
}

async fn by_code(app: &AppState, writer: TextWriter, text: &str, reply: Reply) -> Result<TextReply, ProblemDetails> {
    match reply {
        Reply::Answer { code: Some(code), answer } => {
            let answer = TextAnswer { answer: Some(answer), says_exercise: says_exercise(text) };
            coded(app, writer, (&code, text), Ok(answer)).await
        }
        Reply::AsAsked { code: Some(code) } => {
            let answer = TextAnswer { answer: None, says_exercise: false };
            coded(app, writer, (&code, text), Ok(answer)).await
        }
        Reply::Unclear { code: Some(code), doubt } => coded(app, writer, (&code, text), Err(doubt)).await,
        Reply::Unclear { code: None, doubt: ReplyDoubt::TwoCodes } => {
            Ok(TextReply::Question(question(app, &writer.person).await? + " One code a text."))
        }
        // Not quoted, because somebody who forges a number could choose the text that its owner gets.
        Reply::Answer { .. } | Reply::AsAsked { .. } | Reply::Unclear { .. } | Reply::OptOut | Reply::OptIn => {
            Ok(TextReply::Question(question(app, &writer.person).await?))
        }
    }
}

async fn back(app: &AppState, channel: &ChannelName, person: &PersonName) -> Result<String, ProblemDetails> {
    let news = app.engine.inbound().opt_in(channel, person, "they texted START").await?;
    Ok(if news { BACK.into() } else { String::new() })
}

fn is_out(app: &AppState, channel: &ChannelName, person: &PersonName) -> bool {
    app.engine.inbound().opt_outs().iter().any(|out| out.channel == *channel && out.person == *person)
}

/// Asks which page they mean: only the code tells, so we ask for it and never show it.
async fn question(app: &AppState, person: &PersonName) -> Result<String, ProblemDetails> {
    let waiting = app.engine.inbound().waiting_for(person, NAMED_MAX).await?;
    let named = |(incident, role): &(IncidentId, RoleName)| format!("{incident} ({role})");
    let names: Vec<String> = waiting.roles.iter().map(named).collect();
    Ok(match (names.as_slice(), waiting.more) {
        ([], 0) => HOW.to_owned(),
        ([one], 0) => format!("{one} waits for you. {HOW}"),
        (many, 0) => format!("Which one? {} wait for you. {HOW}", many.join(", ")),
        (many, more) => format!("Which one? {} and {more} older ones wait for you. {HOW}", many.join(", ")),
    })
}

/// A parsed answer in a text.
struct TextAnswer {
    /// The answer; `None` for the one that the page asks for.
    answer: Option<Answer>,
    /// Whether it says that it is for a drill.
    says_exercise: bool,
}

/// Handles an answer to the page with this code; if the code is right, says what was not understood.
async fn coded(
    app: &AppState,
    writer: TextWriter,
    (code, text): (&str, &str),
    said: Result<TextAnswer, ReplyDoubt>,
) -> Result<TextReply, ProblemDetails> {
    let TextWriter { person, address, by } = writer;
    let guessed = guessed(app, &address);
    let mut guessed = guessed.lock().await;
    let now = app.engine.now();
    if !guessed.may_try(now) {
        tracing::warn!(person = %person, "too many wrong codes from this number: its replies wait");
        app.engine.inbound().note_refused(RefusedInput::WrongCode, by.via, &address).await;
        let words = "Too many wrong codes. Use the desk, the mail's link or Slack.";
        return Ok(TextReply::Question(words.to_owned()));
    }
    let Some(CodedPage { page, open }) = app.engine.inbound().page_with_code(&person, code).await? else {
        guessed.wrong += 1;
        app.engine.inbound().note_refused(RefusedInput::WrongCode, by.via, &address).await;
        let last = if by.via == AnswerVia::Sms { "SMS" } else { "message" };
        let words = format!("No page of yours has the code {code}. Look at the last {last} again.");
        return Ok(TextReply::Doubt(code.to_owned(), words));
    };
    // A person with the code of an open page does not guess. A code of a closed page proves less, because there are
    // many of those.
    if open {
        guessed.wrong = 0;
    }
    drop(guessed);
    to_page(app, page, person, by, (code, text, said)).await
}

/// Handles an answer to this page, which is theirs; says what was not understood.
async fn to_page(
    app: &AppState,
    page: PageId,
    person: PersonName,
    by: AnswerSource,
    (code, text, said): (&str, &str, Result<TextAnswer, ReplyDoubt>),
) -> Result<TextReply, ProblemDetails> {
    let (incident, via) = (page.incident, by.via);
    let explained = |words: String| TextReply::Doubt(page.to_string(), format!("{incident}: {words}"));
    let beside = beside(text, code);
    let mut named = app.engine.inbound().option_named(incident, &beside).await?;
    if named.is_none() {
        // Keyboards of other languages write wide letters, and marks of direction around them.
        named = app.engine.inbound().option_named(incident, &folded(&beside)).await?;
    }
    // What is repeated may look like an answer: `A 2`.
    if let Some(named) = named.filter(|named| said.is_err() || named.repeated.is_some()) {
        let inbound = app.engine.inbound();
        let verdict = inbound.choose_on_page(page, &person, named, by).await.map_err(answer_problem)?;
        return Ok(TextReply::Verdict(format!("{incident}: {}", chosen(&verdict))));
    }
    match said {
        Ok(said) if said.says_exercise && !app.engine.inbound().is_drill(page.incident).await? => {
            Ok(explained(not_understood(app, page, code, &ReplyDoubt::Live).await?))
        }
        Ok(said) => {
            let verdict = app.engine.inbound().answer_page(page, person.clone(), said.answer, by).await;
            let verdict = verdict.map_err(answer_problem)?;
            let incident = app.engine.reads().view(page.incident).await?;
            let hand_back = match code {
                "" => "Reply 4 to that message to hand it back.".to_owned(),
                code => format!("Reply {code} 4 to hand it back."),
            };
            let words = verdict_text(&app.engine.config(), incident.as_deref(), &person, verdict, &hand_back);
            let is_sms = via == AnswerVia::Sms;
            Ok(TextReply::Verdict(answer_reply(page.incident, incident.as_deref(), &words, is_sms)))
        }
        Err(doubt) => Ok(explained(not_understood(app, page, code, &doubt).await?)),
    }
}

/// Handles a reply to the message of this page itself, which needs no code; returns the reply to it.
pub(super) async fn answer_to_page(
    app: &AppState,
    writer: TextWriter,
    page: PageId,
    text: &str,
    reply: Reply,
) -> Result<String, ProblemDetails> {
    let said = match reply {
        Reply::Answer { code: None, answer } => {
            Ok(TextAnswer { answer: Some(answer), says_exercise: says_exercise(text) })
        }
        Reply::AsAsked { code: None } => Ok(TextAnswer { answer: None, says_exercise: false }),
        Reply::Unclear { code: None, doubt } => Err(doubt),
        Reply::OptOut | Reply::OptIn => Err(ReplyDoubt::unknown(text)),
        // The code says which page is meant.
        coded => return answer(app, writer, text, coded).await,
    };
    let (person, via) = (writer.person.clone(), writer.by.via);
    let reply = to_page(app, page, writer.person, writer.by, ("", text, said)).await?;
    // A reply to the page's own message has no code in it: the same word to another page is another text.
    let told = app.texts.bounded(&writer.address, &format!("{page} {text}"), reply, app.engine.now());
    app.engine.inbound().keep_exchange(&person, via, text, &told).await;
    Ok(told)
}

/// Says what was understood, what was not, and what to write, in one SMS.
async fn not_understood(
    app: &AppState,
    page: PageId,
    code: &str,
    doubt: &ReplyDoubt,
) -> Result<String, ProblemDetails> {
    let incident = app.engine.reads().view(page.incident).await?;
    let page_row = incident.as_ref().and_then(|incident| Some((incident, incident.pages.get(&page.n)?)));
    let request = page_row.filter(|(incident, row)| incident.decides(row));
    let request = request.and_then(|(incident, _)| incident.request.as_ref());
    if let Some(request) = request.filter(|request| request.handoff.is_none() && request.outcome().is_none()) {
        if request.ask.needs_a_form() {
            let pass = format!("{code} {} = {}", Answer::Unable.digit(), Answer::Unable.label());
            return Ok(format!(
                "not understood: {}. This is not answered by a text: {FILL_IN}, or reply {}.",
                shown(doubt),
                pass.trim_start()
            ));
        }
        let option = |(letter, option): (char, &AskOption)| {
            format!("{code} {letter} = {}", option.label).trim_start().to_owned()
        };
        let options = request.ask.lettered().map(option).collect::<Vec<_>>().join(", ");
        let fact =
            request.ask.read_back.as_ref().map_or_else(String::new, |fact| format!(", each with {}", fact.shown()));
        return Ok(format!("not understood: {}. Reply {options}{fact} and nothing else.", shown(doubt)));
    }
    let asked = incident.map_or(Answer::Wilco, |incident| asked_of(&incident, page.n));
    let write = |answer: Answer| format!("{} {} = {}", code, answer.digit(), answer.label()).trim_start().to_owned();
    let read =
        if code.is_empty() { "I know which page you mean".to_owned() } else { format!("I read your code {code}") };
    Ok(format!("{read}, but not what you want: {}. Reply {}, {}.", shown(doubt), write(asked), write(Answer::Unable)))
}

/// Shows the doubtful text if it has only characters that every phone can show.
fn shown(doubt: &ReplyDoubt) -> String {
    let ReplyDoubt::Unknown(part) = doubt else { return doubt.to_string() };
    let plain = gsm7::to_gsm7(part);
    // A sign that is written out as a word was not written so.
    let has_letters = |text: &str| text.chars().any(char::is_alphanumeric);
    if plain != *part && !(has_letters(&plain) && has_letters(part)) {
        return NO_LETTERS.to_owned();
    }
    ReplyDoubt::Unknown(plain).to_string()
}

/// The wrong codes of this number. Entries whose window is over and that are not in use are removed.
pub(super) fn guessed(app: &AppState, number: &str) -> Arc<tokio::sync::Mutex<NumberGuesses>> {
    let now = app.engine.now();
    let mut guesses = app.guesses.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if GUESSERS_MAX <= guesses.len() {
        let is_fresh = |guessed: &NumberGuesses| now < guessed.since + GUESS_WINDOW;
        guesses
            .retain(|_, kept| 1 < Arc::strong_count(kept) || kept.try_lock().is_ok_and(|guessed| is_fresh(&guessed)));
    }
    let new = || Arc::new(tokio::sync::Mutex::new(NumberGuesses { since: now, wrong: 0 }));
    guesses.entry(number.to_owned()).or_insert_with(new).clone()
}

/// Normalises a number: `+`, `00` and a plus that became a space are the same.
fn international(from: &str) -> String {
    let digits: String = from.chars().filter(char::is_ascii_digit).collect();
    let digits = if from.starts_with("00") { digits.trim_start_matches("00") } else { &digits };
    format!("+{digits}")
}

/// What stands beside the code.
fn beside(text: &str, code: &str) -> String {
    let is_code = |word: &&str| !code.is_empty() && word.trim_matches(|c: char| !c.is_alphanumeric()) == code;
    text.split_whitespace().filter(|word| !is_code(word)).collect::<Vec<_>>().join(" ")
}
