//! Who asks people, and what they are told of a request that was refused.

use super::quota;
use crate::{
    core::SourceName,
    engine::RequestFault,
    http::{credential, idempotency, problem::ProblemDetails, state::AppState},
    matrix::SourceScope,
};
use axum::http::{HeaderMap, StatusCode};

/// The source that asks.
pub fn asker(app: &AppState, headers: &HeaderMap) -> Result<SourceName, ProblemDetails> {
    let source = credential::sender(app, headers).ok_or_else(|| {
        ProblemDetails::unauthorized("send the token of a [source] of the matrix: Authorization: Bearer ..")
    })?;
    let may = credential::in_scope(app, &source, SourceScope::Alerts);
    may.map(|()| source).map_err(|detail| ProblemDetails::new(StatusCode::FORBIDDEN, detail))
}

/// Why a request was refused.
pub fn refused(app: &AppState, source: &SourceName, fault: RequestFault) -> ProblemDetails {
    match fault {
        RequestFault::Store(error) => error.into(),
        RequestFault::OverQuota => quota::over(app, source, 1, 1),
        RequestFault::OtherBody => idempotency::other_body(),
        RequestFault::Live(_) => ProblemDetails::new(StatusCode::CONFLICT, fault.to_string()),
        RequestFault::NoTrigger { .. } | RequestFault::Unusable(_) | RequestFault::NotAllowed(_) => {
            ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, fault.to_string())
        }
    }
}
