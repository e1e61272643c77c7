//! Reads `[assessment.NAME]`.

use crate::{
    core::assessment::{
        AbsentClassifier, AssessmentLevels, ClassifierTerms, WEIGHT_MAX,
        negation::Negations,
        phrase_word::PhraseWord,
        phrases::{PHRASE_WORDS_MAX, PhraseList, WeightedPhrase},
    },
    matrix::{
        assessment::{AssessmentRule, AssessmentSettings, ClassifierSettings, ClassifierVia},
        compiled::compiled,
        draft::MatrixDraft,
        expression::ExpressionLanguage,
        expression_fault::{ExpressionRoot, ExpressionUse},
        risk::LevelNames,
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        nearest::instead,
        secret::{address, secret},
    },
};
use std::{collections::BTreeSet, path::PathBuf, time::Duration};
use toml::de::{DeTable, DeValue};

/// The lowest level, where nothing else is said.
const LOWEST: &str = "low";

/// How many levels there may be above the lowest.
const LEVELS_MAX: usize = 8;

/// How many phrases all lists of one assessment may have together.
const PHRASES_MAX: usize = 5_000;

/// How many rules it may have.
const RULES_MAX: usize = 64;

/// The longest name of a level or a rule, and the longest phrase, in characters.
const NAME_MAX: usize = 80;

/// How long a classifier may take: everybody who is waiting for this alert waits so long.
const DEADLINES: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(10);

/// The names of all assessments, with their levels, as far as they can be read: conditions are compiled with them. Faults
/// are found by [`read`].
pub(super) fn level_names(document: &DeTable<'_>, names: &mut LevelNames) {
    let section = document.iter().find(|(key, _)| key.get_ref() == "assessment").map(|(_, value)| value.get_ref());
    let Some(DeValue::Table(section)) = section else { return };
    for (name, own) in section.iter() {
        let DeValue::Table(own) = own.get_ref() else { continue };
        let mut ignored = MatrixFaults::default();
        let table = TomlTable::new(String::new(), 0, own);
        let levels = levels(&mut { table }, SourceSpan::new(0, 0..0), &mut ignored);
        let known = levels.iter().flat_map(|(levels, _)| levels.names()).map(str::to_owned).collect();
        names.insert(name.get_ref().to_string(), known);
    }
}

/// Reads an assessment; `text` is the file that contains it.
pub(super) fn read(
    mut table: TomlTable<'_>,
    (name, at): (&str, SourceSpan),
    text: &str,
    language: &ExpressionLanguage,
    faults: &mut MatrixFaults,
) -> Option<AssessmentSettings> {
    if name.contains('-') {
        let help = format!("write [assessment.{}]: in a condition `-` means minus", name.replace('-', "_"));
        faults.error("bad-name", at, format!("an assessment can not be called `{name}`"), help);
    }
    let compile = |item: &TomlItem<'_>, purpose, faults: &mut MatrixFaults| {
        compiled(item, text, faults, |text| language.compile_for(text, purpose, ExpressionRoot::Facts))
    };
    let reads = table.take("text").map(|item| compile(&item, ExpressionUse::Texts, faults));
    let levels = levels(&mut table, at, faults);
    let lists = table.take("words").map(|item| words(&item, faults));
    let own = table.take("rule");
    let has_rules = own.is_some();
    let mut rules = Vec::new();
    for item in own.and_then(|item| item.list(faults)).unwrap_or_default() {
        let Some(mut own) = item.table("a rule".into(), faults) else { continue };
        let name = own.demand("name", item.at, "name = \"over 65\"", faults).and_then(|item| short(&item, faults));
        let when = own.demand("when", item.at, "when = 'alert.values.age > 65.0'", faults);
        let when = when.and_then(|item| compile(&item, ExpressionUse::Condition, faults));
        let weight = own.demand("weight", item.at, "weight = 1", faults).and_then(|item| weight(&item, faults));
        own.finish(&[], &[], faults);
        if rules.len() == RULES_MAX {
            let message = format!("more than {RULES_MAX} rules");
            faults.error("too-many-rules", item.at, message, "let several be one, with || between them");
            break;
        }
        if let (Some(name), Some(when), Some(weight)) = (name, when, weight) {
            rules.push(AssessmentRule { name: name.value.to_owned(), when, weight });
        }
    }
    let names: Vec<&str> = levels.iter().flat_map(|(levels, _)| levels.names()).collect();
    let classifier = table.take("classifier").map(|item| classifier(&item, &names, faults));
    table.finish(&[], &[], faults);
    let (levels, at_levels) = levels?;
    if lists.is_none() && !has_rules && classifier.is_none() {
        let help = "add [assessment.NAME.words.en], [[assessment.NAME.rule]] or [assessment.NAME.classifier]";
        return faults.refuse("empty-assessment", at, "this assessment has nothing to go by", help);
    }
    let text = reads.map_or(Some(None), |text| text.map(Some))?;
    let classifier = classifier.map_or(Some(None), |own| own.map(Some))?;
    let settings = AssessmentSettings { levels, classifier, text, lists: lists.unwrap_or_default(), rules };
    unreachable_levels(&settings, &at_levels, faults);
    Some(settings)
}

/// The levels, each with its place.
type PlacedLevels = (AssessmentLevels, Vec<(String, SourceSpan)>);

fn levels(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> Option<PlacedLevels> {
    let lowest =
        table.take("lowest").and_then(|item| short(&item, faults)).map_or(LOWEST, |text| text.value).to_owned();
    let item = table.demand("levels", at, "levels = { medium = 2, high = 5 }", faults)?;
    let entries =
        item.table_like("`levels`".into(), |_| "levels = { medium = 2, high = 5 }".into(), faults)?.take_all();
    let mut above: Vec<(f64, String)> = Vec::new();
    let mut places = Vec::new();
    for entry in &entries {
        let Some(from) = entry.number(faults) else { continue };
        let name = entry.key;
        let known = above.iter().find(|(other, _)| *other == from);
        let (message, help) = if !(0.0 < from && from <= WEIGHT_MAX) {
            (format!("level `{name}` must begin above 0, and at most at {WEIGHT_MAX}"), "0 is the score of nothing")
        } else if let Some((_, other)) = known {
            (format!("levels `{name}` and `{other}` begin at the same score"), "let one begin later")
        } else if *name == lowest {
            (format!("`{name}` is the name of the lowest level, too"), "give that another name: lowest = \"none\"")
        } else if name.trim().is_empty() || NAME_MAX < name.chars().count() || name.chars().any(char::is_control) {
            (format!("a level must have 1 to {NAME_MAX} visible characters"), "write for example high = 5")
        } else {
            above.push((from, name.to_owned()));
            places.push((name.to_owned(), entry.key_at));
            continue;
        };
        faults.error("bad-level", entry.at, message, help);
    }
    if entries.is_empty() || LEVELS_MAX < entries.len() {
        let message = format!("`levels` must have 1 to {LEVELS_MAX} levels above `{lowest}`");
        return faults.refuse("bad-level", item.at, message, "write for example levels = { medium = 2, high = 5 }");
    }
    Some((AssessmentLevels::new(lowest, above), places))
}

fn short<'a>(item: &TomlItem<'a>, faults: &mut MatrixFaults) -> Option<LocatedValue<&'a str>> {
    let text = item.text(faults)?;
    if text.value.chars().count() <= NAME_MAX {
        return Some(text);
    }
    faults.refuse("text-too-long", text.at, format!("it must have 1 to {NAME_MAX} characters"), "write it shorter")
}

fn weight(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<f64> {
    let weight = item.number(faults)?;
    if weight != 0.0 && weight.abs() <= WEIGHT_MAX {
        return Some(weight);
    }
    let message = format!("a weight must be between -{WEIGHT_MAX} and {WEIGHT_MAX}, and not 0");
    faults.refuse("bad-weight", item.at, message, "what weighs nothing has no effect: remove it")
}

fn words(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Vec<PhraseList> {
    let example = |_: Option<&str>| "[assessment.NAME.words.en] above the phrases".to_owned();
    let Some(mut table) = item.table_like("`words`".into(), example, faults) else { return Vec::new() };
    let (mut lists, mut count) = (Vec::new(), 0);
    for entry in table.take_all() {
        let language = entry.key;
        let is_code = (2..=3).contains(&language.len()) && language.chars().all(|c| c.is_ascii_lowercase());
        if !is_code {
            let help = "write the code of a language in small letters: [assessment.NAME.words.en]";
            faults.error("bad-language", entry.key_at, format!("`{language}` is no code of a language"), help);
        }
        let Some(phrases) = entry.table(format!("`words.{language}`"), faults) else { continue };
        let list = list(phrases, (language, entry.key_at), faults);
        count += list.phrases.len();
        lists.push(list);
    }
    if PHRASES_MAX < count {
        let message = format!("{count} phrases, and an assessment has at most {PHRASES_MAX}");
        faults.error("too-many-phrases", item.at, message, "let one with * stand for several: \"vomit*\"");
    }
    lists
}

fn list(mut table: TomlTable<'_>, (language, at): (&str, SourceSpan), faults: &mut MatrixFaults) -> PhraseList {
    let before = table.take("negations").and_then(|item| item.texts(faults));
    let before = before.map(|words| words.iter().map(|text| PhraseWord::all(&text.value)).collect());
    let negations = match (Negations::of(language), before) {
        (known, Some(before)) => known.unwrap_or_default().with_before(before),
        (Some(known), None) => known,
        (None, None) => {
            let known = Negations::languages().collect::<Vec<_>>().join(", ");
            let message = format!("no words that deny are known in `{language}`: a phrase counts though it is denied");
            let help = format!("add negations = [\"no\", \"without\"] in that language; known are those of {known}");
            faults.warning("no-negations", at, message, help);
            Negations::default()
        }
    };
    let mut phrases: Vec<WeightedPhrase> = Vec::new();
    let entries = table.take_all();
    if entries.is_empty() {
        let message = format!("`words.{language}` has no phrases");
        faults.error("empty-list", at, message, "write for example \"chest pain\" = 5");
    }
    for entry in entries {
        let Some(weight) = weight(&entry, faults) else { continue };
        let read = Some(entry.key).filter(|phrase| phrase.chars().count() <= NAME_MAX);
        let Some(phrase) = read.and_then(|phrase| WeightedPhrase::read(phrase, weight)) else {
            let message =
                format!("a phrase must have 1 to {PHRASE_WORDS_MAX} words, and at most {NAME_MAX} characters");
            faults.error("bad-phrase", entry.key_at, message, "write for example \"chest pain\" = 5");
            continue;
        };
        if let Some(other) = phrases.iter().find(|other| other.is_same(&phrase)) {
            let message = format!("{:?} and {:?} are the same words", other.shown, phrase.shown);
            faults.error("twice-in-list", entry.key_at, message, "case, accents and hyphens do not count: remove one");
            continue;
        }
        phrases.push(phrase);
    }
    PhraseList::new(language.to_owned(), phrases, negations)
}

fn classifier(item: &TomlItem<'_>, levels: &[&str], faults: &mut MatrixFaults) -> Option<ClassifierSettings> {
    let mut table = item.table("`classifier`".into(), faults)?;
    let url = table.take("url").map(|item| address(&item, faults));
    let token = table.take("token").map(|item| secret(&item, faults));
    let exec = table.take("exec").map(|item| (item.at, program(&item, faults)));
    let deadline = table.demand("deadline", item.at, "deadline = \"400ms\"", faults);
    let deadline = deadline.and_then(|item| deadline_of(&item, faults));
    let absent = table.demand("absent", item.at, "absent = \"raise\"", faults);
    let absent = absent.and_then(|item| absence(&item, levels, faults));
    let weight = table.take("weight").map_or(Some(1.0), |item| weight(&item, faults));
    table.finish(&[], &[], faults);
    let token = token.map_or(Some(None), |token| token.map(Some));
    let via = match (url, exec) {
        (Some(url), None) => ClassifierVia::Http { url: url?, token: token? },
        (None, Some((at, exec))) => {
            if token?.is_some() {
                let help = "remove `token`, or name a `url`";
                faults.error("key-without-effect", at, "`token` has no effect beside `exec`", help);
            }
            let (program, arguments) = exec?;
            ClassifierVia::Program { program, arguments }
        }
        _ => {
            let message = "a classifier has either a `url` or `exec`";
            let help = "write url = \"http://127.0.0.1:9000/classify\" or exec = [\"/usr/local/bin/classify\"]";
            return faults.refuse("bad-classifier", item.at, message, help);
        }
    };
    Some(ClassifierSettings { via, deadline: deadline?, terms: ClassifierTerms { weight: weight?, absent: absent? } })
}

fn program(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<(PathBuf, Vec<String>)> {
    let mut words = item.list(faults)?.into_iter().map(|word| word.text(faults).map(|text| text.value.to_owned()));
    let program = words.next()??;
    let arguments = words.collect::<Option<Vec<_>>>()?;
    if !program.starts_with('/') {
        let message = format!("{program:?} is not an absolute path");
        return faults.refuse("bad-program", item.at, message, "begin with /: neither PATH nor a shell is used");
    }
    Some((program.into(), arguments))
}

fn deadline_of(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<Duration> {
    let span = item.any_duration(faults)?;
    if DEADLINES.contains(&span.value) {
        return Some(span.value);
    }
    let message = "`deadline` must be between 10ms and 10s";
    faults.refuse("duration-out-of-range", span.at, message, "the alert waits so long: write for example \"400ms\"")
}

fn absence(item: &TomlItem<'_>, levels: &[&str], faults: &mut MatrixFaults) -> Option<AbsentClassifier> {
    let text = item.text(faults)?;
    match text.value {
        "raise" => Some(AbsentClassifier::Raise),
        "ignore" => Some(AbsentClassifier::Ignore),
        level if levels.contains(&level) => Some(AbsentClassifier::AtLeast(level.to_owned())),
        other => {
            let words = ["raise", "ignore"].into_iter().chain(levels.iter().copied());
            let message = format!("`absent` can not be {other:?}");
            faults.refuse("unknown-word", text.at, message, instead(other, words))
        }
    }
}

/// What all weights together do not reach is never reached. A classifier may say anything.
fn unreachable_levels(own: &AssessmentSettings, places: &[(String, SourceSpan)], faults: &mut MatrixFaults) {
    if own.classifier.is_some() || faults.has_errors() {
        return;
    }
    let phrases = own.lists.iter().flat_map(|list| &list.phrases).map(|phrase| phrase.weight);
    let weights = phrases.chain(own.rules.iter().map(|rule| rule.weight));
    let most: f64 = weights.filter(|weight| 0.0 < *weight).sum();
    for (from, level) in own.levels.thresholds().filter(|(from, _)| most < *from) {
        let Some((_, at)) = places.iter().find(|(name, _)| name == level) else { continue };
        let message = format!("level `{level}` begins at {from}, and all weights together are {most}");
        faults.warning("unreachable-level", *at, message, "let it begin at less, or give the phrases more weight");
    }
}

/// Names in triggers must be there, and what no trigger uses has no effect.
pub(super) fn check(draft: &MatrixDraft, used: &BTreeSet<String>, faults: &mut MatrixFaults) {
    let triggers = || draft.triggers.values().filter_map(|trigger| trigger.value.as_ref());
    for name in triggers().flat_map(|trigger| &trigger.assess) {
        if !draft.assessments.contains_key(&name.value) {
            let help = instead(&name.value, draft.assessments.keys().map(String::as_str));
            faults.error("unknown-assessment", name.at, format!("there is no assessment `{}`", name.value), help);
        }
    }
    for (name, placed) in draft.assessments.iter().filter(|(name, _)| !used.contains(*name)) {
        let message = format!("assessment `{name}` is never used");
        let help = format!("name it in a condition, as risk.{name}.level, or in a trigger's `assess`; or remove it");
        faults.warning("unused-assessment", placed.at, message, help);
    }
}
