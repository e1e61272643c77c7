//! A list of phrases.

/// Words and phrases, separated by `|`.
pub(in crate::channel::smtp::incoming) struct Phrases(pub(super) &'static str);

impl Phrases {
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.split('|')
    }

    /// Whether this is one of them.
    pub fn has(&self, words: &str) -> bool {
        self.iter().any(|known| known == words)
    }
}
