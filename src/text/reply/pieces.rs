//! Splits a text into pieces: words, numbers and signs. A few signs have no meaning; all others are unknown.

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

/// The pieces of a [`folded`](crate::core::folded::folded) text.
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
