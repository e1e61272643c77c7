//! Mail through a real server: delivered, refused for now, refused for good, and with a wrong password.

use crate::{
    common::{Daemon, Setup},
    exim::{self, Exim},
    incident::{Shown, assert_journal},
    net::Net,
};

/// A daemon that mails to one person; by its outbox they can always be reached.
fn mailing(exim: &Exim, mailbox: &str, password: &str) -> Daemon {
    let toml = format!(
        r#"
[channel.mail]
kind     = "smtp"
url      = "{}"
username = "{}"
password = {{ env = "MAIL_PASSWORD" }}
from     = "stentor@desk.example"

# Its password is never set, so that it shows what it would send.
[channel.sms]
kind     = "kannel"
url      = "http://127.0.0.1:1/cgi-bin/sendsms"
username = "stentor"
password = {{ env = "NOT_SET" }}

[person.dora]
name  = "Dora Weiss"
email = "{mailbox}"
phone = "+447700900004"

[role.compliance]
engaged_by = "roger"
step = [{{ page = ["dora"], by = ["mail"], wait = "2m" }}]

[trigger.halt]
on    = ["halt"]
roles = ["compliance"]
"#,
        exim.url(),
        exim::USER,
    );
    let setup = Setup::new(&toml).env("STENTOR_CA_FILE", exim.root().to_str().unwrap());
    let daemon = setup.env("MAIL_PASSWORD", password).start();
    daemon.json(&["fire", "halt", "--summary", "the venue halted ACME"]);
    daemon
}

#[test]
fn a_mail_goes_by_starttls_and_login_and_its_button_engages_but_its_link_alone_does_not() {
    if exim::missing() {
        return;
    }
    let (net, exim) = (Net::new(), Exim::start());
    let daemon = mailing(&exim, "dora@desk.example", exim::PASSWORD);
    let letter = exim.letter_to("dora@desk.example", |_| true);
    assert!(letter.header("Subject").contains("LIVE"), "{}", letter.raw);
    assert_eq!(letter.header("Auto-Submitted"), "auto-generated");
    let log = exim.log();
    assert!(log.contains("X=TLS1.3") && log.contains("A=plain:alerts"), "{log}");
    let page = net.get(&letter.link()).expect("the page behind the link");
    assert!(page.contains("INC-1"), "{page}");
    assert_eq!(Shown::look(&daemon).unwrap().state("compliance"), "paging");
    // Another site's form is nobody's deliberate press.
    let elsewhere = [("sec-fetch-site", "cross-site".to_owned())];
    assert_eq!(net.post_form(&letter.link(), "answer=roger".into(), &elsewhere).0, 403);
    assert_eq!(net.post_form(&letter.link(), "answer=roger".into(), &[]).0, 200);
    let shown = Shown::look(&daemon).unwrap();
    assert_eq!((shown.state("compliance"), &shown.role("compliance")["holder"]), ("engaged", &"Dora Weiss".into()));
    assert_eq!(shown.events("answered")[0]["via"], "mail-link");
    assert_journal(&daemon);
}

#[test]
fn a_wrong_password_breaks_the_channel_and_the_page_goes_round_it() {
    if exim::missing() {
        return;
    }
    let exim = Exim::start();
    let daemon = mailing(&exim, "dora@desk.example", "wrong-secret-4711");
    let shown = Shown::once(&daemon, "the SMS", |shown| shown.brief("dora", "sms")["state"] == "sandbox");
    let (mail, sms) = (shown.brief("dora", "mail"), shown.brief("dora", "sms"));
    assert_eq!((&mail["state"], &sms["instead_of"]), (&"unreachable".into(), &mail["n"]));
    assert!(mail["last_error"].as_str().is_some_and(|why| why.contains("535")), "{mail}");
    assert!(exim.letters().is_empty() && daemon.log().contains("this channel reaches nobody"), "{}", daemon.log());
    assert!(!daemon.log().contains("wrong-secret-4711"));
}

#[test]
fn a_mailbox_refused_for_now_is_tried_again_until_it_is_taken() {
    if exim::missing() {
        return;
    }
    let exim = Exim::start();
    let daemon = mailing(&exim, "tempfail-dora@desk.example", exim::PASSWORD);
    let refused = |shown: &Shown| 2 <= shown.brief("dora", "mail")["refusals"].as_u64().unwrap_or_default();
    let shown = Shown::once(&daemon, "two refusals", refused);
    assert_eq!(shown.brief("dora", "mail")["state"], "queued");
    assert!(exim.letters().is_empty());
    exim.mend();
    exim.letter_to("tempfail-dora@desk.example", |_| true);
    let accepted = |shown: &Shown| shown.brief("dora", "mail")["state"] == "accepted";
    let shown = Shown::once(&daemon, "the mail to be accepted", accepted);
    assert!(shown.brief("dora", "sms").is_null(), "nothing went round a channel that only asked for accept timeout");
    assert_eq!(exim.letters().len(), 1);
}

#[test]
fn a_mailbox_refused_for_good_is_unreachable_and_the_next_channel_is_used() {
    if exim::missing() {
        return;
    }
    let exim = Exim::start();
    let daemon = mailing(&exim, "perm-dora@desk.example", exim::PASSWORD);
    let shown = Shown::once(&daemon, "the SMS", |shown| shown.brief("dora", "sms")["state"] == "sandbox");
    let mail = shown.brief("dora", "mail");
    assert_eq!((&mail["state"], &mail["refusals"]), (&"unreachable".into(), &1.into()));
    assert!(mail["last_error"].as_str().is_some_and(|why| why.contains("550")), "{mail}");
    assert!(!daemon.log().contains("this channel reaches nobody"), "one mailbox is not the channel");
}
