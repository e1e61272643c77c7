//! What sends to another tool in a form of its own: a source with a `map`, at an address of its own.

use super::{cel, draft::SourceDraft};

/// The form in which it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderForm {
    /// As Alertmanager's webhook: a list of alerts.
    Alerts,
    /// GoAlert's generic integration: one alert with `summary`, `dedup` and `action`.
    Generic,
    /// One alert with `title` and `state`, as OnCall's formatted webhook.
    Formatted,
}

impl SenderForm {
    /// The source of a sender. Its alerts have this kind.
    pub fn source(self, key: &str, token: String, kind: &str) -> SourceDraft {
        let kind = format!("kind     = '{}'", cel::quoted(kind));
        let lines: &[&str] = match self {
            Self::Alerts => &[
                "each     = 'body.alerts'",
                "resolved = 'item.status == \"resolved\"'",
                "summary  = 'has(item.annotations.summary) ? item.annotations.summary : item.labels.alertname'",
                "labels   = { alertname = 'item.labels.alertname', instance = 'item.labels.instance', severity = \
                 'item.labels.severity', dedup = 'item.fingerprint' }",
            ],
            Self::Generic => &[
                "resolved = 'has(body.action) && body.action == \"close\"'",
                "summary  = 'body.summary'",
                "labels   = { dedup = 'has(body.dedup) ? body.dedup : body.summary' }",
            ],
            Self::Formatted => &[
                "resolved = 'has(body.state) && body.state == \"ok\"'",
                "summary  = 'body.title'",
                "labels   = { dedup = 'has(body.alert_uid) ? body.alert_uid : body.title' }",
            ],
        };
        let map = [kind].into_iter().chain(lines.iter().map(|line| (*line).to_owned())).collect();
        SourceDraft { key: key.to_owned(), token, unmatched_pages: false, map }
    }

    /// The key of an incident of its alerts.
    pub fn incident_key() -> String {
        cel::label("dedup")
    }
}
