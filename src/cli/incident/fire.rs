//! `stentor fire`: an alert by hand.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table},
    core::Alert,
};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct FireArgs {
    /// The kind of alert, which decides which triggers evaluate it
    kind: String,
    /// One sentence for people
    #[arg(long)]
    summary: Option<String>,
    /// A label, e.g. symbol=ES
    #[arg(long = "label", value_name = "NAME=TEXT", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// A measurement, e.g. drop_pct=6.2
    #[arg(long = "value", value_name = "NAME=NUMBER", value_parser = number)]
    values: Vec<(String, f64)>,
    /// A text that does not identify the alert, e.g. runbook_url=https://..
    #[arg(long = "annotation", value_name = "NAME=TEXT", value_parser = pair)]
    annotations: Vec<(String, String)>,
    /// How sure you are, 0 to 1
    #[arg(long)]
    confidence: Option<f64>,
    /// A drill: every text says DRILL
    #[arg(long)]
    drill: bool,
    /// An all-clear for what is open
    #[arg(long)]
    resolved: bool,
    /// Print the daemon's response as JSON
    #[arg(long)]
    json: bool,
}

impl FireArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let mut alert = Alert::new("", self.kind);
        alert.summary = self.summary.unwrap_or_default();
        alert.labels = self.labels.into_iter().collect();
        alert.values = self.values.into_iter().collect();
        alert.annotations = self.annotations.into_iter().collect();
        alert.confidence = self.confidence.unwrap_or(1.0);
        alert.drill = self.drill;
        if self.resolved {
            alert.status = crate::core::AlertStatus::Resolved;
        }
        let answer: Value = DaemonClient::of(places)?.post("/v1/fire", &alert)?;
        let results = answer["alerts"][0]["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&answer)?),
            false => {
                let warnings = answer["alerts"][0]["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
                warnings.iter().filter_map(Value::as_str).for_each(table::say);
                results.iter().for_each(|result| table::say(&told(result)));
            }
        }
        let worked = !results.is_empty() && results.iter().all(did_what_was_meant);
        Ok(if worked { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Whether the alert did what an alert is for. One that no trigger can judge, or wants, is most likely mistyped.
fn did_what_was_meant(result: &Value) -> bool {
    matches!(result["result"].as_str(), Some("opened" | "joined" | "overflowed" | "cleared" | "held" | "over"))
}

fn told(result: &Value) -> String {
    let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
    match result["result"].as_str() {
        Some("opened") => format!("{0} is open: `stentor show {0}` follows it", text("incident")),
        Some("joined") => format!("it belongs to {}, which is open", text("incident")),
        Some("overflowed") => format!(
            "its trigger has opened as many incidents as it may within a minute: {} counts it",
            text("incident")
        ),
        Some("cleared") => format!("all clear for {}", text("incident")),
        Some("held") => format!("trigger {} has counted {} so far", text("trigger"), result["count"]),
        Some("over") => {
            format!("the same episode as an incident that was resolved at {}: nobody is called", text("ended_at"))
        }
        Some("drill-refused") => {
            format!("no drill can start while {} is open, which is real: nobody was paged", text("live"))
        }
        Some("condition-failed") => {
            let paged = match result["incident"].as_str() {
                Some(incident) => format!("the catch-all is paged instead: `stentor show {incident}` follows it"),
                None => "nobody is paged, because the matrix has no catch-all".into(),
            };
            format!("trigger {} can not evaluate it: {}; {paged}", text("trigger"), text("why"))
        }
        Some("refused") => format!("it was refused, nothing of it is kept: {}", text("why")),
        _ => "no trigger matches it; it is in the journal. `stentor explain` shows why".into(),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=TEXT")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn number(text: &str) -> Result<(String, f64), String> {
    let (name, value) = pair(text).map_err(|_| "write it as NAME=NUMBER")?;
    match value.parse() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(without_commas(&value).unwrap_or_else(|| format!("{value:?} is not a number"))),
    }
}

/// How a number with commas must be written; `None` if it is none.
fn without_commas(text: &str) -> Option<String> {
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let (grouped, decimal) = (text.replace(',', ""), text.replace(',', "."));
    let in_threes = text.split(',').skip(1).all(|group| group.split('.').next().is_some_and(|group| group.len() == 3));
    match (in_threes && is_number(&grouped), is_number(&decimal)) {
        _ if !text.contains(',') => None,
        (true, true) => Some(format!("write no comma: {grouped}, or with a point: {decimal}")),
        (true, false) => Some(format!("write no comma: {grouped}")),
        (false, true) => Some(format!("write a point, not a comma: {decimal}")),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_with_a_comma_is_refused_with_how_it_is_written() {
        let refused = |text: &str| number(text).expect_err("a refusal");
        assert_eq!(refused("drop_pct=6,2"), "write a point, not a comma: 6.2");
        assert_eq!(refused("size=1,000,000.5"), "write no comma: 1000000.5");
        assert_eq!(refused("size=1,000"), "write no comma: 1000, or with a point: 1.000");
        assert_eq!(refused("size=many, or few"), "\"many, or few\" is not a number");
        assert_eq!(number("drop_pct=6.2"), Ok(("drop_pct".to_owned(), 6.2)));
    }
}
