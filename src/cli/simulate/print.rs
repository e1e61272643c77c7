//! Prints the result of a simulation: a table of 80 columns, and below it what each hypothesis depends on.

use super::history;
use crate::{
    cli::{
        simulate::figures::{percent, time},
        table::{TextTable, fit, say, table},
    },
    core::Timestamp,
    drill::{
        HypothesisResult, Scenario,
        analysis::{response_history::FittedModel, score::HypothesisVerdict},
        simulator::simulate::{RoleOutlook, SimulationSummary, TimeQuantile},
    },
};
use std::collections::BTreeSet;

/// The widest table.
const WIDTH: usize = 80;

pub fn print(
    scenario: &Scenario,
    seed: u64,
    start: Timestamp,
    summaries: &[SimulationSummary],
    fitted: Option<&FittedModel>,
) {
    let Some(base) = summaries.first() else { return };
    say(&format!("{}: {}", scenario.name, scenario.summary));
    say(&format!("{} runs, seed {seed}, from {}", base.runs, start.to_utc().format("%Y-%m-%d %H:%M:%S UTC")));
    match fitted {
        Some(fitted) => say(&history::fit_summary(fitted)),
        None => say(&format!("{}\n", assumed(scenario))),
    }
    println!("{}", roles(summaries));
    for outlook in summaries {
        let beside = if 1 < summaries.len() { format!(" {}:", outlook.what_if) } else { String::new() };
        for finding in &outlook.score.findings {
            say(&format!("{:>8} {beside}{}", finding.verdict, sentence(finding)));
        }
        for role in &outlook.roles {
            others(role, &beside);
            moments(role, &beside, scenario);
        }
    }
    say("\nShares and times are of all runs that called the role, engaged in them or not;");
    say("- is beyond the drill's end. Intervals: 95 %, Clopper-Pearson.");
}

/// What the result is based on.
fn assumed(scenario: &Scenario) -> String {
    let people = scenario.response_models.values().filter(|response_models| response_models.answers.is_some()).count();
    let all = scenario.everyone.answers.is_some();
    match (all, people) {
        (true, _) => "How people answer is what the scenario says.".into(),
        (false, 0) => {
            "How people answer is assumed (`[everyone]` in the guide's page on scenarios): put your own into the scenario."
                .into()
        }
        (false, n) => format!("How people answer is what the scenario says of {n} of them, and assumed of the others."),
    }
}

fn roles(summaries: &[SimulationSummary]) -> TextTable {
    let compared = 1 < summaries.len();
    let columns: &[&str] = if compared {
        &["role", "what if", "in time", "p50", "p90", "p99"]
    } else {
        &["role", "called", "in time", "p50", "p90", "p99"]
    };
    let mut table = table(columns);
    fit(&mut table, WIDTH);
    let names: BTreeSet<_> = summaries.iter().flat_map(|outlook| &outlook.roles).map(|role| &role.role).collect();
    for name in names {
        for outlook in summaries {
            let Some(role) = outlook.roles.iter().find(|role| role.role == *name) else { continue };
            let second =
                if compared { outlook.what_if.clone() } else { percent(role.called as f64 / outlook.runs as f64) };
            let at_all = || format!("{} at all", percent(role.engaged as f64 / role.called.max(1) as f64));
            let in_time = role.in_time.and_then(|target| Some((target.share?, target.within)));
            let in_time = in_time.map_or_else(at_all, |(share, within)| {
                let (low, high) = (100.0 * share.interval.low, 100.0 * share.interval.high);
                format!("{} ({low:.1}-{high:.1}) {}", percent(share.share), time(within))
            });
            let [p50, p90, p99] = role.quantiles.map(quantile);
            table.add_row([name.to_string(), second, in_time, p50, p90, p99]);
        }
    }
    table
}

/// One line for each hypothesis: the data, their uncertainty, and what the result depends on.
fn sentence(finding: &HypothesisResult) -> String {
    let seen =
        finding.share().map_or_else(|| "it was not observed".into(), |share| format!("{} in time", percent(share)));
    let sure = if finding.verdict == HypothesisVerdict::TooFew { ", too close or too few to be sure" } else { "" };
    let hangs = match &finding.bottleneck {
        Some(found) if finding.verdict != HypothesisVerdict::Held => {
            format!("\n         held up by {} ({} of that time)", found.cause, percent(found.share))
        }
        _ => String::new(),
    };
    format!(" {}: {seen}{sure}{hangs}", finding.hypothesis)
}

/// How the runs ended in which a role was not engaged.
fn others(role: &RoleOutlook, beside: &str) {
    if role.engaged < role.called {
        say(&format!("         {beside} {} in {} runs: {}", role.role, role.called, role.ended));
    }
}

/// For scenarios with repeated alerts and a moment that waits for nobody: how far it had got in half of the runs.
fn moments(role: &RoleOutlook, beside: &str, scenario: &Scenario) {
    let sent = scenario.reports().len();
    let Some(alerts) = role.alerts.filter(|_| 1 < sent && !scenario.moments.is_empty() && role.in_time.is_some())
    else {
        return;
    };
    let lead = |seconds: f64| {
        let side = if seconds < 0.0 { "after" } else { "before" };
        format!("{} {side}", time(seconds.abs()))
    };
    let before: Vec<String> = role
        .before
        .iter()
        .filter_map(|before| before.seconds.map(|seconds| format!(", {} {}", lead(seconds), before.what)))
        .collect();
    say(&format!("         {beside} {}: engaged after alert {alerts} of {sent}{} (p50)", role.role, before.concat()));
}

fn quantile(quantile: TimeQuantile) -> String {
    quantile.seconds.map_or_else(|| "-".into(), time)
}
