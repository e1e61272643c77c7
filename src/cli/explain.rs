//! `stentor explain`: who would be paged for an alert, when, by which channel, in which words. Needs no daemon and
//! sends nothing: it steps the core itself through the ladder, as if every page arrived and nobody answered.

mod tiers;

use crate::{
    cli::{
        assessments,
        error::CliError,
        load,
        options::PathOptions,
        output,
        table::{self, say, warn},
    },
    core::{
        self, Alert, AlertStatus, Event, Incident, IncidentId, IncidentInput, IncidentKey, IncidentOpening, Page,
        PersonName, RoleName, SendOutcome, SendReceipt, SourceName, Timestamp,
        event::StepReason,
        plan::{SuggestedAction, suggested},
    },
    engine::render,
    http::api::alerts,
    matrix::{LayerWords, Matrix, Trigger, TriggerMatch},
    template::PageTemplates,
};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

/// How far a ladder is followed.
const HORIZON: Duration = Duration::from_secs(30 * 60);

/// The largest number of steps that are followed.
const RUNGS_MAX: usize = 200;

/// What is said about a time that is past.
const BY_TODAY: &str = "That time is past. This is what the matrix of today would do, with today's people, rotations \
                        and overrides. Who was really paged is in the record: stentor incidents --all";

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The alert, as it would be posted to /v1/alerts (JSON); - reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "tiers")]
    alert: Option<PathBuf>,
    /// Draw the decision matrix instead: which tier follows from impact and likelihood, and where the triggers are
    #[arg(long, conflicts_with_all = ["alert", "at", "no_words"])]
    tiers: bool,
    /// The time for which to look up who is on call, by the matrix of today (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Leave out the texts for each role and channel
    #[arg(long)]
    no_words: bool,
    /// Print it as JSON, including texts
    #[arg(long)]
    json: bool,
}

impl ExplainArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let at = match &self.at {
            Some(text) => Timestamp::parse(text).ok_or("--at takes a time like 2026-11-23T03:00:00Z")?,
            None => load::now(),
        };
        let (matrix, templates) = load::load(places, at)?.demand()?;
        let Some(alert) = self.alert.as_deref().map(read).transpose()? else {
            match self.json {
                true => println!("{}", serde_json::to_string_pretty(&tiers::json(&matrix))?),
                false => tiers::print(&matrix),
            }
            return Ok(ExitCode::SUCCESS);
        };
        let names = matrix.people.iter().map(|(name, person)| (name.clone(), person.name.clone())).collect();
        let told = ExplainPrinter { matrix: &matrix, templates: &templates, names, at };
        let alert = matrix.assessed(&alert);
        let judgements = matrix.judge(&alert);
        if self.json {
            let all: Vec<Value> = judgements.iter().map(|judgement| told.json(&alert, judgement)).collect();
            println!("{}", serde_json::to_string_pretty(&all)?);
        } else if judgements.is_empty() {
            say(&why_nothing(&matrix, &alert));
        } else {
            assessments::print(&alert);
            for judgement in &judgements {
                told.print(&alert, judgement, !self.no_words);
            }
        }
        if !self.json && self.at.is_some() && at < load::now() {
            say(BY_TODAY);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The first alert of a file, as the API reads it; prints to standard error what the API would warn of.
fn read(path: &std::path::Path) -> Result<Alert, CliError> {
    let bytes = output::read_bytes(path)?;
    let no_alert = |why: &str| format!("{} is no alert: {why}", output::shown(path));
    let mut all = alerts::parse(&bytes).map_err(|refused| no_alert(refused.detail()))?.into_iter();
    let first = all.next().ok_or_else(|| no_alert("the list is empty"))?.map_err(|why| no_alert(&why))?;
    first.warnings().iter().for_each(|warning| warn(&format!("warning: {warning}")));
    let mut alert = first.alert().clone();
    // The API takes the source from the token, which is not here.
    alert.source = source(&bytes).unwrap_or(alert.source);
    Ok(alert)
}

fn source(bytes: &[u8]) -> Option<SourceName> {
    let first = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>().next()?.ok()?;
    let alert = first.get(0).unwrap_or(&first);
    alert.get("source")?.as_str().map(SourceName::from)
}

fn why_nothing(matrix: &Matrix, alert: &Alert) -> String {
    let of_kind = matrix.triggers.iter().filter(|(_, trigger)| trigger.on.contains(&alert.kind));
    let of_kind: Vec<&str> = of_kind.map(|(name, _)| name.as_str()).collect();
    let looking = matrix.looking(&alert.kind, &alert.source);
    let looking: Vec<&str> = looking.iter().map(|name| name.as_str()).collect();
    let why = match (of_kind.as_slice(), looking.as_slice()) {
        ([], _) => format!("no trigger evaluates alerts of kind {:?}", alert.kind),
        (names, []) => format!("{} does not look at alerts of source {} (`sources`)", names.join(", "), alert.source),
        (_, names) => format!("{} looked at it and did not hold", names.join(", ")),
    };
    let pages = alert.status == AlertStatus::Firing && matrix.pages_unmatched(&alert.source);
    let then = if pages { "the catch-all is paged (`unmatched`)" } else { "nobody is paged" };
    format!("{why}: {then}, the journal keeps it")
}

struct ExplainPrinter<'a> {
    matrix: &'a Matrix,
    templates: &'a PageTemplates,
    names: BTreeMap<PersonName, String>,
    at: Timestamp,
}

/// One step of one role's ladder.
#[derive(Debug, Serialize)]
struct LadderStep {
    after_ms: f64,
    role: RoleName,
    step: usize,
    round: u32,
    why: String,
    /// The people who are paged, and their channels.
    people: Vec<(String, Vec<String>)>,
}

/// The text for one role by one channel, when it is first paged.
#[derive(Debug, Serialize)]
struct BriefPreview {
    role: RoleName,
    person: String,
    channel: String,
    kind: &'static str,
    text: String,
}

/// The course of an incident if nobody answered.
#[derive(Debug, Default, Serialize)]
struct LadderPreview {
    ladder: Vec<LadderStep>,
    texts: Vec<BriefPreview>,
    rooms: Vec<String>,
    actions: Vec<Suggestion>,
}

/// The actions that are suggested.
#[derive(Debug, Serialize)]
struct Suggestion {
    letter: char,
    #[serde(flatten)]
    action: SuggestedAction,
}

impl ExplainPrinter<'_> {
    fn print(&self, alert: &Alert, judgement: &TriggerMatch, words: bool) {
        match judgement {
            TriggerMatch::Clears { trigger, key, .. } => say(&format!("trigger {trigger}: all clear for {key}")),
            TriggerMatch::Failed { trigger, why, .. } => say(&format!("trigger {trigger} can not evaluate it: {why}")),
            TriggerMatch::Breaks { trigger, key, .. } => {
                say(&format!("trigger {trigger} does not hold: what counted or waited for {key} starts anew"));
            }
            TriggerMatch::Holds { trigger, key, summary, tier, .. } => {
                say(&format!("trigger {trigger} holds, key {key}: {summary}"));
                if let Some(decision) = self.matrix.tier(trigger, tier.as_ref(), self.at) {
                    say(&format!("  tier {decision}"));
                }
            }
            TriggerMatch::Speaks { trigger, key, summary, .. } => {
                say(&format!("trigger {trigger} hears {key}. If it falls silent: {summary}"));
            }
        }
        for LayerWords { key, says, costs, .. } in self.layers(judgement) {
            say(&format!("  {key}: {says}. It costs {costs}."));
        }
        let Some(preview) = self.play(alert, judgement) else { return };
        for room in &preview.rooms {
            say(&format!("  {room} creates a war room in parallel to the pages"));
        }
        for Suggestion { letter, action } in &preview.actions {
            let then = action.then.as_ref().map_or(String::new(), |then| format!(": {then}"));
            say(&format!("  suggested: {letter}  {}{then}", action.text));
        }
        match preview.ladder.as_slice() {
            [] => say("Nobody is paged."),
            steps => println!("If nobody answers:\n{}", ladder(steps)),
        }
        for BriefPreview { role, person, channel, kind, text } in preview.texts.iter().filter(|_| words) {
            println!();
            say(&format!("{role}, {person} by {channel} ({kind}):"));
            text.lines().for_each(|line| say(&format!("  | {line}")));
        }
        println!();
    }

    fn json(&self, alert: &Alert, judgement: &TriggerMatch) -> Value {
        let verdict = match judgement {
            TriggerMatch::Clears { trigger, key, .. } => json!({ "trigger": trigger, "clears": key }),
            TriggerMatch::Failed { trigger, why, .. } => json!({ "trigger": trigger, "failed": why }),
            TriggerMatch::Breaks { trigger, key, .. } => json!({ "trigger": trigger, "starts_anew": key }),
            TriggerMatch::Holds { trigger, key, summary, threshold, tier, .. } => {
                let tier = self.matrix.tier(trigger, tier.as_ref(), self.at);
                json!({
                    "trigger": trigger,
                    "holds": true,
                    "key": key,
                    "summary": summary,
                    "threshold": threshold,
                    "tier": tier,
                })
            }
            TriggerMatch::Speaks { trigger, key, summary, .. } => {
                json!({ "trigger": trigger, "speaks": key, "summary": summary })
            }
        };
        json!({ "match": verdict, "layers": self.layers(judgement), "preview": self.play(alert, judgement) })
    }

    /// What stands between the condition and an incident.
    fn layers(&self, judgement: &TriggerMatch) -> Vec<LayerWords> {
        let (TriggerMatch::Holds { trigger, .. } | TriggerMatch::Speaks { trigger, .. }) = judgement else {
            return Vec::new();
        };
        self.matrix.triggers.get(trigger).map(Trigger::layer_words).unwrap_or_default()
    }

    /// Steps the ladder until every role repeats or the horizon is reached.
    fn play(&self, alert: &Alert, judgement: &TriggerMatch) -> Option<LadderPreview> {
        let opening = self.opening(alert, judgement)?;
        let roster = &self.matrix.roster;
        let rooms = opening.plan.rooms.iter().map(ToString::to_string).collect();
        let actions = suggested(&opening.alert, &opening.plan).into_iter();
        let actions = actions.map(|(letter, action)| Suggestion { letter, action }).collect();
        let mut preview = LadderPreview { rooms, actions, ..LadderPreview::default() };
        let (mut incident, first) = core::open(IncidentId(1), opening, roster, self.at);
        self.follow(&mut preview, &incident, &first, self.at);
        for _ in 0..RUNGS_MAX {
            deliver(&mut incident, roster);
            let Some(due) = incident.deadline().filter(|due| *due < self.at + HORIZON) else { break };
            let moved = core::step(&mut incident, IncidentInput::Tick, roster, due);
            self.follow(&mut preview, &incident, &moved, due);
            if incident.engagements.values().filter(|e| e.is_open()).all(|e| e.exhausted || e.waits_on.is_some()) {
                break;
            }
        }
        Some(preview)
    }

    fn opening(&self, alert: &Alert, judgement: &TriggerMatch) -> Option<IncidentOpening> {
        let (plan, key, summary) = match judgement {
            TriggerMatch::Holds { trigger, key, summary, tier, .. } => {
                let decision = self.matrix.tier(trigger, tier.as_ref(), self.at);
                (self.matrix.plan_of_tier(trigger, decision)?, key.clone(), summary.clone())
            }
            TriggerMatch::Speaks { trigger, key, summary, .. } => {
                (self.matrix.plan(trigger)?, key.clone(), summary.clone())
            }
            TriggerMatch::Failed { trigger, why, entity } => {
                let (source, drill) = (&alert.source, alert.drill);
                let shared = || IncidentKey::of_condition(trigger, source, drill);
                let key = entity
                    .as_ref()
                    .map_or_else(shared, |entity| IncidentKey::of_condition_about(trigger, source, entity, drill));
                (self.matrix.failure_plan(trigger)?, key, format!("trigger {trigger} can not evaluate: {why}"))
            }
            TriggerMatch::Clears { .. } | TriggerMatch::Breaks { .. } => return None,
        };
        let mut alert = alert.clone();
        alert.status = AlertStatus::Firing;
        Some(IncidentOpening {
            key,
            summary,
            plan,
            alert: Arc::new(alert),
            received_at: self.at,
            terms: None,
            ask: None,
            nonce: None,
        })
    }

    /// Adds the content of these events; texts are as they would be sent at that time.
    fn follow(&self, preview: &mut LadderPreview, incident: &Incident, events: &[Event], at: Timestamp) {
        for event in events {
            match event {
                Event::StepEntered { role, step, round, why, .. } => {
                    if incident.engagements.get(role).is_some_and(|e| e.exhausted) {
                        continue;
                    }
                    preview.ladder.push(LadderStep {
                        after_ms: at.micros_since(self.at) as f64 / 1e3,
                        role: role.clone(),
                        step: step + 1,
                        round: *round,
                        why: self.why(incident, role, *why),
                        people: Vec::new(),
                    });
                }
                Event::Paged { page } if page.purpose.is_brief() => self.paged(preview, incident, page),
                Event::Exhausted { role } => {
                    if let Some(last) = preview.ladder.iter_mut().rfind(|entry| entry.role == *role) {
                        last.why.push_str("; repeated until somebody answers");
                    }
                }
                _ => {}
            }
        }
    }

    fn why(&self, incident: &Incident, role: &RoleName, why: StepReason) -> String {
        let Some(engagement) = incident.engagements.get(role) else { return String::new() };
        let others: Vec<&str> = engagement.stands_for.iter().map(|other| other.as_str()).collect();
        match why {
            StepReason::Entered if others.is_empty() => "the trigger requires it".into(),
            StepReason::Entered => format!("in place of {}", others.join(", ")),
            StepReason::TimedOut => "no answer in time".into(),
            StepReason::NobodyLeft => "nobody before it could be reached".into(),
            StepReason::HandedBack => "it was handed back".into(),
        }
    }

    fn paged(&self, preview: &mut LadderPreview, incident: &Incident, page: &Page) {
        let Some((role, person)) = page.role.as_ref().zip(page.person.as_ref()) else { return };
        let name = self.names.get(person).cloned().unwrap_or_else(|| person.to_string());
        let Some(entry) = preview.ladder.iter_mut().rfind(|entry| entry.role == *role) else { return };
        match entry.people.iter_mut().find(|(known, _)| *known == name) {
            Some((_, channels)) if channels.contains(&page.channel.to_string()) => {}
            Some((_, channels)) => channels.push(page.channel.to_string()),
            None => entry.people.push((name.clone(), vec![page.channel.to_string()])),
        }
        let channel = page.channel.to_string();
        if preview.texts.iter().any(|words| words.role == *role && words.channel == channel) {
            return;
        }
        let Some(settings) = self.matrix.channel(&page.channel) else { return };
        let rendered = render(self.matrix, self.templates, &self.names, incident, page, settings.kind());
        let kind = settings.kind().as_str();
        preview.texts.push(BriefPreview { role: role.clone(), person: name, channel, kind, text: rendered.body });
    }
}

fn ladder(entries: &[LadderStep]) -> String {
    let mut rows = table::table(&["after", "role", "step", "who", "by", "because"]);
    for entry in entries {
        // Beside each person stand their own channels.
        let mut people = entry.people.iter().map(|(name, channels)| (name.clone(), channels.join(", ")));
        let (who, by) = people.next().unwrap_or_else(|| ("nobody".into(), String::new()));
        let again = if entry.round == 0 { String::new() } else { format!(" (again, {})", entry.round) };
        rows.add_row([
            table::span(entry.after_ms),
            entry.role.to_string(),
            format!("{}{again}", entry.step),
            who,
            by,
            entry.why.clone(),
        ]);
        for (who, by) in people {
            rows.add_row(["", "", "", &who, &by, ""]);
        }
    }
    rows.to_string()
}

/// As if every channel accepted every page immediately.
fn deliver(incident: &mut Incident, roster: &core::Roster) {
    let queued: Vec<u32> =
        incident.pages.values().filter(|page| page.state == core::PageState::Queued).map(|page| page.n).collect();
    let now = incident.last_at;
    for page in queued {
        let settlement = SendOutcome::Accepted { receipt: SendReceipt::default() };
        core::step(incident, IncidentInput::Settled { page, settlement, sent_at: Some(now), text: None }, roster, now);
    }
}
