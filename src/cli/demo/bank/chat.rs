//! One conversation of the bot with a user: what was said, whether it waits for a person, and who speaks. Every text about
//! a person is the daemon's `message`; the bot adds none of its own.

use super::{
    client::{BotClient, TurnFacts},
    rules::{Understood, understood},
};
use crate::{
    cli::{error::CliError, load},
    core::Timestamp,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

/// The most turns of a conversation; then the bot takes no more.
const TURNS_MAX: usize = 500;

/// How long one look at a request waits.
const LOOK: &str = "2s";

/// What the bot says where no person can be offered, after the daemon's words.
const FALLBACK: &str = "You can go on with me here, and ask for a person again at any time.";

/// Who the user of the demo is.
pub const USER: (&str, &str) = ("Sam Vance", "9921");

/// One turn, as pages show it.
#[derive(Debug, Clone, Serialize)]
pub struct ShownTurn {
    /// `user`, `bot`, or the name of a person.
    pub who: String,
    pub text: String,
    pub at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

/// How a conversation stands, for the pages.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Standing {
    /// The state of its handoff; empty if there is none.
    pub state: String,
    /// Whether a person speaks to the user, and the bot is silent.
    pub is_person: bool,
    /// Who has it.
    pub person: Option<String>,
}

#[derive(Default)]
struct Said {
    turns: Vec<ShownTurn>,
    standing: Standing,
    tried: Vec<String>,
    /// The request that is open.
    request: Option<String>,
    /// How many calls had a key.
    calls: u32,
}

/// A conversation.
pub struct Chat {
    pub id: String,
    /// Names the page on which a person goes on with it. The user does not know it.
    pub key: String,
    reply_url: String,
    said: Mutex<Said>,
    /// One at a time looks at the request, so that no older state is told after a newer one.
    looking: Mutex<()>,
    changed: watch::Sender<usize>,
}

impl Chat {
    /// A conversation whose replies by people are under this address.
    pub fn new(replies: &str) -> Self {
        let random = || format!("{:032x}", rand::random::<u128>());
        let key = random();
        Self {
            id: random(),
            reply_url: format!("{replies}{key}"),
            key,
            said: Mutex::default(),
            looking: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// The turns after the first `n`, and how it stands.
    pub async fn after(&self, n: usize) -> (Vec<ShownTurn>, Standing) {
        let said = self.said.lock().await;
        (said.turns.iter().skip(n).cloned().collect(), said.standing.clone())
    }

    /// What is new from now on.
    pub fn news(&self) -> watch::Receiver<usize> {
        self.changed.subscribe()
    }

    /// Returns when there is news, or after one look at the open request. Without one it waits for the news alone.
    pub async fn follow(&self, client: &BotClient, news: &mut watch::Receiver<usize>) -> Result<(), CliError> {
        let look = async {
            let _one = self.looking.lock().await;
            let Some(id) = self.said.lock().await.request.clone() else { return std::future::pending().await };
            // What changed before this look is no change to wait for.
            if !self.tell(&client.look(&id, "0s").await?).await {
                self.tell(&client.look(&id, LOOK).await?).await;
            }
            Ok(())
        };
        tokio::select! {
            _ = news.changed() => Ok(()),
            looked = look => looked,
        }
    }

    /// The user says something, and the bot answers if it is the bot who speaks.
    pub async fn user_says(&self, client: &BotClient, text: &str) -> Result<(), CliError> {
        let mut said = self.said.lock().await;
        if TURNS_MAX <= said.turns.len() {
            return Err("this conversation is too long".into());
        }
        said.push("user", text, None);
        self.changed.send_modify(|n| *n += 1);
        // Waiting for a person, or speaking to one.
        if said.request.is_some() {
            return Ok(());
        }
        let understood = understood(text);
        let facts = facts(understood);
        let key = said.key(&self.id);
        if let Some(id) = client.turn(&key, &facts, self.packet(&said, understood)).await? {
            let view = client.look(&id, "0s").await?;
            said.request = Some(id);
            said.tell(&view);
            self.changed.send_modify(|n| *n += 1);
            return Ok(());
        }
        match client.availability(&facts).await? {
            None => said.answer(understood),
            Some(who) if who["available"] == true => {
                let mut packet = self.packet(&said, understood);
                let trigger = who["trigger"].as_str().unwrap_or_default();
                let reason =
                    if trigger == "a-asked" { "the user asked for a person" } else { "the bot does not decide this" };
                packet["reason"] = json!({ "code": trigger, "text": format!("{}: {reason}", understood.intent) });
                packet["evidence"] = json!([{ "condition": trigger, "values": facts.values }]);
                let key = said.key(&self.id);
                let view = client.hand_over(&key, &facts, packet).await?;
                said.request = view["id"].as_str().map(ToOwned::to_owned);
                said.tell(&view);
            }
            Some(who) => {
                said.push("bot", who["message"].as_str().unwrap_or_default(), None);
                said.push("bot", FALLBACK, None);
            }
        }
        self.changed.send_modify(|n| *n += 1);
        Ok(())
    }

    /// A person says something to the user; refused unless the daemon says that they speak.
    pub async fn person_says(&self, text: &str) -> Result<(), CliError> {
        let mut said = self.said.lock().await;
        let Some(person) = said.standing.person.clone().filter(|_| said.standing.is_person) else {
            return Err("first press \"I speak to the user now\" on the desk".into());
        };
        said.push(&person, text, None);
        self.changed.send_modify(|n| *n += 1);
        Ok(())
    }

    /// The user closes the page.
    pub async fn leave(&self, client: &BotClient) -> Result<(), CliError> {
        let request = self.said.lock().await.request.clone();
        if let Some(id) = request {
            let view = client.cancel(&id).await?;
            self.tell(&view).await;
        }
        Ok(())
    }

    /// Returns whether it is news.
    async fn tell(&self, view: &Value) -> bool {
        let is_news = self.said.lock().await.tell(view);
        if is_news {
            self.changed.send_modify(|n| *n += 1);
        }
        is_news
    }

    fn packet(&self, said: &Said, understood: Understood) -> Value {
        json!({
            "conversation": { "id": self.id, "channel": "web", "locale": "en" },
            "user": { "name": USER.0, "account": USER.1 },
            "tried": said.tried, "proposed": understood.answer, "transcript": said.turns,
            "reply_url": self.reply_url,
        })
    }
}

impl Said {
    fn push(&mut self, who: &str, text: &str, confidence: Option<f64>) {
        self.turns.push(ShownTurn { who: who.to_owned(), text: text.to_owned(), at: load::now(), confidence });
    }

    /// A key for the next call, which no other one has.
    fn key(&mut self, conversation: &str) -> String {
        self.calls += 1;
        format!("{conversation}-{}", self.calls)
    }

    fn answer(&mut self, understood: Understood) {
        self.push("bot", understood.answer, Some(understood.confidence));
        self.tried.push(understood.answer.to_owned());
    }

    /// Takes over how the request stands, and tells the user what they may be told; returns whether anything is new.
    fn tell(&mut self, view: &Value) -> bool {
        let handoff = &view["handoff"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (state, message) = (text(&handoff["state"]), text(&handoff["message"]));
        let is_told = message.is_empty()
            || self.turns.iter().rev().find(|turn| turn.who == "bot").is_some_and(|turn| turn.text == message);
        let is_same = is_told && state == self.standing.state;
        let person = handoff["person"]["name"].as_str().map(ToOwned::to_owned);
        self.standing = Standing { state, is_person: handoff["owner"] == "person", person };
        if !is_told {
            self.push("bot", &message, None);
        }
        if view["state"] != "open" {
            self.request = None;
        }
        !is_same
    }
}

fn facts(understood: Understood) -> TurnFacts {
    let asked = if understood.asks_for_person { "yes" } else { "no" };
    TurnFacts {
        labels: json!({ "intent": understood.intent, "asked": asked }),
        values: json!({ "confidence": understood.confidence }),
    }
}
