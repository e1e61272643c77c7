//! The cause of a stretch of a role's time (the stage, the person, the channel), and its description in words.

use crate::core::{ChannelName, PersonName, RoleName, StandIn};
use serde::Serialize;
use std::fmt;

/// What time was spent on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TimeCause {
    /// The stage.
    pub stage: AnalysisStage,
    /// The role whose ladder it was.
    pub role: RoleName,
    /// The step of that ladder, from 0.
    pub step: usize,
    /// The channel, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// The person, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// The stand-in for the channel: the drill that injected a fault, or the sandbox. Then the time says nothing about
    /// the health of the channel itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<StandIn>,
}

/// The stages between an incident's opening and an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnalysisStage {
    /// The step paged nobody: nobody was on call, or none of its people take part.
    NobodyOnCall,
    /// The channel accepted nothing that it was given.
    Channel,
    /// The channel accepts other people's pages but not this person's: their contact data are wrong.
    Contact,
    /// The page waited for its turn, because of the rate limit of its destination.
    Queued,
    /// The provider was slow to accept.
    Accepting,
    /// Accepted, but not yet on the device.
    Delivering,
    /// On the device, but the person who finally answered had not answered yet.
    Answering,
    /// The pages were accepted and nobody answered before the step was over.
    Silence,
    /// Somebody had the role and handed it back.
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
            AnalysisStage::Channel => write!(f, "{role} step {nth}: channel {} accepted nothing", named(channel)),
            AnalysisStage::Contact => write!(f, "{role} step {nth}: {who} can not be reached")
                .and_then(|()| by(f))
                .and_then(|()| f.write_str(" (contact data)")),
            AnalysisStage::Queued => {
                write!(f, "{role} step {nth}: the page to {who} waited for its turn").and_then(|()| by(f))
            }
            AnalysisStage::Accepting => {
                write!(f, "{role} step {nth}: channel {} was slow to accept it", named(channel))
            }
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
