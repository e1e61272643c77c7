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
/// can read. There is one copy for each version, so that a migration that fails again and again does not fill the disk.
/// Without room for a copy the daemon starts all the same: each step of a migration is done whole or not at all, and
/// people wait for pages.
pub async fn before_migration(conn: &mut SqliteConnection, dir: &Path) -> Result<(), StoreError> {
    let Some(version) = schema::older(conn).await? else { return Ok(()) };
    let name = format!("{FILE}.v{version}");
    let (to, draft) = (dir.join(&name), dir.join(format!("{name}.part")));
    if to.exists() {
        tracing::info!(copy = name, "the store is of an older version: the copy of an earlier start is kept");
        return Ok(());
    }
    let _ = std::fs::remove_file(&draft);
    let copied = match write(conn, &draft).await {
        Ok(()) => std::fs::rename(&draft, &to)
            .and_then(|()| File::open(dir)?.sync_all())
            .map_err(|error| StoreError::Failed(format!("{}: {error}", to.display()))),
        Err(error) => Err(error),
    };
    match copied {
        Ok(()) => tracing::info!(copy = name, "the store is of an older version: it was copied before it is changed"),
        Err(error) => {
            let _ = std::fs::remove_file(&draft);
            tracing::error!(%error, "the store is of an older version, and could not be copied before it is changed");
        }
    }
    Ok(())
}
