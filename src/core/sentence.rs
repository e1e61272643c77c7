//! Events as sentences, for log lines, timelines and audit trails. Each sentence can be read on its own.
//!
//! There are two voices. Logs, and whatever is compared with the matrix or with other lines, have ids of roles and people
//! and the words of the journal ([`sentence`]): an id stays the same when somebody is given another name. People read
//! names, and answers as their buttons have them ([`told`]): as those of a question, where one is asked.

use crate::core::{
    answer::{Answer, AnswerVerdict, HAND_BACK},
    answer_via::AnswerVia,
    choice_verdict::ChoiceVerdict,
    decision_words::{decided, done},
    display_names::{DisplayNames, Ids},
    event::{Event, StepReason},
    event_words::{clock, led_to_of_question, paged, repeated, said_to_question, settled},
    handoff_words,
    page::PageStage,
    printable::one_line,
    request::{AskKind, RequestOutcome},
};

/// One sentence that describes an event, on one line, with ids.
pub fn sentence(event: &Event) -> String {
    one_line(&described(event, &Ids)).into_owned()
}

/// The same for people: with names, and with answers as their buttons have them. `asked` is what the incident asks, if it is
/// a request.
pub fn told(event: &Event, asked: Option<AskKind>, names: &dyn DisplayNames) -> String {
    let text = match event {
        Event::Answered { role, person, answer, via, verdict, .. } => {
            let role = role.as_ref().map_or(String::new(), |role| format!(" for {}", names.role(role)));
            let question = asked.filter(|kind| *kind != AskKind::Handoff && *via != AnswerVia::AutoReply);
            let said = question.and_then(|_| said_to_question(*answer, verdict));
            let said = said.map_or_else(|| said_of_role(*answer, verdict), str::to_owned);
            let led_to = question.and_then(|_| led_to_of_question(verdict)).map(str::to_owned);
            let led_to = led_to.or_else(|| led_to_of_role(verdict, names));
            let led_to = led_to.map_or_else(String::new, |led_to| format!(": {led_to}"));
            format!("{} {said}{role} by {via}{led_to}", names.person(person))
        }
        event => described(event, names),
    };
    one_line(&text).into_owned()
}

/// What somebody did who gave this answer.
fn said_of_role(answer: Answer, verdict: &AnswerVerdict) -> String {
    match (answer, verdict) {
        (Answer::Unable, AnswerVerdict::HandedBack) => format!("answered \"{HAND_BACK}\""),
        (Answer::Standby { span }, _) => format!("needs {} more", humantime::format_duration(span)),
        (answer, _) => format!("answered \"{}\"", answer.label()),
    }
}

/// The effect of an answer, as told to everybody; `None` where the answer says it.
fn led_to_of_role(verdict: &AnswerVerdict, names: &dyn DisplayNames) -> Option<String> {
    Some(match verdict {
        AnswerVerdict::Engages | AnswerVerdict::HandedBack => return None,
        AnswerVerdict::Received => "somebody must still take it".into(),
        AnswerVerdict::StandbyGranted { until, .. } => format!("the next step waits until {}", clock(*until)),
        AnswerVerdict::StandbyRefused => "no more time was given".into(),
        AnswerVerdict::Passed => "passed on".into(),
        AnswerVerdict::Yours => "nothing changed, they have it".into(),
        AnswerVerdict::TooLate { has } => format!("too late, {} has it", names.person(has)),
        AnswerVerdict::TookBack { has: None } => "they took their choice back".into(),
        AnswerVerdict::TookBack { has: Some(has) } => {
            format!("they took their choice back; {} has the role", names.person(has))
        }
        AnswerVerdict::Repeated => "they said so before".into(),
        AnswerVerdict::Closed => "it was over".into(),
        AnswerVerdict::NotAsked => "they were not asked for it".into(),
        AnswerVerdict::WhichRole { roles } => {
            let roles: Vec<&str> = roles.iter().map(|role| names.role(role)).collect();
            format!("nothing changed, it may be about {}", roles.join(", "))
        }
    })
}

/// The same for logs, which are kept and copied where the journal is not: without the words of others, which may be about
/// customers. Those are also in keys and kinds. The journal has them.
pub fn log_sentence(event: &Event) -> String {
    let text = match event {
        Event::Opened(opening) => {
            format!("{} incident opened by trigger {}", live_or_drill(opening.alert.drill), opening.plan.trigger)
        }
        Event::Joined { alert } => format!("again: an alert of {}", alert.source),
        Event::Overflowed { alert, .. } => format!("one more, counted here: an alert of {}", alert.source),
        Event::OverflowCleared { source, .. } => {
            format!("monitor {source} says that one of those counted here is over")
        }
        Event::Repeated { count, first_at, last_at, alert, changes } => {
            repeated(*count, (*first_at, *last_at), changes.as_deref(), &format!("an alert of {}", alert.source))
        }
        Event::Raised { decision } => format!("more urgent now: {}", decision.tier),
        Event::Resolved { by, .. } => ended(&by.to_string(), None),
        Event::Judged { by, finding, .. } => format!("{by} says what it was: {finding}"),
        Event::HandoffMoved(moved) => handoff_words::logged(moved),
        Event::RequestEnded { outcome } => format!("the request is {}", outcome.state()),
        event => return sentence(event),
    };
    one_line(&text).into_owned()
}

fn live_or_drill(drill: bool) -> &'static str {
    if drill { "DRILL" } else { "LIVE" }
}

fn described(event: &Event, names: &dyn DisplayNames) -> String {
    match event {
        Event::Opened(opening) => {
            let word = live_or_drill(opening.alert.drill);
            format!("{word} incident opened by trigger {}: {}", opening.plan.trigger, opening.summary)
        }
        Event::Joined { alert } => format!("again: {}", alert.headline()),
        Event::Overflowed { key, alert } => format!("one more, counted here: {key}: {}", alert.headline()),
        Event::OverflowCleared { key, source } => format!("monitor {source} says that {key} is over"),
        Event::Repeated { count, first_at, last_at, alert, changes } => {
            repeated(*count, (*first_at, *last_at), changes.as_deref(), alert.headline())
        }
        Event::AllClear { source } => format!("monitor {source} says that it is over"),
        Event::SourceSilent { lease } => format!("the monitor has been silent since its alert expired at {lease}"),
        Event::Raised { decision } => format!("more urgent now, {}: {}", decision.tier, decision.reasons()),
        Event::RoleEntered { role, instead_of: None } => format!("{} is to be engaged", names.role(role)),
        Event::RoleEntered { role, instead_of: Some(other) } => {
            format!("{} is entered in place of {}", names.role(role), names.role(other))
        }
        Event::StepEntered { role, step, round, on_call, why, .. } => {
            let people: Vec<&str> = on_call.iter().map(|person| names.person(person)).collect();
            let whom = if people.is_empty() { "nobody is on call".to_owned() } else { people.join(", ") };
            let why = match why {
                StepReason::Entered => "",
                StepReason::TimedOut => " after nobody answered in time",
                StepReason::NobodyLeft => " since nobody before could answer any more",
                StepReason::HandedBack => " since it was handed back",
            };
            let again = if *round == 0 { String::new() } else { format!(", round {}", round + 1) };
            format!("{} step {}{again}{why}: {whom}", names.role(role), step + 1)
        }
        Event::StepProlonged { role, until } => {
            format!("{} waits until {until}: the pages of this step are sent late", names.role(role))
        }
        Event::Paged { page } => paged(page, names),
        Event::Settled { page, settlement, .. } => settled(*page, settlement),
        Event::Overdue { page, desk_closed: true, .. } => {
            format!("while page {page} waits for an open desk, the person's next channel is tried, if there is one")
        }
        Event::Overdue { page, early: false, .. } => {
            format!("page {page} is not accepted within its channel's accept timeout")
        }
        Event::Overdue { page, early: true, .. } => {
            format!(
                "page {page} can not be accepted within its channel's accept timeout: its next attempt would be later"
            )
        }
        Event::Unreported { page, within } => {
            let within = humantime::format_duration(within.0);
            format!("page {page} is accepted, and no delivery report came in {within}")
        }
        Event::TakenOver { pages } => {
            format!("{} page(s) were under way when the daemon stopped: some may arrive twice", pages.len())
        }
        Event::Reported { page, stage: PageStage::Delivered, .. } => format!("page {page} was delivered"),
        Event::Reported { page, stage: PageStage::Seen, at_desk: false } => format!("page {page} was seen"),
        Event::Reported { page, stage: PageStage::Seen, at_desk: true } => format!("page {page} was seen on a desk"),
        Event::Undelivered { page, why } => format!("page {page} did not arrive: {why}"),
        Event::Withdrawn { pages } => format!("{} queued page(s) withdrawn", pages.len()),
        Event::Answered { role, person, answer, via, verdict, .. } => {
            let role = role.as_ref().map_or(String::new(), |role| format!(" for {role}"));
            format!("{person} answered {answer}{role} by {via}: {}", judged(verdict))
        }
        Event::Chosen { person, option, answer, changes, via, verdict, .. } => {
            let done = done(option, answer.as_ref(), changes);
            format!("{} {done} by {via}: {}", names.person(person), chosen(verdict))
        }
        Event::HandoffMoved(moved) => handoff_words::told(moved, names.person(&moved.person)),
        Event::Erased { by } => format!("{} erased the conversation", names.actor(by)),
        Event::RequestEnded { outcome } => ended_request(outcome, names),
        Event::Engaged { role, person } => {
            format!("{} is engaged: {} has it", names.role(role), names.person(person))
        }
        Event::Covered { role, by, person } => {
            format!("{} is covered by {}: {} has it", names.role(role), names.role(by), names.person(person))
        }
        Event::StoodDown { role } => {
            format!("{} is stood down: those it stood in for have answered", names.role(role))
        }
        Event::HandedBack { role, person } => {
            format!("{} handed {} back: it is open again", names.person(person), names.role(role))
        }
        Event::Reopened { role, of, person } => {
            format!("{} is open again: {} handed {} back", names.role(role), names.person(person), names.role(of))
        }
        Event::HandedOver { role, next } => format!("nobody has {}: {} takes over", names.role(role), names.role(next)),
        Event::Exhausted { role } => {
            format!("{} is exhausted: its last step repeats until somebody answers", names.role(role))
        }
        Event::Injected { page, fault } => format!("page {page}: {fault}"),
        Event::Preempted { by } => format!("the drill is broken off: {by} is real"),
        Event::Resolved { by, why } => ended(&names.actor(by), why.as_deref()),
        Event::Judged { by, finding, note: None } => format!("{} says what it was: {finding}", names.actor(by)),
        Event::Judged { by, finding, note: Some(note) } => {
            format!("{} says what it was: {finding} ({note})", names.actor(by))
        }
    }
}

/// Who ended an incident, and why if they said so.
pub fn ended(by: &str, why: Option<&str>) -> String {
    why.map_or_else(|| format!("resolved by {by}"), |why| format!("resolved by {by}: {why}"))
}

/// The effect of an answer, as told to the person who gave it.
pub fn judged(verdict: &AnswerVerdict) -> String {
    match verdict {
        AnswerVerdict::Engages => "you have it".into(),
        AnswerVerdict::Received => "received; the role still needs somebody who takes it".into(),
        AnswerVerdict::StandbyGranted { until, .. } => format!("you have until {}", clock(*until)),
        AnswerVerdict::StandbyRefused => "no standby left for this role".into(),
        AnswerVerdict::Passed => "passed on".into(),
        AnswerVerdict::HandedBack => "you handed it back".into(),
        AnswerVerdict::Yours => "you have it already, nothing was changed; say unable to hand it back".into(),
        AnswerVerdict::TooLate { has } => format!("too late: {has} has it"),
        AnswerVerdict::TookBack { has: None } => "your choice is taken back".into(),
        AnswerVerdict::TookBack { has: Some(has) } => format!("your choice is taken back; {has} has the role"),
        AnswerVerdict::Repeated => "you said so before".into(),
        AnswerVerdict::Closed => "the incident is over".into(),
        AnswerVerdict::NotAsked => "you were not asked for this".into(),
        AnswerVerdict::WhichRole { roles } => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            format!("which role? you were asked for {}", roles.join(", "))
        }
    }
}

/// The effect of a choice, as told to the person who made it.
pub fn chosen(verdict: &ChoiceVerdict) -> String {
    match verdict {
        ChoiceVerdict::Decides => "it is decided".into(),
        ChoiceVerdict::Counts { missing: 1 } => "it counts; one more person must agree".into(),
        ChoiceVerdict::Counts { missing } => format!("it counts; {missing} more people must agree"),
        ChoiceVerdict::Repeated => "you said so before".into(),
        ChoiceVerdict::TooLate { outcome: RequestOutcome::Superseded { changed, .. } } => {
            format!("the facts have changed since this page ({changed}): nothing was counted; answer the new page")
        }
        ChoiceVerdict::TooLate { outcome } => format!("too late: {}", ended_request(outcome, &Ids)),
        ChoiceVerdict::NotAsked => "you were not asked for this".into(),
        ChoiceVerdict::NotDecider { roles } => format!("nothing was counted: only {roles} can decide this. Find them"),
        ChoiceVerdict::OnBehalf => "it is asked on your behalf, so somebody else must decide it".into(),
        ChoiceVerdict::Stale => "the question has changed since this page: nothing was counted".into(),
        ChoiceVerdict::NotRepeated { fact } => format!("nothing was counted: repeat {fact} with your choice"),
        ChoiceVerdict::Doubted { why } => {
            format!("nothing was counted yet, because it contradicts the facts: {why}. Choose it again if you mean it")
        }
        ChoiceVerdict::NoSuchOption => "there is no such option".into(),
    }
}

/// How a request ended.
pub fn ended_request(outcome: &RequestOutcome, names: &dyn DisplayNames) -> String {
    match outcome {
        RequestOutcome::Decided { option, by, answer, edited } => {
            let by: Vec<&str> = by.iter().map(|person| names.person(person)).collect();
            let changes = edited.as_ref().map_or(&[][..], |edited| &edited.changes);
            decided(option, answer.as_ref(), changes, &by.join(" and "))
        }
        RequestOutcome::Defaulted { option } => format!("nobody decided in time: the default {option} took effect"),
        RequestOutcome::Expired => "nobody decided in time: it expired".into(),
        RequestOutcome::Superseded { by, changed } => {
            format!("the facts changed ({changed}): it is asked anew as {}", by.incident)
        }
        RequestOutcome::Cancelled { why: None } => "it was withdrawn".into(),
        RequestOutcome::Cancelled { why: Some(why) } => format!("it was withdrawn: {why}"),
        RequestOutcome::Completed { by, result } => {
            format!("{} finished it: {}", names.person(by), handoff_words::finished(result))
        }
        RequestOutcome::Returned { by, note: None } => format!("{} gave it back to the machine", names.person(by)),
        RequestOutcome::Returned { by, note: Some(note) } => {
            format!("{} gave it back to the machine: {note}", names.person(by))
        }
        RequestOutcome::Unanswered { out_of_hours: false } => "nobody took it in time".into(),
        RequestOutcome::Unanswered { out_of_hours: true } => "it came out of hours: nobody was asked".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{names::PersonName, names::RoleName};
    use std::time::Duration;

    struct Named;

    impl DisplayNames for Named {
        fn role<'a>(&'a self, _: &'a RoleName) -> &'a str {
            "Equities trader"
        }

        fn person<'a>(&'a self, person: &'a PersonName) -> &'a str {
            if person.as_str() == "ana" { "Ana Ruiz" } else { "Bo Lind" }
        }
    }

    #[test]
    fn people_read_names_and_the_words_of_buttons_and_logs_have_ids_and_the_words_of_the_journal() {
        let standby = Answer::Standby { span: Duration::from_secs(180) };
        for (answer, verdict, for_people, for_logs) in [
            (
                Answer::Wilco,
                AnswerVerdict::Engages,
                "answered \"I have it\"",
                "answered wilco for r1 by sms: you have it",
            ),
            (
                Answer::Roger,
                AnswerVerdict::Received,
                "answered \"Received\"",
                "answered roger for r1 by sms: received; the role still needs somebody who takes it",
            ),
            (
                standby,
                AnswerVerdict::StandbyRefused,
                "needs 3m more",
                "answered standby 3m for r1 by sms: no standby left for this role",
            ),
            (
                Answer::Unable,
                AnswerVerdict::Passed,
                "answered \"I can't, pass on\"",
                "answered unable for r1 by sms: passed on",
            ),
            (
                Answer::Unable,
                AnswerVerdict::HandedBack,
                "answered \"Hand it back\"",
                "answered unable for r1 by sms: you handed it back",
            ),
        ] {
            let event = Event::Answered {
                role: Some("r1".into()),
                person: "ana".into(),
                answer,
                via: AnswerVia::Sms,
                page: None,
                channel: None,
                origin: None,
                verdict,
            };
            for asked in [None, Some(AskKind::Handoff)] {
                let read = told(&event, asked, &Named);
                assert!(read.starts_with(&format!("Ana Ruiz {for_people} for Equities trader by sms")), "{read}");
            }
            assert_eq!(sentence(&event), format!("ana {for_logs}"));
        }
        let taken = Event::Engaged { role: "r1".into(), person: "bo".into() };
        assert_eq!(told(&taken, None, &Named), "Equities trader is engaged: Bo Lind has it");
    }

    #[test]
    fn what_is_said_to_a_question_is_told_in_words_that_fit_it() {
        use {Answer::*, AnswerVerdict::*, AnswerVia::*};
        for (answer, via, verdict, words) in [
            (Unable, Sms, Closed, "said no or unable by sms: too late, nothing changed"),
            (Wilco, Sms, Closed, "said yes or wilco by sms: too late, nothing changed"),
            (Roger, Cli, Closed, "answered \"Received\" by command line: too late, nothing changed"),
            (Wilco, Desk, Received, "said yes or wilco by desk: nothing is decided by that"),
            (Roger, Sms, Received, "answered \"Received\" by sms: nothing is decided by that"),
            (Unable, Sms, Passed, "answered \"I can't, pass on\" by sms: passed on"),
            (Unable, Sms, Repeated, "answered \"I can't, pass on\" by sms: they said so before"),
            (Unable, AutoReply, Closed, "answered \"I can't, pass on\" by automatic reply: it was over"),
        ] {
            let (person, role, page) = ("ana".into(), None, None);
            let event = Event::Answered { role, person, answer, via, page, channel: None, origin: None, verdict };
            let read = told(&event, Some(AskKind::Form), &Named);
            assert_eq!(read, format!("Ana Ruiz {words}"));
        }
    }

    #[test]
    fn a_page_that_can_not_be_in_time_is_not_said_to_be_late_and_old_journals_keep_their_words() {
        let written =
            serde_json::to_string(&Event::Overdue { page: 4, early: true, desk_closed: false }).expect("JSON");
        let early: Event = serde_json::from_str(&written).expect("an event");
        let says = "page 4 can not be accepted within its channel's accept timeout: its next attempt would be later";
        assert_eq!(sentence(&early), says);
        let old: Event = serde_json::from_str(r#"{"event":"overdue","page":4}"#).expect("an event");
        assert_eq!(sentence(&old), "page 4 is not accepted within its channel's accept timeout");
    }
}
