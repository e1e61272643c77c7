//! How engagements ended: engaged, or in some other way. Each way is counted separately; one function decides what it
//! means for a share.

use super::incidence::{Ending, EndingKind};
use crate::core::{Actor, EngagementOutcome, Incident, IncidentStatus, RoleName, engagement::Engagement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How an engagement, or a step or channel of one, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It got its own required answer.
    Engaged,
    /// Somebody had it and handed it back: this engagement did not stand.
    HandedBack,
    /// The role was engaged by an answer to another step or channel.
    Elsewhere,
    /// Its `next` was engaged in its place.
    Covered,
    /// It stood in for others, and they had their outcome.
    StoodDown,
    /// The monitor closed the incident before anybody had answered for it.
    ClosedByMonitor,
    /// A person closed the incident before anybody had answered for it.
    ClosedByHuman,
    /// The request reached its deadline before anybody had answered for it.
    ClosedAtDeadline,
    /// The drill reached its time limit or was stopped early: nobody watched any longer.
    DrillOver,
    /// It is still open.
    Open,
}

/// How many ended in each way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Endings {
    /// Engaged by their own required answer.
    pub engaged: usize,
    /// Engaged, and handed back afterwards.
    #[serde(default)]
    pub handed_back: usize,
    /// Engaged by an answer to another step or channel.
    pub elsewhere: usize,
    /// Covered by its `next`.
    pub covered: usize,
    /// Stood down, because the roles that they stood in for had their outcome.
    pub stood_down: usize,
    /// Closed by the monitor before anybody had answered.
    pub closed_by_monitor: usize,
    /// Closed by a person before anybody had answered.
    pub closed_by_human: usize,
    /// Closed by the deadline of the request before anybody had answered.
    #[serde(default)]
    pub closed_at_deadline: usize,
    /// Unanswered when the drill reached its time limit or was stopped early.
    pub drill_over: usize,
    /// Still open.
    pub open: usize,
    /// Of those that were not engaged: how many had no page that reached anybody, or may have.
    pub never_reached: usize,
}

impl Ended {
    /// The state of an engagement of this incident.
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
                IncidentStatus::Resolved { by: Actor::Deadline, .. } => Self::ClosedAtDeadline,
                IncidentStatus::Open => Self::Open,
            },
        }
    }

    /// The same for one of its roles.
    pub fn of_role(incident: &Incident, role: &RoleName) -> Self {
        incident.engagements.get(role).map_or(Self::Open, |engagement| Self::of(incident, engagement))
    }

    /// What it means for the share of engaged roles. A drill that reached its time limit says nothing about what its
    /// people would have done next, like a role that is still open.
    pub fn how(self) -> EndingKind {
        match self {
            Self::Engaged => EndingKind::Happened,
            Self::HandedBack
            | Self::Elsewhere
            | Self::Covered
            | Self::StoodDown
            | Self::ClosedByMonitor
            | Self::ClosedByHuman
            | Self::ClosedAtDeadline => EndingKind::Otherwise,
            Self::DrillOver | Self::Open => EndingKind::Waiting,
        }
    }

    /// The same with its time, in seconds.
    pub fn after(self, time: f64) -> Ending {
        Ending { time, how: self.how() }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engaged => "engaged",
            Self::HandedBack => "handed back",
            Self::Elsewhere => "engaged elsewhere",
            Self::Covered => "covered",
            Self::StoodDown => "stood down",
            Self::ClosedByMonitor => "closed by the monitor",
            Self::ClosedByHuman => "closed by a human",
            Self::ClosedAtDeadline => "closed at the deadline",
            Self::DrillOver => "drill over",
            Self::Open => "open",
        }
    }
}

impl Endings {
    /// Counts one; `is_reached`: somebody had a page for it, or may have had.
    pub fn add(&mut self, ended: Ended, is_reached: bool) {
        *match ended {
            Ended::Engaged => &mut self.engaged,
            Ended::HandedBack => &mut self.handed_back,
            Ended::Elsewhere => &mut self.elsewhere,
            Ended::Covered => &mut self.covered,
            Ended::StoodDown => &mut self.stood_down,
            Ended::ClosedByMonitor => &mut self.closed_by_monitor,
            Ended::ClosedByHuman => &mut self.closed_by_human,
            Ended::ClosedAtDeadline => &mut self.closed_at_deadline,
            Ended::DrillOver => &mut self.drill_over,
            Ended::Open => &mut self.open,
        } += 1;
        if ended != Ended::Engaged && !is_reached {
            self.never_reached += 1;
        }
    }

    /// All other endings that occurred, with their counts.
    pub fn others(&self) -> impl Iterator<Item = (Ended, usize)> {
        let all = [
            (Ended::HandedBack, self.handed_back),
            (Ended::Elsewhere, self.elsewhere),
            (Ended::Covered, self.covered),
            (Ended::StoodDown, self.stood_down),
            (Ended::ClosedByMonitor, self.closed_by_monitor),
            (Ended::ClosedByHuman, self.closed_by_human),
            (Ended::ClosedAtDeadline, self.closed_at_deadline),
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
