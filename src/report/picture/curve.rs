//! The share that is engaged over time, of all that were called, with its interval.

use super::{BAND, Colour, FAINT, LINE, MARK, SERIES, SvgCanvas, TextAnchor, TimeScale, WIDTH, short, tick};
use crate::report::{
    ended::Endings,
    group::{CurvePoint, GroupReport},
    survival::CurveQuantile,
};
use std::{fmt::Write, time::Duration};

const TOP: f64 = 50.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 54.0;

/// One curve of a picture.
#[derive(Debug, Clone)]
pub struct PlotLine {
    /// Its name.
    pub name: String,
    /// The number of engagements.
    pub n: usize,
    /// How they ended.
    pub ended: Endings,
    /// The median, in seconds.
    pub median: CurveQuantile,
    /// The points in order of time.
    pub points: Vec<CurvePoint>,
}

impl From<&GroupReport> for PlotLine {
    fn from(group: &GroupReport) -> Self {
        let points = group.curve.clone();
        Self { name: group.name.clone(), n: group.n, ended: group.ended, median: group.p50, points }
    }
}

/// The curves of at most six groups; the interval is drawn only for a single group. `target` is a time limit and the
/// share (0 to 1) that must be reached by then.
pub fn curves(title: &str, lines: &[PlotLine], target: Option<(Duration, f64)>) -> String {
    let lines = lines.get(..lines.len().min(SERIES.len())).unwrap_or(lines);
    let mut canvas = SvgCanvas::new("engaged", title, &described(lines), HEIGHT);
    let bound = target.map_or(0.0, |(within, _)| within.as_secs_f64());
    let longest = lines.iter().filter_map(|line| line.points.last()).map(|point| point.time);
    let most = longest.fold(bound.max(0.1), f64::max) * 1.04;
    let scale = TimeScale { left: LEFT, right: WIDTH - 14.0, most };
    let bottom = HEIGHT - 28.0;
    scale.axis(&mut canvas, TOP, bottom);
    let y = |share: f64| bottom - (bottom - TOP) * share;
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        canvas.line((LEFT, y(share)), (WIDTH - 14.0, y(share)), LINE, "");
        canvas.text(LEFT - 6.0, y(share) + 4.0, TextAnchor::End, FAINT, &format!("{:.0} %", share * 100.0));
    }
    if let [only] = lines {
        band(&mut canvas, scale, &only.points, &y);
    }
    for (line, colour) in lines.iter().zip(COLOURS) {
        steps(&mut canvas, scale, line, colour, &y);
    }
    legend(&mut canvas, lines);
    if let Some((within, share)) = target {
        let x = scale.x(within.as_secs_f64());
        canvas.line((x, y(0.0)), (x, y(share)), MARK, "stroke-dasharray=\"5 3\" stroke-width=\"1.5\"");
        canvas.line((LEFT, y(share)), (x, y(share)), MARK, "stroke-dasharray=\"5 3\" stroke-width=\"1.5\"");
        let says = format!("target: {:.0} % within {}", share * 100.0, tick(within.as_secs_f64()));
        canvas.text(x + 6.0, y(0.04), TextAnchor::Start, MARK, &says);
    }
    canvas.finish()
}

/// Colours that are easiest to tell apart come first.
const COLOURS: [Colour; 6] = [SERIES[1], SERIES[3], SERIES[5], SERIES[4], SERIES[2], SERIES[0]];

fn described(lines: &[PlotLine]) -> String {
    let said = lines.iter().map(|line| {
        let median = super::super::words::quantile(&line.median);
        format!("{}, of {}: {}; median {median}", line.name, line.n, line.ended)
    });
    said.collect::<Vec<_>>().join(". ")
}

fn legend(canvas: &mut SvgCanvas, lines: &[PlotLine]) {
    let mut x = LEFT;
    for (line, colour) in lines.iter().zip(COLOURS) {
        let name = format!("{} ({} of {})", short(&line.name), line.ended.engaged, line.n);
        canvas.bar((x, 14.0), (14.0, 4.0), colour, "", &format!("{}: {}", line.name, line.ended));
        canvas.text(x + 19.0, 20.0, TextAnchor::Start, FAINT, &name);
        x += 34.0 + 7.2 * name.chars().count() as f64;
    }
    if let [only] = lines {
        canvas.text(LEFT, 37.0, TextAnchor::Start, FAINT, &only.ended.to_string());
    }
}

fn steps(canvas: &mut SvgCanvas, scale: TimeScale, line: &PlotLine, colour: Colour, y: &impl Fn(f64) -> f64) {
    let mut d = format!("M{:.1} {:.1}", scale.x(0.0), y(0.0));
    let (mut open, mut ended) = (String::new(), String::new());
    for point in &line.points {
        let (x, y) = (scale.x(point.time), y(point.share));
        let _ = write!(d, "H{x:.1}V{y:.1}");
        if 0 < point.censored {
            let _ = write!(open, "M{x:.1} {:.1}v10", y - 5.0);
        }
        if 0 < point.ended {
            let _ = write!(ended, "M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, y - 4.0);
        }
    }
    let stroke = format!("stroke=\"{colour}\" stroke-width=\"2\"");
    canvas.path(&d, "none", &stroke, &line.name);
    let marks = [(open, "not engaged when last looked at"), (ended, "covered, stood down or closed without an answer")];
    for (marks, says) in marks.iter().filter(|(marks, _)| !marks.is_empty()) {
        canvas.path(marks, "none", &stroke, &format!("{}: {says}", line.name));
    }
}

fn band(canvas: &mut SvgCanvas, scale: TimeScale, points: &[CurvePoint], y: &impl Fn(f64) -> f64) {
    let known: Vec<(f64, f64, f64)> =
        points.iter().filter_map(|point| Some((point.time, point.low?, point.high?))).collect();
    let mut d = format!("M{:.1} {:.1}", scale.x(0.0), y(0.0));
    for (time, _, high) in &known {
        let _ = write!(d, "H{:.1}V{:.1}", scale.x(*time), y(*high));
    }
    let mut ends = known.iter().rev().peekable();
    while let Some((time, low, _)) = ends.next() {
        let before = ends.peek().map_or(0.0, |(_, low, _)| *low);
        let _ = write!(d, "L{:.1} {:.1}L{:.1} {:.1}", scale.x(*time), y(*low), scale.x(*time), y(before));
    }
    d.push('Z');
    canvas.path(&d, BAND, "", "95 % interval");
}
