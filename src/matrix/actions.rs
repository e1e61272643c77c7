//! Reads a trigger's `actions`: suggestions for the people who are asked.

use crate::{
    core::plan::{ACTION_CHARS_MAX, ACTIONS_MAX, SuggestedAction, THEN_CHARS_MAX, reads_like_answer},
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults},
    },
};

const EXAMPLE: &str = "{ text = \"CANCEL ALL our resting orders\", then = \"what we hold stays at risk\" }";

pub(super) fn read(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Vec<SuggestedAction> {
    let mut actions: Vec<SuggestedAction> = Vec::new();
    for (n, item) in item.list(faults).unwrap_or_default().iter().enumerate() {
        if n == ACTIONS_MAX {
            let message = format!("more than {ACTIONS_MAX} actions are suggested");
            faults.error("too-many-actions", item.at, message, "keep the few that people choose from in a crisis");
            break;
        }
        let Some(table) = item.table_like("an action".into(), example, faults) else { continue };
        let Some(action) = action(table, item, faults) else { continue };
        if actions.iter().any(|other| other.text == action.text) {
            let message = format!("{:?} is twice in `actions`", action.text);
            faults.error("twice-in-list", item.at, message, "remove one of them");
            continue;
        }
        actions.push(action);
    }
    actions
}

/// With the text that stands in place of an action.
fn example(text: Option<&str>) -> String {
    text.map_or_else(|| EXAMPLE.to_owned(), |text| format!("{{ text = {text:?} }}"))
}

fn action(mut table: TomlTable<'_>, item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<SuggestedAction> {
    let text = table.demand("text", item.at, EXAMPLE, faults).and_then(|item| line(&item, ACTION_CHARS_MAX, faults));
    let then = table.take("then").map(|item| line(&item, THEN_CHARS_MAX, faults));
    table.finish(&[], &[], faults);
    let text = text?;
    if reads_like_answer(text.value) {
        let message = format!("{:?} begins like an answer", text.value);
        let help = "digits, ROGER, WILCO, STANDBY and UNABLE are answers to the page: begin with what to do";
        return faults.refuse("action-like-answer", text.at, message, help);
    }
    let own = |text: LocatedValue<&str>| text.value.trim().to_owned();
    // An action whose `then` could not be read is left out; that fault is reported.
    let then = then.map_or(Some(None), |then| then.map(|then| Some(own(then))))?;
    Some(SuggestedAction { text: own(text), then })
}

/// Text of at most `max` characters.
fn line<'a>(item: &TomlItem<'a>, max: usize, faults: &mut MatrixFaults) -> Option<LocatedValue<&'a str>> {
    let text = item.text(faults)?;
    let length = text.value.trim().chars().count();
    if max < length {
        let message = format!("`{}` of an action has {length} characters, and at most {max} are read", item.key);
        let help = "say it in fewer words; the runbook has room for the rest";
        return faults.refuse("text-too-long", text.at, message, help);
    }
    Some(text)
}
