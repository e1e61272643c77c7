//! What the assessments of the matrix make of one alert: those that its triggers use, and no others.

use crate::{
    core::{Alert, AlertStatus, assessment::Assessments},
    matrix::{
        assessment::{AssessmentSettings, ClassifierAnswers},
        cost::CostMeter,
        expression::CelExpression,
        model::Matrix,
    },
};
use std::{collections::BTreeMap, sync::Arc};

impl Matrix {
    /// The assessments that the triggers for this alert use.
    pub fn assessing(&self, alert: &Alert) -> BTreeMap<&str, &AssessmentSettings> {
        if self.assessments.is_empty() {
            return BTreeMap::new();
        }
        let firing = alert.status == AlertStatus::Firing;
        let looking = self.looking(&alert.kind, &alert.source);
        let triggers = looking.iter().filter_map(|name| self.triggers.get(name));
        let used = triggers.flat_map(|trigger| {
            // Of an all-clear only the key is evaluated.
            let of_key = trigger.key.as_ref().map(CelExpression::assessments);
            if firing { Some(&trigger.assessments) } else { of_key }.into_iter().flatten()
        });
        used.filter_map(|name| self.assessments.get_key_value(name)).map(|(name, own)| (name.as_str(), own)).collect()
    }

    /// What these assessments make of an alert, with what their classifiers said. Several share what that may cost; one
    /// that costs too much fails.
    pub fn assess(
        &self,
        assessing: &BTreeMap<&str, &AssessmentSettings>,
        alert: &Alert,
        meter: &Arc<CostMeter>,
        answers: &ClassifierAnswers,
    ) -> Assessments {
        let assess = |(name, own): (&&str, &&AssessmentSettings)| {
            ((*name).to_owned(), own.assess(&self.language, (alert, meter), answers.get(*name)))
        };
        assessing.iter().map(assess).collect()
    }

    /// The alert with what the assessments make of it, where no classifier can be asked.
    pub fn assessed(&self, alert: &Alert) -> Alert {
        let meter = Arc::new(CostMeter::new(u64::MAX));
        let assessed = self.assess(&self.assessing(alert), alert, &meter, &ClassifierAnswers::new());
        Alert { assessed, ..alert.clone() }
    }
}
