//! `stentor explain`: who would be paged for an alert, when, by what, in which words. No daemon, nothing is sent: the
//! core itself is stepped through the ladder, as if every page arrived and nobody answered.

use super::{Failure, Places, load, table};
use crate::{
    core::{
        self, Alert, AlertStatus, Event, Incident, IncidentId, Input, Opening, Page, PersonName, Receipt, Settlement,
        Timestamp, sentence::sentence,
    },
    engine::render,
    matrix::{Judgement, Matrix},
    template::Templates,
};
use clap::Args;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

/// How far a ladder is followed.
const HORIZON: Duration = Duration::from_secs(30 * 60);

/// Rungs that are followed at most.
const RUNGS_MAX: usize = 200;

#[derive(Debug, Args)]
pub struct Explain {
    /// The alert, as it would be posted to /v1/alerts (JSON); - reads standard input
    #[arg(long, value_name = "FILE")]
    alert: PathBuf,
    /// Who is on call then (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The words too: each role's brief by each channel
    #[arg(long)]
    words: bool,
    /// Print it as JSON, words included
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self, places: &Places) -> Result<ExitCode, Failure> {
        let at = match &self.at {
            Some(text) => Timestamp::parse(text).ok_or("--at takes a time like 2026-11-23T03:00:00Z")?,
            None => load::now(),
        };
        let alert = read(&self.alert)?;
        let (matrix, templates) = load::load(places, at)?.demand()?;
        let names = matrix.people.iter().map(|(name, person)| (name.clone(), person.name.clone())).collect();
        let told = Teller { matrix: &matrix, templates: &templates, names, at };
        let judgements = matrix.judge(&alert);
        if self.json {
            let all: Vec<Value> = judgements.iter().map(|judgement| told.json(&alert, judgement)).collect();
            println!("{}", serde_json::to_string_pretty(&all)?);
        } else if judgements.is_empty() {
            println!("{}", why_nothing(&matrix, &alert));
        } else {
            for judgement in &judgements {
                told.print(&alert, judgement, self.words);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read(path: &std::path::Path) -> Result<Alert, Failure> {
    let text = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())?
    } else {
        std::fs::read_to_string(path).map_err(|error| format!("{} can not be read: {error}", path.display()))?
    };
    let value: Value = serde_json::from_str(&text)?;
    let one = match value {
        Value::Array(mut alerts) if !alerts.is_empty() => alerts.remove(0),
        other => other,
    };
    serde_json::from_value(one).map_err(|error| format!("this is no alert: {error}").into())
}

fn why_nothing(matrix: &Matrix, alert: &Alert) -> String {
    let looking: Vec<&str> = matrix
        .triggers
        .iter()
        .filter(|(_, trigger)| trigger.on.contains(&alert.kind))
        .map(|(name, _)| name.as_str())
        .collect();
    match looking.as_slice() {
        [] => format!("no trigger looks at alerts of kind {:?}: nobody is paged, the journal keeps it", alert.kind),
        names => format!("{} looked at it and did not hold: nobody is paged, the journal keeps it", names.join(", ")),
    }
}

struct Teller<'a> {
    matrix: &'a Matrix,
    templates: &'a Templates,
    names: BTreeMap<PersonName, String>,
    at: Timestamp,
}

impl Teller<'_> {
    fn print(&self, alert: &Alert, judgement: &Judgement, words: bool) {
        match judgement {
            Judgement::Clears { trigger, key } => println!("trigger {trigger}: all clear for {key}"),
            Judgement::Failed { trigger, why } => println!("trigger {trigger} can not judge it: {why}"),
            Judgement::Holds { trigger, key, summary, hold, .. } => {
                println!("trigger {trigger} holds, key {key}: {summary}");
                if let Some(hold) = hold {
                    let within = humantime::format_duration(hold.within);
                    println!("  it opens an incident once it has held {} times within {within}", hold.count);
                }
            }
        }
        let Some((incident, events)) = self.play(alert, judgement) else { return };
        println!("{}", self.ladder(&events));
        if words {
            for page in first_briefs(&incident) {
                let (kind, text) = self.words(&incident, page);
                let person = page.person.as_ref().map_or("", |person| person.as_str());
                let role = page.role.as_ref().map_or("", |role| role.as_str());
                println!("\n{role}, {person} by {} ({kind}):", page.channel);
                for line in text.lines() {
                    println!("  | {line}");
                }
            }
        }
        println!();
    }

    fn json(&self, alert: &Alert, judgement: &Judgement) -> Value {
        let verdict = match judgement {
            Judgement::Clears { trigger, key } => json!({ "trigger": trigger, "clears": key }),
            Judgement::Failed { trigger, why } => json!({ "trigger": trigger, "failed": why }),
            Judgement::Holds { trigger, key, summary, hold, .. } => {
                json!({ "trigger": trigger, "holds": true, "key": key, "summary": summary, "hold": hold })
            }
        };
        let Some((incident, events)) = self.play(alert, judgement) else { return json!({ "judgement": verdict }) };
        let ladder: Vec<Value> = events
            .iter()
            .filter(|(_, event)| is_told(event))
            .map(|(at, event)| json!({ "after_ms": self.after(*at), "what": sentence(event), "event": event }))
            .collect();
        let texts: Vec<Value> = first_briefs(&incident)
            .map(|page| {
                let (kind, text) = self.words(&incident, page);
                json!({ "role": page.role, "person": page.person, "channel": page.channel, "kind": kind, "text": text })
            })
            .collect();
        json!({ "judgement": verdict, "ladder": ladder, "texts": texts })
    }

    /// Steps the ladder until every role repeats or the horizon is reached.
    fn play(&self, alert: &Alert, judgement: &Judgement) -> Option<(Incident, Vec<(Timestamp, Event)>)> {
        let (plan, key, summary) = match judgement {
            Judgement::Holds { trigger, key, summary, .. } => {
                (self.matrix.plan(trigger)?, key.clone(), summary.clone())
            }
            Judgement::Failed { trigger, why } => {
                (self.matrix.failure_plan(trigger)?, String::new(), format!("trigger {trigger} can not judge: {why}"))
            }
            Judgement::Clears { .. } => return None,
        };
        let mut alert = alert.clone();
        alert.status = AlertStatus::Firing;
        let opening = Opening { key, summary, plan, alert: Arc::new(alert), received_at: self.at };
        let roster = &self.matrix.roster;
        let (mut incident, first) = core::open(IncidentId(1), opening, roster, self.at);
        let mut events: Vec<(Timestamp, Event)> = first.into_iter().map(|event| (self.at, event)).collect();
        for _ in 0..RUNGS_MAX {
            deliver(&mut incident, roster);
            let Some(due) = incident.deadline().filter(|due| *due < self.at + HORIZON) else { break };
            let moved = core::step(&mut incident, Input::Tick, roster, due);
            events.extend(moved.into_iter().map(|event| (due, event)));
            if incident.engagements.values().filter(|e| e.is_open()).all(|e| e.exhausted || e.waits_on.is_some()) {
                break;
            }
        }
        Some((incident, events))
    }

    fn ladder(&self, events: &[(Timestamp, Event)]) -> String {
        let mut rows = table::table(&["after", "what happens if nobody answers"]);
        for (at, event) in events.iter().filter(|(_, event)| is_told(event)) {
            rows.add_row([table::span(self.after(*at)), sentence(event)]);
        }
        rows.to_string()
    }

    fn words(&self, incident: &Incident, page: &Page) -> (&'static str, String) {
        let Some(settings) = self.matrix.channel(&page.channel) else { return ("", String::new()) };
        let rendered = render(self.matrix, self.templates, &self.names, incident, page, settings.kind);
        (settings.kind.as_str(), rendered.body)
    }

    fn after(&self, at: Timestamp) -> f64 {
        at.micros_since(self.at) as f64 / 1e3
    }
}

/// As if every channel took every page at once.
fn deliver(incident: &mut Incident, roster: &core::Roster) {
    let queued: Vec<u32> =
        incident.pages.values().filter(|page| page.state == core::PageState::Queued).map(|page| page.n).collect();
    let now = incident.last_at;
    for page in queued {
        let settlement = Settlement::Accepted { receipt: Receipt::default() };
        core::step(incident, Input::Settled { page, settlement, sent_at: Some(now), text: None }, roster, now);
    }
}

fn is_told(event: &Event) -> bool {
    matches!(
        event,
        Event::StepEntered { .. } | Event::Paged { .. } | Event::HandedOver { .. } | Event::Exhausted { .. }
    )
}

/// The first brief of each role by each channel.
fn first_briefs(incident: &Incident) -> impl Iterator<Item = &Page> {
    let mut seen = Vec::new();
    incident.pages.values().filter(move |page| {
        let this = (page.role.clone(), page.channel.clone());
        let new = page.purpose.is_brief() && !seen.contains(&this);
        if new {
            seen.push(this);
        }
        new
    })
}
