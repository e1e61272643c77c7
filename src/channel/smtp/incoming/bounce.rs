//! Mails that say of our own that they did not arrive: reports of delivery (RFC 3464, RFC 6533), and what servers write
//! without that form.

use super::{
    absence, delivery_status,
    meaning::MailMeaning,
    message_id::{MessageIdParts, named, page_of},
    phrases,
    server_words::{ServerWords, text},
};
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders};

/// A server's word about one of our mails.
pub(super) struct MailReport {
    /// What it names; none where it names no page of ours.
    pub id: Option<MessageIdParts>,
    /// What it says.
    pub meaning: MailMeaning,
}

/// Reads a server's mail; none where it is no server's, or is an automatic reply. `from` is its writer, in lower case.
pub(super) fn read(mail: &Message<'_>, from: &str) -> Option<MailReport> {
    let answered = || named(mail.in_reply_to()).or_else(|| named(mail.references()));
    let report = |meaning| Some(MailReport { id: returned(mail).or_else(answered), meaning });
    let words = ServerWords::of(mail);
    match report_type(mail).as_deref() {
        Some("delivery-status") if has_receipt(mail) => return report(MailMeaning::Nothing),
        Some("delivery-status") => {
            return report(delivery_status::read(mail).unwrap_or_else(|| words.meaning()));
        }
        Some(_) => return report(MailMeaning::Nothing),
        None => {}
    }
    if mail.header("X-Failed-Recipients").is_some() {
        return report(MailMeaning::Bounced(words.status_or_none()));
    }
    let is_server = from.split('@').next().is_some_and(|name| {
        matches!(name, "mailer-daemon" | "mailerdaemon" | "mail-daemon" | "postmaster" | "mdaemon")
    });
    // People read the mailbox `postmaster` too, and answer from it: with a subject of ours, or without a server's words.
    let is_reply = phrases::REPLIES.iter().any(|mark| words.subject().starts_with(mark));
    let is_human = from.starts_with("postmaster@") && !absence::is_automatic(mail) && (is_reply || !words.report());
    let answers = answered().is_some();
    let is_bounce = if answers && (!is_server || is_human) {
        // Absence notes have no sender either, and answer a mail; but they speak of no refusal.
        absence::is_automatic(mail) && !absence::says_so(mail) && words.refuse()
    } else {
        is_server || absence::has_null_sender(mail)
    };
    if is_bounce { report(words.meaning()) } else { None }
}

/// The kind of a `multipart/report`, in lower case; of a delivery if it says none.
fn report_type(mail: &Message<'_>) -> Option<String> {
    let kind = mail.content_type().filter(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind.subtype().is_some_and(|s| s.eq_ignore_ascii_case("report"))
    })?;
    Some(kind.attribute("report-type").unwrap_or("delivery-status").to_lowercase())
}

/// Whether it says what became of a mail that was delivered: that it was read, or called spam.
fn has_receipt(mail: &Message<'_>) -> bool {
    let receipts = ["disposition-notification", "global-disposition-notification", "feedback-report"];
    mail.parts.iter().any(|part| receipts.iter().any(|form| part.is_content_type("message", form)))
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

/// All that a server wrote or copied as text.
fn texts<'m>(mail: &'m Message<'_>) -> impl Iterator<Item = String> + 'm {
    mail.parts.iter().filter(|part| part.message().is_none()).map(text).filter(|text| !text.is_empty())
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
        // Without the marks of a machine its words tell.
        let written = |subject: &str, words: &str| {
            meaning(&format!(
                "From: postmaster@example.com\nContent-Type: text/plain; charset=utf-8\nIn-Reply-To: {ID}\n\
                 Subject: {subject}\n\n{words}\n"
            ))
        };
        for (subject, words, status) in [
            ("Undeliverable: LIVE INC-12", "Your message couldn't be delivered. 550 5.1.1 no such user", "5.1.1"),
            ("Unzustellbar: LIVE INC-12", "Ihre Nachricht konnte nicht zugestellt werden.", "without a status"),
            ("Failure", "550 5.7.1 rejected", "5.7.1"),
        ] {
            assert_eq!(written(subject, words), bounced(status), "{subject}");
        }
        for words in ["wilco", "I can't: the mail server is down and I fix it", "wilco\n\n> 550 5.1.1 no such user"] {
            assert!(matches!(written("Re: LIVE INC-12", words), Some(MailMeaning::Said(_))), "{words}");
        }
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
        for (subject, words) in [
            ("Zustellung verzögert: LIVE", "Die Nachricht wird in 2 Tagen als unzustellbar zurückgesendet."),
            (
                "Verzögerung",
                "Konnte noch nicht zugestellt werden. Unzustellbar ist sie erst, wenn bis Montag nichts geht.",
            ),
            (
                "Warnung",
                "Die Zustellung ist verzögert. Sie erhalten eine Unzustellbarkeitsmeldung, falls sie scheitert.",
            ),
            ("Avis", "Le message a été retardé. Il sera renvoyé comme erreur permanente."),
            ("Aviso", "El mensaje está retrasado; se seguirá intentando antes de un error permanente."),
        ] {
            let mail = format!(
                "From: MAILER-DAEMON@mx.example\nReferences: {ID}\nContent-Type: text/plain; charset=utf-8\n\
                 Subject: {subject}\n\n{words}\n"
            );
            assert_eq!(meaning(&mail), Some(MailMeaning::Nothing), "{mail}");
            let by_postmaster = mail.replace("MAILER-DAEMON", "postmaster");
            assert_eq!(meaning(&by_postmaster), Some(MailMeaning::Nothing), "{by_postmaster}");
        }
        let retried = format!("Return-Path: <>\nFrom: postmaster@mx.example\n\n451 4.4.1 for now\nMessage-ID: {ID}\n");
        assert_eq!(meaning(&retried), Some(MailMeaning::Nothing));
        let away = format!("Return-Path: <>\nFrom: ana@example.com\nIn-Reply-To: {ID}\n\nBack on 5.1. or 7.12.2026\n");
        assert_eq!(meaning(&away), Some(MailMeaning::Away));
    }

    #[test]
    fn a_servers_refusal_is_a_bounce_whoever_it_is_from() {
        for head in [format!("In-Reply-To: {ID}\n"), format!("References: <x@y.example> {ID}\n")] {
            for (body, status) in [
                ("550 5.1.1 <ana@example.com>: Recipient address rejected", "5.1.1"),
                ("The server said: 550 User unknown", "without a status"),
                ("Your message could not be delivered to ana@example.com.", "without a status"),
                ("<ana@example.com>: no such user (#5.1.1)", "5.1.1"),
            ] {
                let mail = format!("Return-Path: <>\nFrom: ana@example.com\nSubject: Re: x\n{head}\n{body}\n");
                assert_eq!(meaning(&mail), bounced(status), "{mail}");
            }
        }
        for away in ["Call me at ext. 550 or +44 7700 900 001.", "I am back on 5.1.27", "I am on leave."] {
            let mail = format!("Return-Path: <>\nFrom: ana@example.com\nIn-Reply-To: {ID}\n\n{away}\n");
            assert_eq!(meaning(&mail), Some(MailMeaning::Away), "{away}");
        }
    }

    #[test]
    fn the_copy_of_our_mail_does_not_judge_itself() {
        for summary in ["Feed delayed, warning: stale", "build 4.4.8 fell", "I give up 550 5.1.1"] {
            let copy = format!("From: s@example.com\nSubject: LIVE INC-12: {summary}\nMessage-ID: {ID}\n\n{summary}\n");
            for words in ["550 User unknown\n\n", "Nobody has this address.\n\n--- Below this line is a copy:\n\n"] {
                let mail = format!("From: MAILER-DAEMON@mx.example\nSubject: Undelivered: {summary}\n\n{words}{copy}");
                let quoted = mail.replace(&copy, &copy.lines().map(|line| format!("> {line}\n")).collect::<String>());
                let subject = mail.replace("Undelivered", "LIVE INC-12");
                for mail in [mail, quoted, subject] {
                    assert_eq!(meaning(&mail), bounced("without a status"), "{mail}");
                }
            }
            let late = format!("From: MAILER-DAEMON@mx.example\n\n451 4.4.1 for now: we are still trying\n\n{copy}");
            assert_eq!(meaning(&late), Some(MailMeaning::Nothing), "{late}");
        }
    }

    #[test]
    fn a_server_that_gives_up_does_so_whatever_the_last_refusal_was() {
        let of = |subject: &str, words: &str| {
            meaning(&format!(
                "From: MAILER-DAEMON@mx.example\nReferences: {ID}\nAuto-Submitted: auto-replied\n\
                 Subject: {subject}\n\n{words}\n"
            ))
        };
        for (subject, words, status) in [
            ("x", "undeliverable after 4 days, I give up, 452 4.2.2", "4.2.2"),
            ("x", "452 4.2.2 mailbox full\nI'm not going to try again; it was in the queue too long.", "4.2.2"),
            ("x", "This is a permanent error; I've given up. (delayed 4 days, 4.4.1)", "4.4.1"),
            ("Undeliverable: LIVE INC-12", "Delivery time: 4.4.7", "4.4.7"),
            ("Delivery Status Notification (Failure)", "4.4.1 no answer", "4.4.1"),
            ("x", "retry timeout exceeded, delayed too often", "without a status"),
            ("x", "Warning: 554 delivery error: no such user", "without a status"),
        ] {
            assert_eq!(of(subject, words), bounced(status), "{subject} {words}");
        }
        for (subject, words) in [
            ("Warning: message 1a delayed 24 hours", "Eventually the mail delivery software will give up."),
            ("x", "4.2.2 full. It will be retried for 5 days before we give up."),
            ("Delivery Status Notification (Delay)", "You'll be notified if the delivery fails permanently."),
            ("Delayed Mail (still being retried)", "You do not need to resend: 451 4.7.1 greylisted"),
            ("x", "We have not given up: 4.4.1"),
            (
                "Delayed Mail (still being retried)",
                "Your message could not be delivered for more than 4 hour(s).\nIt will be retried until it is 5 day(s) old.",
            ),
            ("x", "Delivery to the mailbox is deferred."),
            ("x", "The recipient's server has greylisted this mail."),
            ("x", "Try again later, retrying."),
        ] {
            assert_eq!(of(subject, words), Some(MailMeaning::Nothing), "{subject} {words}");
        }
    }

    #[test]
    fn a_report_counts_for_each_of_its_recipients_and_in_any_form() {
        let report = |kind: &str, blocks: &str, returned: &str| {
            meaning(&format!(
                "From: MAILER-DAEMON@mx.example\nReferences: {ID}\n\
                 Content-Type: multipart/report{kind}; boundary=b\n\n--b\n\nSorry: no such user.\n{blocks}{returned}--b--\n"
            ))
        };
        let status =
            |fields: &str| format!("--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n{fields}\n");
        let copy = format!("--b\nContent-Type: message/rfc822\n\nMessage-ID: {ID}\n\nbody\n");
        for (fields, expected) in [
            ("Action: relayed\nStatus: 2.0.0\n\nAction: failed\nStatus: 5.1.1\n", bounced("5.1.1")),
            ("Action: expanded\n\nAction: failed\nStatus: 4.4.7\n", bounced("4.4.7")),
            ("Action:\n failed\nStatus:\n 5.1.1\n", bounced("5.1.1")),
            ("Action: failed (permanent error)\nStatus: 5.1.1 (no user)\n", bounced("5.1.1")),
            ("Action : FAILED;\n", bounced("without a status")),
            ("Action: failed\nDiagnostic-Code: smtp; 550 5.2.1 off\n", bounced("5.2.1")),
            ("Final-Recipient: rfc822; ana@example.com\nStatus: 5.1.1\n", bounced("5.1.1")),
            ("Final-Recipient: rfc822; ana@example.com\n", bounced("without a status")),
            ("Action: delayed\nStatus: 5.1.1\n", Some(MailMeaning::Nothing)),
            ("Action: relayed\nStatus: 2.0.0\n\nAction: delivered\nStatus: 2.0.0\n", Some(MailMeaning::Nothing)),
        ] {
            for kind in ["; report-type=delivery-status", ""] {
                for returned in [&*copy, ""] {
                    assert_eq!(report(kind, &status(fields), returned), expected, "{fields} {returned}");
                }
            }
        }
        assert_eq!(report("; report-type=delivery-status", "", ""), bounced("without a status"));
        assert_eq!(report("; report-type=disposition-notification", "", ""), Some(MailMeaning::Nothing));
    }
}
