//! Composes a page as a mail, with headers that thread it, mark it as urgent and prevent automatic replies.

use crate::channel::Message;
use lettre::{
    Message as Letter,
    address::Envelope,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use secrecy::ExposeSecret;

/// Composes the mail; returns its message id without the secret part, and its bytes. The id is the same for every
/// attempt, so that a server which already has the mail drops the duplicate.
pub(super) fn write(
    message: &Message,
    from: &Mailbox,
    to: Mailbox,
    site: Option<&str>,
) -> Result<(String, Vec<u8>), lettre::error::Error> {
    let domain = from.email.domain();
    let site = site.map(|site| format!(".{site}")).unwrap_or_default();
    let proof = message.ask.as_ref().map(|ask| format!(".{}", ask.proof.expose_secret())).unwrap_or_default();
    let (page, root) = (message.page, message.page.incident);
    let marked = |mark: &str| if mark.is_empty() { String::new() } else { format!(".m{mark}") };
    let (mark, thread) = (marked(&message.page_mark), marked(&message.mark));
    let id = format!("<{page}{proof}{mark}{site}@{domain}>");
    let root = format!("<{root}{thread}{site}@{domain}>");
    let mut mail = Letter::builder()
        // Passed explicitly and not parsed from the headers again, because a name may contain anything.
        .envelope(Envelope::new(Some(from.email.clone()), vec![to.email.clone()])?)
        .from(from.clone())
        .to(to)
        .subject(subject(message))
        .message_id(Some(id))
        .in_reply_to(root.clone())
        .references(root);
    for (name, value) in headers(message) {
        mail = mail.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
    }
    let text = message.whole_text().into_owned();
    let mail = match html(message) {
        Some(html) => mail.multipart(MultiPart::alternative_plain_html(text, html))?,
        None => mail.singlepart(SinglePart::plain(text))?,
    };
    Ok((format!("<{page}{mark}{site}@{domain}>"), mail.formatted()))
}

/// The subject on one line. In a drill it begins with DRILL even if the template left that out; in a live incident
/// nothing is added, because mail readers thread by the unchanged subject.
fn subject(message: &Message) -> String {
    let given = if message.text.subject.is_empty() { &message.text.headline } else { &message.text.subject };
    let line = on_one_line(given);
    if message.drill && !line.contains(message.stamp()) { format!("{} {line}", message.stamp()) } else { line }
}

/// A text for a mail header, where a line break would start another header.
pub(super) fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn html(message: &Message) -> Option<String> {
    let html = message.text.html.as_ref()?;
    let unstamped = message.drill && !html.contains(message.stamp());
    Some(if unstamped { format!("<p><strong>{}</strong></p>{html}", message.stamp()) } else { html.clone() })
}

fn headers(message: &Message) -> impl Iterator<Item = (&'static str, &'static str)> {
    // RFC 3834, and what Exchange reads instead: no receipts. That somebody is away, or a mail did not arrive, is wanted.
    let no_replies = [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "DR, RN, NRN")];
    let urgent = [("Importance", "high"), ("X-Priority", "1"), ("Priority", "urgent")];
    let urgent = message.purpose.is_brief().then_some(urgent);
    no_replies.into_iter().chain(urgent.into_iter().flatten())
}
