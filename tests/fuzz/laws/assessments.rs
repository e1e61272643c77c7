//! Assessments: phrases in texts.

use super::first_line;
use stentor::core::assessment::{
    Assessment, AssessmentLevels, AssessmentPart, PART_TEXT_MAX, PARTS_MAX,
    negation::Negations,
    phrases::{PhraseList, WeightedPhrase, find, parts},
    tokens::tokens,
};

/// The first line has phrases between bars, the rest is a text: whatever is found stands there and within nothing else that
/// is found, counts once, and is told in short.
pub fn assessments(bytes: &[u8]) {
    let (phrases, text) = first_line(bytes);
    let (Ok(phrases), Ok(text)) = (std::str::from_utf8(phrases), std::str::from_utf8(text)) else { return };
    let read = phrases.split('|').take(50).filter_map(|phrase| WeightedPhrase::read(phrase, 1.0));
    let mut own: Vec<WeightedPhrase> = Vec::new();
    for phrase in read {
        if !own.iter().any(|known| known.is_same(&phrase)) {
            own.push(phrase);
        }
    }
    let list = PhraseList::new("en".into(), own, Negations::of("en").expect("it is built in"));
    let words = tokens(text);
    assert!(words.iter().all(|word| text.get(word.at.clone()).is_some_and(|part| !part.is_empty())), "{words:?}");
    let found = find(&[&list], &words);
    for (at, one) in found.iter().enumerate() {
        assert!(one.start < one.end && one.end <= words.len() && one.phrase < list.phrases.len(), "{one:?}");
        let is_within = |other: usize| found[other].start <= one.start && one.end <= found[other].end;
        assert!((0..found.len()).all(|other| other == at || !is_within(other)), "{found:?}");
    }
    let parts = parts(&[&list], &[text.to_owned()]);
    let named = parts.iter().map(|part| match part {
        AssessmentPart::Phrase { phrase, quote, .. } | AssessmentPart::Negated { phrase, quote, .. } => {
            assert!(quote.chars().count() <= PART_TEXT_MAX + 1 && !quote.contains('\n'), "{quote:?}");
            phrase.as_str()
        }
        other => panic!("{other:?}"),
    });
    let mut named: Vec<&str> = named.collect();
    named.sort_unstable();
    assert!(named.windows(2).all(|pair| pair[0] != pair[1]), "{named:?}");
    let counted = parts.iter().filter(|part| matches!(part, AssessmentPart::Phrase { .. })).count();
    let levels = AssessmentLevels::new("low".into(), vec![(1.0, "high".into())]);
    let made = Assessment::of(parts, &levels, None);
    assert_eq!((made.score, made.level == "high"), (counted as f64, 0 < counted));
    assert!(made.parts.len() <= PARTS_MAX);
}
