//! The file of the control socket. It is taken only if nobody listens on it, and removed only while it is our own.

use crate::cli::error::CliError;
use rustix::fs::OFlags;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    net::{UnixListener, UnixStream},
    time::timeout,
};

/// How long to wait for an existing listener to accept. The kernel makes the connection, so this is only a safety
/// limit.
const KNOCK_TIME_MAX: Duration = Duration::from_secs(1);

/// A process id and a line break are not longer.
const LOCK_BYTES_MAX: u64 = 21;

/// This daemon's control socket; its file is removed when this is dropped.
pub struct ControlSocket {
    path: PathBuf,
    /// Device and inode: a different file at the same path belongs to somebody else.
    file: (u64, u64),
    /// Held as long as the socket is ours, so that only one of two daemons that start at the same time succeeds. Its
    /// file stays: if it were removed, two processes could hold the lock.
    _lock: File,
}

impl ControlSocket {
    /// Listens at `path`. Anybody may connect: access depends on the user's identity, and the directory's permissions
    /// can restrict it further.
    ///
    /// # Errors
    /// Somebody already listens there, the file there is not a socket, or the system reports an error.
    pub async fn listen(path: &Path) -> Result<(UnixListener, Self), CliError> {
        let mut lock = lock(path)?;
        clear(path).await?;
        name_holder(&mut lock);
        let listener = UnixListener::bind(path).map_err(|error| refused(path, &error.to_string()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
        let file = inode(path)?;
        Ok((listener, Self { path: path.to_owned(), file, _lock: lock }))
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if inode(&self.path).is_ok_and(|file| file == self.file) {
            // Any other process that removes it does the same.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

/// Takes the lock next to the socket. A foreign file with its name is left as it is.
fn lock(path: &Path) -> Result<File, CliError> {
    what_lies_there(path)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let options = options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let name = Path::new(&beside).display();
    let why = |error: std::io::Error| refused(path, &format!("its lock file {name}: {error}"));
    let mut file = options.open(&beside).map_err(why)?;
    if !is_lock(&mut file).map_err(why)? {
        return Err(refused(path, &format!("{name} is not a lock file of stentor")));
    }
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.rewind().and_then(|()| file.read_to_string(&mut holder));
            return Err(in_use(path, holder.trim().parse().ok()));
        }
        Err(TryLockError::Error(error)) => return Err(why(error)),
    }
    Ok(file)
}

/// Whether a file is empty, or contains a process id and nothing else.
fn is_lock(file: &mut File) -> std::io::Result<bool> {
    if !file.metadata()?.is_file() {
        return Ok(false);
    }
    let mut bytes = Vec::new();
    file.take(LOCK_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    let digits = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    Ok(bytes.len() as u64 <= LOCK_BYTES_MAX && digits.iter().all(u8::is_ascii_digit))
}

/// The process id is only for people who read the file.
fn name_holder(file: &mut File) {
    let _ = file.set_len(0);
    let _ = file.rewind().and_then(|()| writeln!(file, "{}", std::process::id()));
}

/// Whether there is a socket at `path`; `false` if there is nothing.
fn what_lies_there(path: &Path) -> Result<bool, CliError> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => Ok(true),
        Ok(_) => Err(refused(path, "the file there is not a socket")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(refused(path, &error.to_string())),
    }
}

/// Whether a process has bound a socket with this name and does not listen yet. The kernel lists sockets by the names
/// that they were bound with (`unix_seq_show` in net/unix/af_unix.c: seven columns, the fourth shows whether it
/// listens, then the name). Listening sockets with this name are ignored: the file here accepts no connections, so such
/// a socket is a different file.
fn is_bound(path: &Path) -> bool {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let listed = fs::read("/proc/net/unix").unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    let silent = listed.lines().filter(|line| line.split_ascii_whitespace().nth(3) == Some("00000000"));
    let names = silent.filter_map(|line| line.split_once(" /").map(|(_, rest)| format!("/{rest}")));
    names.into_iter().any(|name| Path::new(&name) == path || Path::new(&name) == absolute)
}

/// Removes the socket of a dead daemon, and nothing else.
async fn clear(path: &Path) -> Result<(), CliError> {
    if !what_lies_there(path)? {
        return Ok(());
    }
    match timeout(KNOCK_TIME_MAX, UnixStream::connect(path)).await {
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused && is_bound(path) => Err(in_use(path, None)),
        // The kernel reports that nobody has it open.
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| refused(path, &error.to_string()))
        }
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(Ok(stream)) => Err(in_use(path, stream.peer_cred().ok().and_then(|owner| owner.pid()))),
        // Somebody listens, but cannot accept at the moment.
        Ok(Err(error)) if error.kind() == ErrorKind::WouldBlock => Err(in_use(path, None)),
        Err(_) => Err(in_use(path, None)),
        Ok(Err(error)) => {
            Err(refused(path, &format!("could not check whether another process listens there: {error}")))
        }
    }
}

fn in_use(path: &Path, owner: Option<i32>) -> CliError {
    let owner = owner.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
    let path = path.display();
    format!("the socket {path} is in use by {owner}: stop that one first, or give this daemon a socket of its own with --socket PATH").into()
}

fn refused(path: &Path, why: &str) -> CliError {
    format!("can not listen on {}: {why}; another path: --socket PATH", path.display()).into()
}
