//! What a stretch of a role's time is spent on (the stage, whose, by which channel), and how that is put into words.

use crate::core::{ChannelName, PersonName, RoleName, StandIn};
use serde::Serialize;
use std::fmt;

/// What time was spent on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TimeCause {
    /// Which stage.
    pub stage: AnalysisStage,
    /// On whose ladder.
    pub role: RoleName,
    /// On which step of it, from 0.
    pub step: usize,
    /// By which channel, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// Whose, if it is one person's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// What stood in for the channel: the drill that broke it on purpose, or the sandbox. Then it says nothing about the
    /// channel's own health.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<StandIn>,
}

/// The stages between an incident's opening and an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnalysisStage {
    /// The step paged nobody: nobody was on call, or nobody of it takes part.
    NobodyOnCall,
    /// The channel took none of what it was given.
    Channel,
    /// The channel takes pages of others, and not this person's: their contact data.
    Contact,
    /// The page waited for its turn: the pace of its destination.
    Queued,
    /// The provider took its time to accept.
    Accepting,
    /// Accepted, and not yet on the device.
    Delivering,
    /// On the device, and the person who answered in the end had not yet.
    Answering,
    /// The pages were taken and nobody answered before the step was over.
    Silence,
    /// Somebody had it, and handed it back.
    HandedBack,
}

impl fmt::Display for TimeCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, role, step, channel, person, stand_in } = self;
        let by = |f: &mut fmt::Formatter<'_>| channel.as_ref().map_or(Ok(()), |channel| write!(f, " by {channel}"));
        let who = person.as_ref().map_or("them", |person| person.as_str());
        let nth = step + 1;
        let told = match stage {
            AnalysisStage::NobodyOnCall => write!(f, "{role} step {nth}: nobody to page"),
            AnalysisStage::Channel => write!(f, "{role} step {nth}: channel {} took nothing", named(channel)),
            AnalysisStage::Contact => write!(f, "{role} step {nth}: {who} can not be reached")
                .and_then(|()| by(f))
                .and_then(|()| f.write_str(" (contact data)")),
            AnalysisStage::Queued => {
                write!(f, "{role} step {nth}: the page to {who} waited for its turn").and_then(|()| by(f))
            }
            AnalysisStage::Accepting => write!(f, "{role} step {nth}: channel {} was slow to take it", named(channel)),
            AnalysisStage::Delivering => write!(f, "{role} step {nth}: channel {} was slow to deliver", named(channel)),
            AnalysisStage::Answering => {
                write!(f, "{role} step {nth}: {who} took that long to answer").and_then(|()| by(f))
            }
            AnalysisStage::HandedBack => write!(f, "{role} step {nth}: {who} had it and handed it back"),
            AnalysisStage::Silence => match person {
                Some(person) => write!(f, "{role} step {nth}: {person} did not answer in its time"),
                None => write!(f, "{role} step {nth}: nobody answered in its time"),
            },
        };
        told.and_then(|()| match stand_in {
            Some(StandIn::Drill) => f.write_str(" (injected)"),
            Some(StandIn::Sandbox) => f.write_str(" (SANDBOX: sent to nobody)"),
            Some(StandIn::Unneeded) | None => Ok(()),
        })
    }
}

fn named(channel: &Option<ChannelName>) -> &str {
    channel.as_ref().map_or("?", ChannelName::as_str)
}
