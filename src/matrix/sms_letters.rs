//! Words that the SMS alphabet lacks: a text with one of them has less than half the room.

use crate::{
    matrix::draft::MatrixDraft,
    text::gsm7,
    toml_kit::faults::{MatrixFaults, SourceSpan},
};

/// Warns of summaries and names in another script, where anything is sent by SMS.
pub(super) fn check(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    if !draft.channels.values().any(|channel| channel.value.as_ref().is_some_and(|channel| channel.is_sms())) {
        return;
    }
    for (name, trigger) in &draft.triggers {
        let summary = trigger.value.as_ref().and_then(|trigger| trigger.summary.as_ref());
        let words = summary.map(|summary| summary.literal()).unwrap_or_default();
        if needs_ucs2(&words) {
            let length = words.encode_utf16().count();
            let message = format!(
                "the SMS of trigger `{name}` have room for {} characters instead of {}: its summary, {length} without \
                 what is filled in, has letters that the SMS alphabet lacks",
                gsm7::UCS2_TWO_PARTS,
                2 * gsm7::PART
            );
            faults.warning("short-sms", trigger.at, message, "what matters belongs into its first 28 characters");
        }
    }
    for (name, row) in &draft.roles {
        let shown = row.value.as_ref().and_then(|row| row.name.as_deref()).unwrap_or_default();
        role(name, shown, row.at, faults);
    }
    for (name, person) in &draft.people {
        let shown = person.value.as_ref().map(|person| person.person.name.as_str()).unwrap_or_default();
        if needs_ucs2(shown) {
            let message = format!(
                "an SMS that names person `{name}` has room for {} characters instead of {}: {shown:?} has letters that \
                 the SMS alphabet lacks",
                gsm7::UCS2_TWO_PARTS,
                2 * gsm7::PART
            );
            faults.warning("short-sms", person.at, message, "a `name` in Latin letters leaves the whole room");
        }
    }
}

/// Warns of a name of a role in another script.
fn role(name: &str, shown: &str, at: SourceSpan, faults: &mut MatrixFaults) {
    if needs_ucs2(shown) {
        let message = format!(
            "an SMS for role `{name}` has room for {} characters instead of {}: {shown:?} has letters that the SMS \
             alphabet lacks",
            gsm7::UCS2_TWO_PARTS,
            2 * gsm7::PART
        );
        faults.warning("short-sms", at, message, "a `name` in Latin letters leaves the whole room");
    }
}

fn needs_ucs2(text: &str) -> bool {
    gsm7::septets(&gsm7::to_sms(text)).is_none()
}
