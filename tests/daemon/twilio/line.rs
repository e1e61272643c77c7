//! A daemon that pages by a fake Twilio, and what its people hold, hear and press.

use super::{
    common::Daemon,
    double::{
        self,
        twilio::{ACCOUNT, FROM, FakeTwilio, Made, NEXT_TOKEN, TOKEN, sign},
    },
    house::{eventually, setup},
    wire::{Call, Reply, form},
};
use serde_json::Value;
use std::ops::Deref;
use tokio::runtime::Runtime;

pub const ANA: &str = "+447700900001";
pub const BO: &str = "+447700900002";

/// Two roles, four people, SMS and calls by Twilio, mail in the sandbox as the next way.
pub const DESK: &str = r#"
[channel.sms]
kind    = "twilio"
account = "ACCOUNT"
token   = [{ env = "TWILIO_TOKEN" }, { env = "TWILIO_TOKEN_NEXT" }]
from    = "FROM"
url     = "API"

[channel.call]
kind    = "voice"
account = "ACCOUNT"
token   = { env = "TWILIO_TOKEN" }
from    = "FROM"
url     = "API"
pace    = "1/s burst 9"

[channel.mail]
kind = "smtp"
url  = "smtp://127.0.0.1:9"
username = "x"
password = { env = "NOT_SET" }
from = "stentor@desk.example"

[source.monitor]
token  = { env = "MONITOR_TOKEN" }
drills = true

[person.ana]
name  = "Ana Ruiz"
email = "ana@desk.example"
phone = "+447700900001"

[person.bo]
name  = "Bo Lind"
email = "bo@desk.example"
phone = "+447700900002"

[person.dora]
name  = "Dora Weiss"
email = "dora@desk.example"
phone = "+447700900004"

[person.gita]
name  = "Gita Rao"
email = "gita@desk.example"
phone = "+447700900007"

[role.trader]
engaged_by = "wilco"
step = [{ page = ["ana", "bo"], by = ["BY"], wait = "10m" }]

[role.compliance]
engaged_by = "roger"
step = [{ page = ["dora"], by = ["BY"], wait = "10m" }]

[trigger.flash-crash]
on      = ["price_velocity"]
when    = 'alert.values.drop_pct >= 5.0'
key     = 'alert.labels.symbol'
summary = "{ alert.labels.symbol } fell & <b>broke</b> 7.5%"
roles   = ["trader", "compliance"]

[catch-all]
page  = ["gita"]
by    = ["mail"]
every = "2m"
"#;

/// The daemon and the account that it pages by.
pub struct Line {
    pub daemon: Daemon,
    pub twilio: FakeTwilio,
    _runtime: Runtime,
}

impl Deref for Line {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

/// Pages by this channel first.
pub fn line(by: &str) -> Line {
    line_on(&DESK.replace("BY", by))
}

/// The same on another matrix.
pub fn line_on(matrix: &str) -> Line {
    double::install_tls();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let twilio = runtime.block_on(FakeTwilio::start());
    let matrix = matrix.replace("ACCOUNT", ACCOUNT).replace("FROM", FROM).replace("API", &twilio.url());
    let daemon = setup(&matrix).env("TWILIO_TOKEN", TOKEN).env("TWILIO_TOKEN_NEXT", NEXT_TOKEN).start();
    Line { daemon, twilio, _runtime: runtime }
}

impl Line {
    /// The newest message or call to this number that says so.
    pub fn made(&self, to: &str, says: &str) -> Made {
        eventually(&format!("{says:?} to {to}"), || {
            let says_it = |made: &Made| {
                let text = [made.field("Body"), made.field("Url")].into_iter().flatten().collect::<String>();
                made.field("To") == Some(to) && text.contains(says)
            };
            self.twilio.made().into_iter().rev().find(says_it)
        })
    }

    /// The brief of an incident on the phone with this number.
    pub fn brief(&self, incident: &str, to: &str) -> Made {
        self.made(to, incident)
    }

    /// The address of a path as Twilio knows it.
    pub fn public(&self, path: &str) -> String {
        self.daemon.url(path)
    }

    /// Twilio posts this form, signed with this token over the public address.
    pub fn post_signed(&self, token: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let signature = sign(token, &self.public(path), fields);
        Call::post(path).header("X-Twilio-Signature", &signature).form(fields).send(self.address)
    }

    /// The same, signed with the primary token.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.post_signed(TOKEN, path, fields)
    }

    /// A text from a phone; what is texted back.
    pub fn text(&self, from: &str, sid: &str, body: &str, more: &[(&str, &str)]) -> String {
        let fields = [
            ("AccountSid", ACCOUNT),
            ("MessageSid", sid),
            ("From", from),
            ("To", FROM),
            ("Body", body),
            ("NumMedia", "0"),
        ];
        let reply = self.post("/hooks/twilio/sms", &[&fields[..], more].concat());
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/xml; charset=utf-8")), "{reply:?}");
        texted(&reply.body)
    }

    /// The pages of an incident to this person.
    pub fn pages(&self, incident: &str, person: &str) -> Vec<Value> {
        let shown = self.incident(incident);
        let pages = shown["pages"].as_array().unwrap().iter();
        pages.filter(|page| page["person"] == person).cloned().collect()
    }

    /// Waits for a page of this person by this channel that is so.
    pub fn until_page(
        &self,
        incident: &str,
        person: &str,
        channel: &str,
        what: &str,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        eventually(&format!("{incident}: {person} by {channel}: {what}"), || {
            self.pages(incident, person).into_iter().find(|page| page["channel"] == channel && is(page))
        })
    }

    /// The journal's events of this kind of an incident.
    pub fn events(&self, incident: &str, kind: &str) -> Vec<Value> {
        let lines = self.journal(incident).into_iter();
        lines.filter(|line| line["event"] == kind).collect()
    }

    /// The journal of an incident.
    pub fn journal(&self, incident: &str) -> Vec<Value> {
        let lines = self.control(&Call::get(&format!("/v1/journal?chain={incident}"))).json();
        let body = |line: &Value| serde_json::from_str(line["body"].as_str().unwrap()).unwrap();
        lines.as_array().unwrap().iter().map(body).collect()
    }
}

/// The path and query of one of our own addresses.
pub fn path_of(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    rest[rest.find('/').unwrap()..].to_owned()
}

/// What an answer in Twilio's XML texts back.
pub fn texted(xml: &str) -> String {
    let start = xml.find("<Message>").map(|at| at + 9);
    start.map_or(String::new(), |at| unescaped(&xml[at..xml.find("</Message>").unwrap()]))
}

pub fn unescaped(xml: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(xml.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

/// The code of a brief.
pub fn code_of(made: &Made) -> String {
    let text = made.field("Body").unwrap();
    let (_, code) = text.split_once(": reply ").unwrap();
    code.split(' ').next().unwrap().to_owned()
}

/// A form that is signed differently than its address or its fields say.
pub fn forged(line: &Line, path: &str, fields: &[(&str, &str)], signature: Option<&str>) -> Reply {
    let call = Call::post(path).header("Content-Type", "application/x-www-form-urlencoded").body(form(fields));
    match signature {
        Some(signature) => call.header("X-Twilio-Signature", signature).send(line.address),
        None => call.send(line.address),
    }
}
