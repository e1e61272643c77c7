//! The time zones of this system, if they are newer than the bundled ones.
//!
//! Time zone rules change several times a year, sometimes within weeks, so the newer of two copies is used as a whole:
//! the system's (`TZDIR`, else the usual folders) or the bundled one. The release decides which is newer: it is in the
//! first line of `tzdata.zi`, or in a file `+VERSION` or `version`. A copy without a release counts as older. A copy
//! with an unreadable file is not used: half an upgrade is worse than none. Zones that it does not have (distributions
//! omit old names) are resolved by its links in `tzdata.zi`, else they come from the bundled copy.

use crate::core::zone::{Zone, ZoneData, ZoneRelease, ZoneSource, Zones, bundled_names, bundled_release};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The usual folders, in the order in which they are tried.
const FOLDERS: [&str; 4] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// Files that may contain the release, alone or after `# version`.
const RELEASE_FILES: [&str; 3] = ["tzdata.zi", "+VERSION", "version"];

/// The largest zone file that is read, in bytes; the largest known have less than 4000.
const ZONE_MAX: u64 = 64 * 1024;

/// The largest `tzdata.zi` that is read, in bytes; it has about 110 KiB.
const SOURCE_MAX: u64 = 4 << 20;

/// The largest number of files and folders that are read; there are about 1800 with the copies under `posix` and
/// `right`.
const ENTRIES_MAX: usize = 10_000;

/// The deepest nesting of names: `America/Argentina/Ushuaia`.
const DEPTH_MAX: usize = 3;

/// The largest number of names that a message lists; the others are counted.
const NAMED_MAX: usize = 3;

/// The newer of the system's zones and the bundled ones. Never fails; problems are in [`ZoneData::problem`].
pub fn zones() -> Zones {
    let named = super::variable("TZDIR").map(PathBuf::from);
    let usual = || FOLDERS.iter().map(PathBuf::from).find(|folder| folder.is_dir());
    match named.or_else(usual) {
        Some(folder) => newer(&folder),
        None => Zones::bundled_beside(None, Some("this system has no time zones of its own (tzdata)".to_owned())),
    }
}

/// The zones of this folder, if they are newer than the bundled ones and can be read; else the bundled ones.
pub fn newer(folder: &Path) -> Zones {
    let shown = folder.display();
    let copy = match ZoneinfoFolder::of(folder) {
        Ok(copy) => copy,
        Err(why) => return Zones::bundled_beside(None, Some(format!("the time zones in {shown} are not used: {why}"))),
    };
    let found = format!("{} in {shown}", copy.release);
    if copy.release <= bundled_release() {
        return Zones::bundled_beside(Some(found), None);
    }
    match copy.read() {
        Ok(zones) => zones,
        Err(why) => {
            let problem = format!("the time zones in {shown} are {}, newer, but are not used: {why}", copy.release);
            Zones::bundled_beside(Some(found), Some(problem))
        }
    }
}

/// A copy of the database in a folder.
struct ZoneinfoFolder<'a> {
    folder: &'a Path,
    release: ZoneRelease,
    released: NaiveDate,
}

impl<'a> ZoneinfoFolder<'a> {
    fn of(folder: &'a Path) -> Result<Self, String> {
        if let Err(error) = fs::read_dir(folder) {
            return Err(format!("it can not be read ({error})"));
        }
        let mut said = Err("it does not say which release it is".to_owned());
        for name in RELEASE_FILES {
            match release(&folder.join(name)) {
                Ok(Some((release, released))) => return Ok(Self { folder, release, released }),
                Ok(None) => {}
                Err(error) => said = Err(format!("{name} can not be read ({error})")),
            }
        }
        said
    }

    fn read(&self) -> Result<Zones, String> {
        let mut own = self.files()?;
        if own.is_empty() {
            return Err("there are none".to_owned());
        }
        let links = links(&self.folder.join("tzdata.zi"));
        for (name, target) in links.iter().filter(|(name, _)| !own.contains_key(name)).collect::<Vec<_>>() {
            // A link may point to another link.
            let onward = links.iter().find(|(name, _)| name == target).map(|(_, target)| target);
            let zone = own.get(target).or_else(|| own.get(onward?)).map(|zone| zone.called(name));
            own.extend(zone.map(|zone| (name.clone(), zone)));
        }
        // The system may be updated while we read.
        if Self::of(self.folder).map(|again| again.release) != Ok(self.release.clone()) {
            return Err("they changed while they were read; reload".to_owned());
        }
        let lost: Vec<&str> = bundled_names().filter(|name| !own.contains_key(*name)).collect();
        let problem = (!lost.is_empty()).then(|| {
            let (shown, bundled) = (self.folder.display(), bundled_release());
            format!("{shown} has no {}: these come from the bundled {bundled}", listed(&lost))
        });
        let source = ZoneSource::System(self.folder.to_owned());
        let data = ZoneData { source, release: self.release.clone(), released: self.released, beside: None, problem };
        Ok(Zones::read(own, data))
    }

    /// All zones that have their own file. A known zone that can not be read is an error, and so is a damaged zone
    /// file.
    fn files(&self) -> Result<BTreeMap<String, Zone>, String> {
        let mut names: BTreeSet<String> = bundled_names().map(str::to_owned).collect();
        let mut entries = 0;
        walk(self.folder, "", 1, &mut entries, &mut names).map_err(|error| format!("it can not be read ({error})"))?;
        let (mut own, mut bad) = (BTreeMap::new(), Vec::new());
        for name in &names {
            match compiled(self.folder, name) {
                Ok(Some(zone)) => drop(own.insert(name.clone(), zone)),
                Ok(None) => {}
                Err(why) => bad.push(format!("{name} ({why})")),
            }
        }
        if bad.is_empty() {
            return Ok(own);
        }
        let bad: Vec<&str> = bad.iter().map(String::as_str).collect();
        Err(format!("these can not be read: {}", listed(&bad)))
    }
}

/// The release in a file, and the last day on which it can have been published: the file was written afterwards, and
/// its year is known.
fn release(path: &Path) -> io::Result<Option<(ZoneRelease, NaiveDate)>> {
    let file = match open(path) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(None),
        Err(error) => return Err(error),
    };
    let written: Option<DateTime<Utc>> = file.metadata()?.modified().ok().map(DateTime::from);
    let mut head = Vec::new();
    file.take(128).read_to_end(&mut head)?;
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().next().unwrap_or_default();
    let Some(release) = ZoneRelease::parse(line.trim_start_matches("# version")) else { return Ok(None) };
    let end = NaiveDate::from_ymd_opt(release.year(), 12, 31).unwrap_or_default();
    // Reproducible builds give all files the same old date.
    let written = written.map(|at| at.date_naive()).filter(|day| day.year() >= release.year());
    let released = written.map_or(end, |day| day.min(end));
    Ok(Some((release, released)))
}

/// Adds the names of the files below `folder` that begin like compiled zones.
fn walk(folder: &Path, above: &str, depth: usize, entries: &mut usize, names: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        *entries += 1;
        if ENTRIES_MAX < *entries {
            return Err(io::Error::other("there are too many files"));
        }
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        // `right` counts leap seconds, `posix` is a copy, and the others are this host's own zone.
        if above.is_empty() && ["right", "posix", "localtime", "posixrules"].contains(&name.as_str()) {
            continue;
        }
        let name = format!("{above}{name}");
        // Follows links: most copies are links.
        let Ok(kind) = fs::metadata(entry.path()) else { continue };
        if kind.is_dir() && depth < DEPTH_MAX {
            walk(&entry.path(), &format!("{name}/"), depth + 1, entries, names)?;
        } else if kind.is_file() && begins_compiled(&entry.path()) {
            names.insert(name);
        }
    }
    Ok(())
}

fn begins_compiled(path: &Path) -> bool {
    let mut head = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *b"TZif"
}

/// Reads a zone from its file; `None` if there is no such file.
fn compiled(folder: &Path, name: &str) -> Result<Option<Zone>, String> {
    let path = folder.join(name);
    let Some(file) = open(&path).map_err(|error| error.to_string())? else { return Ok(None) };
    let mut data = Vec::new();
    file.take(ZONE_MAX).read_to_end(&mut data).map_err(|error| error.to_string())?;
    Zone::compiled(name, &data).map(Some)
}

/// Opens a regular file; `None` if it does not exist. Pipes are not opened, because reading them would never end.
fn open(path: &Path) -> io::Result<Option<File>> {
    match fs::metadata(path) {
        Ok(kind) if kind.is_file() => File::open(path).map(Some),
        Ok(_) => Err(io::Error::other("it is not a file")),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            // A link whose target does not exist is an error.
            if fs::symlink_metadata(path).is_ok() { Err(error) } else { Ok(None) }
        }
        Err(error) => Err(error),
    }
}

/// The links in `tzdata.zi`, from name to zone: `L America/Los_Angeles US/Pacific`.
fn links(path: &Path) -> Vec<(String, String)> {
    let Ok(Some(file)) = open(path) else { return Vec::new() };
    let mut text = Vec::new();
    if file.take(SOURCE_MAX).read_to_end(&mut text).is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&text);
    let link = |line: &str| {
        let mut words = line.strip_prefix("L ")?.split_whitespace();
        let (target, name) = (words.next()?, words.next()?);
        Some((name.to_owned(), target.to_owned()))
    };
    text.lines().filter_map(link).collect()
}

/// Joins names: `a, b, c and 4 more`.
fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
