//! Weighted phrases of several languages, and where they stand in a text.

use super::{
    AssessmentPart, cut,
    negation::Negations,
    phrase_word::PhraseWord,
    tokens::{TextToken, TokenGap, tokens},
};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

/// The most words of one phrase.
pub const PHRASE_WORDS_MAX: usize = 8;

/// How many words a quotation has on each side of its phrase.
const QUOTED: usize = 4;

/// A phrase with its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedPhrase {
    /// As it is written.
    pub shown: String,
    /// What it adds to the score.
    pub weight: f64,
    words: Vec<PhraseWord>,
}

/// The phrases of one language.
#[derive(Debug, Clone, PartialEq)]
pub struct PhraseList {
    /// The language: `en`.
    pub language: String,
    /// Its phrases.
    pub phrases: Vec<WeightedPhrase>,
    negations: Negations,
    /// Phrases by their first word.
    first: HashMap<String, Vec<usize>>,
    /// The same where the first word is only its beginning.
    stems: HashMap<String, Vec<usize>>,
}

/// A phrase in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundPhrase {
    /// The place of its list among those that were looked for.
    pub list: usize,
    /// Its place in the list.
    pub phrase: usize,
    /// Its first word.
    pub start: usize,
    /// Behind its last word.
    pub end: usize,
    /// Whether the text denies it.
    pub is_denied: bool,
}

impl WeightedPhrase {
    /// Reads a phrase; `None` if it has no words, or too many.
    pub fn read(shown: &str, weight: f64) -> Option<Self> {
        let words = PhraseWord::all(shown);
        (1..=PHRASE_WORDS_MAX).contains(&words.len()).then(|| Self { shown: shown.to_owned(), weight, words })
    }

    /// Whether the same words are meant.
    pub fn is_same(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl PhraseList {
    /// The phrases of a language, and the words that deny in it.
    pub fn new(language: String, phrases: Vec<WeightedPhrase>, negations: Negations) -> Self {
        let (mut first, mut stems) = (HashMap::<String, Vec<usize>>::new(), HashMap::<String, Vec<usize>>::new());
        for (at, phrase) in phrases.iter().enumerate() {
            let Some(word) = phrase.words.first() else { continue };
            let index = if word.is_stem { &mut stems } else { &mut first };
            index.entry(word.word.clone()).or_default().push(at);
        }
        Self { language, phrases, negations, first, stems }
    }

    /// The places of a phrase that begins at this word, if it stands there.
    fn at<'l>(&'l self, tokens: &'l [TextToken], start: usize) -> impl Iterator<Item = usize> + 'l {
        let word = tokens[start].word.as_str();
        let beginnings = (1..=word.len()).filter(|end| word.is_char_boundary(*end)).map(|end| &word[..end]);
        let is_any = !self.stems.is_empty();
        let stems = beginnings.take_while(move |_| is_any).filter_map(|beginning| self.stems.get(beginning));
        let candidates = self.first.get(word).into_iter().chain(stems).flatten().copied();
        candidates.filter(move |at| stands(&self.phrases[*at], tokens, start))
    }
}

/// Whether a phrase stands at this word. It goes on over the end of a line, and not over punctuation.
fn stands(phrase: &WeightedPhrase, tokens: &[TextToken], start: usize) -> bool {
    let here = tokens.get(start..start + phrase.words.len());
    here.is_some_and(|here| {
        here.iter().zip(&phrase.words).all(|(token, word)| word.fits(&token.word))
            && here[1..].iter().all(|token| token.gap != TokenGap::Stop)
    })
}

/// The phrases of these lists in a text. What stands within a longer phrase that stands there is only that one; of several
/// at the very same place, one that is not denied and weighs most.
pub fn find(lists: &[&PhraseList], tokens: &[TextToken]) -> Vec<FoundPhrase> {
    let mut found = Vec::new();
    let mut taken = vec![vec![false; tokens.len()]; lists.len()];
    for (list, phrases) in lists.iter().enumerate() {
        for start in 0..tokens.len() {
            for phrase in phrases.at(tokens, start) {
                let end = start + phrases.phrases[phrase].words.len();
                taken[list][start..end].fill(true);
                found.push(FoundPhrase { list, phrase, start, end, is_denied: false });
            }
        }
    }
    for (list, phrases) in lists.iter().enumerate() {
        let mut own = found.iter_mut().filter(|found| found.list == list).peekable();
        if own.peek().is_some() {
            let denied = phrases.negations.map(tokens, &taken[list]);
            own.for_each(|found| found.is_denied = denied.denies(&(found.start..found.end)));
        }
    }
    let weight = |found: &FoundPhrase| lists[found.list].phrases[found.phrase].weight;
    found.sort_by(|a, b| {
        let by_place = a.start.cmp(&b.start).then(b.end.cmp(&a.end)).then(a.is_denied.cmp(&b.is_denied));
        by_place.then(weight(b).total_cmp(&weight(a))).then((a.list, a.phrase).cmp(&(b.list, b.phrase)))
    });
    let mut reached = 0;
    found.retain(|found| {
        let is_own = reached < found.end;
        reached = reached.max(found.end);
        is_own
    });
    found
}

/// The parts that these texts give by these lists: each phrase once, and denied only if it is denied everywhere.
pub fn parts(lists: &[&PhraseList], texts: &[String]) -> Vec<AssessmentPart> {
    let mut quoted: BTreeMap<(usize, usize), (bool, String)> = BTreeMap::new();
    for text in texts {
        let tokens = tokens(text);
        for FoundPhrase { list, phrase, start, end, is_denied } in find(lists, &tokens) {
            let quote = || (is_denied, quote(text, &tokens, start..end));
            let known = quoted.entry((list, phrase)).or_insert_with(quote);
            if known.0 && !is_denied {
                *known = quote();
            }
        }
    }
    let part = |((list, phrase), (is_denied, quote)): ((usize, usize), (bool, String))| {
        let (language, phrase) = (lists[list].language.clone(), &lists[list].phrases[phrase]);
        let (weight, phrase) = (phrase.weight, phrase.shown.clone());
        match is_denied {
            true => AssessmentPart::Negated { phrase, language, quote },
            false => AssessmentPart::Phrase { phrase, language, weight, quote },
        }
    };
    quoted.into_iter().map(part).collect()
}

/// A few words of the text, with the phrase in the middle.
fn quote(text: &str, tokens: &[TextToken], place: Range<usize>) -> String {
    let (first, last) = (place.start.saturating_sub(QUOTED), (place.end + QUOTED - 1).min(tokens.len() - 1));
    cut(&text[tokens[first].at.start..tokens[last].at.end])
}
