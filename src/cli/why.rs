//! `stentor why`: what became of one alert, and what would have to be different.

use crate::{
    cli::{
        assessments, error::CliError, load, options::PathOptions, reports::journal_source::JournalSource, table::say,
    },
    core::{Alert, Timestamp, printable::one_line},
    engine::{
        alert_today::{AlertToday, AlertWhy},
        alert_trace::{AlertFate, AlertTrace, TracedCount, trace},
    },
};
use clap::Args;
use std::{process::ExitCode, time::Duration};

/// How long the daemon may look for it.
const SEARCH_TIME_MAX: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub struct WhyArgs {
    /// The alert's id, as the API answered it: ALT-9f1ca13f0cfac6f3
    #[arg(value_name = "ALERT")]
    id: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl WhyArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let id = &self.id;
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err("the id of an alert looks like ALT-9f1ca13f0cfac6f3".into());
        }
        let why: AlertWhy = match JournalSource::of(places)? {
            JournalSource::Daemon(client) => client.get_within(&format!("/v1/alerts/{id}/why"), SEARCH_TIME_MAX)?,
            JournalSource::Folder { runtime, store } => {
                let trace = runtime.block_on(trace(&*store, id))?;
                let matrix = load::load(places, load::now()).ok().and_then(|loaded| loaded.matrix);
                AlertWhy::new(trace, matrix.as_ref())
            }
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&why)?);
        } else {
            print(id, &why);
        }
        Ok(if why.trace.alert.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(id: &str, AlertWhy { trace, today }: &AlertWhy) {
    let Some(alert) = &trace.alert else { return unknown(id, trace) };
    say(&format!(
        "alert {id} of source {}, kind {}: {}",
        line(&alert.source),
        line(&alert.kind),
        line(&alert.headline())
    ));
    if let Some(facts) = facts(alert) {
        say(&format!("  {facts}"));
    }
    assessments::print(alert);
    say("What is in the journal (UTC):");
    for traced in &trace.results {
        say(&format!("  {}  {}", time(traced.at), fate(&traced.result)));
    }
    match today {
        Some(today) => print_today(today),
        None => say("The matrix can not be read here, so what it says today is not known: stentor check"),
    }
}

fn unknown(id: &str, trace: &AlertTrace) {
    let back = trace.since.map_or_else(String::new, |since| format!(", back to {} UTC", time(since)));
    say(&format!("nothing that was looked through has the id {id} ({} lines of the journal{back})", trace.lines));
    say(
        "After the first few of a kind, alerts are only counted, without their ids; so are repeats of an open incident. \
         An all-clear of an incident is in its timeline without an id. What was refused is not kept.",
    );
    if !trace.counted.is_empty() {
        say("It may be one of these, which were only counted:");
        for TracedCount { source, counted } in &trace.counted {
            let kind = counted
                .name
                .kind
                .as_deref()
                .map_or_else(|| "other kinds".into(), |kind| format!("kind {}", line(&kind)));
            let trigger = counted.name.trigger.as_ref().map_or_else(String::new, |name| format!(" by trigger {name}"));
            let (count, result) = (counted.count, &counted.name.result);
            let (first, last) = (time(counted.first_at), time(counted.last_at));
            say(&format!("  {count} of source {}, {kind}: {result}{trigger}, {first} to {last} UTC", line(&source)));
        }
    }
}

fn facts(alert: &Alert) -> Option<String> {
    let labels = alert.labels.iter().map(|(name, text)| format!("{}={}", line(name), line(text)));
    let values = alert.values.iter().map(|(name, number)| format!("{}={number}", line(name)));
    let all: Vec<String> = labels.chain(values).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

fn fate(fate: &AlertFate) -> String {
    match fate {
        AlertFate::Opened { incident, trigger } => format!("trigger {trigger} opened {incident}"),
        AlertFate::Joined { incident } => format!("it joined {incident}"),
        AlertFate::Repeated { incident, count, first_at, last_at } => format!(
            "it is the last of {count} that only repeated what {incident} knew, {} to {}",
            time(*first_at),
            time(*last_at)
        ),
        AlertFate::Overflowed { incident, key } => format!("{incident} counts it in place of one for {}", line(key)),
        AlertFate::Unmatched => "unmatched: no trigger took it".into(),
        AlertFate::NothingOpen => "an all-clear for which nothing was open".into(),
        AlertFate::Held { trigger, key, layer, count: 0, .. } => {
            format!("trigger {trigger}: what `{layer}` counted or held for {} starts anew", line(key))
        }
        AlertFate::Held { trigger, key, layer, count, until, silence, opened } => {
            let by = silence.map_or_else(|| format!("its layer `{layer}`"), |id| format!("the silence {id}"));
            let until = until.map_or_else(|| format!(" ({count} count so far)"), |at| format!(" until {}", time(at)));
            let then = opened.as_ref().map_or_else(
                || "no incident of its key was opened since".to_owned(),
                |later| format!("{} of its key was opened at {}", later.incident, time(later.at)),
            );
            format!("trigger {trigger}, key {}: {by} held it{until}; {then}", line(key))
        }
        AlertFate::Over { trigger, ended_at } => {
            format!(
                "trigger {trigger}: a person had ended its incident at {}, and it only repeats that",
                time(*ended_at)
            )
        }
        AlertFate::DrillRefused { trigger, live } => {
            format!("trigger {trigger}: a drill, refused because {live} was open")
        }
        AlertFate::ConditionFailed { trigger, why } => {
            format!("trigger {trigger} could not be evaluated: {}", line(why))
        }
    }
}

fn print_today(today: &AlertToday) {
    say("By the matrix of today, which may not be that of then:");
    if let Some(unknown) = &today.unknown_kind {
        say(&format!("  {}", line(unknown)));
    }
    for own in &today.triggers {
        say(&format!("  trigger {}: {}", own.trigger, line(&own.says)));
        own.layers.iter().for_each(|layer| say(&format!("    {}", line(layer))));
    }
    if !today.lacks.is_empty() {
        say("To pass the layers that held it, it lacked:");
        today.lacks.iter().for_each(|lack| say(&format!("  {}", line(lack))));
    }
}

/// What others wrote begins no line of its own.
fn line(text: &(impl ToString + ?Sized)) -> String {
    one_line(&text.to_string()).into_owned()
}

fn time(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M:%S").to_string()
}
