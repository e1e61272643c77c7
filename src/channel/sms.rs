//! What people reply to an SMS.

use crate::core::Answer;

/// Digits of a page's answer code.
pub const CODE_DIGITS: usize = 5;

/// Words that carriers take as leaving for good where they are the whole message
/// (<https://help.twilio.com/articles/223134027>). They are never answers: some carriers swallow them whatever else the
/// message says, and a person who has sent one gets no later page by SMS.
const OPT_OUT: [&str; 9] = ["stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout", "opt-out"];

/// Words that ask to be written to again, each a whole message.
const OPT_IN: [&str; 4] = ["start", "unstop", "optin", "opt-in"];

/// Words that give the answer that was asked for.
const AS_ASKED: [&str; 6] = ["", "ack", "ok", "okay", "yes", "y"];

/// Words that pass it on, beside `unable` and `4`.
const PASS: [&str; 4] = ["no", "can't", "cant", "cannot"];

/// A reply, understood or not. Who sent it, and whether the code is theirs, is for the caller to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer.
    Said {
        /// The page's code, where there is one.
        code: Option<String>,
        /// What they say; none for what the page asks for.
        answer: Option<Answer>,
    },
    /// They asked the carrier to stop all messages: those words and nothing else.
    OptOut,
    /// They asked the carrier to send messages again.
    OptIn,
    /// Words that are no answer. Never taken for one.
    Unclear {
        /// The page's code, where there is one.
        code: Option<String>,
    },
}

/// Reads a reply: a code and a word or digit in either order, in any case: `48213`, `48213 2`, `wilco 48213`,
/// `ACK 48213`, `48213 standby 3`.
pub fn parse_reply(text: &str) -> Reply {
    let text = text.to_lowercase().replace('’', "'");
    let words: Vec<&str> =
        text.split(is_gap).map(|word| word.trim_matches(is_noise)).filter(|w| !w.is_empty()).collect();
    match words.as_slice() {
        [first, rest @ ..]
            if OPT_OUT.contains(first) && rest.iter().all(|word| *word == "all" || OPT_OUT.contains(word)) =>
        {
            return Reply::OptOut;
        }
        [word] if OPT_IN.contains(word) => return Reply::OptIn,
        _ => {}
    }
    let (codes, rest): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| is_code(word));
    let code = match codes.as_slice() {
        [] => None,
        [code, others @ ..] if others.iter().all(|other| other == code) => Some((*code).to_owned()),
        // Two codes: which page is meant can not be known.
        _ => return Reply::Unclear { code: None },
    };
    let rest = rest.join(" ");
    match rest.as_str() {
        "" if code.is_none() => Reply::Unclear { code },
        // Carriers swallow such words, or take them for leaving: never an answer, and beside others no leaving either.
        rest if rest.split(' ').any(|word| OPT_OUT.contains(&word)) => Reply::Unclear { code },
        rest if AS_ASKED.contains(&rest) => Reply::Said { code, answer: None },
        rest if PASS.contains(&rest) => Reply::Said { code, answer: Some(Answer::Unable) },
        rest => match rest.parse() {
            Ok(answer) => Reply::Said { code, answer: Some(answer) },
            Err(_) => Reply::Unclear { code },
        },
    }
}

/// Whether a whole message is YES: to some carriers it means that they are to write again.
pub fn is_yes(text: &str) -> bool {
    text.trim_matches(|c: char| !c.is_alphanumeric()).eq_ignore_ascii_case("yes")
}

fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | ':' | '/' | '+')
}

fn is_noise(c: char) -> bool {
    !c.is_alphanumeric()
}

fn is_code(word: &str) -> bool {
    word.len() == CODE_DIGITS && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_reply_is_understood_or_said_to_be_unclear() {
        let said = |code: Option<&str>, answer| Reply::Said { code: code.map(str::to_owned), answer };
        let unclear = |code: Option<&str>| Reply::Unclear { code: code.map(str::to_owned) };
        let standby = |minutes: u64| Some(Answer::Standby { span: Duration::from_secs(60 * minutes) });
        let code = Some("48213");
        for (text, reply) in [
            ("48213", said(code, None)),
            (" 48213. \n", said(code, None)),
            ("#48213!", said(code, None)),
            ("48213 2", said(code, Some(Answer::Wilco))),
            ("2 48213", said(code, Some(Answer::Wilco))),
            ("2,48213", said(code, Some(Answer::Wilco))),
            ("wilco 48213", said(code, Some(Answer::Wilco))),
            ("WILCO 48213", said(code, Some(Answer::Wilco))),
            ("48213 1", said(code, Some(Answer::Roger))),
            ("ACK 48213", said(code, None)),
            ("OK 48213", said(code, None)),
            ("yes 48213", said(code, None)),
            ("48213 standby 3", said(code, standby(3))),
            ("standby 48213", said(code, standby(2))),
            ("standby 3m 48213", said(code, standby(3))),
            ("48213 3", said(code, standby(2))),
            ("48213 unable", said(code, Some(Answer::Unable))),
            ("48213 can’t", said(code, Some(Answer::Unable))),
            ("48213 48213", said(code, None)),
            ("ACK", said(None, None)),
            ("2", said(None, Some(Answer::Wilco))),
            ("", unclear(None)),
            ("?!", unclear(None)),
            ("4821", unclear(None)),
            ("482134", unclear(None)),
            ("48213 99999", unclear(None)),
            ("48213 what is this", unclear(code)),
            ("48213 can't, sorry", unclear(code)),
            ("I am out of office 48213", unclear(code)),
            ("48213 5", unclear(code)),
            ("STOP", Reply::OptOut),
            ("Stop.", Reply::OptOut),
            ("stop all", Reply::OptOut),
            ("STOP STOP", Reply::OptOut),
            ("END 48213", unclear(code)),
            ("48213 cancel", unclear(code)),
            ("this must end", unclear(None)),
            ("I stand by until the end 48213", unclear(code)),
            ("START", Reply::OptIn),
            ("Unstop!", Reply::OptIn),
            ("start 48213", unclear(code)),
            ("quit", Reply::OptOut),
            ("UNSUBSCRIBE", Reply::OptOut),
        ] {
            assert_eq!(parse_reply(text), reply, "{text:?}");
        }
    }

    #[test]
    fn no_answer_is_a_word_that_carriers_swallow() {
        for word in ["roger", "wilco", "standby", "unable"].iter().chain(&AS_ASKED).chain(&PASS) {
            assert!(!OPT_OUT.contains(word) && !OPT_IN.contains(word), "{word}");
        }
    }
}
