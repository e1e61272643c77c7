//! The state directory: its lock, and the space that is reserved for open ladders.

use crate::store::{DiskSpace, StoreError};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Bytes that are reserved on the disk for open ladders.
pub const RESERVE: u64 = 8 << 20;

/// Free bytes below which new alerts are refused, while the reserve exists.
pub const FLOOR: u64 = 16 << 20;

/// The shortest time between two checks of the free space.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Free bytes that opening the database may need. With less, the reserve is released first.
const OPENING: u64 = 1 << 20;

/// The file that reserves the space.
const RESERVE_FILE: &str = "reserve";

/// The file whose lock says that a daemon has the directory.
const LOCK_FILE: &str = "lock";

/// How much space is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpaceLimits {
    /// Bytes reserved for open ladders; [`RESERVE`] by default.
    pub reserve: u64,
    /// Free bytes below which new alerts are refused; [`FLOOR`] by default.
    pub floor: u64,
    /// The shortest time between two checks of the free space; [`LOOK_EVERY`] by default.
    pub look_every: Duration,
}

impl Default for SpaceLimits {
    fn default() -> Self {
        Self { reserve: RESERVE, floor: FLOOR, look_every: LOOK_EVERY }
    }
}

/// The space of a state directory, whoever uses it.
///
/// # Errors
/// What the file system says.
pub fn room(dir: &Path, limits: SpaceLimits) -> io::Result<DiskSpace> {
    let stat = rustix::fs::statvfs(dir)?;
    let reserve = fs::metadata(dir.join(RESERVE_FILE)).is_ok_and(|meta| meta.len() == limits.reserve);
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    Ok(DiskSpace { free, floor: limits.floor, reserve_stands: reserve })
}

/// How long a daemon that starts waits for commands that read its directory.
const READERS_TIME_MAX: Duration = Duration::from_secs(30);

/// How often it looks whether they have ended.
const READERS_LOOK_EVERY: Duration = Duration::from_millis(100);

/// Creates the directory if it is missing (for its owner only) and locks it for this process, until the file is
/// dropped. A report that reads the directory must not keep a daemon from starting: it is waited for.
///
/// # Errors
/// [`StoreError::Locked`] at once if another daemon has it, or after [`READERS_TIME_MAX`] if a command still reads it.
pub async fn lock(dir: &Path) -> Result<File, StoreError> {
    let mut waited = Duration::ZERO;
    loop {
        match try_lock(dir)? {
            Some(file) => return Ok(file),
            None if READERS_TIME_MAX <= waited => {
                return Err(StoreError::Locked(format!("{} (a stentor command reads it)", dir.display())));
            }
            None if waited.is_zero() => {
                tracing::warn!(dir = %dir.display(), "a stentor command reads the state folder: waiting for its end");
            }
            None => {}
        }
        tokio::time::sleep(READERS_LOOK_EVERY).await;
        waited += READERS_LOOK_EVERY;
    }
}

/// The lock; `None` while only readers have it.
fn try_lock(dir: &Path) -> Result<Option<File>, StoreError> {
    let refused = |error: io::Error| refused(dir, &error);
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(refused)?;
    let path = dir.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        // Who can share the lock meets readers alone.
        Err(TryLockError::WouldBlock) if file.try_lock_shared().is_ok() => return Ok(None),
        Err(TryLockError::WouldBlock) => return Err(locked(dir, &mut file)),
        Err(TryLockError::Error(error)) => return Err(refused(error)),
    }
    // The number only informs people: a full disk must not keep the daemon from starting.
    let _ = file.set_len(0);
    let _ = file.rewind().and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(Some(file))
}

/// Keeps daemons out of the directory until the file is dropped, and changes nothing in it. `None` where no daemon was
/// ever there, as in a copy of the database alone.
///
/// # Errors
/// [`StoreError::Locked`] while a daemon has it.
pub fn lock_shared(dir: &Path) -> Result<Option<File>, StoreError> {
    let refused = |error: io::Error| refused(dir, &error);
    let mut file = match File::open(dir.join(LOCK_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(locked(dir, &mut file)),
        Err(TryLockError::Error(error)) => Err(refused(error)),
    }
}

fn locked(dir: &Path, file: &mut File) -> StoreError {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    StoreError::Locked(format!("{} (process {})", dir.display(), holder.trim()))
}

/// Creates the database file for its owner only; SQLite would create it for others too.
pub fn touch(path: &Path) -> Result<(), StoreError> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened.map(drop).map_err(|error| refused(path, &error))
}

fn refused(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            StoreError::ReadOnly(format!("{}: {error}", path.display()))
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Failed(format!("{}: {error}", path.display())),
    }
}

/// Watches the space of the state directory.
#[derive(Debug)]
pub struct SpaceGuard {
    dir: PathBuf,
    limits: SpaceLimits,
    looked: Option<Instant>,
    reserve_stands: bool,
    is_low: bool,
    /// Why the reserve could not be made, though there is room for it.
    no_reserve: Option<String>,
}

impl SpaceGuard {
    /// Starts to watch. If there is not even room to open the database, the reserve is released at once.
    pub fn watch(dir: &Path, limits: SpaceLimits) -> Self {
        let mut space =
            Self { dir: dir.to_owned(), limits, looked: None, reserve_stands: false, is_low: true, no_reserve: None };
        space.reserve_stands = fs::metadata(space.path()).is_ok_and(|meta| meta.len() == limits.reserve);
        if space.free() < OPENING {
            space.release();
        }
        space
    }

    /// Whether new alerts must be refused: the reserve is released, or little is free besides it.
    pub fn is_low(&self) -> bool {
        self.is_low
    }

    /// Why new alerts are refused while [`SpaceGuard::is_low`].
    pub fn refusal(&self) -> StoreError {
        self.no_reserve.clone().map_or(StoreError::Full, StoreError::NoReserve)
    }

    /// Checks the disk, unless that was just done. Makes the reserve again if there is room.
    #[expect(clippy::disallowed_methods, reason = "the interval of disk checks does not use the store's time")]
    pub async fn look(&mut self) {
        if self.looked.is_some_and(|at| at.elapsed() < self.limits.look_every) {
            return;
        }
        self.looked = Some(Instant::now());
        let free = self.free();
        self.no_reserve = None;
        if !self.reserve_stands && self.limits.floor.saturating_add(self.limits.reserve) <= free {
            self.restore().await;
        }
        self.is_low = !self.reserve_stands || free < self.limits.floor;
    }

    /// Releases the reserve. Returns whether there was one.
    pub fn release(&mut self) -> bool {
        let stood = std::mem::replace(&mut self.reserve_stands, false);
        self.is_low = true;
        let removed = fs::remove_file(self.path()).is_ok();
        stood || removed
    }

    /// Whether nothing is left: then an error of the disk means that it is full.
    pub fn is_exhausted(&self) -> bool {
        self.free() < (64 << 10)
    }

    async fn restore(&mut self) {
        let (path, bytes) = (self.path(), self.limits.reserve);
        let written = tokio::task::spawn_blocking(move || fill(&path, bytes)).await;
        match written {
            Ok(Ok(())) => self.reserve_stands = true,
            Ok(Err(error)) => {
                self.no_reserve = Some(error.to_string());
                let _ = fs::remove_file(self.path());
            }
            Err(_) => {}
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(RESERVE_FILE)
    }

    /// Free bytes; a large number if that is unknown, since then only a failed write can tell.
    fn free(&self) -> u64 {
        rustix::fs::statvfs(&self.dir).map_or(u64::MAX, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// Real bytes: no hole, and nothing that a file system could compress.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut block = vec![0_u8; 64 << 10];
    let mut left = bytes;
    while 0 < left {
        rand::fill(&mut block[..]);
        let part = usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
        file.write_all(&block[..part])?;
        left -= part as u64;
    }
    file.sync_all()
}
