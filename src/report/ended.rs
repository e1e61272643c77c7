//! How engagements ended: engaged, or ended in some other way. Each is counted apart; what it means for a share is in one place.

use super::incidence::{Ending, EndingKind};
use crate::core::{Actor, EngagementOutcome, Incident, IncidentStatus, RoleName, engagement::Engagement};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How an engagement, or a step or channel of one, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Its own required answer came.
    Engaged,
    /// The role was engaged by an answer to another step or channel.
    Elsewhere,
    /// Its `next` was engaged in its place.
    Covered,
    /// It stood in for others, and those had their outcome.
    StoodDown,
    /// The incident was closed by its monitor before anybody had answered for it.
    ClosedByMonitor,
    /// The incident was closed by a human before anybody had answered for it.
    ClosedByHuman,
    /// The drill's time was up, or it was broken off: nobody went on watching.
    DrillOver,
    /// It is still waited for.
    Open,
}

/// How many ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Endings {
    /// By its own required answer.
    pub engaged: usize,
    /// Engaged by an answer to another step or channel.
    pub elsewhere: usize,
    /// Covered by its `next`.
    pub covered: usize,
    /// Let go, because those for whom it stood in had their outcome.
    pub stood_down: usize,
    /// Closed by the monitor before anybody had answered.
    pub closed_by_monitor: usize,
    /// Closed by a human before anybody had answered.
    pub closed_by_human: usize,
    /// Unanswered when the drill's time was up, or when it was broken off.
    pub drill_over: usize,
    /// Still waited for.
    pub open: usize,
    /// Of those that were not engaged: how many no channel had taken a single page of.
    pub never_reached: usize,
}

impl Ended {
    /// How an engagement of this incident stands.
    pub fn of(incident: &Incident, engagement: &Engagement) -> Self {
        match &engagement.outcome {
            None => Self::Open,
            Some(EngagementOutcome::Engaged { .. }) => Self::Engaged,
            Some(EngagementOutcome::Covered { .. }) => Self::Covered,
            Some(EngagementOutcome::StoodDown { .. }) => Self::StoodDown,
            Some(EngagementOutcome::Closed { .. }) if incident.was_broken_off() => Self::DrillOver,
            Some(EngagementOutcome::Closed { .. }) => match &incident.status {
                IncidentStatus::Resolved { by: Actor::Source(_), .. } => Self::ClosedByMonitor,
                IncidentStatus::Resolved { by: Actor::Person(_) | Actor::Operator(_), .. } => Self::ClosedByHuman,
                IncidentStatus::Resolved { by: Actor::Clock | Actor::Crisis(_), .. } => Self::DrillOver,
                IncidentStatus::Open => Self::Open,
            },
        }
    }

    /// The same for a role of it.
    pub fn of_role(incident: &Incident, role: &RoleName) -> Self {
        incident.engagements.get(role).map_or(Self::Open, |engagement| Self::of(incident, engagement))
    }

    /// What it means for the share of those that are engaged. A drill whose time is up says nothing of what its people
    /// would have done next, as one that is still open.
    pub fn how(self) -> EndingKind {
        match self {
            Self::Engaged => EndingKind::Happened,
            Self::Elsewhere | Self::Covered | Self::StoodDown | Self::ClosedByMonitor | Self::ClosedByHuman => {
                EndingKind::Otherwise
            }
            Self::DrillOver | Self::Open => EndingKind::Waiting,
        }
    }

    /// The same with the time at which it came, in seconds.
    pub fn after(self, time: f64) -> Ending {
        Ending { time, how: self.how() }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engaged => "engaged",
            Self::Elsewhere => "engaged elsewhere",
            Self::Covered => "covered",
            Self::StoodDown => "stood down",
            Self::ClosedByMonitor => "closed by the monitor",
            Self::ClosedByHuman => "closed by a human",
            Self::DrillOver => "drill over",
            Self::Open => "open",
        }
    }
}

impl Endings {
    /// Counts one; `is_reached`: some channel had taken a page of it.
    pub fn add(&mut self, ended: Ended, is_reached: bool) {
        *match ended {
            Ended::Engaged => &mut self.engaged,
            Ended::Elsewhere => &mut self.elsewhere,
            Ended::Covered => &mut self.covered,
            Ended::StoodDown => &mut self.stood_down,
            Ended::ClosedByMonitor => &mut self.closed_by_monitor,
            Ended::ClosedByHuman => &mut self.closed_by_human,
            Ended::DrillOver => &mut self.drill_over,
            Ended::Open => &mut self.open,
        } += 1;
        if ended != Ended::Engaged && !is_reached {
            self.never_reached += 1;
        }
    }

    /// Each of the other ends with its count, those that came at all.
    pub fn others(&self) -> impl Iterator<Item = (Ended, usize)> {
        let all = [
            (Ended::Elsewhere, self.elsewhere),
            (Ended::Covered, self.covered),
            (Ended::StoodDown, self.stood_down),
            (Ended::ClosedByMonitor, self.closed_by_monitor),
            (Ended::ClosedByHuman, self.closed_by_human),
            (Ended::DrillOver, self.drill_over),
            (Ended::Open, self.open),
        ];
        all.into_iter().filter(|(_, count)| 0 < *count)
    }
}

/// `40 engaged, 1 covered, 59 closed by the monitor (2 never reached)`.
impl fmt::Display for Endings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} engaged", self.engaged)?;
        for (ended, count) in self.others() {
            write!(f, ", {count} {}", ended.as_str())?;
        }
        if 0 < self.never_reached {
            write!(f, " ({} never reached)", self.never_reached)?;
        }
        Ok(())
    }
}
