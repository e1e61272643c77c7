//! Extracts what a person wrote, without banners, greetings, thanks, names, signatures, and the footers of phones and
//! companies. Only known ones are removed. All other lines are read with the answer, and an unknown line makes it
//! unclear, because it may take the answer back in any words and any language.

use super::{
    disclaimer::is_disclaimer,
    machine_lines::{is_footer, is_machine_line},
    phrases::{self, LINE_MAX, is_blank},
    quote::{is_banner, own_lines},
    register_line::is_register_line,
    signature::{Writer, has_contact, is_contact, is_name_after_thanks, is_signature_line, names_line, without_name},
    signs::has_plain_signs,
    taken_back::takes_back,
};
use crate::{
    core::Answer,
    text::{
        reply::{NO_SIGNS, READ_MAX, Reply, ReplyDoubt, read},
        signature::SIGNATURE_MARK,
    },
};

/// The number of lines in which known phrases are removed; all further lines are read with the answer.
const LINES_MAX: usize = 300;

/// The largest number of lines of a signature.
const SIGNATURE_LINES: usize = 10;

/// From this many signs on, different ones are a separator.
const RULE_MIXED: usize = 6;

/// The largest number of lines of a framed banner.
const BANNER_LINES: usize = 20;

/// The meaning of a mail's texts by this writer.
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

/// An *unable* may have reasons in any words, if none of them is another answer.
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

/// The lines of all texts that belong to the answer. The end of one text does not end the next.
pub(super) fn said_lines<'a>(texts: &[&'a str], writer: &Writer) -> Vec<&'a str> {
    let mut said = SaidLines { writer, said: Vec::new(), signed: false, thanked: false, near_contact: false };
    let mut left = LINES_MAX;
    for text in texts {
        let lines = own_lines(text);
        for at in end_of_banner(&lines)..lines.len() {
            let goes_on = if left == 0 { said.take_unseen(&lines[at..]) } else { said.take(&lines[at..]) };
            // A text longer than the limit is always unclear.
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
    /// There was a name or a separator above.
    signed: bool,
    /// Thanks or regards were the last line.
    thanked: bool,
    /// There was a telephone number or the like above in this paragraph.
    near_contact: bool,
}

impl<'a> SaidLines<'a, '_> {
    /// Reads the first of these lines; returns whether the others may belong to the answer.
    fn take(&mut self, lines: &[&'a str]) -> bool {
        let Some(line) = lines.first().copied().filter(|line| !is_blank(line)) else {
            self.near_contact = false;
            return true;
        };
        let is_short = line.len() <= LINE_MAX;
        let line = if is_short { without_emphasis(line) } else { line };
        if is_short && is_machine_line(line) {
            return true;
        }
        if self.said.is_empty() {
            self.first(if is_short { after_greeting(line).unwrap_or(line) } else { line });
            return true;
        }
        // RFC 3676: what follows is a signature. A sign that says no is no part of one.
        let is_mark = line == SIGNATURE_MARK && !lines.iter().any(|line| line.contains(NO_SIGNS));
        if is_mark || is_disclaimer(lines) {
            return false;
        }
        // Without its blank it may be anything: what follows is read.
        if line == "--" || line == SIGNATURE_MARK {
            return true;
        }
        // Beside a name or a number a sign may take the answer back.
        if !is_short || !(is_rule(line) || is_register_line(line) || has_plain_signs(line)) {
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
        } else if !(is_contact(line)
            || is_register_line(line)
            || (self.signed && is_signature_line(line, self.is_near_contact(lines))))
        {
            self.said.push(line);
        }
        self.near_contact |= has_contact(line);
        true
    }

    /// Whether there is a telephone number or the like nearby: then it is a signature.
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

/// The number of lines of a banner that is framed by words of its program.
fn framed_banner(lines: &[&str]) -> Option<usize> {
    let is = |line: &str, mark: &str| line.to_lowercase().starts_with(mark);
    lines.first().filter(|line| is(line, phrases::FRAME_START))?;
    let length = 1 + lines.iter().take(BANNER_LINES).position(|line| is(line, phrases::FRAME_END))?;
    (!lines[..length].iter().any(|line| takes_back(line))).then_some(length)
}

/// Where the banner that a mail server added ends: `CAUTION: This e-mail came from outside ..`, also more than one of those.
fn end_of_banner(lines: &[&str]) -> usize {
    let mut end = 0;
    loop {
        let rest = &lines[end..];
        let first = end + rest.iter().position(|line| !is_blank(line) && !is_rule(line)).unwrap_or(rest.len());
        let Some(line) = lines.get(first).filter(|line| line.len() <= LINE_MAX) else { return first };
        let lower = line.to_lowercase();
        if let Some(length) = framed_banner(&lines[first..]) {
            end = first + length;
        } else if is_banner(line) {
            // What is framed ends with its frame.
            end = first + 1;
        } else if is_machine_line(line) && !is_footer(line) {
            end = first + 1;
        } else if is_warning(&lower) {
            let goes_on = |line: &&&str| !is_blank(line) && matches!(read(line), Reply::Unclear { .. });
            let length = 1 + lines[first + 1..].iter().take_while(goes_on).count();
            if takes_back(&lines[first..first + length].join(" ")) {
                return first;
            }
            end = first + length;
        } else {
            return first;
        }
    }
}

/// Whether a line warns of where a mail comes from, in the words of a mail server: it speaks of the mail and of the outside,
/// or says whom its reader seldom hears from.
fn is_warning(lower: &str) -> bool {
    let speaks_of_mail = || phrases::MAILS.iter().any(|stem| lower.contains(stem));
    let warns = || phrases::OUTSIDES.iter().any(|stem| lower.contains(stem));
    let has = |known: &phrases::Phrases| known.iter().any(|words| lower.contains(words));
    let is_scan = || has(&phrases::SCANS) && (speaks_of_mail() || lower.contains("vir"));
    (has(&phrases::BANNERS) || is_scan() || speaks_of_mail() && warns()) && !has(&phrases::TAKERS)
}

/// The rest after `Hi,`, `Dear Stentor,` and the like; `None` if the line does not begin with a greeting.
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

/// The rest after thanks or regards, without the punctuation between; also after a second one (`Thanks and regards`).
fn after_thanks(line: &str) -> Option<&str> {
    let thanks =
        |line| phrases::THANKS.iter().filter_map(|words| after(line, words)).min_by_key(|rest: &&str| rest.len());
    let is_sign =
        |c: char| c.is_whitespace() || matches!(c, ',' | '.' | '!' | '&' | ':' | '-' | '–' | '—' | '。' | '，' | '！');
    let rest = thanks(line)?.trim_matches(is_sign);
    let joined = ["and ", "und ", "et ", "y ", "e ", "och "].iter().find_map(|word| after(rest, word)).unwrap_or(rest);
    Some(thanks(joined).map_or(rest, |rest| rest.trim_matches(is_sign)))
}

/// The rest after these words, which must end at a word boundary.
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

/// Whether the line is a separator. Three different signs may be a face (`-_-`).
fn is_rule(line: &str) -> bool {
    let is_drawn = |c: char| matches!(c, '-' | '_' | '=' | '*' | '~' | '–' | '—' | '─' | '━' | '═' | '―');
    let is_one = || line.chars().all(|c| line.starts_with(c));
    let length = line.chars().count();
    line == "—" || (3 <= length && line.chars().all(is_drawn) && (is_one() || RULE_MIXED <= length))
}

/// The line without the signs that a program writes for bold or italic letters: `*wilco*`.
fn without_emphasis(line: &str) -> &str {
    let inside = |mark: &str| line.strip_prefix(mark)?.strip_suffix(mark).filter(|inside| !inside.contains(mark));
    let is_text = |inside: &&str| {
        inside.chars().any(char::is_alphanumeric) && inside.trim() == *inside && !inside.starts_with(['*', '_', '-'])
    };
    ["**", "*", "_"].iter().find_map(|mark| inside(mark)).filter(is_text).unwrap_or(line)
}
