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

/// Reads every `*.toml` that lies directly in `folder`, sorted by name. Folders in it (`drills/`) and hidden files are
/// not read.
///
/// # Errors
/// When the folder or a file can not be read, or a file is not UTF-8; the error names the path.
pub fn read_folder(folder: &Path) -> io::Result<Vec<SourceText>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| naming(folder, &error))? {
        let path = entry.map_err(|error| naming(folder, &error))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|end| end == "toml") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(read_file).collect()
}

fn read_file(path: PathBuf) -> io::Result<SourceText> {
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
