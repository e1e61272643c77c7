//! Pictures as SVG, written by hand. They have a title and a description, follow the page's dark mode, contain no
//! scripts and load nothing, and all text in them is escaped.

mod curve;
mod timeline;
mod waterfall;

use crate::{
    core::Timestamp,
    report::{
        incident_timeline::IncidentTimeline,
        sheet::{DocumentPictures, escape},
        words::span,
    },
};
pub use curve::{PlotLine, curves};
pub use timeline::timeline_picture;
pub use waterfall::waterfall;

use std::fmt::Write;

/// The width of every picture.
pub const WIDTH: f64 = 720.0;

/// The longest name that is drawn, in characters.
const NAME_MAX: usize = 18;

/// A colour for light mode, with a CSS variable through which the page overrides it in dark mode.
pub type Colour = &'static str;

const INK: Colour = "var(--ink, #1b1f24)";
const FAINT: Colour = "var(--faint, #59636e)";
const LINE: Colour = "var(--line, #d5dae0)";
const MARK: Colour = "var(--mark, #b3001b)";
const BAND: Colour = "var(--band, #4878cf33)";
const PAPER: Colour = "var(--paper, #ffffff)";
const SERIES: [Colour; 6] = [
    "var(--s1, #7a8794)",
    "var(--s2, #4878cf)",
    "var(--s3, #2a9d8f)",
    "var(--s4, #e9a23b)",
    "var(--s5, #c05aa0)",
    "var(--s6, #0a7a3d)",
];

const NIGHT: &str = "<style>@media (prefers-color-scheme: dark){svg{background:#15181c;--ink:#e6e9ec;--faint:#9aa5b1;\
--line:#363c44;--mark:#ff7b86;--band:#7ea6f044;--paper:#15181c;--s1:#93a0ad;--s2:#7ea6f0;--s3:#5cc8bb;--s4:#f0bc6a;\
--s5:#e08bc6;--s6:#5fd38d}}</style>";

/// Adds the pictures of one incident to a document's.
pub fn add_to(pictures: &mut DocumentPictures, timeline: &IncidentTimeline, now: Timestamp) {
    let (id, roles) = (timeline.incident.id, timeline.roles(now));
    pictures.add(format!("waterfall {id}"), waterfall(&id.to_string(), &roles));
    pictures.add(format!("timeline {id}"), timeline_picture(timeline, &roles));
}

/// The same picture as a file of its own, with its own dark mode.
pub fn standalone(svg: &str) -> String {
    match svg.split_once('>') {
        Some((open, rest)) => format!("{open}>{NIGHT}{rest}"),
        None => svg.to_owned(),
    }
}

/// A picture under construction. Writing to a `String` cannot fail, so the results are ignored.
struct SvgCanvas(String);

/// Where a text is anchored.
#[derive(Clone, Copy)]
enum TextAnchor {
    Start,
    Middle,
    End,
}

impl TextAnchor {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

impl SvgCanvas {
    /// `name` keeps this picture's title distinct from those of others on the same page.
    fn new(name: &str, title: &str, description: &str, height: f64) -> Self {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let (title, description) = (escape(title), escape(description));
        Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
             height=\"{height:.0}\" role=\"img\" aria-labelledby=\"{name}-t {name}-d\" font-size=\"13\" \
             font-family=\"system-ui, 'DejaVu Sans', sans-serif\"><title id=\"{name}-t\">{title}</title>\
             <desc id=\"{name}-d\">{description}</desc>\n"
        ))
    }

    fn text(&mut self, x: f64, y: f64, anchor: TextAnchor, colour: Colour, text: &str) {
        let (anchor, text) = (anchor.as_str(), escape(text));
        let _ = writeln!(
            self.0,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>"
        );
    }

    fn bold(&mut self, x: f64, y: f64, text: &str) {
        let text = escape(text);
        let _ = writeln!(self.0, "<text x=\"{x:.1}\" y=\"{y:.1}\" font-weight=\"600\" fill=\"{INK}\">{text}</text>");
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour, more: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.0,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" {more}/>"
        );
    }

    /// A bar with a tooltip.
    fn bar(&mut self, at: (f64, f64), size: (f64, f64), colour: Colour, more: &str, says: &str) {
        let ((x, y), (width, height), says) = (at, size, escape(says));
        let _ = writeln!(
            self.0,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\" {more}>\
             <title>{says}</title></rect>"
        );
    }

    /// A path that we generate ourselves.
    fn path(&mut self, d: &str, fill: Colour, more: &str, says: &str) {
        let says = escape(says);
        let _ = writeln!(self.0, "<path d=\"{d}\" fill=\"{fill}\" {more}><title>{says}</title></path>");
    }

    fn finish(mut self) -> String {
        self.0.push_str("</svg>");
        self.0
    }
}

/// Converts seconds to points.
#[derive(Clone, Copy)]
struct TimeScale {
    left: f64,
    right: f64,
    most: f64,
}

impl TimeScale {
    fn x(&self, seconds: f64) -> f64 {
        self.left + (self.right - self.left) * (seconds / self.most).clamp(0.0, 1.0)
    }

    /// Round values for an axis, about six of them.
    fn ticks(&self) -> Vec<f64> {
        const STEPS: [f64; 18] = [
            0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
            14_400.0, 86_400.0,
        ];
        let step = STEPS.into_iter().find(|step| self.most / step <= 7.0).unwrap_or(self.most / 5.0);
        (0..=8).map(|n| f64::from(n) * step).take_while(|at| *at <= self.most).collect()
    }

    fn axis(&self, canvas: &mut SvgCanvas, top: f64, bottom: f64) {
        for at in self.ticks() {
            let x = self.x(at);
            canvas.line((x, top), (x, bottom), LINE, "stroke-width=\"1\"");
            canvas.text(x, bottom + 16.0, TextAnchor::Middle, FAINT, &tick(at));
        }
    }
}

/// `0`, `30 s`, `2 min`.
fn tick(seconds: f64) -> String {
    match seconds {
        0.0 => "0".into(),
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s if s < 60.0 || (s < 120.0 && s % 60.0 != 0.0) => format!("{s:.0} s"),
        s if s % 60.0 != 0.0 && s < 600.0 => format!("{:.1} min", s / 60.0),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3600.0),
    }
}

/// A name, shortened to fit its column.
fn short(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_MAX - 1).chain(['…']).collect()
}

/// A time as it is shown in a tooltip.
fn at(seconds: f64) -> String {
    format!("{} after opening", span(seconds))
}
