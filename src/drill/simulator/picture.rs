//! The picture of a simulation: the share of runs in which each role is engaged over time, one curve for each role and
//! what-if.

use crate::{
    core::{EngagementTarget, RoleName},
    drill::simulator::{setting::SimulationSetting, virtual_time::PlayedRun},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::Duration,
};

/// The size of the picture and the margins for text, in pixels.
const WIDE: f64 = 900.0;
const HIGH: f64 = 420.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 200.0;
const TOP: f64 = 40.0;
const BELOW: f64 = 50.0;

/// The largest number of points in one curve.
const POINTS: usize = 300;

/// Colours that people with red-green colour blindness can tell apart: Okabe and Ito (2008).
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "var(--ink, #1b1f24)"];

/// By night: the curves' colours are seen on both.
const NIGHT: &str = "<style>@media (prefers-color-scheme: dark){svg{background:#15181c;--ink:#e6e9ec;--faint:#9aa5b1;--line:#363c44;\
--paper:#15181c}}</style>";

/// Line styles of the what-ifs: the first is for the setting as it is.
const STROKES: [&str; 4] = ["none", "7 4", "2 3", "10 3 2 3"];

/// The curves of one setting.
pub struct SettingCurves {
    what_if: String,
    /// What the matrix wants of each role that is drawn.
    targets: BTreeMap<RoleName, EngagementTarget>,
    /// For each role: how many runs called it, and the sorted times of those in which it was engaged.
    roles: BTreeMap<RoleName, (usize, Vec<Duration>)>,
}

impl SettingCurves {
    /// The curves of these runs. Only roles that are required or have a hypothesis are drawn.
    pub fn of(what_if: &str, setting: &SimulationSetting<'_>, runs: &[PlayedRun]) -> Self {
        let mut roles: BTreeMap<RoleName, (usize, Vec<Duration>)> = BTreeMap::new();
        for (role, analysis) in runs.iter().flat_map(|run| &run.observed.roles) {
            let drawn = analysis.required || setting.scenario().hypotheses.iter().any(|h| h.about.is_role(role));
            if drawn {
                let (called, times) = roles.entry(role.clone()).or_default();
                *called += 1;
                times.extend(analysis.engaged);
            }
        }
        roles.values_mut().for_each(|(_, times)| times.sort());
        let targets = roles.keys().filter_map(|role| Some((role.clone(), setting.target(role)?))).collect();
        Self { what_if: what_if.to_owned(), targets, roles }
    }
}

/// Draws curves as SVG, and where each role's target lies: a dotted line down from its percentage at its time. The time
/// axis ends where the last 0.1 % of engagements are reached or the last target lies, and at `ends` at the latest.
pub fn draw(title: &str, ends: Duration, all: &[SettingCurves]) -> String {
    let latest = all.iter().flat_map(|curves| curves.roles.values()).filter_map(|(_, times)| {
        let at = (times.len() as f64 * 0.995) as usize;
        times.get(at.min(times.len().saturating_sub(1))).copied()
    });
    let targets = all.iter().flat_map(|curves| curves.targets.values()).map(|target| target.within);
    let span = latest.chain(targets).max().unwrap_or(ends).min(ends).max(Duration::from_secs(1)).as_secs_f64();
    let mut svg = frame(title, span);
    let names: BTreeSet<&RoleName> = all.iter().flat_map(|curves| curves.roles.keys()).collect();
    let mut line = 0;
    for (colour, role) in COLOURS.iter().cycle().zip(names) {
        for (stroke, curves) in STROKES.iter().cycle().zip(all) {
            let Some((called, times)) = curves.roles.get(role) else { continue };
            let path = path(times, *called, span);
            let _ = write!(
                svg,
                "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{stroke}\"/>"
            );
            let (x, y) = (WIDE - RIGHT + 16.0, TOP + 8.0 + 18.0 * f64::from(line));
            let name = escaped(&format!("{role}, {}", curves.what_if));
            let _ = write!(
                svg,
                "<path d=\"M{x} {y}h24\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{stroke}\"/><text x=\"{}\" y=\"{}\">{name}</text>",
                x + 30.0,
                y + 4.0
            );
            line += 1;
        }
        if let Some(target) = all.iter().find_map(|curves| curves.targets.get(role)) {
            svg.push_str(&target_line(target, colour, span, TOP + 8.0 + 18.0 * f64::from(line)));
            line += 1;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The target of one role, with its words at this height of the legend; only the words where the axis ends before it.
fn target_line(target: &EngagementTarget, colour: &str, span: f64, legend: f64) -> String {
    let (right, bottom) = (WIDE - RIGHT, HIGH - BELOW);
    let within = target.within.as_secs_f64();
    let (x, y) = (LEFT + (right - LEFT) * within / span, bottom - (bottom - TOP) * target.percent / 100.0);
    let mut svg = String::new();
    if within <= span {
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{x:.1}V{bottom}\" fill=\"none\" stroke=\"{colour}\" stroke-dasharray=\"1 4\" \
             stroke-width=\"1.5\"/><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{colour}\"/>"
        );
    }
    let _ = write!(
        svg,
        "<circle cx=\"{}\" cy=\"{legend}\" r=\"5\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\">target {} % in {}</text>",
        right + 28.0,
        right + 46.0,
        legend + 4.0,
        target.percent,
        humantime::format_duration(target.within)
    );
    svg
}

fn frame(title: &str, span: f64) -> String {
    let (right, bottom) = (WIDE - RIGHT, HIGH - BELOW);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDE} {HIGH}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"var(--ink, #1b1f24)\">{NIGHT}<rect width=\"{WIDE}\" height=\"{HIGH}\" fill=\"var(--paper, #ffffff)\"/><text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{}: engaged by when</text>",
        escaped(title)
    );
    for tenth in 0..=4 {
        let (share, y) = (f64::from(tenth) / 4.0, bottom - (bottom - TOP) * f64::from(tenth) / 4.0);
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {y}H{right}\" stroke=\"var(--line, #d5dae0)\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.0} %</text>",
            LEFT - 8.0,
            y + 4.0,
            100.0 * share
        );
    }
    let step = round_step(span / 6.0);
    let mut at = 0.0;
    while at <= span {
        let x = LEFT + (right - LEFT) * at / span;
        let _ = write!(
            svg,
            "<path d=\"M{x:.1} {bottom}v5\" stroke=\"var(--faint, #59636e)\"/><text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            bottom + 19.0,
            humantime::format_duration(Duration::from_secs_f64(at))
        );
        at += step;
    }
    let _ =
        write!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">since the incident opened</text>", right, HIGH - 10.0);
    svg
}

/// A step size that fits clock times: seconds, then minutes.
fn round_step(at_least: f64) -> f64 {
    const STEPS: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
    STEPS.into_iter().find(|step| at_least <= *step).unwrap_or(7200.0)
}

fn path(times: &[Duration], called: usize, span: f64) -> String {
    let (right, bottom) = (WIDE - RIGHT, HIGH - BELOW);
    let mut path = format!("M{LEFT} {bottom}");
    for point in 1..=POINTS {
        let at = span * point as f64 / POINTS as f64;
        let share = times.partition_point(|time| time.as_secs_f64() <= at) as f64 / called.max(1) as f64;
        let (x, y) = (LEFT + (right - LEFT) * at / span, bottom - (bottom - TOP) * share);
        let _ = write!(path, "L{x:.1} {y:.1}");
    }
    path
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_where_its_share_and_its_time_meet_and_the_picture_has_a_night() {
        let role = RoleName::from("trader");
        let target = EngagementTarget { within: Duration::from_secs(60), percent: 90.0 };
        let of = |times: Vec<Duration>| SettingCurves {
            what_if: "as it is".to_owned(),
            targets: BTreeMap::from([(role.clone(), target)]),
            roles: BTreeMap::from([(role.clone(), (times.len(), times))]),
        };
        let svg =
            draw("crash", Duration::from_secs(300), &[of(vec![Duration::from_secs(10), Duration::from_secs(120)])]);
        // Half of two minutes, nine tenths up.
        let (x, y) = (LEFT + (WIDE - RIGHT - LEFT) / 2.0, HIGH - BELOW - (HIGH - BELOW - TOP) * 0.9);
        assert!(svg.contains(&format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\"")), "{svg}");
        assert!(svg.contains(">target 90 % in 1m</text>") && svg.contains("prefers-color-scheme: dark"), "{svg}");
        // A crisis that ends before it has the words alone.
        let short = draw("crash", Duration::from_secs(30), &[of(vec![Duration::from_secs(10)])]);
        assert!(short.contains(">target 90 % in 1m</text>") && !short.contains("V370"), "{short}");
    }
}
