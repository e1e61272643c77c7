//! How people answer and how channels carry, where a scenario or a measured history does not say better.
//!
//! The figures of each kind, in its entry in the table of kinds, and those here are Stentor's own assumptions, written
//! down so that they can be contradicted: there is no published median time to acknowledge that could be trusted (what is published leaves out the pages that nobody answered). They
//! are for a person who is at work and for a channel that works. Put your own into the scenario.

use crate::{
    channel::kind::{ChannelKind, DelayEstimate},
    core::ChannelName,
    drill::scenario::distribution::DelayDistribution,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// How one person behaves. What is none is the default.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ResponseModel {
    /// How long after a page reached them they answer it; else [`reaction`] of the channel's kind.
    pub answers: Option<DelayDistribution>,
    /// The same by single channels, where a measured history tells them apart
    /// ([`crate::drill::analysis::response_history`]): goes before `answers`.
    pub by_channel: BTreeMap<ChannelName, DelayDistribution>,
    /// The channels that they look at; else all that reach them.
    pub by: Option<Vec<ChannelName>>,
    /// The probability that they say that they cannot; else [`UNABLE`].
    pub unable: Option<f64>,
    /// The probability that nothing reaches them in a whole run: asleep, in a tunnel; else [`IGNORES`].
    pub ignores: Option<f64>,
    /// The probability that their desk page is open; else [`AT_DESK`].
    pub at_desk: Option<f64>,
}

/// How one channel carries. What is none is the default of its kind.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ChannelModel {
    /// How long the provider takes to accept a page.
    pub accepts: Option<DelayDistribution>,
    /// How long after that it is on the person's device.
    pub delivers: Option<DelayDistribution>,
    /// The probability that an accepted page never arrives.
    pub lost: Option<f64>,
}

/// One in twenty cannot take it.
pub const UNABLE: f64 = 0.05;

/// One in ten does not notice anything in the time that counts.
pub const IGNORES: f64 = 0.1;

/// A desk page is open three times in four.
pub const AT_DESK: f64 = 0.75;

/// How long after a page by this kind of channel reached somebody they answer: assumed as said above.
pub fn reaction(kind: ChannelKind) -> DelayDistribution {
    assumed(kind.spec().response.reaction)
}

/// How long the provider of this kind takes to accept: assumed for a provider that works.
pub fn acceptance(kind: ChannelKind) -> DelayDistribution {
    assumed(kind.spec().response.acceptance)
}

/// How long after its acceptance a page of this kind is on the device: assumed for a provider that works.
pub fn delivery(kind: ChannelKind) -> DelayDistribution {
    assumed(kind.spec().response.delivery)
}

/// The probability that an accepted page of this kind never arrives: assumed for a provider that works.
pub fn lost(kind: ChannelKind) -> f64 {
    kind.spec().response.lost
}

fn assumed(delay: DelayEstimate) -> DelayDistribution {
    DelayDistribution::log_normal(delay.median, delay.p90)
}
