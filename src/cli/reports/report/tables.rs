//! Reports as tables of at most 80 columns.

use crate::{
    cli::table,
    core::{ClassificationKind, PersonName, RoleName},
    report::{
        group::GroupReport,
        stages::StageReport,
        survival::{ConfidenceInterval, CurveQuantile},
        target::{ReachedShare, TargetReport},
        triggers::{TriggerReport, TriggersReport},
        tte::{CompressedDrills, GroupFigures, HandBackReport, TteGrouping, TteReport},
        words::bound,
    },
};
use std::{collections::BTreeMap, time::Duration};

/// The widest table.
const WIDTH: usize = 80;

/// What stands between a role and the number of its step in a group's name.
const STEP: &str = " step ";

/// How many roles stand side by side.
const STAGE_COLUMNS: usize = 4;

/// Roles and people as people read them.
pub struct ReportNames<'a> {
    /// Names of roles that differ from those in the matrix.
    pub roles: &'a BTreeMap<RoleName, String>,
    /// Names of people.
    pub people: &'a BTreeMap<PersonName, String>,
}

impl ReportNames<'_> {
    /// Two roles of one name are told apart by their names in the matrix.
    fn role(&self, role: &RoleName) -> String {
        let Some(called) = self.roles.get(role) else { return role.to_string() };
        let is_only = self.roles.iter().filter(|(_, other)| *other == called).count() == 1;
        if is_only { called.clone() } else { format!("{called} ({role})") }
    }

    fn person(&self, person: &PersonName) -> String {
        self.people.get(person).cloned().unwrap_or_else(|| person.to_string())
    }

    /// A group: it may be a role, or a step of one.
    pub fn group(&self, name: &str, by: TteGrouping) -> String {
        let (role, rest) = match by {
            TteGrouping::Role => (name, None),
            TteGrouping::Step => name.rsplit_once(STEP).map_or((name, None), |(role, nth)| (role, Some(nth))),
            TteGrouping::Channel | TteGrouping::Hour => return name.to_owned(),
        };
        let role = self.role(&RoleName::from(role));
        rest.map_or(role.clone(), |nth| format!("{role}{STEP}{nth}"))
    }
}

/// Time to engagement.
pub fn tte(report: &TteReport, names: &ReportNames<'_>) -> String {
    let mut text = head(report, names);
    let with_whole = report.role.is_none();
    if report.figures.incidents == 0 && report.compressed.is_empty() {
        return text + "\nno incident to measure";
    }
    if 0 < report.figures.incidents {
        text.push_str(&figures(&report.figures, report.by, with_whole, names));
    }
    for CompressedDrills { compress, figures: of } in &report.compressed {
        let note = format!(
            "{} DRILL(S) WITH WAITS DIVIDED BY {compress}: people were not, so these times are better than those of a \
             real crisis. They are in no other figure.",
            of.incidents
        );
        text.push_str(&format!("\n\n{}", fitted(&note)));
        text.push_str(&figures(of, report.by, with_whole, names));
    }
    text.push_str(&format!("\n\n{}", legend(report)));
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Lines that are no wider than a table.
fn fitted(text: &str) -> String {
    table::wrapped(text, Some(table::width().map_or(WIDTH, |terminal| terminal.min(WIDTH))))
}

fn figures(figures: &GroupFigures, by: TteGrouping, with_whole: bool, names: &ReportNames<'_>) -> String {
    let mut text = String::new();
    if let count @ 1.. = figures.sandboxed {
        let note = format!("SANDBOX: {count} of these incidents had pages that were sent to nobody");
        text.push_str(&format!("\n{}", fitted(&note)));
    }
    let called = |group: &GroupReport| match with_whole && *group == figures.whole {
        true => group.name.clone(),
        false => names.group(&group.name, by),
    };
    let groups = || figures.groups.iter().chain(with_whole.then_some(&figures.whole));
    let mut rows = table::table(&[&by.to_string(), "engaged", "p50", "p90", "p99", "target"]);
    table::fit(&mut rows, WIDTH);
    for group in groups() {
        rows.add_row(row(called(group), group));
    }
    text.push_str(&format!("\n\n{rows}"));
    let unlike = |group: &&GroupReport| group.engaged < group.n;
    if groups().any(|group| unlike(&group)) {
        let mut rows = table::table(&["of them", "ended otherwise, or open", "Kaplan-Meier p50"]);
        table::fit(&mut rows, WIDTH);
        for group in groups().filter(unlike) {
            rows.add_row(others(called(group), group));
        }
        text.push_str(&format!("\n\n{rows}"));
    }
    for roles in figures.stages.chunks(STAGE_COLUMNS) {
        text.push_str(&format!("\n\n{}", stages(roles, names)));
    }
    if 0 < figures.hand_backs {
        text.push_str(&format!("\n\n{}", fitted(&hand_backs(figures, names))));
    }
    text
}

/// How the engagements ended that were not engaged.
fn others(name: String, group: &GroupReport) -> [String; 3] {
    let mut ends: Vec<String> = group.ended.others().map(|(ended, n)| format!("{n} {}", ended.as_str())).collect();
    if 0 < group.ended.never_reached {
        ends.push(format!("{} of these never reached", group.ended.never_reached));
    }
    [name, ends.join(", "), quantile(&group.kaplan_meier.p50)]
}

fn head(report: &TteReport, names: &ReportNames<'_>) -> String {
    let day = |at: crate::core::Timestamp| at.to_utc().format("%Y-%m-%d %H:%M").to_string();
    let word = if report.drills { "DRILLS" } else { "LIVE" };
    let since = report.since.map_or_else(|| "the beginning".into(), day);
    let role = report.role.as_ref().map_or(String::new(), |role| format!(", role {}", names.role(role)));
    let mut lines = vec![
        format!("TIME TO ENGAGEMENT, {word}, by {}{role}", report.by),
        format!("{} incident(s), {since} to {} UTC", report.figures.incidents, day(report.until)),
    ];
    if 0 < report.duplicates_left_out {
        lines.push(format!("{} duplicate(s) left out (--duplicates counts them)", report.duplicates_left_out));
    }
    if 0 < report.sandboxed_left_out {
        let (count, rest) = (report.sandboxed_left_out, "left out: pages were sent to nobody (--sandbox counts them)");
        lines.push(format!("SANDBOX: {count} incident(s) {rest}"));
    }
    if 0 < report.unreadable {
        lines.push(format!("{} INCIDENT(S) LEFT OUT: their journal can not be read", report.unreadable));
    }
    fitted(&lines.join("\n"))
}

fn quantile(quantile: &CurveQuantile) -> String {
    let CurveQuantile { time, low, high } = *quantile;
    if time.is_none() && low.is_none() {
        return "not reached".to_owned();
    }
    let end = |end: Option<f64>| end.map_or_else(|| "?".into(), span);
    format!("{}\n{}..{}", time.map_or_else(|| "not reached".into(), span), end(low), end(high))
}

fn row(name: String, group: &GroupReport) -> [String; 6] {
    [
        name,
        format!("{} of {}", group.engaged, group.n),
        quantile(&group.p50),
        quantile(&group.p90),
        quantile(&group.p99),
        group.target.as_ref().map_or_else(|| "-".into(), target),
    ]
}

fn target(target: &TargetReport) -> String {
    let wanted = format!("{} % in {}", target.percent, bound(Duration::from_secs_f64(target.within)));
    let share = target.share.map_or_else(|| "nothing known".into(), |share| shown(&share));
    format!("{wanted}\n{share}\n{}", target.verdict.as_str())
}

/// `40 % (30..50)`; the two ends if nobody was watched for long enough to judge the rest by.
fn shown(share: &ReachedShare) -> String {
    let (least, most) = (percent(share.share), percent(share.most));
    let estimate = if least == most { least } else { format!("{:.0}-{most}", share.share * 100.0) };
    format!("{estimate} {}", ends(&share.interval))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn ends(interval: &ConfidenceInterval) -> String {
    format!("({:.0}..{:.0})", interval.low * 100.0, interval.high * 100.0)
}

/// Engagements that were handed back, next to those that count.
fn hand_backs(report: &GroupFigures, names: &ReportNames<'_>) -> String {
    let clock = |at: crate::core::Timestamp| at.to_utc().format("%H:%M:%S").to_string();
    let line = |back: &HandBackReport| {
        let (from, to) = (back.taken_at.to_utc().format("%Y-%m-%d %H:%M:%S"), clock(back.at));
        let (role, person) = (names.role(&back.role), names.person(&back.person));
        format!("  {} {role}: {person} from {from} to {to} UTC", back.incident)
    };
    let mut lines = vec![format!("Handed back {} time(s); only the engagement that stood counts:", report.hand_backs)];
    lines.extend(report.handed_back.iter().map(line));
    if let more @ 1.. = report.hand_backs.saturating_sub(report.handed_back.len()) {
        lines.push(format!("  and {more} older ones"));
    }
    lines.join("\n")
}

fn stages(roles: &[StageReport], names: &ReportNames<'_>) -> String {
    let first = roles.first().map(|role| role.stages.clone()).unwrap_or_default();
    let mut head = vec!["median".to_owned()];
    head.extend(roles.iter().map(|role| format!("{} ({})", names.role(&role.role), role.n)));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut rows = table::table(&head);
    table::fit(&mut rows, WIDTH);
    for (at, stage) in first.iter().enumerate() {
        let mut row = vec![stage.stage.as_str().to_owned()];
        row.extend(roles.iter().map(|role| {
            let Some(stage) = role.stages.get(at) else { return String::new() };
            let median = stage.median.map_or_else(|| "-".into(), span);
            if stage.reached == role.n { median } else { format!("{median} [{}]", stage.reached) }
        }));
        rows.add_row(row);
    }
    rows.to_string()
}

fn legend(report: &TteReport) -> String {
    let clock = match report.by {
        TteGrouping::Role | TteGrouping::Hour => {
            "A role's clock starts with its ladder: for a required one with the incident."
        }
        TteGrouping::Step => "A step's clock starts when it is entered; an answer to a page of it counts.",
        TteGrouping::Channel => "A channel's clock starts with its first page; an answer to a page of it counts.",
    };
    let mut lines = vec![
        clock.to_owned(),
        "Shares are of all roles: covered, stood down or closed without an answer is not".to_owned(),
        "engaged; only open ones are censored (Aalen-Johansen; 95 % intervals: log-log,".to_owned(),
        "for targets Clopper-Pearson). Kaplan-Meier: as if the others had been waited".to_owned(),
        "for; no target uses it. \"?\" and \"not reached\": fewer reached it.".to_owned(),
        "[n]: only n reached or reported it.".to_owned(),
    ];
    if report.by == TteGrouping::Hour {
        lines.push(format!("Hours are those of {}, when the incident was opened.", report.zone));
    }
    fitted(&lines.join("\n"))
}

/// The classifications of each trigger's incidents.
pub fn triggers(report: &TriggersReport) -> String {
    if report.triggers.is_empty() {
        return "no live incident to judge triggers by".into();
    }
    let mut rows =
        table::table(&["trigger", "incidents", "true", "false", "benign", "duplicate", "not said", "precision"]);
    for trigger in &report.triggers {
        rows.add_row(trigger_row(trigger));
    }
    table::fit(&mut rows, WIDTH);
    let mut text = format!(
        "{rows}\n\nPrecision: true ones among those with an outcome, with its 95 % interval\n(Clopper-Pearson). Drills \
         are left out. stentor resolve INC-1 --outcome true"
    );
    if 0 < report.sandboxed {
        let count = report.sandboxed;
        text.push_str(&format!("\nSANDBOX: pages of {count} of these incidents were sent to nobody"));
    }
    if 0 < report.unreadable {
        text.push_str(&format!("\n{} incident(s) left out: their journal can not be read", report.unreadable));
    }
    text
}

fn trigger_row(trigger: &TriggerReport) -> [String; 8] {
    let count = |finding: ClassificationKind| trigger.outcomes.get(&finding).copied().unwrap_or(0).to_string();
    let [yes, no, benign, duplicate] = ClassificationKind::ALL.map(count);
    let precision = match (trigger.precision, trigger.interval) {
        (Some(precision), Some(interval)) => format!("{} {}", percent(precision), ends(&interval)),
        _ => "-".into(),
    };
    [
        trigger.trigger.clone(),
        trigger.incidents.to_string(),
        yes,
        no,
        benign,
        duplicate,
        trigger.unsaid.to_string(),
        precision,
    ]
}

/// Seconds, short: `12ms`, `9.81s`, `45.2s`, `4m05s`, `2h03m`.
fn span(seconds: f64) -> String {
    let (sign, seconds) = if seconds < 0.0 { ("-", -seconds) } else { ("", seconds) };
    let whole = seconds.round() as u64;
    let text = if seconds < 0.9995 {
        format!("{:.0}ms", seconds * 1000.0)
    } else if seconds < 9.995 {
        format!("{seconds:.2}s")
    } else if seconds < 119.95 {
        format!("{seconds:.1}s")
    } else if whole < 7200 {
        format!("{}m{:02}s", whole / 60, whole % 60)
    } else {
        format!("{}h{:02}m", whole / 3600, whole % 3600 / 60)
    };
    format!("{sign}{text}")
}
