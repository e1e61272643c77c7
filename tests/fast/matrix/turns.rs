//! Turns of rotations: how long they last, which days are meant, and overrides where clocks jump.

use super::{file, parse};
use stentor::{
    core::{PersonName, Timestamp},
    matrix::Severity,
};

/// A rotation in London with these further lines.
fn matrix(handoff: &str, more: &str) -> String {
    format!(
        "[channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"A\"\n[person.bo]\nname = \"B\"\n[person.cy]\nname = \"C\"\n\
         [rotation.r]\npeople = [\"ana\", \"bo\"]\nhandoff = \"{handoff}\"\ntimezone = \"Europe/London\"\n{more}\n\
         [role.trader]\nstep = [{{ page = [\"rotation.r\"], by = [\"desk\"], wait = \"45s\" }}]\n\
         [trigger.crash]\non = [\"x\"]\nroles = [\"trader\"]\n[catch-all]\npage = [\"cy\"]\nby = [\"desk\"]\n"
    )
}

fn codes(text: &str) -> Vec<(Severity, &'static str)> {
    parse(&[file("m.toml", text)]).diagnostics.iter().map(|d| (d.severity, d.code)).collect()
}

#[track_caller]
fn on_call(text: &str, at: &str) -> PersonName {
    let parsed = parse(&[file("m.toml", text)]);
    let matrix = parsed.matrix.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    matrix.roster.rotations["r"].on_call(Timestamp::parse(at).expect("a time")).expect("somebody").clone()
}

#[test]
fn two_weeks_each_are_written_as_a_turn_of_two_hand_overs() {
    let text = matrix("0 8 * * Mon", "turn = 2");
    assert_eq!(codes(&text), []);
    let mondays = ["2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14", "2026-12-21"];
    let turns = mondays.map(|day| on_call(&text, &format!("{day}T12:00:00Z")));
    assert_eq!(turns.windows(2).filter(|two| two[0] != two[1]).count(), 2, "{turns:?}");
    assert_eq!(turns[0], turns[4]);
    for bad in ["turn = 0", "turn = 367"] {
        assert_eq!(codes(&matrix("0 8 * * Mon", bad)), [(Severity::Error, "count-out-of-range")]);
    }
    assert_eq!(codes(&matrix("0 8 * * Mon", "turn = \"2\"")).len(), 1);
}

#[test]
fn a_day_of_the_month_and_a_weekday_are_both_meant_and_that_is_said() {
    assert_eq!(codes(&matrix("0 8 1 * Mon", "")), [(Severity::Warning, "day-and-weekday")]);
    for one in ["0 8 1 * *", "0 8 * * Mon", "0 8 * 1 Mon", "0 8 */2 * *"] {
        assert_eq!(codes(&matrix(one, "")), [], "{one}");
    }
}

#[test]
fn two_hand_overs_at_one_moment_are_warned_of() {
    for (handoff, zone, warned) in [
        ("0 1,2 * * *", "Europe/London", true),
        ("0 2,3 * * *", "Europe/London", false),
        ("0 2,3 * * *", "Europe/Madrid", true),
        ("0 2,3 * * *", "Asia/Tokyo", false),
        ("0 8 * * Mon", "Europe/Madrid", false),
    ] {
        let text = matrix(handoff, "").replace("Europe/London", zone);
        let expected = if warned { vec![(Severity::Warning, "hand-overs-at-once")] } else { vec![] };
        assert_eq!(codes(&text), expected, "{handoff} in {zone}");
    }
}

/// Clocks in London skip 01:00 to 02:00 on 28 March 2027.
#[test]
fn an_override_that_begins_in_what_the_clocks_skip_begins_after_it() {
    let over = |from: &str, until: &str| {
        matrix("0 8 * * Mon", &format!("overrides = [{{ person = \"cy\", from = {from}, until = {until} }}]"))
    };
    let text = over("2027-03-28T01:30:00", "2027-03-29T08:00:00");
    assert_eq!(codes(&text), []);
    assert_ne!(on_call(&text, "2027-03-28T00:59:59Z").as_str(), "cy");
    assert_eq!(on_call(&text, "2027-03-28T01:00:00Z").as_str(), "cy");
    // One that lies whole in what they skip has no length, and its end is not said to be before its beginning.
    let within = parse(&[file("m.toml", &over("2027-03-28T01:15:00", "2027-03-28T01:45:00"))]).diagnostics;
    assert!(
        within.len() == 1 && within[0].message.contains("the clocks in Europe/London skip all of it"),
        "{within:?}"
    );
    // Midnight does not exist in Cairo on that day; a whole day is a day all the same.
    let cairo = over("2027-04-30", "2027-05-01").replace("Europe/London", "Africa/Cairo");
    assert_eq!(codes(&cairo), []);
    assert_eq!(on_call(&cairo, "2027-04-30T12:00:00Z").as_str(), "cy");
}

/// Clocks in London show 01:00 to 02:00 twice on 31 October 2027: at 00:00 and at 01:00 UTC.
#[test]
fn an_override_covers_an_hour_that_comes_twice_whole() {
    let text = |from: &str, until: &str| {
        matrix("0 8 * * Mon", &format!("overrides = [{{ person = \"cy\", from = {from}, until = {until} }}]"))
    };
    let until = text("2027-10-30T08:00:00", "2027-10-31T01:30:00");
    assert_eq!(on_call(&until, "2027-10-31T01:29:59Z").as_str(), "cy", "up to the second half past one");
    assert_ne!(on_call(&until, "2027-10-31T01:30:00Z").as_str(), "cy");
    let from = text("2027-10-31T01:30:00", "2027-11-01T08:00:00");
    assert_eq!(on_call(&from, "2027-10-31T00:30:00Z").as_str(), "cy", "from the first half past one");
    assert_ne!(on_call(&from, "2027-10-31T00:29:59Z").as_str(), "cy");
    let within = text("2027-10-31T01:30:00", "2027-10-31T01:30:00");
    assert_eq!(on_call(&within, "2027-10-31T01:00:00Z").as_str(), "cy", "one hour of the clock that comes twice");
}
