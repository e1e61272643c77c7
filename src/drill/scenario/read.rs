//! Reads a scenario section by section, and looks up each name in the matrix immediately.

use crate::{
    core::{Answer, ChannelName, Timestamp, Zone},
    drill::scenario::{
        check,
        definition::{
            AbortRule, COMPRESS_MAX, ReadScenario, Scenario, ScenarioFault, ScenarioFaultKind, ScenarioMoment,
            ScriptedAnswer,
        },
        hypothesis::{HypothesisSubject, RunHypothesis},
        injects, models,
        reader::ScenarioReader,
        timetable::AllowedHours,
    },
    matrix::{Matrix, Severity, SourceText, zone_name::zone},
    toml_kit::{
        document::{TomlItem, TomlTable, document},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        names,
    },
};
use chrono::NaiveTime;
use chrono::Weekday;
use sha2::{Digest, Sha256};
use std::time::Duration;

pub(super) fn read(file: &SourceText, matrix: &Matrix) -> ReadScenario {
    let mut reader = ScenarioReader { matrix, faults: MatrixFaults::default(), ends: None };
    let files = std::slice::from_ref(file);
    let scenario = document(0, file, &mut reader.faults).map(|document| {
        let top = TomlTable::new("the scenario".into(), 0, document.get_ref());
        reader.scenario(top, revision(&file.text))
    });
    let diagnostics = reader.faults.into_diagnostics(files);
    let refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    ReadScenario { scenario: scenario.filter(|_| !refused), diagnostics }
}

fn revision(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

const ALL_DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl ScenarioReader<'_> {
    fn scenario(&mut self, mut top: TomlTable<'_>, revision: String) -> Scenario {
        let start = SourceSpan { file: 0, start: 0, end: 0 };
        let name = self.demanded_text(&mut top, "name", start, "name = \"flash-crash\"");
        if let Some(name) = &name {
            names::is_good(&name.value, name.at, &mut self.faults);
        }
        let summary = self.demanded_text(&mut top, "summary", start, "summary = \"what is rehearsed\"");
        let sources = top.take("sources").and_then(|item| item.texts(&mut self.faults)).unwrap_or_default();
        let ends = top.demand("ends", start, "ends = \"20m\"", &mut self.faults);
        self.ends = ends.and_then(|item| self.span(&item)).map(|ends| ends.value);
        let plays_at = top.take("plays_at").and_then(|item| self.moment_of_day(&item));
        let participants = top.take("participants").map(|item| self.people(&item).into_iter().collect());
        let announced = top.take("announced").and_then(|item| item.flag(&mut self.faults)).unwrap_or(true);
        let hours = top.take("hours").and_then(|item| self.hours(&item));
        let compress = top.take("compress").and_then(|item| self.compress(&item)).unwrap_or(1);
        let abort = top.take("abort").and_then(|item| self.abort(&item)).unwrap_or_default();
        let schedule = top.take("schedule").and_then(|item| self.schedule(&item));
        let injects = injects::read(self, &mut top, start);
        let mut moments = self.each(&mut top, "moment", |reader, table, at| reader.moment(table, at));
        moments.sort_by_key(|moment| moment.at);
        let hypotheses = self.hypotheses(&mut top);
        let faults = self.each(&mut top, "fault", |reader, table, at| {
            reader.fault(table, at).map(|value| LocatedValue { value, at })
        });
        let mut answers = self.each(&mut top, "answer", |reader, table, at| {
            reader.answer(table, at).map(|value| LocatedValue { value, at })
        });
        answers.sort_by_key(|answer| answer.value.at);
        let everyone =
            top.take("everyone").map(|item| models::response_model(self, &item, "`[everyone]`")).unwrap_or_default();
        let response_models = models::people(self, &mut top);
        let carriage = models::channels(self, &mut top);
        top.finish(&[], &[], &mut self.faults);
        check::overlaps(&faults, &mut self.faults);
        let scenario = Scenario {
            name: name.map(|name| name.value).unwrap_or_default(),
            summary: summary.map(|summary| summary.value).unwrap_or_default(),
            sources: sources.into_iter().map(|source| source.value).collect(),
            revision,
            ends: self.ends.unwrap_or_default(),
            plays_at,
            participants,
            announced,
            hours,
            compress,
            schedule,
            abort,
            injects,
            moments,
            hypotheses: hypotheses.iter().map(|hypothesis| hypothesis.value.clone()).collect(),
            faults: faults.into_iter().map(|fault| fault.value).collect(),
            answers: answers.iter().map(|answer| answer.value.clone()).collect(),
            everyone,
            response_models,
            carriage,
            is_hindsight: false,
        };
        if !self.faults.unreadable {
            check::check(&scenario, &hypotheses, &answers, self);
        }
        scenario
    }

    fn moment(&mut self, mut table: TomlTable<'_>, at: SourceSpan) -> Option<ScenarioMoment> {
        let offset = self.demanded_offset(&mut table, at);
        let what = self.demanded_text(&mut table, "what", at, "what = \"the market opens\"");
        table.finish(&[], &[], &mut self.faults);
        Some(ScenarioMoment { at: offset?.value, what: what?.value })
    }

    fn hypotheses(&mut self, top: &mut TomlTable<'_>) -> Vec<LocatedValue<RunHypothesis>> {
        let mut all = Vec::new();
        if let Some(item) = top.take("hypothesis")
            && let Some(mut table) = item.table("`hypothesis`".into(), &mut self.faults)
        {
            for entry in table.take_all() {
                let role = LocatedValue { value: entry.key, at: entry.key_at };
                let role = self.role(&role);
                all.extend(self.hypothesis(
                    &entry,
                    format!("hypothesis `{}`", entry.key),
                    role.map(HypothesisSubject::Role),
                ));
            }
        }
        for (key, about) in [("all_roles", HypothesisSubject::AllRoles), ("all_clear", HypothesisSubject::AllClear)] {
            if let Some(item) = top.take(key) {
                all.extend(self.hypothesis(&item, format!("`[{key}]`"), Some(about)));
            }
        }
        all
    }

    fn hypothesis(
        &mut self,
        item: &TomlItem<'_>,
        what: String,
        about: Option<HypothesisSubject>,
    ) -> Option<LocatedValue<RunHypothesis>> {
        let mut table = item.table(what, &mut self.faults)?;
        let percent = table.demand("percent", item.key_at, "percent = 90", &mut self.faults);
        let percent = percent.and_then(|item| item.percent(&mut self.faults));
        let within = table.demand("within", item.key_at, "within = \"60s\"", &mut self.faults);
        let within = within.and_then(|item| self.span(&item));
        let covered = if about == Some(HypothesisSubject::AllClear) { None } else { table.take("covered") };
        let covered = covered.and_then(|item| item.flag(&mut self.faults)).unwrap_or(false);
        table.finish(&[], &["covered"], &mut self.faults);
        let value = RunHypothesis { about: about?, percent: percent?, within: within?.value, covered };
        Some(LocatedValue { value, at: item.key_at })
    }

    fn fault(&mut self, mut table: TomlTable<'_>, at: SourceSpan) -> Option<ScenarioFault> {
        let channel = table.take("channel");
        let absent = table.take("absent");
        let (kind, delay) = (table.take("kind"), table.take("delay"));
        let from = table.take("from").map_or(Some(Duration::ZERO), |item| Some(self.offset(&item)?.value));
        let until_at = table.take("until");
        let until = until_at.map_or(self.ends, |item| Some(self.offset(&item)?.value));
        table.finish(&[], &[], &mut self.faults);
        let fault = match (channel, absent, kind, delay) {
            (Some(channel), None, Some(kind), None) => {
                let (channel, kind) = (self.channel_item(&channel), kind.text(&mut self.faults)?);
                self.outage(channel?, &kind)?
            }
            (Some(channel), None, None, Some(delay)) => {
                let (channel, delay) = (self.channel_item(&channel), self.span(&delay));
                ScenarioFaultKind::Late(channel?, delay?.value)
            }
            (None, Some(person), None, None) => ScenarioFaultKind::Absent(self.person_item(&person)?),
            _ => {
                let help = "write `channel` with `kind = \"down\"`, `kind = \"broken\"` or `delay = \"90s\"`, or `absent = \"ana\"`";
                return self.faults.refuse("unclear-fault", at, "a fault is one thing that does not work", help);
            }
        };
        let (from, until) = (from?, until?);
        if until <= from {
            let at = until_at.map_or(at, |item| item.at);
            let help = "`until` is later than `from`";
            return self.faults.refuse("ends-before-it-begins", at, "this fault ends before it begins", help);
        }
        Some(ScenarioFault { from, until, kind: fault })
    }

    fn outage(&mut self, channel: ChannelName, kind: &LocatedValue<&str>) -> Option<ScenarioFaultKind> {
        match kind.value {
            "down" => Some(ScenarioFaultKind::Down(channel)),
            "broken" => Some(ScenarioFaultKind::Broken(channel)),
            other => {
                let help = "\"down\" (each attempt fails for now) or \"broken\" (it refuses everybody)";
                self.faults.refuse("unknown-word", kind.at, format!("a channel can not be {other:?}"), help)
            }
        }
    }

    fn answer(&mut self, mut table: TomlTable<'_>, at: SourceSpan) -> Option<ScriptedAnswer> {
        let offset = self.demanded_offset(&mut table, at);
        let person = table.demand("person", at, "person = \"ana\"", &mut self.faults);
        let person = person.and_then(|item| self.person_item(&item));
        let says = self.demanded_text(&mut table, "says", at, "says = \"wilco\"").and_then(|says| {
            let answer = says.value.parse::<Answer>();
            answer.map_err(|error| self.faults.error("unknown-answer", says.at, error.to_string(), "")).ok()
        });
        let role = table.take("role").and_then(|item| {
            let text = item.text(&mut self.faults)?;
            self.role(&text)
        });
        table.finish(&[], &[], &mut self.faults);
        Some(ScriptedAnswer { at: offset?.value, person: person?, says: says?, role })
    }

    fn abort(&mut self, item: &TomlItem<'_>) -> Option<AbortRule> {
        let mut table = item.table("`abort`".into(), &mut self.faults)?;
        let unanswered = table.take("unanswered").and_then(|item| Some(self.span(&item)?.value));
        let people = table.take("people").map(|item| self.people(&item).into_iter().collect()).unwrap_or_default();
        table.finish(&["on"], &[], &mut self.faults);
        Some(AbortRule { unanswered, people })
    }

    fn compress(&mut self, item: &TomlItem<'_>) -> Option<u32> {
        let by = item.count(&mut self.faults)?;
        if (1..=COMPRESS_MAX).contains(&by) {
            return Some(by);
        }
        let message = format!("`compress` must be between 1 and {COMPRESS_MAX}");
        self.faults.refuse("count-out-of-range", item.at, message, "a wait is never shorter than a second all the same")
    }

    fn hours(&mut self, item: &TomlItem<'_>) -> Option<AllowedHours> {
        let mut table = item.table("`hours`".into(), &mut self.faults)?;
        let from = table.demand("from", item.at, "from = \"08:00\"", &mut self.faults);
        let from = from.and_then(|item| self.time_of_day(&item));
        let until = table.demand("until", item.at, "until = \"17:00\"", &mut self.faults);
        let until = until.and_then(|item| self.time_of_day(&item));
        let days = table.take("days").map_or_else(|| ALL_DAYS.to_vec(), |item| self.days(&item));
        let zone = table.take("timezone").and_then(|item| zone(&item, &self.matrix.zones, &mut self.faults));
        table.finish(&["holidays"], &[], &mut self.faults);
        Some(AllowedHours { from: from?, until: until?, days, zone: zone.unwrap_or_else(Zone::utc) })
    }

    fn time_of_day(&mut self, item: &TomlItem<'_>) -> Option<NaiveTime> {
        let text = item.text(&mut self.faults)?;
        let time = NaiveTime::parse_from_str(text.value, "%H:%M").ok();
        if time.is_none() {
            let message = format!("{:?} is not a time of day", text.value);
            self.faults.error("bad-time", text.at, message, "write hours and minutes: \"08:30\"");
        }
        time
    }

    fn days(&mut self, item: &TomlItem<'_>) -> Vec<Weekday> {
        let mut days = Vec::new();
        for text in item.texts(&mut self.faults).unwrap_or_default() {
            match text.value.parse::<Weekday>() {
                Ok(day) => days.push(day),
                Err(_) => {
                    let message = format!("{:?} is not a day of the week", text.value);
                    self.faults.error("unknown-word", text.at, message, "write \"Mon\", \"Tue\", ..");
                }
            }
        }
        days
    }

    /// A date and time with its offset.
    fn moment_of_day(&mut self, item: &TomlItem<'_>) -> Option<Timestamp> {
        let text = item.date("write 2010-05-06T14:32:00-04:00", &mut self.faults)?;
        let at = Timestamp::parse(&text);
        if at.is_none() {
            let message = format!("{text:?} is not a date and time with its offset");
            self.faults.error("bad-time", item.at, message, "write 2010-05-06T14:32:00-04:00");
        }
        at
    }
}

impl Scenario {
    /// Reads a scenario for `matrix` and finds all faults at once. Never panics; takes milliseconds.
    pub fn read(file: &SourceText, matrix: &Matrix) -> ReadScenario {
        read(file, matrix)
    }
}
