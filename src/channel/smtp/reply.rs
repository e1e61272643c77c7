//! Interprets a mail server's refusal by the step at which it came, its code and its enhanced code (RFC 3463).

use crate::channel::SendError;
use lettre::transport::smtp::Error;
use std::{error::Error as _, time::Duration};

/// How long a server that has too much to do is left alone: it says that it has, and not until when.
const BUSY: Duration = Duration::from_secs(1);

/// The step of the SMTP conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SmtpPhase {
    /// Connection, greeting, EHLO, STARTTLS.
    Connect,
    /// AUTH.
    SignIn,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA, before any of the mail.
    Data,
    /// The mail itself and its final dot.
    Letter,
}

/// Interprets lettre's error. The server's own text is not quoted, because it often repeats the mailbox.
pub(super) fn judge(phase: SmtpPhase, error: &Error) -> SendError {
    if let Some(code) = error.status() {
        let words = error.source().map(ToString::to_string).unwrap_or_default();
        return refusal(phase, code.into(), enhanced(&words));
    }
    if let Some(tls) = tls_trouble(error) {
        return SendError::broken(format!(
            "no TLS with the mail server: {tls}; check that the host name fits its certificate, and give its root as ca"
        ));
    }
    match phase {
        SmtpPhase::SignIn if error.is_client() => {
            SendError::broken("the mail server offers no way to sign in that is known (PLAIN, LOGIN)")
        }
        SmtpPhase::Letter => SendError::unknown("the connection to the mail server broke before it confirmed the mail"),
        SmtpPhase::Connect => SendError::retry(format!("no connection to the mail server: {}", innermost(error))),
        SmtpPhase::SignIn | SmtpPhase::Sender | SmtpPhase::Recipient | SmtpPhase::Data => {
            SendError::retry(format!("the connection to the mail server broke: {}", innermost(error)))
        }
    }
}

fn refusal(phase: SmtpPhase, code: u16, enhanced: Option<(u8, u16, u16)>) -> SendError {
    let said = match enhanced {
        Some((class, subject, detail)) => format!("the mail server says {code} {class}.{subject}.{detail}"),
        None => format!("the mail server says {code}"),
    };
    let detail = enhanced.map(|(_, subject, detail)| (subject, detail));
    match (code, detail) {
        // To be put off at first sight is no limit: it is about this mailbox and our address.
        (400..=499, Some((7, 1))) if phase == SmtpPhase::Recipient => SendError::retry(said),
        // So many sessions or mails at once are too many for it: from this the channel learns how many it bears.
        (421, _) | (400..=499, Some((7, _) | (3, 2) | (5, 3))) => SendError::throttled(Some(BUSY), said),
        (400..=499, _) => SendError::retry(said),
        (530 | 534 | 535 | 538, _) => SendError::broken(format!("{said}: it refuses our login")),
        _ if matches!(phase, SmtpPhase::Connect | SmtpPhase::SignIn | SmtpPhase::Sender) => {
            SendError::broken(format!("{said}: it refuses {}", refused_part(phase)))
        }
        // A refusal of one recipient says nothing about others, whatever its text.
        (_, detail) if phase == SmtpPhase::Recipient && detail != Some((2, 2)) => {
            SendError::unreachable(format!("{said}: it refuses {}", refused_part(phase)))
        }
        (_, Some((2, 2))) => SendError::retry(format!("{said}: the mailbox is full")),
        (_, Some((5 | 7, _))) => SendError::broken(format!("{said}: it refuses mail from us, by policy or protocol")),
        (554 | 521 | 500..=504, None) => SendError::broken(format!("{said}: it refuses mail from us")),
        _ => SendError::unreachable(format!("{said}: it refuses {}", refused_part(phase))),
    }
}

fn refused_part(phase: SmtpPhase) -> &'static str {
    match phase {
        SmtpPhase::Connect => "this client",
        SmtpPhase::SignIn => "our sign-in",
        SmtpPhase::Sender => "our sender: check from",
        SmtpPhase::Recipient => "the mailbox",
        SmtpPhase::Data | SmtpPhase::Letter => "the mail",
    }
}

/// The enhanced code, only at the start: the lines of a reply are joined without a separator.
fn enhanced(words: &str) -> Option<(u8, u16, u16)> {
    let mut numbers = words.split_whitespace().next()?.splitn(3, '.');
    let class = numbers.next()?.parse().ok().filter(|class| matches!(class, 2 | 4 | 5))?;
    Some((class, numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The TLS library's own error, if there is one. It is the same for every attempt; a connection that only breaks during
/// the handshake has none.
fn tls_trouble(error: &Error) -> Option<String> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(tls.to_string());
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && let Some(tls) = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            return Some(tls.to_string());
        }
        source = cause.source();
    }
    error.is_tls().then(|| "the handshake failed".to_owned())
}

fn innermost(error: &Error) -> String {
    let mut last = error.source();
    while let Some(next) = last.and_then(std::error::Error::source) {
        last = Some(next);
    }
    last.map_or_else(|| "it closed the connection".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_judged_by_step_and_code() {
        use SmtpPhase::{Connect, Data, Letter, Recipient, Sender, SignIn};
        for (phase, code, words, expected) in [
            (Connect, 421, "4.3.2 busy", "throttled"),
            (Connect, 421, "too many connections", "throttled"),
            (Sender, 421, "4.7.0 try again later", "throttled"),
            (Sender, 451, "4.7.500 server busy", "throttled"),
            (Recipient, 452, "4.5.3 too many recipients", "throttled"),
            (Letter, 454, "4.3.2 not now", "throttled"),
            (Letter, 452, "4.3.1 no room", "retry"),
            (Connect, 554, "no SMTP service here", "broken"),
            (SignIn, 535, "5.7.8 bad password", "broken"),
            (SignIn, 454, "4.7.0 later", "throttled"),
            (Sender, 530, "5.7.0 Must issue a STARTTLS command first", "broken"),
            (Sender, 550, "5.7.1 sender not allowed", "broken"),
            (Sender, 553, "who are you", "broken"),
            (Recipient, 451, "4.7.1 greylisted", "retry"),
            (Recipient, 452, "4.2.2 full", "retry"),
            (Recipient, 550, "5.1.1 no such user", "unreachable"),
            (Recipient, 550, "no such user", "unreachable"),
            (Recipient, 550, "5.2.1 disabled", "unreachable"),
            (Recipient, 551, "not local", "unreachable"),
            (Recipient, 553, "bad mailbox", "unreachable"),
            (Recipient, 552, "5.2.2 full", "retry"),
            (Recipient, 550, "5.7.1 relaying denied", "unreachable"),
            (Recipient, 554, "5.7.1 Relay access denied", "unreachable"),
            (Recipient, 554, "no", "unreachable"),
            (Data, 503, "5.5.1 bad sequence", "broken"),
            (Letter, 552, "5.3.4 too big", "unreachable"),
            (Letter, 550, "5.7.26 DMARC", "broken"),
            (Letter, 451, "4.3.0 try again", "retry"),
        ] {
            let meaning = match refusal(phase, code, enhanced(words)) {
                SendError::Retry { unknown: false, after: Some(_), .. } => "throttled",
                SendError::Retry { unknown: false, .. } => "retry",
                SendError::Retry { unknown: true, .. } => "unknown",
                SendError::Unreachable { .. } => "unreachable",
                SendError::Broken { .. } => "broken",
                SendError::DeskClosed { .. } => "desk closed",
            };
            assert_eq!(meaning, expected, "{phase:?} {code} {words}");
        }
    }
}
