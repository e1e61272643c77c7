//! Separates the lines that a mail's writer wrote from the quoted mail. Mail programs begin a quote in many ways and
//! languages; an unknown one counts as the writer's own text, which engages nobody by mistake.

use super::{
    phrases::{self, Phrases, is_blank},
    taken_back::takes_back,
};
use crate::text::{
    reply::{Reply, asks_or_denies, folded, read},
    signature::SIGNATURE_MARK,
};

/// The largest number of lines of the attribution before a quote.
const ATTRIBUTION_LINES: usize = 4;

/// A quoted line of at least this many letters may have been wrapped, with its rest on the next line without a quote
/// mark.
const BROKEN_FROM: usize = 60;

/// The largest length of a line that may begin a quote, in bytes.
const LINE_MAX: usize = 500;

/// The largest number of lines of our own page that are looked at.
const PAGE_LINES: usize = 200;

/// The writer's own lines, trimmed but for the mark of a signature; an empty line replaces what was left out.
pub(super) fn own_lines(text: &str) -> Vec<&str> {
    let trimmed = |line| if line == SIGNATURE_MARK { SIGNATURE_MARK } else { str::trim(line) };
    let lines: Vec<&str> = text.lines().map(trimmed).collect();
    let mut own = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at).copied() {
        let rest = &lines[at..];
        if is_marked(line) || is_rest_of_quoted(&lines, at) {
            own.push("");
        } else if LINE_MAX < line.len() {
            own.push(line);
        } else if let Some(length) = attribution(rest) {
            // If the quote has no quote marks, its end is unknown.
            let quoted = lines[at + length..].iter().find(|line| !is_blank(line));
            if !quoted.is_some_and(|line| is_marked(line)) {
                break;
            }
            own.push("");
            at += length - 1;
        } else if is_banner(line) && own.iter().all(|line| is_put_above(line)) {
            own.push(line);
        } else if begins_quote(rest) {
            break;
        } else {
            own.push(line);
        }
        at += 1;
    }
    own
}

fn is_marked(line: &str) -> bool {
    line.starts_with('>')
}

fn is_rest_of_quoted(lines: &[&str], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| lines.get(before));
    let is_long = before.is_some_and(|line| is_marked(line) && BROKEN_FROM <= line.chars().count());
    is_long && lines.get(at + 1).is_some_and(|line| is_marked(line))
}

/// The number of lines of an attribution at the start, in any language: `On Sun, Nov 29, 2026 at 7:33 PM Stentor
/// <stentor@example.com> wrote:`.
fn attribution(lines: &[&str]) -> Option<usize> {
    let ends = |line: &&str| line.ends_with([':', '：']);
    let goes_on = |line: &&&str| !is_blank(line) && line.len() <= LINE_MAX;
    let length = 1 + lines.iter().take(ATTRIBUTION_LINES).take_while(goes_on).position(ends)?;
    let joined = |from: usize| lines[from..length].join(" ").to_lowercase();
    let quoted = lines[length..].iter().find(|line| !is_blank(line)).is_some_and(|line| is_marked(line));
    // The lines above the attribution are the writer's own, even if they contain a number.
    let nearer = (1..length).any(|from| has_year(lines[from]) && is_attribution(&joined(from), quoted));
    let first = lines.first()?;
    let begins = has_year(first) || first.contains('@') || says_wrote(&first.to_lowercase()) || opens(first);
    (begins && !nearer && !is_said(first) && is_attribution(&joined(0), quoted)).then_some(length)
}

/// `On Sun, 29 Nov` and the like.
fn opens(line: &str) -> bool {
    let lower = line.to_lowercase();
    lower.chars().any(|c| c.is_ascii_digit()) && phrases::ATTRIBUTION_OPENERS.iter().any(|word| lower.starts_with(word))
}

/// Whether this is above a quote. A date with a time is, where quoted lines follow; people write it above their own words too.
fn is_attribution(lower: &str, quoted: bool) -> bool {
    let has_time = lower.split(|c: char| c.is_whitespace() || c == ',').any(|word| {
        word.split_once([':', '.', 'h']).is_some_and(|(hours, minutes)| {
            hours.len() <= 2 && hours.parse::<u8>().is_ok() && minutes.starts_with(|c: char| c.is_ascii_digit())
        })
    });
    let has_mailbox = lower.contains('@') && lower.chars().any(|c| c.is_ascii_digit());
    let is_dated = has_year(lower) || opens(lower) || has_mailbox;
    (says_wrote(lower) && (is_dated || quoted))
        || (has_year(lower) && has_time && (quoted || lower.contains('@')))
        || (has_mailbox && lower.contains('<'))
}

fn says_wrote(lower: &str) -> bool {
    phrases::WROTE.iter().any(|word| lower.contains(word))
}

fn has_year(line: &str) -> bool {
    let digits: Vec<bool> = line.chars().map(|c| c.is_ascii_digit()).collect();
    let letters: Vec<char> = line.chars().collect();
    letters.windows(4).enumerate().any(|(at, four)| {
        let is_number = four[..2] == ['2', '0'] && four.iter().all(char::is_ascii_digit);
        let is_alone = (at == 0 || !digits[at - 1]) && !digits.get(at + 4).copied().unwrap_or(false);
        is_number && is_alone
    })
}

/// Whether a line is a clear answer, which is never the beginning of a quote.
fn is_said(line: &str) -> bool {
    matches!(read(line), Reply::Answer { .. } | Reply::AsAsked { .. })
}

/// Whether a quote without marks begins here: a mail program's words above it, the headers of the mail, or its first
/// words.
fn begins_quote(lines: &[&str]) -> bool {
    let Some(line) = lines.first() else { return false };
    let lower = folded(line).to_lowercase();
    phrases::FORWARDED.has(lower.trim_end_matches([' ', ':']))
        || is_quote_rule(&lower, &lines[1..])
        || is_own_page(lines)
        || is_head(lines)
}

/// Whether a line with words between rules is a mail program's. People draw rules around words of their own, too.
fn is_quote_rule(lower: &str, below: &[&str]) -> bool {
    let is_ruled = ["---", "___", "***", "==="].iter().any(|rule| lower.starts_with(rule) && lower.ends_with(rule));
    let words = lower.trim_matches(|c: char| matches!(c, '-' | '_' | '*' | '=') || c.is_whitespace());
    let first = below.iter().position(|line| !is_blank(line)).unwrap_or(below.len());
    let is_attributed = || (has_year(words) || words.contains('@')) && says_wrote(&format!("{words}:"));
    let is_above_head = || is_head(&below[first..]) && !takes_back(words);
    is_ruled
        && words.contains(char::is_alphabetic)
        && (phrases::QUOTE_RULES.has(words) || is_attributed() || is_above_head())
}

/// A line that a mail's way has put above it, between rules: `*** EXTERNAL: take care ***`, `| CAUTION |`.
pub(super) fn is_banner(line: &str) -> bool {
    let is_drawn = |c: char| matches!(c, '*' | '=' | '#' | '!' | '|' | '~' | '-' | '_' | '⚠' | '\u{fe0f}');
    let words = line.trim_matches(|c: char| is_drawn(c) || c.is_whitespace());
    let framed = line.starts_with(is_drawn) && line.ends_with(is_drawn) && line.len() <= phrases::LINE_MAX;
    let lower = words.to_lowercase();
    framed && phrases::BANNER_STEMS.iter().any(|stem| lower.contains(stem)) && !takes_back(words)
}

/// A line that is nobody's word: nothing, a rule, or a banner.
fn is_put_above(line: &str) -> bool {
    let lower = line.to_lowercase();
    !lower.contains(char::is_alphanumeric)
        || is_banner(line)
        || phrases::BANNERS.iter().any(|words| lower.contains(words))
}

/// Our own mail without any mark; a line that takes something back may be the writer's.
fn is_own_page(lines: &[&str]) -> bool {
    let Some((headline, rest)) = lines.split_first() else { return false };
    let denies = |line: &&str| asks_or_denies(&line.to_lowercase().replace("unable", " ").replace('?', " "));
    is_own_headline(headline) && !takes_back(headline) && !rest.iter().take(PAGE_LINES).any(denies)
}

/// `LIVE INC-12: ES fell`, as our own mails begin.
fn is_own_headline(line: &str) -> bool {
    let number = line.strip_prefix("LIVE INC-").or_else(|| line.strip_prefix("DRILL INC-"));
    let rest = number.map(|number| (number, number.trim_start_matches(|c: char| c.is_ascii_digit())));
    rest.is_some_and(|(number, rest)| rest.len() < number.len() && (rest.is_empty() || rest.starts_with(':')))
}

/// `From: Stentor <..>`, with more headers below it.
fn is_head(lines: &[&str]) -> bool {
    let Some((_, sender)) = lines.first().and_then(|line| field(line, &phrases::FROM)) else { return false };
    let more = lines.iter().skip(1).take(3).filter(|line| field(line, &phrases::HEAD_FIELDS).is_some()).count();
    let sender = sender.trim_matches(|c: char| c.is_whitespace() || c == '*');
    let is_time = sender.starts_with(|c: char| c.is_ascii_digit());
    let is_ours = sender.to_lowercase().starts_with("stentor");
    sender.contains('@') || !is_time && (2 <= more || is_ours && (0 < more || !sender.contains(' ')))
}

/// A header line: its name, if it is one of these, and its value.
fn field<'a>(line: &'a str, names: &Phrases) -> Option<(String, &'a str)> {
    let (name, value) = line.split_once([':', '：'])?;
    let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '|')).to_lowercase();
    names.has(&name).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_left_out_however_it_begins() {
        for quote in [
            "> LIVE INC-12",
            "On Mon, Stentor wrote:\n> LIVE INC-12",
            "On Sun, Nov 29, 2026 at 7:33 PM Stentor <stentor@example.com> wrote:\n\n> LIVE INC-12\n> wilco?",
            "On Sun, Nov 29, 2026 at 7:33 PM Stentor <\nstentor@example.com> wrote:\n\n> LIVE INC-12",
            "On Sun, Nov 29, 2026 at 7:33 PM Stentor <stentor@a-long-name.example.com>\nwrote:\n> LIVE INC-12",
            "On 29 Nov 2026, at 19:33, Stentor <stentor@example.com> wrote:\n\n\u{feff}LIVE INC-12\nwilco",
            "Am So., 29. Nov. 2026 um 19:33 Uhr schrieb Stentor <\nstentor@example.com>:\n> LIVE",
            "Am 29.11.26 um 19:33 schrieb Stentor:\n> LIVE",
            "Stentor <stentor@example.com> schrieb am So., 29. Nov. 2026, 19:33:\n> LIVE",
            "Le dim. 29 nov. 2026 à 19:33, Stentor <stentor@example.com> a\nécrit :\n> LIVE",
            "El dom, 29 nov 2026 a las 19:33, Stentor (<stentor@example.com>) escribió:\n> LIVE",
            "Il giorno dom 29 nov 2026 alle ore 19:33 Stentor <stentor@example.com> ha scritto:\n> LIVE",
            "Em dom., 29 de nov. de 2026 às 19:33, Stentor <stentor@example.com>\nescreveu:\n> LIVE",
            "Op zo 29 nov 2026 om 19:33 schreef Stentor <stentor@example.com>:\n> LIVE",
            "Den sön 29 nov. 2026 kl 19:33 skrev Stentor <stentor@example.com>:\n> LIVE",
            "niedz., 29 lis 2026 o 19:33 Stentor <stentor@example.com> napisał(a):\n> LIVE",
            "вс, 29 нояб. 2026 г. в 19:33, Stentor <stentor@example.com>:\n> LIVE",
            "2026年11月29日(日) 19:33 Stentor <stentor@example.com>:\n> LIVE",
            "Stentor <stentor@example.com> 于2026年11月29日周日 19:33写道：\n> LIVE",
            "2026년 11월 29일 (일) 오후 7:33, Stentor <stentor@example.com>님이 작성:\n> LIVE",
            "-----Original Message-----\nFrom: Stentor\nwilco",
            "-----Ursprüngliche Nachricht-----\nVon: Stentor",
            "---- On Sun, 29 Nov 2026 19:33:00 +0100 Stentor wrote ----\nLIVE",
            "From: Stentor <stentor@example.com>\nSent: Sunday\nSubject: x\n\nwilco?",
            "*From:* Stentor\n*Sent:* Sunday\n\nwilco?",
            "De: Stentor\nObjet: x\n\nwilco?",
            "De : Duty desk\nEnvoyé : dimanche\nÀ : Ana\n\nwilco?",
            "差出人: Stentor\n送信日時: 2026年\n\nwilco?",
            "LIVE INC-12: ES fell.\nwilco?",
            "> TRADER: answer WILCO by 14:15:59 CET or else Bo Lind is paged\nand then everybody\n> else",
        ] {
            for above in ["wilco\n\n", "wilco\n", ""] {
                let text = format!("{above}{quote}");
                let own: Vec<&str> = own_lines(&text).into_iter().filter(|line| !line.is_empty()).collect();
                assert_eq!(own, above.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_quote_is_kept() {
        for text in [
            "wilco\nOn it tomorrow at 10\nOn Sun, Nov 29, 2026 at 7:33 PM Stentor <s@example.com> wrote:\n> LIVE",
            "wilco\nNot before 2027\nOn Sun, Nov 29, 2026 at 7:33 PM Stentor <s@example.com> wrote:\n> LIVE",
            "wilco\nbut only for this one:\n> LIVE",
            "wilco\n> LIVE, do you have it?\nnot before noon",
            "wilco\nFrom: home, I can not",
            "wilco\n---but not now",
            "wilco\nLIVE INC-12 is not mine",
            "wilco\nLIVE INC-12: x is not mine",
            "wilco\n*** EXTERNAL: but I can not ***",
            "wilco\n--- never mind, Bo is on duty ---",
            "wilco\n--- correction ---",
            "wilco\n---------- Bo Lind ----------",
            "wilco\n***** Bo has it *****",
            "30.11.2026 15:10, update:\nunable",
            "Am 30.11.2026 um 15:30 übernimmt Bo:\nich bin dann weg",
            "On 30 Nov 2026 from 16:00 Bo is on:\ncall him",
            "wilco\nbegin forwarded message: Bo has it",
            "From: 16:00 on Bo\nDate: today",
        ] {
            let own: Vec<&str> = own_lines(text).into_iter().filter(|line| !line.is_empty()).collect();
            assert_eq!(own.len(), 2, "{text}: {own:?}");
        }
    }
}
