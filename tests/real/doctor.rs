//! `stentor doctor` before a real gateway and a real mail server: logins are tried, and nobody gets a message.

use crate::{
    common::{Daemon, Setup},
    exim::{self, Exim},
    kannel::{self, Kannel, Plan},
    net::Net,
    parts,
};
use serde_json::Value;

fn daemon(channel: &str, variable: &str, password: &str, exim: Option<&Exim>) -> Daemon {
    let toml = format!(
        r#"
[channel.it]
{channel}

[person.ana]
name  = "Ana Ruiz"
phone = "+447700900001"
email = "ana@desk.example"

[role.trader]
step = [{{ page = ["ana"], by = ["it"], wait = "2m" }}]

[trigger.halt]
on    = ["halt"]
roles = ["trader"]
"#
    );
    let setup = Setup::new(&toml).env(variable, password);
    match exim {
        Some(exim) => setup.env("STENTOR_CA_FILE", exim.root().to_str().unwrap()).start(),
        None => setup.start(),
    }
}

/// How one thing of the channel is, and in which words.
fn look(daemon: &Daemon, what: &str) -> (String, String) {
    let output = daemon.cli(&["doctor", "--json"]);
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let ours = |finding: &&Value| finding["part"] == "channel it" && finding["what"] == what;
    let finding = found.iter().find(ours).unwrap_or_else(|| panic!("{what}: {found:?}"));
    let text = |name: &str| finding[name].as_str().unwrap().to_owned();
    (text("outcome"), text("detail"))
}

#[test]
fn a_real_gateway_tells_a_good_password_from_a_bad_one_without_a_text() {
    if parts::missing(&kannel::PARTS) {
        return;
    }
    let (net, plan) = (Net::new(), Plan::new());
    let channel = format!(
        "kind = \"kannel\"\nurl = {:?}\nusername = {:?}\npassword = {{ env = \"KANNEL_PASSWORD\" }}",
        plan.url(),
        kannel::USER
    );
    let good = daemon(&channel, "KANNEL_PASSWORD", kannel::PASSWORD, None);
    let bad = daemon(&channel, "KANNEL_PASSWORD", "wrong-secret-4711", None);
    assert_eq!(look(&good, "connection").0, "failed", "the gateway is not there yet");
    let kannel = Kannel::start(&net, plan, good.address, "it", "none");
    assert_eq!(look(&good, "login"), ("fine".into(), "the SMS gateway accepts our login".into()));
    let (outcome, words) = look(&bad, "login");
    assert!(outcome == "failed" && words.contains("refuses our credentials"), "{words}");
    assert!(kannel.texts().is_empty());
}

#[test]
fn a_real_mail_server_is_signed_in_to_by_starttls_without_a_mail() {
    if exim::missing() {
        return;
    }
    let exim = Exim::start();
    let channel = format!(
        "kind = \"smtp\"\nurl = {:?}\nusername = {:?}\npassword = {{ env = \"MAIL_PASSWORD\" }}\nfrom = \"Stentor \
         <stentor@desk.example>\"",
        exim.url(),
        exim::USER
    );
    let good = daemon(&channel, "MAIL_PASSWORD", exim::PASSWORD, Some(&exim));
    let (outcome, words) = look(&good, "login");
    assert!(outcome == "fine" && words.contains("(STARTTLS)"), "{words}");
    let (_, words) = look(&good, "certificate");
    assert!(words.starts_with("until 2"), "{words}");
    let bad = daemon(&channel, "MAIL_PASSWORD", "wrong-secret-4711", Some(&exim));
    let (outcome, words) = look(&bad, "login");
    assert!(outcome == "failed" && words.contains("535"), "{words}");
    assert!(exim.letters().is_empty());
}
