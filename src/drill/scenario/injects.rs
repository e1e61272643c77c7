//! Reads `[[inject]]`: the alerts of a scenario.

use crate::{
    core::{Alert, AlertStatus},
    drill::scenario::{
        definition::{INJECTS_MAX, ScenarioInject, source},
        reader::ScenarioReader,
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::SourceSpan,
    },
};
use serde_json::Value as Json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use toml::de::DeValue;

pub(super) fn read(reader: &mut ScenarioReader<'_>, top: &mut TomlTable<'_>, start: SourceSpan) -> Vec<ScenarioInject> {
    let injects = reader.each(top, "inject", inject);
    if injects.is_empty() {
        let help = "add [[inject]] with `at` and the fields of an alert";
        reader.faults.error("missing-key", start, "the scenario has no `[[inject]]`: nothing would happen", help);
    }
    let all: u32 = injects.iter().fold(0, |sum, inject| sum.saturating_add(inject.count));
    if INJECTS_MAX < all {
        let message = format!("a scenario sends at most {INJECTS_MAX} alerts, and this one {all}");
        reader.faults.error("too-many-alerts", start, message, "lower a `count`");
    }
    injects
}

fn inject(reader: &mut ScenarioReader<'_>, mut table: TomlTable<'_>, at: SourceSpan) -> Option<ScenarioInject> {
    let offset = reader.demanded_offset(&mut table, at);
    let kind = reader.demanded_text(&mut table, "kind", at, "kind = \"price_velocity\"");
    let every = table.take("every").and_then(|item| reader.span(&item));
    let count_item = table.take("count");
    let count = count_item.and_then(|item| count(reader, &item));
    let mut alert = Alert::new(source(), kind.map(|kind| kind.value).unwrap_or_default());
    alert.drill = true;
    fields(reader, &mut table, &mut alert);
    table.finish(&["starts_at"], &["source", "drill"], &mut reader.faults);
    match (&every, count_item) {
        (Some(every), None) => {
            let help = "add `count = 3`";
            return reader.faults.refuse("missing-key", every.at, "`every` says how far apart, not how many", help);
        }
        (None, Some(item)) if count.is_some_and(|count| 1 < count) => {
            let help = "add `every = \"30s\"`";
            return reader.faults.refuse("missing-key", item.key_at, "`count` says how many, not how far apart", help);
        }
        _ => {}
    }
    let (offset, count) = (offset?, count.unwrap_or(1));
    let last = offset.value + every.as_ref().map_or(Duration::ZERO, |every| every.value.saturating_mul(count - 1));
    let place = count_item.map_or(offset.at, |item| item.at);
    reader.before_the_end(last, place, &format!("the last of these {count}")).then(|| ScenarioInject {
        at: offset.value,
        every: every.map(|every| every.value),
        count,
        alert: Arc::new(alert),
    })
}

fn count(reader: &mut ScenarioReader<'_>, item: &TomlItem<'_>) -> Option<u32> {
    let count = item.count(&mut reader.faults)?;
    if 0 < count {
        return Some(count);
    }
    reader.faults.refuse("count-out-of-range", item.at, "`count` must be at least 1", "remove it for a single alert")
}

fn fields(reader: &mut ScenarioReader<'_>, table: &mut TomlTable<'_>, alert: &mut Alert) {
    let faults = &mut reader.faults;
    // A monitor's text may have several lines, too.
    if let Some(summary) = table.take("summary").and_then(|item| item.lines(faults)) {
        summary.value.clone_into(&mut alert.summary);
    }
    if let Some(status) = table.take("status").and_then(|item| item.text(faults)) {
        match status.value {
            "firing" => alert.status = AlertStatus::Firing,
            "resolved" => alert.status = AlertStatus::Resolved,
            other => {
                let message = format!("`status` can not be {other:?}");
                faults.error("unknown-word", status.at, message, "\"firing\" or \"resolved\"");
            }
        }
    }
    let text =
        |item: &TomlItem<'_>, reader: &mut ScenarioReader<'_>| Some(item.lines(&mut reader.faults)?.value.to_owned());
    alert.labels = map(reader, table.take("labels"), text);
    alert.annotations = map(reader, table.take("annotations"), text);
    alert.values = map(reader, table.take("values"), |item, reader| item.number(&mut reader.faults));
    if let Some(confidence) = table.take("confidence").and_then(|item| reader.probability(&item)) {
        alert.confidence = confidence;
    }
    if let Some(evidence) = table.take("evidence") {
        alert.evidence = json(evidence.value);
    }
}

fn map<T>(
    reader: &mut ScenarioReader<'_>,
    item: Option<TomlItem<'_>>,
    value: impl Fn(&TomlItem<'_>, &mut ScenarioReader<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let Some(item) = item else { return BTreeMap::new() };
    let Some(mut table) = item.table(format!("`{}`", item.key), &mut reader.faults) else { return BTreeMap::new() };
    let entries = table.take_all();
    entries.iter().filter_map(|item| Some((item.key.to_owned(), value(item, reader)?))).collect()
}

fn json(value: &DeValue<'_>) -> Json {
    match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Boolean(flag) => Json::from(*flag),
        DeValue::Integer(number) => number.as_str().replace('_', "").parse::<i64>().map_or(Json::Null, Json::from),
        DeValue::Float(number) => number.as_str().replace('_', "").parse::<f64>().map_or(Json::Null, Json::from),
        DeValue::Datetime(time) => Json::from(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect()
        }
    }
}
