//! Reads `schedule`: when the daemon runs a scenario automatically.

use crate::{
    core::{Zone, schedule::CronSchedule},
    drill::scenario::{
        reader::ScenarioReader,
        timetable::{self, ScenarioTimetable},
    },
    matrix::zone_name::zone,
    toml_kit::document::TomlItem,
};

impl ScenarioReader<'_> {
    pub(super) fn schedule(&mut self, item: &TomlItem<'_>) -> Option<ScenarioTimetable> {
        let mut table = item.table("`schedule`".into(), &mut self.faults)?;
        let zone = table
            .take("zone")
            .and_then(|item| zone(&item, &self.matrix.zones, &mut self.faults))
            .unwrap_or_else(Zone::utc);
        let (cron, within, every) = (table.take("cron"), table.take("within"), table.take("every"));
        table.finish(&[], &[], &mut self.faults);
        match (cron, within, every) {
            (Some(cron), None, None) => {
                let text = cron.text(&mut self.faults)?;
                match text.value.parse::<CronSchedule>() {
                    Ok(line) => Some(ScenarioTimetable::Cron { line: Box::new(line), zone }),
                    Err(error) => {
                        let message = format!("this is not a cron line: {error}");
                        self.faults.refuse("bad-cron", text.at, message, "write for example \"0 10 * * Tue\"")
                    }
                }
            }
            (None, Some(within), Some(every)) => {
                let (text, every) = (within.text(&mut self.faults)?, every.duration(&mut self.faults)?);
                let hours = timetable::hours(text.value, zone);
                if hours.is_none() {
                    let message = format!("{:?} are not hours", text.value);
                    self.faults.error("bad-time", text.at, message, "write \"Mon-Fri 09:00-17:00\"");
                }
                if every.value < timetable::EVERY_MIN {
                    let message = "`every` is shorter than a day";
                    return self.faults.refuse("too-often", every.at, message, "write for example \"30d\"");
                }
                Some(ScenarioTimetable::Random { within: hours?, every: every.value })
            }
            _ => {
                let help =
                    "write `cron = \"0 10 * * Tue\"`, or `within = \"Mon-Fri 09:00-17:00\"` with `every = \"30d\"`";
                self.faults.refuse("unclear-schedule", item.at, "it is either a cron line or a random moment", help)
            }
        }
    }
}
