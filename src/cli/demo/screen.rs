//! The output for the demo's viewer.

use crate::{
    cli::{
        demo::{
            cast::DemoCast,
            script::{COMPRESSION, RUN_UP},
        },
        error::CliError,
        table,
        terminal::colours,
    },
    core::{
        Event, Incident, IncidentId, JournalRecord, Page, PagePurpose, RoleName, Timestamp,
        display_names::IncidentNames, sentence::told,
    },
    journal::JournalReport,
};
use serde_json::Value;
use std::{collections::BTreeSet, io::IsTerminal};

/// How many lines of each role's brief are shown.
const BRIEF_LINES: usize = 12;

/// The width of everything where standard output is no terminal, in columns.
const WIDTH: usize = 120;

/// The terminal, or another target for the text.
pub struct DemoScreen {
    colour: bool,
    after: i64,
    opened_at: Option<Timestamp>,
    briefed: BTreeSet<RoleName>,
}

impl DemoScreen {
    pub fn new() -> Self {
        let colour = colours(std::io::stdout().is_terminal());
        Self { colour, after: 0, opened_at: None, briefed: BTreeSet::new() }
    }

    pub fn begin(&self, base: &str, desk: &str, trader: String, attended: bool) {
        self.say(&self.bold("DRILL: the flash crash of 6 May 2010, on the real daemon, in the sandbox"));
        self.say(&format!(
            "The daemon listens on {base}. Nothing leaves this machine: {base}/outbox shows what would."
        ));
        self.say(&format!(
            "Time is compressed: one second here is {RUN_UP} until 14:45:13 ET and {COMPRESSION} from then on; \
             ladders wait a {COMPRESSION}th of what the matrix says."
        ));
        self.say(&format!("{trader} is the trader on call. The desk page: {desk}"));
        if attended {
            self.say(&self.bold("Keys: t answer as the trader, c compliance, i IT, h head of desk, q quit"));
        } else {
            self.say("Nobody is at the keyboard: a script answers for compliance and IT, and the trader stays silent.");
        }
        self.say("");
    }

    pub fn report(&self, clock: &str, told: &str) {
        self.say(&format!("{} {told}", self.bold(&format!("{clock} ET"))));
    }

    /// Shows what the daemon did with a report.
    pub fn result(&self, answer: &Value) {
        let result = &answer["alerts"][0]["results"][0];
        let word = match result["result"].as_str() {
            Some("opened") => format!("202: durable; {} is open", result["incident"].as_str().unwrap_or_default()),
            Some("unmatched") => "202: durable; no trigger matches it, the journal keeps it".into(),
            other => format!("202: durable; {}", other.unwrap_or_default()),
        };
        self.say(&format!("            {}", self.dim(&word)));
    }

    pub fn word(&self, word: &str) {
        self.say(&format!("            {}", self.bold(&format!("your answer: {word}"))));
    }

    /// Prints what happened since the last time.
    pub async fn catch_up(&mut self, cast: &DemoCast, id: IncidentId) -> Result<(), CliError> {
        let reads = cast.app.engine.reads();
        let lines = reads.lines(Some(id.to_string()), self.after, 10_000).await?;
        let Some(incident) = reads.view(id).await? else { return Ok(()) };
        self.opened_at.get_or_insert(incident.opened_at);
        for line in lines {
            self.after = line.pos;
            let record: JournalRecord<Event> = serde_json::from_str(&line.body)?;
            self.event(cast, &incident, &record);
        }
        Ok(())
    }

    fn event(&mut self, cast: &DemoCast, incident: &Incident, record: &JournalRecord<Event>) {
        let ms = self.opened_at.map_or(0, |opened| record.at.micros_since(opened)) as f64 / 1e3;
        let stamp = format!("{:>9}", format!("+{}", table::span(ms)));
        let live = cast.app.engine.config();
        let names = IncidentNames { plan: &incident.plan, people: &live.names };
        match &record.event {
            Event::Paged { page } if page.purpose.is_brief() => {
                let name = page.person.as_ref().map(|person| cast.name(person)).unwrap_or_default();
                let role = page.role.clone().unwrap_or_else(RoleName::catch_all);
                let instead = page.instead_of.map_or(String::new(), |n| format!(", in place of page {n}"));
                self.say(&format!("{stamp}   page {:>2}  {role}: {name} by {}{instead}", page.n, page.channel));
                if self.briefed.insert(role) {
                    self.brief(cast, incident, page);
                }
            }
            Event::Paged { page } if page.purpose == PagePurpose::RoomCard => {
                self.say(&format!(
                    "{stamp}   page {:>2}  war room by {} (created in parallel, never waited for)",
                    page.n, page.channel
                ));
            }
            Event::Answered { .. }
            | Event::Engaged { .. }
            | Event::Covered { .. }
            | Event::HandedBack { .. }
            | Event::Reopened { .. }
            | Event::HandedOver { .. } => {
                self.say(&format!("{stamp}   {}", self.bold(&told(&record.event, incident.asks(), &names))));
            }
            Event::StepEntered { step, .. } if *step == 0 => {}
            Event::StepEntered { .. } | Event::Exhausted { .. } | Event::Resolved { .. } | Event::Opened(_) => {
                self.say(&format!("{stamp}   {}", told(&record.event, incident.asks(), &names)));
            }
            _ => {}
        }
    }

    /// The first lines of a role's brief.
    fn brief(&self, cast: &DemoCast, incident: &Incident, page: &Page) {
        let live = cast.app.engine.config();
        let rendered = live.render(incident, page, crate::matrix::ChannelKind::SCREEN);
        for line in rendered.body.lines().filter(|line| !line.trim().is_empty()).take(BRIEF_LINES) {
            self.say(&format!("             | {}", self.dim(line)));
        }
    }

    pub fn finish(&self, roles: &str, report: &JournalReport) {
        self.say("");
        self.say(&self.bold("Time to engagement, from the durable commit (ladders compressed; targets are not)"));
        self.say(roles);
        let word = if report.is_sound() { "consistent in itself" } else { "NOT SOUND" };
        self.say(&format!("\nJournal: {} lines in {} chains, verified: {word}", report.lines, report.chains));
        self.say(
            "What next: write your own matrix (stentor check, stentor explain), then stentor serve. See README.md.",
        );
    }

    /// Raw mode needs the carriage return, too.
    pub fn say(&self, text: &str) {
        let text = table::wrapped(text, Some(table::width().unwrap_or(WIDTH)));
        for line in text.lines().chain(text.is_empty().then_some("")) {
            print!("{line}\r\n");
        }
    }

    pub fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    pub fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
