//! `stentor show`: one incident, its roles' stages, its pages, its timeline.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table},
    core::{Event, JournalRecord, PageAttempts, attempts, printable::one_line, sentence::sentence},
    http::api::view::{HandBackView, IncidentView, OverflowView, RoleView},
};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The incident, e.g. INC-42 or 42
    incident: crate::core::IncidentId,
    /// Show every page with its state and error
    #[arg(long)]
    pages: bool,
    /// Show the exact texts that people read, with placeholders instead of codes and links
    #[arg(long)]
    texts: bool,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

impl ShowArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let client = DaemonClient::of(places)?;
        let mut incident: IncidentView = client.get(&format!("/v1/incidents/{}", self.incident))?;
        let timeline = timeline(&client, &incident.id)?;
        let tried = attempts(timeline.iter().map(|record| (record.at, &record.event)));
        for page in &mut incident.pages {
            // The journal knows which pages a channel was really given, and which a drill held back.
            let refusals = tried.get(&page.n).map_or(0, PageAttempts::refusals);
            page.refusals = u32::try_from(refusals).unwrap_or(u32::MAX);
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&json!({ "incident": incident, "timeline": timeline }))?);
            return Ok(ExitCode::SUCCESS);
        }
        table::say(&head(&incident));
        if !incident.roles.is_empty() {
            println!("\n{}", roles(&incident.roles));
        }
        if self.pages {
            println!("\n{}", pages(&incident));
        }
        println!("\nTIMELINE (UTC)");
        for record in &timeline {
            table::say(&format!("  {}  {}", record.at.to_utc().format("%H:%M:%S%.3f"), sentence(&record.event)));
        }
        if self.texts {
            print_texts(&client, &incident)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The engagement table by itself.
pub fn roles(roles: &[RoleView]) -> String {
    let mut rows =
        table::table(&["role", "state", "who", "sent", "accepted", "seen", "answered", "engaged", "target", "in time"]);
    for role in roles {
        let who = match (&role.holder, &role.covered_by) {
            (Some(holder), Some(by)) => format!("{holder} as {by}"),
            (Some(holder), None) => holder.clone(),
            (None, _) => "-".into(),
        };
        let target = role.target_ms.map(|ms| {
            format!("{} of {}", role.target_percent.map_or("?".into(), |p| format!("{p} %")), table::span(ms))
        });
        // As in post-mortems, from the start of its ladder: a role that stands in was not asked before.
        let since = |stage: Option<f64>| table::maybe(stage.map(|after| after - role.entered));
        rows.add_row([
            role.role.clone(),
            role.state.clone(),
            who,
            since(role.stages.sent),
            since(role.stages.provider_accepted),
            since(role.stages.seen),
            since(role.stages.answered),
            table::maybe(role.tte_ms),
            target.unwrap_or_else(|| "-".into()),
            in_time(role).into(),
        ]);
    }
    let backs = roles.iter().flat_map(|role| role.handed_back.iter().map(move |back| handed_back(role, back)));
    let backs = backs.map(|back| table::wrapped(&back, table::width()));
    std::iter::once(rows.to_string()).chain(backs).collect::<Vec<_>>().join("\n")
}

/// A role's time to engagement is that of the person who has it now: earlier engagements are shown next to it.
fn handed_back(role: &RoleView, back: &HandBackView) -> String {
    let as_role = back.of.as_ref().map_or(String::new(), |of| format!(" as {of}"));
    let (from, to) = (table::span(back.taken), table::span(back.at));
    format!("{}: {}{as_role} had it from {from} to {to} and handed it back", role.role, back.person)
}

fn in_time(role: &RoleView) -> &'static str {
    match role.in_time {
        _ if role.target_ms.is_none() => "-",
        _ if role.sandbox => "sandbox",
        _ if role.is_open() => "-",
        Some(true) => "yes",
        Some(false) => "no",
        None => "not judged",
    }
}

fn head(incident: &IncidentView) -> String {
    let word = if incident.drill { "DRILL" } else { "LIVE" };
    let mut lines = vec![format!("{word} {} {} ({})", incident.id, one_line(&incident.summary), incident.status)];
    lines.extend(incident.sandbox.as_ref().map(|sandbox| format!("  {sandbox}")));
    lines.extend([
        format!("  trigger {}, key {}, {} alert(s)", incident.trigger, incident.key, incident.alerts),
        format!("  opened {}", incident.opened_at),
    ]);
    lines.extend(incident.overflow.as_ref().map(overflow));
    let ago = |name: &str, at: crate::core::Timestamp| {
        let ms = at.micros_since(incident.opened_at) as f64 / 1e3;
        format!("  {name} {at} ({} after opening)", table::span(ms))
    };
    lines.extend(incident.detected_at.map(|at| ago("detected", at)));
    lines.push(ago("accepted", incident.received_at));
    lines.extend(incident.silent_since.map(|at| format!("  its monitor has been silent since {at}")));
    lines.extend(incident.all_clear_at.map(|at| format!("  its monitor said all clear at {at}")));
    if let (Some(by), Some(at)) = (&incident.resolved_by, incident.resolved_at) {
        lines.push(format!("  resolved by {by} at {at}"));
    }
    if let Some(told) = incident.all_clear.filter(|told| 0 < told.people) {
        let last = told.last_ms.map(|ms| format!(", the last {} after", table::span(ms))).unwrap_or_default();
        let counted = format!("{} of {} people were told that it is over{last}", told.told, told.people);
        lines.push(format!("  {counted}{}", told.untold()));
    }
    if let Some(was) = &incident.outcome {
        let note = was.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
        lines.push(format!("  outcome {} according to {}{note}", was.finding, was.by));
    }
    lines.join("\n")
}

fn overflow(overflow: &OverflowView) -> String {
    let OverflowView { counted, over, further, firing } = overflow;
    let names: Vec<_> = firing.iter().map(|key| one_line(key)).collect();
    let left = (counted - over).saturating_sub(names.len());
    let mut line = format!("  counts {counted} key(s), {over} of them over: {}", names.join(", "));
    if 0 < left {
        line.push_str(&format!(" and {left} more"));
    }
    if 0 < *further {
        line.push_str(&format!("; and {further} alert(s) with further keys"));
    }
    line
}

fn pages(incident: &IncidentView) -> String {
    let mut rows =
        table::table(&["page", "what", "role", "to", "by", "state", "born", "accepted", "refusals", "remark"]);
    for page in &incident.pages {
        let instead = page.instead_of.map(|n| format!("in place of page {n}"));
        let repeated = page.maybe_repeated.then(|| "may have been sent twice".to_owned());
        let remark: Vec<String> = [instead, repeated, page.last_error.clone()].into_iter().flatten().collect();
        rows.add_row([
            page.n.to_string(),
            page.purpose.clone(),
            page.role.clone().unwrap_or_default(),
            page.person.clone().unwrap_or_else(|| "war room".into()),
            page.channel.clone(),
            page.state.clone(),
            table::span(page.born),
            table::maybe(page.accepted),
            page.refusals.to_string(),
            one_line(&remark.join("; ")).into_owned(),
        ]);
    }
    rows.to_string()
}

fn timeline(client: &DaemonClient, id: &str) -> Result<Vec<JournalRecord<Event>>, CliError> {
    let (mut records, mut after) = (Vec::new(), 0);
    loop {
        let lines: Vec<Value> = client.get(&format!("/v1/journal?chain={id}&after={after}"))?;
        let Some(last) = lines.last().and_then(|line| line["pos"].as_i64()) else { return Ok(records) };
        for line in &lines {
            records.push(serde_json::from_str(line["body"].as_str().unwrap_or_default())?);
        }
        after = last;
    }
}

fn print_texts(client: &DaemonClient, incident: &IncidentView) -> Result<(), CliError> {
    for page in &incident.pages {
        let Some(hash) = &page.text else { continue };
        let text: Value = client.get(&format!("/v1/texts/{hash}"))?;
        let to = page.person.as_deref().unwrap_or("the war room");
        println!();
        table::say(&format!("PAGE {} to {to} by {}, {} ({hash})", page.n, page.channel, page.state));
        for line in text["text"].as_str().unwrap_or_default().lines() {
            table::say(&format!("  | {line}"));
        }
    }
    Ok(())
}
