//! `stentor report handoffs`, as a table.

use crate::{
    cli::table,
    report::{
        handoffs::{HandoffGroup, HandoffShare, HandoffsReport},
        survival::CurveQuantile,
    },
};

/// The report as a table that 80 columns have room for.
pub fn handoffs(report: &HandoffsReport) -> String {
    if report.whole.handoffs == 0 {
        let left_out = report.sandboxed_left_out;
        let sandbox = if 0 < left_out { format!(" ({left_out} in the sandbox left out)") } else { String::new() };
        return format!("no conversation was handed over{sandbox}");
    }
    let by = report.by.as_str();
    let mut rows = table::table(&[by, "n", "taken", "connected", "done", "left", "nobody", "unneeded"]);
    for group in report.groups.iter().chain([&report.whole]) {
        rows.add_row(row(group));
    }
    let mut text = format!(
        "{rows}\n\nMedian times with their 95 % intervals (Kaplan-Meier): until a person had it,\nspoke to the user, was \
         done. left: users gone before anybody had it.\nnobody: not taken in time. unneeded: of the finished ones, \
         by the people who\nfinished them."
    );
    for (count, what) in [
        (report.whole.out_of_hours, "came out of hours: nobody was asked"),
        (report.whole.returned, "given back to the machine"),
        (report.sandboxed_left_out, "left out: pages of them were kept in the sandbox"),
        (report.unreadable, "incident(s) left out: their journal can not be read"),
    ] {
        if 0 < count {
            text.push_str(&format!("\n{count} {what}"));
        }
    }
    text
}

fn row(group: &HandoffGroup) -> [String; 8] {
    [
        group.name.clone(),
        group.handoffs.to_string(),
        median(&group.taken),
        median(&group.connected),
        median(&group.done),
        share(&group.left),
        share(&group.unanswered),
        share(&group.not_needed),
    ]
}

fn median(quantile: &CurveQuantile) -> String {
    let Some(time) = quantile.time else { return "-".to_owned() };
    let end = |seconds: Option<f64>, round: fn(f64) -> f64| seconds.map_or("?".to_owned(), |of| coarse(of, round));
    format!("{}\n{}..{}", table::span(time * 1000.0), end(quantile.low, f64::floor), end(quantile.high, f64::ceil))
}

/// An end of an interval in few letters; it is rounded away from the middle.
fn coarse(seconds: f64, round: fn(f64) -> f64) -> String {
    match seconds {
        seconds if seconds < 100.0 => format!("{:.0}s", round(seconds)),
        seconds if seconds < 6_000.0 => format!("{:.0}m", round(seconds / 60.0)),
        seconds => format!("{:.0}h", round(seconds / 3_600.0)),
    }
}

fn share(share: &HandoffShare) -> String {
    let Some(interval) = share.interval else { return "-".to_owned() };
    format!("{}/{}\n{:.0}..{:.0}%", share.count, share.of, interval.low * 100.0, interval.high * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::Timestamp,
        report::{handoffs::HandoffGrouping, survival::ConfidenceInterval},
    };

    #[test]
    fn it_fits_a_terminal_of_80_columns() {
        let quantile = CurveQuantile { time: Some(155.2), low: Some(61.7), high: Some(1_210.0) };
        let interval = Some(ConfidenceInterval { low: 0.07, high: 0.31 });
        let part = HandoffShare { count: 120, of: 812, interval };
        let group = |name: &str| HandoffGroup {
            name: name.to_owned(),
            handoffs: 1_204,
            out_of_hours: 3,
            taken: quantile,
            connected: quantile,
            done: quantile,
            left: part,
            unanswered: part,
            not_needed: part,
            returned: 4,
        };
        let report = HandoffsReport {
            since: None,
            until: Timestamp::from_micros(0),
            by: HandoffGrouping::Reason,
            zone: "UTC".to_owned(),
            sandboxed_left_out: 1,
            unreadable: 1,
            groups: vec![group("low-confidence")],
            whole: group("all"),
        };
        let text = handoffs(&report);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("low-confidence") && text.contains("120/812"), "{text}");
    }
}
