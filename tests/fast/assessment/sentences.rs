//! What sentences of patients and customers say, in four languages.

use stentor::core::assessment::{
    AssessmentPart,
    negation::Negations,
    phrases::{PhraseList, WeightedPhrase, parts},
};

fn list(language: &str, phrases: &[&str]) -> PhraseList {
    let phrases = phrases.iter().map(|phrase| WeightedPhrase::read(phrase, 1.0).unwrap()).collect();
    PhraseList::new(language.to_owned(), phrases, Negations::of(language).unwrap())
}

/// What counts, and what is denied.
fn said(list: &PhraseList, text: &str) -> (Vec<String>, Vec<String>) {
    let (mut counts, mut denied) = (Vec::new(), Vec::new());
    for part in parts(&[list], &[text.to_owned()]) {
        match part {
            AssessmentPart::Phrase { phrase, .. } => counts.push(phrase),
            AssessmentPart::Negated { phrase, .. } => denied.push(phrase),
            other => panic!("{other:?}"),
        }
    }
    (counts, denied)
}

fn check(language: &str, phrases: &[&str], rows: &[(&str, &[&str], &[&str])]) {
    let list = list(language, phrases);
    for (text, counts, denied) in rows {
        let sorted = |mut all: Vec<String>| {
            all.sort();
            all
        };
        let (ours, theirs) = said(&list, text);
        let wanted = |all: &[&str]| sorted(all.iter().map(|phrase| (*phrase).to_owned()).collect());
        assert_eq!((sorted(ours), sorted(theirs)), (wanted(counts), wanted(denied)), "{text:?}");
    }
}

#[test]
fn english() {
    let phrases = ["chest pain", "pain", "short of breath", "can't breathe", "no pulse", "vomit*", "blood"];
    check(
        "en",
        &phrases,
        &[
            ("I have chest pain", &["chest pain"], &[]),
            ("CHEST PAIN!!!", &["chest pain"], &[]),
            ("chest-pain since this morning", &["chest pain"], &[]),
            ("No chest pain", &[], &["chest pain"]),
            ("He denies chest pain or blood", &[], &["chest pain", "blood"]),
            ("not only chest pain but blood", &["chest pain", "blood"], &[]),
            ("no fever, chest pain since noon", &["chest pain"], &[]),
            ("no blood but chest pain", &["chest pain"], &["blood"]),
            ("no pain yesterday and now chest pain", &["chest pain"], &["pain"]),
            ("no doubt this is chest pain", &["chest pain"], &[]),
            ("I don't know why I have chest pain", &["chest pain"], &[]),
            ("No I have chest pain", &["chest pain"], &[]),
            ("the chest pain is not going away", &["chest pain"], &[]),
            ("it does not stop the chest pain", &["chest pain"], &[]),
            ("chest pain was ruled out", &[], &["chest pain"]),
            ("chest pain was not ruled out", &["chest pain"], &[]),
            ("I can't breathe", &["can't breathe"], &[]),
            ("I can’t breathe", &["can't breathe"], &[]),
            ("he has no pulse and chest pain before", &["no pulse", "chest pain"], &[]),
            ("never had such chest pain", &["chest pain"], &[]),
            ("not once in the last few years chest pain", &["chest pain"], &[]),
            ("vomiting, and short\nof breath", &["vomit*", "short of breath"], &[]),
            ("a chest. Pain elsewhere", &["pain"], &[]),
            ("painting the chestnut", &[], &[]),
            ("I have no chest pain today. Since an hour: chest pain!", &["chest pain"], &[]),
            ("free of pain", &[], &["pain"]),
            ("", &[], &[]),
        ],
    );
}

#[test]
fn german() {
    let phrases = ["brustschmerz*", "schmerz*", "atemnot", "bewusstlos", "bekomme keine luft"];
    check(
        "de",
        &phrases,
        &[
            ("Ich habe Brustschmerzen", &["brustschmerz*"], &[]),
            ("Keine Brustschmerzen", &[], &["brustschmerz*"]),
            ("Brustschmerzen nicht", &[], &["brustschmerz*"]),
            ("Brustschmerzen hat er nicht.", &[], &["brustschmerz*"]),
            ("Die Brustschmerzen gehen nicht weg", &["brustschmerz*"], &[]),
            ("Die Brustschmerzen verschwinden nicht", &["brustschmerz*"], &[]),
            ("Weder Fieber noch Atemnot", &[], &["atemnot"]),
            ("nicht nur Brustschmerzen, auch Atemnot", &["brustschmerz*", "atemnot"], &[]),
            ("keine Schmerzen, aber Atemnot", &["atemnot"], &["schmerz*"]),
            ("keine Schmerzen aber Atemnot", &["atemnot"], &["schmerz*"]),
            ("Ich weiß nicht warum ich Atemnot habe", &["atemnot"], &[]),
            ("ich bekomme keine Luft", &["bekomme keine luft"], &[]),
            ("SIE IST BEWUSSTLOS", &["bewusstlos"], &[]),
            ("ich habe noch Brustschmerzen", &["brustschmerz*"], &[]),
            ("ohne Atemnot", &[], &["atemnot"]),
        ],
    );
}

#[test]
fn french() {
    let phrases = ["douleur thoracique", "essoufflement", "mal à la poitrine", "perdu connaissance"];
    check(
        "fr",
        &phrases,
        &[
            ("J'ai une douleur thoracique", &["douleur thoracique"], &[]),
            ("pas de douleur thoracique", &[], &["douleur thoracique"]),
            ("Je n’ai pas d’essoufflement", &[], &["essoufflement"]),
            ("pas seulement une douleur thoracique", &["douleur thoracique"], &[]),
            ("je n'ai pas de fièvre mais une douleur thoracique", &["douleur thoracique"], &[]),
            ("J'AI MAL A LA POITRINE", &["mal à la poitrine"], &[]),
            ("sans essoufflement", &[], &["essoufflement"]),
            ("sans doute un essoufflement", &["essoufflement"], &[]),
            ("je ne sais pas, il a perdu connaissance", &["perdu connaissance"], &[]),
        ],
    );
}

#[test]
fn spanish() {
    let phrases = ["dolor de pecho", "falta de aire", "no puedo respirar", "sangre"];
    check(
        "es",
        &phrases,
        &[
            ("Tengo dolor de pecho", &["dolor de pecho"], &[]),
            ("no tengo dolor de pecho", &[], &["dolor de pecho"]),
            ("sin falta de aire", &[], &["falta de aire"]),
            ("no solo dolor de pecho", &["dolor de pecho"], &[]),
            ("no tengo fiebre pero sí dolor de pecho", &["dolor de pecho"], &[]),
            ("¡No puedo respirar!", &["no puedo respirar"], &[]),
            ("niega sangre", &[], &["sangre"]),
            ("el dolor de pecho no se me quita", &["dolor de pecho"], &[]),
        ],
    );
}

#[test]
fn banking() {
    let phrases = ["fraud", "unauthori* transaction*", "stolen", "lawyer", "close my account", "account"];
    check(
        "en",
        &phrases,
        &[
            ("There is an unauthorised transaction on my card", &["unauthori* transaction*"], &[]),
            ("Two UNAUTHORIZED transactions", &["unauthori* transaction*"], &[]),
            ("my card was stolen; I want to close my account", &["stolen", "close my account"], &[]),
            ("this is not fraud, just a question about my account", &["account"], &["fraud"]),
            ("I do not want to close my account", &[], &["close my account"]),
            ("You will hear from my lawyer", &["lawyer"], &[]),
        ],
    );
}

#[test]
fn a_text_whose_language_is_not_known_is_read_by_all_lists_and_counts_once() {
    let (en, es) = (list("en", &["angina", "pain"]), list("es", &["angina"]));
    let lists = [&en, &es];
    let told = parts(&lists, &["tengo angina".to_owned(), "angina again".to_owned()]);
    assert_eq!(told.len(), 1, "{told:?}");
    // Only Spanish denies it so: where lists differ, it counts.
    let told = parts(&lists, &["sin angina".to_owned()]);
    assert!(matches!(&told[..], [AssessmentPart::Phrase { .. }]), "{told:?}");
}

#[test]
fn a_phrase_counts_once_and_its_quote_is_short() {
    let list = list("en", &["pain"]);
    let long = format!("{} pain {}", "word ".repeat(40), "x".repeat(5_000));
    let told = parts(&[&list], &["no pain".into(), long, "pain pain pain".into()]);
    let [AssessmentPart::Phrase { quote, weight, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*weight, 1.0);
    assert!(quote.chars().count() <= 121 && quote.contains("pain"), "{quote}");
}
