//! What goes back for an answer by SMS, chat or mail: which incident it was about, and what became of the answer. All of
//! it fits into one SMS.

use crate::{
    core::{Incident, IncidentId},
    template::summary_of,
    text::gsm7,
};

/// Characters of a reply that is no SMS.
const CHARS_MAX: usize = gsm7::SINGLE;

/// Characters of a summary that is cut; with fewer, it says nothing.
const ABOUT_MIN: usize = 12;

/// The words about an answer with the incident's number before them and its summary behind them. The summary is cut to
/// what one SMS has room for; where that is next to nothing, it is left out.
pub fn answer_reply(id: IncidentId, incident: Option<&Incident>, words: &str, is_sms: bool) -> String {
    let drill = if incident.is_some_and(|incident| incident.drill) { "DRILL " } else { "" };
    let told = format!("{drill}{id}: {words}");
    let Some(incident) = incident else { return told };
    let summary = summary_of(incident);
    let summary = if is_sms { gsm7::to_sms(&summary) } else { summary };
    let end = if told.ends_with(['.', '?', '!']) { "" } else { "." };
    let fits = |about: &str| {
        let whole = format!("{told}{end} About: {about}");
        let fits = if is_sms { gsm7::segments(&whole) == 1 } else { whole.chars().count() <= CHARS_MAX };
        fits.then_some(whole)
    };
    fits(&summary).or_else(|| starts(&summary).find_map(|start| fits(&format!("{start}...")))).unwrap_or(told)
}

/// The starts of a text that end with a whole word, the longest first.
fn starts(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.char_indices().filter(|(_, letter)| *letter == ' ').map(|(at, _)| at);
    let ends: Vec<usize> = ends.collect();
    let starts = ends.into_iter().rev().map(|end| text[..end].trim_end_matches([' ', ',', ';', ':', '.']));
    starts.take_while(|start| ABOUT_MIN <= start.chars().count())
}
