//! Faults of requests: what they do to a tape, and which of laws 12 to 15 they break.

use super::{Fault, drop_all, drop_first, event, find, has, repeat_first};
use crate::simulation::{fixture::START, laws::Seen};
use std::time::Duration;
use stentor::core::{
    Ask, ChoiceVerdict, Event, HandoffStep, HandoffVerdict, IncidentId, JournalRecord, PersonName, RequestOutcome,
    Timestamp,
};

pub(super) const FAULTS: [(&str, &str, Fault); 35] = [
    ("a request ends twice", "law 12", |tape| repeat_first(tape, is_end)),
    ("a request's incident ends and it has no outcome", "law 12", |tape| drop_first(tape, is_end)),
    ("a request's deadline passes", "law 12", a_deadline_passes),
    ("a request that was accepted is nowhere", "law 12", |tape| {
        drop_all(tape, |e| matches!(e, Event::Opened(opening) if opening.ask.is_some()))
    }),
    ("the same key gets another request", "law 12", another_by_its_key),
    ("an outcome can not be read back", "law 12", |tape| {
        read_back(tape, |seen| {
            if let Seen::ReadBack { state, .. } = seen {
                *state = None
            }
        })
    }),
    ("the events of a request tell two outcomes", "law 12", |tape| {
        read_back(tape, |seen| {
            if let Seen::ReadBack { told, .. } = seen {
                told.extend(told.clone())
            }
        })
    }),
    ("the events of a request tell none", "law 12", |tape| {
        read_back(tape, |seen| {
            if let Seen::ReadBack { told, .. } = seen {
                told.clear()
            }
        })
    }),
    ("it is decided without a choice", "law 13", |tape| {
        has(tape, decided) && drop_all(tape, |e| matches!(e, Event::Chosen { .. }))
    }),
    ("nobody said what counts", "law 13", |tape| {
        tape.retain(|seen| !matches!(seen, Seen::Chose { .. }));
        has(tape, counts)
    }),
    ("one of several counts twice", "law 13", |tape| {
        let waits = |e: &Event| matches!(e, Event::Chosen { verdict: ChoiceVerdict::Counts { .. }, .. });
        change(tape, waits, |event| {
            if let Event::Chosen { verdict, .. } = event {
                *verdict = ChoiceVerdict::Decides;
            }
        })
    }),
    ("who was not asked counts", "law 13", a_stranger_counts),
    ("a choice on the page of another counts", "law 13", |tape| {
        verdict_counts(tape, |v| *v == ChoiceVerdict::NotAsked)
    }),
    ("on whose behalf it is asked counts", "law 13", |tape| verdict_counts(tape, |v| *v == ChoiceVerdict::OnBehalf)),
    ("what comes too late counts", "law 13", |tape| {
        verdict_counts(tape, |v| matches!(v, ChoiceVerdict::TooLate { .. }))
    }),
    ("a default that nobody allowed takes effect", "law 13", |tape| {
        outcome(
            tape,
            |o| *o == RequestOutcome::Expired,
            |o| *o = RequestOutcome::Defaulted { option: "approve".into() },
        )
    }),
    ("silence is taken for a denial", "law 13", |tape| {
        outcome(
            tape,
            |o| *o == RequestOutcome::Expired,
            |o| *o = RequestOutcome::Decided { option: "deny".into(), by: Vec::new(), answer: None, edited: None },
        )
    }),
    ("a default is lost", "law 13", |tape| {
        outcome(tape, |o| matches!(o, RequestOutcome::Defaulted { .. }), |o| *o = RequestOutcome::Expired)
    }),
    ("a default takes effect before its deadline", "law 13", |tape| too_early(tape)),
    ("nobody has withdrawn what is cancelled", "law 13", |tape| {
        tape.retain(|seen| !matches!(seen, Seen::Withdrawn { .. }));
        has(tape, |e| matches!(e, Event::RequestEnded { outcome: RequestOutcome::Cancelled { .. } }))
    }),
    ("it is asked anew and nobody has new facts", "law 13", |tape| {
        tape.retain(|seen| !matches!(seen, Seen::NewFacts { .. }));
        has(tape, |e| matches!(e, Event::RequestEnded { outcome: RequestOutcome::Superseded { .. } }))
    }),
    ("a form is decided by what nobody filled in", "law 13", |tape| {
        tape.iter_mut().for_each(|seen| {
            if let Seen::Chose { answer, .. } = seen {
                *answer = None;
            }
        });
        has(tape, |e| matches!(e, Event::RequestEnded { outcome: RequestOutcome::Decided { answer: Some(_), .. } }))
    }),
    ("an action is done as nobody changed it", "law 13", |tape| {
        tape.iter_mut().for_each(|seen| {
            if let Seen::Chose { answer, .. } = seen {
                *answer = None;
            }
        });
        has(tape, |e| matches!(e, Event::RequestEnded { outcome: RequestOutcome::Decided { edited: Some(_), .. } }))
    }),
    ("a form is decided without an answer", "law 13", |tape| {
        outcome(
            tape,
            |o| matches!(o, RequestOutcome::Decided { answer: Some(_), .. }),
            |o| {
                if let RequestOutcome::Decided { answer, .. } = o {
                    *answer = None;
                }
            },
        )
    }),
    ("fewer people are needed than the matrix says", "law 13", |tape| {
        change_ask(tape, |ask| 1 < ask.approvals, |ask| ask.approvals = 1)
    }),
    ("the matrix does not allow the default", "law 13", |tape| {
        change_ask(tape, |ask| ask.default.is_none(), |ask| ask.default = Some("approve".into()))
    }),
    ("the digest is that of another action", "law 14", |tape| {
        change_ask(tape, |ask| ask.action.is_object(), |ask| ask.action = "something else".into())
    }),
    ("a choice counts for what its page did not show", "law 14", |tape| {
        tape.iter_mut().for_each(|seen| {
            if let Seen::Chose { digest, .. } = seen {
                digest.push('0')
            }
        });
        has(tape, counts)
    }),
    ("a choice on an old page counts", "law 14", |tape| verdict_counts(tape, |v| *v == ChoiceVerdict::Stale)),
    ("a conversation is somebody's before they took it", "law 15", |tape| {
        has(tape, connects) && drop_all(tape, |e| matches!(e, Event::Engaged { .. }))
    }),
    ("two people have a conversation", "law 15", two_owners),
    ("alerts hand a conversation over twice", "law 15", |tape| {
        let of_turns = |e: &Event| matches!(e, Event::Opened(o) if o.key.as_str().contains("request/conversation/"));
        let Some((at, ..)) = find(tape, of_turns) else { return false };
        let Seen::Line(mut again) = tape[at].clone() else { return false };
        again.chain = "INC-900".to_owned();
        tape.insert(at + 1, Seen::Line(again));
        true
    }),
    ("a conversation that was passed on is still theirs", "law 15", |tape| {
        let passed = |e: &Event| {
            matches!(e, Event::HandoffMoved(moved)
            if matches!(moved.step, HandoffStep::PassOn { .. }) && moved.verdict == HandoffVerdict::Done)
        };
        has(tape, passed) && drop_all(tape, |e| matches!(e, Event::HandedBack { .. }))
    }),
    ("nobody said that they speak to the user", "law 15", |tape| {
        tape.retain(|seen| !matches!(seen, Seen::Stepped { .. }));
        has(tape, connects)
    }),
    ("who does not have it speaks to the user", "law 15", |tape| {
        let other = |e: &Event| {
            matches!(e, Event::HandoffMoved(moved)
            if moved.step == HandoffStep::Connect && matches!(moved.verdict, HandoffVerdict::NotYours { .. }))
        };
        change(tape, other, |event| {
            if let Event::HandoffMoved(moved) = event {
                moved.verdict = HandoffVerdict::Done;
            }
        })
    }),
];

fn is_end(event: &Event) -> bool {
    matches!(event, Event::RequestEnded { .. })
}

fn counts(event: &Event) -> bool {
    matches!(event, Event::Chosen { verdict, .. } if verdict.counts())
}

fn decided(event: &Event) -> bool {
    matches!(event, Event::RequestEnded { outcome: RequestOutcome::Decided { .. } })
}

fn connects(event: &Event) -> bool {
    matches!(event, Event::HandoffMoved(moved) if moved.step == HandoffStep::Connect && moved.verdict == HandoffVerdict::Done)
}

/// Alters the first of these lines.
fn change(tape: &mut [Seen], is: impl Fn(&Event) -> bool, alter: impl FnOnce(&mut Event)) -> bool {
    change_record(tape, is, |record| alter(&mut record.event))
}

fn change_record(tape: &mut [Seen], is: impl Fn(&Event) -> bool, alter: impl FnOnce(&mut JournalRecord)) -> bool {
    let Some((at, ..)) = find(tape, is) else { return false };
    let Seen::Line(line) = &mut tape[at] else { return false };
    let mut record: JournalRecord = serde_json::from_str(&line.body).unwrap();
    alter(&mut record);
    line.body = serde_json::to_string(&record).unwrap();
    true
}

fn change_ask(tape: &mut [Seen], is: impl Fn(&Ask) -> bool, mut alter: impl FnMut(&mut Ask)) -> bool {
    let opens = |event: &Event| matches!(event, Event::Opened(o) if o.ask.as_deref().is_some_and(&is));
    change(tape, opens, |event| {
        if let Event::Opened(opening) = event {
            opening.ask.as_deref_mut().into_iter().for_each(&mut alter);
        }
    })
}

fn verdict_counts(tape: &mut [Seen], is: impl Fn(&ChoiceVerdict) -> bool) -> bool {
    let chosen = |event: &Event| matches!(event, Event::Chosen { verdict, .. } if is(verdict));
    change(tape, chosen, |event| {
        if let Event::Chosen { verdict, .. } = event {
            *verdict = ChoiceVerdict::Counts { missing: 1 };
        }
    })
}

fn outcome(tape: &mut [Seen], is: impl Fn(&RequestOutcome) -> bool, alter: impl FnOnce(&mut RequestOutcome)) -> bool {
    let ended = |event: &Event| matches!(event, Event::RequestEnded { outcome } if is(outcome));
    change(tape, ended, |event| {
        if let Event::RequestEnded { outcome } = event {
            alter(outcome);
        }
    })
}

fn read_back(tape: &mut [Seen], alter: impl FnOnce(&mut Seen)) -> bool {
    let found = tape.iter_mut().find(|seen| matches!(seen, Seen::ReadBack { .. }));
    found.map(alter).is_some()
}

/// Time goes on and nobody ends it.
fn a_deadline_passes(tape: &mut Vec<Seen>) -> bool {
    let open = |seen: &Seen| match seen {
        Seen::Stored(incident) => incident.request.as_ref().and_then(|request| request.deadline()),
        _ => None,
    };
    let Some((at, due)) = tape.iter().enumerate().find_map(|(at, seen)| Some((at, open(seen)?))) else { return false };
    tape.insert(at + 1, Seen::Clock { at: due + Duration::from_millis(1_001), able_since: Some(START) });
    true
}

fn another_by_its_key(tape: &mut Vec<Seen>) -> bool {
    let asked: Vec<(usize, Seen)> = tape
        .iter()
        .enumerate()
        .filter(|(_, seen)| matches!(seen, Seen::Asked { key: Some(_), .. }))
        .map(|(at, seen)| (at, seen.clone()))
        .collect();
    let id = |seen: &Seen| match seen {
        Seen::Asked { request, .. } => Some(*request),
        _ => None,
    };
    let Some((_, Seen::Asked { key, .. })) = asked.first() else { return false };
    let other = asked.iter().find(|(_, seen)| id(seen) != id(&asked[0].1));
    let Some((at, Seen::Asked { request, .. })) = other else { return false };
    tape.insert(at + 1, Seen::Asked { key: key.clone(), request: *request });
    true
}

fn too_early(tape: &mut [Seen]) -> bool {
    let defaulted = |event: &Event| matches!(event, Event::RequestEnded { outcome: RequestOutcome::Defaulted { .. } });
    change_record(tape, defaulted, |record| {
        record.at = Timestamp::from_micros(record.at.as_micros() - 5_000_000);
    })
}

/// Somebody says it whom nobody asks.
fn a_stranger_counts(tape: &mut Vec<Seen>) -> bool {
    let Some((at, incident, Event::Chosen { option, .. })) = find(tape, counts) else { return false };
    let stranger = PersonName::from("somebody else");
    let shown = tape.iter().find_map(|seen| match seen {
        Seen::Chose { incident: id, digest, .. } if *id == incident => Some(digest.clone()),
        _ => None,
    });
    let Some(digest) = shown else { return false };
    change(&mut tape[at..], counts, |event| {
        if let Event::Chosen { person, page, .. } = event {
            (*person, *page) = (stranger.clone(), None);
        }
    });
    tape.insert(at, Seen::Chose { incident, person: stranger, option, digest, answer: None });
    true
}

/// Somebody takes what another person has taken.
fn two_owners(tape: &mut Vec<Seen>) -> bool {
    let handoffs: Vec<IncidentId> = tape
        .iter()
        .filter_map(event)
        .filter(|(_, event)| matches!(event, Event::Opened(opening) if opening.ask.as_ref().is_some_and(|a| a.handoff.is_some())))
        .map(|(id, _)| id)
        .collect();
    let taken =
        |seen: &Seen| event(seen).is_some_and(|(id, e)| handoffs.contains(&id) && matches!(e, Event::Engaged { .. }));
    let Some(at) = tape.iter().position(taken) else { return false };
    let mut twice = vec![tape[at].clone()];
    change(
        &mut twice,
        |_| true,
        |event| {
            if let Event::Engaged { person, .. } = event {
                *person = PersonName::from("somebody else");
            }
        },
    );
    tape.splice(at + 1..at + 1, twice);
    true
}
