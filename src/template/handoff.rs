//! What a user may be told while a conversation is handed over, in their language. What is not so has no words here: a name
//! is given only once a person has the conversation, a time only where the data carry one.

use super::{broken::BrokenTemplate, functions};
use crate::core::{HandoffState, handoff::WordingVariant};
use minijinja::{Environment, context};
use std::collections::{BTreeMap, BTreeSet};

/// The folder of these texts.
pub(super) const FOLDER: &str = "handoff";

/// The language of users for whose own there are no texts.
const FALLBACK: &str = "en";

/// The states of which a user is told, and the files' names.
pub(super) const STATES: [HandoffState; 6] = [
    HandoffState::Offered,
    HandoffState::Assigned,
    HandoffState::Connected,
    HandoffState::Completed,
    HandoffState::Returned,
    HandoffState::Unanswered,
];

macro_rules! shipped {
    ($($locale:literal: $($state:literal),*);* $(;)?) => {
        [$($(
            (concat!($locale, "/", $state, ".txt"), include_str!(concat!("../../templates/handoff/", $locale, "/", $state, ".txt"))),
        )*)*]
    };
}

const SHIPPED: [(&str, &str); 19] = shipped! {
    "en": "offered", "offered.b", "assigned", "connected", "completed", "returned", "unanswered";
    "de": "offered", "assigned", "connected", "completed", "returned", "unanswered";
    "es": "offered", "assigned", "connected", "completed", "returned", "unanswered";
};

/// What is known of a handoff, for its texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandoffFacts {
    /// What people call the role.
    pub role: String,
    /// The name of the person who has it.
    pub person: Option<String>,
    /// How long it usually takes, in whole minutes: from, to.
    pub minutes: Option<(u64, u64)>,
    /// It came out of hours.
    pub out_of_hours: bool,
    /// When somebody is there again.
    pub opens: Option<OpensAt>,
}

/// When somebody is there again, on the wall clock of the daemon's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpensAt {
    /// `09:00`.
    pub time: String,
    /// `2026-12-01`.
    pub date: String,
    /// 0 for today, 1 for tomorrow.
    pub in_days: i64,
}

/// The texts for users, by language and state.
pub(super) struct HandoffTexts {
    env: Environment<'static>,
}

impl HandoffTexts {
    /// The shipped texts, with these in place of them or beside them: `de/offered.txt`, `de/offered.b.txt`.
    pub fn build(own: BTreeMap<String, String>) -> (Self, Vec<BrokenTemplate>) {
        let shipped = SHIPPED.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let mut files: BTreeMap<String, String> = shipped.collect();
        files.extend(own);
        let (mut env, mut broken) = (functions::environment(), Vec::new());
        let paths: BTreeSet<String> = files.keys().cloned().collect();
        for (path, text) in files {
            if let Err(error) = env.add_template_owned(path.clone(), text) {
                broken.push(BrokenTemplate::from_error(&format!("{FOLDER}/{path}"), &error));
            }
        }
        let texts = Self { env };
        for path in paths {
            broken.extend(samples().iter().filter_map(|facts| texts.run(&path, facts).err()));
        }
        (texts, broken)
    }

    /// What a user may be told in this state; `None` where there is nothing to tell.
    pub fn text(
        &self,
        locale: &str,
        state: HandoffState,
        variant: Option<WordingVariant>,
        facts: &HandoffFacts,
    ) -> Option<String> {
        let locale = locale.replace('_', "-");
        let language = locale.split('-').next().unwrap_or_default();
        let other = if variant == Some(WordingVariant::B) { ".b" } else { "" };
        // A wording in the language of the user goes before the other wording in another language.
        let paths = [locale.as_str(), language, FALLBACK]
            .into_iter()
            .flat_map(|locale| [other, ""].map(|variant| format!("{locale}/{}{variant}.txt", state.as_str())));
        let path = paths.into_iter().find(|path| self.env.get_template(path).is_ok())?;
        self.run(&path, facts).ok().filter(|text| !text.is_empty())
    }

    fn run(&self, path: &str, facts: &HandoffFacts) -> Result<String, BrokenTemplate> {
        let (low, high) = facts.minutes.unzip();
        let opens = facts.opens.as_ref();
        let context = context! {
            role => &facts.role,
            person => &facts.person,
            low,
            high,
            out_of_hours => facts.out_of_hours,
            opens_time => opens.map(|opens| &opens.time),
            opens_date => opens.map(|opens| &opens.date),
            opens_in_days => opens.map(|opens| opens.in_days),
        };
        let text = self.env.get_template(path).and_then(|template| template.render(context));
        let text = text.map_err(|error| BrokenTemplate::from_error(&format!("{FOLDER}/{path}"), &error))?;
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// With everything, and with nothing but the role.
fn samples() -> [HandoffFacts; 2] {
    let opens = OpensAt { time: "09:00".into(), date: "2026-12-01".into(), in_days: 2 };
    let bare = HandoffFacts { role: "Loan officer".into(), ..HandoffFacts::default() };
    let full = HandoffFacts {
        person: Some("Dana Ruiz".into()),
        minutes: Some((1, 3)),
        out_of_hours: true,
        opens: Some(opens),
        ..bare.clone()
    };
    [full, bare]
}

/// The files of these texts among others, by their path below [`FOLDER`].
pub(super) fn own(files: &mut BTreeMap<String, String>) -> BTreeMap<String, String> {
    let paths: Vec<String> = files.keys().filter(|path| path.starts_with("handoff/")).cloned().collect();
    let taken = paths.into_iter().filter_map(|path| files.remove_entry(&path));
    taken.filter_map(|(path, text)| Some((path.strip_prefix("handoff/")?.to_owned(), text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_that_is_not_known() {
        let (texts, broken) = HandoffTexts::build(BTreeMap::new());
        assert_eq!(broken, []);
        let told =
            |locale: &str, state, facts: &HandoffFacts| texts.text(locale, state, None, facts).unwrap_or_default();
        let [full, bare] = samples();
        for locale in ["en", "de", "es"] {
            let offered = told(locale, HandoffState::Offered, &bare);
            assert!(!offered.chars().any(|c| c.is_ascii_digit()), "no time without data: {offered}");
            let waits = HandoffFacts { minutes: Some((1, 3)), ..full.clone() };
            let offered = told(locale, HandoffState::Offered, &waits);
            assert!(offered.contains('3') && !offered.contains("Dana"), "no name before anybody has it: {offered}");
            for state in [HandoffState::Assigned, HandoffState::Connected, HandoffState::Returned] {
                assert!(told(locale, state, &full).contains("Dana Ruiz"), "{locale} {state:?}");
            }
            assert!(told(locale, HandoffState::Unanswered, &full).contains("09:00"), "{locale}");
        }
        assert_eq!(texts.text("en", HandoffState::Cancelled, None, &full), None);
    }

    #[test]
    fn a_language_falls_back_and_the_other_wording_too() {
        let (texts, _) = HandoffTexts::build(BTreeMap::new());
        let told = |locale: &str, variant| texts.text(locale, HandoffState::Offered, variant, &samples()[1]);
        assert_eq!(told("de-CH", None), told("de", None));
        assert_eq!(told("fr", None), told("en", None));
        assert_ne!(told("en", Some(WordingVariant::B)), told("en", Some(WordingVariant::A)));
        assert_eq!(told("de", Some(WordingVariant::B)), told("de", None), "the language goes first");
    }
}
