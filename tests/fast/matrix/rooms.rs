use super::{faults::check, *};
use proptest::{prelude::*, test_runner::RngSeed};
use std::{sync::Arc, time::Duration};
use stentor::{
    channel::room_name::RoomName,
    core::{Alert, ChannelName, Incident, IncidentId, IncidentKey, IncidentOpening},
};

/// The pattern of a matrix whose rooms are called so.
fn pattern(name: &str) -> RoomName {
    let text = format!(
        "[channel.room]\nkind = \"slack\"\ntoken = {{ env = \"T\" }}\narchive_after = \"24h\"\n{name}\n\
         [person.ana]\nname = \"Ana\"\nslack = \"U1\"\n[role.it]\nstep = [{{ page = [\"ana\"], by = [\"room\"], wait = \"45s\" }}]\n\
         [catch-all]\npage = [\"ana\"]\nby = [\"room\"]\n[trigger.halt]\non = [\"halt\"]\nroles = [\"it\"]\nroom = \"room\"\n"
    );
    let matrix = sound(&[file("m.toml", &text)]);
    let plan = matrix.plan(&"halt".into()).expect("a plan");
    let living = plan.living.get(&ChannelName::from("room")).expect("its card is kept up to date");
    assert_eq!(living.archive_after.map(|after| after.0), Some(Duration::from_secs(24 * 3600)));
    let channel = matrix.channel(&ChannelName::from("room")).expect("the channel");
    channel.config.new_room().expect("it makes rooms").0.clone()
}

fn incident(n: i64, trigger: &str, drill: bool) -> Incident {
    let text = "[channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"Ana\"\n[role.it]\nstep = [{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }]\n\
                [catch-all]\npage = [\"ana\"]\nby = [\"desk\"]\n[trigger.halt]\non = [\"halt\"]\nroles = [\"it\"]\n";
    let plan = sound(&[file("m.toml", text)]).plan(&"halt".into()).expect("a plan");
    let mut alert = Alert::new("monitor", "halt");
    alert.drill = drill;
    let plan = stentor::core::EscalationPlan { trigger: trigger.into(), ..(*plan).clone() };
    let opening = IncidentOpening {
        key: IncidentKey::stored(""),
        summary: String::new(),
        plan: Arc::new(plan),
        alert: Arc::new(alert),
        received_at: as_of(),
        terms: None,
        ask: None,
        nonce: None,
    };
    Incident::opened(IncidentId(n), &opening, as_of())
}

#[test]
fn rooms_are_called_by_their_pattern() {
    for (name, drill, expected) in [
        ("", false, "inc-12-halt"),
        ("", true, "drill-inc-12-halt"),
        ("name = \"{drill}inc-{id}-{trigger}-{date}\"", false, "inc-12-halt-2026-11-23"),
        ("name = \"{drill}inc-{id}-{trigger}-{date}\"", true, "drill-inc-12-halt-2026-11-23"),
        // Not asked for, and there all the same.
        ("name = \"war_{id}\"", true, "drill-war_12"),
        // A live room's name never begins like a drill's.
        ("name = \"drill-{id}\"", false, "12"),
        ("name = \"drill-{id}\"", true, "drill-12"),
    ] {
        assert_eq!(pattern(name).fill(&incident(12, "halt", drill)), expected, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(80),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Lower-case letters, digits, hyphens and underscores, 1 to 80 characters with room for a suffix, and never a
    /// drill that looks live or the other way round.
    #[test]
    fn whatever_happens_slack_takes_the_name(n in 1i64.., trigger in ".{1,60}", drill: bool) {
        for pattern in [long_pattern(), RoomName::default()] {
            let name = pattern.fill(&incident_named(n, &trigger, drill));
            prop_assert!(name.len() <= 70);
            prop_assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c)), "{}", name);
            prop_assert_eq!(name.starts_with("drill"), drill);
        }
    }
}

fn long_pattern() -> RoomName {
    static PATTERN: std::sync::OnceLock<RoomName> = std::sync::OnceLock::new();
    PATTERN.get_or_init(|| pattern("name = \"{drill}{trigger}-{id}-{trigger}-{date}_{id}\"")).clone()
}

fn incident_named(n: i64, trigger: &str, drill: bool) -> Incident {
    static INCIDENT: std::sync::OnceLock<Incident> = std::sync::OnceLock::new();
    let known = INCIDENT.get_or_init(|| incident(1, "halt", false)).clone();
    Incident { id: IncidentId(n), trigger: trigger.into(), drill, ..known }
}

#[test]
fn the_name_of_rooms_is_checked_when_the_matrix_is_read() {
    let token = "token = { env = \"SLACK\" }";
    for (pattern, good) in [
        ("{drill}inc-{id}-{trigger}-{date}", true),
        ("{id}", true),
        ("war_room-{id}", true),
        ("inc-{trigger}", false),
        ("Inc-{id}", false),
        ("inc {id}", false),
        ("inc.{id}", false),
        ("größe-{id}", false),
        ("inc-{id}-{drill}", false),
        ("inc-{id}-{dat}", false),
        ("inc-{id", false),
        ("{}-{id}", false),
        ("a-name-that-is-much-longer-than-forty-characters-{id}", false),
    ] {
        let underlined = format!("\"{pattern}\"");
        let text = format!("{token}\nname = {underlined}");
        let expected = [("bad-room-name", underlined.as_str())];
        check(token, &text, if good { &[] } else { &expected });
    }
    check(token, &format!("{token}\narchive_after = \"24h\""), &[]);
    check(token, &format!("{token}\narchive_after = \"soon\""), &[("bad-duration", "\"soon\"")]);
    let sms = "kind = \"kannel\"";
    check(sms, &format!("{sms}\narchive_after = \"24h\""), &[("key-without-effect", "archive_after")]);
}
