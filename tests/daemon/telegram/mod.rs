//! What people press and write in Telegram, as it reaches the daemon by long polling.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod group;
mod links;

use crate::{
    common::Daemon,
    double::telegram::{ANA, BO, FakeTelegram, STRANGER, TOKEN, message},
    house::{eventually, setup, verdict},
    wire::Call,
};
use serde_json::{Value, json};

/// A daemon whose Bot API is a double.
struct Rig {
    // First, so that it ends first.
    daemon: Daemon,
    telegram: FakeTelegram,
}

/// A person's page as it stands in their chat.
struct Held {
    message: i64,
    page: String,
    code: String,
}

impl Rig {
    fn start() -> Self {
        Self::on(|matrix| matrix)
    }

    /// On a matrix that differs.
    fn on(change: impl FnOnce(String) -> String) -> Self {
        let telegram = FakeTelegram::start();
        let matrix = include_str!("house.toml").replace("TELEGRAM_URL", &telegram.url());
        let daemon = setup(&change(matrix)).env("TELEGRAM_BOT_TOKEN", TOKEN).env("STENTOR_LOG", "debug").start();
        let rig = Self { daemon, telegram };
        eventually("the poll", || (rig.links()["up"] == 1).then_some(()));
        rig
    }

    fn links(&self) -> Value {
        self.daemon.control(&Call::get("/readyz")).json()["inbound_connections"]["bot"].clone()
    }

    fn held(&self, incident: &str, user: i64) -> Held {
        self.held_by(incident, user, "wilco")
    }

    /// A page that has a button with this answer.
    fn held_by(&self, incident: &str, user: i64, answer: &str) -> Held {
        let begins = format!("a:{answer}:{incident}.");
        let held: Held = self.telegram.until(&format!("{user}'s page of {incident}"), |world| {
            let of_user = world.posts.iter().filter(|post| post["chat_id"] == user);
            let found = of_user.flat_map(|post| {
                let rows = post["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten();
                rows.filter_map(|row| {
                    Some((post["message_id"].as_i64()?, row[0]["callback_data"].as_str()?.to_owned()))
                })
            });
            let (message, data) = found.into_iter().find(|(_, data)| data.starts_with(&begins))?;
            let mut parts = data.split(':').skip(2).map(str::to_owned);
            Some(Held { message, page: parts.next()?, code: parts.next()? })
        });
        // A reply names its page by what Telegram called the message, which is known once its outcome is kept.
        let n: u64 = held.page.rsplit('.').next().unwrap().parse().unwrap();
        self.daemon.until(incident, "the page's outcome", |incident| {
            let mut pages = incident["pages"].as_array().unwrap().iter();
            pages.any(|page| page["n"].as_u64() == Some(n) && page["receipt"].is_string())
        });
        held
    }

    /// The same, once it is kept as which message the page went out: a reply to the message needs that.
    fn kept(&self, incident: &str, user: i64) -> Held {
        let held = self.held(incident, user);
        self.daemon.until(incident, "its acceptance", |incident| {
            let mut pages = incident["pages"].as_array().unwrap().iter();
            pages.any(|page| held.page.ends_with(&format!(".{}", page["n"])) && page["state"] == "accepted")
        });
        held
    }

    /// Presses; the word that came of it.
    fn press(&self, user: i64, action: &str, page: &str, code: &str) -> String {
        let query = self.telegram.press(user, &format!("a:{action}:{page}:{code}"));
        self.telegram.until("the answer to the press", |world| {
            let answer = world.answers.iter().find(|answer| answer["callback_query_id"] == query)?;
            Some(answer["text"].as_str().unwrap().to_owned())
        })
    }

    /// Writes; the word that came of it.
    fn write(&self, user: i64, text: &str, about: Option<i64>) -> String {
        let before = self.words(user).len();
        self.telegram.write(user, text, about);
        eventually(&format!("the answer to {text:?}"), || self.words(user).get(before).cloned())
    }

    /// What the bot said to a person beside pages.
    fn words(&self, user: i64) -> Vec<String> {
        let world = self.telegram.world();
        let said = world.posts.iter().filter(|post| post["chat_id"] == user && post["reply_markup"].is_null());
        let said = said.filter_map(|post| post["text"].as_str()).filter(|text| !text.starts_with("LIVE"));
        said.map(str::to_owned).collect()
    }

    fn state(&self, incident: &str, role: &str) -> String {
        self.daemon.role(incident, role)["state"].as_str().unwrap_or_default().to_owned()
    }

    fn journaled(&self, incident: &str, word: &str) -> usize {
        self.daemon.control(&Call::get(&format!("/v1/journal?chain={incident}"))).body.matches(word).count()
    }

    fn until_confirmed(&self) {
        self.telegram.until("the confirmation", |world| world.is_all_confirmed().then_some(()));
    }
}

#[test]
fn a_button_engages_its_own_person_with_its_own_code_and_nobody_else() {
    let rig = Rig::start();
    let incident = rig.daemon.crash("ES");
    let (ana, bo) = (rig.held(&incident, ANA), rig.held(&incident, BO));
    for (user, page, code, told) in [
        (STRANGER, &ana.page, ana.code.as_str(), "Your chat id is 1000099"),
        (ANA, &ana.page, "00000", "not one of ours"),
        (ANA, &bo.page, ana.code.as_str(), "not one of ours"),
        (ANA, &"INC-999.1".to_owned(), ana.code.as_str(), "not one of ours"),
        (BO, &ana.page, ana.code.as_str(), "not asked"),
    ] {
        let word = rig.press(user, "wilco", page, code);
        assert!(word.contains(told), "{user} {page}: {word}");
    }
    let robot = json!({ "callback_query": { "id": "robot", "from": { "id": ANA, "is_bot": true },
        "data": format!("a:wilco:{}:{}", ana.page, ana.code) } });
    rig.telegram.hand_in(robot);
    rig.until_confirmed();
    assert_eq!(
        (rig.state(&incident, "trader"), rig.state(&incident, "compliance")),
        ("paging".into(), "paging".into())
    );
    assert_eq!(verdict(&rig.press(ANA, "wilco", &ana.page, &ana.code)), format!("{incident}: you have it."));
    assert_eq!(rig.state(&incident, "trader"), "engaged");
    assert_eq!(rig.journaled(&incident, "\\\"via\\\":\\\"telegram\\\""), rig.journaled(&incident, "\\\"say\\\":"));
}

#[test]
fn a_text_answers_by_its_code_or_as_a_reply_to_the_page() {
    let rig = Rig::start();
    let incident = rig.daemon.crash("ES");
    let (ana, bo) = (rig.kept(&incident, ANA), rig.kept(&incident, BO));
    let word = rig.write(ANA, &format!("{} 2", bo.code), None);
    assert!(word.contains("No page of yours"), "{word}");
    assert!(rig.write(ANA, "2", None).contains("5-digit code"));
    assert!(rig.write(ANA, "maybe", Some(ana.message)).contains("not what you want"));
    // Somebody else's message is none of theirs, and what is edited is no answer.
    assert!(rig.write(ANA, "2", Some(bo.message)).contains("5-digit code"));
    rig.telegram.hand_in(json!({ "edited_message": message(ANA, &format!("{} 2", ana.code)) }));
    assert_eq!(rig.state(&incident, "trader"), "paging");
    let word = rig.write(ANA, "2", Some(ana.message));
    assert_eq!(verdict(&word), format!("{incident}: you have it. Reply to that message with 4 to hand it back."));
    assert_eq!(rig.state(&incident, "trader"), "engaged");
    let word = rig.write(BO, &format!("{} 1", bo.code), None);
    assert!(word.starts_with(&format!("{incident}: ")), "{word}");
    assert_eq!(rig.state(&incident, "compliance"), "engaged");
    // The one who has it hands it back in the same way.
    rig.write(ANA, "4", Some(ana.message));
    assert_ne!(rig.state(&incident, "trader"), "engaged");
}

#[test]
fn a_reply_to_a_page_that_asks_may_have_a_fact_of_five_digits_and_a_no_decides_nothing() {
    const ASK: &str = "\n[trigger.kill]\non = [\"order_kill\"]\nroles = [\"trader\"]\n\
                       ask = { after = \"5m\", read_back = \"labels.desk\" }\n";
    let rig = Rig::on(|matrix| matrix + ASK);
    let ask = || {
        let ask = json!({ "type": "approval", "question": "Cancel all orders?" });
        let body = json!({ "kind": "order_kill", "labels": { "desk": "77311" }, "ask": ask });
        let reply = Call::post("/v1/requests")
            .bearer(crate::house::secret("MONITOR_TOKEN"))
            .json(&body)
            .send(rig.daemon.address);
        let incident = reply.json()["incident"].as_str().unwrap().to_owned();
        let held = rig.held_by(&incident, ANA, "unable");
        (incident, held)
    };
    let (incident, ana) = ask();
    let about = Some(ana.message);
    let no = rig.write(ANA, "no", about);
    assert!(
        no.contains("nothing passed on: reply A = Approve, B = Deny, each with 77311 (desk), or 4 to pass it on."),
        "{no}"
    );
    for wrong in ["A", "A 77312", "A EQ-2"] {
        let told = rig.write(ANA, wrong, about);
        assert!(told.ends_with("nothing was counted: repeat 77311 (desk) with your choice"), "{wrong}: {told}");
    }
    assert!(rig.write(ANA, "77311", about).contains("No page of yours"), "a number alone is a code");
    let told = rig.write(ANA, "A 77311", about);
    assert!(told.ends_with("it is decided"), "{told}");
    assert_eq!(rig.journaled(&incident, "decided"), 1);
    // With the code before it, too.
    let (_, ana) = ask();
    let told = rig.write(ANA, &format!("{} B 77311", ana.code), Some(ana.message));
    assert!(told.ends_with("it is decided"), "{told}");
}

/// The same word to one page after the other is no machine's: each page has an outcome of its own.
#[test]
fn one_word_for_many_pages_is_answered_for_each_of_them() {
    let rig = Rig::start();
    for symbol in ["ES", "NQ", "YM", "RTY", "CL"] {
        let incident = rig.daemon.crash(symbol);
        let ana = rig.kept(&incident, ANA);
        let word = rig.write(ANA, "2", Some(ana.message));
        assert!(word.starts_with(&format!("{incident}: you have it")), "{word}");
    }
}

#[test]
fn commands_tell_how_things_stand_and_a_newcomer_their_chat_id() {
    let rig = Rig::start();
    let incident = rig.daemon.crash("ES");
    rig.held(&incident, ANA);
    let word = rig.write(ANA, "/status", None);
    assert!(word.contains("Open incidents: 1. Roles that nobody has yet: 2."), "{word}");
    assert!(rig.write(ANA, "/help", None).contains("/status"));
    let word = rig.write(STRANGER, "/start abc", None);
    assert!(word.contains("telegram = 1000099"), "{word}");
    rig.telegram.write(STRANGER, "/status", None);
    rig.until_confirmed();
    assert_eq!(rig.words(STRANGER).len(), 1, "nobody else is told anything");
}

#[test]
fn an_update_that_comes_twice_changes_nothing() {
    let rig = Rig::start();
    let incident = rig.daemon.crash("ES");
    let ana = rig.held(&incident, ANA);
    rig.telegram.hand_in_twice(json!({ "message": message(ANA, &format!("{} 3", ana.code)) }));
    rig.until_confirmed();
    assert_eq!(rig.journaled(&incident, "\\\"via\\\":\\\"telegram\\\""), 1);
    let data = format!("a:wilco:{}:{}", ana.page, ana.code);
    rig.telegram.hand_in_twice(json!({ "callback_query": {
        "id": "q", "from": { "id": ANA, "is_bot": false }, "data": data } }));
    rig.until_confirmed();
    assert_eq!(rig.journaled(&incident, "\\\"via\\\":\\\"telegram\\\""), 2);
    assert_eq!(rig.state(&incident, "trader"), "engaged");
    // Telegram had forgotten the press: its words went out as a message, and once.
    let told = |word: &&String| word.contains(": you have it. About: ");
    assert_eq!(rig.words(ANA).iter().filter(told).count(), 1, "{:?}", rig.words(ANA));
}

/// The crash that matters: an answer is judged and kept, its person is told, and Telegram is not told that it came.
#[test]
fn an_answer_that_is_handed_over_again_after_a_crash_does_not_undo_what_was_said_since() {
    let user = uzers::get_current_username().unwrap();
    let with_user = format!("telegram = {ANA}\nunix = {user:?}");
    let mut rig = Rig::on(|matrix| matrix.replace(&format!("telegram = {ANA}"), &with_user));
    let incident = rig.daemon.crash("ES");
    let ana = rig.held(&incident, ANA);
    rig.telegram.world().confirms_nothing = true;
    assert!(rig.write(ANA, &format!("{} 2", ana.code), None).contains("you have it"));
    rig.telegram.write(STRANGER, "/status", None);
    rig.telegram.until("a refused confirmation", |world| {
        world.refused.iter().any(|(method, why)| method == "getUpdates" && why.contains("restart")).then_some(())
    });
    assert!(rig.daemon.cli(&["answer", &incident, "unable"]).status.success());
    assert_ne!(rig.state(&incident, "trader"), "engaged");
    rig.daemon.kill();
    rig.telegram.world().confirms_nothing = false;
    rig.daemon.restart();
    rig.until_confirmed();
    assert_ne!(rig.state(&incident, "trader"), "engaged", "what she said before she handed it back counts no more");
    assert_eq!(rig.journaled(&incident, "\\\"via\\\":\\\"telegram\\\""), 1);
    let words = rig.words(ANA);
    assert_eq!(verdict(words.last().unwrap()), format!("{incident}: you said so before."), "{words:?}");
    // What she says now is another message.
    let word = rig.write(ANA, &format!("{} 2", ana.code), None);
    assert!(word.contains("you have it"), "{word}");
    assert_eq!(rig.state(&incident, "trader"), "engaged");
}

#[test]
fn an_answer_that_was_not_judged_before_a_crash_is_judged_after_it() {
    let mut rig = Rig::on(|matrix| matrix);
    let incident = rig.daemon.crash("ES");
    let ana = rig.held(&incident, ANA);
    rig.daemon.kill();
    rig.telegram.write(ANA, &format!("{} 2", ana.code), None);
    rig.daemon.restart();
    rig.until_confirmed();
    assert_eq!(rig.state(&incident, "trader"), "engaged");
}

#[test]
fn a_revoked_token_is_seen_and_the_token_is_in_no_log_door_or_journal() {
    let rig = Rig::start();
    let incident = rig.daemon.crash("ES");
    let ana = rig.held(&incident, ANA);
    rig.press(ANA, "roger", &ana.page, &ana.code);
    rig.telegram.world().revoked = true;
    eventually("the refusal", || (rig.links()["up"] == 0).then_some(()));
    eventually("its words", || rig.daemon.log().contains("it was revoked").then_some(()));
    rig.daemon.crash("NQ");
    eventually("the broken channel", || rig.daemon.log().contains("does not know the bot's token").then_some(()));
    let shown = [
        rig.daemon.log(),
        rig.daemon.control(&Call::get("/readyz")).body,
        rig.daemon.control(&Call::get("/metrics")).body,
        rig.daemon.control(&Call::get("/v1/journal")).body,
    ];
    for text in &shown {
        for word in [TOKEN, "AAbot-secret_0815", "/bot4711"] {
            assert!(!text.contains(word), "{word} is shown");
        }
    }
}

#[test]
fn the_options_of_a_request_are_buttons_and_letters() {
    let kill = "\n[trigger.kill-switch]\non = [\"order_kill\"]\nroles = [\"trader\", \"compliance\"]\nask = { approvals = 2, after = \"5m\" }\n";
    let rig = Rig::on(|matrix| matrix + kill);
    let body = json!({ "kind": "order_kill", "ask": { "type": "approval", "question": "Cancel all open orders?" } });
    let monitor = |call: Call| call.bearer(crate::house::secret("MONITOR_TOKEN")).send(rig.daemon.address).json();
    let request = monitor(Call::post("/v1/requests").json(&body));
    let incident = request["incident"].as_str().unwrap();
    let rows = |user: i64| {
        rig.telegram.until("the question", |world| {
            let post =
                world.posts.iter().find(|post| post["chat_id"] == user && post.to_string().contains("open orders"))?;
            let rows = post["reply_markup"]["inline_keyboard"].as_array()?.iter();
            let texts: Vec<String> = rows.clone().map(|row| row[0]["text"].as_str().unwrap().to_owned()).collect();
            let data = rows.map(|row| row[0]["callback_data"].as_str().unwrap().to_owned()).next()?;
            Some((texts, data, post["text"].as_str().unwrap().to_owned()))
        })
    };
    let (texts, data, text) = rows(ANA);
    assert_eq!(texts, ["A Approve", "B Deny", "I can't, pass on"]);
    let [_, _, page, code] = data.split(':').collect::<Vec<_>>()[..] else { panic!("{data}") };
    assert!(text.contains(&format!("Or write: {code} and a letter; {code} 4")), "{text}");
    let word = rig.press(ANA, "A", page, code);
    assert!(word.contains("one more person must agree"), "{word}");
    let word = rig.press(BO, "A", page, code);
    assert!(word.contains("not asked"), "{word}");
    let (_, data, _) = rows(BO);
    let code = data.rsplit(':').next().unwrap();
    let word = rig.write(BO, &format!("{code} a"), None);
    assert!(word.contains("it is decided"), "{word}");
    let decided = monitor(Call::get(&format!("/v1/requests/{}", request["id"].as_str().unwrap())));
    assert_eq!((&decided["outcome"]["by"], &decided["incident"]), (&json!(["ana", "bo"]), &json!(incident)));
}
