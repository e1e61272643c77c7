//! Formats messages for Slack, within Block Kit's limits.

use super::text::{self, SECTION_CHARS, cut, escape, one_line, sections, with_times};
use crate::{
    channel::{
        Message,
        chat::ChatButton,
        option_button::{OptionButton, PressedOption},
    },
    core::{Answer, AnswerLevel, PagePurpose, answer::HAND_BACK},
};
use secrecy::ExposeSecret;
use slack_morphism::{
    SlackActionId,
    blocks::{
        SlackActionBlockElement, SlackActionsBlock, SlackBlock, SlackBlockButtonElement, SlackBlockButtonStyle,
        SlackBlockConfirmItem, SlackBlockId, SlackBlockMarkDownText, SlackBlockPlainText, SlackContextBlock,
        SlackSectionBlock,
    },
};

/// The largest number of characters in all blocks together. Slack refuses about 13,200; this limit is undocumented.
const BLOCKS_CHARS: usize = 12_000;

/// The part of [`BLOCKS_CHARS`] that is reserved for context, buttons and the JSON around the text.
const FRAME_CHARS: usize = 2000;

/// Marks the buttons of a room's card.
const ROOM: &str = "room";

/// The label of the button that opens a form.
const FILL_IN: &str = "Fill in the form";

/// The label of the button that opens what can be changed of an action.
const CHANGE: &str = "Approve with changes";

/// What is pressed where an answer would be, to fill in a form in Slack itself.
pub(super) const OPEN_FORM: &str = "form";

/// One message as plain text and as blocks.
pub(super) struct SlackPost {
    /// The text for push notifications and screen readers.
    pub text: String,
    /// The blocks; `None` for a line.
    pub blocks: Option<Vec<SlackBlock>>,
    /// The text to post if Slack refuses the blocks.
    pub plain: String,
}

/// A direct message with buttons. A button has an opaque value: the HTTP side checks the code in it, and that the
/// person who presses it is its recipient.
pub(super) fn to_person(message: &Message) -> SlackPost {
    let asks = message.purpose.is_brief();
    let buttons = message.ask.as_ref().map(|ask| {
        let (page, code) = (ask.page.to_string(), ask.code.expose_secret().to_owned());
        let value = button_value(&ChatButton::Page { page, code });
        match asks {
            true if ask.fills_in => actions(message, fill_in(FILL_IN, ask.link.expose_secret(), &value)),
            true if !ask.options.is_empty() => {
                let pressed = ask.repeats.is_none().then_some(&*ask.options);
                let link = ask.edits.then(|| ask.link.expose_secret());
                options(message, pressed.unwrap_or_default(), &value, None, link)
            }
            true => buttons(message, ask.level, &value),
            false => actions(message, vec![hand_back(&value)]),
        }
    });
    let what = if asks { "Answer" } else { "To hand it back" };
    let link = message.ask.as_ref().map(|ask| format!(" {what}: {}", ask.link.expose_secret())).unwrap_or_default();
    let headline = message.stamped(&message.text.headline);
    SlackPost {
        text: one_line(&headline, SECTION_CHARS),
        plain: format!("{}{}", one_line(&headline, SECTION_CHARS), escape(&link)),
        blocks: Some(blocks(message, buttons)),
    }
}

/// The war room's card. Its buttons name no page, because everybody in the room sees the same ones: the HTTP side finds
/// the page of the person who presses one. When the incident is over, the buttons are removed.
pub(super) fn room_card(message: &Message) -> SlackPost {
    let level = message.ask.as_ref().map_or(AnswerLevel::Wilco, |ask| ask.level);
    let (incident, mark) = (message.page.incident.to_string(), message.mark.clone());
    let value = button_value(&ChatButton::Card { incident, mark });
    let open = message.room.as_ref().is_none_or(|room| room.open);
    let asked = message.room.as_ref().filter(|room| !room.options.is_empty());
    let form = message.desk.as_ref().map(|desk| format!("{desk}/forms/{}", message.page.incident)).unwrap_or_default();
    let buttons = open.then(|| match asked {
        _ if message.room.as_ref().is_some_and(|room| room.fills_in) => {
            actions(message, fill_in(FILL_IN, &form, &value))
        }
        Some(room) => {
            let pressed = room.repeats.is_none().then_some(&*room.options);
            let link = room.edits.then_some(form.as_str());
            options(message, pressed.unwrap_or_default(), &value, room.digest.as_deref(), link)
        }
        None => buttons(message, level, &value),
    });
    let whole = cut(&message.whole_text(), SECTION_CHARS);
    SlackPost {
        text: one_line(&message.stamped(&message.text.headline), SECTION_CHARS),
        plain: whole,
        blocks: Some(blocks(message, buttons)),
    }
}

/// What a button holds: what it belongs to, and what proves that it is ours.
pub(super) fn button_value(button: &ChatButton) -> String {
    match button {
        ChatButton::Page { page, code } => format!("{page}:{code}"),
        ChatButton::Card { incident, mark } if mark.is_empty() => format!("{incident}:{ROOM}"),
        ChatButton::Card { incident, mark } => format!("{incident}:{ROOM}-{mark}"),
    }
}

/// Reads what a button held.
pub(super) fn button_of(value: &str) -> ChatButton {
    let (target, key) = value.rsplit_once(':').unwrap_or((value, ""));
    let target = target.to_owned();
    match room_mark(key) {
        Some(mark) => ChatButton::Card { incident: target, mark: mark.to_owned() },
        None => ChatButton::Page { page: target, code: key.to_owned() },
    }
}

/// The incident's mark in the value of a card's button, empty for incidents without a mark; `None` if it is not a
/// button of a card.
fn room_mark(key: &str) -> Option<&str> {
    let mark = key.strip_prefix(ROOM)?;
    if mark.is_empty() { Some(mark) } else { mark.strip_prefix('-') }
}

/// One line for the war room, or its summary.
pub(super) fn line(message: &Message) -> SlackPost {
    let given = match &message.purpose {
        PagePurpose::RoomLine { line } | PagePurpose::RoomNote { line }
            if message.text.body.is_empty() && message.text.headline.is_empty() =>
        {
            message.stamped(line)
        }
        _ => message.whole_text(),
    };
    let marked = with_times(&given, &message.text.times, SECTION_CHARS);
    let text = sections(&marked, SECTION_CHARS).into_iter().next().unwrap_or_default();
    SlackPost { plain: text.clone(), text, blocks: None }
}

fn blocks(message: &Message, buttons: Option<SlackActionsBlock>) -> Vec<SlackBlock> {
    let text = with_times(&coloured(message), &message.text.times, BLOCKS_CHARS - FRAME_CHARS);
    let sections = sections(&text, BLOCKS_CHARS - FRAME_CHARS).into_iter();
    let section = |text| SlackSectionBlock::new().with_text(SlackBlockMarkDownText::new(text).into()).into();
    let mut blocks: Vec<SlackBlock> = sections.map(section).collect();
    let context = cut(&context(message), FRAME_CHARS / 4);
    blocks.push(SlackContextBlock::new(vec![SlackBlockMarkDownText::new(context).into()]).into());
    blocks.extend(buttons.map(SlackBlock::from));
    blocks
}

/// The whole text, with the stamp and its colour first.
fn coloured(message: &Message) -> String {
    let colour = if message.drill { ":large_blue_circle:" } else { ":red_circle:" };
    let text = message.whole_text();
    let rest = text.strip_prefix(message.stamp()).unwrap_or(&text);
    format!("{} {colour} {}", message.stamp(), rest.trim_start())
}

/// Which page it is; a brief says in its first line for which role and whether it is an exercise.
fn context(message: &Message) -> String {
    if message.purpose.is_brief() {
        return message.page.to_string();
    }
    let role = message.role.as_ref().map(|role| format!(" · {role}")).unwrap_or_default();
    let drill = if message.drill { " · an exercise" } else { "" };
    format!("{}{role}{drill}", message.page)
}

/// The buttons get a new id with each edit of a card, because clients may keep the state of a block with the same id.
fn buttons(message: &Message, level: AnswerLevel, value: &str) -> SlackActionsBlock {
    actions(message, level.offers().map(|answer| button(answer, level.button(answer, message.drill), value)).into())
}

/// The options of a request, with a `link` the way to change its action, then passing it on. Nothing is undone once it is
/// decided, so an option that does something asks for confirmation.
fn options(
    message: &Message,
    options: &[OptionButton],
    value: &str,
    digest: Option<&str>,
    link: Option<&str>,
) -> SlackActionsBlock {
    let option = |option: &OptionButton| {
        let label = format!("{} {}", option.letter, option.label);
        let button = SlackBlockButtonElement::new(text::label(&label).into())
            .with_action_id(SlackActionId(format!("answer:{}", PressedOption::written(option.letter, digest))))
            .with_value(value.to_owned());
        match option.refuses {
            true => button.with_style(SlackBlockButtonStyle::Danger),
            false => button.with_confirm(decided(option)),
        }
    };
    let buttons = options.iter().map(|given| option(given).into());
    let rest = link.map_or_else(|| vec![pass_on(value)], |link| fill_in(CHANGE, link, value));
    actions(message, buttons.chain(rest).collect())
}

/// The one button beside the options, and alone where an option needs more than a press.
fn pass_on(value: &str) -> SlackActionBlockElement {
    button(Answer::Unable, Answer::Unable.label(), value)
}

/// A form opens in Slack itself; beside it is its link, because Slack opens none for a press that comes late to us, and
/// passing it on. Slack tells us of a press of the link, too: it says nothing.
fn fill_in(label: &str, link: &str, value: &str) -> Vec<SlackActionBlockElement> {
    let here = SlackBlockButtonElement::new(text::label(label).into())
        .with_action_id(SlackActionId(format!("answer:{OPEN_FORM}")))
        .with_value(value.to_owned())
        .opt_style((label == FILL_IN).then_some(SlackBlockButtonStyle::Primary))
        .into();
    let open = |url| {
        SlackBlockButtonElement::new(text::label("Open it in the browser").into())
            .with_action_id(SlackActionId("open-form".to_owned()))
            .with_url(url)
            .into()
    };
    let link = reqwest::Url::parse(link).ok().map(open);
    std::iter::once(here).chain(link).chain([pass_on(value)]).collect()
}

fn decided(option: &OptionButton) -> SlackBlockConfirmItem {
    let does = option.does.as_deref().map(|does| format!("{}: {}. ", option.label, does.trim_end_matches('.')));
    let what = format!("{}It can not be taken back once it is decided.", does.unwrap_or_default());
    SlackBlockConfirmItem::new(
        text::label(&format!("{}?", option.label)).into(),
        SlackBlockPlainText::new(what).into(),
        text::label(&option.label).into(),
        text::label("Not now").into(),
    )
}

fn actions(message: &Message, elements: Vec<SlackActionBlockElement>) -> SlackActionsBlock {
    let mark = if message.page_mark.is_empty() { String::new() } else { format!(":{}", message.page_mark) };
    SlackActionsBlock::new(elements).with_block_id(SlackBlockId(format!("answers:{}{mark}", message.page)))
}

/// The button for the person who has the role. It pages others immediately, so it asks for confirmation.
fn hand_back(value: &str) -> SlackActionBlockElement {
    let sure = SlackBlockConfirmItem::new(
        text::label("Hand it back?").into(),
        SlackBlockPlainText::new("Others are paged at once, and everybody is told.".to_owned()).into(),
        text::label(HAND_BACK).into(),
        text::label("Keep it").into(),
    );
    SlackBlockButtonElement::new(text::label(HAND_BACK).into())
        .with_action_id(SlackActionId("answer:unable".to_owned()))
        .with_value(value.to_owned())
        .with_style(SlackBlockButtonStyle::Danger)
        .with_confirm(sure)
        .into()
}

fn button(answer: Answer, label: &str, value: &str) -> SlackActionBlockElement {
    let (word, style) = match answer {
        Answer::Wilco => ("wilco", Some(SlackBlockButtonStyle::Primary)),
        Answer::Roger => ("roger", None),
        Answer::Standby { .. } => ("standby", None),
        Answer::Unable => ("unable", Some(SlackBlockButtonStyle::Danger)),
    };
    SlackBlockButtonElement::new(text::label(label).into())
        .with_action_id(SlackActionId(format!("answer:{word}")))
        .with_value(value.to_owned())
        .opt_style(style)
        .into()
}
