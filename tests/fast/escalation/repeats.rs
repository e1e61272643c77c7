//! Alerts that join and say nothing new are counted, and one event tells of many.

use super::fixture::{START, alert, opening, roster};
use std::{sync::Arc, time::Duration};
use stentor::core::{
    Actor, Alert, AlertStatus, Event, Incident, IncidentId, IncidentInput, IncidentKey, PagePurpose, Timestamp,
    WarRoom, open,
    overflow::OVERFLOW_KEYS_MAX,
    plan::OnResolved,
    repeats::{CHANGES_WHOLE, CHANGES_WITHIN, JOINED_WHOLE, KNOWN_MAX, TOLD_AFTER_MAX, TOLD_AFTER_MIN},
    sentence::sentence,
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
        assert_eq!((world.joined(), world.incident.repeats.clone()), (JOINED_WHOLE - 1, None));
        world
    }

    fn step(&mut self, input: IncidentInput) {
        let events = step(&mut self.incident, input, &roster(), self.now);
        let at = self.incident.last_at;
        self.events.extend(events.into_iter().map(|event| (at, event)));
        let folded = Incident::fold(IncidentId(1), self.events.iter().map(|(at, event)| (*at, event)));
        let folded = folded.map(|folded| folded.with_repeats(self.incident.repeats.clone(), &self.incident.alert));
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
    assert_eq!(
        (world.told(), world.incident.repeats.clone(), world.incident.alerts),
        (vec![50], None, JOINED_WHOLE + 50)
    );
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
    assert_eq!((world.told(), world.incident.repeats.clone()), (vec![1, 1, 1], None), "before the end");
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
    let told = world.told().iter().sum::<u64>() + world.incident.repeats.as_ref().map_or(0, |repeats| repeats.count);
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
    assert_eq!(folded.with_repeats(world.incident.repeats.clone(), &world.incident.alert), world.incident);
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

/// The lines that one key which goes on and off may add within an hour: its changes, and what tells of the others, which
/// comes more seldom the older the incident is.
const LINES_AN_HOUR: usize = CHANGES_WHOLE as usize + 3 * 30;

impl World {
    /// With rooms and other systems to tell, and a key that is counted in an overflow if it is to be one.
    fn flapping(resolved: OnResolved, overflow: bool) -> Self {
        let mut opening = opening("k");
        let plan = Arc::make_mut(&mut opening.plan);
        (plan.on_resolved, plan.webhooks) = (resolved, vec!["ops".into()]);
        let (incident, events) = open(IncidentId(1), opening, &roster(), START);
        let events = events.into_iter().map(|event| (START, event)).collect();
        let mut world = Self { incident, events, now: START };
        world.incident.rooms.clear();
        if overflow {
            (0..2).for_each(|n| world.counted(&n.to_string(), AlertStatus::Firing));
        }
        world
    }

    fn counted(&mut self, key: &str, status: AlertStatus) {
        let key = IncidentKey::of_trigger(&"boom".into(), key, false);
        self.step(IncidentInput::Overflow { key, alert: Arc::new(Alert { status, ..alert() }) });
    }

    fn all_clears_in_the_journal(&self) -> u64 {
        let count = |event: &Event| match event {
            Event::Repeated { changes, .. } => changes.as_ref().map_or(0, |changes| changes.all_clears),
            Event::AllClear { .. } => u64::from(self.incident.overflow.is_none()),
            Event::OverflowCleared { .. } => 1,
            _ => 0,
        };
        self.events.iter().map(|(_, event)| count(event)).sum()
    }

    fn pending_all_clears(&self) -> u64 {
        let changes = self.incident.repeats.as_ref().and_then(|repeats| repeats.changes.as_ref());
        changes.map_or(0, |changes| changes.all_clears)
    }

    /// The state that the journal alone has.
    fn folded(&self) -> Incident {
        Incident::fold(IncidentId(1), self.events.iter().map(|(at, event)| (*at, event))).unwrap()
    }

    /// The ticks that come due meanwhile.
    fn pass_ticking(&mut self, by: Duration) {
        let until = self.now + by;
        while let Some(due) = self.incident.deadline().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            self.step(IncidentInput::Tick);
        }
        self.now = until;
    }
}

const TURN: [AlertStatus; 2] = [AlertStatus::Resolved, AlertStatus::Firing];

#[test]
fn a_monitor_that_goes_on_and_off_is_a_bounded_number_of_lines_and_each_of_its_words_counts_at_once() {
    let mut world = World::flapping(OnResolved::Note, false);
    let before = world.events.len();
    for n in 0..1200 {
        world.pass(Duration::from_secs(3));
        let status = TURN[n % 2];
        world.alert(Alert { status, ..alert() });
        assert_eq!(world.incident.all_clear_at.is_some(), status == AlertStatus::Resolved, "its last word counts: {n}");
    }
    let lines = world.events.len() - before;
    assert!(lines < LINES_AN_HOUR, "{lines} lines for 1200 alerts");
    assert_eq!((world.incident.alerts, world.incident.all_clears()), (601, 600), "each is counted");
    assert_eq!(world.all_clears_in_the_journal() + world.pending_all_clears(), 600);
    // The last word is an all-clear, and is in the journal when it is time.
    world.alert(Alert { status: AlertStatus::Resolved, ..alert() });
    let cleared_at = world.incident.all_clear_at;
    world.pass_ticking(TOLD_AFTER_MAX);
    assert_eq!((world.folded(), world.incident.repeats.clone()), (world.incident.clone(), None));
    assert!(cleared_at.is_some() && world.folded().all_clear_at == cleared_at);
    assert_eq!(world.all_clears_in_the_journal(), 601);
}

#[test]
fn a_day_of_going_on_and_off_is_bounded_for_each_hour() {
    let mut world = World::flapping(OnResolved::Note, false);
    let (before, hours) = (world.events.len(), 24);
    for n in 0..hours * 120_u64 {
        world.now = START + Duration::from_secs(30 * n);
        let alert = Arc::new(Alert { status: TURN[n as usize % 2], ..alert() });
        let events = step(&mut world.incident, IncidentInput::Alert(alert), &roster(), world.now);
        world.events.extend(events.into_iter().map(|event| (world.now, event)));
    }
    let lines = world.events.len() - before;
    let most = hours as usize * LINES_AN_HOUR / 2;
    assert!(lines < most, "{lines} lines in {hours} hours of {CHANGES_WITHIN:?}");
}

#[test]
fn a_key_that_goes_on_and_off_within_an_overflow_is_bounded_and_the_last_all_clear_ends_it() {
    for resolved in [OnResolved::Note, OnResolved::Resolve] {
        let mut world = World::flapping(resolved, true);
        let before = world.events.len();
        for n in 0..600 {
            world.pass(Duration::from_secs(3));
            world.counted("1", TURN[n % 2]);
            assert_eq!(world.incident.overflow.as_ref().unwrap().over(), usize::from(n % 2 == 0));
        }
        let lines = world.events.len() - before;
        assert!(lines < LINES_AN_HOUR, "{resolved:?}: {lines} lines for 600 alerts");
        assert_eq!((world.incident.alerts, world.incident.all_clears()), (302, 300), "each is counted");
        assert!(world.incident.is_open());
        // Another key is not silenced by that, and its word is journaled whole.
        world.counted("2", AlertStatus::Firing);
        assert!(world.events.iter().rev().take(5).any(|(_, event)| matches!(event, Event::Overflowed { .. })));
        for key in ["0", "1", "2"] {
            world.counted(key, AlertStatus::Resolved);
        }
        let over = match resolved {
            OnResolved::Note => world.incident.all_clear_at.is_some(),
            OnResolved::Resolve => !world.incident.is_open(),
        };
        assert!(over, "{resolved:?}: every key is over");
        assert_eq!(world.all_clears_in_the_journal() + world.pending_all_clears(), 303);
    }
}

#[test]
fn a_line_about_keys_of_an_overflow_says_how_many_of_them_are_firing() {
    for (last, now) in [(AlertStatus::Resolved, "now 0 of 1 key(s) firing"), (AlertStatus::Firing, "now 1 of 1 key(s)")]
    {
        let mut world = World::flapping(OnResolved::Note, true);
        for n in 0..60 {
            world.pass(Duration::from_secs(3));
            world.counted("1", TURN[n % 2]);
        }
        world.counted("1", last);
        world.pass_ticking(CHANGES_WITHIN);
        let told = world.events.iter().rev().find(|(_, event)| matches!(event, Event::Repeated { .. }));
        let told = sentence(&told.expect("it is told").1);
        assert!(told.contains(now), "{last:?}: {told}");
    }
}

#[test]
fn a_monitor_that_is_silent_and_back_all_the_time_is_a_bounded_number_of_lines() {
    let mut world = World::flapping(OnResolved::Note, false);
    let before = world.events.len();
    for _ in 0..900 {
        world.alert(Alert { lease_until: Some(world.now + Duration::from_secs(1)), ..alert() });
        world.pass_ticking(Duration::from_secs(4));
    }
    let is_of_alerts =
        |event: &Event| matches!(event, Event::SourceSilent { .. } | Event::Joined { .. } | Event::Repeated { .. });
    let lines = world.events.iter().skip(before).filter(|(_, event)| is_of_alerts(event)).count();
    assert!(lines < LINES_AN_HOUR, "{lines} lines for 900 alerts");
    world.pass_ticking(CHANGES_WITHIN);
    assert!(world.incident.silent_since.is_some(), "it is silent, and that is said");
}
