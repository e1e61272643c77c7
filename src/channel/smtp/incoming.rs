//! Classifies incoming mail: a person's reply, an automatic reply, a bounce, or not about our pages.
//!
//! A mail names its page by that page's message id, which only its recipient and the servers on the way have seen. The
//! caller checks whether the token in it is valid, and whether the sender is the recipient.

mod body;
mod html;
mod phrases;
mod quote;
mod signature;
mod written;

use crate::{
    core::PageId,
    text::reply::{Reply, says_exercise},
};
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders};
use signature::Writer;

/// A mail about one of our pages.
#[derive(Debug, PartialEq, Eq)]
pub struct IncomingMail {
    /// The page whose message id it names.
    pub page: PageId,
    /// The token in that message id.
    pub token: String,
    /// The installation that wrote that message id; `None` if it does not say.
    pub site: Option<String>,
    /// The address in its `From` header, in lower case.
    pub from: String,
    /// The meaning of the mail.
    pub meaning: MailMeaning,
    /// Whether the reply says that it is a drill.
    pub says_exercise: bool,
}

/// The meaning of a mail.
#[derive(Debug, PartialEq, Eq)]
pub enum MailMeaning {
    /// A person's reply.
    Said(Reply),
    /// An automatic reply that the person is away (RFC 3834 and older conventions).
    Away,
    /// A bounce (RFC 3464), with its enhanced status code.
    Bounced(String),
    /// An automatic mail that changes nothing: from a mailing list, a delay, a read receipt.
    Nothing,
}

impl IncomingMail {
    /// Whether it says that our mail was not delivered.
    pub fn is_bounce(&self) -> bool {
        matches!(self.meaning, MailMeaning::Bounced(_))
    }
}

/// Parses a mail; `None` if it names no page of ours. `name_of` returns the name of a mailbox's owner, because their
/// name below an answer is not part of it.
pub fn read(raw: &[u8], name_of: impl Fn(&str) -> Option<String>) -> Option<IncomingMail> {
    let mail = MessageParser::default().parse(raw)?;
    let sender = mail.from().and_then(|from| from.first());
    let from = sender.and_then(|sender| sender.address()).unwrap_or_default().to_lowercase();
    if is_report(&mail) {
        let MessageIdParts { page, token, site } = returned(&mail)?;
        let meaning = bounce(&mail).map_or(MailMeaning::Nothing, MailMeaning::Bounced);
        return Some(IncomingMail { page, token, site, from, meaning, says_exercise: false });
    }
    let MessageIdParts { page, token, site } = named(mail.in_reply_to()).or_else(|| named(mail.references()))?;
    if let Some(meaning) = automatic(&mail) {
        return Some(IncomingMail { page, token, site, from, meaning, says_exercise: false });
    }
    let known = name_of(&from);
    let names = known.as_deref().into_iter().chain(sender.and_then(|sender| sender.name()));
    let (texts, writer) = (body::texts(&mail), Writer::of(names, &from));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let meaning = MailMeaning::Said(written::reading(&texts, &writer));
    let says_exercise = written::said_lines(&texts, &writer).into_iter().any(says_exercise);
    Some(IncomingMail { page, token, site, from, meaning, says_exercise })
}

/// The parts of one of our message ids.
struct MessageIdParts {
    page: PageId,
    token: String,
    site: Option<String>,
}

/// The last message id of ours that a header names.
fn named(header: &HeaderValue<'_>) -> Option<MessageIdParts> {
    header.as_text_list()?.iter().rev().find_map(|id| page_of(id))
}

/// `INC-12.3.TOKEN.SITE@example.com`: the incident, the page's number, its token, and the installation's name.
fn page_of(id: &str) -> Option<MessageIdParts> {
    let local = id.trim().trim_start_matches('<').split('@').next()?;
    let mut parts = local.split('.');
    let page = format!("{}.{}", parts.next()?, parts.next()?).parse().ok()?;
    let token = parts.next().filter(|token| !token.is_empty())?.to_owned();
    // The incident's mark begins with a letter that is not a hexadecimal digit; it is only for threading.
    let site = parts.find(|part| !part.is_empty() && !part.starts_with('m')).map(str::to_owned);
    Some(MessageIdParts { page, token, site })
}

fn is_report(mail: &Message<'_>) -> bool {
    mail.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind.subtype().is_some_and(|s| s.eq_ignore_ascii_case("report"))
    })
}

/// The page whose mail a report returns, complete or only its headers.
fn returned(mail: &Message<'_>) -> Option<MessageIdParts> {
    mail.parts.iter().find_map(|part| {
        if let Some(inner) = part.message() {
            return page_of(inner.message_id()?);
        }
        if !part.is_content_type("text", "rfc822-headers") {
            return None;
        }
        let head = MessageParser::default().parse(part.text_contents()?.as_bytes())?.message_id()?.to_owned();
        page_of(&head)
    })
}

/// The status code of a permanent delivery failure; `None` for a delay.
fn bounce(mail: &Message<'_>) -> Option<String> {
    let part = mail.parts.iter().find(|part| part.is_content_type("message", "delivery-status"))?;
    let text = part.text_contents()?;
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

/// The meaning of an automatic mail; `None` for a person's mail.
fn automatic(mail: &Message<'_>) -> Option<MailMeaning> {
    let word = |name: &'static str| {
        // A value that can not be parsed still counts as present.
        let value = mail.header(name).map(|_| mail.header_raw(name).unwrap_or("?"));
        value.map(|value| value.trim().split([';', ' ', '(']).next().unwrap_or_default().to_lowercase())
    };
    match word("Auto-Submitted").as_deref() {
        Some("auto-replied") => return Some(MailMeaning::Away),
        Some("no") | None => {}
        Some(_) => return Some(MailMeaning::Nothing),
    }
    if word("X-Autoreply").is_some()
        || word("X-Autorespond").is_some()
        || matches!(word("Precedence").as_deref(), Some("auto_reply" | "auto-reply"))
    {
        return Some(MailMeaning::Away);
    }
    // Outlook's automatic replies have no sender, and this header.
    let nobody = mail.header_raw("Return-Path").is_some_and(|path| path.trim() == "<>");
    if nobody {
        return Some(MailMeaning::Away);
    }
    let bulk = matches!(word("Precedence").as_deref(), Some("bulk" | "junk" | "list")) || word("List-Id").is_some();
    bulk.then_some(MailMeaning::Nothing)
}

/// What a person wrote in a mail: its text without quotes, greetings, thanks, signatures and footers. All other lines
/// are part of the answer. `name` is the name of the writer.
pub fn said(text: &str, name: &str) -> Reply {
    written::reading(&[text], &Writer::of([name], ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::{Answer, IncidentId},
        text::reply::ReplyDoubt,
    };

    const ID: &str = "<INC-12.3.0123456789abcdef.5a5a5a5a@example.com>";

    fn meaning(head: &str, body: &str) -> Option<MailMeaning> {
        let mail = format!(
            "From: Ana Ruiz <Ana@Example.com>\r\nTo: stentor@example.com\r\nSubject: Re: x\r\n{head}\r\n{body}"
        );
        let incoming = read(mail.as_bytes(), |_| None)?;
        assert_eq!(incoming.page, PageId { incident: IncidentId(12), n: 3 });
        assert_eq!(incoming.token, "0123456789abcdef");
        assert_eq!(incoming.site.as_deref(), Some("5a5a5a5a"));
        assert_eq!(incoming.from, "ana@example.com");
        Some(incoming.meaning)
    }

    fn reply(head: &str, body: &str) -> Option<MailMeaning> {
        meaning(&format!("In-Reply-To: {ID}\r\n{head}"), body)
    }

    #[test]
    fn the_first_line_of_a_reply_is_the_answer() {
        let said = |answer| Some(MailMeaning::Said(Reply::Answer { code: None, answer }));
        let unclear = |doubt| Some(MailMeaning::Said(Reply::Unclear { code: None, doubt }));
        for (body, expected) in [
            ("wilco\r\n", said(Answer::Wilco)),
            ("2\r\n\r\n> LIVE INC-12 ..\r\n", said(Answer::Wilco)),
            ("\r\n  Roger.\r\n\r\nAna\r\n", said(Answer::Roger)),
            ("unable", said(Answer::Unable)),
            ("I am looking at it right now\r\n", unclear(ReplyDoubt::unknown("I am looking at it right now"))),
            ("> wilco\r\n", unclear(ReplyDoubt::Nothing)),
            ("On Mon, Stentor wrote:\r\n> 1 roger 2 wilco\r\n", unclear(ReplyDoubt::Nothing)),
            ("", unclear(ReplyDoubt::Nothing)),
        ] {
            assert_eq!(reply("", body), expected, "{body:?}");
        }
    }

    #[test]
    fn no_machine_is_taken_for_a_human() {
        for (head, expected) in [
            ("Auto-Submitted: auto-replied (vacation)\r\n", MailMeaning::Away),
            ("Auto-Submitted: auto-replied; owner-email=x\r\n", MailMeaning::Away),
            ("X-Autoreply: yes\r\n", MailMeaning::Away),
            ("Precedence: auto_reply\r\n", MailMeaning::Away),
            ("Return-Path: <>\r\n", MailMeaning::Away),
            ("Auto-Submitted: auto-generated\r\n", MailMeaning::Nothing),
            ("Auto-Submitted: auto-notified\r\n", MailMeaning::Nothing),
            ("Precedence: list\r\n", MailMeaning::Nothing),
            ("List-Id: <all.example.com>\r\n", MailMeaning::Nothing),
        ] {
            assert_eq!(reply(head, "wilco\r\n"), Some(expected), "{head:?}");
        }
        assert!(matches!(reply("Auto-Submitted: no\r\n", "wilco\r\n"), Some(MailMeaning::Said(_))));
    }

    #[test]
    fn the_page_is_the_one_that_was_replied_to() {
        let other = "<INC-12.9.ffffffffffffffff.5a5a5a5a@example.com>";
        let root = "<INC-12.5a5a5a5a@example.com>";
        let wilco = |head: &str| meaning(head, "wilco\r\n").is_some();
        assert!(wilco(&format!("In-Reply-To: {ID}\r\nReferences: {root} {other}\r\n")));
        assert!(wilco(&format!("References: {root} {other} {ID}\r\n")));
        assert!(!wilco(&format!("In-Reply-To: {root}\r\n")), "an incident is no page");
        assert!(!wilco("In-Reply-To: <something@else.example>\r\n"));
        assert!(!wilco(""));
    }

    #[test]
    fn a_bounce_is_one_only_where_the_delivery_failed() {
        let report = |action: &str, returned: &str| {
            let head = "Return-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n";
            let body = format!(
                "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
                 Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822;ana@example.com\r\nAction: {action}\r\n\
                 Status: 5.1.1\r\n\r\n--b\r\nContent-Type: {returned}\r\n\r\nMessage-ID: {ID}\r\nSubject: x\r\n\r\nbody\r\n--b--\r\n"
            );
            meaning(head, &body)
        };
        assert_eq!(report("failed", "message/rfc822"), Some(MailMeaning::Bounced("5.1.1".into())));
        assert_eq!(report("failed", "text/rfc822-headers"), Some(MailMeaning::Bounced("5.1.1".into())));
        assert_eq!(report("delayed", "message/rfc822"), Some(MailMeaning::Nothing));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for raw in
            [&b""[..], b"\r\n\r\n", b"\xff\xfe", b"In-Reply-To: <INC-.@>\r\n\r\n", b"In-Reply-To: <INC-1.1@x>\r\n\r\n2"]
        {
            assert_eq!(read(raw, |_| None), None);
        }
    }
}
