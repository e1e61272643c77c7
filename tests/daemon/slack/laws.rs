//! The laws, for each way in: who may answer, that the first answer wins, that no secret is said; and signatures.

use super::{
    double::socket_mode::APP_TOKEN,
    house::{secret, verdict},
    rig::{ANA, BO, NEXT, Rig, STRANGER, WAYS, Way, ZOE, bare, now, press, signature, signed, typed},
    wire::{Call, form},
};
use serde_json::{Value, json};
use std::sync::Barrier;

#[test]
fn a_role_is_engaged_by_no_bot_no_stranger_and_nobody_who_was_not_asked() {
    let rig = Rig::start();
    let incident = rig.crash("ES");
    let (ana, room) = (rig.button(&incident, ANA), rig.daemon.room_button(&incident));
    for way in WAYS {
        for (user, value, told) in [
            (STRANGER, &ana, "knows nobody"),
            (STRANGER, &room, "knows nobody"),
            ("", &ana, "knows nobody"),
            ("USLACKBOT", &ana, "Only humans"),
            (ZOE, &ana, "you were not asked"),
            (ZOE, &room, "you were not asked"),
            (BO, &ana, "you were not asked"),
            (ANA, &format!("{incident}.1:00000"), "not one of ours"),
        ] {
            let (taken, word) = rig.press(way, user, "wilco", value);
            assert!(taken && word.contains(told), "{way:?} {user} {value}: {word}");
        }
        for mark in ["is_bot", "bot_id"] {
            let mut payload = press(ANA, "wilco", &ana, &rig.slack.hooks());
            payload["user"][mark] = json!(true);
            assert!(rig.hand_in(way, &payload), "{way:?} {mark}");
        }
        let mut fields = typed(ANA, &format!("answer {incident} wilco"));
        fields.push(("bot_id".into(), "B1".into()));
        assert!(rig.type_as(way, &fields).contains("Only humans"), "{way:?}");
        assert!(rig.type_in(way, ZOE, &format!("answer {incident} wilco")).contains("not asked"), "{way:?}");
    }
    assert_eq!(rig.role(&incident, "trader")["state"], "paging");
    assert_eq!(rig.role(&incident, "compliance")["state"], "paging");
    assert_eq!(rig.journaled(&incident, "\\\"engages\\\""), 0);
}

#[test]
fn of_two_presses_at_once_by_two_ways_one_wins_and_the_other_hears_who_has_it() {
    let rig = Rig::start();
    for n in 0..4 {
        let incident = rig.crash(&format!("S{n}"));
        let (ana, bo) = (rig.button(&incident, ANA), rig.button(&incident, BO));
        let together = Barrier::new(2);
        let before = rig.slack.world().words.len();
        std::thread::scope(|scope| {
            for (way, user, value) in [(Way::Socket, ANA, &ana), (Way::Http, BO, &bo)] {
                let (together, rig) = (&together, &rig);
                scope.spawn(move || {
                    together.wait();
                    assert!(rig.hand_in(way, &press(user, "wilco", value, &rig.slack.hooks())));
                });
            }
        });
        rig.slack.until("both words", |world| (world.words.len() == before + 2).then_some(()));
        let mut words: Vec<String> =
            rig.slack.world().words[before..].iter().map(|word| word["text"].as_str().unwrap().to_owned()).collect();
        words.sort();
        let holder = rig.role(&incident, "trader")["holder"].as_str().unwrap().to_owned();
        let shown = holder.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let words: Vec<&str> = words.iter().map(|word| verdict(word)).collect();
        assert_eq!(words, [format!("{incident}: too late: {shown} has it."), format!("{incident}: you have it.")]);
        assert_eq!(rig.journaled(&incident, "\\\"engages\\\""), 1);
    }
}

#[test]
fn no_secret_of_either_way_is_in_a_log_a_door_or_the_journal() {
    let rig = Rig::start();
    let incident = rig.crash("ES");
    rig.press(Way::Socket, ANA, "roger", &rig.button(&incident, ANA));
    rig.press(Way::Http, BO, "wilco", &rig.button(&incident, BO));
    rig.type_in(Way::Http, ANA, "list");
    // Failures are where secrets slip out.
    rig.slack.cut(0);
    rig.slack.world().token = Some("xapp-another".into());
    rig.slack.cut(1);
    super::house::eventually("the refusal", || rig.daemon.log().contains("invalid_auth").then_some(()));
    bare(b"payload=%7B").header("X-Slack-Signature", "v0=1").send(rig.daemon.address);
    let shown = [
        rig.daemon.log(),
        rig.daemon.control(&Call::get("/readyz")).body,
        rig.daemon.control(&Call::get("/metrics")).body,
        rig.daemon.control(&Call::get("/v1/journal")).body,
    ];
    for text in &shown {
        for word in [APP_TOKEN, NEXT, secret("SLACK_SIGNING_SECRET"), secret("SLACK_BOT_TOKEN"), "ticket-"] {
            assert!(!text.contains(word), "{word} is shown: {text}");
        }
    }
}

/// One request with a signature to check.
struct Case {
    what: &'static str,
    secret: &'static str,
    /// How far Slack's clock is ahead, in seconds.
    ahead: i64,
    /// What becomes of the signature.
    twist: fn(String) -> Option<String>,
    status: u16,
}

#[test]
fn only_what_is_signed_now_with_a_live_secret_is_believed() {
    let rig = Rig::start();
    let whole: fn(String) -> Option<String> = Some;
    let current = secret("SLACK_SIGNING_SECRET");
    let case = |what, secret, ahead, twist, status| Case { what, secret, ahead, twist, status };
    let cases = [
        case("as it is", current, 0, whole, 200),
        case("with the next secret", NEXT, 0, whole, 200),
        case("with another secret", "signing-secret-other", 0, whole, 401),
        case("with the bot's token", secret("SLACK_BOT_TOKEN"), 0, whole, 401),
        case("old and still good", current, -290, whole, 200),
        case("too old", current, -310, whole, 401),
        case("ahead and still good", current, 290, whole, 200),
        case("from the future", current, 310, whole, 401),
        case("upper case", current, 0, |signature| Some(signature.to_uppercase().replace("V0", "v0")), 401),
        case("no header", current, 0, |_| None, 401),
        case("empty", current, 0, |_| Some(String::new()), 401),
        case("no version", current, 0, |signature| Some(signature[3..].to_owned()), 401),
        case("another version", current, 0, |signature| Some(signature.replace("v0", "v1")), 401),
        case("cut", current, 0, |signature| Some(signature[..signature.len() - 1].to_owned()), 401),
        case("one more", current, 0, |signature| Some(signature + "0"), 401),
    ];
    let body = form(&[("command", "/stentor"), ("user_id", ZOE), ("text", "list")]);
    for Case { what, secret, ahead, twist, status } in cases {
        let at = (now() + ahead).to_string();
        let call = bare(body.as_bytes()).header("X-Slack-Request-Timestamp", &at);
        let call = match twist(signature(secret, &at, body.as_bytes())) {
            Some(signature) => call.header("X-Slack-Signature", &signature),
            None => call,
        };
        let reply = call.send(rig.daemon.address);
        assert_eq!(reply.status, status, "{what}: {reply:?}");
    }
    // Bytes that are no text are verified as they are, and then they are no form.
    let (at, bytes) = (now().to_string(), b"payload=\xff\xfe");
    let call = bare(bytes).header("X-Slack-Request-Timestamp", &at);
    let good = call.clone().header("X-Slack-Signature", &signature(current, &at, bytes)).send(rig.daemon.address);
    assert_eq!(good.status, 400, "{good:?}");
    assert_eq!(call.header("X-Slack-Signature", "v0=00").send(rig.daemon.address).status, 401);
}

#[test]
fn a_request_that_is_sent_again_whole_changes_nothing_twice() {
    let rig = Rig::start();
    let incident = rig.crash("ES");
    let pressed = form(&[("payload", &press(ANA, "wilco", &rig.button(&incident, ANA), "").to_string())]);
    let fields = typed(ZOE, "page it feed down");
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for body in [pressed, form(&fields)] {
        let call = signed(&body, now());
        for _ in 0..3 {
            assert_eq!(call.send(rig.daemon.address).status, 200);
        }
    }
    assert_eq!(rig.journaled(&incident, "\\\"event\\\":\\\"engaged\\\""), 1);
    let pages = |id: &str| rig.daemon.incident(id)["pages"].as_array().unwrap().len();
    let before = pages(&incident);
    assert_eq!(signed(&form(&fields), now()).send(rig.daemon.address).status, 200);
    assert_eq!((pages(&incident), rig.daemon.incidents().len()), (before, 2));
    let roles: Vec<Value> = rig.daemon.incident("INC-2")["roles"].as_array().unwrap().clone();
    assert_eq!(roles.len(), 1, "{roles:?}");
}

/// The newest direct message to this user that says so.
fn direct(rig: &Rig, user: &str, says: &str) -> Value {
    rig.slack.until(&format!("{says:?} to {user}"), |world| {
        let mut posts = world.posts.iter().rev().filter(|post| post["channel"] == user);
        posts.find(|post| post.to_string().contains(says)).cloned()
    })
}

/// The buttons under a message: what each says, does and holds, and whether it asks for a second press.
fn buttons(post: &Value) -> Vec<(String, String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let blocks = post["blocks"].as_array().into_iter().flatten().filter(|block| block["type"] == "actions");
    let elements = blocks.flat_map(|block| block["elements"].as_array().into_iter().flatten());
    let button = |button: &Value| {
        (
            text(&button["text"]["text"]),
            text(&button["action_id"]),
            text(&button["value"]),
            button["confirm"]["confirm"].is_object(),
        )
    };
    elements.map(button).collect()
}

#[test]
fn whoever_has_it_can_hand_it_back_by_the_button_they_keep_and_by_a_command() {
    for way in WAYS {
        let rig = Rig::start();
        let incident = rig.crash("ES");
        let brief = rig.button(&incident, ANA);
        let (is_kept, word) = rig.press(way, ANA, "wilco", &brief);
        assert_eq!((is_kept, verdict(&word)), (true, format!("{incident}: you have it.").as_str()));
        let kept = buttons(&direct(&rig, ANA, "You have it."));
        let [(label, action, value, sure)] = &kept[..] else { panic!("{kept:?}") };
        assert_eq!((label.as_str(), action.as_str(), *sure), ("Hand it back", "answer:unable", true));
        assert_eq!(*value, brief, "it is the page that was answered");
        assert_eq!(buttons(&direct(&rig, BO, "you are released")), [], "who is released gives nothing back");

        let (taken, word) = rig.press(way, ANA, "unable", value);
        assert!(
            taken
                && word.starts_with(&format!(
                    "{incident}: you handed it back. Nobody has trader now: Bo Lind is asked until "
                )),
            "{word}"
        );
        assert_eq!(rig.role(&incident, "trader")["state"], "paging");
        let list = rig.type_in(way, BO, "list");
        assert!(list.contains("trader: Ana &lt;Ruiz&gt; &amp; Co handed it back; Bo Lind is asked"), "{list}");
        let again = direct(&rig, BO, "handed it back at");
        assert_eq!(buttons(&again).len(), 4, "{again}");
        assert_eq!(buttons(&direct(&rig, ANA, "You took trader at ")), []);
        // Once more is no second hand-back.
        let (is_kept, word) = rig.press(way, ANA, "unable", value);
        assert_eq!((is_kept, verdict(&word)), (true, format!("{incident}: you said so before.").as_str()));

        let taken = rig.type_in(way, BO, &format!("answer {incident} wilco"));
        assert_eq!(
            verdict(&taken),
            format!("{incident}: you have it. To hand it back: /stentor answer {incident} unable.")
        );
        let back = rig.type_in(way, BO, &format!("answer {incident} unable trader"));
        // Neither of the two is left: the catch-all is asked.
        let asked = "Nobody has trader now: Gita Rao is asked instead, as catch-all.";
        assert_eq!(verdict(&back), format!("{incident}: you handed it back. {asked}"));
        assert_eq!(rig.journaled(&incident, "\\\"event\\\":\\\"handed-back\\\""), 2);
    }
}
