//! Forms in Slack: what is to be filled in as a modal within Slack's limits, what was typed into one, and what is shown
//! in its place once it was sent.

use super::{
    blocks::{button_of, button_value},
    event::SentForm,
    text::{self, SECTION_CHARS},
};
use crate::{
    channel::chat::{ChatForm, ChatResult, FilledForm, FormReply},
    core::{
        form::{FieldKind, FormField},
        form_answer::FieldFault,
        printable::capitalised,
    },
};
use serde_json::Value;
use slack_morphism::{
    SlackActionId, SlackCallbackId,
    blocks::{
        SlackBlock, SlackBlockChoiceItem, SlackBlockId, SlackBlockNumberInputElement, SlackBlockPlainText,
        SlackBlockPlainTextInputElement, SlackBlockRadioButtonsElement, SlackBlockText, SlackContextBlock,
        SlackHeaderBlock, SlackInputBlock, SlackInputBlockElement, SlackModalView, SlackSectionBlock, SlackView,
        SlackViewSubmissionErrorsResponse, SlackViewSubmissionResponse, SlackViewSubmissionUpdateResponse,
    },
};
use std::collections::BTreeMap;

/// Marks our forms among the modals of the app (`callback_id`).
pub(super) const FORM: &str = "form";

/// Stands before a field's name in the id of its block.
const FIELD: &str = "field:";

/// The id of the block in which a fact is repeated.
const REPEAT: &str = "repeat";

/// The longest text that is repeated, in characters.
const REPEAT_CHARS: u64 = 64;

/// The id of the one element of a block.
const VALUE: &str = "value";

/// Stands before a choice in the value of its option, so that none is the same as [`NO_ANSWER`].
const CHOICE: &str = "=";

/// The value of the option that takes a choice back.
const NO_ANSWER: &str = "none";

/// Slack's limit for the title of a modal, in characters.
const TITLE_CHARS: usize = 24;

/// Slack's limit for the text of a header, in characters.
const HEADER_CHARS: usize = 150;

/// A form that is to be filled in.
pub(super) fn form(form: &ChatForm) -> SlackView {
    let stamp = if form.drill { "DRILL" } else { "LIVE" };
    let title = form.form.title().map(|title| SlackHeaderBlock::new(plain(title, HEADER_CHARS).into()).into());
    let fields = form.form.fields().iter().map(|field| {
        let typed = form.typed.get(&field.name).map_or("", String::as_str);
        drawn(field, typed).into()
    });
    let repeat = form.repeats.as_ref().map(|fact| repeat(fact).into());
    let (send, last) = match form.edits {
        true => ("Approve", "What you leave as it is stays as it was asked. Nothing takes it back."),
        false => ("Send it", "The first answer that fits decides. Nothing takes it back."),
    };
    let last = SlackContextBlock::new(vec![plain(last, SECTION_CHARS).into()]).into();
    let blocks = std::iter::once(section(&form.about)).chain(title).chain(fields).chain(repeat).chain([last]).collect();
    let send = if form.drill { format!("{send} (exercise)") } else { send.to_owned() };
    SlackView::Modal(
        SlackModalView::new(plain(&format!("{stamp} {}", form.incident), TITLE_CHARS).into(), blocks)
            .with_submit(plain(&send, TITLE_CHARS).into())
            .with_close(plain("Not now", TITLE_CHARS).into())
            .with_callback_id(SlackCallbackId(FORM.to_owned()))
            .with_private_metadata(format!("{} {}", button_value(&form.button), form.digest)),
    )
}

/// What was typed, by the names of the fields.
pub(super) fn typed(values: &Value) -> BTreeMap<String, String> {
    let field = |(block, elements): (&String, &Value)| {
        let element = &elements[VALUE];
        let chosen = element["selected_option"]["value"].as_str();
        let typed = element["value"].as_str().or_else(|| chosen?.strip_prefix(CHOICE));
        Some((block.strip_prefix(FIELD)?.to_owned(), typed?.to_owned()))
    };
    values.as_object().into_iter().flatten().filter_map(field).collect()
}

/// What was repeated of the facts, if that was asked for.
pub(super) fn repeated(values: &Value) -> Option<String> {
    values[REPEAT][VALUE]["value"].as_str().map(str::to_owned)
}

/// What the host is handed of a form that was sent.
pub(super) fn filled(sent: &SentForm) -> FilledForm {
    let (button, digest) = sent.metadata.split_once(' ').unwrap_or((&sent.metadata, ""));
    FilledForm {
        button: button_of(button),
        digest: digest.to_owned(),
        typed: sent.typed.clone(),
        repeated: sent.repeated.clone(),
    }
}

/// What becomes of the modal.
pub(super) fn reply(said: &ChatResult) -> SlackViewSubmissionResponse {
    let view = match &said.form {
        Some(FormReply::Faults(faults)) => {
            let fault =
                |fault: &FieldFault| (format!("{FIELD}{}", fault.field), capitalised(&format!("{}.", fault.why)));
            return SlackViewSubmissionResponse::Errors(SlackViewSubmissionErrorsResponse::new(
                faults.iter().map(fault).collect(),
            ));
        }
        Some(FormReply::Again(again)) => form(again),
        None => SlackView::Modal(
            SlackModalView::new(plain("Your answer", TITLE_CHARS).into(), vec![section(&said.text)])
                .with_close(plain("Close", TITLE_CHARS).into()),
        ),
    };
    SlackViewSubmissionResponse::Update(SlackViewSubmissionUpdateResponse::new(view))
}

fn drawn(field: &FormField, typed: &str) -> SlackInputBlock {
    let given = (!typed.is_empty()).then(|| typed.to_owned());
    let number = |decimal, min: String, max: String| {
        SlackBlockNumberInputElement::new(decimal)
            .with_action_id(SlackActionId(VALUE.to_owned()))
            .with_min_value(min)
            .with_max_value(max)
            .opt_initial_value(given.clone())
            .into()
    };
    let element: SlackInputBlockElement = match &field.kind {
        FieldKind::Choice { choices } => options(field, typed, choices.iter().map(|choice| (&**choice, &**choice))),
        FieldKind::Boolean => options(field, typed, [("true", "Yes"), ("false", "No")].into_iter()),
        FieldKind::Text { max } => SlackBlockPlainTextInputElement::new()
            .with_action_id(SlackActionId(VALUE.to_owned()))
            .with_max_length(u64::try_from(*max).unwrap_or(u64::MAX))
            .opt_initial_value(given)
            .into(),
        FieldKind::Integer { min, max } => number(false, min.to_string(), max.to_string()),
        FieldKind::Number { min, max } => number(true, min.to_string(), max.to_string()),
    };
    SlackInputBlock::new(plain(field.label(), SECTION_CHARS).into(), element)
        .with_block_id(SlackBlockId(format!("{FIELD}{}", field.name)))
        .with_optional(!field.required)
        .opt_hint(hint(field).map(|hint| plain(&hint, SECTION_CHARS).into()))
}

/// A line for the fact that must be repeated.
fn repeat(fact: &str) -> SlackInputBlock {
    let line = SlackBlockPlainTextInputElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_max_length(REPEAT_CHARS);
    SlackInputBlock::new(plain(&format!("To decide, repeat {fact}"), SECTION_CHARS).into(), line.into())
        .with_block_id(SlackBlockId(REPEAT.to_owned()))
}

/// Buttons to mark, because people see all of them at once. A choice that was made can be taken back.
fn options<'a>(
    field: &FormField,
    typed: &str,
    choices: impl Iterator<Item = (&'a str, &'a str)>,
) -> SlackInputBlockElement {
    let option = |value: String, label: &str| {
        let text = SlackBlockText::Plain(plain(label, SECTION_CHARS));
        SlackBlockChoiceItem::new(text, value)
    };
    let mut marked = None;
    let mut options = Vec::new();
    for (value, label) in choices {
        let option = option(format!("{CHOICE}{value}"), label);
        if value == typed {
            marked = Some(option.clone());
        }
        options.push(option);
    }
    if !field.required {
        options.push(option(NO_ANSWER.to_owned(), "No answer"));
    }
    SlackBlockRadioButtonsElement::new(options)
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .opt_initial_option(marked)
        .into()
}

/// What people read below a field; the choices of others say what they take.
fn hint(field: &FormField) -> Option<String> {
    let takes = match field.kind {
        FieldKind::Choice { .. } | FieldKind::Boolean => None,
        FieldKind::Text { .. } | FieldKind::Integer { .. } | FieldKind::Number { .. } => {
            Some(format!("Write {}.", field.takes()))
        }
    };
    let hint = field.description.clone().into_iter().chain(takes).collect::<Vec<_>>().join(" ");
    (!hint.is_empty()).then_some(hint)
}

fn section(text: &str) -> SlackBlock {
    SlackSectionBlock::new().with_text(plain(text, SECTION_CHARS).into()).into()
}

/// Text that is shown as it is written: nobody's words become a picture or a mention.
fn plain(text: &str, limit: usize) -> SlackBlockPlainText {
    SlackBlockPlainText::new(text::cut_plain(text, limit)).with_emoji(false)
}
