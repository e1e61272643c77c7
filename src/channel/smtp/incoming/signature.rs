//! Recognises signatures and the names of a mail's writer.

use super::{
    phrases,
    signs::{OF_SIGNATURES, has_plain_signs, shows_no},
};
use crate::text::reply::{Reply, asks_or_denies, folded, read};

/// The largest number of words of a signature line.
const WORDS_MAX: usize = 12;

/// The largest number of letters of a title in a script without spaces between words.
const TITLE_MAX: usize = 20;

/// The smallest number of digits of a telephone number.
const PHONE_DIGITS: usize = 7;

/// The writer of a mail, by the parts of their names.
#[derive(Debug, Default)]
pub(super) struct Writer {
    parts: Vec<String>,
    initials: Vec<String>,
}

impl Writer {
    /// A writer with these names and mailbox. Words in brackets after a name are not part of it, nor are words that
    /// mean an answer.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>, mailbox: &str) -> Self {
        let mut writer = Self::default();
        for name in names {
            let name = name.split(['(', '[', '|', '<']).next().unwrap_or_default();
            writer.initials.push(lower_words(name).filter_map(|word| word.chars().next()).collect());
            writer.know(lower_words(name));
        }
        let local = mailbox.split('@').next().unwrap_or_default();
        writer.know(lower_words(&local.replace('_', " ")));
        writer
    }

    fn know(&mut self, words: impl Iterator<Item = String>) {
        self.parts.extend(words.filter(|word| 1 < word.chars().count() && !says_something(word)));
    }

    fn is_part(&self, word: &str) -> bool {
        self.parts.contains(&word.to_lowercase())
    }
}

fn lower_words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether the line is the writer's own name, with what belongs to it: `Ana`, `- Ana Ruiz, CFA`, `AR`.
pub(super) fn names_line(line: &str, writer: &Writer) -> bool {
    let is_edge = |c: char| !c.is_alphanumeric() && c != '?';
    if !has_plain_signs(line) {
        return false;
    }
    let line = line.trim_matches(is_edge);
    let compact: String = line.chars().filter(|c| !matches!(c, '.' | ' ')).collect::<String>().to_lowercase();
    if !compact.is_empty() && !says_something(&compact) {
        let is_first =
            writer.initials.iter().any(|initials| initials.starts_with(&compact) && compact.chars().count() == 1);
        if is_first || writer.initials.contains(&compact) {
            return true;
        }
    }
    let (mut rest, mut named) = (line, false);
    loop {
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let is_title = rest.len() == line.len() && phrases::HONORIFICS.has(&rest[..end].to_lowercase());
        if end == 0 || !(is_title || writer.is_part(&rest[..end])) {
            break;
        }
        named |= !is_title;
        rest = rest[end..].trim_start_matches([' ', '-', '.', ',']);
    }
    named && (rest.is_empty() || is_signature_line(rest, false))
}

/// The line of an answer without the writer's name at its end.
pub(super) fn without_name<'a>(line: &'a str, writer: &Writer) -> &'a str {
    let is_gap = |c: char| c.is_whitespace() || matches!(c, ',' | '-' | '–' | '—' | '.' | '/');
    let mut rest = line;
    loop {
        let said = rest.trim_end_matches(is_gap);
        let start = said.char_indices().rev().take_while(|(_, c)| c.is_alphabetic()).last().map(|(at, _)| at);
        match start {
            Some(start) if 0 < start && said[..start].ends_with(is_gap) && writer.is_part(&said[start..]) => {
                rest = said[..start].trim_end_matches(is_gap);
            }
            _ => return rest,
        }
    }
}

/// Whether the line is any name: after thanks, it is the writer's.
pub(super) fn is_name_after_thanks(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    !words.is_empty() && words.len() <= 3 && line.chars().all(|c| !c.is_ascii_digit()) && is_signature_line(line, false)
}

/// Whether the line is only a telephone number, a mail address or a web address.
pub(super) fn is_contact(line: &str) -> bool {
    let bare = folded(line);
    let is_icon = |word: &&str| !word.is_empty() && word.chars().all(|c| OF_SIGNATURES.contains(&c) && c != '+');
    let words = || {
        let words = bare.split_whitespace().filter(|word| !is_icon(word));
        words.map(|word| word.trim_matches(['<', '>', '|', ',', ';']))
    };
    let is_address = |word: &str| {
        let lower = word.to_lowercase();
        let named = word.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'));
        lower.contains("://") || lower.starts_with("www.") || named
    };
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit() || "+()-./|:·•,".contains(c));
    let is_label = |word: &str| {
        let label = word.trim_end_matches([':', '.']).to_lowercase();
        (label.len() < word.len() || label.chars().count() == 1) && phrases::CONTACT_LABELS.has(&label)
    };
    let digits = words().filter(|word| is_number(word)).flat_map(str::chars).filter(char::is_ascii_digit).count();
    // A date has as many digits as a telephone number.
    let is_called = words().any(|word| word.starts_with(['+', '(']) || word.starts_with("00"));
    let has = words().any(is_address) || (PHONE_DIGITS <= digits && is_called);
    has && words().all(|word| is_address(word) || is_number(word) || is_label(word))
}

/// Whether a line contains a telephone number or an address.
pub(super) fn has_contact(line: &str) -> bool {
    is_contact(line) || PHONE_DIGITS <= folded(line).chars().filter(char::is_ascii_digit).count()
}

/// Whether a line is a title, a company or an address: words with capitals, none of which belongs to an answer. Next to
/// a telephone number also words without capitals, as titles have them in most languages.
pub(super) fn is_signature_line(line: &str, has_contact: bool) -> bool {
    let line = without_pictures(line);
    let words: Vec<&str> = line.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect();
    if words.is_empty() {
        return has_plain_signs(&line) && line.chars().all(|c| c.is_whitespace() || c.is_ascii_punctuation());
    }
    if is_contact(&line) {
        return true;
    }
    // `-1` and `+1` are votes.
    let is_vote = |word: &&str| {
        word.strip_prefix(['-', '+'])
            .is_some_and(|digits| digits.len() == 1 && digits.bytes().all(|c| c.is_ascii_digit()))
    };
    if !has_plain_signs(&line) || words.iter().any(is_vote) {
        return false;
    }
    if WORDS_MAX < words.len() || says_something(&line) || line.contains('~') {
        return false;
    }
    let starts = |word: &&str, is: fn(char) -> bool| word.chars().find(|c| c.is_alphanumeric()).is_some_and(is);
    let is_capital = |word: &&str| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit()).to_lowercase();
        let is_time = unit.len() < word.len() && (unit.contains(':') || phrases::TIMES.has(unit.trim_end_matches('.')));
        !is_time && starts(word, |c| c.is_uppercase() || c.is_numeric() || is_ideograph(c))
    };
    let is_small = |word: &&str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        phrases::CONNECTORS.has(&bare) || phrases::CONTACT_LABELS.has(&bare) || is_domain(word)
    };
    let is_long = line.chars().any(is_ideograph) && TITLE_MAX < line.chars().count();
    let is_labelled = |word: &str| {
        word.ends_with(':') && phrases::CONTACT_LABELS.has(&word.trim_end_matches([':', '.']).to_lowercase())
    };
    // `Owner: Bo Lind` names somebody else.
    if words.iter().any(|word| word.ends_with(':') && !is_labelled(word)) {
        return false;
    }
    let begins = words.first().is_some_and(|word| is_capital(word) || is_domain(word) || is_labelled(word));
    let is_caseless = |word: &&str| starts(word, |c| c.is_alphabetic() && !c.is_lowercase());
    let titled = begins && words.iter().all(|word| is_capital(word) || is_small(word) || is_contact(word));
    !is_long && (titled || (has_contact && words.first().is_some_and(is_caseless)))
}

/// `acme.example`.
fn is_domain(word: &str) -> bool {
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let mut labels = word.split('/').next().unwrap_or_default().split('.').rev();
    let is_top = |top: &str| 1 < top.len() && top.chars().all(|c| c.is_ascii_alphabetic());
    labels.next().is_some_and(is_top) && labels.clone().next().is_some() && labels.all(is_label)
}

/// Whether a line answers, asks, denies or postpones.
fn says_something(line: &str) -> bool {
    let bare = folded(line).to_lowercase();
    let mut words = bare.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty());
    asks_or_denies(line)
        || !matches!(read(line), Reply::Unclear { .. })
        || words.any(|word| phrases::AGAINST.has(word) || phrases::ONESELF.has(word))
        || phrases::AGAINST_WITHIN.iter().any(|part| bare.contains(part))
}

/// Letters of titles in scripts without capitals. Hiragana is excluded, because it occurs in sentences.
fn is_ideograph(letter: char) -> bool {
    matches!(letter, '\u{30a0}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

/// The line without `[image: Acme]`, `[cid:image001.png]` and `(she/her)`.
fn without_pictures(line: &str) -> String {
    let mut out = String::new();
    let is_pronoun =
        |word: &&str| phrases::PRONOUNS.has(&word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    let line = line.split(' ').filter(|word| !is_pronoun(word)).collect::<Vec<_>>().join(" ");
    let mut rest = line.as_str();
    while let Some(at) = rest.find('[') {
        let inside = rest[at + 1..].to_lowercase();
        let end = rest[at..].find(']');
        let is_picture = ["image", "cid:", "http", "signature_"].iter().any(|kind| inside.starts_with(kind));
        let Some(end) = end.filter(|end| is_picture && !shows_no(&rest[at..at + end])) else { break };
        out.push_str(&rest[..at]);
        rest = &rest[at + end + 1..];
    }
    out + rest
}
