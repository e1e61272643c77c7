//! Assessments: how serious an alert is, by what people wrote in it, by its facts and by a classifier of one's own. Weights
//! are added up to a score, and the score has a level. What made it is kept as evidence.

pub mod negation;
pub mod phrase_word;
pub mod phrases;
pub mod tokens;

use serde::{Deserialize, Deserializer, Serialize};
use std::{collections::BTreeMap, fmt};

/// The most parts of one assessment that are kept, those that weigh most first.
pub const PARTS_MAX: usize = 24;

/// The largest weight, and the largest score of a classifier, either way.
pub const WEIGHT_MAX: f64 = 1e6;

/// The longest text of a part, in characters.
pub const PART_TEXT_MAX: usize = 120;

/// What Stentor assessed of one alert, by the names of the assessments.
pub type Assessments = BTreeMap<String, Assessment>;

/// How serious an alert is in one respect, and why.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Assessment {
    /// The sum of all weights.
    pub score: f64,
    /// The level that this score has, or a higher one that the classifier or its absence asks for. Empty where it failed.
    pub level: String,
    /// How sure the classifier is, 0 to 1; `None` where none said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// What made it: at most [`PARTS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<AssessmentPart>,
    /// How many further parts there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
    /// How many bytes of text were not read, because there was too much.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread: usize,
    /// Why it could not be made at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// One part of an assessment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "part")]
pub enum AssessmentPart {
    /// A phrase that stands in the text.
    Phrase {
        /// The phrase, as the matrix has it.
        phrase: String,
        /// The language of its list.
        language: String,
        /// What it adds.
        weight: f64,
        /// Where it stands: a few words of the text.
        quote: String,
    },
    /// A phrase that the text only denies. It adds nothing.
    Negated {
        /// The phrase, as the matrix has it.
        phrase: String,
        /// The language of its list.
        language: String,
        /// Where it stands.
        quote: String,
    },
    /// A rule that holds.
    Rule {
        /// Its name.
        rule: String,
        /// What it adds.
        weight: f64,
    },
    /// A rule that could not be evaluated. It adds nothing.
    RuleFailed {
        /// Its name.
        rule: String,
        /// Why.
        why: String,
    },
    /// What the classifier said.
    Classifier {
        /// What it adds: its score by its weight.
        weight: f64,
        /// The level that it asks for, if it names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<String>,
        /// How it calls what it saw.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    },
    /// The classifier said nothing that can be used.
    ClassifierAbsent {
        /// Why.
        why: String,
        /// The level to which its absence raised the assessment, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raised_to: Option<String>,
    },
}

/// What a classifier said, or why it said nothing that can be used.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassifierAnswer {
    /// It answered.
    Said(Classified),
    /// It did not.
    Absent(String),
}

/// The answer of a classifier.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Classified {
    /// A number that is added to the score.
    pub score: Option<f64>,
    /// The level that it finds.
    pub level: Option<String>,
    /// How sure it is, 0 to 1.
    pub confidence: Option<f64>,
    /// How it calls what it saw.
    pub label: Option<String>,
}

/// What the absence of a classifier means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbsentClassifier {
    /// One level up.
    Raise,
    /// At least this level.
    AtLeast(String),
    /// Nothing.
    Ignore,
}

/// The levels of an assessment: the lowest, and the others with the scores from which on they hold.
#[derive(Debug, Clone, PartialEq)]
pub struct AssessmentLevels {
    lowest: String,
    above: Vec<(f64, String)>,
}

impl AssessmentLevels {
    /// The lowest level, and the others in any order.
    pub fn new(lowest: String, mut above: Vec<(f64, String)>) -> Self {
        above.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { lowest, above }
    }

    /// All names, the lowest first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.lowest.as_str()).chain(self.above.iter().map(|(_, name)| name.as_str()))
    }

    /// The place of a level in their order.
    pub fn rank(&self, name: &str) -> Option<usize> {
        self.names().position(|other| other == name)
    }

    /// The place of the level that a score has.
    pub fn rank_of(&self, score: f64) -> usize {
        self.above.iter().take_while(|(from, _)| *from <= score).count()
    }

    /// The level at a place; the highest, if there are not so many.
    pub fn name(&self, rank: usize) -> &str {
        match rank.min(self.above.len()).checked_sub(1) {
            None => &self.lowest,
            Some(at) => &self.above[at].1,
        }
    }

    /// The scores from which on the levels above the lowest hold.
    pub fn thresholds(&self) -> impl Iterator<Item = (f64, &str)> {
        self.above.iter().map(|(from, name)| (*from, name.as_str()))
    }
}

/// How an assessment counts its classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierTerms {
    /// By what its score is multiplied.
    pub weight: f64,
    /// What its absence means.
    pub absent: AbsentClassifier,
}

impl Assessment {
    /// That it could not be made.
    pub fn failed(why: String) -> Self {
        Self { failed: Some(why), ..Self::default() }
    }

    /// The assessment that these parts make. A classifier can raise the level, never lower it.
    pub fn of(
        mut parts: Vec<AssessmentPart>,
        levels: &AssessmentLevels,
        classifier: Option<(&ClassifierTerms, &ClassifierAnswer)>,
    ) -> Self {
        let (mut confidence, mut least) = (None, 0);
        let absent = match classifier {
            None => None,
            Some((terms, ClassifierAnswer::Said(said))) => match said.flaw(levels) {
                None => {
                    confidence = said.confidence;
                    least = said.level.as_deref().and_then(|level| levels.rank(level)).unwrap_or(0);
                    parts.push(said.part(terms.weight));
                    None
                }
                Some(why) => Some((terms, why)),
            },
            Some((terms, ClassifierAnswer::Absent(why))) => Some((terms, why.clone())),
        };
        let score = parts.iter().map(AssessmentPart::weight).sum::<f64>();
        let mut rank = levels.rank_of(score).max(least);
        if let Some((terms, why)) = absent {
            let raised = match &terms.absent {
                AbsentClassifier::Raise => rank + 1,
                AbsentClassifier::AtLeast(level) => levels.rank(level).unwrap_or(usize::MAX),
                AbsentClassifier::Ignore => 0,
            };
            let raised_to =
                (levels.name(rank) != levels.name(raised.max(rank))).then(|| levels.name(raised).to_owned());
            rank = rank.max(raised);
            parts.push(AssessmentPart::ClassifierAbsent { why: cut(&why), raised_to });
        }
        let level = levels.name(rank).to_owned();
        parts.sort_by(|a, b| b.importance().total_cmp(&a.importance()));
        let more = parts.len().saturating_sub(PARTS_MAX);
        parts.truncate(PARTS_MAX);
        Self { score, level, confidence, parts, more, unread: 0, failed: None }
    }

    /// The level, in a word for people.
    pub fn shown(&self) -> &str {
        if self.failed.is_some() { "not assessed" } else { &self.level }
    }
}

impl Classified {
    /// Why it can not be used.
    fn flaw(&self, levels: &AssessmentLevels) -> Option<String> {
        if self.score.is_none() && self.level.is_none() {
            return Some("its answer has neither `score` nor `level`".to_owned());
        }
        if self.score.is_some_and(|score| !(-WEIGHT_MAX..=WEIGHT_MAX).contains(&score)) {
            return Some(format!("its `score` is beyond {WEIGHT_MAX}"));
        }
        if self.confidence.is_some_and(|confidence| !(0.0..=1.0).contains(&confidence)) {
            return Some("its `confidence` is not between 0 and 1".to_owned());
        }
        let level = self.level.as_deref().filter(|level| levels.rank(level).is_none())?;
        Some(format!("its `level` {:?} is none of the matrix", cut(level)))
    }

    fn part(&self, weight: f64) -> AssessmentPart {
        let weight = (self.score.unwrap_or(0.0) * weight).clamp(-WEIGHT_MAX, WEIGHT_MAX);
        AssessmentPart::Classifier { weight, level: self.level.clone(), label: self.label.as_deref().map(cut) }
    }
}

impl AssessmentPart {
    /// What it adds to the score.
    pub fn weight(&self) -> f64 {
        match self {
            Self::Phrase { weight, .. } | Self::Rule { weight, .. } | Self::Classifier { weight, .. } => *weight,
            Self::Negated { .. } | Self::RuleFailed { .. } | Self::ClassifierAbsent { .. } => 0.0,
        }
    }

    /// What is kept first: what the classifier said or that it is absent, then what could not be evaluated, then by weight.
    fn importance(&self) -> f64 {
        match self {
            Self::Classifier { .. } | Self::ClassifierAbsent { .. } => f64::INFINITY,
            Self::RuleFailed { .. } => 2.0 * WEIGHT_MAX,
            Self::Phrase { .. } | Self::Rule { .. } => self.weight().abs(),
            Self::Negated { .. } => -1.0,
        }
    }
}

/// For people, in one line without a full stop.
impl fmt::Display for AssessmentPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phrase { phrase, weight, .. } => write!(f, "{phrase} {weight:+}"),
            Self::Negated { phrase, .. } => write!(f, "{phrase}: denied"),
            Self::Rule { rule, weight } => write!(f, "{rule} {weight:+}"),
            Self::RuleFailed { rule, .. } => write!(f, "{rule}: can not be evaluated"),
            Self::Classifier { weight, level, label } => {
                write!(f, "classifier {weight:+}")?;
                level.iter().try_for_each(|level| write!(f, ", level {level}"))?;
                label.iter().try_for_each(|label| write!(f, " ({label})"))
            }
            Self::ClassifierAbsent { raised_to, .. } => {
                write!(f, "classifier did not answer")?;
                raised_to.iter().try_for_each(|level| write!(f, ", so at least {level}"))
            }
        }
    }
}

/// The same as its own journal has it. What somebody else called so says nothing.
pub(super) fn lenient<'de, D: Deserializer<'de>>(read: D) -> Result<Assessments, D::Error> {
    let value = serde_json::Value::deserialize(read)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// A text as a part keeps it: one line, not too long.
pub fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(PART_TEXT_MAX) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
