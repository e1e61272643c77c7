//! Copies of the whole store: consistent, and made while a daemon goes on.

use super::{
    column::scalar,
    connection::{FILE, options},
    disk,
    failure::failure,
    read_only, schema,
};
use crate::store::{SchemaVersion, StoreError};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// What the copies of older versions are called, before the version.
const COPY: &str = "stentor.db.v";

/// So many of them are kept.
const COPIES_KEPT: usize = 3;

/// Copies the store of `dir` into a new file of the directory `to`, which must exist. A daemon may be using it: the copy
/// is what was committed when it began, of the version that the store has: the program that wrote it can read it. The
/// file is for its owner only, and on the disk when this returns.
///
/// # Errors
/// [`StoreError::Corrupt`] where the copy is no sound database, and whatever SQLite and the disk say.
pub async fn copy(dir: &Path, to: &Path) -> Result<SchemaVersion, StoreError> {
    let (from, to) = (dir.join(FILE), to.join(FILE));
    match disk::lock_shared(dir) {
        Ok(_lock) => {
            let readers = read_only::as_stored(&from).await?;
            let mut conn = readers.acquire().await.map_err(failure)?;
            write(&mut conn, &to).await?;
        }
        // A daemon has it: one more reader beside its own.
        Err(StoreError::Locked(_)) => {
            let mut conn = options(&from).read_only(true).connect().await.map_err(failure)?;
            write(&mut conn, &to).await?;
        }
        Err(error) => return Err(error),
    }
    let mut copied = options(&to).read_only(true).immutable(true).connect().await.map_err(failure)?;
    let sound: String = scalar(&mut copied, "PRAGMA integrity_check(1)").await?;
    let version = schema::found(&mut copied).await?;
    let _ = copied.close().await;
    if sound == "ok" { Ok(version) } else { Err(StoreError::Corrupt { what: "the copy".into(), why: sound }) }
}

/// Writes what a connection sees into a new file, down to the disk.
pub async fn write(conn: &mut SqliteConnection, to: &Path) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| StoreError::Failed(format!("{}: {error}", to.display()));
    // SQLite takes an empty file, and would make one that others can read.
    let mut new = OpenOptions::new();
    drop(new.write(true).create_new(true).mode(0o600).open(to).map_err(failed)?);
    let name = to.to_str().ok_or_else(|| StoreError::Failed(format!("{} is not UTF-8", to.display())))?;
    sqlx::query("VACUUM INTO ?").bind(name.to_owned()).execute(conn).await.map_err(failure)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(failed)
}

/// Copies a file of an older version before it is brought up to date: `stentor.db.v5` beside it, which the older program
/// can read. A copy of the same version is replaced: it is of an earlier upgrade, which somebody went back from, or of an
/// earlier start of this one. So a migration that fails again and again does not fill the disk, and of other versions the
/// [`COPIES_KEPT`] newest are kept. Without room for a copy the daemon starts all the same: each step of a migration is
/// done whole or not at all, and people wait for pages.
pub async fn before_migration(conn: &mut SqliteConnection, dir: &Path) -> Result<(), StoreError> {
    let Some(version) = schema::older(conn).await? else { return Ok(()) };
    let name = format!("{COPY}{version}");
    let (to, draft) = (dir.join(&name), dir.join(format!("{name}.part")));
    let _ = std::fs::remove_file(&draft);
    let copied = match write(conn, &draft).await {
        Ok(()) => std::fs::rename(&draft, &to)
            .and_then(|()| File::open(dir)?.sync_all())
            .map_err(|error| StoreError::Failed(format!("{}: {error}", to.display()))),
        Err(error) => Err(error),
    };
    match copied {
        Ok(()) => {
            tracing::info!(copy = name, "the store is of an older version: it was copied before it is changed");
            remove_old_copies(dir, version);
        }
        Err(error) => {
            let _ = std::fs::remove_file(&draft);
            let earlier = if to.exists() { ": the copy that is there is of an earlier time" } else { "" };
            tracing::error!(%error, "the store is of an older version, and could not be copied before it is changed{earlier}");
        }
    }
    Ok(())
}

/// Removes all but the newest of the copies beside that of this version.
fn remove_old_copies(dir: &Path, made: i64) {
    let version = |name: &str| name.strip_prefix(COPY)?.parse::<i64>().ok().filter(|version| *version != made);
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut versions: Vec<i64> = names.filter_map(|name| version(name.to_str()?)).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    for version in versions.into_iter().skip(COPIES_KEPT - 1) {
        let name = format!("{COPY}{version}");
        match std::fs::remove_file(dir.join(&name)) {
            Ok(()) => tracing::info!(copy = name, "a copy from before an older upgrade was removed"),
            Err(error) => {
                tracing::warn!(copy = name, %error, "a copy from before an older upgrade could not be removed")
            }
        }
    }
}
