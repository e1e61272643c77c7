//! A template file that is not sound.

use std::fmt;

/// One broken file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrokenTemplate {
    /// Its path in the template directory, e.g. `trader/brief.txt`.
    pub file: String,
    /// The line, from 1; `None` if it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong.
    pub why: String,
}

impl BrokenTemplate {
    pub(super) fn from_error(file: &str, error: &minijinja::Error) -> Self {
        let file = error.name().unwrap_or(file).to_owned();
        let why = error.detail().map_or(error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
        Self { file, line: error.line(), why }
    }
}

impl fmt::Display for BrokenTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.why),
            None => write!(f, "{}: {}", self.file, self.why),
        }
    }
}
