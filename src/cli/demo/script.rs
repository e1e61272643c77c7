//! The script of the demo: what a risk monitor would have reported on 6 May 2010, and when.

use serde_json::{Value, json};
use std::time::Duration;

/// One second on the screen is this many seconds of the afternoon, until 14:45:13.
pub const RUN_UP: u32 = 100;

/// The same after 14:45:13; every wait of the ladders is divided by it, too.
pub const COMPRESSION: u32 = 5;

/// One report from the monitor, and its time that afternoon, in seconds after 14:32:00 ET.
pub struct MonitorReport {
    pub clock: &'static str,
    pub after: u32,
    pub told: &'static str,
    pub alert: Value,
}

/// When a time of that afternoon is reached on the screen.
pub fn on_screen(after: u32) -> Duration {
    const ACUTE: u32 = 793;
    let (slow, fast) = (after.min(ACUTE), after.saturating_sub(ACUTE));
    Duration::from_secs(slow.into()) / RUN_UP + Duration::from_secs(fast.into()) / COMPRESSION
}

/// What a risk monitor would have reported.
pub fn afternoon() -> Vec<MonitorReport> {
    let alert = |kind: &str, summary: &str, clock: &str, values: Value| {
        json!({
            "kind": kind, "summary": summary, "drill": true, "confidence": 0.97, "values": values,
            "labels": { "symbol": "ES", "venue": "CME", "product": "E-mini S&P 500" },
            "annotations": { "market_clock": format!("{clock} ET, 6 May 2010") },
        })
    };
    vec![
        MonitorReport {
            clock: "14:32:00",
            after: 0,
            told: "a sell program of 75,000 E-mini contracts begins: 9 % of volume, no regard to price or time",
            alert: alert(
                "order_flow",
                "sell program of 75,000 contracts, about 4.1 billion dollars",
                "14:32:00",
                json!({ "contracts": 75_000, "participation_pct": 9 }),
            ),
        },
        MonitorReport {
            clock: "14:45:13",
            after: 793,
            told: "27,000 contracts change hands in 14 seconds, for about 200 net: nobody keeps them",
            alert: alert(
                "volume_without_position",
                "27,000 contracts traded among high-frequency traders for about 200 net",
                "14:45:27",
                json!({ "contracts": 27_000, "net_contracts": 200, "window_s": 14 }),
            ),
        },
        MonitorReport {
            clock: "14:45:28",
            after: 808,
            told: "buy-side depth is below 1 % of the morning's: 58 million dollars. CME pauses for 5 seconds",
            alert: alert(
                "depth_collapse",
                "ES buy-side depth below 1 % of the morning's; CME Stop Logic pause, 5 s",
                "14:45:28",
                json!({ "depth_pct": 1, "depth_usd_m": 58, "pause_s": 5 }),
            ),
        },
    ]
}
