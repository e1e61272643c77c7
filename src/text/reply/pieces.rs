//! Splits a text into pieces: words, numbers and signs. A few signs have no meaning; all others are unknown.

use icu_properties::{CodePointMapData, props::GeneralCategory};
use std::iter::Peekable;

/// The number of digits in a page's answer code.
pub const CODE_DIGITS: usize = 5;

/// A thumbs-up in any skin colour, and the tick in a green box: a yes alone, and without meaning next to words.
const NODS: [char; 2] = ['👍', '✅'];

/// Skin colours, light to dark.
const SKIN: std::ops::RangeInclusive<char> = '\u{1f3fb}'..='\u{1f3ff}';

/// A part of a text, between spaces.
#[derive(Debug)]
pub(crate) struct TextPiece<'a> {
    pub kind: PieceKind,
    /// The original text.
    pub text: &'a str,
    /// Its start, in bytes.
    pub at: usize,
}

impl TextPiece<'_> {
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// Letters, digits and the apostrophes between them, in lower case.
    Word(String),
    /// A number with as many digits as a code.
    Code,
    /// A yes as an emoji.
    Nod,
    /// Punctuation that ends or separates parts, as people use it.
    Break,
    /// `=`, `(`, `)`: they may repeat the same answer in other words. `"` and `'`: they may quote our own.
    Gloss(char),
    /// Any other sign, or one of the above in a place where it has a meaning.
    Unknown,
}

/// `text` in the characters of one keyboard. Decimal digits of every script and full-width characters become ASCII,
/// every apostrophe becomes `'`, every comma and full stop becomes `,` and `.`, and invisible characters (zero-width,
/// writing direction, variation selectors) are removed. A number with digits from several scripts stays as it is:
/// nobody types that, so it must not be read as a number.
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut letters = text.chars().filter(|c| !is_unseen(*c)).peekable();
    while let Some(letter) = letters.peek().copied() {
        if digit(letter).is_some() {
            folded.push_str(&number(&mut letters));
        } else {
            folded.push(plain(letter));
            letters.next();
        }
    }
    folded
}

fn number(letters: &mut Peekable<impl Iterator<Item = char>>) -> String {
    let (mut written, mut read) = (String::new(), String::new());
    let (mut zero, mut mixed) = (None, false);
    while let Some((letter, (its_zero, value))) = letters.peek().and_then(|c| Some((*c, digit(*c)?))) {
        mixed |= *zero.get_or_insert(its_zero) != its_zero;
        written.push(letter);
        read.push(char::from(b'0' + value));
        letters.next();
    }
    if mixed { written } else { read }
}

/// The zero of a decimal digit's script, and the digit's value. Unicode guarantees that the ten digits of a script are
/// consecutive.
fn digit(letter: char) -> Option<(u32, u8)> {
    let at = u32::from(letter);
    if letter.is_ascii() {
        return letter.is_ascii_digit().then(|| (u32::from('0'), (at - u32::from('0')) as u8));
    }
    let kinds = CodePointMapData::<GeneralCategory>::new();
    let is_digit = |at: u32| kinds.get32(at) == GeneralCategory::DecimalNumber;
    if !is_digit(at) {
        return None;
    }
    // Some scripts follow each other without a gap.
    let before = (1..at).take_while(|back| is_digit(at - back)).count() as u32;
    let value = before % 10;
    Some((at - value, value as u8))
}

fn plain(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => {
            let ascii = char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter);
            if ascii == '`' { '\'' } else { ascii }
        }
        '’' | '‘' | '‛' | '\u{2bc}' | '\u{2b9}' | '′' | '´' | '`' => '\'',
        '。' | '｡' | '۔' | '।' => '.',
        '、' | '､' | '،' => ',',
        '–' | '—' | '‐' | '‑' => '-',
        _ => letter,
    }
}

/// Characters that control how others are shown, without changing them.
pub(crate) fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0100}'..='\u{e01ef}')
}

/// The pieces of a [`folded`] text.
pub(crate) fn pieces(text: &str) -> Vec<TextPiece<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &text[at..];
        if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        }
        let (kind, length) = if letter.is_alphanumeric() { word(rest) } else { sign(letter, rest) };
        found.push(TextPiece { kind, text: &rest[..length], at });
        at += length;
    }
    let kinds: Vec<PieceKind> = (0..found.len()).map(|n| judged(&found, n)).collect();
    for (piece, kind) in found.iter_mut().zip(kinds) {
        piece.kind = kind;
    }
    found
}

fn word(rest: &str) -> (PieceKind, usize) {
    let mut length = 0;
    let mut letters = rest.chars().peekable();
    while let Some(letter) = letters.next() {
        let inside = letter == '\'' && letters.peek().is_some_and(|next| next.is_alphabetic());
        if !letter.is_alphanumeric() && !inside {
            break;
        }
        length += letter.len_utf8();
    }
    let word = &rest[..length];
    let is_code = word.len() == CODE_DIGITS && word.bytes().all(|byte| byte.is_ascii_digit());
    (if is_code { PieceKind::Code } else { PieceKind::Word(word.to_lowercase()) }, length)
}

fn sign(letter: char, rest: &str) -> (PieceKind, usize) {
    let length = letter.len_utf8();
    if NODS.contains(&letter) {
        let skin = rest[length..].chars().next().filter(|next| letter == '👍' && SKIN.contains(next));
        return (PieceKind::Nod, length + skin.map_or(0, char::len_utf8));
    }
    match letter {
        '.' | '!' | ',' | ':' | '-' | '#' => (PieceKind::Break, length),
        '=' | '(' | ')' | '"' | '\'' => (PieceKind::Gloss(letter), length),
        '“' | '”' | '„' | '‟' | '«' | '»' => (PieceKind::Gloss('"'), length),
        _ => (PieceKind::Unknown, length),
    }
}

/// Punctuation has no meaning only in its usual place in a sentence: `2.` and `48213, 2` and `48213 - 2`, but not `-2`,
/// `.5`, `2.5`, `2:30`, `!2` or `2...`
fn judged(pieces: &[TextPiece<'_>], n: usize) -> PieceKind {
    let piece = &pieces[n];
    if piece.kind != PieceKind::Break {
        return piece.kind.clone();
    }
    let (before, after) = (n.checked_sub(1).and_then(|n| pieces.get(n)), pieces.get(n + 1));
    let spoken = |other: &&TextPiece<'_>| matches!(other.kind, PieceKind::Word(_) | PieceKind::Code | PieceKind::Nod);
    let joined_before = before.filter(|other| spoken(other) && other.end() == piece.at);
    let joined_after = after.filter(|other| spoken(other) && piece.end() == other.at);
    let same = |other: Option<&TextPiece<'_>>| other.is_some_and(|other| other.text == piece.text);
    let ends = || {
        let spoken_before = pieces[..n].iter().any(|other| spoken(&other));
        let touches = before.is_some_and(|other| other.end() == piece.at);
        let is_last = !pieces[n + 1..].iter().any(|other| spoken(&other));
        spoken_before && joined_after.is_none() && (touches || is_last)
    };
    let means_nothing = match piece.text {
        "#" => joined_before.is_none() && joined_after.is_some_and(|other| other.kind == PieceKind::Code),
        "!" => ends(),
        "." => ends() && !same(before) && !same(after),
        // A separator stands between two things. Between two numbers without a space it makes a different number.
        _ => match (joined_before, joined_after) {
            (None, Some(_)) => false,
            (Some(one), Some(other)) => {
                let digits = |piece: &TextPiece<'_>| piece.text.bytes().all(|byte| byte.is_ascii_digit());
                !(digits(one) && digits(other)) || one.kind == PieceKind::Code || other.kind == PieceKind::Code
            }
            (_, None) => before.is_some_and(|other| spoken(&other)) && after.is_some_and(|other| spoken(&other)),
        },
    };
    if means_nothing { PieceKind::Break } else { PieceKind::Unknown }
}
