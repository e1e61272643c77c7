//! A step waits for people, and does not pass somebody to whom nothing was sent yet.

use crate::fixture::{START, crowd, opening_of};
use std::time::Duration;
use stentor::core::{
    self, Event, HeldWhy, Incident, IncidentId, IncidentInput, Roster, SendOutcome, SendReceipt, Timestamp,
};

/// Two people on three channels, and a wait of ten minutes.
fn opened() -> (Incident, Roster) {
    let (plan, roster) = crowd(2);
    let (incident, _) = core::open(IncidentId(1), opening_of("k", plan), &roster, START);
    assert_eq!(incident.pages.len(), 6);
    (incident, roster)
}

fn after(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

fn settled(incident: &mut Incident, roster: &Roster, page: u32, settlement: SendOutcome, sent_at: Option<Timestamp>) {
    let now = sent_at.unwrap_or(after(1));
    core::step(incident, IncidentInput::Settled { page, settlement, sent_at, text: None }, roster, now);
}

/// What a tick at this time does to the ladder, where these pages wait in the queue: when it is due next, or nothing if
/// it moves.
fn prolonged(incident: &mut Incident, roster: &Roster, seconds: u64, unsent: &[u32]) -> Option<Timestamp> {
    let mut events = core::step(incident, IncidentInput::Unsent { pages: unsent.to_vec() }, roster, after(seconds));
    events.extend(core::step(incident, IncidentInput::Tick, roster, after(seconds)));
    let until = events.iter().find_map(|event| match event {
        Event::StepProlonged { until, .. } => Some(*until),
        _ => None,
    });
    let moved = events.iter().any(|event| matches!(event, Event::StepEntered { .. }));
    assert_ne!(until.is_some(), moved, "{events:?}");
    until
}

const ALL: [u32; 6] = [1, 2, 3, 4, 5, 6];

#[test]
fn a_step_whose_pages_all_wait_in_our_queue_goes_on_for_twice_its_wait_at_most() {
    let (mut incident, roster) = opened();
    for seconds in [600, 750, 900, 1050] {
        assert_eq!(prolonged(&mut incident, &roster, seconds, &ALL), Some(after(seconds + 150)));
        assert_eq!(incident.engagements["trader"].deadline, Some(after(seconds + 150)));
    }
    assert_eq!(prolonged(&mut incident, &roster, 1200, &ALL), None);
}

#[test]
fn a_step_of_which_anything_was_sent_or_is_held_elsewhere_moves_in_time() {
    let (mut incident, roster) = opened();
    assert_eq!(prolonged(&mut incident, &roster, 600, &ALL[1..]), None);
    let (mut incident, roster) = opened();
    let held = SendOutcome::Held { until: after(900), why: HeldWhy::Provider };
    settled(&mut incident, &roster, 1, held, None);
    assert_eq!(prolonged(&mut incident, &roster, 600, &ALL), None);
    let (mut incident, roster) = opened();
    let accepted = SendOutcome::Accepted { receipt: SendReceipt::default() };
    settled(&mut incident, &roster, 1, accepted, Some(after(100)));
    assert_eq!(prolonged(&mut incident, &roster, 600, &ALL[1..]), None);
}

#[test]
fn a_step_waits_from_its_first_attempt_if_that_came_late() {
    for (sent, until) in [(200, 800), (590, 1190), (599, 1199)] {
        let (mut incident, roster) = opened();
        let accepted = SendOutcome::Accepted { receipt: SendReceipt::default() };
        settled(&mut incident, &roster, 4, accepted.clone(), Some(after(sent)));
        assert_eq!(prolonged(&mut incident, &roster, 600, &[]), Some(after(until)), "sent after {sent} s");
        // Once that wait is over, the ladder moves.
        assert_eq!(prolonged(&mut incident, &roster, until, &[]), None);
    }
}
