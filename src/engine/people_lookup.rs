//! What providers know about the people of the matrix.

use crate::{
    channel::contact::ContactField,
    core::{ChannelName, PersonName},
};
use std::collections::{BTreeMap, BTreeSet};

/// The results of lookups for one load of the matrix.
#[derive(Debug, Default)]
pub struct PeopleLookup {
    /// Why a person can not be reached by a channel.
    pub holes: BTreeMap<(ChannelName, PersonName), String>,
    /// People by the account ids that were found.
    pub ids: BTreeMap<(ContactField, String), PersonName>,
    /// Which people were looked up, by channel.
    pub looked_up: BTreeSet<(ChannelName, PersonName)>,
}
