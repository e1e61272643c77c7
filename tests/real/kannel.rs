//! A Kannel gateway (bearerbox and smsbox) with its own fake SMS centre behind it, where the phones are.

use crate::{
    net::Net,
    parts::{self, Part, Process, until},
};
use std::{net::SocketAddr, path::PathBuf};
use tempfile::TempDir;

pub const PARTS: [Part; 3] = [Part("bearerbox", "kannel"), Part("smsbox", "kannel"), Part("fakesmsc", "kannel-extras")];

/// The gateway's account for Stentor.
pub const USER: &str = "stentor";
pub const PASSWORD: &str = "kannel-secret-4711";

/// What people see as the sender, and reply to.
pub const NUMBER: &str = "13013";

/// Where the gateway will listen: a daemon must know before the gateway can know the daemon.
#[derive(Clone, Copy)]
pub struct Plan {
    admin: u16,
    boxes: u16,
    centre: u16,
    sendsms: u16,
}

/// The gateway and its phones. Fields are in the order in which they must end.
pub struct Kannel {
    phones: Vec<Process>,
    #[expect(dead_code, reason = "held for its drop")]
    smsbox: Process,
    #[expect(dead_code, reason = "held for its drop")]
    bearerbox: Process,
    plan: Plan,
    dir: TempDir,
}

/// A text that a phone showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sms {
    pub to: String,
    pub text: String,
}

impl Plan {
    pub fn new() -> Self {
        let [admin, boxes, centre, sendsms] = [(); 4].map(|()| parts::free_port());
        Self { admin, boxes, centre, sendsms }
    }

    /// For the matrix.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/cgi-bin/sendsms", self.sendsms)
    }

    fn status(&self, net: &Net) -> String {
        net.get(&format!("http://127.0.0.1:{}/status.txt?password=bar", self.admin)).unwrap_or_default()
    }
}

/// The code that an SMS asks for.
pub fn code_in(text: &str) -> &str {
    let (_, code) = text.split_once(": reply ").unwrap();
    code.split(' ').next().unwrap()
}

impl Kannel {
    /// Starts it; replies go to this daemon's channel with this token.
    pub fn start(net: &Net, plan: Plan, daemon: SocketAddr, channel: &str, token: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let hook = format!("http://{daemon}/hooks/kannel/{channel}?token={token}&from=%p");
        let config = dir.path().join("kannel.conf");
        std::fs::write(&config, configuration(&plan, &hook)).unwrap();
        let start = |name: &'static str| {
            let mut command = parts::command(name);
            command.args(["-v", "4"]).arg(&config).current_dir(&dir);
            Process::start(name, &mut command, &dir.path().join(name))
        };
        let mut bearerbox = start("bearerbox");
        bearerbox.ready(|| plan.status(net).contains("Status: running").then_some(()));
        let mut smsbox = start("smsbox");
        smsbox.ready(|| plan.status(net).contains("smsbox:(none)").then_some(()));
        let mut kannel = Self { phones: Vec::new(), smsbox, bearerbox, plan, dir };
        kannel.dial_in(net);
        kannel
    }

    /// The phones are on the line, and send nothing.
    pub fn dial_in(&mut self, net: &Net) {
        self.phone(net, "0", &format!("+447700900000 {NUMBER} text nothing"));
    }

    /// The line to the phones is cut.
    pub fn hang_up(&mut self, net: &Net) {
        if let Some(last) = self.phones.last_mut() {
            last.kill();
            until("the centre to hang up", || (!self.plan.status(net).contains("(online")).then_some(()));
        }
    }

    /// Every text that phones have shown, the parts of one put together.
    pub fn texts(&self) -> Vec<Sms> {
        let mut texts: Vec<Sms> = Vec::new();
        for log in self.phones.iter().map(Process::log) {
            for (to, text, continues) in log.lines().filter_map(shown) {
                match texts.last_mut().filter(|last| continues && last.to == to) {
                    Some(last) => last.text.push_str(&text),
                    None => texts.push(Sms { to, text }),
                }
            }
        }
        texts
    }

    /// The first text to this number that `wanted` likes.
    pub fn text_to(&self, number: &str, wanted: impl Fn(&str) -> bool) -> String {
        until("an SMS", || {
            let texts = self.texts().into_iter();
            texts.filter(|sms| sms.to.trim_start_matches('+') == number).map(|sms| sms.text).find(|text| wanted(text))
        })
    }

    /// A phone sends a text to the gateway's number.
    pub fn reply(&mut self, net: &Net, number: &str, text: &str) {
        self.phone(net, "1", &format!("+{number} {NUMBER} text {text}"));
    }

    /// The fake centre takes one line at a time: the phones hang up and dial in again.
    fn phone(&mut self, net: &Net, count: &str, message: &str) {
        self.hang_up(net);
        let mut command = parts::command("fakesmsc");
        let port = self.plan.centre.to_string();
        command.args(["-H", "127.0.0.1", "-r", &port, "-i", "0.01", "-m", count, message]);
        let log: PathBuf = self.dir.path().join(format!("phones-{}", self.phones.len()));
        let mut phone = Process::start("fakesmsc", &mut command, &log);
        phone.ready(|| self.plan.status(net).contains("(online").then_some(()));
        self.phones.push(phone);
    }
}

/// `Got message 1: <FROM TO KIND [UDH data] PAYLOAD>`: to whom, what, and whether it goes on what came before.
fn shown(line: &str) -> Option<(String, String, bool)> {
    let message = line.split_once("Got message ")?.1.split_once('<')?.1.strip_suffix('>')?;
    let mut words = message.splitn(4, ' ');
    let (_, to, kind, rest) = (words.next()?, words.next()?, words.next()?, words.next()?);
    // A part of a longer text begins with its header, which ends with the part's number.
    let (header, kind, payload) = match kind {
        "udh" => {
            let mut words = rest.splitn(3, ' ');
            (words.next()?, words.next()?, words.next()?)
        }
        _ => ("", kind, rest),
    };
    let text = if kind == "data" { unescaped(payload) } else { payload.to_owned() };
    Some((to.to_owned(), text, !header.is_empty() && !header.ends_with("%01")))
}

fn unescaped(payload: &str) -> String {
    let url = reqwest::Url::parse(&format!("form:?text={payload}")).unwrap();
    url.query_pairs().next().map(|(_, text)| text.into_owned()).unwrap_or_default()
}

/// Without `smsbox-id`, else replies wait for a route. `max-messages = 1` sends Stentor's word back to the phone.
fn configuration(plan: &Plan, hook: &str) -> String {
    let Plan { admin, boxes, centre, sendsms } = plan;
    format!(
        r#"group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = bar
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
our-host = 127.0.0.1
host = 127.0.0.1
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
global-sender = {NUMBER}

group = sendsms-user
username = {USER}
password = {PASSWORD}
max-messages = 10
concatenation = true

group = sms-service
keyword = default
post-url = "{hook}"
max-messages = 1
omit-empty = true
catch-all = true
"#
    )
}
