//! SMS texts: what happened, how to answer by when, what happens otherwise; then as much of the rest as fits into two
//! segments.

use crate::{
    core::{AnswerLevel, Ask, AskOption, form::FILL_IN},
    template::{action::action_of, ask, brief::CODE, fit, headline, words::BriefWords},
    text::gsm7,
};

/// How many characters the parts of a head may have.
#[derive(Clone, Copy)]
struct HeadRoom {
    what: usize,
    role: usize,
    otherwise: usize,
    /// Whether the options of a request have their labels.
    labels: bool,
}

/// From wide to narrow. The first puts the whole question into the first segment of nearly every text; the others are
/// for other scripts, whose two segments are 134 characters, and for names of unusual length.
const ROOMS: [HeadRoom; 4] = [
    HeadRoom { what: 70, role: 20, otherwise: 44, labels: true },
    HeadRoom { what: 40, role: 20, otherwise: 32, labels: true },
    HeadRoom { what: 28, role: 12, otherwise: 16, labels: true },
    HeadRoom { what: 16, role: 8, otherwise: 0, labels: true },
];

/// The rooms for a request. What happens otherwise is never cut; where the labels of its options have no room, their
/// letters stand alone: half a label could be that of another option.
const ASKING: [HeadRoom; 6] = [
    HeadRoom { otherwise: 44, ..ROOMS[0] },
    HeadRoom { otherwise: 44, ..ROOMS[1] },
    HeadRoom { otherwise: 44, ..ROOMS[2] },
    HeadRoom { otherwise: 44, labels: false, ..ROOMS[1] },
    HeadRoom { otherwise: 44, labels: false, ..ROOMS[2] },
    HeadRoom { otherwise: 44, labels: false, ..ROOMS[3] },
];

/// Up to so many options, each has the code before it.
const CODED_MAX: usize = 2;

/// The longest note about who did not answer, in characters.
const NOTE_MAX: usize = 72;

/// The longest note about who had it and handed it back, in characters.
const HANDED_BACK_MAX: usize = 100;

/// A brief, with `middle` (the template's text) cut to what fits. The first element is its first line.
pub(super) fn brief(words: &BriefWords<'_>, middle: &str) -> (String, String) {
    let mut tail: Vec<String> = notes(words);
    let exercise = if words.is_drill() { ". Exercise: answer as if it were real." } else { "" };
    tail.push(format!("{}{exercise}", words.incident().id));
    tail.extend(headline::following(words).map(|_| headline::ALONE.to_owned()));
    let action = action_of(words.incident()).map(|_| match words.takes_changes() {
        true => "See the desk for the action, or to change it.".to_owned(),
        false => "See the desk for the action.".to_owned(),
    });
    tail.extend(action);
    let (head, rest, kept) = fitting(words, &tail);
    let tail: String = kept.iter().map(|line| format!("\n{line}")).collect();
    let rest = if rest.is_empty() { String::new() } else { format!("...{}\n", fit::ended(&rest)) };
    let middle = plain(words, &format!("{rest}{}", words.unsaid(middle)));
    let body = around(&head, &middle, &tail);
    (head, body)
}

/// The widest head that fits together with what is never cut from the middle, what it leaves of the summary, and as many
/// lines of the tail as fit with it.
fn fitting<'t>(words: &BriefWords<'_>, tail: &'t [String]) -> (String, String, &'t [String]) {
    let rooms: &[HeadRoom] = if words.asked().is_some() { &ASKING } else { &ROOMS };
    for room in rooms {
        let (head, rest) = head(words, room);
        let fits = |lines: &&[String]| fit::fits_sms(&format!("{head}\n...\n{}", lines.join("\n")));
        let mut kept = (0..=tail.len()).rev().map(|end| &tail[..end]);
        if let Some(kept) = kept.find(fits) {
            return (head, rest, kept);
        }
    }
    let (head, _) = head(words, &rooms[rooms.len() - 1]);
    (gsm7::to_gsm7(&head), String::new(), &[])
}

/// A text that asks for nothing, cut to two segments. Its last line, which may contain the code's placeholder, is never
/// cut.
pub(super) fn notice(words: &BriefWords<'_>, text: &str, last: Option<&str>) -> String {
    let last = last.map_or_else(String::new, |last| format!("\n{last}"));
    around("", &plain(words, text), &last)
}

/// Who had it and handed it back, who did not answer, and which reminder this is: the most important first, for the last
/// ones are left out where there is no room.
fn notes(words: &BriefWords<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(headline::sandboxed(words).map(|note| plain(words, &fit::cut(&note, NOTE_MAX))));
    notes.extend(headline::handed_back(words).first().map(|note| plain(words, &fit::cut(note, HANDED_BACK_MAX))));
    let unanswered = headline::unanswered(words);
    let first = unanswered.first().and_then(|note| note.split(": you stand in").next());
    notes.extend(first.map(|note| plain(words, &fit::cut(note, NOTE_MAX))));
    if let Some(round @ 1..) = headline::round(words) {
        notes.push(match words.incident().alerts {
            0 | 1 => format!("Reminder {round}."),
            alerts => format!("Reminder {round}, {alerts} alerts."),
        });
    }
    notes.extend(headline::following(words).map(|note| plain(words, &fit::cut(&note, NOTE_MAX))));
    notes
}

/// The start of a brief, and what of the summary it has no room for.
fn head(words: &BriefWords<'_>, room: &HeadRoom) -> (String, String) {
    let exercise = if words.is_drill() { " (exercise)" } else { "" };
    let taken = match ask::level(words) {
        AnswerLevel::Wilco => "I take it",
        AnswerLevel::Roger => "I confirm",
    };
    let repeated = if words.brief.page.maybe_repeated { " (may be a repeat)" } else { "" };
    let summary = plain(words, &words.summary());
    let (what, rest) = fit::divided(&summary, room.what);
    let what = if rest.is_empty() { fit::ended(what) } else { format!("{what}...") };
    let role = words.role().map_or_else(|| "on call".to_owned(), |role| words.role_name(role));
    let role: String = gsm7::to_gsm7(&role).to_uppercase().chars().take(room.role).collect();
    let when = gsm7::to_sms(&ask::short_when(words, room.otherwise));
    let reply = match words.asked() {
        Some(_) if !words.decides() => {
            let deciders: String = gsm7::to_gsm7(&words.deciders()).chars().take(room.role).collect();
            format!("{CODE} 1 = received{exercise}; only {deciders} can decide, find them")
        }
        Some(ask) if ask.needs_a_form() => {
            let head = format!("{}{repeated} {what} {role}: {FILL_IN},", words.word());
            return (format!("{head} or reply {CODE} 4 = pass{exercise},{when}."), rest.to_owned());
        }
        Some(ask) => options(ask, room) + exercise,
        None => format!("{CODE} = {taken}{exercise}"),
    };
    let fact = ask::repeats(words).map_or_else(String::new, |fact| format!(", each with {}", gsm7::to_gsm7(&fact)));
    let pass = if room.labels { format!(", {CODE} 4 = pass") } else { String::new() };
    let head = format!("{}{repeated} {what} {role}: reply {reply}{fact}{pass},{when}.", words.word());
    (head, rest.to_owned())
}

/// The options of a request, and how to choose one.
fn options(ask: &Ask, room: &HeadRoom) -> String {
    if !room.labels {
        return format!("{CODE} and {}, see desk", ask::letters(ask));
    }
    let each = if ask.options.len() <= CODED_MAX { format!("{CODE} ") } else { String::new() };
    let option = |(letter, option): (char, &AskOption)| {
        format!("{each}{letter} = {}", gsm7::to_sms(&fit::clean(&option.label, room.role)))
    };
    let options = ask.lettered().map(option).collect::<Vec<_>>().join(", ");
    if each.is_empty() { format!("{CODE} and a letter: {options}") } else { options }
}

/// Lines in letters that an SMS has, without anything that looks like the code's placeholder.
fn plain(words: &BriefWords<'_>, text: &str) -> String {
    let text = gsm7::to_sms(text);
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.lines().map(line).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    gsm7::to_sms(&fit::disarm(&fit::guard(&text, words.is_drill())))
}

/// `head`, as much of `middle` as fits into two segments, and `tail`. If less than half of a line fits, it is left out: a
/// few words of it would say something else.
fn around(head: &str, middle: &str, tail: &str) -> String {
    let gap = if head.is_empty() || middle.is_empty() { "" } else { "\n" };
    let whole = format!("{head}{gap}{middle}{tail}");
    if fit::fits_sms(&whole) {
        return whole;
    }
    let ends: Vec<usize> = middle.char_indices().map(|(at, _)| at).collect();
    let cut = |end: usize| format!("{head}{gap}{}...{tail}", middle[..end].trim_end());
    // The longest prefix that fits; whether a prefix fits is monotonic in its length.
    let fitting = ends.partition_point(|end| fit::fits_sms(&cut(*end)));
    let end = fitting.checked_sub(1).and_then(|at| ends.get(at)).copied().unwrap_or(0);
    let line = middle[..end].rfind('\n').map_or(0, |at| at + 1);
    let length = middle[line..].find('\n').unwrap_or(middle.len() - line);
    if length <= 2 * (end - line) || line == 0 && head.is_empty() {
        cut(whole_word(middle, line, end))
    } else if line == 0 {
        format!("{head}{tail}")
    } else {
        format!("{head}{gap}{}{tail}", middle[..line].trim_end())
    }
}

/// Where the last whole word before `end` ends, in the line that begins at `line`; `end` itself in a single long word.
fn whole_word(text: &str, line: usize, end: usize) -> usize {
    if text[end..].starts_with([' ', '\n']) {
        return end;
    }
    text[line..end].rfind(' ').map_or(end, |at| line + at)
}
