//! The matrix that is made, before it is written.

use crate::core::Timestamp;

/// All sections.
#[derive(Debug, Default)]
pub struct MatrixDraft {
    pub people: Vec<PersonDraft>,
    pub rotations: Vec<RotationDraft>,
    pub roles: Vec<RoleDraft>,
    pub sources: Vec<SourceDraft>,
    pub triggers: Vec<TriggerDraft>,
    /// Who is paged when nobody else answers.
    pub catch_all: Vec<String>,
}

/// A person, by their key.
#[derive(Debug, Clone, Default)]
pub struct PersonDraft {
    pub key: String,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub timezone: Option<String>,
}

#[derive(Debug, Clone)]
pub struct RotationDraft {
    pub key: String,
    pub people: Vec<String>,
    pub handoff: String,
    pub timezone: String,
    pub overrides: Vec<OverrideDraft>,
}

#[derive(Debug, Clone)]
pub struct OverrideDraft {
    pub person: String,
    pub from: Timestamp,
    pub until: Timestamp,
}

#[derive(Debug, Clone)]
pub struct RoleDraft {
    pub key: String,
    pub name: Option<String>,
    pub steps: Vec<StepDraft>,
}

#[derive(Debug, Clone)]
pub struct StepDraft {
    /// As in the matrix: a person, or `rotation.NAME`.
    pub page: Vec<String>,
    pub wait_minutes: u64,
}

#[derive(Debug, Clone)]
pub struct SourceDraft {
    pub key: String,
    /// The variable that has its token.
    pub token: String,
    /// Whether the catch-all is paged for what no trigger takes.
    pub unmatched_pages: bool,
    /// `[source.NAME.map]`, as lines of TOML.
    pub map: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct TriggerDraft {
    pub key: String,
    pub on: Vec<String>,
    pub sources: Vec<String>,
    pub when: Option<String>,
    pub incident_key: Option<String>,
    pub roles: Vec<String>,
    /// A comment above it.
    pub about: String,
}

impl MatrixDraft {
    /// Whether somebody has a mailbox.
    pub fn has_mail(&self) -> bool {
        self.people.iter().any(|person| person.email.is_some())
    }

    /// Whether somebody has a number.
    pub fn has_phone(&self) -> bool {
        self.people.iter().any(|person| person.phone.is_some())
    }

    /// The person with this key.
    pub fn person(&self, key: &str) -> Option<&PersonDraft> {
        self.people.iter().find(|person| person.key == key)
    }

    /// The people whom entries of a step may mean.
    pub fn people_of<'a>(&'a self, page: &'a [String]) -> impl Iterator<Item = &'a PersonDraft> {
        page.iter().flat_map(|entry| {
            let keys: Vec<&str> = match entry.strip_prefix("rotation.") {
                None => vec![entry],
                Some(rotation) => {
                    let own = self.rotations.iter().filter(|own| own.key == rotation);
                    own.flat_map(|own| own.people.iter().map(String::as_str)).collect()
                }
            };
            keys.into_iter().filter_map(|key| self.person(key))
        })
    }
}
