//! Who is on call, and how each person can be reached. This is not frozen: it is resolved when a step is entered, and
//! the result is recorded.

use super::{
    names::{ChannelName, PersonName, RotationName},
    plan::StepTarget,
    schedule::CronSchedule,
    time::Timestamp,
    zone::Zone,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many changes of a rotation are looked at for the next one that puts somebody else on call.
pub const CHANGES_MAX: usize = 64;

/// Turns are counted from this time: on 1 January 2024 it was the first person's turn.
pub const EPOCH: Timestamp = Timestamp::from_micros(1_704_067_200_000_000);

/// The people of the matrix, in the form that ladders need.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    /// What people are called: their names for display.
    pub names: BTreeMap<PersonName, String>,
    /// The channels that reach each person, in the matrix's order.
    pub reach: BTreeMap<PersonName, Vec<ChannelName>>,
    /// The rotations.
    pub rotations: BTreeMap<RotationName, Rotation>,
    /// The channels that are desk pages: an answer or a view at a desk proves these.
    pub screens: BTreeSet<ChannelName>,
}

/// People who take turns and change at each hand-over.
#[derive(Debug, Clone)]
pub struct Rotation {
    people: Vec<PersonName>,
    handoff: CronSchedule,
    zone: Zone,
    overrides: Vec<RotationOverride>,
    /// How many hand-overs one turn lasts; at least 1.
    lasts: usize,
    /// A turn that was already counted, so that look-ups start close to it.
    counted: (Timestamp, usize),
}

/// One person who is on call instead of the person whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationOverride {
    /// The person.
    pub person: PersonName,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends (exclusive).
    pub until: Timestamp,
}

impl Roster {
    /// The people that these entries stand for at `now`: each once, in order.
    pub fn resolve(&self, whom: &[StepTarget], now: Timestamp) -> Vec<PersonName> {
        let mut people = Vec::new();
        for entry in whom {
            let person = match entry {
                StepTarget::Person(person) => Some(person),
                StepTarget::Rotation(name) => self.rotations.get(name).and_then(|rotation| rotation.on_call(now)),
            };
            if let Some(person) = person
                && !people.contains(person)
            {
                people.push(person.clone());
            }
        }
        people
    }

    /// The channels that reach a person.
    pub fn channels(&self, person: &PersonName) -> &[ChannelName] {
        self.reach.get(person).map_or(&[], Vec::as_slice)
    }
}

impl Rotation {
    /// A rotation with its turns counted up to `as_of`. Without people nobody is ever on call.
    pub fn new(
        people: Vec<PersonName>,
        handoff: CronSchedule,
        zone: Zone,
        overrides: Vec<RotationOverride>,
        as_of: Timestamp,
    ) -> Self {
        let mut rotation = Self { people, handoff, zone, overrides, lasts: 1, counted: (EPOCH, 0) };
        rotation.counted = (as_of, rotation.turns_until(as_of));
        rotation
    }

    /// The same with turns that last so many hand-overs each, at least 1.
    pub fn with_turns_of(self, hand_overs: usize) -> Self {
        Self { lasts: hand_overs.max(1), ..self }
    }

    /// Who is on call at `now`: an override that covers `now` (the last one written wins), or else the person whose
    /// turn it is.
    pub fn on_call(&self, now: Timestamp) -> Option<&PersonName> {
        let covers = |o: &&RotationOverride| o.from <= now && now < o.until;
        if let Some(over) = self.overrides.iter().rev().find(covers) {
            return Some(&over.person);
        }
        let len = self.people.len();
        (0 < len).then(|| &self.people[self.turns_until(now) / self.lasts % len])
    }

    /// When somebody else is on call than at `now`, and who. `None` if the next [`CHANGES_MAX`] hand-overs and changes of
    /// overrides leave it as it is.
    pub fn next_change(&self, now: Timestamp) -> Option<(Timestamp, Option<&PersonName>)> {
        let (mut at, before) = (now, self.on_call(now));
        for _ in 0..CHANGES_MAX {
            let edges = self.overrides.iter().flat_map(|over| [over.from, over.until]);
            let next = edges.filter(|edge| at < *edge).chain(self.handoff.next_after(&self.zone, at)).min()?;
            at = next;
            let after = self.on_call(at);
            if after != before {
                return Some((at, after));
            }
        }
        None
    }

    /// Everybody who may be on call at some time: the members and the people in overrides.
    pub fn people(&self) -> impl Iterator<Item = &PersonName> {
        self.people.iter().chain(self.overrides.iter().map(|over| &over.person))
    }

    /// Hand-overs are counted by what the rotation's clock shows: where the clocks skip two of them at once, both count,
    /// and the turn between them has no length. So everybody has the same hours before and after.
    fn turns_until(&self, now: Timestamp) -> usize {
        let (at, turns) = if now < self.counted.0 { (EPOCH, 0) } else { self.counted };
        turns + self.handoff.matches_after(&self.zone, at).take_while(|next| *next <= now).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn weekly(overrides: Vec<RotationOverride>, as_of: &str) -> Rotation {
        Rotation::new(
            vec!["ana".into(), "bo".into()],
            "0 8 * * Mon".parse().expect("a line"),
            crate::core::Zones::bundled().get("Europe/London").expect("a zone"),
            overrides,
            at(as_of),
        )
    }

    #[test]
    fn the_next_change_is_a_hand_over_or_the_edge_of_an_override() {
        let change = |rotation: &Rotation, now: &str| {
            rotation.next_change(at(now)).map(|(at, person)| (at.to_string(), person.map(ToString::to_string)))
        };
        let said = |at: &str, person: &str| Some((super::tests::at(at).to_string(), Some(person.to_owned())));
        let plain = weekly(Vec::new(), "2026-06-02T00:00:00Z");
        let now = "2026-06-02T12:00:00Z";
        let next = if plain.on_call(at(now)).is_some_and(|person| person.as_str() == "ana") { "bo" } else { "ana" };
        assert_eq!(change(&plain, now), said("2026-06-08T07:00:00Z", next));
        // An override for the person who is next: it begins earlier, and the hand-over changes nothing.
        let over = RotationOverride {
            person: next.into(),
            from: at("2026-06-04T10:00:00Z"),
            until: at("2026-06-09T10:00:00Z"),
        };
        let rotation = weekly(vec![over], "2026-06-02T00:00:00Z");
        assert_eq!(change(&rotation, now), said("2026-06-04T10:00:00Z", next));
        assert_eq!(
            change(&rotation, "2026-06-05T10:00:00Z").map(|(at, _)| at),
            Some(at("2026-06-15T07:00:00Z").to_string()),
            "they are on call by the override, then by their turn"
        );
        let alone = Rotation { people: vec!["ana".into()], ..plain };
        assert_eq!(change(&alone, now), None);
    }

    #[test]
    fn turns_change_at_the_hand_over_and_not_before() {
        let rotation = weekly(vec![], "2026-11-20T00:00:00Z");
        let before = rotation.on_call(at("2026-11-23T07:59:59Z")).cloned();
        let after = rotation.on_call(at("2026-11-23T08:00:00Z")).cloned();
        assert_ne!(before, after);
        assert_eq!(before, rotation.on_call(at("2026-11-30T08:00:00Z")).cloned());
    }

    #[test]
    fn the_count_does_not_depend_on_when_the_matrix_was_loaded() {
        let (early, late) = (weekly(vec![], "2024-02-01T00:00:00Z"), weekly(vec![], "2026-11-20T00:00:00Z"));
        for day in ["2024-05-01T00:00:00Z", "2025-03-30T01:30:00Z", "2026-12-25T00:00:00Z"] {
            assert_eq!(early.on_call(at(day)), late.on_call(at(day)), "{day}");
        }
    }

    /// Two people, two hand-overs a day: who has the hour between them has it on every day of the year, whatever the clocks
    /// do.
    #[test]
    fn two_hand_overs_on_one_instant_change_nobodys_hours() {
        for (line, zone, within) in [
            ("0 2,3 * * *", "Europe/Madrid", "02:30"),
            ("0 1,2 * * *", "Europe/London", "01:30"),
            ("0 2,3 * * *", "America/New_York", "02:30"),
            ("0 0,1 * * *", "Africa/Cairo", "00:30"),
            ("0,30 2 * * *", "Australia/Lord_Howe", "02:15"),
            ("0 2,3 * * *", "Asia/Tokyo", "02:30"),
            ("0 8,20 * * *", "Europe/Madrid", "12:00"),
        ] {
            let zone = crate::core::Zones::bundled().get(zone).expect("a zone");
            let people = vec!["ana".into(), "bo".into()];
            // One hand-over an hour at most is a rule of the matrix and not of a rotation.
            let handoff = line.parse().expect("a line");
            let rotation = Rotation::new(people, handoff, zone.clone(), vec![], at("2026-01-01T00:00:00Z"));
            let (mut seen, mut day) = (BTreeMap::new(), chrono::NaiveDate::from_ymd_opt(2026, 1, 2).expect("a day"));
            while day < chrono::NaiveDate::from_ymd_opt(2027, 12, 31).expect("a day") {
                for time in [within, "22:00"] {
                    let wall = day.and_time(time.parse().expect("a time"));
                    let instant = Timestamp::nearest(&crate::core::schedule::first_instant(&zone, wall));
                    let is_skipped = instant.to_utc().with_timezone(&zone).naive_local() != wall;
                    let person = rotation.on_call(instant).expect("somebody").clone();
                    seen.entry(time).or_insert_with(BTreeSet::new).extend((!is_skipped).then_some(person));
                }
                day = day.succ_opt().expect("a day");
            }
            assert!(seen.values().all(|people| people.len() == 1), "{line} in {zone}: {seen:?}");
            assert_ne!(seen[within], seen["22:00"], "{line} in {zone}");
        }
    }

    #[test]
    fn a_turn_may_last_several_hand_overs() {
        let rotation = weekly(vec![], "2026-11-20T00:00:00Z").with_turns_of(2);
        let weeks: Vec<_> = ["2026-11-24", "2026-12-01", "2026-12-08", "2026-12-15", "2026-12-22"]
            .map(|day| rotation.on_call(at(&format!("{day}T12:00:00Z"))).cloned())
            .into();
        let changes = weeks.windows(2).filter(|two| two[0] != two[1]).count();
        assert_eq!(changes, 2, "{weeks:?}");
        assert_eq!(weeks[0], weeks[4]);
    }

    #[test]
    fn an_override_ends() {
        let over = RotationOverride {
            person: "cy".into(),
            from: at("2026-11-24T00:00:00Z"),
            until: at("2026-11-25T00:00:00Z"),
        };
        let rotation = weekly(vec![over], "2026-11-20T00:00:00Z");
        assert_eq!(rotation.on_call(at("2026-11-24T12:00:00Z")).map(PersonName::as_str), Some("cy"));
        assert_ne!(rotation.on_call(at("2026-11-25T00:00:00Z")).map(PersonName::as_str), Some("cy"));
    }
}
