//! Twilio's error codes and what each means for a page. Source: Twilio's error dictionary
//! (<https://www.twilio.com/docs/api/errors>, one page for each code) and its pages about messages, calls and opt-outs.

use crate::channel::SendError;
use std::time::Duration;

/// Whom a code is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeClass {
    /// This person can not be reached by this channel.
    Person,
    /// This person has opted out (STOP) of this sender's messages.
    OptedOut,
    /// Nobody is reached by this channel until somebody repairs it.
    Everybody,
    /// It was not processed; try again later.
    Later,
    /// It may have been processed.
    Unknown,
}

/// Each code with its class and a description. Codes from 30000 on occur only in status callbacks.
const CODES: [(u32, CodeClass, &str); 51] = [
    // The account and its credentials.
    (10001, CodeClass::Everybody, "the account is not active"),
    (10004, CodeClass::Later, "too many calls at once"),
    (20003, CodeClass::Everybody, "the account or its token is wrong"),
    (20005, CodeClass::Everybody, "the account is not active"),
    (20006, CodeClass::Everybody, "the API key may not do this"),
    (20404, CodeClass::Everybody, "there is no such account"),
    (20429, CodeClass::Later, "too many requests"),
    (20500, CodeClass::Unknown, "an internal error"),
    (20503, CodeClass::Unknown, "a temporary failure"),
    // The person's number.
    (21211, CodeClass::Person, "the number is not valid"),
    (21214, CodeClass::Person, "the number can not be called"),
    (21215, CodeClass::Person, "the account may not call this country"),
    (21216, CodeClass::Person, "the account may not call this number"),
    (21217, CodeClass::Person, "the number is not valid"),
    (21219, CodeClass::Person, "a trial account calls verified numbers only"),
    (21265, CodeClass::Person, "the number is a short code"),
    (21266, CodeClass::Person, "the number is our own"),
    (21408, CodeClass::Person, "the account may not write to this country"),
    (21608, CodeClass::Person, "a trial account writes to verified numbers only"),
    (21610, CodeClass::OptedOut, "the person has opted out (STOP)"),
    (21612, CodeClass::Person, "there is no route from our number to this one"),
    (21614, CodeClass::Person, "the number is not a mobile phone"),
    (21635, CodeClass::Person, "the number is a landline"),
    // The text. These should not happen, because texts are cut to two segments; if one does, another channel is tried.
    (14103, CodeClass::Person, "the text is too long"),
    (21602, CodeClass::Person, "the text is missing"),
    (21617, CodeClass::Person, "the text is too long"),
    // The sender and the addresses that we give.
    (21205, CodeClass::Everybody, "the address of the call's text is refused: check daemon.public_url"),
    (21210, CodeClass::Everybody, "`from` is not verified"),
    (21212, CodeClass::Everybody, "`from` is not a number"),
    (21401, CodeClass::Everybody, "`from` is not a number"),
    (21601, CodeClass::Everybody, "`from` can not send SMS"),
    (21606, CodeClass::Everybody, "`from` can not send SMS"),
    (21609, CodeClass::Everybody, "the address for reports is refused: check daemon.public_url"),
    (21611, CodeClass::Everybody, "the queue of `from` is ten hours long"),
    (21659, CodeClass::Everybody, "`from` is not a number of the account"),
    (21660, CodeClass::Everybody, "`from` belongs to another account"),
    (21703, CodeClass::Everybody, "the messaging service has no numbers"),
    (21705, CodeClass::Everybody, "there is no such messaging service"),
    // Failures after a message was accepted.
    (30001, CodeClass::Person, "the queue is full"),
    (30002, CodeClass::Everybody, "the account is suspended"),
    (30003, CodeClass::Person, "the phone is off or out of reach"),
    (30004, CodeClass::Person, "the carrier or the person blocks it"),
    (30005, CodeClass::Person, "the phone is unknown or out of service"),
    (30006, CodeClass::Person, "the number is a landline, or its carrier can not be reached"),
    (30007, CodeClass::Person, "the carrier classified it as spam"),
    (30008, CodeClass::Person, "the carrier does not say why"),
    (30022, CodeClass::Everybody, "the sender's rate cap is reached"),
    (30023, CodeClass::Everybody, "the sender's daily cap is reached"),
    (30032, CodeClass::Everybody, "the toll-free number is not verified"),
    (30034, CodeClass::Everybody, "the sender is not registered for the United States"),
    (30036, CodeClass::Person, "it could not be sent within its validity"),
];

/// The class and description of a code; `None` if it is unknown.
pub fn known(code: u32) -> Option<(CodeClass, &'static str)> {
    CODES.iter().find(|(known, ..)| *known == code).map(|(_, class, why)| (*class, *why))
}

/// A description of why an accepted message was not delivered.
pub fn why(code: Option<u32>) -> String {
    match code.map(|code| (code, known(code))) {
        Some((code, Some((_, why)))) => format!("Twilio: {why} ({code})"),
        Some((code, None)) => format!("Twilio: it failed with code {code}"),
        None => "Twilio: it failed, without a code".to_owned(),
    }
}

/// Interprets a refusal. If the code is unknown, the HTTP status decides. Twilio's messages are never quoted: they may
/// repeat numbers and addresses.
pub fn refusal(status: u16, code: Option<u32>, after: Option<Duration>) -> SendError {
    let said = code.and_then(|code| known(code).map(|(class, why)| (class, format!("Twilio: {why} ({code})"))));
    let (class, why) = said.unwrap_or_else(|| {
        let code = code.map_or(String::new(), |code| format!(", code {code}"));
        (by_status(status), format!("Twilio refuses it ({status}{code})"))
    });
    match class {
        CodeClass::Person => SendError::unreachable(why),
        CodeClass::OptedOut => SendError::opted_out(why),
        CodeClass::Everybody => SendError::broken(why),
        CodeClass::Later => SendError::throttled(after, why),
        CodeClass::Unknown => SendError::Retry { after, why, unknown: true },
    }
}

fn by_status(status: u16) -> CodeClass {
    match status {
        401 | 403 | 404 | 407 => CodeClass::Everybody,
        429 => CodeClass::Later,
        500..=599 => CodeClass::Unknown,
        // Redirects are not followed: there is a proxy between us and Twilio.
        300..=399 => CodeClass::Later,
        _ => CodeClass::Person,
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
            (400, Some(99_999), CodeClass::Person),
            (400, None, CodeClass::Person),
            (401, None, CodeClass::Everybody),
            (403, Some(1), CodeClass::Everybody),
            (404, None, CodeClass::Everybody),
            (429, None, CodeClass::Later),
            (302, None, CodeClass::Later),
            (500, None, CodeClass::Unknown),
            (503, Some(20503), CodeClass::Unknown),
        ] {
            let refused = refusal(status, code, None);
            let found = match refused {
                SendError::DeskClosed { .. } => panic!("no desk is asked"),
                SendError::Unreachable { opted_out: false, .. } => CodeClass::Person,
                SendError::Unreachable { opted_out: true, .. } => CodeClass::OptedOut,
                SendError::Broken { .. } => CodeClass::Everybody,
                SendError::Retry { unknown: false, .. } => CodeClass::Later,
                SendError::Retry { unknown: true, .. } => CodeClass::Unknown,
            };
            assert_eq!(found, class, "{status} {code:?}");
        }
    }
}
