//! How the body of a source that has a format of its own becomes alerts: `map` of `[source.NAME]`, in CEL.

use crate::{
    core::{Alert, AlertStatus, Timestamp, canonical::sha256, printable::excerpt, time::ForeignTime},
    matrix::{
        compiled::compiled,
        cost::CostMeter,
        expression::{CelExpression, ExpressionLanguage, ExpressionScope},
        expression_fault::{ExpressionRoot, ExpressionUse},
    },
    text::quantity,
    toml_kit::{document::TomlItem, faults::MatrixFaults},
};
use serde_json::Value as Json;
use std::sync::Arc;

/// The most items of one body that `each` may give.
pub const MAP_ITEMS_MAX: usize = 10_000;

/// The most that the mapping of one request may cost, in units of [`CostMeter`]: about a quarter of a second, divided evenly
/// among its items.
pub const MAP_COST_MAX: u64 = 5_000_000;

/// What the mapping of an item may always cost, however many there are.
pub const MAP_SHARE_MIN: u64 = 5_000;

/// The longest text that an expression may give for an alert, in characters; a longer one is cut.
const TEXT_MAX: usize = 16 * 1024;

/// The longest kind, in characters; a longer one is cut, and no trigger has it.
const KIND_MAX: usize = 256;

/// The most faults that are told of those for which parts were left out.
const TOLD_MAX: usize = 5;

/// How a body becomes alerts.
#[derive(Debug, PartialEq, Eq)]
pub struct BodyMap {
    /// The items of the body; without it the body is one.
    each: Option<CelExpression>,
    /// Which items are alerts; without it, all.
    when: Option<CelExpression>,
    /// What tells an item from others, so that one that comes again is admitted once.
    once: Option<CelExpression>,
    kind: CelExpression,
    resolved: Option<CelExpression>,
    summary: Option<CelExpression>,
    starts_at: Option<CelExpression>,
    confidence: Option<CelExpression>,
    labels: NamedExpressions,
    values: NamedExpressions,
    annotations: NamedExpressions,
}

type NamedExpressions = Vec<(String, CelExpression)>;

/// What became of a body.
#[derive(Debug, Default)]
pub struct MappedBody {
    /// The items, each by itself: an alert, none where `when` says so, or why it can not be one.
    pub items: Vec<Result<Option<MappedAlert>, String>>,
    /// How many parts of alerts were left out, because their expressions could not be evaluated.
    pub left_out: usize,
    /// Why, of the first ones.
    pub told: Vec<String>,
}

/// An alert of a body.
#[derive(Debug)]
pub struct MappedAlert {
    /// The alert. It has no id, no source and no evidence yet.
    pub alert: Alert,
    /// The item that it was made of.
    pub item: Json,
    /// What tells it from others of its source; it is as long as a hash.
    pub once: Option<String>,
    /// The place of its item in what `each` gave.
    pub index: usize,
}

/// Reads `map = { .. }`, or a table `[source.NAME.map]`.
pub(super) fn read(
    item: &TomlItem<'_>,
    file: &str,
    language: &ExpressionLanguage,
    faults: &mut MatrixFaults,
) -> Option<BodyMap> {
    let example = |kind: Option<&str>| format!("map = {{ kind = '{}' }}", kind.unwrap_or("body.event"));
    let mut table = item.table_like("`map`".into(), example, faults)?;
    let compile = |item: Option<TomlItem<'_>>, purpose, root, faults: &mut MatrixFaults| {
        compiled(&item?, file, faults, |text| language.compile_for(text, purpose, root))
    };
    let each = table.take("each");
    let root = if each.is_some() { ExpressionRoot::Item } else { ExpressionRoot::Body };
    let each = compile(each, ExpressionUse::List, ExpressionRoot::Body, faults);
    let named = |item: Option<TomlItem<'_>>, faults: &mut MatrixFaults| {
        let table = item.and_then(|item| item.table(format!("`{}`", item.key), faults));
        let entries = table.map(|mut table| table.take_all()).unwrap_or_default();
        let read = |entry: TomlItem<'_>| {
            let name = entry.key.to_owned();
            compile(Some(entry), ExpressionUse::Scalar, root, faults).map(|expression| (name, expression))
        };
        entries.into_iter().filter_map(read).collect::<NamedExpressions>()
    };
    let kind = table.demand("kind", item.at, "kind = 'body.event'", faults);
    let kind = compile(kind, ExpressionUse::Scalar, root, faults);
    let when = compile(table.take("when"), ExpressionUse::Condition, root, faults);
    let resolved = compile(table.take("resolved"), ExpressionUse::Condition, root, faults);
    let once = compile(table.take("once"), ExpressionUse::Scalar, root, faults);
    let summary = compile(table.take("summary"), ExpressionUse::Scalar, root, faults);
    let starts_at = compile(table.take("starts_at"), ExpressionUse::Scalar, root, faults);
    let confidence = compile(table.take("confidence"), ExpressionUse::Scalar, root, faults);
    let labels = named(table.take("labels"), faults);
    let values = named(table.take("values"), faults);
    let annotations = named(table.take("annotations"), faults);
    table.finish(&[], &[], faults);
    let kind = kind?;
    Some(BodyMap { each, when, once, kind, resolved, summary, starts_at, confidence, labels, values, annotations })
}

impl BodyMap {
    /// The alerts of a body, for at most `most` units. Nothing of one item costs another, and no part but its kind costs an
    /// item.
    pub(super) fn apply(&self, language: &ExpressionLanguage, body: &Json, most: u64) -> MappedBody {
        let meter = Arc::new(CostMeter::new(most));
        let mut mapped = MappedBody::default();
        let Some(each) = &self.each else {
            self.item(&ExpressionScope::of_body(language, body, &meter), (0, body), &mut mapped);
            return mapped;
        };
        match each.list(&ExpressionScope::of_body(language, body, &meter)) {
            Ok(items) => self.each(language, body, items.into_iter().map(Ok).collect(), most),
            Err(why) => {
                mapped.items.push(Err(why));
                mapped
            }
        }
    }

    /// The same of items that were read apart from the body that is around them, or why they could not be read.
    pub(super) fn each(
        &self,
        language: &ExpressionLanguage,
        body: &Json,
        items: Vec<Result<Json, String>>,
        most: u64,
    ) -> MappedBody {
        let meter = Arc::new(CostMeter::new(most));
        let mut mapped = MappedBody::default();
        // Each has its share: one that costs too much costs no other.
        let share = (most / items.len().max(1) as u64).max(MAP_SHARE_MIN);
        let mut scope = ExpressionScope::of_body(language, body, &meter);
        for (index, item) in items.iter().take(MAP_ITEMS_MAX).enumerate() {
            match item {
                Ok(item) => {
                    meter.allow(share);
                    scope.set_item(item);
                    self.item(&scope, (index, item), &mut mapped);
                }
                Err(why) => mapped.items.push(Err(why.clone())),
            }
        }
        if MAP_ITEMS_MAX < items.len() {
            let late = items.len() - MAP_ITEMS_MAX;
            mapped.items.push(Err(format!("{late} more than {MAP_ITEMS_MAX} items in one body: they are lost")));
        }
        mapped
    }

    /// The names that lead from the body to its items, where `each` is no more than that: `body.data.events`.
    pub fn path(&self) -> Option<Vec<&str>> {
        let mut names = self.each.as_ref()?.text().trim().split('.').map(str::trim);
        let is_name = |name: &&str| {
            !name.starts_with(|first: char| first.is_ascii_digit())
                && !name.is_empty()
                && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        let names = (names.next() == Some("body")).then(|| names.collect::<Vec<_>>())?;
        names.iter().all(is_name).then_some(names)
    }

    fn item(&self, scope: &ExpressionScope<'_>, (index, item): (usize, &Json), mapped: &mut MappedBody) {
        // An item of which nobody knows whether it is an alert is one.
        let is_alert = mapped.part(self.when.as_ref(), |when| when.holds(scope)).unwrap_or(true);
        if !is_alert {
            mapped.items.push(Ok(None));
            return;
        }
        let alert = self.alert(scope, mapped);
        let once = mapped.part(self.once.as_ref(), |once| once.scalar(scope));
        // A blank one tells nothing from anything.
        let once = once.filter(|once| !once.trim().is_empty()).map(|once| sha256(once.as_bytes()));
        mapped.items.push(alert.map(|alert| Some(MappedAlert { alert, item: item.clone(), once, index })));
    }

    fn alert(&self, scope: &ExpressionScope<'_>, mapped: &mut MappedBody) -> Result<Alert, String> {
        let kind = self.kind.scalar(scope)?;
        let kind = excerpt(kind.trim(), KIND_MAX);
        if kind.is_empty() {
            return Err(format!("`{}` gives no kind", self.kind.text()));
        }
        let mut alert = Alert::new("", kind.into_owned());
        if mapped.part(self.resolved.as_ref(), |resolved| resolved.holds(scope)) == Some(true) {
            alert.status = AlertStatus::Resolved;
        }
        let text =
            |expression: &CelExpression| expression.scalar(scope).map(|text| excerpt(&text, TEXT_MAX).into_owned());
        alert.summary = mapped.part(self.summary.as_ref(), text).unwrap_or_default();
        alert.starts_at = mapped.part(self.starts_at.as_ref(), |time| time.scalar(scope)).and_then(|text| time(&text));
        let number = |name: &str, expression: &CelExpression| {
            let text = expression.scalar(scope)?;
            let shown = excerpt(&text, TOLD_MAX * 10);
            quantity::read(name, &text).ok_or_else(|| format!("{name} is {shown:?}, which is no number"))
        };
        let confidence = mapped.part(self.confidence.as_ref(), |confidence| number("confidence", confidence));
        alert.confidence = confidence.unwrap_or(alert.confidence);
        for (name, expression) in &self.labels {
            let label = mapped.part(Some(expression), text).filter(|text| !text.is_empty());
            alert.labels.extend(label.map(|text| (name.clone(), text)));
        }
        for (name, expression) in &self.values {
            let value = mapped.part(Some(expression), |expression| number(name, expression));
            alert.values.extend(value.map(|value| (name.clone(), value)));
        }
        for (name, expression) in &self.annotations {
            alert.annotations.extend(mapped.part(Some(expression), text).map(|text| (name.clone(), text)));
        }
        Ok(alert)
    }
}

impl MappedBody {
    /// A part of an alert; one that can not be evaluated is left out, which is counted.
    fn part<T>(
        &mut self,
        expression: Option<&CelExpression>,
        read: impl FnOnce(&CelExpression) -> Result<T, String>,
    ) -> Option<T> {
        match read(expression?) {
            Ok(value) => Some(value),
            Err(why) => {
                self.left_out += 1;
                if self.told.len() < TOLD_MAX {
                    self.told.push(why);
                }
                None
            }
        }
    }
}

/// A time as monitors write it: RFC 3339 and its kin, or Unix seconds or milliseconds.
fn time(text: &str) -> Option<Timestamp> {
    let unix = text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| {
        let seconds = if number.abs() < 1e11 { number } else { number / 1000.0 };
        Timestamp::from_micros((seconds * 1e6) as i64)
    });
    unix.or_else(|| ForeignTime::read(text).filter(|time| !time.is_unset()).and_then(ForeignTime::at))
}
