//! Characters that nobody sees, by their properties in Unicode: those of the general category Cf (format), and those that
//! are ignored by default where a font does not know them, and letters and signs that are drawn as nothing. They hide in a
//! name or a text, or change how what stands after them is read.

use std::ops::RangeInclusive;

/// General category Cf or Default_Ignorable_Code_Point, and what has an empty glyph by its definition (the Braille pattern
/// without a dot, a note without a head), without the signs of numbers and verses that are written around
/// what follows them (Prepended_Concatenation_Mark): those are seen.
const INVISIBLE: &[RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{13430}'..='\u{1343f}',
    '\u{16fe4}'..='\u{16fe4}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d159}'..='\u{1d159}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Scripts whose letters are joined or kept apart by ZWJ and ZWNJ, and so people's names: from Arabic to Sinhala, Tibetan,
/// Myanmar, Khmer, Mongolian, the Arabic forms, and the scripts of India beyond the first plane.
const JOINED: &[RangeInclusive<char>] = &[
    '\u{620}'..='\u{dff}',
    '\u{f00}'..='\u{109f}',
    '\u{1780}'..='\u{18af}',
    '\u{a8e0}'..='\u{a8ff}',
    '\u{fb50}'..='\u{fefc}',
    '\u{11000}'..='\u{11fff}',
];

const MONGOLIAN: RangeInclusive<char> = '\u{1800}'..='\u{18af}';

/// Chinese characters: some names are written with a variant, which a selector after the character says.
const HAN: &[RangeInclusive<char>] =
    &['\u{3400}'..='\u{4dbf}', '\u{4e00}'..='\u{9fff}', '\u{f900}'..='\u{faff}', '\u{20000}'..='\u{3ffff}'];

/// Pictures, and signs that may be shown as pictures.
const PICTURES: &[RangeInclusive<char>] = &[
    '#'..='#',
    '*'..='*',
    '0'..='9',
    '\u{a9}'..='\u{a9}',
    '\u{ae}'..='\u{ae}',
    '\u{203c}'..='\u{203c}',
    '\u{2049}'..='\u{2049}',
    '\u{2122}'..='\u{2122}',
    '\u{2139}'..='\u{2139}',
    '\u{2190}'..='\u{2bff}',
    '\u{3030}'..='\u{303d}',
    '\u{3297}'..='\u{3299}',
    '\u{1f000}'..='\u{1faff}',
];

/// Whether nobody sees this character.
pub fn is_invisible(c: char) -> bool {
    within(INVISIBLE, c)
}

/// Whether it may be needed to write a name: it joins two letters or pictures, keeps letters apart, says which form of a
/// character is meant, or on which side of it a sign stands.
pub fn is_joining(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{200c}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The first invisible character of a text that no script needs where it stands.
pub fn first_invisible(text: &str) -> Option<char> {
    letters(text).find(|(_, is_kept)| !is_kept).map(|(c, _)| c)
}

/// The text without the invisible characters that no script needs where they stand.
pub fn without_invisible(text: &str) -> String {
    letters(text).filter(|(_, is_kept)| *is_kept).map(|(c, _)| c).collect()
}

/// Each character, and whether it is seen or needed behind those that are.
fn letters(text: &str) -> impl Iterator<Item = (char, bool)> {
    let (mut before, mut rest) = (' ', text.chars().peekable());
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let is_kept = !is_invisible(c) || is_needed(c, before, rest.peek().copied());
        if is_kept {
            before = c;
        }
        Some((c, is_kept))
    })
}

fn is_needed(c: char, before: char, after: Option<char>) -> bool {
    let seen = |ranges, c: char| within(ranges, c) && !is_invisible(c);
    let both = |ranges| seen(ranges, before) && after.is_some_and(|after| seen(ranges, after));
    match c {
        '\u{200c}' => both(JOINED),
        '\u{200d}' => {
            let picture = |c: char| within(PICTURES, c);
            both(JOINED) || (picture(before) || before == '\u{fe0f}') && after.is_some_and(picture)
        }
        // On which side of a Hebrew or Arabic word a sign stands.
        '\u{200e}' | '\u{200f}' => is_rightward(before) || after.is_some_and(is_rightward),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => MONGOLIAN.contains(&before) && !is_invisible(before),
        '\u{fe0e}' | '\u{fe0f}' => within(PICTURES, before) || within(HAN, before),
        '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => within(HAN, before),
        _ => false,
    }
}

/// A letter of a script that is written from right to left.
fn is_rightward(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
        && !is_invisible(c)
}

fn within(ranges: &[RangeInclusive<char>], c: char) -> bool {
    ranges.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_general_category::{GeneralCategory, get_general_category};

    #[test]
    fn every_format_character_of_unicode_is_invisible_but_those_that_are_seen() {
        // The signs of numbers, years, verses and abbreviations.
        let seen = |c: char| {
            matches!(
                c,
                '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{110bd}' | '\u{110cd}'
            )
        };
        for c in '\0'..=char::MAX {
            let is_format = get_general_category(c) == GeneralCategory::Format;
            assert!(!is_format || is_invisible(c) != seen(c), "{:04X}", u32::from(c));
            assert!(
                !is_invisible(c)
                    || !c.is_alphanumeric()
                    || matches!(c, '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{3164}' | '\u{ffa0}'),
                "{:04X}",
                u32::from(c)
            );
        }
    }

    #[test]
    fn whatever_is_ignored_by_default_is_invisible() {
        let ignored = icu_properties::CodePointSetData::new::<icu_properties::props::DefaultIgnorableCodePoint>();
        for c in '\0'..=char::MAX {
            assert!(!ignored.contains(c) || is_invisible(c), "{:04X}", u32::from(c));
        }
    }

    #[test]
    fn what_hides_is_found_and_what_a_name_needs_is_not() {
        for (text, hidden) in [
            ("An\u{200b}a", Some('\u{200b}')),
            ("Ana\u{e0041}", Some('\u{e0041}')),
            ("\u{feff}Ana", Some('\u{feff}')),
            ("A\u{ad}na", Some('\u{ad}')),
            ("A\u{2060}na", Some('\u{2060}')),
            ("A\u{34f}na", Some('\u{34f}')),
            ("\u{3164}", Some('\u{3164}')),
            ("\u{2800}", Some('\u{2800}')),
            ("Ana\u{2800}", Some('\u{2800}')),
            ("Ana\u{1d159}", Some('\u{1d159}')),
            ("A\u{200d}na", Some('\u{200d}')),
            ("A\u{200c}na", Some('\u{200c}')),
            ("\u{200e}Ana", Some('\u{200e}')),
            ("Ana\u{fe0f}", Some('\u{fe0f}')),
            ("Ana\u{e0100}", Some('\u{e0100}')),
            ("\u{1f3f4}\u{e0067}\u{e007f}", Some('\u{e0067}')),
            ("\u{1820}\u{180b}\u{180b}", Some('\u{180b}')),
            ("\u{2764}\u{200d}\u{fe0f}a", Some('\u{200d}')),
            ("علی\u{200c}رضا", None),
            ("علی\u{200c}", Some('\u{200c}')),
            ("श\u{94d}\u{200d}यामा", None),
            ("\u{1f469}\u{200d}\u{1f692} Ana", None),
            ("\u{2764}\u{fe0f}\u{200d}\u{1f525}", None),
            ("1\u{fe0f}\u{20e3}", None),
            ("葛\u{e0100}城", None),
            ("\u{200f}אנה\u{200e} Ruiz", None),
            ("محمد", None),
            ("José Ñuñez-O'Neill", None),
        ] {
            assert_eq!(first_invisible(text), hidden, "{text:?}");
            let kept = without_invisible(text);
            assert_eq!(first_invisible(&kept), None, "{text:?}");
            assert_eq!(kept == text, hidden.is_none(), "{text:?}");
        }
    }
}
