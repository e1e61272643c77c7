//! The desk: who gets in, what it shows, how it answers.

use super::common::Daemon;
use super::{
    house::{eventually, sandboxed},
    wire::{Call, PATIENCE, Reply},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

/// The token of a person's desk link.
fn token(daemon: &Daemon, person: &str) -> String {
    let told = daemon.control(&Call::post("/v1/desk-link").json(&json!({ "person": person })));
    assert_eq!(told.status, 200, "{told:?}");
    told.json()["link"].as_str().unwrap().split_once("?t=").unwrap().1.to_owned()
}

fn sign_in(daemon: &Daemon, token: &str) -> Reply {
    Call::get(&format!("/desk/login?t={token}")).send(daemon.address)
}

/// A person's cookie, as `name=value`.
pub fn cookie(daemon: &Daemon, person: &str) -> String {
    let reply = sign_in(daemon, &token(daemon, person));
    assert_eq!((reply.status, reply.header("location")), (303, Some("/desk")), "{reply:?}");
    reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

/// An open desk, and what it shows.
pub struct Line {
    lines: BufReader<Chunks>,
    shown: Value,
}

/// What a desk shows after a change, as its page puts it together.
pub fn after(shown: &Value, change: &Value) -> Value {
    let mut next = shown.clone();
    if change["seq"] == 1 {
        next = json!({ "pages": [], "incidents": [] });
    } else {
        assert_eq!(change["seq"].as_u64(), shown["seq"].as_u64().map(|seq| seq + 1), "none is missed");
    }
    for (name, value) in change.as_object().unwrap() {
        let key = |card: &Value| card["key"].as_str().unwrap().to_owned();
        if !["pages", "incidents"].contains(&name.as_str()) {
            next[name] = value.clone();
            continue;
        }
        let had = next[name].as_array().unwrap();
        let fresh = value["cards"].as_array().into_iter().flatten();
        let cards: BTreeMap<String, Value> = had.iter().chain(fresh).map(|card| (key(card), card.clone())).collect();
        let order: Vec<String> = match value["order"].as_array() {
            Some(order) => order.iter().map(|key| key.as_str().unwrap().to_owned()).collect(),
            None => had.iter().map(key).collect(),
        };
        next[name] = order.iter().map(|key| cards.get(key).expect("a card that was sent").clone()).collect();
    }
    next
}

/// The body of an answer that comes in chunks: a long state is more than one.
struct Chunks {
    stream: BufReader<TcpStream>,
    in_body: bool,
    left: usize,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut line = String::new();
        while !self.in_body {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Ok(0);
            }
            self.in_body = line == "\r\n";
        }
        while self.left == 0 {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Ok(0);
            }
            // The end of the chunk before.
            if line == "\r\n" {
                continue;
            }
            match usize::from_str_radix(line.trim_end(), 16) {
                Ok(size) if 0 < size => self.left = size,
                _ => return Ok(0),
            }
        }
        let most = self.left.min(buffer.len());
        let read = self.stream.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

impl Line {
    pub fn open(daemon: &Daemon, cookie: &str) -> Self {
        Self::open_at("/desk/events?changes=true", daemon, cookie)
    }

    fn open_at(path: &str, daemon: &Daemon, cookie: &str) -> Self {
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(Call::get(path).header("Cookie", cookie).head(0).as_bytes()).unwrap();
        let chunks = Chunks { stream: BufReader::new(stream), in_body: false, left: 0 };
        Self { lines: BufReader::new(chunks), shown: Value::Null }
    }

    /// The next event: its name and data; none at the end of the line.
    pub fn next(&mut self) -> Option<(String, String)> {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(event) = line.strip_prefix("event: ") {
                name = event.trim().to_owned();
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((name, data.trim().to_owned()));
            }
        }
    }

    /// The next state that looks so.
    pub fn state(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (name, data) = self.next().expect("the line ended");
            if name == "state" {
                self.shown = after(&self.shown, &serde_json::from_str(&data).unwrap());
                if is(&self.shown) {
                    return self.shown.clone();
                }
            }
        }
    }
}

pub fn answer(daemon: &Daemon, cookie: &str, csrf: Option<&str>, page: &str, word: &str) -> Reply {
    let call = Call::post("/desk/answer").header("Cookie", cookie).json(&json!({ "page": page, "answer": word }));
    csrf.map_or(call.clone(), |csrf| call.header("X-Stentor-Csrf", csrf)).send(daemon.address)
}

#[test]
fn only_a_whole_fresh_link_of_a_person_of_the_matrix_signs_in() {
    let daemon = sandboxed();
    let good = token(&daemon, "ana");
    let reply = sign_in(&daemon, &good);
    let set = reply.header("set-cookie").unwrap();
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Lax") && !set.contains("Secure"), "{set}");
    // A scanner that opens it first does not burn it.
    assert_eq!(sign_in(&daemon, &good).status, 303);
    let cookie = set.split(['=', ';']).nth(1).unwrap().to_owned();
    let seconds = good.split('.').nth(1).unwrap().to_owned();
    let later = (seconds.parse::<u64>().unwrap() + 1).to_string();
    for forged in [
        String::new(),
        "x".into(),
        "..".into(),
        good.replace("ana", "bo"),
        good.replace(&seconds, &later),
        good.replace(&seconds, "-1"),
        good.replace(&seconds, "9223372036854775807"),
        good[..good.len() - 1].to_owned(),
        format!("{good}0"),
        cookie,
    ] {
        let reply = sign_in(&daemon, &forged);
        assert_eq!((reply.status, reply.header("set-cookie")), (403, None), "{forged}");
    }
    let unknown = daemon.control(&Call::post("/v1/desk-link").json(&json!({ "person": "zoe" })));
    assert_eq!(unknown.status, 404);
    assert_eq!(Call::get("/desk/login").send(daemon.address).status, 400);
}

#[test]
fn without_a_good_cookie_there_is_no_desk() {
    let daemon = sandboxed();
    let ana = cookie(&daemon, "ana");
    let own = |path: &str, cookie: &str| Call::get(path).header("Cookie", cookie).send(daemon.address).status;
    assert_eq!(own("/desk", &ana), 200);
    assert_eq!(own("/desk", &format!("theme=dark; {ana}; a=b")), 200);
    let link = token(&daemon, "ana");
    for bad in [
        String::new(),
        ana.replace("ana", "bo"),
        ana[..ana.len() - 1].to_owned(),
        format!("stentor_desk={link}"),
        ana.replace("stentor_desk", "other"),
        ana.to_uppercase(),
    ] {
        assert_eq!((own("/desk", &bad), own("/desk/events", &bad)), (401, 401), "{bad}");
    }
}

#[test]
fn a_desk_hears_its_whole_state_first_then_each_change_and_that_the_line_is_alive() {
    let daemon = sandboxed();
    let mut ana = Line::open(&daemon, &cookie(&daemon, "ana"));
    let state = ana.state(|_| true);
    assert_eq!(state["seq"], 1);
    assert_eq!((&state["person"]["id"], &state["person"]["name"]), (&json!("ana"), &json!("Ana Ruiz")));
    assert_eq!((&state["pages"], &state["incidents"]), (&json!([]), &json!([])));
    assert!(state["csrf"].is_string() && state["now"].is_string() && state["build"].is_string(), "{state}");

    let incident = daemon.crash("ES");
    let state = ana.state(|state| state["pages"].as_array().is_some_and(|pages| !pages.is_empty()));
    let page = &state["pages"][0];
    assert_eq!(
        (&page["incident"], &page["role"], &page["state"]),
        (&json!(incident), &json!("trader"), &json!("open"))
    );
    assert_eq!((&page["wanted"], &page["drill"], &page["holder"]), (&json!("wilco"), &json!(false), &Value::Null));
    assert_eq!(page["offers"][0], json!({ "answer": "wilco", "label": "I have it", "primary": true }));
    assert_eq!(state["incidents"][0]["id"], json!(incident));

    assert_eq!(answer(&daemon, &cookie(&daemon, "bo"), None, "INC-1.1", "wilco").status, 403);
    let held = daemon.held(&incident, "bo", "mail");
    Call::post(held.path()).form(&[("answer", "wilco")]).send(daemon.address);
    let state = ana.state(|state| state["pages"][0]["state"] == "taken");
    assert_eq!(state["pages"][0]["holder"], "Bo Lind");
    // A desk that connects anew begins with everything again.
    let again = Line::open(&daemon, &cookie(&daemon, "ana")).state(|_| true);
    assert_eq!((&again["seq"], &again["pages"]), (&json!(1), &state["pages"]));
    while ana.next().unwrap().0 != "beat" {}
}

#[test]
fn a_page_of_the_version_before_that_stayed_open_hears_whole_states() {
    let daemon = sandboxed();
    let mut old = Line::open_at("/desk/events", &daemon, &cookie(&daemon, "ana"));
    let mut state = move || loop {
        let (name, data) = old.next().unwrap();
        if name == "state" {
            return serde_json::from_str::<Value>(&data).unwrap();
        }
    };
    assert_eq!(state()["pages"], json!([]));
    let incident = daemon.crash("ES");
    let shown = std::iter::from_fn(|| Some(state())).find(|state| state["pages"] != json!([])).unwrap();
    assert_eq!((&shown["pages"][0]["incident"], &shown["incidents"][0]["id"]), (&json!(incident), &json!(incident)));
    assert!(shown["csrf"].is_string() && shown["now"].is_string() && shown["person"]["name"] == "Ana Ruiz", "{shown}");
}

#[test]
fn an_answer_by_the_desk_needs_the_persons_cookie_the_pages_own_token_and_a_page_of_theirs() {
    let daemon = sandboxed();
    let (ana, dora) = (cookie(&daemon, "ana"), cookie(&daemon, "dora"));
    let incident = daemon.crash("ES");
    let mut line = Line::open(&daemon, &ana);
    let state = line.state(|state| !state["pages"].as_array().unwrap().is_empty());
    let (csrf, page) = (state["csrf"].as_str().unwrap(), state["pages"][0]["page"].as_str().unwrap());
    let foreign = Line::open(&daemon, &dora).state(|_| true)["csrf"].as_str().unwrap().to_owned();
    for (cookie, token, status) in [
        ("", None, 401),
        ("", Some(csrf), 401),
        (ana.as_str(), None, 403),
        (&ana, Some(""), 403),
        (&ana, Some(&foreign), 403),
        (&dora, Some(csrf), 403),
    ] {
        let reply = answer(&daemon, cookie, token, page, "wilco");
        assert_eq!(reply.status, status, "{cookie:?} {token:?}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
    for (page, word, status) in [("nonsense", "wilco", 400), (page, "maybe", 400), ("INC-9.1", "wilco", 404)] {
        assert_eq!(answer(&daemon, &ana, Some(csrf), page, word).status, status, "{page} {word}");
    }
    // Somebody who was not asked for this page, signed in as they may be.
    let reply = answer(&daemon, &dora, Some(&foreign), page, "wilco").json();
    assert_eq!(reply["verdict"], "not-asked");
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging");

    let seen = Call::post("/desk/seen").header("Cookie", &ana).header("X-Stentor-Csrf", csrf);
    let pages = json!({ "pages": [page, "INC-9.9", "nonsense"] });
    assert_eq!(seen.json(&pages).send(daemon.address).status, 204);
    daemon.until(&incident, "seen", |i| {
        i["roles"][0]["stages"]["seen"].is_number() || i["roles"][1]["stages"]["seen"].is_number()
    });
    let reply = answer(&daemon, &ana, Some(csrf), page, "wilco").json();
    assert_eq!((&reply["verdict"], &reply["text"]), (&json!("engages"), &json!("you have it")));
    line.state(|state| state["pages"][0]["state"] == "yours");
}

#[test]
fn whoever_leaves_the_matrix_is_signed_out_and_their_line_ends() {
    let daemon = sandboxed();
    let bo = cookie(&daemon, "bo");
    let mut line = Line::open(&daemon, &bo);
    line.state(|_| true);
    let matrix = daemon.dir.path().join("matrix/matrix.toml");
    let text = std::fs::read_to_string(&matrix).unwrap();
    let start = text.find("[person.bo]").unwrap();
    let end = start + text[start..].find("[person.dora]").unwrap();
    let without = format!("{}{}", &text[..start], &text[end..]).replace("[\"ana\", \"bo\"]", "[\"ana\"]");
    std::fs::write(&matrix, without).unwrap();
    daemon.signal("HUP");
    eventually("the matrix without Bo", || {
        (Call::get("/desk").header("Cookie", &bo).send(daemon.address).status == 401).then_some(())
    });
    let after: Vec<String> = std::iter::from_fn(|| line.next()).map(|(name, _)| name).take(3).collect();
    assert!(after.len() < 3 && !after.contains(&"state".to_owned()), "the line goes on: {after:?}");
}

#[test]
fn a_desk_that_opens_late_gets_what_waits_for_it_though_others_are_closed() {
    let daemon = sandboxed();
    let ana = cookie(&daemon, "ana");
    let incident = daemon.crash("ES");
    let by_desk = |incident: &Value, person: Option<&str>| -> Vec<Value> {
        let pages = incident["pages"].as_array().unwrap().iter();
        let theirs = |page: &&Value| page["channel"] == "desk" && person.is_none_or(|person| page["person"] == person);
        pages.filter(theirs).cloned().collect()
    };
    daemon.until(&incident, "two closed desks", |incident| {
        let closed = |page: &Value| page["last_error"].as_str().is_some_and(|why| why == "their desk was not open");
        2 <= by_desk(incident, None).iter().filter(|page| closed(page)).count()
    });
    // Nobody has refused it, and no provider asked for anything.
    let closed = daemon.incident(&incident);
    assert!(by_desk(&closed, None).iter().all(|page| page["refusals"] == 0 && page["state"] == "queued"), "{closed:#}");
    let told = String::from_utf8(daemon.cli(&["show", &incident]).stdout).unwrap();
    assert!(told.contains("waits: their desk was not open") && !told.contains("provider"), "{told}");
    let metrics = daemon.control(&Call::get("/metrics")).body;
    let counted = |outcome: &str| {
        let labels = format!("channel=\"desk\",outcome=\"{outcome}\"");
        metrics.lines().any(|line| line.contains(&labels) && !line.ends_with(" 0"))
    };
    assert!(counted("desk-closed") && !counted("retry"), "{metrics}");
    let mut line = Line::open(&daemon, &ana);
    let state = line.state(|state| state["incidents"][0]["sandbox"].is_string());
    let sandbox = state["incidents"][0]["sandbox"].as_str().unwrap();
    assert!(sandbox.starts_with("SANDBOX: ") && sandbox.contains("sent to nobody"), "{sandbox}");
    daemon.until(&incident, "her page on her desk", |incident| {
        by_desk(incident, Some("ana")).iter().any(|page| page["state"] == "accepted")
    });
}

#[test]
fn a_person_is_signed_out_everywhere_by_a_logout_or_an_operator_and_stays_so_over_a_restart() {
    let mut daemon = sandboxed();
    let desk = |daemon: &Daemon, cookie: &str| Call::get("/desk").header("Cookie", cookie).send(daemon.address).status;
    let (link, bo) = (token(&daemon, "ana"), cookie(&daemon, "bo"));
    let here = cookie(&daemon, "ana");
    let csrf = Line::open(&daemon, &here).state(|_| true)["csrf"].as_str().unwrap().to_owned();
    let logout = |csrf: &str| {
        let call = Call::post("/desk/logout").header("Cookie", &here).header("X-Stentor-Csrf", csrf);
        call.send(daemon.address)
    };
    assert_eq!(logout("forged").status, 403, "no other site's page signs anybody out");
    assert_eq!(desk(&daemon, &here), 200);
    let reply = logout(&csrf);
    assert!(reply.status == 204 && reply.header("set-cookie").unwrap().contains("Max-Age=0"), "{reply:?}");
    assert_eq!((desk(&daemon, &here), sign_in(&daemon, &link).status), (401, 403));
    assert_eq!(desk(&daemon, &bo), 200, "nobody else is");

    let again = cookie(&daemon, "ana");
    let mut line = Line::open(&daemon, &again);
    line.state(|_| true);
    let revoked = daemon.cli(&["desk-link", "--revoke", "ana"]);
    assert!(revoked.status.success(), "{revoked:?}");
    assert_eq!(desk(&daemon, &again), 401);
    while line.next().is_some() {}
    let last = cookie(&daemon, "ana");
    assert!(daemon.stop());
    daemon.restart();
    assert_eq!((desk(&daemon, &here), desk(&daemon, &again)), (401, 401));
    assert_eq!((desk(&daemon, &last), desk(&daemon, &bo)), (200, 200));
}
