//! Each check is able to fail: the tape of a sound run is altered as a fault of the engine would alter it, and the
//! checker must notice.

#[path = "request_mutants.rs"]
mod request_mutants;

use super::{
    fixture::START,
    laws::{Laws, Seen},
    world::World,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use stentor::core::{
    Actor, Answer, Event, IncidentId, JournalRecord, PageId, PagePurpose, Roster, SendOutcome, Timestamp,
    event::StepReason,
};

/// Seeds whose tapes are tried: not every tape has what every fault needs.
const SEEDS: usize = 48;

/// A fault: what it does to a tape, and whether the tape had what it needs.
type Fault = fn(&mut Vec<Seen>) -> bool;

const FAULTS: [(&str, &str, Fault); 32] = [
    ("an alert that was accepted is in no line", "law 1", |tape| {
        drop_first(tape, |e| matches!(e, Event::Joined { .. }))
    }),
    ("pages are never born", "law 1", |tape| drop_all(tape, |e| matches!(e, Event::Paged { .. }))),
    ("a role never enters its step", "law 2", |tape| drop_all(tape, |e| matches!(e, Event::StepEntered { .. }))),
    ("a ladder does not move", "law 2", a_ladder_does_not_move),
    ("what waits for a layer is not opened", "law 2", what_waits_is_not_opened),
    ("the store forgets a deadline", "law 2", |tape| the_store_forgets_a_deadline(tape)),
    ("a role is entered twice", "law 2", |tape| repeat_first(tape, |e| matches!(e, Event::RoleEntered { .. }))),
    ("a withdrawn page starts", "law 3", a_withdrawn_page_starts),
    ("what is stale stays queued", "law 3", |tape| repeat_page(tape)),
    ("a role is engaged without an answer", "law 4", |tape| drop_all(tape, |e| matches!(e, Event::Answered { .. }))),
    ("nobody said what was answered", "law 4", nobody_said_it),
    ("a role is covered by one that is not behind it", "law 4", |tape| {
        has(tape, |e| matches!(e, Event::Covered { .. })) && drop_all(tape, |e| matches!(e, Event::HandedOver { .. }))
    }),
    ("a role is engaged twice", "law 5", |tape| repeat_first(tape, |e| matches!(e, Event::Engaged { .. }))),
    ("nobody is told how it ended", "law 5", |tape| drop_all(tape, tells)),
    ("somebody hands back what nobody has", "law 4", |tape| repeat_first(tape, is_hand_back)),
    ("a role is handed back without a word", "law 4", |tape| {
        has(tape, is_hand_back) && drop_all(tape, |e| matches!(e, Event::Answered { answer: Answer::Unable, .. }))
    }),
    ("what was handed back is asked of nobody", "law 2", nobody_is_asked_again),
    ("nobody hears of a hand-back", "law 5", nobody_hears_of_a_hand_back),
    ("a page that was sent is noted as never sent", "law 5", sent_and_noted_unsent),
    ("a drill goes on beside the real thing", "law 6", |tape| {
        drop_all(tape, |e| matches!(e, Event::Resolved { by: Actor::Crisis(_), .. }))
    }),
    ("a drill opens beside the real thing", "law 6", |tape| a_drill_opens(tape)),
    ("a page of a drill starts beside the real thing", "law 6", a_drill_pages),
    ("the store holds another state", "law 8", |tape| another_state(tape)),
    ("a line is altered", "law 8", |tape| a_line_is_altered(tape)),
    ("how a page ended is lost", "law 10", |tape| drop_first(tape, accepted)),
    ("a page is sent again without a crash", "law 10", sent_again),
    ("a provider's wish to wait is not kept", "pace", not_held_back),
    ("a card is never edited", "rooms", |tape| {
        drop_all(tape, |e| matches!(e, Event::Paged { page } if matches!(page.purpose, PagePurpose::RoomUpdate { .. })))
    }),
    ("a room is sent two things at once", "rooms", two_at_once),
    ("nobody is told of what can not be read", "law 17", |tape| without_line(tape, "\"event\":\"quarantined\"")),
    ("the operators are not paged about what can not be read", "law 17", |tape| {
        drop_first(tape, |e| matches!(e, Event::Opened(opening) if opening.key.as_str().contains("unreadable/")))
    }),
    ("what can not be read keeps its deadline", "law 2", |tape| {
        let before = tape.len();
        tape.retain(|seen| !matches!(seen, Seen::SetAside { .. }));
        tape.len() < before
    }),
];

/// Whatever the fault, some tape has what it needs, and on it the law that it breaks is found broken.
pub fn check_all() {
    let mut unnoticed = unnoticed(World::new, &FAULTS);
    unnoticed.extend(self::unnoticed(World::asking, &request_mutants::FAULTS));
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

fn unnoticed(world: fn(u64) -> World, faults: &[(&str, &'static str, Fault)]) -> Vec<String> {
    let mut tapes: Vec<(Vec<Seen>, Arc<Roster>)> = Vec::new();
    let missed = faults.iter().filter(|(_, law, fault)| {
        !(0..SEEDS).any(|seed| {
            if seed == tapes.len() {
                tapes.push(tape_of(world(seed as u64)));
            }
            is_noticed(&tapes[seed], law, *fault)
        })
    });
    missed.map(|(what, law, _)| format!("{what}: nobody notices that {law} is broken")).collect()
}

fn is_noticed((tape, roster): &(Vec<Seen>, Arc<Roster>), law: &'static str, fault: Fault) -> bool {
    let (mut altered, mut laws) = (tape.clone(), Laws::only(roster.clone(), law));
    if !fault(&mut altered) {
        return false;
    }
    altered.iter().for_each(|seen| laws.see(seen));
    laws.broken().is_some()
}

fn tape_of(mut world: World) -> (Vec<Seen>, Arc<Roster>) {
    world.tape = Some(Vec::new());
    assert_eq!(world.run(), None, "a tape is sound before it is altered");
    (world.tape.unwrap(), Arc::new(world.live.matrix.roster.clone()))
}

fn event(seen: &Seen) -> Option<(IncidentId, Event)> {
    let Seen::Line(line) = seen else { return None };
    let id = line.chain.parse().ok()?;
    let record: JournalRecord = serde_json::from_str(&line.body).ok()?;
    Some((id, record.event))
}

fn find(tape: &[Seen], is: impl Fn(&Event) -> bool) -> Option<(usize, IncidentId, Event)> {
    tape.iter().enumerate().find_map(|(at, seen)| {
        let (id, event) = event(seen)?;
        is(&event).then_some((at, id, event))
    })
}

fn has(tape: &[Seen], is: impl Fn(&Event) -> bool) -> bool {
    find(tape, is).is_some()
}

fn drop_first(tape: &mut Vec<Seen>, is: impl Fn(&Event) -> bool) -> bool {
    let found = find(tape, is).map(|(at, ..)| drop(tape.remove(at)));
    found.is_some()
}

fn drop_all(tape: &mut Vec<Seen>, is: impl Fn(&Event) -> bool) -> bool {
    let before = tape.len();
    tape.retain(|seen| !event(seen).is_some_and(|(_, event)| is(&event)));
    tape.len() < before
}

fn without_line(tape: &mut Vec<Seen>, words: &str) -> bool {
    let found = tape.iter().position(|seen| matches!(seen, Seen::Line(line) if line.body.contains(words)));
    found.map(|at| drop(tape.remove(at))).is_some()
}

fn repeat_first(tape: &mut Vec<Seen>, is: impl Fn(&Event) -> bool) -> bool {
    let Some((at, ..)) = find(tape, is) else { return false };
    tape.insert(at, tape[at].clone());
    true
}

/// Something is sent into a room while something else is under way there.
fn two_at_once(tape: &mut Vec<Seen>) -> bool {
    let born = |seen: &Seen| match event(seen) {
        Some((incident, Event::Paged { page })) if page.person.is_none() => Some(PageId { incident, n: page.n }),
        _ => None,
    };
    let posts: BTreeSet<PageId> = tape.iter().filter_map(born).collect();
    let starts: Vec<(usize, u64, PageId)> = tape
        .iter()
        .enumerate()
        .filter_map(|(at, seen)| match seen {
            Seen::Started { node, page, .. } => Some((at, *node, *page)),
            _ => None,
        })
        .filter(|(.., page)| posts.contains(page))
        .collect();
    // The later one starts before anybody knows how the earlier one ended.
    let pair = starts.iter().find_map(|(first, node, page)| {
        let mut later = starts
            .iter()
            .filter(|(at, by, other)| first < at && by == node && other.incident == page.incident && other.n != page.n);
        Some((*first, later.next()?.0, *page))
    });
    let Some((first, second, page)) = pair else { return false };
    let ends = |seen: &Seen| match event(seen) {
        Some((incident, Event::Settled { page: n, .. })) => incident == page.incident && n == page.n,
        _ => false,
    };
    let kept = tape[first..second].iter().filter(|seen| !ends(seen)).cloned().collect::<Vec<_>>();
    tape.splice(first..second, kept);
    true
}

/// The same brief is born again under another number.
fn repeat_page(tape: &mut Vec<Seen>) -> bool {
    let brief = |event: &Event| matches!(event, Event::Paged { page } if page.purpose.is_brief());
    let Some((at, ..)) = find(tape, brief) else { return false };
    let Seen::Line(mut line) = tape[at].clone() else { return false };
    let mut record: JournalRecord = serde_json::from_str(&line.body).unwrap();
    if let Event::Paged { page } = &mut record.event {
        std::sync::Arc::make_mut(page).n += 100_000;
    }
    line.body = serde_json::to_string(&record).unwrap();
    tape.insert(at, Seen::Line(line));
    true
}

fn tells(event: &Event) -> bool {
    let ending = |purpose: &PagePurpose| {
        matches!(purpose, PagePurpose::Taken { .. } | PagePurpose::Resolved | PagePurpose::StoodDown)
    };
    matches!(event, Event::Paged { page } if ending(&page.purpose))
}

fn is_hand_back(event: &Event) -> bool {
    matches!(event, Event::HandedBack { .. })
}

/// The ladder does not go on: the step that follows a hand-back is never entered.
fn nobody_is_asked_again(tape: &mut Vec<Seen>) -> bool {
    let Some((at, ..)) = find(tape, is_hand_back) else { return false };
    let enters = |seen: &Seen| matches!(event(seen), Some((_, Event::StepEntered { why: StepReason::HandedBack, .. })));
    let next = tape.iter().skip(at).position(enters);
    next.map(|after| drop(tape.remove(at + after))).is_some()
}

/// The briefs and words that a hand-back bears are never born, and the end comes without a word.
fn nobody_hears_of_a_hand_back(tape: &mut Vec<Seen>) -> bool {
    let Some((at, incident, Event::HandedBack { .. })) = find(tape, is_hand_back) else { return false };
    let mut index = 0;
    let before = tape.len();
    tape.retain(|seen| {
        index += 1;
        let born = matches!(event(seen), Some((id, Event::Paged { .. })) if id == incident);
        index <= at || !born
    });
    tape.len() < before
}

fn accepted(event: &Event) -> bool {
    matches!(event, Event::Settled { settlement: SendOutcome::Accepted { .. }, .. })
}

fn a_ladder_does_not_move(tape: &mut Vec<Seen>) -> bool {
    let due = tape.iter().position(|seen| matches!(seen, Seen::NextDeadline(Some(_))));
    let Some(at) = due else { return false };
    let Seen::NextDeadline(Some(deadline)) = tape[at] else { return false };
    let late = deadline + Duration::from_millis(1_001);
    tape.insert(at + 1, Seen::Clock { at: late, able_since: Some(START) });
    true
}

fn what_waits_is_not_opened(tape: &mut Vec<Seen>) -> bool {
    let due = tape.iter().position(|seen| matches!(seen, Seen::NextWait(Some(_))));
    let Some(at) = due else { return false };
    let Seen::NextWait(Some(due)) = tape[at] else { return false };
    tape.insert(at + 1, Seen::Clock { at: due + Duration::from_millis(1_001), able_since: Some(START) });
    true
}

fn the_store_forgets_a_deadline(tape: &mut [Seen]) -> bool {
    let due = tape.iter_mut().find(|seen| matches!(seen, Seen::NextDeadline(Some(_))));
    due.map(|seen| *seen = Seen::NextDeadline(None)).is_some()
}

fn a_withdrawn_page_starts(tape: &mut Vec<Seen>) -> bool {
    let Some((at, incident, Event::Withdrawn { pages })) = find(tape, |e| matches!(e, Event::Withdrawn { .. })) else {
        return false;
    };
    tape.insert(at + 1, Seen::Started { at: START, node: 1, page: PageId { incident, n: pages[0] } });
    true
}

fn nobody_said_it(tape: &mut Vec<Seen>) -> bool {
    tape.retain(|seen| !matches!(seen, Seen::Said { .. }));
    has(tape, |e| matches!(e, Event::Engaged { .. }))
}

fn sent_and_noted_unsent(tape: &mut Vec<Seen>) -> bool {
    let unsent = |event: &Event| matches!(event, Event::Settled { settlement: SendOutcome::Unsent, .. });
    let Some((at, incident, Event::Settled { page, .. })) = find(tape, unsent) else { return false };
    tape.insert(at, Seen::Started { at: START, node: 1, page: PageId { incident, n: page } });
    true
}

fn another_state(tape: &mut [Seen]) -> bool {
    let stored = tape.iter_mut().find_map(|seen| match seen {
        Seen::Stored(incident) if !incident.pages.is_empty() => Some(Arc::make_mut(incident)),
        _ => None,
    });
    let changed = stored.map(|incident| incident.pages.change(1, |page| page.refusals += 1));
    changed.is_some()
}

fn a_line_is_altered(tape: &mut [Seen]) -> bool {
    let line = tape.iter_mut().find_map(|seen| match seen {
        Seen::Line(line) if line.body.contains("\"event\":\"step-entered\"") => Some(line),
        _ => None,
    });
    line.map(|line| line.body.push(' ')).is_some()
}

/// A live incident that opens while another is open was a drill after all.
fn a_drill_opens(tape: &mut [Seen]) -> bool {
    let mut lives = tape.iter_mut().filter_map(|seen| {
        let (_, opened) = event(seen)?;
        matches!(&opened, Event::Opened(opening) if !opening.alert.drill).then_some(seen)
    });
    let (Some(_), Some(Seen::Line(line))) = (lives.next(), lives.next()) else { return false };
    line.body = line.body.replacen("\"drill\":false", "\"drill\":true", 1);
    true
}

/// What a drill had queued starts after the live one opened.
fn a_drill_pages(tape: &mut Vec<Seen>) -> bool {
    let Some((at, incident, _)) = find(tape, |e| matches!(e, Event::Preempted { .. })) else { return false };
    tape.insert(at, Seen::Started { at: START, node: 1, page: PageId { incident, n: 1 } });
    true
}

fn sent_again(tape: &mut Vec<Seen>) -> bool {
    let started = tape.iter().position(|seen| matches!(seen, Seen::Started { .. }));
    started.map(|at| tape.insert(at, tape[at].clone())).is_some()
}

fn not_held_back(tape: &mut Vec<Seen>) -> bool {
    let started = tape.iter().position(|seen| matches!(seen, Seen::Started { .. }));
    let Some(position) = started else { return false };
    let Seen::Started { at, node, page } = tape[position] else { return false };
    let (asked, until) = (Timestamp::from_micros(at.as_micros() - 1_000_000), at + Duration::from_secs(1));
    tape.insert(position, Seen::Throttled { at: asked, node, page, until });
    true
}
