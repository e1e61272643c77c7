//! Reports on handoffs: each figure from incidents whose times are known.

use crate::fixture::{START, alert, opening_of, plan, roster};
use std::time::Duration;
use stentor::{
    core::{
        Actor, Answer, AnswerVia, Ask, AskKind, GivenAnswer, GivenHandoffStep, HandoffReason, HandoffResult,
        HandoffStep, HandoffTerms, HandoffTier, Incident, IncidentId, IncidentInput, JournalRecord, Timestamp,
        handoff::{HandoffSolved, OutOfHours, WordingVariant},
        open, step,
    },
    report::{
        IncidentTimeline, StoryTally,
        handoffs::{HandoffGrouping, HandoffTally},
    },
};

fn at(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

fn asked(variant: WordingVariant, closed: bool) -> Ask {
    let terms = HandoffTerms {
        reason: HandoffReason { code: "asked".into(), text: "the user asked for a person".into() },
        locale: "en".into(),
        variant: Some(variant),
        tier: HandoffTier::Warm,
        after: Duration::from_secs(600),
        packet: "p".into(),
        closed: closed.then(OutOfHours::default),
    };
    Ask {
        kind: AskKind::Handoff,
        question: "who takes it?".into(),
        options: Vec::new(),
        form: None,
        edit: None,
        action: serde_json::Value::Null,
        action_digest: "sha256:1".into(),
        on_behalf_of: None,
        approvals: 1,
        default: None,
        deadline: at(600),
        read_back: None,
        asker: None,
        supersedes: None,
        handoff: Some(terms),
    }
}

/// A handoff to which these things happened, each after so many seconds.
fn story(variant: WordingVariant, closed: bool, inputs: &[(u64, IncidentInput)]) -> IncidentTimeline {
    let mut opening = opening_of("handoff", plan());
    opening.alert = alert().into();
    opening.received_at = START;
    opening.ask = Some(Box::new(asked(variant, closed)));
    let (mut incident, mut events) = {
        let (incident, events) = open(IncidentId(1), opening, &roster(), START);
        (incident, events.into_iter().map(|event| (START, event)).collect::<Vec<_>>())
    };
    for (seconds, input) in inputs {
        let happened = step(&mut incident, input.clone(), &roster(), at(*seconds));
        events.extend(happened.into_iter().map(|event| (at(*seconds), event)));
    }
    let folded = Incident::fold(IncidentId(1), events.iter().map(|(at, event)| (*at, event)));
    assert_eq!(folded.as_ref(), Some(&incident), "the events do not fold to the state");
    let record = |(seq, (at, event)): (u64, (Timestamp, _))| {
        let record = JournalRecord { v: 1, chain: "INC-1".into(), seq, at, event };
        let line = serde_json::to_string(&record).expect("a line");
        assert_eq!(serde_json::from_str::<JournalRecord>(&line).expect("read back"), record, "{line}");
        record
    };
    IncidentTimeline { records: (1..).zip(events).map(record).collect(), incident }
}

fn wilco() -> IncidentInput {
    let first = story(WordingVariant::A, false, &[]);
    let page = first.incident.pages.values().next().expect("a page").clone();
    IncidentInput::Answer(GivenAnswer {
        person: page.person.clone().expect("a person"),
        answer: Answer::Wilco,
        via: AnswerVia::Sms,
        page: Some(page.n),
        role: None,
        origin: None,
    })
}

fn moved(step: HandoffStep) -> IncidentInput {
    let IncidentInput::Answer(said) = wilco() else { unreachable!() };
    IncidentInput::Handoff(GivenHandoffStep { person: said.person, step, via: AnswerVia::Desk, page: None })
}

fn finish(needed: bool) -> IncidentInput {
    let note = Some("noted".into());
    moved(HandoffStep::Finish { result: HandoffResult { needed, solved: HandoffSolved::Yes, note } })
}

fn left() -> IncidentInput {
    IncidentInput::Cancel { by: Actor::Source("bot".into()), why: None }
}

#[test]
fn times_and_shares_are_those_of_what_happened() {
    use WordingVariant::{A, B};
    let mut tally = HandoffTally::new(None, HandoffGrouping::Variant, None);
    let done = |needed| [(30, wilco()), (40, moved(HandoffStep::Connect)), (100, finish(needed))];
    for timeline in [
        story(A, false, &done(true)),
        story(A, false, &done(false)),
        story(A, false, &[(60, wilco()), (61, moved(HandoffStep::Return { note: None }))]),
        story(B, false, &[(20, left())]),
        story(B, false, &[(30, wilco()), (50, left())]),
        story(B, false, &[(601, IncidentInput::Tick)]),
        story(B, true, &[]),
    ] {
        tally.add(&timeline, at(1_000));
    }
    let report = tally.report(at(1_000));
    let [a, b] = &report.groups[..] else { panic!("{report:?}") };
    assert_eq!((a.name.as_str(), a.handoffs, a.returned), ("a", 3, 1));
    assert_eq!((a.taken.time, a.connected.time, a.done.time), (Some(30.0), Some(40.0), Some(100.0)));
    assert_eq!((a.left.count, a.left.of, a.not_needed.count, a.not_needed.of), (0, 3, 1, 2));
    // One who left after a person had it did not leave before; what came out of hours waited for nobody.
    assert_eq!((b.handoffs, b.out_of_hours, b.left.count, b.left.of), (4, 1, 1, 3));
    assert_eq!((b.unanswered.count, b.unanswered.of), (1, 3));
    assert!(b.left.interval.is_some_and(|interval| interval.low < 1.0 / 3.0 && 1.0 / 3.0 < interval.high));
    assert_eq!((report.whole.handoffs, report.whole.taken.time), (7, Some(30.0)));
    assert_eq!(report.whole.connected.time, None, "most were never connected: no median");
}

#[test]
fn drills_are_left_out() {
    let mut timeline = story(WordingVariant::A, false, &[]);
    timeline.incident.drill = true;
    let mut tally = HandoffTally::new(None, HandoffGrouping::Reason, None);
    tally.add(&timeline, at(10));
    assert_eq!(tally.report(at(10)).whole.handoffs, 0);
}
