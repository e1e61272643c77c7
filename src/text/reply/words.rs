//! The known words, in English: what our texts ask for, what our buttons say, and the few that people type instead. For
//! a yes in another language we ask back: a list of these is never complete, and half a list is worse.

use crate::{
    core::{
        answer::{Answer, STANDBY_DEFAULT, button_labels, standby_span},
        folded::folded,
    },
    text::reply::pieces::{PieceKind, TextPiece, pieces},
};
use std::time::Duration;

/// The meaning of one or more words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordSense {
    /// An answer.
    Say(Answer),
    /// Yes: the answer that was asked for. Contradicts a no.
    Yes,
    /// A nod: without meaning next to an answer, a yes alone.
    Fine,
    /// Thanks: allowed with every answer, but not an answer.
    Polite,
    /// The same; but with a word that can be an order it asks somebody else: `please confirm`.
    Please,
    /// Allowed with a no or a wait.
    Sorry,
    /// Allowed with a wait.
    Need,
    /// Carriers treat it as a permanent opt-out if it is the whole message
    /// (<https://help.twilio.com/articles/223134027>). Never an answer: some carriers swallow it whatever else the
    /// message says, and a person who has sent one gets no further pages by SMS.
    Stop,
    /// Asks for messages again, if it is the whole message.
    Start,
}

/// Words and their meaning.
pub(crate) struct WordMeaning<'a> {
    pub sense: WordSense,
    /// As they were written.
    pub text: &'a str,
    /// Whether nothing stands between it and what was said before.
    pub is_joined: bool,
}

/// Words that deny what comes before or after them. In the lines below an answer, they make it unclear.
pub(crate) const DENIALS: [&str; 13] =
    ["not", "no", "never", "but", "unless", "can't", "cant", "cannot", "don't", "dont", "won't", "wont", "unable"];

/// Question marks, in the scripts that have their own.
pub(crate) const QUESTION_MARKS: &[char] = &[
    '?',
    '\u{37e}',
    '\u{bf}',
    '\u{55e}',
    '\u{61f}',
    '\u{1367}',
    '\u{1945}',
    '\u{203d}',
    '\u{2047}',
    '\u{2048}',
    '\u{2049}',
    '\u{2753}',
    '\u{2754}',
    '\u{2cfa}',
    '\u{2cfb}',
    '\u{2e18}',
    '\u{2e2e}',
    '\u{a60f}',
    '\u{a6f7}',
    '\u{fe16}',
    '\u{fe56}',
    '\u{11143}',
    '\u{1e95f}',
];

/// Signs that say no, wherever they stand.
pub(crate) const NO_SIGNS: &[char] =
    &['👎', '❌', '❎', '🙅', '🚫', '✖', '✗', '✘', '☒', '🤷', '🖕', '😞', '😢', '😭', '😡', '🤒', '🤕', '🤢', '😷'];

/// The word that drills ask for, and no live page.
pub(super) const EXERCISE: &str = "exercise";

/// Words that can also be said to a person who should do it. With a "please" it is unclear who is meant.
const ORDERS: [&str; 11] =
    ["have it", "on it", "will do", "wilco", "will comply", "roger", "confirm", "confirmed", "ack", "ok", "okay"];

/// A wait without a length.
const WAIT: Answer = Answer::Standby { span: STANDBY_DEFAULT };

/// The longest matching run of words counts. The labels of our buttons are added to these.
const KNOWN: &[(&str, WordSense)] = &[
    ("1", WordSense::Say(Answer::Roger)),
    ("roger", WordSense::Say(Answer::Roger)),
    ("received", WordSense::Say(Answer::Roger)),
    ("exercise received", WordSense::Say(Answer::Roger)),
    ("acknowledged", WordSense::Say(Answer::Roger)),
    ("2", WordSense::Say(Answer::Wilco)),
    ("wilco", WordSense::Say(Answer::Wilco)),
    ("will comply", WordSense::Say(Answer::Wilco)),
    ("will do", WordSense::Say(Answer::Wilco)),
    ("i have it", WordSense::Say(Answer::Wilco)),
    ("have it", WordSense::Say(Answer::Wilco)),
    ("i have the exercise", WordSense::Say(Answer::Wilco)),
    ("i've it", WordSense::Say(Answer::Wilco)),
    ("i've got it", WordSense::Say(Answer::Wilco)),
    ("i have got it", WordSense::Say(Answer::Wilco)),
    ("i got it", WordSense::Say(Answer::Wilco)),
    ("i take it", WordSense::Say(Answer::Wilco)),
    ("i'll take it", WordSense::Say(Answer::Wilco)),
    ("i will take it", WordSense::Say(Answer::Wilco)),
    ("i'm taking it", WordSense::Say(Answer::Wilco)),
    ("i am taking it", WordSense::Say(Answer::Wilco)),
    ("taking it", WordSense::Say(Answer::Wilco)),
    ("i'm on it", WordSense::Say(Answer::Wilco)),
    ("i am on it", WordSense::Say(Answer::Wilco)),
    ("on it", WordSense::Say(Answer::Wilco)),
    ("3", WordSense::Say(WAIT)),
    ("standby", WordSense::Say(WAIT)),
    ("stand by", WordSense::Say(WAIT)),
    ("wait", WordSense::Say(WAIT)),
    ("4", WordSense::Say(Answer::Unable)),
    ("4 to hand it back", WordSense::Say(Answer::Unable)),
    ("4 to take it back", WordSense::Say(Answer::Unable)),
    ("4 to pass it on", WordSense::Say(Answer::Unable)),
    ("yes hand it back", WordSense::Say(Answer::Unable)),
    ("unable", WordSense::Say(Answer::Unable)),
    ("i'm unable", WordSense::Say(Answer::Unable)),
    ("i am unable", WordSense::Say(Answer::Unable)),
    ("no", WordSense::Say(Answer::Unable)),
    ("can't", WordSense::Say(Answer::Unable)),
    ("cant", WordSense::Say(Answer::Unable)),
    ("cannot", WordSense::Say(Answer::Unable)),
    ("can not", WordSense::Say(Answer::Unable)),
    ("i can't", WordSense::Say(Answer::Unable)),
    ("i cant", WordSense::Say(Answer::Unable)),
    ("i cannot", WordSense::Say(Answer::Unable)),
    ("i can not", WordSense::Say(Answer::Unable)),
    ("can't take it", WordSense::Say(Answer::Unable)),
    ("cant take it", WordSense::Say(Answer::Unable)),
    ("cannot take it", WordSense::Say(Answer::Unable)),
    ("can not take it", WordSense::Say(Answer::Unable)),
    ("i can't take it", WordSense::Say(Answer::Unable)),
    ("i cant take it", WordSense::Say(Answer::Unable)),
    ("i cannot take it", WordSense::Say(Answer::Unable)),
    ("i can not take it", WordSense::Say(Answer::Unable)),
    ("pass", WordSense::Say(Answer::Unable)),
    ("pass on", WordSense::Say(Answer::Unable)),
    ("pass it on", WordSense::Say(Answer::Unable)),
    ("yes", WordSense::Yes),
    ("y", WordSense::Yes),
    ("ack", WordSense::Yes),
    ("got it", WordSense::Yes),
    ("confirm", WordSense::Yes),
    ("i confirm", WordSense::Yes),
    ("confirmed", WordSense::Yes),
    ("ok", WordSense::Fine),
    ("okay", WordSense::Fine),
    ("thanks", WordSense::Polite),
    ("thank you", WordSense::Polite),
    ("thx", WordSense::Polite),
    ("please", WordSense::Please),
    ("pls", WordSense::Please),
    ("plz", WordSense::Please),
    ("sorry", WordSense::Sorry),
    ("i need", WordSense::Need),
    ("need", WordSense::Need),
    ("give me", WordSense::Need),
    ("stop", WordSense::Stop),
    ("stop all", WordSense::Stop),
    ("stopall", WordSense::Stop),
    ("unsubscribe", WordSense::Stop),
    ("end", WordSense::Stop),
    ("quit", WordSense::Stop),
    ("cancel", WordSense::Stop),
    ("revoke", WordSense::Stop),
    ("optout", WordSense::Stop),
    ("opt out", WordSense::Stop),
    ("start", WordSense::Start),
    ("unstop", WordSense::Start),
    ("optin", WordSense::Start),
    ("opt in", WordSense::Start),
];

/// Words that say no to a question as well as to a page.
const NOES: [&str; 9] = ["no", "can't", "cant", "cannot", "can not", "i can't", "i cant", "i cannot", "i can not"];

/// Words that say no to a page alone, and may deny what stands behind them.
const UNABLE: [&str; 3] = ["unable", "i'm unable", "i am unable"];

/// Whether these words can be an order to somebody else.
pub(super) fn can_be_order(text: &str) -> bool {
    ORDERS.contains(&bare(text).as_str())
}

/// Whether these words say no to a question as well as to a page.
pub(super) fn is_no(text: &str) -> bool {
    NOES.contains(&bare(text).as_str())
}

/// Whether one of two words for the same answer, which follow each other, may deny the other.
pub(super) fn denies(one: &str, next: &str) -> bool {
    let (one, next) = (bare(one), bare(next));
    let is_no = |words: &str| NOES.contains(&words);
    let denies = |words: &str| is_no(words) || UNABLE.contains(&words);
    let is_digit = |words: &str| words.bytes().all(|byte| byte.is_ascii_digit());
    if one == next || one == "no" && denies(&next) {
        // `No no` and `No I can't` say it twice.
        return false;
    }
    is_no(&one) || UNABLE.contains(&one.as_str()) && !is_digit(&next) || denies(&next) && !is_digit(&one)
}

/// The words of a text alone.
fn bare(text: &str) -> String {
    let text = folded(text);
    pieces(&text).iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

/// Units of a wait, as separate words.
const MINUTES: [&str; 4] = ["minute", "minutes", "min", "mins"];

/// All known runs of words: the ones above, and the labels of our buttons. A label that changes is recognised without
/// further work.
pub(crate) struct Vocabulary {
    labels: Vec<(String, WordSense)>,
}

impl Vocabulary {
    pub fn new() -> Self {
        let label = |(label, answer): (&str, Answer)| {
            let text = folded(label);
            let pieces = pieces(&text);
            let part = |piece| if let Some(word) = word(piece) { word } else { COMMA };
            (pieces.iter().map(part).collect::<Vec<_>>().join(" "), WordSense::Say(answer))
        };
        Self { labels: button_labels().map(label).collect() }
    }

    /// The meaning of the words from here on, and where the next ones begin; `None` if the first is not known.
    pub fn sense_at(&self, pieces: &[TextPiece<'_>], at: usize) -> Option<(WordSense, usize)> {
        if let Some((span, next)) = minutes_at(pieces, at) {
            return Some((WordSense::Say(Answer::Standby { span }), next));
        }
        let labels = self.labels.iter().map(|(words, sense)| (words.as_str(), *sense));
        let fits = |(words, sense)| Some((sense, end_of(pieces, at, words)?));
        let (sense, next) = KNOWN.iter().copied().chain(labels).filter_map(fits).max_by_key(|(_, next)| *next)?;
        match asked_span(pieces, at, next).filter(|_| sense == WordSense::Say(WAIT)) {
            Some((span, next)) => Some((WordSense::Say(Answer::Standby { span }), next)),
            None => Some((sense, next)),
        }
    }
}

/// Stands for a comma of a label: without it, `I can't pass on` says something else.
const COMMA: &str = ",";

/// The end of these words, if they are found here; commas and full stops between them are ignored, but for those of a label.
fn end_of(pieces: &[TextPiece<'_>], at: usize, words: &str) -> Option<usize> {
    let mut next = at;
    for wanted in words.split(' ') {
        if wanted == COMMA && pieces.get(next)?.kind != PieceKind::Break {
            return None;
        }
        while next != at && pieces.get(next)?.kind == PieceKind::Break {
            next += 1;
        }
        if wanted == COMMA {
            continue;
        }
        if word(pieces.get(next)?)? != wanted {
            return None;
        }
        next += 1;
    }
    Some(next)
}

/// `2 more minutes`, `5 min`, `5m`: a wait, even without the word.
fn minutes_at(pieces: &[TextPiece<'_>], at: usize) -> Option<(Duration, usize)> {
    let first = word(pieces.get(at)?)?;
    let digits = first.trim_start_matches(|c: char| c.is_ascii_digit());
    let minutes = Some(&first[..first.len() - digits.len()]).filter(|minutes| !minutes.is_empty())?;
    let span = standby_span(minutes).ok().filter(|span| !span.is_zero())?;
    if digits == "m" || MINUTES.contains(&digits) {
        return Some((span, at + 1));
    }
    let word_at = |at: usize| pieces.get(at).and_then(word);
    let unit = if word_at(at + 1) == Some("more") { at + 2 } else { at + 1 };
    let is_unit = digits.is_empty() && word_at(unit).is_some_and(|word| MINUTES.contains(&word));
    is_unit.then_some((span, unit + 1))
}

/// The length of a wait, right after the word: `standby 3`, `wait 90s`, `3 5`. After the digit 3, another digit that is
/// itself an answer is not a number of minutes.
fn asked_span(pieces: &[TextPiece<'_>], at: usize, next: usize) -> Option<(Duration, usize)> {
    if let Some(found) = minutes_at(pieces, next) {
        return Some(found);
    }
    let (asks, span) = (word(pieces.get(at)?)?, word(pieces.get(next)?)?);
    if asks == "3" && ["1", "2", "4"].contains(&span) {
        return None;
    }
    let parsed = span.starts_with(|c: char| c.is_ascii_digit()).then(|| standby_span(span).ok()).flatten();
    parsed.filter(|span| !span.is_zero()).map(|span| (span, next + 1))
}

fn word<'a>(piece: &'a TextPiece<'_>) -> Option<&'a str> {
    if let PieceKind::Word(word) = &piece.kind { Some(word) } else { None }
}
