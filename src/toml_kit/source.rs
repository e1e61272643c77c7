//! The texts that the matrix is read from: every `*.toml` of one folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// One file of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// Its path, as it is shown to users.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// The folder in the matrix's that has the scenarios of drills.
pub const DRILLS: &str = "drills";

/// The most entries of a folder beside the files that are looked at.
const BESIDE_MAX: usize = 1000;

/// Reads every `*.toml` that lies directly in `folder`, in small or capital letters, sorted by name. Folders in it and
/// hidden files are not read. A link is followed.
///
/// # Errors
/// When the folder or an entry of such a name can not be read, is no file, or is not UTF-8; the error names the path. So
/// does a name with a blank behind `.toml`, and a folder, other than `drills` and hidden ones, with such files in it. What
/// lies there is meant to be read: a matrix without it would be a smaller one, and nobody would know.
pub fn read_folder(folder: &Path) -> io::Result<Vec<SourceText>> {
    read_each(folder)?.into_iter().map(|(_, read)| read).collect()
}

/// The same, each file by itself.
///
/// # Errors
/// When the folder can not be read.
pub fn read_each(folder: &Path) -> io::Result<Vec<(PathBuf, io::Result<SourceText>)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| naming(folder, &error))? {
        let path = entry.map_err(|error| naming(folder, &error))?.path();
        let hidden = is_hidden(&path);
        let drills = path.file_name().is_some_and(|name| name == DRILLS);
        if !hidden && (is_toml(&path) || !drills && toml_within(&path).is_some()) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().map(|path| (path.clone(), read_file(path))).collect())
}

/// Whether it is named like a part of the matrix, if with a blank behind.
fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.to_string_lossy().trim().eq_ignore_ascii_case("toml"))
}

/// The first part of a matrix in a folder that is not read, or in a folder of that one. Links within it, and hidden
/// folders, are not followed.
fn toml_within(folder: &Path) -> Option<PathBuf> {
    let mut left = BESIDE_MAX;
    within(folder, &mut left)
}

fn within(folder: &Path, left: &mut usize) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).ok()?.take(*left).flatten().map(|entry| entry.path()).collect();
    *left = left.saturating_sub(paths.len());
    paths.sort();
    if let Some(found) = paths.iter().find(|path| is_toml(path)) {
        return Some(found.clone());
    }
    let is_folder = |path: &&PathBuf| !is_hidden(path) && fs::symlink_metadata(path).is_ok_and(|data| data.is_dir());
    paths.iter().filter(is_folder).find_map(|path| within(path, left))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn read_file(path: PathBuf) -> io::Result<SourceText> {
    // Looked at before it is opened: to open a pipe waits for somebody who writes.
    let data = fs::metadata(&path).map_err(|error| match fs::read_link(&path) {
        Ok(target) => {
            let why = format!(
                "{}: the link to {} leads to nothing that can be read: {error}",
                path.display(),
                target.display()
            );
            io::Error::new(error.kind(), why)
        }
        Err(_) => naming(&path, &error),
    })?;
    if let Some(within) = toml_within(&path) {
        let why = format!(
            "{}: files in a folder are no part of the matrix, only those of `{DRILLS}` (in small letters) are read, as \
             drills: move them, or give the folder a name that begins with a dot",
            within.display()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    if path.extension().is_some_and(|end| end.to_string_lossy().trim().len() != end.len()) {
        let why = format!("{:?}: there is a blank behind the name, so it is not read: rename it", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    if !data.is_file() {
        let what = if data.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
        let why = format!(
            "{}: this is {what} and no file: give it another name if it is no part of the matrix",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let bytes = fs::read(&path).map_err(|error| naming(&path, &error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceText { path, text }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let why = format!("{}: not UTF-8 text (byte {at}): save the file as UTF-8", path.display());
            Err(io::Error::new(io::ErrorKind::InvalidData, why))
        }
    }
}

fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
