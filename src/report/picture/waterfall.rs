//! The waterfall: how long each stage took, for each role.

use super::{FAINT, INK, MARK, SERIES, SvgCanvas, TextAnchor, TimeScale, WIDTH, short};
use crate::report::{
    incident_timeline::{RoleTimeline, seconds},
    words::span,
};

const ROW: f64 = 34.0;
const TOP: f64 = 44.0;
const LEFT: f64 = 180.0;

/// The smallest width of a bar, so that it can be seen.
const THIN: f64 = 1.5;

/// The stages; the colour of a bar is that of the stage that it ends with.
const STAGES: [&str; 6] = ["sent", "accepted", "delivered", "seen", "answered", "engaged"];

/// One bar for each role, divided into the intervals between stages.
pub fn waterfall(name: &str, roles: &[RoleTimeline]) -> String {
    let height = TOP + ROW * roles.len() as f64 + 30.0;
    let said: Vec<String> = roles.iter().map(described).collect();
    let title = format!("{name}: stages of each role");
    let mut canvas = SvgCanvas::new(&format!("waterfall-{name}"), &title, &said.join(". "), height);
    legend(&mut canvas);
    let bound = |role: &RoleTimeline| role.target.map_or(0.0, |target| target.within.as_secs_f64());
    let most = roles.iter().map(|role| role.seconds().max(bound(role))).fold(0.1, f64::max) * 1.04;
    let scale = TimeScale { left: LEFT, right: WIDTH - 14.0, most };
    scale.axis(&mut canvas, TOP - 6.0, height - 28.0);
    for (row, role) in roles.iter().enumerate() {
        bar(&mut canvas, scale, role, TOP + ROW * row as f64);
    }
    canvas.finish()
}

fn described(role: &RoleTimeline) -> String {
    let target = role.target.map_or(String::new(), |t| format!(", target {}", span(t.within.as_secs_f64())));
    let state = if role.engaged { "engaged after" } else { "not engaged within" };
    let backs = match role.handed_back.len() {
        0 => String::new(),
        1 => ", handed back once before that".to_owned(),
        times => format!(", handed back {times} times before that"),
    };
    format!("{}: {state} {}{backs}{target}", role.name, span(role.seconds()))
}

fn legend(canvas: &mut SvgCanvas) {
    let mut x = LEFT;
    for (stage, colour) in STAGES.iter().zip(SERIES) {
        canvas.bar((x, 8.0), (11.0, 11.0), colour, "rx=\"2\"", &format!("until {stage}"));
        canvas.text(x + 16.0, 18.0, TextAnchor::Start, FAINT, stage);
        x += 30.0 + 7.6 * stage.len() as f64;
    }
    canvas.line((x + 4.0, 6.0), (x + 4.0, 22.0), MARK, "stroke-width=\"2\"");
    canvas.text(x + 10.0, 18.0, TextAnchor::Start, FAINT, "target");
}

fn bar(canvas: &mut SvgCanvas, scale: TimeScale, role: &RoleTimeline, y: f64) {
    canvas.bold(4.0, y + 12.0, &short(&role.name));
    canvas.text(4.0, y + 26.0, TextAnchor::Start, FAINT, &took(role));
    let stages = role.stages;
    let times = [stages.sent, stages.accepted, stages.delivered, stages.seen, stages.answered, stages.engaged];
    let mut known: Vec<(f64, usize)> = times
        .into_iter()
        .enumerate()
        .filter_map(|(stage, at)| Some((seconds(role.entered_at, at?), stage)))
        .filter(|(at, _)| *at <= role.seconds())
        .collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    // If stages happened at the same moment, the last one shows what was waited for.
    let all = known.clone();
    known.retain(|(at, stage)| !all.iter().any(|(other, later)| other == at && stage < later));
    let mut from = 0.0;
    for (at, stage) in known {
        let (stage, colour) = (STAGES.get(stage).copied().unwrap_or_default(), SERIES.get(stage).copied());
        let width = (scale.x(at) - scale.x(from)).max(THIN);
        let says = format!("{}: {} until {stage}", role.name, span(at - from));
        canvas.bar((scale.x(from), y + 2.0), (width, 18.0), colour.unwrap_or(INK), "", &says);
        from = at.max(from);
    }
    for back in &role.handed_back {
        let [taken, at] = [back.taken_at, back.at].map(|time| scale.x(seconds(role.entered_at, time)));
        let says = format!(
            "{}: {} had it for {} and handed it back",
            role.name,
            back.person,
            span(seconds(back.taken_at, back.at))
        );
        let dashed = format!("stroke=\"{MARK}\" stroke-dasharray=\"2 2\"");
        canvas.bar((taken, y + 2.0), ((at - taken).max(THIN), 18.0), "none", &dashed, &says);
    }
    if !role.engaged {
        let says = format!("{}: {} more, and not engaged", role.name, span(role.seconds() - from));
        let width = (scale.x(role.seconds()) - scale.x(from)).max(THIN);
        let dashed = format!("stroke=\"{MARK}\" stroke-dasharray=\"4 3\"");
        canvas.bar((scale.x(from), y + 2.0), (width, 18.0), "none", &dashed, &says);
    }
    if let Some(target) = role.target {
        let x = scale.x(target.within.as_secs_f64());
        canvas.line((x, y - 2.0), (x, y + 24.0), MARK, "stroke-width=\"2\"");
    }
}

fn took(role: &RoleTimeline) -> String {
    if role.engaged { span(role.seconds()) } else { format!("not engaged, {}", span(role.seconds())) }
}
