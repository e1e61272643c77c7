//! What services call back with: one table for all that report.

use super::{
    house::{eventually, secret, verdict},
    town::{ANA, BO, SMS_TOKEN, SMS_TOKEN_NEXT, Town, path},
    wire::Call,
};
use serde_json::{Value, json};

/// A service that reports: the kind of alert that pages by it, and its words.
struct Reporter {
    channel: &'static str,
    kind: &'static str,
    delivered: &'static str,
    undelivered: &'static str,
    on_its_way: &'static str,
}

const REPORTERS: [Reporter; 2] = [
    Reporter {
        channel: "sms",
        kind: "price_velocity",
        delivered: "DELIVRD",
        undelivered: "UNDELIV",
        on_its_way: "ENROUTE",
    },
    Reporter { channel: "kannel", kind: "carrier", delivered: "1", undelivered: "2", on_its_way: "8" },
];

fn id(incident: &str, page: &Value) -> String {
    format!("{incident}.{}", page["n"])
}

impl Reporter {
    /// Where it was asked to report Ana's page of an incident, and the page.
    fn asked(&self, town: &Town, incident: &str) -> (String, Value) {
        let mine = |page: &Value| page["channel"] == self.channel && page["person"] == "ana";
        let page = town.page(incident, "accepted", |page| mine(page) && page["state"] == "accepted");
        let callback = if self.channel == "sms" {
            town.held(incident, ANA).callback_path().to_owned()
        } else {
            let id = format!("page={}&", id(incident, &page));
            let sms = town.kannel.accepted().into_iter().find(|sms| sms.fields["dlr-url"].contains(&id));
            path(&sms.unwrap().fields["dlr-url"]).replace("&status=%d", "")
        };
        (callback, page)
    }

    fn report(&self, town: &Town, callback: &str, word: &str) -> u16 {
        let call = if self.channel == "sms" {
            Call::post(callback).json(&json!({ "status": word }))
        } else {
            Call::get(&format!("{callback}&status={word}"))
        };
        call.send(town.daemon.address).status
    }
}

#[test]
fn reports_that_are_doubled_late_or_out_of_order_change_nothing_that_they_should_not() {
    let town = Town::start();
    for reporter in &REPORTERS {
        let (yes, no, way) = (reporter.delivered, reporter.undelivered, reporter.on_its_way);
        // What is reported, whether that means delivered, and how often the page goes out by another channel.
        for (row, (words, delivered, rounds)) in [
            (vec![way], false, 0),
            (vec![yes], true, 0),
            (vec![yes, yes, way], true, 0),
            (vec![yes, no], true, 0),
            (vec![no], false, 1),
            (vec![no, no, way, no], false, 1),
            (vec![no, yes], true, 1),
            (vec!["", "nonsense"], false, 0),
        ]
        .into_iter()
        .enumerate()
        {
            let incident = town.alert(reporter.kind, &format!("S{row}"), false);
            let (callback, page) = reporter.asked(&town, &incident);
            let instead = |shown: &Value| {
                let pages = shown["pages"].as_array().unwrap().iter();
                pages.filter(|other| other["instead_of"] == page["n"] && other["person"] == "ana").count()
            };
            // On a busy machine it may have been accepted only after its accept timeout.
            let before = instead(&town.daemon.incident(&incident));
            for word in &words {
                let status = reporter.report(&town, &callback, word);
                assert!(status == 204 || (word.parse::<u32>().is_err() && status == 400), "{word}: {status}");
            }
            let shown = town.daemon.incident(&incident);
            let pages = shown["pages"].as_array().unwrap();
            let now = pages.iter().find(|other| other["n"] == page["n"]).unwrap();
            let name = format!("{} {words:?}: {now}", reporter.channel);
            assert_eq!(now["delivered"].is_number(), delivered, "{name}");
            assert_eq!(instead(&shown) - before, rounds, "{name}");
            // Whatever a service reports, it is no human's answer.
            assert_eq!(shown["roles"][0]["state"], "paging", "{name}");
        }
    }
}

#[test]
fn a_report_that_is_forged_or_of_another_page_is_refused() {
    let town = Town::start();
    for reporter in &REPORTERS {
        let (one, other) = (town.alert(reporter.kind, "A", false), town.alert(reporter.kind, "B", false));
        let ((mine, page), (theirs, _)) = (reporter.asked(&town, &one), reporter.asked(&town, &other));
        let (base, token) = mine.split_once("token=").unwrap();
        let other_token = theirs.split_once("token=").unwrap().1;
        for forged in [
            format!("{base}token={other_token}"),
            format!("{base}token={}", &token[1..]),
            format!("{base}token="),
            base.trim_end_matches('&').to_owned(),
            mine.replace(&id(&one, &page), "INC-99.1"),
            mine.replace(&id(&one, &page), "nonsense"),
        ] {
            let status = reporter.report(&town, &forged, reporter.delivered);
            assert!([400, 401, 404].contains(&status), "{forged}: {status}");
        }
        let shown = town.daemon.incident(&one);
        assert!(!has_delivered(&shown), "{shown}");
    }
}

#[test]
fn a_pages_token_opens_no_other_channels_report() {
    let town = Town::start();
    let [sms, kannel] = &REPORTERS;
    // Each page's own address, at the other channel's door: with the right token.
    let by_sms = town.alert(sms.kind, "A", false);
    let (callback, _) = sms.asked(&town, &by_sms);
    let (_, query) = callback.split_once('?').unwrap();
    let strange = format!("/hooks/kannel/kannel/report?{query}");
    assert_eq!(kannel.report(&town, &strange, kannel.undelivered), 404, "{strange}");
    let by_kannel = town.alert(kannel.kind, "B", false);
    let (callback, _) = kannel.asked(&town, &by_kannel);
    let (_, query) = callback.split_once('?').unwrap();
    let strange = format!("/hooks/http/sms/report?{query}");
    for word in [sms.delivered, sms.undelivered] {
        assert_eq!(sms.report(&town, &strange, word), 404, "{strange}");
    }
    for incident in [&by_sms, &by_kannel] {
        let shown = town.daemon.incident(incident);
        assert!(!has_delivered(&shown) && !shown.to_string().contains("unreachable"), "{shown}");
    }
    assert_eq!(kannel.report(&town, &callback, kannel.delivered), 204);
}

fn has_delivered(incident: &Value) -> bool {
    incident["pages"].as_array().unwrap().iter().any(|page| page["delivered"].is_number())
}

#[test]
fn a_service_that_can_not_call_the_pages_own_address_reports_by_its_id_and_the_channels_token() {
    let town = Town::start();
    let incident = town.alert("price_velocity", "ES", false);
    town.page(&incident, "accepted", |page| page["person"] == "bo" && page["state"] == "accepted");
    let report = |token: &str, id: &str| {
        let call = Call::post("/hooks/http/sms/report").bearer(token).json(&json!({ "id": id, "status": "DELIVRD" }));
        call.send(town.daemon.address).status
    };
    assert_eq!(report("wrong", "m-17"), 401);
    assert_eq!(report("", "m-17"), 401);
    assert_eq!(report(secret("MONITOR_TOKEN"), "m-17"), 401);
    assert_eq!(report(SMS_TOKEN, "m-99"), 204, "one that we do not know is not asked about again");
    assert!(!has_delivered(&town.daemon.incident(&incident)));
    assert_eq!(report(SMS_TOKEN_NEXT, "m-17"), 204);
    assert!(has_delivered(&town.daemon.incident(&incident)));
}

#[test]
fn a_reply_is_an_answer_only_from_its_persons_number_with_their_pages_code_by_the_channels_token() {
    let town = Town::start();
    let incident = town.alert("price_velocity", "ES", false);
    let (ana, bo) = (town.held(&incident, ANA), town.held(&incident, BO));
    for (token, from, text, status) in [
        ("", ANA, ana.code.as_str(), 401),
        ("wrong", ANA, &ana.code, 401),
        (secret("MONITOR_TOKEN"), ANA, &ana.code, 401),
        (SMS_TOKEN, ANA, &bo.code, 200),
        (SMS_TOKEN, BO, &ana.code, 200),
        (SMS_TOKEN, "12125550100", &ana.code, 200),
        (SMS_TOKEN, ANA, "STOP", 200),
        (SMS_TOKEN, ANA, &format!("I am out of office until Monday {}", ana.code), 200),
    ] {
        let reply = town.reply(token, from, text);
        assert_eq!(reply.status, status, "{from} {text}: {reply:?}");
        assert!(!reply.body.contains("you have it"), "{from} {text}: {reply:?}");
    }
    // A part that is missing is said to be.
    let half = Call::post(&format!("/hooks/http/sms?token={SMS_TOKEN}")).json(&json!({ "text": ana.code }));
    assert_eq!(half.send(town.daemon.address).status, 400);
    for channel in ["teams", "kannel", "nowhere"] {
        let path = format!("/hooks/http/{channel}?token={SMS_TOKEN}");
        assert_eq!(Call::post(&path).json(&json!({})).send(town.daemon.address).status, 401, "{channel}");
    }
    assert_eq!(town.daemon.role(&incident, "trader")["state"], "paging");
    let taken = format!("{incident}: you have it. Reply {} 4 to hand it back.", ana.code);
    assert_eq!(verdict(&town.reply(SMS_TOKEN_NEXT, ANA, &ana.code).body), taken);
    // The same again, and another's after it: nothing changes.
    assert!(town.reply(SMS_TOKEN, ANA, &ana.code).body.contains(&incident));
    assert!(town.reply(SMS_TOKEN, BO, &bo.code).body.contains("Ana Ruiz"));
    let shown =
        eventually("engaged", || Some(town.daemon.role(&incident, "trader")).filter(|r| r["state"] == "engaged"));
    assert_eq!(shown["holder"], "Ana Ruiz");
}

#[test]
fn a_reply_is_read_in_the_charset_of_its_body_and_no_broken_letter_loses_it() {
    let town = Town::start();
    let path = format!("/hooks/http/sms?token={SMS_TOKEN}");
    let json = |kind: &str, body: Vec<u8>| Call::post(&path).header("Content-Type", kind).body(body);
    let text = |said: &str| format!("{{\"from\":\"{ANA}\",\"text\":\"{said}\"}}");
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
    let escaped = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("%{byte:02x}")).collect() };
    type Sent<'a> = Box<dyn Fn(&str) -> Call + 'a>;
    let cases: Vec<(&str, Sent<'_>, &str)> = vec![
        ("UTF-8", Box::new(|c| json("application/json", text(&format!("{c} I’ve got it")).into())), "you have it"),
        (
            "UTF-16",
            Box::new(|c| json("application/json; charset=utf-16be", utf16(&text(&format!("{c} can’t"))))),
            "passed on",
        ),
        (
            "Latin-1",
            Box::new(|c| {
                let body = [text("").trim_end_matches("\"}").as_bytes(), c.as_bytes(), b"\xa02\"}"].concat();
                json("application/json; charset=iso-8859-1", body)
            }),
            "you have it",
        ),
        (
            "no UTF-8",
            Box::new(|c| {
                json(
                    "application/json",
                    [text("").trim_end_matches("\"}").as_bytes(), c.as_bytes(), b" 2\xff\"}"].concat(),
                )
            }),
            "I read your code",
        ),
        (
            "half a letter",
            Box::new(|c| json("application/json", text(&format!("{c} 2 \\ud83d")).into())),
            "I read your code",
        ),
        (
            "a whole one",
            Box::new(|c| json("application/json", text(&format!("{c} 2 \\ud83d\\udc4d")).into())),
            "you have it",
        ),
        ("a question", Box::new(|c| json("application/json", text(&format!("{c}?")).into())), "I read your code"),
    ];
    for (n, (what, call, word)) in cases.into_iter().enumerate() {
        let incident = town.alert("price_velocity", &format!("S{n}"), false);
        let reply = call(&town.held(&incident, ANA).code).send(town.daemon.address);
        assert_eq!(reply.status, 200, "{what}: {reply:?}");
        assert!(reply.body.starts_with(&format!("{incident}: {word}")), "{what}: {}", reply.body);
    }
    // The other shape that gateways have: the fields of a form, or of the address.
    let path = format!("/hooks/http/fields?token={SMS_TOKEN}");
    let form = |kind: &str, text: &[u8]| {
        let body = format!("from={ANA}&text={}", escaped(text));
        Call::post(&path).header("Content-Type", &format!("application/x-www-form-urlencoded{kind}")).body(body)
    };
    let query = |more: &str, text: &[u8]| Call::get(&format!("{path}&from={ANA}{more}&text={}", escaped(text)));
    let cases: Vec<(&str, Sent<'_>, &str)> = vec![
        ("a form", Box::new(|c| form("", format!("{c} 2 👍").as_bytes())), "you have it"),
        (
            "a form in Latin-1",
            Box::new(|c| form("; charset=ISO-8859-1", &[c.as_bytes(), b"\xa02"].concat())),
            "you have it",
        ),
        ("a form that is no UTF-8", Box::new(|c| form("", &[c.as_bytes(), b"\xa02"].concat())), "I read your code"),
        ("a query", Box::new(|c| query("", format!("{c} ٢").as_bytes())), "you have it"),
        ("a query in UCS-2", Box::new(|c| query("&charset=UCS-2", &utf16(&format!("{c} 2 👎")))), "I read your code"),
        ("a query in UTF-16BE", Box::new(|c| query("&charset=UTF-16BE", &utf16(&format!("{c} can’t")))), "passed on"),
    ];
    for (n, (what, call, word)) in cases.into_iter().enumerate() {
        let incident = town.alert("price_velocity", &format!("F{n}"), false);
        let reply = call(&town.held(&incident, ANA).code).send(town.daemon.address);
        assert_eq!(reply.status, 200, "{what}: {reply:?}");
        assert!(reply.body.starts_with(&format!("{incident}: {word}")), "{what}: {}", reply.body);
    }
}
