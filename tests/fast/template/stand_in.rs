//! A reader who was asked already, and is asked again for the role that takes over.

use super::{
    crisis::{about, brief_of, flash_crash, later, opened},
    render, says,
};
use crate::fixture;
use std::time::Duration;
use stentor::{
    core::{
        Answer, Event, Incident, IncidentId, IncidentInput, Page, PagePurpose, RoleName, SendOutcome, SendReceipt,
        StandIn, open, step,
    },
    template::{PageTemplates, TextForm},
};

/// The note about who did not answer, in a brief of the head of desk that this person reads.
fn note(unable: &[&str], reader: &str) -> String {
    let mut incident = opened(flash_crash(false));
    for (seconds, person) in unable.iter().enumerate() {
        says(&mut incident, person, Answer::Unable, seconds as u64 + 1);
    }
    let incident = later(incident, 95);
    let brief = brief_of(&incident, "head-of-desk");
    let page = Page { person: Some(reader.into()), ..brief.clone() };
    let body = render(&PageTemplates::shipped(), &incident, &page, TextForm::Screen).body;
    let note = body.lines().nth(1).unwrap_or_default().to_owned();
    // The times are said elsewhere.
    note.split(" since ").next().unwrap().to_owned()
}

#[test]
fn nobody_stands_in_for_themselves() {
    for (unable, reader, expected) in [
        (&[][..], "eli", "No answer from Ana Ruiz and Bo Lind (trader)"),
        (&[], "ana", "No answer from Bo Lind (trader)"),
        (&["ana"], "bo", "You were asked for trader, without an answer"),
        (&["ana", "bo"], "eli", "Ana Ruiz and Bo Lind (trader) can not take it: you stand in."),
        (&["ana", "bo"], "ana", "Bo Lind (trader) can not take it: you stand in."),
    ] {
        assert_eq!(note(unable, reader), expected, "{unable:?} {reader}");
    }
}

/// Ana is asked by the first step, and again by the second together with Bo. What Bo's page says of her, where her pages
/// of the first step and of the second ended so; `None` where they still wait.
fn of_ana(first: &SendOutcome, second: Option<&SendOutcome>) -> String {
    let (roster, trader, ana) = (fixture::roster(), RoleName::from("trader"), "ana".into());
    let (mut incident, _) = open(IncidentId(12), fixture::opening("k"), &roster, fixture::START);
    let mut now = fixture::START;
    for (step_entry, how) in [(1, Some(first)), (2, second)] {
        let waiting = |incident: &Incident| {
            let mut theirs = incident.pages.queued_for(Some(&ana)).filter(|page| page.step_entry == step_entry);
            theirs.find(|page| page.role.as_ref() == Some(&trader) && page.retry_at.is_none()).map(|page| page.n)
        };
        // One that does not get through goes by the next channel.
        while let Some((page, settlement)) = waiting(&incident).zip(how.cloned()) {
            step(
                &mut incident,
                IncidentInput::Settled { page, settlement, sent_at: Some(now), text: None },
                &roster,
                now,
            );
        }
        while step_entry == 1 && incident.engagements[&trader].step_entry == 1 {
            now = incident.deadline().unwrap();
            step(&mut incident, IncidentInput::Tick, &roster, now);
        }
    }
    let briefs = incident.briefs_of(&trader);
    let bo = briefs.filter(|page| page.person == Some("bo".into())).last().expect("Bo is asked").clone();
    let body = render(&PageTemplates::shipped(), &incident, &bo, TextForm::Screen).body;
    let note = body.lines().nth(1).unwrap_or_default().to_owned();
    note.split(" since ").next().unwrap().to_owned()
}

/// Who says that they received it has answered.
#[test]
fn who_received_it_is_not_said_to_be_silent() {
    let mut incident = opened(flash_crash(false));
    says(&mut incident, "ana", Answer::Roger, 1);
    let incident = later(incident, 95);
    let read = |reader: &str, role: &str| {
        let page = Page { person: Some(reader.into()), ..brief_of(&incident, role).clone() };
        render(&PageTemplates::shipped(), &incident, &page, TextForm::Screen).body
    };
    for (reader, role, note) in [
        ("bo", "trader", "Ana Ruiz received it and has not taken it."),
        ("eli", "head-of-desk", "No answer from Bo Lind (trader)"),
        ("bo", "head-of-desk", "You were asked for trader, without an answer"),
    ] {
        let text = read(reader, role);
        assert!(text.contains(note) && !text.contains("No answer from Ana"), "{reader} {role}: {text}");
    }
    let mut incident = incident.clone();
    says(&mut incident, "bo", Answer::Unable, 96);
    let page = brief_of(&incident, "head-of-desk");
    for (reader, note) in [
        ("eli", "Ana Ruiz (trader) received it and has not taken it: you stand in."),
        ("ana", "You received trader and have not taken it. You are asked for head-of-desk now."),
    ] {
        let page = Page { person: Some(reader.into()), ..page.clone() };
        let text = render(&PageTemplates::shipped(), &incident, &page, TextForm::Screen).body;
        assert!(text.contains(note), "{reader}: {text}");
    }
}

#[test]
fn what_became_of_the_messages_of_before_is_said_and_not_of_those_that_go_out_now() {
    let refused = SendOutcome::Unreachable { why: "550 no such number".into() };
    let accepted = SendOutcome::Accepted { receipt: SendReceipt::of("m-1") };
    let kept = SendOutcome::Accepted { receipt: SendReceipt::of_stand_in(StandIn::Sandbox, "sandbox") };
    let until = fixture::START + Duration::from_secs(600);
    let doubtful = SendOutcome::Retry { at: until, why: "no answer in time".into(), unknown: true };
    for (first, second, says) in [
        (&refused, None, "No message to Ana Ruiz got through."),
        (&refused, Some(&refused), "No message to Ana Ruiz got through."),
        (&accepted, None, "No answer from Ana Ruiz"),
        (&accepted, Some(&refused), "No answer from Ana Ruiz"),
        (&doubtful, Some(&refused), "No answer from Ana Ruiz"),
        (&kept, None, "SANDBOX: the message to Ana Ruiz was not sent (sandbox)."),
    ] {
        assert_eq!(of_ana(first, second), says, "{first:?}, then {second:?}");
    }
}

#[test]
fn a_role_that_is_not_needed_any_more_has_nobody() {
    let mut incident = opened(flash_crash(false));
    let room = Page { person: None, role: None, ..brief_of(&incident, "trader").clone() };
    let at = incident.last_at;
    for (n, role) in incident.engagements.clone().keys().cloned().enumerate() {
        let person = "ana".into();
        incident.apply(&if n == 0 { Event::StoodDown { role } } else { Event::Engaged { role, person } }, at);
    }
    let card = about(&room, PagePurpose::RoomCard);
    let card = render(&PageTemplates::shipped(), &incident, &card, TextForm::Slack).body;
    assert!(card.contains("No role is open any more.") && !card.contains("Every role has"), "{card}");
}
