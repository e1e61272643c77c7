//! Reads `[role.NAME]` with its steps, and `[catch-all]`.

use crate::{
    core::{AnswerLevel, EngagementTarget, names::CATCH_ALL},
    matrix::draft::{RoleDraft, StepDraft},
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        nearest::nearest,
    },
};
use std::time::Duration;

/// How often a step may be repeated.
const REPEAT_MAX: u32 = 100;

/// How many steps a role may have, and how many entries a step may have.
const STEPS_MAX: usize = 50;

/// The longest name of a role, in characters: what every text has room for.
const ROLE_NAME_MAX: usize = 32;

/// How often the catch-all repeats by default.
const EVERY: Duration = Duration::from_secs(120);

pub(super) fn role(mut table: TomlTable<'_>, name: &str, at: SourceSpan, faults: &mut MatrixFaults) -> RoleDraft {
    if name == CATCH_ALL {
        let help = "choose another name, or write [catch-all]";
        faults.error("reserved-name", at, "a role can not be called `catch-all`", help);
    }
    let shown = table.take("name").and_then(|item| role_name(&item, faults));
    let engaged_by = table.take("engaged_by").and_then(|item| level(&item, faults)).unwrap_or(AnswerLevel::Wilco);
    let target = table.take("target").and_then(|item| target(&item, faults));
    let template = table.take("template").and_then(|item| item.text(faults)).map(LocatedValue::owned);
    let example = "step = [{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }]";
    let steps = table.demand("step", at, example, faults).and_then(|item| steps(&item, faults));
    let next = table.take("next").and_then(|item| item.text(faults)).map(LocatedValue::owned);
    table.finish(&["separate", "decision", "quorum"], &[], faults);
    RoleDraft { name: shown, engaged_by, target, template, steps: steps.unwrap_or_default(), next }
}

/// What people read instead of the role's id.
fn role_name(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    let length = text.value.trim().chars().count();
    if ROLE_NAME_MAX < length {
        let message = format!("the `name` of a role has at most {ROLE_NAME_MAX} characters, and this has {length}");
        return faults.refuse("text-too-long", text.at, message, "write what people call it: \"Head of desk\"");
    }
    Some(text.value.trim().to_owned())
}

pub(super) fn catch_all(mut table: TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> StepDraft {
    let page = table.demand("page", at, "page = [\"ana\"]", faults).and_then(|item| item.texts(faults));
    let by = table.demand("by", at, "by = [\"desk\"]", faults).and_then(|item| item.texts(faults));
    let every = table.take("every").and_then(|item| item.duration(faults));
    table.finish(&[], &[], faults);
    let (page, by) = (page.unwrap_or_default(), by.unwrap_or_default());
    StepDraft { page, by, wait: Some(every.map_or(EVERY, |every| every.value)), repeat: 0 }
}

fn steps(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Vec<StepDraft>> {
    let list = item.list(faults)?;
    if STEPS_MAX < list.len() {
        let message = format!("a role has at most {STEPS_MAX} steps");
        return faults.refuse("too-many-steps", item.at, message, "let a `next` role take over");
    }
    Some(list.iter().filter_map(|item| step(item, faults)).collect())
}

/// With the name that stands in place of a step.
fn step_example(person: Option<&str>) -> String {
    format!("step = [{{ page = [{:?}], by = [\"desk\"], wait = \"45s\" }}]", person.unwrap_or("ana"))
}

fn step(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<StepDraft> {
    let mut table = item.table_like("a step".into(), step_example, faults)?;
    let page = table.demand("page", item.at, "page = [\"ana\"]", faults).and_then(|item| item.texts(faults));
    let by = table.demand("by", item.at, "by = [\"desk\"]", faults).and_then(|item| item.texts(faults));
    let wait = table.demand("wait", item.at, "wait = \"45s\"", faults).and_then(|item| item.duration(faults));
    let repeat = table.take("repeat").and_then(|item| {
        let count = item.count(faults)?;
        if REPEAT_MAX < count {
            let message = format!("a step is repeated at most {REPEAT_MAX} times");
            return faults.refuse("too-many-steps", item.at, message, "let a `next` role take over");
        }
        Some(count)
    });
    table.finish(&[], &[], faults);
    let (page, by) = (page.unwrap_or_default(), by.unwrap_or_default());
    Some(StepDraft { page, by, wait: wait.map(|wait| wait.value), repeat: repeat.unwrap_or(0) })
}

fn level(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<AnswerLevel> {
    let text = item.text(faults)?;
    match text.value {
        "roger" => Some(AnswerLevel::Roger),
        "wilco" => Some(AnswerLevel::Wilco),
        other => {
            let help = match nearest(other, ["roger", "wilco"].into_iter()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => String::from("\"roger\" (received is enough) or \"wilco\" (somebody must say: I have it)"),
            };
            faults.refuse("unknown-answer", text.at, format!("{other:?} engages nobody"), help)
        }
    }
}

/// With the time that stands in place of a target.
fn target_example(within: Option<&str>) -> String {
    format!("target = {{ within = {:?}, percent = 90 }}", within.unwrap_or("60s"))
}

fn target(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<LocatedValue<EngagementTarget>> {
    let mut table = item.table_like("`target`".into(), target_example, faults)?;
    let within = table.demand("within", item.at, "within = \"60s\"", faults).and_then(|item| item.duration(faults));
    let percent = table.demand("percent", item.at, "percent = 90", faults).and_then(|item| item.percent(faults));
    table.finish(&[], &[], faults);
    Some(LocatedValue { value: EngagementTarget { within: within?.value, percent: percent? }, at: item.at })
}
