//! Reads request bodies with limits for size and time.

use super::problem::ProblemDetails;
use axum::{
    body::{Body, Bytes, to_bytes},
    http::StatusCode,
};
use std::time::Duration;
use tokio::time::timeout;

/// The largest batch of alerts that is read, in bytes: a crisis reports much at once, and only sources of the matrix come
/// so far.
pub const ALERTS_MAX: usize = 16 * 1024 * 1024;

/// The largest body that the control socket reads, in bytes.
pub const CONTROL_MAX: usize = 1024 * 1024;

/// The largest body of a provider that calls back, in bytes.
pub const CALLBACK_MAX: usize = 256 * 1024;

/// How long a body may take to arrive.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// Reads a whole body of at most `max` bytes. Who calls it has looked at the credential, where the head has one.
///
/// # Errors
/// `413` beyond the limit, `408` after [`BODY_TIME_MAX`], `400` if it broke off.
pub async fn whole(body: Body, max: usize) -> Result<Bytes, ProblemDetails> {
    match timeout(BODY_TIME_MAX, to_bytes(body, max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(ProblemDetails::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {max} bytes: send less in one request"),
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
