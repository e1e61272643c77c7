//! One word of a phrase.

use super::tokens::tokens;

/// One word of a phrase; with `*` at its end in the matrix, any word that begins so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhraseWord {
    pub(super) word: String,
    pub(super) is_stem: bool,
}

impl PhraseWord {
    /// The words of a phrase, as those of a text are folded.
    pub fn all(phrase: &str) -> Vec<Self> {
        let words = tokens(phrase).into_iter().map(|token| {
            let is_stem = phrase[token.at.end..].starts_with('*');
            Self { word: token.word, is_stem }
        });
        words.collect()
    }

    /// Whether a folded word of a text is meant.
    pub fn fits(&self, word: &str) -> bool {
        if self.is_stem { word.starts_with(&self.word) } else { word == self.word }
    }
}
