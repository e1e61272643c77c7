//! What stands on a button is also an answer where somebody types it.

use std::path::Path;
use stentor::{
    core::answer::{AFTER_ALL, HAND_BACK, HAND_BACK_SURE, button_labels},
    text::reply::{Reply, read, says_exercise, typed},
};

/// Behind it is what can be changed of an action.
const OPENS_A_FORM: &str = "Approve with changes";

#[test]
fn each_label_that_a_button_can_have_is_its_answer_when_it_is_typed() {
    for (label, answer) in button_labels() {
        for text in [label.to_owned(), format!("{label} (exercise)"), label.to_lowercase(), format!("{label}.")] {
            let read_as = read(&format!("48213 {text}"));
            assert_eq!(read_as, Reply::Answer { code: Some("48213".into()), answer }, "{text}");
            assert_eq!(typed(&text).unwrap(), answer, "{text}");
        }
        assert!(says_exercise(&format!("{label} (exercise)")), "which no live page takes");
    }
}

/// The pages have the labels in their own text: a label that is changed there is changed in the list too.
#[test]
fn the_list_has_the_labels_of_the_pages() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/desk/assets");
    let text = |name: &str| std::fs::read_to_string(assets.join(name)).unwrap();
    let page = text("answer.html");
    let written = page.lines().filter(|line| line.contains("<button") || line.contains("<summary>"));
    let written = written.filter_map(|line| line.split_once('>')?.1.split(['<', '{']).next());
    let written: Vec<&str> = written.filter(|label| !label.is_empty()).collect();
    assert!(written.contains(&HAND_BACK) && written.contains(&HAND_BACK_SURE), "{written:?}");
    // What only opens a form is no answer where somebody types it: least of all a plain approval.
    assert!(written.contains(&OPENS_A_FORM), "{written:?}");
    assert!(matches!(read(&format!("48213 {OPENS_A_FORM}")), Reply::Unclear { .. }) && typed(OPENS_A_FORM).is_err());
    for label in written.iter().filter(|label| **label != OPENS_A_FORM) {
        assert!(button_labels().any(|(known, _)| known == *label), "{label:?}");
    }
    assert!(text("desk.js").contains(&format!("label: \"{HAND_BACK}\"")));
    assert!(button_labels().any(|(known, _)| known == AFTER_ALL));
}

/// The words that our own SMS ask for: after the code, with and without the sign before them.
#[test]
fn what_an_sms_asks_for_is_an_answer_when_it_is_typed() {
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/template/sms.rs")).unwrap();
    let head = &source[source.find("fn head(").unwrap()..];
    let words =
        |line: &str| Some(line.split_once("AnswerLevel::")?.1.split_once("=> \"")?.1.split_once('"')?.0.to_owned());
    let asked: Vec<String> = head.lines().filter_map(words).collect();
    assert_eq!(asked.len(), 2, "one for each level: {asked:?}");
    for asked in asked {
        for text in ["48213 {}", "48213 = {}", "48213 = {}.", "48213 = {} (exercise)", "48213 \"{}\"", "{} 48213"] {
            let text = text.replace("{}", &asked);
            let reading = read(&text);
            let is_taken = matches!(&reading, Reply::Answer { code: Some(code), .. } | Reply::AsAsked { code: Some(code) } if code == "48213");
            assert!(is_taken, "{text}: {reading:?}");
        }
    }
    assert!(head.contains("{CODE} = {taken}") && head.contains("{CODE} 4 = pass"), "the form that is read here");
}

/// `48213 4 to hand it back`: whatever our texts say of a digit may be typed with it.
#[test]
fn what_our_texts_say_of_a_digit_is_its_answer_when_it_is_typed() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut said = Vec::new();
    for room in ["template", "http"] {
        let files = std::fs::read_dir(src.join(room)).unwrap().map(|file| file.unwrap().path());
        for file in files.filter(|file| file.extension().is_some_and(|end| end == "rs")) {
            let source = std::fs::read_to_string(&file).unwrap();
            let behind_code = source.split("{CODE} ").skip(1).chain(source.split("{code} ").skip(1));
            let by_digit = behind_code.filter_map(|text| text.split(['"', '{', '.', ',', ';']).next());
            said.extend(by_digit.filter(|text| text.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned));
        }
    }
    for words in ["4 to hand it back", "4 = pass", "1 = received"] {
        assert!(said.iter().any(|text| text == words), "{words} is looked for: {said:?}");
    }
    for text in said {
        let digit: u8 = text[..1].parse().unwrap();
        for typed in [format!("48213 {text}"), format!("48213 {text}."), format!("48213 {}", text.to_uppercase())] {
            let reading = read(&typed);
            let is_it = matches!(&reading, Reply::Answer { code: Some(code), answer } if code == "48213" && answer.digit() == digit);
            assert!(is_it, "{typed}: {reading:?}");
        }
    }
}

#[test]
fn an_exercise_in_brackets_alone_is_no_answer() {
    for text in ["48213 (exercise)", "(exercise)", "48213 I have it (exercise", "48213 I have it (exercises)"] {
        assert!(!matches!(read(text), Reply::Answer { .. }), "{text}");
    }
}
