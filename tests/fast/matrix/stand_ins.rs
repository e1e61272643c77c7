//! Who would stand in for themselves, and who and what no ladder uses.

use super::{USE, file, parse};

/// Two roles, three people, and everybody and everything used.
const BASE: &str = r#"
[channel.desk]
kind = "screen"
[channel.mail]
kind = "smtp"
url = "smtp://127.0.0.1:2525"
from = "stentor@desk.example"
[person.ana]
name = "Ana"
email = "ana@desk.example"
[person.bo]
name = "Bo"
email = "bo@desk.example"
[person.cy]
name = "Cy"
email = "cy@desk.example"
[rotation.week]
people = ["ana"]
handoff = "0 8 * * Mon"
[role.trader]
step = [{ page = ["rotation.week"], by = ["desk"], wait = "45s" }]
next = "head"
[role.head]
step = [{ page = ["bo"], by = ["desk"], wait = "60s" }]
[trigger.crash]
on = ["price_velocity"]
roles = ["trader"]
[catch-all]
page = ["cy"]
by = ["desk", "mail"]
"#;

/// The warnings about use of a matrix that is refused by nothing.
#[track_caller]
fn warned(text: &str) -> Vec<String> {
    let parsed = parse(&[file("m.toml", text)]);
    assert!(parsed.matrix.is_some(), "{:#?}", parsed.diagnostics);
    let known = |code: &str| assert!(USE.contains(&code), "{code}");
    parsed.diagnostics.iter().for_each(|diagnostic| known(diagnostic.code));
    parsed.diagnostics.iter().map(|d| format!("{}: {}", d.code, d.message)).collect()
}

#[track_caller]
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(BASE.contains(from), "the base has {from:?}");
    assert_eq!(warned(&BASE.replacen(from, to, 1)), expected);
}

#[test]
fn nobody_stands_in_for_themselves_unwarned() {
    assert_eq!(warned(BASE), [""; 0]);
    let itself = "stands-in-for-themselves: ana would stand in for themselves: role `head` takes over `trader`";
    check("page = [\"bo\"]", "page = [\"ana\", \"bo\"]", &[itself]);
    check("people = [\"ana\"]", "people = [\"ana\", \"cy\"]", &[]);
    let nobody =
        "stands-in-for-themselves: everybody in the catch-all was asked for role `head` before: nobody new is paged";
    check("page = [\"bo\"]", "page = [\"bo\", \"cy\"]", &[nobody]);
    // The catch-all may page people again if it pages somebody else too.
    check("page = [\"cy\"]", "page = [\"cy\", \"bo\"]", &[]);
}

#[test]
fn a_matrix_of_one_person_has_nobody_else_to_name() {
    let one = BASE
        .replace("[person.bo]\nname = \"Bo\"\nemail = \"bo@desk.example\"\n", "")
        .replace("[person.cy]\nname = \"Cy\"\nemail = \"cy@desk.example\"\n", "");
    let one = one.replace("\"cy\"", "\"ana\"").replace("next = \"head\"\n", "");
    let one = one.replace("[role.head]\nstep = [{ page = [\"bo\"], by = [\"desk\"], wait = \"60s\" }]\n", "");
    assert_eq!(warned(&one), [""; 0]);
}

#[test]
fn people_and_channels_that_nothing_uses_are_one_warning_each() {
    let more: String = (10..35).map(|n| format!("[person.p{n}]\nname = \"P\"\n")).collect();
    let told = "unused-person: no step and no catch-all pages p10, p11, p12, p13, p14, p15, p16, p17 and 17 more";
    assert_eq!(warned(&format!("{BASE}{more}")), [told]);
    check(
        "by = [\"desk\", \"mail\"]",
        "by = [\"desk\"]",
        &["unused-channel: by mail pages go out only in place of another channel that fails"],
    );
}

/// Where something could not be read, it may have used what seems unused.
#[test]
fn beside_an_error_nothing_is_said_about_use() {
    let broken = BASE.replace("page = [\"bo\"]", "pgae = [\"bo\"]");
    let parsed = parse(&[file("m.toml", &broken)]);
    assert!(parsed.matrix.is_none());
    assert!(parsed.diagnostics.iter().all(|diagnostic| !USE.contains(&diagnostic.code)), "{:#?}", parsed.diagnostics);
}

#[test]
fn where_the_matrix_lets_the_catch_all_decide_requests_it_says_so() {
    let asking = BASE.replacen("on = [\"price_velocity\"]", "on = [\"price_velocity\"]\nask = { after = \"5m\" }", 1);
    assert_eq!(warned(&asking), [""; 0], "it comes last by itself, and only is told");
    let decides = "catch-all-decides: people of the catch-all decide requests of this trigger, because `roles` or a `next` names it";
    for (from, to) in [
        ("roles = [\"trader\"]", "roles = [\"trader\", \"catch-all\"]"),
        ("[role.head]\n", "[role.head]\nnext = \"catch-all\"\n"),
    ] {
        assert_eq!(warned(&asking.replacen(from, to, 1)), [decides], "{to}");
        assert_eq!(warned(&BASE.replacen(from, to, 1)), [""; 0], "an alert asks nothing: {to}");
    }
}
