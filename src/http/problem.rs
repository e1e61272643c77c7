//! Errors as RFC 9457 problem details.

use crate::{engine::AnswerError, http::refusal_log, store::StoreError};
use axum::{
    Json,
    body::to_bytes,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// One problem. `type` is `about:blank`: the status says what kind it is, `detail` what to do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(description = "A problem (RFC 9457). Its `type` is `about:blank`: the status says what kind it is.")]
pub struct ProblemDetails {
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, and what to do.
    detail: String,
    /// When to try again, in seconds.
    #[serde(skip)]
    retry_after: Option<u64>,
    /// Every fault of the body, by its index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<BodyFault>,
    /// What became of each alert, where some were kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    alerts: Option<Box<serde_json::Value>>,
    /// The request, where its outcome is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    request: Option<Box<serde_json::Value>>,
}

/// One fault of a body.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BodyFault {
    /// The index of the alert in the array, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub detail: String,
}

impl ProblemDetails {
    /// A problem of this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let (status, detail) = (status.as_u16(), detail.into());
        Self { title, status, detail, retry_after: None, errors: Vec::new(), alerts: None, request: None }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The detail, which says what to do.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Adds the faults of the body.
    pub fn with(mut self, errors: Vec<BodyFault>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds what became of each alert.
    pub fn with_alerts(mut self, alerts: serde_json::Value) -> Self {
        self.alerts = Some(Box::new(alerts));
        self
    }

    /// Adds the request whose outcome is why.
    pub fn with_request(mut self, request: serde_json::Value) -> Self {
        self.request = Some(Box::new(request));
        self
    }

    /// Replaces the detail.
    pub fn because(mut self, detail: String) -> Self {
        self.detail = detail;
        self
    }

    /// Says when to try again, rounded up to whole seconds.
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait.as_secs() + u64::from(wait.subsec_nanos() != 0));
        self
    }

    /// When to try again, in seconds. Each `503` says so.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after.or((self.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(1))
    }

    /// As a `503` where it has one of these statuses: for senders that take other statuses for the last word.
    pub fn later(self, statuses: &[StatusCode]) -> Self {
        if !statuses.contains(&self.status()) {
            return self;
        }
        let wait = Duration::from_secs(self.retry_after().unwrap_or(1));
        Self::new(StatusCode::SERVICE_UNAVAILABLE, self.detail).after(wait)
    }

    /// No valid credential.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// The resource does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The request is not valid.
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }
}

impl From<StoreError> for ProblemDetails {
    fn from(error: StoreError) -> Self {
        refusal_log::store(&error);
        match error {
            // A retry would have the same result.
            StoreError::Corrupt { what, why } => {
                let detail = format!("{what} can not be read: {why}; see `stentor store quarantine list`");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
            }
            error @ StoreError::Unwritable(_) => Self::bad(error.to_string()),
            error => Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("nothing was kept, send it again: {error}")),
        }
    }
}

/// The longest error of the framework that is converted, in bytes.
const REFUSAL_MAX: usize = 4096;

/// Converts plain-text errors of the framework (for a method, a field, a type of body) to problem details; keeps their
/// headers.
pub async fn worded(response: Response) -> Response {
    let (status, kind) = (response.status(), response.headers().get(header::CONTENT_TYPE));
    let bare = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !status.is_client_error() || !bare {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let said = to_bytes(body, REFUSAL_MAX).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let detail = match (said.is_empty(), parts.headers.get(header::ALLOW).and_then(|allow| allow.to_str().ok())) {
        (true, Some(allow)) => format!("this address accepts only {allow}"),
        (true, None) => "this address does not accept this request".to_owned(),
        (false, _) => said,
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let (worded, body) = ProblemDetails::new(status, detail).into_response().into_parts();
    parts.headers.extend(worded.headers);
    Response::from_parts(parts, body)
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status(), self.retry_after());
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"stentor\""));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The problem for an answer that failed.
pub fn answer_problem(error: AnswerError) -> ProblemDetails {
    match error {
        AnswerError::NoIncident(id) => ProblemDetails::not_found(format!("there is no incident {id}")),
        AnswerError::Store(error) => ProblemDetails::from(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_503_says_when_to_come_again_and_others_become_one_where_they_would_be_the_last_word() {
        let of = |status| ProblemDetails::new(status, "why");
        assert_eq!(of(StatusCode::SERVICE_UNAVAILABLE).retry_after(), Some(1));
        assert_eq!(of(StatusCode::BAD_REQUEST).retry_after(), None);
        let last = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
        for (problem, status, wait) in [
            (of(StatusCode::REQUEST_TIMEOUT), 503, Some(1)),
            (of(StatusCode::TOO_MANY_REQUESTS).after(Duration::from_millis(6_500)), 503, Some(7)),
            (of(StatusCode::PAYLOAD_TOO_LARGE), 413, None),
        ] {
            let later = problem.later(&last);
            assert_eq!((later.status().as_u16(), later.retry_after(), later.detail()), (status, wait, "why"));
            let response = later.into_response();
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), wait.is_some());
        }
    }
}
