//! What a message looks like in Slack, within Slack's limits.

use crate::{
    channel::Message,
    core::{Answer, Level, Purpose},
};
use secrecy::ExposeSecret;
use slack_morphism::prelude::{
    SlackActionBlockElement, SlackActionId, SlackActionsBlock, SlackBlock, SlackBlockButtonElement,
    SlackBlockButtonStyle, SlackBlockId, SlackBlockMarkDownText, SlackBlockPlainText, SlackContextBlock,
    SlackSectionBlock,
};

/// Slack's limit for a section's text.
const SECTION_CHARS: usize = 3000;

/// What all blocks together may hold. Slack refuses about 13,200, which it documents nowhere.
const BLOCKS_CHARS: usize = 12_000;

/// Kept back from [`BLOCKS_CHARS`] for context and buttons.
const FRAME_CHARS: usize = 1000;

/// One message in its two forms.
pub(super) struct Post {
    /// The push notification, and what screen readers read.
    pub text: String,
    /// The rich form; none for a line.
    pub blocks: Option<Vec<SlackBlock>>,
    /// What to post when Slack refuses the rich form.
    pub plain: String,
}

/// A direct message, with the buttons that its person may press. A button holds an opaque value: the door checks the
/// code in it, and that who presses it is that person.
pub(super) fn to_person(message: &Message) -> Post {
    let buttons = message.ask.as_ref().map(|ask| {
        let value = format!("{}:{}", message.page, ask.code.expose_secret());
        buttons(message, &ask.level.offers(), &value)
    });
    let link = message.ask.as_ref().map(|ask| format!(" Answer: {}", ask.link.expose_secret())).unwrap_or_default();
    let headline = message.stamped(&message.text.headline);
    Post {
        text: one_line(&headline, SECTION_CHARS),
        plain: format!("{}{}", one_line(&headline, SECTION_CHARS), escaped(&link)),
        blocks: Some(blocks(message, buttons)),
    }
}

/// The war room's card. Its buttons name no page, because everybody in the room sees the same ones: the door finds
/// the page of who presses them.
pub(super) fn room_card(message: &Message) -> Post {
    let level = message.ask.as_ref().map_or(Level::Wilco, |ask| ask.level);
    let value = format!("{}:room", message.page.incident);
    let headline = one_line(&message.stamped(&message.text.headline), SECTION_CHARS);
    let blocks = blocks(message, Some(buttons(message, &level.offers(), &value)));
    Post { text: headline.clone(), plain: headline, blocks: Some(blocks) }
}

/// One line of the war room's story.
pub(super) fn line(message: &Message) -> Post {
    let given = match &message.purpose {
        Purpose::RoomLine { line } if message.text.body.is_empty() && message.text.headline.is_empty() => {
            message.stamped(line)
        }
        Purpose::Brief { .. }
        | Purpose::Taken { .. }
        | Purpose::StoodDown
        | Purpose::Announced
        | Purpose::Resolved
        | Purpose::RoomCard
        | Purpose::RoomLine { .. } => message.whole_text(),
    };
    let text = sections(&given, SECTION_CHARS).into_iter().next().unwrap_or_default();
    Post { plain: text.clone(), text, blocks: None }
}

/// The text escaped, on one line, cut to `limit` characters as Slack counts them.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, limit)
}

fn blocks(message: &Message, buttons: Option<SlackActionsBlock>) -> Vec<SlackBlock> {
    let text = coloured(message);
    let mut blocks: Vec<SlackBlock> = sections(&text, BLOCKS_CHARS - FRAME_CHARS)
        .into_iter()
        .map(|text| {
            let text = SlackBlockMarkDownText::new(text).as_block_text();
            SlackBlock::Section(SlackSectionBlock::new().with_text(text))
        })
        .collect();
    let context = SlackBlockMarkDownText::new(cut(&context(message), FRAME_CHARS / 2));
    blocks.push(SlackBlock::Context(SlackContextBlock::new(vec![context.into()])));
    blocks.extend(buttons.map(SlackBlock::Actions));
    blocks
}

/// The whole text, its stamp first and then the stamp's colour.
fn coloured(message: &Message) -> String {
    let colour = if message.drill { ":large_blue_circle:" } else { ":red_circle:" };
    let text = message.whole_text();
    let rest = text.strip_prefix(message.stamp()).unwrap_or(&text);
    format!("{} {colour} {}", message.stamp(), rest.trim_start())
}

fn context(message: &Message) -> String {
    let role = message.role.as_ref().map(|role| format!(" · {role}")).unwrap_or_default();
    let drill = if message.drill { " · an exercise" } else { "" };
    format!("{}{role}{drill}", message.page)
}

fn buttons(message: &Message, offers: &[Answer], value: &str) -> SlackActionsBlock {
    let elements: Vec<SlackActionBlockElement> = offers.iter().map(|answer| button(*answer, value).into()).collect();
    SlackActionsBlock::new(elements).with_block_id(SlackBlockId(format!("answers:{}", message.page)))
}

fn button(answer: Answer, value: &str) -> SlackBlockButtonElement {
    let (word, style) = match answer {
        Answer::Wilco => ("wilco", Some(SlackBlockButtonStyle::Primary)),
        Answer::Roger => ("roger", None),
        Answer::Standby { .. } => ("standby", None),
        Answer::Unable => ("unable", Some(SlackBlockButtonStyle::Danger)),
    };
    SlackBlockButtonElement::new(SlackBlockPlainText::new(answer.label().to_owned()).into())
        .with_action_id(SlackActionId(format!("answer:{word}")))
        .with_value(value.to_owned())
        .opt_style(style)
}

/// The text escaped and split for sections, at ends of lines where there are any; cut after `limit`.
fn sections(text: &str, limit: usize) -> Vec<String> {
    let mut sections = Vec::new();
    let mut section = String::new();
    let (mut used, mut left) = (0, limit);
    for line in text.split_inclusive('\n') {
        for piece in pieces(line, SECTION_CHARS) {
            let size = measure(&piece);
            if SECTION_CHARS < used + size {
                sections.push(std::mem::take(&mut section));
                used = 0;
            }
            if left < size {
                push_cut(&mut sections, section, &piece, left);
                return sections;
            }
            section.push_str(&piece);
            used += size;
            left -= size;
        }
    }
    sections.push(section);
    sections.retain(|section| !section.trim().is_empty());
    sections
}

/// Ends with as much of the piece as is left, and a mark that says so.
fn push_cut(sections: &mut Vec<String>, mut section: String, piece: &str, left: usize) {
    let room = left.min(SECTION_CHARS - measure(&section));
    let mut kept = 0;
    for unit in units(piece) {
        if room < kept + measure(unit) + 1 {
            break;
        }
        kept += measure(unit);
        section.push_str(unit);
    }
    section.push('…');
    sections.push(section);
}

/// The text escaped and cut to `limit`, with a mark that says so.
fn cut(text: &str, limit: usize) -> String {
    let whole = escaped(text);
    if measure(&whole) <= limit {
        return whole;
    }
    let mut sections = Vec::new();
    push_cut(&mut sections, String::new(), &whole, limit);
    sections.pop().unwrap_or_default()
}

/// One line escaped, in pieces of at most `limit`; a character's entity is never cut.
fn pieces(line: &str, limit: usize) -> Vec<String> {
    let whole = escaped(line);
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for unit in units(&whole) {
        if limit < used + measure(unit) {
            pieces.push(String::new());
            used = 0;
        }
        used += measure(unit);
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(unit);
        }
    }
    pieces
}

/// What may not be cut: entities and characters of escaped text.
fn units(escaped: &str) -> impl Iterator<Item = &str> {
    let mut rest = escaped;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = if first == '&' { rest.find(';').map_or(1, |end| end + 1) } else { first.len_utf8() };
        let (unit, after) = rest.split_at(end);
        rest = after;
        Some(unit)
    })
}

/// Length as the strictest reader of "characters" counts it.
fn measure(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Slack's three entities: unescaped, somebody's text could mention a whole channel.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_split_and_cut_and_no_entity_is_halved() {
        for text in ["<".repeat(20_000), "x<&>\n".repeat(5000), "🚨".repeat(9000), format!("a\n{}", "b".repeat(2999))]
        {
            let sections = sections(&text, 11_000);
            let total: usize = sections.iter().map(|section| measure(section)).sum();
            assert!(total <= 11_000, "{total}");
            for section in &sections {
                assert!((1..=SECTION_CHARS).contains(&measure(section)), "{}", measure(section));
                assert!(!section.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").contains('&'));
            }
        }
    }

    #[test]
    fn short_text_is_one_section_and_loses_nothing() {
        assert_eq!(sections("a < b\nc & d\n", 11_000), ["a &lt; b\nc &amp; d\n"]);
        assert_eq!(one_line("a\n b  <c>", 250), "a b &lt;c&gt;");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }
}
