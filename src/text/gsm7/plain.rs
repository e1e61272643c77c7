//! How each character is written in the SMS alphabet.

use super::{
    alphabet::cost,
    signs::{colour, word},
};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use std::{iter::Peekable, str::Chars};

/// The forms of U+FF01 to U+FF5E, which are as wide as a Chinese letter.
const WIDE: &str = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

/// A character in other letters.
enum PlainForm {
    /// Nobody sees it.
    Unseen,
    /// Letters that touch their neighbours.
    Letters(String),
    /// A word, which must not run into another one.
    Word(&'static str),
    /// A number, which must not run into another one.
    Number(String),
    /// Superscripts: `10³` is `10^3`.
    Raised(char),
    /// Subscripts.
    Lowered(char),
    /// A half of a flag.
    Flag(char),
    /// None.
    Unknown,
}

/// What must not follow at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PlainEnd {
    Any,
    NoDigit,
    NoWord,
}

/// A text in the SMS alphabet; `other` says what becomes of a character without a plain form.
pub(super) fn written(text: &str, other: impl Fn(char) -> Option<char>) -> String {
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let mut writing = PlainText { text: String::with_capacity(text.len()), end: PlainEnd::Any };
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if cost(letter).is_some() {
            writing.put(letter.encode_utf8(&mut [0; 4]));
            continue;
        }
        if let Some(number) = fraction(letter, &mut letters) {
            writing.put_apart(&number, |c| c.is_numeric(), PlainEnd::NoDigit);
            continue;
        }
        if letter == '✖' && is_times(&writing.text, letters.clone()) {
            writing.put("x");
            continue;
        }
        match form(letter) {
            PlainForm::Unseen => {}
            PlainForm::Letters(form) if form == "-" && is_product(letter, &writing.text, &mut letters) => {
                writing.put("*")
            }
            PlainForm::Letters(form) => writing.put(&form),
            PlainForm::Word(form) => writing.put_apart(form, char::is_alphanumeric, PlainEnd::NoWord),
            PlainForm::Number(form) => writing.put_apart(&form, |c| c.is_numeric(), PlainEnd::NoDigit),
            PlainForm::Raised(first) => {
                writing.put("^");
                writing.run(first, &mut letters, |form| if let PlainForm::Raised(c) = form { Some(c) } else { None });
            }
            PlainForm::Lowered(first) => {
                if writing.text.ends_with(char::is_numeric) {
                    writing.put("_");
                }
                writing.run(first, &mut letters, |form| if let PlainForm::Lowered(c) = form { Some(c) } else { None });
            }
            PlainForm::Flag(first) => {
                let second =
                    letters.peek().and_then(|next| if let PlainForm::Flag(c) = form(*next) { Some(c) } else { None });
                letters.next_if(|_| second.is_some());
                let name: String = [Some(first), second].into_iter().flatten().collect();
                writing.put_apart(&name, char::is_alphanumeric, PlainEnd::NoWord);
            }
            PlainForm::Unknown => {
                if let Some(other) = other(letter) {
                    writing.put(other.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }
    writing.text
}

/// What is written so far.
struct PlainText {
    text: String,
    end: PlainEnd,
}

impl PlainText {
    fn put(&mut self, form: &str) {
        let runs_on = match self.end {
            PlainEnd::Any => false,
            PlainEnd::NoDigit => form.starts_with(char::is_numeric),
            PlainEnd::NoWord => form.starts_with(char::is_alphanumeric),
        };
        if runs_on {
            self.text.push(' ');
        }
        self.text.push_str(form);
        self.end = PlainEnd::Any;
    }

    /// With a gap where what stands before would run into it.
    fn put_apart(&mut self, form: &str, runs_on: impl Fn(char) -> bool, end: PlainEnd) {
        if self.end == PlainEnd::Any && self.text.ends_with(runs_on) {
            self.text.push(' ');
        }
        self.put(form);
        self.end = if form.ends_with('/') { PlainEnd::Any } else { end };
    }

    /// A run of superscripts or subscripts.
    fn run(&mut self, first: char, letters: &mut Peekable<Chars<'_>>, of: impl Fn(PlainForm) -> Option<char>) {
        self.text.push(first);
        while let Some(next) = letters.peek().and_then(|next| of(form(*next))) {
            self.text.push(next);
            letters.next();
        }
        self.end = PlainEnd::NoDigit;
    }
}

/// A fraction of superscripts over subscripts: `²⁄₃` is `2/3`, and no power.
fn fraction(first: char, letters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let raised = |letter: char| match shifted(letter) {
        Some(PlainForm::Raised(digit)) if digit.is_ascii_digit() => Some(digit),
        _ => None,
    };
    let lowered = |letter: char| match shifted(letter) {
        Some(PlainForm::Lowered(digit)) if digit.is_ascii_digit() => Some(digit),
        _ => None,
    };
    let mut number = raised(first)?.to_string();
    let mut ahead = letters.clone();
    while let Some(digit) = ahead.peek().copied().and_then(raised) {
        number.push(digit);
        ahead.next();
    }
    ahead.next_if(|letter| matches!(letter, '/' | '\u{2044}' | '\u{2215}'))?;
    number.push('/');
    while let Some(digit) = ahead.peek().copied().and_then(lowered) {
        number.push(digit);
        ahead.next();
    }
    if number.ends_with('/') {
        return None;
    }
    *letters = ahead;
    Some(number)
}

/// Whether a cross multiplies: it stands directly behind a number, or between two.
fn is_times(before: &str, after: Peekable<Chars<'_>>) -> bool {
    let mut after = after.skip_while(|letter| matches!(letter, ' ' | '\u{fe0f}'));
    let is_between = before.trim_end_matches(' ').ends_with(char::is_numeric);
    before.ends_with(char::is_numeric) || is_between && after.next().is_some_and(char::is_numeric)
}

/// Whether a dot multiplies: it stands between two digits.
fn is_product(letter: char, before: &str, letters: &mut Peekable<Chars<'_>>) -> bool {
    let is_dot = matches!(letter, '·' | '∙' | '⋅');
    is_dot && before.ends_with(char::is_numeric) && letters.peek().is_some_and(|next| next.is_numeric())
}

fn form(letter: char) -> PlainForm {
    let letters = |form: &str| PlainForm::Letters(form.to_owned());
    if let Some(form) = punctuation(letter).or_else(|| sign(letter)).or_else(|| without_accent(letter)) {
        return letters(form);
    }
    if let Some(form) = word(letter).or_else(|| colour(letter)) {
        return if form.starts_with(char::is_alphabetic) { PlainForm::Word(form) } else { letters(form) };
    }
    if is_unseen(letter) {
        return PlainForm::Unseen;
    }
    shifted(letter).or_else(|| numbered(letter)).or_else(|| compatible(letter)).unwrap_or(PlainForm::Unknown)
}

/// Superscripts, subscripts, and the letters of flags.
fn shifted(letter: char) -> Option<PlainForm> {
    const SIGNS: [char; 5] = ['+', '-', '=', '(', ')'];
    let digit = |zero: char| char::from_digit(u32::from(letter) - u32::from(zero), 10);
    let sign = |first: char| SIGNS.get((u32::from(letter) - u32::from(first)) as usize).copied();
    match letter {
        '¹' => Some(PlainForm::Raised('1')),
        '²' => Some(PlainForm::Raised('2')),
        '³' => Some(PlainForm::Raised('3')),
        'ⁿ' => Some(PlainForm::Raised('n')),
        'ⁱ' => Some(PlainForm::Raised('i')),
        '⁰' | '⁴'..='⁹' => digit('⁰').map(PlainForm::Raised),
        '⁺'..='⁾' => sign('⁺').map(PlainForm::Raised),
        '₀'..='₉' => digit('₀').map(PlainForm::Lowered),
        '₊'..='₎' => sign('₊').map(PlainForm::Lowered),
        '\u{1f1e6}'..='\u{1f1ff}' => char::from_u32(u32::from('A') + u32::from(letter) - 0x1f1e6).map(PlainForm::Flag),
        _ => None,
    }
}

/// Digits and numbers in circles: `①` is `(1)`.
fn numbered(letter: char) -> Option<PlainForm> {
    let number = |zero: u32| u32::from(letter) - zero;
    let value = match letter {
        '🔟' => return Some(PlainForm::Number("10".to_owned())),
        '💯' => return Some(PlainForm::Number("100".to_owned())),
        '①'..='⑳' => number(0x245f),
        '⓪' | '⓿' => 0,
        '❶'..='❿' => number(0x2775),
        '➀'..='➉' => number(0x277f),
        '➊'..='➓' => number(0x2789),
        '⓫'..='⓴' => number(0x24eb) + 11,
        '⓵'..='⓾' => number(0x24f4),
        _ => return None,
    };
    Some(PlainForm::Number(format!("({value})")))
}

/// What Unicode calls the same character in another form, where that is in the alphabet: `㎏`, `ﬁ`, `½`, `Ⅳ`, `𝟐`. Letters
/// that carry an accent are none of these.
fn compatible(letter: char) -> Option<PlainForm> {
    let mut own = [0; 4];
    let own: &str = letter.encode_utf8(&mut own);
    let is_composed = DecomposingNormalizerBorrowed::new_nfd().normalize(own) != own;
    let parts = DecomposingNormalizerBorrowed::new_nfkd().normalize(own);
    if is_composed || parts == own {
        return None;
    }
    let mut form = String::new();
    for part in parts.chars() {
        match cost(part) {
            Some(_) => form.push(part),
            None => form.push_str(punctuation(part).or_else(|| sign(part))?),
        }
    }
    // A digit in another font is part of its number.
    let is_number = form.contains(|c: char| c.is_ascii_digit()) && form.chars().count() != 1;
    Some(if is_number { PlainForm::Number(form) } else { PlainForm::Letters(form) })
}

/// Signs that mean one thing only, and wide forms of plain characters.
fn sign(letter: char) -> Option<&'static str> {
    Some(match letter {
        '₽' => "RUB",
        '₹' => "INR",
        '₺' => "TRY",
        '₩' => "KRW",
        '₪' => "ILS",
        '฿' => "THB",
        '৳' => "BDT",
        '₿' => "BTC",
        '₴' => "UAH",
        '₫' => "VND",
        '₱' => "PHP",
        '₦' => "NGN",
        '№' => "No.",
        '٪' => "%",
        '٫' => ".",
        '٬' => ",",
        '〜' => "~",
        // The alphabet has no backtick.
        '\u{ff40}' => "'",
        '\u{ff01}'..='\u{ff5e}' => {
            let at = usize::try_from(u32::from(letter) - 0xff01).ok()?;
            WIDE.get(at..=at)?
        }
        _ => return None,
    })
}

fn punctuation(letter: char) -> Option<&'static str> {
    Some(match letter {
        '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' | 'ʼ' | '‹' | '›' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '\u{ad}' => "-",
        '…' => "...",
        '\t' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{b}' | '\u{85}' | '\u{2028}' | '\u{2029}' => "\n",
        '•' | '·' | '∙' | '⋅' | '▪' | '●' | '➖' => "-",
        '×' | '✕' => "x",
        '÷' | '➗' | '\u{2044}' | '\u{2215}' => "/",
        '➕' => "+",
        '🟰' => "=",
        '∓' => "-/+",
        '∗' => "*",
        '∆' => "Δ",
        '∼' => "~",
        '≪' => "<<",
        '≫' => ">>",
        '≤' | '≦' | '⩽' => "<=",
        '≥' | '≧' | '⩾' => ">=",
        '≠' => "!=",
        '≈' => "~",
        '±' => "+/-",
        '°' => "deg",
        'µ' | 'μ' => "u",
        '™' => "TM",
        '©' => "(c)",
        '®' => "(R)",
        '¢' => "c",
        '‰' => "o/oo",
        _ => return None,
    })
}

fn without_accent(letter: char) -> Option<&'static str> {
    Some(match letter {
        'À'..='Ã' | 'Ā' | 'Ă' | 'Ą' | 'Ǎ' => "A",
        'á'..='ã' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ď' | 'đ' | 'ð' => "d",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'Ĥ' | 'Ħ' => "H",
        'ĥ' | 'ħ' => "h",
        'Ì'..='Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' | 'Ǐ' => "I",
        'í'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ǐ' => "i",
        'Ĵ' => "J",
        'ĵ' => "j",
        'Ķ' => "K",
        'ķ' => "k",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ł' => "L",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'Ń' | 'Ņ' | 'Ň' => "N",
        'ń' | 'ņ' | 'ň' => "n",
        'Ò'..='Õ' | 'Ō' | 'Ŏ' | 'Ő' | 'Ǒ' => "O",
        'ó'..='õ' | 'ō' | 'ŏ' | 'ő' | 'ǒ' => "o",
        'Œ' => "OE",
        'œ' => "oe",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ẞ' => "SS",
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' => "T",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'Þ' => "Th",
        'þ' => "th",
        'Ù'..='Û' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ű' | 'Ų' | 'Ǔ' => "U",
        'ú' | 'û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ǔ' => "u",
        'Ŵ' => "W",
        'ŵ' => "w",
        'Ý' | 'Ŷ' | 'Ÿ' => "Y",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

/// Combining accents, joiners, skin colours and invisible control characters. Marks that strike out or forbid are seen.
fn is_unseen(letter: char) -> bool {
    let strikes =
        matches!(letter, '\u{334}'..='\u{338}' | '\u{20d2}' | '\u{20d3}' | '\u{20e0}' | '\u{20e5}' | '\u{20eb}');
    !strikes
        && (letter.is_control()
            || matches!(letter,
            '\u{300}'..='\u{36f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{1f3fb}'..='\u{1f3ff}'
            | '\u{e0000}'..='\u{e01ef}'))
}

/// A sign that is a picture.
pub(super) fn is_picture(letter: char) -> bool {
    matches!(letter,
        '\u{2190}'..='\u{21ff}'
        | '\u{2300}'..='\u{23ff}'
        | '\u{25a0}'..='\u{27bf}'
        | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}'
        | '\u{1f000}'..='\u{1faff}')
}
