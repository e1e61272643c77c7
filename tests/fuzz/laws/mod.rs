//! What must hold whatever people, providers and files send: one law for each reader, over bytes. A law says more than
//! that nothing panics: what is read is bounded, what is written is read back as it was, what is not understood engages
//! nobody.
//!
//! `tests/fuzz/target.rs` runs them under libFuzzer; `tests/fast/fuzzed/` runs them on the seeds with every `cargo test`.

mod alerts;
mod assessments;
mod callbacks;
mod canonical;
mod chats;
mod journal;
mod monitors;
mod replies;
mod requests;
mod rules;
mod texts;

/// A law: it panics where it does not hold.
pub type Law = fn(&[u8]);

/// Every law by its name, which is also the name of its folder of seeds.
pub const LAWS: [(&str, Law); 24] = [
    ("alerts", alerts::native),
    ("alertmanager", alerts::alertmanager),
    ("replies", replies::texts),
    ("mails", replies::mails),
    ("callbacks", callbacks::callbacks),
    ("slack", chats::slack),
    ("frames", chats::frames),
    ("telegram", chats::telegram),
    ("journal", journal::export),
    ("anchors", journal::anchors),
    ("matrix", rules::matrix),
    ("scenario", rules::scenario),
    ("conditions", rules::conditions),
    ("pages", texts::pages),
    ("templates", texts::templates),
    ("canonical", canonical::canonical),
    ("requests", requests::requests),
    ("forms", requests::forms),
    ("pagerduty", monitors::pagerduty),
    ("webhooks", monitors::webhooks),
    ("cloudevents", monitors::cloudevents),
    ("opsgenie", monitors::opsgenie),
    ("mappings", rules::mappings),
    ("assessments", assessments::assessments),
];

/// The first line and the rest.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
