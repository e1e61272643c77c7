//! Reads the keys of a trigger that say what must be true besides its condition.

use super::{
    draft::{LayersDraft, TriggerDraft},
    expression::CelExpression,
};
use crate::{
    core::{
        judgement::{
            AbsenceLimit, ChangeDirection, Corroboration, FlapLimit, OPENINGS_MAX, ValueChange, WITNESSES_MAX,
        },
        plan::OnResolved,
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{MatrixFaults, SourceSpan},
    },
};
use std::{collections::BTreeMap, time::Duration};

/// The shortest time that a monitor may have to speak again: less is noise of the network.
const ABSENCE_MIN: Duration = Duration::from_millis(100);

/// The longest time of a layer.
const SPAN_MAX: Duration = Duration::from_secs(31 * 24 * 3600);

/// Compiles a number, or a text, at an item.
pub(super) type CompileScalar<'c> = &'c dyn Fn(&TomlItem<'_>, &mut MatrixFaults) -> Option<CelExpression>;

pub(super) fn read(
    table: &mut TomlTable<'_>,
    scalar: CompileScalar<'_>,
    condition: CompileScalar<'_>,
    faults: &mut MatrixFaults,
) -> LayersDraft {
    let mut draft = LayersDraft::default();
    let at = &mut draft.at;
    let corroborate = placed(table.take("corroborate"), at);
    let change = placed(table.take("change"), at);
    let delay = placed(table.take("for"), at);
    let clear_when = placed(table.take("clear_when"), at);
    let cooldown = placed(table.take("cooldown"), at);
    let flapping = placed(table.take("flapping"), at);
    let absent = placed(table.take("absent"), at);
    draft.clear_when = clear_when.and_then(|item| condition(&item, faults));
    if let Some((corroboration, witness)) = corroborate.and_then(|item| corroborates(&item, scalar, faults)) {
        (draft.layers.corroborate, draft.witness) = (Some(corroboration), witness);
    }
    if let Some((change, value)) = change.and_then(|item| changes(&item, scalar, faults)) {
        (draft.layers.change, draft.value) = (Some(change), Some(value));
    }
    draft.layers.delay = delay.and_then(|item| span(&item, faults));
    draft.layers.cooldown = cooldown.and_then(|item| span(&item, faults));
    draft.layers.flapping = flapping.and_then(|item| flaps(&item, faults));
    draft.layers.absent = absent.and_then(|item| absence(&item, faults));
    draft
}

fn placed<'a>(item: Option<TomlItem<'a>>, at: &mut BTreeMap<String, SourceSpan>) -> Option<TomlItem<'a>> {
    at.extend(item.iter().map(|item| (item.key.to_owned(), item.at)));
    item
}

/// What does not go together.
pub(super) fn check(trigger: &TriggerDraft, faults: &mut MatrixFaults) {
    let layers = &trigger.layers;
    let at = |key: &str| layers.at.get(key).copied();
    let waits = ["for", "cooldown", "absent", "flapping"].into_iter().find_map(|key| Some((key, at(key)?)));
    if let Some((key, at)) = waits.filter(|_| trigger.ask.is_some() || trigger.handoff.is_some()) {
        let message = format!("`{key}` can not be beside `ask` or `handoff`: who asks is answered at once");
        faults.error("layers-exclude", at, message, "put it on a trigger of its own, without a question");
    }
    if let Some(place) = at("absent") {
        let others = ["change", "corroborate", "for", "clear_when"].into_iter().find(|key| at(key).is_some());
        if let Some(other) = others.or(trigger.threshold.is_some().then_some("threshold")) {
            let message =
                format!("`absent` and `{other}` are in one trigger: one is about silence, the other about alerts");
            faults.error("layers-exclude", place, message, "make two triggers");
        }
    }
    if let Some(place) = at("flapping")
        && trigger.resolved.value != OnResolved::Resolve
    {
        let message = "`flapping` has no effect without resolved = \"resolve\": an all-clear ends no incident";
        faults.warning("no-effect", place, message, "remove it, or let the all-clear end incidents");
    }
}

fn span(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Duration> {
    bounded(item, Duration::from_secs(1), faults)
}

fn bounded(item: &TomlItem<'_>, least: Duration, faults: &mut MatrixFaults) -> Option<Duration> {
    let span = item.any_duration(faults)?.value;
    if (least..=SPAN_MAX).contains(&span) {
        return Some(span);
    }
    let message = format!(
        "`{}` must be between {} and {}",
        item.key,
        humantime::format_duration(least),
        humantime::format_duration(SPAN_MAX)
    );
    faults.refuse("duration-out-of-range", item.at, message, "write for example \"45s\"")
}

fn counted(item: &TomlItem<'_>, most: u32, faults: &mut MatrixFaults) -> Option<u32> {
    let count = item.count(faults)?;
    if (2..=most).contains(&count) {
        return Some(count);
    }
    let message = format!("`{}` must be between 2 and {most}", item.key);
    faults.refuse("count-out-of-range", item.at, message, "for a single one leave the key out")
}

fn corroborates(
    item: &TomlItem<'_>,
    scalar: CompileScalar<'_>,
    faults: &mut MatrixFaults,
) -> Option<(Corroboration, Option<CelExpression>)> {
    let example = |_: Option<&str>| "corroborate = { count = 2, within = \"30s\" }".to_owned();
    let mut table = item.table_like("`corroborate`".into(), example, faults)?;
    let count = table.demand("count", item.at, "count = 2", faults);
    let count = count.and_then(|item| counted(&item, WITNESSES_MAX, faults));
    let within = table.demand("within", item.at, "within = \"30s\"", faults).and_then(|item| span(&item, faults));
    let by = table.take("by").map(|item| scalar(&item, faults));
    table.finish(&[], &[], faults);
    let by = by.map_or(Some(None), |by| by.map(Some))?;
    Some((Corroboration { count: count?, within: within? }, by))
}

fn changes(
    item: &TomlItem<'_>,
    scalar: CompileScalar<'_>,
    faults: &mut MatrixFaults,
) -> Option<(ValueChange, CelExpression)> {
    let example =
        |_: Option<&str>| "change = { of = \"alert.values.price\", by = \"-5%\", within = \"60s\" }".to_owned();
    let mut table = item.table_like("`change`".into(), example, faults)?;
    let of = table.demand("of", item.at, "of = \"alert.values.price\"", faults);
    let of = of.and_then(|item| scalar(&item, faults));
    let by = table.demand("by", item.at, "by = \"-5%\"", faults).and_then(|item| amount(&item, faults));
    let within = table.demand("within", item.at, "within = \"60s\"", faults).and_then(|item| span(&item, faults));
    table.finish(&[], &[], faults);
    let (direction, by, percent) = by?;
    Some((ValueChange { direction, by, percent, within: within? }, of?))
}

/// `"-5%"`: falls by 5 percent; `"+20"`: rises by 20; `"3"`: either way.
fn amount(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<(ChangeDirection, f64, bool)> {
    let text = item.text(faults)?;
    let (direction, rest) = match text.value.split_at_checked(1) {
        Some(("+", rest)) => (ChangeDirection::Up, rest),
        Some(("-", rest)) => (ChangeDirection::Down, rest),
        _ => (ChangeDirection::Either, text.value),
    };
    let (number, percent) = rest.strip_suffix('%').map_or((rest, false), |number| (number.trim_end(), true));
    let is_plain = number.starts_with(|c: char| c.is_ascii_digit());
    match number.parse::<f64>().ok().filter(|number| is_plain && number.is_finite() && 0.0 < *number) {
        Some(number) => Some((direction, number, percent)),
        None => {
            let help = "\"-5%\" falls by 5 percent, \"+20\" rises by 20, \"3\" changes by 3 either way";
            faults.refuse("bad-change", text.at, format!("`by` can not be {:?}", text.value), help)
        }
    }
}

fn flaps(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<FlapLimit> {
    let example = |_: Option<&str>| "flapping = { openings = 3, within = \"10m\" }".to_owned();
    let mut table = item.table_like("`flapping`".into(), example, faults)?;
    let openings = table.demand("openings", item.at, "openings = 3", faults);
    let openings = openings.and_then(|item| counted(&item, OPENINGS_MAX, faults));
    let within = table.demand("within", item.at, "within = \"10m\"", faults).and_then(|item| span(&item, faults));
    table.finish(&[], &[], faults);
    Some(FlapLimit { openings: openings?, within: within? })
}

fn absence(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<AbsenceLimit> {
    let example = |_: Option<&str>| "absent = { every = \"30s\", grace = \"5s\" }".to_owned();
    let mut table = item.table_like("`absent`".into(), example, faults)?;
    let every = table.demand("every", item.at, "every = \"30s\"", faults);
    let every = every.and_then(|item| bounded(&item, ABSENCE_MIN, faults));
    let grace = table.take("grace").map(|item| bounded(&item, Duration::ZERO, faults));
    table.finish(&[], &[], faults);
    Some(AbsenceLimit { every: every?, grace: grace.unwrap_or(Some(Duration::ZERO))? })
}
