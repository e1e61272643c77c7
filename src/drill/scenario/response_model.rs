//! How people answer and how channels carry, where a scenario or a measured history does not say better.
//!
//! The figures here are Stentor's own assumptions, written down so that they can be contradicted: there is no published
//! median time to acknowledge that could be trusted (what is published leaves out the pages that nobody answered). They
//! are for a person who is at work and for a channel that works. Put your own into the scenario.

use crate::{core::ChannelName, drill::scenario::distribution::DelayDistribution, matrix::ChannelKind};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

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
    /// The probability that they say that they can not; else [`UNABLE`].
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

/// One in twenty can not take it.
pub const UNABLE: f64 = 0.05;

/// One in ten does not notice anything in the time that counts.
pub const IGNORES: f64 = 0.1;

/// A desk page is open three times in four.
pub const AT_DESK: f64 = 0.75;

/// How long after a page by this kind of channel reached somebody they answer: assumed as said above. A screen is in
/// front of them and has buttons; an SMS has to be noticed, read and replied to; mail is looked at now and then.
pub fn reaction(kind: ChannelKind) -> DelayDistribution {
    match kind.as_str() {
        "screen" => seconds(12, 40),
        "slack" | "teams" | "mattermost" => seconds(40, 150),
        "voice" => seconds(25, 60),
        "smtp" => seconds(480, 2400),
        // SMS, and whatever else buzzes in a pocket.
        _ => seconds(35, 120),
    }
}

/// How long the provider of this kind takes to accept: assumed for a provider that works.
pub fn acceptance(kind: ChannelKind) -> DelayDistribution {
    match kind.as_str() {
        "screen" => millis(5, 20),
        "smtp" => millis(400, 2000),
        _ => millis(250, 800),
    }
}

/// How long after its acceptance a page of this kind is on the device: assumed for a provider that works.
pub fn delivery(kind: ChannelKind) -> DelayDistribution {
    match kind.as_str() {
        "screen" => millis(50, 200),
        "slack" | "teams" | "mattermost" => millis(700, 2500),
        "voice" => seconds(6, 15),
        "smtp" => seconds(8, 60),
        _ => seconds(4, 12),
    }
}

/// The probability that an accepted page of this kind never arrives: assumed for a provider that works.
pub fn lost(kind: ChannelKind) -> f64 {
    match kind.as_str() {
        "screen" => 0.0,
        "slack" | "teams" | "mattermost" => 0.002,
        "smtp" => 0.005,
        _ => 0.01,
    }
}

const fn seconds(median: u64, p90: u64) -> DelayDistribution {
    DelayDistribution::log_normal(Duration::from_secs(median), Duration::from_secs(p90))
}

const fn millis(median: u64, p90: u64) -> DelayDistribution {
    DelayDistribution::log_normal(Duration::from_millis(median), Duration::from_millis(p90))
}
