//! `stentor show`: one incident, its roles' stages, its pages, its timeline.

use crate::{
    cli::{
        client::{DaemonClient, next_portion},
        error::CliError,
        incident::asked,
        options::PathOptions,
        table,
    },
    core::{
        Event, JournalRecord, PageAttempts, PersonName, RoleName, attempts, display_names::DisplayNames,
        printable::one_line, sentence::told,
    },
    http::{
        api::view::{HandBackView, IncidentView, OverflowView, RoleView},
        control::commands::LINES_MAX,
    },
};
use clap::Args;
use serde_json::Value;
use std::{
    collections::{BTreeMap, VecDeque},
    process::ExitCode,
};

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
    /// Show this many lines of the timeline, the newest
    #[arg(long, value_name = "LINES", default_value_t = LINES_SHOWN, value_parser = some_lines)]
    last: usize,
    /// Show the whole timeline and every page
    #[arg(long, conflicts_with = "last")]
    all: bool,
}

/// How many lines of a timeline are shown unless more are asked for: an incident that nobody answers has many thousands.
const LINES_SHOWN: usize = 1_000;

fn some_lines(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("the timeline needs at least one line".to_owned()),
        Ok(lines) => Ok(lines),
        Err(_) => Err("write a whole number of lines, from 1 on".to_owned()),
    }
}

impl ShowArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let client = DaemonClient::of(places)?;
        let mut incident: IncidentView = client.get(&format!("/v1/incidents/{}", self.incident))?;
        let mut timeline = Timeline::begin(&client, &incident.id, (!self.all).then_some(self.last))?;
        if timeline.is_whole() {
            count_refusals(&mut incident, &timeline.portion);
        }
        if self.json {
            return self.print_json(&client, &incident, timeline);
        }
        let names = ShownNames { people: client.get("/v1/names")?, roles: &incident.roles };
        table::say(&head(&incident, &names));
        if !incident.roles.is_empty() {
            println!("\n{}", roles(&incident.roles));
        }
        if self.pages {
            self.each_portion(&client, &incident, |shown| {
                println!("\n{}", pages(shown));
                Ok(())
            })?;
        }
        println!("\nTIMELINE (UTC)");
        if let Some(left_out) = timeline.left_out() {
            table::say(&format!("  {left_out}"));
        }
        let asked = incident.asked.as_ref().map(|asked| asked.kind);
        while let Some(record) = timeline.next()? {
            let text = told(&record.event, asked, &names);
            table::say(&format!("  {}  {text}", record.at.to_utc().format("%H:%M:%S%.3f")));
        }
        if self.texts {
            self.each_portion(&client, &incident, |shown| print_texts(&client, shown))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Shows the newest pages, or all of them, a portion at a time.
    fn each_portion(
        &self,
        client: &DaemonClient,
        incident: &IncidentView,
        mut each: impl FnMut(&IncidentView) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        if incident.pages_before == 0 {
            return each(incident);
        }
        if !self.all {
            let n = incident.pages_before;
            println!();
            table::say(&format!("{n} earlier page(s) are not shown: stentor show {} --all shows them", incident.id));
            return each(incident);
        }
        let mut next = Some(format!("/v1/incidents/{}?pages_after=0", incident.id));
        while let Some(path) = next {
            let (shown, head) = client.get_with_head::<IncidentView>(&path)?;
            each(&shown)?;
            next = next_portion(&head);
        }
        Ok(())
    }

    /// The lines are printed as they are read: with `--all` there may be more than fit into memory.
    fn print_json(
        &self,
        client: &DaemonClient,
        incident: &IncidentView,
        mut timeline: Timeline<'_>,
    ) -> Result<ExitCode, CliError> {
        let mut all = incident.clone();
        if self.all && incident.pages_before != 0 {
            (all.pages, all.pages_before) = (Vec::new(), 0);
            self.each_portion(client, incident, |shown| {
                all.pages.extend(shown.pages.iter().cloned());
                Ok(())
            })?;
        }
        let lines_before = timeline.before;
        println!("{{\n  \"incident\": {},", indented(&all)?);
        println!("  \"lines_before\": {lines_before},\n  \"timeline\": [");
        let mut is_first = true;
        while let Some(record) = timeline.next()? {
            print!("{}    {}", if is_first { "" } else { ",\n" }, indented(&record)?.replace('\n', "\n  "));
            is_first = false;
        }
        println!("\n  ]\n}}");
        Ok(ExitCode::SUCCESS)
    }
}

/// JSON one level deep in other JSON.
fn indented(value: &impl serde::Serialize) -> Result<String, CliError> {
    Ok(serde_json::to_string_pretty(value)?.replace('\n', "\n  "))
}

/// The journal knows which pages a channel was really given, and which a drill held back.
fn count_refusals(incident: &mut IncidentView, timeline: &VecDeque<JournalRecord<Event>>) {
    let tried = attempts(timeline.iter().map(|record| (record.at, &record.event)));
    for page in &mut incident.pages {
        let refusals = tried.get(&page.n).map_or(0, PageAttempts::refusals);
        page.refusals = u32::try_from(refusals).unwrap_or(u32::MAX);
    }
}

/// The engagement table by itself.
pub fn roles(roles: &[RoleView]) -> String {
    let columns = ["role", "state", "sent", "accepted", "seen", "answered", "engaged", "target", "in time"];
    let mut rows = table::table(&columns).least(&["sent", "accepted", "seen", "answered"]);
    for role in roles {
        let target = role.target_ms.map(|ms| {
            format!("{} of {}", role.target_percent.map_or("?".into(), |p| format!("{p} %")), table::span(ms))
        });
        // As in post-mortems, from the start of its ladder: a role that stands in was not asked before.
        let since = |stage: Option<f64>| table::maybe(stage.map(|after| after - role.entered));
        rows.add_row([
            role.called().to_owned(),
            role.says.clone(),
            since(role.stages.sent),
            since(role.stages.provider_accepted),
            since(role.stages.seen),
            since(role.stages.answered),
            table::maybe(role.tte_ms),
            target.unwrap_or_else(|| "-".into()),
            in_time(role).into(),
        ]);
    }
    let backs = roles.iter().flat_map(|role| role.handed_back.iter().map(move |back| handed_back(roles, role, back)));
    let backs = backs.map(|back| table::wrapped(&back, table::width()));
    std::iter::once(rows.to_string()).chain(backs).collect::<Vec<_>>().join("\n")
}

/// A role's time to engagement is that of the person who has it now: earlier engagements are shown next to it.
fn handed_back(roles: &[RoleView], role: &RoleView, back: &HandBackView) -> String {
    let as_role = back.of.as_ref().map_or(String::new(), |of| format!(" as {}", called(roles, of)));
    let (from, to) = (table::span(back.taken), table::span(back.at));
    format!("{}: {}{as_role} had it from {from} to {to} and handed it back", role.called(), back.person)
}

/// A role as people read it.
fn called<'a>(roles: &'a [RoleView], id: &'a str) -> &'a str {
    roles.iter().find(|known| known.role == id).map_or(id, RoleView::called)
}

fn in_time(role: &RoleView) -> &'static str {
    match role.in_time {
        _ if role.target_ms.is_none() => "-",
        _ if role.sandbox => "sandbox",
        Some(true) => "yes",
        Some(false) => "no",
        None if role.is_open() => "-",
        None => "not judged",
    }
}

/// What people read in place of ids.
struct ShownNames<'a> {
    people: BTreeMap<PersonName, String>,
    roles: &'a [RoleView],
}

impl DisplayNames for ShownNames<'_> {
    fn role<'a>(&'a self, role: &'a RoleName) -> &'a str {
        called(self.roles, role.as_str())
    }

    fn person<'a>(&'a self, person: &'a PersonName) -> &'a str {
        self.people.get(person).map_or(person.as_str(), String::as_str)
    }
}

fn head(incident: &IncidentView, names: &ShownNames<'_>) -> String {
    let word = if incident.drill { "DRILL" } else { "LIVE" };
    let mut lines = vec![format!("{word} {} {} ({})", incident.id, one_line(&incident.summary), incident.status)];
    lines.extend(incident.asked.iter().flat_map(asked::lines));
    lines.extend(incident.sandbox.as_ref().map(|sandbox| format!("  {sandbox}")));
    lines.extend([
        format!("  trigger {}, {}, {}", incident.trigger, key(incident), alerts(incident)),
        format!("  opened {}", incident.opened_at),
    ]);
    lines.extend(incident.tier.as_ref().map(|decision| format!("  tier {decision}")));
    lines.extend(incident.overflow.as_ref().map(overflow));
    let ago = |name: &str, at: crate::core::Timestamp| {
        let ms = at.micros_since(incident.opened_at) as f64 / 1e3;
        let side = if ms < 0.0 { "before" } else { "after" };
        format!("  {name} {at} ({} {side} opening)", table::span(ms.abs()))
    };
    lines.extend(incident.detected_at.map(|at| ago("detected", at)));
    lines.push(ago("accepted", incident.received_at));
    lines.extend(incident.silent_since.map(|at| format!("  its monitor has been silent since {at}")));
    lines.extend(incident.all_clear_at.map(|at| format!("  its monitor said all clear at {at}")));
    if let (Some(by), Some(at)) = (&incident.resolved_by, incident.resolved_at) {
        let by = names.people.get(by.as_str()).unwrap_or(by);
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

/// One all-clear has a line of its own.
fn alerts(incident: &IncidentView) -> String {
    let all_clears = match incident.all_clears {
        0 | 1 => String::new(),
        count => format!(", {count} all-clears"),
    };
    format!("{} alert(s){all_clears}", incident.alerts)
}

/// The key of the incident, in words where its trigger has none.
fn key(incident: &IncidentView) -> String {
    match incident.key.split_once('/') {
        Some((_, "")) => "no key: one incident for the trigger".to_owned(),
        _ => format!("key {}", one_line(&incident.key)),
    }
}

fn overflow(overflow: &OverflowView) -> String {
    let OverflowView { counted, over, further, firing } = overflow;
    let names: Vec<_> = firing.iter().map(|key| one_line(key)).collect();
    let left = (counted - over).saturating_sub(names.len());
    let mut line = format!("  counts {counted} key(s), {over} of them over: {}", names.join(", "));
    if 0 < left {
        line.push_str(&format!(" and {left} more"));
    }
    if *further {
        line.push_str("; and alerts with further keys");
    }
    line
}

fn pages(incident: &IncidentView) -> String {
    let columns = ["page", "what", "role", "to", "by", "state", "born", "accepted", "refusals", "remark"];
    let mut rows = table::table(&columns).least(&["role", "born", "accepted", "refusals", "remark"]);
    for page in &incident.pages {
        let instead = page.instead_of.map(|n| format!("in place of page {n}"));
        let repeated = page.maybe_repeated.then(|| "may have been sent twice".to_owned());
        let remark: Vec<String> = [instead, repeated, page.last_error.clone()].into_iter().flatten().collect();
        rows.add_row([
            page.n.to_string(),
            page.purpose.clone(),
            page.role.as_ref().map_or_else(String::new, |role| called(&incident.roles, role).to_owned()),
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

/// The journal of one incident, read a portion at a time.
struct Timeline<'a> {
    client: &'a DaemonClient,
    id: String,
    portion: VecDeque<JournalRecord<Event>>,
    /// The position of the last line that was read; `None` after the end of the journal.
    after: Option<i64>,
    /// How many lines come before the first.
    before: u64,
}

impl<'a> Timeline<'a> {
    /// The last so many lines, or all of them.
    fn begin(client: &'a DaemonClient, id: &str, last: Option<usize>) -> Result<Self, CliError> {
        let from = last.map_or_else(|| "after=0".to_owned(), |last| format!("last={last}"));
        let (id, portion) = (id.to_owned(), VecDeque::new());
        let mut timeline = Self { client, id, portion, after: None, before: 0 };
        timeline.read(&from)?;
        timeline.before = timeline.portion.front().map_or(0, |first| first.seq.saturating_sub(1));
        Ok(timeline)
    }

    /// Whether the first portion is all of it: then it is less than the daemon hands over at once.
    fn is_whole(&self) -> bool {
        self.before == 0 && self.portion.len() < LINES_MAX
    }

    fn left_out(&self) -> Option<String> {
        let (n, id) = (self.before, &self.id);
        (0 < n).then(|| format!("{n} earlier line(s) are not shown: stentor show {id} --all shows them"))
    }

    fn next(&mut self) -> Result<Option<JournalRecord<Event>>, CliError> {
        if self.portion.is_empty()
            && let Some(after) = self.after
        {
            self.read(&format!("after={after}"))?;
        }
        Ok(self.portion.pop_front())
    }

    fn read(&mut self, from: &str) -> Result<(), CliError> {
        let lines: Vec<Value> = self.client.get(&format!("/v1/journal?chain={}&{from}", self.id))?;
        self.after = lines.last().and_then(|line| line["pos"].as_i64());
        for line in &lines {
            self.portion.push_back(serde_json::from_str(line["body"].as_str().unwrap_or_default())?);
        }
        Ok(())
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
