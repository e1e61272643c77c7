//! Reads a trigger's `handoff`: how people take conversations over from machines.

use crate::{
    core::{
        AnswerLevel, AskRules, EscalationPlan, HandoffRules, HandoffTier,
        opening_hours::{OpeningSpan, UnknownHours},
    },
    matrix::{
        ask,
        draft::{HandoffDraft, MatrixDraft, TriggerDraft},
        tiers::everybody,
    },
    toml_kit::{
        document::TomlItem,
        faults::{LocatedValue, MatrixFaults},
        nearest::nearest,
    },
};
use toml::de::DeValue;

/// The most conversations that one person can have at once.
const CAPACITY_MAX: u32 = 100;

/// The most spans of `hours`.
const SPANS_MAX: usize = 14;

pub(super) fn read(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<HandoffDraft> {
    let mut table = item.table("`handoff`".into(), faults)?;
    let after = table.demand("after", item.at, "after = \"10m\"", faults);
    let after = after.and_then(|item| ask::after(&item, faults));
    let tier = table.take("tier").map_or(Some(HandoffTier::default()), |item| tier(&item, faults));
    let capacity = table.take("capacity").map(|item| capacity(&item, faults));
    let hours = table.take("hours").map(|item| hours(&item, faults));
    let from_alerts = table.take("from_alerts").and_then(|item| item.flag(faults)).unwrap_or_default();
    let variants = table.take("variants").and_then(|item| item.flag(faults)).unwrap_or(false);
    table.finish(&[], &["approvals", "default", "read_back", "edits"], faults);
    let capacity = capacity.map_or(Some(None), |read| read.map(Some))?;
    let hours = hours.map_or(Some(None), |read| read.map(Some))?;
    let handoff = HandoffRules { tier: tier?, capacity, variants };
    let rules = AskRules {
        approvals: 1,
        defaults: Vec::new(),
        after: after?,
        read_back: None,
        handoff: Some(handoff),
        from_alerts,
        edits: false,
    };
    Some(HandoffDraft { rules, hours, at: item.at })
}

fn tier(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<HandoffTier> {
    let LocatedValue { value, at } = item.text(faults)?;
    let known = [HandoffTier::Warm, HandoffTier::Immediate];
    if let Some(tier) = known.into_iter().find(|tier| tier.as_str() == value) {
        return Some(tier);
    }
    let help = match nearest(value, known.iter().map(|tier| tier.as_str())) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "\"warm\" (step by step) or \"immediate\" (everybody of all steps at once)".to_owned(),
    };
    faults.refuse("unknown-word", at, format!("`tier` can not be {value:?}"), help)
}

fn capacity(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<u32> {
    let count = item.count(faults)?;
    if (1..=CAPACITY_MAX).contains(&count) {
        return Some(count);
    }
    let message = format!("`capacity` must be between 1 and {CAPACITY_MAX}");
    faults.refuse("count-out-of-range", item.at, message, "how many conversations one person can have at once")
}

/// One span, or a list of several.
fn hours(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Vec<OpeningSpan>> {
    let texts = match item.value {
        DeValue::Array(_) => item.texts(faults)?,
        _ => vec![item.text(faults)?.owned()],
    };
    if SPANS_MAX < texts.len() {
        let message = format!("`hours` has more than {SPANS_MAX} entries");
        return faults.refuse("count-out-of-range", item.at, message, "write days with the same times together");
    }
    let read = |text: &LocatedValue<String>| {
        let span = text.value.parse();
        span.map_err(|unknown: UnknownHours| {
            faults.error("bad-hours", text.at, unknown.to_string(), "the end is exclusive, and comes after the start");
        })
        .ok()
    };
    texts.iter().map(read).collect()
}

/// One person speaks to the user: so one role is asked, and who has it has said so.
pub(super) fn check(draft: &MatrixDraft, faults: &mut MatrixFaults) {
    for trigger in draft.triggers.values().filter_map(|placed| placed.value.as_ref()) {
        let Some(handoff) = &trigger.handoff else { continue };
        if trigger.ask.is_some() {
            let help = "make two triggers: one takes approvals and decisions, the other conversations";
            faults.error("two-kinds-of-requests", handoff.at, "a trigger has `ask` or `handoff`, not both", help);
        }
        if handoff.rules.from_alerts && trigger.key.is_none() {
            let help = "key = 'alert.labels.conversation': alerts with the same value are turns of one conversation";
            faults.error("no-conversation", handoff.at, "`from_alerts` needs the trigger's `key`", help);
        }
        one_role(draft, trigger, handoff, faults);
    }
}

fn one_role(draft: &MatrixDraft, trigger: &TriggerDraft, handoff: &HandoffDraft, faults: &mut MatrixFaults) {
    if trigger.roles.len() != 1 {
        let help = "one person takes a conversation: name one role, and who is asked after it by its `next`";
        faults.error("one-role", handoff.at, "a trigger with `handoff` has one role", help);
    }
    let roles = trigger.roles.iter().filter_map(|role| Some((role, draft.roles.get(&role.value)?.value.as_ref()?)));
    for (role, plan) in roles.filter(|(_, plan)| plan.engaged_by != AnswerLevel::Wilco) {
        let message = format!(
            "role `{}` needs nobody who takes it: its `engaged_by` is {:?}",
            role.value,
            plan.engaged_by.to_string()
        );
        faults.error("nobody-takes-it", role.at, message, "a conversation needs a role with engaged_by = \"wilco\"");
    }
}

/// The plan of a handoff that nobody waits for: the people of all steps at once, before all others.
pub(super) fn at_once(plan: EscalationPlan) -> EscalationPlan {
    let is_immediate =
        |rules: &AskRules| rules.handoff.as_ref().is_some_and(|rules| rules.tier == HandoffTier::Immediate);
    if !plan.ask.as_ref().is_some_and(is_immediate) {
        return plan;
    }
    everybody(plan)
}
