//! Runs the blocks of one page, in order, in a folder of its own: a page is a story that a reader follows.

use super::blocks::{Block, Mark, blocks, looks_like};
use crate::common::root;
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use toml::{Table, Value};

/// How long one block may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The address that the guide shows. The test's daemon listens somewhere else.
const SHOWN: &str = "127.0.0.1:7373";

/// Lines of a failed command's output that are shown.
const SHOWN_LINES: usize = 25;

/// Sections that are replaced as a whole where a block names them: their keys depend on their kind.
const WHOLE: &str = "channel";

/// Keys that only a scenario has at its top.
const SCENARIO: [&str; 8] = ["inject", "fault", "hypothesis", "everyone", "ends", "answer", "schedule", "abort"];

/// The folder of a page and what runs in it.
struct Story {
    dir: TempDir,
    address: String,
    daemons: Vec<Child>,
}

/// Everything that does not work on a page.
pub fn run(path: &Path, text: &str) -> Vec<String> {
    let place = |line: usize, why: String| format!("{}:{line}: {why}", path.display());
    let blocks = match blocks(text) {
        Ok(blocks) => blocks,
        Err(why) => return vec![format!("{}: {why}", path.display())],
    };
    let mut story = Story::new();
    if text.contains("<!-- daemon -->") || text.contains("<!-- matrix -->") {
        copy(&root().join("matrix"), &story.dir.path().join("matrix"));
    }
    let sandbox = "stentor serve --sandbox";
    if text.contains("<!-- daemon -->")
        && let Err(why) = story.background(sandbox)
    {
        return vec![place(1, why)];
    }
    let mut failures = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let before = line.strip_prefix("<!-- before:").and_then(|rest| rest.strip_suffix("-->"));
        if let Some(Err(why)) = before.map(|command| story.sh(command, &[0])) {
            failures.push(place(number, why));
        }
    }
    for block in &blocks {
        if let Err(why) = story.block(block) {
            failures.push(place(block.line, why));
        }
    }
    failures
}

impl Story {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(".bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_stentor"), dir.path().join(".bin/stentor")).unwrap();
        Self { dir, address: String::new(), daemons: Vec::new() }
    }

    fn block(&mut self, block: &Block) -> Result<(), String> {
        if block.marks.contains(&Mark::NotRun) {
            return Ok(());
        }
        let text = self.here(&block.text);
        let file = block.marks.iter().find_map(|mark| match mark {
            Mark::File(path) => Some(self.dir.path().join(path)),
            _ => None,
        });
        if let Some(path) = &file {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &text).unwrap();
        }
        match block.language.as_str() {
            "json" => serde_json::from_str::<serde_json::Value>(&text).map(|_| ()).map_err(|error| error.to_string()),
            "toml" => self.toml(&text, file.is_some() || block.marks.contains(&Mark::Whole)),
            "sh" if block.marks.contains(&Mark::Background) => self.background(&text),
            "sh" => {
                let wanted = block.marks.iter().find_map(|mark| match mark {
                    Mark::Exit(statuses) => Some(statuses.as_slice()),
                    _ => None,
                });
                self.sh(&text, wanted.unwrap_or(&[0])).map(|_| ())
            }
            "console" => self.console(&text),
            other => Err(format!("a block of {other:?} is not run by any test: mark it <!-- not run: REASON -->")),
        }
    }

    /// The text with this machine's address and login in place of those that the guide shows.
    fn here(&self, text: &str) -> String {
        let uid = uzers::get_current_uid();
        let login = uzers::get_current_username().map_or_else(|| uid.to_string(), |name| name.display().to_string());
        let unix = format!("unix = \"{login}\"");
        // Ten thousand runs are for a release build.
        let text = text.replace("stentor simulate ", "stentor simulate --runs 40 ");
        text.replace(SHOWN, if self.address.is_empty() { SHOWN } else { &self.address })
            .replace("unix = \"ana\"", &unix)
    }

    fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["-eu", "-c", script])
            .env_clear()
            .env("PATH", format!("{}:{path}", self.dir.path().join(".bin").display()))
            .env("HOME", self.dir.path())
            .env("STENTOR_LISTEN", "127.0.0.1:0")
            .env("RISK_MONITOR_TOKEN", "a-token-for-the-guide")
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a script to its end; its whole output where it ends as wanted.
    fn sh(&self, script: &str, wanted: &[i32]) -> Result<String, String> {
        if script.contains("curl ") && !has("curl") {
            skipped("curl");
            return Ok(String::from("SKIPPED"));
        }
        let path = self.dir.path().join(".output");
        let output = File::create(&path).unwrap();
        let mut command = self.shell(script);
        let mut child = command.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if PATIENCE < began.elapsed() {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("still running after {PATIENCE:?}"));
            }
            sleep(Duration::from_millis(5));
        };
        let said = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        if status.code().is_some_and(|code| wanted.contains(&code)) {
            return Ok(said);
        }
        let shown: Vec<&str> = said.lines().rev().take(SHOWN_LINES).collect();
        let shown: Vec<&str> = shown.into_iter().rev().collect();
        Err(format!("ended with {status}:\n{}", shown.join("\n")))
    }

    /// Starts a daemon and waits until it answers.
    fn background(&mut self, script: &str) -> Result<(), String> {
        let log = File::create(self.dir.path().join(".log")).unwrap();
        let mut command = self.shell(&format!("exec {}", script.trim()));
        let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let (began, address) = (Instant::now(), self.dir.path().join("state/address"));
        loop {
            let known = fs::read_to_string(&address).unwrap_or_default();
            if !known.trim().is_empty() && self.sh("stentor incidents", &[0]).is_ok() {
                self.address = known.trim().to_owned();
                break;
            }
            if PATIENCE < began.elapsed() || child.try_wait().unwrap().is_some() {
                let _ = child.kill();
                let _ = child.wait();
                return Err(fs::read_to_string(self.dir.path().join(".log")).unwrap_or_default());
            }
            sleep(Duration::from_millis(20));
        }
        self.daemons.push(child);
        Ok(())
    }

    fn console(&self, text: &str) -> Result<(), String> {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let command = line.strip_prefix("$ ").ok_or_else(|| format!("{line:?} is no command: it lacks `$ `"))?;
            let mut shown = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                shown.push(line);
            }
            // A status other than 0 is part of what is shown.
            let output = self.sh(&format!("{command} || true"), &[0])?;
            let output: Vec<&str> = output.lines().collect();
            if output != ["SKIPPED"] && !looks_like(&shown, &output) {
                return Err(format!(
                    "{command} says:\n{}\nand the page shows:\n{}",
                    output.join("\n"),
                    shown.join("\n")
                ));
            }
        }
        Ok(())
    }

    fn toml(&self, text: &str, whole: bool) -> Result<(), String> {
        let part: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let dir = tempfile::tempdir_in(self.dir.path()).unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("matrix")).unwrap();
        if SCENARIO.iter().any(|key| part.contains_key(*key)) {
            copy(&root().join("matrix"), &at("matrix"));
            let base = fs::read_to_string(root().join("matrix/drills/slack-outage.toml")).unwrap();
            let text = if whole { text.to_owned() } else { merged(base.parse().unwrap(), part) };
            fs::write(at("scenario.toml"), text).unwrap();
            return self.checked("stentor scenario check scenario.toml", dir.path());
        }
        let text = if whole { text.to_owned() } else { merged(base(), part) };
        fs::write(at("matrix/matrix.toml"), text).unwrap();
        self.checked("stentor check", dir.path())
    }

    /// Warnings are right in a part of a matrix, but for those about old names.
    fn checked(&self, command: &str, dir: &Path) -> Result<(), String> {
        let said = self.sh(&format!("cd {} && {command}", dir.display()), &[0])?;
        if said.contains("renamed-key") { Err(said) } else { Ok(()) }
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// The matrix that ships, as one table, with an address for providers to call.
fn base() -> Table {
    let mut base: Table = "[daemon]\npublic_url = \"https://stentor.example.com\"\n".parse().unwrap();
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("matrix")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        let text = fs::read_to_string(file).unwrap();
        merge(&mut base, text.parse().unwrap());
    }
    base
}

fn merged(mut base: Table, part: Table) -> String {
    merge(&mut base, part);
    toml::to_string(&base).unwrap()
}

fn merge(base: &mut Table, part: Table) {
    for (key, value) in part {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(part)) if key == WHOLE => base.extend(part),
            (Some(Value::Table(base)), Value::Table(part)) => merge(base, part),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, to).unwrap();
        }
    }
}

fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Said past the test runner's capture; a failure where everything must be there.
fn skipped(program: &str) {
    let line = format!("SKIPPED: {program} is missing: apt-get install {program}");
    assert!(std::env::var("STENTOR_REAL").unwrap_or_default() != "1", "{line}");
    let _ = writeln!(std::io::stderr(), "{line}");
}
