//! What lies in a matrix's folder, is not read, and looks as if it should be: a matrix without it would be a smaller one,
//! and nobody would know.

use crate::toml_kit::source::{DRILLS, read_each};
use std::{
    fs,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};

/// The most entries of a folder that are looked at.
const ENTRIES_MAX: usize = 1000;

/// The ending of a part of the matrix.
const ENDING: &str = "toml";

/// Endings of other formats in which somebody may have written a part.
const FORMATS: [&str; 4] = ["yaml", "yml", "json", "json5"];

/// Sections of a matrix that no scenario has.
const SECTIONS: [&str; 8] = ["trigger", "role", "person", "rotation", "channel", "source", "catch-all", "daemon"];

/// Something that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it is and why it is not read, with its path.
    pub why: String,
    /// What to do.
    pub help: &'static str,
}

const RENAME: &str =
    "if it is a part of the matrix, name it *.toml; if it is none, give it a name that begins with a dot or ends in ~";

const REPAIR: &str = "repair or remove it";

/// What in the folder of a matrix, and in its folder of scenarios, looks like a part and is not read, by path. What
/// editors leave is not named: names that begin with a dot or a `#`, or end in `~`.
pub fn unread(folder: &Path) -> Vec<UnreadFile> {
    let mut found = Vec::new();
    for path in entries(folder) {
        if is_drills(&path) {
            scenarios(&path, &mut found);
        } else {
            entry(&path, &mut found);
        }
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(listed) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = listed.take(ENTRIES_MAX).flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn is_drills(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == DRILLS)
}

/// Scenarios are read one by one, so that a bad one costs no other; nobody may look at what comes of that.
fn scenarios(folder: &Path, found: &mut Vec<UnreadFile>) {
    let why = match fs::metadata(folder) {
        Ok(data) if data.is_dir() => None,
        Ok(_) => Some("is no folder, so that no scenario is read".to_owned()),
        Err(error) => Some(format!("can not be read ({error}), so that no scenario is")),
    };
    if let Some(why) = why {
        return found.push(UnreadFile::new(folder, &why, REPAIR));
    }
    match read_each(folder) {
        Ok(files) => {
            for (path, read) in files {
                match read {
                    Ok(file) => {
                        found.extend(misplaced(&file.text).map(|section| UnreadFile::of_section(&path, section)))
                    }
                    Err(error) => found.push(UnreadFile { path, why: format!("not read: {error}"), help: REPAIR }),
                }
            }
        }
        Err(error) => found.push(UnreadFile::new(folder, &format!("can not be read: {error}"), REPAIR)),
    }
    entries(folder).iter().for_each(|path| entry(path, found));
}

/// The first section of a matrix in a file that is read as a scenario.
fn misplaced(text: &str) -> Option<&'static str> {
    let (document, _) = DeTable::parse_recoverable(text);
    let keys = document.into_inner();
    let is_section = |name: &&str| {
        keys.iter().any(|(key, value)| key.get_ref() == *name && matches!(value.get_ref(), DeValue::Table(_)))
    };
    SECTIONS.iter().copied().find(is_section)
}

fn entry(path: &Path, found: &mut Vec<UnreadFile>) {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { return };
    let is_read = path.extension().is_some_and(|end| end.to_string_lossy().trim().eq_ignore_ascii_case(ENDING));
    if is_read || is_of_an_editor(&name) {
        return;
    }
    if fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink()) && fs::metadata(path).is_err() {
        return found.push(UnreadFile::new(path, "is a link that leads to nothing that can be read", REPAIR));
    }
    if path.is_dir() && fs::read_dir(path).is_err() {
        return found.push(UnreadFile::new(path, "is a folder that can not be looked into", REPAIR));
    }
    if looks_like_a_part(&name) {
        found.push(UnreadFile::new(path, "is not read, and looks like a part of the matrix", RENAME));
    }
}

/// Names that editors give to what they keep for themselves.
fn is_of_an_editor(name: &str) -> bool {
    name.starts_with(['.', '#']) || name.ends_with('~')
}

/// Whether a name looks like `NAME.toml` and is another one: with something behind it, with a letter more, less or
/// changed, with letters that only look the same, or of another format.
fn looks_like_a_part(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    let parts: Vec<&str> = name.split('.').map(str::trim).collect();
    let Some((first, endings)) = parts.split_first() else { return false };
    let [.., last] = endings else {
        return first.len() != ENDING.len() && first.ends_with(ENDING);
    };
    let near = |ending: &str| strsim::damerau_levenshtein(ending, ENDING) <= 1;
    let is_strange = |ending: &&str| !ending.is_ascii();
    endings.iter().any(|ending| near(ending) || is_strange(ending)) || FORMATS.contains(last) || last.contains(ENDING)
}

impl UnreadFile {
    fn new(path: &Path, why: &str, help: &'static str) -> Self {
        Self { path: path.to_owned(), why: format!("{} {why}", shown(path)), help }
    }

    fn of_section(path: &Path, section: &str) -> Self {
        let why = format!("has [{section}], which is read only in files that lie directly in the matrix's folder");
        Self::new(path, &why, "move that section there: here are scenarios of drills alone")
    }
}

/// A path in which nothing is hidden: letters beyond ASCII may look like others.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if text.is_ascii() { text } else { text.escape_default().to_string() }
}

#[cfg(test)]
mod tests {
    use super::looks_like_a_part;

    #[test]
    fn names_near_that_of_a_part_are_told_from_others() {
        for name in [
            "b.toml.txt",
            "b.toml.new",
            "b.toml.bak",
            "b.tml",
            "b.yaml",
            "b.YML",
            "b.tomll",
            "b.t\u{43e}ml",
            "btoml",
            "b,toml",
            "b.toml.",
            "b.oml",
            "b.to ml",
            "b.toml1",
            "b.json",
            "b.tom\u{200b}l",
            "b.TOML.TXT",
            "b.toml (copy)",
        ] {
            assert!(looks_like_a_part(name), "{name}");
        }
        for name in ["README.md", "notes.txt", "LICENSE", "templates", "key.pem", "b.html", "b.xml", "Makefile", "toml"]
        {
            assert!(!looks_like_a_part(name), "{name}");
        }
    }
}
