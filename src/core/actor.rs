//! Who closed an incident.

use super::{
    incident::IncidentId,
    names::{PersonName, SourceName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who closed an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// A person in the matrix.
    Person(PersonName),
    /// A monitor, by its all-clear. The trigger must allow this.
    Source(SourceName),
    /// A Unix user who is not a person in the matrix.
    Operator(String),
    /// Nobody: the drill reached its time limit.
    Clock,
    /// Nobody: the request reached its deadline.
    Deadline,
    /// A real incident: the drill was stopped for it.
    Crisis(IncidentId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => write!(f, "{person}"),
            Self::Source(source) => write!(f, "monitor {source}"),
            Self::Operator(user) => write!(f, "operator {user}"),
            Self::Clock => f.write_str("the drill's clock"),
            Self::Deadline => f.write_str("its deadline"),
            Self::Crisis(incident) => write!(f, "the live incident {incident}"),
        }
    }
}
