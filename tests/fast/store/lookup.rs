//! What every store finds by an index: it always agrees with what a look at every incident would say.

use super::fixture::{PEOPLE, START};
use super::{
    Dice, World, accepted, all_lines, any_input, folded, open_incident, resolve, says, settled, step, take_over, view,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use stentor::{
    core::{
        Answer, Event, Incident, IncidentId, IncidentKey, IncidentStatus, PageId, PersonName, SendOutcome, SendReceipt,
        StoredLine, Timestamp,
    },
    store::{AskedQuery, AskedStanding, BriefOf, IncidentFilter, Store},
};

promises!(
    every_index_follows_every_event,
    an_incident_is_told_from_one_of_the_same_number_by_its_nonce,
    a_person_in_many_incidents_gets_some_of_each_end_and_the_count,
    a_receipt_names_the_newest_page_of_its_channel,
    portions_go_through_everything_once,
    keys_are_found_by_how_they_begin,
    a_chain_that_is_read_in_portions_is_the_whole_chain,
);

async fn all(store: &dyn Store) -> Vec<Arc<Incident>> {
    store.list(IncidentFilter { open_only: false, limit: usize::MAX }).await.expect("readable")
}

async fn asked(store: &dyn Store, person: &str, standing: AskedStanding) -> Vec<IncidentId> {
    let query = AskedQuery { standing, oldest: false, limit: usize::MAX };
    let asked = store.asked(person.into(), query).await.expect("readable");
    assert_eq!(asked.total, asked.incidents.len());
    asked.incidents
}

/// Everything that is found, held against everything that there is. Of incidents that ended before there was an index, the
/// end is only known to lie between theirs and their last event.
pub async fn agrees(store: &dyn Store, what: &str) {
    let all = all(store).await;
    let open = all.iter().filter(|incident| incident.is_open()).count();
    assert_eq!(store.open_count().await.expect("readable"), open, "{what}");
    assert_eq!(store.newest().await.expect("readable"), all.first().map(|incident| incident.id), "{what}");
    for incident in &all {
        assert_eq!(store.identity(incident.id).await.expect("readable"), Some(incident.identity()), "{what}");
    }
    assert_eq!(store.identity(IncidentId(99_999)).await.expect("readable"), None);
    for person in PEOPLE.map(PersonName::from) {
        let of = |keep: &dyn Fn(&Incident) -> bool| {
            let theirs = all.iter().filter(|incident| incident.has_asked(&person) && keep(incident));
            theirs.map(|incident| incident.id).collect::<Vec<_>>()
        };
        let (waits, other) = (of(&|i| i.waits_for(&person)), of(&|i| i.is_open() && !i.waits_for(&person)));
        assert_eq!(asked(store, person.as_str(), AskedStanding::Waits).await, waits, "{person} {what}");
        assert_eq!(asked(store, person.as_str(), AskedStanding::Open).await, other, "{person} {what}");
        let ended: BTreeSet<IncidentId> = of(&|i| !i.is_open()).into_iter().collect();
        let found = asked(store, person.as_str(), AskedStanding::EndedSince(START)).await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), ended, "{person} {what}");
        let mut briefs = store.briefs_of(person.clone(), START).await.expect("readable");
        briefs.sort_unstable();
        let mut expected: Vec<BriefOf> = all.iter().flat_map(|incident| briefs_in(incident, &person)).collect();
        expected.sort_unstable();
        assert_eq!(briefs, expected, "{person} {what}");
    }
}

fn briefs_in(incident: &Incident, person: &PersonName) -> Vec<BriefOf> {
    let (waits, open) = (incident.waits_for(person), incident.is_open());
    let theirs = incident.pages.values().filter(|page| page.asks() == Some(person));
    theirs.map(|page| BriefOf { waits, open, brief: incident.page_identity(page.n) }).collect()
}

async fn every_index_follows_every_event(mut world: World) {
    for seed in 11..=13 {
        let mut dice = Dice(seed);
        let mut store = world.node().await;
        let mut ids = vec![open_incident(&*store, &format!("first of {seed}")).await.0];
        for n in 0..120 {
            let id = ids[usize::try_from(dice.roll(ids.len() as u64)).expect("few")];
            match dice.roll(12) {
                0 => ids.push(open_incident(&*store, &format!("{seed} {}", n / 20)).await.0),
                1 => world.hands.pass(Duration::from_millis(dice.roll(90_000))),
                2 if n % 3 == 0 => {
                    store = world.node().await;
                    for (id, pages) in store.orphans(1000).await.expect("readable") {
                        take_over(&*store, id, &pages).await;
                    }
                }
                _ => {
                    let input = any_input(&mut dice, &*view(&*store, id).await, store.now());
                    step(&*store, id, input).await.expect("kept");
                }
            }
            if n % 10 == 0 {
                agrees(&*store, &format!("seed {seed}, step {n}")).await;
            }
        }
        store = world.node().await;
        agrees(&*store, &format!("seed {seed}, after a restart")).await;
    }
}

async fn an_incident_is_told_from_one_of_the_same_number_by_its_nonce(mut world: World) {
    let store = world.node().await;
    let (first, _) = open_incident(&*store, "A").await;
    let (second, _) = open_incident(&*store, "B").await;
    let nonce = async |id| store.identity(id).await.expect("readable").expect("an incident").nonce.expect("a nonce");
    let (of_first, of_second) = (nonce(first).await, nonce(second).await);
    assert_ne!(of_first, of_second);
    assert_eq!(view(&*store, first).await.nonce, Some(of_first));
    let lines = all_lines(&*store).await;
    let opened = lines.iter().find(|line| line.chain == "INC-1").expect("a line");
    assert!(opened.body.contains(&format!("\"nonce\":\"{of_first}\"")), "{}", opened.body);
    assert!(!opened.body.contains(&of_second.to_string()));
    // It stays what it was: over every event, over a restart, in the journal.
    step(&*store, first, resolve()).await.expect("resolved");
    let store = world.node().await;
    assert_eq!(view(&*store, first).await.nonce, Some(of_first));
    assert_eq!(folded(&*store, first).await.nonce, Some(of_first));
    // The same key opened again is another incident.
    let (third, committed) = open_incident(&*store, "A").await;
    let Event::Opened(opening) = &committed.events[0].event else { panic!("{committed:?}") };
    assert!(third != first && opening.nonce.is_some_and(|nonce| nonce != of_first && nonce != of_second));
}

async fn a_person_in_many_incidents_gets_some_of_each_end_and_the_count(mut world: World) {
    let store = world.node().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(open_incident(&*store, &format!("key {n}")).await.0);
    }
    let look = async |standing, oldest, limit| {
        let asked = store.asked("ana".into(), AskedQuery { standing, oldest, limit }).await.expect("readable");
        (asked.incidents, asked.total)
    };
    assert_eq!(look(AskedStanding::Waits, false, 2).await, (vec![ids[6], ids[5]], 7));
    assert_eq!(look(AskedStanding::Waits, true, 2).await, (vec![ids[0], ids[1]], 7));
    assert_eq!(look(AskedStanding::Waits, true, 0).await, (vec![], 7));
    step(&*store, ids[0], says("ana", Answer::Unable)).await.expect("passed on");
    step(&*store, ids[1], says("ana", Answer::Wilco)).await.expect("engaged");
    assert_eq!(look(AskedStanding::Waits, true, 2).await, (vec![ids[2], ids[3]], 5));
    assert_eq!(look(AskedStanding::Open, false, 9).await, (vec![ids[1], ids[0]], 2));
    world.hands.pass(Duration::from_secs(60));
    for id in &ids[..2] {
        step(&*store, *id, resolve()).await.expect("resolved");
    }
    let ended_at = |incident: &Incident| match incident.status {
        IncidentStatus::Resolved { at, .. } => at,
        IncidentStatus::Open => panic!("{} is open", incident.id),
    };
    let at = ended_at(&*view(&*store, ids[0]).await);
    assert_eq!(look(AskedStanding::Open, false, 9).await, (vec![], 0));
    assert_eq!(look(AskedStanding::EndedSince(at), false, 1).await, (vec![ids[1]], 2));
    assert_eq!(look(AskedStanding::EndedSince(at), true, 1).await, (vec![ids[0]], 2));
    let later = Timestamp::from_micros(at.as_micros() + 1);
    assert_eq!(look(AskedStanding::EndedSince(later), false, 9).await, (vec![], 0));
    assert_eq!(store.briefs_of("ana".into(), later).await.expect("readable").len(), 2 * 5);
    assert_eq!(store.briefs_of("nobody".into(), START).await.expect("readable"), []);
}

async fn a_receipt_names_the_newest_page_of_its_channel(mut world: World) {
    let store = world.node().await;
    let mut of = Vec::new();
    for key in ["A", "B", "C"] {
        let (id, _) = open_incident(&*store, key).await;
        let sms = super::page_of(&*view(&*store, id).await, "ana", "sms");
        of.push(PageId { incident: id, n: sms });
    }
    let find =
        async |channel: &str, id: &str| store.page_by_receipt(channel.into(), id.into()).await.expect("readable");
    let taken = |id: &str| SendOutcome::Accepted { receipt: SendReceipt { id: id.into(), ..SendReceipt::default() } };
    assert_eq!(find("sms", "m-1").await, None);
    step(&*store, of[0].incident, settled(of[0].n, taken("m-1"))).await.expect("settled");
    step(&*store, of[1].incident, settled(of[1].n, taken("m-\u{0}2 \"'"))).await.expect("settled");
    assert_eq!((find("sms", "m-1").await, find("sms", "m-\u{0}2 \"'").await), (Some(of[0]), Some(of[1])));
    assert_eq!((find("mail", "m-1").await, find("sms", "m-").await, find("sms", "").await), (None, None, None));
    // An id that a provider gives again means the newer page; the end of an incident takes nothing away.
    step(&*store, of[2].incident, settled(of[2].n, taken("m-1"))).await.expect("settled");
    step(&*store, of[1].incident, resolve()).await.expect("resolved");
    let store = world.node().await;
    let find = async |id: &str| store.page_by_receipt("sms".into(), id.into()).await.expect("readable");
    assert_eq!((find("m-1").await, find("m-\u{0}2 \"'").await), (Some(of[2]), Some(of[1])));
}

async fn portions_go_through_everything_once(mut world: World) {
    let store = world.node().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(open_incident(&*store, &format!("key {n}")).await.0);
    }
    step(&*store, ids[3], resolve()).await.expect("resolved");
    ids.reverse();
    for (open_only, limit) in [(false, 1), (false, 3), (false, 7), (true, 3), (true, 6), (true, 100)] {
        let (mut seen, mut before, mut portions) = (Vec::new(), None, 0);
        loop {
            let portion = store.portion(IncidentFilter { open_only, limit }, before).await.expect("readable");
            assert!(portion.incidents.len() <= limit);
            seen.extend(portion.incidents.iter().map(|incident| incident.id));
            portions += 1;
            before = portion.before;
            if before.is_none() {
                break;
            }
        }
        let expected: Vec<IncidentId> = ids.iter().copied().filter(|id| !open_only || *id != ids[3]).collect();
        assert_eq!(seen, expected, "open only: {open_only}, {limit} at once");
        assert!(portions <= expected.len() / limit + 1);
    }
}

async fn keys_are_found_by_how_they_begin(mut world: World) {
    let store = world.node().await;
    let mut ids = Vec::new();
    for key in ["chan/sms", "chan0", "chan/", "chan", "chan/\u{10ffff}x", "Chan/sms", "chan/mail"] {
        ids.push(open_incident(&*store, key).await.0);
    }
    step(&*store, ids[6], resolve()).await.expect("resolved");
    let found = async |prefix: &str| store.open_under(prefix.into()).await.expect("readable");
    assert_eq!(found("chan/").await, [ids[2], ids[0], ids[4]], "by their keys, open ones alone");
    assert_eq!(found("chan/sms").await, [ids[0]]);
    assert_eq!((found("nothing").await, found("").await.len()), (vec![], 6));
    step(&*store, ids[0], settled(1, accepted())).await.expect("settled");
    assert_eq!(found("chan/").await.len(), 3);
    // Keys of an older program are found as they are made today.
    let (of_channel, _) = open_incident(&*store, "channel/sms").await;
    assert_eq!(found(IncidentKey::CHANNELS).await, [of_channel]);
}

async fn a_chain_that_is_read_in_portions_is_the_whole_chain(mut world: World) {
    let store = world.node().await;
    let (first, _) = open_incident(&*store, "A").await;
    let (second, _) = open_incident(&*store, "B").await;
    for n in 1..=4 {
        for id in [first, second] {
            step(&*store, id, settled(n, accepted())).await.expect("settled");
        }
    }
    for id in [first, second] {
        let whole = store.lines(Some(id.to_string()), 0, usize::MAX).await.expect("lines");
        assert!(8 < whole.len());
        for limit in [1, 3, whole.len(), 100] {
            let mut read = Vec::new();
            loop {
                let after = read.last().map_or(0, |line: &StoredLine| line.pos);
                let more = store.lines(Some(id.to_string()), after, limit).await.expect("lines");
                if more.is_empty() {
                    break;
                }
                read.extend(more);
            }
            assert_eq!(read, whole, "{limit} at once");
        }
        // From a place that is another chain's, too.
        let between = whole[3].pos + 1;
        let rest = store.lines(Some(id.to_string()), between, 100).await.expect("lines");
        assert_eq!(rest, whole.into_iter().filter(|line| between < line.pos).collect::<Vec<_>>());
    }
}
