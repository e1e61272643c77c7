//! Hand-backs: the holder of a role gives it back by each way, the others are asked again, and everybody is told.

use super::common::Daemon;
use super::{
    desk::{Line, cookie},
    house::{DESK, Held, eventually, sandboxed, sandboxed_on, secret, verdict},
    wire::{Call, Reply, form},
};
use serde_json::{Value, json};

const ANA: &str = "+447700900001";
const BO: &str = "+447700900002";

fn text(daemon: &Daemon, from: &str, text: &str) -> String {
    let fields = form(&[("token", secret("KANNEL_REPLY_TOKEN")), ("from", from), ("text", text)]);
    let reply = Call::get(&format!("/hooks/kannel/sms?{fields}")).send(daemon.address);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// The newest text that this person was sent by this channel which says so.
fn sent(daemon: &Daemon, incident: &str, person: &str, channel: &str, says: &str) -> String {
    let page_of = format!("{incident}.");
    eventually(&format!("{says:?} to {person} by {channel}"), || {
        daemon.outbox().into_iter().rev().find_map(|entry| {
            let body = entry["body"].as_str()?.to_owned();
            let theirs = entry["person"] == person && entry["channel"] == channel;
            let of_it = entry["page"].as_str()?.starts_with(&page_of);
            (theirs && of_it && body.contains(says)).then_some(body)
        })
    })
}

fn page(daemon: &Daemon, held: &Held) -> String {
    let reply = Call::get(held.path()).send(daemon.address);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

fn press(daemon: &Daemon, held: &Held, answer: &str) -> String {
    let call = Call::post(held.path()).header("Sec-Fetch-Site", "same-origin");
    let reply = call.form(&[("answer", answer)]).send(daemon.address);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

fn events(daemon: &Daemon, incident: &str, name: &str) -> Vec<Value> {
    let lines = daemon.control(&Call::get(&format!("/v1/journal?chain={incident}"))).json();
    let bodies = lines.as_array().unwrap().iter().map(|line| line["body"].as_str().unwrap().to_owned());
    let events = bodies.map(|body| serde_json::from_str::<Value>(&body).unwrap());
    events.filter(|event| event["event"] == name).collect()
}

fn metric(daemon: &Daemon, name: &str) -> String {
    let all = daemon.control(&Call::get("/metrics")).body;
    all.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned()
}

#[test]
fn by_sms_what_was_taken_is_given_back_and_the_other_takes_it() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let (ana, bo) = (daemon.held(&incident, "ana", "sms"), daemon.held(&incident, "bo", "sms"));
    let taken = text(&daemon, ANA, &format!("{} 2", ana.code));
    assert_eq!(verdict(&taken), format!("{incident}: you have it. Reply {} 4 to hand it back.", ana.code));
    let word = sent(&daemon, &incident, "ana", "sms", "You have it");
    assert!(word.ends_with(&format!("Reply {} 4 to hand it back.", ana.code)), "{word}");
    let released = sent(&daemon, &incident, "bo", "sms", "you are released");
    assert!(!released.contains("hand it back"), "{released}");
    // Somebody else gives up nothing.
    let late = text(&daemon, BO, &format!("{} 4", bo.code));
    assert_eq!(verdict(&late), format!("{incident}: too late: Ana Ruiz has it."));
    assert_eq!(daemon.role(&incident, "trader")["holder"], "Ana Ruiz");

    let told = text(&daemon, ANA, &format!("{} 4", ana.code));
    let asks = format!("{incident}: you handed it back. Nobody has trader now: Bo Lind is asked until ");
    assert!(told.starts_with(&asks) && verdict(&told).ends_with(" UTC."), "{told}");
    let again = text(&daemon, ANA, &format!("{} 4", ana.code));
    assert_eq!(verdict(&again), format!("{incident}: you said so before."));
    assert_eq!(events(&daemon, &incident, "handed-back").len(), 1);
    let trader = daemon.role(&incident, "trader");
    assert_eq!(
        (&trader["state"], &trader["holder"], &trader["tte_ms"]),
        (&json!("paging"), &Value::Null, &Value::Null)
    );
    assert!(trader["deadline"].is_string(), "{trader}");

    // Bo reads in his brief why he is asked again; Ana, who is not, reads that nobody has it.
    let brief = sent(&daemon, &incident, "bo", "sms", "\nAna Ruiz took it at ");
    assert!(brief.starts_with("LIVE "), "{brief}");
    let word = sent(&daemon, &incident, "ana", "sms", "You took trader at ");
    assert!(word.contains("trader is open again. Bo Lind is asked now."), "{word}");
    assert!(brief.contains(" UTC and handed it back at "), "{brief}");
    sent(&daemon, &incident, "bo", "mail", "\nAna Ruiz took it at ");
    let again = daemon.held(&incident, "bo", "sms");
    assert_ne!(again.page, bo.page);
    assert!(text(&daemon, BO, &again.code).starts_with(&format!("{incident}: you have it.")));
    let trader = daemon.role(&incident, "trader");
    let back = &trader["handed_back"][0];
    assert_eq!((&trader["holder"], &back["person"]), (&json!("Bo Lind"), &json!("Ana Ruiz")));
    let [from, to, entered] = [&back["taken"], &back["at"], &trader["entered"]].map(|ms| ms.as_f64().unwrap());
    assert!(from < to && to == entered && 0.0 < trader["tte_ms"].as_f64().unwrap(), "since the hand-back: {trader}");
    sent(&daemon, &incident, "ana", "sms", "Bo Lind has it for trader");
    assert!(metric(&daemon, "stentor_roles_handed_back_total{role=\"trader\"").ends_with(" 1"));
}

#[test]
fn whoever_has_changed_their_mind_takes_it_again() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let ana = daemon.held(&incident, "ana", "sms");
    for (said, starts) in
        [("2", "you have it."), ("4", "you handed it back."), ("2", "you have it."), ("4", "you handed")]
    {
        let told = text(&daemon, ANA, &format!("{} {said}", ana.code));
        assert!(told.starts_with(&format!("{incident}: {starts}")), "{said}: {told}");
    }
    assert_eq!(daemon.role(&incident, "trader")["handed_back"].as_array().unwrap().len(), 2);
}

#[test]
fn the_page_behind_a_mails_link_says_what_is_true_and_offers_what_can_be_done() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let (ana, bo) = (daemon.held(&incident, "ana", "mail"), daemon.held(&incident, "bo", "mail"));
    let asks = page(&daemon, &ana);
    assert!(
        asks.contains("TRADER: press ") && asks.contains("value=\"wilco\"") && !asks.contains("hand it back"),
        "{asks}"
    );
    for html in [press(&daemon, &ana, "wilco"), page(&daemon, &ana)] {
        assert!(html.contains("You have it since ") && !html.contains("TRADER: press "), "{html}");
        assert!(!html.contains("value=\"wilco\"") && html.contains("<details class=\"hand-back\">"), "{html}");
        assert!(html.contains("Yes, hand it back") && html.contains("value=\"unable\""), "{html}");
    }
    for html in [press(&daemon, &bo, "wilco"), page(&daemon, &bo)] {
        assert!(html.contains("Ana Ruiz has it since ") && !html.contains("<form"), "{html}");
        assert!(!html.contains("TRADER: press "), "{html}");
    }
    for html in [press(&daemon, &ana, "unable"), page(&daemon, &ana)] {
        assert!(html.contains("You handed it back at "), "{html}");
        assert!(html.contains("Nobody has trader now: Bo Lind is asked until "), "{html}");
        assert!(html.contains("I have it after all") && html.matches("<button").count() == 1, "{html}");
        assert!(!html.contains("TRADER: press "), "she is asked for nothing more: {html}");
    }
    let again = page(&daemon, &daemon.held(&incident, "bo", "mail"));
    assert!(again.contains("Ana Ruiz took it at ") && again.contains("value=\"wilco\""), "{again}");
    assert!(daemon.cli(&["resolve", &incident]).status.success());
    for html in [page(&daemon, &ana), press(&daemon, &bo, "wilco"), press(&daemon, &ana, "unable")] {
        assert!(html.contains("It is over: resolved by ") && !html.contains("<form"), "{html}");
        assert!(!html.contains("TRADER: press "), "{html}");
    }
}

#[test]
fn by_the_link_of_the_word_that_one_has_it() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let ana = daemon.held(&incident, "ana", "mail");
    press(&daemon, &ana, "wilco");
    let word = sent(&daemon, &incident, "ana", "mail", "You have it");
    assert!(word.contains(&format!("To hand it back: {}", ana.link)), "{word}");
    press(&daemon, &ana, "unable");
    assert_eq!(daemon.role(&incident, "trader")["holder"], Value::Null);
}

struct Desk<'a> {
    daemon: &'a Daemon,
    cookie: String,
    line: Line,
}

impl<'a> Desk<'a> {
    fn open(daemon: &'a Daemon, person: &str) -> Self {
        let cookie = cookie(daemon, person);
        let line = Line::open(daemon, &cookie);
        Self { daemon, cookie, line }
    }

    /// The state in which this person's page of the trader's role is so.
    fn is(&mut self, state: &str) -> Value {
        self.line.state(|seen| seen["pages"].as_array().unwrap().iter().any(|page| page["state"] == state))
    }

    fn press(&self, state: &Value, answer: &str) -> Reply {
        let call = Call::post("/desk/answer").header("Cookie", &self.cookie);
        let call = call.header("X-Stentor-Csrf", state["csrf"].as_str().unwrap());
        call.json(&json!({ "page": state["pages"][0]["page"], "answer": answer })).send(self.daemon.address)
    }
}

#[test]
fn by_the_desk_and_every_desk_shows_it() {
    let daemon = sandboxed();
    let (mut ana, mut bo) = (Desk::open(&daemon, "ana"), Desk::open(&daemon, "bo"));
    let incident = daemon.crash("ES");
    let state = ana.is("open");
    assert_eq!(ana.press(&state, "roger").json()["verdict"], "received");
    let state = ana.line.state(|seen| seen["pages"][0]["heard"] == json!(["roger"]));
    assert_eq!(ana.press(&state, "wilco").json()["verdict"], "engages");
    let yours = ana.is("yours");
    assert!(yours["pages"][0]["standing"].as_str().unwrap().starts_with("You have it since "), "{yours}");
    assert_eq!((&yours["pages"][0]["offers"], &yours["pages"][0]["holder"]), (&json!([]), &json!("Ana Ruiz")));
    bo.is("taken");

    let reply = ana.press(&yours, "unable").json();
    assert_eq!(reply["verdict"], "handed-back");
    let told = reply["text"].as_str().unwrap();
    assert!(told.starts_with("you handed it back. Nobody has trader now: Bo Lind is asked until "), "{told}");
    let passed = ana.is("passed");
    assert_eq!(
        passed["pages"][0]["offers"],
        json!([{ "answer": "wilco", "label": "I have it after all", "primary": true }])
    );
    assert!(passed["pages"][0]["standing"].as_str().unwrap().starts_with("You handed it back at "), "{passed}");
    let role = |state: &Value| {
        let roles = state["incidents"][0]["roles"].as_array().unwrap().clone();
        roles.into_iter().find(|role| role["role"] == "trader").unwrap()
    };
    assert_eq!(role(&passed)["says"], "you handed it back; Bo Lind is asked");
    let open = bo.is("open");
    assert_eq!(open["pages"].as_array().unwrap().len(), 1);
    assert!(open["pages"][0]["body"].as_str().unwrap().contains("Ana Ruiz took it at "), "{open}");

    assert_eq!(ana.press(&passed, "wilco").json()["verdict"], "engages");
    let yours = ana.is("yours");
    assert_eq!(role(&yours)["says"], "you have it");
    bo.is("taken");
    assert!(daemon.cli(&["resolve", &incident]).status.success());
    let over = ana.is("over");
    let standing = over["pages"][0]["standing"].as_str().unwrap();
    assert!(standing.starts_with("It is over: resolved by "), "{standing}");
    assert_eq!(ana.press(&over, "unable").json()["verdict"], "closed");
}

#[test]
fn by_the_command_line_and_what_it_shows() {
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    let own = DESK.replace("name  = \"Ana Ruiz\"", &format!("name  = \"Ana Ruiz\"\nunix = \"{me}\""));
    let daemon = sandboxed_on(&own.replace("[role.trader]", "[role.trader]\nname = \"Equities trader\""));
    let incident = daemon.crash("ES");
    let said = |arguments: &[&str]| {
        let output = daemon.cli(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let taken = said(&["answer", &incident, "wilco"]);
    assert_eq!(taken, format!("{incident}: you have it\nto hand it back: stentor answer {incident} unable\n"));
    let kept = said(&["answer", &incident, "standby", "3"]);
    assert!(kept.contains("you have it already, nothing was changed; say unable to hand it back"), "{kept}");
    assert_eq!(daemon.role(&incident, "trader")["state"], "engaged");
    let back = said(&["answer", &incident, "unable"]);
    assert!(
        back.starts_with(&format!("{incident}: you handed it back. Nobody has Equities trader now: Bo Lind is")),
        "{back}"
    );
    let board = said(&["incidents"]);
    assert!(board.contains("Equities trader: Ana Ruiz handed it back; Bo Lind is asked"), "{board}");
    let show = said(&["show", &incident]);
    assert!(show.contains("Equities trader: Ana Ruiz had it from ") && show.contains(" and handed it back"), "{show}");
    assert!(show.contains("Ana Ruiz handed Equities trader back: it is open again"), "{show}");
    assert!(said(&["answer", &incident, "wilco", "--role", "trader"]).contains("you have it"));
    assert!(said(&["resolve", &incident, "--outcome", "true"]).contains(&incident));

    let tte = said(&["report", "tte", "--sandbox"]);
    assert!(tte.contains("Handed back 1 time(s); only the engagement that stood counts:"), "{tte}");
    assert!(tte.contains(&format!("  {incident} Equities trader: Ana Ruiz from ")), "{tte}");
    let review = said(&["postmortem", &incident]);
    assert!(
        review.contains("Ana Ruiz had Equities trader from ") && review.contains("not counted as engaged"),
        "{review}"
    );
    assert!(review.contains("What made Ana Ruiz hand Equities trader back after "), "{review}");
    assert!(daemon.cli(&["journal", "verify"]).status.success());
}

#[test]
fn what_is_never_taken_again_is_an_entry_that_was_not_engaged_in_any_report() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let ana = daemon.held(&incident, "ana", "sms");
    text(&daemon, ANA, &format!("{} 2", ana.code));
    let engaged = || {
        let group = daemon.json(&["report", "tte", "--sandbox", "--role", "trader"])["groups"][0].clone();
        (group["n"].as_u64().unwrap(), group["engaged"].as_u64().unwrap())
    };
    assert_eq!(engaged(), (1, 1));
    text(&daemon, ANA, &format!("{} 4", ana.code));
    assert_eq!(engaged(), (2, 0), "while it is open");
    assert!(daemon.cli(&["resolve", &incident]).status.success());
    assert_eq!(engaged(), (2, 0), "and once it is over");
    let stages = daemon.json(&["report", "tte", "--sandbox", "--role", "trader"])["stages"][0]["stages"].clone();
    let reached = |name: &str| stages.as_array().unwrap().iter().find(|stage| stage["stage"] == name).unwrap().clone();
    assert_eq!((&reached("answered")["reached"], &reached("engaged")["reached"]), (&json!(0), &json!(0)), "{stages}");
    let trader = daemon.role(&incident, "trader");
    assert!(trader["stages"]["answered"].is_null() && trader["stages"]["engaged"].is_null(), "{trader}");
    assert_eq!(daemon.role(&incident, "trader")["state"], "closed");
    let show = String::from_utf8(daemon.cli(&["show", &incident]).stdout).unwrap();
    assert!(show.contains("trader: Ana Ruiz had it from "), "{show}");
}
