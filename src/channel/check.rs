//! The results of channel probes: how checks are built, and the checks that several channels share.

use super::{CheckOutcome, ProbeCheck, retry_after};
use chrono::{DateTime, Utc};

/// The difference between a provider's clock and ours, in seconds, above which the check is doubtful.
const SKEW_MAX_S: i64 = 30;

/// The difference, in seconds, above which signed requests are refused as replays: the limit of Slack and Standard
/// Webhooks.
const SKEW_FATAL_S: i64 = 300;

/// A certificate that expires in fewer days than this makes the check doubtful.
const CERTIFICATE_DAYS_MIN: i64 = 14;

impl ProbeCheck {
    /// A check that passed.
    pub fn fine(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, outcome: CheckOutcome::Fine, detail: detail.into() }
    }

    /// A check that found a possible problem, or could not be completed.
    pub fn doubtful(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, outcome: CheckOutcome::Doubtful, detail: detail.into() }
    }

    /// A check that failed: the channel reaches nobody like this.
    pub fn failed(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, outcome: CheckOutcome::Failed, detail: detail.into() }
    }

    /// Compares our clock with that of a provider whose response had this `Date` header; `None` if the header is not
    /// valid.
    pub fn clock(date: &str) -> Option<Self> {
        let ahead = (wall() - retry_after::http_date(date)?.and_utc()).num_seconds();
        let apart = match ahead {
            -1..=1 => return Some(Self::fine("clock", "as theirs")),
            ahead if 0 < ahead => format!("{ahead} s ahead of theirs"),
            ahead => format!("{} s behind theirs", ahead.abs()),
        };
        Some(match ahead.abs() {
            0..SKEW_MAX_S => Self::fine("clock", apart),
            SKEW_MAX_S..SKEW_FATAL_S => Self::doubtful("clock", format!("{apart}: set this machine's clock")),
            _ => Self::failed(
                "clock",
                format!("{apart}: set this machine's clock; signed requests are refused as too old"),
            ),
        })
    }

    /// Checks when a server's certificate (DER) expires; `None` if that can not be read.
    pub(super) fn certificate(der: &[u8]) -> Option<Self> {
        let end = super::certificate::end(der)?;
        let days = (end - wall()).num_days();
        let until = format!("until {}", end.format("%Y-%m-%d"));
        Some(match days {
            ..0 => Self::failed("certificate", format!("it expired on {}", end.format("%Y-%m-%d"))),
            0..CERTIFICATE_DAYS_MIN => Self::doubtful("certificate", format!("{until}: it expires in {days} days")),
            _ => Self::fine("certificate", until),
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "compares our clock with that of other systems; ladders do not use it")]
fn wall() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        for (behind, outcome) in [
            (0, CheckOutcome::Fine),
            (20, CheckOutcome::Fine),
            (-100, CheckOutcome::Doubtful),
            (7200, CheckOutcome::Failed),
        ] {
            let theirs = wall() + chrono::TimeDelta::seconds(behind);
            let date = theirs.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            assert_eq!(ProbeCheck::clock(&date).map(|check| check.outcome), Some(outcome), "{behind} s");
        }
        assert_eq!(ProbeCheck::clock("yesterday"), None);
    }
}
