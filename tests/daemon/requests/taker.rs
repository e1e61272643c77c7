//! The screen of the person who takes a conversation over, and what is left of it once it is erased.

use super::{
    super::{
        answers::{
            desk::cookie,
            sms::{ANA, text},
        },
        house::{sandboxed_on, sql},
        wire::{Call, Reply},
    },
    Daemon, DeskStream,
    handoff::{handed, handing, matrix, packet},
    incident, look,
};
use serde_json::{Value, json};

pub struct Desk<'a> {
    daemon: &'a Daemon,
    cookie: String,
    path: String,
}

impl<'a> Desk<'a> {
    pub fn of(daemon: &'a Daemon, person: &str, incident: &str) -> Self {
        Self { daemon, cookie: cookie(daemon, person), path: format!("/desk/conversations/{incident}") }
    }

    fn get(&self, path: &str) -> Reply {
        Call::get(path).header("Cookie", &self.cookie).send(self.daemon.address)
    }

    pub fn shown(&self) -> String {
        let reply = self.get(&self.path);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    /// A press of a button, as a browser without scripts sends it.
    pub fn press(&self, step: &str, note: &str) -> String {
        let page = self.shown();
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let reply = self.send(step, note, csrf.unwrap_or_default());
        assert_eq!((reply.status, reply.header("location")), (303, Some(format!("{}#said", self.path).as_str())));
        let said = reply.header("set-cookie").unwrap();
        for part in [&format!("; Path={};", self.path), "; HttpOnly; SameSite=Strict"] {
            assert!(said.contains(part), "{said}");
        }
        let cookies = format!("{}; {}", self.cookie, said.split(';').next().unwrap());
        let reply = Call::get(&self.path).header("Cookie", &cookies).send(self.daemon.address);
        assert!(reply.header("set-cookie").is_some_and(|gone| gone.contains("stentor_said=; ")), "{reply:?}");
        assert!(reply.body.contains("id=\"said\" class=\"notice\" role=\"status\" tabindex=\"-1\""), "{reply:?}");
        reply.body
    }

    fn send(&self, step: &str, note: &str, csrf: &str) -> Reply {
        let fields = [("csrf", csrf), ("step", step), ("note", note)];
        Call::post(&self.path).header("Cookie", &self.cookie).form(&fields).send(self.daemon.address)
    }
}

fn state(daemon: &Daemon, request: &Value) -> Value {
    look(daemon, &request["id"], "")["handoff"]["state"].clone()
}

#[test]
fn a_person_reads_takes_and_finishes_it_in_three_presses() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let request = handed(&daemon);
    let ana = Desk::of(&daemon, "ana", incident(&request));
    let queue = ana.get("/desk/conversations").body;
    assert!(queue.contains("Waiting for you") && queue.contains("the user asked for a person"), "{queue}");
    let page = ana.shown();
    // What they need for the press is before it, what is long is below.
    let order = [
        "<h1 class=\"what\">the user asked for a person</h1>",
        "The user said last",
        "<p class=\"said\" lang=\"de\">Can I repay my loan early?</p>",
        "A user waits since",
        "the user is told that nobody is there",
        "value=\"take\"",
        "<details class=\"proposed\"><summary>What the machine would say</summary>",
        "You can repay 5% each year.",
        "Sam Vance",
        "explained the early repayment fee",
        "<h2>Conversation (times in UTC)</h2>",
        "id=\"last-turn\"",
    ];
    let mut rest = page.as_str();
    for said in order {
        rest = rest.split_once(said).unwrap_or_else(|| panic!("{said}: {page}")).1;
    }
    assert!(!page.contains("value=\"connect\"") && !page.contains("value=\"solved\""), "{page}");
    for shown in [&page, &queue] {
        assert!(!shown.contains("http-equiv") && !shown.contains("id=\"said\""), "{shown}");
        let left = shown.split("data-until=\"").nth(1).unwrap_or_else(|| panic!("{shown}"));
        assert!(left.contains(" left at ") && shown.contains(" UTC"), "it can be read without a script: {shown}");
    }
    let page = ana.press("take", "");
    assert!(page.contains("The user is told that you are reading it") && !page.contains("data-until"), "{page}");
    assert!(page.contains("<h2>When you have finished</h2>"), "{page}");
    assert_eq!(state(&daemon, &request), "assigned");
    assert!(
        ana.press("connect", "").contains("you speak to the user since") || state(&daemon, &request) == "connected"
    );
    assert_eq!(look(&daemon, &request["id"], "")["handoff"]["owner"], "person");
    ana.press("follow-up", "a colleague writes tomorrow");
    let done = look(&daemon, &request["id"], "");
    assert_eq!((&done["state"], &done["handoff"]["state"]), (&json!("completed"), &json!("completed")));
    assert_eq!(
        (&done["outcome"]["needed"], &done["outcome"]["solved"], &done["outcome"]["note"]),
        (&json!(true), &json!("follow-up"), &json!("a colleague writes tomorrow"))
    );
    assert_eq!(done["outcome"]["by"], json!(["ana"]));
    assert_eq!(done["handoff"]["owner"], "machine");
}

#[test]
fn the_next_one_reads_why_it_was_passed_on() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let request = handed(&daemon);
    let (ana, bo) = (Desk::of(&daemon, "ana", incident(&request)), Desk::of(&daemon, "bo", incident(&request)));
    ana.press("pass", "I know nothing about loans");
    assert!(bo.shown().contains("Ana Ruiz passed it on"), "{}", bo.shown());
    assert!(bo.shown().contains("I know nothing about loans"));
    let mut stream = DeskStream::open(&daemon, &ana.cookie);
    let card = stream.state(|state| state["pages"][0]["state"] == "passed")["pages"][0].clone();
    let standing = card["standing"].as_str().unwrap();
    assert!(standing.contains("Bo Lind is asked") && !standing.contains("you"), "who passed it on is not: {standing}");
    bo.press("take", "");
    assert_eq!(look(&daemon, &request["id"], "")["handoff"]["person"]["name"], "Bo Lind");
    let page = ana.press("solved", "");
    assert!(page.contains("has it, nothing was changed"), "{page}");
    bo.press("return", "it only needed the opening hours");
    let returned = look(&daemon, &request["id"], "");
    assert_eq!((&returned["state"], &returned["handoff"]["owner"]), (&json!("returned"), &json!("machine")));
    assert_eq!(returned["outcome"]["reason"], "it only needed the opening hours");
}

#[test]
fn what_nobody_sees_is_on_no_page_and_in_no_note() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let mut packet = packet();
    packet["reason"]["text"] = json!("asked\r\nLIVE all is well\u{1b}[2J\u{202e}");
    packet["proposed"] = json!("a\u{202e}b");
    let request = handing(&daemon, &packet).json();
    assert_eq!(request["question"], "A user waits for a person: asked LIVE all is well [2J");
    let ana = Desk::of(&daemon, "ana", incident(&request));
    let page = ana.shown();
    assert!(page.contains("asked LIVE all is well [2J") && page.contains("ab"), "{page}");
    ana.press("take", "");
    ana.press("return", "it\u{202e} only\u{2028}needed\u{7} help");
    let returned = look(&daemon, &request["id"], "");
    assert_eq!(returned["outcome"]["reason"], "it only needed help");
    let shown = format!("{page}{}{}", ana.shown(), json!(daemon.outbox()));
    assert!(!shown.contains(['\u{1b}', '\0', '\u{202e}', '\u{7}']), "{shown}");
}

#[test]
fn only_who_was_asked_reads_it_and_only_their_own_page_presses() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let request = handed(&daemon);
    let gita = Desk::of(&daemon, "gita", incident(&request));
    assert_eq!(gita.get(&gita.path).status, 404);
    assert!(!gita.get("/desk/conversations").body.contains("the user asked"), "their queue is empty");
    let ana = Desk::of(&daemon, "ana", incident(&request));
    let forged = ana.send("pass", "I know <nothing>", "forged");
    assert!(forged.status == 403 && forged.body.contains("Nothing was done"), "{forged:?}");
    assert!(forged.body.contains("I know &lt;nothing&gt;</textarea>"), "nobody writes a note twice: {forged:?}");
    assert_eq!(state(&daemon, &request), "offered");
    assert_eq!(Call::get(&ana.path).send(daemon.address).status, 401);
}

#[test]
fn what_is_erased_can_not_be_read_and_the_journal_still_verifies() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let request = handed(&daemon);
    let id = incident(&request);
    let early = daemon.cli(&["erase", id]);
    assert!(!early.status.success(), "people still need it: {early:?}");
    let ana = Desk::of(&daemon, "ana", id);
    ana.press("take", "");
    ana.press("solved", "");
    assert!(ana.shown().contains("Sam Vance"), "it can be read until it is erased");
    let erased = daemon.cli(&["erase", id]);
    assert!(String::from_utf8_lossy(&erased.stdout).contains("is erased"), "{erased:?}");
    let page = ana.shown();
    assert!(page.contains("This conversation was erased") && !page.contains("Sam Vance"), "{page}");
    assert!(String::from_utf8_lossy(&daemon.cli(&["erase", id]).stdout).contains("was erased before"));
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let journal = String::from_utf8_lossy(&daemon.cli(&["journal", "export"]).stdout).into_owned();
    assert_eq!(journal.matches("\\\"erased\\\"").count(), 1, "it is journaled once: {journal}");
    assert!(!daemon.cli(&["erase", "INC-99"]).status.success());
}

/// What was erased must stay erased, and what was not must be there to be read.
#[test]
fn a_key_that_came_back_or_went_without_a_word_is_found() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let request = handed(&daemon);
    let id = incident(&request);
    let verified = |says: Option<&str>| {
        let verified = daemon.cli(&["journal", "verify"]);
        let text = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert_eq!(verified.status.success(), says.is_none(), "{text}");
        assert!(says.is_none_or(|says| text.contains(says)), "{says:?}: {text}");
    };
    verified(None);
    sql(&daemon, "CREATE TABLE aside AS SELECT * FROM request_key; DELETE FROM request_key");
    verified(Some("state of INC-1: the key of its conversation was deleted, and no line says so"));
    sql(&daemon, "INSERT INTO request_key SELECT * FROM aside; UPDATE request_key SET key = x'07'");
    verified(Some("state of INC-1: the key of its conversation is no key"));
    sql(&daemon, "DELETE FROM request_key; INSERT INTO request_key SELECT * FROM aside");
    sql(&daemon, "INSERT INTO request_key SELECT 77, key FROM aside");
    verified(Some("state of INC-77: there is a key of a conversation of it, and no such incident"));
    sql(&daemon, "DELETE FROM request_key WHERE incident = 77");
    let ana = Desk::of(&daemon, "ana", id);
    ana.press("take", "");
    ana.press("solved", "");
    assert!(daemon.cli(&["erase", id]).status.success());
    sql(&daemon, "INSERT INTO request_key SELECT * FROM aside");
    verified(Some("state of INC-1: its conversation was erased, and the key of it is there"));
    sql(&daemon, "DELETE FROM request_key; DROP TABLE aside");
    verified(None);
}

#[test]
fn a_report_says_how_long_users_waited() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let none = daemon.cli(&["report", "handoffs"]);
    assert!(String::from_utf8_lossy(&none.stdout).contains("no conversation was handed over"), "{none:?}");
    let request = handed(&daemon);
    let ana = daemon.held(incident(&request), "ana", "sms");
    text(&daemon, ANA, &format!("{} 2", ana.code));
    let report = daemon.cli(&["report", "handoffs", "--by", "role", "--json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!((&report["sandboxed_left_out"], &report["by"]), (&json!(1), &json!("role")), "{report}");
}
