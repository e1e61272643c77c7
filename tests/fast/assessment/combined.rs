//! How parts, a classifier and its absence make one level.

use proptest::prelude::*;
use stentor::core::{
    Alert,
    assessment::{
        AbsentClassifier, Assessment, AssessmentLevels, AssessmentPart, Classified, ClassifierAnswer, ClassifierTerms,
        PARTS_MAX,
    },
};

fn levels() -> AssessmentLevels {
    AssessmentLevels::new("low".into(), vec![(5.0, "high".into()), (2.0, "medium".into())])
}

fn rule(weight: f64) -> AssessmentPart {
    AssessmentPart::Rule { rule: "r".into(), weight }
}

fn level(score: f64, absent: AbsentClassifier, answer: ClassifierAnswer) -> String {
    let terms = ClassifierTerms { weight: 2.0, absent };
    Assessment::of(vec![rule(score)], &levels(), Some((&terms, &answer))).level
}

#[test]
fn a_classifier_raises_and_never_lowers() {
    use AbsentClassifier::Ignore;
    let said = |score: Option<f64>, level: Option<&str>| {
        ClassifierAnswer::Said(Classified { score, level: level.map(str::to_owned), ..Classified::default() })
    };
    assert_eq!(level(1.0, Ignore, said(Some(2.0), None)), "high");
    assert_eq!(level(1.0, Ignore, said(None, Some("medium"))), "medium");
    assert_eq!(level(6.0, Ignore, said(None, Some("low"))), "high");
    // What can not be used is absent.
    for bad in [said(None, None), said(Some(f64::NAN), None), said(Some(1e9), None), said(None, Some("huge"))] {
        assert_eq!(level(1.0, AbsentClassifier::Raise, bad), "medium");
    }
    let unsure =
        ClassifierAnswer::Said(Classified { score: Some(0.0), confidence: Some(1.5), ..Classified::default() });
    assert_eq!(level(1.0, AbsentClassifier::Raise, unsure), "medium");
}

#[test]
fn an_absent_classifier_counts_as_the_matrix_says() {
    let absent = || ClassifierAnswer::Absent("no answer within 400ms".into());
    let rows = [(1.0, "medium"), (2.0, "high"), (9.0, "high")];
    for (score, raised) in rows {
        assert_eq!(level(score, AbsentClassifier::Raise, absent()), raised);
    }
    assert_eq!(level(0.5, AbsentClassifier::AtLeast("high".into()), absent()), "high");
    assert_eq!(level(9.0, AbsentClassifier::AtLeast("medium".into()), absent()), "high");
    assert_eq!(level(0.5, AbsentClassifier::Ignore, absent()), "low");
}

#[test]
fn an_alert_with_its_assessments_is_read_back_and_what_a_sender_says_of_them_is_nothing() {
    let mut alert = Alert::new("bot", "chat");
    let terms = ClassifierTerms { weight: 0.1, absent: AbsentClassifier::Raise };
    let absent = ClassifierAnswer::Absent("gone".into());
    let own = Assessment::of(vec![rule(0.1), rule(0.2)], &levels(), Some((&terms, &absent)));
    alert.assessed.insert("symptoms".into(), own);
    assert_eq!(alert.flaw(), None);
    for theirs in ["\"high\"", "{\"symptoms\": 5}", "[]", "null"] {
        let text = format!("{{\"kind\": \"chat\", \"assessed\": {theirs}}}");
        let read: Alert = serde_json::from_str(&text).unwrap();
        assert!(read.assessed.is_empty());
    }
}

proptest! {
    #[test]
    fn the_level_follows_the_score_and_the_heaviest_parts_are_kept(weights in prop::collection::vec(-10.0..10.0_f64, 0..60)) {
        let own = Assessment::of(weights.iter().copied().map(rule).collect(), &levels(), None);
        let score: f64 = weights.iter().sum();
        prop_assert!((own.score - score).abs() < 1e-9);
        let level = if 5.0 <= own.score { "high" } else if 2.0 <= own.score { "medium" } else { "low" };
        prop_assert_eq!(own.level, level);
        prop_assert_eq!(own.parts.len() + own.more, weights.len());
        prop_assert!(own.parts.len() <= PARTS_MAX);
        prop_assert!(own.parts.windows(2).all(|pair| pair[1].weight().abs() <= pair[0].weight().abs()));
    }
}
