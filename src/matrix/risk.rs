//! What the assessments make of an alert, as expressions see it: `risk.NAME.level`.

use crate::core::assessment::{Assessment, Assessments};
use cel::{
    ExecutionError,
    common::{
        traits::Indexer,
        types::{CelDouble, CelMap, CelMapKey, CelString, MAP_TYPE, Type},
        value::{CowVal, Val},
    },
};
use std::collections::{BTreeMap, HashMap};

/// The name of the variable, and of errors about it.
pub(super) const RISK: &str = "risk";

/// The fields of one assessment.
pub(super) const RISK_FIELDS: [&str; 3] = ["score", "level", "confidence"];

/// The names of the assessments, with those of their levels, the lowest first.
pub(super) type LevelNames = BTreeMap<String, Vec<String>>;

/// The root variable `risk`.
#[derive(Debug, Clone)]
pub(super) struct RiskVariable<'a>(pub &'a Assessments);

impl Val for RiskVariable<'_> {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Indexer for RiskVariable<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = index.downcast_ref::<CelString>().map(CelString::inner).unwrap_or_default();
        match self.0.get(name) {
            Some(Assessment { failed: None, score, level, confidence, .. }) => {
                // Nobody is sure where no classifier says how sure it is.
                let (score, confidence) = (CelDouble::from(*score), CelDouble::from(confidence.unwrap_or(0.0)));
                let level = CelString::from(level.as_str());
                let values: [Box<dyn Val>; 3] = [Box::new(score), Box::new(level), Box::new(confidence)];
                let fields = RISK_FIELDS.into_iter().map(CelMapKey::from).zip(values);
                Ok(CowVal::owned(CelMap::from(fields.collect::<HashMap<_, _>>())))
            }
            Some(Assessment { failed: Some(why), .. }) => {
                Err(ExecutionError::function_error(RISK, format!("assessment `{name}` could not be made: {why}")))
            }
            None => Err(ExecutionError::function_error(RISK, format!("the alert was not assessed by `{name}`"))),
        }
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}
