//! Reads `[everyone]`, `[people.NAME]` and `[channels.NAME]`: how people answer and channels deliver in virtual time.

use crate::{
    core::{ChannelName, PersonName},
    drill::scenario::{
        distribution::DelayDistribution,
        reader::ScenarioReader,
        response_model::{ChannelModel, ResponseModel},
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::LocatedValue,
    },
};
use std::{collections::BTreeMap, time::Duration};

pub(super) fn people(reader: &mut ScenarioReader<'_>, top: &mut TomlTable<'_>) -> BTreeMap<PersonName, ResponseModel> {
    named(reader, top, "people", |reader, item| {
        let person = reader.person(&LocatedValue { value: item.key, at: item.key_at });
        let model = response_model(reader, item, &format!("people `{}`", item.key));
        Some((person?, model))
    })
}

pub(super) fn channels(
    reader: &mut ScenarioReader<'_>,
    top: &mut TomlTable<'_>,
) -> BTreeMap<ChannelName, ChannelModel> {
    named(reader, top, "channels", |reader, item| {
        let channel = reader.channel(&LocatedValue { value: item.key, at: item.key_at });
        let mut table = item.table(format!("channels `{}`", item.key), &mut reader.faults)?;
        let carriage = ChannelModel {
            accepts: table.take("accepts").and_then(|item| distribution(reader, &item)),
            delivers: table.take("delivers").and_then(|item| distribution(reader, &item)),
            lost: table.take("lost").and_then(|item| reader.probability(&item)),
        };
        table.finish(&[], &[], &mut reader.faults);
        Some((channel?, carriage))
    })
}

fn named<K: Ord, V>(
    reader: &mut ScenarioReader<'_>,
    top: &mut TomlTable<'_>,
    key: &'static str,
    read: impl Fn(&mut ScenarioReader<'_>, &TomlItem<'_>) -> Option<(K, V)>,
) -> BTreeMap<K, V> {
    let Some(item) = top.take(key) else { return BTreeMap::new() };
    let Some(mut table) = item.table(format!("`{key}`"), &mut reader.faults) else { return BTreeMap::new() };
    table.take_all().iter().filter_map(|item| read(reader, item)).collect()
}

pub(super) fn response_model(reader: &mut ScenarioReader<'_>, item: &TomlItem<'_>, what: &str) -> ResponseModel {
    let Some(mut table) = item.table(what.to_owned(), &mut reader.faults) else { return ResponseModel::default() };
    let answers = table.take("answers").and_then(|item| distribution(reader, &item));
    let by = table.take("by").map(|item| {
        let texts = item.texts(&mut reader.faults).unwrap_or_default();
        let channels = texts.iter().map(|text| LocatedValue { value: text.value.as_str(), at: text.at });
        channels.filter_map(|text| reader.channel(&text)).collect()
    });
    let unable = table.take("unable").and_then(|item| reader.probability(&item));
    let ignores = table.take("ignores").and_then(|item| reader.probability(&item));
    let at_desk = table.take("at_desk").and_then(|item| reader.probability(&item));
    table.finish(&[], &[], &mut reader.faults);
    ResponseModel { answers, by_channel: BTreeMap::new(), by, unable, ignores, at_desk }
}

/// `{ median, p90 }` or `{ times = [..] }`.
fn distribution(reader: &mut ScenarioReader<'_>, item: &TomlItem<'_>) -> Option<DelayDistribution> {
    let mut table = item.table(format!("`{}`", item.key), &mut reader.faults)?;
    if let Some(times) = table.take("times") {
        table.finish(&[], &["median", "p90"], &mut reader.faults);
        let times = times.list(&mut reader.faults)?;
        let times: Vec<Duration> = times.iter().filter_map(|item| Some(reader.span(item)?.value)).collect();
        return DelayDistribution::measured(times);
    }
    let median = table.demand("median", item.at, "median = \"40s\"", &mut reader.faults);
    let median = median.and_then(|item| reader.span(&item));
    let p90 = table.demand("p90", item.at, "p90 = \"2m\"", &mut reader.faults).and_then(|item| reader.span(&item));
    table.finish(&[], &[], &mut reader.faults);
    let (median, p90) = (median?, p90?);
    if p90.value < median.value {
        let message = "`p90` is below the median: nine of ten can not be faster than half of them";
        return reader.faults.refuse("p90-below-median", p90.at, message, "write the larger of the two as `p90`");
    }
    Some(DelayDistribution::log_normal(median.value, p90.value))
}
