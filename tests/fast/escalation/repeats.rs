//! Alerts that join and say nothing new are counted, and one event tells of many.

use super::fixture::{START, alert, opening, roster};
use std::{sync::Arc, time::Duration};
use stentor::core::{
    Actor, Alert, AlertStatus, Event, Incident, IncidentId, IncidentInput, IncidentKey, PagePurpose, Timestamp,
    WarRoom, open,
    overflow::OVERFLOW_KEYS_MAX,
    repeats::{JOINED_WHOLE, KNOWN_MAX, TOLD_AFTER_MAX, TOLD_AFTER_MIN},
    step,
};

struct World {
    incident: Incident,
    events: Vec<(Timestamp, Event)>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let (incident, events) = open(IncidentId(1), opening("k"), &roster(), START);
        Self { incident, events: events.into_iter().map(|event| (START, event)).collect(), now: START }
    }

    /// With as many alerts as are journaled whole.
    fn known() -> Self {
        let mut world = Self::new();
        (1..JOINED_WHOLE).for_each(|_| world.alert(alert()));
        assert_eq!((world.joined(), world.incident.repeats), (JOINED_WHOLE - 1, None));
        world
    }

    fn step(&mut self, input: IncidentInput) {
        let events = step(&mut self.incident, input, &roster(), self.now);
        let at = self.incident.last_at;
        self.events.extend(events.into_iter().map(|event| (at, event)));
        let folded = Incident::fold(IncidentId(1), self.events.iter().map(|(at, event)| (*at, event)));
        let folded = folded.map(|folded| folded.with_repeats(self.incident.repeats, &self.incident.alert));
        assert_eq!(folded.as_ref(), Some(&self.incident));
    }

    fn alert(&mut self, alert: Alert) {
        self.step(IncidentInput::Alert(Arc::new(alert)));
    }

    fn pass(&mut self, by: Duration) {
        self.now = self.now + by;
    }

    fn joined(&self) -> u64 {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Joined { .. })).count() as u64
    }

    /// The counts that events tell of.
    fn told(&self) -> Vec<u64> {
        let count = |event: &Event| match event {
            Event::Repeated { count, .. } => Some(*count),
            _ => None,
        };
        self.events.iter().filter_map(|(_, event)| count(event)).collect()
    }
}

fn on(host: &str) -> Alert {
    let mut alert = alert();
    alert.labels.insert("host".into(), host.into());
    alert
}

#[test]
fn repeats_are_counted_with_the_last_one_kept_and_told_of_when_it_is_time() {
    let mut world = World::known();
    for n in 0..50 {
        world.pass(Duration::from_secs(1));
        let mut alert = alert();
        alert.values.insert("drop_pct".into(), f64::from(n));
        world.alert(alert);
    }
    assert_eq!((world.joined(), world.told().len()), (JOINED_WHOLE - 1, 0));
    assert_eq!((world.incident.alerts, world.incident.alert.values["drop_pct"]), (JOINED_WHOLE + 50, 49.0));
    let due = world.incident.deadline().expect("a deadline");
    assert!(due <= START + Duration::from_secs(1) + TOLD_AFTER_MIN, "{due}");
    world.pass(TOLD_AFTER_MIN);
    world.step(IncidentInput::Tick);
    assert_eq!((world.told(), world.incident.repeats, world.incident.alerts), (vec![50], None, JOINED_WHOLE + 50));
    let last = world.events.iter().rev().find(|(_, event)| matches!(event, Event::Repeated { .. }));
    let Some((_, Event::Repeated { first_at, last_at, alert, .. })) = last else { panic!("it was told") };
    assert_eq!(last_at.since(*first_at), Duration::from_secs(49));
    assert_eq!(alert.values["drop_pct"], 49.0);
}

#[test]
fn what_says_something_new_is_journaled_whole_and_the_repeats_before_it_are_told_first() {
    let mut world = World::known();
    world.alert(alert());
    world.alert(on("b"));
    assert_eq!((world.joined(), world.told()), (JOINED_WHOLE, vec![1]), "another alert");
    world.alert(on("b"));
    world.alert(Alert { status: AlertStatus::Resolved, ..alert() });
    assert_eq!(world.told(), [1, 1], "before the all-clear");
    world.alert(alert());
    assert_eq!(world.joined(), JOINED_WHOLE + 1, "it fires again after its all-clear");
    world.alert(alert());
    world.step(IncidentInput::Resolve { by: Actor::Clock, why: None });
    assert_eq!((world.told(), world.incident.repeats), (vec![1, 1, 1], None), "before the end");
    let end = world.events.iter().position(|(_, event)| matches!(event, Event::Resolved { .. })).expect("an end");
    assert!(matches!(world.events[end - 1].1, Event::Repeated { .. } | Event::Withdrawn { .. }));
}

#[test]
fn a_silent_monitor_that_speaks_again_is_news_and_a_counted_repeat_renews_its_lease() {
    let mut world = World::known();
    let leased = |world: &World| Alert { lease_until: Some(world.now + Duration::from_secs(200)), ..alert() };
    world.alert(leased(&world));
    world.pass(Duration::from_secs(150));
    world.alert(leased(&world));
    world.pass(Duration::from_secs(150));
    world.step(IncidentInput::Tick);
    assert_eq!((world.joined(), world.incident.silent_since), (JOINED_WHOLE - 1, None));
    world.pass(Duration::from_secs(100));
    world.step(IncidentInput::Tick);
    assert!(world.incident.silent_since.is_some());
    world.alert(leased(&world));
    assert_eq!((world.joined(), world.incident.silent_since), (JOINED_WHOLE, None));
}

#[test]
fn a_year_of_repeats_of_many_alerts_is_a_bounded_number_of_events() {
    let mut world = World::known();
    let before = world.events.len();
    let mut alerts = 0;
    for n in 0..365 * 24 * 6 {
        world.now = START + Duration::from_secs(600 * n);
        let alert = on(&format!("host {}", n % 200));
        let events = step(&mut world.incident, IncidentInput::Alert(Arc::new(alert)), &roster(), world.now);
        world.events.extend(events.into_iter().map(|event| (world.now, event)));
        alerts += 1;
    }
    let most = KNOWN_MAX + usize::try_from(365 * 24 * 3600 / TOLD_AFTER_MAX.as_secs()).unwrap() + 200;
    let lines = world.events.len() - before;
    assert!(lines < most, "{lines} events for {alerts} alerts");
    let told = world.told().iter().sum::<u64>() + world.incident.repeats.map_or(0, |repeats| repeats.count);
    assert_eq!(1 + world.joined() + told, world.incident.alerts, "each is journaled or counted, once");
    assert_eq!(world.incident.alerts, JOINED_WHOLE + alerts);
}

#[test]
fn an_incident_of_an_earlier_version_counts_no_repeats() {
    let mut incident = World::known().incident;
    incident.known = None;
    let events = step(&mut incident, IncidentInput::Alert(Arc::new(alert())), &roster(), START);
    assert!(matches!(events[..], [Event::Joined { .. }]), "{events:?}");
    assert_eq!((incident.known, incident.repeats), (None, None));
}

#[test]
fn one_source_takes_no_other_sources_room_and_labels_that_look_alike_in_a_row_are_two() {
    let mut world = World::known();
    let labelled = |source: &str, labels: &[(&str, &str)]| {
        let mut alert = alert();
        alert.source = source.into();
        alert.labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        alert
    };
    for n in 0..2 * KNOWN_MAX {
        world.alert(labelled("junk", &[("n", &n.to_string())]));
    }
    assert_eq!(world.joined(), JOINED_WHOLE - 1 + KNOWN_MAX as u64, "the junk has as much room as one source has");
    for labels in [&[("a", "x\u{0}b\u{1}y")][..], &[("a", "x"), ("b", "y")], &[("severity", "critical")]] {
        let before = world.joined();
        world.alert(labelled("monitor", labels));
        assert_eq!(world.joined(), before + 1, "{labels:?}");
    }
}

#[test]
fn a_flood_of_ever_new_keys_is_a_bounded_number_of_lines() {
    let mut world = World::new();
    let keys = OVERFLOW_KEYS_MAX + 500;
    for n in 0..keys {
        let key = IncidentKey::of_trigger(&"boom".into(), &n.to_string(), false);
        let alert = Arc::new(on(&format!("host {n}")));
        let events = step(&mut world.incident, IncidentInput::Overflow { key, alert }, &roster(), world.now);
        world.events.extend(events.into_iter().map(|event| (world.now, event)));
    }
    let lines = |wanted: fn(&Event) -> bool| world.events.iter().filter(|(_, event)| wanted(event)).count();
    assert_eq!(lines(|event| matches!(event, Event::Overflowed { .. })), OVERFLOW_KEYS_MAX + 1);
    assert!(lines(|event| matches!(event, Event::Joined { .. })) <= KNOWN_MAX);
    assert_eq!(world.incident.alerts, keys as u64, "each is counted");
    assert!(world.incident.summary.starts_with("at least 1000 more of "), "{}", world.incident.summary);
    let folded = Incident::fold(IncidentId(1), world.events.iter().map(|(at, event)| (*at, event))).unwrap();
    assert_eq!(folded.with_repeats(world.incident.repeats, &world.incident.alert), world.incident);
}

#[test]
fn the_lines_of_a_monitor_that_flaps_become_rare_and_say_how_many_there_were() {
    let (mut incident, _) = open(IncidentId(1), opening("k"), &roster(), START);
    incident.rooms.insert("room".into(), WarRoom { id: "R".into(), card: None });
    let mut lines = Vec::new();
    for second in 0..600_u64 {
        let mut alert = alert();
        alert.status = if second % 2 == 0 { AlertStatus::Resolved } else { AlertStatus::Firing };
        let now = START + Duration::from_secs(second);
        for event in step(&mut incident, IncidentInput::Alert(Arc::new(alert)), &roster(), now) {
            if let Event::Paged { page } = event
                && let PagePurpose::RoomLine { line } = &page.purpose
            {
                lines.push(line.clone());
            }
        }
    }
    let closing = "; the incident stays open until a human resolves it";
    assert_eq!(lines[0], format!("all clear from risk-monitor{closing}"));
    assert_eq!(lines[1], format!("all clear from risk-monitor, after 29 more{closing}"));
    assert_eq!(lines.len(), 10, "{lines:?}");
}
