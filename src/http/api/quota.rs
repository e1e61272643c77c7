//! The answer to a source that has opened too many incidents, or whose alerts cost too much in one request.

use crate::{
    core::SourceName,
    http::{problem::ProblemDetails, state::AppState},
};
use axum::http::StatusCode;
use std::time::Duration;

/// The problem of a request of `alerts` alerts, of which `refused` would have opened an incident that the quota of the
/// source does not allow now: `429`, with the time after which it does.
pub fn over(app: &AppState, source: &SourceName, refused: usize, alerts: usize) -> ProblemDetails {
    let admission = app.engine.admission();
    let quota = admission.quota(source).unwrap_or_default();
    let wait =
        admission.quota_wait(source, false).max(admission.quota_wait(source, true)).unwrap_or(Duration::from_secs(1));
    let problem = ProblemDetails::new(StatusCode::TOO_MANY_REQUESTS, String::new()).after(wait);
    let seconds = problem.retry_after().unwrap_or(1);
    problem.because(format!(
        "{refused} of {alerts} alerts were refused, because they would open an incident, and source {source} may open \
         {quota} in a minute (openings_per_minute of [source.{source}]). Send these again in {seconds} s; the others are \
         not refused for this"
    ))
}

/// The problem of a request of `alerts` alerts, of which `refused` were not judged, because the conditions for the others
/// took as many steps as those of one request may.
pub fn over_cost(refused: usize, alerts: usize) -> ProblemDetails {
    let detail = format!(
        "{refused} of {alerts} alerts were refused, because the conditions for the alerts before them took as many steps \
         as one request may take. Send these again, fewer in one request or smaller ones; the others are not refused for \
         this"
    );
    ProblemDetails::new(StatusCode::TOO_MANY_REQUESTS, detail).after(Duration::from_secs(1))
}
