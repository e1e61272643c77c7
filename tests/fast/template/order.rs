//! The order of every text: what happened, what is asked, what happens otherwise; each once, and the reader is "you".

use super::{
    FORMS, brief_of,
    crisis::{OPENED, flash_crash, names, opened, roster},
};
use std::{collections::BTreeMap, sync::Arc};
use stentor::{
    core::{Alert, EscalationPlan, Incident, IncidentOpening, PersonName, StepTarget, Zones},
    template::{BriefInput, CODE, PageReader, PageTemplates, RenderedText, TextForm},
    text::gsm7,
};

const REPLACED: [(&str, &str); 3] = [("E S", "ES"), ("percent", "%"), (" %", "%")];

/// The crash, whose trader's second step pages Ana, who is asked first, and Bo.
fn both_next(alert: Alert) -> Incident {
    let before = opened(alert);
    let mut plan: EscalationPlan = (*before.plan).clone();
    let steps = &mut plan.roles.get_mut("trader").unwrap().steps;
    steps[1].page = vec![StepTarget::Person("bo".into()), StepTarget::Person("ana".into())];
    let opening = IncidentOpening {
        key: before.key.clone(),
        summary: before.summary.clone(),
        plan: Arc::new(plan),
        alert: before.alert.clone(),
        received_at: OPENED,
        terms: None,
        ask: None,
        nonce: None,
    };
    stentor::core::open(before.id, opening, &roster(), OPENED).0
}

fn to_ana(incident: &Incident, names: &BTreeMap<PersonName, String>, form: TextForm) -> RenderedText {
    to_ana_before(incident, names, form, 0)
}

/// The same where so many more of its trigger follow.
fn to_ana_before(
    incident: &Incident,
    names: &BTreeMap<PersonName, String>,
    form: TextForm,
    following: usize,
) -> RenderedText {
    let zone = Zones::bundled().get("Europe/Madrid").unwrap();
    let reader = Some(PageReader { name: "Ana Ruiz", zone: &zone });
    let page = brief_of(incident, "trader");
    let utc = stentor::core::Zone::utc();
    PageTemplates::shipped()
        .render(&BriefInput { incident, page, reader, names, shared_zone: &utc, following, sandboxed: &[] }, form)
}

#[test]
fn every_text_says_what_happened_then_what_is_asked_then_what_happens_otherwise() {
    for drill in [false, true] {
        let incident = both_next(flash_crash(drill));
        for form in FORMS {
            let rendered = to_ana(&incident, &names(), form);
            let said = |text: String| REPLACED.iter().fold(text, |text, (said, written)| text.replace(said, written));
            let text = if form == TextForm::Voice { said(rendered.body) } else { rendered.body };
            let at = |part: &str| {
                assert_eq!(text.matches(part).count(), 1, "{form:?} says {part:?} once:\n{text}");
                text.find(part).unwrap()
            };
            let asks = match form {
                TextForm::Sms => "reply %CODE% = I take it",
                TextForm::Voice => "You are asked as trader to take it",
                _ if drill => "press \"I have the exercise\"",
                _ => "press \"I have it\"",
            };
            let parts = [at("ES down 6.2% in 4 min, depth below 1%"), at(asks), at("else you and Bo Lind")];
            assert!(parts.is_sorted(), "{form:?}: {text}");
            assert!(!text.contains("Ana"), "she is told her own name: {text}");
        }
        let alarm = to_ana(&incident, &names(), TextForm::Screen).alarm.expect("it asks");
        assert_eq!(alarm.what, "ES down 6.2% in 4 min, depth below 1%");
        let wanted = if drill { "I have the exercise" } else { "I have it" };
        assert_eq!(alarm.ask, format!("TRADER: press \"{wanted}\" by 20:46:13 CEST."));
        let exercise = if drill { " This is an exercise: answer as if it were real." } else { "" };
        assert_eq!(alarm.otherwise, Some(format!("Otherwise you and Bo Lind are paged.{exercise}")));
    }
}

#[test]
fn a_word_in_another_script_goes_out_by_sms_as_it_is_within_two_segments() {
    let names = names().into_iter().map(|(id, name)| (id, if name == "Bo Lind" { "Бо Линд".to_owned() } else { name }));
    let names: BTreeMap<PersonName, String> = names.collect();
    for (summary, repeats) in
        [("Рынок упал на 6 % 日本", 1), ("Рынок упал на 6 % за четыре минуты, глубина ниже 1 %", 3), ("שוק נפל", 60)]
    {
        let alert = Alert { summary: [summary].repeat(repeats).join(" "), ..flash_crash(false) };
        let body = to_ana(&opened(alert), &names, TextForm::Sms).body;
        let sent = body.replace(CODE, "48213");
        assert!(gsm7::septets(&sent).is_none() && gsm7::segments(&sent) <= 2, "{sent}");
        let first = summary.split(' ').next().unwrap();
        assert!(sent.starts_with(&format!("LIVE {first}")) && !sent.contains('?'), "{sent}");
        assert!(sent.contains("TRADER: reply 48213 = I take it, 48213 4 = pass, by 20:46:13 CEST"), "{sent}");
        assert!(repeats != 1 || sent.contains("else Бо Линд."), "{sent}");
    }
    // A text that has plain forms for all its letters keeps the wide alphabet.
    let alert = Alert { summary: "“Žižka” – crash…".into(), ..flash_crash(false) };
    let body = to_ana(&opened(alert), &super::names(), TextForm::Sms).body;
    assert!(gsm7::septets(&body).is_some() && body.starts_with("LIVE \"Zizka\" - crash... TRADER"), "{body}");
}

#[test]
fn an_sms_that_is_cut_ends_with_a_whole_word_and_not_with_the_first_words_of_a_line() {
    for length in 0..120 {
        let venue = "word ".repeat(length).trim_end().to_owned();
        let mut alert = flash_crash(false);
        alert.annotations.insert("venue_state".into(), venue.clone());
        let body = to_ana(&opened(alert), &names(), TextForm::Sms).body;
        let Some(line) = body.lines().find(|line| line.starts_with("Venue:")) else { continue };
        let whole = format!("Venue: {}", venue.chars().take(200).collect::<String>());
        assert!(!line.ends_with("wor...") && !line.ends_with("wo...") && !line.ends_with("w..."), "{line}");
        assert!(whole.len() <= 2 * line.len() + 10, "{line} of {whole}");
    }
}

#[test]
fn a_brief_says_how_many_more_of_its_trigger_wait_now_once_they_are_more_than_a_few() {
    for drill in [false, true] {
        let incident = both_next(flash_crash(drill));
        for form in FORMS {
            let few = to_ana_before(&incident, &names(), form, 2).body;
            assert_eq!(few, to_ana(&incident, &names(), form).body, "{form:?}");
            let many = to_ana_before(&incident, &names(), form, 59);
            let texts = [Some(many.body), many.html];
            for text in texts.iter().flatten() {
                assert!(text.contains("59 more messages wait to be sent now, of "), "{form:?}: {text}");
                assert!(form != TextForm::Sms || gsm7::septets(text).is_some(), "{text}");
            }
        }
    }
}
