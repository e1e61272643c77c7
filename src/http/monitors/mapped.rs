//! Any JSON, by the `map` of its source.

use super::{
    cloudevents::CloudEvent,
    item::{self, MonitorItem, ReadItem},
};
use crate::{
    core::{Alert, printable::excerpt},
    http::api::items,
    matrix::{BodyMap, MAP_COST_MAX, MappedBody, Matrix},
};
use serde_json::Value;

/// The most characters of a fault that are told back to the sender.
const FAULT_MAX: usize = 300;

/// What an item counts as that is no alert, as `when` says.
const SKIPPED: &str = "skipped";

/// What a part of an alert counts as that could not be evaluated.
const LEFT_OUT: &str = "left-out";

/// What a mapping made of a body.
#[derive(Debug, Default)]
pub struct MappedItems {
    /// The items, each by itself.
    pub items: Vec<ReadItem>,
    /// Why parts of them were left out; one of the reasons.
    pub why: Option<String>,
    /// How many parts.
    left_out: usize,
}

impl From<Vec<ReadItem>> for MappedItems {
    /// Items that no mapping made.
    fn from(items: Vec<ReadItem>) -> Self {
        Self { items, why: None, left_out: 0 }
    }
}

/// The items of a body.
///
/// # Errors
/// If it is no JSON.
pub fn read(matrix: &Matrix, map: &BodyMap, body: &[u8]) -> Result<MappedItems, String> {
    let json = items::mended(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).0;
    let body: Value =
        serde_json::from_str(&json).map_err(|error| excerpt(&error.to_string(), FAULT_MAX).into_owned())?;
    let mut read = MappedItems::default();
    read.take(matrix.map_body(map, &body, MAP_COST_MAX), |once, _, alert| match once {
        Some(id) => MonitorItem::Once { id, alert, answer: String::new() },
        None => MonitorItem::Alert(alert),
    });
    Ok(read.finished())
}

/// The items of events: the body that the mapping sees is the event in its structured form.
pub fn of_events(matrix: &Matrix, map: &BodyMap, events: Vec<Result<CloudEvent, String>>) -> MappedItems {
    let mut read = MappedItems::default();
    // Each has its share: one that costs too much costs no other.
    let share = MAP_COST_MAX / events.len().max(1) as u64;
    for event in events {
        match event {
            Err(why) => read.items.push(Err(why)),
            Ok(event) => {
                let identity = event.identity();
                read.take(matrix.map_body(map, &event.json(), share), |once, index, alert| {
                    let id = once.unwrap_or_else(|| format!("{identity}.{index}"));
                    MonitorItem::Once { id, alert, answer: String::new() }
                });
            }
        }
    }
    read.finished()
}

impl MappedItems {
    fn take(&mut self, mapped: MappedBody, item: impl Fn(Option<String>, usize, Box<Alert>) -> MonitorItem) {
        let MappedBody { items, left_out, told } = mapped;
        self.items.extend(items.into_iter().map(|read| {
            let Some(mapped) = read.map_err(|why| excerpt(&why, FAULT_MAX).into_owned())? else {
                return Ok(MonitorItem::Noted(SKIPPED));
            };
            let mut alert = Box::new(mapped.alert);
            alert.evidence = mapped.item;
            item::make_keepable(&mut alert);
            Ok(item(mapped.once, mapped.index, alert))
        }));
        self.left_out += left_out;
        if self.why.is_none() {
            self.why = told.into_iter().next();
        }
    }

    /// What is counted of what was left out stands behind the items, so that each item has its own place.
    fn finished(mut self) -> Self {
        self.items.extend((0..self.left_out).map(|_| Ok(MonitorItem::Noted(LEFT_OUT))));
        self
    }
}
