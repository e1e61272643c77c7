//! Reads a trigger's `ask`: what machines may ask through it, and what happens if nobody decides.

use crate::{
    core::{
        AskRules,
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

pub(super) fn read(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<AskRules> {
    let mut table = item.table("`ask`".into(), faults)?;
    let approvals = match table.take("approvals") {
        Some(item) => approvals(&item, faults),
        None => Some(1),
    };
    let default = table.take("default").map(|item| default(&item, faults));
    let after = table.demand("after", item.at, "after = \"90s\"", faults).and_then(|item| after(&item, faults));
    table.finish(&["separate", "read_back"], &["variants", "capacity"], faults);
    let defaults = default.map_or(Some(Vec::new()), |default| default.map(|own| vec![own]))?;
    Some(AskRules { approvals: approvals?, defaults, after: after?, handoff: None })
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
