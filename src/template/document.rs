//! Documents that people continue to edit, in Markdown: the post-mortem and the after-action review. The shipped texts
//! are built in; a file with the same name in the template directory replaces one.

use super::{broken::BrokenTemplate, load::TemplateError};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, value::Serde};
use serde::Serialize;
use std::{fs, io, path::Path};

/// How many instructions one document may run.
pub const DOCUMENT_FUEL: u64 = 20_000_000;

/// The largest file, in bytes.
const FILE_MAX: u64 = 256 * 1024;

/// The kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// About one incident.
    Postmortem,
    /// About one drill.
    AfterAction,
}

impl DocumentKind {
    /// Its file in the template directory.
    pub fn file(self) -> &'static str {
        match self {
            Self::Postmortem => "postmortem.md",
            Self::AfterAction => "after-action.md",
        }
    }
}

const SHIPPED: [(&str, &str); 3] = [
    ("postmortem.md", include_str!("../../templates/postmortem.md")),
    ("after-action.md", include_str!("../../templates/after-action.md")),
    // The part about an incident that both use.
    ("incident.md", include_str!("../../templates/incident.md")),
];

/// The documents' templates.
pub struct DocumentTemplates(Environment<'static>);

impl DocumentTemplates {
    /// The shipped ones.
    pub fn shipped() -> Result<Self, TemplateError> {
        Self::with(|_| Ok(None))
    }

    /// The shipped ones, each replaced by the file with the same name in the directory, if there is one.
    pub fn load(folder: &Path) -> Result<Self, TemplateError> {
        Self::with(|name| read(&folder.join(name)))
    }

    fn with(own: impl Fn(&str) -> io::Result<Option<String>>) -> Result<Self, TemplateError> {
        let mut env = environment();
        let mut broken = Vec::new();
        for (name, shipped) in SHIPPED {
            let text = match own(name) {
                Ok(text) => text.unwrap_or_else(|| shipped.to_owned()),
                Err(why) => {
                    broken.push(BrokenTemplate { file: name.into(), line: None, why: why.to_string() });
                    continue;
                }
            };
            if let Err(error) = env.add_template_owned(name, text) {
                broken.push(BrokenTemplate::from_error(name, &error));
            }
        }
        if broken.is_empty() { Ok(Self(env)) } else { Err(TemplateError::Broken(broken)) }
    }

    /// Fills a document. Every value is escaped for Markdown; the error names the file and the line.
    pub fn render(&self, document: DocumentKind, facts: &impl Serialize) -> Result<String, TemplateError> {
        let name = document.file();
        let filled = self.0.get_template(name).and_then(|template| template.render(Value::from(Serde(facts))));
        let text = filled.map_err(|error| TemplateError::Broken(vec![BrokenTemplate::from_error(name, &error)]))?;
        Ok(tidy(&text))
    }
}

fn environment() -> Environment<'static> {
    let mut env = super::functions::syntax();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(DOCUMENT_FUEL));
    env.set_recursion_limit(32);
    env.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    env.set_formatter(write);
    env.add_filter("fenced", fenced);
    env
}

fn write(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "a value that is not there"));
    }
    match value.as_str() {
        Some(text) if !value.is_safe() => out.write_str(&escape(text)).map_err(Error::from),
        Some(text) => out.write_str(text).map_err(Error::from),
        None if value.is_none() => Ok(()),
        // Numbers and booleans; a list or a map is a bug in the template, and shows as one.
        None => out.write_str(&escape(&value.to_string())).map_err(Error::from),
    }
}

/// Text within a line or a table cell of Markdown: it cannot contain markup or end the line.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => safe.extend(['\\', letter]),
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A text without changes, in a code fence that it cannot end.
fn fenced(text: &str) -> Value {
    let mut longest = 0;
    let mut run = 0;
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(3.max(longest + 1));
    let plain: String = text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect();
    Value::from_safe_string(format!("{fence}text\n{}\n{fence}", plain.trim_end()))
}

/// Leaves at most one empty line between two others and none at the ends; code fences stay as they are.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let (mut empty, mut fence) = (0, None);
    for line in text.trim().lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            None if 3 <= ticks => fence = Some(ticks),
            Some(open) if ticks == open && line.len() == ticks => fence = None,
            _ => {}
        }
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if fence.is_some() || empty < 2 {
            tidy.push_str(if fence.is_some() { line } else { line.trim_end() });
            tidy.push('\n');
        }
    }
    tidy
}

/// A file's text; `None` if there is no such file.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(file) if FILE_MAX < file.len() => Err(io::Error::other(format!("longer than {FILE_MAX} bytes"))),
        Ok(_) => fs::read_to_string(path).map(Some),
    }
}
