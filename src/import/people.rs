//! The people of an export, by their ids there.

use super::{
    draft::{MatrixDraft, PersonDraft},
    names::Names,
    report::{FindingKind, ImportReport},
};
use std::collections::BTreeMap;

/// Who they became.
#[derive(Debug)]
pub struct PeopleById {
    keys: BTreeMap<String, String>,
    names: Names,
}

impl PeopleById {
    /// Nobody yet.
    pub fn none() -> Self {
        Self { keys: BTreeMap::new(), names: Names::of("person") }
    }

    /// Takes in a person. One of whom the matrix can not keep a contact is reported.
    pub fn add(&mut self, id: &str, person: PersonDraft, draft: &mut MatrixDraft, report: &mut ImportReport) -> String {
        let key = self.names.give(&person.name, id, report);
        let of = if id == person.name { format!("person {id:?}") } else { format!("person {id} ({:?})", person.name) };
        let phone = person.phone.and_then(|number| {
            let plain = number_of(&number);
            if plain.is_none() {
                report.found(FindingKind::NotCarried, &of, "their phone number is not + and 8 to 15 digits");
            }
            plain
        });
        let email = person.email.filter(|email| {
            let is_mailbox = is_mailbox(email);
            if !is_mailbox {
                report.found(FindingKind::NotCarried, &of, "their mail address is no mailbox");
            }
            is_mailbox
        });
        match (&phone, &email) {
            (Some(_), _) => {}
            (None, Some(_)) => {
                report.found(FindingKind::NoContact, &of, "no phone number: only their mail and the desk")
            }
            (None, None) => report.found(FindingKind::NoContact, &of, "no phone number and no mail: only the desk"),
        }
        draft.people.push(PersonDraft { key: key.clone(), phone, email, ..person });
        self.keys.insert(id.to_owned(), key.clone());
        key
    }

    /// The key of the person with this id.
    pub fn get(&self, id: &str) -> Option<&String> {
        self.keys.get(id)
    }

    /// The same; the error says that there is nobody with it.
    pub fn known(&self, id: &str) -> Result<String, String> {
        self.get(id).cloned().ok_or_else(|| format!("user {id} is not among the users of the export"))
    }

    /// The one who stands where somebody must be filled in.
    pub fn placeholder(&mut self, draft: &mut MatrixDraft, report: &mut ImportReport) -> String {
        const NOBODY: &str = "to-fill-in";
        if let Some(key) = self.keys.get(NOBODY) {
            return key.clone();
        }
        report.found(FindingKind::FillIn, "person to-fill-in", "stands where the export names nobody: replace them");
        let person = PersonDraft { key: NOBODY.into(), name: "To be filled in".into(), ..PersonDraft::default() };
        let mut quiet = ImportReport::of("");
        let key = self.names.give(NOBODY, NOBODY, &mut quiet);
        draft.people.push(PersonDraft { key: key.clone(), ..person });
        self.keys.insert(NOBODY.into(), key.clone());
        key
    }
}

/// `+` and 8 to 15 digits, from what people write.
pub fn number_of(written: &str) -> Option<String> {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let is_number = written.trim_start().starts_with('+') && !digits.starts_with('0');
    (is_number && (8..=15).contains(&digits.len())).then(|| format!("+{digits}"))
}

/// The plain ones: letters, digits and a few signs.
fn is_mailbox(text: &str) -> bool {
    let [name, host] = text.split('@').collect::<Vec<_>>()[..] else { return false };
    let is_part = |part: &str, signs: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
    };
    let is_label = |label: &str| is_part(label, "-") && !label.starts_with('-') && !label.ends_with('-');
    let is_host = host.contains('.') && host.split('.').all(is_label);
    text.len() <= 200 && name.len() <= 64 && name.split('.').all(|part| is_part(part, "_+-")) && is_host
}
