//! Mails that come back through a real server: its pipe runs `stentor mail-in` as its own user.

use crate::{
    common::{Daemon, Setup},
    exim::{self, Exim},
    incident::{Shown, assert_journal},
};

const DORA: &str = "dora@desk.example";

/// A daemon that mails to one person; by its outbox they can always be reached.
fn mailing(exim: &Exim, mailbox: &str) -> Daemon {
    let toml = format!(
        r#"
[channel.mail]
kind     = "smtp"
url      = "{}"
username = "{}"
password = {{ env = "MAIL_PASSWORD" }}
from     = "stentor@desk.example"
mail_in  = "Debian-exim"

[channel.desk]
kind = "screen"

[person.dora]
name  = "Dora Weiss"
email = "{mailbox}"

[role.compliance]
step = [{{ page = ["dora"], by = ["mail"], wait = "10m" }}]

[trigger.halt]
on    = ["halt"]
roles = ["compliance"]
"#,
        exim.url(),
        exim::USER,
    );
    let setup = Setup::new(&toml).env("STENTOR_CA_FILE", exim.root().to_str().unwrap());
    let setup = setup.env("MAIL_PASSWORD", exim::PASSWORD).env("STENTOR_SOCKET", exim.socket().to_str().unwrap());
    let daemon = setup.start();
    daemon.json(&["fire", "halt", "--summary", "the venue halted ACME"]);
    daemon
}

fn reply(to: &str, head: &str, body: &str) -> String {
    format!(
        "From: Dora Weiss <{DORA}>\nTo: stentor@desk.example\nSubject: Re: halt\nIn-Reply-To: {to}\n{head}\n{body}\n"
    )
}

#[test]
fn a_reply_engages_and_one_that_is_no_answer_comes_back_with_words_that_help() {
    if exim::missing() {
        return;
    }
    let exim = Exim::start();
    let daemon = mailing(&exim, DORA);
    let id = exim.letter_to(DORA, |_| true).header("Message-ID").to_owned();
    exim.submit(DORA, &reply(&id, "", "who is this?"));
    let returned = exim.letter_to(DORA, |letter| letter.header("Subject").contains("failed"));
    assert!(returned.raw.contains("wilco (I have it)"), "{}", returned.raw);
    assert_eq!(Shown::look(&daemon).unwrap().state("compliance"), "paging");
    exim.submit(DORA, &reply(&id, "", "Wilco\n\n> the venue halted ACME"));
    let shown = Shown::once(&daemon, "the engagement", |shown| shown.state("compliance") == "engaged");
    assert_eq!(shown.events("answered")[0]["via"], "mail");
    assert_journal(&daemon);
}

#[test]
fn a_mail_that_the_server_takes_and_returns_is_unreachable() {
    if exim::missing() {
        return;
    }
    let exim = Exim::start();
    let daemon = mailing(&exim, "bounce-dora@desk.example");
    let shown = Shown::once(&daemon, "the bounce", |shown| shown.brief("dora", "mail")["state"] == "unreachable");
    let mail = shown.brief("dora", "mail");
    assert!(mail["last_error"].as_str().is_some_and(|why| why.contains("came back")), "{mail}");
    assert_eq!(shown.brief("dora", "desk")["instead_of"], mail["n"], "it goes by another way");
}

#[test]
fn a_mail_that_finds_no_daemon_waits_in_the_servers_queue() {
    if exim::missing() {
        return;
    }
    let exim = Exim::start();
    let mut daemon = mailing(&exim, DORA);
    let id = exim.letter_to(DORA, |_| true).header("Message-ID").to_owned();
    assert!(daemon.stop());
    exim.submit(DORA, &reply(&id, "", "wilco"));
    daemon.restart();
    exim.run_queue();
    Shown::once(&daemon, "the engagement", |shown| shown.state("compliance") == "engaged");
}
