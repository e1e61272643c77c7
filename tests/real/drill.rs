//! The flash crash as a drill between real parts: an SMS gateway, a mail server, a browser; Slack is a double and is
//! "down" on purpose. The run is scored, its review is shown in a browser, and the change that it proposes makes the next
//! run hold.

use crate::{
    browser,
    common::{Daemon, Setup},
    double::slack::{FakeSlack, TOKEN},
    exim::{self, Exim},
    kannel::{self, Kannel},
    net::Net,
    parts,
};
use serde_json::Value;
use std::thread;

const SMS_TOKEN: &str = "reply-secret-4711";
const ANA: &str = "447700900001";
const BO: &str = "447700900012";

const SCENARIO: &str = r#"
name      = "flash-crash"
summary   = "6 May 2010: the buyers of the E-mini are gone"
ends      = "60s"
announced = false

[[inject]]
at      = "0s"
kind    = "depth_collapse"
summary = "ES buy-side depth below 1 % of the morning's"
labels  = { symbol = "ES" }
values  = { depth_pct = 1 }

[hypothesis.trader]
percent = 90
within  = "8s"

[[fault]]
channel = "chat"
kind    = "down"

[everyone]
answers = { times = ["2s"] }
unable  = 0.0
ignores = 0.0

[channels.sms]
accepts  = { times = ["200ms"] }
delivers = { times = ["200ms"] }
lost     = 0.0
"#;

#[test]
fn an_injected_outage_is_found_between_real_parts_and_the_proposal_mends_it() {
    let lacking = [parts::missing(&kannel::PARTS), exim::missing(), browser::missing()];
    if lacking.contains(&true) {
        return;
    }
    let net = Net::new();
    let (exim, plan) = (Exim::start(), kannel::Plan::new());
    let slack = net.run(FakeSlack::start(&["UANA"]));
    let daemon = Setup::new(&matrix(&plan.url(), &exim.url(), &slack.api_url()))
        .env("STENTOR_CA_FILE", exim.root().to_str().unwrap())
        .env("KANNEL_PASSWORD", kannel::PASSWORD)
        .env("KANNEL_REPLY_TOKEN", SMS_TOKEN)
        .env("MAIL_PASSWORD", exim::PASSWORD)
        .env("SLACK_TOKEN", TOKEN)
        .start();
    let mut kannel = Kannel::start(&net, plan, daemon.address, "sms", SMS_TOKEN);
    let folder = daemon.dir.path().join("matrix/drills");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("flash-crash.toml"), SCENARIO).unwrap();

    // Slack is down: the head of the desk is called in the trader's place.
    let (status, run) = drill(&daemon, || answer(&net, &mut kannel, BO));
    assert_eq!((status, &run["state"]), (Some(1), &"not-held".into()), "{run:#}");
    let cause = &run["score"]["findings"][0]["bottleneck"]["cause"];
    assert_eq!((&cause["stage"], &cause["channel"]), (&"channel".into(), &"chat".into()), "{run:#}");
    let letter = exim.letter_to("bo@desk.example", |letter| letter.raw.contains("DRILL is over"));
    assert!(letter.header("Subject").starts_with("DRILL"), "{}", letter.raw);

    let sheet = daemon.dir.path().join("review.html");
    let report = daemon.cli(&["drill", "report", "DR-1", "--html", "-o", sheet.to_str().unwrap()]);
    assert!(report.status.success(), "{report:?}");
    let shown = browser::shown(&sheet);
    for part in ["flash-crash", "chat", "Ana Ruiz", "Bo Lind", "injected"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let diff = daemon.cli(&["drill", "report", "DR-1", "--diff"]);
    let diff = String::from_utf8(diff.stdout).unwrap();
    let file = daemon.dir.path().join("matrix/matrix.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, patched(&text, &diff)).unwrap();
    daemon.signal("HUP");
    parts::until("the reload", || daemon.log().contains("was reloaded").then_some(()));

    let (status, run) = drill(&daemon, || answer(&net, &mut kannel, ANA));
    assert_eq!((status, &run["state"]), (Some(0), &"held".into()), "{run:#}\n{diff}");
    assert!(slack.posts().is_empty(), "what is down on purpose is asked for nothing");
}

/// Runs the drill while somebody does something.
fn drill(daemon: &Daemon, meanwhile: impl FnOnce()) -> (Option<i32>, Value) {
    thread::scope(|scope| {
        let run = scope.spawn(|| daemon.cli(&["drill", "run", "flash-crash", "--yes", "--json"]));
        meanwhile();
        let output = run.join().unwrap();
        let run = serde_json::from_slice(&output.stdout);
        (output.status.code(), run.unwrap_or_else(|_| String::from_utf8_lossy(&output.stderr).into()))
    })
}

/// The code of the newest brief to a phone goes back from it.
fn answer(net: &Net, kannel: &mut Kannel, phone: &str) {
    let text = kannel.text_to(phone, |text| text.starts_with("DRILL ") && code(text).is_some());
    kannel.reply(net, phone, &code(&text).unwrap());
}

fn code(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.find(|word| word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned)
}

/// A file with the one hunk of a unified diff applied.
fn patched(text: &str, diff: &str) -> String {
    let mut text = text.to_owned();
    for hunk in diff.split("\n@@").skip(1) {
        let lines: Vec<&str> = hunk.lines().skip(1).take_while(|line| !line.starts_with("---")).collect();
        let side = |not: char| {
            let kept = lines.iter().filter(|line| !line.starts_with(not));
            kept.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect::<String>()
        };
        assert!(text.contains(&side('+')), "the diff does not fit: {diff}");
        text = text.replacen(&side('+'), &side('-'), 1);
    }
    text
}

fn matrix(kannel: &str, exim: &str, slack: &str) -> String {
    format!(
        r#"
[channel.chat]
kind     = "slack"
url      = "{slack}"
token    = {{ env = "SLACK_TOKEN" }}
accept_timeout = "1m"

[channel.sms]
kind     = "kannel"
url      = "{kannel}"
username = "{}"
password = {{ env = "KANNEL_PASSWORD" }}
token    = {{ env = "KANNEL_REPLY_TOKEN" }}
from     = "{}"

[channel.mail]
kind     = "smtp"
url      = "{exim}"
username = "{}"
password = {{ env = "MAIL_PASSWORD" }}
from     = "stentor@desk.example"

[person.ana]
name  = "Ana Ruiz"
phone = "+{ANA}"
slack = "UANA"

[person.bo]
name  = "Bo Lind"
phone = "+{BO}"
email = "bo@desk.example"

[role.trader]
engaged_by = "wilco"
step = [{{ page = ["ana"], by = ["chat"], wait = "10s" }}]
next = "head"

[role.head]
engaged_by = "wilco"
step = [{{ page = ["bo"], by = ["sms", "mail"], wait = "40s" }}]

[trigger.depth]
on    = ["depth_collapse"]
key   = 'alert.labels.symbol'
roles = ["trader"]
"#,
        kannel::USER,
        kannel::NUMBER,
        exim::USER,
    )
}
