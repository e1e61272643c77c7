//! What a person needs in order to take a conversation over. Whatever is too long is cut, with a mark, and never refused:
//! the user waits. Characters that nobody sees, or that change how others are read, are left out.

use super::{
    handoff::HandoffReason,
    hidden::{plain_line, plain_lines},
    invisible::is_invisible,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;

/// The most turns of a transcript; the oldest are left out.
pub const TURNS_MAX: usize = 200;

/// The longest turn, in characters; its start stays.
pub const TURN_CHARS_MAX: usize = 2_000;

/// The most characters of a transcript; the oldest turns are left out.
pub const TRANSCRIPT_CHARS_MAX: usize = 60_000;

/// The most entries of `tried` and `evidence`; the oldest are left out.
pub const LIST_MAX: usize = 20;

/// The longest entry of `tried`, and condition of `evidence`, in characters.
pub const ENTRY_CHARS_MAX: usize = 300;

/// The longest name, number, address or other short field, in characters.
pub const FIELD_CHARS_MAX: usize = 200;

/// The longest last answer of the machine, in characters.
pub const PROPOSED_CHARS_MAX: usize = 4_000;

/// The longest code of a reason, in characters.
pub const CODE_CHARS_MAX: usize = 64;

/// The longest text of a reason, in characters: it is one line of a page.
pub const REASON_CHARS_MAX: usize = 160;

/// The longest link, in characters. A longer one is refused, because half a link leads nowhere.
pub const URL_CHARS_MAX: usize = 2_000;

/// The most characters of the values of one entry of `evidence`, as JSON; more are left out.
pub const VALUES_CHARS_MAX: usize = 1_000;

/// What stands where a text was cut.
pub const CUT: &str = " [cut]";

/// What a person needs in order to take a conversation over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packet {
    /// Which conversation.
    pub conversation: PacketConversation,
    /// Who waits.
    #[serde(default)]
    pub user: PacketUser,
    /// Why the machine hands over.
    pub reason: HandoffReason,
    /// Which conditions held, with which values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<PacketEvidence>,
    /// How risky it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<PacketRisk>,
    /// What was tried already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
    /// The machine's last answer, which it did not send or is not sure of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<String>,
    /// The conversation so far, oldest first.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub transcript: VecDeque<PacketTurn>,
    /// How many turns are left out at its start, by the program or to keep the limits.
    #[serde(default)]
    pub turns_left_out: usize,
    /// Where the person goes on with the conversation: a link of the prefix that the matrix allows the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_url: Option<String>,
}

/// Which conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketConversation {
    /// What the machine calls it.
    pub id: String,
    /// By what the user writes or speaks: `web`, `app`, `phone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The language of the user: `de`, `de-CH`. Without it English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// Who waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketUser {
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// A number or address at which they can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// A condition that held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketEvidence {
    /// Which.
    pub condition: String,
    /// With which values.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub values: Value,
}

/// How risky it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketRisk {
    /// The score, as its source counts.
    pub score: f64,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketTurn {
    /// Who: `user`, `bot`, or a name.
    pub who: String,
    /// What they said.
    pub text: String,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How sure the machine was, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

impl Packet {
    /// The language of the user.
    pub fn locale(&self) -> &str {
        self.conversation.locale.as_deref().unwrap_or("en")
    }

    /// What people read first, where the program asks nothing of its own.
    pub fn question(&self) -> String {
        format!("A user waits for a person: {}", self.reason.text)
    }

    /// The packet within its limits.
    pub fn fitted(mut self) -> Self {
        one_line(&mut self.conversation.id, FIELD_CHARS_MAX);
        let (conversation, user) = (&mut self.conversation, &mut self.user);
        let short = [&mut conversation.channel, &mut conversation.locale, &mut user.name, &mut user.account];
        let risk = self.risk.as_mut().map(|risk| &mut risk.source);
        for field in short.into_iter().chain([&mut user.contact]).chain(risk).flatten() {
            one_line(field, FIELD_CHARS_MAX);
        }
        one_line(&mut self.reason.code, CODE_CHARS_MAX);
        one_line(&mut self.reason.text, REASON_CHARS_MAX);
        newest(&mut self.tried, |left_out| format!("[{left_out} earlier ones are left out]"));
        self.tried.iter_mut().for_each(|tried| some_lines(tried, ENTRY_CHARS_MAX));
        newest(&mut self.evidence, |left_out| PacketEvidence {
            condition: format!("[{left_out} earlier ones are left out]"),
            values: Value::Null,
        });
        for evidence in &mut self.evidence {
            one_line(&mut evidence.condition, ENTRY_CHARS_MAX);
            plain_values(&mut evidence.values);
            if VALUES_CHARS_MAX < evidence.values.to_string().chars().count() {
                evidence.values = Value::String(CUT.trim().to_owned());
            }
        }
        if let Some(proposed) = &mut self.proposed {
            some_lines(proposed, PROPOSED_CHARS_MAX);
        }
        self.fit_transcript();
        self
    }

    fn fit_transcript(&mut self) {
        for turn in &mut self.transcript {
            one_line(&mut turn.who, FIELD_CHARS_MAX);
            some_lines(&mut turn.text, TURN_CHARS_MAX);
        }
        let mut length: usize = self.transcript.iter().map(|turn| turn.text.chars().count()).sum();
        while TURNS_MAX < self.transcript.len() || TRANSCRIPT_CHARS_MAX < length {
            let Some(oldest) = self.transcript.pop_front() else { break };
            length -= oldest.text.chars().count();
            self.turns_left_out += 1;
        }
    }
}

/// Keeps the newest entries; the first says how many are left out.
fn newest<T>(entries: &mut Vec<T>, mark: impl FnOnce(usize) -> T) {
    if LIST_MAX < entries.len() {
        let left_out = entries.len() - LIST_MAX + 1;
        entries.splice(..left_out, [mark(left_out)]);
    }
}

fn one_line(text: &mut String, most: usize) {
    *text = plain_line(text);
    cut(text, most);
}

fn some_lines(text: &mut String, most: usize) {
    *text = plain_lines(text);
    cut(text, most);
}

/// The texts and names within a value.
fn plain_values(value: &mut Value) {
    match value {
        Value::String(text) => *text = plain_lines(text),
        Value::Array(items) => items.iter_mut().for_each(plain_values),
        Value::Object(fields) => {
            let plain = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                plain_values(&mut value);
                (plain_line(&name), value)
            });
            *fields = plain.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Cuts the end; the mark is within the limit.
fn cut(text: &mut String, most: usize) {
    if most < text.chars().count() {
        let kept = most - CUT.len();
        let end = text.char_indices().nth(kept).map_or(text.len(), |(at, _)| at);
        text.truncate(end);
        // One that joined what is cut off joins nothing any more.
        text.truncate(text.trim_end_matches(is_invisible).len());
        text.push_str(CUT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(turns: usize, length: usize) -> Packet {
        let turn = |n: usize| PacketTurn {
            who: "user".into(),
            text: format!("{n} {}", "x".repeat(length)),
            at: None,
            confidence: None,
        };
        Packet {
            conversation: PacketConversation { id: "c-1".into(), channel: None, locale: None },
            user: PacketUser::default(),
            reason: HandoffReason { code: "asked".into(), text: "The user asked\nfor a person".into() },
            evidence: Vec::new(),
            risk: None,
            tried: (0..LIST_MAX + 5).map(|n| n.to_string()).collect(),
            proposed: Some("y".repeat(PROPOSED_CHARS_MAX + 1)),
            transcript: (0..turns).map(turn).collect(),
            turns_left_out: 0,
            reply_url: None,
        }
    }

    #[test]
    fn what_is_too_long_is_cut_from_the_oldest_and_marked() {
        let fitted = packet(TURNS_MAX + 7, 10).fitted();
        assert_eq!((fitted.transcript.len(), fitted.turns_left_out), (TURNS_MAX, 7));
        assert!(fitted.transcript[0].text.starts_with("7 "));
        assert_eq!(fitted.tried.len(), LIST_MAX);
        assert_eq!(fitted.tried[0], "[6 earlier ones are left out]");
        assert_eq!(fitted.tried[1], "6");
        let proposed = fitted.proposed.clone().unwrap_or_default();
        assert!(proposed.ends_with(CUT) && proposed.chars().count() == PROPOSED_CHARS_MAX);
        assert_eq!(fitted.reason.text, "The user asked for a person");
        assert_eq!(fitted.clone().fitted(), fitted, "what fits stays as it is");
    }

    #[test]
    fn what_nobody_sees_is_left_out_of_every_field() {
        let evil = "a\u{1b}[2J\0\u{202e}b\u{3164}\r\nLIVE c";
        let mut packet = packet(1, 1);
        packet.conversation.id = evil.into();
        packet.user.name = Some(evil.into());
        packet.reason = HandoffReason { code: evil.into(), text: evil.into() };
        packet.evidence = vec![PacketEvidence {
            condition: evil.into(),
            values: serde_json::json!({ evil: [evil, { "b": evil }, 1] }),
        }];
        packet.risk = Some(PacketRisk { score: 0.1, source: Some(evil.into()) });
        packet.tried = vec![evil.into()];
        packet.proposed = Some(evil.into());
        packet.transcript[0] = PacketTurn { who: evil.into(), text: evil.into(), at: None, confidence: None };
        let fitted = packet.fitted();
        let (line, lines) = ("a [2J b LIVE c", "a [2J b\nLIVE c");
        for field in [&fitted.conversation.id, &fitted.reason.code, &fitted.reason.text, &fitted.transcript[0].who] {
            assert_eq!(field, line);
        }
        assert_eq!(fitted.transcript[0].text, lines);
        let text = serde_json::to_string(&fitted).unwrap_or_default();
        assert!(!text.contains("\\u") && !text.contains("\\r"), "{text}");
        let seen = ["\u{202e}", "\u{3164}"].iter().any(|hidden| text.contains(hidden));
        assert!(!seen, "{text}");
        assert_eq!(fitted.clone().fitted(), fitted, "what is plain stays as it is");
    }

    #[test]
    fn long_turns_leave_the_newest() {
        let fitted = packet(60, TURN_CHARS_MAX * 2).fitted();
        let length: usize = fitted.transcript.iter().map(|turn| turn.text.chars().count()).sum();
        assert!((TRANSCRIPT_CHARS_MAX - TURN_CHARS_MAX..=TRANSCRIPT_CHARS_MAX).contains(&length), "{length}");
        assert_eq!(fitted.transcript.len() + fitted.turns_left_out, 60);
        assert!(fitted.transcript.back().is_some_and(|turn| turn.text.starts_with("59 ") && turn.text.ends_with(CUT)));
    }
}
