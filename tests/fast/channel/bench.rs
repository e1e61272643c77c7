//! Each channel with the service at its other end, and how to bring a condition about there.

use super::{
    double::{
        self,
        fault::Fault,
        gateway::Gateway,
        service::{Manners, Service},
        slack::FakeSlack,
        smtp::MailServer,
        smtp::Trouble,
        telegram::FakeTelegram,
        twilio::FakeTwilio,
    },
    kannel_at, slack_at, smtp_at, telegram_at, twilio_at, voice_at,
    wired::{self, Program},
};
use std::sync::Arc;
use stentor::{
    channel::{
        Channel,
        desk_hub::{DeskHub, OpenDesk},
        kinds::KINDS,
        outbox::{FILE, SandboxOutbox},
    },
    core::{ChannelName, PersonName, Timestamp},
};
use tokio::sync::Notify;

/// What a channel can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    AllIsWell,
    RefusesThisPerson,
    KnowsNoWay,
    IsARoom,
    RefusesEverybody,
    ThrottlesBySeconds,
    ThrottlesByDate,
    IsBusy,
    FailsInside,
    AnswersHtml,
    Redirects,
    Hangs,
    Trickles,
    NobodyListens,
    BreaksMidAnswer,
}

/// A channel with the service at its other end.
pub struct Bench {
    end: End,
    /// A request is there that will not be answered.
    arrived: Arc<Notify>,
}

enum End {
    Slack(FakeSlack),
    Kannel(Gateway),
    Smtp(MailServer),
    Telegram(FakeTelegram),
    Twilio(FakeTwilio),
    Voice(FakeTwilio),
    Screen(DeskHub, Option<OpenDesk>),
    Sandbox(SandboxOutbox, tempfile::TempDir),
    Service(&'static Kind, Service),
    Exec(Program),
}

impl End {
    /// The service at the other end of a kind of channel.
    async fn of(kind: &str) -> Self {
        let service = async |kind: &'static Kind| Self::Service(kind, Service::start(kind.manners).await);
        match kind {
            "slack" => Self::Slack(FakeSlack::start(&["UANA"]).await),
            "kannel" => Self::Kannel(Gateway::start().await),
            "smtp" => Self::Smtp(MailServer::start().await),
            "telegram" => Self::Telegram(FakeTelegram::start()),
            "twilio" => Self::Twilio(FakeTwilio::start().await),
            "voice" => Self::Voice(FakeTwilio::start().await),
            "screen" => Self::Screen(DeskHub::new(), None),
            "http" => service(&HTTP).await,
            "teams" => service(&TEAMS).await,
            "mattermost" => service(&MATTERMOST).await,
            "ntfy" => service(&NTFY).await,
            "webhook" => service(&WEBHOOK).await,
            "exec" => Self::Exec(Program::new()),
            other => panic!(
                "nothing is at the other end of the kind {other:?}: give it a service here and its outcomes in the table"
            ),
        }
    }
}

/// A kind of channel that is data over HTTP.
struct Kind {
    name: &'static str,
    manners: Manners,
    refuses_everybody: (u16, &'static str),
    may_refuse_a_person: bool,
}

/// A number that the service does not know, as the channel writes it.
const UNKNOWN: &str = "00999";

const HTTP: Kind = Kind {
    name: "http",
    manners: Manners {
        yes: (200, r#"{"status":"queued","id":"m-17"}"#),
        no: (200, r#"{"status":"failed","error":{"code":21211}}"#),
        unwanted: UNKNOWN,
    },
    refuses_everybody: (200, r#"{"status":"failed","error":{"code":"no_credit"}}"#),
    may_refuse_a_person: true,
};

const TEAMS: Kind = Kind {
    name: "teams",
    manners: Manners { yes: (202, ""), no: (400, ""), unwanted: "" },
    refuses_everybody: (401, r#"{"error":{"code":"DirectApiAuthorizationRequired"}}"#),
    may_refuse_a_person: false,
};

const MATTERMOST: Kind = Kind {
    name: "mattermost",
    manners: Manners { yes: (200, "ok"), no: (400, ""), unwanted: "" },
    refuses_everybody: (400, r#"{"id":"web.incoming_webhook.invalid.app_error","message":"Invalid webhook."}"#),
    may_refuse_a_person: false,
};

const NTFY: Kind = Kind {
    name: "ntfy",
    manners: Manners { yes: (200, r#"{"id":"xE73Iyuabi","event":"message"}"#), no: (400, ""), unwanted: "" },
    refuses_everybody: (403, r#"{"code":40301,"http":403,"error":"forbidden"}"#),
    may_refuse_a_person: false,
};

const WEBHOOK: Kind = Kind {
    name: "webhook",
    manners: Manners { yes: (204, ""), no: (400, ""), unwanted: "" },
    refuses_everybody: (410, ""),
    may_refuse_a_person: false,
};

const METHOD: &str = "chat.postMessage";
const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
const BY_DATE: (&str, &str) = ("retry-after", "Sun, 06 Nov 1994 08:51:37 GMT");

impl Bench {
    /// One for every kind that there is, and the sandbox.
    pub async fn all() -> Vec<Self> {
        let state = tempfile::tempdir().unwrap();
        let outbox = SandboxOutbox::open(state.path(), || Timestamp::from_micros(0)).unwrap();
        let mut ends = vec![End::Sandbox(outbox, state)];
        for kind in KINDS {
            ends.push(End::of(kind.as_str()).await);
        }
        ends.into_iter().map(|end| Self { end, arrived: Arc::default() }).collect()
    }

    pub fn name(&self) -> &'static str {
        match &self.end {
            End::Slack(_) => "slack",
            End::Kannel(_) => "kannel",
            End::Smtp(_) => "smtp",
            End::Telegram(_) => "telegram",
            End::Twilio(_) => "twilio",
            End::Voice(_) => "voice",
            End::Screen(..) => "screen",
            End::Sandbox(..) => "sandbox",
            End::Service(kind, _) => kind.name,
            End::Exec(_) => "exec",
        }
    }

    /// What must not be seen of the way there.
    pub fn secrets(&self) -> Vec<&'static str> {
        match &self.end {
            End::Slack(_) => vec![double::slack::TOKEN],
            End::Kannel(_) => vec![double::gateway::PASSWORD],
            End::Smtp(_) => vec![double::smtp::PASSWORD],
            End::Telegram(_) => vec![double::telegram::TOKEN],
            End::Twilio(_) | End::Voice(_) => vec![double::twilio::TOKEN, double::twilio::ACCOUNT],
            End::Service(..) => vec!["path-secret", "query-secret", wired::BEARER, wired::KEY],
            End::Screen(..) | End::Sandbox(..) | End::Exec(_) => Vec::new(),
        }
    }

    /// Waits for a request that will not be answered.
    pub async fn arrived_once(&self) {
        match &self.end {
            End::Exec(program) => program.started().await,
            _ => self.arrived.notified().await,
        }
    }

    /// Brings the condition about; false where this channel can not meet it.
    pub fn arrange(&mut self, condition: Condition) -> bool {
        let fault = self.fault_of(condition);
        match &mut self.end {
            End::Slack(slack) => arrange_slack(slack, condition, fault),
            End::Kannel(gateway) => arrange_gateway(gateway, condition, fault),
            End::Smtp(server) => arrange_mail(server, condition, &self.arrived),
            End::Telegram(telegram) => {
                telegram.set_fault(fault.map(as_telegram_says_it));
                telegram.world().revoked = condition == Condition::RefusesEverybody;
                true
            }
            End::Twilio(twilio) | End::Voice(twilio) => {
                twilio.set_fault(fault);
                twilio.set_refusal((condition == Condition::RefusesEverybody).then_some((401, 20003)));
                true
            }
            End::Screen(hub, desk) => {
                *desk = match condition {
                    Condition::AllIsWell => Some(hub.connect(PersonName::from("ana"))),
                    Condition::NobodyListens => None,
                    Condition::IsARoom => return true,
                    _ => return false,
                };
                true
            }
            End::Sandbox(..) => condition == Condition::AllIsWell,
            End::Service(kind, service) => arrange_service(kind, service, condition, fault),
            End::Exec(program) => program.arrange(condition),
        }
    }

    pub async fn channel(&self, condition: Condition) -> Arc<dyn Channel> {
        let gone = condition == Condition::NobodyListens;
        let nobody = double::nobody().await;
        match &self.end {
            End::Slack(_) if gone => Arc::new(slack_at(format!("http://{nobody}/api"))),
            End::Slack(slack) => Arc::new(slack_at(slack.api_url())),
            End::Kannel(_) if gone => Arc::new(kannel_at(format!("http://{nobody}/cgi-bin/sendsms"))),
            End::Kannel(gateway) => Arc::new(kannel_at(gateway.url())),
            End::Smtp(_) if gone => Arc::new(smtp_at(format!("smtp://{nobody}"))),
            End::Smtp(server) => Arc::new(smtp_at(server.url())),
            End::Telegram(_) if gone => Arc::new(telegram_at(format!("http://{nobody}"))),
            End::Telegram(telegram) => Arc::new(telegram_at(telegram.url())),
            End::Twilio(_) if gone => Arc::new(twilio_at(format!("http://{nobody}"))),
            End::Twilio(twilio) => Arc::new(twilio_at(twilio.url())),
            End::Voice(_) if gone => Arc::new(voice_at(format!("http://{nobody}"))),
            End::Voice(twilio) => Arc::new(voice_at(twilio.url())),
            End::Screen(hub, _) => Arc::new(hub.clone()),
            End::Sandbox(outbox, _) => Arc::new(outbox.instead_of(ChannelName::from("sms"), "kannel")),
            End::Service(kind, _) if gone => wired::at(kind.name, &format!("http://{nobody}/")),
            End::Service(kind, service) => wired::at(kind.name, &service.url()),
            End::Exec(program) => program.channel(gone),
        }
    }

    /// How many messages have arrived.
    pub fn arrived(&self) -> Option<usize> {
        match &self.end {
            End::Slack(slack) => Some(slack.posts().len()),
            End::Kannel(gateway) => Some(gateway.accepted().len()),
            End::Smtp(server) => Some(server.mails().len()),
            End::Telegram(telegram) => Some(telegram.world().posts.len()),
            End::Twilio(twilio) | End::Voice(twilio) => Some(twilio.made().len()),
            End::Screen(..) => None,
            End::Sandbox(_, state) => Some(std::fs::read_to_string(state.path().join(FILE)).unwrap().lines().count()),
            End::Service(_, service) => Some(service.accepted().len()),
            End::Exec(program) => Some(program.arrived()),
        }
    }

    fn fault_of(&self, condition: Condition) -> Option<Fault> {
        match condition {
            Condition::AllIsWell
            | Condition::RefusesThisPerson
            | Condition::KnowsNoWay
            | Condition::IsARoom
            | Condition::RefusesEverybody
            | Condition::NobodyListens => None,
            Condition::ThrottlesBySeconds => Some(Fault::Status(429, vec![("retry-after", "7")], "")),
            Condition::ThrottlesByDate => Some(Fault::Status(429, vec![DATE, BY_DATE], "")),
            Condition::IsBusy => Some(Fault::Status(503, vec![("retry-after", "7")], "")),
            Condition::FailsInside => Some(Fault::Status(500, vec![], "oops")),
            Condition::AnswersHtml => Some(Fault::Html),
            Condition::Redirects => Some(Fault::Status(302, vec![("location", "http://127.0.0.1:9/")], "")),
            Condition::Hangs => Some(Fault::Hang(self.arrived.clone())),
            Condition::Trickles => Some(Fault::Trickle(self.arrived.clone())),
            Condition::BreaksMidAnswer => Some(Fault::Cut),
        }
    }
}

fn arrange_slack(slack: &FakeSlack, condition: Condition, fault: Option<Fault>) -> bool {
    slack.set_fault(METHOD, fault.map(as_slack_says_it));
    let refuses = condition == Condition::RefusesEverybody;
    slack.set_error(METHOD, refuses.then_some("account_inactive"));
    condition != Condition::IsARoom
}

/// Slack throttles in JSON.
fn as_slack_says_it(fault: Fault) -> Fault {
    let Fault::Status(429, mut headers, _) = fault else { return fault };
    headers.push(("content-type", "application/json"));
    Fault::Status(429, headers, r#"{"ok":false,"error":"ratelimited"}"#)
}

/// Telegram says how long to wait in its body.
fn as_telegram_says_it(fault: Fault) -> Fault {
    let seconds = Fault::Status(
        429,
        vec![],
        r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#,
    );
    match fault {
        Fault::Status(429, headers, _) if headers == [("retry-after", "7")] => seconds,
        fault => fault,
    }
}

fn arrange_gateway(gateway: &Gateway, condition: Condition, fault: Option<Fault>) -> bool {
    let refused = Fault::Status(403, vec![], "Authorization failed for sendsms");
    let refuses = condition == Condition::RefusesEverybody;
    gateway.set_fault(fault.or(refuses.then_some(refused)));
    true
}

fn arrange_service(kind: &Kind, service: &Service, condition: Condition, fault: Option<Fault>) -> bool {
    let (status, body) = kind.refuses_everybody;
    let refuses = condition == Condition::RefusesEverybody;
    service.set_fault(fault.or(refuses.then_some(Fault::Status(status, vec![], body))));
    kind.may_refuse_a_person || !matches!(condition, Condition::RefusesThisPerson | Condition::KnowsNoWay)
}

fn arrange_mail(server: &MailServer, condition: Condition, arrived: &Arc<Notify>) -> bool {
    server.set_fault(match condition {
        Condition::AllIsWell
        | Condition::RefusesThisPerson
        | Condition::KnowsNoWay
        | Condition::IsARoom
        | Condition::NobodyListens => Trouble::None,
        Condition::RefusesEverybody => Trouble::RefusesLogin,
        Condition::Hangs => Trouble::HangAfterGreeting(arrived.clone()),
        Condition::BreaksMidAnswer => Trouble::DropAfterDot,
        Condition::ThrottlesBySeconds
        | Condition::ThrottlesByDate
        | Condition::IsBusy
        | Condition::FailsInside
        | Condition::AnswersHtml
        | Condition::Redirects
        | Condition::Trickles => return false,
    });
    true
}
