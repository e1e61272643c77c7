//! One line as an alert.

use crate::{core::printable::excerpt, http::api::items, text::quantity};
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The most characters of a line that become its summary.
const SUMMARY_MAX: usize = 1_000;

/// The longest line that is no JSON, in bytes. What is longer is cut.
const LINE_MAX: usize = 64 * 1024;

/// Groups of the expression that become no labels.
const KIND: &str = "kind";
const SUMMARY: &str = "summary";
const RESOLVED: &str = "resolved";

/// How lines are read.
#[derive(Debug)]
pub struct LineFormat {
    kind: Option<String>,
    matching: Option<Regex>,
    values: BTreeSet<String>,
    json: bool,
}

/// What a line is.
#[derive(Debug, PartialEq)]
pub enum ReadLine {
    /// An alert, as `POST /v1/alerts` takes it.
    Alert(Value),
    /// One that does not match.
    Other,
    /// One that can not be read as an alert, and why.
    Unreadable(String),
}

impl LineFormat {
    /// How lines are read.
    ///
    /// # Errors
    /// If no line could be an alert.
    pub fn new(kind: Option<String>, matching: Option<Regex>, values: Vec<String>, json: bool) -> Result<Self, String> {
        let groups: BTreeSet<&str> = matching.iter().flat_map(|matching| matching.capture_names().flatten()).collect();
        if let Some(name) = values.iter().find(|name| !groups.contains(name.as_str())) {
            return Err(format!("the expression has no group {name:?}: write (?<{name}>..)"));
        }
        if !json && kind.is_none() && !groups.contains(KIND) {
            return Err("give the --kind of the alerts, or a group (?<kind>..), or --json-lines".to_owned());
        }
        Ok(Self { kind, matching, values: values.into_iter().collect(), json })
    }

    /// The longest line, in bytes, and what becomes of a longer one: its beginning is read, or, as JSON, nothing.
    pub fn longest(&self) -> (usize, bool) {
        if self.json { (items::ALERT_MAX, false) } else { (LINE_MAX, true) }
    }

    /// What this line is.
    pub fn read(&self, line: &str) -> ReadLine {
        if self.json {
            return self.json(line);
        }
        let Some(matching) = &self.matching else {
            return if line.trim().is_empty() {
                ReadLine::Other
            } else {
                self.alert(line, Map::new(), Map::new(), &[])
            };
        };
        let Some(found) = matching.captures(line) else { return ReadLine::Other };
        let groups = matching.capture_names().flatten();
        let groups: Vec<(&str, &str)> = groups.filter_map(|name| Some((name, found.name(name)?.as_str()))).collect();
        let (mut labels, mut values) = (Map::new(), Map::new());
        for (name, text) in groups.iter().filter(|(name, _)| ![KIND, SUMMARY, RESOLVED].contains(name)) {
            if self.values.contains(*name) {
                // What is no number is missing, and a condition that asks for it fails: the catch-all is paged.
                values.extend(quantity::read(name, text).map(|number| ((*name).to_owned(), json!(number))));
            } else if !text.is_empty() {
                labels.insert((*name).to_owned(), json!(text));
            }
        }
        self.alert(line, labels, values, &groups)
    }

    fn alert(
        &self,
        line: &str,
        labels: Map<String, Value>,
        values: Map<String, Value>,
        groups: &[(&str, &str)],
    ) -> ReadLine {
        let group = |wanted: &str| {
            groups.iter().find(|(name, text)| *name == wanted && !text.trim().is_empty()).map(|(_, text)| *text)
        };
        let Some(kind) = group(KIND).or(self.kind.as_deref()) else {
            return ReadLine::Unreadable("its group `kind` is empty, and there is no --kind".to_owned());
        };
        let status = if group(RESOLVED).is_some() { "resolved" } else { "firing" };
        let summary = excerpt(group(SUMMARY).unwrap_or(line).trim(), SUMMARY_MAX);
        ReadLine::Alert(json!({
            "kind": kind, "status": status, "summary": summary, "labels": labels, "values": values,
        }))
    }

    fn json(&self, line: &str) -> ReadLine {
        if line.trim().is_empty() {
            return ReadLine::Other;
        }
        // As the daemon reads it: what it takes is sent.
        match serde_json::from_str::<Value>(&items::tamed(line.as_bytes())) {
            Ok(Value::Object(mut alert)) => {
                if let Some(kind) = &self.kind {
                    alert.entry(KIND).or_insert_with(|| json!(kind));
                }
                ReadLine::Alert(Value::Object(alert))
            }
            Ok(_) => ReadLine::Unreadable("it is no JSON object".to_owned()),
            Err(error) => ReadLine::Unreadable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(matching: &str, values: &[&str], kind: Option<&str>) -> LineFormat {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let matching = Regex::new(matching).expect("an expression");
        LineFormat::new(kind.map(str::to_owned), Some(matching), values, false).expect("a format")
    }

    #[test]
    fn named_groups_are_labels_and_those_that_are_named_are_values() {
        let format = format(
            r"^(?<level>ERROR|FATAL) (?<unit>\S+): (?<summary>.*?)(?: after (?<took_ms>\S+))?$",
            &["took_ms"],
            Some("log-line"),
        );
        let alert = |line: &str| match format.read(line) {
            ReadLine::Alert(alert) => alert,
            other => panic!("{line}: {other:?}"),
        };
        let read = alert("FATAL feed-3: no heartbeat after 250ms");
        assert_eq!((&read["kind"], &read["status"]), (&json!("log-line"), &json!("firing")));
        assert_eq!(read["labels"], json!({ "level": "FATAL", "unit": "feed-3" }));
        assert_eq!((&read["summary"], &read["values"]), (&json!("no heartbeat"), &json!({ "took_ms": 250.0 })));
        assert_eq!(alert("ERROR db: gone")["values"], json!({}));
        assert_eq!(alert("ERROR db: gone after soon")["values"], json!({}));
        assert_eq!(format.read("INFO feed-3: fine"), ReadLine::Other);
    }

    #[test]
    fn a_line_may_be_an_all_clear_and_have_its_own_kind() {
        let format = format(r"^(?<kind>\w+) (?<host>\w+) is (?:down|(?<resolved>up))$", &[], None);
        for (line, status) in [("ping a is down", "firing"), ("ping a is up", "resolved")] {
            let ReadLine::Alert(alert) = format.read(line) else { panic!("{line}") };
            assert_eq!((&alert["kind"], &alert["status"]), (&json!("ping"), &json!(status)));
            assert_eq!((&alert["labels"], &alert["summary"]), (&json!({ "host": "a" }), &json!(line)));
        }
    }

    #[test]
    fn json_lines_are_alerts_as_they_are() {
        let format = LineFormat::new(Some("k".into()), None, Vec::new(), true).expect("a format");
        assert_eq!(format.read("{\"a\":1}"), ReadLine::Alert(json!({ "kind": "k", "a": 1 })));
        assert_eq!(format.read("{\"kind\":\"x\"}"), ReadLine::Alert(json!({ "kind": "x" })));
        assert_eq!(format.read(" "), ReadLine::Other);
        let odd = json!({ "kind": "x", "values": { "a": "NaN", "b": "1e400", "c": ".5" } });
        assert_eq!(format.read(r#"{"kind":"x","values":{"a":NaN,"b":1e400,"c":.5}}"#), ReadLine::Alert(odd));
        assert!(
            matches!(format.read("[]"), ReadLine::Unreadable(_)) && matches!(format.read("{"), ReadLine::Unreadable(_))
        );
        let without = |values: &[&str], kind: Option<&str>| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            LineFormat::new(kind.map(str::to_owned), None, values, false).is_err()
        };
        assert!(without(&[], None) && without(&["x"], Some("k")) && !without(&[], Some("k")));
    }
}
