//! Reads how people choose an option of a request: by its letter, its name or its label, in the forms that they copy out of
//! our own texts. Whatever else stands beside it makes it no choice: a word more may be a "not".

use crate::{
    core::{Ask, AskOption, NamedOption, folded::folded},
    text::{
        gsm7,
        reply::{
            READ_MAX,
            pieces::{PieceKind, pieces},
        },
    },
};

/// What a text says of the options of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChoiceReading {
    /// It names none.
    None,
    /// It names this one, with what is repeated of the facts, and says nothing else.
    Option(NamedOption),
    /// Beside an option it says this.
    Excess(String),
}

/// Signs that stand between an option and what belongs to it: `A = Approve`, `A) Approve`, `A - Approve`.
const BETWEEN: [char; 7] = ['=', ':', '-', ')', '.', ',', ';'];

/// Signs around an option, as our texts and people quote one.
const AROUND: [(char, char); 4] = [('"', '"'), ('\'', '\''), ('(', ')'), ('[', ']')];

/// What our texts put before the fact.
const EACH_WITH: &str = "each with ";

/// What our texts put behind an option in a drill.
const EXERCISE: &str = "(exercise)";

/// The text without the first number that is this code, and without the signs that join it to the rest: `48213-A`. What
/// comes again may be a fact that is repeated.
pub fn beside_code(text: &str, code: &str) -> String {
    let text = folded(text);
    let is_code = |kind: &PieceKind| *kind == PieceKind::Code;
    let found = pieces(&text).into_iter().find(|piece| is_code(&piece.kind) && piece.text == code);
    let Some((at, end)) = found.map(|piece| (piece.at, piece.end())) else { return text.trim().to_owned() };
    let joins = |c: char| c.is_whitespace() || BETWEEN.contains(&c);
    let (before, after) = (text[..at].trim_end(), text[end..].trim_start());
    // More full stops than one are a hesitation, and join nothing.
    let before =
        if before.ends_with("..") { before } else { before.trim_end_matches(|c| joins(c) || matches!(c, '#' | '(')) };
    let after = if after.starts_with("..") { after } else { after.trim_start_matches(joins) };
    format!("{} {}", before.trim(), after.trim()).trim().to_owned()
}

/// Whether a text says of itself that it is for an exercise, as our texts do in a drill. Then it is no choice on a live page.
pub fn is_of_exercise(text: &str) -> bool {
    folded(text).contains(EXERCISE)
}

/// Reads a text in which no code is left.
pub fn choice(ask: &Ask, text: &str) -> ChoiceReading {
    if READ_MAX < text.chars().take(READ_MAX + 1).count() {
        return ChoiceReading::None;
    }
    let text = plain(text).replacen(EXERCISE, "", 1);
    let text = text.trim();
    let Some((option, behind)) = first_option(ask, text) else {
        return last_option(ask, text).map_or(ChoiceReading::None, ChoiceReading::Excess);
    };
    let named = |repeated: Option<&str>| {
        ChoiceReading::Option(NamedOption { option: option.name.clone(), repeated: repeated.map(str::to_owned) })
    };
    let is_empty = |text: &str| without_end(text).is_empty();
    let behind = without_sign(behind);
    // The label behind the letter says the same again.
    let label = [own_start(option, behind), cut_start(option, behind)].into_iter().flatten().max();
    let rest = label.map_or(behind, |end| without_sign(&behind[end..]));
    let fact = ask.read_back.as_ref();
    if fact.is_some_and(|fact| fact.is_repeated(behind)) {
        return named(Some(behind));
    }
    let with = rest.get(..EACH_WITH.len()).filter(|start| start.eq_ignore_ascii_case(EACH_WITH));
    let repeated = with.map_or(rest, |with| &rest[with.len()..]);
    let is_other = || ask.options.iter().any(|other| other.name != option.name && own_start(other, rest).is_some());
    match fact {
        _ if is_empty(rest) => named(None),
        Some(fact) if fact.is_repeated(repeated) || !is_other() => named(Some(repeated)),
        Some(_) | None => ChoiceReading::Excess(rest.to_owned()),
    }
}

/// The option that stands first, and the text behind it.
fn first_option<'a, 't>(ask: &'a Ask, text: &'t str) -> Option<(&'a AskOption, &'t str)> {
    let mut letters = text.chars();
    let letter = letters.next()?;
    let close = AROUND.iter().find(|(open, _)| *open == letter).map(|(_, close)| *close);
    let inside = close.and_then(|close| letters.as_str().split_once(close));
    let around = inside.and_then(|(inside, behind)| Some((whole_option(ask, without_end(inside))?, behind)));
    let by_letter = ask.with_letter(letter).map(|option| (option, letters.as_str()));
    around.or_else(|| by_letter.filter(|(_, behind)| ends_word(behind))).or_else(|| {
        let starts = ask.options.iter().filter_map(|option| Some((option, own_start(option, text)?)));
        let longest = starts.clone().map(|(_, end)| end).max()?;
        let mut owners = starts.filter(|(_, end)| *end == longest).map(|(option, _)| option);
        // In the letters of an SMS two labels may be the same.
        Some((owners.next()?, &text[longest..])).filter(|_| owners.next().is_none())
    })
}

/// What stands before the option that a text ends with.
fn last_option(ask: &Ask, text: &str) -> Option<String> {
    let text = text.trim_end_matches(is_end);
    let starts = text.char_indices().filter(|(at, _)| text[..*at].ends_with(char::is_whitespace));
    let said = |(at, _): (usize, char)| whole_option(ask, &text[at..]).map(|_| text[..at].trim().to_owned());
    starts.filter_map(said).next()
}

fn whole_option<'a>(ask: &'a Ask, text: &str) -> Option<&'a AskOption> {
    first_option(ask, text).filter(|(_, behind)| behind.is_empty()).map(|(option, _)| option)
}

/// The end of the option's own name or label at the start of a text, also in the letters of an SMS or quoted.
fn own_start(option: &AskOption, text: &str) -> Option<usize> {
    let around = AROUND.iter().find(|(open, _)| text.starts_with(*open)).and_then(|(open, close)| {
        let end = text[open.len_utf8()..].find(*close)?;
        let inside = &text[open.len_utf8()..][..end];
        (bare_start(option, inside) == Some(end)).then_some(open.len_utf8() + end + close.len_utf8())
    });
    bare_start(option, text).or(around)
}

fn bare_start(option: &AskOption, text: &str) -> Option<usize> {
    let owns = [&option.name, &option.label, &gsm7::to_sms(&option.label)].map(|own| plain(own));
    owns.iter().filter_map(|own| start_of(own, text)).filter(|end| ends_word(&text[*end..])).max()
}

/// The end of the start of its label, if the mark stands there by which we cut labels.
fn cut_start(option: &AskOption, text: &str) -> Option<usize> {
    let at = text.find("...")?;
    let part = lower(&text[..at]);
    let begins = |own: &str| part.chars().any(char::is_alphanumeric) && lower(&plain(own)).starts_with(&part);
    (begins(&option.label) || begins(&gsm7::to_sms(&option.label))).then_some(at + 3)
}

/// The end of `own` at the start of a text, whatever the case is and however wide the gaps are.
fn start_of(own: &str, text: &str) -> Option<usize> {
    let (mut wanted, mut at) = (own.split_whitespace().peekable(), 0);
    while let Some(word) = wanted.next() {
        let mut said = text[at..].char_indices().peekable();
        let mut letters = word.chars().flat_map(char::to_lowercase).peekable();
        let mut end = at;
        while letters.peek().is_some() {
            let (from, letter) = said.next()?;
            if !letter.to_lowercase().all(|letter| letters.next() == Some(letter)) {
                return None;
            }
            end = at + from + letter.len_utf8();
        }
        at = end;
        if wanted.peek().is_some() {
            let gap = text[at..].len() - text[at..].trim_start().len();
            at = Some(at + gap).filter(|_| 0 < gap)?;
        }
    }
    (0 < at).then_some(at)
}

/// In the characters of one keyboard, with its quotation marks and three full stops.
fn plain(text: &str) -> String {
    folded(text).replace(['“', '”', '„', '‟', '«', '»'], "\"").replace('…', "...")
}

fn lower(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Whether a word ends before this text.
fn ends_word(behind: &str) -> bool {
    !behind.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '\'' | '_'))
}

/// The text behind an option without the sign that joins it; a sign directly before a digit is the number's.
fn without_sign(text: &str) -> &str {
    let text = text.trim_start();
    let sign = text.chars().next().filter(|sign| BETWEEN.contains(sign));
    let behind = sign.map_or(text, |sign| &text[sign.len_utf8()..]);
    // What joins nothing was broken off, but for what our own texts have behind a letter and a label.
    let ends = matches!(sign, Some(')' | ',' | ';'));
    if behind.trim().is_empty() && !ends || text.starts_with("..") {
        return text;
    }
    let is_number = matches!(sign, Some('-' | '.' | ',')) && behind.starts_with(|c: char| c.is_numeric());
    if is_number { text } else { behind.trim() }
}

/// The text without what ends a sentence: one full stop or some exclamation marks. More full stops are a hesitation.
fn without_end(text: &str) -> &str {
    let text = text.trim();
    let without = text.trim_end_matches('!');
    let without = if without.len() == text.len() { text.strip_suffix('.').unwrap_or(text) } else { without };
    if without.trim_end().ends_with(['.', '!']) { text } else { without.trim_end() }
}

fn is_end(sign: char) -> bool {
    matches!(sign, '.' | '!') || sign.is_whitespace()
}
