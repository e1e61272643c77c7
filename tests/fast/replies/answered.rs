//! What goes back for an answer: one SMS that says which incident it was about.

use crate::fixture::{opening, roster};
use std::sync::Arc;
use stentor::{
    core::{Alert, Incident, IncidentId, open},
    http::answer_reply::answer_reply,
    text::gsm7,
};

const TAKEN: &str = "you have it. Reply 48213 4 to hand it back.";

fn incident(summary: &str, drill: bool) -> Incident {
    let mut opening = opening("ES");
    opening.summary = summary.into();
    opening.alert = Arc::new(Alert { drill, ..Alert::clone(&opening.alert) });
    let at = opening.received_at;
    open(IncidentId(7), opening, &roster(), at).0
}

fn reply(summary: &str, words: &str, is_sms: bool) -> String {
    answer_reply(IncidentId(7), Some(&incident(summary, false)), words, is_sms)
}

#[test]
fn the_reply_to_an_answer_names_the_incident_and_what_it_is_about() {
    let short = reply("ES fell 6.2 % in 4 min.", TAKEN, true);
    assert_eq!(short, format!("INC-7: {TAKEN} About: ES fell 6.2 % in 4 min"));
    assert_eq!(reply("ES fell", "too late: Bo Lind has it", false), "INC-7: too late: Bo Lind has it. About: ES fell");
    let drill = answer_reply(IncidentId(7), Some(&incident("ES fell", true)), "passed on", true);
    assert_eq!(drill, "DRILL INC-7: passed on. About: ES fell");
    assert_eq!(answer_reply(IncidentId(7), None, "passed on", true), "INC-7: passed on");
}

#[test]
fn a_summary_is_cut_between_words_to_what_one_sms_has_room_for() {
    let long = "the price of something with a long name has fallen by more than anybody thought it ever could in so short a time";
    let told = reply(long, TAKEN, true);
    assert!(gsm7::segments(&told) == 1 && gsm7::septets(&told).is_some(), "{told}");
    assert!(told.starts_with(&format!("INC-7: {TAKEN} About: the price of something ")), "{told}");
    let shown = told.split_once(" About: ").unwrap().1.strip_suffix("...").unwrap();
    assert!(long.starts_with(&format!("{shown} ")), "{shown}");
    assert!(gsm7::septets(&told).unwrap() + 12 > gsm7::SINGLE, "no more room than a word is left: {told}");
    // In letters that an SMS has no septets for there is less room, and then none.
    let foreign = "\u{65e5}\u{7d4c}\u{5e73}\u{5747}\u{5148}\u{7269}";
    let told = reply(foreign, "passed on", true);
    assert!(told.contains(foreign) && gsm7::segments(&told) == 1, "{told}");
    assert_eq!(reply(&foreign.repeat(9), TAKEN, true), format!("INC-7: {TAKEN}"));
    // Accents are not lost where it is no SMS.
    assert!(reply("\u{141}\u{f3}d\u{17a} stoi", TAKEN, false).contains("\u{141}\u{f3}d\u{17a}"));
    for summary in [long, foreign, "x", ""] {
        for words in [TAKEN, "passed on", "you said so before"] {
            for is_sms in [false, true] {
                let told = reply(summary, words, is_sms);
                assert!(told.chars().count() <= 160 && told.starts_with("INC-7: "), "{told}");
                assert!(!is_sms || gsm7::segments(&told) == 1, "{told}");
            }
        }
    }
}
