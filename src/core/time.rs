//! Points in time, in microseconds of UTC. `now` is always an argument; nothing here reads a clock.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, time::Duration};

/// Microseconds since 1970-01-01T00:00:00Z, between [`Timestamp::MIN`] and [`Timestamp::MAX`]. Written as RFC 3339 with
/// six digits. Every value can be written and read back, in any time zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, JsonSchema)]
#[schemars(with = "String", description = "A time: RFC 3339 in UTC, with six digits after the second.")]
#[schemars(extend("format" = "date-time"))]
pub struct Timestamp(i64);

/// The two times of a step: the store's, which never jumps and which the journal and all waits are in, and civil time,
/// as people's calendars have it. Who is on call depends on civil time alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepTime {
    /// The store's time.
    pub now: Timestamp,
    /// What the wall clock says. It may be set forwards and backwards.
    pub civil: Timestamp,
}

impl From<Timestamp> for StepTime {
    /// A time at which both clocks agree.
    fn from(now: Timestamp) -> Self {
        Self { now, civil: now }
    }
}

impl Timestamp {
    /// The beginning of year 1.
    pub const MIN: Self = Self(-62_135_596_800_000_000);

    /// The end of year 9998: a year must have four digits in every time zone.
    pub const MAX: Self = Self(253_370_764_799_999_999);

    /// The time this many microseconds after the epoch, or the nearest limit. This is the only constructor.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if Self::MAX.0 < micros {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The same instant, or the nearest limit.
    pub fn nearest<Tz: TimeZone>(time: &DateTime<Tz>) -> Self {
        Self::from_micros(time.timestamp_micros())
    }

    /// Parses RFC 3339. Times outside the limits are refused.
    pub fn parse(text: &str) -> Option<Self> {
        within(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros()).at()
    }

    /// The same time as a `chrono` value, for calendars and time zones.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// The same moment on another clock, which shows `there` when this one shows `here`. Both are read one after the other,
    /// so a difference counts in whole milliseconds.
    pub fn on_clock(self, here: Self, there: Self) -> Self {
        let apart = there.micros_since(here).saturating_add(500).div_euclid(1000);
        Self(self.0.saturating_add(apart.saturating_mul(1000)))
    }

    /// The signed time from `earlier` to here, in microseconds: negative if `earlier` is later.
    pub fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The time from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros_since(earlier)).unwrap_or(0))
    }
}

/// A time from outside, which may be beyond our limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignTime {
    /// A time within the limits.
    At(Timestamp),
    /// Before [`Timestamp::MIN`].
    TooEarly,
    /// After [`Timestamp::MAX`].
    TooLate,
}

impl ForeignTime {
    /// Reads RFC 3339, ISO 8601 without a zone (taken as UTC) and a bare date, with a year of any length and sign.
    /// `None` if it is not a time.
    pub fn read(text: &str) -> Option<Self> {
        let (year, rest) = year_of(text)?;
        match year {
            0..=9999 => Some(within(instant(&format!("{year:04}{rest}"))?.timestamp_micros())),
            // A leap year in its place, so that the rest is checked anyway.
            _ => instant(&format!("2000{rest}")).map(|_| if year < 0 { Self::TooEarly } else { Self::TooLate }),
        }
    }

    /// Whether it means "not set": the zero time of Go, of .NET and of Python's `datetime.min`, in any zone, or anything
    /// earlier.
    pub fn is_unset(self) -> bool {
        self.nearest().to_utc().year() == 1
    }

    /// The time, if it is within the limits.
    pub fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(time) => Some(time),
            Self::TooEarly | Self::TooLate => None,
        }
    }

    /// The time, or the nearest limit.
    pub fn nearest(self) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::TooEarly => Timestamp::MIN,
            Self::TooLate => Timestamp::MAX,
        }
    }
}

/// For fields in which a monitor says when something began. A time beyond the limits (the largest or smallest time of a
/// programming language) means that the monitor does not know; that is no reason to refuse its alert.
pub fn known_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    ForeignTime::read(&text).map(ForeignTime::at).ok_or_else(|| no_time(&text))
}

fn within(micros: i64) -> ForeignTime {
    match micros {
        _ if micros < Timestamp::MIN.0 => ForeignTime::TooEarly,
        _ if Timestamp::MAX.0 < micros => ForeignTime::TooLate,
        _ => ForeignTime::At(Timestamp(micros)),
    }
}

/// The year at the start of a text, and the rest. A year that is too large for the type becomes the last one.
fn year_of(text: &str) -> Option<(i64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    let (year, rest) = unsigned.split_at(digits);
    if digits < 4 || !rest.starts_with('-') {
        return None;
    }
    let year = year.parse().unwrap_or(i64::MAX);
    Some((if text.starts_with('-') { -year } else { year }, rest))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(time.with_timezone(&Utc));
    }
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%MZ"];
    let parsed = local.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let midnight = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    parsed.or_else(midnight).map(|time| time.and_utc())
}

fn no_time<E: de::Error>(text: &str) -> E {
    E::custom(format!("{text:?} is not an RFC 3339 time"))
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// Adds a duration, up to [`Timestamp::MAX`].
    fn add(self, span: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A time that an older version wrote beyond the limits is read as the limit, so that no row is lost because of it.
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ForeignTime::read(&text).map(ForeignTime::nearest).ok_or_else(|| no_time(&text))
    }
}

/// Durations as people write them: `45s`, `2m`, `1h 30m`.
pub mod duration_text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use std::time::Duration;

    /// Writes `45s`.
    pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*span))
    }

    /// Reads `45s`; a number without a unit is refused.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn survives(time: Timestamp) -> bool {
        let text = serde_json::to_string(&time).expect("text");
        let parsed = Timestamp::parse(&time.to_string());
        parsed == Some(time) && serde_json::from_str::<Timestamp>(&text).ok() == Some(time)
    }

    proptest! {
        #[test]
        fn every_time_that_can_exist_is_read_as_it_was_written(
            micros: i64,
            inside in Timestamp::MIN.0..=Timestamp::MAX.0,
            span: u64,
            far in proptest::num::i64::ANY,
        ) {
            prop_assert!(survives(Timestamp::from_micros(micros)));
            prop_assert_eq!(Timestamp::from_micros(inside).as_micros(), inside);
            prop_assert!(survives(Timestamp::from_micros(inside) + Duration::from_micros(span)));
            prop_assert!(survives(Timestamp::from_micros(inside) + Duration::from_secs(span)));
            // Calendars of every zone can show it and convert it back.
            let shown = Timestamp::from_micros(inside).to_utc().with_timezone(&chrono::FixedOffset::east_opt(14 * 3600).expect("an offset"));
            prop_assert_eq!(Timestamp::nearest(&shown), Timestamp::from_micros(inside));
            if let Some(time) = DateTime::from_timestamp(far >> 16, 999_999_999) {
                prop_assert!(survives(Timestamp::nearest(&time)));
            }
        }

        #[test]
        fn every_duration_is_read_as_it_was_written(secs: u64, nanos in 0..1_000_000_000_u32, short in 0..100_000_u64) {
            #[derive(Debug, PartialEq, Serialize, Deserialize)]
            struct Span(#[serde(with = "duration_text")] Duration);
            let spans = [Duration::new(secs, nanos), Duration::new(short, 0), Duration::from_micros(short), Duration::MAX];
            for span in spans.map(Span) {
                let text = serde_json::to_string(&span).expect("text");
                prop_assert_eq!(serde_json::from_str::<Span>(&text).expect("a span"), span, "{}", text);
            }
        }

        #[test]
        fn what_others_write_is_a_time_that_can_be_kept_or_none(text in ".{0,40}", year in -100_000..100_000_i64) {
            for text in [text, format!("{year:04}-12-31T23:59:60.9999999Z"), format!("{year:+05}-01-01T00:00:00-23:59")] {
                if let Some(time) = ForeignTime::read(&text) {
                    prop_assert!(survives(time.nearest()), "{}", text);
                }
                if let Some(time) = Timestamp::parse(&text) {
                    prop_assert!(survives(time), "{}", text);
                }
            }
        }
    }

    #[test]
    fn the_limits_are_the_first_and_the_last_time_with_a_year_of_four_digits_in_every_zone() {
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9998-12-31T23:59:59.999999Z");
        for limit in [Timestamp::MIN, Timestamp::MAX] {
            assert!(survives(limit));
        }
        assert_eq!(Timestamp::MAX + DAY, Timestamp::MAX);
        assert_eq!(Timestamp::MIN + Duration::MAX, Timestamp::MAX);
        assert_eq!(
            (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX)),
            (Timestamp::MIN, Timestamp::MAX)
        );
        assert_eq!(Timestamp::nearest(&DateTime::<Utc>::MAX_UTC), Timestamp::MAX);
        assert_eq!(Timestamp::nearest(&DateTime::<Utc>::MIN_UTC), Timestamp::MIN);
    }

    #[test]
    fn times_far_away_are_told_from_what_is_no_time() {
        use ForeignTime::{TooEarly, TooLate};
        for (text, expected) in [
            ("9999-12-31T23:59:59.999999", Some(TooLate)),
            ("9999-12-31T23:59:59.999999999Z", Some(TooLate)),
            ("9999-12-31T23:59:59Z", Some(TooLate)),
            ("9999-12-31T23:59:59.9999999+14:00", Some(TooLate)),
            ("9999-12-31T23:59:59-12:00", Some(TooLate)),
            ("9999-12-31T23:59:60Z", Some(TooLate)),
            ("9998-12-31T23:59:60Z", Some(TooLate)),
            ("9998-12-31T23:59:59-00:01", Some(TooLate)),
            ("9999-12-31 23:59:59.999999", Some(TooLate)),
            ("9999-12-31", Some(TooLate)),
            ("+10000-01-01T00:00:00.000000Z", Some(TooLate)),
            ("10000-02-29T00:00:00Z", Some(TooLate)),
            ("+1000000000-12-31T23:59:59.999999999Z", Some(TooLate)),
            ("99999999999999999999-12-31T23:59:59Z", Some(TooLate)),
            ("0001-01-01T00:00:00+00:01", Some(TooEarly)),
            ("0000-01-01T00:00:00Z", Some(TooEarly)),
            ("0000-12-31", Some(TooEarly)),
            ("-0001-12-31T00:00:00Z", Some(TooEarly)),
            ("-1000000000-01-01T00:00:00Z", Some(TooEarly)),
            ("9999-13-31T23:59:59Z", None),
            ("10000-02-30T00:00:00Z", None),
            ("-0001-12-31T00:00:00Zulu", None),
            ("99999", None),
            ("999-01-01T00:00:00Z", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(ForeignTime::read(text), expected, "{text:?}");
            assert_eq!(Timestamp::parse(text), None, "{text:?}");
        }
        let whole = Timestamp::parse("2026-01-02T03:04:05Z");
        for text in
            ["2026-01-02T03:04:05", "+2026-01-02T03:04:05Z", "2026-01-02T04:04:05+0100", "2026-01-02 03:04:05.000"]
        {
            assert_eq!(ForeignTime::read(text).and_then(ForeignTime::at), whole, "{text:?}");
        }
    }

    #[test]
    fn a_row_of_before_with_a_time_beyond_the_limits_is_read() {
        for text in ["\"9999-12-31T23:59:59.999999Z\"", "\"+12026-01-01T00:00:00.000000Z\""] {
            assert_eq!(serde_json::from_str::<Timestamp>(text).ok(), Some(Timestamp::MAX), "{text}");
        }
        assert_eq!(serde_json::from_str::<Timestamp>("\"-0044-03-15T00:00:00.000000Z\"").ok(), Some(Timestamp::MIN));
        assert!(serde_json::from_str::<Timestamp>("\"soon\"").is_err());
    }
}
