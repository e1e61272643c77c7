//! How often a text is answered by a text. The sender may be a machine (an absence note, another pager), and two machines
//! that answer each other never end.

use crate::core::Timestamp;
use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Questions that one address gets in [`WINDOW`] without answering any.
pub const QUESTIONS_MAX: usize = 3;

/// Words in [`HOUR`] that one address gets for texts that were not understood, whatever they say, until one of its texts
/// is an answer. People who mistype need two or three; a machine that writes something new each time gets no more.
pub const EXPLAINED_MAX: usize = 8;

/// Times in [`WINDOW`] that the very same answer is confirmed to one address.
pub const CONFIRMED_MAX: usize = 3;

/// What stands at the end of the last of them.
pub const LAST_WORDS: &str = "No more replies like this for an hour: use the desk or the mail's link.";

/// In what time questions and confirmations are counted.
pub const WINDOW: Duration = Duration::from_secs(10 * 60);

/// How long texts are remembered.
pub const HOUR: Duration = Duration::from_secs(60 * 60);

/// Addresses whose texts are remembered.
const ADDRESSES_MAX: usize = 10_000;

/// Texts of one address that are remembered.
const TEXTS_MAX: usize = 32;

/// What a text is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextReply {
    /// What became of an answer.
    Verdict(String),
    /// What was not understood of a text with this code.
    Doubt(String, String),
    /// Which page is meant, or how to answer at all.
    Question(String),
}

/// The texts that were answered of late, by address.
#[derive(Debug, Default)]
pub struct AnsweredTexts(Mutex<HashMap<String, VecDeque<AnsweredText>>>);

#[derive(Debug)]
struct AnsweredText {
    at: Timestamp,
    /// Of what it said.
    mark: u64,
    kind: ReplyKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ReplyKind {
    Verdict,
    Doubt(String),
    Question,
}

impl AnsweredTexts {
    /// The words that go back to `address` for its text; empty where they would be some too many: there are so many in
    /// [`WINDOW`] and in [`HOUR`], and none for a text that is not understood twice in a row, which is a machine's. What a text does is
    /// done all the same.
    pub fn bounded(&self, address: &str, text: &str, reply: TextReply, now: Timestamp) -> String {
        let (words, kind) = match reply {
            TextReply::Verdict(words) => (words, ReplyKind::Verdict),
            TextReply::Doubt(code, words) => (words, ReplyKind::Doubt(code)),
            TextReply::Question(words) => (words, ReplyKind::Question),
        };
        let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = |answered: &AnsweredText| answered.at + HOUR <= now;
        if ADDRESSES_MAX <= addresses.len() && !addresses.contains_key(address) {
            addresses.retain(|_, texts| texts.back().is_some_and(|last| !is_old(last)));
            // So many at once are strangers' doing: another one gets no answer, and what it says is judged all the same.
            if ADDRESSES_MAX <= addresses.len() {
                return String::new();
            }
        }
        let texts = addresses.entry(address.to_owned()).or_default();
        texts.retain(|answered| !is_old(answered));
        let mark = mark(text);
        if words.is_empty() || is_one_too_many(texts, mark, &kind, now) {
            tracing::info!("a text is not answered: its address gets none, or writes like a machine");
            return String::new();
        }
        if TEXTS_MAX <= texts.len() {
            texts.pop_front();
        }
        let is_last = kind != ReplyKind::Verdict && explained(texts).count() + 1 == EXPLAINED_MAX;
        texts.push_back(AnsweredText { at: now, mark, kind });
        if is_last { format!("{words} {LAST_WORDS}") } else { words }
    }
}

/// The texts that were not understood since the sender's last answer: who has answered a page is a person.
fn explained(texts: &VecDeque<AnsweredText>) -> impl Iterator<Item = &AnsweredText> {
    texts.iter().rev().take_while(|answered| answered.kind != ReplyKind::Verdict)
}

fn is_one_too_many(texts: &VecDeque<AnsweredText>, mark: u64, kind: &ReplyKind, now: Timestamp) -> bool {
    let is_recent = |answered: &&AnsweredText| now < answered.at + WINDOW;
    let again = texts.back().filter(is_recent).is_some_and(|last| last.mark == mark && last.kind == *kind);
    match kind {
        ReplyKind::Verdict => {
            let same = |answered: &&AnsweredText| answered.mark == mark && answered.kind == *kind;
            CONFIRMED_MAX <= texts.iter().filter(is_recent).filter(same).count()
        }
        ReplyKind::Doubt(_) => again || EXPLAINED_MAX <= explained(texts).count(),
        ReplyKind::Question => {
            let asked = explained(texts).filter(is_recent).filter(|answered| answered.kind == *kind).count();
            again || QUESTIONS_MAX <= asked || EXPLAINED_MAX <= explained(texts).count()
        }
    }
}

/// The same for texts that differ in case and gaps alone.
fn mark(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.split_whitespace().for_each(|word| word.to_lowercase().hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(0);

    fn asked(texts: &AnsweredTexts, address: &str, text: &str, now: Timestamp) -> bool {
        !texts.bounded(address, text, TextReply::Question("which?".into()), now).is_empty()
    }

    fn confirmed(texts: &AnsweredTexts, text: &str) -> bool {
        !texts.bounded("+1", text, TextReply::Verdict("taken".into()), START).is_empty()
    }

    #[test]
    fn a_machine_hears_a_few_words_and_no_more() {
        let texts = AnsweredTexts::default();
        assert_eq!((0..300).filter(|_| asked(&texts, "+1", "I am  driving", START)).count(), 1);
        assert!(!asked(&texts, "+1", "i am driving", START));
        let others = (0..300).filter(|n| asked(&texts, "+1", &format!("ticket {n}"), START)).count();
        assert_eq!(others, QUESTIONS_MAX - 1);
        // Nobody else waits for that, and nor does it itself, later.
        assert!(asked(&texts, "+2", "I am driving", START));
        assert!(asked(&texts, "+1", "I am driving", START + WINDOW));
    }

    #[test]
    fn what_quotes_a_code_is_doubted_a_few_times() {
        let texts = AnsweredTexts::default();
        let doubted = |text: &str, code: &str| {
            !texts.bounded("+1", text, TextReply::Doubt(code.into(), "what?".into()), START).is_empty()
        };
        assert_eq!((0..300).filter(|_| doubted("48213 I am away", "48213")).count(), 1);
        assert_eq!((0..300).filter(|n| doubted(&format!("48213 {n} times"), "48213")).count(), EXPLAINED_MAX - 1);
        // Who answers after that is a person.
        assert!(confirmed(&texts, "48213 2"));
        assert!(doubted("59120 ?", "59120") && asked(&texts, "+1", "what?", START));
    }

    #[test]
    fn a_machine_that_writes_another_number_each_time_gets_a_few_words_an_hour() {
        let texts = AnsweredTexts::default();
        let told = |address: &str, n: u64| {
            let (code, at) = (format!("{}", 10_000 + n), START + Duration::from_secs(n * 15));
            let (text, words) = (format!("ticket {code} was opened"), "what?".to_owned());
            let reply = match n % 3 {
                0 => TextReply::Question(words),
                _ => TextReply::Doubt(code, words),
            };
            !texts.bounded(address, &text, reply, at).is_empty()
        };
        assert_eq!((0..200).filter(|n| told("+1", *n)).count(), EXPLAINED_MAX, "in fifty minutes");
        assert!(!told("+1", 239) && told("+1", 240 + 12), "the first ones are an hour old");
        assert!((0..5).all(|n| told("+2", 500 + n)), "somebody else who mistypes is helped");
    }

    #[test]
    fn what_became_of_an_answer_is_said_again_a_few_times() {
        let texts = AnsweredTexts::default();
        assert_eq!((0..300).filter(|_| confirmed(&texts, "48213 2")).count(), CONFIRMED_MAX);
        assert!((3..100).all(|n| confirmed(&texts, &format!("48213 {n}"))), "different answers are a person's");
    }

    #[test]
    fn whoever_answers_in_between_is_no_machine() {
        let texts = AnsweredTexts::default();
        for n in 0..20 {
            assert!(asked(&texts, "+1", "2", START), "{n}");
            assert!(confirmed(&texts, &format!("48213 2 for {n}")));
        }
    }
}
