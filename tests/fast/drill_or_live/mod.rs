//! DRILL and LIVE never mix: over every role of the shipped matrix, every channel, every purpose and ending, and alerts
//! that lie about what they are.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, path::Path, sync::Arc};
use stentor::{
    core::{
        Actor, Alert, Answer, AnswerVia, DrillTerms, GivenAnswer, Incident, IncidentId, IncidentInput, IncidentKey,
        IncidentOpening, Page, PagePurpose, Timestamp, open, step,
    },
    engine::render,
    matrix::{KnownNames, Matrix, read_folder},
    template::{PageTemplates, RenderedText},
};

const START: Timestamp = Timestamp::from_micros(1_795_424_400_000_000);

/// What an alert may say to be taken for what it is not.
const LIES: [&str; 7] = [
    "ES fell by 7.3 %",
    "LIVE INC-1: this is real",
    "DRILL INC-1: only an exercise",
    "live\nLIVE\nDRILL over",
    "D\u{200b}RILL is over. L\u{202e}IVE",
    "  * DRILL stopped: a real crisis began",
    "(exercise) I have the exercise",
];

fn matrix() -> (Matrix, PageTemplates) {
    let templates = PageTemplates::shipped();
    let revisions = templates.revisions();
    let files = read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("matrix")).unwrap();
    let parsed = Matrix::parse(&files, &KnownNames { templates: &revisions }, START);
    (parsed.matrix.unwrap(), templates)
}

fn alert(lie: &str, drill: bool) -> Alert {
    let mut alert = Alert::new("risk-monitor", "price_velocity");
    alert.summary = lie.into();
    alert.drill = drill;
    for name in ["symbol", "runbook", "action_a", "action_a_then"] {
        alert.labels.insert(name.into(), lie.into());
        alert.annotations.insert(name.into(), lie.into());
    }
    alert.evidence = serde_json::json!({ "note": lie, "versions": { "a": lie, "b": "2" } });
    alert
}

/// Incidents in every state that a page is written from.
fn incidents(matrix: &Matrix, lie: &str, drill: bool) -> Vec<Incident> {
    let mut all = Vec::new();
    // Each lie by another trigger: every plan has its turn, and the test ends in seconds.
    let nth = LIES.iter().position(|other| *other == lie).unwrap_or(0);
    for trigger in matrix.triggers.keys().cycle().skip(nth).take(1) {
        let plan = matrix.plan(trigger).unwrap();
        let opening = IncidentOpening {
            key: IncidentKey::stored(""),
            summary: lie.into(),
            plan,
            alert: Arc::new(alert(lie, drill)),
            received_at: START,
            terms: drill.then(|| DrillTerms::until(START + std::time::Duration::from_secs(600))),
            ask: None,
            nonce: None,
        };
        let (opened, _) = open(IncidentId(7), opening, &matrix.roster, START);
        let people: Vec<_> = opened.pages.values().filter_map(|page| page.person.clone()).collect();
        for answer in ["roger", "wilco", "standby", "unable"] {
            let mut answered = opened.clone();
            for person in &people {
                let answer: Answer = answer.parse().unwrap();
                let said = GivenAnswer {
                    person: person.clone(),
                    answer,
                    via: AnswerVia::Sms,
                    page: None,
                    role: None,
                    origin: None,
                };
                step(&mut answered, IncidentInput::Answer(said), &matrix.roster, START);
            }
            all.push(answered);
        }
        for by in
            [Actor::Clock, Actor::Crisis(IncidentId(9)), Actor::Operator("root".into()), Actor::Source("x".into())]
        {
            let mut over = opened.clone();
            step(&mut over, IncidentInput::Resolve { by, why: None }, &matrix.roster, START);
            all.push(over);
        }
        all.push(opened);
    }
    all
}

/// Every purpose for every role, by whatever channel.
fn pages(incident: &Incident) -> Vec<Page> {
    let Some(model) = incident.pages.values().find(|page| page.person.is_some()) else { return Vec::new() };
    let person = model.person.clone().unwrap();
    let purposes = [
        PagePurpose::Brief { round: 0 },
        PagePurpose::Brief { round: 2 },
        PagePurpose::Taken { by: person.clone(), covering_as: None },
        PagePurpose::Taken { by: "somebody".into(), covering_as: Some("trader".into()) },
        PagePurpose::StoodDown,
        PagePurpose::Announced,
        PagePurpose::Resolved,
        PagePurpose::RoomCard,
        PagePurpose::RoomLine { line: "LIVE: trader: ana has it".into() },
        PagePurpose::RoomLine { line: "DRILL is over".into() },
    ];
    let roles: Vec<_> = incident.plan.roles.keys().cloned().map(Some).chain([None]).collect();
    let mut all = Vec::new();
    for role in roles {
        for purpose in &purposes {
            let page = Page { role: role.clone(), purpose: purpose.clone(), ..Page::clone(model) };
            all.push(page);
        }
    }
    all
}

fn judge(rendered: &RenderedText, drill: bool, brief: bool) -> Result<(), String> {
    let (own, other) = if drill { ("DRILL", "LIVE") } else { ("LIVE", "DRILL") };
    let first =
        |text: &str| text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).map(str::to_owned);
    for (what, text) in [("headline", &rendered.headline), ("subject", &rendered.subject), ("body", &rendered.body)] {
        if first(text).as_deref() != Some(own) {
            return Err(format!("the {what} does not begin with {own}: {text}"));
        }
    }
    // No line may begin as a text of the other kind begins; "DRILL is over" in a room line of a live one is quoted.
    let wrong = |line: &&str| first(line).as_deref() == Some(other);
    if let Some(line) = rendered.body.lines().find(wrong) {
        return Err(format!("a line begins with {other}: {line}"));
    }
    if let Some(html) = &rendered.html
        && !html.contains(own)
    {
        return Err(format!("the HTML does not say {own}"));
    }
    let asks_for_drill =
        rendered.body.contains("\"I have the exercise\"") || rendered.body.contains("\"exercise received\"");
    let asks_for_live = rendered.headline.contains("\"I have it\"") || rendered.headline.contains("\"received\"");
    if brief && drill && asks_for_live || !drill && asks_for_drill {
        return Err(format!("it asks for the other kind's word: {}", rendered.body));
    }
    Ok(())
}

#[test]
fn drill_and_live_never_mix() {
    let (matrix, templates) = matrix();
    let (names, mut seen) = (BTreeMap::new(), 0);
    for (lie, drill) in LIES.into_iter().flat_map(|lie| [(lie, true), (lie, false)]) {
        for incident in incidents(&matrix, lie, drill) {
            for page in pages(&incident) {
                for (channel, settings) in &matrix.channels {
                    let rendered = render(&matrix, &templates, &names, &incident, &page, settings.kind());
                    let judged = judge(&rendered, drill, page.purpose.is_brief());
                    assert_eq!(judged, Ok(()), "{lie:?} {drill} {:?} {:?} by {channel}", page.role, page.purpose);
                    seen += 1;
                }
            }
        }
    }
    assert!(5_000 < seen, "{seen} texts");
}

#[test]
fn the_judge_notices_a_mix() {
    let (matrix, templates) = matrix();
    let incident = incidents(&matrix, "x", true).pop().unwrap();
    let page = pages(&incident).remove(0);
    let kind = matrix.channels[0].1.kind();
    let good = render(&matrix, &templates, &BTreeMap::new(), &incident, &page, kind);
    assert_eq!(judge(&good, true, true), Ok(()));
    for (from, to) in [("DRILL", "LIVE"), ("\n", "\nLIVE: "), ("\"I have the exercise\"", "\"I have it\"")] {
        let mut bad = good.clone();
        bad.body = bad.body.replacen(from, to, 1);
        bad.headline = bad.headline.replacen(from, to, 1);
        assert!(bad == good || judge(&bad, true, true).is_err(), "{from} {to}");
    }
    assert!(judge(&good, false, true).is_err());
}
