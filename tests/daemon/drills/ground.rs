//! A desk on doubles: a gateway for SMS, a Slack workspace, people who answer what arrives.

use super::{
    common::{Daemon, Setup},
    double::{
        gateway::{self, Gateway},
        slack::{FakeSlack, TOKEN},
    },
    house::eventually,
    wire::{Call, form},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::runtime::Runtime;

pub const ANA: &str = "+447700900001";
pub const BO: &str = "+447700900002";
const REPLY_TOKEN: &str = "reply-secret-4711";
const MONITOR_TOKEN: &str = "monitor-secret-4711";

/// Everything that runs.
pub struct Ground {
    pub daemon: Daemon,
    pub gateway: Arc<Gateway>,
    pub slack: FakeSlack,
    quiet: Arc<AtomicBool>,
    bot: Option<thread::JoinHandle<()>>,
    _runtime: Runtime,
}

/// One role by Slack alone; its head by SMS.
pub fn matrix(by: &str) -> String {
    format!(
        r#"
[source.monitor]
token = {{ env = "MONITOR_TOKEN" }}

[channel.chat]
kind           = "slack"
url            = "SLACK_URL"
token          = {{ env = "SLACK_TOKEN" }}
signing_secret = {{ env = "SLACK_SECRET" }}
accept_timeout       = "1m"

[channel.sms]
kind     = "kannel"
url      = "SMS_URL"
username = "{}"
pace     = "50/s burst 50"
password = {{ env = "KANNEL_PASSWORD" }}
token    = {{ env = "KANNEL_REPLY_TOKEN" }}

[person.ana]
name  = "Ana Ruiz"
phone = "{ANA}"
slack = "UANA"

[person.bo]
name  = "Bo Lind"
phone = "{BO}"

[role.trader]
engaged_by = "wilco"
step = [{{ page = ["ana"], by = [{by}], wait = "4s" }}]
next = "head"

[role.head]
engaged_by = "wilco"
step = [{{ page = ["bo"], by = ["sms"], wait = "30s" }}]

[trigger.flash-crash]
on      = ["price_velocity"]
when    = 'alert.values.drop_pct >= 5.0'
key     = 'alert.labels.symbol'
roles   = ["trader"]

[catch-all]
page = ["bo"]
by   = ["sms"]
"#,
        gateway::USERNAME
    )
}

/// A scenario: one alert, one hypothesis, and what else it says.
pub fn scenario(more: &str) -> String {
    format!(
        r#"
name      = "crash"
summary   = "ES falls by 7.5 %"
ends      = "60s"
announced = false
{more}

[[inject]]
at     = "0s"
kind   = "price_velocity"
labels = {{ symbol = "ES" }}
values = {{ drop_pct = 7.5 }}

[hypothesis.trader]
percent = 90
within  = "3s"
"#
    )
}

impl Ground {
    /// The desk, whose people answer by SMS what reaches them.
    pub fn new(by: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let gateway = Arc::new(runtime.block_on(Gateway::start()));
        let slack = runtime.block_on(FakeSlack::start(&["UANA"]));
        let matrix = matrix(by).replace("SLACK_URL", &slack.api_url()).replace("SMS_URL", &gateway.url());
        let daemon = Setup::new(&matrix)
            .env("MONITOR_TOKEN", MONITOR_TOKEN)
            .env("SLACK_TOKEN", TOKEN)
            .env("SLACK_SECRET", "signing-secret-4711")
            .env("KANNEL_PASSWORD", gateway::PASSWORD)
            .env("KANNEL_REPLY_TOKEN", REPLY_TOKEN)
            .start();
        let mut ground =
            Self { daemon, gateway, slack, quiet: Arc::new(AtomicBool::new(false)), bot: None, _runtime: runtime };
        ground.people_answer();
        ground
    }

    /// Nobody answers any more.
    pub fn silence(&mut self) {
        self.quiet.store(true, Ordering::SeqCst);
        if let Some(bot) = self.bot.take() {
            bot.join().unwrap();
        }
    }

    /// Each code that arrives by SMS is answered once, by the one whose phone it reached.
    pub fn people_answer(&mut self) {
        self.quiet.store(false, Ordering::SeqCst);
        let (gateway, quiet, address) = (self.gateway.clone(), self.quiet.clone(), self.daemon.address);
        self.bot = Some(thread::spawn(move || {
            let mut answered = BTreeSet::new();
            while !quiet.load(Ordering::SeqCst) {
                for sms in gateway.accepted() {
                    let (to, text) = (sms.fields["to"].clone(), sms.fields["text"].clone());
                    let Some(code) = code(&text).filter(|code| answered.insert((to.clone(), code.clone()))) else {
                        continue;
                    };
                    let fields = [("token", REPLY_TOKEN), ("from", &to), ("text", &format!("{code} 2"))];
                    let _ = Call::get(&format!("/hooks/kannel/sms?{}", form(&fields))).send(address);
                }
                thread::sleep(Duration::from_millis(20));
            }
        }));
    }

    pub fn write_scenario(&self, text: &str) -> String {
        let folder = self.daemon.dir.path().join("matrix/drills");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("crash.toml"), text).unwrap();
        "crash".to_owned()
    }

    /// Runs a scenario to its end.
    pub fn drill(&self, text: &str, more: &[&str]) -> (Option<i32>, Value, String) {
        let name = self.write_scenario(text);
        let output = self.daemon.cli(&[&["drill", "run", &name, "--yes", "--json"], more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
    }

    /// Starts a scenario and lets it go on.
    pub fn begin(&self, text: &str) -> Child {
        let name = self.write_scenario(text);
        let mut command = super::common::binary(self.daemon.dir.path());
        command.args(["drill", "run", &name, "--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// A live alert; its incident.
    pub fn fire(&self, symbol: &str) -> String {
        let alert = json!({ "kind": "price_velocity", "labels": { "symbol": symbol }, "values": { "drop_pct": 7.5 } });
        let reply = Call::post("/v1/alerts").bearer(MONITOR_TOKEN).json(&alert).send(self.daemon.address);
        assert_eq!(reply.status, 202, "{reply:?}");
        reply.json()["alerts"][0]["incidents"][0].as_str().unwrap().to_owned()
    }

    /// An SMS from a phone.
    pub fn answer(&self, phone: &str, text: &str) {
        let fields = [("token", REPLY_TOKEN), ("from", phone), ("text", text)];
        let reply = Call::get(&format!("/hooks/kannel/sms?{}", form(&fields))).send(self.daemon.address);
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// The texts that reached a phone so far.
    pub fn texts_to(&self, phone: &str) -> Vec<String> {
        let accepted = self.gateway.accepted();
        accepted.into_iter().filter(|sms| sms.fields["to"] == phone).map(|sms| sms.fields["text"].clone()).collect()
    }

    /// Waits for a text to a phone.
    pub fn text_to(&self, phone: &str, is: impl Fn(&str) -> bool) -> String {
        eventually(&format!("a text to {phone}; so far {:?}", self.gateway.accepted()), || {
            self.texts_to(phone).into_iter().find(|text| is(text))
        })
    }

    /// Every text to anybody so far, by any channel.
    pub fn all_texts(&self) -> Vec<String> {
        let texts = self.gateway.accepted().into_iter().map(|sms| sms.fields["text"].clone());
        texts.chain(self.slack.posts().into_iter().map(|post| post.body.to_string())).collect()
    }

    pub fn run_of(&self, state: &str) -> Value {
        eventually(&format!("a run that is {state}"), || {
            let runs = self.daemon.json(&["drill", "history"]);
            runs.as_array().unwrap().iter().find(|run| run["state"] == state).cloned()
        })
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.quiet.store(true, Ordering::SeqCst);
        if let Some(bot) = self.bot.take() {
            let _ = bot.join();
        }
    }
}

/// The answer code of a brief: five digits.
pub fn code(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.find(|word| word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned)
}

/// A file with a unified diff of it applied.
pub fn patched(text: &str, diff: &str) -> String {
    let mut text = text.to_owned();
    for hunk in diff.split("\n@@").skip(1) {
        let lines: Vec<&str> = hunk.lines().skip(1).take_while(|line| !line.starts_with("---")).collect();
        let side = |not: char| {
            let kept = lines.iter().filter(|line| !line.starts_with(not));
            kept.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect::<String>()
        };
        let (before, after) = (side('+'), side('-'));
        assert!(text.contains(&before), "the diff does not fit:\n{before}\n{text}");
        text = text.replacen(&before, &after, 1);
    }
    text
}

/// Ends a child as Ctrl-C does.
pub fn interrupt(child: Child) -> Output {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    child.wait_with_output().unwrap()
}
