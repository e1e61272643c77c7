//! What became of messages: doubled, late, out of order, forged.

use super::double::twilio::Made;
use super::line::{ANA, Line, line, path_of};
use serde_json::Value;

/// The message's report; its answer must be empty.
fn report(line: &Line, made: &Made, status: &str, code: Option<&str>) {
    let path = path_of(made.field("StatusCallback").unwrap());
    let mut fields = vec![("MessageSid", made.sid.as_str()), ("SmsSid", &made.sid), ("MessageStatus", status)];
    fields.extend(code.map(|code| ("ErrorCode", code)));
    let reply = line.post(&path, &fields);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/xml; charset=utf-8")), "{reply:?}");
    assert!(reply.body.ends_with("<Response/>"), "{reply:?}");
}

fn accepted(page: &Value) -> bool {
    page["state"] == "accepted"
}

#[test]
fn a_message_that_did_not_arrive_goes_by_the_persons_next_channel_at_once() {
    let line = line("sms");
    for (n, code) in ["30003", "30005", "30007", "30008", "30036", "99999"].into_iter().enumerate() {
        let incident = line.crash(&format!("S{n}"));
        let made = line.brief(&incident, ANA);
        report(&line, &made, "sent", None);
        for _ in 0..2 {
            report(&line, &made, "undelivered", Some(code));
        }
        let next = line.until_page(&incident, "ana", "call", "in its place", accepted);
        assert!(next["instead_of"].is_number(), "{next}");
        let gone = line.until_page(&incident, "ana", "sms", "gone", |page| page["state"] == "unreachable");
        assert!(gone["last_error"].as_str().unwrap().contains(code), "{gone}");
        assert_eq!(line.events(&incident, "undelivered").len(), 1, "told twice, once true");
        // The other person's message is on its way as before.
        assert_eq!(line.pages(&incident, "bo").len(), 1);
    }
}

#[test]
fn no_order_of_reports_undoes_what_is_known_better() {
    let line = line("sms");
    for (n, order) in [
        &["sent", "delivered", "failed"][..],
        &["delivered", "delivered", "sent", "queued", "undelivered"],
        &["delivered", "sending", "sent", "delivered"],
    ]
    .into_iter()
    .enumerate()
    {
        let incident = line.crash(&format!("S{n}"));
        let made = line.brief(&incident, ANA);
        for status in order {
            report(&line, &made, status, None);
        }
        let reported = line.events(&incident, "reported");
        assert_eq!(reported.iter().map(|line| line["stage"].as_str().unwrap()).collect::<Vec<_>>(), ["delivered"]);
        assert!(line.events(&incident, "undelivered").is_empty(), "{order:?}");
        assert_eq!(line.pages(&incident, "ana").len(), 1, "{order:?}");
        assert_eq!(line.role(&incident, "trader")["state"], "paging", "delivered is no answer");
    }
}

#[test]
fn a_failure_that_is_told_before_the_message_was_even_answered_for_is_not_lost() {
    let line = line("sms");
    line.twilio.hold();
    let incident = line.crash("ES");
    let made = line.brief(&incident, ANA);
    assert_eq!(line.pages(&incident, "ana")[0]["state"], "queued");
    std::thread::scope(|scope| {
        let told = scope.spawn(|| report(&line, &made, "failed", Some("30005")));
        // The report waits for the answer: were it dealt with at once, it would be about a page that nobody has taken.
        let early = (0..30).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            told.is_finished()
        });
        assert!(!early, "the report was dealt with before the page was accepted");
        line.twilio.release();
        told.join().unwrap();
    });
    line.until_page(&incident, "ana", "call", "in its place", accepted);
    assert_eq!(line.events(&incident, "undelivered").len(), 1);
}

#[test]
fn a_failure_of_another_message_than_the_one_that_counts_is_none() {
    let line = line("sms");
    let incident = line.crash("ES");
    let made = line.brief(&incident, ANA);
    line.until_page(&incident, "ana", "sms", "accepted", accepted);
    report(&line, &Made { sid: "SM-of-an-attempt-before".into(), ..made.clone() }, "failed", Some("30008"));
    assert!(line.events(&incident, "undelivered").is_empty());
    report(&line, &made, "failed", Some("30008"));
    assert_eq!(line.events(&incident, "undelivered").len(), 1);
}

#[test]
fn a_report_is_taken_only_with_its_pages_own_token_and_twilios_signature() {
    let line = line("sms");
    let incident = line.crash("ES");
    let (ana, bo) = (line.brief(&incident, ANA), line.brief(&incident, super::line::BO));
    let path = path_of(ana.field("StatusCallback").unwrap());
    let token = |path: &str| path.split_once("token=").unwrap().1.to_owned();
    let swapped = path.replace(&token(&path), &token(&path_of(bo.field("StatusCallback").unwrap())));
    let fields = [("MessageSid", ana.sid.as_str()), ("MessageStatus", "failed")];
    assert_eq!(line.post(&swapped, &fields).status, 401);
    assert_eq!(line.post(&path.replace("page=", "page=x"), &fields).status, 404);
    assert_eq!(line.post_signed("another-token", &path, &fields).status, 401);
    assert_eq!(line.post(&path.replace("/twilio/sms/", "/voice/call/"), &fields).status, 404, "another channel's");
    assert!(line.events(&incident, "undelivered").is_empty());
}
