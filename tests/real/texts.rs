//! SMS through a real gateway: with a wrong password, and while its line to the phones is cut.

use crate::{
    common::{Daemon, Setup},
    incident::{Shown, assert_journal},
    kannel::{self, Kannel, Plan},
    net::Net,
    parts,
};

const ANA: &str = "447700900001";

const TOKEN: &str = "reply-secret-4711";

/// A daemon that sends SMS to one person; by mail, which it only shows, they can always be reached.
fn texting(plan: &Plan, password: &str) -> Daemon {
    let toml = format!(
        r#"
[channel.sms]
kind     = "kannel"
url      = "{}"
username = "{}"
password = {{ env = "KANNEL_PASSWORD" }}
token    = {{ env = "REPLY_TOKEN" }}

[channel.mail]
kind     = "smtp"
url      = "smtp://127.0.0.1:1"
username = "alerts"
password = {{ env = "NOT_SET" }}
from     = "stentor@desk.example"

[person.ana]
name  = "Ana Ruiz"
phone = "+{ANA}"
email = "ana@desk.example"

[role.trader]
step = [{{ page = ["ana"], by = ["sms"], wait = "2m" }}]

[trigger.halt]
on      = ["halt"]
summary = "{{alert.summary}}"
roles   = ["trader"]
"#,
        plan.url(),
        kannel::USER,
    );
    Setup::new(&toml).env("KANNEL_PASSWORD", password).env("REPLY_TOKEN", TOKEN).start()
}

#[test]
fn a_gateway_that_refuses_our_password_is_gone_round() {
    if parts::missing(&kannel::PARTS) {
        return;
    }
    let (net, plan) = (Net::new(), Plan::new());
    let daemon = texting(&plan, "wrong-secret-4711");
    let kannel = Kannel::start(&net, plan, daemon.address, "sms", TOKEN);
    daemon.json(&["fire", "halt", "--summary", "the venue halted ACME"]);
    let shown = Shown::once(&daemon, "the mail", |shown| shown.brief("ana", "mail")["state"] == "sandbox");
    let sms = shown.brief("ana", "sms");
    assert_eq!(sms["state"], "unreachable");
    assert!(sms["last_error"].as_str().is_some_and(|why| why.contains("credentials")), "{sms}");
    assert!(kannel.texts().is_empty() && daemon.log().contains("this channel reaches nobody"), "{}", daemon.log());
    assert!(!daemon.log().contains("wrong-secret-4711"));
}

#[test]
fn a_gateway_whose_line_is_cut_is_gone_round_and_a_late_sms_can_still_be_answered() {
    if parts::missing(&kannel::PARTS) {
        return;
    }
    let (net, plan) = (Net::new(), Plan::new());
    let daemon = texting(&plan, kannel::PASSWORD);
    let mut kannel = Kannel::start(&net, plan, daemon.address, "sms", TOKEN);
    kannel.hang_up(&net);
    daemon.json(&["fire", "halt", "--summary", "the venue halted ACME"]);
    let shown = Shown::once(&daemon, "the mail", |shown| shown.brief("ana", "mail")["state"] == "sandbox");
    let sms = shown.brief("ana", "sms");
    assert_eq!((&sms["state"], &shown.brief("ana", "mail")["instead_of"]), (&"unreachable".into(), &sms["n"]));
    assert!(sms["last_error"].as_str().is_some_and(|why| why.contains("no carrier link")), "{sms}");
    kannel.dial_in(&net);
    let text = kannel.text_to(ANA, |text| text.starts_with("LIVE "));
    kannel.reply(&net, ANA, kannel::code_in(&text));
    let shown = Shown::once(&daemon, "the trader", |shown| shown.state("trader") == "engaged");
    assert_eq!(shown.events("answered")[0]["page"], sms["n"]);
    assert_journal(&daemon);
}

#[test]
fn a_text_with_letters_that_phones_lack_arrives_in_those_they_have_whole_and_in_order() {
    if parts::missing(&kannel::PARTS) {
        return;
    }
    let (net, plan) = (Net::new(), Plan::new());
    let daemon = texting(&plan, kannel::PASSWORD);
    let kannel = Kannel::start(&net, plan, daemon.address, "sms", TOKEN);
    daemon.json(&["fire", "halt", "--summary", "Žižka & Søn: 5 % > limit, 100 € + fee @ [venue] {x}"]);
    let text = kannel.text_to(ANA, |text| text.starts_with("LIVE ") && text.contains("venue"));
    let outbox = net.get(&daemon.url("/outbox")).unwrap();
    assert!(outbox.contains("[]"), "nothing went round: {outbox}");
    assert!(text.contains("Zizka & Søn: 5 % > limit, 100 € + fee @ [venue] {x}"), "{text}");
    // The gateway reports that the phone has it: a fact of its own, with its own time.
    let shown = Shown::once(&daemon, "the delivery report", |shown| !shown.events("reported").is_empty());
    assert_eq!(shown.events("reported")[0]["stage"], "delivered");
    assert!(shown.events("undelivered").is_empty());
}
