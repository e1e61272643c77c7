//! The timeline: who was called when and by which channel, the result of each page, and who answered.

use super::{FAINT, INK, LINE, MARK, PAPER, SERIES, SvgCanvas, TextAnchor, TimeScale, WIDTH, at, short};
use crate::{
    core::{AnswerVerdict, AnswerVia, ChannelName, Event, Page, PageState, RoleName},
    report::incident_timeline::{IncidentTimeline, RoleTimeline, seconds},
};
use std::collections::BTreeMap;

const ROW: f64 = 22.0;
const TOP: f64 = 40.0;
const LEFT: f64 = 200.0;

/// The largest number of pages and of answers that are drawn: more cannot be told apart. The title says so if there are
/// more.
const MARKS_MAX: usize = 2_000;

/// How many answers the text description lists for people who cannot see the picture; the rest is counted.
const TOLD_MAX: usize = 50;

/// The row label of answers without a page.
const NO_PAGE: &str = "command line";

type TimelineRows = BTreeMap<(RoleName, ChannelName), f64>;

/// One row for each role and channel.
pub fn timeline_picture(timeline: &IncidentTimeline, roles: &[RoleTimeline]) -> String {
    let rows = rows(timeline, roles);
    let height = TOP + ROW * rows.len() as f64 + 12.0 * roles.len() as f64 + 30.0;
    let id = timeline.incident.id;
    let title = format!("{id}: pages and answers{}", drawn(timeline));
    let mut canvas = SvgCanvas::new(&format!("timeline-{id}"), &title, &described(timeline), height);
    legend(&mut canvas);
    let opened = timeline.incident.opened_at;
    let most = roles.iter().map(|role| seconds(opened, role.until)).fold(0.1, f64::max) * 1.04;
    let scale = TimeScale { left: LEFT, right: WIDTH - 14.0, most };
    scale.axis(&mut canvas, TOP - 8.0, height - 28.0);
    labels(&mut canvas, roles, &rows);
    for role in roles {
        let Some(top) = rows.iter().filter(|((of, _), _)| *of == role.role).map(|(_, y)| *y).reduce(f64::min) else {
            continue;
        };
        for step in role.steps.iter().skip(1) {
            let x = scale.x(seconds(opened, step.entered_at));
            canvas.line((x, top - 12.0), (x, top + 6.0), FAINT, "stroke-dasharray=\"2 2\"");
            canvas.text(x + 3.0, top - 5.0, TextAnchor::Start, FAINT, &format!("step {}", step.step + 1));
        }
    }
    for page in briefs(timeline).take(MARKS_MAX) {
        let Some(role) = &page.role else { continue };
        if let Some(y) = rows.get(&(role.clone(), page.channel.clone())) {
            draw_page(&mut canvas, scale, timeline, page, *y);
        }
    }
    draw_answers(&mut canvas, scale, timeline, &rows);
    canvas.finish()
}

fn rows(timeline: &IncidentTimeline, roles: &[RoleTimeline]) -> TimelineRows {
    let mut rows = TimelineRows::new();
    let mut y = TOP;
    for role in roles {
        y += 12.0;
        let mut channels: Vec<ChannelName> = role.channels.keys().cloned().collect();
        if answers(timeline).any(|(whose, page, ..)| *whose == role.role && page.is_none()) || channels.is_empty() {
            channels.push(ChannelName::from(NO_PAGE));
        }
        for channel in channels {
            rows.insert((role.role.clone(), channel), y + ROW / 2.0);
            y += ROW;
        }
    }
    rows
}

fn labels(canvas: &mut SvgCanvas, roles: &[RoleTimeline], rows: &TimelineRows) {
    for role in roles {
        let of_role: Vec<_> = rows.iter().filter(|((of, _), _)| *of == role.role).collect();
        let top = of_role.iter().map(|(_, y)| **y).fold(f64::INFINITY, f64::min);
        if top.is_finite() {
            canvas.bold(4.0, top + 4.0, &short(&role.name));
            canvas.line((0.0, top - ROW / 2.0 - 5.0), (WIDTH, top - ROW / 2.0 - 5.0), LINE, "");
        }
        for ((_, channel), y) in of_role {
            canvas.text(LEFT - 8.0, *y + 4.0, TextAnchor::End, FAINT, &short(channel.as_str()));
        }
    }
}

fn legend(canvas: &mut SvgCanvas) {
    let mut x = 4.0;
    let mut says = |canvas: &mut SvgCanvas, what: &str| {
        canvas.text(x + 12.0, 18.0, TextAnchor::Start, FAINT, what);
        let here = x;
        x += 34.0 + 7.2 * what.len() as f64;
        here
    };
    let here = says(canvas, "accepted");
    dot(canvas, here, 14.0, SERIES[1], "");
    let here = says(canvas, "waited");
    dot(canvas, here, 14.0, PAPER, &format!("stroke=\"{FAINT}\""));
    let here = says(canvas, "not sent");
    square(canvas, here, 14.0, "kept in the sandbox, or stopped by the drill");
    let here = says(canvas, "unreachable");
    cross(canvas, here, 14.0, "unreachable");
    let here = says(canvas, "seen");
    canvas.bar((here - 3.0, 11.0), (6.0, 6.0), SERIES[3], "", "seen");
    let here = says(canvas, "an answer");
    diamond(canvas, here, 14.0, 4.0, SERIES[4], "an answer");
    let here = says(canvas, "it engages");
    diamond(canvas, here, 14.0, 6.0, SERIES[5], "the answer that engages");
}

fn draw_page(canvas: &mut SvgCanvas, scale: TimeScale, timeline: &IncidentTimeline, page: &Page, y: f64) {
    let since = |time| seconds(timeline.incident.opened_at, time);
    let person = page.person.as_ref().map_or("?", |person| person.as_str());
    let born = scale.x(since(page.born_at));
    let says = format!("page {} to {person} by {}, born {}", page.n, page.channel, at(since(page.born_at)));
    let says = page.remark().map_or(says.clone(), |remark| format!("{says}: {remark}"));
    match (page.state, page.stages.accepted) {
        _ if page.stand_in().is_some() || page.was_stopped() => {
            let kept = page.stages.kept.map_or(born, |kept| scale.x(since(kept)));
            square(canvas, kept, y, &format!("{says}, {}", page.standing()));
        }
        (_, Some(accepted)) => {
            let x = scale.x(since(accepted));
            canvas.line((born, y), (x, y), SERIES[1], "stroke-width=\"2\"");
            let more = format!("{says}, accepted {}", at(since(accepted)));
            canvas.path(&disc(x, y), SERIES[1], "", &more);
        }
        (PageState::Unreachable, None) => cross(canvas, born, y, &format!("{says}, {}", page.standing())),
        (_, None) => canvas.path(&disc(born, y), PAPER, &format!("stroke=\"{FAINT}\""), &says),
    }
    if let Some(seen) = page.stages.seen {
        let x = scale.x(since(seen));
        canvas.bar((x - 3.0, y - 3.0), (6.0, 6.0), SERIES[3], "", &format!("{person} saw it {}", at(since(seen))));
    }
}

/// Answers about a role: the role, the page, the time, whether it engaged, a description, the channel.
fn answers(
    timeline: &IncidentTimeline,
) -> impl Iterator<Item = (&RoleName, Option<u32>, f64, bool, String, Option<&ChannelName>)> {
    timeline.records.iter().filter_map(|record| match &record.event {
        Event::Answered { role: Some(role), person, answer, via, page, verdict, .. } => {
            let after = seconds(timeline.incident.opened_at, record.at);
            let by_itself = if *via == AnswerVia::AutoReply { " (automatic reply)" } else { "" };
            let says = format!("{person}: {answer}{by_itself}, {}", at(after));
            Some((role, *page, after, *verdict == AnswerVerdict::Engages, says, timeline.channel_of(&record.event)))
        }
        _ => None,
    })
}

fn draw_answers(canvas: &mut SvgCanvas, scale: TimeScale, timeline: &IncidentTimeline, rows: &TimelineRows) {
    for (role, page, after, engages, says, by) in answers(timeline).take(MARKS_MAX) {
        let page = page.and_then(|n| timeline.incident.pages.get(&n));
        let of_page = page.map_or_else(|| ChannelName::from(NO_PAGE), |page| page.channel.clone());
        // In the row of the answer's channel, if there is one: a desk page also shows pages of other channels.
        let own = by.and_then(|by| rows.get(&(role.clone(), by.clone())));
        let Some(y) = own.or_else(|| rows.get(&(role.clone(), of_page))) else { continue };
        let (size, colour) = if engages { (7.0, SERIES[5]) } else { (4.5, SERIES[4]) };
        diamond(canvas, scale.x(after), *y, size, colour, &says);
        if engages {
            let who = says.split(':').next().unwrap_or_default();
            let room = scale.x(after) < WIDTH - 90.0;
            let (x, anchor) = if room { (11.0, TextAnchor::Start) } else { (-11.0, TextAnchor::End) };
            canvas.text(scale.x(after) + x, *y + 4.0, anchor, INK, &short(who));
        }
    }
}

fn briefs(timeline: &IncidentTimeline) -> impl Iterator<Item = &Page> {
    timeline.incident.pages.values().map(|page| &**page).filter(|page| page.purpose.is_brief())
}

/// Which part of it is drawn, if not all.
fn drawn(timeline: &IncidentTimeline) -> String {
    let (pages, answers) = (briefs(timeline).count(), answers(timeline).count());
    let cut = |count: usize, what: &str| match count {
        0..=MARKS_MAX => None,
        _ => Some(format!("the first {MARKS_MAX} of {count} {what}")),
    };
    let cuts: Vec<String> = [cut(pages, "pages"), cut(answers, "answers")].into_iter().flatten().collect();
    if cuts.is_empty() { String::new() } else { format!(" ({} are drawn)", cuts.join(" and ")) }
}

fn described(timeline: &IncidentTimeline) -> String {
    let all = answers(timeline).count();
    let mut said: Vec<String> = answers(timeline)
        .map(|(role, .., says, _)| format!("{}: {says}", timeline.incident.plan.called(role)))
        .take(TOLD_MAX)
        .collect();
    if TOLD_MAX < all {
        said.push(format!("and {} more", all - TOLD_MAX));
    }
    let answers = if said.is_empty() { "none".into() } else { said.join("; ") };
    format!("{} pages. Answers: {answers}", briefs(timeline).count())
}

fn disc(x: f64, y: f64) -> String {
    format!("M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", x - 4.0)
}

fn dot(canvas: &mut SvgCanvas, x: f64, y: f64, fill: super::Colour, more: &str) {
    canvas.path(&disc(x, y), fill, more, "a page");
}

/// A mark for a page that its channel never had.
fn square(canvas: &mut SvgCanvas, x: f64, y: f64, says: &str) {
    let d = format!("M{:.1} {:.1}h8v8h-8z", x - 4.0, y - 4.0);
    canvas.path(&d, PAPER, &format!("stroke=\"{MARK}\" stroke-width=\"1.5\""), says);
}

fn cross(canvas: &mut SvgCanvas, x: f64, y: f64, says: &str) {
    let d = format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, y - 4.0);
    canvas.path(&d, "none", &format!("stroke=\"{MARK}\" stroke-width=\"2.5\""), says);
}

fn diamond(canvas: &mut SvgCanvas, x: f64, y: f64, size: f64, colour: super::Colour, says: &str) {
    let d = format!("M{x:.1} {:.1}l{size} {size}l-{size} {size}l-{size} -{size}z", y - size);
    canvas.path(&d, colour, &format!("stroke=\"{PAPER}\""), says);
}
