//! What the matrix says of one assessment, and what it makes of an alert.

use crate::{
    core::{
        Alert,
        assessment::{
            Assessment, AssessmentLevels, AssessmentPart, ClassifierAnswer, ClassifierTerms, cut,
            phrases::{PhraseList, parts},
        },
    },
    matrix::{
        cost::CostMeter,
        expression::{CelExpression, ExpressionLanguage, ExpressionScope},
    },
    toml_kit::secret::{SecretAddress, SecretRef},
};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

/// How much text of one alert an assessment reads, in bytes.
pub const ASSESSED_TEXT_MAX: usize = 64 * 1024;

/// What the search for phrases costs, in units of [`CostMeter`] for 64 bytes.
const PHRASES_COST: u64 = 32;

/// The labels that name the language of an alert's texts, the most exact first.
const LANGUAGE_LABELS: [&str; 3] = ["lang", "language", "locale"];

/// Why a classifier is not asked where nothing may leave the program.
pub const NOT_ASKED: &str = "it is not asked here";

/// What the classifiers said of one alert, by the assessments that they are for.
pub type ClassifierAnswers = BTreeMap<String, ClassifierAnswer>;

/// One assessment.
#[derive(Debug)]
pub struct AssessmentSettings {
    /// Its levels.
    pub levels: AssessmentLevels,
    /// The external classifier, if it has one.
    pub classifier: Option<ClassifierSettings>,
    /// What is read; without it the summary, and every text of the evidence.
    pub(super) text: Option<CelExpression>,
    pub(super) lists: Vec<PhraseList>,
    pub(super) rules: Vec<AssessmentRule>,
}

/// A rule of an assessment.
#[derive(Debug)]
pub(super) struct AssessmentRule {
    pub name: String,
    pub when: CelExpression,
    pub weight: f64,
}

/// An external classifier.
#[derive(Debug, Clone)]
pub struct ClassifierSettings {
    /// How it is asked.
    pub via: ClassifierVia,
    /// How long its answer is waited for.
    pub deadline: Duration,
    /// How its answer counts.
    pub terms: ClassifierTerms,
}

/// How a classifier is asked.
#[derive(Debug, Clone)]
pub enum ClassifierVia {
    /// By HTTP.
    Http {
        /// The address.
        url: SecretAddress,
        /// A bearer token.
        token: Option<SecretRef>,
    },
    /// By running a program.
    Program {
        /// Its absolute path.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

impl ClassifierSettings {
    /// The secrets that it needs.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let (url, token) = match &self.via {
            ClassifierVia::Http { url, token } => (url.secret(), token.as_ref()),
            ClassifierVia::Program { .. } => (None, None),
        };
        url.into_iter().chain(token)
    }
}

impl AssessmentSettings {
    pub(super) fn assess(
        &self,
        language: &ExpressionLanguage,
        (alert, meter): (&Alert, &Arc<CostMeter>),
        answer: Option<&ClassifierAnswer>,
    ) -> Assessment {
        let scope = ExpressionScope::new(language, alert, meter);
        let (texts, unread) = match self.texts(alert, &scope) {
            Ok(texts) => texts,
            Err(why) => return Assessment::failed(why),
        };
        if let Err(why) = meter.charge_text(texts.iter().map(String::len).sum(), PHRASES_COST) {
            return Assessment::failed(why.to_owned());
        }
        let mut found = parts(&self.lists_for(alert), &texts);
        for rule in &self.rules {
            let name = rule.name.clone();
            found.extend(match rule.when.holds(&scope) {
                Ok(true) => Some(AssessmentPart::Rule { rule: name, weight: rule.weight }),
                Ok(false) => None,
                Err(why) => Some(AssessmentPart::RuleFailed { rule: name, why: cut(&why) }),
            });
        }
        let not_asked = ClassifierAnswer::Absent(NOT_ASKED.to_owned());
        let classifier = self.classifier.as_ref().map(|own| (&own.terms, answer.unwrap_or(&not_asked)));
        Assessment { unread, ..Assessment::of(found, &self.levels, classifier) }
    }

    /// The texts that are read, and how many bytes of them are not.
    fn texts(&self, alert: &Alert, scope: &ExpressionScope<'_>) -> Result<(Vec<String>, usize), String> {
        let mut texts = match &self.text {
            Some(text) => text.texts(scope)?,
            None => {
                let mut texts = vec![alert.summary.clone()];
                collect(&alert.evidence, &mut texts);
                texts
            }
        };
        let (mut room, mut unread) = (ASSESSED_TEXT_MAX, 0);
        for text in &mut texts {
            let kept = text.floor_char_boundary(room);
            unread += text.len() - kept;
            room -= kept;
            text.truncate(kept);
        }
        Ok((texts, unread))
    }

    /// The lists of the language that the alert names; all, where it names none that is known here.
    fn lists_for(&self, alert: &Alert) -> Vec<&PhraseList> {
        let named = LANGUAGE_LABELS.iter().find_map(|label| alert.labels.get(*label));
        let language = named.map(|tag| tag.split(['-', '_', '.']).next().unwrap_or_default().to_lowercase());
        let own: Vec<_> = self.lists.iter().filter(|list| Some(&list.language) == language.as_ref()).collect();
        if own.is_empty() { self.lists.iter().collect() } else { own }
    }
}

/// Every text of a value, in its order.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
