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

/// The longest file of any other name that is looked into, in bytes.
const READ_MAX: u64 = 256 * 1024;

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

/// What in the folder of a matrix, and in its folder of scenarios, looks like a part and is not read, by path: by its
/// name, by what is in it, or by where it leads. Of a folder the first such thing is named. What editors leave is not:
/// names that begin with a dot or a `#`, or end in `~`.
pub fn unread(folder: &Path) -> Vec<UnreadFile> {
    let mut found = Vec::new();
    for path in entries(folder) {
        if is_drills(&path) {
            scenarios(&path, &mut found);
        } else {
            found.extend(entry(&path));
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
    found.extend(entries(folder).iter().filter_map(|path| entry(path)));
}

/// The first section of a matrix in a text.
fn misplaced(text: &str) -> Option<&'static str> {
    let (document, _) = DeTable::parse_recoverable(text);
    let keys = document.into_inner();
    let is_section = |name: &&str| {
        keys.iter().any(|(key, value)| key.get_ref() == *name && matches!(value.get_ref(), DeValue::Table(_)))
    };
    SECTIONS.iter().copied().find(is_section)
}

/// What is to be said of an entry of a folder, or of the first entry in a folder there. Files named `*.toml` are read, or
/// refused, where the matrix is.
fn entry(path: &Path) -> Option<UnreadFile> {
    let is_link = is_link(path);
    match fs::metadata(path) {
        // The reader of the matrix looks behind this link, too, and refuses the parts there.
        Ok(data) if data.is_dir() && is_link && !is_left_alone(path) => in_folder(path, &mut { ENTRIES_MAX }),
        _ => at_any_depth(path, &mut { ENTRIES_MAX }),
    }
}

fn at_any_depth(path: &Path, left: &mut usize) -> Option<UnreadFile> {
    *left = left.checked_sub(1)?;
    if is_left_alone(path) {
        return None;
    }
    let is_link = is_link(path);
    let data = match fs::metadata(path) {
        Err(_) if is_link => {
            return Some(UnreadFile::new(path, "is a link that leads to nothing that can be read", REPAIR));
        }
        data => data.ok(),
    };
    if looks_like_a_part(&path.file_name()?.to_string_lossy()) {
        return Some(UnreadFile::new(path, "is not read, and looks like a part of the matrix", RENAME));
    }
    let is_folder = data.as_ref().is_some_and(fs::Metadata::is_dir);
    let target = fs::canonicalize(path).ok().filter(|_| is_link);
    if let Some(part) = target.as_deref().and_then(|target| if is_folder { first_part(target) } else { part(target) }) {
        let why = format!("is not read, and leads to {}", shown(&part));
        return Some(UnreadFile::new(path, &why, RENAME));
    }
    match data {
        // What a link leads to is looked at there alone: a way in a circle has no end.
        Some(_) if is_folder && is_link => None,
        Some(_) if is_folder => in_folder(path, left),
        Some(data) if data.is_file() && data.len() <= READ_MAX => {
            let section = sole_section(&fs::read_to_string(path).ok()?)?;
            Some(UnreadFile::new(path, &format!("has [{section}], and is not read"), RENAME))
        }
        _ => None,
    }
}

fn in_folder(folder: &Path, left: &mut usize) -> Option<UnreadFile> {
    match fs::read_dir(folder) {
        Ok(_) => entries(folder).iter().find_map(|path| at_any_depth(path, left)),
        Err(_) => Some(UnreadFile::new(folder, "is a folder that can not be looked into", REPAIR)),
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink())
}

/// Whether it is named like a part, or like what an editor leaves.
fn is_left_alone(path: &Path) -> bool {
    is_toml(path) || path.file_name().is_none_or(|name| is_of_an_editor(&name.to_string_lossy()))
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.to_string_lossy().trim().eq_ignore_ascii_case(ENDING))
}

fn part(path: &Path) -> Option<PathBuf> {
    is_toml(path).then(|| path.to_owned())
}

/// The first part that lies directly in a folder.
fn first_part(folder: &Path) -> Option<PathBuf> {
    entries(folder).iter().find_map(|path| part(path))
}

/// A section of a matrix in a text that is TOML as a whole: one that only quotes a part is none.
fn sole_section(text: &str) -> Option<&'static str> {
    let (_, faults) = DeTable::parse_recoverable(text);
    faults.is_empty().then(|| misplaced(text)).flatten()
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
