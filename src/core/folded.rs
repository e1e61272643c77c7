//! A text as it would be on one keyboard, whichever one it was typed on.

use icu_properties::{CodePointMapData, props::GeneralCategory};
use std::iter::Peekable;

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
