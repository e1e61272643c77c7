//! What other tools export, read as JSON whatever its form is.

use super::schedule::ForeignSchedule;
use crate::core::{Timestamp, Zone, Zones};
use chrono::{Datelike, NaiveDateTime, NaiveTime, Timelike};
use serde_json::Value;

/// The years in which a schedule may begin.
const YEARS: std::ops::Range<i32> = 1990..2200;

/// What must be compared after the matrix was made.
#[derive(Debug, Default)]
pub struct Foreign {
    /// The schedules with their rotations in the matrix.
    pub schedules: Vec<ForeignSchedule>,
}

/// The value of JSON.
pub fn json(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err("it is empty".into());
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let error = error.to_string();
        let cut = if error.contains("EOF") { " (it seems to be cut off)" } else { "" };
        format!("{error}{cut}")
    })
}

/// The value of YAML. Depth, aliases and size have bounds.
pub fn yaml(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let value: Value = serde_saphyr::from_str(text).map_err(|error| {
        let error = error.to_string();
        error.lines().next().unwrap_or_default().to_owned()
    })?;
    if value.is_object() { Ok(value) } else { Err("it is no mapping of keys to values".into()) }
}

/// The text at a key; empty if there is none.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The list at a key; empty if there is none.
pub fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The name of a variable for a secret.
pub fn variable(prefix: &str, key: &str) -> String {
    format!("{prefix}_{}", key.to_uppercase().replace('-', "_"))
}

/// The zone with this name.
pub fn zone(zones: &Zones, name: &str) -> Result<Zone, String> {
    zones.get(name).ok_or_else(|| format!("{name:?} is no name of a time zone"))
}

/// The instant at a key.
pub fn instant(value: &Value, key: &str) -> Option<Timestamp> {
    Timestamp::parse(text(value, key))
}

/// What the clock of a zone shows at the time at a key; without an offset it is on that clock.
pub fn civil(value: &Value, key: &str, zone: &Zone) -> Option<NaiveDateTime> {
    let written = text(value, key);
    let on_clock = |at: Timestamp| at.to_utc().with_timezone(zone).naive_local();
    let read: Option<NaiveDateTime> = written.parse().ok().or_else(|| Timestamp::parse(written).map(on_clock));
    read.filter(|at| YEARS.contains(&at.year()))
}

/// `HH:MM` or `HH:MM:SS`, in seconds.
pub fn time_of_day(text: &str) -> Option<i64> {
    let read = NaiveTime::parse_from_str(text, "%H:%M:%S").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M"));
    read.ok().map(|time| i64::from(time.num_seconds_from_midnight()))
}

/// The items at a key: a list, or an object with a list of `nodes` (GraphQL) or `data`.
pub fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    let at = &value[key];
    let inner = [at, &at["nodes"], &at["data"], &at["results"]];
    inner.into_iter().find_map(Value::as_array).map_or(&[], Vec::as_slice)
}

/// An object is called so in the report.
pub fn called(kind: &str, object: &Value) -> String {
    format!("{kind} {} ({:?})", text(object, "id"), text(object, "name"))
}
