//! A TOML document walked by hand, so that every fault is found and not just the first. A key is known exactly when
//! some code asks for it: what nobody asked for has no effect and is refused.

use super::{
    faults::{LocatedValue, MatrixFaults, SourceSpan},
    nearest::instead,
    source::SourceText,
};
use crate::core::hidden::{described, hidden};
use std::time::Duration;
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

const SYNTAX_HELP: &str =
    "write text in quotes, lists in [ ], every key on its own line; other faults are reported once this is fixed";

/// A file as TOML; if it is not TOML, all its faults are reported.
pub(crate) fn document<'a>(
    file: usize,
    source: &'a SourceText,
    faults: &mut MatrixFaults,
) -> Option<Spanned<DeTable<'a>>> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if errors.is_empty() {
        return Some(document);
    }
    faults.unreadable = true;
    for error in errors {
        let (span, message) = (error.span().unwrap_or(0..0), format!("this is not TOML: {}", error.message()));
        faults.error("toml-syntax", SourceSpan::new(file, span), message, SYNTAX_HELP);
    }
    None
}

/// One value of the document, with its key.
#[derive(Clone, Copy)]
pub(crate) struct TomlItem<'a> {
    /// The last part of its key.
    pub key: &'a str,
    /// Where the key stands.
    pub key_at: SourceSpan,
    /// Where the value stands.
    pub at: SourceSpan,
    pub value: &'a DeValue<'a>,
}

/// A table whose keys are asked for one by one.
pub(crate) struct TomlTable<'a> {
    /// What it is, for messages: "channel `sms`".
    pub what: String,
    entries: Vec<TomlItem<'a>>,
    asked: Vec<&'static str>,
}

impl<'a> TomlTable<'a> {
    pub(crate) fn new(what: String, file: usize, table: &'a DeTable<'a>) -> Self {
        let mut entries: Vec<TomlItem<'a>> = table.iter().map(|(key, value)| item(file, key, value)).collect();
        entries.sort_by_key(|item| item.key_at);
        Self { what, entries, asked: Vec::new() }
    }

    /// Takes from `preset` the keys that are not there. Its places are in no file of the matrix.
    pub(crate) fn fall_back_on(&mut self, preset: &'a DeTable<'a>) {
        for (key, value) in preset.iter() {
            if !self.entries.iter().any(|item| item.key == key.get_ref()) {
                self.entries.push(item(usize::MAX, key, value));
            }
        }
    }

    /// The value of a key, where it is there. From now on the key is known.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<TomlItem<'a>> {
        self.asked.push(key);
        let at = self.entries.iter().position(|item| item.key == key)?;
        Some(self.entries.remove(at))
    }

    /// The value of a key that was called `old` in the version before, which is read for one more.
    pub(crate) fn take_renamed(
        &mut self,
        key: &'static str,
        old: &'static str,
        faults: &mut MatrixFaults,
    ) -> Option<TomlItem<'a>> {
        let (item, before) = (self.take(key), self.take(old));
        // It is not suggested for a mistyped key.
        self.asked.retain(|asked| *asked != old);
        let Some(before) = before else { return item };
        match item {
            Some(item) => {
                let message = format!("`{old}` is the old name of `{key}`, which is set, too");
                faults.error("renamed-key", before.key_at, message, format!("remove `{old}`"));
                Some(item)
            }
            None => {
                let message = format!("`{old}` is called `{key}` now");
                let help = format!("write `{key}`: the next version does not know `{old}` any more");
                faults.warning("renamed-key", before.key_at, message, help);
                Some(before)
            }
        }
    }

    /// The value of a key that must be there.
    pub(crate) fn demand(
        &mut self,
        key: &'static str,
        at: SourceSpan,
        example: &str,
        faults: &mut MatrixFaults,
    ) -> Option<TomlItem<'a>> {
        let item = self.take(key);
        if item.is_none() {
            faults.error("missing-key", at, format!("{} has no `{key}`", self.what), format!("add `{example}`"));
        }
        item
    }

    /// Every entry of a table whose keys are names.
    pub(crate) fn take_all(&mut self) -> Vec<TomlItem<'a>> {
        std::mem::take(&mut self.entries)
    }

    /// Refuses what nobody asked for. `later` are keys that a later version will know; `elsewhere` says where a key
    /// that is known to others would have a meaning.
    pub(crate) fn finish(self, later: &[&str], elsewhere: &[&str], faults: &mut MatrixFaults) {
        for item in &self.entries {
            let (key, what) = (item.key, &self.what);
            if later.contains(&key) {
                faults.error("not-built-yet", item.key_at, format!("`{key}` is not built yet in this version"), {
                    "remove it: a key is accepted only when it takes effect"
                });
            } else if elsewhere.contains(&key) {
                let message = format!("`{key}` has no effect in {what}");
                faults.error("key-without-effect", item.key_at, message, "remove it");
            } else {
                let help = instead(key, self.asked.iter().copied());
                faults.error("unknown-key", item.key_at, format!("{what} does not know the key `{key}`"), help);
            }
        }
    }
}

fn item<'a>(file: usize, key: &'a Spanned<std::borrow::Cow<'a, str>>, value: &'a Spanned<DeValue<'a>>) -> TomlItem<'a> {
    let (key_at, at) = (SourceSpan::new(file, key.span()), SourceSpan::new(file, value.span()));
    TomlItem { key: key.get_ref(), key_at, at, value: value.get_ref() }
}

impl<'a> TomlItem<'a> {
    /// Text of one line that is not empty and shows all that it holds.
    pub(crate) fn text(&self, faults: &mut MatrixFaults) -> Option<LocatedValue<&'a str>> {
        self.text_of(false, faults)
    }

    /// The same where it may have several lines: what programs read.
    pub(crate) fn lines(&self, faults: &mut MatrixFaults) -> Option<LocatedValue<&'a str>> {
        self.text_of(true, faults)
    }

    fn text_of(&self, several_lines: bool, faults: &mut MatrixFaults) -> Option<LocatedValue<&'a str>> {
        match self.value {
            DeValue::String(text) if text.trim().is_empty() => {
                let help = "write something, or remove the key";
                faults.refuse("empty-text", self.at, format!("`{}` is empty", self.key), help)
            }
            DeValue::String(text) => match hidden(text, several_lines) {
                None => Some(LocatedValue { value: text, at: self.at }),
                Some(c) => {
                    let message = format!("`{}` contains {}", self.key, described(c));
                    let help = match several_lines {
                        true => "remove it: readers of the text can not see it",
                        false => "remove it: write one line of visible characters",
                    };
                    faults.refuse("control-character", self.at, message, help)
                }
            },
            _ => self.wrong_type("text", "put it in quotes: \"..\"", faults),
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, faults: &mut MatrixFaults) -> Option<bool> {
        match self.value {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong_type("true or false", "write true or false, without quotes", faults),
        }
    }

    /// A number.
    pub(crate) fn number(&self, faults: &mut MatrixFaults) -> Option<f64> {
        let number = match self.value {
            DeValue::Integer(number) => number.as_str().replace('_', "").parse().ok().filter(|_| number.radix() == 10),
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            _ => return self.wrong_type("a number", "write the number without quotes", faults),
        };
        number.or_else(|| self.wrong_type("a decimal number", "write it with digits only", faults))
    }

    /// A whole number from 0.
    pub(crate) fn count(&self, faults: &mut MatrixFaults) -> Option<u32> {
        let number = self.number(faults)?;
        if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) {
            return Some(number as u32);
        }
        self.wrong_type("a whole number from 0", "write it without a sign and without a fraction", faults)
    }

    /// From 1 to 100.
    pub(crate) fn percent(&self, faults: &mut MatrixFaults) -> Option<f64> {
        let percent = self.number(faults)?;
        if (1.0..=100.0).contains(&percent) {
            return Some(percent);
        }
        let message = format!("`{}` must be between 1 and 100", self.key);
        faults.refuse("percent-out-of-range", self.at, message, "write for example 90")
    }

    /// Text with a unit, at least a second and at most a year.
    pub(crate) fn duration(&self, faults: &mut MatrixFaults) -> Option<LocatedValue<Duration>> {
        let span = self.any_duration(faults)?;
        let bounds = Duration::from_secs(1)..=Duration::from_secs(366 * 24 * 3600);
        if !bounds.contains(&span.value) {
            let message = format!("`{}` must be between one second and one year", self.key);
            return faults.refuse("duration-out-of-range", self.at, message, "write for example \"45s\"");
        }
        Some(span)
    }

    /// Whether it is this text.
    pub(crate) fn says(&self, word: &str) -> bool {
        matches!(self.value, DeValue::String(text) if text == word)
    }

    /// Text with a unit.
    pub(crate) fn any_duration(&self, faults: &mut MatrixFaults) -> Option<LocatedValue<Duration>> {
        let DeValue::String(text) = self.value else {
            return self.wrong_type("a duration", "write it as text with a unit: \"45s\", \"2m\", \"1h 30m\"", faults);
        };
        let Ok(value) = humantime::parse_duration(text) else {
            let help = "write a number and a unit: \"45s\", \"2m\", \"1h 30m\"";
            return faults.refuse("bad-duration", self.at, format!("{text:?} is not a duration"), help);
        };
        Some(LocatedValue { value, at: self.at })
    }

    /// A date, or a date and time, in quotes or not, as it was written.
    pub(crate) fn date(&self, example: &str, faults: &mut MatrixFaults) -> Option<String> {
        match self.value {
            DeValue::Datetime(time) => Some(time.to_string()),
            DeValue::String(text) => Some(text.to_string()),
            _ => self.wrong_type("a date and time", example, faults),
        }
    }

    /// A list that is not empty.
    pub(crate) fn list(&self, faults: &mut MatrixFaults) -> Option<Vec<TomlItem<'a>>> {
        let DeValue::Array(array) = self.value else {
            return self.wrong_type("a list", "put it in brackets: [..]", faults);
        };
        if array.is_empty() {
            let message = format!("`{}` is empty", self.key);
            return faults.refuse("empty-list", self.at, message, "name at least one");
        }
        Some(self.elements(array))
    }

    fn elements(&self, array: &'a DeArray<'a>) -> Vec<TomlItem<'a>> {
        let place = |value: &'a Spanned<DeValue<'a>>| TomlItem {
            key: self.key,
            key_at: self.key_at,
            at: SourceSpan::new(self.at.file, value.span()),
            value: value.get_ref(),
        };
        array.iter().map(place).collect()
    }

    /// A list of texts that is not empty. One may come again.
    pub(crate) fn turns(&self, faults: &mut MatrixFaults) -> Option<Vec<LocatedValue<String>>> {
        let items = self.list(faults)?;
        let texts: Vec<_> = items.iter().filter_map(|item| item.text(faults).map(|text| text.owned())).collect();
        (!texts.is_empty()).then_some(texts)
    }

    /// A list of texts that is not empty and names nothing twice.
    pub(crate) fn texts(&self, faults: &mut MatrixFaults) -> Option<Vec<LocatedValue<String>>> {
        let mut texts: Vec<LocatedValue<String>> = Vec::new();
        for item in self.list(faults)? {
            let Some(text) = item.text(faults) else { continue };
            if texts.iter().any(|other| other.value == text.value) {
                let message = format!("{:?} is twice in `{}`", text.value, self.key);
                faults.error("twice-in-list", text.at, message, "remove one of them");
                continue;
            }
            texts.push(text.owned());
        }
        (!texts.is_empty()).then_some(texts)
    }

    /// The text, where it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self.value {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        }
    }

    /// A table.
    pub(crate) fn table(&self, what: String, faults: &mut MatrixFaults) -> Option<TomlTable<'a>> {
        match self.value {
            DeValue::Table(table) => Some(TomlTable::new(what, self.at.file, table)),
            _ => self.wrong_type("a table", "write { key = value }", faults),
        }
    }

    /// The same; what is no table is told how it is written. `example` gets the text that stands in its place.
    pub(crate) fn table_like(
        &self,
        what: String,
        example: impl Fn(Option<&str>) -> String,
        faults: &mut MatrixFaults,
    ) -> Option<TomlTable<'a>> {
        match self.value {
            DeValue::Table(_) => self.table(what, faults),
            _ => self.wrong_type("a table", &format!("write {}", example(self.as_text())), faults),
        }
    }

    /// Reports that another type is wanted; always none.
    pub(crate) fn wrong_type<T>(&self, wanted: &str, help: &str, faults: &mut MatrixFaults) -> Option<T> {
        let found = match self.value {
            DeValue::String(_) => "text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{}` must be {wanted}, but this is {found}", self.key);
        faults.refuse("wrong-type", self.at, message, help)
    }
}
