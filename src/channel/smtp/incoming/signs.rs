//! The signs of a line. Punctuation and what stands in signatures mean nothing; a smiley, a picture or a question mark beside
//! a name may take back the answer above it.

use super::phrases;
use crate::text::reply::{QUESTION_MARKS, folded};
use icu_properties::{CodePointMapData, props::GeneralCategory};

/// Pictures before a telephone number or an address, and signs of a name.
pub(super) const OF_SIGNATURES: [char; 22] = [
    '☎', '✆', '✉', '📞', '📱', '📲', '📧', '📨', '📩', '📠', '🌐', '📍', '🏢', '🔗', '🖨', '®', '™', '©', '№', '°', '|',
    '+',
];

/// Separators that signatures are drawn with.
const DRAWN: [char; 10] = ['│', '▪', '■', '●', '►', '¦', '─', '━', '═', '='];

/// Whether all signs of a line mean nothing.
pub(super) fn has_plain_signs(line: &str) -> bool {
    let line = folded(line);
    line.split_whitespace().all(|word| is_address(word) || word.chars().all(is_plain) && !is_smiley(word))
        && is_balanced(&line)
}

fn is_address(word: &str) -> bool {
    let named = word.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'));
    let is_linked = word.contains("://") || word.to_lowercase().starts_with("www.");
    (named || is_linked) && word.chars().all(|letter| letter.is_ascii() || letter.is_alphanumeric())
}

fn is_plain(letter: char) -> bool {
    if letter.is_alphanumeric() || OF_SIGNATURES.contains(&letter) || DRAWN.contains(&letter) {
        return true;
    }
    if QUESTION_MARKS.contains(&letter) || matches!(letter, '\\' | '%' | '‰' | '†' | '‼') {
        return false;
    }
    match CodePointMapData::<GeneralCategory>::new().get(letter) {
        GeneralCategory::DashPunctuation
        | GeneralCategory::ConnectorPunctuation
        | GeneralCategory::OtherPunctuation
        | GeneralCategory::OpenPunctuation
        | GeneralCategory::ClosePunctuation
        | GeneralCategory::InitialPunctuation
        | GeneralCategory::FinalPunctuation
        | GeneralCategory::SpacingMark => true,
        // Marks that strike out or forbid are none of an accent.
        GeneralCategory::NonspacingMark => !matches!(letter, '\u{334}'..='\u{338}' | '\u{20d0}'..='\u{20ff}'),
        _ => matches!(letter, '<' | '>'),
    }
}

/// Whether a word is drawn as a face: `:/`, `;-)`, `T_T`, `-_-`, `=D`. Brackets that do not pair are found elsewhere.
fn is_smiley(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let has_eyes =
        1 < letters.len() && matches!(letters[0], ':' | ';' | '=') && letters.iter().any(|c| *c != letters[0]);
    let has_words = word.chars().any(char::is_alphanumeric);
    let is_mixed = !has_words && 1 < letters.len() && letters.iter().any(|c| *c != letters[0] && *c != '|');
    let looks = |pair: &[char]| {
        matches!(pair, [':' | ';' | '=', next] if !next.is_alphanumeric() && !matches!(next, '+' | '(' | '.' | ',') && pair[0] != *next)
            || matches!(pair, [':' | ';' | '=', '('])
    };
    let is_file = word.contains('.') || word.chars().all(|c| c == '_');
    has_eyes || is_mixed || letters.windows(2).any(looks) && !word.contains(":(0") || word.contains('_') && !is_file
}

/// Whether each bracket has its other half.
fn is_balanced(line: &str) -> bool {
    [('(', ')'), ('[', ']'), ('<', '>'), ('{', '}')].iter().all(|(open, close)| {
        let mut depth = 0_usize;
        let closes = line.chars().all(|letter| {
            depth += usize::from(letter == *open);
            let is_extra = letter == *close && depth == 0;
            depth -= usize::from(letter == *close && !is_extra);
            !is_extra
        });
        closes && depth == 0
    })
}

/// Whether a picture is of something that says no, by its alternative text: `logo thumbs down`.
pub(super) fn shows_no(alt: &str) -> bool {
    let lower = alt.to_lowercase();
    phrases::PICTURES_OF_NO.iter().any(|stem| lower.contains(stem))
}

#[cfg(test)]
mod tests {
    use super::has_plain_signs;

    #[test]
    fn punctuation_means_nothing_and_faces_and_pictures_do() {
        for line in [
            "Ana",
            "- Ana -",
            "– Ana •",
            "Ana Ruiz, CFA",
            "Head of Equities | Acme Capital LLP",
            "AR.",
            "* Ana *",
            "Ana!",
            "T: +44 7700 900 001 | M: +44 7700 900 002",
            "Tel.:+44 (0)20 7946 0000",
            "w: acme.com | e: ana@acme.com",
            "Tél. : 01 23 45 67 89",
            "📞 +44 7700 900 001",
            "Acme® (Europe) Ltd.",
            "O’Neill & Söhne",
            "営業部（東京）・課長",
            "www.acme.com/a_b?c=d",
            "[cid:image001.png@01DA1234.56789ABC]",
            "---",
            "______",
            "Ana <ana@acme.com>",
            "आना रुइज़",
            "Get Outlook for iOS<https://aka.ms/o0ukef>",
            "T:(0)20 7946 0000",
        ] {
            assert!(has_plain_signs(line), "{line}");
        }
        for line in [
            "Ana 👎",
            "👎 Ana",
            "Ana ❌",
            "Ana Ruiz 🙅",
            "- Ana :(",
            "Ana:(",
            "Ana :-(",
            "Ana ⁇",
            "Ana ؟",
            "Ana ?",
            "Ana :/",
            "Ana :|",
            "Ana:/",
            "Ana T_T",
            "Ana -_-",
            "Ana >_<",
            "Ana </3",
            "Ana )))",
            "Ana =(",
            "Ana ^^",
            "Ana ~",
            "Ana 50%",
            "A\u{336}n\u{336}a",
            "Ana ☹",
            "Ana 🤒",
            "Ana ‼",
            "Ana $",
            "Ana ;-(",
            "Ana D:(",
        ] {
            assert!(!has_plain_signs(line), "{line}");
        }
    }
}
