//! The keys of a channel of kind `exec`.

use crate::{
    channel::{
        contact::ContactField,
        keys::{contact, personal},
    },
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
    },
};
use std::path::PathBuf;

pub(crate) const KEYS: &[&str] = &["program", "arguments", "needs", "personal"];

/// The placeholders that an argument may be; each is replaced as a whole. There is none for a code or a link, because
/// every user of the machine can see a program's arguments.
pub const PLACEHOLDERS: [&str; 8] =
    ["{phone}", "{email}", "{person}", "{incident}", "{page}", "{id}", "{role}", "{stamp}"];

/// The largest number of arguments.
const ARGUMENTS_MAX: usize = 32;

/// A local program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecConfig {
    /// Its absolute path.
    pub program: PathBuf,
    /// Its arguments: fixed words, and [`PLACEHOLDERS`].
    pub arguments: Vec<String>,
    /// The contact data that a person must have.
    pub needs: Option<ContactField>,
    /// Whether only the paged person sees it, so that it may get their code and link.
    pub personal: bool,
}

pub(crate) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> ExecConfig {
    let program = table.demand("program", at, "program = \"/usr/local/lib/stentor/siren\"", faults);
    let program = program.and_then(|item| item.text(faults)).map(|text| {
        if !text.value.starts_with('/') {
            let message = format!("{:?} is not an absolute path", text.value);
            faults.error("bad-program", text.at, message, "begin with /: neither PATH nor a shell is used");
        }
        PathBuf::from(text.value)
    });
    let needs = contact(table, faults);
    let personal = personal(needs, table, faults);
    ExecConfig { program: program.unwrap_or_default(), arguments: arguments(table, faults), needs, personal }
}

fn arguments(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> Vec<String> {
    let Some(item) = table.take("arguments") else { return Vec::new() };
    let Some(items) = item.list(faults) else { return Vec::new() };
    if ARGUMENTS_MAX < items.len() {
        let help = format!("a program gets at most {ARGUMENTS_MAX}; it reads everything on its standard input");
        faults.error("too-many-arguments", item.at, "there are too many arguments", help);
    }
    let mut arguments = Vec::new();
    for item in items {
        let Some(text) = item.text(faults) else { continue };
        if text.value.contains('{') && !PLACEHOLDERS.contains(&text.value) {
            let help = format!("an argument is a fixed word or one of {}", PLACEHOLDERS.join(", "));
            faults.error("bad-argument", text.at, format!("{:?} is not a placeholder", text.value), help);
        }
        arguments.push(text.value.to_owned());
    }
    arguments
}
