//! An alert that waits to open an incident.

use super::JudgementLayer;
use crate::core::{alert::Alert, drill::DrillTerms, silence::SilenceId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An alert that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingAlert {
    /// For which layer.
    pub layer: JudgementLayer,
    /// Which silence holds it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<SilenceId>,
    /// When it opens an incident unless something comes in between.
    pub due: Timestamp,
    /// Whether a silence was about this alert when it came, or when it was looked at last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_silenced: bool,
    /// Whether what holds it may have changed: then it is due at once, and `due` is when it would have been.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub look_again: bool,
    /// When the first alert that waited was received.
    pub received_at: Timestamp,
    /// The summary of the incident.
    pub summary: String,
    /// The newest alert.
    pub alert: Arc<Alert>,
    /// The terms of the drill that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<DrillTerms>,
}

impl PendingAlert {
    /// When it is to be looked at.
    pub fn deadline(&self) -> Timestamp {
        if self.look_again { self.due.min(self.received_at) } else { self.due }
    }
}
