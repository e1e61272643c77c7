//! Parses the slash command. Pure.

use super::event::SlashCommand;
use crate::{
    channel::chat::ChatCommand,
    core::{RoleName, printable::excerpt},
    text::reply::{QUOTE_MAX, Reply, asks_or_denies, folded, is_no, read, typed},
};

/// The largest number of characters of a page's text or a reason that are kept; what people type in a crisis is
/// shorter.
pub const WORDS_MAX: usize = 500;

/// The reply to a command that is empty or unknown. `{}` is replaced by the command's name in Slack.
const HELP: &str = "\
*{} status*: how many incidents are open, and whether everything works\n\
*{} list*: the open incidents and who has which role\n\
*{} answer INC-42 wilco [ROLE]*: your answer: roger, wilco, standby [MINUTES] or unable\n\
*{} page ROLE text…*: pages a role now, with your text\n\
*{} drill ROLE text…*: the same as an exercise\n\
*{} resolve INC-42 [reason]*: it is over\n\
*{} help*: this";

impl SlashCommand {
    /// Reads its fields; `None` if the user is missing.
    pub(super) fn of(field: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(Self {
            user: field("user_id").filter(|user| !user.is_empty())?,
            is_bot: field("bot_id").is_some() || field("user_id").as_deref() == Some("USLACKBOT"),
            name: field("command").unwrap_or_else(|| "/stentor".into()),
            text: field("text").unwrap_or_default(),
            response_url: field("response_url"),
            trigger_id: field("trigger_id").filter(|id| !id.is_empty()),
            channel: field("channel_name"),
        })
    }

    /// Parses the text of the command.
    ///
    /// # Errors
    ///
    /// A text that says what to type instead.
    pub fn order(&self) -> Result<ChatCommand, String> {
        let text = unescaped(&self.text);
        let (verb, rest) = first(&text);
        match folded(verb).to_ascii_lowercase().as_str() {
            "" | "help" | "?" => Ok(ChatCommand::Help),
            "status" => Ok(ChatCommand::Status),
            "list" | "incidents" => Ok(ChatCommand::List),
            "answer" => self.answer(rest),
            "page" => self.page(rest, false),
            "drill" => self.page(rest, true),
            "resolve" => self.resolve(rest),
            other => {
                let other = excerpt(other, QUOTE_MAX);
                Err(format!("there is no command {other:?}: {} help shows the commands", self.name))
            }
        }
    }

    /// The usage text, in Slack's markup.
    pub fn help(&self) -> String {
        HELP.replace("{}", &crate::channel::slack::escape(&self.name))
    }

    fn answer(&self, rest: &str) -> Result<ChatCommand, String> {
        let usage = format!("type {} answer INC-42 wilco [ROLE]", self.name);
        let (incident, rest) = first(rest);
        let incident = folded(incident).parse().map_err(|error| format!("{error}; {usage}"))?;
        let words = with_emoji(&folded(rest));
        // The last word may be a role, unless it is an answer or negates one.
        let ((answer, is_no), role) = match (typed(&words), words.rsplit_once(char::is_whitespace)) {
            (Ok(answer), _) => ((answer, is_no(&words)), None),
            (Err(error), Some((words, role))) if is_role(role) => {
                let answer = typed(words).map_err(|_| format!("{error}; {usage}"))?;
                ((answer, is_no(words)), Some(RoleName::from(role.to_ascii_lowercase())))
            }
            (Err(error), _) => return Err(format!("{error}; {usage}")),
        };
        Ok(ChatCommand::Answer { incident, answer, is_no, role })
    }

    fn page(&self, rest: &str, drill: bool) -> Result<ChatCommand, String> {
        let (role, words) = first(rest);
        let words = tidy(words);
        if role.is_empty() || words.is_empty() {
            let verb = if drill { "drill" } else { "page" };
            return Err(format!("the role or the text is missing: type {} {verb} ROLE text…", self.name));
        }
        Ok(ChatCommand::Page { role: RoleName::from(role.to_ascii_lowercase()), words, drill })
    }

    fn resolve(&self, rest: &str) -> Result<ChatCommand, String> {
        let (incident, reason) = first(rest);
        let usage = format!("type {} resolve INC-42 [reason]", self.name);
        let incident = folded(incident).parse().map_err(|error| format!("{error}; {usage}"))?;
        let reason = tidy(reason);
        Ok(ChatCommand::Resolve { incident, reason: (!reason.is_empty()).then_some(reason) })
    }
}

/// The first word and the rest.
fn first(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// Whether a word can be a role's name and has no meaning of its own.
fn is_role(word: &str) -> bool {
    let is_name = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let is_wait = humantime::parse_duration(word).is_ok();
    is_name && !is_wait && !asks_or_denies(word) && matches!(read(word), Reply::Unclear { .. })
}

/// Slack sends emoji as names. Names of emoji that mean yes are turned back into emoji; all others stay unchanged.
fn with_emoji(text: &str) -> String {
    let names = [("+1", '👍'), ("thumbsup", '👍'), ("white_check_mark", '✅')];
    let skins = (2..=6).map(|n| format!(":skin-tone-{n}:"));
    let plain = skins.fold(text.to_owned(), |text, skin| text.replace(&format!(":{skin}"), ":"));
    names.iter().fold(plain, |text, (name, sign)| text.replace(&format!(":{name}:"), &sign.to_string()))
}

/// One line without control characters, cut to [`WORDS_MAX`].
fn tidy(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(WORDS_MAX).collect()
}

/// Replaces Slack's three entities, which some texts contain.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::IncidentId;

    fn order(text: &str) -> Result<ChatCommand, String> {
        SlashCommand { name: "/stentor".into(), text: text.into(), ..SlashCommand::default() }.order()
    }

    fn answer(words: &str, role: Option<&str>) -> Result<ChatCommand, String> {
        let answer = words.parse().map_err(|_| words.to_owned())?;
        Ok(ChatCommand::Answer { incident: IncidentId(42), answer, is_no: false, role: role.map(RoleName::from) })
    }

    fn page(role: &str, words: &str, drill: bool) -> Result<ChatCommand, String> {
        Ok(ChatCommand::Page { role: role.into(), words: words.into(), drill })
    }

    fn resolve(reason: Option<&str>) -> Result<ChatCommand, String> {
        Ok(ChatCommand::Resolve { incident: IncidentId(42), reason: reason.map(str::to_owned) })
    }

    #[test]
    fn what_was_typed_is_what_is_meant() {
        for (text, expected) in [
            ("", Ok(ChatCommand::Help)),
            ("  HELP ", Ok(ChatCommand::Help)),
            ("status", Ok(ChatCommand::Status)),
            ("List", Ok(ChatCommand::List)),
            ("answer INC-42 wilco", answer("wilco", None)),
            ("answer inc-42 Roger  Trader", answer("roger", Some("trader"))),
            ("answer 42 2", answer("wilco", None)),
            ("ａｎｓｗｅｒ ＩＮＣ－４２ ２", answer("wilco", None)),
            ("answer INC-٤٢ I have it trader", answer("wilco", Some("trader"))),
            ("answer INC-42 ２　ｔｒａｄｅｒ", answer("wilco", Some("trader"))),
            ("answer INC-42 wilco :+1::skin-tone-2: trader", answer("wilco", Some("trader"))),
            ("answer INC-42 standby", answer("standby", None)),
            ("answer INC-42 standby 3", answer("standby 3", None)),
            ("answer INC-42 standby 90s trader", answer("standby 90s", Some("trader"))),
            ("answer INC-42 standby trader", answer("standby", Some("trader"))),
            ("answer INC-42 3 5 trader", answer("standby 5", Some("trader"))),
            ("page trader CME is down", page("trader", "CME is down", false)),
            ("page Trader drill: CME is down", page("trader", "drill: CME is down", false)),
            ("drill trader  CME\n is \u{7} down", page("trader", "CME is down", true)),
            ("page trader a &lt;b&gt; &amp;amp; c", page("trader", "a <b> &amp; c", false)),
            ("resolve INC-42", resolve(None)),
            ("resolve 42  a false\u{2028}alarm ", resolve(Some("a false alarm"))),
        ] {
            assert_eq!(order(text), expected, "{text:?}");
        }
        let long = "x".repeat(WORDS_MAX + 9);
        assert_eq!(order(&format!("page trader {long}")), page("trader", &long[..WORDS_MAX], false));
    }

    #[test]
    fn what_can_not_be_meant_is_told_with_what_to_type() {
        for (text, told) in [
            ("answr INC-42 wilco", "/stentor help"),
            (&"x".repeat(5_000), "…\": /stentor help"),
            (&format!("resolve {}", "9".repeat(5_000)), "…\" is not an incident"),
            ("answer", "answer INC-42 wilco"),
            ("answer INC-0 wilco", "answer INC-42 wilco"),
            ("answer INC-42", "roger (1)"),
            ("answer INC-42 yes", "roger (1)"),
            ("answer INC-42 wilco trader now", "\"wilco trader now\" is not an answer"),
            ("answer INC-42 standby 3 trader now", "is not an answer"),
            ("answer INC-42 wilco?", "\"wilco?\" is not an answer"),
            ("answer INC-4２ wilco", "answer INC-42 wilco"),
            ("page", "page ROLE"),
            ("page trader", "page ROLE"),
            ("drill trader  \n", "drill ROLE"),
            ("resolve", "resolve INC-42"),
            ("resolve it", "resolve INC-42"),
        ] {
            let Err(error) = order(text) else { panic!("{text:?} was understood") };
            assert!(error.contains(told) && error.chars().count() < 300, "{text:?}: {error}");
        }
    }
}
