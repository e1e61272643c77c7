//! Replies by SMS from any gateway. The sender's number says who they seem to be; numbers can be forged, so only the
//! page's code proves that they have the page, even if only one page is open.

use crate::{
    channel::{
        contact::PHONE,
        inbound::{InboundText, OptOutWish},
    },
    core::{
        Answer, AnswerVerdict, AnswerVia, ChannelName, IncidentId, PageId, PersonName, RefusedInput, RoleName,
        request::OPTION_LETTERS, sentence::chosen,
    },
    engine::{AnswerSource, CodedPage},
    http::{
        answer_reply::answer_reply,
        desk::standing::verdict_text,
        explanations::TextReply,
        problem::{ProblemDetails, answer_problem},
        state::AppState,
        text_words::{
            HOW, HOW_TO_CHOOSE, WITH_A_BLANK, asked_on, choices, no_to_question, not_understood, standing_choice,
        },
        wrong_codes::{GUESS_WINDOW, GUESSERS_MAX, NumberGuesses},
    },
    text::{
        reply::{
            CODE_DIGITS, ChoiceReading, Reply, ReplyDoubt, beside_code, choice, first_code, folded, is_no,
            is_of_exercise, is_yes, read, says_exercise,
        },
        signature::without_signature,
    },
};
use std::sync::Arc;

/// The largest number of incidents that a question names; the others are counted.
const NAMED_MAX: usize = 4;

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
    let said = without_signature(&text.text);
    match (text.wish, read(said)) {
        (Some(OptOutWish::Stop), _) | (None, Reply::OptOut) => {
            app.engine.inbound().opt_out(channel, &person, "they texted STOP").await?;
            // A reply would not be delivered any more.
            Ok(String::new())
        }
        (Some(OptOutWish::Start), _) | (None, Reply::OptIn) => back(app, channel, &person).await,
        (Some(OptOutWish::Help), _) => Ok(String::new()),
        // For some carriers YES means that they opt in again.
        (None, Reply::AsAsked { code: None }) if is_yes(said) && is_out(app, channel, &person) => {
            back(app, channel, &person).await
        }
        (None, _) => {
            let origin = text.id.as_ref().filter(|id| !id.is_empty()).map(|id| format!("{channel} {id}"));
            let by = AnswerSource { via: AnswerVia::Sms, origin };
            answer(app, TextWriter { person, address, by }, &text.text).await
        }
    }
}

/// Handles a reply with the code of a page; returns the reply to it, empty if that would be one too many.
pub(super) async fn answer(app: &AppState, writer: TextWriter, text: &str) -> Result<String, ProblemDetails> {
    let (address, person, via) = (writer.address.clone(), writer.person.clone(), writer.by.via);
    let reply = by_code(app, writer, without_signature(text)).await?;
    let told = app.texts.bounded(&address, text, reply, app.engine.now());
    app.engine.inbound().keep_exchange(&person, via, text, &told).await;
    Ok(told)
}

async fn by_code(app: &AppState, writer: TextWriter, text: &str) -> Result<TextReply, ProblemDetails> {
    let (code, said) = match read(text) {
        Reply::Answer { code, answer } => (code, Ok(Some(answer))),
        Reply::AsAsked { code } => (code, Ok(None)),
        // The first number is the code; another one may be a fact that is repeated.
        Reply::Unclear { code: None, doubt: ReplyDoubt::TwoCodes } => (first_code(text), Err(ReplyDoubt::TwoCodes)),
        Reply::Unclear { code, doubt } => (code, Err(doubt)),
        Reply::OptOut | Reply::OptIn => (None, Err(ReplyDoubt::unknown(text))),
    };
    match code {
        Some(code) => coded(app, writer, (&code, text), said).await,
        // Not quoted, because somebody who forges a number could choose the text that its owner gets.
        None => Ok(TextReply::Question(question(app, &writer.person, text).await?)),
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
async fn question(app: &AppState, person: &PersonName, text: &str) -> Result<String, ProblemDetails> {
    let waiting = app.engine.inbound().waiting_for(person, NAMED_MAX).await?;
    let named = |(incident, role): &(IncidentId, RoleName)| format!("{incident} ({role})");
    let names: Vec<String> = waiting.roles.iter().map(named).collect();
    let how = if is_letter(text) {
        HOW_TO_CHOOSE
    } else if is_joined_code(text) {
        WITH_A_BLANK
    } else {
        HOW
    };
    Ok(match (names.as_slice(), waiting.more) {
        ([], 0) => how.to_owned(),
        ([one], 0) => format!("{one} waits for you. {how}"),
        (many, 0) => format!("Which one? {} wait for you. {how}", many.join(", ")),
        (many, more) => format!("Which one? {} and {more} older ones wait for you. {how}", many.join(", ")),
    })
}

/// Whether a text is a code with a letter or a digit directly behind it.
fn is_joined_code(text: &str) -> bool {
    let folded = folded(text);
    let said = folded.trim_matches(|c: char| !c.is_alphanumeric());
    let (code, behind) = said.split_at_checked(CODE_DIGITS).unwrap_or((said, ""));
    let behind = behind.trim_matches(|c: char| !c.is_alphanumeric());
    code.bytes().all(|c| c.is_ascii_digit()) && behind.chars().count() == 1
}

/// Whether a text is the letter of an option alone.
fn is_letter(text: &str) -> bool {
    let folded = folded(text).to_ascii_uppercase();
    let mut letters = folded.trim_matches(|c: char| !c.is_alphanumeric()).chars();
    letters.next().is_some_and(|letter| OPTION_LETTERS.contains(&letter)) && letters.next().is_none()
}

/// Handles an answer to the page with this code; if the code is right, says what was not understood.
async fn coded(
    app: &AppState,
    writer: TextWriter,
    (code, text): (&str, &str),
    said: Result<Option<Answer>, ReplyDoubt>,
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
        let more = if said == Err(ReplyDoubt::TwoCodes) { " The code comes first." } else { "" };
        let words = format!("No page of yours has the code {code}. Look at the last {last} again.{more}");
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

/// Handles an answer to this page, which is theirs; says what was not understood. `None` is the answer that it asks for.
async fn to_page(
    app: &AppState,
    page: PageId,
    person: PersonName,
    by: AnswerSource,
    (code, text, said): (&str, &str, Result<Option<Answer>, ReplyDoubt>),
) -> Result<TextReply, ProblemDetails> {
    let (incident, via) = (page.incident, by.via);
    let seen = app.engine.reads().view(incident).await?;
    let explained = |words: String| Ok(TextReply::Doubt(page.to_string(), format!("{incident}: {words}")));
    let doubted = |doubt: &ReplyDoubt| explained(not_understood(seen.as_deref(), page.n, code, doubt));
    let is_drill = seen.as_ref().is_some_and(|incident| incident.drill);
    let ask = seen.as_ref().and_then(|incident| Some(&incident.request.as_ref()?.ask));
    match ask.map_or(ChoiceReading::None, |ask| choice(ask, &beside_code(text, code))) {
        // What is repeated may look like an answer: `A 2`.
        ChoiceReading::Option(named) if said.is_err() || named.repeated.is_some() => {
            if is_of_exercise(text) && !is_drill {
                return doubted(&ReplyDoubt::Live);
            }
            let verdict = app.engine.inbound().choose_on_page(page, &person, named, by).await;
            let verdict = verdict.map_err(answer_problem)?;
            return Ok(TextReply::Verdict(format!("{incident}: {}", chosen(&verdict))));
        }
        ChoiceReading::Excess(part) if said.is_err() => return doubted(&ReplyDoubt::unknown(&part)),
        ChoiceReading::Option(_) | ChoiceReading::Excess(_) | ChoiceReading::None => {}
    }
    let said = match said {
        Ok(said) => said,
        // Without a fact to repeat, which page is meant can not be known.
        Err(ReplyDoubt::TwoCodes) if ask.is_none_or(|ask| ask.read_back.is_none()) => {
            return Ok(TextReply::Question(question(app, &person, text).await? + " One code a text."));
        }
        Err(doubt) => return doubted(&doubt),
    };
    if says_exercise(text) && !is_drill {
        return doubted(&ReplyDoubt::Live);
    }
    let asked = |incident| asked_on(incident, page.n);
    if let Some((incident, ask)) = seen.as_deref().filter(|_| is_no(text)).and_then(|seen| Some((seen, asked(seen)?))) {
        return explained(no_to_question(ask, code, standing_choice(incident, &person)));
    }
    let verdict = app.engine.inbound().answer_page(page, person.clone(), said, by).await.map_err(answer_problem)?;
    let incident = app.engine.reads().view(page.incident).await?;
    let asked = incident.as_deref().and_then(asked).filter(|ask| !ask.needs_a_form());
    let words = match asked.filter(|_| verdict == AnswerVerdict::Received) {
        Some(ask) => format!("received; nothing is decided yet: reply {}", choices(ask, code)),
        None => {
            let hand_back = match code {
                "" => "Reply to that message with 4 to hand it back.".to_owned(),
                code => format!("Reply {code} 4 to hand it back."),
            };
            verdict_text(&app.engine.config(), incident.as_deref(), &person, verdict, &hand_back)
        }
    };
    Ok(TextReply::Verdict(answer_reply(page.incident, incident.as_deref(), &words, via == AnswerVia::Sms)))
}

/// Handles a reply to the message of this page itself, which needs no code; returns the reply to it.
pub(super) async fn answer_to_page(
    app: &AppState,
    writer: TextWriter,
    page: PageId,
    text: &str,
) -> Result<String, ProblemDetails> {
    let own = without_signature(text);
    let said = match read(own) {
        Reply::Answer { code: None, answer } => Ok(Some(answer)),
        Reply::AsAsked { code: None } => Ok(None),
        Reply::OptOut | Reply::OptIn => Err(ReplyDoubt::unknown(own)),
        Reply::Unclear { code: None, doubt } if doubt != ReplyDoubt::TwoCodes => Err(doubt),
        // The code says which page is meant, unless it is the fact that this page asks to repeat.
        _ if !repeats_fact(app, page, &writer.person, own).await? => return answer(app, writer, text).await,
        _ => Err(ReplyDoubt::TwoCodes),
    };
    let (person, via) = (writer.person.clone(), writer.by.via);
    let reply = to_page(app, page, writer.person, writer.by, ("", own, said)).await?;
    // A reply to the page's own message has no code in it: the same word to another page is another text.
    let told = app.texts.bounded(&writer.address, &format!("{page} {text}"), reply, app.engine.now());
    app.engine.inbound().keep_exchange(&person, via, text, &told).await;
    Ok(told)
}

/// Whether a text with a number of five digits chooses on this page and repeats what it asks for: the number is the fact, or
/// no code of a page of theirs.
async fn repeats_fact(app: &AppState, page: PageId, person: &PersonName, text: &str) -> Result<bool, ProblemDetails> {
    let seen = app.engine.reads().view(page.incident).await?;
    let ask = seen.as_ref().and_then(|incident| Some(&incident.request.as_ref()?.ask));
    let Some((ask, fact)) = ask.and_then(|ask| Some((ask, ask.read_back.as_ref()?))) else { return Ok(false) };
    let ChoiceReading::Option(named) = choice(ask, text) else { return Ok(false) };
    match (named.repeated, first_code(text)) {
        (Some(repeated), _) if fact.is_repeated(&repeated) => Ok(true),
        (Some(_), Some(code)) => Ok(app.engine.inbound().page_with_code(person, &code).await?.is_none()),
        _ => Ok(false),
    }
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
