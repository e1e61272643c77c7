//! Parses `Retry-After` (RFC 9110, 10.2.3).

use chrono::NaiveDateTime;
use std::time::Duration;

/// The three forms of an HTTP date; the last two are obsolete but must be accepted.
const FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Parses a `Retry-After` header: whole seconds, or a date relative to the response's own `Date` header. `None` if it
/// is malformed, or a date without a `Date` header: our clock may differ from the provider's, so the caller's own
/// backoff is better. A date in the past means now. The caller limits the result.
pub fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let wait = http_date(value)? - http_date(date?.trim())?;
    Some(wait.to_std().unwrap_or_default())
}

/// Parses an HTTP date in any of its three forms; the result is in UTC.
pub fn http_date(text: &str) -> Option<NaiveDateTime> {
    FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date_in_three_forms() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, date, seconds) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", date, Some(120)),
            ("Sunday, 06-Nov-94 08:49:38 GMT", date, Some(1)),
            ("Sun Nov  6 08:50:37 1994", date, Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", date, Some(0)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", None, None),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some("yesterday"), None),
            ("", date, None),
            ("-5", date, None),
            ("+5", date, None),
            ("1.5", date, None),
            ("soon", date, None),
            ("99999999999999999999999", date, None),
        ] {
            assert_eq!(parse(value, date), seconds.map(Duration::from_secs), "{value:?} {date:?}");
        }
    }
}
