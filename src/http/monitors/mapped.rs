//! Any JSON, by the `map` of its source.

use super::{
    cloudevents::{self, CloudEvent},
    item::{self, CUT_OFF, KeptAnswer, MonitorItem, ReadItem},
};
use crate::{
    core::{Alert, printable::excerpt},
    http::api::items::{self, BodyItems},
    matrix::{BodyMap, MAP_COST_MAX, MAP_ITEMS_MAX, MAP_SHARE_MIN, MappedBody, Matrix},
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

/// The items of a body. Where it can not be read whole, and `each` says where its items are, each is read by itself: a bad
/// one costs no other.
///
/// # Errors
/// If it is no JSON.
pub fn read(matrix: &Matrix, map: &BodyMap, body: &[u8]) -> Result<MappedItems, String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    let mapped = match json(body) {
        Ok(body) => matrix.map_body(map, &body, MAP_COST_MAX),
        Err(why) => {
            let (around, items) = map.path().and_then(|path| apart(body, &path)).ok_or(why)?;
            matrix.map_items(map, &around, items, MAP_COST_MAX)
        }
    };
    let mut read = MappedItems::default();
    read.take(mapped, |once, _, alert| match once {
        Some(id) => MonitorItem::Once { id, alert, answer: KeptAnswer::default() },
        None => MonitorItem::Alert(alert),
    });
    Ok(read.finished())
}

/// Strict JSON, or what programs send in its place.
fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_str(&items::tamed(bytes)).map_err(|error| excerpt(&error.to_string(), FAULT_MAX).into_owned())
}

/// A body that can not be read whole: what stands around the array at this path, as far as it can be read, and the items of the
/// array, each by itself. `None` where no array is there.
fn apart(body: &[u8], path: &[&str]) -> Option<(Value, Vec<Result<Value, String>>)> {
    let (mut start, mut object) = (0, body);
    if let [within @ .., last] = path {
        for name in within {
            let found = items::value_of(object, name, b'{')?;
            start += object.len() - found.len();
            // What follows it is not its own.
            object = BodyItems::of(found)?.items.first()?;
        }
        start += object.len() - items::array_of(object, last)?.len();
    }
    let cut = BodyItems::of(&body[start..]).filter(|cut| cut.in_array)?;
    let before = &body[..start];
    let around = json(&[before, b"[]", cut.rest].concat()).unwrap_or_default();
    let mut read: Vec<_> = cut.items.iter().map(|item| json(item)).collect();
    if !cut.closed {
        read.push(Err("the array has no end: what was cut off may be missing".to_owned()));
    }
    Some((around, read))
}

/// The items of events: the body that the mapping sees is the event in its structured form.
pub fn of_events(matrix: &Matrix, map: &BodyMap, events: Vec<Result<CloudEvent, String>>) -> MappedItems {
    let mut read = MappedItems::default();
    let beyond = cloudevents::cut_off(events.len());
    // Each has its share: one that costs too much costs no other.
    let share = (MAP_COST_MAX / events.len().max(1) as u64).max(MAP_SHARE_MIN);
    for event in events {
        match event {
            Err(why) => read.items.push(Err(why)),
            Ok(event) => {
                let identity = event.identity();
                read.take(matrix.map_body(map, &event.json(), share), |once, index, alert| {
                    let id = once.unwrap_or_else(|| format!("{identity}.{index}"));
                    MonitorItem::Once { id, alert, answer: KeptAnswer::default() }
                });
            }
        }
    }
    read.items.extend(beyond);
    read.finished()
}

impl MappedItems {
    fn take(&mut self, mapped: MappedBody, item: impl Fn(Option<String>, usize, Box<Alert>) -> MonitorItem) {
        let MappedBody { items, left_out, told } = mapped;
        let beyond = MAP_ITEMS_MAX < items.len();
        self.items.extend(items.into_iter().map(|read| {
            let Some(mapped) = read.map_err(|why| excerpt(&why, FAULT_MAX).into_owned())? else {
                return Ok(MonitorItem::Noted(SKIPPED));
            };
            let mut alert = Box::new(mapped.alert);
            alert.evidence = mapped.item;
            item::make_keepable(&mut alert);
            Ok(item(mapped.once, mapped.index, alert))
        }));
        self.items.extend(beyond.then_some(Ok(MonitorItem::Noted(CUT_OFF))));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_items_of_a_body_are_found_at_their_path_and_what_is_around_them_is_read() {
        for (body, path, wanted) in [
            (
                r#"{"a":1,"events":[{"x":1},{"x" 2},3],"b":"]"}"#,
                &["events"][..],
                Some((r#"{"a":1,"events":[],"b":"]"}"#, 3)),
            ),
            (r#"[{"x":1},nonsense]"#, &[], Some(("[]", 2))),
            (r#"{"data":{"events":[1,x]},"b":2}"#, &["data", "events"], Some((r#"{"data":{"events":[]},"b":2}"#, 2))),
            (r#"{"data":{},"other":{"events":[1,x]}}"#, &["data", "events"], None),
            (r#"{"events":[1,x],"b":y}"#, &["events"], Some(("null", 2))),
            (r#"{"b":1,"events":[1,2"#, &["events"], Some(("null", 3))),
            (r#"{"events":{"x":1}}"#, &["events"], None),
            ("nonsense", &[], None),
        ] {
            let read = apart(body.as_bytes(), path).map(|(around, items)| (around.to_string(), items.len()));
            let wanted = wanted.map(|(around, items): (&str, usize)| {
                let around: Value = serde_json::from_str(around).expect("JSON");
                (around.to_string(), items)
            });
            assert_eq!(read, wanted, "{body}");
        }
    }
}
