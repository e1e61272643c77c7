//! How people answer and how channels deliver, unless a scenario or a measured history gives better values.
//!
//! The figures for each kind (in its entry in the table of kinds) and the figures here are Stentor's own assumptions.
//! They are written down so that they can be challenged: there is no reliable published median time to acknowledge
//! (published figures leave out the pages that nobody answered). They apply to a person at work and a channel that
//! works. Put your own figures into the scenario.

use crate::{
    channel::kind::{ChannelKind, DelayEstimate},
    core::ChannelName,
    drill::scenario::distribution::DelayDistribution,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// How one person responds. A field that is `None` has the default value.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ResponseModel {
    /// How long after a page reached them they answer it; by default [`reaction`] of the channel's kind.
    pub answers: Option<DelayDistribution>,
    /// The same for single channels, if a measured history has separate values
    /// ([`crate::drill::analysis::response_history`]); it takes precedence over `answers`.
    pub by_channel: BTreeMap<ChannelName, DelayDistribution>,
    /// The channels that they look at; by default all that reach them.
    pub by: Option<Vec<ChannelName>>,
    /// The probability that they answer unable; by default [`UNABLE`].
    pub unable: Option<f64>,
    /// The probability that nothing reaches them in a whole run: asleep, in a tunnel; by default [`IGNORES`].
    pub ignores: Option<f64>,
    /// The probability that their desk page is open; by default [`AT_DESK`].
    pub at_desk: Option<f64>,
}

/// How one channel delivers. A field that is `None` has the default value of its kind.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ChannelModel {
    /// How long the provider takes to accept a page.
    pub accepts: Option<DelayDistribution>,
    /// How long after that it is on the person's device.
    pub delivers: Option<DelayDistribution>,
    /// The probability that an accepted page never arrives.
    pub lost: Option<f64>,
}

/// One person in twenty cannot take it.
pub const UNABLE: f64 = 0.05;

/// One person in ten notices nothing in the time that matters.
pub const IGNORES: f64 = 0.1;

/// A desk page is open three times in four.
pub const AT_DESK: f64 = 0.75;

/// How long after a page by this kind of channel reached a person they answer; assumed as described above.
pub fn reaction(kind: ChannelKind) -> DelayDistribution {
    assumed(kind.spec().response.reaction)
}

/// How long a provider of this kind takes to accept a page; assumed for a provider that works.
pub fn acceptance(kind: ChannelKind) -> DelayDistribution {
    assumed(kind.spec().response.acceptance)
}

/// How long after its acceptance a page of this kind is on the device; assumed for a provider that works.
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
