//! British Columbia keeps UTC-7 all year since 2026: everything that shows or reads a clock there knows it.

use std::collections::BTreeMap;
use stentor::{
    core::{Alert, StepTarget, Timestamp},
    matrix::{KnownNames, Matrix, Severity, SourceText, TriggerMatch},
};

/// Turns change at 06:00 on the clock of a zone.
pub fn matrix(zone: &str) -> String {
    format!(
        "[channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"Ana\"\ntimezone = \"{zone}\"\n[person.bo]\nname = \"Bo\"\n[person.cy]\nname = \"Cy\"\n\
         [rotation.r]\npeople = [\"ana\", \"bo\"]\nhandoff = \"0 6 * * *\"\ntimezone = \"{zone}\"\n\
         [role.trader]\nstep = [{{ page = [\"rotation.r\"], by = [\"desk\"], wait = \"45s\" }}]\n\
         [trigger.t]\non = [\"x\"]\nroles = [\"trader\"]\n[catch-all]\npage = [\"ana\", \"cy\"]\nby = [\"desk\"]\n"
    )
}

fn parsed(text: &str) -> Matrix {
    let files = [SourceText { path: "matrix.toml".into(), text: text.into() }];
    let templates = BTreeMap::from([("default".to_owned(), "1".to_owned())]);
    let parsed = Matrix::parse(&files, &KnownNames { templates: &templates }, at("2026-11-23T09:00:00Z"));
    parsed.matrix.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Who is on call where turns change at 06:00 in this zone.
fn on_call(zone: &str, when: &str) -> String {
    let people = parsed(&matrix(zone)).roster.resolve(&[StepTarget::Rotation("r".into())], at(when));
    people[0].to_string()
}

#[test]
fn a_turn_in_vancouver_changes_at_six_of_the_clock_that_hangs_there() {
    let before = on_call("America/Vancouver", "2026-11-29T12:59:59Z");
    for when in ["2026-11-29T12:59:59Z", "2026-11-29T13:00:00Z", "2026-11-29T13:30:00Z", "2026-11-29T14:00:00Z"] {
        assert_eq!(on_call("America/Vancouver", when), on_call("Etc/GMT+7", when), "{when}");
    }
    assert_ne!(on_call("America/Vancouver", "2026-11-29T13:30:00Z"), before, "the turn of 06:00 came at 13:00Z");
}

/// What people are told about a name that no zone has.
fn refused(matrix: &str) -> (String, String) {
    let files = [SourceText { path: "matrix.toml".into(), text: matrix.into() }];
    let templates = BTreeMap::from([("default".to_owned(), "1".to_owned())]);
    let parsed = Matrix::parse(&files, &KnownNames { templates: &templates }, at("2026-11-23T09:00:00Z"));
    let [fault, ..] = &parsed.diagnostics[..] else { panic!("{matrix} was taken") };
    assert_eq!((fault.code, fault.severity), ("bad-time-zone", Severity::Error), "{fault:?}");
    assert!(parsed.matrix.is_none());
    (fault.message.clone(), fault.help.clone().unwrap_or_default())
}

#[test]
fn a_name_that_no_zone_has_is_refused_with_the_nearest_one() {
    for (name, near) in [
        ("Europe/Londn", "\"Europe/London\""),
        ("europe/london", "\"Europe/London\""),
        ("Vancouver", "\"America/Vancouver\""),
        ("US/Pacfic", "\"US/Pacific\""),
        // Three letters say too little, and Windows has names of its own.
        ("PST", "\"Europe/London\""),
        ("Pacific Standard Time", "\"Europe/London\""),
        ("UTC+1", "\"Europe/London\""),
        ("../../etc/passwd", "\"Europe/London\""),
    ] {
        let (message, help) = refused(&matrix(name));
        assert_eq!(message, format!("there is no time zone {name:?}"));
        assert!(help.contains(near), "{name}: {help}");
    }
    for name in ["US/Pacific", "Canada/Pacific", "UTC", "Etc/GMT+7", "Asia/Calcutta"] {
        assert_eq!(parsed(&matrix(name)).people["ana"].zone.name(), name);
    }
}

/// Whether a condition holds for an alert that began then.
fn holds(when: &str, starts_at: &str) -> bool {
    let text = matrix("UTC").replace("on = [\"x\"]\n", &format!("on = [\"x\"]\nwhen = '{when}'\n"));
    let mut alert = Alert::new("monitor", "x");
    alert.starts_at = Some(at(starts_at));
    alert.labels.insert("zone".into(), "America/Vancouver".into());
    match &parsed(&text).judge(&alert)[..] {
        [] => false,
        [TriggerMatch::Holds { .. }] => true,
        other => panic!("{when}: {other:?}"),
    }
}

#[test]
fn conditions_know_the_same_clocks() {
    let begun = "2026-12-01T13:30:05Z";
    for when in [
        "alert.starts_at.getHours(\"America/Vancouver\") == 6",
        "alert.starts_at.getHours(alert.labels.zone) == 6",
        "alert.starts_at.getMinutes(\"Asia/Kolkata\") == 0",
        "alert.starts_at.getHours(\"-07:00\") == 6 && alert.starts_at.getHours(\"05:30\") == 19",
        "alert.starts_at.getHours(\"\") == 13 && alert.starts_at.getHours() == 13",
        "alert.starts_at.getDate(\"Pacific/Kiritimati\") == 2 && alert.starts_at.getDayOfMonth(\"UTC\") == 0",
        "alert.starts_at.getDayOfWeek(\"UTC\") == 2 && alert.starts_at.getMonth(\"UTC\") == 11",
        "alert.starts_at.getFullYear(\"UTC\") == 2026 && alert.starts_at.getDayOfYear(\"UTC\") == 334",
        "alert.starts_at.getSeconds(\"UTC\") == 5 && alert.starts_at.getMilliseconds(\"UTC\") == 0",
        "timestamp(\"2026-12-01T13:30:05Z\").getHours(\"America/Vancouver\") == 6",
        "[1, 2].all(n, alert.starts_at.getHours(\"America/Vancouver\") == 6)",
    ] {
        assert!(holds(when, begun), "{when}");
    }
    for zone in ["Europe/Londn", "25:00", "Mars/Base", "+1:2x"] {
        let when = format!("when = 'alert.starts_at.getHours(\"{zone}\") < 8'\n");
        refused(&matrix("UTC").replace("on = [\"x\"]\n", &format!("on = [\"x\"]\n{when}")));
    }
}

#[test]
fn a_zone_that_an_alert_names_and_nobody_knows_fails_in_plain_words() {
    let when = "on = [\"x\"]\nwhen = 'alert.starts_at.getHours(alert.labels.zone) < 8'\n";
    let matrix = parsed(&matrix("UTC").replace("on = [\"x\"]\n", when));
    let mut alert = Alert::new("monitor", "x");
    alert.starts_at = Some(at("2026-12-01T13:30:05Z"));
    alert.labels.insert("zone".into(), "Mars/Base".into());
    let judged = matrix.judge(&alert);
    let [TriggerMatch::Failed { why, .. }] = &judged[..] else { panic!("{judged:?}") };
    assert!(why.contains("there is no such time zone"), "{why}");
}
