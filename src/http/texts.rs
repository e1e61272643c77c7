//! What people text back, whichever gateway hands it over. The sender's number says who it seems to be; numbers can be
//! forged, so only the page's code proves that they have the page, even where one page alone is open.

use crate::{
    channel::inbound::{InboundText, OptOutWish},
    core::{Answer, AnswerVia, ChannelName, IncidentId, PageId, PersonName, RoleName},
    engine::{CodedPage, asked_of},
    http::{
        desk::standing::verdict_text,
        explanations::TextReply,
        problem::ProblemDetails,
        state::AppState,
        wrong_codes::{GUESS_WINDOW, GUESSERS_MAX, GUESSES_MAX, NumberGuesses},
    },
    text::{
        gsm7,
        reply::{Reply, ReplyDoubt, is_yes, read, says_exercise},
    },
};
use std::sync::Arc;

/// Incidents that a question names; of the others it says how many.
const NAMED_MAX: usize = 4;

/// Said to those who left out the code, or said something that is no answer.
const HOW: &str = "Reply with the 5-digit code of the page, then 1 received, 2 I have it, 3 wait, 4 pass on.";

/// Said in place of what a phone's basic alphabet can not show.
const NO_LETTERS: &str = "a sign or word that I do not know";

/// Said to those who have opted in again.
const BACK: &str = "You are paged by SMS again.";

/// Who wrote a text.
pub(super) struct TextWriter {
    /// Of the matrix.
    pub person: PersonName,
    /// Their number or chat, whose wrong codes are counted.
    pub address: String,
    /// By what it came.
    pub via: AnswerVia,
}

/// Takes a text in; what to answer, empty for nothing.
pub async fn take(app: &AppState, channel: &ChannelName, text: &InboundText) -> Result<String, ProblemDetails> {
    let address = international(&text.from);
    let person = app.engine.config().matrix.person_of_phone(&address).cloned();
    let Some(person) = person else {
        tracing::warn!("an SMS came from a number that the matrix does not know");
        return Ok(String::new());
    };
    match (text.wish, read(&text.text)) {
        (Some(OptOutWish::Stop), _) | (None, Reply::OptOut) => {
            app.engine.inbound().opt_out(channel, &person, "they texted STOP").await?;
            // An answer would not arrive any more.
            Ok(String::new())
        }
        (Some(OptOutWish::Start), _) | (None, Reply::OptIn) => back(app, channel, &person).await,
        (Some(OptOutWish::Help), _) => Ok(String::new()),
        // To some carriers YES means that they want to be written to again.
        (None, Reply::AsAsked { code: None }) if is_yes(&text.text) && is_out(app, channel, &person) => {
            back(app, channel, &person).await
        }
        (None, reply) => answer(app, TextWriter { person, address, via: AnswerVia::Sms }, &text.text, reply).await,
    }
}

/// Takes what a text says to the page whose code is in it; what to answer, empty where that would be one too many.
pub(super) async fn answer(
    app: &AppState,
    writer: TextWriter,
    text: &str,
    reply: Reply,
) -> Result<String, ProblemDetails> {
    let address = writer.address.clone();
    let reply = by_code(app, writer, text, reply).await?;
    Ok(app.texts.bounded(&address, text, reply, app.engine.now()))
}

async fn by_code(app: &AppState, writer: TextWriter, text: &str, reply: Reply) -> Result<TextReply, ProblemDetails> {
    match reply {
        Reply::Answer { code: Some(code), answer } => {
            let answer = TextAnswer { answer: Some(answer), says_exercise: says_exercise(text) };
            coded(app, writer, &code, Ok(answer)).await
        }
        Reply::AsAsked { code: Some(code) } => {
            let answer = TextAnswer { answer: None, says_exercise: false };
            coded(app, writer, &code, Ok(answer)).await
        }
        Reply::Unclear { code: Some(code), doubt } => coded(app, writer, &code, Err(doubt)).await,
        Reply::Unclear { code: None, doubt: ReplyDoubt::TwoCodes } => {
            Ok(TextReply::Question(question(app, &writer.person).await? + " One code a text."))
        }
        // Not quoted: whoever forges a number would choose what its owner is sent.
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

/// Which page they mean: its code alone tells, so it is asked for and never shown.
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

/// An answer by text.
struct TextAnswer {
    /// None for what the page asks.
    answer: Option<Answer>,
    /// Whether it is to an exercise.
    says_exercise: bool,
}

/// What they say to the page with this code; what is not understood of it is said where the code is right.
async fn coded(
    app: &AppState,
    writer: TextWriter,
    code: &str,
    said: Result<TextAnswer, ReplyDoubt>,
) -> Result<TextReply, ProblemDetails> {
    let TextWriter { person, address, via } = writer;
    let guessed = guessed(app, &address);
    let mut guessed = guessed.lock().await;
    let now = app.engine.now();
    if guessed.since + GUESS_WINDOW <= now {
        *guessed = NumberGuesses { since: now, wrong: 0 };
    }
    if GUESSES_MAX <= guessed.wrong {
        tracing::warn!(person = %person, "too many wrong codes from this number: its replies wait");
        let words = "Too many wrong codes. Use the desk, the mail's link or Slack.";
        return Ok(TextReply::Question(words.to_owned()));
    }
    let Some(CodedPage { page, open }) = app.engine.inbound().page_with_code(&person, code).await? else {
        guessed.wrong += 1;
        let last = if via == AnswerVia::Sms { "SMS" } else { "message" };
        let words = format!("No page of yours has the code {code}. Look at the last {last} again.");
        return Ok(TextReply::Doubt(code.to_owned(), words));
    };
    // Whoever has the code of an open page need not guess. One of a page that is over proves less: there are many of them.
    if open {
        guessed.wrong = 0;
    }
    drop(guessed);
    to_page(app, page, person, via, (code, said)).await
}

/// What they say to this page, which is theirs; what is not understood of it is said.
async fn to_page(
    app: &AppState,
    page: PageId,
    person: PersonName,
    via: AnswerVia,
    (code, said): (&str, Result<TextAnswer, ReplyDoubt>),
) -> Result<TextReply, ProblemDetails> {
    let incident = page.incident;
    let explained = |words: String| TextReply::Doubt(page.to_string(), format!("{incident}: {words}"));
    match said {
        Ok(said) if said.says_exercise && !app.engine.inbound().is_drill(page.incident).await? => {
            Ok(explained(not_understood(app, page, code, &ReplyDoubt::Live).await?))
        }
        Ok(said) => {
            let verdict = app.engine.inbound().answer_page(page, person.clone(), said.answer, via).await;
            let verdict = verdict.map_err(crate::http::problem::answer_problem)?;
            let incident = app.engine.reads().view(page.incident).await?;
            let hand_back = match code {
                "" => "Reply 4 to that message to hand it back.".to_owned(),
                code => format!("Reply {code} 4 to hand it back."),
            };
            let words = verdict_text(&app.engine.config(), incident.as_deref(), &person, verdict, &hand_back);
            Ok(TextReply::Verdict(format!("{}: {words}", page.incident)))
        }
        Err(doubt) => Ok(explained(not_understood(app, page, code, &doubt).await?)),
    }
}

/// Takes a reply to the very message of this page, so that it needs no code; what to answer.
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
    let reply = to_page(app, page, writer.person, writer.via, ("", said)).await?;
    Ok(app.texts.bounded(&writer.address, text, reply, app.engine.now()))
}

/// What was read, what was not, and what to write: one SMS.
async fn not_understood(
    app: &AppState,
    page: PageId,
    code: &str,
    doubt: &ReplyDoubt,
) -> Result<String, ProblemDetails> {
    let incident = app.engine.reads().view(page.incident).await?;
    let asked = incident.map_or(Answer::Wilco, |incident| asked_of(&incident, page.n));
    let write = |answer: Answer| format!("{} {} = {}", code, answer.digit(), answer.label()).trim_start().to_owned();
    let read =
        if code.is_empty() { "I know which page you mean".to_owned() } else { format!("I read your code {code}") };
    Ok(format!("{read}, but not what you want: {}. Reply {}, {}.", shown(doubt), write(asked), write(Answer::Unable)))
}

/// In letters that every phone shows, or without them.
fn shown(doubt: &ReplyDoubt) -> String {
    let ReplyDoubt::Unknown(part) = doubt else { return doubt.to_string() };
    let plain = gsm7::to_gsm7(part);
    if plain != *part && !plain.chars().any(char::is_alphanumeric) {
        return NO_LETTERS.to_owned();
    }
    ReplyDoubt::Unknown(plain).to_string()
}

/// The wrong codes of this number. What is past its window, and nobody looks at, is forgotten.
fn guessed(app: &AppState, number: &str) -> Arc<tokio::sync::Mutex<NumberGuesses>> {
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

/// `+`, `00` and a plus that became a space are all the same number.
fn international(from: &str) -> String {
    let digits: String = from.chars().filter(char::is_ascii_digit).collect();
    let digits = if from.starts_with("00") { digits.trim_start_matches("00") } else { &digits };
    format!("+{digits}")
}
