//! The query of Alertmanager's API: matchers and flags, whose names may come several times.

use super::alertmanager::{AlertRefusal, framework, said};
use crate::core::silence::{MatcherSet, flaw_of_filters, matchers};
use axum::http::StatusCode;

/// The parameters in their order.
pub struct AlertmanagerQuery(pub Vec<(String, String)>);

impl AlertmanagerQuery {
    /// The matchers of every `filter`.
    pub fn matchers(&self) -> Result<MatcherSet, AlertRefusal> {
        let mut all = Vec::new();
        for (_, text) in self.0.iter().filter(|(name, _)| name == "filter") {
            all.extend(matchers(text).map_err(|why| said(StatusCode::BAD_REQUEST, why))?);
        }
        match flaw_of_filters(&all) {
            Some(flaw) => Err(said(StatusCode::BAD_REQUEST, flaw)),
            None => Ok(MatcherSet::new(&all)),
        }
    }

    /// A parameter that is true unless it says otherwise.
    pub fn flag(&self, name: &str) -> Result<bool, AlertRefusal> {
        let Some(value) = self.value(name) else { return Ok(true) };
        value.parse().map_err(|_| {
            let message = format!("{name} in query must be of type boolean: {value:?}");
            framework(StatusCode::UNPROCESSABLE_ENTITY, 601, message)
        })
    }

    /// The last value of a parameter; `None` if it is missing or empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        let values = self.0.iter().filter(|(known, _)| known == name);
        values.map(|(_, value)| value.as_str()).next_back().filter(|value| !value.is_empty())
    }
}
