//! Classifies incoming mail: a person's reply, an automatic reply, a bounce, or not about our pages.
//!
//! A mail names its page by that page's message id, which only its recipient and the servers on the way have seen. The
//! caller checks whether the token in it is valid, and whether the sender is the recipient.

mod absence;
mod body;
mod bounce;
mod delivery_status;
mod disclaimer;
mod html;
mod machine_lines;
mod meaning;
mod message_id;
mod phrases;
mod quote;
mod register_line;
mod server_words;
mod signature;
mod signs;
mod style_sheet;
mod taken_back;
mod written;

use crate::{
    core::PageId,
    text::reply::{Reply, says_exercise},
};
use mail_parser::MessageParser;
pub use meaning::MailMeaning;
use message_id::{MessageIdParts, named};
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
    /// What its writer said, without what they quoted; empty if a machine wrote it.
    pub words: String,
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
    let machines = |parts: MessageIdParts, meaning| {
        let MessageIdParts { page, token, site } = parts;
        IncomingMail { page, token, site, from: from.clone(), meaning, says_exercise: false, words: String::new() }
    };
    if let Some(report) = bounce::read(&mail, &from) {
        return report.id.map(|id| machines(id, report.meaning));
    }
    let id = named(mail.in_reply_to()).or_else(|| named(mail.references()))?;
    if let Some(meaning) = absence::read(&mail) {
        return Some(machines(id, meaning));
    }
    let MessageIdParts { page, token, site } = id;
    let known = name_of(&from);
    let names = known.as_deref().into_iter().chain(sender.and_then(|sender| sender.name()));
    let (texts, writer) = (body::texts(&mail), Writer::of(names, &from));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let meaning = MailMeaning::Said(written::reading(&texts, &writer));
    let said = written::said_lines(&texts, &writer);
    let (says_exercise, words) = (said.iter().copied().any(says_exercise), said.join("\n"));
    Some(IncomingMail { page, token, site, from, meaning, says_exercise, words })
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
            ("X-Autoresponder: yes\r\n", MailMeaning::Away),
            ("X-Autoreply-From: <x@example.com>\r\n", MailMeaning::Away),
            ("X-Mail-Autoreply: true\r\n", MailMeaning::Away),
            ("X-FC-MachineGenerated: true\r\n", MailMeaning::Away),
            ("Precedence: autoreply\r\n", MailMeaning::Away),
            ("X-Autogenerated: Reply\r\n", MailMeaning::Away),
            ("Delivered-To: Autoresponder\r\n", MailMeaning::Away),
            ("Auto-Submitted: auto-reply\r\n", MailMeaning::Away),
            ("Auto-Submitted: auto-responded\r\n", MailMeaning::Away),
            ("X-POST-MessageClass: 9; Autoresponder\r\n", MailMeaning::Away),
            ("X-Amazon-Auto-Reply: true\r\n", MailMeaning::Away),
            ("X-Any-Autoresponder-Id: 7\r\n", MailMeaning::Away),
            ("X-Vacation-Message: yes\r\n", MailMeaning::Away),
            ("Precedence: bulk\r\n", MailMeaning::Away),
            ("Precedence: junk\r\n", MailMeaning::Away),
            ("Auto-Submitted: auto-generated\r\n", MailMeaning::Away),
            ("Precedence: bulk\r\nList-Id: <all.example.com>\r\n", MailMeaning::Nothing),
            ("Auto-Submitted: auto-generated\r\nList-Id: <all.example.com>\r\n", MailMeaning::Nothing),
            ("Auto-Submitted: auto-notified\r\n", MailMeaning::Nothing),
            ("Precedence: list\r\n", MailMeaning::Nothing),
            ("List-Id: <all.example.com>\r\n", MailMeaning::Nothing),
        ] {
            assert_eq!(reply(head, "wilco\r\n"), Some(expected), "{head:?}");
        }
        // What humans' mails can have too: of a rule that forwards, of a sender who wants no absence notes.
        for head in [
            "Auto-Submitted: no\r\n",
            "X-MS-Exchange-Inbox-Rules-Loop: ana@example.com\r\n",
            "X-Auto-Response-Suppress: All\r\n",
            "X-Auto-Reply: no\r\n",
            "X-POST-MessageClass: 1\r\n",
        ] {
            assert!(matches!(reply(head, "wilco\r\n"), Some(MailMeaning::Said(_))), "{head:?}");
        }
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
    fn an_absence_note_is_known_by_its_subject() {
        let of = |subject: &str, head: &str| {
            let mail =
                format!("From: ana@example.com\r\nSubject: {subject}\r\nIn-Reply-To: {ID}\r\n{head}\r\nI am away.\r\n");
            read(mail.as_bytes(), |_| None).map(|mail| mail.meaning)
        };
        for subject in [
            "Automatic reply: LIVE INC-12",
            "Automatische Antwort: LIVE INC-12",
            "=?utf-8?Q?R=C3=A9ponse_automatique_=3A_LIVE?=",
            "Réponse automatique : LIVE",
            "Respuesta automática: LIVE",
            "Autosvar: LIVE",
            "自動応答: LIVE",
            "不在のお知らせ",
            "자동 회신: LIVE",
            "[Out of Office] Re: LIVE",
            "OOO: Re: LIVE",
            "Abwesenheitsnotiz",
            "Ana Ruiz is out of the office. (returning 7 December)",
            "Ana María Ruiz ist abwesend",
            "I am out of the office until Monday",
            "I’m on leave",
            "Currently out of office",
            "Not in the office",
            "Annual leave",
            "Urlaub: Re: LIVE",
            "Ich bin abwesend: Re: LIVE",
            "Je suis absent: LIVE",
            "Je suis absente : LIVE",
            "AUTO: Ana Ruiz is out of the office (returning 07/12/2026)",
            "Ana Ruiz/LON/ACME is out of the office.",
            "Ruiz, Ana is out of office",
            "Ana Ruiz (ACME) is currently on parental leave",
            "Ich bin bis 7.12. nicht im Büro",
            "Ich bin vom 1. bis zum 7.12. im Urlaub",
            "Je serai absent jusqu'au 7",
            "Bin im Urlaub",
            "Ferien",
            "Maternity leave",
            "Sick leave",
            "On sick leave until Monday",
            "I am on PTO",
            "I'm currently travelling and away until 7 December",
            "Vacaciones",
            "Estoy fuera de la oficina hasta el 7",
            "Away until 7 December",
            "Elternzeit",
            "Ana Ruiz ist bis Montag nicht im Büro",
            "Jestem nieobecny do 7.12.",
            "Jestem w podróży i nieobecna do poniedziałku",
            "Ana Ruiz jest nieobecna",
            "Nieobecność",
            "Відсутній до понеділка",
            "Відсутня",
        ] {
            assert_eq!(of(subject, ""), Some(MailMeaning::Away), "{subject}");
            assert_eq!(of(subject, "Auto-Submitted: auto-generated\r\n"), Some(MailMeaning::Away), "{subject}");
        }
        for subject in [
            "Re: LIVE INC-12",
            "Re: Automatic reply: LIVE",
            "AW: Abwesend",
            "Oooh",
            "Absenteeism rises",
            "Jestem nieobecnymi zajęty",
            "Re: I am out of the office",
            "LIVE INC-12: Ana is out of the office",
            "I am not away, I have it",
            "I'm back from vacation",
            "Ich bin nicht mehr im Urlaub",
            "Je ne suis pas absent",
            "Leave it to me",
            "I am here",
            "Re: AUTO: Ana is out of the office",
        ] {
            assert!(matches!(of(subject, ""), Some(MailMeaning::Said(_))), "{subject}");
        }
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
