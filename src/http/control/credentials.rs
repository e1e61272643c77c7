//! What the doctor says of credentials: requests that were refused for theirs, and whether anybody may read the metrics.

use crate::{
    channel::ProbeCheck,
    http::refusal_log::{RefusedCredentials, refused_credentials},
    matrix::SourceScope,
};
use std::{collections::BTreeSet, time::Duration};

/// How long ago the last refusal may be before the doctor does not warn of it any more.
const RECENT: Duration = Duration::from_secs(3600);

/// The largest number of kinds of refusals that are told of one by one.
const TOLD_MAX: usize = 20;

/// The refusals since the daemon started.
pub fn checks() -> Vec<ProbeCheck> {
    told(&refused_credentials())
}

fn told(refused: &[RefusedCredentials]) -> Vec<ProbeCheck> {
    if refused.is_empty() {
        return vec![ProbeCheck::fine("refused", "no request was refused for its credential since the daemon started")];
    }
    let mut checks: Vec<ProbeCheck> = refused.iter().take(TOLD_MAX).map(check).collect();
    if let Some(more) = refused.len().checked_sub(TOLD_MAX).filter(|more| 0 < *more) {
        checks.push(ProbeCheck::doubtful("refused", format!("and {more} more sources or scopes: the log names them")));
    }
    checks
}

fn check(refused: &RefusedCredentials) -> ProbeCheck {
    let RefusedCredentials { source, scope, count, age } = refused;
    let (word, age_text) = (scope.as_str(), humantime::format_duration(Duration::from_secs(age.as_secs())));
    let detail = match source {
        Some(source) => format!(
            "{count} request(s) of source {source} for the scope {word:?}, which it does not have, the last {age_text} ago: add it to \
             `scopes` of [source.{source}], or give the caller another token"
        ),
        None => format!(
            "{count} request(s) for the scope {word:?} without a token of a [source] that the daemon knows, the last {age_text} ago: \
             compare the caller's token with that of its [source]; after a change of a secret, reload"
        ),
    };
    if *age < RECENT { ProbeCheck::doubtful("refused", detail) } else { ProbeCheck::fine("refused", detail) }
}

/// Whether a source may read the metrics: without one, only people who are signed in can.
pub fn metrics<'a>(mut scopes: impl Iterator<Item = &'a BTreeSet<SourceScope>>) -> ProbeCheck {
    if scopes.any(|scopes| scopes.contains(&SourceScope::Metrics)) {
        return ProbeCheck::fine("metrics", "a source may read /metrics");
    }
    let help = "no [source] has the scope \"metrics\", so Prometheus cannot read /metrics: add [source.scraper] with \
                `scopes = [\"metrics\"]` and give Prometheus its token";
    ProbeCheck::doubtful("metrics", help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::CheckOutcome;

    #[test]
    fn refused_credentials_say_what_to_do_and_are_forgiven_after_an_hour() {
        let refused = |source: Option<&str>, age| RefusedCredentials {
            source: source.map(Into::into),
            scope: SourceScope::Metrics,
            count: 7,
            age: Duration::from_secs(age),
        };
        let fresh = told(&[refused(Some("prom"), 90), refused(None, 3599)]);
        assert!(fresh.iter().all(|check| check.outcome == CheckOutcome::Doubtful));
        assert!(fresh[0].detail.contains("7 request(s) of source prom"), "{}", fresh[0].detail);
        assert!(fresh[0].detail.contains("1m 30s ago") && fresh[0].detail.contains("[source.prom]"));
        assert!(fresh[1].detail.contains("compare the caller's token"), "{}", fresh[1].detail);
        assert_eq!(told(&[refused(None, 3600)])[0].outcome, CheckOutcome::Fine);
        assert_eq!(told(&[])[0].outcome, CheckOutcome::Fine);
        let many: Vec<_> = (0..100).map(|_| refused(None, 1)).collect();
        let many = told(&many);
        assert!(many.len() == TOLD_MAX + 1 && many[TOLD_MAX].detail.contains("80 more"));
    }

    #[test]
    fn metrics_that_no_source_may_read_are_warned_of() {
        let (alerts, read) = (BTreeSet::from([SourceScope::Alerts]), BTreeSet::from([SourceScope::Read]));
        let scraper = BTreeSet::from([SourceScope::Alerts, SourceScope::Metrics]);
        let outcome = |scopes: &[BTreeSet<SourceScope>]| metrics(scopes.iter()).outcome;
        assert_eq!(outcome(&[]), CheckOutcome::Doubtful);
        assert_eq!(outcome(&[alerts.clone(), read]), CheckOutcome::Doubtful);
        assert_eq!(outcome(&[alerts, scraper]), CheckOutcome::Fine);
    }
}
