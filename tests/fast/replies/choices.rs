//! How people choose an option in a text: what they copy out of ours, and what is no choice.

use proptest::{
    prelude::{any, proptest},
    sample::select,
    test_runner::Config,
};
use stentor::{
    core::{Ask, AskKind, AskOption, ReadBack, Timestamp, read_back::ReadBackField},
    text::reply::{ChoiceReading, beside_code, choice, first_code, folded},
};

const CODE: &str = "48213";

fn ask(labels: &[&str], fact: Option<&str>) -> Ask {
    let option = |(n, label): (usize, &&str)| AskOption { name: format!("o{n}"), label: (*label).into(), does: None };
    Ask {
        kind: AskKind::Decision,
        question: "Which?".into(),
        options: labels.iter().enumerate().map(option).collect(),
        form: None,
        edit: None,
        action: serde_json::Value::Null,
        action_digest: "sha256:1".into(),
        on_behalf_of: None,
        approvals: 1,
        default: None,
        deadline: Timestamp::from_micros(1),
        supersedes: None,
        handoff: None,
        read_back: fact.map(|value| ReadBack { field: ReadBackField::Label("desk".into()), value: value.into() }),
        asker: None,
    }
}

/// `o0`, `o0 + EQ-2`, `left: not`, `none`.
fn shown(ask: &Ask, text: &str) -> String {
    match choice(ask, &beside_code(text, CODE)) {
        ChoiceReading::Option(named) => {
            named.repeated.map_or(named.option.clone(), |fact| format!("{} + {fact}", named.option))
        }
        ChoiceReading::Excess(part) => format!("left: {part}"),
        ChoiceReading::None => "none".into(),
    }
}

fn check(ask: &Ask, table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(text, expected)| {
            let read = shown(ask, text);
            (read != *expected).then(|| format!("{text:?}: {read}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_people_copy_out_of_our_texts_is_the_option() {
    let ask = ask(&["Approve", "Deny", "Hedge half of it", "Größe halten"], None);
    check(
        &ask,
        &[
            ("48213 A", "o0"),
            ("a 48213", "o0"),
            ("A 48213.", "o0"),
            ("48213-A", "o0"),
            ("48213:A", "o0"),
            ("48213: A", "o0"),
            ("48213 - a!", "o0"),
            ("48213, A", "o0"),
            ("#48213 A", "o0"),
            ("(48213) A", "o0"),
            ("48213 = A", "o0"),
            ("48213 A.", "o0"),
            ("48213 A!!", "o0"),
            ("48213 A .", "o0"),
            ("48213 A,", "o0"),
            ("48213 A)", "o0"),
            ("48213 \"A\"", "o0"),
            ("48213 “A”", "o0"),
            ("48213 'A'", "o0"),
            ("48213 (A)", "o0"),
            ("\"48213 A\"", "o0"),
            ("48213\nA", "o0"),
            ("48213 A = Approve", "o0"),
            ("48213 A = Approve.", "o0"),
            ("48213 A=approve", "o0"),
            ("48213 A = Approve,", "o0"),
            ("48213 A) Approve", "o0"),
            ("48213 (A) Approve", "o0"),
            ("48213 A (Approve)", "o0"),
            ("48213 A: Approve", "o0"),
            ("48213 A - Approve", "o0"),
            ("48213 A Approve", "o0"),
            ("48213 A  \"Approve\"", "o0"),
            ("48213 A = o0", "o0"),
            ("48213 approve", "o0"),
            ("Approve 48213", "o0"),
            ("48213 \"Approve\"", "o0"),
            ("48213 o1", "o1"),
            ("48213 B = Deny (exercise)", "o1"),
            ("48213 hedge  HALF of it", "o2"),
            ("48213 C = Hedge half..", "left: Hedge half.."),
            ("48213 C = Hedge hal...", "o2"),
            ("48213 C = Hedge hal…", "o2"),
            ("48213 D = GROSSE halten", "left: GROSSE halten"),
            ("48213 D = größe halten", "o3"),
            // Letters and digits of other keyboards.
            ("４８２１３　Ａ", "o0"),
            ("٤٨٢١٣ \u{202a}A\u{202c}", "o0"),
            ("48213 Ｂ）Ｄｅｎｙ", "o1"),
            ("48213 ａｐｐｒｏｖｅ", "o0"),
        ],
    );
}

#[test]
fn a_word_or_sign_more_is_no_choice_and_is_what_is_quoted() {
    let ask = ask(&["Approve", "Deny", "Hedge half of it"], None);
    check(
        &ask,
        &[
            ("48213 A...", "left: ..."),
            ("A... 48213", "left: ..."),
            ("48213... A", "left: ..."),
            ("48213 A…", "left: ..."),
            ("48213 A ...", "left: ..."),
            ("48213 A . . .", "left: . ."),
            ("48213 A..", "left: .."),
            ("48213 A -", "left: -"),
            ("48213 A :", "left: :"),
            ("48213 A =", "left: ="),
            ("48213 \"A...\"", "none"),
            ("48213 A please", "left: please"),
            ("48213 A thanks", "left: thanks"),
            ("48213 A not", "left: not"),
            ("48213 A?", "left: ?"),
            ("48213 A 👎", "left: 👎"),
            ("48213 A B", "left: B"),
            ("48213 A/B", "left: /B"),
            ("48213 A 2", "left: 2"),
            ("48213 A = Deny", "left: Deny"),
            ("48213 A) Deny", "left: Deny"),
            ("48213 A = Approve not", "left: not"),
            ("48213 A = Approve, 48213 B = Deny", "left: 48213 B = Deny"),
            ("48213 A = App", "left: App"),
            ("48213 A = Dent...", "left: Dent..."),
            ("48213 approve it", "left: it"),
            ("48213 do not A", "left: do not"),
            ("48213 can't approve", "left: can't"),
            ("please A 48213", "left: please"),
            ("no approve 48213", "left: no"),
            ("48213 hedge half...", "none"),
            ("48213 approved", "none"),
            ("48213 X", "none"),
            ("48213 Apples", "none"),
            ("48213 A's", "none"),
            ("48213", "none"),
            ("", "none"),
            ("48213 (A", "none"),
            ("48213 AA", "none"),
        ],
    );
}

#[test]
fn a_label_that_two_options_could_have_in_an_sms_names_none() {
    let ask = ask(&["Łódź", "Lodz"], None);
    check(&ask, &[("48213 Łódź", "o0"), ("48213 A = Lodz", "o0"), ("48213 B", "o1"), ("48213 Lodz", "none")]);
}

#[test]
fn the_fact_stands_behind_the_option_whatever_it_looks_like() {
    check(
        &ask(&["Approve", "Deny"], Some("EQ-2")),
        &[
            ("48213 A EQ-2", "o0 + EQ-2"),
            ("A 48213 eq 2", "o0 + eq 2"),
            ("48213 A = Approve EQ-2", "o0 + EQ-2"),
            ("48213 A = Approve, EQ-2", "o0 + EQ-2"),
            ("48213 A: EQ-2 (desk)", "o0 + EQ-2 (desk)"),
            ("48213 B = Deny, each with EQ-2 (desk)", "o1 + EQ-2 (desk)"),
            ("48213 B = Deny (exercise), each with EQ-2 (desk)", "o1 + EQ-2 (desk)"),
            ("48213 approve EQ-2", "o0 + EQ-2"),
            ("48213 Ａ ＥＱ－２", "o0 + EQ-2"),
            ("48213 A EQ-3", "o0 + EQ-3"),
            ("48213 A not EQ-2", "o0 + not EQ-2"),
            ("48213 A 2", "o0 + 2"),
            ("48213 A", "o0"),
            ("48213 A = Deny EQ-2", "left: Deny EQ-2"),
            ("48213 EQ-2", "none"),
        ],
    );
    // Five digits, also those of the code: the first number is the code.
    for (fact, text) in [
        ("59120", "48213 A 59120"),
        ("59120", "A 48213 59120"),
        ("59120", "48213-A-59120"),
        ("59120", "48213 A = Approve 59120 (desk)"),
        ("48213", "48213 A 48213"),
        ("48213", "A 48213 48213"),
        ("EQ-59120", "48213 A EQ-59120"),
    ] {
        let ask = ask(&["Approve", "Deny"], Some(fact));
        assert_eq!(first_code(text).as_deref(), Some(CODE), "{text}");
        let ChoiceReading::Option(named) = choice(&ask, &beside_code(text, CODE)) else { panic!("{text}") };
        let fact = ask.read_back.unwrap();
        assert!(named.option == "o0" && fact.is_repeated(&named.repeated.unwrap()), "{text}");
    }
    // A fact that is an option, too.
    let ask = ask(&["Approve", "Deny"], Some("Deny"));
    check(&ask, &[("48213 A Deny", "o0 + Deny"), ("48213 B Deny", "o1 + Deny"), ("48213 Deny", "o1")]);
}

#[test]
fn a_sign_before_a_number_is_the_numbers() {
    let value = |text: &str| ReadBack { field: ReadBackField::Value("delta".into()), value: text.into() };
    let ask = Ask { read_back: Some(value("-0.25")), ..ask(&["Approve", "Deny"], None) };
    check(&ask, &[("48213 A -0.25", "o0 + -0.25"), ("48213 A = -0.25", "o0 + -0.25"), ("48213 A - 0.25", "o0 + 0.25")]);
}

proptest! {
    #![proptest_config(Config { cases: 1_500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_choice_with_any_word_beside_it_is_none_and_nothing_breaks_the_reader(
        said in select(&["A", "a", "A = Approve", "approve", "(B)", "B) Deny", "\"A\""][..]),
        word in "[a-zà-ÿа-яぁ-ん]{2,9}|[0-9]{1,4}|👎|❌|\\?|[^\\s.!,;:=\\-(\\[#\"'a-z]{1,3}", before in any::<bool>(), noise in ".{0,60}",
    ) {
        let ask = ask(&["Approve", "Deny"], None);
        // A name or letter of the same option says it again.
        let known = ["approve", "deny", "o0", "o1", "a", "b"].contains(&word.to_lowercase().as_str());
        let text = if before { format!("48213 {word} {said}") } else { format!("48213 {said} {word}") };
        let is_said = folded(&word).chars().any(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '.' | '!' | ',' | ';' | ':' | '=' | '-' | ')' | '(' | '#' | '['));
        let read = choice(&ask, &beside_code(&text, CODE));
        proptest::prop_assert!(known || !is_said || !matches!(read, ChoiceReading::Option(_)), "{text:?}: {read:?}");
        for fact in [None, Some("EQ-2")] {
            let ask = super::choices::ask(&["Größe…", "Deny \"it\""], fact);
            let _ = choice(&ask, &beside_code(&format!("{noise}48213{said}{noise}"), CODE));
        }
    }
}
