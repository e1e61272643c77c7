//! Socket Mode against a double that breaks links in every way that is known of Slack's.

use super::double::{
    self,
    socket_mode::{APP_TOKEN, Greeting, Opening, SocketMode},
};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use stentor::channel::{
    CheckOutcome, ProbeCheck,
    provider_connection::ConnectionSettings,
    slack::{
        event::SlackInbound,
        inbound::InboundResult,
        socket::{ConnectFailure, SocketListener, SocketTiming, TIMING, probe, run},
    },
};
use tokio::{
    runtime::Runtime,
    sync::{Semaphore, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Waits that a test can wait for; silence is the real one, or a loaded machine would find links dead.
const QUICK: SocketTiming = SocketTiming {
    open: Duration::from_secs(5),
    ping: Duration::from_millis(100),
    close: Duration::from_millis(200),
    linger: Duration::from_secs(2),
    steady: Duration::from_millis(50),
    refused: Duration::from_millis(100),
    ..TIMING
};

/// Listens, and judges as it is told to.
struct Ear {
    heard: Mutex<Vec<SlackInbound>>,
    told: Mutex<Vec<(String, String)>>,
    failures: Mutex<Vec<ConnectFailure>>,
    links: watch::Sender<usize>,
    /// Commands wait here: one permit a command.
    gate: Semaphore,
}

impl SocketListener for Ear {
    fn hear(&self, heard: SlackInbound) -> BoxFuture<'_, InboundResult> {
        self.heard.lock().unwrap().push(heard.clone());
        Box::pin(async move {
            match heard {
                SlackInbound::Press(press) if press.action == "panic" => panic!("as the test wants"),
                SlackInbound::Press(press) => {
                    let (kept, text) = (press.action != "lost", format!("heard {}", press.action));
                    InboundResult { kept, text, response_url: press.response_url, modal: None }
                }
                SlackInbound::Command(command) => {
                    if command.text == "slow" {
                        self.gate.acquire().await.unwrap().forget();
                    }
                    InboundResult {
                        kept: true,
                        text: format!("did {}", command.text),
                        response_url: command.response_url,
                        modal: None,
                    }
                }
                SlackInbound::Form(sent) => {
                    let kept = !sent.metadata.starts_with("lost");
                    let modal = kept.then(|| json!({ "response_action": "clear" }));
                    InboundResult { kept, modal, ..InboundResult::silent() }
                }
                SlackInbound::Other => InboundResult::silent(),
            }
        })
    }

    fn tell<'a>(&'a self, response_url: &'a str, text: &'a str) -> BoxFuture<'a, ()> {
        self.told.lock().unwrap().push((response_url.to_owned(), text.to_owned()));
        Box::pin(async {})
    }

    fn linked(&self, links: usize) -> BoxFuture<'_, ()> {
        self.links.send_replace(links);
        Box::pin(async {})
    }

    fn failed<'a>(&'a self, failure: &'a ConnectFailure) -> BoxFuture<'a, ()> {
        self.failures.lock().unwrap().push(failure.clone());
        Box::pin(async {})
    }
}

/// The loop, running against the double.
struct Rig {
    slack: SocketMode,
    ear: Arc<Ear>,
    stop: CancellationToken,
    running: JoinHandle<bool>,
    runtime: Runtime,
}

impl Rig {
    fn start(timing: SocketTiming, world: impl FnOnce(&SocketMode)) -> Self {
        double::install_tls();
        let slack = SocketMode::start();
        world(&slack);
        let ear = Arc::new(Ear {
            heard: Mutex::default(),
            told: Mutex::default(),
            failures: Mutex::default(),
            links: watch::Sender::new(0),
            gate: Semaphore::new(0),
        });
        let settings = Self::settings(&slack);
        let runtime = Runtime::new().unwrap();
        let (stop, listener) = (CancellationToken::new(), ear.clone());
        let stopped = stop.clone();
        let running = runtime.spawn(async move { run(&settings, timing, listener, stopped, 7).await.is_ok() });
        Self { slack, ear, stop, running, runtime }
    }

    fn settings(slack: &SocketMode) -> ConnectionSettings {
        ConnectionSettings { secret: SecretString::from(APP_TOKEN), api_url: Some(slack.api_url()) }
    }

    /// What a look at it shows.
    fn probe(&self) -> ProbeCheck {
        self.runtime.block_on(probe(&Self::settings(&self.slack)))
    }

    fn linked() -> Self {
        let rig = Self::start(QUICK, |_| {});
        rig.slack.until_links(2);
        rig.until("two links are told", || *rig.ear.links.borrow() == 2);
        rig
    }

    fn until(&self, what: &str, mut is: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is() {
            assert!(Instant::now() < deadline, "this did not come: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn failure(&self) -> ConnectFailure {
        self.until("a failure", || !self.ear.failures.lock().unwrap().is_empty());
        self.ear.failures.lock().unwrap()[0].clone()
    }

    fn heard(&self) -> usize {
        self.ear.heard.lock().unwrap().len()
    }

    /// Stops it and waits for its end; how long that took.
    fn end(self) -> Duration {
        let begun = Instant::now();
        self.stop.cancel();
        assert!(self.runtime.block_on(self.running).unwrap());
        begun.elapsed()
    }
}

fn press(action: &str) -> Value {
    json!({
        "type": "block_actions", "team": null, "user": { "id": "UANA" }, "response_url": "https://hooks.double/1",
        "actions": [{ "type": "button", "action_id": format!("answer:{action}"), "value": "INC-1.1:12345" }],
    })
}

fn sent(metadata: &str, callback: &str) -> Value {
    let view = json!({ "callback_id": callback, "private_metadata": metadata, "state": { "values": {} } });
    json!({ "type": "view_submission", "team": null, "user": { "id": "UANA" }, "view": view })
}

fn command(text: &str) -> Value {
    json!({ "command": "/stentor", "user_id": "UANA", "text": text, "response_url": "https://hooks.double/2" })
}

/// Tries each case on a thread of its own: most of their time is waits of the loop.
fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T>, attempt: impl Fn(T) + Sync) {
    let attempt = &attempt;
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || attempt(case));
        }
    });
}

#[test]
fn each_envelope_is_heard_once_and_acknowledged_on_its_own_link() {
    let rig = Rig::linked();
    for link in rig.slack.open_links() {
        let before = rig.heard();
        let pressed = rig.slack.send_on(link, "interactive", &press("wilco"), false);
        let ack = rig.slack.ack(&pressed);
        assert_eq!((ack.link, &ack.frame), (link, &json!({ "envelope_id": pressed })));
        rig.until("the private word", || rig.ear.told.lock().unwrap().iter().any(|(_, text)| text == "heard wilco"));
        let typed = rig.slack.send_on(link, "slash_commands", &command("list"), true);
        let reply = json!({ "response_type": "ephemeral", "text": "did list" });
        assert_eq!(rig.slack.ack(&typed).frame, json!({ "envelope_id": typed, "payload": reply }));
        // Where the acknowledgement takes no answer, it goes by the other way.
        let typed = rig.slack.send_on(link, "slash_commands", &command("status"), false);
        assert_eq!(rig.slack.ack(&typed).frame, json!({ "envelope_id": typed }));
        rig.until("the command's word", || {
            rig.ear.told.lock().unwrap().contains(&("https://hooks.double/2".into(), "did status".into()))
        });
        assert_eq!(rig.heard(), before + 3);
        // What is not for us is acknowledged, or Slack would hand it in again.
        for (kind, payload) in [
            ("events_api", json!({ "event": { "type": "message" } })),
            ("interactive", sent("lost", "another")),
            ("interactive", json!(["nonsense"])),
            ("slash_commands", Value::Null),
            ("of_next_year", json!({})),
        ] {
            let id = rig.slack.send_on(link, kind, &payload, false);
            assert_eq!(rig.slack.ack(&id).frame, json!({ "envelope_id": id }), "{kind} {payload}");
        }
        assert_eq!(rig.heard(), before + 3);
        // What becomes of a modal is in its acknowledgement; what was not kept has none, so that the modal stays.
        let taken = rig.slack.send_on(link, "interactive", &sent("INC-1.1:12345 d", "form"), true);
        let closed = json!({ "envelope_id": taken, "payload": { "response_action": "clear" } });
        assert_eq!(rig.slack.ack(&taken).frame, closed);
        let lost = rig.slack.send_on(link, "interactive", &sent("lost", "form"), true);
        let next = rig.slack.send_on(link, "interactive", &press("wilco"), false);
        rig.slack.ack(&next);
        assert!(!rig.slack.world().acks.contains_key(&lost));
    }
    let texts: Vec<String> = rig.ear.told.lock().unwrap().iter().map(|(_, text)| text.clone()).collect();
    assert!(!texts.contains(&"did list".to_owned()), "said twice: {texts:?}");
    assert!(rig.slack.world().faults.is_empty());
    let took = rig.end();
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn one_that_is_judged_for_long_holds_up_nobody_and_is_acknowledged_at_its_end() {
    let rig = Rig::linked();
    let link = rig.slack.open_links()[0];
    let slow = rig.slack.send_on(link, "slash_commands", &command("slow"), true);
    rig.until("the slow one is being judged", || rig.heard() == 1);
    for _ in 0..3 {
        let quick = rig.slack.send_on(link, "interactive", &press("wilco"), false);
        rig.slack.ack(&quick);
    }
    assert!(!rig.slack.world().acks.contains_key(&slow), "acknowledged before it was judged");
    rig.ear.gate.add_permits(1);
    assert_eq!(rig.slack.ack(&slow).frame["payload"]["text"], "did slow");
}

#[test]
fn what_was_not_kept_is_not_acknowledged_and_a_panic_ends_no_link() {
    let rig = Rig::linked();
    let link = rig.slack.open_links()[0];
    let lost = rig.slack.send_on(link, "interactive", &press("lost"), false);
    let panicked = rig.slack.send_on(link, "interactive", &press("panic"), false);
    rig.until("both were judged", || rig.heard() == 2);
    let good = rig.slack.send_on(link, "interactive", &press("wilco"), false);
    assert_eq!(rig.slack.ack(&good).link, link);
    let acks: Vec<String> = rig.slack.world().acks.keys().cloned().collect();
    assert!(!acks.contains(&lost) && !acks.contains(&panicked), "{acks:?}");
    rig.until("the presser hears of it", || rig.ear.told.lock().unwrap().iter().any(|(_, text)| text == "heard lost"));
}

#[test]
fn a_successor_is_there_before_the_old_link_goes_and_nothing_pressed_meanwhile_is_lost() {
    side_by_side(["warning", "refresh_requested", "of_next_year"], recycle);
}

fn recycle(reason: &str) {
    let rig = Rig::linked();
    let old = rig.slack.open_links()[0];
    // No successor can be had at first: the old link must serve on.
    rig.slack.world().opening = Opening::Refused("internal_error");
    rig.slack.disconnect(old, reason);
    rig.failure();
    let meanwhile = rig.slack.send_on(old, "interactive", &press("wilco"), false);
    assert_eq!(rig.slack.ack(&meanwhile).link, old, "{reason}");
    assert_eq!(*rig.ear.links.borrow(), 2, "{reason}");
    rig.slack.world().opening = Opening::Address;
    let successor = rig.slack.until("the successor", |world| (3 <= world.links.len()).then_some(2));
    // What Slack had sent by the old one as the new one came.
    let late = rig.slack.send_on(old, "interactive", &press("roger"), false);
    assert_eq!(rig.slack.ack(&late).link, old, "{reason}");
    let next = rig.slack.send_on(successor, "interactive", &press("unable"), false);
    assert_eq!(rig.slack.ack(&next).link, successor, "{reason}");
    rig.slack.until_gone(old);
    assert_eq!(rig.slack.open_links(), [1, 2], "{reason}");
    assert_eq!(rig.slack.world().opened, 3 + refusals(&rig), "{reason}: one successor, and no more");
}

/// Calls that gave no link.
fn refusals(rig: &Rig) -> usize {
    rig.ear.failures.lock().unwrap().len()
}

#[test]
fn both_links_may_be_recycled_at_once() {
    let rig = Rig::linked();
    for link in [0, 1] {
        rig.slack.disconnect(link, "warning");
        rig.slack.disconnect(link, "refresh_requested");
    }
    rig.slack.until_gone(0);
    rig.slack.until_gone(1);
    rig.slack.until_links(2);
    let id = rig.slack.send("interactive", &press("wilco"), false);
    rig.slack.ack(&id);
}

#[test]
fn a_link_that_ends_in_any_way_is_replaced_and_the_other_hears_meanwhile() {
    type End = fn(&SocketMode, usize);
    let ends: [(&str, End); 4] = [
        ("closed", SocketMode::close),
        ("cut", SocketMode::cut),
        ("too many", |slack, link| slack.disconnect(link, "too_many_websockets")),
        ("a frame beyond the limit", |slack, link| slack.frame(link, &"x".repeat(2 * 1024 * 1024))),
    ];
    side_by_side(ends, |(what, end)| {
        let rig = Rig::linked();
        end(&rig.slack, 0);
        let other = rig.slack.send_on(1, "interactive", &press("wilco"), false);
        assert_eq!(rig.slack.ack(&other).link, 1, "{what}");
        rig.slack.until_gone(0);
        rig.slack.until(what, |world| (world.links.len() == 3 && world.links[2].is_open).then_some(()));
        let id = rig.slack.send_on(2, "interactive", &press("wilco"), false);
        assert_eq!(rig.slack.ack(&id).link, 2, "{what}");
    });
}

#[test]
fn frames_that_can_not_be_read_end_no_link() {
    let rig = Rig::linked();
    for text in ["", "pong", "{", "[]", "null", "{\"type\":\"goodbye\"}", "{\"envelope_id\":7}", "\u{0}"] {
        rig.slack.frame(0, text);
    }
    rig.slack.bytes(0, b"\xff\xfe");
    let id = rig.slack.send_on(0, "interactive", &press("wilco"), false);
    assert_eq!(rig.slack.ack(&id).link, 0);
    assert_eq!(rig.slack.world().links.len(), 2);
}

#[test]
fn a_link_that_fell_silent_is_replaced_though_its_connection_stands() {
    let rig = Rig::start(SocketTiming { silence: Duration::from_millis(1500), ..QUICK }, |_| {});
    rig.slack.until_links(2);
    rig.slack.fall_silent(0);
    // Pressed into the dead link: nobody hears it, and the user presses again.
    rig.slack.send_on(0, "interactive", &press("wilco"), false);
    rig.slack.until_gone(0);
    let open = rig.slack.until_links(2);
    assert!(!open.contains(&0));
    // On a busy machine a good link may be found silent too: any that is open then must hear.
    rig.until("a press is heard", || {
        let link = *rig.slack.open_links().last().unwrap_or(&0);
        rig.slack.send_on(link, "interactive", &press("wilco"), false);
        std::thread::sleep(Duration::from_millis(20));
        0 < rig.heard()
    });
}

#[test]
fn in_production_a_dead_link_is_noticed_in_seconds_and_not_for_one_lost_ping() {
    assert!(TIMING.silence <= Duration::from_secs(15), "what is pressed meanwhile is not heard: {TIMING:?}");
    assert!(TIMING.ping * 2 < TIMING.silence, "{TIMING:?}");
}

#[test]
fn a_link_that_is_not_read_because_so_much_is_judged_is_not_dead() {
    let silence = Duration::from_millis(1500);
    let rig = Rig::start(SocketTiming { silence, ..QUICK }, |_| {});
    rig.slack.until_links(2);
    let link = rig.slack.open_links()[0];
    let sent: Vec<String> =
        (0..64).map(|_| rig.slack.send_on(link, "slash_commands", &command("slow"), true)).collect();
    rig.until("all are judged", || rig.heard() == sent.len());
    let begun = Instant::now();
    rig.until("longer than the limit", || silence + Duration::from_secs(1) < begun.elapsed());
    rig.ear.gate.add_permits(sent.len());
    for id in &sent {
        assert_eq!(rig.slack.ack(id).link, link);
    }
}

#[test]
fn a_quiet_link_whose_pings_are_answered_lives() {
    let silence = Duration::from_secs(2);
    let rig = Rig::start(SocketTiming { silence, ..QUICK }, |_| {});
    rig.slack.until_links(2);
    let begun = Instant::now();
    rig.until("longer than the limit", || silence + Duration::from_millis(500) < begun.elapsed());
    let id = rig.slack.send("interactive", &press("wilco"), false);
    rig.slack.ack(&id);
    // A machine that stood still for two seconds may have cost a link; both every time would be the pings' fault.
    assert!(rig.slack.world().links.len() <= 3, "{} links", rig.slack.world().links.len());
}

#[test]
fn socket_mode_switched_off_ends_it_for_the_operators_to_see() {
    let rig = Rig::linked();
    rig.slack.disconnect(0, "link_disabled");
    let failure = rig.failure();
    assert!(failure.is_lasting && failure.why.contains("is disabled"), "{failure:?}");
    rig.until("the end", || rig.running.is_finished());
    assert_eq!(rig.slack.open_links(), Vec::<usize>::new());
    assert_eq!(rig.slack.world().opened, 2, "it was tried again");
    // The same where a new link is told so at once.
    let rig = Rig::start(QUICK, |slack| slack.world().greeting = Greeting::Disconnect("link_disabled"));
    assert!(rig.failure().is_lasting);
    rig.until("the end", || rig.running.is_finished());
}

#[test]
fn what_keeps_links_from_being_opened_is_told_and_tried_again_until_it_is_mended() {
    let elsewhere = |url: &str| Opening::Elsewhere(url.to_owned());
    let openings = [
        (Opening::Refused("not_authed"), true, "not_authed"),
        (Opening::Refused("invalid_auth"), true, "invalid_auth"),
        (Opening::Refused("account_inactive"), true, "account_inactive"),
        (Opening::Refused("user_removed_from_team"), true, "user_removed_from_team"),
        (Opening::Refused("team_disabled"), true, "team_disabled"),
        (Opening::Refused("missing_scope"), true, "connections:write"),
        (Opening::Refused("internal_error"), false, "internal_error"),
        (Opening::Refused("a_code_of_next_year"), false, "a_code_of_next_year"),
        (Opening::Throttled(1), false, "too many calls"),
        (Opening::Html, false, "can not be read"),
        (elsewhere("https://example.com/"), false, "wss://"),
        (elsewhere("ws://example.com/?ticket=ticket-9"), false, "wss://"),
        (elsewhere("ws://127.0.0.1:1/?ticket=ticket-9"), false, "can not be opened"),
    ];
    side_by_side(openings, |(opening, is_lasting, told)| {
        let rig = Rig::start(QUICK, |slack| slack.world().opening = opening.clone());
        let failure = rig.failure();
        assert_eq!(failure.is_lasting, is_lasting, "{opening:?}: {failure:?}");
        assert!(failure.why.contains(told), "{opening:?}: {failure:?}");
        assert!(!failure.why.contains("ticket") && !failure.why.contains(APP_TOKEN), "{failure:?}");
        let probed = rig.probe();
        let expected = if is_lasting { CheckOutcome::Failed } else { CheckOutcome::Doubtful };
        let may_ask = told == "can not be opened";
        assert_eq!(probed.outcome, if may_ask { CheckOutcome::Fine } else { expected }, "{opening:?}: {probed:?}");
        rig.slack.world().opening = Opening::Address;
        rig.slack.until_links(2);
        let opened = rig.slack.world().links.len();
        assert_eq!((rig.probe().outcome, rig.slack.world().links.len()), (CheckOutcome::Fine, opened));
    });
}

#[test]
fn a_link_that_never_says_hello_is_given_up() {
    let quick = SocketTiming { open: Duration::from_millis(300), ..QUICK };
    let rig = Rig::start(quick, |slack| slack.world().greeting = Greeting::Silence);
    assert!(rig.failure().why.contains("no hello"), "{:?}", rig.failure());
    rig.slack.world().greeting = Greeting::Disconnect("too_many_websockets");
    rig.until("too many is told", || {
        rig.ear.failures.lock().unwrap().iter().any(|failure| failure.why.contains("too many links"))
    });
    assert_eq!(*rig.ear.links.borrow(), 0);
}

#[test]
fn a_server_that_ends_every_link_at_once_is_not_called_without_pause() {
    let rig = Rig::start(SocketTiming { steady: Duration::from_secs(60), ..QUICK }, |_| {});
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        for link in rig.slack.open_links() {
            rig.slack.cut(link);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    // Two lanes, each with waits of about 0.5, 1 and 2 s.
    let opened = rig.slack.world().opened;
    assert!(opened <= 10, "{opened} calls in two seconds");
}

#[test]
fn an_end_waits_for_what_was_heard_and_for_no_silent_peer() {
    let rig = Rig::linked();
    let slow = rig.slack.send_on(0, "slash_commands", &command("slow"), true);
    rig.until("it is being judged", || rig.heard() == 1);
    rig.stop.cancel();
    std::thread::sleep(Duration::from_millis(100));
    assert!(!rig.running.is_finished(), "what was heard must be judged to its end");
    rig.ear.gate.add_permits(1);
    assert_eq!(rig.slack.ack(&slow).frame["payload"]["text"], "did slow");
    rig.until("the end", || rig.running.is_finished());
    let rig = Rig::linked();
    rig.slack.fall_silent(0);
    let took = rig.end();
    assert!(took < Duration::from_secs(5), "{took:?}");
}
