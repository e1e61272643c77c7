//! Looks up time zones by name.

use crate::{
    core::{Zone, Zones},
    toml_kit::{document::TomlItem, faults::MatrixFaults, nearest::nearest},
};

/// A time zone by its name.
pub(crate) fn zone(item: &TomlItem<'_>, zones: &Zones, faults: &mut MatrixFaults) -> Option<Zone> {
    let text = item.text(faults)?;
    let found = zone_named(text.value, zones);
    found.map_err(|unknown| faults.error("bad-time-zone", text.at, unknown.to_string(), unknown.help)).ok()
}

/// The length of the longest abbreviation: `AEST`.
const ABBREVIATION_MAX: usize = 4;

/// A name that is not a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {name:?}")]
pub struct UnknownZone {
    /// The name as written.
    pub name: String,
    /// A suggestion of what may have been meant.
    pub help: String,
}

/// A time zone by its name; the error suggests the nearest name, or the zone of a city that is written alone.
pub fn zone_named(name: &str, zones: &Zones) -> Result<Zone, UnknownZone> {
    if let Some(zone) = zones.get(name) {
        return Ok(zone);
    }
    let city = |known: &&str| known.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name));
    // Three letters are similar to many names, and an abbreviation (`PST`) is not a zone.
    let near = || nearest(name, zones.names()).filter(|_| ABBREVIATION_MAX < name.len());
    let near = zones.names().find(city).or_else(near);
    let help = match near {
        Some(near) => format!("did you mean {near:?}?"),
        None => String::from("write a region and a city: \"Europe/London\""),
    };
    Err(UnknownZone { name: name.to_owned(), help })
}
