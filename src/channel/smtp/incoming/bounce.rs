//! Mails that say of our own that they did not arrive: reports of delivery (RFC 3464, RFC 6533), and what servers write
//! without that form.

use super::{
    absence,
    meaning::MailMeaning,
    message_id::{MessageIdParts, named, page_of},
    phrases,
};
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders};

/// Letters of a part that are looked at for a status and a message id.
const LETTERS_MAX: usize = 64 * 1024;

/// A server's word about one of our mails.
pub(super) struct MailReport {
    /// What it names; none where it names no page of ours.
    pub id: Option<MessageIdParts>,
    /// What it says.
    pub meaning: MailMeaning,
}

/// Reads a server's mail; none where it is no server's, or is an automatic reply. `from` is its writer, in lower case.
pub(super) fn read(mail: &Message<'_>, from: &str) -> Option<MailReport> {
    if is_report(mail) {
        let meaning = failed_delivery(mail).map_or(MailMeaning::Nothing, MailMeaning::Bounced);
        return Some(MailReport { id: returned(mail), meaning });
    }
    let is_server = from.split('@').next().is_some_and(|name| {
        matches!(name, "mailer-daemon" | "mailerdaemon" | "mail-daemon" | "postmaster" | "mdaemon")
    });
    let failed = mail.header("X-Failed-Recipients").is_some();
    if !(is_server || failed || absence::has_null_sender(mail)) {
        return None;
    }
    let answered = named(mail.in_reply_to()).or_else(|| named(mail.references()));
    // Absence notes have no sender either; but they answer a mail, and no server writes them. People read the mailbox
    // `postmaster` too, and answer from it.
    let is_human = from.starts_with("postmaster@") && !absence::is_automatic(mail);
    if answered.is_some() && !(failed || is_server && !is_human) {
        return None;
    }
    let status = status(mail);
    let id = returned(mail).or(answered);
    let is_delay = !failed
        && match &status {
            Some(status) => status.starts_with('4'),
            None => texts(mail).any(|text| is_delay(&text)) || mail.subject().is_some_and(is_delay),
        };
    let status = status.unwrap_or_else(|| "without a status".to_owned());
    Some(MailReport { id, meaning: if is_delay { MailMeaning::Nothing } else { MailMeaning::Bounced(status) } })
}

fn is_report(mail: &Message<'_>) -> bool {
    mail.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind.subtype().is_some_and(|s| s.eq_ignore_ascii_case("report"))
    })
}

/// The page whose mail is returned: whole, its head alone, or copied into the words.
fn returned(mail: &Message<'_>) -> Option<MessageIdParts> {
    let whole = mail.parts.iter().find_map(|part| page_of(part.message()?.message_id()?));
    let heads = [("text", "rfc822-headers"), ("message", "global-headers"), ("text", "rfc822")];
    let is_head = |part: &&MessagePart<'_>| heads.iter().any(|(kind, form)| part.is_content_type(kind, form));
    let head = |part: &MessagePart<'_>| page_of(MessageParser::default().parse(text(part).as_bytes())?.message_id()?);
    whole
        .or_else(|| mail.parts.iter().filter(is_head).find_map(head))
        .or_else(|| texts(mail).find_map(|text| copied(&text)))
}

/// The message id in a copy of our mail's head; else the first that is there at all.
fn copied(text: &str) -> Option<MessageIdParts> {
    let of_line =
        |line: &str| line.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).find_map(page_of);
    let is_own = |line: &&str| line.trim_start_matches(['>', ' ', '\t']).to_lowercase().starts_with("message-id:");
    text.lines().filter(is_own).find_map(of_line).or_else(|| text.lines().find_map(of_line))
}

/// The status of a delivery that failed for good. A delay is not a failure.
fn failed_delivery(mail: &Message<'_>) -> Option<String> {
    let is_status = |part: &&MessagePart<'_>| {
        part.is_content_type("message", "delivery-status") || part.is_content_type("message", "global-delivery-status")
    };
    let text = text(mail.parts.iter().find(is_status)?);
    let field = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    };
    let failed = field("Action").is_some_and(|action| action.eq_ignore_ascii_case("failed"));
    let status = field("Status").unwrap_or_default();
    let status: String = status.chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(12).collect();
    failed.then_some(status)
}

/// The enhanced status in a server's own words (`#5.1.1`); of several one that is final.
fn status(mail: &Message<'_>) -> Option<String> {
    let mut found: Option<String> = None;
    for text in texts(mail) {
        for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|word| word.trim_matches('.')) {
            let parts: Vec<&str> = word.split('.').collect();
            let is_status = matches!(parts[..], ["4" | "5", subject, detail]
                if (1..=3).contains(&subject.len()) && (1..=3).contains(&detail.len()));
            if is_status && found.as_ref().is_none_or(|found| found.starts_with('4')) {
                found = Some(word.to_owned());
            }
        }
    }
    found
}

fn is_delay(text: &str) -> bool {
    let lower = text.to_lowercase();
    phrases::DELAYS.iter().any(|words| lower.contains(words))
}

/// What a server wrote itself. Its mail has its words in the first text; what it returns is not looked at for a status.
fn texts<'m>(mail: &'m Message<'_>) -> impl Iterator<Item = String> + 'm {
    mail.parts.iter().filter(|part| part.message().is_none()).map(text).filter(|text| !text.is_empty())
}

fn text(part: &MessagePart<'_>) -> String {
    let bytes = part.contents();
    String::from_utf8_lossy(&bytes[..bytes.len().min(LETTERS_MAX)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{MailMeaning, read};
    use crate::core::{IncidentId, PageId};

    const ID: &str = "<INC-12.3.0123456789abcdef.5a5a5a5a@example.com>";

    fn meaning(mail: &str) -> Option<MailMeaning> {
        let incoming = read(mail.replace('\n', "\r\n").as_bytes(), |_| None)?;
        assert_eq!(incoming.page, PageId { incident: IncidentId(12), n: 3 });
        assert_eq!(incoming.token, "0123456789abcdef");
        Some(incoming.meaning)
    }

    fn bounced(status: &str) -> Option<MailMeaning> {
        Some(MailMeaning::Bounced(status.into()))
    }

    #[test]
    fn a_report_is_a_bounce_only_where_the_delivery_failed() {
        let report = |action: &str, kind: &str, returned: &str| {
            meaning(&format!(
                "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nAuto-Submitted: auto-replied\n\
                 Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
                 --b\nContent-Type: text/plain\n\nSorry.\n--b\nContent-Type: message/{kind}\n\n\
                 Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822;ana@example.com\nAction: {action}\n\
                 Status: 5.1.1\n\n--b\nContent-Type: {returned}\n\nMessage-ID: {ID}\nSubject: x\n\nbody\n--b--\n"
            ))
        };
        for returned in ["message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"] {
            for kind in ["delivery-status", "global-delivery-status"] {
                assert_eq!(report("failed", kind, returned), bounced("5.1.1"), "{kind} {returned}");
                assert_eq!(report("delayed", kind, returned), Some(MailMeaning::Nothing), "{kind} {returned}");
            }
        }
        assert_eq!(report("failed", "disposition-notification", "message/rfc822"), Some(MailMeaning::Nothing));
    }

    #[test]
    fn a_person_who_reads_the_mailbox_postmaster_answers_from_it() {
        let answer = |head: &str| {
            meaning(&format!("From: Postmaster <postmaster@example.com>\nIn-Reply-To: {ID}\n{head}\nwilco\n"))
        };
        assert!(matches!(answer(""), Some(MailMeaning::Said(_))));
        assert_eq!(answer("Return-Path: <>\n"), bounced("without a status"));
        assert_eq!(answer("Auto-Submitted: auto-replied\n"), bounced("without a status"));
    }

    #[test]
    fn a_server_that_returns_a_mail_in_its_own_words_is_understood() {
        let daemon = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: s@example.com\n";
        let copy = format!("--- the mail:\n\nMessage-ID: {ID}\nSubject: x\n");
        // qmail, Postfix without a report, exim, and one that says next to nothing.
        let qmail =
            format!("{daemon}Subject: failure notice\n\n<ana@example.com>:\nno such mailbox (#5.1.1)\n\n{copy}");
        assert_eq!(meaning(&qmail), bounced("5.1.1"));
        let dotted =
            format!("{daemon}Subject: Undeliverable\n\n550 5.2.2 from 10.4.5.6 4.7.1 first\n\n> message-id: {ID}\n");
        assert_eq!(meaning(&dotted), bounced("5.2.2"));
        let exim = format!(
            "From: Mail Delivery System <Mailer-Daemon@mx.example>\nAuto-Submitted: auto-replied\nReferences: {ID}\n\
             X-Failed-Recipients: ana@example.com\nSubject: Mail delivery failed\n\nUnrouteable address\n"
        );
        assert_eq!(meaning(&exim), bounced("without a status"));
        let bare = format!("Return-Path: <>\nFrom: x@mx.example\nSubject: no\n\nNobody there.\n{copy}");
        assert_eq!(meaning(&bare), bounced("without a status"));
        let nested = format!(
            "{daemon}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nNo such user.\n--b\n\
             Content-Type: message/rfc822\n\nMessage-ID: {ID}\n\n5.1.1 is in the mail itself\n--b--\n"
        );
        assert_eq!(meaning(&nested), bounced("without a status"));
        assert_eq!(meaning(&format!("{daemon}Subject: failure notice\n\nno such mailbox (#5.1.1)\n")), None);
    }

    #[test]
    fn what_is_only_late_or_away_is_no_bounce() {
        let late = format!(
            "From: Mailer-Daemon@mx.example\nAuto-Submitted: auto-replied\nReferences: {ID}\n\
             Subject: Warning: message delayed 24 hours\n\nNo action is required on your part.\n"
        );
        assert_eq!(meaning(&late), Some(MailMeaning::Nothing));
        let retried = format!("Return-Path: <>\nFrom: postmaster@mx.example\n\n451 4.4.1 for now\nMessage-ID: {ID}\n");
        assert_eq!(meaning(&retried), Some(MailMeaning::Nothing));
        let away = format!("Return-Path: <>\nFrom: ana@example.com\nIn-Reply-To: {ID}\n\nBack on 5.1. or 7.12.2026\n");
        assert_eq!(meaning(&away), Some(MailMeaning::Away));
    }
}
