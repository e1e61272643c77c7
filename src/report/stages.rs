//! The waterfall of stages over many incidents: when each was typically reached.
//!
//! Sent, accepted by a provider, answered and engaged must happen: a role that ended without one of them never reached
//! it, and the median is over all roles ([`super::incidence`]). Detected, delivered and seen are reports that not every
//! monitor or channel makes: their median is over the reports that exist, with their number.

use crate::{
    core::{RoleName, Timestamp},
    report::{
        entries::RoleEntry,
        incidence::{Ending, EndingKind, Incidence},
        incident_timeline::{IncidentTimeline, RoleStages, RoleTimeline, seconds},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stages in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TteStage {
    /// The monitor saw it begin.
    Detected,
    /// Stentor had received the whole alert.
    Received,
    /// It was committed; all other stages count from here.
    Committed,
    /// The first page was sent: its first attempt began, and its channel has taken it or may have.
    Sent,
    /// The first provider accepted one.
    Accepted,
    /// The first one was on a device.
    Delivered,
    /// The first screen showed one.
    Seen,
    /// The answer came that engaged the role.
    Answered,
    /// The role had its own required answer.
    Engaged,
}

impl TteStage {
    /// All, in their order.
    pub const ALL: [Self; 9] = [
        Self::Detected,
        Self::Received,
        Self::Committed,
        Self::Sent,
        Self::Accepted,
        Self::Delivered,
        Self::Seen,
        Self::Answered,
        Self::Engaged,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Received => "received",
            Self::Committed => "committed",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Seen => "seen",
            Self::Answered => "answered",
            Self::Engaged => "engaged",
        }
    }

    /// Whether the stage must happen, so that a missing one counts as late and not only as unreported.
    fn must_come(self) -> bool {
        matches!(self, Self::Committed | Self::Sent | Self::Accepted | Self::Answered | Self::Engaged)
    }
}

/// One role's stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageReport {
    /// The role.
    pub role: RoleName,
    /// The number of engagements.
    pub n: usize,
    /// In their order.
    pub stages: Vec<StageMedian>,
}

/// When a stage was typically reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageMedian {
    /// The stage.
    pub stage: TteStage,
    /// How many engagements reached it, or reported that they did.
    pub reached: usize,
    /// The median, in seconds after the role was asked for: from the opening for a required role, again from a hand-back
    /// on. Negative means before. `None` if fewer than half reached it.
    pub median: Option<f64>,
}

/// Gathers the stages of one role.
#[derive(Debug, Default)]
pub struct StageTally {
    n: usize,
    seen: [Vec<Ending>; 9],
}

impl StageTally {
    /// Counts one time that a role was asked for, so that its medians are over the same samples as its quantiles.
    pub fn add(&mut self, timeline: &IncidentTimeline, role: &RoleTimeline, entry: &RoleEntry) {
        self.n += 1;
        let stages = entry.stages(timeline, &role.role);
        let how = match entry.ended.how() {
            EndingKind::Waiting => EndingKind::Waiting,
            EndingKind::Happened | EndingKind::Otherwise => EndingKind::Otherwise,
        };
        for (stage, seen) in TteStage::ALL.into_iter().zip(&mut self.seen) {
            match reached(stage, timeline, &stages, entry) {
                Some(at) => seen.push(Ending { time: seconds(entry.began, at), how: EndingKind::Happened }),
                None if stage.must_come() => seen.push(Ending { time: entry.seconds(), how }),
                None => {}
            }
        }
    }

    /// The medians of the role's stages.
    pub fn report(self, role: RoleName) -> StageReport {
        let stages = TteStage::ALL.into_iter().zip(self.seen).map(|(stage, seen)| {
            let curve = Incidence::of(seen);
            StageMedian { stage, reached: curve.events, median: curve.quantile(0.5).time }
        });
        StageReport { role, n: self.n, stages: stages.collect() }
    }
}

/// What came before a role was asked for again is no stage of that.
fn reached(stage: TteStage, timeline: &IncidentTimeline, stages: &RoleStages, entry: &RoleEntry) -> Option<Timestamp> {
    let incident = &timeline.incident;
    let is_first = entry.began == incident.opened_at;
    match stage {
        TteStage::Detected => incident.detected_at.filter(|_| is_first),
        TteStage::Received => Some(incident.received_at).filter(|_| is_first),
        TteStage::Committed => Some(entry.began),
        TteStage::Sent => stages.sent,
        TteStage::Accepted => stages.accepted,
        TteStage::Delivered => stages.delivered,
        TteStage::Seen => stages.seen,
        TteStage::Answered => stages.answered,
        TteStage::Engaged => stages.engaged,
    }
}
