//! Reads the basic values of all sections of a scenario: offsets, durations, probabilities, names from the matrix.

use crate::{
    core::{ChannelName, PersonName, RoleName, names::CATCH_ALL},
    drill::scenario::{definition::LONGEST, reader::ScenarioReader},
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{LocatedValue, SourceSpan},
        nearest::instead,
    },
};
use std::time::Duration;

impl ScenarioReader<'_> {
    pub(super) fn demanded_text(
        &mut self,
        table: &mut TomlTable<'_>,
        key: &'static str,
        at: SourceSpan,
        example: &str,
    ) -> Option<LocatedValue<String>> {
        let text = table.demand(key, at, example, &mut self.faults)?.text(&mut self.faults);
        text.map(LocatedValue::owned)
    }

    pub(super) fn demanded_offset(
        &mut self,
        table: &mut TomlTable<'_>,
        at: SourceSpan,
    ) -> Option<LocatedValue<Duration>> {
        let item = table.demand("at", at, "at = \"30s\"", &mut self.faults)?;
        self.offset(&item)
    }

    /// A duration greater than zero; milliseconds are allowed.
    pub(super) fn span(&mut self, item: &TomlItem<'_>) -> Option<LocatedValue<Duration>> {
        let span = self.time(item)?;
        if span.value.is_zero() {
            let message = format!("`{}` must be longer than zero", item.key);
            return self.faults.refuse("duration-out-of-range", item.at, message, "write for example \"45s\"");
        }
        Some(span)
    }

    /// An offset before the end of the drill.
    pub(super) fn offset(&mut self, item: &TomlItem<'_>) -> Option<LocatedValue<Duration>> {
        let offset = self.time(item)?;
        self.before_the_end(offset.value, item.at, &format!("`{}`", item.key)).then_some(offset)
    }

    pub(super) fn before_the_end(&mut self, offset: Duration, at: SourceSpan, what: &str) -> bool {
        let Some(ends) = self.ends.filter(|ends| *ends < offset) else { return true };
        let (shown, ends) = (humantime::format_duration(offset), humantime::format_duration(ends));
        let message = format!("{what} is {shown} after the beginning, but the drill ends after {ends}");
        self.faults.error("after-the-end", at, message, "let the drill end later, or move this earlier");
        false
    }

    fn time(&mut self, item: &TomlItem<'_>) -> Option<LocatedValue<Duration>> {
        let span = item.any_duration(&mut self.faults)?;
        if LONGEST < span.value {
            let message = format!("`{}` is longer than a day", item.key);
            return self.faults.refuse("duration-out-of-range", item.at, message, "a drill lasts a day at most");
        }
        Some(span)
    }

    /// From 0 to 1.
    pub(super) fn probability(&mut self, item: &TomlItem<'_>) -> Option<f64> {
        let number = item.number(&mut self.faults)?;
        if (0.0..=1.0).contains(&number) {
            return Some(number);
        }
        let message = format!("`{}` must be between 0 and 1", item.key);
        self.faults.refuse("probability-out-of-range", item.at, message, "one in ten is 0.1")
    }

    pub(super) fn role(&mut self, text: &LocatedValue<&str>) -> Option<RoleName> {
        let known = self.matrix.roles.keys().map(RoleName::as_str);
        self.known("role", text, known).then(|| text.value.into())
    }

    pub(super) fn person_item(&mut self, item: &TomlItem<'_>) -> Option<PersonName> {
        let text = item.text(&mut self.faults)?;
        self.person(&text)
    }

    pub(super) fn person(&mut self, text: &LocatedValue<&str>) -> Option<PersonName> {
        let known = self.matrix.people.keys().map(PersonName::as_str);
        self.known("person", text, known).then(|| text.value.into())
    }

    pub(super) fn people(&mut self, item: &TomlItem<'_>) -> Vec<PersonName> {
        let texts = item.texts(&mut self.faults).unwrap_or_default();
        let people =
            texts.iter().filter_map(|text| self.person(&LocatedValue { value: text.value.as_str(), at: text.at }));
        people.collect()
    }

    pub(super) fn channel_item(&mut self, item: &TomlItem<'_>) -> Option<ChannelName> {
        let text = item.text(&mut self.faults)?;
        self.channel(&text)
    }

    pub(super) fn channel(&mut self, text: &LocatedValue<&str>) -> Option<ChannelName> {
        let known = self.matrix.channels.iter().map(|(name, _)| name.as_str());
        self.known("channel", text, known).then(|| text.value.into())
    }

    fn known<'k>(
        &mut self,
        what: &str,
        text: &LocatedValue<&str>,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> bool {
        if known.clone().any(|name| name == text.value) {
            return true;
        }
        let code = match what {
            "role" => "unknown-role",
            "person" => "unknown-person",
            _ => "unknown-channel",
        };
        let help = instead(text.value, known.filter(|name| *name != CATCH_ALL));
        self.faults.error(code, text.at, format!("the matrix has no {what} {:?}", text.value), help);
        false
    }
}
