//! Reads `[trigger.NAME]`.

use crate::{
    core::{
        Priority,
        overflow::OPENINGS_PER_MINUTE,
        plan::OnResolved,
        trigger::{HOLD_MAX, TriggerThreshold},
    },
    matrix::{
        actions, ask, compiled::compiled, decision_section, draft::TriggerDraft, expression::ExpressionLanguage,
        expression_fault::ExpressionUse, handoff, layers, summary::SummaryTemplate,
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        nearest::nearest,
        secret::web_url,
    },
};
use toml::de::DeValue;

/// Keys that a later version will support.
const LATER: [&str; 7] = ["separate", "decision", "options", "layers", "heartbeat", "deadline", "default"];

/// Reads a trigger; `text` is the file that contains it.
pub(super) fn trigger(
    mut table: TomlTable<'_>,
    at: SourceSpan,
    text: &str,
    language: &ExpressionLanguage,
    faults: &mut MatrixFaults,
) -> TriggerDraft {
    let on = table.demand("on", at, "on = [\"price_velocity\"]", faults).and_then(|item| item.texts(faults));
    let sources = table.take("sources").map(|item| one_or_more(&item, faults));
    let when = table.take("when");
    let when_at = when.as_ref().map(|item| item.at);
    let when =
        when.and_then(|item| compiled(&item, text, faults, |text| language.compile(text, ExpressionUse::Condition)));
    let threshold = table.take_renamed("threshold", "hold", faults).and_then(|item| threshold(&item, faults));
    let scalar = |item: &TomlItem<'_>, faults: &mut MatrixFaults| {
        compiled(item, text, faults, |text| language.compile(text, ExpressionUse::Scalar))
    };
    let condition = |item: &TomlItem<'_>, faults: &mut MatrixFaults| {
        compiled(item, text, faults, |text| language.compile(text, ExpressionUse::Condition))
    };
    let can_be_silenced = table.take("silences").and_then(|item| item.flag(faults)).unwrap_or(true);
    let layers = layers::read(&mut table, &scalar, &condition, faults);
    let assess = table.take("assess").and_then(|item| item.texts(faults)).unwrap_or_default();
    let key = table.take("key").and_then(|item| scalar(&item, faults));
    let openings_per_minute = table.take("openings_per_minute").and_then(|item| openings(&item, faults));
    let priority = table.take("priority").and_then(|item| priority(&item, faults)).unwrap_or_default();
    let tier = decision_section::of_trigger(&mut table, &scalar, faults);
    let summary = table
        .take("summary")
        .and_then(|item| compiled(&item, text, faults, |text| SummaryTemplate::compile(text, language)));
    let roles = table.demand("roles", at, "roles = [\"trader\"]", faults).and_then(|item| item.texts(faults));
    let rooms = table.take("room").map(|item| one_or_more(&item, faults)).unwrap_or_default();
    let webhooks =
        table.take_renamed("webhooks", "tell", faults).map(|item| one_or_more(&item, faults)).unwrap_or_default();
    let runbook = table.take("runbook").and_then(|item| web_url(&item, faults));
    let actions = table.take("actions").map(|item| actions::read(&item, faults)).unwrap_or_default();
    let (ask, check) = table.take("ask").and_then(|item| ask::read(&item, &condition, faults)).unzip();
    let handoff = table.take("handoff").and_then(|item| handoff::read(&item, faults));
    let resolved = table.take("resolved").and_then(|item| resolved(&item, faults));
    let resolved = resolved.unwrap_or(LocatedValue { value: OnResolved::default(), at });
    table.finish(&LATER, &[], faults);
    TriggerDraft {
        on: on.unwrap_or_default().into_iter().map(|kind| kind.value).collect(),
        sources,
        when: when.zip(when_at).map(|(value, at)| LocatedValue { value, at }),
        threshold,
        layers,
        assess,
        can_be_silenced,
        key,
        openings_per_minute: openings_per_minute.unwrap_or(OPENINGS_PER_MINUTE),
        priority,
        tier,
        summary,
        roles: roles.unwrap_or_default(),
        rooms,
        webhooks,
        runbook,
        actions,
        ask,
        handoff,
        check: check.flatten(),
        resolved,
    }
}

/// One value, or a list of several.
fn one_or_more(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Vec<LocatedValue<String>> {
    if matches!(item.value, DeValue::Array(_)) {
        return item.texts(faults).unwrap_or_default();
    }
    item.text(faults).map(LocatedValue::owned).into_iter().collect()
}

fn threshold(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<TriggerThreshold> {
    let example = |within: Option<&str>| format!("threshold = {{ count = 2, within = {:?} }}", within.unwrap_or("10s"));
    let mut table = item.table_like("`threshold`".into(), example, faults)?;
    let count = table.demand("count", item.at, "count = 2", faults).and_then(|item| {
        let count = item.count(faults)?;
        if (2..=HOLD_MAX).contains(&count) {
            return Some(count);
        }
        let message = format!("`count` must be between 2 and {HOLD_MAX}");
        faults.refuse("count-out-of-range", item.at, message, "for a single alert leave `threshold` out")
    });
    let within = table.demand("within", item.at, "within = \"10s\"", faults).and_then(|item| item.duration(faults));
    let consecutive = table.take("consecutive").map_or(Some(false), |item| item.flag(faults));
    table.finish(&[], &[], faults);
    Some(TriggerThreshold { count: count?, within: within?.value, consecutive: consecutive? })
}

fn openings(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<u32> {
    let count = item.count(faults)?;
    if (1..=HOLD_MAX).contains(&count) {
        return Some(count);
    }
    let message = format!("`openings_per_minute` must be between 1 and {HOLD_MAX}");
    let help = format!("how many incidents the trigger opens in one minute; without it {OPENINGS_PER_MINUTE}");
    faults.refuse("count-out-of-range", item.at, message, help)
}

fn priority(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Priority> {
    let number = item.count(faults)?;
    let known = u8::try_from(number).ok().filter(|n| (Priority::HIGHEST..=Priority::LOWEST).contains(n));
    if known.is_none() {
        let message = format!("`priority` must be between {} and {}", Priority::HIGHEST, Priority::LOWEST);
        let help = format!(
            "{} is the most urgent; without it a trigger has {}",
            Priority::HIGHEST,
            u8::from(Priority::default())
        );
        return faults.refuse("priority-out-of-range", item.at, message, help);
    }
    known.map(Priority::from)
}

fn resolved(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<LocatedValue<OnResolved>> {
    let text = item.text(faults)?;
    match text.value {
        "note" => Some(LocatedValue { value: OnResolved::Note, at: text.at }),
        "resolve" => Some(LocatedValue { value: OnResolved::Resolve, at: text.at }),
        other => {
            let help = match nearest(other, ["note", "resolve"].into_iter()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => String::from("\"note\" (a human closes the incident) or \"resolve\" (the all-clear closes it)"),
            };
            faults.refuse("unknown-word", text.at, format!("`resolved` can not be {other:?}"), help)
        }
    }
}
