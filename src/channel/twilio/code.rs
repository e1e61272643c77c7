//! Twilio's error codes and what each means for a page. Source: Twilio's error dictionary
//! (<https://www.twilio.com/docs/api/errors>, one page a code) and its pages about messages, calls and opt-outs.

use crate::channel::SendError;
use std::time::Duration;

/// Whom a code is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// This person can not be reached by this way.
    Person,
    /// This person has opted out (STOP) of what this sender writes.
    OptedOut,
    /// Nobody is reached by this channel until somebody mends it.
    Everybody,
    /// Nothing was processed; later it may be.
    Later,
    /// It may have been processed.
    Unknown,
}

/// Each code with its class and what to say of it. Codes from 30000 on come in status callbacks alone.
const CODES: [(u32, Class, &str); 51] = [
    // The account and its credentials.
    (10001, Class::Everybody, "the account is not active"),
    (10004, Class::Later, "too many calls at once"),
    (20003, Class::Everybody, "the account or its token is wrong"),
    (20005, Class::Everybody, "the account is not active"),
    (20006, Class::Everybody, "the API key may not do this"),
    (20404, Class::Everybody, "there is no such account"),
    (20429, Class::Later, "too many requests"),
    (20500, Class::Unknown, "an internal error"),
    (20503, Class::Unknown, "a temporary failure"),
    // The person's number.
    (21211, Class::Person, "the number is none"),
    (21214, Class::Person, "the number can not be called"),
    (21215, Class::Person, "the account may not call this country"),
    (21216, Class::Person, "the account may not call this number"),
    (21217, Class::Person, "the number is none"),
    (21219, Class::Person, "a trial account calls verified numbers only"),
    (21265, Class::Person, "the number is a short code"),
    (21266, Class::Person, "the number is our own"),
    (21408, Class::Person, "the account may not write to this country"),
    (21608, Class::Person, "a trial account writes to verified numbers only"),
    (21610, Class::OptedOut, "the person has opted out (STOP)"),
    (21612, Class::Person, "there is no route from our number to this one"),
    (21614, Class::Person, "the number is no mobile phone"),
    (21635, Class::Person, "the number is a landline"),
    // The text. None of these can happen to texts that are cut to two segments; were one to, another channel is right.
    (14103, Class::Person, "the text is too long"),
    (21602, Class::Person, "the text is missing"),
    (21617, Class::Person, "the text is too long"),
    // The sender and the addresses that we give.
    (21205, Class::Everybody, "the address of the call's text is refused: check daemon.public_url"),
    (21210, Class::Everybody, "`from` is not verified"),
    (21212, Class::Everybody, "`from` is no number"),
    (21401, Class::Everybody, "`from` is no number"),
    (21601, Class::Everybody, "`from` can not send SMS"),
    (21606, Class::Everybody, "`from` can not send SMS"),
    (21609, Class::Everybody, "the address for reports is refused: check daemon.public_url"),
    (21611, Class::Everybody, "the queue of `from` is ten hours long"),
    (21659, Class::Everybody, "`from` is not a number of the account"),
    (21660, Class::Everybody, "`from` belongs to another account"),
    (21703, Class::Everybody, "the messaging service has no numbers"),
    (21705, Class::Everybody, "there is no such messaging service"),
    // What becomes of a message after it was accepted.
    (30001, Class::Person, "the queue is full"),
    (30002, Class::Everybody, "the account is suspended"),
    (30003, Class::Person, "the phone is off or out of reach"),
    (30004, Class::Person, "the carrier or the person blocks it"),
    (30005, Class::Person, "the phone is unknown or out of service"),
    (30006, Class::Person, "the number is a landline, or its carrier can not be reached"),
    (30007, Class::Person, "the carrier took it for spam"),
    (30008, Class::Person, "the carrier does not say why"),
    (30022, Class::Everybody, "the sender's rate cap is reached"),
    (30023, Class::Everybody, "the sender's daily cap is reached"),
    (30032, Class::Everybody, "the toll-free number is not verified"),
    (30034, Class::Everybody, "the sender is not registered for the United States"),
    (30036, Class::Person, "it could not be sent within its validity"),
];

/// What is known about a code.
pub fn known(code: u32) -> Option<(Class, &'static str)> {
    CODES.iter().find(|(known, ..)| *known == code).map(|(_, class, why)| (*class, *why))
}

/// What became of a message that had been accepted, in words.
pub fn why(code: Option<u32>) -> String {
    match code.map(|code| (code, known(code))) {
        Some((code, Some((_, why)))) => format!("Twilio: {why} ({code})"),
        Some((code, None)) => format!("Twilio: it failed with code {code}"),
        None => "Twilio: it failed, without a code".to_owned(),
    }
}

/// What a refusal means. A code that is not known is judged by the status. Messages are never quoted: they may repeat
/// numbers and addresses.
pub fn refusal(status: u16, code: Option<u32>, after: Option<Duration>) -> SendError {
    let said = code.and_then(|code| known(code).map(|(class, why)| (class, format!("Twilio: {why} ({code})"))));
    let (class, why) = said.unwrap_or_else(|| {
        let code = code.map_or(String::new(), |code| format!(", code {code}"));
        (by_status(status), format!("Twilio refuses it ({status}{code})"))
    });
    match class {
        Class::Person => SendError::unreachable(why),
        Class::OptedOut => SendError::opted_out(why),
        Class::Everybody => SendError::broken(why),
        Class::Later => SendError::throttled(after, why),
        Class::Unknown => SendError::Retry { after, why, unknown: true },
    }
}

fn by_status(status: u16) -> Class {
    match status {
        401 | 403 | 404 | 407 => Class::Everybody,
        429 => Class::Later,
        500..=599 => Class::Unknown,
        // Redirects are not followed: something stands between us and Twilio.
        300..=399 => Class::Later,
        _ => Class::Person,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_once_and_says_something() {
        for (at, (code, _, why)) in CODES.iter().enumerate() {
            assert!(CODES[at + 1..].iter().all(|(other, ..)| other != code), "{code} stands twice");
            assert!(!why.is_empty());
        }
    }

    #[test]
    fn what_is_not_known_is_judged_by_its_status() {
        for (status, code, class) in [
            (400, Some(99_999), Class::Person),
            (400, None, Class::Person),
            (401, None, Class::Everybody),
            (403, Some(1), Class::Everybody),
            (404, None, Class::Everybody),
            (429, None, Class::Later),
            (302, None, Class::Later),
            (500, None, Class::Unknown),
            (503, Some(20503), Class::Unknown),
        ] {
            let refused = refusal(status, code, None);
            let found = match refused {
                SendError::DeskClosed { .. } => panic!("no desk is asked"),
                SendError::Unreachable { opted_out: false, .. } => Class::Person,
                SendError::Unreachable { opted_out: true, .. } => Class::OptedOut,
                SendError::Broken { .. } => Class::Everybody,
                SendError::Retry { unknown: false, .. } => Class::Later,
                SendError::Retry { unknown: true, .. } => Class::Unknown,
            };
            assert_eq!(found, class, "{status} {code:?}");
        }
    }
}
