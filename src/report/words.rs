//! Durations and times in the form that reports use.

use super::survival::CurveQuantile;
use crate::core::Timestamp;
use std::time::Duration;

/// Seconds as `0.850 s`, `12.3 s`, `4 min 5 s`, `2 h 3 min`; negative values keep their sign.
pub fn span(seconds: f64) -> String {
    let (sign, seconds) = if seconds < 0.0 { ("-", -seconds) } else { ("", seconds) };
    let whole = seconds.round() as u64;
    let text = if seconds < 9.9995 {
        format!("{seconds:.3} s")
    } else if seconds < 119.95 {
        format!("{seconds:.1} s")
    } else if whole < 7200 {
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        format!("{} h {} min", whole / 3600, whole % 3600 / 60)
    };
    format!("{sign}{text}")
}

/// The time limit of a target: `60s`, `2m`.
pub fn bound(span: Duration) -> String {
    humantime::format_duration(span).to_string()
}

/// The same, with a sign: `+1.2 s`.
pub fn after(seconds: f64) -> String {
    if seconds < 0.0 { span(seconds) } else { format!("+{}", span(seconds)) }
}

/// Seconds as in [`span`], or a dash if the value is unknown.
pub fn maybe(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".into(), span)
}

/// A quantile; "not reached" if the data do not reach it.
pub fn quantile(quantile: &CurveQuantile) -> String {
    quantile.time.map_or_else(|| "not reached".into(), span)
}

/// A quantile's interval; an end without a limit is left open.
pub fn interval(quantile: &CurveQuantile) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "..".into(), span);
    format!("{} - {}", end(quantile.low), end(quantile.high))
}

/// A date and time, to the second.
pub fn moment(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time of the day, to the millisecond.
pub fn clock(at: Timestamp) -> String {
    at.to_utc().format("%H:%M:%S%.3f").to_string()
}
