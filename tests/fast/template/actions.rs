//! Suggested actions in what people read: those of the alert or its trigger, else none and no heading either.

use super::crisis::{brief_of, flash_crash, later, opened, suggesting};
use super::{FORMS, ROLES, render, shown};
use std::sync::Arc;
use stentor::{
    core::{Incident, plan::SuggestedAction},
    template::{PageTemplates, TextForm},
};

fn actions() -> Vec<SuggestedAction> {
    let action = |text: &str, then: Option<&str>| SuggestedAction { text: text.into(), then: then.map(str::to_owned) };
    vec![
        action("CANCEL ALL resting orders in it", Some("no new fills; what we hold stays at risk")),
        action("STOP the algos that trade it", None),
    ]
}

/// Everything that a reader sees.
fn whole(templates: &PageTemplates, incident: &Incident, role: &str, form: TextForm) -> String {
    let rendered = render(templates, incident, brief_of(incident, role), form);
    assert_eq!(rendered.fallback, None, "{role} {form:?}: {}", rendered.body);
    rendered.body + "\n" + &rendered.html.unwrap_or_default()
}

/// The same incident, in which a role reads another template.
fn reading(mut incident: Incident, role: &str, template: &str) -> Incident {
    let mut plan = (*incident.plan).clone();
    plan.roles.get_mut(role).expect("a role").template = template.into();
    incident.plan = Arc::new(plan);
    incident
}

#[test]
fn where_nobody_suggests_anything_no_text_does() {
    let templates = PageTemplates::shipped();
    for (role, seconds) in ROLES {
        let incident = later(opened(flash_crash(false)), seconds);
        let incidents = [reading(incident.clone(), role, "default"), incident];
        for (incident, form) in incidents.iter().flat_map(|incident| FORMS.map(|form| (incident, form))) {
            let text = whole(&templates, incident, role, form).to_lowercase();
            for word in ["suggest", "hedge", "pull", "nothing here", "you act"] {
                assert!(!text.contains(word), "{role} {form:?} says {word}:\n{text}");
            }
        }
    }
}

#[test]
fn what_is_suggested_stands_in_every_long_text_of_those_who_may_act_and_in_none_that_is_cut() {
    let templates = PageTemplates::shipped();
    for (role, seconds) in ROLES {
        let incident = later(suggesting(flash_crash(false), actions()), seconds);
        for form in FORMS {
            let text = whole(&templates, &incident, role, form);
            let shows = role != "compliance" && !matches!(form, TextForm::Sms | TextForm::Voice);
            assert_eq!(text.contains("CANCEL ALL resting"), shows, "{role} {form:?}:\n{text}");
            assert_eq!(text.contains("STOP the algos"), shows, "{role} {form:?}:\n{text}");
            assert_eq!(text.contains("Suggested"), shows, "{role} {form:?}:\n{text}");
        }
        if role != "compliance" {
            let mail = shown(&render(&templates, &incident, brief_of(&incident, role), TextForm::Mail));
            insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(format!("fast__template__suggested {role}"), mail);
            });
        }
    }
}

#[test]
fn an_exercise_tells_nobody_to_do_it() {
    let templates = PageTemplates::shipped();
    for (role, seconds) in ROLES.into_iter().filter(|(role, _)| *role != "compliance") {
        let drill = later(suggesting(flash_crash(true), actions()), seconds);
        for form in [TextForm::Screen, TextForm::Slack, TextForm::Mail, TextForm::Board] {
            let texts =
                [drill.clone(), reading(drill.clone(), role, "default")].map(|i| whole(&templates, &i, role, form));
            for text in texts {
                assert!(text.contains("an exercise: ") && !text.contains("you act"), "{role} {form:?}:\n{text}");
            }
        }
    }
}

#[test]
fn as_many_actions_as_there_can_be_of_the_greatest_length_fit() {
    let templates = PageTemplates::shipped();
    let widest =
        |n: usize| SuggestedAction { text: format!("{n}{}", "W ".repeat(29) + "W"), then: Some("m".repeat(100)) };
    let all: Vec<SuggestedAction> = (0..9).map(widest).collect();
    for (role, seconds) in ROLES {
        let incident = later(suggesting(flash_crash(false), all.clone()), seconds);
        for form in FORMS {
            // Fails where the template had to give way to the raw facts.
            whole(&templates, &incident, role, form);
            whole(&templates, &reading(incident.clone(), role, "default"), role, form);
        }
    }
}
