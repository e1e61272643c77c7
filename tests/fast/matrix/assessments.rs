//! Assessments in the matrix: what is refused at its place, what conditions may say of them, and what is made of alerts.

use super::{file, parse};
use serde_json::json;
use std::sync::Arc;
use stentor::{
    core::{Alert, AlertStatus, assessment::AssessmentPart},
    matrix::{CostMeter, Matrix, NOT_ASKED, Severity, TriggerMatch},
};

const PEOPLE: &str = "[channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"A\"\n[role.nurse]\n\
     step = [{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }]\n[catch-all]\npage = [\"ana\"]\nby = [\"desk\"]\n";

const SYMPTOMS: &str = "[assessment.symptoms]\nlevels = { medium = 2, high = 5 }\n\
     [assessment.symptoms.words.en]\n\"chest pain\" = 5\n\"short of breath\" = 4\nvomiting = 2\n\
     [[assessment.symptoms.rule]]\nname = \"over 65\"\nwhen = 'alert.values.age > 65.0'\nweight = 1\n";

fn trigger(keys: &str) -> String {
    format!("[trigger.t]\non = [\"chat\"]\nroles = [\"nurse\"]\n{keys}\n")
}

fn codes(text: &str) -> Vec<(Severity, &'static str)> {
    parse(&[file("m.toml", &format!("{PEOPLE}{text}"))]).diagnostics.iter().map(|d| (d.severity, d.code)).collect()
}

fn read(text: &str) -> Matrix {
    let parsed = parse(&[file("m.toml", &format!("{PEOPLE}{text}"))]);
    parsed.matrix.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
}

#[test]
fn what_can_not_be_is_refused_at_its_place() {
    use Severity::{Error, Warning};
    let used = trigger("when = 'risk.a.score > 1.0'");
    let own = |keys: &str| format!("[assessment.a]\n{keys}\n{used}");
    let levels = "levels = { high = 5 }\n";
    let words = "words = { en = { pain = 5 } }\n";
    let table: &[(&str, &[(Severity, &str)])] = &[
        ("levels = { high = 5 }\nwords = { en = { pain = 5 } }", &[]),
        (words, &[(Error, "missing-key")]),
        (levels, &[(Error, "empty-assessment")]),
        ("levels = { high = 0 }\nwords = { en = { pain = 5 } }", &[(Error, "bad-level")]),
        ("levels = { low = 5 }\nwords = { en = { pain = 5 } }", &[(Error, "bad-level")]),
        ("levels = { low = 5 }\nlowest = \"none\"\nwords = { en = { pain = 5 } }", &[]),
        ("levels = { a = 5, b = 5 }\nwords = { en = { pain = 5 } }", &[(Error, "bad-level")]),
        ("levels = 5\nwords = { en = { pain = 5 } }", &[(Error, "wrong-type")]),
        ("levels = { high = 6 }\nwords = { en = { pain = 5 } }", &[(Warning, "unreachable-level")]),
        ("levels = { high = 5 }\nwords = { en = { pain = 0 } }", &[(Error, "bad-weight")]),
        ("levels = { high = 5 }\nwords = { en = { pain = \"5\" } }", &[(Error, "wrong-type")]),
        ("levels = { high = 5 }\nwords = { en = { pain = 5, PAIN = 5 } }", &[(Error, "twice-in-list")]),
        ("levels = { high = 5 }\nwords = { en = {} }", &[(Error, "empty-list")]),
        ("levels = { high = 5 }\nwords = { en = { \"...\" = 5 } }", &[(Error, "bad-phrase")]),
        (
            "levels = { high = 5 }\nwords = { english = { pain = 5 } }",
            &[(Error, "bad-language"), (Warning, "no-negations")],
        ),
        ("levels = { high = 5 }\nwords = { it = { dolore = 5 } }", &[(Warning, "no-negations")]),
        ("levels = { high = 5 }\nwords = { it = { dolore = 5, negations = [\"non\", \"senza\"] } }", &[]),
        ("levels = { high = 5 }\nrule = [{ name = \"x\", weight = 5 }]", &[(Error, "missing-key")]),
        (
            "levels = { high = 5 }\nrule = [{ name = \"x\", weight = 5, when = 'alert.values.age' }]",
            &[(Error, "not-a-condition")],
        ),
        (
            "levels = { high = 5 }\nrule = [{ name = \"x\", weight = 5, when = 'risk.a.score > 1.0' }]",
            &[(Error, "unknown-variable")],
        ),
        ("levels = { high = 5 }\ntext = 'alert.values.age'\nwords = { en = { pain = 5 } }", &[(Error, "not-text")]),
        (
            "levels = { high = 5 }\nclassifier = { url = \"http://127.0.0.1:9/c\", deadline = \"400ms\", absent = \"raise\" }",
            &[],
        ),
        (
            "levels = { high = 5 }\nclassifier = { url = { env = \"C\" }, token = { env = \"T\" }, deadline = \"400ms\", absent = \"high\" }",
            &[],
        ),
        (
            "levels = { high = 5 }\nclassifier = { exec = [\"/bin/c\", \"-x\"], deadline = \"1s\", absent = \"ignore\" }",
            &[],
        ),
        (
            "levels = { high = 5 }\nclassifier = { exec = [\"./c\"], deadline = \"1s\", absent = \"ignore\" }",
            &[(Error, "bad-program")],
        ),
        (
            "levels = { high = 5 }\nclassifier = { deadline = \"1s\", absent = \"ignore\" }",
            &[(Error, "bad-classifier")],
        ),
        (
            "levels = { high = 5 }\nclassifier = { exec = [\"/c\"], deadline = \"1m\", absent = \"ignore\" }",
            &[(Error, "duration-out-of-range")],
        ),
        (
            "levels = { high = 5 }\nclassifier = { exec = [\"/c\"], deadline = \"1s\", absent = \"hihg\" }",
            &[(Error, "unknown-word")],
        ),
        ("levels = { high = 5 }\nclassifier = { exec = [\"/c\"], deadline = \"1s\" }", &[(Error, "missing-key")]),
        (
            "levels = { high = 5 }\nclassifier = { exec = [\"/c\"], token = { env = \"T\" }, deadline = \"1s\", absent = \"raise\" }",
            &[(Error, "key-without-effect")],
        ),
        ("levels = { high = 5 }\nwords = { en = { pain = 5 } }\nlevel = 3", &[(Error, "unknown-key")]),
    ];
    for (keys, expected) in table {
        assert_eq!(codes(&own(keys)), *expected, "{keys}");
    }
    let named = SYMPTOMS.replace("symptoms", "card-fraud");
    assert_eq!(
        codes(&format!("{named}{}", trigger("when = 'risk[\"card-fraud\"].score > 1.0'"))),
        [(Error, "bad-name")]
    );
}

#[test]
fn conditions_name_assessments_and_levels_that_are_there() {
    use Severity::{Error, Warning};
    let table: &[(&str, &[(Severity, &str)])] = &[
        ("when = 'risk.symptoms.level == \"high\"'", &[]),
        ("when = 'risk[\"symptoms\"].level != \"low\"'", &[]),
        ("when = 'risk.symptoms.level in [\"medium\", \"high\"]'", &[]),
        ("when = 'risk.symptoms.score >= 5.0 && risk.symptoms.confidence < 0.5'", &[]),
        ("key = 'risk.symptoms.level'", &[]),
        ("summary = '{risk.symptoms.level} symptoms'", &[]),
        ("assess = [\"symptoms\"]", &[]),
        ("assess = [\"symptom\"]", &[(Error, "unknown-assessment"), (Warning, "unused-assessment")]),
        ("", &[(Warning, "unused-assessment")]),
        ("when = 'risk.symptom.level == \"high\"'", &[(Error, "unknown-assessment"), (Warning, "unused-assessment")]),
        ("when = 'risk.symptoms.level == \"hihg\"'", &[(Error, "unknown-level"), (Warning, "unused-assessment")]),
        (
            "when = 'risk.symptoms.level in [\"medium\", \"hi\"]'",
            &[(Error, "unknown-level"), (Warning, "unused-assessment")],
        ),
        ("when = 'risk.symptoms.level >= \"medium\"'", &[(Error, "levels-are-names"), (Warning, "unused-assessment")]),
        (
            "when = 'risk.symptoms.level >= 2'",
            &[(Error, "levels-are-names"), (Error, "never-comparable"), (Warning, "unused-assessment")],
        ),
        ("when = 'risk.symptoms.rank > 2'", &[(Error, "unknown-field"), (Warning, "unused-assessment")]),
        ("when = 'risk[alert.kind].score > 2.0'", &[(Error, "no-assessment"), (Warning, "unused-assessment")]),
        ("when = 'size(risk) > 2'", &[(Error, "no-assessment"), (Warning, "unused-assessment")]),
        ("when = 'risk.symptoms.level'", &[(Error, "not-a-condition"), (Warning, "unused-assessment")]),
    ];
    for (keys, expected) in table {
        let mut codes = codes(&format!("{}{SYMPTOMS}", trigger(keys)));
        codes.sort();
        assert_eq!(codes, *expected, "{keys}");
    }
}

fn chat(text: &str, age: Option<f64>) -> Alert {
    let mut alert = Alert { evidence: json!({ "turns": [{ "text": text }] }), ..Alert::new("bot", "chat") };
    alert.values.extend(age.map(|age| ("age".to_owned(), age)));
    alert
}

#[test]
fn an_alert_is_assessed_by_its_words_and_facts_and_conditions_see_it() {
    let matrix = read(&format!(
        "{SYMPTOMS}{}",
        trigger("when = 'risk.symptoms.level == \"high\"'\nsummary = '{risk.symptoms.level} ({risk.symptoms.score})'")
    ));
    let assessed = |alert: &Alert| matrix.assessed(alert).assessed["symptoms"].clone();
    let own = assessed(&chat("No vomiting, but chest pain", Some(70.0)));
    assert_eq!((own.score, own.level.as_str(), own.confidence), (6.0, "high", None));
    assert_eq!(own.parts.len(), 3, "{own:?}");
    assert!(
        matches!(&own.parts[0], AssessmentPart::Phrase { phrase, quote, .. } if phrase == "chest pain" && quote == "No vomiting, but chest pain")
    );
    assert!(matches!(&own.parts[2], AssessmentPart::Negated { phrase, .. } if phrase == "vomiting"));
    let said = matrix.judge(&chat("chest pain", Some(20.0)));
    assert!(matches!(&said[..], [TriggerMatch::Holds { summary, .. }] if summary == "high (5)"), "{said:?}");
    assert!(matrix.judge(&chat("vomiting", Some(20.0))).is_empty());
    // A rule whose fact is missing adds nothing and says so.
    let own = assessed(&chat("vomiting", None));
    assert_eq!((own.score, own.level.as_str()), (2.0, "medium"));
    assert!(own.parts.iter().any(|part| matches!(part, AssessmentPart::RuleFailed { why, .. } if why.contains("age"))));
}

#[test]
fn only_what_the_triggers_of_an_alert_use_is_assessed() {
    let other = SYMPTOMS.replace("symptoms", "other");
    let matrix = read(&format!(
        "{SYMPTOMS}{other}{}[trigger.u]\non = [\"mail\"]\nroles = [\"nurse\"]\nassess = [\"other\"]\n",
        trigger("when = 'risk.symptoms.score > 1.0'")
    ));
    let names = |alert: &Alert| matrix.assessed(alert).assessed.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&chat("x", None)), ["symptoms"]);
    assert_eq!(names(&Alert::new("bot", "mail")), ["other"]);
    assert_eq!(names(&Alert::new("bot", "unknown")), [""; 0]);
    assert_eq!(names(&Alert { status: AlertStatus::Resolved, ..chat("x", None) }), [""; 0]);
}

#[test]
fn what_can_not_be_read_fails_the_conditions_that_use_it() {
    let matrix = read(&format!(
        "{}{}",
        SYMPTOMS.replace("levels", "text = 'alert.evidence.transcript'\nlevels"),
        trigger("when = 'risk.symptoms.score > 1.0'")
    ));
    let said = matrix.judge(&chat("chest pain", None));
    assert!(
        matches!(&said[..], [TriggerMatch::Failed { why, .. }] if why.contains("`symptoms` could not be made") && why.contains("transcript")),
        "{said:?}"
    );
    let list =
        Alert { evidence: json!({ "transcript": ["no", { "text": "chest pain" }] }), ..Alert::new("bot", "chat") };
    assert!(matches!(&matrix.judge(&list)[..], [TriggerMatch::Holds { .. }]));
}

#[test]
fn the_language_of_the_alert_chooses_the_list() {
    let lists = "[assessment.symptoms]\nlevels = { high = 5 }\n[assessment.symptoms.words.en]\nfall = 5\n\
         [assessment.symptoms.words.de]\nsturz = 5\n";
    let matrix = read(&format!("{lists}{}", trigger("assess = [\"symptoms\"]")));
    let score = |language: &str| {
        let mut alert = chat("auf keinen Fall ein Sturz", None);
        alert.labels.insert("locale".into(), language.into());
        matrix.assessed(&alert).assessed["symptoms"].score
    };
    // The German word is an English one, too; and denied in German alone.
    assert_eq!((score("de-CH"), score("en_GB.UTF-8"), score("it")), (0.0, 5.0, 5.0));
}

#[test]
fn a_classifier_that_is_not_asked_is_absent_as_the_matrix_says() {
    let level = |absent: &str| {
        let matrix = read(&format!(
            "{SYMPTOMS}[assessment.symptoms.classifier]\nexec = [\"/bin/false\"]\ndeadline = \"1s\"\nabsent = \"{absent}\"\n{}",
            trigger("assess = [\"symptoms\"]")
        ));
        let own = matrix.assessed(&chat("", Some(1.0))).assessed["symptoms"].clone();
        let why = own.parts.iter().find_map(|part| match part {
            AssessmentPart::ClassifierAbsent { why, .. } => Some(why.clone()),
            _ => None,
        });
        assert_eq!(why.as_deref(), Some(NOT_ASKED));
        own.level
    };
    assert_eq!([level("raise"), level("ignore"), level("high")], ["medium", "low", "high"]);
}

#[test]
fn a_long_text_is_read_in_part_and_says_so() {
    let matrix = read(&format!("{SYMPTOMS}{}", trigger("assess = [\"symptoms\"]")));
    let long = chat(&format!("{}ü chest pain", "word ".repeat(13_107)), None);
    let own = matrix.assessed(&long).assessed["symptoms"].clone();
    assert_eq!((own.unread, own.level.as_str()), ("ü chest pain".len(), "low"));
    // Who has no time to look fails, and what it would have been is nowhere.
    let meter = Arc::new(CostMeter::new(1_000));
    let own = matrix.assess(&matrix.assessing(&long), &long, &meter, &Default::default());
    assert!(own["symptoms"].failed.is_some() && meter.is_overrun());
}
