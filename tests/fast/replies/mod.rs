//! What people write back, and how it is read: a table of real forms, and laws over those that nobody thought of.
#![allow(clippy::unwrap_used, missing_docs)]

mod answered;
mod choices;
mod labels;

use proptest::{
    prelude::{Strategy, any, prop_oneof, proptest},
    sample::select,
    test_runner::Config,
};
use std::collections::BTreeSet;
use stentor::{
    channel::{
        chat::ChatCommand,
        slack::event::SlashCommand,
        smtp::incoming::{self, MailMeaning},
    },
    core::{Answer, AnswerLevel},
    text::reply::{READ_MAX, Reply, asks_or_denies, folded, is_no, is_yes, read, read_bytes, typed},
};

/// A reading in one line: `48213 wilco`, `unclear: "?"`.
fn shown(reply: &Reply) -> String {
    let with = |code: &Option<String>, word: String| match code {
        Some(code) => format!("{code} {word}"),
        None => word,
    };
    match reply {
        Reply::Answer { code, answer } => with(code, answer.to_string()),
        Reply::AsAsked { code: Some(code) } => format!("{code} as asked"),
        Reply::AsAsked { code: None } => "yes".into(),
        Reply::OptOut => "opt-out".into(),
        Reply::OptIn => "opt-in".into(),
        Reply::Unclear { code, doubt } => with(code, format!("unclear: {doubt}")),
    }
}

fn ordered(text: &str) -> String {
    let command =
        SlashCommand { name: "/stentor".into(), text: format!("answer INC-42 {text}"), ..SlashCommand::default() };
    match command.order() {
        Ok(ChatCommand::Answer { answer, role: Some(role), .. }) => format!("{answer} for {role}"),
        Ok(ChatCommand::Answer { answer, role: None, .. }) => answer.to_string(),
        Ok(other) => format!("{other:?}"),
        Err(why) => {
            assert!(why.contains("is not an answer: say roger (1)"), "{why}");
            "no answer".into()
        }
    }
}

/// `\n` and `\u{..}` of the table.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.replace("\\n", "\n");
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (hex, after) = after.split_once('}').unwrap();
        out.push_str(before);
        out.push(char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap());
        rest = after.to_owned();
    }
    out + &rest
}

#[test]
fn every_form_of_the_table_is_read_as_it_says() {
    let mut wrong = Vec::new();
    let mut doors = std::collections::BTreeMap::<&str, usize>::new();
    for line in include_str!("../../samples/replies.tsv").lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [door, text, expected] = columns[..] else { panic!("three columns: {line:?}") };
        *doors.entry(door).or_default() += 1;
        let (text, expected) = (unescaped(text), unescaped(expected));
        let reading = match door {
            "sms" => shown(&read(&text)),
            "mail" => shown(&incoming::said(&text, "Ana Ruiz")),
            "slack" => ordered(&text),
            other => panic!("no such door: {other}"),
        };
        if reading != expected {
            wrong.push(format!("{door} {text:?}: {reading}\n    not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} are read otherwise:\n{}", wrong.len(), wrong.join("\n"));
    assert!(doors.values().all(|rows| 20 < *rows) && 200 < doors.values().sum::<usize>(), "{doors:?}");
}

/// A whole mail from Ana Ruiz that answers a page, made as the table says.
fn mail(kind: &str, text: &str) -> String {
    let text = text.replace('\n', "\r\n");
    let part =
        |kind: &str, text: &str| format!("Content-Type: {kind}; charset=utf-8\r\n\r\n{}\r\n", text.trim_matches(' '));
    let parts = |kind: &str, types: [&str; 2]| {
        let texts = text.split('¦').zip(types);
        let parts: String = texts.map(|(text, kind)| format!("--b\r\n{}", part(kind, text))).collect();
        format!("Content-Type: multipart/{kind}; boundary=b\r\n\r\n{parts}--b--\r\n")
    };
    let body = match kind {
        "text" => part("text/plain", &text),
        "flowed" => format!("Content-Type: text/plain; charset=utf-8; format=flowed\r\n\r\n{text}\r\n"),
        "delsp" => format!("Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\n{text}\r\n"),
        "html" => part("text/html", &text),
        "both" => parts("alternative", ["text/plain", "text/html"]),
        "mixed" => parts("mixed", ["text/plain", "text/plain"]),
        other => panic!("no such mail: {other}"),
    };
    let id = "<INC-12.3.0123456789abcdef.5a5a5a5a@example.com>";
    format!("From: Ana Ruiz <ana.ruiz@example.com>\r\nIn-Reply-To: {id}\r\nMIME-Version: 1.0\r\n{body}")
}

fn read_mail(kind: &str, text: &str) -> Reply {
    let known = |mailbox: &str| (mailbox == "ana.ruiz@example.com").then(|| "Ana María Ruiz".to_owned());
    match incoming::read(mail(kind, text).as_bytes(), known).unwrap().meaning {
        MailMeaning::Said(reply) => reply,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_mail_of_the_table_is_read_as_it_says() {
    let mut wrong = Vec::new();
    for line in include_str!("../../samples/mails.tsv").lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [kind, text, expected] = columns[..] else { panic!("three columns: {line:?}") };
        let reading = shown(&read_mail(kind, &unescaped(text)));
        if reading != unescaped(expected) {
            wrong.push(format!("{kind} {text:?}: {reading}\n    not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} are read otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_decimal_digit_of_unicode_is_its_value_and_one_number_has_one_script() {
    let zeros: Vec<u32> = include_str!("../../samples/decimal-digits.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| u32::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap())
        .collect();
    assert_eq!(zeros.len(), 77);
    let in_script = |zero: u32, number: &str| -> String {
        number.bytes().map(|byte| char::from_u32(zero + u32::from(byte - b'0')).unwrap()).collect()
    };
    for zero in &zeros {
        assert_eq!(folded(&in_script(*zero, "0123456789")), "0123456789", "{zero:x}");
        let text = format!("{} {}", in_script(*zero, "90817"), in_script(*zero, "2"));
        assert_eq!(shown(&read(&text)), "90817 wilco", "{text}");
        assert_eq!(typed(&in_script(*zero, "4")), Ok(Answer::Unable));
        for other in zeros.iter().filter(|other| *other != zero) {
            let mixed = format!("{}{}", in_script(*zero, "908"), in_script(*other, "17"));
            assert!(matches!(read(&format!("{mixed} 2")), Reply::Unclear { code: None, .. }), "{mixed}");
        }
    }
    // No other letter becomes a digit.
    let known: BTreeSet<u32> = zeros.iter().flat_map(|zero| *zero..zero + 10).collect();
    for letter in ('\0'..=char::MAX).filter(|c| !known.contains(&u32::from(*c))) {
        assert!(!folded(&letter.to_string()).contains(|c: char| c.is_ascii_digit()), "{letter:?}");
    }
}

#[test]
fn what_our_texts_ask_for_and_our_buttons_say_is_read_as_that() {
    for answer in AnswerLevel::Wilco.offers().into_iter().chain(AnswerLevel::Roger.offers()) {
        for form in [
            answer.label().to_owned(),
            answer.label().to_uppercase(),
            answer.label().replace('\'', "’"),
            format!("{}!", answer.label()),
            answer.digit().to_string(),
            format!("{} = {}", answer.digit(), answer.label()),
            format!("{} ({})", answer.digit(), answer.label()),
        ] {
            assert_eq!(read(&form), Reply::Answer { code: None, answer }, "{form:?}");
            assert_eq!(typed(&form), Ok(answer), "{form:?}");
            // And what a button sends is the same in words.
            assert_eq!(answer.digit().to_string().parse(), Ok(answer));
        }
    }
    for level in [AnswerLevel::Roger, AnswerLevel::Wilco] {
        let wanted = Answer::of_level(level);
        for drill in [false, true] {
            let words = level.words(drill);
            assert_eq!(read(words), Reply::Answer { code: None, answer: wanted }, "{words}");
        }
    }
}

#[test]
fn a_text_without_end_is_unclear_and_half_of_it_is_never_read() {
    let padded = |room: usize, end: &str| format!("48213 2{}{end}", " ".repeat(room));
    assert_eq!(shown(&read(&padded(READ_MAX - 8, "2"))), "48213 wilco");
    assert!(matches!(read(&padded(READ_MAX, "not")), Reply::Unclear { .. }));
    assert!(matches!(incoming::said(&format!("wilco{}not", " ".repeat(300)), "Ana Ruiz"), Reply::Unclear { .. }));
    assert!(matches!(read(&"!".repeat(1 << 20)), Reply::Unclear { .. }));
}

#[test]
fn a_no_alone_is_told_from_what_names_the_pass() {
    for no in ["48213 no", "No.", "48213 no thanks", "can't 48213", "48213 I cannot, sorry", "No I can't", "ok, no"] {
        assert!(is_no(no), "{no}");
    }
    for pass in
        ["48213 4", "48213 unable", "no, 4", "no, pass it on", "I can't, pass on", "I can't take it", "Hand it back"]
    {
        assert!(!is_no(pass) && matches!(read(pass), Reply::Answer { answer: Answer::Unable, .. }), "{pass}");
    }
    for other in ["", "48213", "yes", "2", "not", "no way", "no 2"] {
        assert!(!is_no(other), "{other}");
    }
}

#[test]
fn yes_is_known_to_the_carriers_and_a_question_is_none() {
    for yes in ["Yes", " YES. ", "ｙｅｓ"] {
        assert!(is_yes(yes), "{yes}");
    }
    assert!(!is_yes("yes 2") && !is_yes("y") && !is_yes("") && !is_yes("yes?") && !is_yes("yes ❌"));
    for line in ["is it you ？", "not before noon", "I can’t after all", "But later"] {
        assert!(asks_or_denies(line), "{line}");
    }
    assert!(!asks_or_denies("Ana Ruiz, Head of Desk; +44 7700 900 001"));
}

/// Texts that are answers; none that says the same twice, which `=` may part.
const ANSWERS: [&str; 24] = [
    "48213",
    "48213 2",
    "2 48213",
    "wilco 48213",
    "48213 I have it",
    "48213 got it",
    "48213 ok",
    "48213 1",
    "48213 Received",
    "48213 2 thanks",
    "48213 2 👍",
    "٤٨٢١٣ ٢",
    "４８２１３　２",
    "48213 yes",
    "48213 1 ok",
    "48213 will do",
    "2",
    "wilco",
    "I have it",
    "roger",
    "1",
    "I'm on it",
    "I’ll take it",
    "exercise received",
];

/// What the reader lets pass, beside letters, digits and gaps.
fn is_agreed(sign: char) -> bool {
    matches!(sign, '.' | '!' | ',' | ':' | '-' | '#' | '\'' | '👍' | '✅')
        || folded(&sign.to_string()).chars().all(|c| matches!(c, '.' | '!' | ',' | ':' | '-' | '#' | '\'' | ' '))
}

/// Signs that are none of the agreed ones: of any script, and those that people really send.
fn signs() -> impl Strategy<Value = char> {
    let asked = "?？؟⸮՞;\u{37e}¿❓❔‽";
    let shown = "👎❌🚫⛔🤷🙏👌✋🛑☠❗♂✔☑%&/\\|<>[]{}()=+*~^_\"@$€\u{20e3}\u{338}\u{fffd}\u{0}";
    let known: Vec<char> = asked.chars().chain(shown.chars()).collect();
    let random = any::<char>().prop_filter("a sign", |c| !c.is_alphanumeric() && !c.is_whitespace() && !is_agreed(*c));
    prop_oneof![select(known), random]
}

fn with(text: &str, at: usize, part: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = at % (letters.len() + 1);
    letters[..at].iter().collect::<String>() + part + &letters[at..].iter().collect::<String>()
}

proptest! {
    #![proptest_config(Config { cases: 2_500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn an_answer_with_a_sign_that_is_not_agreed_on_engages_nobody(
        text in select(&ANSWERS[..]), sign in signs(), at in any::<usize>(), gaps in any::<(bool, bool)>(),
    ) {
        let gap = |wanted: bool| if wanted { " " } else { "" };
        // `48213 = I have it` is what our own SMS say.
        proptest::prop_assume!(sign != '=' || !text.starts_with("48213"));
        let text = with(text, at, &format!("{}{sign}{}", gap(gaps.0), gap(gaps.1)));
        proptest::prop_assert!(matches!(read(&text), Reply::Unclear { .. }), "{text:?}: {:?}", read(&text));
        proptest::prop_assert!(matches!(incoming::said(&text, "Ana Ruiz"), Reply::Unclear { .. }), "{text:?}");
        proptest::prop_assert!(typed(&text).is_err(), "{text:?}");
    }

    #[test]
    fn an_answer_with_a_word_that_is_not_known_engages_nobody(
        text in select(&ANSWERS[..]), word in "[a-zà-ÿа-яぁ-ん]{3,12}|not|never|dont|don't|maybe|[5-9]|[0-9]{2,4}|[0-9]{6,9}",
        before in any::<bool>(),
    ) {
        let alone = read(&word);
        if matches!(alone, Reply::Unclear { .. }) {
            let text = if before { format!("{word} {text}") } else { format!("{text} {word}") };
            proptest::prop_assert!(matches!(read(&text), Reply::Unclear { .. }), "{text:?}: {:?}", read(&text));
        }
    }

    #[test]
    fn a_yes_and_a_no_in_one_text_engage_nobody(
        text in select(&ANSWERS[1..]), no in select(&["no", "4", "unable", "can't", "I can’t, pass on", "pass", "3", "wait"][..]),
        before in any::<bool>(), part in select(&[" ", ", ", ". ", "! ", " - "][..]),
    ) {
        // A nod and an "ok" go with a no as well.
        let (first, second) = if before { (no, text) } else { (text, no) };
        let reading = read(&format!("{first}{part}{second}"));
        let engages = match reading {
            Reply::Answer { answer, .. } => matches!(answer, Answer::Wilco | Answer::Roger),
            Reply::AsAsked { .. } => true,
            Reply::OptOut | Reply::OptIn | Reply::Unclear { .. } => false,
        };
        proptest::prop_assert!(!engages, "{first}{part}{second}: {reading:?}");
    }
}

proptest! {
    #![proptest_config(Config { cases: 1_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_the_bytes_are_it_is_read_and_what_it_quotes_is_short_and_has_no_control(
        bytes in proptest::collection::vec(any::<u8>(), 0..400), text in ".{0,300}",
    ) {
        for reply in [read_bytes(&bytes), read(&text), incoming::said(&text, "Ana Ruiz")] {
            let said = shown(&reply);
            proptest::prop_assert!(said.chars().count() < 120 && !said.contains(char::is_control), "{said:?}");
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 300, failure_persistence: None, ..Config::default() })]

    #[test]
    fn an_answer_by_mail_with_any_words_under_it_engages_nobody(
        answer in select(&["wilco", "2", "I have it", "roger", "1", "will do"][..]),
        words in "[a-zà-ÿа-яぁ-ん]{5,9}( [a-zà-ÿа-я]{3,9}){0,4}[.!…]{0,1}",
        before in select(&["\n", "\n\n", "\n\nAna\n\n", "\nAna\n", "\n\nThanks, Ana\n\n", "\n> LIVE INC-12\n"][..]),
        after in select(&["", "\n\nAna Ruiz", "\n-- \nAna", "\n\nSent from my iPhone", "\n\n> LIVE INC-12", "\n\nFrom: Stentor"][..]),
    ) {
        let text = format!("{answer}{before}{words}{after}");
        proptest::prop_assert!(matches!(read_mail("text", &text), Reply::Unclear { .. }), "{text:?}");
        proptest::prop_assert!(matches!(read_mail("html", &text.replace('\n', "<br>").replace('>', "&gt;").replace("br&gt;", "br>")), Reply::Unclear { .. }), "{text:?}");
    }
}

fn is_absence(subject: &str) -> bool {
    let id = "<INC-12.3.0123456789abcdef.5a5a5a5a@example.com>";
    let mail = format!(
        "From: Ana Ruiz <ana.ruiz@example.com>\r\nSubject: {subject}\r\nIn-Reply-To: {id}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nI read my mail on Monday.\r\n"
    );
    matches!(incoming::read(mail.as_bytes(), |_| None).unwrap().meaning, MailMeaning::Away)
}

#[test]
fn each_subject_of_the_table_is_an_absence_note_or_none_as_it_says() {
    let mut wrong = Vec::new();
    for line in include_str!("../../samples/subjects.tsv").lines().filter(|line| !line.starts_with('#')) {
        let (expected, subject) = line.split_once('\t').expect("two columns");
        if is_absence(subject) != (expected == "away") {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "read otherwise:\n{}", wrong.join("\n"));
}
