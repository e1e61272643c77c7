//! Post-mortems and reports say what happened and no more: each story is known to the second.

use crate::fixture::{START, TWO_PEOPLE, opening_of, parsed, plan, roster};
use std::time::Duration;
use stentor::{
    core::{
        Actor, Answer, AnswerVia, DrillTerms, EngagementTarget, EscalationPlan, GivenAnswer, HeldWhy, Incident,
        IncidentId, IncidentInput, JournalRecord, Page, PersonName, RoleName, SendOutcome, SendReceipt, Timestamp,
        open, step,
    },
    drill::analysis::incident_replay::{NoQuestion, question},
    report::{
        IncidentTexts, IncidentTimeline, ReviewProposal, StoryTally, TteGrouping, TteQuestion, TteTally,
        group::GroupReport, postmortem::postmortem,
    },
    template::document::DocumentTemplates,
};

fn at(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

/// One incident with its journal.
struct Story {
    incident: Incident,
    records: Vec<JournalRecord>,
    now: Timestamp,
}

impl Story {
    fn of(plan: EscalationPlan, terms: Option<DrillTerms>) -> Self {
        let mut opening = opening_of("k", plan);
        if terms.is_some() {
            let mut alert = crate::fixture::alert();
            alert.drill = true;
            opening.alert = alert.into();
        }
        opening.terms = terms;
        let (incident, events) = open(IncidentId(1), opening, &roster(), START);
        let mut story = Self { incident, records: Vec::new(), now: START };
        story.record(events);
        story
    }

    /// The trader's role alone, with its steps and its `next`.
    fn of_trader() -> Self {
        Self::of(EscalationPlan { required: vec!["trader".into()], ..plan() }, None)
    }

    fn record(&mut self, events: Vec<stentor::core::Event>) {
        for event in events {
            let seq = self.records.len() as u64 + 1;
            self.records.push(JournalRecord { v: 1, chain: "INC-1".into(), seq, at: self.now, event });
        }
    }

    fn step(&mut self, seconds: u64, input: IncidentInput) {
        self.now = at(seconds);
        let events = step(&mut self.incident, input, &roster(), self.now);
        self.record(events);
    }

    /// Its timers run until then.
    fn pass(&mut self, seconds: u64) {
        while let Some(due) = self.incident.deadline().filter(|due| *due <= at(seconds)) {
            let due = due.since(START).as_secs();
            self.step(due, IncidentInput::Tick);
        }
    }

    /// How the attempt with each queued page by this channel ends.
    fn settle(&mut self, seconds: u64, channel: &str, how: &SendOutcome) {
        let by = |page: &&Page| page.channel.as_str() == channel;
        let queued: Vec<u32> = self.incident.pages.queued().filter(by).map(|page| page.n).collect();
        for page in queued {
            let sent_at = (!matches!(how, SendOutcome::Held { .. })).then(|| at(seconds));
            self.step(seconds, IncidentInput::Settled { page, settlement: how.clone(), sent_at, text: None });
        }
    }

    fn says(&mut self, seconds: u64, person: &str, answer: Answer, page: Option<u32>) {
        let via = if page.is_some() { AnswerVia::Sms } else { AnswerVia::Cli };
        let said = GivenAnswer { person: person.into(), answer, via, page, role: None, origin: None };
        self.step(seconds, IncidentInput::Answer(said));
    }

    fn resolve(&mut self, seconds: u64) {
        self.step(seconds, IncidentInput::Resolve { by: Actor::Person("ana".into()), why: None });
    }

    /// The newest brief for this person by this channel.
    fn brief(&self, person: &str, channel: &str) -> u32 {
        let person = PersonName::from(person);
        let theirs = |page: &&Page| {
            page.purpose.is_brief() && page.person.as_ref() == Some(&person) && page.channel.as_str() == channel
        };
        self.incident.pages.values().map(|page| &**page).rfind(theirs).expect("a brief").n
    }

    fn timeline(&self) -> IncidentTimeline {
        IncidentTimeline { incident: self.incident.clone(), records: self.records.clone() }
    }

    fn post_mortem(&self, seconds: u64) -> String {
        let proposal = ReviewProposal { diff: None, why: "none was tried".into() };
        let documents = DocumentTemplates::shipped().expect("they are sound");
        postmortem(&self.timeline(), &IncidentTexts::default(), &proposal, &documents, at(seconds))
            .expect("it is written")
            .markdown
    }

    fn groups(&self, by: TteGrouping) -> Vec<GroupReport> {
        let mut tally = TteTally::new(TteQuestion { by, ..TteQuestion::default() });
        tally.add(&self.timeline(), self.now);
        tally.report(self.now).figures.groups
    }

    /// The groups that have an engagement.
    fn engaged(&self, by: TteGrouping) -> Vec<String> {
        let engaged = self.groups(by).into_iter().filter(|group| group.engaged == 1);
        engaged.map(|group| group.name).collect()
    }
}

fn accepted() -> SendOutcome {
    SendOutcome::Accepted { receipt: SendReceipt::of("m-1") }
}

fn refused(until: u64) -> SendOutcome {
    SendOutcome::Retry { at: at(until), why: "503 busy".into(), unknown: false }
}

fn unknown(until: u64) -> SendOutcome {
    SendOutcome::Retry { at: at(until), why: "no answer in time".into(), unknown: true }
}

fn closed(until: u64) -> SendOutcome {
    SendOutcome::Held { until: at(until), why: HeldWhy::DeskClosed }
}

fn says(text: &str, words: &str) {
    assert!(text.contains(words), "{words:?} is missing:\n{text}");
}

fn says_not(text: &str, words: &str) {
    assert!(!text.contains(words), "{words:?} is said:\n{text}");
}

#[test]
fn only_pages_that_were_accepted_or_may_have_been_asked_anybody() {
    for (how, asked) in [
        (refused(30), "asked nobody: none of 3 page(s) for 1 role(s) reached anybody"),
        (unknown(30), "asked 1 person(s) for 1 role(s) with 1 of 3 page(s), by sms"),
        (accepted(), "asked 1 person(s) for 1 role(s) with 1 of 3 page(s), by sms"),
    ] {
        let mut story = Story::of_trader();
        story.settle(1, "desk", &closed(400));
        story.settle(2, "sms", &how);
        story.resolve(10);
        let text = story.post_mortem(20);
        says(&text, asked);
    }
}

/// The text of a page that was refused is in the record, and nobody was shown it.
#[test]
fn what_was_refused_was_not_shown() {
    for (how, shown) in [(refused(30), false), (unknown(30), true), (accepted(), true)] {
        let mut story = Story::of_trader();
        let page = story.brief("ana", "sms");
        let text = Some("0123abcd".to_owned());
        story.step(2, IncidentInput::Settled { page, settlement: how, sent_at: Some(at(2)), text });
        story.resolve(10);
        let text = story.post_mortem(20);
        assert_eq!(text.contains("T1, not shown"), !shown, "{text}");
        assert_eq!(text.contains("**not shown to anybody**"), !shown, "{text}");
    }
}

#[test]
fn a_page_that_the_desk_accepted_later_was_shown() {
    let mut story = Story::of_trader();
    story.settle(1, "desk", &closed(60));
    story.settle(2, "sms", &accepted());
    story.pass(30);
    story.settle(44, "desk", &accepted());
    story.resolve(50);
    let text = story.post_mortem(60);
    says_not(&text, "show ana a page by desk: their desk was not open");
    says(&text, "show ana a page by desk at once: their desk was opened 44.0 s later");
    let mut never = Story::of_trader();
    never.settle(1, "desk", &closed(60));
    never.pass(30);
    never.resolve(50);
    says(&never.post_mortem(60), "show ana a page by desk: their desk was not open");
}

#[test]
fn an_announcement_tells_nobody_how_it_ended() {
    let mut story = Story::of_trader();
    story.settle(1, "sms", &accepted());
    story.settle(1, "desk", &accepted());
    let mut announced = story.incident.pages[&story.brief("ana", "sms")].as_ref().clone();
    announced.n = story.incident.pages.last_number() + 1;
    announced.purpose = stentor::core::PagePurpose::Announced;
    let event = stentor::core::Event::Paged { page: announced.into() };
    story.incident.apply(&event, story.now);
    story.record(vec![event]);
    let text = story.post_mortem(5);
    says_not(&text, "told people that it is over");
    says(&text, "announced it: 1 of 1 message(s) were accepted by a channel");
    story.says(9, "ana", Answer::Wilco, Some(story.brief("ana", "sms")));
    story.settle(10, "sms", &accepted());
    let text = story.post_mortem(15);
    says(&text, "told people who has it: ");
    says_not(&text, " of 3 message(s)");
}

/// The trader's role is to be had in so many seconds.
fn promised(within: u64) -> EscalationPlan {
    let mut plan = EscalationPlan { required: vec!["trader".into()], ..plan() };
    let row = plan.roles.get_mut(&RoleName::from("trader")).expect("the trader's");
    row.target = Some(EngagementTarget { within: Duration::from_secs(within), percent: 90.0 });
    plan
}

/// A matrix of now in which the role is still there.
const ROLES: &str = r#"
[role.trader]
step = [{ page = ["ana"], by = ["sms"], wait = "45s" }]
[trigger.flash-crash]
on = ["price_velocity"]
roles = ["trader"]
"#;

/// Nothing has happened since the target passed, so the journal's last line is before it.
#[test]
fn a_target_that_has_passed_is_missed_in_the_table_and_in_the_search_for_a_change() {
    let matrix = parsed(&(TWO_PEOPLE.to_owned() + ROLES), START);
    let mut story = Story::of(promised(20), None);
    story.settle(1, "sms", &accepted());
    let asked = |story: &Story, seconds| question(&story.timeline(), &matrix, at(seconds)).err();
    assert_eq!(asked(&story, 10), Some(NoQuestion::NotKnown));
    says_not(&story.post_mortem(10), "**no** |");
    assert_eq!(asked(&story, 30), None, "there is something to look for");
    says(&story.post_mortem(30), "**no** |");
    story.says(15, "ana", Answer::Wilco, Some(story.brief("ana", "sms")));
    assert_eq!(asked(&story, 30), Some(NoQuestion::InTime));
    says(&story.post_mortem(30), "| yes |");
}

/// Ana has it and hands it back; then she answers with the code of the first message after all. The ladder has asked
/// others by the same channel since, and none of them answered.
#[test]
fn an_answer_to_a_page_of_before_is_none_to_the_pages_of_now() {
    let mut story = Story::of_trader();
    story.settle(1, "sms", &accepted());
    let first = story.brief("ana", "sms");
    story.says(5, "ana", Answer::Wilco, Some(first));
    story.says(20, "ana", Answer::Unable, Some(first));
    story.settle(21, "sms", &accepted());
    assert_ne!(story.brief("bo", "sms"), first, "bo is asked now");
    story.says(30, "ana", Answer::Wilco, Some(first));
    assert_eq!(story.engaged(TteGrouping::Role), ["trader"]);
    assert_eq!(story.engaged(TteGrouping::Channel), Vec::<String>::new());
    assert_eq!(story.engaged(TteGrouping::Step), Vec::<String>::new());
}

/// The command line names no page. Where one step alone asked the person it is that one; where two did, nobody knows.
#[test]
fn an_answer_that_names_no_page_is_of_a_step_only_where_one_asked_its_person() {
    for (until, steps) in [(10, &["trader step 1"][..]), (50, &[])] {
        let mut story = Story::of_trader();
        story.pass(until);
        story.says(until, "ana", Answer::Wilco, None);
        assert_eq!(story.engaged(TteGrouping::Step), steps, "after {until} s");
        assert_eq!(story.engaged(TteGrouping::Channel), Vec::<String>::new());
    }
    let mut story = Story::of_trader();
    story.pass(50);
    story.says(50, "bo", Answer::Wilco, None);
    assert_eq!(story.engaged(TteGrouping::Step), ["trader step 2"], "bo was asked by the second alone");
    let mut story = Story::of_trader();
    story.settle(1, "sms", &accepted());
    let first = story.brief("ana", "sms");
    story.pass(50);
    story.says(51, "ana", Answer::Wilco, Some(first));
    assert_eq!(story.engaged(TteGrouping::Step), ["trader step 1"], "the code was that of the first");
    assert_eq!(story.engaged(TteGrouping::Channel), ["sms"]);
}

/// Who answered with the code of a page that its provider had refused has read it elsewhere.
#[test]
fn a_channel_that_refused_a_page_did_not_bring_its_code() {
    let mut story = Story::of_trader();
    story.settle(1, "sms", &refused(40));
    story.settle(1, "desk", &accepted());
    story.says(5, "ana", Answer::Wilco, Some(story.brief("ana", "sms")));
    assert_eq!(story.engaged(TteGrouping::Channel), Vec::<String>::new());
    let mut story = Story::of_trader();
    story.settle(1, "sms", &unknown(40));
    story.says(5, "ana", Answer::Wilco, Some(story.brief("ana", "sms")));
    assert_eq!(story.engaged(TteGrouping::Channel), ["sms"], "it may have arrived, and the code did");
}

/// What was only tried is not called sent, and nobody is asked about a page that did not arrive.
#[test]
fn a_role_is_reached_by_what_its_people_have_or_may_have() {
    let stories = [
        (refused(15), true, ", never reached", "| trader | - | - |"),
        (unknown(15), true, ", perhaps never reached", "| trader | 2.000 s | - |"),
        (accepted(), false, ", never reached", "| trader | 2.000 s | 2.000 s |"),
        (accepted(), true, "closed by a human |", "| trader | 2.000 s | 2.000 s |"),
    ];
    for (n, (how, arrives, state, stages)) in stories.into_iter().enumerate() {
        let mut story = Story::of_trader();
        story.settle(2, "sms", &how);
        if !arrives {
            let page = story.brief("ana", "sms");
            story.step(3, IncidentInput::Undelivered { page, why: "rejected".into() });
        }
        story.resolve(10);
        let text = story.post_mortem(20);
        says(&text, state);
        says(&text, stages);
        assert_eq!(text.contains("Why did ana not answer?"), n == 3, "{text}");
        let of_role = story.groups(TteGrouping::Role);
        let never = usize::from(state == ", never reached");
        assert_eq!(of_role.first().map(|group| group.ended.never_reached), Some(never), "{text}");
    }
}

#[test]
fn a_desk_that_was_opened_late_is_not_said_to_have_stayed_closed() {
    let mut plan = promised(20);
    plan.roles.get_mut(&RoleName::from("trader")).expect("the trader's").steps.truncate(1);
    let mut story = Story::of(plan, None);
    story.settle(1, "desk", &closed(60));
    story.settle(22, "desk", &accepted());
    story.says(30, "ana", Answer::Wilco, Some(story.brief("ana", "desk")));
    story.resolve(40);
    let text = story.post_mortem(50);
    says(&text, "ana had no desk open at first");
}
