//! What left nobody's machine, what a drill broke on purpose, a desk that was not open and a channel that nobody answered
//! by: each is named as what it is. The reviews are read as a whole, as a compliance officer would.

use super::past::{Past, measured_plan};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use stentor::{
    core::{
        Actor, Answer, AnswerVia, EscalationPlan, FaultKind, GivenAnswer, HeldWhy, IncidentId, IncidentInput, Page,
        RoleName, SendOutcome, SendReceipt, StandIn, StoredLine, Timestamp, drill::BROKEN_OFF,
    },
    engine::history::{chain, each_incident},
    report::{
        IncidentTexts, IncidentTimeline, ReviewProposal, TteGrouping, TteQuestion, TteReport, TteTally,
        after_action::{CutShort, DrillExercise, How, ReviewHypothesis, ReviewVerdict, review},
        gather,
        postmortem::postmortem,
    },
    template::document::DocumentTemplates,
};

fn beside() -> IncidentTexts {
    let names = [("ana", "Ana Ruiz"), ("bo", "Bo Lind"), ("cy", "Cy Moor"), ("ed", "Ed Wax"), ("flo", "Flo Dee")];
    IncidentTexts { names: names.map(|(name, text)| (name.into(), text.to_owned())).into(), texts: BTreeMap::new() }
}

fn exercise(past: &Past, hypotheses: Vec<ReviewHypothesis>, cut_short: Option<CutShort>) -> DrillExercise {
    DrillExercise {
        name: "crash".into(),
        title: "crash (DR-1)".into(),
        about: vec!["ES falls by 7 %".into()],
        announced: cut_short.is_some(),
        started_at: Timestamp::from_micros(past.now().as_micros() - 90_000_000),
        ended_at: past.now(),
        compressed: 1,
        cut_short,
        faults: Vec::new(),
        hypotheses,
        earlier: Vec::new(),
        earlier_left: 0,
        actions: Vec::new(),
        proposal: ReviewProposal { diff: None, why: "none was tried".into() },
    }
}

fn expected(role: &str, verdict: ReviewVerdict, measured: Option<u64>) -> ReviewHypothesis {
    ReviewHypothesis {
        role: RoleName::from(role),
        within: Duration::from_secs(60),
        percent: 90.0,
        verdict,
        measured: measured.map(Duration::from_secs),
        remark: None,
        sandboxed: false,
    }
}

async fn story(past: &Past, id: IncidentId) -> IncidentTimeline {
    IncidentTimeline::read(id, &chain(&*past.store, id).await.unwrap()).unwrap()
}

/// How the attempts with every queued page end.
async fn settle(past: &Past, id: IncidentId, how: impl Fn(&Page) -> Vec<IncidentInput>) {
    let pages = past.pages(id).await;
    let queued = pages.iter().filter(|page| page.state == stentor::core::PageState::Queued);
    past.step(id, queued.flat_map(|page| how(page)).collect()).await;
}

fn settled(past: &Past, page: &Page, settlement: SendOutcome) -> IncidentInput {
    let sent_at = (!matches!(settlement, SendOutcome::Held { .. })).then(|| past.now());
    IncidentInput::Settled { page: page.n, settlement, sent_at, text: Some("0123abcd".into()) }
}

fn accepted(past: &Past, page: &Page) -> IncidentInput {
    settled(past, page, SendOutcome::Accepted { receipt: SendReceipt::of(format!("m-{}", page.n)) })
}

fn kept(past: &Past, page: &Page) -> IncidentInput {
    settled(past, page, SendOutcome::Accepted { receipt: SendReceipt::of_stand_in(StandIn::Sandbox, "sandbox") })
}

/// The sandbox leaves screens alone: they are real, and here closed.
fn in_sandbox(past: &Past, page: &Page) -> Vec<IncidentInput> {
    let is_desk = page.channel.as_str() == "desk";
    vec![if is_desk && page.purpose.is_brief() { not_open(past, page) } else { kept(past, page) }]
}

fn not_open(past: &Past, page: &Page) -> IncidentInput {
    let until = past.now() + Duration::from_secs(300);
    settled(past, page, SendOutcome::Held { until, why: HeldWhy::DeskClosed })
}

/// A channel that its drill has broken: what is said of the page, and how it is settled.
fn injected(page: &Page, fault: FaultKind, at: Timestamp) -> Vec<IncidentInput> {
    let settlement = match &fault {
        FaultKind::Absent { .. } | FaultKind::Delayed { .. } => {
            SendOutcome::Accepted { receipt: SendReceipt::of_stand_in(StandIn::Drill, fault.to_string()) }
        }
        FaultKind::Down { .. } => {
            SendOutcome::Retry { at: at + Duration::from_secs(1), why: fault.to_string(), unknown: false }
        }
        FaultKind::Broken { .. } => SendOutcome::Unreachable { why: fault.to_string() },
    };
    let sent_at = (!fault.asks_no_channel()).then_some(at);
    vec![
        IncidentInput::Injected { page: page.n, fault },
        IncidentInput::Settled { page: page.n, settlement, sent_at, text: None },
    ]
}

async fn answer(past: &Past, id: IncidentId, role: &str, channel: &str, via: AnswerVia, answer: Answer) {
    let pages = past.pages(id).await;
    let page = pages.iter().rev().find(|page| {
        page.purpose.is_brief() && page.role == Some(RoleName::from(role)) && page.channel.as_str() == channel
    });
    let page = page.expect("a brief by this channel");
    let said =
        GivenAnswer { person: page.person.clone().unwrap(), answer, via, page: Some(page.n), role: None, origin: None };
    past.step(id, vec![IncidentInput::Answer(said)]).await;
}

/// A drill whose messages were all kept in the sandbox.
async fn sandboxed(past: &Past, drill: bool) -> IncidentId {
    let id = past.open(measured_plan(), drill).await;
    settle(past, id, |page| in_sandbox(past, page)).await;
    past.hands.pass(Duration::from_secs(9));
    answer(past, id, "trader", "sms", AnswerVia::Sms, Answer::Wilco).await;
    answer(past, id, "compliance", "mail", AnswerVia::MailLink, Answer::Roger).await;
    settle(past, id, |page| in_sandbox(past, page)).await;
    past.hands.pass(Duration::from_secs(51));
    past.step(id, vec![IncidentInput::Tick]).await;
    settle(past, id, |page| in_sandbox(past, page)).await;
    past.hands.pass(Duration::from_secs(5));
    past.resolve(id, None).await;
    settle(past, id, |page| in_sandbox(past, page)).await;
    id
}

fn read(text: &str, says: &[&str], says_not: &[&str]) {
    for words in says {
        assert!(text.contains(words), "{words:?} is missing:\n{text}");
    }
    for words in says_not {
        assert!(!text.contains(words), "{words:?} is said:\n{text}");
    }
}

#[tokio::test]
async fn a_review_and_a_post_mortem_of_the_sandbox_are_evidence_of_nothing_that_was_sent() {
    let past = Past::in_memory();
    let id = sandboxed(&past, true).await;
    let story = story(&past, id).await;
    let documents = DocumentTemplates::shipped().unwrap();
    let held = vec![ReviewHypothesis { sandboxed: true, ..expected("trader", ReviewVerdict::Held, Some(9)) }];
    let exercise = exercise(&past, held, None);
    let written = review(&exercise, std::slice::from_ref(&story), &beside(), &documents, past.now()).unwrap();
    insta::assert_snapshot!("sandbox_review", written.markdown);
    read(
        &written.markdown,
        &["(SANDBOX)", "sent to nobody", "0 of 4 people were told", "not judged: SANDBOX", "| no | - | - | - | no |"],
        &["accepted +", "| yes |", "accepted by sms", "did not answer", "| Sent | Accepted | Delivered | 0."],
    );
    assert!(written.html.contains("<title>DRILL crash (DR-1) (SANDBOX): after-action review</title>"));
    let written = postmortem(&story, &beside(), &ReviewProposal::not_sought(), &documents, past.now()).unwrap();
    read(
        &written.markdown,
        &[
            "# Post-mortem of INC-1 (DRILL) (SANDBOX)",
            "SANDBOX: kept on this machine, sent to nobody",
            "not shown to anybody",
        ],
        &["accepted +", "Why did Ana"],
    );
}

#[tokio::test]
async fn figures_over_many_incidents_leave_the_sandbox_out_and_say_so() {
    let past = Past::in_memory();
    sandboxed(&past, false).await;
    let real = past.open(measured_plan(), false).await;
    past.accept(real, None).await;
    past.pass(real, 20.0).await;
    past.answer(real, "it", Answer::Wilco).await;
    // What asks nobody for anything is no incident.
    past.open(EscalationPlan { required: Vec::new(), roles: BTreeMap::new(), ..measured_plan() }, false).await;
    let report = |sandbox| {
        let past = &past;
        async move {
            let question = TteQuestion { by: TteGrouping::Role, sandbox, ..TteQuestion::default() };
            let (mut tally, now) = (TteTally::new(question), past.now());
            each_incident(&*past.store, gather(&mut tally, now)).await.unwrap();
            tally.report(now)
        }
    };
    let known = |report: &TteReport| (report.figures.incidents, report.sandboxed_left_out, report.figures.sandboxed);
    let trader =
        |report: &TteReport| report.figures.groups.iter().find(|group| group.name == "trader").unwrap().engaged;
    let (without, with) = (report(false).await, report(true).await);
    assert_eq!((known(&without), trader(&without)), ((1, 1, 0), 0));
    assert_eq!((known(&with), trader(&with)), ((2, 0, 1), 1));
}

#[tokio::test]
async fn a_channel_is_credited_with_what_went_by_it_and_nothing_else() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), true).await;
    settle(&past, id, |page| vec![accepted(&past, page)]).await;
    past.hands.pass(Duration::from_secs(8));
    answer(&past, id, "trader", "sms", AnswerVia::Sms, Answer::Wilco).await;
    // A desk shows what came by mail, and it is answered there: that says nothing about the mail.
    let mail = past.pages(id).await.iter().find(|page| page.channel.as_str() == "mail").unwrap().n;
    past.step(id, vec![IncidentInput::ShownAtDesk { page: mail }]).await;
    answer(&past, id, "compliance", "mail", AnswerVia::Desk, Answer::Roger).await;
    past.resolve(id, None).await;
    settle(&past, id, |page| vec![accepted(&past, page)]).await;
    let story = story(&past, id).await;
    let documents = DocumentTemplates::shipped().unwrap();
    let written = review(&exercise(&past, Vec::new(), None), &[story], &beside(), &documents, past.now()).unwrap();
    let contacts = section(&written.markdown, "## Contact procedures that were tested");
    insta::assert_snapshot!("contact_record", contacts);
}

#[tokio::test]
async fn a_desk_that_was_not_open_is_neither_a_fault_nor_a_providers_wish() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), false).await;
    let closed = |page: &Page| page.channel.as_str() == "desk";
    settle(&past, id, |page| vec![if closed(page) { not_open(&past, page) } else { accepted(&past, page) }]).await;
    past.hands.pass(Duration::from_secs(200));
    past.step(id, vec![IncidentInput::Tick]).await;
    settle(&past, id, |page| vec![if closed(page) { not_open(&past, page) } else { accepted(&past, page) }]).await;
    past.resolve(id, None).await;
    let story = story(&past, id).await;
    let documents = DocumentTemplates::shipped().unwrap();
    let text = postmortem(&story, &beside(), &ReviewProposal::not_sought(), &documents, past.now()).unwrap().markdown;
    read(
        &text,
        &[
            "page 1 waits: their desk was not open",
            "show Ana Ruiz a page by desk: their desk was not open",
            "Should the desk page of Ed Wax have been open?",
            "bypassed a desk that was not open",
            "had no desk open",
        ],
        &[
            "provider asked",
            "DID NOT WORK",
            "reach Ana Ruiz by desk",
            "Test the way to Ana Ruiz by desk",
            "Why was desk slow",
        ],
    );
    let written = review(&exercise(&past, Vec::new(), None), &[story], &beside(), &documents, past.now()).unwrap();
    let contacts = section(&written.markdown, "## Contact procedures that were tested");
    read(
        contacts,
        &["| Ana Ruiz | desk |", "| no | - | - | - | no | not open: their desk was not open |"],
        &["DID NOT WORK", "provider asked"],
    );
}

#[tokio::test]
async fn a_page_that_waited_at_our_own_pace_is_no_fault_of_its_channel() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), true).await;
    // Everything by mail and desk goes at once; SMS has its turn when its accept timeout is over, and is taken at once then.
    let paced = |page: &Page| page.channel.as_str() == "sms";
    let at_once = |page: &Page| if paced(page) { vec![] } else { vec![accepted(&past, page)] };
    settle(&past, id, at_once).await;
    past.hands.pass(Duration::from_secs(21));
    past.step(id, vec![IncidentInput::Tick]).await;
    settle(&past, id, at_once).await;
    past.hands.pass(Duration::from_secs(3));
    settle(&past, id, |page| vec![accepted(&past, page)]).await;
    past.resolve(id, None).await;
    settle(&past, id, |page| vec![accepted(&past, page)]).await;
    let story = story(&past, id).await;
    let documents = DocumentTemplates::shipped().unwrap();
    let text = postmortem(&story, &beside(), &ReviewProposal::not_sought(), &documents, past.now()).unwrap().markdown;
    read(
        &text,
        &[
            "bypassed our own pace, at which a page still waited for its turn",
            "to sms within its accept timeout: they waited at our own pace",
            "Is the pace of sms in the matrix what its provider allows?",
            "waited at our own pace",
        ],
        &[
            "a channel that failed",
            "taken by sms within its accept timeout",
            "Why was sms slow or down",
            "did not arrive or came late",
        ],
    );
    let written = review(&exercise(&past, Vec::new(), None), &[story], &beside(), &documents, past.now()).unwrap();
    let contacts = section(&written.markdown, "## Contact procedures that were tested");
    read(
        contacts,
        &["waited at our own pace for longer than its accept timeout"],
        &["DID NOT WORK", "taken later than"],
    );
}

#[tokio::test]
async fn a_channel_that_had_a_page_and_took_its_time_is_named() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), false).await;
    let began = past.now();
    past.hands.pass(Duration::from_secs(21));
    past.step(id, vec![IncidentInput::Tick]).await;
    let late = |page: &Page| match accepted(&past, page) {
        IncidentInput::Settled { page, settlement, text, .. } => {
            vec![IncidentInput::Settled { page, settlement, sent_at: Some(began), text }]
        }
        other => vec![other],
    };
    settle(&past, id, late).await;
    let documents = DocumentTemplates::shipped().unwrap();
    let story = story(&past, id).await;
    let text = postmortem(&story, &beside(), &ReviewProposal::not_sought(), &documents, past.now()).unwrap().markdown;
    read(&text, &["bypassed a channel that failed", "Why was sms slow or down?"], &["our own pace"]);
}

#[tokio::test]
async fn a_mailboxs_own_reply_is_nobodys_word() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), false).await;
    settle(&past, id, |page| vec![accepted(&past, page)]).await;
    past.hands.pass(Duration::from_secs(2));
    answer(&past, id, "trader", "sms", AnswerVia::AutoReply, Answer::Unable).await;
    past.hands.pass(Duration::from_secs(100));
    let of = story(&past, id).await;
    let trader = of.roles(past.now()).into_iter().find(|role| role.role.as_str() == "trader").unwrap();
    assert_eq!(trader.stages.answered, None, "no human had said anything");
    assert_eq!(of.answers().count(), 0);
    let documents = DocumentTemplates::shipped().unwrap();
    let text = postmortem(&of, &beside(), &ReviewProposal::not_sought(), &documents, past.now()).unwrap().markdown;
    read(&text, &["Why did Ana Ruiz not answer?"], &["to answered", "answered to"]);
}

#[tokio::test]
async fn what_of_a_long_incident_is_not_played_again_is_said() {
    use stentor::drill::analysis::incident_replay::left_out;
    let past = Past::in_memory();
    let id = past.open(measured_plan(), false).await;
    past.hands.pass(Duration::from_secs(60));
    past.step(id, vec![IncidentInput::Tick]).await;
    assert_eq!(left_out(&story(&past, id).await), None);
    let first = past.store.view(id).await.unwrap().unwrap().alert.clone();
    // Each of another host: what only repeats itself is counted.
    let of = |host: usize| {
        let mut alert = (*first).clone();
        alert.labels.insert("host".into(), host.to_string());
        IncidentInput::Alert(Arc::new(alert))
    };
    past.step(id, (0..60).map(of).collect()).await;
    assert_eq!(
        left_out(&story(&past, id).await).as_deref(),
        Some("only the first 50 of its 61 alerts were played again")
    );
    past.hands.pass(Duration::from_secs(2 * 3600));
    past.step(id, vec![of(60)]).await;
    let said = left_out(&story(&past, id).await).unwrap();
    assert_eq!(said, "only the first 50 of its 62 alerts and the first 30m of 2h 1m were played again");
    let found = ReviewProposal { diff: Some("-a\n+b".into()), why: "It helps.".into() };
    assert!(found.adding(said.clone()).why.starts_with("It helps. But only the first 50 of its 62 alerts"));
    let none = ReviewProposal { diff: None, why: "none was found".into() };
    assert_eq!(none.adding(said.clone()).why, format!("none was found; {said}"));
}

/// An announcement, and a crisis with SMS down and Bo absent on purpose, broken off after 12 s.
async fn aborted(past: &Past) -> Vec<IncidentTimeline> {
    let announcement =
        past.open(EscalationPlan { required: Vec::new(), roles: BTreeMap::new(), ..measured_plan() }, true).await;
    past.step(announcement, vec![IncidentInput::Announce { people: vec!["ana".into(), "cy".into()] }]).await;
    settle(past, announcement, |page| vec![accepted(past, page)]).await;
    past.hands.pass(Duration::from_secs(2));
    let id = past.open(measured_plan(), true).await;
    let at = past.now();
    let down = |page: &Page| match page.channel.as_str() {
        "sms" => injected(page, FaultKind::Down { channel: "sms".into() }, at),
        "mail" => injected(page, FaultKind::Absent { person: "cy".into() }, at),
        _ => vec![accepted(past, page)],
    };
    settle(past, id, down).await;
    past.hands.pass(Duration::from_secs(4));
    answer(past, id, "it", "desk", AnswerVia::Desk, Answer::Wilco).await;
    past.hands.pass(Duration::from_secs(6));
    for of_run in [announcement, id] {
        let by = Actor::Person("ana".into());
        past.step(of_run, vec![IncidentInput::Resolve { by, why: Some(BROKEN_OFF.into()) }]).await;
        let absent = |page: &Page| page.person.as_ref().is_some_and(|person| person.as_str() == "cy");
        let last = |page: &Page| match absent(page) && of_run == id {
            true => injected(page, FaultKind::Absent { person: "cy".into() }, past.now()),
            false => vec![accepted(past, page)],
        };
        settle(past, of_run, last).await;
    }
    vec![story(past, announcement).await, story(past, id).await]
}

#[tokio::test]
async fn a_drill_that_was_broken_off_says_so_first_and_judges_nothing() {
    let past = Past::in_memory();
    let stories = aborted(&past).await;
    let cut =
        CutShort { how: How::Ended("aborted".into()), after: Duration::from_secs(12), why: "ana aborted it".into() };
    let hypotheses = vec![
        expected("trader", ReviewVerdict::NotJudged, None),
        expected("it", ReviewVerdict::NotJudged, Some(4)),
        expected("all-clear", ReviewVerdict::NotJudged, Some(0)),
    ];
    let documents = DocumentTemplates::shipped().unwrap();
    let exercise = exercise(&past, hypotheses, Some(cut));
    let text = review(&exercise, &stories, &beside(), &documents, past.now()).unwrap().markdown;
    insta::assert_snapshot!("aborted_review", text);
    let first = text.lines().nth(2).unwrap();
    assert_eq!(
        first,
        "**ABORTED after 12.0 s: ana aborted it.** It was not played to its end: nothing of it is judged."
    );
    read(
        &text,
        &[
            "not judged | broken off after 12.0 s",
            "INC-1: the announcement; no role was required.",
            "not tested: injected: sms is down in this drill",
            "absent on purpose (injected by the drill)",
        ],
        &[
            "of 3 hypotheses",
            "every required role",
            "**never**",
            "**failed**",
            "DID NOT WORK",
            "Why did",
            "Go through the ladder",
        ],
    );
    // The last message about it came later: that is not when it ended.
    assert!(text.contains(", after 12.0 s |") && !text.contains("after 90.0 s"), "{text}");
    // Nothing was expected: nothing held, and nothing failed.
    let nothing = exercise_without(&past);
    let text = review(&nothing, &stories[..1], &beside(), &documents, past.now()).unwrap().markdown;
    read(&text, &["Nothing was expected of it"], &["0 of 0", "every required role", "held."]);
}

#[tokio::test]
async fn a_drill_that_is_running_is_said_to_run_and_has_no_end_and_no_verdict() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), true).await;
    past.hands.pass(Duration::from_secs(16));
    let stories = [story(&past, id).await];
    let cut = CutShort { how: How::GoesOn, after: Duration::from_secs(16), why: String::new() };
    let exercise = exercise(&past, vec![expected("trader", ReviewVerdict::NotJudged, None)], Some(cut));
    let documents = DocumentTemplates::shipped().unwrap();
    let text = review(&exercise, &stories, &beside(), &documents, past.now()).unwrap().markdown;
    read(
        &text,
        &[
            "**RUNNING, 16.0 s so far.** It is not over yet",
            "| Running | so far 16.0 s, at ",
            "not judged | running, so far",
            "INC-1: not judged yet; the drill is running.",
            "Not judged yet: the drill is running.",
            "| All required roles engaged | not yet: the drill is running |",
        ],
        &["Ended", "broken off", "not played to its end", "**never**"],
    );
}

fn exercise_without(past: &Past) -> DrillExercise {
    exercise(past, Vec::new(), None)
}

/// What old journals wrote of the sandbox, of a closed desk and of a drill's faults.
#[tokio::test]
async fn journals_of_before_are_read_as_what_they_meant() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), false).await;
    let words = |page: &Page| match page.channel.as_str() {
        "desk" => SendOutcome::Retry {
            at: past.now() + Duration::from_secs(300),
            why: "no desk page of Ana Ruiz is open".into(),
            unknown: false,
        },
        _ => SendOutcome::Accepted { receipt: SendReceipt::of("sandbox") },
    };
    settle(&past, id, |page| vec![settled(&past, page, words(page))]).await;
    answer(&past, id, "trader", "sms", AnswerVia::Sms, Answer::Wilco).await;
    let mut lines: Vec<StoredLine> = chain(&*past.store, id).await.unwrap();
    for line in &mut lines {
        // Answers did not name their channel.
        line.body = line.body.replace(",\"channel\":\"sms\",\"verdict\"", ",\"verdict\"");
        assert!(!line.body.contains("stand_in"), "{}", line.body);
    }
    let story = IncidentTimeline::read(id, &lines).unwrap();
    let sandboxed = story.incident.sandboxed().unwrap();
    assert_eq!(sandboxed.to_string(), "SANDBOX: 2 of 2 messages kept on this machine, sent to nobody (mail, sms)");
    assert!(story.incident.pages.values().all(|page| page.stages.accepted.is_none()));
    assert_eq!(story.answers().map(|(_, channel)| channel).collect::<Vec<_>>(), [None], "it went by no channel");
    let text = postmortem(
        &story,
        &beside(),
        &ReviewProposal::not_sought(),
        &DocumentTemplates::shipped().unwrap(),
        past.now(),
    );
    let text = text.unwrap().markdown;
    read(&text, &["page 1 was not shown: their desk was not open"], &["accepted +", "reach Ana Ruiz by desk"]);
    // A row of the outbox, as it was written.
    let row = r#"{"n":2,"channel":"sms","purpose":{"purpose":"resolved"},"born_at":"2026-01-01T00:00:00Z","state":"accepted",
        "stages":{"sent":"2026-01-01T00:00:00Z","accepted":"2026-01-01T00:00:01Z"},"receipt":{"id":"sandbox"}}"#;
    let page = Page::read(row).unwrap();
    assert_eq!((page.standing(), page.stages.sent, page.stages.accepted), ("sandbox", None, None));
    assert_eq!(page.stages.kept, Timestamp::parse("2026-01-01T00:00:01Z"));
}

/// A section of a document, without what comes after it.
fn section<'a>(text: &'a str, head: &str) -> &'a str {
    let from = text.find(head).expect("the section");
    let rest = &text[from + head.len()..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}
