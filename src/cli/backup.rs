//! `stentor backup`: a consistent copy of the store, while the daemon goes on, checked before it gets its name.

use crate::{
    cli::{
        error::CliError,
        options::PathOptions,
        output,
        reports::{journal::RecordCheck, journal_source::JournalSource},
        table::say,
    },
    journal::{JournalVerifier, KeptAnchors},
    store::{SchemaVersion, StoreConfig},
};
use clap::{Args, ValueHint};
use std::{
    fs::{self, DirBuilder, File},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The copy. It holds the server key: keep it as you keep a secret
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Replace FILE if it exists
    #[arg(long)]
    force: bool,
    /// Print what was copied as JSON
    #[arg(long)]
    json: bool,
}

impl BackupArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let state = places.state();
        let config = StoreConfig::in_directory(&state);
        if !config.exists() {
            let state = state.display();
            return Err(format!("there is no store in {state}: name the daemon's folder with --state DIR").into());
        }
        if output::is_standard(&self.file) {
            return Err("a copy is a file of its own, and can not go to standard output: name the file".into());
        }
        if is_of_store(&self.file, &config.file()) {
            let file = self.file.display();
            return Err(format!("{file} is the store itself: name another file for the copy").into());
        }
        let is_there = self.file.symlink_metadata().is_ok();
        if !self.force && is_there {
            return Err(taken(&self.file));
        }
        let draft = DraftFolder::beside(&self.file)?;
        let runtime = crate::cli::threads::runtime(1)?;
        let schema = runtime.block_on(config.copy_to(&draft.0))?;
        let check = CopyCheck::of(places, &draft.0, schema)?;
        if is_there && check.faults != 0 {
            let (file, faults) = (self.file.display(), check.faults);
            return Err(format!("the store has {faults} fault(s), so {file} was left as it is: stentor journal verify names them, and another FILE takes the copy as it is").into());
        }
        draft.publish(&self.file, self.force)?;
        check.print(&state, &self.file, self.json)?;
        Ok(if check.faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Whether a path is the store's own file or one of SQLite's beside it: the daemon would go on writing into a file
/// without a name.
fn is_of_store(file: &Path, store: &Path) -> bool {
    let id = |path: &Path| path.metadata().ok().map(|known| (known.dev(), known.ino()));
    ["", "-wal", "-shm", "-journal"].iter().any(|end| {
        let mut own = store.as_os_str().to_owned();
        own.push(end);
        let own = Path::new(&own);
        let beside = parent(file).canonicalize().ok() == parent(own).canonicalize().ok();
        (beside && file.file_name() == own.file_name()) || (id(own).is_some() && id(own) == id(file))
    })
}

fn taken(file: &Path) -> CliError {
    format!("{} exists: name another file, or replace it with --force", file.display()).into()
}

/// Where the copy is written and checked: nobody sees a file with its name that is not whole.
struct DraftFolder(PathBuf);

impl DraftFolder {
    fn beside(file: &Path) -> Result<Self, CliError> {
        let name = file.file_name().ok_or_else(|| format!("{} names no file", file.display()))?;
        let draft = format!(".{}.{:016x}", name.to_string_lossy(), rand::random::<u64>());
        let path = parent(file).join(draft);
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| format!("{} can not be written: {error}", parent(file).display()))?;
        Ok(Self(path))
    }

    /// Gives the copy its name.
    fn publish(&self, file: &Path, force: bool) -> Result<(), CliError> {
        let copy = StoreConfig::in_directory(&self.0).file();
        if force {
            fs::rename(&copy, file)?;
        } else {
            // A name that somebody took meanwhile is theirs. A link refuses it too, also where the file system (NFS) does
            // not know a rename that does.
            fs::hard_link(&copy, file).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => taken(file),
                _ => format!("{}: {error}", file.display()).into(),
            })?;
        }
        File::open(parent(file))?.sync_all()?;
        Ok(())
    }
}

impl Drop for DraftFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What a check of the copy found.
struct CopyCheck {
    lines: u64,
    anchors: u64,
    rows: u64,
    bytes: u64,
    faults: u64,
    schema: SchemaVersion,
}

impl CopyCheck {
    fn of(places: &PathOptions, folder: &Path, schema: SchemaVersion) -> Result<Self, CliError> {
        let places = PathOptions { state: Some(folder.to_owned()), socket: None, ..places.clone() };
        let source = JournalSource::of(&places)?;
        let mut verifier = JournalVerifier::new(KeptAnchors::default());
        source.each_line(|lines| {
            lines.iter().for_each(|line| verifier.line(line));
            Ok(())
        })?;
        let (report, record) = (verifier.finish(), RecordCheck::of(&source)?);
        let bytes = StoreConfig::in_directory(folder).file().metadata()?.len();
        let faults = report.faulty as u64 + record.faulty;
        Ok(Self { lines: report.lines, anchors: report.anchors, rows: record.checked, bytes, faults, schema })
    }

    fn print(&self, state: &Path, file: &Path, json: bool) -> Result<(), CliError> {
        let Self { lines, anchors, rows, bytes, faults, schema } = self;
        if json {
            let told = serde_json::json!({
                "file": file, "state": state, "lines": lines, "anchors": anchors, "rows": rows, "bytes": bytes,
                "faults": faults, "schema": schema.found,
            });
            println!("{}", serde_json::to_string_pretty(&told)?);
            return Ok(());
        }
        say(&format!(
            "{}: {lines} journal line(s), {anchors} anchor(s), {bytes} bytes from {}",
            file.display(),
            state.display()
        ));
        if *faults == 0 {
            say(&format!("checked: every chain, and {rows} row(s) against them"));
        } else {
            say(&format!(
                "{faults} fault(s) are in the copy as they are in the store: stentor journal verify names them"
            ));
        }
        say(&told_schema(*schema));
        say("it holds the server key: keep it as you keep a secret");
        Ok(())
    }
}

fn told_schema(SchemaVersion { found, known }: SchemaVersion) -> String {
    if found == known {
        return format!("its schema is version {found}, as this program writes it");
    }
    format!(
        "its schema is version {found}, as in the store: the program that wrote it can use the copy, and this one, which \
         writes version {known}, upgrades it at its start"
    )
}
