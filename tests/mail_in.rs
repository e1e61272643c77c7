//! Mails that come back to the real daemon: answers, out-of-office replies, bounces, and what only looks like one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

mod common;
mod double;

use common::{Daemon, Setup};
use double::smtp::{self, MailServer};
use serde_json::Value;
use std::{
    io::Write,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

const ANA: &str = "ana@example.com";
const BO: &str = "bo@example.com";

/// How long the daemon may take to do what it is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

struct Site {
    daemon: Daemon,
    mail: MailServer,
    runtime: tokio::runtime::Runtime,
}

impl Site {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mail = runtime.block_on(MailServer::start());
        let daemon = Setup::new(&matrix(&mail.url())).env("MAIL_PASSWORD", smtp::PASSWORD).start();
        assert!(daemon.cli(&["fire", "crash"]).status.success());
        Self { daemon, mail, runtime }
    }

    /// The message id of the brief that went to this mailbox.
    fn brief_to(&self, mailbox: &str) -> String {
        let found = |mail: &smtp::Mail| mail.to == [mailbox] && mail.data.contains("X-Priority: 1");
        let data = self.until("a brief", || self.mail.mails().into_iter().find(found)).data;
        let line = data.lines().find(|line| line.to_lowercase().starts_with("message-id:")).unwrap();
        line.split_once(':').unwrap().1.trim().to_owned()
    }

    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "waited for {what}:\n{}", self.daemon.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn trader(&self) -> Value {
        let incident = self.daemon.json(&["show", "INC-1"])["incident"].take();
        incident["roles"].as_array().unwrap().iter().find(|role| role["role"] == "trader").unwrap().clone()
    }

    fn hand_in(&self, mail: &str) -> Output {
        let mut child = common::binary(self.daemon.dir.path())
            .arg("mail-in")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(mail.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn matrix(url: &str) -> String {
    format!(
        r#"
[channel.mail]
kind = "smtp"
url = "{url}"
username = "{}"
password = {{ env = "MAIL_PASSWORD" }}
from = "stentor@example.com"
mail_in = "nobody"

[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"
email = "{ANA}"

[person.bo]
name = "Bo Lind"
email = "{BO}"

[role.trader]
step = [{{ page = ["ana"], by = ["mail"], wait = "10m" }}, {{ page = ["bo"], by = ["mail"], wait = "10m" }}]

[trigger.crash]
on = ["crash"]
roles = ["trader"]
"#,
        smtp::USERNAME
    )
}

fn reply(from: &str, id: &str, head: &str, body: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: stentor@example.com\r\nSubject: Re: crash\r\nIn-Reply-To: {id}\r\nReferences: {id}\r\n{head}\r\n{body}\r\n"
    )
}

#[test]
fn a_reply_by_mail_engages_and_only_its_reader_can_write_it() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    let forged = {
        let mut parts: Vec<String> = id.split('.').map(str::to_owned).collect();
        parts[2] = "0123456789abcdef".into();
        parts.join(".")
    };
    let changes_nothing = [
        ("a token that was guessed", reply(ANA, &forged, "", "wilco")),
        ("somebody else's mailbox, as when a page is forwarded", reply(BO, &id, "", "wilco")),
        ("a list", reply(ANA, &id, "Precedence: list\r\n", "wilco")),
        ("a machine", reply(ANA, &id, "Auto-Submitted: auto-generated\r\n", "wilco")),
        ("a mail about nothing", reply(ANA, "<hello@example.com>", "", "wilco")),
        ("no mail at all", "\0\u{1}".to_owned()),
    ];
    for (what, mail) in changes_nothing {
        let output = site.hand_in(&mail);
        assert!(output.status.success() && output.stdout.is_empty(), "{what}: the mail server must not bounce it");
        assert_eq!(site.trader()["state"], "paging", "{what}");
    }
    // A number may be anything, a code another page's, and "ok" may go on in the next line.
    for unclear in ["I am looking at it", "48213", "99999 wilco", "Ok,\r\nbut I am on a plane", "Yes"] {
        let output = site.hand_in(&reply(ANA, &id, "", unclear));
        assert_eq!(output.status.code(), Some(65), "{unclear:?}: the server returns it to its writer");
        assert!(String::from_utf8_lossy(&output.stdout).contains("wilco (I have it)"));
        assert_eq!(site.trader()["state"], "paging", "{unclear:?}");
    }
    let taken = site.hand_in(&reply(ANA, &id, "", "Wilco.\r\n\r\n> LIVE INC-1"));
    assert!(taken.status.success() && taken.stdout.is_empty());
    let trader = site.trader();
    assert_eq!((trader["state"].as_str(), trader["holder"].as_str()), (Some("engaged"), Some("Ana Ruiz")));
    let journal = site.daemon.cli(&["show", "INC-1", "--json"]).stdout;
    let token = id.split('.').nth(2).unwrap();
    assert!(!String::from_utf8_lossy(&journal).contains(token), "what proves a mail is kept nowhere");
    assert!(!site.daemon.log().contains(token));
}

#[test]
fn one_who_is_away_passes_the_page_on_at_once_and_is_never_engaged() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    for _ in 0..2 {
        let away = reply(ANA, &id, "Auto-Submitted: auto-replied\r\n", "wilco, I am on the beach");
        assert!(site.hand_in(&away).status.success());
    }
    // The second step waits ten minutes in vain: it is entered because nobody of the first can answer.
    site.brief_to(BO);
    assert_eq!(site.trader()["state"], "paging");
}

#[test]
fn a_bounce_says_that_nobody_was_reached_and_the_page_goes_by_another_way() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    let report = |action: &str| {
        format!(
            "Return-Path: <>\r\nFrom: Mail Delivery System <mailer-daemon@example.com>\r\nSubject: Undelivered\r\n\
             Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; {ANA}\r\nAction: {action}\r\nStatus: 5.1.1\r\n\r\n\
             --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {id}\r\nSubject: x\r\n\r\n--b--\r\n"
        )
    };
    let page = || site.daemon.json(&["show", "INC-1"])["incident"]["pages"][0].clone();
    site.until("the page's acceptance", || (page()["state"] == "accepted").then_some(()));
    assert!(site.hand_in(&report("delayed")).status.success());
    assert_eq!(page()["state"], "accepted");
    for _ in 0..2 {
        assert!(site.hand_in(&report("failed")).status.success());
    }
    assert_eq!(page()["state"], "unreachable");
    assert_eq!(page()["trouble"], "the mail came back (5.1.1)");
    let pages = site.daemon.json(&["show", "INC-1"])["incident"]["pages"].take();
    let round: Vec<&Value> = pages.as_array().unwrap().iter().filter(|page| page["instead_of"] == 1).collect();
    assert_eq!(round.len(), 1, "once, however often it is reported");
    assert_eq!(round[0]["channel"], "desk");
}

#[test]
fn a_mail_is_kept_by_its_server_while_no_daemon_answers() {
    let mut site = Site::new();
    let id = site.brief_to(ANA);
    let state = site.daemon.state().join("stentor.sock");
    assert!(site.daemon.stop());
    let _ = std::fs::remove_file(state);
    let output = site.hand_in(&reply(ANA, &id, "", "wilco"));
    assert_eq!(output.status.code(), Some(75), "EX_TEMPFAIL");
    site.daemon.restart();
    assert!(site.hand_in(&reply(ANA, &id, "", "wilco")).status.success());
    assert_eq!(site.trader()["state"], "engaged", "the message id outlives a restart");
    drop(site.runtime);
}

#[test]
fn whoever_has_it_hands_it_back_by_a_reply_and_no_machine_does_it_for_them() {
    let site = Site::new();
    let id = site.brief_to(ANA);
    assert!(site.hand_in(&reply(ANA, &id, "", "wilco")).status.success());
    assert_eq!(site.trader()["holder"], "Ana Ruiz");
    let found = |mail: &smtp::Mail| mail.to == [ANA] && mail.data.contains("You have it");
    let word = site.until("the word that she has it", || site.mail.mails().into_iter().find(found)).data;
    let line = word.lines().find(|line| line.to_lowercase().starts_with("message-id:")).unwrap();
    let word_id = line.split_once(':').unwrap().1.trim().to_owned();
    // Her mailbox answers the brief and the word by itself while she is at work on it.
    for id in [&id, &word_id] {
        let away = reply(ANA, id, "Auto-Submitted: auto-replied\r\n", "I am on the beach");
        assert!(site.hand_in(&away).status.success());
        assert_eq!(site.trader()["holder"], "Ana Ruiz", "{id}");
    }
    // Nor does anybody else.
    assert!(site.hand_in(&reply(BO, &word_id, "", "unable")).status.success());
    assert_eq!(site.trader()["holder"], "Ana Ruiz");

    assert!(site.hand_in(&reply(ANA, &word_id, "", "unable")).status.success());
    assert_eq!((&site.trader()["state"], &site.trader()["holder"]), (&"paging".into(), &Value::Null));
    // Nobody else is on the first step: the second is asked at once.
    let brief = |mail: &smtp::Mail| mail.to == [BO] && mail.data.contains("X-Priority: 1");
    let brief = site.until("Bo's brief", || site.mail.mails().into_iter().find(brief)).data.replace("=\r\n", "");
    assert!(brief.contains("Ana Ruiz took it at "), "{brief}");
}
