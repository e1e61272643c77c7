//! The words of a text, as phrases are compared with them: without case and diacritics, with their places.

use crate::core::folded::is_unseen;
use icu_normalizer::DecomposingNormalizerBorrowed;
use std::ops::Range;

/// What stands between a word and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenGap {
    /// Nothing that separates: a space, a hyphen, a quotation mark.
    None,
    /// The end of a line. A phrase may go on behind it; a negation does not.
    Line,
    /// Punctuation, or an empty line. Nothing goes on behind it.
    Stop,
}

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextToken {
    /// The word, folded.
    pub word: String,
    /// Where it stands in the text, in bytes.
    pub at: Range<usize>,
    /// What stands before it.
    pub gap: TokenGap,
}

/// What French puts before a word that begins with a vowel.
const ELIDED: [&str; 12] = ["l'", "d'", "j'", "n'", "m'", "t'", "s'", "c'", "qu'", "jusqu'", "lorsqu'", "puisqu'"];

/// The words of a text, in their order.
pub fn tokens(text: &str) -> Vec<TextToken> {
    let (mut tokens, mut gap) = (Vec::new(), TokenGap::Stop);
    let mut rest = 0;
    while let Some(start) = word_start(text, rest, &mut gap) {
        let end = word_end(text, start);
        push(&mut tokens, text, start..end, gap);
        (rest, gap) = (end, TokenGap::None);
    }
    tokens
}

/// One word may be two: l'essoufflement.
fn push(tokens: &mut Vec<TextToken>, text: &str, at: Range<usize>, gap: TokenGap) {
    let word = folded(&text[at.clone()]);
    let elided = ELIDED.iter().find(|elided| word.starts_with(**elided) && elided.len() < word.len());
    let apostrophe = elided.and_then(|_| text[at.clone()].find(is_apostrophe));
    if let Some((elided, offset)) = elided.zip(apostrophe) {
        let middle = at.start + offset + text[at.start + offset..].chars().next().map_or(0, char::len_utf8);
        let first = TextToken { word: elided.trim_end_matches('\'').to_owned(), at: at.start..middle, gap };
        let second = TextToken { word: word[elided.len()..].to_owned(), at: middle..at.end, gap: TokenGap::None };
        tokens.extend([first, second]);
        return;
    }
    if !word.is_empty() {
        tokens.push(TextToken { word, at, gap });
    }
}

/// The start of the next word, and what separates it from the last one.
fn word_start(text: &str, from: usize, gap: &mut TokenGap) -> Option<usize> {
    let mut lines = 0;
    for (at, letter) in text[from..].char_indices() {
        if letter.is_alphanumeric() {
            return Some(from + at);
        }
        lines += usize::from(letter == '\n');
        let is_stop = is_stop(letter) && !is_in_number(text, from + at, letter);
        *gap = (*gap).max(match (is_stop, lines) {
            (true, _) | (_, 2..) => TokenGap::Stop,
            (false, 1) => TokenGap::Line,
            (false, _) => TokenGap::None,
        });
    }
    None
}

fn word_end(text: &str, start: usize) -> usize {
    let mut letters = text[start..].char_indices().peekable();
    let mut end = start;
    while let Some((at, letter)) = letters.next() {
        let joins = is_apostrophe(letter) && letters.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if letter.is_alphanumeric() || is_mark(letter) {
            end = start + at + letter.len_utf8();
        } else if !joins && !is_unseen(letter) {
            break;
        }
    }
    end
}

fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’' | '‘' | '‛' | '\u{2bc}' | '´' | '`')
}

fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

fn is_stop(letter: char) -> bool {
    matches!(
        letter,
        '.' | ','
            | ';'
            | ':'
            | '!'
            | '?'
            | '('
            | ')'
            | '['
            | ']'
            | '…'
            | '—'
            | '¿'
            | '¡'
            | '。'
            | '、'
            | '，'
            | '；'
            | '：'
            | '！'
            | '？'
            | '،'
            | '؛'
            | '؟'
            | '।'
            | '|'
            | '•'
    )
}

/// A point or comma within a number: 38.5.
fn is_in_number(text: &str, at: usize, letter: char) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    matches!(letter, '.' | ',') && digit(text[..at].chars().next_back()) && digit(text[at + 1..].chars().next())
}

/// A word without case, diacritics and what nobody sees.
fn folded(word: &str) -> String {
    let lower: String = word.chars().filter(|c| !is_unseen(*c)).flat_map(char::to_lowercase).collect();
    if lower.is_ascii() {
        return lower;
    }
    let mut folded = String::with_capacity(lower.len());
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(&lower);
    for letter in decomposed.chars().filter(|c| !is_mark(*c)).flat_map(char::to_lowercase) {
        match letter {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            letter if is_apostrophe(letter) => folded.push('\''),
            letter if is_mark(letter) => {}
            letter => folded.push(letter),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.word).collect()
    }

    #[test]
    fn words_are_without_case_diacritics_and_elisions() {
        assert_eq!(words("Chest-pain, CAN’T breathe"), ["chest", "pain", "can't", "breathe"]);
        assert_eq!(words("Übelkeit, Größe, STRASSE"), ["ubelkeit", "grosse", "strasse"]);
        assert_eq!(words("Pas d’essoufflement ; l'œil"), ["pas", "d", "essoufflement", "l", "oeil"]);
        assert_eq!(words("¿Dolor de pecho? Sí"), ["dolor", "de", "pecho", "si"]);
        assert_eq!(words("che\u{ad}st pa\u{200b}in"), ["chest", "pain"]);
        assert_eq!(words("e\u{301}touffe"), ["etouffe"]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn punctuation_and_lines_separate() {
        let gaps = |text: &str| tokens(text).into_iter().map(|token| token.gap).collect::<Vec<_>>();
        use TokenGap::{Line, None, Stop};
        assert_eq!(gaps("a b-c, d"), [Stop, None, None, Stop]);
        assert_eq!(gaps("a\nb\n\nc"), [Stop, Line, Stop]);
        // The point of a number separates its digits, and is no full stop.
        assert_eq!(gaps("38.5 C. x"), [Stop, None, None, Stop]);
    }

    proptest! {
        #[test]
        fn places_are_in_the_text_and_in_order(text in "\\PC{0,60}") {
            let all = tokens(&text);
            for token in &all {
                prop_assert!(text.get(token.at.clone()).is_some_and(|part| !part.is_empty()), "{token:?}");
                prop_assert!(!token.word.is_empty());
            }
            prop_assert!(all.windows(2).all(|pair| pair[0].at.end <= pair[1].at.start));
        }

        #[test]
        fn a_text_in_capitals_has_the_same_words(text in "[a-zäöüéñ' ,.-]{0,40}") {
            prop_assert_eq!(words(&text), words(&text.to_uppercase()));
        }
    }
}
