//! Reads `[maintenance.NAME]`.

use super::zone_name::zone;
use crate::{
    core::{
        Zone, Zones,
        maintenance::{MaintenanceWindow, WINDOW_MIN, ends_before_the_next},
        oncall::EPOCH,
        schedule::CronSchedule,
        silence::{SILENCE_MAX, SilenceMatcher, flaw_of},
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{MatrixFaults, SourceSpan},
    },
};
use std::time::Duration;

/// A window as it is written; without a time zone it is in the daemon's.
pub(super) struct MaintenanceDraft {
    matchers: Vec<SilenceMatcher>,
    starts: CronSchedule,
    zone: Option<Zone>,
    lasts: Duration,
    owner: String,
    reason: String,
}

impl MaintenanceDraft {
    pub(super) fn window(self, name: String, shared: &Zone) -> MaintenanceWindow {
        let zone = self.zone.unwrap_or_else(|| shared.clone());
        MaintenanceWindow::new(name, self.matchers, (self.starts, zone, self.lasts), self.owner, self.reason)
    }
}

pub(super) fn read(
    mut table: TomlTable<'_>,
    at: SourceSpan,
    zones: &Zones,
    faults: &mut MatrixFaults,
) -> Option<MaintenanceDraft> {
    let matchers = table.demand("match", at, "match = ['host=~\"db.*\"']", faults);
    let matchers = matchers.and_then(|item| matchers_of(&item, faults));
    let starts = table.demand("starts", at, "starts = \"0 2 * * Sun\"", faults);
    let starts = starts.and_then(|item| schedule(&item, faults));
    let zone = table.take("timezone").map(|item| zone(&item, zones, faults));
    let lasts = table.demand("lasts", at, "lasts = \"2h\"", faults).and_then(|item| lasts(&item, faults));
    let owner = table.demand("owner", at, "owner = \"database team\"", faults);
    let owner = owner.and_then(|item| item.text(faults).map(|text| text.value.to_owned()));
    let reason = table.demand("reason", at, "reason = \"the weekly backup\"", faults);
    let reason = reason.and_then(|item| item.text(faults).map(|text| text.value.to_owned()));
    table.finish(&[], &[], faults);
    let zone = zone.map_or(Some(None), |zone| zone.map(Some))?;
    if let (Some(starts), Some(lasts)) = (&starts, lasts)
        && !ends_before_the_next(starts, lasts)
    {
        let help = "let it begin less often, or last less long";
        return faults.refuse(
            "endless",
            at,
            "this window begins again before it ends: it would be silent for ever",
            help,
        );
    }
    Some(MaintenanceDraft { matchers: matchers?, starts: starts?, zone, lasts: lasts?, owner: owner?, reason: reason? })
}

fn matchers_of(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Vec<SilenceMatcher>> {
    let mut matchers = Vec::new();
    for text in item.texts(faults)? {
        match text.value.parse::<SilenceMatcher>() {
            Ok(matcher) => matchers.push(matcher),
            Err(why) => {
                let help = "write label=value, label!=value, label=~\"pattern\" or label!~\"pattern\"";
                return faults.refuse("bad-matcher", text.at, format!("{:?} is no matcher: {why}", text.value), help);
            }
        }
    }
    match flaw_of(&matchers) {
        Some(flaw) => faults.refuse("bad-matcher", item.at, flaw, "name at least one label and its value"),
        None => Some(matchers),
    }
}

fn schedule(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<CronSchedule> {
    let text = item.text(faults)?;
    let help = "write for example \"0 2 * * Sun\": every Sunday at 02:00";
    match text.value.parse::<CronSchedule>() {
        Err(error) => faults.refuse("bad-cron", text.at, error.to_string(), help),
        Ok(schedule) if schedule.next_after(&Zone::utc(), EPOCH).is_none() => {
            faults.refuse("bad-cron", text.at, "this never begins", help)
        }
        Ok(schedule) => Some(schedule),
    }
}

fn lasts(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Duration> {
    let span = item.any_duration(faults)?;
    if (WINDOW_MIN..=SILENCE_MAX).contains(&span.value) {
        return Some(span.value);
    }
    let message = "`lasts` must be between one minute and 31 days";
    faults.refuse("duration-out-of-range", item.at, message, "write for example \"2h\"")
}
