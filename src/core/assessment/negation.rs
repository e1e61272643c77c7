//! Which words of a text are denied: "no chest pain" is none. After W. W. Chapman et al., *A Simple Algorithm for
//! Identifying Negated Findings and Diseases in Discharge Summaries* (NegEx), Journal of Biomedical Informatics 34 (2001)
//! 301-310: a negation reaches over at most five words, and not over punctuation or a word that turns the sentence.
//!
//! Where it is not sure, a phrase counts: what is missed costs more than what is looked at in vain. So `never` and its kin
//! deny nothing, for "never such chest pain" means the opposite, and neither do `can't` and `won't`.

use super::{
    phrase_word::PhraseWord,
    tokens::{TextToken, TokenGap},
};
use std::ops::Range;

/// Over how many words a negation reaches.
pub const REACH: usize = 5;

/// The words of one language that deny.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Negations {
    /// What denies that which follows.
    before: Vec<Vec<PhraseWord>>,
    /// What denies that which precedes, as the last words of its clause.
    after: Vec<Vec<PhraseWord>>,
    /// What looks like a negation and denies nothing.
    pseudo: Vec<Vec<PhraseWord>>,
    /// What turns the sentence: no negation reaches over it.
    turns: Vec<Vec<PhraseWord>>,
}

/// The lists of one language, each phrase separated by a comma.
struct BuiltIn {
    language: &'static str,
    before: &'static str,
    after: &'static str,
    pseudo: &'static str,
    turns: &'static str,
}

const BUILT_IN: [BuiltIn; 4] = [
    BuiltIn {
        language: "en",
        before: "no, not, without, none, neither, nor, denies, denied, deny, denying, don't, doesn't, didn't, isn't, \
                 aren't, wasn't, weren't, hasn't, haven't, hadn't, free of, absence of, negative for, rules out, ruled out",
        after: "ruled out, absent, denied, not present, negative",
        pseudo: "not only, not just, not merely, no doubt, not sure, not certain, don't know, doesn't know, didn't know, not \
                 know, no idea, not better, no better, not gone, not going away, not go* away, don't go away, doesn't go \
                 away, not stop*, doesn't stop, don't stop, didn't stop, no relief, not well, not good, not ok, not okay, \
                 not right, not rule* out, no i, no he, no she, no we, no they, no it, no my, no there, no the, why not, \
                 not normal, no longer bear, no change, not forget",
        turns: "but, however, although, though, except, because, since, nevertheless, yet, still, now, only, instead, due",
    },
    BuiltIn {
        language: "de",
        before: "kein, keine, keinen, keiner, keinem, keinerlei, nicht, ohne, weder, verneint, verneinte, frei von",
        after: "nicht, verneint, verneint er, verneint sie, ausgeschlossen, nein",
        pseudo: "nicht nur, nicht allein, kein zweifel, keine ahnung, weiss nicht, nicht sicher, nicht besser, nicht weg, nicht \
                 gut, nicht wohl, keine besserung, keine linderung, vergeh* nicht, verschwind* nicht, end* nicht, aufhor* \
                 nicht, nicht auszuschliessen, nicht ausgeschlossen, nicht normal, warum nicht",
        turns: "aber, sondern, jedoch, doch, allerdings, obwohl, ausser, weil, wegen, jetzt, seit, sonst, nur, trotzdem",
    },
    BuiltIn {
        language: "fr",
        before: "pas, aucun, aucune, sans, ni, nie",
        after: "absent, absente, absents, absentes, exclu, exclue",
        pseudo: "pas seulement, pas que, aucun doute, sans doute, sais pas, pas sur, pas certain, pas certaine, pas mieux, pas \
                 bien, pas parti*, s'arrete pas, arrete pas, passe pas, part pas, cesse pas, pas exclu*, aucune idee, aucune \
                 amelioration, pas normal, pas normale, pourquoi pas",
        turns: "mais, cependant, toutefois, pourtant, sauf, car, parce, quoique, maintenant, depuis, seulement",
    },
    BuiltIn {
        language: "es",
        before: "no, sin, niega, niegan, nego, ningun, ninguna, ninguno, tampoco, ni, ausencia de",
        after: "ausente, ausentes, descartado, descartada, negado, negada",
        pseudo: "no solo, no solamente, no hay duda, sin duda, no se, no estoy seguro, no estoy segura, no mejor, no mejora, no \
                 bien, no para, no cesa, no desaparece, no se va, no se quita, no se me quita, no se me pasa, no se descarta, \
                 ni idea, no normal, por que no",
        turns: "pero, sino, aunque, excepto, salvo, porque, ahora, desde, embargo, solo",
    },
];

/// A denied place: the words of the text that are looked at, and where their negations are.
pub(super) struct NegationMap<'t> {
    tokens: &'t [TextToken],
    /// Behind each word, the length of the negation that ends there.
    ends: Vec<usize>,
    /// Before each word, the length of the negation that begins there and denies what precedes.
    starts: Vec<usize>,
    turns: Vec<bool>,
}

impl Negations {
    /// The languages with lists of their own.
    pub fn languages() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|list| list.language)
    }

    /// The list of a language; `None` if there is none.
    pub fn of(language: &str) -> Option<Self> {
        let list = BUILT_IN.iter().find(|list| list.language == language)?;
        let read = |text: &str| text.split(',').map(PhraseWord::all).filter(|words| !words.is_empty()).collect();
        Some(Self {
            before: read(list.before),
            after: read(list.after),
            pseudo: read(list.pseudo),
            turns: read(list.turns),
        })
    }

    /// The same with other words that deny what follows.
    pub fn with_before(mut self, before: Vec<Vec<PhraseWord>>) -> Self {
        self.before = before;
        self
    }

    /// Where the text denies. Words that belong to a phrase (`taken`) deny nothing else: "no pulse" is one.
    pub(super) fn map<'t>(&self, tokens: &'t [TextToken], taken: &[bool]) -> NegationMap<'t> {
        let mut silent = taken.to_vec();
        for at in 0..tokens.len() {
            if let Some(len) = longest(&self.pseudo, tokens, at) {
                silent[at..at + len].fill(true);
            }
        }
        let (mut ends, mut starts) = (vec![0; tokens.len()], vec![0; tokens.len()]);
        let mut turns = vec![false; tokens.len()];
        for at in 0..tokens.len() {
            let is_heard = |len: &usize| !silent[at..at + len].contains(&true);
            if let Some(len) = longest(&self.before, tokens, at).filter(is_heard) {
                let end = at + len - 1;
                ends[end] = ends[end].max(len);
            }
            starts[at] = longest(&self.after, tokens, at).filter(is_heard).unwrap_or(0);
            if let Some(len) = longest(&self.turns, tokens, at) {
                turns[at..at + len].fill(true);
            }
        }
        NegationMap { tokens, ends, starts, turns }
    }
}

impl NegationMap<'_> {
    /// Whether the words at this place are denied.
    pub(super) fn denies(&self, place: &Range<usize>) -> bool {
        self.before(place.start) || self.after(place.end)
    }

    fn before(&self, start: usize) -> bool {
        for at in (0..start).rev().take(REACH + 1) {
            if self.tokens[at + 1].gap != TokenGap::None || self.turns[at] {
                return false;
            }
            if 0 < self.ends[at] {
                return true;
            }
        }
        false
    }

    fn after(&self, end: usize) -> bool {
        for at in (end..self.tokens.len()).take(REACH + 1) {
            if self.tokens[at].gap != TokenGap::None || self.turns[at] {
                return false;
            }
            let behind = at + self.starts[at];
            let is_last =
                || self.tokens.get(behind).is_none_or(|next| next.gap != TokenGap::None || self.turns[behind]);
            if at < behind && is_last() {
                return true;
            }
        }
        false
    }
}

/// The length of the longest of these phrases that begins at a word, all in one clause.
fn longest(phrases: &[Vec<PhraseWord>], tokens: &[TextToken], at: usize) -> Option<usize> {
    let fits = |words: &&Vec<PhraseWord>| {
        let here = tokens.get(at..at + words.len());
        here.is_some_and(|here| {
            here.iter().zip(words.iter()).all(|(token, word)| word.fits(&token.word))
                && here[1..].iter().all(|token| token.gap == TokenGap::None)
        })
    };
    phrases.iter().filter(fits).map(Vec::len).max()
}
