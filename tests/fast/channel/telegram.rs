//! Telegram: messages of a bot, and updates as they are read.

use super::{
    ana,
    double::{
        fault::Fault,
        telegram::{ANA, BO, Chat, FakeTelegram, TOKEN, message},
    },
    page_for, telegram_at, told, two_options,
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use stentor::channel::{
    Channel, CheckOutcome, ContactData, Message, Recipient, SendError,
    chat::{ChatEvent, ChatFate, ChatHost, ChatResult},
    contact::ContactValues,
    provider_connection::{ConnectionHost, ConnectionSettings},
    telegram::{
        api,
        inbound::{TelegramInbound, TelegramUpdate},
        poll::{PollTiming, run},
    },
};
use stentor::core::retry::backoff;
use tokio_util::sync::CancellationToken;

async fn sent(telegram: &FakeTelegram, message: &Message) -> String {
    told(&telegram_at(telegram.url()).send(message).await)
}

#[tokio::test]
async fn a_page_has_its_answers_as_buttons_that_prove_it_and_as_words() {
    let telegram = FakeTelegram::start();
    let receipt = telegram_at(telegram.url()).send(&page_for(ana())).await.unwrap();
    assert_eq!(receipt.id, api::receipt(&TOKEN.into(), ANA, 100));
    assert!(!receipt.id.contains(&ANA.to_string()), "whose chat it is stands in no journal");
    let post = telegram.world().posts[0].clone();
    let text = post["text"].as_str().unwrap();
    assert!(text.starts_with("LIVE INC-12 flash crash"), "{text}");
    assert!(text.ends_with("Or write: 48213 2 = I have it; 48213 4 = I can't, pass on"), "{text}");
    assert_eq!(post["link_preview_options"]["is_disabled"], true);
    assert_eq!(post["parse_mode"], Value::Null);
    let rows = post["reply_markup"]["inline_keyboard"].as_array().unwrap();
    let data: Vec<&str> = rows.iter().map(|row| row[0]["callback_data"].as_str().unwrap()).collect();
    let expected = ["wilco", "roger", "standby", "unable"].map(|word| format!("a:{word}:INC-12.3:48213"));
    assert_eq!(data, expected);
}

/// A form is filled in where one can be drawn: no button pretends to be its answer.
#[tokio::test]
async fn a_form_has_its_link_and_no_button_but_to_pass_it_on() {
    let telegram = FakeTelegram::start();
    let mut message = page_for(ana());
    message.ask.as_mut().unwrap().fills_in = true;
    assert_eq!(sent(&telegram, &message).await, "accepted");
    let post = telegram.world().posts[0].clone();
    let text = post["text"].as_str().unwrap();
    let how = "Fill in the form: https://desk.example/a/link-secret\nOr write: 48213 4 = I can't, pass on";
    assert!(text.ends_with(how), "{text}");
    let rows = post["reply_markup"]["inline_keyboard"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0][0]["callback_data"]), (1, &Value::from("a:unable:INC-12.3:48213")));
}

#[tokio::test]
async fn an_action_that_can_be_changed_has_the_link_for_that() {
    let telegram = FakeTelegram::start();
    let mut message = page_for(ana());
    let ask = message.ask.as_mut().unwrap();
    (ask.options, ask.edits) = (two_options(), true);
    assert_eq!(sent(&telegram, &message).await, "accepted");
    let post = telegram.world().posts[0].clone();
    assert!(post["text"].as_str().unwrap().ends_with("\nTo change it: https://desk.example/a/link-secret"), "{post}");
}

#[tokio::test]
async fn where_something_must_be_repeated_it_is_written_and_no_button_is_an_option() {
    for (repeats, buttons, how) in [
        (None, vec!["a:A", "a:B", "a:unable"], "Or write: 48213 and a letter; 48213 4"),
        (Some("EQ-2 (desk)"), vec!["a:unable"], "Write: 48213 and a letter and EQ-2 (desk); 48213 4"),
    ] {
        let telegram = FakeTelegram::start();
        let mut message = page_for(ana());
        let ask = message.ask.as_mut().unwrap();
        (ask.options, ask.repeats) = (two_options(), repeats.map(str::to_owned));
        assert_eq!(sent(&telegram, &message).await, "accepted");
        let post = telegram.world().posts[0].clone();
        assert!(post["text"].as_str().unwrap().contains(&format!("\n{how}")), "{post}");
        let rows = post["reply_markup"]["inline_keyboard"].as_array().unwrap();
        let data = rows.iter().map(|row| row[0]["callback_data"].as_str().unwrap().split(":INC").next().unwrap());
        assert_eq!(data.collect::<Vec<_>>(), buttons);
    }
}

#[tokio::test]
async fn a_drill_says_so_even_when_its_template_forgot_and_what_only_tells_has_no_buttons() {
    let telegram = FakeTelegram::start();
    let mut message = page_for(ana());
    (message.drill, message.ask) = (true, None);
    message.text.body = "flash *crash* <b>".to_owned();
    assert_eq!(sent(&telegram, &message).await, "accepted");
    let post = telegram.world().posts[0].clone();
    assert_eq!(post["text"], "DRILL flash *crash* <b>");
    assert_eq!(post["reply_markup"], Value::Null);
}

#[tokio::test]
async fn the_longest_text_is_cut_in_utf16_units_and_keeps_how_to_answer() {
    let telegram = FakeTelegram::start();
    let mut message = page_for(ana());
    message.text.body = format!("LIVE {}", "🚨".repeat(4000));
    assert_eq!(sent(&telegram, &message).await, "accepted");
    let text = telegram.world().posts[0]["text"].as_str().unwrap().to_owned();
    assert!((4095..=4096).contains(&text.encode_utf16().count()));
    assert!(text.starts_with("LIVE 🚨") && text.contains("🚨…\n") && text.ends_with("pass on"), "{text}");
}

#[tokio::test]
async fn each_refusal_of_telegram_has_one_meaning() {
    let telegram = FakeTelegram::start();
    let page = page_for(ana());
    for (chat, expected) in [
        (Some(Chat::Blocked), "unreachable"),
        (Some(Chat::NeverStarted), "unreachable"),
        (None, "unreachable"),
        (Some(Chat::Open), "accepted"),
    ] {
        match chat {
            Some(chat) => telegram.world().chats.insert(ANA, chat),
            None => telegram.world().chats.remove(&ANA),
        };
        assert_eq!(sent(&telegram, &page).await, expected, "{chat:?}");
    }
    telegram.world().throttled.insert(ANA, 17);
    assert_eq!(sent(&telegram, &page).await, "retry in 17s");
    telegram.world().throttled.clear();
    telegram.world().revoked = true;
    assert_eq!(sent(&telegram, &page).await, "broken");
    let looked = telegram_at(telegram.url()).probe().await;
    assert_eq!((looked[0].what, looked[0].outcome), ("login", CheckOutcome::Failed));
    telegram.set_fault(Some(Fault::Status(404, vec![], r#"{"ok":false,"error_code":404,"description":"Not Found"}"#)));
    assert_eq!(sent(&telegram, &page).await, "broken");
}

/// Only groups get another id; a page for one person must not go on to a group.
#[tokio::test]
async fn a_chat_that_has_migrated_is_no_persons_and_is_not_followed() {
    let telegram = FakeTelegram::start();
    telegram.world().chats.extend([(ANA, Chat::Migrated(-1_002)), (-1_002, Chat::Open)]);
    assert_eq!(sent(&telegram, &page_for(ana())).await, "unreachable");
    assert!(telegram.world().posts.is_empty());
}

#[tokio::test]
async fn buttons_that_telegram_refuses_keep_no_page_back() {
    let telegram = FakeTelegram::start();
    telegram.world().refuses_keyboards = true;
    assert_eq!(sent(&telegram, &page_for(ana())).await, "accepted");
    let post = telegram.world().posts[0].clone();
    assert_eq!(post["reply_markup"], Value::Null);
    assert!(post["text"].as_str().unwrap().contains("48213 2 = I have it"));
}

#[tokio::test]
async fn the_token_is_in_no_error_whatever_goes_wrong() {
    let telegram = FakeTelegram::start();
    let echo: &'static str = Box::leak(format!("no /bot{TOKEN}/sendMessage here").into_boxed_str());
    let json: &'static str =
        Box::leak(json!({ "ok": false, "error_code": 400, "description": echo }).to_string().into_boxed_str());
    for status in [200, 302, 400, 401, 403, 404, 409, 429, 500, 502] {
        for body in [echo, json] {
            telegram.set_fault(Some(Fault::Status(status, vec![], body)));
            let error = telegram_at(telegram.url()).send(&page_for(ana())).await.unwrap_err();
            let looked = telegram_at(telegram.url()).probe().await;
            let shown = format!("{error:?} {error} {looked:?}");
            assert!(!shown.contains(TOKEN) && !shown.contains("secret"), "{shown}");
        }
    }
    let gone = telegram_at(format!("http://{}", super::double::nobody().await));
    let error = gone.send(&page_for(ana())).await.unwrap_err();
    assert!(matches!(error, SendError::Retry { unknown: false, .. }) && !format!("{error:?}").contains("secret"));
}

#[test]
fn an_address_or_a_token_that_would_leak_is_refused_without_being_shown() {
    super::double::install_tls();
    for (url, token) in [
        (Some("http://telegram.example"), TOKEN),
        (None, "secret"),
        (None, "1:secret/../../x"),
        (None, "1:secret?x"),
        (None, ":secret"),
        (Some("ftp://127.0.0.1"), TOKEN),
    ] {
        let made = stentor::channel::telegram::send::TelegramChannel::new(url, token.into());
        let error = made.err().expect("it is refused").to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn without_a_chat_id_and_in_a_room_nobody_is_reached() {
    let telegram = FakeTelegram::start();
    let nobody = Recipient::Person(ContactData { contacts: ContactValues::new(), ..ana() });
    assert_eq!(sent(&telegram, &Message { to: nobody, ..page_for(ana()) }).await, "unreachable");
    assert!(telegram.world().refused.is_empty());
}

fn read(update: Value) -> TelegramInbound {
    let mut update = update;
    update["update_id"] = 7.into();
    TelegramUpdate::of(&update).unwrap().what
}

#[test]
fn only_what_a_human_writes_in_their_own_chat_is_a_text() {
    let own = message(ANA, "48213 2");
    let TelegramInbound::Text { chat, text, about } = read(json!({ "message": own })) else { panic!("no text") };
    assert_eq!((chat, text.as_str(), about), (ANA, "48213 2", None));
    let with = |key: &str, value: Value| {
        let mut message = own.clone();
        message[key] = value;
        read(json!({ "message": message }))
    };
    for (key, value) in [
        ("forward_origin", json!({ "type": "user" })),
        ("forward_date", json!(1)),
        ("sender_chat", json!({ "id": -5 })),
        ("via_bot", json!({ "id": 9 })),
        ("from", json!({ "id": ANA, "is_bot": true })),
        ("from", json!({ "id": ANA })),
        ("chat", json!({ "id": -100, "type": "group" })),
        ("chat", json!({ "id": 1_000_002, "type": "private" })),
        ("text", Value::Null),
    ] {
        assert_eq!(with(key, value.clone()), TelegramInbound::Other, "{key} {value}");
    }
    for kind in ["edited_message", "channel_post", "my_chat_member", "of_2031"] {
        assert_eq!(read(json!({ kind: own })), TelegramInbound::Other, "{kind}");
    }
    assert_eq!(TelegramUpdate::of(&json!({ "message": own })), None);
}

/// Says what becomes of an event, given those before it.
type Fate = dyn Fn(&[ChatEvent], &ChatEvent) -> ChatFate + Send + Sync;

/// A host of a connection: it keeps what `fate` says, given what was heard before.
struct Host {
    fate: Box<Fate>,
    heard: Mutex<Vec<ChatEvent>>,
    failures: Mutex<Vec<(String, bool)>>,
    links: Mutex<Vec<usize>>,
}

impl Host {
    fn new(fate: impl Fn(&[ChatEvent], &ChatEvent) -> ChatFate + Send + Sync + 'static) -> Arc<Self> {
        let (heard, failures, links) = Default::default();
        Arc::new(Self { fate: Box::new(fate), heard, failures, links })
    }

    /// Keeps nothing the first time.
    fn forgetful() -> Arc<Self> {
        Self::new(|heard, event| if heard.contains(event) { ChatFate::Kept } else { ChatFate::NotNow })
    }

    fn texts(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|event| event.text.clone()).collect()
    }
}

impl ChatHost for Host {
    fn act(&self, event: ChatEvent) -> BoxFuture<'_, ChatResult> {
        let mut heard = self.heard.lock().unwrap();
        let fate = (self.fate)(&heard, &event);
        heard.push(event);
        Box::pin(std::future::ready(ChatResult { fate, ..ChatResult::kept("") }))
    }

    fn post<'a>(&'a self, _: &'a str, _: String) -> BoxFuture<'a, Result<(), String>> {
        unreachable!("Telegram has no such addresses")
    }

    fn is_test_address(&self, _: &str) -> bool {
        false
    }
}

impl ConnectionHost for Host {
    fn linked(&self, links: usize) -> BoxFuture<'_, ()> {
        self.links.lock().unwrap().push(links);
        Box::pin(std::future::ready(()))
    }

    fn failed<'a>(&'a self, why: &'a str, is_lasting: bool) -> BoxFuture<'a, ()> {
        self.failures.lock().unwrap().push((why.to_owned(), is_lasting));
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn an_update_is_confirmed_only_when_it_was_kept_and_a_webhook_is_told() {
    super::double::install_tls();
    let telegram = FakeTelegram::start();
    telegram.world().webhook = true;
    let settings = ConnectionSettings { secret: TOKEN.into(), api_url: Some(telegram.url()) };
    let timing = PollTiming {
        hold: Duration::from_secs(25),
        margin: Duration::from_secs(10),
        refused: Duration::from_millis(50),
        kept: backoff,
    };
    let (host, stop) = (Host::forgetful(), CancellationToken::new());
    let ids: Vec<i64> = (0..3).map(|_| telegram.write(ANA, "48213 2", None)).collect();
    let polling = tokio::spawn({
        let (host, stop) = (host.clone(), stop.clone());
        async move { run(&settings, timing, host, stop).await }
    });
    let until = async |look: &dyn Fn() -> bool| {
        tokio::time::timeout(Duration::from_secs(20), async {
            while !look() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("it comes");
    };
    until(&|| !host.failures.lock().unwrap().is_empty()).await;
    let (why, is_lasting) = host.failures.lock().unwrap()[0].clone();
    assert!(why.contains("webhook") && is_lasting, "{why}");
    telegram.world().webhook = false;
    until(&|| telegram.world().is_all_confirmed()).await;
    let heard: Vec<String> = host.heard.lock().unwrap().iter().flat_map(|event| event.id.clone()).collect();
    let each: Vec<String> = ids.iter().map(i64::to_string).collect();
    assert_eq!(heard, [each.clone(), each].concat(), "each once more, and none after it was kept");
    let offsets: Vec<Value> = telegram.world().polls.iter().map(|poll| poll["offset"].clone()).collect();
    assert_eq!(offsets, [Value::Null, Value::Null, json!(ids[2] + 1)]);
    stop.cancel();
    polling.await.unwrap().unwrap();
    assert_eq!(*host.links.lock().unwrap(), [1, 0]);
}

/// Polls until `done`, without keeping what has this text; the texts that were heard.
async fn heard(
    telegram: &FakeTelegram,
    of: &'static str,
    fate: ChatFate,
    done: impl Fn(&[String]) -> bool,
) -> Vec<String> {
    super::double::install_tls();
    let settings = ConnectionSettings { secret: TOKEN.into(), api_url: Some(telegram.url()) };
    let timing = PollTiming {
        hold: Duration::from_secs(25),
        margin: Duration::from_secs(10),
        refused: Duration::from_secs(60),
        kept: |_| Duration::from_millis(1),
    };
    let host = Host::new(move |_, event| if event.text == of { fate } else { ChatFate::Kept });
    let stop = CancellationToken::new();
    let polling = tokio::spawn({
        let (host, stop) = (host.clone(), stop.clone());
        async move { run(&settings, timing, host, stop).await }
    });
    let waited = async {
        while !done(&host.texts()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.expect("it comes");
    stop.cancel();
    polling.await.unwrap().unwrap();
    host.texts()
}

#[tokio::test]
async fn an_update_that_alone_can_not_be_kept_is_given_up_and_one_that_waits_for_the_store_is_not() {
    let telegram = FakeTelegram::start();
    telegram.write(ANA, "stuck", None);
    telegram.write(BO, "behind it", None);
    let times = |heard: &[String], words: &str| heard.iter().filter(|said| *said == words).count();
    let all = heard(&telegram, "stuck", ChatFate::Unkept, |_| telegram.world().is_all_confirmed()).await;
    assert_eq!((times(&all, "stuck"), times(&all, "behind it")), (10, 10), "{all:?}");
    telegram.write(ANA, "stuck", None);
    heard(&telegram, "stuck", ChatFate::NotNow, |heard| 15 < times(heard, "stuck")).await;
    assert!(!telegram.world().is_all_confirmed(), "it was given up while nothing could be kept");
}

#[tokio::test]
async fn an_update_that_can_not_be_read_stands_in_nobodys_way() {
    let telegram = FakeTelegram::start();
    telegram.hand_in(json!({ "message": message(ANA, "NUMBER_TOO_LARGE") }));
    telegram.write(BO, "behind it", None);
    telegram.world().spoils = Some(("\"NUMBER_TOO_LARGE\"", "1e999"));
    let all = heard(&telegram, "", ChatFate::Kept, |_| telegram.world().is_all_confirmed()).await;
    assert_eq!(all, ["behind it"]);
}

#[tokio::test]
async fn another_program_that_fetches_the_bots_updates_is_told_and_outlasted() {
    super::double::install_tls();
    let telegram = FakeTelegram::start();
    let settings = ConnectionSettings { secret: TOKEN.into(), api_url: Some(telegram.url()) };
    let (host, stop) = (Host::forgetful(), CancellationToken::new());
    let polling = tokio::spawn({
        let (host, stop) = (host.clone(), stop.clone());
        async move { run(&settings, stentor::channel::telegram::poll::TIMING, host, stop).await }
    });
    // The second poll is the one that is held.
    while telegram.world().polls.len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let other = format!("{}/bot{TOKEN}/getUpdates", telegram.url());
    reqwest::Client::new().post(other).json(&json!({ "timeout": 0 })).send().await.unwrap();
    let until = async {
        while *host.links.lock().unwrap() != [1, 0, 1] {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), until).await.expect("it is heard again");
    let (why, is_lasting) = host.failures.lock().unwrap()[0].clone();
    assert!(why.contains("another program") && !is_lasting, "{why}");
    stop.cancel();
    polling.await.unwrap().unwrap();
}
