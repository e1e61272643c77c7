//! Automatic replies: a machine's word that its human is away. Programs mark them in many ways, and some in none but the
//! subject.

use super::{meaning::MailMeaning, phrases};
use mail_parser::Message;

/// Heads that only an automatic reply has, whatever is in them. `X-MS-Exchange-Inbox-Rules-Loop` and
/// `X-Auto-Response-Suppress` are no such marks: rules that forward, and senders who want no absence notes, put them on
/// mails of humans.
const MARKS: [&str; 10] = [
    "X-Autoreply",
    "X-Autoreply-From",
    "X-Autoreply-Domain",
    "X-Auto-Reply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Mail-Autoreply",
    "X-Auto-Reply-From",
    "X-FC-MachineGenerated",
    "X-Vacation",
];

/// What a machine's mail means; none for a human's.
pub(super) fn read(mail: &Message<'_>) -> Option<MailMeaning> {
    let submitted = word(mail, "Auto-Submitted").unwrap_or_default();
    if submitted == "auto-replied" || is_marked(mail) || is_by_subject(mail.subject().unwrap_or_default()) {
        return Some(MailMeaning::Away);
    }
    if !matches!(&*submitted, "no" | "") {
        return Some(MailMeaning::Nothing);
    }
    // What Outlook's own assistant sends has no sender, and carries this.
    if has_null_sender(mail) {
        return Some(MailMeaning::Away);
    }
    let precedence = word(mail, "Precedence");
    let bulk = matches!(precedence.as_deref(), Some("bulk" | "junk" | "list")) || word(mail, "List-Id").is_some();
    bulk.then_some(MailMeaning::Nothing)
}

/// Whether a program says of it that it wrote it.
pub(super) fn is_automatic(mail: &Message<'_>) -> bool {
    has_null_sender(mail) || !matches!(word(mail, "Auto-Submitted").as_deref(), Some("no") | None)
}

/// Whether nobody is to answer it.
pub(super) fn has_null_sender(mail: &Message<'_>) -> bool {
    mail.header_raw("Return-Path").is_some_and(|path| path.trim() == "<>")
}

/// Whether its subject or its own marks call it an absence note.
pub(super) fn says_so(mail: &Message<'_>) -> bool {
    is_marked(mail) || is_by_subject(mail.subject().unwrap_or_default())
}

fn is_marked(mail: &Message<'_>) -> bool {
    let is_auto = |name| {
        let word: String = word(mail, name).unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).collect();
        word == "autoreply" || word == "auto"
    };
    MARKS.iter().any(|mark| word(mail, mark).is_some()) || is_auto("Precedence") || is_auto("X-Precedence")
}

/// The first word of a head, in lower case. A value that can not be read is there all the same.
fn word(mail: &Message<'_>, name: &'static str) -> Option<String> {
    let value = mail.header(name).map(|_| mail.header_raw(name).unwrap_or("?"));
    value.map(|value| value.trim().split([';', ' ', '(']).next().unwrap_or_default().to_lowercase())
}

/// Whether the subject begins so; a human's reply begins otherwise, also one to an automatic reply.
fn is_by_subject(subject: &str) -> bool {
    let lower = subject.to_lowercase();
    let lower = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    phrases::ABSENCE_SUBJECTS.iter().any(|words| {
        let Some(rest) = lower.strip_prefix(words) else { return false };
        // Scripts without gaps between words begin far behind those with them.
        let has_gaps = words.chars().next_back().is_some_and(|last| last < '\u{2e80}');
        !(has_gaps && rest.starts_with(char::is_alphanumeric))
    })
}
