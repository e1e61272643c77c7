//! An alert as expressions see it: borrowed. Each field is built once, and only when an expression needs it.

use crate::core::{Alert, AlertStatus};
use cel::{
    ExecutionError,
    common::{
        traits::Indexer,
        types::{
            CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelTimestamp, MAP_TYPE, Type,
        },
        value::{CowVal, Val},
    },
};
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

/// The fields of `alert`.
pub(super) const FIELDS: [&str; 11] = [
    "source",
    "kind",
    "status",
    "summary",
    "labels",
    "values",
    "annotations",
    "confidence",
    "evidence",
    "starts_at",
    "drill",
];

/// The root variable `alert`. Copies share the fields that were built.
#[derive(Debug, Clone)]
pub(super) struct AlertVariable<'a>(Arc<AlertFields<'a>>);

#[derive(Debug)]
struct AlertFields<'a> {
    alert: &'a Alert,
    labels: OnceLock<CelMap<'a>>,
    values: OnceLock<CelMap<'a>>,
    annotations: OnceLock<CelMap<'a>>,
    evidence: OnceLock<Box<dyn Val + 'a>>,
}

impl<'a> AlertVariable<'a> {
    pub(super) fn of(alert: &'a Alert) -> Self {
        Self(Arc::new(AlertFields {
            alert,
            labels: OnceLock::new(),
            values: OnceLock::new(),
            annotations: OnceLock::new(),
            evidence: OnceLock::new(),
        }))
    }
}

impl<'a> AlertFields<'a> {
    fn field<'b, 'v>(&'b self, name: &str) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        'a: 'v,
    {
        let alert = self.alert;
        Ok(match name {
            "source" => text(alert.source.as_str()),
            "kind" => text(&alert.kind),
            "status" => text(match alert.status {
                AlertStatus::Firing => "firing",
                AlertStatus::Resolved => "resolved",
            }),
            "summary" => text(&alert.summary),
            "labels" => CowVal::Borrowed(self.labels.get_or_init(|| texts(&alert.labels))),
            "values" => CowVal::Borrowed(self.values.get_or_init(|| numbers(&alert.values))),
            "annotations" => CowVal::Borrowed(self.annotations.get_or_init(|| texts(&alert.annotations))),
            "confidence" => CowVal::owned(CelDouble::from(alert.confidence)),
            "evidence" => CowVal::Borrowed(self.evidence.get_or_init(|| json(&alert.evidence)).as_ref()),
            "starts_at" => match alert.starts_at {
                Some(at) => CowVal::owned(CelTimestamp::from(at.to_utc().fixed_offset())),
                None => return Err(ExecutionError::no_such_key("starts_at")),
            },
            "drill" => CowVal::owned(CelBool::from(alert.drill)),
            other => return Err(ExecutionError::no_such_key(other)),
        })
    }
}

impl Val for AlertVariable<'_> {
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

impl Indexer for AlertVariable<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(name) = index.downcast_ref::<CelString>() else {
            return Err(ExecutionError::UnexpectedType {
                got: index.get_type().name().to_owned(),
                want: "string".to_owned(),
            });
        };
        self.0.field(name.inner())
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

fn text<'b, 'v>(text: &'v str) -> CowVal<'b, 'v> {
    CowVal::owned(CelString::from(text))
}

fn texts(map: &BTreeMap<String, String>) -> CelMap<'_> {
    let entries = map.iter().map(|(key, value)| {
        let value: Box<dyn Val> = Box::new(CelString::from(value.as_str()));
        (CelMapKey::from(key.as_str()), value)
    });
    CelMap::from(entries.collect::<HashMap<_, _>>())
}

fn numbers(map: &BTreeMap<String, f64>) -> CelMap<'_> {
    let entries = map.iter().map(|(key, value)| {
        let value: Box<dyn Val> = Box::new(CelDouble::from(*value));
        (CelMapKey::from(key.as_str()), value)
    });
    CelMap::from(entries.collect::<HashMap<_, _>>())
}

/// Every number becomes a double, so that `5` and `5.0` from a monitor are equal.
pub(super) fn json(value: &Json) -> Box<dyn Val + '_> {
    match value {
        Json::Null => Box::new(CelNull),
        Json::Bool(flag) => Box::new(CelBool::from(*flag)),
        Json::Number(number) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        Json::String(text) => Box::new(CelString::from(text.as_str())),
        Json::Array(items) => Box::new(CelList::from(items.iter().map(json).collect::<Vec<_>>())),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| (CelMapKey::from(key.as_str()), json(value)));
            Box::new(CelMap::from(entries.collect::<HashMap<_, _>>()))
        }
    }
}

/// A value that expressions made, as JSON. What JSON does not have (a time, a type) is its absence.
pub(super) fn to_json(value: &dyn Val) -> Json {
    if let Some(text) = value.downcast_ref::<CelString>() {
        Json::from(text.inner())
    } else if let Some(number) = value.downcast_ref::<CelDouble>() {
        Json::from(*number.inner())
    } else if let Some(number) = value.downcast_ref::<CelInt>() {
        Json::from(*number.inner())
    } else if let Some(flag) = value.downcast_ref::<CelBool>() {
        Json::from(*flag.inner())
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        list.inner().iter().map(|element| to_json(&**element)).collect()
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        let entries = map.inner().iter().filter_map(|(key, value)| match key {
            CelMapKey::String(name) => Some((name.inner().to_owned(), to_json(&**value))),
            _ => None,
        });
        Json::Object(entries.collect())
    } else {
        Json::Null
    }
}
