//! A message that its channel did not take asked nobody, and no text says that it did.

use super::*;
use std::time::Duration;
use stentor::core::{HeldWhy, Timestamp};

fn settled(incident: &mut Incident, n: u32, settlement: SendOutcome) {
    let now = incident.last_at;
    let input = IncidentInput::Settled { page: n, settlement, sent_at: Some(now), text: None };
    step(incident, input, &roster(), now);
}

fn briefs_to(incident: &Incident, person: &str) -> Vec<u32> {
    let theirs =
        |page: &&Arc<Page>| page.purpose.is_brief() && page.person.as_ref().is_some_and(|p| p.as_str() == person);
    incident.pages.values().filter(theirs).map(|page| page.n).collect()
}

fn refused() -> SendOutcome {
    SendOutcome::Unreachable { why: "no such number".into() }
}

fn busy(at: Timestamp, unknown: bool) -> SendOutcome {
    SendOutcome::Retry { at: at + Duration::from_secs(1), why: "the gateway is busy".into(), unknown }
}

#[test]
fn what_was_refused_is_never_called_asked_and_says_what_became_of_it() {
    let incident = opened(flash_crash(false));
    let n = brief_of(&incident, "trader").n;
    let at = incident.last_at;
    let of = |settlement: SendOutcome| {
        let mut incident = incident.clone();
        settled(&mut incident, n, settlement);
        trail(&incident)
    };
    let now = of(refused());
    assert!(now.contains(" is being asked for trader by desk (not accepted), "), "another channel is tried: {now}");
    assert!(
        of(busy(at, false)).contains(" is being asked for trader by desk (not accepted)"),
        "{}",
        of(busy(at, false))
    );
    assert!(of(busy(at, true)).contains(" was asked for trader by desk (perhaps sent)"), "{}", of(busy(at, true)));
    let mut gone = incident.clone();
    for _ in 0..5 {
        briefs_to(&gone, "ana").into_iter().for_each(|n| settled(&mut gone, n, refused()));
    }
    let gone = trail(&gone);
    assert!(gone.contains(" could not be asked for trader by desk (not accepted), "), "{gone}");
    let closed = SendOutcome::Held { until: at + Duration::from_secs(300), why: HeldWhy::DeskClosed };
    assert!(of(closed.clone()).contains(" is being asked for trader by desk (not open)"), "{}", of(closed));
    // What a drill held back and brought later was read then.
    let mut late = incident.clone();
    settled(
        &mut late,
        n,
        SendOutcome::Accepted { receipt: SendReceipt::of_stand_in(StandIn::Drill, "injected: late") },
    );
    assert!(trail(&late).contains(" was to be asked for trader by desk (injected)"), "{}", trail(&late));
    let stage = stentor::core::page::PageStage::Delivered;
    step(&mut late, IncidentInput::Reported { page: n, stage }, &roster(), at);
    assert!(!trail(&late).contains("(injected)") && trail(&late).contains("was asked for trader by desk"));
    let mut arrived = incident.clone();
    settled(&mut arrived, n, SendOutcome::Accepted { receipt: SendReceipt::of("m1") });
    step(&mut arrived, IncidentInput::Undelivered { page: n, why: "rejected".into() }, &roster(), at);
    assert!(trail(&arrived).contains("desk (did not arrive)"), "{}", trail(&arrived));
}

#[test]
fn a_step_that_reached_nobody_is_not_said_to_be_without_an_answer() {
    let mut incident = opened(flash_crash(false));
    // Every page to her is refused, by one channel after the other, until the ladder goes on without her.
    for _ in 0..5 {
        for n in briefs_to(&incident, "ana") {
            settled(&mut incident, n, refused());
        }
    }
    let later = later(incident, 200);
    let told: Vec<String> = later
        .pages
        .values()
        .filter(|page| page.purpose.is_brief() && page.role.as_ref().is_some_and(|role| role.as_str() != "compliance"))
        .map(|page| render(&PageTemplates::shipped(), &later, page, TextForm::Mail).body)
        .collect();
    assert!(!told.iter().any(|text| text.contains("No answer from Ana Ruiz")), "{told:#?}");
    assert!(told.iter().any(|text| text.contains("No message to Ana Ruiz")), "{told:#?}");
}

#[test]
fn who_received_it_and_then_passed_it_on_is_not_said_to_have_received_it() {
    let mut incident = opened(flash_crash(false));
    let others = |incident: &Incident| {
        let brief = brief_of(incident, "trader");
        let other = Page { person: Some("zoe".into()), ..brief.clone() };
        render(&PageTemplates::shipped(), incident, &other, TextForm::Mail).body
    };
    says(&mut incident, "ana", Answer::Roger, 1);
    assert!(others(&incident).contains("received it and has not taken it"), "{}", others(&incident));
    says(&mut incident, "ana", Answer::Unable, 2);
    assert!(!others(&incident).contains("received it and"), "{}", others(&incident));
}
