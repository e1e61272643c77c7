//! Reads `--history` and describes it: which figures are measured and which are assumed.

use crate::{
    cli::{
        error::CliError,
        options::PathOptions,
        reports::journal_source::JournalSource,
        simulate::figures::{percent, time},
    },
    drill::analysis::response_history::{
        ChannelFit, EstimateBasis, EstimatedShare, FittedModel, PersonFit, ResponseHistory, TimeFit,
    },
    report::gather,
};
use std::{fmt::Write, path::Path};

/// Reads every incident and drill from a state directory, or from the daemon that runs there.
pub fn read(places: &PathOptions, folder: &Path) -> Result<ResponseHistory, CliError> {
    let there = PathOptions { state: Some(folder.to_owned()), socket: None, ..places.clone() };
    let journal = JournalSource::of(&there)?;
    let (mut history, now) = (ResponseHistory::default(), journal.now());
    journal.each(gather(&mut history, now))?;
    Ok(history)
}

/// One line for each figure with data in the history; the others are listed at the end.
pub fn fit_summary(fitted: &FittedModel) -> String {
    let FittedModel { incidents, drills, sandboxed, unreadable, prior_weight, .. } = fitted;
    let mut text = format!("How people answer is fitted to {incidents} incidents ({drills} of them drills);");
    let _ = writeln!(text, " what is assumed weighs as\nmuch as {prior_weight} observations.");
    if 0 < *sandboxed {
        let _ = writeln!(text, "  SANDBOX: pages of {sandboxed} incidents were sent to nobody and are left out");
    }
    if 0 < *unreadable {
        let _ = writeln!(text, "  {unreadable} incidents could not be read");
    }
    for person in &fitted.people {
        person_told(&mut text, person);
    }
    for channel in &fitted.channels {
        channel_told(&mut text, channel);
    }
    let assumed = fitted.people.iter().filter(|person| person.asked == 0).map(|person| person.person.as_str());
    let assumed: Vec<&str> = assumed.collect();
    if !assumed.is_empty() {
        let _ = writeln!(text, "  no page reached them in history, assumed: {}", assumed.join(", "));
    }
    text
}

fn person_told(text: &mut String, person: &PersonFit) {
    let PersonFit { person: name, asked, .. } = person;
    for (channel, fit) in &person.answers {
        let censored = if fit.censored == 0 { String::new() } else { format!(" ({} cut short)", fit.censored) };
        let _ =
            writeln!(text, "  {name} by {channel}: {}{censored} in history, {}", count(fit.seen, "answer"), times(fit));
    }
    if 0 < *asked {
        let silent = format!("{name} asked {asked} times, {} silent", person.ignores.hits);
        let _ =
            writeln!(text, "  {silent}: never answers {}; unable {}", figure(person.ignores), figure(person.unable));
    }
    if let Some(desk) = person.at_desk.filter(|desk| desk.basis != EstimateBasis::Assumed) {
        let _ = writeln!(text, "  {name}'s desk open {} of {} times: {}", desk.hits, desk.of, figure(desk));
    }
}

fn channel_told(text: &mut String, channel: &ChannelFit) {
    let name = &channel.channel;
    for (what, fit) in [("accepts", &channel.accepts), ("delivers", &channel.delivers)] {
        if fit.basis != EstimateBasis::Assumed {
            let _ = writeln!(text, "  {name} {what}: {} in history, {}", count(fit.seen, "page"), times(fit));
        }
    }
    let lost = channel.lost;
    if lost.basis != EstimateBasis::Assumed {
        let _ = writeln!(text, "  {name} lost {} of {} that were reported: {}", lost.hits, lost.of, figure(lost));
    }
}

fn times(fit: &TimeFit) -> String {
    format!("{}: p50 {}, p90 {}", fit.basis.as_str(), time(fit.median_s), time(fit.p90_s))
}

fn figure(figure: EstimatedShare) -> String {
    format!("{} ({})", percent(figure.share), figure.basis.as_str())
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
