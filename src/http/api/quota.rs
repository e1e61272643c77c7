//! Refuses requests of a source that has opened too many incidents.

use crate::{
    core::SourceName,
    http::{problem::ProblemDetails, state::AppState},
};
use axum::http::StatusCode;

/// Whether a source may hand in alerts now.
///
/// # Errors
/// `429` with the time after which it may.
pub fn within(app: &AppState, source: &SourceName) -> Result<(), ProblemDetails> {
    app.engine.admission().check_quota(source).map_err(|over| {
        if let Some(requests) = over.news {
            tracing::warn!(%source, requests, "a source opens more incidents than its openings_per_minute: its requests are refused");
        }
        let detail = format!("nothing was kept: source {source} has opened more incidents than its openings_per_minute");
        ProblemDetails::new(StatusCode::TOO_MANY_REQUESTS, detail).after(over.retry_after)
    })
}
