//! Time zones by their names.

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

/// Letters of the longest abbreviation: `AEST`.
const ABBREVIATION_MAX: usize = 4;

/// A name that no time zone has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {name:?}")]
pub struct UnknownZone {
    /// What was written.
    pub name: String,
    /// What may have been meant.
    pub help: String,
}

/// A time zone by its name; the error names the nearest one, or the one of a city that is written alone.
pub fn zone_named(name: &str, zones: &Zones) -> Result<Zone, UnknownZone> {
    if let Some(zone) = zones.get(name) {
        return Ok(zone);
    }
    let city = |known: &&str| known.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name));
    // Three letters are near many others, and an abbreviation (`PST`) is no zone.
    let near = || nearest(name, zones.names()).filter(|_| ABBREVIATION_MAX < name.len());
    let near = zones.names().find(city).or_else(near);
    let help = match near {
        Some(near) => format!("did you mean {near:?}?"),
        None => String::from("write a region and a city: \"Europe/London\""),
    };
    Err(UnknownZone { name: name.to_owned(), help })
}
