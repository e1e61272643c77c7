//! What people see of a request: what will be done, what each option leads to, who has chosen what.

use super::{
    super::wire::{Call, Reply},
    Daemon, DeskStream, accepted, answer, cookie, incident, kill, matrix, sandboxed_on,
};
use serde_json::{Value, json};

const ACTION: &str = "Action: cancel all, desk EQ-2";
const QUESTION: &str = "Cancel all 1,204 open orders of desk EQ-2?";

fn open(ask: &str, kill: &Value) -> (Daemon, Value) {
    let daemon = sandboxed_on(&matrix(ask));
    let request = accepted(&daemon, kill);
    (daemon, request)
}

/// The first card that a desk shows.
fn card(daemon: &Daemon, person: &str) -> Value {
    let mut stream = DeskStream::open(daemon, &cookie(daemon, person));
    stream.state(|state| !state["pages"].as_array().unwrap().is_empty())["pages"][0].clone()
}

fn press(daemon: &Daemon, path: &str, answer: &str) -> Reply {
    Call::post(path).header("Sec-Fetch-Site", "same-origin").form(&[("answer", answer)]).send(daemon.address)
}

#[test]
fn what_is_approved_is_on_every_long_text() {
    let (daemon, request) = open("approvals = 2, after = \"5m\"", &kill());
    let (ana, _) = (daemon.held(incident(&request), "ana", "mail"), daemon.held(incident(&request), "ana", "room"));
    let long = |entry: &&Value| entry["body"].as_str().is_some_and(|body| body.contains("Options (the system"));
    let outbox = daemon.outbox();
    let texts: Vec<&Value> = outbox.iter().filter(long).collect();
    assert!(2 <= texts.len(), "a mail and a message in a chat: {outbox:?}");
    for text in texts {
        assert!(text["body"].as_str().unwrap().lines().any(|line| line == ACTION), "{text}");
    }
    let page = Call::get(ana.path()).send(daemon.address).body;
    assert!(page.contains(ACTION) && page.matches(ACTION).count() == 1, "{page}");
    let card = card(&daemon, "ana");
    assert_eq!((&card["action"], &card["action_whole"]), (&json!(ACTION), &Value::Null));
    assert!(!card["body"].as_str().unwrap().contains(ACTION), "it is shown once: {card}");
}

#[test]
fn a_nested_action_is_whole_on_the_desk_and_the_page_behind_a_mails_link() {
    let mut ask = kill();
    ask["action"] = json!({ "cancel": { "desk": "EQ-2", "sides": ["buy", "sell"] } });
    let (daemon, request) = open("after = \"5m\"", &ask);
    let whole = card(&daemon, "ana")["action_whole"].clone();
    assert_eq!(serde_json::from_str::<Value>(whole.as_str().unwrap()).unwrap(), ask["action"]);
    let page = Call::get(daemon.held(incident(&request), "ana", "mail").path()).send(daemon.address).body;
    assert!(page.contains("aria-label=\"The whole action\"") && page.contains("&quot;sides&quot;: ["), "{page}");
}

#[test]
fn the_question_and_not_the_kind_says_what_it_is_about() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let body = json!({ "kind": "order_kill", "ask": kill() });
    let call = Call::post("/v1/requests").bearer(super::secret("MONITOR_TOKEN"));
    let request = call.json(&body).send(daemon.address).json();
    let listed = String::from_utf8_lossy(&daemon.cli(&["incidents"]).stdout).into_owned();
    assert!(!listed.contains("order_kill") && listed.contains("Cancel all"), "{listed}");
    assert_eq!(daemon.incidents()[0]["summary"], QUESTION);
    let mut stream = DeskStream::open(&daemon, &cookie(&daemon, "ana"));
    let state = stream.state(|state| !state["incidents"].as_array().unwrap().is_empty());
    assert_eq!(state["incidents"][0]["summary"], QUESTION);
    let held = daemon.held(incident(&request), "ana", "mail");
    let page = press(&daemon, held.path(), "option approve").body;
    assert!(page.contains(&format!("<h1 class=\"what\">{QUESTION}</h1>")), "after the answer, too: {page}");
}

#[test]
fn show_begins_with_the_question_its_options_and_who_chose_what() {
    let mut ask = kill();
    ask["default"] = json!("deny");
    let (daemon, request) = open("approvals = 2, default = \"deny\", after = \"5m\"", &ask);
    let shown = || String::from_utf8_lossy(&daemon.cli(&["show", incident(&request)]).stdout).into_owned();
    let said = shown();
    for line in [
        "Cancel all 1,204 open orders of desk EQ-2? (open)",
        "  Action: cancel all, desk EQ-2",
        "  A Approve",
        "  B Deny (the default)",
        "  nobody has chosen yet; 2 people must agree",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let head = said.split("TIMELINE").next().unwrap();
    assert!(head.contains("  until 20"), "{head}");
    let held = daemon.held(incident(&request), "ana", "mail");
    press(&daemon, held.path(), "option approve");
    assert!(shown().contains("  Ana Ruiz chose Approve by mail link at "), "{}", shown());
    press(&daemon, daemon.held(incident(&request), "bo", "mail").path(), "option deny");
    assert!(shown().contains("  decided: deny, by Bo Lind"), "{}", shown());
}

#[test]
fn who_has_chosen_is_quiet_and_everybody_sees_it() {
    let (daemon, request) = open("approvals = 2, after = \"5m\"", &kill());
    let mut stream = DeskStream::open(&daemon, &cookie(&daemon, "ana"));
    let state = stream.state(|state| !state["pages"].as_array().unwrap().is_empty());
    let open = &state["pages"][0];
    assert_eq!((&open["state"], &open["chosen"]), (&json!("open"), &json!("")));
    let page = open["page"].as_str().unwrap();
    let reply = answer(&daemon, &cookie(&daemon, "ana"), state["csrf"].as_str(), page, "option approve");
    let reply = if reply.status == 200 {
        reply
    } else {
        press(&daemon, daemon.held(incident(&request), "ana", "mail").path(), "option approve")
    };
    assert_eq!(reply.status, 200, "{reply:?}");
    let card_of = |person: &str| card(&daemon, person);
    let mine = card_of("ana");
    assert_eq!(
        (&mine["state"], &mine["chosen"]),
        (&json!("chosen"), &json!("You chose Approve; one more must agree."))
    );
    assert!(mine["heard"].as_array().unwrap().contains(&json!("option approve")), "{mine}");
    let offers: Vec<&str> = mine["offers"].as_array().unwrap().iter().filter_map(|o| o["answer"].as_str()).collect();
    assert_eq!(offers, ["option approve", "option deny"], "they may choose again");
    let bos = card_of("bo");
    assert_eq!(
        (&bos["state"], &bos["chosen"]),
        (&json!("open"), &json!("Ana Ruiz chose Approve; one more must agree."))
    );
    let held = daemon.held(incident(&request), "ana", "mail");
    let page = Call::get(held.path()).send(daemon.address).body;
    assert!(page.contains("You chose Approve; one more must agree."), "{page}");
    let again = press(&daemon, held.path(), "option approve").body;
    let (_, shown) = again.split_once("</head>").unwrap();
    assert_eq!(shown.matches("more must agree").count(), 1, "{again}");
}

/// Who chose for the one role has done what they can; the other one is still asked.
#[test]
fn a_choice_for_one_of_two_roles_is_shown_as_chosen_until_the_other_one_agrees() {
    let rules = matrix("approvals = 2, after = \"5m\"")
        .replace("roles = [\"trader\"]\nask", "roles = [\"trader\", \"compliance\"]\nask");
    let daemon = sandboxed_on(&rules);
    let request = accepted(&daemon, &kill());
    let (ana, dora) = (daemon.held(incident(&request), "ana", "mail"), daemon.held(incident(&request), "dora", "mail"));
    assert_eq!(card(&daemon, "ana")["state"], "open");
    assert_eq!(press(&daemon, ana.path(), "option approve").status, 200);
    let mine = card(&daemon, "ana");
    let says = "You chose Approve; one more must agree.";
    assert_eq!((&mine["state"], &mine["chosen"]), (&json!("chosen"), &json!(says)));
    let offers: Vec<&str> = mine["offers"].as_array().unwrap().iter().filter_map(|o| o["answer"].as_str()).collect();
    assert_eq!(offers, ["option approve", "option deny"], "they may choose again");
    let page = Call::get(ana.path()).send(daemon.address).body;
    assert!(page.contains(says) && page.contains("option deny"), "{page}");
    let other = Call::get(dora.path()).send(daemon.address).body;
    assert!(
        other.contains("Ana Ruiz chose Approve; one more must agree.") && other.contains("option approve"),
        "{other}"
    );
    assert_eq!(super::look(&daemon, &request["id"], "")["state"], "open");
    press(&daemon, dora.path(), "option approve");
    assert_eq!(super::look(&daemon, &request["id"], "")["outcome"]["by"], json!(["ana", "dora"]));
}

/// As on a desk that was open while a backup was restored.
#[test]
fn a_press_on_a_page_that_is_not_there_is_refused_and_says_to_reload() {
    let (daemon, request) = open("after = \"5m\"", &kill());
    let cookie = cookie(&daemon, "ana");
    let mut stream = DeskStream::open(&daemon, &cookie);
    let state = stream.state(|state| !state["pages"].as_array().unwrap().is_empty());
    let own = state["pages"][0]["page"].as_str().unwrap();
    let (number, _) = own.split_once('.').unwrap();
    for page in [format!("{number}.999"), "INC-999.1".to_owned()] {
        let reply = answer(&daemon, &cookie, state["csrf"].as_str(), &page, "option approve");
        assert_eq!(reply.status, 409, "{page}: {reply:?}");
        assert!(reply.body.contains("reload the desk"), "{reply:?}");
    }
    assert_eq!(super::look(&daemon, &request["id"], "")["choices"], json!([]));
}

#[test]
fn buttons_carry_their_letters_and_what_they_lead_to() {
    let ask = json!({
        "type": "decision", "question": "Which way out?",
        "options": [
            { "name": "hedge", "label": "Hedge", "does": "sells 1,204 futures" },
            { "name": "hold", "label": "Hold" },
        ],
    });
    let (daemon, request) = open("after = \"5m\"", &ask);
    let card = card(&daemon, "ana");
    let first = json!({ "answer": "option hedge", "label": "Hedge", "primary": false, "letter": "A", "does": "sells 1,204 futures" });
    assert_eq!(card["offers"][0], first);
    assert_eq!((&card["offers"][1]["letter"], &card["offers"][2].get("letter")), (&json!("B"), &None));
    let page = Call::get(daemon.held(incident(&request), "ana", "mail").path()).send(daemon.address).body;
    assert!(page.contains("<b class=\"letter\">A</b>") && page.contains("sells 1,204 futures</small>"), "{page}");
}
