//! The search for phrases against a slow reference, which looks at every phrase at every word.

use proptest::prelude::*;
use stentor::core::assessment::{
    negation::{Negations, REACH},
    phrase_word::PhraseWord,
    phrases::{FoundPhrase, PhraseList, WeightedPhrase, find},
    tokens::{TextToken, TokenGap, tokens},
};

/// A language of its own, so small that everything meets: `no` denies what follows.
fn list(phrases: &[String]) -> PhraseList {
    let negations = Negations::of("en").unwrap().with_before(vec![PhraseWord::all("no"), PhraseWord::all("free of")]);
    let phrases = phrases.iter().enumerate().filter_map(|(n, phrase)| WeightedPhrase::read(phrase, n as f64 + 1.0));
    PhraseList::new("en".into(), phrases.collect(), negations)
}

fn stands(words: &[PhraseWord], tokens: &[TextToken], start: usize) -> bool {
    start + words.len() <= tokens.len()
        && words
            .iter()
            .enumerate()
            .all(|(n, word)| word.fits(&tokens[start + n].word) && (n == 0 || tokens[start + n].gap != TokenGap::Stop))
}

/// Whether one of these stands whole within a clause, ending before or beginning at a word.
fn denied(text: &[TextToken], place: (usize, usize), taken: &[bool]) -> bool {
    let (start, end) = place;
    let pseudo = ["not only", "no doubt", "no idea", "no i", "no he", "no the"].map(PhraseWord::all);
    let one_clause = |from: usize, to: usize| (from + 1..to).all(|at| text[at].gap == TokenGap::None);
    let at = |words: &[PhraseWord], from: usize| stands(words, text, from) && one_clause(from, from + words.len());
    let silent: Vec<bool> = (0..text.len())
        .map(|n| {
            taken[n] || pseudo.iter().any(|words| (n.saturating_sub(1)..=n).any(|from| from + 2 > n && at(words, from)))
        })
        .collect();
    let heard = |from: usize, to: usize| (from..to).all(|n| !silent[n]);
    let turns = |from: usize, to: usize| (from..to).any(|n| ["but", "now", "only"].contains(&text[n].word.as_str()));
    let before = ["no", "free of"].map(PhraseWord::all);
    let is_before = (0..start).any(|from| {
        before.iter().any(|words| {
            let to = from + words.len();
            to <= start
                && start - to <= REACH
                && at(words, from)
                && heard(from, to)
                && (to..=start).all(|n| text[n].gap == TokenGap::None)
                && !turns(to, start)
        })
    });
    let after = ["absent", "ruled out"].map(PhraseWord::all);
    let is_after = (end..text.len()).any(|from| {
        after.iter().any(|words| {
            let to = from + words.len();
            from - end <= REACH
                && at(words, from)
                && heard(from, to)
                && (end..=from).all(|n| text[n].gap == TokenGap::None)
                && !turns(end, from)
                && (to == text.len() || text[to].gap != TokenGap::None || turns(to, to + 1))
        })
    });
    is_before || is_after
}

fn slowly(list: &PhraseList, phrases: &[String], text: &[TextToken]) -> Vec<FoundPhrase> {
    let words: Vec<Vec<PhraseWord>> = phrases.iter().map(|phrase| PhraseWord::all(phrase)).collect();
    let everywhere = || (0..text.len()).flat_map(|start| (0..words.len()).map(move |phrase| (start, phrase)));
    let all: Vec<(usize, usize, usize)> = everywhere()
        .filter(|(start, phrase)| stands(&words[*phrase], text, *start))
        .map(|(start, phrase)| (start, start + words[phrase].len(), phrase))
        .collect();
    let taken: Vec<bool> =
        (0..text.len()).map(|n| all.iter().any(|(start, end, _)| (*start..*end).contains(&n))).collect();
    let weight = |phrase: usize| list.phrases[phrase].weight;
    let is_within = |one: &(usize, usize, usize), other: &(usize, usize, usize)| {
        let is_longer = other.1 - other.0 > one.1 - one.0;
        let is_same = (one.0, one.1) == (other.0, other.1);
        // At the same place all are denied or none is.
        other.0 <= one.0 && one.1 <= other.1 && (is_longer || (is_same && weight(other.2) > weight(one.2)))
    };
    let kept = all.iter().filter(|one| !all.iter().any(|other| is_within(one, other)));
    let mut kept: Vec<FoundPhrase> = kept
        .map(|(start, end, phrase)| FoundPhrase {
            list: 0,
            phrase: *phrase,
            start: *start,
            end: *end,
            is_denied: denied(text, (*start, *end), &taken),
        })
        .collect();
    kept.sort_by_key(|found| (found.start, found.end));
    kept
}

fn word() -> impl Strategy<Value = String> {
    let words =
        ["chest", "pain", "pains", "no", "not", "only", "but", "now", "free", "of", "absent", "doubt", "i", "a"];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

fn phrase() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec!["chest", "pain", "pain*", "che*", "no", "a", "of"]);
    prop::collection::vec(words, 1..4).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_found_is_what_a_look_at_every_place_finds(
        phrases in prop::collection::vec(phrase(), 1..6),
        text in prop::collection::vec((word(), prop::sample::select(vec![" ", " ", " ", " ", ", ", "\n", "-"])), 0..14),
    ) {
        let mut known = Vec::<String>::new();
        for phrase in phrases {
            if !known.contains(&phrase) {
                known.push(phrase);
            }
        }
        let text: String = text.iter().flat_map(|(word, gap)| [word.as_str(), gap]).collect();
        let (list, tokens) = (list(&known), tokens(&text));
        prop_assert_eq!(find(&[&list], &tokens), slowly(&list, &known, &tokens), "{:?}", text);
    }
}
