//! The real binary, started and stopped by tests.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, missing_docs)]

use serde_json::Value;
use std::{
    fs::File,
    net::SocketAddr,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a daemon may take to say that it is ready.
const READY: Duration = Duration::from_secs(30);

/// How long to wait for a line before checking whether it still runs.
const LOOK: Duration = Duration::from_millis(200);

/// A daemon under test, with its own folders. It is killed when it is dropped.
pub struct Daemon {
    pub dir: TempDir,
    pub address: SocketAddr,
    child: Child,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    shell: String,
}

/// How to start one.
pub struct Setup {
    pub dir: TempDir,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    shell: String,
}

impl Setup {
    /// A matrix of one file, or the one that ships where `toml` is empty.
    pub fn new(toml: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let matrix = dir.path().join("matrix");
        std::fs::create_dir(&matrix).unwrap();
        if toml.is_empty() {
            for entry in std::fs::read_dir(root().join("matrix")).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    std::fs::copy(&path, matrix.join(path.file_name().unwrap())).unwrap();
                }
            }
        } else {
            std::fs::write(matrix.join("matrix.toml"), toml).unwrap();
        }
        Self { dir, environment: Vec::new(), arguments: Vec::new(), shell: String::new() }
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// A shell command to run before the daemon starts: `ulimit -n 64`.
    pub fn after(mut self, words: &str) -> Self {
        self.shell = words.into();
        self
    }

    /// Starts it and waits until it says READY=1.
    pub fn start(self) -> Daemon {
        let command = command(self.dir.path(), &self.environment, &self.arguments, &self.shell);
        let (child, address) = launch(self.dir.path(), command);
        let Self { dir, environment, arguments, shell } = self;
        Daemon { dir, address, child, environment, arguments, shell }
    }

    /// Runs it until it exits: for daemons that must not start.
    pub fn fail(&self) -> Output {
        command(self.dir.path(), &self.environment, &self.arguments, &self.shell).output().unwrap()
    }
}

impl Daemon {
    /// `http://127.0.0.1:PORT` and a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process itself, for tests of how it ends.
    pub fn process(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Sends SIGKILL and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM and waits until it is gone; returns whether it exited with success.
    pub fn stop(&mut self) -> bool {
        self.signal("TERM");
        self.child.wait().unwrap().success()
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().unwrap();
        assert!(status.success(), "kill -{name}");
    }

    /// Starts it again on the same folders.
    pub fn restart(&mut self) {
        let command = command(self.dir.path(), &self.environment, &self.arguments, &self.shell);
        (self.child, self.address) = launch(self.dir.path(), command);
    }

    /// Runs a command against this daemon.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A command against this daemon that has not been run yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary(self.dir.path());
        command.args(arguments).envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }

    /// The same, with `--json`, parsed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.cli(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The binary with the folders of `dir`, in its own environment.
pub fn binary(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stentor"));
    command
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .env("STENTOR_MATRIX", dir.join("matrix"))
        .env("STENTOR_STATE", dir.join("state"))
        .current_dir(dir)
        .stdin(Stdio::null());
    command
}

fn command(dir: &Path, environment: &[(String, String)], arguments: &[String], shell: &str) -> Command {
    let mut command = binary(dir);
    if !shell.is_empty() {
        let program = command.get_program().to_owned();
        let settings: Vec<_> = command.get_envs().map(|(k, v)| (k.to_owned(), v.map(ToOwned::to_owned))).collect();
        command = Command::new("sh");
        command.env_clear().envs(settings.into_iter().filter_map(|(k, v)| Some((k, v?)))).current_dir(dir);
        command.stdin(Stdio::null()).arg("-c").arg(format!("{shell}; exec \"$0\" \"$@\"")).arg(program);
    }
    command.arg("serve").args(["--listen", "127.0.0.1:0"]).args(arguments);
    command.envs(environment.iter().map(|(k, v)| (k, v)));
    command
}

fn launch(dir: &Path, mut command: Command) -> (Child, SocketAddr) {
    let path = dir.join("notify.sock");
    let _ = std::fs::remove_file(&path);
    let notify = UnixDatagram::bind(&path).unwrap();
    notify.set_read_timeout(Some(LOOK)).unwrap();
    let log = File::options().create(true).append(true).open(dir.join("log")).unwrap();
    command.env("NOTIFY_SOCKET", &path).stdout(Stdio::null()).stderr(log);
    let mut child = command.spawn().unwrap();
    let mut buffer = [0; 4096];
    let deadline = Instant::now() + READY;
    loop {
        if let Ok(read) = notify.recv(&mut buffer)
            && buffer[..read].windows(7).any(|word| word == b"READY=1")
        {
            break;
        }
        // A daemon that exits does not say so: check it too.
        if child.try_wait().unwrap().is_some() || deadline < Instant::now() {
            let _ = child.kill();
            let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
            panic!("the daemon did not get ready:\n{log}");
        }
    }
    let address = std::fs::read_to_string(dir.join("state/address")).unwrap();
    (child, address.trim().parse().unwrap())
}
