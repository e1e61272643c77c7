//! Channels whose way is data, made as the daemon makes them: from a matrix.

use super::{bench::Condition, double};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use stentor::{
    channel::{Channel, desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{ChannelName, Timestamp},
    engine::{RuntimeConfig, SharedChannelParts},
    matrix::{KnownNames, Matrix, SourceText, render},
    template::PageTemplates,
};

/// The token of the `http` channel.
pub const BEARER: &str = "bearer-secret-5c1d90";
/// The key of the `webhook` channel.
pub const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// The other one, while it is changed.
pub const KEY_NEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An SMS gateway that speaks JSON.
const GATEWAY: &str = r#"
needs       = "phone"
number      = "digits"
bearer      = { file = "BEARER" }
body        = '{ "to": {{ to }}, "text": {{ text }}, "callback": {{ report }} }'
accepted    = { status = [200], at = "/status", is = ["queued"] }
id          = "/id"
error       = "/error/code"
unreachable = [21211]
broken      = ["no_credit"]
report      = { status = "/status", delivered = ["delivered"] }
"#;

/// A receiver of events on this machine.
const RECEIVER: &str = r#"
keys  = [{ file = "KEY" }, { file = "KEY_NEXT" }]
allow = ["127.0.0.1"]
"#;

/// The channel of this kind whose service is at `url`, which is a secret.
pub fn at(kind: &str, url: &str) -> Arc<dyn Channel> {
    let keys = match kind {
        "http" => GATEWAY,
        "webhook" => RECEIVER,
        _ => "",
    };
    with(kind, url, keys)
}

/// The same with these keys. `URL`, `BEARER`, `KEY` and `KEY_NEXT` are files of secrets.
pub fn with(kind: &str, url: &str, keys: &str) -> Arc<dyn Channel> {
    let folder = tempfile::tempdir().unwrap();
    let secrets = [("URL", url), ("BEARER", BEARER), ("KEY", KEY), ("KEY_NEXT", KEY_NEXT)];
    let mut text = format!("[channel.under-test]\nkind = \"{kind}\"\nurl = {{ file = \"URL\" }}\n{keys}\n");
    for (name, secret) in secrets {
        let path = folder.path().join(name);
        std::fs::write(&path, secret).unwrap();
        text = text.replace(&format!("file = \"{name}\""), &format!("file = \"{}\"", path.display()));
    }
    made(&text).unwrap_or_else(|why| panic!("{why}"))
}

/// The channel `under-test` of this matrix, or why it writes to the sandbox.
pub fn made(text: &str) -> Result<Arc<dyn Channel>, String> {
    double::install_tls();
    let templates = PageTemplates::shipped();
    let files = [SourceText { path: PathBuf::from("matrix.toml"), text: text.to_owned() }];
    let parsed = Matrix::parse(&files, &KnownNames { templates: &templates.revisions() }, Timestamp::from_micros(0));
    let matrix = parsed.matrix.ok_or_else(|| render(&parsed.diagnostics, &files, false))?;
    let state = tempfile::tempdir().unwrap();
    let outbox = SandboxOutbox::open(state.path(), || Timestamp::from_micros(0)).unwrap();
    let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: "5e4d3c2b".to_owned(), sandbox: false };
    let mut live = RuntimeConfig::wire(matrix, templates, &shared);
    let wired = live.channels.remove(&ChannelName::from("under-test")).unwrap();
    wired.sandboxed.map_or(Ok(wired.channel), Err)
}

/// A program that does as it is told by a file.
pub struct Program {
    folder: tempfile::TempDir,
}

/// What it does by turns; `$0` is the folder.
const SCRIPT: &str = r#"
page=$(cat)
case $(cat "$1/mood") in
  well) printf '%s\n' "$page" >> "$1/arrived"; echo "lamp-7" ;;
  person) echo "no lamp for this person" >&2; exit 69 ;;
  everybody) echo "no lamp is set up" >&2; exit 78 ;;
  later) exit 75 ;;
  fails) echo "oops" >&2; exit 1 ;;
  hangs) touch "$1/started"; sleep 300 & wait ;;
  trickles) touch "$1/started"; while :; do echo drop; sleep 0.02; done ;;
  dies) kill -9 $$ ;;
esac
"#;

impl Program {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("script"), SCRIPT).unwrap();
        std::fs::write(folder.path().join("arrived"), "").unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn arrange(&self, condition: Condition) -> bool {
        let mood = match condition {
            Condition::AllIsWell | Condition::IsARoom => "well",
            Condition::RefusesThisPerson => "person",
            Condition::RefusesEverybody => "everybody",
            Condition::ThrottlesBySeconds => "later",
            Condition::FailsInside => "fails",
            Condition::Hangs => "hangs",
            Condition::Trickles => "trickles",
            Condition::BreaksMidAnswer => "dies",
            Condition::NobodyListens => "well",
            Condition::KnowsNoWay
            | Condition::ThrottlesByDate
            | Condition::IsBusy
            | Condition::AnswersHtml
            | Condition::Redirects => return false,
        };
        let _ = std::fs::remove_file(self.path().join("started"));
        std::fs::write(self.path().join("mood"), mood).unwrap();
        true
    }

    pub fn channel(&self, gone: bool) -> Arc<dyn Channel> {
        let program = if gone { "/nonexistent/program" } else { "/bin/sh" };
        let folder = self.path().display();
        let text = format!(
            "[channel.under-test]\nkind = \"exec\"\nprogram = \"{program}\"\narguments = [\"{folder}/script\", \"{folder}\"]"
        );
        made(&text).unwrap()
    }

    /// Waits until it runs.
    pub async fn started(&self) {
        while !self.path().join("started").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What it was given.
    pub fn pages(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.path().join("arrived")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn arrived(&self) -> usize {
        self.pages().len()
    }
}
