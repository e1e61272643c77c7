//! The functions for templates. An alert's labels, values and annotations are open maps: these functions output a field
//! if it exists and nothing otherwise, so that templates need no checks on each line.

use super::{fit, html};
use crate::text::number::number;
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

/// An environment that rejects undefined names, stops endless loops, and has our functions.
pub(super) fn environment() -> Environment<'static> {
    let mut env = syntax();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(32);
    env.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    env.add_function("fact", fact);
    env.add_function("show", show);
    env.add_function("rest", rest);
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
    for (ending, before, after) in UNITS {
        if let Some(bare) = name.strip_suffix(ending).filter(|bare| !bare.is_empty()) {
            return (caption(bare), format!("{before}{}{after}", number(value)));
        }
    }
    (caption(name), number(value))
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

/// `rest()`: the labels and values that no `fact` or `show` has used yet, for a line at the end.
fn rest(state: &mut State) -> Vec<String> {
    let shown = state.get_or_insert_extension_with(LookedUpNames::default).0.clone();
    let mut things = Vec::new();
    for (map, is_value) in [("values", true), ("labels", false)] {
        let Some(entries) = alert_map(state, map) else { continue };
        for key in entries.try_iter().into_iter().flatten().filter_map(|key| key.as_str().map(str::to_owned)) {
            if shown.contains(&key) || REST_MAX <= things.len() {
                continue;
            }
            if let Some((name, text)) = entry(&entries, &key, is_value) {
                things.push(format!("{name} {text}"));
            }
        }
    }
    things
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

fn first(state: &mut State, names: &[String]) -> Option<(String, String)> {
    state.get_or_insert_extension_with(LookedUpNames::default).0.extend(names.iter().cloned());
    let maps = [("labels", false), ("values", true), ("annotations", false)];
    let found = |name: &String| maps.iter().find_map(|(map, is_value)| entry(&alert_map(state, map)?, name, *is_value));
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
