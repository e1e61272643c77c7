//! What a message looks like in Slack, within Block Kit's limits.

use super::text::{self, SECTION_CHARS, cut, escape, one_line, sections};
use crate::{
    channel::Message,
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

/// What all blocks together may hold. Slack refuses about 13,200, which it documents nowhere.
const BLOCKS_CHARS: usize = 12_000;

/// Kept back from [`BLOCKS_CHARS`] for context, buttons and the JSON around the text.
const FRAME_CHARS: usize = 2000;

/// What a card's button is known by.
const ROOM: &str = "room";

/// One message in its two forms.
pub(super) struct SlackPost {
    /// The push notification, and what screen readers read.
    pub text: String,
    /// The rich form; none for a line.
    pub blocks: Option<Vec<SlackBlock>>,
    /// What to post when Slack refuses the rich form.
    pub plain: String,
}

/// A direct message, with the buttons that its person may press. A button holds an opaque value: the door checks the
/// code in it, and that who presses it is that person.
pub(super) fn to_person(message: &Message) -> SlackPost {
    let asks = message.purpose.is_brief();
    let buttons = message.ask.as_ref().map(|ask| {
        let value = format!("{}:{}", ask.page, ask.code.expose_secret());
        if asks { buttons(message, &ask.level.offers(), &value) } else { actions(message, vec![hand_back(&value)]) }
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

/// The war room's card. Its buttons name no page, because everybody in the room sees the same ones: the door finds
/// the page of who presses them. Once the incident is over they are gone.
pub(super) fn room_card(message: &Message) -> SlackPost {
    let level = message.ask.as_ref().map_or(AnswerLevel::Wilco, |ask| ask.level);
    let value = format!("{}:{}", message.page.incident, room_key(&message.mark));
    let open = message.room.as_ref().is_none_or(|room| room.open);
    let buttons = open.then(|| buttons(message, &level.offers(), &value));
    let whole = cut(&message.whole_text(), SECTION_CHARS);
    SlackPost {
        text: one_line(&message.stamped(&message.text.headline), SECTION_CHARS),
        plain: whole,
        blocks: Some(blocks(message, buttons)),
    }
}

/// What a card's buttons hold behind the incident's number.
fn room_key(mark: &str) -> String {
    if mark.is_empty() { ROOM.to_owned() } else { format!("{ROOM}-{mark}") }
}

/// The mark of its incident that a card's button holds, empty for one of before there were marks; none where it is no
/// card's button.
pub fn room_mark(key: &str) -> Option<&str> {
    let mark = key.strip_prefix(ROOM)?;
    if mark.is_empty() { Some(mark) } else { mark.strip_prefix('-') }
}

/// One line of the war room's story, or its summary.
pub(super) fn line(message: &Message) -> SlackPost {
    let given = match &message.purpose {
        PagePurpose::RoomLine { line } | PagePurpose::RoomNote { line }
            if message.text.body.is_empty() && message.text.headline.is_empty() =>
        {
            message.stamped(line)
        }
        _ => message.whole_text(),
    };
    let text = sections(&given, SECTION_CHARS).into_iter().next().unwrap_or_default();
    SlackPost { plain: text.clone(), text, blocks: None }
}

fn blocks(message: &Message, buttons: Option<SlackActionsBlock>) -> Vec<SlackBlock> {
    let text = coloured(message);
    let sections = sections(&text, BLOCKS_CHARS - FRAME_CHARS).into_iter();
    let section = |text| SlackSectionBlock::new().with_text(SlackBlockMarkDownText::new(text).into()).into();
    let mut blocks: Vec<SlackBlock> = sections.map(section).collect();
    let context = cut(&context(message), FRAME_CHARS / 4);
    blocks.push(SlackContextBlock::new(vec![SlackBlockMarkDownText::new(context).into()]).into());
    blocks.extend(buttons.map(SlackBlock::from));
    blocks
}

/// The whole text, its stamp first and then the stamp's colour.
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

/// Each edition of a card has buttons of its own id: clients may keep the state of a block that keeps its id.
fn buttons(message: &Message, offers: &[Answer], value: &str) -> SlackActionsBlock {
    actions(message, offers.iter().map(|answer| button(*answer, value)).collect())
}

fn actions(message: &Message, elements: Vec<SlackActionBlockElement>) -> SlackActionsBlock {
    let mark = if message.page_mark.is_empty() { String::new() } else { format!(":{}", message.page_mark) };
    SlackActionsBlock::new(elements).with_block_id(SlackBlockId(format!("answers:{}{mark}", message.page)))
}

/// For whoever has it. It pages others at once, so that a second press is asked for.
fn hand_back(value: &str) -> SlackActionBlockElement {
    let sure = SlackBlockConfirmItem::new(
        text::label("Hand it back?").into(),
        SlackBlockPlainText::new("Others are paged at once, and everybody hears of it.".to_owned()).into(),
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

fn button(answer: Answer, value: &str) -> SlackActionBlockElement {
    let (word, style) = match answer {
        Answer::Wilco => ("wilco", Some(SlackBlockButtonStyle::Primary)),
        Answer::Roger => ("roger", None),
        Answer::Standby { .. } => ("standby", None),
        Answer::Unable => ("unable", Some(SlackBlockButtonStyle::Danger)),
    };
    SlackBlockButtonElement::new(text::label(answer.label()).into())
        .with_action_id(SlackActionId(format!("answer:{word}")))
        .with_value(value.to_owned())
        .opt_style(style)
        .into()
}
