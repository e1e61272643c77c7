//! What people write back: texts, and whole mails.

use stentor::{
    channel::smtp::incoming::{self, MailMeaning},
    core::Answer,
    text::reply::{CODE_DIGITS, Reply, asks_or_denies, folded, is_yes, read, read_bytes, says_exercise, typed},
};

/// Signs that are none of those without a meaning.
const STRANGE: [&str; 12] = ["?", "？", "%", "~", "¿", "/", "👎", "🤷", "❌", "\u{fffd}", "\u{20e3}", "\u{0}"];

/// Whether it takes a role, or passes one on.
fn is_answer(reply: &Reply) -> bool {
    matches!(reply, Reply::Answer { .. } | Reply::AsAsked { .. })
}

/// Whether somebody has it because of this.
fn engages(reply: &Reply) -> bool {
    let takes = |answer: &Answer| matches!(answer, Answer::Wilco | Answer::Roger);
    matches!(reply, Reply::AsAsked { .. }) || matches!(reply, Reply::Answer { answer, .. } if takes(answer))
}

/// Whether a sign may stand beside an answer.
fn is_agreed(sign: char) -> bool {
    let folded = folded(&sign.to_string());
    let plain = |c: char| {
        matches!(
            c,
            '.' | '!' | ',' | ':' | '-' | '#' | '\'' | '=' | '(' | ')' | '"' | '“' | '”' | '„' | '‟' | '«' | '»'
        )
    };
    plain(sign) || folded.chars().all(|c| plain(c) || c.is_alphanumeric() || c.is_whitespace()) || is_nod(sign)
}

fn is_nod(sign: char) -> bool {
    matches!(sign, '👍' | '✅' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// What is quoted to its writer is short and begins no line of its own.
fn quotes_little(reply: &Reply) {
    let (code, words) = match reply {
        Reply::Answer { code, answer } => (code, answer.to_string()),
        Reply::AsAsked { code } => (code, String::new()),
        Reply::Unclear { code, doubt } => (code, doubt.to_string()),
        Reply::OptOut | Reply::OptIn => (&None, String::new()),
    };
    assert!(words.chars().count() < 120 && !words.contains(char::is_control), "{words:?}");
    let is_code = |code: &String| code.len() == CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    assert!(code.as_ref().is_none_or(is_code), "{code:?}");
}

/// A text that may mean no engages nobody.
pub fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let reply = read_bytes(bytes);
    assert_eq!(reply, read(&text));
    quotes_little(&reply);
    let _ = (asks_or_denies(&text), says_exercise(&text));
    assert!(!is_yes(&text) || reply == Reply::AsAsked { code: None }, "{text:?}");
    let as_typed = match &reply {
        Reply::Answer { code: None, answer } => Some(*answer),
        _ => None,
    };
    assert_eq!(typed(&text).ok(), as_typed, "{text:?}");
    if !is_answer(&reply) {
        return;
    }
    assert_eq!(read(&folded(&text)), reply, "{text:?}");
    let strange = text.chars().find(|sign| !is_agreed(*sign) && !sign.is_alphanumeric() && !sign.is_whitespace());
    assert_eq!(strange, None, "{text:?}: {reply:?}");
    for sign in STRANGE {
        for asked in [format!("{text}{sign}"), format!("{text} {sign}"), format!("{sign}{text}")] {
            assert!(matches!(read(&asked), Reply::Unclear { .. }), "{asked:?}: {:?}", read(&asked));
        }
    }
    for no in ["not", "no", "4", "can't", "but", "zzz"] {
        for said in [format!("{text} {no}"), format!("{no} {text}"), format!("{text}\n{no}")] {
            assert!(!engages(&read(&said)), "{said:?}: {:?}", read(&said));
        }
    }
}

/// Headers by which machines say that they are machines.
const MACHINES: [&str; 4] =
    ["Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated", "X-Autoreply: yes", "Precedence: auto_reply"];

/// A mail says what its text says, and what a machine sends is nobody's word.
pub fn mails(bytes: &[u8]) {
    let name_of = |mailbox: &str| (mailbox == "ana.ruiz@example.com").then(|| "Ana Ruiz".to_owned());
    if let Ok(text) = std::str::from_utf8(bytes) {
        quotes_little(&incoming::said(text, "Ana Ruiz"));
    }
    let Some(mail) = incoming::read(bytes, name_of) else { return };
    assert_eq!(mail.from, mail.from.to_lowercase());
    assert!(!mail.token.is_empty() && mail.token.len() <= bytes.len(), "{:?}", mail.token);
    match &mail.meaning {
        MailMeaning::Said(reply) => quotes_little(reply),
        MailMeaning::Bounced(code) => assert!(code.len() <= 32 && !code.contains(char::is_control), "{code:?}"),
        MailMeaning::Away | MailMeaning::Nothing => {}
    }
    for machine in MACHINES {
        // A second header, so that one that goes on at the start of the mail changes nothing of the first.
        let marked = [machine.as_bytes(), b"\r\nX-Mark: 1\r\n", bytes].concat();
        if let Some(marked) = incoming::read(&marked, name_of) {
            assert!(!matches!(marked.meaning, MailMeaning::Said(_)), "{machine}: {:?}", marked.meaning);
        }
    }
}
