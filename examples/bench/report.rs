//! Figures of all rounds, as a table for people or as JSON.

use super::subject::Subject;
use serde_json::json;
use std::collections::BTreeMap;

/// All figures.
#[derive(Debug, Default)]
pub struct Report {
    fsync_ms: (f64, f64),
    measures: Vec<String>,
    figures: BTreeMap<(String, &'static str), Vec<f64>>,
    /// Pages that came twice.
    pub strays: usize,
}

impl Report {
    pub fn new(fsync_ms: (f64, f64)) -> Self {
        Self { fsync_ms, ..Self::default() }
    }

    /// One round's figure.
    pub fn add(&mut self, subject: &Subject, measure: &str, figure: f64) {
        if !self.measures.iter().any(|known| known == measure) {
            self.measures.push(measure.to_owned());
        }
        self.figures.entry((measure.to_owned(), subject.name)).or_default().push(figure);
    }

    /// Minimum, median, maximum over the rounds, and the medians' ratio.
    pub fn table(&self) -> String {
        let names = ["median (least to most)", "Stentor", "Alertmanager", "ratio"].map(str::to_owned);
        let mut rows = vec![names, ["---", "---:", "---:", "---:"].map(str::to_owned)];
        for measure in &self.measures {
            let [ours, theirs] = ["Stentor", "Alertmanager"].map(|name| self.spread(measure, name));
            let ratio = ours.zip(theirs).map(|(ours, theirs)| format!("{:.2}", ours.1 / theirs.1));
            let [ours, theirs] = [ours, theirs].map(|spread| spread.map_or_else(|| "not measured".into(), shown));
            rows.push([measure.clone(), ours, theirs, ratio.unwrap_or_else(|| "-".into())]);
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [first, ours, theirs, ratio] = [0, 1, 2, 3].map(width);
        let line = |[a, b, c, d]: &[String; 4]| format!("| {a:<first$} | {b:>ours$} | {c:>theirs$} | {d:>ratio$} |");
        let table = rows.iter().map(line).collect::<Vec<_>>().join("\n");
        let (p50, p99) = self.fsync_ms;
        format!(
            "{table}\n\n512 bytes on this disk: {p50:.3} ms, p99 {p99:.3} ms. Pages that came twice: {}.\n",
            self.strays
        )
    }

    /// Every figure of every round.
    pub fn json(&self) -> String {
        let measures: Vec<_> = self
            .measures
            .iter()
            .map(|measure| {
                let of = |name| self.figures.get(&(measure.clone(), name));
                json!({ "measure": measure, "stentor": of("Stentor"), "alertmanager": of("Alertmanager") })
            })
            .collect();
        let (p50, p99) = self.fsync_ms;
        let report = json!({ "measures": measures, "fsync_ms": { "p50": p50, "p99": p99 }, "strays": self.strays });
        format!("{report:#}\n")
    }

    fn spread(&self, measure: &str, name: &'static str) -> Option<(f64, f64, f64)> {
        let mut figures = self.figures.get(&(measure.to_owned(), name))?.clone();
        let [least, median, most] = [0.0, 0.5, 1.0].map(|part| percentile(&mut figures, part));
        Some((least, median, most))
    }
}

/// The quantile: this part of all figures is below it.
pub fn percentile(figures: &mut [f64], part: f64) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    let rank = (figures.len() as f64 * part).ceil() as usize;
    figures.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

fn shown((least, median, most): (f64, f64, f64)) -> String {
    let digits = if median < 100.0 { 2 } else { 0 };
    format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
}
