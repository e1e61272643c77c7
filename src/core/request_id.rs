//! The identity of a request for the system that asks.

use super::identity::{IncidentId, IncidentIdentity, IncidentNonce};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The identity of a request for the system that asks. It cannot be guessed: it has the 128 random bits of the
/// request's incident, and after a backup was restored it does not match another incident with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId {
    /// The incident.
    pub incident: IncidentId,
    /// Its nonce.
    pub nonce: IncidentNonce,
}

impl RequestId {
    /// The identity of the request of this incident; `None` if an older version opened it.
    pub fn of(incident: IncidentIdentity) -> Option<Self> {
        Some(Self { incident: incident.id, nonce: incident.nonce? })
    }
}

/// `req_7_6f1c..`: the number of the incident, and 32 hexadecimal digits.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("req_{}_{}", self.incident.0, self.nonce))
    }
}

impl FromStr for RequestId {
    type Err = UnknownRequest;

    fn from_str(text: &str) -> Result<Self, UnknownRequest> {
        let parts = text.strip_prefix("req_").and_then(|rest| rest.split_once('_'));
        let (incident, nonce) = parts.ok_or(UnknownRequest)?;
        let incident = incident.parse::<i64>().ok().filter(|n| 0 < *n).ok_or(UnknownRequest)?;
        let nonce = IncidentNonce::try_from(nonce.to_owned()).map_err(|_| UnknownRequest)?;
        Ok(Self { incident: IncidentId(incident), nonce })
    }
}

impl TryFrom<String> for RequestId {
    type Error = UnknownRequest;

    fn try_from(text: String) -> Result<Self, UnknownRequest> {
        text.parse()
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.to_string()
    }
}

/// Text that is not the id of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of a request: they look like req_7_ and 32 hexadecimal digits")]
pub struct UnknownRequest;
