//! Shares and times as they are printed.

pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `0.8s`, `38.2s`, `3.4m`, `1.2h`.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.1}s"),
        s if s < 7200.0 => format!("{:.1}m", s / 60.0),
        s => format!("{:.1}h", s / 3600.0),
    }
}
