//! Reviews and pictures: what they must say, and what can not be said in them.

use super::past::{Past, measured_plan, received};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use stentor::{
    core::{Actor, Answer, Event, IncidentId, IncidentInput, JournalRecord, Page, RoleName, SendOutcome, Timestamp},
    engine::history::chain,
    report::{
        IncidentTexts, IncidentTimeline, ReviewAction, ReviewProposal,
        after_action::{DrillExercise, EarlierRun, ReviewHypothesis, ReviewVerdict, review},
        bottleneck,
        ended::{Ended, Endings},
        facts::{PAGES_MAX, TIMELINE_MAX},
        group::points,
        incidence::Incidence,
        picture,
        postmortem::postmortem,
        sheet,
    },
    template::document::{DocumentTemplates, escape},
};

async fn story(past: &Past, id: IncidentId) -> IncidentTimeline {
    IncidentTimeline::read(id, &chain(&*past.store, id).await.unwrap()).unwrap()
}

fn beside() -> IncidentTexts {
    let names = [("ana", "Ana <i>Ruiz</i> | \"x\""), ("bo", "Bo"), ("ed", "Ed")];
    IncidentTexts { names: names.map(|(name, text)| (name.into(), text.to_owned())).into(), texts: BTreeMap::new() }
}

/// A drill in which no SMS arrives and the trader answers by mail, late.
async fn outage(past: &Past) -> IncidentTimeline {
    let id = past.open(measured_plan(), true).await;
    past.accept(id, Some("sms")).await;
    past.pass(id, 20.0).await;
    past.answer(id, "it", Answer::Wilco).await;
    past.answer(id, "compliance", Answer::Roger).await;
    past.hands.pass(Duration::from_secs(70));
    past.accept(id, Some("sms")).await;
    past.answer(id, "trader", Answer::Wilco).await;
    past.resolve(id, None).await;
    past.accept(id, None).await;
    story(past, id).await
}

fn exercise(past: &Past) -> DrillExercise {
    let hypothesis = |role: &str, verdict, measured: u64| ReviewHypothesis {
        role: RoleName::from(role),
        within: Duration::from_secs(60),
        percent: 90.0,
        verdict,
        measured: Some(Duration::from_secs(measured)),
        remark: None,
        sandboxed: false,
    };
    DrillExercise {
        name: "sms-outage".into(),
        title: "The gateway is down".into(),
        about: vec!["What if no <b>SMS</b> arrives?".into()],
        announced: false,
        started_at: Timestamp::from_micros(past.now().as_micros() - 90_000_000),
        ended_at: past.now(),
        compressed: 1,
        cut_short: None,
        faults: vec!["sms refuses everybody".into()],
        hypotheses: vec![hypothesis("trader", ReviewVerdict::Failed, 90), hypothesis("it", ReviewVerdict::Held, 20)],
        earlier: vec![EarlierRun {
            started_at: Timestamp::from_micros(0),
            compressed: 10,
            held: 2,
            of: 2,
            roles: [(RoleName::from("trader"), Some(Duration::from_secs(31))), (RoleName::from("it"), None)].into(),
            cut_short: None,
            sandboxed: false,
        }],
        earlier_left: 0,
        actions: vec![ReviewAction { what: "Call the gateway's vendor".into(), owner: Some("bo".into()), due: None }],
        proposal: ReviewProposal {
            diff: Some("-by = [\"sms\"]\n+by = [\"sms\", \"mail\"]\n```\nno end".into()),
            why: "Another channel beside it".into(),
        },
    }
}

#[tokio::test]
async fn an_injected_outage_is_the_bottleneck_of_the_review() {
    let past = Past::in_memory();
    let story = outage(&past).await;
    let held_up = bottleneck::of(&story, &story.roles(past.now()), &beside()).unwrap();
    assert_eq!(held_up.role, RoleName::from("trader"));
    assert_eq!(held_up.channel.as_ref().map(|channel| channel.as_str()), Some("sms"), "{}", held_up.sentence);
    let documents = DocumentTemplates::shipped().unwrap();
    let written = review(&exercise(&past), &[story], &beside(), &documents, past.now()).unwrap();
    for words in [
        "# DRILL The gateway is down",
        "1 of 2 hypotheses held in this run, **1 failed**",
        "pages by sms",
        "| trader | 90 % within 1m | 90.0 s | **failed** |",
        "| 1970-01-01 00:00:00 UTC: waits divided by 10 | 2 of 2 | 31.0 s | not engaged |",
        "DID NOT WORK: 550 no such number",
        "| Call the gateway's vendor | bo |",
        "accepted 0.000 s after the end",
        "What if no &lt;b&gt;SMS",
    ] {
        assert!(written.markdown.contains(words), "{words} is missing:\n{}", written.markdown);
    }
    // The diff's own fence does not end ours.
    assert!(written.markdown.contains("````text\n-by"), "{}", written.markdown);
    let title = "<title>DRILL The gateway is down: after-action review</title>";
    assert!(written.html.contains(title) && written.html.contains("no end"));
}

#[tokio::test]
async fn a_page_holds_no_script_nothing_from_elsewhere_and_no_markup_of_others() {
    let past = Past::in_memory();
    let story = outage(&past).await;
    let documents = DocumentTemplates::shipped().unwrap();
    let proposal = ReviewProposal { diff: None, why: "nothing was tried".into() };
    let written = postmortem(&story, &beside(), &proposal, &documents, past.now()).unwrap();
    // Its contents lead to its own headings.
    let page = written.html.replace("<a href=\"#s", "<a ");
    for wrong in ["<script", "<i>Ruiz", "<b>\"", "href=", "src=", "url(", "@import", "onload"] {
        assert!(!page.contains(wrong), "{wrong}");
    }
    assert!(page.matches("<svg ").count() == 2 && page.matches("<title").count() > 10);
    assert_eq!(page.matches("<table>").count(), page.matches("</table>").count());
    // Each picture says what it shows to those who can not see it.
    for svg in page.split("<svg ").skip(1) {
        assert!(svg.contains("role=\"img\"") && svg.contains("<desc") && svg.contains("aria-labelledby"));
    }
}

#[tokio::test]
async fn what_the_matrix_could_not_do_becomes_questions_and_actions() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), false).await;
    past.accept(id, Some("sms")).await;
    past.pass(id, 400.0).await;
    let documents = DocumentTemplates::shipped().unwrap();
    let story = story(&past, id).await;
    let text = postmortem(&story, &beside(), &ReviewProposal::not_sought(), &documents, past.now()).unwrap().markdown;
    for words in [
        "Why did nobody answer for trader by",
        ": nobody answered; ",
        " is asked instead, as ",
        "go further for catch-all",
        "Is the contact data of Ana",
        "Why did Bo not answer?",
        "Test the way to Ana",
        "No hypothesis was given",
        "| All required roles engaged | not yet |",
    ] {
        assert!(text.contains(words), "{words} is missing:\n{text}");
    }
}

#[tokio::test]
async fn a_review_tells_how_each_role_ended_and_calls_nothing_late_that_is_not() {
    let past = Past::in_memory();
    let documents = DocumentTemplates::shipped().unwrap();
    let id = past.open(measured_plan(), false).await;
    past.accept(id, Some("mail")).await;
    past.pass(id, 10.0).await;
    past.answer(id, "it", Answer::Wilco).await;
    let text = |story: IncidentTimeline, now| {
        postmortem(&story, &beside(), &ReviewProposal::not_sought(), &documents, now).unwrap().markdown
    };
    let now = text(story(&past, id).await, past.now());
    assert!(
        now.contains(" is asked | - | - | 90 % within 1m | not known yet, after 10.0 s |"),
        "its minute is not over:\n{now}"
    );
    assert!(now.contains("| it | engaged | flo | 10.0 s | 90 % within 2m | yes |"), "{now}");
    past.step(id, vec![IncidentInput::Resolve { by: Actor::Source("prom".into()), why: None }]).await;
    let after = text(story(&past, id).await, past.now());
    assert!(
        after.contains("| trader | nobody answered; closed by the monitor | - | - | 90 % within 1m | **no** |"),
        "{after}"
    );
    assert!(after.contains("| In time |"), "one engagement does not meet a percentage:\n{after}");
}

#[test]
fn text_is_never_markup() {
    assert_eq!(
        escape("a|b `c` <d> *e* _f_ [g](h) #i\nj & k"),
        "a\\|b \\`c\\` &lt;d&gt; \\*e\\* \\_f\\_ \\[g\\](h) \\#i j &amp; k"
    );
    assert_eq!(sheet::escape("<\"&'>\u{7}\u{ffff}"), "&lt;&quot;&amp;&#39;&gt; ");
}

#[test]
fn curves_are_drawn_of_nothing_of_one_and_of_many() {
    let line = |name: &str, times: &[f64]| {
        let ended = |time: &f64| if *time < 50.0 { Ended::Engaged } else { Ended::ClosedByMonitor };
        let curve = Incidence::of(times.iter().map(|time| ended(time).after(*time)));
        let mut endings = Endings::default();
        times.iter().for_each(|time| endings.add(ended(time), true));
        picture::PlotLine {
            name: name.into(),
            n: curve.n,
            ended: endings,
            median: curve.quantile(0.5),
            points: points(&curve),
        }
    };
    let target = Some((Duration::from_secs(60), 0.9));
    for lines in [
        vec![],
        vec![line("nobody", &[])],
        vec![line("one", &[3.0])],
        vec![line("trader", &[10.0, 20.0, 20.0, 60.0]), line("<it>", &[1.0, 100.0])],
    ] {
        let svg = picture::curves("Share & time", &lines, target);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("<it>"), "{svg}");
    }
    let one = picture::curves("one", &[line("trader", &[10.0, 20.0, 60.0])], None);
    assert!(one.contains("trader, of 3: 2 engaged, 1 closed by the monitor; median 20.0 s"), "{one}");
    assert!(one.contains(">2 engaged, 1 closed by the monitor<") && one.contains("closed without an answer"), "{one}");
    let how = |n: u32| if n.is_multiple_of(3) { Ended::Open } else { Ended::Engaged };
    let curve = Incidence::of((0..5000).map(|n| how(n).after(f64::from(n))));
    let kept = points(&curve);
    assert!(kept.len() <= 502 && kept.last().unwrap().time == 4999.0, "{}", kept.len());
}

/// Rows of the table below a heading.
fn rows_below<'a>(markdown: &'a str, heading: &str) -> Vec<&'a str> {
    let from = markdown.find(heading).unwrap_or_else(|| panic!("no {heading}:\n{markdown}"));
    let table = markdown[from..].lines().skip_while(|line| !line.starts_with('|')).take_while(|l| l.starts_with('|'));
    table.skip(2).collect()
}

/// A review has room for so much: its headings say what is left out, and how it ended never is.
#[tokio::test]
async fn what_a_review_has_no_room_for_is_counted_in_its_headings() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), false).await;
    past.accept(id, None).await;
    past.step(id, (0..TIMELINE_MAX + 100).map(|_| received()).collect()).await;
    let documents = DocumentTemplates::shipped().unwrap();
    let written = async || {
        let story = story(&past, id).await;
        (postmortem(&story, &beside(), &ReviewProposal::not_sought(), &documents, past.now()).unwrap().markdown, story)
    };
    past.answer(id, "trader", Answer::Wilco).await;
    past.resolve(id, None).await;
    let (markdown, story) = written().await;
    let heading = format!("### Timeline (UTC): the first and the last {} lines\n\n", TIMELINE_MAX / 2);
    let rows = rows_below(&markdown, &heading);
    assert_eq!(rows.len(), TIMELINE_MAX);
    assert!(rows[0].contains("opened") && rows[TIMELINE_MAX - 1].contains("resolved by"), "{rows:?}");
    let told = |record: &JournalRecord| !matches!(record.event, Event::Paged { .. } | Event::Withdrawn { .. });
    let silent = |record: &JournalRecord| match &record.event {
        Event::Settled { settlement, .. } => matches!(settlement, SendOutcome::Accepted { .. } | SendOutcome::Unsent),
        _ => false,
    };
    let all = story.records.iter().filter(|record| told(record) && !silent(record)).count();
    let left =
        format!("**{} line(s) between them are not shown here**: `stentor show {id}` shows all of them.", all - 400);
    assert!(markdown.contains(&left), "{left}\n{markdown}");
    assert!(!markdown.contains("page(s) between them"), "all pages are there");
    // A short one is headed by its name alone.
    let short = past.open(measured_plan(), false).await;
    let story = self::story(&past, short).await;
    let short = postmortem(&story, &beside(), &ReviewProposal::not_sought(), &documents, past.now()).unwrap().markdown;
    assert!(short.contains("### Timeline (UTC)\n\n| Time |"), "{short}");
    assert!(short.contains("### Who was shown what, and when\n\n| Page |"), "{short}");
}

/// The same of its pages, and of the marks in its picture.
#[tokio::test]
async fn what_a_picture_has_no_room_for_is_counted_in_its_title() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), false).await;
    past.accept(id, None).await;
    past.answer(id, "trader", Answer::Wilco).await;
    let mut story = story(&past, id).await;
    let brief = (**story.incident.pages.values().find(|page| page.purpose.is_brief()).unwrap()).clone();
    for n in 1_000..3_500 {
        story.incident.pages.insert(Arc::new(Page { n, ..brief.clone() }));
    }
    let answered = story.records.iter().find(|record| matches!(record.event, Event::Answered { .. })).unwrap().clone();
    story.records.extend(std::iter::repeat_n(answered, 2_100));
    let all = story.incident.pages.len();
    let briefs = story.incident.pages.values().filter(|page| page.purpose.is_brief()).count();
    let documents = DocumentTemplates::shipped().unwrap();
    let written = postmortem(&story, &beside(), &ReviewProposal::not_sought(), &documents, past.now()).unwrap();
    let title =
        format!("pages and answers (the first 2000 of {briefs} pages and the first 2000 of 2101 answers are drawn)");
    assert!(written.html.contains(&title), "{title}");
    assert!(written.html.contains("; and 2051 more"), "to those who can not see it, too");
    let heading = format!("### Who was shown what, and when: the first and the last {} pages\n\n", PAGES_MAX / 2);
    let rows = rows_below(&written.markdown, &heading);
    assert_eq!(rows.len(), PAGES_MAX);
    assert!(rows[0].starts_with("| 1 |") && rows[PAGES_MAX - 1].starts_with("| 3499 |"), "{rows:?}");
    let left = format!("**{} page(s) between them are not shown here**", all - PAGES_MAX);
    assert!(written.markdown.contains(&left), "{left}");
}
