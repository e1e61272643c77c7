//! What the tools need of whatever keeps the requests: the daemon that they are in, or one that they call.

use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// The requests of one source. Bodies and answers are those of `/v1/requests`.
pub trait RequestService: Send + Sync + 'static {
    /// Asks people. With a key it is safe to ask again.
    fn ask(&self, body: Value, key: Option<String>) -> impl Future<Output = Result<Value, ServiceFault>> + Send;

    /// A request, once it has its outcome or its conversation is in another state; at `until` as it is. Earlier only if nothing can be waited for any more.
    fn look(&self, id: &str, until: Instant) -> impl Future<Output = Result<Value, ServiceFault>> + Send;

    /// Who would take a conversation: with the fields of the query of `GET /v1/availability`.
    fn availability(&self, query: AvailabilityQuery) -> impl Future<Output = Result<Value, ServiceFault>> + Send;

    /// Withdraws a request.
    fn cancel(&self, id: &str, reason: Option<String>) -> impl Future<Output = Result<Value, ServiceFault>> + Send;
}

/// What would be handed over.
#[derive(Debug, Clone)]
pub struct AvailabilityQuery {
    /// The kind of the request.
    pub kind: String,
    /// Its labels, as a JSON object.
    pub labels: String,
    /// Its values, as a JSON object.
    pub values: String,
    /// The language of the user.
    pub locale: Option<String>,
}

/// Why something was refused or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFault {
    /// What is wrong, and what to do.
    pub detail: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// Whether the source has no such request.
    pub is_unknown: bool,
}

impl ServiceFault {
    /// A fault that says nothing of the request, nor when to try again.
    pub fn new(detail: String) -> Self {
        Self { detail, retry_after: None, is_unknown: false }
    }
}

impl From<ServiceFault> for String {
    fn from(fault: ServiceFault) -> Self {
        match fault.retry_after {
            Some(wait) => format!("{}; try again in {} s", fault.detail, wait.as_secs()),
            None => fault.detail,
        }
    }
}
