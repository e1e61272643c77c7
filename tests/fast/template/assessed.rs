//! What was assessed of an alert, in what people read.

use super::crisis::{brief_of, flash_crash, later, opened};
use super::{FORMS, ROLES, render};
use std::sync::Arc;
use stentor::{
    core::{
        Alert, Incident,
        assessment::{Assessment, AssessmentPart},
    },
    template::{PageTemplates, TextForm},
};

fn assessed(incident: &Incident, own: Assessment) -> Incident {
    let mut incident = incident.clone();
    incident.alert =
        Arc::new(Alert { assessed: [("symptoms".to_owned(), own)].into(), ..Alert::clone(&incident.alert) });
    let mut plan = (*incident.plan).clone();
    plan.roles.values_mut().for_each(|role| role.template = "default".into());
    incident.plan = Arc::new(plan);
    incident
}

fn phrase(phrase: &str, weight: f64) -> AssessmentPart {
    AssessmentPart::Phrase { phrase: phrase.into(), language: "en".into(), weight, quote: "a quote".into() }
}

#[test]
fn one_line_says_the_level_and_what_made_it() {
    let templates = PageTemplates::shipped();
    let (role, seconds) = ROLES[0];
    let incident = later(opened(flash_crash(false)), seconds);
    let parts = vec![
        phrase("chest <b>pain", 5.0),
        AssessmentPart::ClassifierAbsent { why: "gone".into(), raised_to: Some("high".into()) },
    ];
    let own = Assessment { score: 5.0, level: "high".into(), parts, more: 2, ..Assessment::default() };
    let line = "symptoms high (score 5: chest <b>pain +5, classifier did not answer, so at least high, 2 more)";
    for form in FORMS {
        let rendered = render(&templates, &assessed(&incident, own.clone()), brief_of(&incident, role), form);
        assert_eq!(rendered.fallback, None, "{form:?}");
        let wanted = if matches!(form, TextForm::Sms | TextForm::Voice) { "symptoms high" } else { line };
        assert!(rendered.body.contains(wanted), "{form:?}: {}", rendered.body);
        let html = rendered.html.unwrap_or_default();
        assert!(!html.contains("chest <b>pain") && (html.is_empty() || html.contains("chest &lt;b&gt;pain")), "{html}");
        let plain = render(&templates, &incident, brief_of(&incident, role), form);
        assert!(!plain.body.contains("Assessed") && !plain.body.contains("symptoms"), "{}", plain.body);
    }
}

#[test]
fn one_that_could_not_be_made_and_one_of_many_long_parts_have_their_line_too() {
    let templates = PageTemplates::shipped();
    let (role, seconds) = ROLES[0];
    let incident = later(opened(flash_crash(false)), seconds);
    let text = |own| render(&templates, &assessed(&incident, own), brief_of(&incident, role), TextForm::Screen);
    let failed = text(Assessment::failed("the alert has no `transcript`".into()));
    assert!(failed.body.contains("symptoms could not be assessed"), "{}", failed.body);
    let parts = (0..24).map(|n| phrase(&format!("{n} {}", "x".repeat(70)), 1.0)).collect();
    let long = text(Assessment { score: 24.0, level: "high".into(), parts, ..Assessment::default() });
    assert_eq!(long.fallback, None);
    let line = long.body.lines().find(|line| line.starts_with("Assessed")).unwrap();
    assert!(line.chars().count() <= 220, "{line}");
}
