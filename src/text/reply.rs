//! Parses what people write back, from every channel: turns a text into its meaning. It is pure and total: no text is
//! an error.
//!
//! It knows a small set of words (`words.rs`) and a small set of signs without meaning (`pieces.rs`). A text is an
//! answer only if every piece of it is known and all of them say the same. Anything else in it makes it unclear: a
//! word, a question mark, an emoji, a second answer, one number too many. A text that may mean no engages nobody.

mod choice;
mod pieces;
mod words;

pub(crate) use crate::text::reply::words::{NO_SIGNS, QUESTION_MARKS};
pub use crate::{
    core::folded::folded,
    text::reply::{
        choice::{ChoiceReading, beside_code, choice, is_of_exercise},
        pieces::CODE_DIGITS,
    },
};

use crate::{
    core::{
        answer::{Answer, UnknownAnswer},
        folded::is_unseen,
    },
    text::reply::{
        pieces::{PieceKind, TextPiece, pieces},
        words::{Vocabulary, WordMeaning, WordSense},
    },
};
use std::fmt;

/// The longest text that is read, in characters; longer than the longest SMS of any provider. A longer text is unclear,
/// because half of a text may mean the opposite of the whole.
pub const READ_MAX: usize = 2_000;

/// How many characters of a text are quoted to its writer.
pub const QUOTE_MAX: usize = 40;

/// The meaning of a text. The caller must check who sent it, and whether the code is theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An explicit answer.
    Answer {
        /// The page's code, if there is one.
        code: Option<String>,
        /// The answer.
        answer: Answer,
    },
    /// A code alone, or a yes. With a code, it is the answer that its page asks for. A yes without a code is not an
    /// answer.
    AsAsked {
        /// The page's code, if there is one.
        code: Option<String>,
    },
    /// They asked the carrier to stop all messages; the text contains nothing else.
    OptOut,
    /// They asked the carrier to send messages again.
    OptIn,
    /// Not an answer, or not only one. Never used as one.
    Unclear {
        /// The page's code, if there is one.
        code: Option<String>,
        /// Why it is unclear.
        doubt: ReplyDoubt,
    },
}

/// Why a text is not an answer, in words for its writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyDoubt {
    /// The text is empty.
    Nothing,
    /// This part is not known: in their own spelling, without invisible characters, cut to [`QUOTE_MAX`].
    Unknown(String),
    /// It gives two answers.
    Both(String, String),
    /// It names two pages.
    TwoCodes,
    /// It mentions an exercise, but the page is live.
    Live,
}

/// Parses a text: a code and words in either order, in any case and with any script's digits: `48213`, `48213 2`,
/// `wilco 48213`, `48213 I have it`, `٤٨٢١٣ ٢`, `48213 standby 3`.
pub fn read(text: &str) -> Reply {
    if READ_MAX < text.chars().take(READ_MAX + 1).count() {
        return Reply::Unclear { code: None, doubt: ReplyDoubt::unknown(text) };
    }
    let folded = folded(text);
    let reading = ReplyReader::of(&folded);
    match reading.code().map(|code| (code, reading.said())) {
        Ok((code, Ok(said))) => meaning(code, &said),
        Ok((code, Err(doubt))) => Reply::Unclear { code, doubt },
        Err(doubt) => Reply::Unclear { code: None, doubt },
    }
}

/// Parses bytes that should be UTF-8; invalid bytes make the text unclear.
pub fn read_bytes(bytes: &[u8]) -> Reply {
    read(&String::from_utf8_lossy(bytes))
}

/// Parses an answer if the incident is known, so that no code is allowed: typed into a shell or a chat.
///
/// # Errors
///
/// The text is not an answer; the error contains it.
pub fn typed(text: &str) -> Result<Answer, UnknownAnswer> {
    match read(text) {
        Reply::Answer { code: None, answer } => Ok(answer),
        _ => Err(UnknownAnswer::new(quoted(text.trim()))),
    }
}

/// Whether a text mentions an exercise. Then it cannot answer a live page: its writer has not noticed that the page is
/// live.
pub fn says_exercise(text: &str) -> bool {
    let folded = folded(text);
    let is_it = |piece: &TextPiece<'_>| matches!(&piece.kind, PieceKind::Word(word) if word == words::EXERCISE);
    pieces(&folded).iter().any(is_it)
}

/// Whether a whole message is YES: for some carriers this means that they may send messages again.
pub fn is_yes(text: &str) -> bool {
    let is_yes = || folded(text).trim_matches(|c: char| !c.is_alphanumeric()).eq_ignore_ascii_case("yes");
    read(text) == Reply::AsAsked { code: None } && is_yes()
}

/// Whether a text says no and nothing more: to a question that is no answer to its page, for it may be one to the question.
pub fn is_no(text: &str) -> bool {
    let folded = folded(text);
    let said = ReplyReader::of(&folded).said().unwrap_or_default();
    let mut answers = said.iter().filter(|said| matches!(said.sense, WordSense::Say(_))).peekable();
    answers.peek().is_some() && answers.all(|said| words::is_no(said.text))
}

/// The first number of a text that may be the code of a page.
pub fn first_code(text: &str) -> Option<String> {
    let folded = folded(text);
    pieces(&folded).iter().find(|piece| piece.kind == PieceKind::Code).map(|piece| piece.text.to_owned())
}

/// Whether a further line after an answer asks or denies something: then the answer above it cannot be trusted.
pub fn asks_or_denies(line: &str) -> bool {
    let folded = folded(line);
    let denies =
        |piece: &TextPiece<'_>| matches!(&piece.kind, PieceKind::Word(word) if words::DENIALS.contains(&word.as_str()));
    folded.contains(words::QUESTION_MARKS) || folded.contains(words::NO_SIGNS) || pieces(&folded).iter().any(denies)
}

/// A text that is being read.
struct ReplyReader<'a> {
    text: &'a str,
    pieces: Vec<TextPiece<'a>>,
    words: Vocabulary,
}

impl<'a> ReplyReader<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, pieces: pieces(text), words: Vocabulary::new() }
    }

    fn code(&self) -> Result<Option<String>, ReplyDoubt> {
        let mut codes = self.pieces.iter().filter(|piece| piece.kind == PieceKind::Code).map(|piece| piece.text);
        let Some(first) = codes.next() else { return Ok(None) };
        // Two codes: which page is meant cannot be known.
        if codes.all(|other| other == first) { Ok(Some(first.to_owned())) } else { Err(ReplyDoubt::TwoCodes) }
    }

    /// The meaning of each piece; fails at the first unknown one.
    fn said(&self) -> Result<Vec<WordMeaning<'a>>, ReplyDoubt> {
        let mut said: Vec<WordMeaning<'a>> = Vec::new();
        let (mut at, mut said_end) = (0, 0);
        while let Some(piece) = self.pieces.get(at) {
            let known = match piece.kind {
                PieceKind::Code | PieceKind::Break => Some((None, at + 1)),
                PieceKind::Nod => Some((Some(WordSense::Fine), at + 1)),
                PieceKind::Word(_) => self.words.sense_at(&self.pieces, at).map(|(sense, next)| (Some(sense), next)),
                PieceKind::Gloss('=') if said.is_empty() && self.says_by_code(at) => Some((None, at + 1)),
                PieceKind::Gloss('"' | '\'') => self.cited(at).map(|(sense, next)| (Some(sense), next)),
                PieceKind::Gloss(_) => {
                    said.last().and_then(|last| self.glossed(last.sense, at)).map(|next| (None, next))
                }
                PieceKind::Unknown => None,
            };
            let (sense, next) = known.ok_or_else(|| self.unknown(at))?;
            let end = next.checked_sub(1).and_then(|last| self.pieces.get(last)).map_or(piece.end(), TextPiece::end);
            let text = self.text.get(piece.at..end).unwrap_or(piece.text);
            // The code of a page stands anywhere.
            let between = self.text.get(said_end..piece.at).unwrap_or_default();
            let is_joined = between.chars().all(|c| c.is_whitespace() && c != '\n' || c.is_ascii_digit());
            if sense.is_some() {
                said_end = end;
            }
            said.extend(sense.map(|sense| WordMeaning { sense, text, is_joined }));
            at = next;
        }
        Ok(said)
    }

    /// `2 = I have it` and `wilco (I have it)`, as in our own texts: the same answer again, after a sign. `I have it
    /// (exercise)` is the button of a drill.
    fn glossed(&self, before: WordSense, at: usize) -> Option<usize> {
        let kind = |at: usize| self.pieces.get(at).map(|piece| &piece.kind);
        if let [Some(PieceKind::Gloss('(')), Some(PieceKind::Word(word)), Some(PieceKind::Gloss(')'))] =
            [kind(at), kind(at + 1), kind(at + 2)]
            && *word == words::EXERCISE
        {
            return Some(at + 3);
        }
        let (sense, next) = self.words.sense_at(&self.pieces, at + 1)?;
        if sense != before || !matches!(sense, WordSense::Say(_)) {
            return None;
        }
        match self.pieces.get(at)?.kind {
            PieceKind::Gloss('=') => Some(next),
            PieceKind::Gloss('(') => (self.pieces.get(next)?.kind == PieceKind::Gloss(')')).then_some(next + 1),
            _ => None,
        }
    }

    /// `48213 = I take it`, as our own SMS has it: between the code and words, not a digit.
    fn says_by_code(&self, at: usize) -> bool {
        let is_code =
            at.checked_sub(1).and_then(|at| self.pieces.get(at)).is_some_and(|piece| piece.kind == PieceKind::Code);
        let says = self
            .words
            .sense_at(&self.pieces, at + 1)
            .is_some_and(|(sense, _)| matches!(sense, WordSense::Say(_) | WordSense::Yes));
        let is_word = matches!(self.pieces.get(at + 1).map(|next| &next.kind),
            Some(PieceKind::Word(word)) if word.starts_with(char::is_alphabetic));
        is_code && says && is_word
    }

    /// `"Hand it back"`: the words of a button or of our texts in quotes. A single word in quotes may be meant otherwise.
    fn cited(&self, at: usize) -> Option<(WordSense, usize)> {
        let kind = |at: usize| self.pieces.get(at).map(|piece| &piece.kind);
        let (sense, next) = self.words.sense_at(&self.pieces, at + 1)?;
        let end = if kind(next) == Some(&PieceKind::Break) { next + 1 } else { next };
        let is_whole = kind(end) == kind(at) && at + 2 < next && matches!(sense, WordSense::Say(_) | WordSense::Yes);
        is_whole.then_some((sense, end + 1))
    }

    /// The unknown piece with everything that touches it, and the unknown pieces after it.
    fn unknown(&self, at: usize) -> ReplyDoubt {
        let known = |next: &usize| match self.pieces.get(*next).map(|piece| &piece.kind) {
            None | Some(PieceKind::Code | PieceKind::Nod) => true,
            Some(PieceKind::Word(_)) => self.words.sense_at(&self.pieces, *next).is_some(),
            Some(PieceKind::Break | PieceKind::Gloss(_) | PieceKind::Unknown) => false,
        };
        let touch = |one: usize| match (self.pieces.get(one), self.pieces.get(one + 1)) {
            (Some(one), Some(next)) => {
                one.end() == next.at && one.kind != PieceKind::Code && next.kind != PieceKind::Code
            }
            _ => false,
        };
        let mut first = at;
        while 0 < first && touch(first - 1) {
            first -= 1;
        }
        let mut last = (at + 1..=self.pieces.len()).find(known).unwrap_or(self.pieces.len()) - 1;
        while touch(last) {
            last += 1;
        }
        let (from, to) = (self.pieces.get(first).map(|piece| piece.at), self.pieces.get(last).map(TextPiece::end));
        let part = self.text.get(from.unwrap_or_default()..to.unwrap_or_default());
        ReplyDoubt::unknown(part.unwrap_or_default())
    }
}

fn meaning(code: Option<String>, said: &[WordMeaning<'_>]) -> Reply {
    let has = |sense: WordSense| said.iter().find(|said| said.sense == sense).map(|said| quoted(said.text));
    let all = |sense: WordSense| !said.is_empty() && code.is_none() && said.iter().all(|said| said.sense == sense);
    if all(WordSense::Stop) {
        return Reply::OptOut;
    }
    if all(WordSense::Start) && said.len() == 1 {
        return Reply::OptIn;
    }
    // Carriers swallow these words or treat them as an opt-out. They are never an answer, and with other words they are
    // not an opt-out either.
    if let Some(word) = has(WordSense::Stop).or_else(|| has(WordSense::Start)) {
        return Reply::Unclear { code, doubt: ReplyDoubt::Unknown(word) };
    }
    if let Some(asked) = asked_of_another(said) {
        return Reply::Unclear { code, doubt: asked };
    }
    if let Some(denied) = denied(said) {
        return Reply::Unclear { code, doubt: denied };
    }
    let mut answers =
        said.iter().filter_map(|said| if let WordSense::Say(answer) = said.sense { Some(answer) } else { None });
    let first = answers.next();
    let doubt = match first {
        Some(answer) => answers
            .find(|other| *other != answer)
            .map(|other| ReplyDoubt::between(answer, other))
            .or_else(|| at_odds(answer, said)),
        None => no_answer(said, code.is_some()),
    };
    match (doubt, first) {
        (Some(doubt), _) => Reply::Unclear { code, doubt },
        (None, Some(answer)) => Reply::Answer { code, answer },
        (None, None) => Reply::AsAsked { code },
    }
}

/// `Please confirm`, `on it please`: it is unclear who should do it, maybe somebody else.
fn asked_of_another(said: &[WordMeaning<'_>]) -> Option<ReplyDoubt> {
    let at = said.iter().position(|said| said.sense == WordSense::Please)?;
    let order = said.iter().position(|said| words::can_be_order(said.text))?;
    let (first, second) = (said.get(at.min(order))?, said.get(at.max(order))?);
    Some(ReplyDoubt::unknown(&format!("{} {}", first.text, second.text)))
}

/// `cannot pass it on`, `no 4`, `pass on no`: a word that may deny the other one, with no comma between them.
fn denied(said: &[WordMeaning<'_>]) -> Option<ReplyDoubt> {
    let unable = |said: &WordMeaning<'_>| said.sense == WordSense::Say(Answer::Unable);
    let pairs = said.iter().zip(said.iter().skip(1));
    let mut denied = pairs.filter(|(one, next)| next.is_joined && unable(one) && unable(next));
    denied
        .find(|(one, next)| words::denies(one.text, next.text))
        .map(|(one, next)| ReplyDoubt::unknown(&format!("{} {}", one.text, next.text)))
}

/// Words that contradict this answer: a yes with a no, a "sorry" with a yes, "I need" without a time. `No, ok` is a yes in
/// some languages.
fn at_odds(answer: Answer, said: &[WordMeaning<'_>]) -> Option<ReplyDoubt> {
    let is_no = said.iter().any(|said| said.text.eq_ignore_ascii_case("no"));
    let odd: &[WordSense] = match answer {
        Answer::Wilco | Answer::Roger => &[WordSense::Sorry, WordSense::Need],
        Answer::Standby { .. } => &[WordSense::Yes],
        Answer::Unable if is_no => &[WordSense::Yes, WordSense::Need, WordSense::Fine],
        Answer::Unable => &[WordSense::Yes, WordSense::Need],
    };
    let word = odd.iter().find_map(|sense| said.iter().find(|said| said.sense == *sense))?;
    Some(ReplyDoubt::Both(quoted(word.text), by_digit(answer)))
}

/// Texts without an explicit answer: a code alone or a yes means the answer that was asked for; thanks alone mean
/// nothing.
fn no_answer(said: &[WordMeaning<'_>], has_code: bool) -> Option<ReplyDoubt> {
    let is = |senses: &[WordSense]| said.iter().find(|said| senses.contains(&said.sense));
    if let Some(other) = is(&[WordSense::Sorry, WordSense::Need]) {
        return Some(ReplyDoubt::unknown(other.text));
    }
    if is(&[WordSense::Yes, WordSense::Fine]).is_some() {
        return None;
    }
    match said.first() {
        Some(polite) => Some(ReplyDoubt::unknown(polite.text)),
        None => (!has_code).then_some(ReplyDoubt::Nothing),
    }
}

/// `2 (I have it)`.
fn by_digit(answer: Answer) -> String {
    match answer {
        Answer::Standby { .. } => format!("{} ({answer})", answer.digit()),
        _ => format!("{} ({})", answer.digit(), answer.label()),
    }
}

/// In a form for quoting: one line, without invisible characters, cut.
fn quoted(text: &str) -> String {
    let seen =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control() && !is_unseen(*c));
    let seen: Vec<char> = seen.take(QUOTE_MAX + 1).collect();
    match seen.get(..QUOTE_MAX - 2).filter(|_| QUOTE_MAX < seen.len()) {
        Some(cut) => cut.iter().chain(&['.', '.']).collect(),
        None => seen.iter().collect(),
    }
}

impl ReplyDoubt {
    /// An unknown part, in a form for quoting.
    pub fn unknown(part: &str) -> Self {
        Self::Unknown(quoted(part))
    }

    /// Two answers where only one is allowed.
    pub fn between(one: Answer, other: Answer) -> Self {
        Self::Both(by_digit(one), by_digit(other))
    }
}

impl fmt::Display for ReplyDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is no answer in it"),
            Self::Unknown(part) => write!(f, "\"{part}\""),
            Self::Both(one, other) => write!(f, "{one} or {other}"),
            Self::TwoCodes => f.write_str("there are two codes in it"),
            Self::Live => f.write_str("this is LIVE, no exercise"),
        }
    }
}
