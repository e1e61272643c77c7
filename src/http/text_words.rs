//! What goes back for a text that is no answer, or not the one that its page asks for: what was not understood, and what to
//! write instead.

use crate::{
    core::{Answer, Ask, AskOption, Incident, PersonName, form::FILL_IN},
    engine::asked_of,
    text::{gsm7, reply::ReplyDoubt},
};

/// How to answer a page.
pub(super) const HOW: &str =
    "Reply with the 5-digit code of the page, then 1 received, 2 I have it, 3 wait, 4 pass on.";

/// How to choose an option.
pub(super) const HOW_TO_CHOOSE: &str = "Reply with the 5-digit code of the page before the letter.";

/// What is missing between a code and what stands directly behind it.
pub(super) const WITH_A_BLANK: &str = "Put a blank between the 5-digit code and the letter or digit behind it.";

/// What becomes of a no to a page that asks.
const NO_TO_QUESTION: &str = "nothing was decided and nothing passed on";

/// Replaces text in letters of another alphabet.
const OTHER_ALPHABET: &str = "letters that are not of the Latin alphabet: type them on a Latin keyboard";

/// The last letter of the Latin alphabet with its marks (Latin Extended-B).
const LATIN_END: char = '\u{24f}';

/// Replaces text that the GSM alphabet can not show.
const NO_LETTERS: &str = "a sign or word that I do not know";

/// The question that this page asks its reader, who can decide it: an approval, a decision or a form without an outcome.
pub(super) fn asked_on(incident: &Incident, n: u32) -> Option<&Ask> {
    let page = incident.pages.get(&n)?;
    let request = incident.request.as_ref().filter(|_| incident.decides(page))?;
    (request.handoff.is_none() && request.outcome().is_none()).then_some(&request.ask)
}

/// The same for an answer that names no page.
pub(super) fn asked_of_person<'a>(incident: &'a Incident, person: &PersonName) -> Option<&'a Ask> {
    let request = incident.request.as_ref().filter(|_| incident.has_asked_to_decide(person))?;
    (request.handoff.is_none() && request.outcome().is_none()).then_some(&request.ask)
}

/// The options, with what to write for each: `48213 A = Approve, 48213 B = Deny, each with EQ-2 (desk)`.
pub(super) fn choices(ask: &Ask, code: &str) -> String {
    let option =
        |(letter, option): (char, &AskOption)| format!("{code} {letter} = {}", option.label).trim_start().to_owned();
    let options = ask.lettered().map(option).collect::<Vec<_>>().join(", ");
    let fact = ask.read_back.as_ref().map_or_else(String::new, |fact| format!(", each with {}", fact.shown()));
    options + &fact
}

/// The label of what this person has chosen, which counts until they choose otherwise.
pub(super) fn standing_choice<'a>(incident: &'a Incident, person: &PersonName) -> Option<&'a str> {
    let request = incident.request.as_ref()?;
    let option = &request.choices.get(person)?.option;
    Some(request.ask.option(option).map_or(option.as_str(), |option| &option.label))
}

/// What a no to a page that asks leaves as it is.
pub(super) fn after_no(chosen: Option<&str>) -> String {
    chosen.map_or_else(|| NO_TO_QUESTION.to_owned(), |label| format!("your {label} still counts"))
}

/// The words for a no to a page that asks, of somebody who may have chosen: it may be one to the question.
pub(super) fn no_to_question(ask: &Ask, code: &str, chosen: Option<&str>) -> String {
    let what = if chosen.is_some() { "take it back" } else { "pass it on" };
    let pass = format!("{code} {} to {what}", Answer::Unable.digit());
    let (pass, now) = (pass.trim_start(), after_no(chosen));
    if ask.needs_a_form() {
        return format!("{now}: {FILL_IN}, or reply {pass}.");
    }
    format!("{now}: reply {}, or {pass}.", choices(ask, code))
}

/// What was understood, what was not, and what to write, in one SMS.
pub(super) fn not_understood(incident: Option<&Incident>, n: u32, code: &str, doubt: &ReplyDoubt) -> String {
    let doubt = shown(doubt);
    let by_digit = |answer: Answer| format!("{code} {} = {}", answer.digit(), answer.label()).trim_start().to_owned();
    let pass = by_digit(Answer::Unable);
    if let Some(ask) = incident.and_then(|incident| asked_on(incident, n)) {
        if ask.needs_a_form() {
            return format!("not understood: {doubt}. This is not answered by a text: {FILL_IN}, or reply {pass}.");
        }
        return format!("not understood: {doubt}. Reply {} and nothing else.", choices(ask, code));
    }
    let asked = by_digit(incident.map_or(Answer::Wilco, |incident| asked_of(incident, n)));
    let read =
        if code.is_empty() { "I know which page you mean".to_owned() } else { format!("I read your code {code}") };
    format!("{read}, but not what you want: {doubt}. Reply {asked}, {pass}.")
}

/// Shows the doubtful text if it has only characters that every phone can show.
fn shown(doubt: &ReplyDoubt) -> String {
    let ReplyDoubt::Unknown(part) = doubt else { return doubt.to_string() };
    let plain = gsm7::to_gsm7(part);
    // A sign that is written out as a word was not written so.
    let has_letters = |text: &str| text.chars().any(char::is_alphanumeric);
    // A letter of another alphabet may look like one of ours.
    let is_foreign = |c: char| c.is_alphabetic() && LATIN_END < c;
    if part.chars().any(is_foreign) {
        return OTHER_ALPHABET.to_owned();
    }
    if plain != *part && !(has_letters(&plain) && has_letters(part)) {
        return NO_LETTERS.to_owned();
    }
    ReplyDoubt::Unknown(plain).to_string()
}
