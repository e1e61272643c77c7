//! Reads request bodies with limits for size and time.

use super::problem::ProblemDetails;
use axum::{
    body::{Body, Bytes, to_bytes},
    http::StatusCode,
};
use std::time::Duration;
use tokio::time::timeout;

/// The largest body that is read, in bytes.
pub const BODY_MAX: usize = 1024 * 1024;

/// How long a body may take to arrive.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// Reads a whole body, or returns the problem.
pub async fn whole(body: Body) -> Result<Bytes, ProblemDetails> {
    match timeout(BODY_TIME_MAX, to_bytes(body, BODY_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(ProblemDetails::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {BODY_MAX} bytes: send fewer alerts in one request"),
        )),
        Ok(Err(error)) => Err(ProblemDetails::bad(format!("the body did not arrive whole: {error}"))),
        Err(_) => Err(ProblemDetails::new(StatusCode::REQUEST_TIMEOUT, "the body took longer than 10 s to arrive")),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(at) = source {
        if at.to_string().contains("length limit exceeded") {
            return true;
        }
        source = at.source();
    }
    false
}
