//! Requests on desks in Chromium: two people approve, a stale card decides nothing, a default takes effect when the
//! countdown ends, nine options fit on every screen, and a conversation is taken. Each page that somebody decides on is
//! looked at by the rules of axe.

use crate::{
    browser::{self, Browser},
    common::{Daemon, Setup},
    net::Net,
    parts,
};
use serde_json::{Value, json};

const TOKEN: &str = "machine-token-5b1f7c";

const MATRIX: &str = r#"
[source.machine]
token     = { env = "MACHINE_TOKEN" }
reply_url = "https://chat.example.com/"

[channel.desk]
kind = "screen"

[person.ana]
name     = "Ana Ruiz"
timezone = "Asia/Kolkata"

[person.bo]
name = "Bo Lind"

[role.trader]
step = [{ page = ["ana", "bo"], by = ["desk"], wait = "10m" }]

[role.loan-officer]
name       = "Loan officer"
engaged_by = "wilco"
step       = [{ page = ["ana"], by = ["desk"], wait = "10m" }]

[trigger.kill]
on    = ["order_kill"]
roles = ["trader"]
ask   = { approvals = 2, default = "deny", after = "10m" }

[trigger.hurry]
on    = ["hurry"]
roles = ["trader"]
ask   = { default = "deny", after = "9s" }

[trigger.way-out]
on    = ["way_out"]
roles = ["trader"]
ask   = { after = "10m" }

[trigger.loan]
on      = ["loan_handoff"]
roles   = ["loan-officer"]
handoff = { after = "10m" }
"#;

/// Each size in pixels: a desk, a phone upright and on its side, a page at 200 %.
const SIZES: [(u32, u32); 4] = [(1440, 900), (390, 844), (844, 390), (720, 450)];

/// A daemon, and a machine that asks.
struct House {
    daemon: Daemon,
    net: Net,
}

impl House {
    /// None where a part is missing.
    fn open() -> Option<Self> {
        if browser::missing() || browser::lacks_axe() {
            return None;
        }
        let daemon = Setup::new(MATRIX).env("MACHINE_TOKEN", TOKEN).start();
        Some(Self { daemon, net: Net::new() })
    }

    fn desk(&self, person: &str) -> Browser {
        Browser::open(self.daemon.json(&["desk-link", person])["link"].as_str().unwrap())
    }

    fn asks(&self, kind: &str, ask: &Value) -> Value {
        let body = json!({ "kind": kind, "values": { "orders": 1204 }, "ask": ask });
        let reply = self.net.post_json(&self.daemon.url("/v1/requests"), TOKEN, &body);
        serde_json::from_str(&reply).unwrap_or_else(|_| panic!("{reply}"))
    }

    fn kill(&self, kind: &str) -> Value {
        let action = json!({ "cancel": "all", "desk": "EQ-2" });
        let question = "Cancel all 1,204 open orders of desk EQ-2?";
        self.asks(kind, &json!({ "type": "approval", "question": question, "action": action }))
    }

    fn request(&self, request: &Value) -> Value {
        let path = format!("/v1/requests/{}", request["id"].as_str().unwrap());
        serde_json::from_str(&self.net.get_with(&self.daemon.url(&path), TOKEN)).unwrap()
    }

    /// The request once it has an outcome.
    fn ended(&self, request: &Value) -> Value {
        parts::until("the outcome", || Some(self.request(request)).filter(|now| now["state"] != "open"))
    }
}

/// By the rules of axe the page has no fault.
fn sound(desk: &mut Browser, when: &str) {
    assert_eq!(desk.faults(), json!([]), "{when}");
}

fn alarm_is_hidden(desk: &mut Browser) -> bool {
    desk.value("() => document.getElementById('alarm').hidden") == json!(true)
}

#[test]
fn two_people_approve_on_their_desks_and_who_has_chosen_is_quiet() {
    let Some(house) = House::open() else { return };
    let (mut ana, mut bo) = (house.desk("ana"), house.desk("bo"));
    let request = house.kill("order_kill");
    let asked = ana.reads("Action: cancel all, desk EQ-2");
    assert!(asked.contains("Cancel all 1,204 open orders of desk EQ-2?") && asked.contains("2 people must agree"));
    assert!(asked.contains(" IST.") && asked.contains("Otherwise \"Deny\" takes effect."), "{asked}");
    sound(&mut ana, "Ana is asked");
    ana.press_until("A Approve", "You chose Approve; one more must agree.");
    assert!(alarm_is_hidden(&mut ana), "who has chosen is not asked again");
    let chosen = ana.reads("A Approve (your choice)");
    assert!(chosen.contains(" left). Otherwise \"Deny\" takes effect."), "{chosen}");
    sound(&mut ana, "Ana waits for Bo");
    assert_eq!(house.request(&request)["state"], "open");
    bo.reads("Ana Ruiz chose Approve; one more must agree.");
    sound(&mut bo, "Bo reads what Ana chose");
    bo.press_until("A Approve", "it is decided");
    let decided = house.ended(&request);
    assert_eq!((&decided["outcome"]["option"], &decided["outcome"]["by"]), (&json!("approve"), &json!(["ana", "bo"])));
    ana.reads("It is over since");
    sound(&mut ana, "it is over");
}

#[test]
fn the_answer_of_a_stale_card_is_refused_and_the_new_one_says_what_changed() {
    let Some(house) = House::open() else { return };
    let request = house.kill("order_kill");
    let mut ana = house.desk("ana");
    ana.reads("Cancel all 1,204 open orders");
    ana.deaf(true);
    let path = format!("/v1/requests/{}/facts", request["id"].as_str().unwrap());
    let anew = house.net.put_json(&house.daemon.url(&path), TOKEN, &json!({ "values": { "orders": 15 } }));
    let anew: Value = serde_json::from_str(&anew).unwrap();
    let refused = ana.press_until("A Approve", "the facts have changed since this page");
    assert!(refused.contains("(orders 1204 -> 15): nothing was counted"), "what changed: {refused}");
    assert_eq!(house.request(&request)["state"], "superseded");
    assert_eq!(house.request(&anew)["choices"], json!([]), "it counts for nothing");
    ana.deaf(false);
    let new = ana.reads("NEW FACTS (orders 1204 -> 15)");
    assert!(new.contains("A Approve"), "{new}");
    sound(&mut ana, "the new card");
    // Now it is a choice for what is shown.
    ana.press_until("A Approve", "You chose Approve; one more must agree.");
    assert_eq!(house.request(&anew)["choices"][0]["option"], "approve");
}

#[test]
fn the_default_takes_effect_when_the_countdown_ends() {
    let Some(house) = House::open() else { return };
    let mut ana = house.desk("ana");
    let request = house.kill("hurry");
    ana.reads("Otherwise \"Deny\" takes effect.");
    let left = |ana: &mut Browser| {
        let shown = ana.value("() => document.getElementById('alarm-left').textContent");
        shown.as_str().and_then(|left| left.strip_prefix("0:")).and_then(|left| left.parse::<u32>().ok())
    };
    let first = left(&mut ana).expect("a countdown");
    assert!((1..=9).contains(&first), "{first} s");
    sound(&mut ana, "while it counts down");
    parts::until("the countdown", || left(&mut ana).filter(|left| *left < first));
    let over = ana.reads("It is over since");
    assert!(over.contains("the default deny took effect"), "{over}");
    assert!(alarm_is_hidden(&mut ana), "nothing is asked any more");
    sound(&mut ana, "after the default");
    let defaulted = house.ended(&request);
    assert_eq!((&defaulted["state"], &defaulted["outcome"]["option"]), (&json!("defaulted"), &json!("deny")));
}

/// What is wrong with the buttons of the alarm: each can be reached and read, and no option is larger than another.
const BUTTONS: &str = r##"() => {
  const trouble = [];
  const box = (node) => node.getBoundingClientRect();
  scrollTo(0, 0);
  if (innerHeight < box(document.getElementById("alarm-ask")).bottom) trouble.push("the question is not seen");
  const widths = [];
  for (const button of document.querySelectorAll("#alarm-offers button")) {
    button.scrollIntoView({ block: "nearest" });
    const { left, right, top, bottom, width } = box(button);
    const says = button.textContent;
    if (button.querySelector(".letter")) widths.push(Math.round(width));
    if (left < 0 || innerWidth < right || top < -1 || innerHeight + 1 < bottom) trouble.push(`${says} at ${left},${top} to ${right},${bottom}`);
    if (bottom - top < 44 || width < 44) trouble.push(`${says} of ${width} x ${bottom - top} px`);
    if (button.clientWidth < button.scrollWidth || button.clientHeight < button.scrollHeight) trouble.push(`${says} overflows`);
    if (!button.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2))) trouble.push(`${says} is covered`);
  }
  if (1 < Math.max(...widths) - Math.min(...widths)) trouble.push(`widths ${widths}`);
  if (innerWidth < document.documentElement.scrollWidth) trouble.push(`${document.documentElement.scrollWidth} px wide`);
  scrollTo(0, 0);
  return trouble;
}"##;

#[test]
fn two_and_nine_options_fit_on_every_screen_and_none_is_larger_than_another() {
    let Some(house) = House::open() else { return };
    let mut ana = house.desk("ana");
    let fits = |ana: &mut Browser, what: &str| {
        for (width, height) in SIZES {
            ana.sized(width, height);
            assert_eq!(ana.value(BUTTONS), json!([]), "{what} at {width} x {height}");
            sound(ana, &format!("{what} at {width} x {height}"));
        }
        ana.sized(1440, 900);
    };
    house.kill("hurry");
    ana.reads("Cancel all 1,204 open orders");
    assert_eq!(ana.value(BUTTONS), json!([]), "two options");
    ana.reads("It is over since");
    house.kill("order_kill");
    ana.reads("2 people must agree");
    fits(&mut ana, "two options");
    ana.press_until("B Deny", "it is decided");
    let option = |n: u32| {
        let label = format!("Way number {n} out of here");
        json!({ "name": format!("way-{n}"), "label": label, "does": "sells 1,204 futures of the lead month in ten slices" })
    };
    let options: Vec<Value> = (1..=9).map(option).collect();
    let ask = json!({ "type": "decision", "question": "The lead venue is down: which way out?", "options": options });
    let request = house.asks("way_out", &ask);
    ana.reads("decide: A to I by");
    fits(&mut ana, "nine options");
    let last = "I Way number 9 out of here sells 1,204 futures of the lead month in ten slices";
    ana.press_until(last, "decided: way-9, by Ana Ruiz");

    assert_eq!(house.ended(&request)["outcome"]["option"], "way-9");
}

/// What is wrong with a page about conversations.
const TARGETS: &str = r##"() => {
  const trouble = [];
  for (const node of document.querySelectorAll("a, button, summary, textarea")) {
    const { left, right, width, height } = node.getBoundingClientRect();
    if (width < 44 || height < 44) trouble.push(`${node.textContent} of ${width} x ${height} px`);
    if (left < 0 || innerWidth < right) trouble.push(`${node.textContent} from ${left} to ${right}`);
    node.focus();
    if (getComputedStyle(node).outlineStyle === "none") trouble.push(`${node.textContent} has no ring`);
    node.blur();
  }
  if (innerWidth < document.documentElement.scrollWidth) trouble.push(`${document.documentElement.scrollWidth} px wide`);
  return trouble;
}"##;

fn usable(desk: &mut Browser, what: &str) {
    for (width, height) in SIZES {
        desk.sized(width, height);
        assert_eq!(desk.value(TARGETS), json!([]), "{what} at {width} x {height}");
    }
    desk.sized(1440, 900);
    sound(desk, what);
}

#[test]
fn a_conversation_is_taken_and_finished_on_the_takers_screen() {
    let Some(house) = House::open() else { return };
    let mut ana = house.desk("ana");
    ana.follows("Conversations");
    ana.reads("No conversation waits for you.");
    let packet = json!({
        "conversation": { "id": "c-4711", "channel": "web", "locale": "de" },
        "user": { "name": "Sam Vance", "contact": "+447700900123" },
        "reason": { "code": "asked", "text": "the user asked for a person" },
        "evidence": [{ "condition": "three unsure answers", "values": { "confidence": 0.31 } }],
        "tried": ["explained the early repayment fee"], "proposed": "You can repay 5% each year.",
        "transcript": [
            { "who": "user", "text": "Kann ich meinen Kredit zurückzahlen?", "at": "2026-11-30T09:40:11Z" },
            { "who": "bot", "text": "There may be a fee.", "at": "2026-11-30T09:40:13Z" },
            { "who": "user", "text": "Ich möchte mit einem Menschen sprechen.", "at": "2026-11-30T09:41:02Z" },
        ],
        "reply_url": "https://chat.example.com/c/4711",
    });
    let request = house.asks("loan_handoff", &json!({ "type": "handoff", "packet": packet }));
    // The queue shows it by itself.
    let queue = ana.reads("the user asked for a person");
    assert!(queue.contains(" IST: ") && queue.contains(" left"), "{queue}");
    usable(&mut ana, "the queue");
    ana.follows("the user asked for a person");
    let read = ana.reads("The user said last");
    assert!(read.contains("If nobody takes it by") && read.contains(" left"), "{read}");
    assert!(!read.contains("You can repay 5%"), "what the machine would say is folded: {read}");
    usable(&mut ana, "the packet");
    ana.press("I have it");
    let taken = ana.reads("The user is told that you are reading it.");
    assert!(taken.contains("When you have finished"), "{taken}");
    assert_eq!(ana.value("() => document.activeElement.id"), "said", "the focus is on what the press led to");
    usable(&mut ana, "the packet of who has it");
    assert_eq!(house.request(&request)["handoff"]["state"], "assigned");
    ana.writes("wants the exact sum");
    ana.press("I speak to the user now");
    ana.reads("and speak to the user since");
    assert_eq!(house.request(&request)["handoff"]["owner"], "person");
    // What somebody writes stays over a press that does not send it, and when the page is not up to date any more.
    let path = format!("/v1/requests/{}/cancel", request["id"].as_str().unwrap());
    house.net.post_json(&house.daemon.url(&path), TOKEN, &json!({ "reason": "the user left" }));
    ana.reads("This conversation has changed.");
    assert_eq!(ana.value("() => document.querySelector('textarea').value"), "wants the exact sum");
    sound(&mut ana, "it has changed");
    ana.follows("Show it");
    let over = ana.reads("It ended at");
    assert!(over.contains("the user left") && !over.contains("Done: solved"), "{over}");
    let again = house.asks("loan_handoff", &json!({ "type": "handoff", "packet": packet }));
    ana.goes(&format!("/desk/conversations/{}", again["incident"].as_str().unwrap()));
    ana.press("I have it");
    ana.press("Done: solved");
    ana.reads("It ended at");
    sound(&mut ana, "it is finished");
    assert_eq!(house.ended(&again)["state"], "completed");
}
