//! The functions for templates. An alert's labels, values and annotations are open maps: these functions output a field
//! if it exists and nothing otherwise, so that templates need no checks on each line.

use super::{fit, html};
use crate::text::{
    money::{band, banded, is_amount, spoken, without_amounts},
    number::{self, number},
    quantity::is_counted,
};
use minijinja::{
    AutoEscape, Environment, Error, State, UndefinedBehavior, Value,
    syntax::SyntaxConfig,
    value::{Kwargs, Rest},
};
use std::collections::BTreeSet;

/// How many instructions one file may run: an endless loop is stopped.
pub const FUEL: u64 = 50_000;

/// How many fields `rest()` lists.
const REST_MAX: usize = 12;

/// The separator between two fields on one line.
const BETWEEN: &str = " · ";

/// Units that the end of a value's name implies: `drop_pct` is `drop 5%`.
const UNITS: [(&str, &str, &str); 16] = [
    ("_usd", "USD ", ""),
    ("_eur", "EUR ", ""),
    ("_gbp", "GBP ", ""),
    ("_pct", "", "%"),
    ("_percent", "", "%"),
    ("_bps", "", " bps"),
    ("_ticks", "", " ticks"),
    ("_lots", "", " lots"),
    ("_ns", "", " ns"),
    ("_us", "", " us"),
    ("_ms", "", " ms"),
    ("_seconds", "", " s"),
    ("_s", "", " s"),
    ("_min", "", " min"),
    ("_bytes", "", " bytes"),
    ("_rps", "", "/s"),
];

/// Those of them that are times.
const TIMES: [&str; 6] = ["_ns", "_us", "_ms", "_seconds", "_s", "_min"];

/// An environment that rejects undefined names, stops endless loops, and has our functions.
pub(super) fn environment() -> Environment<'static> {
    let mut env = syntax();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(32);
    env.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    env.add_function("fact", fact);
    env.add_function("show", show);
    env.add_function("amount", amount);
    env.add_function("up", |state: &mut State, names: Rest<String>| moved(state, &names, ["up", "down"]));
    env.add_function("down", |state: &mut State, names: Rest<String>| moved(state, &names, ["down", "up"]));
    env.add_function("factor", factor);
    env.add_function("rest", rest);
    env.add_filter("band", as_band);
    env.add_filter("without_amounts", as_without_amounts);
    env.add_function("line", line);
    env.add_function("row", row);
    env
}

/// An environment in which a line with only a block leaves no empty line.
pub(super) fn syntax() -> Environment<'static> {
    let mut env = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    env
}

/// A value with the unit that its name implies, and the name without it.
fn reading(name: &str, value: f64) -> (String, String) {
    in_unit(name, &number(value))
}

/// The text of a value with the unit that its name implies, and the name without it. What a rate is measured against is no
/// unit of its number, and stays in the name: `orders_per_min` is `orders per min 480`.
fn in_unit(name: &str, text: &str) -> (String, String) {
    let is_one =
        |per: &str| !per.contains('_') || ends_with_number(per.rsplit_once('_').map_or("", |(number, _)| number));
    if let Some((what, per)) = name.rsplit_once("_per_").filter(|(what, per)| !what.is_empty() && is_one(per)) {
        let (bare, text) = in_unit(what, text);
        return (format!("{bare} per {}", caption(per)), text);
    }
    for (ending, before, after) in UNITS {
        if let Some(bare) = name.strip_suffix(ending).filter(|bare| !bare.is_empty()) {
            // What is counted has no seconds: it is in each second.
            if ending == "_s" && is_counted(bare.rsplit('_').next().unwrap_or_default()) {
                return (caption(bare), format!("{text}/s"));
            }
            // A time with its own number is what it was counted in: `orders_in_5_min`.
            if TIMES.contains(&ending) && ends_with_number(bare) {
                break;
            }
            return (caption(bare), format!("{before}{text}{after}"));
        }
    }
    (caption(name), text.to_owned())
}

/// Whether the last word of a name is a number, and no percentile: `orders_in_5`, but not `latency_99`.
fn ends_with_number(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or_default();
    !last.is_empty() && last.bytes().all(|digit| digit.is_ascii_digit()) && !matches!(last, "95" | "99" | "999")
}

/// `fact("symbol", "instrument")`: the text of the first label, value or annotation of these names; `None` if there
/// is none.
fn fact(state: &mut State, names: Rest<String>) -> Option<String> {
    first(state, &names).map(|(_, text)| text)
}

/// `show("spread_bps")`: the same with its name, `spread 12 bps`; `caption=` gives another name.
fn show(state: &mut State, names: Rest<String>, options: Kwargs) -> Result<Option<String>, Error> {
    let renamed: Option<String> = options.get("caption")?;
    options.assert_all_used()?;
    Ok(first(state, &names).map(|(name, text)| format!("{} {text}", renamed.unwrap_or(name))))
}

/// `amount("exposure_usd", caption="net", plus="long", minus="short")`: a position, a profit or a loss. The figure where
/// only its reader sees it, else its band: `net short, USD 25-50 million`. With `band=true` always the band.
fn amount(state: &mut State, names: Rest<String>, options: Kwargs) -> Result<Option<String>, Error> {
    let renamed: Option<String> = options.get("caption")?;
    let (plus, minus): (Option<String>, Option<String>) = (options.get("plus")?, options.get("minus")?);
    let is_band: Option<bool> = options.get("band")?;
    options.assert_all_used()?;
    let is_confidential = state.lookup("confidential").is_some_and(|confidential| confidential.is_true());
    let Some((name, value)) = first_value(state, &names) else { return Ok(None) };
    let Ok(value) = f64::try_from(value.clone()) else {
        let text = value.as_str().unwrap_or_default();
        let text = match is_confidential && is_band != Some(true) {
            true => text.to_owned(),
            false => said_aloud(state, banded(text)),
        };
        return Ok(Some(format!("{} {text}", renamed.unwrap_or_else(|| caption(&name)))));
    };
    if is_confidential && is_band != Some(true) {
        let (bare, text) = reading(&name, value);
        return Ok(Some(format!("{} {text}", renamed.unwrap_or(bare))));
    }
    let (bare, text) = in_unit(&name, &said_aloud(state, band(value)));
    let side = if value < 0.0 { minus.or_else(|| Some("minus".to_owned())) } else { plus.filter(|_| 0.0 < value) };
    let side = side.map_or_else(String::new, |side| format!(" {side},"));
    Ok(Some(format!("{}{side} {text}", renamed.unwrap_or(bare))))
}

/// `factor("notional", "intended")`: how many times the second the first is, where the alert has both in one currency:
/// `7,655 x intended`.
fn factor(state: &mut State, what: String, of: String) -> Option<String> {
    let mut given = |name: &str, currency: &str| {
        let (_, value) = first_value(state, &[format!("{name}{currency}")])?;
        f64::try_from(value).ok().filter(|value| value.is_finite() && *value != 0.0)
    };
    let (size, base) =
        ["_usd", "_eur", "_gbp", ""].into_iter().find_map(|in_| Some((given(&what, in_)?, given(&of, in_)?)))?;
    Some(format!("{} {}", number::factor(size, base)?, caption(&of)))
}

/// `up("move_pct")`: `up 6.1%`, or `down 6.1%` where the value is below zero; `down("drop_pct")` the other way round.
fn moved(state: &mut State, names: &[String], [plus, minus]: [&str; 2]) -> Option<String> {
    let (name, value) = first_value(state, names)?;
    let value = f64::try_from(value).ok()?;
    let (_, text) = reading(&name, value.abs());
    Some(format!("{} {text}", if value < 0.0 { minus } else { plus }))
}

/// `number|band` and `text|band`: bands in place of the figures of positions, profits and losses. With `unless=true` it
/// stays as it is.
fn as_band(state: &State, value: Value, options: Kwargs) -> Result<Value, Error> {
    let unless: Option<bool> = options.get("unless")?;
    options.assert_all_used()?;
    if unless == Some(true) {
        return Ok(value);
    }
    Ok(match value.as_str() {
        Some(text) => Value::from(said_aloud(state, banded(text))),
        None => f64::try_from(value.clone()).map_or(value, |value| Value::from(said_aloud(state, band(value)))),
    })
}

/// In a call a band is read as `25 to 50 million`.
fn said_aloud(state: &State, band: String) -> String {
    let is_call = state.lookup("form").is_some_and(|form| form.as_str() == Some("voice"));
    if is_call { spoken(&band) } else { band }
}

/// `text|without_amounts`: the text without these figures.
fn as_without_amounts(value: Value) -> Value {
    value.as_str().map(without_amounts).map_or(value.clone(), Value::from)
}

/// `rest()`: the labels and values that no function has used yet, for a line at the end; without positions, profits and
/// losses, unless `amounts=true`.
fn rest(state: &mut State, options: Kwargs) -> Result<Vec<String>, Error> {
    let amounts: Option<bool> = options.get("amounts")?;
    options.assert_all_used()?;
    let shown = state.get_or_insert_extension_with(LookedUpNames::default).0.clone();
    let mut things = Vec::new();
    for (map, is_value) in [("values", true), ("labels", false)] {
        let Some(entries) = alert_map(state, map) else { continue };
        for key in entries.try_iter().into_iter().flatten().filter_map(|key| key.as_str().map(str::to_owned)) {
            let is_left_out = amounts != Some(true) && is_amount(&key);
            if is_left_out || shown.contains(&key) || REST_MAX <= things.len() {
                continue;
            }
            if let Some((name, text)) = entry(&entries, &key, is_value) {
                let text = if is_value || amounts == Some(true) { text } else { without_amounts(&text) };
                things.push(format!("{name} {text}"));
            }
        }
    }
    Ok(things)
}

/// `line("Market", a, b, ..)`: `Market: a · b`. Missing values are left out, and if none is left the line is removed.
fn line(label: String, parts: Rest<Value>) -> String {
    let parts = said(&parts);
    if parts.is_empty() { fit::NOTHING.to_owned() } else { format!("{label}: {}", parts.join(BETWEEN)) }
}

/// The same as a table row in a mail.
fn row(label: String, parts: Rest<Value>) -> Value {
    let parts = said(&parts);
    let row = if parts.is_empty() { fit::NOTHING.to_owned() } else { html::row(&label, &parts.join(BETWEEN)) };
    Value::from_safe_string(row)
}

/// The names that this rendering has used.
#[derive(Default)]
struct LookedUpNames(BTreeSet<String>);

/// The maps of an alert in which a name is looked for, and whether they have numbers.
const MAPS: [(&str, bool); 3] = [("labels", false), ("values", true), ("annotations", false)];

fn first(state: &mut State, names: &[String]) -> Option<(String, String)> {
    state.get_or_insert_extension_with(LookedUpNames::default).0.extend(names.iter().cloned());
    let found = |name: &String| MAPS.iter().find_map(|(map, is_value)| entry(&alert_map(state, map)?, name, *is_value));
    names.iter().find_map(found)
}

/// The same as it came: a number or a text, and the name that it has.
fn first_value(state: &mut State, names: &[String]) -> Option<(String, Value)> {
    state.get_or_insert_extension_with(LookedUpNames::default).0.extend(names.iter().cloned());
    let given = |map: &str, name: &str| {
        let value = alert_map(state, map)?.get_attr(name).ok()?;
        Some(value).filter(|value| !value.is_undefined() && !value.is_none() && value.as_str() != Some(""))
    };
    let found = |name: &String| Some((name.clone(), MAPS.iter().find_map(|(map, _)| given(map, name))?));
    names.iter().find_map(found)
}

fn alert_map(state: &State, map: &str) -> Option<Value> {
    let alert = state.lookup("alert")?;
    alert.get_attr(map).ok().filter(|map| !map.is_undefined())
}

fn entry(map: &Value, name: &str, is_value: bool) -> Option<(String, String)> {
    let value = map.get_attr(name).ok().filter(|value| !value.is_undefined() && !value.is_none())?;
    if is_value {
        return f64::try_from(value).ok().map(|value| reading(name, value));
    }
    let text = value.as_str().filter(|text| !text.is_empty())?.to_owned();
    Some((caption(name), text))
}

fn said(parts: &[Value]) -> Vec<String> {
    let mut said = Vec::new();
    for part in parts.iter().filter(|part| !part.is_none() && !part.is_undefined()) {
        match part.as_str() {
            Some(text) => said.push(text.to_owned()),
            None => match part.try_iter() {
                Ok(inner) => said.extend(inner.map(|value| value.to_string())),
                Err(_) => said.push(part.to_string()),
            },
        }
    }
    said.retain(|text| !text.is_empty());
    said
}

fn caption(name: &str) -> String {
    name.replace('_', " ")
}
