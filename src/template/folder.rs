//! Templates from a directory in place of the shipped ones; each is tested before it is used.

use crate::template::{
    broken::BrokenTemplate,
    handoff,
    load::{FILES, PARTS, PageTemplates, TemplateError, VOICE, build, shipped_files},
    sample,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

/// The largest file, in bytes.
const FILE_MAX: u64 = 64 * 1024;

fn folders_in(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().filter(|name| !name.starts_with('.'))
            && entry.path().is_dir()
        {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

/// The languages of the texts for users.
fn locales(folder: &Path) -> io::Result<BTreeSet<String>> {
    let own = folder.join(handoff::FOLDER);
    if own.is_dir() { folders_in(&own) } else { Ok(BTreeSet::new()) }
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

impl PageTemplates {
    /// The shipped templates, with the files in `folder` (`NAME/brief.txt`, `NAME/sms.txt`, `NAME/mail.html`,
    /// `NAME/voice.txt`, and the parts `NAME/facts.txt` and `NAME/clocks.txt`) replacing them or added to them. Each file
    /// is tested with alerts that have few and many fields; all files that fail are named.
    pub fn load(folder: &Path) -> Result<Self, TemplateError> {
        let mut files = BTreeMap::new();
        let mut broken = Vec::new();
        let unreadable = |source| TemplateError::Unreadable { folder: folder.to_owned(), source };
        for name in folders_in(folder).map_err(unreadable)? {
            for file in FILES.into_iter().chain([VOICE]).chain(PARTS) {
                let path = format!("{name}/{file}");
                match read(&folder.join(&path)) {
                    Ok(Some(text)) => drop(files.insert(path, text)),
                    Ok(None) => {}
                    Err(why) => broken.push(BrokenTemplate { file: path, line: None, why: why.to_string() }),
                }
            }
        }
        for locale in locales(folder).map_err(unreadable)? {
            for file in handoff::STATES
                .iter()
                .flat_map(|state| ["", ".b"].map(|other| format!("{}{other}.txt", state.as_str())))
            {
                let path = format!("{}/{locale}/{file}", handoff::FOLDER);
                match read(&folder.join(&path)) {
                    Ok(Some(text)) => drop(files.insert(path, text)),
                    Ok(None) => {}
                    Err(why) => broken.push(BrokenTemplate { file: path, line: None, why: why.to_string() }),
                }
            }
        }
        Self::checked(files, broken)
    }

    /// The same with files that were read elsewhere, by their path in such a folder.
    ///
    /// # Errors
    /// All files that are not sound.
    pub fn with(own: BTreeMap<String, String>) -> Result<Self, TemplateError> {
        Self::checked(own, Vec::new())
    }

    fn checked(own: BTreeMap<String, String>, mut broken: Vec<BrokenTemplate>) -> Result<Self, TemplateError> {
        let mut files = shipped_files();
        files.extend(own);
        let (templates, unparsed) = build(files);
        broken.extend(unparsed);
        broken.extend(sample::try_all(&templates));
        broken.sort();
        broken.dedup();
        if broken.is_empty() { Ok(templates) } else { Err(TemplateError::Broken(broken)) }
    }
}
