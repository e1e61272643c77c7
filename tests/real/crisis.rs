//! The whole way, once: a Prometheus rule fires, three roles are paged by SMS, mail, Slack and a desk in a browser, and
//! each gets its human. Every answer is learnt from what really arrived.

use crate::{
    browser::{self, Browser},
    common::{Daemon, Setup},
    double::slack::{FakeSlack, TOKEN},
    exim::{self, Exim},
    incident::{Shown, assert_journal},
    kannel::{self, Kannel},
    net::{Host, Net, slack_press},
    parts::{self, until},
    prometheus::{self, Prometheus, basic},
};
use serde_json::Value;

const SOURCE_TOKEN: &str = "prometheus-secret-4711";
const SMS_TOKEN: &str = "reply-secret-4711";
const SLACK_SECRET: &str = "signing-secret-4711";

const ANA: &str = "447700900001";
const DORA: &str = "UDORA";
const GITA: &str = "UGITA";

/// Everything that runs. What speaks to the daemon ends before it.
struct Crisis {
    prometheus: Option<Prometheus>,
    browser: Browser,
    kannel: Kannel,
    daemon: Daemon,
    exim: Exim,
    slack: FakeSlack,
    host: Host,
    net: Net,
}

#[test]
fn a_prometheus_rule_engages_three_roles_by_sms_mail_slack_and_browser() {
    let needed = [&kannel::PARTS[..], &prometheus::PARTS].concat();
    // Each says what it lacks.
    let lacking = [parts::missing(&needed), exim::missing(), browser::missing()];
    if lacking.contains(&true) {
        return;
    }
    let mut crisis = Crisis::prepare();
    crisis.fires();
    crisis.trader_answers_by_sms();
    crisis.engineer_answers_in_the_browser();
    crisis.deputy_answers_in_slack_for_compliance();
    crisis.everybody_is_told();
    crisis.stands_in_the_journal();
}

impl Crisis {
    /// All parts but Prometheus: people are at their desks before the crisis.
    fn prepare() -> Self {
        let net = Net::new();
        let (exim, plan) = (Exim::start(), kannel::Plan::new());
        let slack = net.run(FakeSlack::start(&["UANA", DORA, "UEVE", GITA]));
        let daemon = Setup::new(&matrix(&plan.url(), &exim.url(), &slack.api_url()))
            .env("STENTOR_CA_FILE", exim.root().to_str().unwrap())
            .env("PROMETHEUS_TOKEN", SOURCE_TOKEN)
            .env("KANNEL_PASSWORD", kannel::PASSWORD)
            .env("KANNEL_REPLY_TOKEN", SMS_TOKEN)
            .env("MAIL_PASSWORD", exim::PASSWORD)
            .env("SLACK_TOKEN", TOKEN)
            .env("SLACK_SECRET", SLACK_SECRET)
            .start();
        let kannel = Kannel::start(&net, plan, daemon.address, "sms", SMS_TOKEN);
        let link = daemon.json(&["desk-link", "eve"]);
        let browser = Browser::open(link["link"].as_str().unwrap());
        let host = net.host();
        Self { prometheus: None, browser, kannel, daemon, exim, slack, host, net }
    }

    fn fires(&mut self) {
        let (net, daemon) = (&self.net, &self.daemon);
        self.prometheus = Some(Prometheus::start(net, &self.host, daemon, &[basic(SOURCE_TOKEN)]));
        let shown = Shown::once(daemon, "the incident", |_| true);
        let summary = format!("{} does not answer", self.host.address());
        assert_eq!(shown.incident["summary"], summary);
        assert_eq!(shown.incident["drill"], false);
    }

    /// The code is known to nobody but who reads the SMS.
    fn trader_answers_by_sms(&mut self) {
        let text = self.kannel.text_to(ANA, |text| text.starts_with("LIVE "));
        assert!(text.contains(". TRADER: reply ") && text.contains("INC-1"), "{text}");
        let code = kannel::code_in(&text).to_owned();
        assert!(code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
        // The right code from a stranger's number engages nobody.
        self.kannel.reply(&self.net, "34999999999", &code);
        until("the stranger's SMS", || {
            self.daemon.log().contains("a number that the matrix does not know").then_some(())
        });
        assert_eq!(Shown::look(&self.daemon).unwrap().state("trader"), "paging");
        self.kannel.reply(&self.net, ANA, &code);
        Shown::once(&self.daemon, "the trader", |shown| shown.state("trader") == "engaged");
        // The gateway brings Stentor's word back.
        let word = self.kannel.text_to(ANA, |text| text.starts_with("INC-1: "));
        assert!(word.contains("you have it"), "{word}");
    }

    fn engineer_answers_in_the_browser(&mut self) {
        let letter = self.exim.letter_to("eve@desk.example", |letter| letter.header("Subject").contains("INC-1"));
        // A mail scanner opens the link: that engages nobody.
        assert!(self.net.get(&letter.link()).is_some_and(|page| page.contains("INC-1")));
        assert_eq!(Shown::look(&self.daemon).unwrap().state("it"), "paging");
        let before = self.browser.press("I have it");
        assert!(before.contains("LIVE") && before.contains("INC-1"), "{before}");
        Shown::once(&self.daemon, "the engineer", |shown| shown.state("it") == "engaged");
        self.browser.reads("You have it");
    }

    /// Dora was told by mail and Slack and says nothing; Gita's button in Slack covers compliance.
    fn deputy_answers_in_slack_for_compliance(&mut self) {
        self.exim.letter_to("dora@desk.example", |letter| letter.raw.contains("INC-1"));
        let (action, value) = until("Gita's message in Slack", || button(&self.slack, GITA));
        let url = self.daemon.url("/hooks/slack/chat");
        // Signed with another secret, then pressed by somebody whose message it is not.
        let (form, headers) = slack_press("another secret", GITA, &action, &value);
        assert_eq!(self.net.post_form(&url, form, &headers).0, 401);
        let (form, headers) = slack_press(SLACK_SECRET, "UANA", &action, &value);
        assert_eq!(self.net.post_form(&url, form, &headers).0, 200);
        assert_eq!(Shown::look(&self.daemon).unwrap().state("compliance"), "handed over");
        let (form, headers) = slack_press(SLACK_SECRET, GITA, &action, &value);
        assert_eq!(self.net.post_form(&url, form, &headers).0, 200);
        let shown = Shown::once(&self.daemon, "compliance", |shown| shown.state("compliance") == "covered");
        assert_eq!(shown.role("compliance")["covered_by"], "compliance-head");
        assert_eq!(shown.state("compliance-head"), "engaged");
    }

    /// Law 5: who was paged hears who has it, by the way in which they were paged.
    fn everybody_is_told(&self) {
        self.exim.letter_to("dora@desk.example", |letter| letter.raw.contains("Gita Rao"));
        until("the word to Dora in Slack", || {
            let posts = self.slack.posts();
            posts.into_iter().find(|post| post.channel == "DDORA" && post.body.to_string().contains("Gita Rao"))
        });
        let world = self.slack.world.lock().unwrap();
        let room = world.rooms.values().next().expect("a war room");
        assert!(room.private && !room.pins.is_empty(), "{room:?}");
        assert!(world.calls.iter().all(|call| call.outcome == "ok"), "{:?}", world.calls);
    }

    fn stands_in_the_journal(&self) {
        let shown = Shown::look(&self.daemon).unwrap();
        for (role, holder) in [("trader", "Ana Ruiz"), ("it", "Eve Okafor"), ("compliance", "Gita Rao")] {
            assert_eq!(shown.role(role)["holder"], holder);
            let took = ["tte_ms", "covered_ms"].map(|name| shown.role(role)[name].as_f64());
            assert!(took.into_iter().flatten().any(|ms| 0.0 < ms), "{role}");
        }
        let answers: Vec<[&str; 3]> = shown
            .events("answered")
            .into_iter()
            .map(|event| ["person", "via", "verdict"].map(|key| text(&event[key])))
            .collect();
        assert!(answers.contains(&["ana", "sms", "engages"]), "{answers:?}");
        assert!(answers.contains(&["eve", "desk", "engages"]), "{answers:?}");
        assert!(answers.contains(&["gita", "slack", "engages"]), "{answers:?}");
        assert!(!shown.role("it")["stages"]["seen"].is_null(), "the desk says what it showed");
        assert!(Shown::is_only(&self.daemon));
        assert_journal(&self.daemon);
        let log = self.daemon.log();
        let secrets = [SOURCE_TOKEN, SMS_TOKEN, SLACK_SECRET, TOKEN, kannel::PASSWORD, exim::PASSWORD];
        assert!(!secrets.iter().any(|secret| log.contains(secret)), "{log}");
    }
}

/// The wanted button of the newest message to this user, as Slack would send it back.
fn button(slack: &FakeSlack, user: &str) -> Option<(String, String)> {
    let conversation = format!("D{}", &user[1..]);
    let posts = slack.posts();
    let post = posts.iter().rev().find(|post| post.channel == conversation)?;
    let blocks = post.body["blocks"].as_array()?;
    let button = &blocks.iter().find(|block| block["type"] == "actions")?["elements"][0];
    Some((text(&button["action_id"]).to_owned(), text(&button["value"]).to_owned()))
}

/// A word, or the one word that an object is about.
fn text(value: &Value) -> &str {
    value.as_str().or_else(|| value["verdict"].as_str()).or_else(|| value["say"].as_str()).unwrap_or_default()
}

fn matrix(kannel: &str, exim: &str, slack: &str) -> String {
    format!(
        r#"
[source.prometheus]
token  = {{ env = "PROMETHEUS_TOKEN" }}
scopes = ["alerts", "metrics"]

[channel.desk]
kind = "screen"

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

[channel.chat]
kind           = "slack"
url            = "{slack}"
token          = {{ env = "SLACK_TOKEN" }}
signing_secret = {{ env = "SLACK_SECRET" }}
private        = true

[person.ana]
name  = "Ana Ruiz"
phone = "+{ANA}"
slack = "UANA"

[person.dora]
name  = "Dora Weiss"
email = "dora@desk.example"
slack = "{DORA}"

[person.eve]
name  = "Eve Okafor"
email = "eve@desk.example"
slack = "UEVE"

[person.gita]
name  = "Gita Rao"
email = "gita@desk.example"
slack = "{GITA}"

[role.trader]
engaged_by = "wilco"
step = [{{ page = ["ana"], by = ["sms"], wait = "2m" }}]

[role.it]
engaged_by = "wilco"
step = [{{ page = ["eve"], by = ["desk", "mail"], wait = "2m" }}]

[role.compliance]
engaged_by = "roger"
step = [{{ page = ["dora"], by = ["mail", "chat"], wait = "2s" }}]
next = "compliance-head"

[role.compliance-head]
template   = "compliance"
engaged_by = "roger"
step = [{{ page = ["gita"], by = ["chat", "mail"], wait = "2m" }}]

[trigger.trading-host-down]
on       = ["TradingHostDown"]
key      = 'alert.labels.instance'
summary  = "{{alert.labels.instance}} does not answer"
roles    = ["trader", "compliance", "it"]
room     = "chat"
resolved = "note"
"#,
        kannel::USER,
        kannel::NUMBER,
        exim::USER,
    )
}
