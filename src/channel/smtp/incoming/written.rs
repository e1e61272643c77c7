//! What a human wrote, without what stands around it in every mail: banners, greetings, thanks, names, signatures, the
//! footers of phones and of companies. Of those only what is known is left out. Every other line is read with the answer,
//! and one that the reader does not know makes it unclear: it may take the answer back in any words and any language.

use super::{
    phrases::{self, LINE_MAX, is_blank},
    quote::{is_banner, own_lines},
    signature::{Writer, has_contact, is_contact, is_name_after_thanks, is_signature_line, names_line, without_name},
};
use crate::{
    core::Answer,
    text::reply::{READ_MAX, Reply, ReplyDoubt, folded, read},
};

/// Lines that are looked at for what is harmless; those below are read with the answer whatever they are.
const LINES_MAX: usize = 300;

/// Letters of a paragraph that may be a disclaimer's.
const DISCLAIMER_MAX: usize = 3_000;

/// Lines of a signature.
const SIGNATURE_LINES: usize = 10;

/// Lines of a paragraph of a disclaimer that are looked at.
const DISCLAIMER_LINES: usize = 20;

/// What a mail's texts mean; `writer` is who wrote them.
pub(super) fn reading(texts: &[&str], writer: &Writer) -> Reply {
    let said = said_lines(texts, writer);
    let whole = read(&said.join("\n"));
    if !matches!(whole, Reply::Unclear { .. }) {
        return whole;
    }
    let unsigned: Vec<&str> = said.iter().map(|line| without_name(line, writer)).collect();
    match (read(&unsigned.join("\n")), unsigned.split_first()) {
        (Reply::Unclear { .. }, Some((first, reasons))) => unable_because(first, reasons).unwrap_or(whole),
        (Reply::Unclear { .. }, None) => whole,
        (other, _) => other,
    }
}

/// One who can not take it may say why in any words, as long as none of them is another answer.
fn unable_because(first: &str, reasons: &[&str]) -> Option<Reply> {
    let first = read(first);
    let Reply::Answer { code, answer: Answer::Unable } = &first else { return None };
    let other = reasons.iter().find_map(|line| match read(line) {
        Reply::Answer { answer, .. } if answer != Answer::Unable => Some(answer),
        _ => None,
    });
    match other {
        Some(other) => Some(Reply::Unclear { code: code.clone(), doubt: ReplyDoubt::between(Answer::Unable, other) }),
        None => Some(first),
    }
}

/// The lines that say something, of all texts. What ends one does not end the next.
pub(super) fn said_lines<'a>(texts: &[&'a str], writer: &Writer) -> Vec<&'a str> {
    let mut said = SaidLines { writer, said: Vec::new(), signed: false, thanked: false, near_contact: false };
    let mut left = LINES_MAX;
    for text in texts {
        let lines = own_lines(text);
        for at in end_of_banner(&lines)..lines.len() {
            let goes_on = if left == 0 { said.take_unseen(&lines[at..]) } else { said.take(&lines[at..]) };
            // More than can be read is unclear, whatever it is.
            if !goes_on || READ_MAX < said.said.len() {
                break;
            }
            left = left.saturating_sub(usize::from(!lines[at].is_empty()));
        }
    }
    // `Wilco,` above a name.
    if let [only] = &mut said.said[..]
        && (said.signed || said.thanked)
    {
        *only = only.trim_end_matches([',', '，', '、']).trim_end();
    }
    said.said
}

struct SaidLines<'a, 'w> {
    writer: &'w Writer,
    said: Vec<&'a str>,
    /// A name, or a rule, stood above.
    signed: bool,
    /// Thanks or regards were the last line.
    thanked: bool,
    /// A telephone number or the like stood above in this paragraph.
    near_contact: bool,
}

impl<'a> SaidLines<'a, '_> {
    /// Takes the first of these lines in; whether the others may say something.
    fn take(&mut self, lines: &[&'a str]) -> bool {
        let Some(line) = lines.first().copied().filter(|line| !is_blank(line)) else {
            self.near_contact = false;
            return true;
        };
        let is_short = line.len() <= LINE_MAX;
        if is_short && is_footer(line) {
            return true;
        }
        if self.said.is_empty() {
            self.first(if is_short { after_greeting(line).unwrap_or(line) } else { line });
            return true;
        }
        // RFC 3676: what follows is a signature.
        if line == "--" || is_disclaimer(lines) {
            return false;
        }
        if !is_short {
            self.said.push(line);
            return true;
        }
        let was_thanked = std::mem::take(&mut self.thanked);
        if is_rule(line) || names_line(line, self.writer) || (was_thanked && is_name_after_thanks(line)) {
            self.signed = true;
        } else if let Some(name) = after_thanks(line) {
            self.thanked = name.is_empty();
            self.signed |= !name.is_empty();
            if !self.thanked && !names_line(name, self.writer) && !is_name_after_thanks(name) {
                self.said.push(line);
            }
        } else if !(is_contact(line) || (self.signed && is_signature_line(line, self.is_near_contact(lines)))) {
            self.said.push(line);
        }
        self.near_contact |= has_contact(line);
        true
    }

    /// Whether a telephone number or the like stands near by: then it is a signature.
    fn is_near_contact(&self, lines: &[&str]) -> bool {
        self.near_contact || lines.iter().take(SIGNATURE_LINES).any(|line| has_contact(line))
    }

    /// The first line, without a greeting.
    fn first(&mut self, said: &'a str) {
        if !said.is_empty() && !is_rule(said) {
            self.said.push(said);
        }
    }

    fn take_unseen(&mut self, lines: &[&'a str]) -> bool {
        self.said.extend(lines.first().filter(|line| !line.is_empty()));
        true
    }
}

/// Where what the mail's way put above it ends: `CAUTION: This e-mail came from outside ..`, also more than one of those.
fn end_of_banner(lines: &[&str]) -> usize {
    let mut end = 0;
    loop {
        let rest = &lines[end..];
        let first = end + rest.iter().position(|line| !is_blank(line) && !is_rule(line)).unwrap_or(rest.len());
        let Some(line) = lines.get(first).filter(|line| line.len() <= LINE_MAX) else { return first };
        let lower = line.to_lowercase();
        if is_banner(line) {
            // What is framed ends with its frame.
            end = first + 1;
        } else if phrases::BANNERS.iter().any(|words| lower.contains(words)) {
            let goes_on = |line: &&&str| !is_blank(line) && matches!(read(line), Reply::Unclear { .. });
            end = first + 1 + lines[first + 1..].iter().take_while(goes_on).count();
        } else {
            return first;
        }
    }
}

/// What follows `Hi,`, `Dear Stentor,` and the like; none where the line begins otherwise.
fn after_greeting(line: &str) -> Option<&str> {
    let rest = phrases::GREETINGS.iter().filter_map(|words| after(line, words)).min_by_key(|rest| rest.len())?;
    let ends =
        |c: char| matches!(c, ',' | '!' | '.' | ':' | '，' | '、' | '。' | '！' | '-' | '–' | '—') || c.is_whitespace();
    let bare = rest.trim_start_matches(ends);
    if bare.is_empty() || rest.trim_start().starts_with(|c: char| ends(c)) {
        return Some(bare);
    }
    let (addressed, said) = rest.split_once([',', '!', '.', ':', '，']).unwrap_or((rest, ""));
    let words: Vec<&str> = addressed.split_whitespace().collect();
    let is_addressed = |word: &&str| {
        phrases::ADDRESSED.has(&word.to_lowercase())
            || (word.starts_with(char::is_uppercase) && is_name_after_thanks(word))
    };
    if words.len() <= 3 && words.iter().all(is_addressed) {
        return Some(said.trim_start_matches(ends));
    }
    (!matches!(read(bare), Reply::Unclear { .. })).then_some(bare)
}

/// What follows thanks or regards, without the signs between them; also behind a second one (`Thanks and regards`).
fn after_thanks(line: &str) -> Option<&str> {
    let thanks =
        |line| phrases::THANKS.iter().filter_map(|words| after(line, words)).min_by_key(|rest: &&str| rest.len());
    let is_sign =
        |c: char| c.is_whitespace() || matches!(c, ',' | '.' | '!' | '&' | ':' | '-' | '–' | '—' | '。' | '，' | '！');
    let rest = thanks(line)?.trim_matches(is_sign);
    let joined = ["and ", "und ", "et ", "y ", "e ", "och "].iter().find_map(|word| after(rest, word)).unwrap_or(rest);
    Some(thanks(joined).map_or(rest, |rest| rest.trim_matches(is_sign)))
}

/// What follows these words, which end where a word ends.
fn after<'a>(line: &'a str, words: &str) -> Option<&'a str> {
    let mut letters = line.char_indices();
    for wanted in words.chars() {
        let (_, letter) = letters.next()?;
        let letter = if letter == '’' { '\'' } else { letter };
        if letter != wanted && !letter.to_lowercase().eq(std::iter::once(wanted)) {
            return None;
        }
    }
    let rest = letters.as_str();
    let last = words.chars().next_back()?;
    let splits_word = last.is_alphabetic()
        && (last.is_lowercase() || last.is_uppercase())
        && rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '\'' | '’'));
    (!splits_word).then_some(rest)
}

/// A line across the page.
fn is_rule(line: &str) -> bool {
    let is_drawn = |c: char| matches!(c, '-' | '_' | '=' | '*' | '~' | '–' | '—' | '─' | '━' | '═' | '―');
    line == "—" || (3 <= line.chars().count() && line.chars().all(is_drawn))
}

/// `Sent from my iPhone`: known words alone, and one of them a program's or a telephone's.
fn is_footer(line: &str) -> bool {
    let lower = folded(line).to_lowercase();
    if phrases::FOOTERS.iter().any(|footer| lower.trim_end_matches('.') == footer) {
        return true;
    }
    let words = || lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_product = |word: &str| phrases::PRODUCTS.has(word);
    let is_known =
        |word: &str| is_product(word) || phrases::FOOTER_WORDS.has(word) || word.chars().any(|c| c.is_ascii_digit());
    let is_link = |word: &str| word.contains("://") || word.starts_with('<');
    let shown = lower.split_whitespace().filter(|word| !is_link(word));
    let only_known =
        shown.flat_map(|word| word.split(|c: char| !c.is_alphanumeric())).all(|word| word.is_empty() || is_known(word));
    only_known && words().any(is_product) && words().any(|word| phrases::FOOTER_VERBS.has(word))
}

/// What a company puts below each mail. Who writes of themselves is none.
fn is_disclaimer(lines: &[&str]) -> bool {
    let Some(line) = lines.first() else { return false };
    let line = beginning(line).to_lowercase();
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let begins = phrases::DISCLAIMER_OPENERS.iter().any(|words| line.starts_with(words));
    let outright = phrases::DISCLAIMERS.iter().any(|words| line.contains(words));
    if !begins && !outright {
        return false;
    }
    let paragraph: Vec<&str> =
        lines.iter().copied().take(DISCLAIMER_LINES).take_while(|line| !is_blank(line)).collect();
    let paragraph = beginning(&paragraph.join(" ")).to_lowercase();
    let says = phrases::DISCLAIMER_STEMS.iter().any(|stem| paragraph.contains(stem));
    let of_oneself = || folded(&paragraph).split_whitespace().any(|word| phrases::ONESELF.has(word));
    (outright || says) && !of_oneself()
}

/// What of a paragraph is looked at.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(DISCLAIMER_MAX).map_or(text, |(end, _)| &text[..end])
}
