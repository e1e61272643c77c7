//! Reads a trigger's `ask`: what machines may ask through it, and what happens if nobody decides.

use super::expression::CelExpression;
use crate::{
    core::{
        AskRules,
        read_back::ReadBackField,
        request::{APPROVALS_MAX, APPROVE, DENY},
    },
    toml_kit::{
        document::TomlItem,
        faults::{LocatedValue, MatrixFaults},
    },
};
use std::time::Duration;

/// The shortest time until a request's deadline: nobody reads and decides in less.
const AFTER_MIN: Duration = Duration::from_secs(5);

/// The longest time until a request's deadline.
const AFTER_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// The longest name of an option, in characters.
const NAME_MAX: usize = 32;

/// The longest reason of a check, in characters.
const REASON_MAX: usize = 120;

/// A rule that looks at an answer before it counts. It decides nothing: where it holds, whoever chooses the option is asked
/// once whether they mean it.
#[derive(Debug)]
pub struct AskCheck {
    /// The option that it is about.
    pub option: String,
    /// When choosing it contradicts the facts.
    pub when: CelExpression,
    /// What people read.
    pub reason: String,
}

/// What `ask` says: the rules, and the check.
pub(super) type AskParts = (AskRules, Option<AskCheck>);

/// Compiles the condition at an item.
pub(super) type Compile<'c> = &'c dyn Fn(&TomlItem<'_>, &mut MatrixFaults) -> Option<CelExpression>;

pub(super) fn read(item: &TomlItem<'_>, compile: Compile<'_>, faults: &mut MatrixFaults) -> Option<AskParts> {
    let mut table = item.table("`ask`".into(), faults)?;
    let approvals = match table.take("approvals") {
        Some(item) => approvals(&item, faults),
        None => Some(1),
    };
    let default = table.take("default").map(|item| default(&item, faults));
    let after = table.demand("after", item.at, "after = \"90s\"", faults).and_then(|item| after(&item, faults));
    let edits = table.take("edits").and_then(|item| edits(&item, approvals, faults)).unwrap_or_default();
    let from_alerts = table.take("from_alerts").and_then(|item| item.flag(faults)).unwrap_or_default();
    let check = table.take("check").and_then(|item| check(&item, compile, faults));
    let read_back = table.take("read_back").map(|item| read_back(&item, faults));
    table.finish(&["separate"], &["variants", "capacity"], faults);
    let defaults = default.map_or(Some(Vec::new()), |default| default.map(|own| vec![own]))?;
    let read_back = read_back.map_or(Some(None), |read| read.map(Some))?;
    let (approvals, after) = (approvals?, after?);
    let rules = AskRules { approvals, defaults, after, read_back, handoff: None, from_alerts, edits };
    Some((rules, check))
}

/// Whether the one who approves may change the action. Who agrees with somebody must have seen the same action.
fn edits(item: &TomlItem<'_>, approvals: Option<u32>, faults: &mut MatrixFaults) -> Option<bool> {
    let edits = item.flag(faults)?;
    if edits && approvals.is_some_and(|approvals| 1 < approvals) {
        let message = "`edits` can not stand beside `approvals` of more than 1";
        let help = "who agrees must have seen the same action: leave out one of the two";
        return faults.refuse("edits-of-many", item.at, message, help);
    }
    Some(edits)
}

/// Which fact people repeat.
fn read_back(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<ReadBackField> {
    let LocatedValue { value, at } = item.text(faults)?;
    let field = value.parse().ok();
    field.filter(|field: &ReadBackField| field.name().chars().count() <= NAME_MAX).or_else(|| {
        let help = format!("\"labels.desk\" or \"values.orders\", with a name of at most {NAME_MAX} characters");
        faults.refuse("no-such-fact", at, format!("`read_back` can not be {value:?}"), help)
    })
}

fn check(item: &TomlItem<'_>, compile: Compile<'_>, faults: &mut MatrixFaults) -> Option<AskCheck> {
    let mut table = item.table("`check`".into(), faults)?;
    let option = table.demand("option", item.at, "option = \"approve\"", faults);
    let option = option.and_then(|item| short(&item, NAME_MAX, faults));
    let when = table.demand("when", item.at, "when = 'alert.values.orders > 5000.0'", faults);
    let when = when.and_then(|item| compile(&item, faults));
    let reason = table.demand("reason", item.at, "reason = \"more than 5,000 orders\"", faults);
    let reason = reason.and_then(|item| short(&item, REASON_MAX, faults));
    table.finish(&[], &[], faults);
    Some(AskCheck { option: option?, when: when?, reason: reason? })
}

/// A text of at most so many characters.
fn short(item: &TomlItem<'_>, most: usize, faults: &mut MatrixFaults) -> Option<String> {
    let LocatedValue { value, at } = item.text(faults)?;
    if (1..=most).contains(&value.chars().count()) {
        return Some(value.to_owned());
    }
    faults.refuse("text-too-long", at, format!("it must have 1 to {most} characters"), "write it shorter")
}

fn approvals(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<u32> {
    let count = item.count(faults)?;
    if (1..=APPROVALS_MAX).contains(&count) {
        return Some(count);
    }
    let message = format!("`approvals` must be between 1 and {APPROVALS_MAX}");
    faults.refuse("count-out-of-range", item.at, message, "how many different people must agree; without it 1")
}

/// The option that may take effect at the deadline.
fn default(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let LocatedValue { value, at } = item.text(faults)?;
    if (1..=NAME_MAX).contains(&value.chars().count()) {
        return Some(value.to_owned());
    }
    let help = format!("{DENY:?} or {APPROVE:?}, or the name of an option of a decision");
    faults.refuse("text-too-long", at, format!("`default` must have 1 to {NAME_MAX} characters"), help)
}

pub(super) fn after(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Duration> {
    let after = item.duration(faults)?;
    if (AFTER_MIN..=AFTER_MAX).contains(&after.value) {
        return Some(after.value);
    }
    let help = "how long people have to decide, from 5s to 7d";
    faults.refuse("duration-out-of-range", after.at, "`after` is out of range", help)
}
