//! What providers know of the people.

use crate::core::{ChannelName, PersonName};
use std::collections::{BTreeMap, BTreeSet};

/// What was found out about people, for one load of the matrix.
#[derive(Debug, Default)]
pub struct PeopleLookup {
    /// Why somebody can not be reached by a channel.
    pub holes: BTreeMap<(ChannelName, PersonName), String>,
    /// Whose ids were found.
    pub ids: BTreeMap<String, PersonName>,
    /// Who was looked up, by which channel.
    pub looked_up: BTreeSet<(ChannelName, PersonName)>,
}
