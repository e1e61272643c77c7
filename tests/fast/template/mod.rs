//! What people read: never the wrong first word, never too long, whatever the alert says.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod actions;
mod answer_page;
mod assessed;
mod by_trigger;
pub(crate) mod crisis;
mod judge;
mod order;
mod refused;
mod requests;
mod stand_in;

use crisis::{OPENED, about, after, brief_of, flash_crash, later, names, opened, roster};
use judge::judge;
use proptest::{prelude::*, test_runner::RngSeed};
use std::{collections::BTreeMap, fs, sync::Arc};
use stentor::{
    core::{
        Alert, Answer, AnswerVia, EscalationPlan, GivenAnswer, Incident, IncidentInput, IncidentOpening, Page,
        PagePurpose, PageState, SendOutcome, SendReceipt, StandIn, Zones, step,
    },
    template::{BriefInput, CODE, LINK, PageReader, PageTemplates, RenderedText, TextForm},
};

const FORMS: [TextForm; 6] =
    [TextForm::Screen, TextForm::Slack, TextForm::Sms, TextForm::Mail, TextForm::Voice, TextForm::Board];

/// Roles, and how long after the opening their brief is read.
const ROLES: [(&str, u64); 6] =
    [("trader", 0), ("compliance", 70), ("it", 0), ("commander", 50), ("head-of-desk", 95), ("catch-all", 100)];

fn render(templates: &PageTemplates, incident: &Incident, page: &Page, form: TextForm) -> RenderedText {
    let zone = Zones::bundled().get("America/New_York").unwrap();
    let reader = page.person.as_ref().map(|_| PageReader { name: "Ana Ruiz", zone: &zone });
    let (names, utc) = (names(), stentor::core::Zone::utc());
    let brief = BriefInput { incident, page, reader, names: &names, shared_zone: &utc, following: 0, sandboxed: &[] };
    templates.render(&brief, form)
}

/// One brief as a snapshot: body, and what is beside it.
fn shown(rendered: &RenderedText) -> String {
    assert_eq!(rendered.fallback, None, "{}", rendered.body);
    let html = rendered.html.as_ref().map_or(String::new(), |html| format!("\n--- html\n{html}"));
    format!("subject: {}\n---\n{}{html}", rendered.subject, rendered.body)
}

#[test]
fn each_role_reads_its_own_brief_of_a_flash_crash() {
    let templates = PageTemplates::shipped();
    for (role, seconds) in ROLES {
        let incident = later(opened(flash_crash(false)), seconds);
        for form in FORMS {
            let rendered = render(&templates, &incident, brief_of(&incident, role), form);
            insta::assert_snapshot!(format!("{role} {form:?}"), shown(&rendered));
        }
    }
}

#[test]
fn the_first_page_of_a_drill_says_so_and_asks_for_other_words() {
    let (templates, incident) = (PageTemplates::shipped(), opened(flash_crash(true)));
    for form in FORMS {
        let rendered = render(&templates, &incident, brief_of(&incident, "trader"), form);
        insta::assert_snapshot!(format!("drill {form:?}"), shown(&rendered));
    }
}

#[test]
fn the_all_clear_tells_how_it_ended_and_a_broken_one_still_says_that_it_is_over() {
    let mut incident = later(opened(flash_crash(false)), 50);
    let brief = brief_of(&incident, "trader").clone();
    let at = incident.last_at + std::time::Duration::from_secs(9);
    let wilco = stentor::core::GivenAnswer {
        person: brief.person.clone().expect("a person"),
        answer: stentor::core::Answer::Wilco,
        via: stentor::core::AnswerVia::Sms,
        page: Some(brief.n),
        role: None,
        origin: None,
    };
    let roster = stentor::core::Roster::default();
    stentor::core::step(&mut incident, stentor::core::IncidentInput::Answer(wilco), &roster, at);
    let end = at + std::time::Duration::from_secs(240);
    let by = stentor::core::Actor::Person("ana".into());
    stentor::core::step(&mut incident, stentor::core::IncidentInput::Resolve { by, why: None }, &roster, end);
    let page = about(&brief, PagePurpose::Resolved);
    let templates = PageTemplates::shipped();
    let texts: Vec<String> = FORMS.into_iter().map(|form| render(&templates, &incident, &page, form).body).collect();
    insta::assert_snapshot!(texts.join("\n====\n"));
    assert!(render(&templates, &incident, &page, TextForm::Mail).html.unwrap().contains("after the opening"));
    let own = tempfile::tempdir().unwrap();
    std::fs::create_dir(own.path().join("all-clear")).unwrap();
    let broken = "{% if incident.lasted %}{{ nothing.here }}{% endif %}";
    std::fs::write(own.path().join("all-clear/brief.txt"), broken).unwrap();
    let rendered = render(&PageTemplates::load(own.path()).unwrap(), &incident, &page, TextForm::Slack);
    assert!(rendered.fallback.is_some());
    assert!(rendered.body.starts_with("LIVE INC-12: it is over"), "{}", rendered.body);
}

#[test]
fn what_asks_for_nothing_says_who_has_it_and_who_is_released() {
    let (templates, incident) = (PageTemplates::shipped(), later(opened(flash_crash(false)), 50));
    let page = brief_of(&incident, "trader").clone();
    let room = Page { person: None, role: None, ..page.clone() };
    let taken =
        |by: &str, covering: Option<&str>| PagePurpose::Taken { by: by.into(), covering_as: covering.map(Into::into) };
    let cases = [
        about(&page, taken("ana", None)),
        about(&page, taken("bo", None)),
        about(&page, taken("eli", Some("head-of-desk"))),
        about(&page, PagePurpose::StoodDown),
        about(&page, PagePurpose::Resolved),
        about(&room, PagePurpose::RoomCard),
        about(&room, PagePurpose::RoomUpdate { revision: 7, shows: String::new() }),
        about(&room, PagePurpose::RoomSummary),
        about(&room, PagePurpose::RoomLine { line: "trader: bo has it".into() }),
        Page { maybe_repeated: true, ..page.clone() },
    ];
    let texts: Vec<String> = cases
        .iter()
        .flat_map(|page| [TextForm::Slack, TextForm::Sms].map(|form| render(&templates, &incident, page, form).body))
        .collect();
    insta::assert_snapshot!(texts.join("\n====\n"));
}

/// Ana takes the trader's role 10 s after the opening; her brief had been accepted.
fn taken_by_ana(drill: bool) -> Incident {
    let mut incident = opened(flash_crash(drill));
    let brief = brief_of(&incident, "trader").n;
    let receipt = SendReceipt::of("m1");
    let settlement = SendOutcome::Accepted { receipt };
    let settled = IncidentInput::Settled { page: brief, settlement, sent_at: Some(after(1)), text: None };
    step(&mut incident, settled, &roster(), after(1));
    says(&mut incident, "ana", Answer::Wilco, 10);
    incident
}

fn says(incident: &mut Incident, person: &str, answer: Answer, seconds: u64) {
    let said = GivenAnswer {
        person: person.into(),
        answer,
        via: AnswerVia::Desk,
        page: None,
        role: Some("trader".into()),
        origin: None,
    };
    step(incident, IncidentInput::Answer(said), &roster(), after(seconds));
}

/// The newest page to this person that is for this.
fn word_to<'a>(incident: &'a Incident, person: &str, is: fn(&PagePurpose) -> bool) -> &'a Page {
    let theirs = |page: &&Arc<Page>| page.person.as_ref().is_some_and(|p| p.as_str() == person) && is(&page.purpose);
    incident.pages.values().rfind(theirs).expect("a word")
}

#[test]
fn who_has_it_reads_how_to_hand_it_back_and_nobody_else_does() {
    let templates = PageTemplates::shipped();
    for drill in [false, true] {
        let incident = taken_by_ana(drill);
        let word = word_to(&incident, "ana", |purpose| matches!(purpose, PagePurpose::Taken { .. }));
        for form in FORMS {
            let rendered = render(&templates, &incident, word, form);
            let (codes, links) = (usize::from(form == TextForm::Sms), usize::from(form == TextForm::Mail));
            assert_eq!(rendered.body.matches(CODE).count(), codes, "{}", rendered.body);
            assert_eq!(rendered.body.matches(LINK).count(), links, "{}", rendered.body);
            assert_eq!(rendered.html.map_or(0, |html| html.matches(LINK).count()), links);
            assert_eq!(rendered.body.contains("hand it back"), form != TextForm::Voice, "{}", rendered.body);
        }
        // For somebody else, and once it is not so any more, it says nothing of that.
        let other = Page { person: Some("bo".into()), ..word.clone() };
        let mut back = incident.clone();
        says(&mut back, "ana", Answer::Unable, 70);
        for (incident, page) in [(&incident, &other), (&back, word)] {
            let body = render(&templates, incident, page, TextForm::Sms).body;
            assert!(!body.contains(CODE) && !body.contains("hand it back"), "{body}");
        }
    }
}

#[test]
fn who_is_asked_in_a_roles_place_is_who_is_really_paged() {
    let (templates, incident) = (PageTemplates::shipped(), later(opened(flash_crash(false)), 200));
    let waits_on = |role: &str| incident.engagements[role].waits_on.as_ref().map(|next| next.to_string());
    assert_eq!(waits_on("trader").as_deref(), Some("head-of-desk"), "it waits on one that waits itself");
    assert!(waits_on("head-of-desk").is_some_and(|next| next != "trader"));
    let brief = brief_of(&incident, "trader").clone();
    let room = Page { person: None, role: None, ..brief.clone() };
    let word = PagePurpose::HandedBack { by: "ana".into(), of: "trader".into() };
    for page in [about(&brief, word), about(&room, PagePurpose::RoomCard), brief] {
        for form in FORMS {
            let text = render(&templates, &incident, &page, form).body;
            for untrue in ["asked instead, as head-of-desk", "head-of-desk is being asked too"] {
                assert!(!text.contains(untrue), "{:?} {form:?}: {text}", page.purpose);
            }
            if !page.purpose.is_brief() {
                // A voice says no hyphens.
                let text = text.replace("catch all", "catch-all");
                assert!(text.contains("asked instead, as catch-all"), "{:?} {form:?}: {text}", page.purpose);
            }
        }
    }
}

#[test]
fn what_the_sandbox_kept_is_no_silence_and_every_text_says_that_channels_send_nothing() {
    let mut incident = later(opened(flash_crash(false)), 95);
    let traders = |page: &Page| page.role.as_ref().is_some_and(|role| role.as_str() == "trader");
    let kept: Vec<u32> = incident.pages.values().filter(|page| traders(page)).map(|page| page.n).collect();
    let shown = |incident: &Incident, page: &Page, form| {
        let zone = Zones::bundled().get("America/New_York").unwrap();
        let sandboxed = ["mail".into(), "sms".into()];
        let (names, reader) = (names(), Some(PageReader { name: "Eli Brandt", zone: &zone }));
        let brief = BriefInput {
            incident,
            page,
            reader,
            names: &names,
            shared_zone: &zone,
            following: 0,
            sandboxed: &sandboxed,
        };
        PageTemplates::shipped().render(&brief, form).body
    };
    let silent = shown(&incident, brief_of(&incident, "head-of-desk"), TextForm::Screen);
    assert!(silent.contains("No answer from Ana Ruiz"), "{silent}");
    for n in kept {
        incident.pages.change(n, |page| {
            page.state = PageState::Accepted;
            page.receipt = Some(SendReceipt { stand_in: Some(StandIn::Sandbox), ..SendReceipt::default() });
        });
    }
    let brief = brief_of(&incident, "head-of-desk").clone();
    for form in FORMS {
        let told = shown(&incident, &brief, form);
        assert!(!told.contains("No answer from"), "{form:?}: {told}");
        if form == TextForm::Voice {
            assert!(told.contains("SANDBOX: mail and sms are not sent from this machine."), "{told}");
            continue;
        }
        assert!(told.contains("SANDBOX: mail and sms are not sent from this machine."), "{form:?}: {told}");
        assert!(told.contains("SANDBOX: the message to Ana Ruiz"), "{form:?}: {told}");
        assert!(form == TextForm::Sms || told.contains("was not sent (sandbox): you stand in."), "{form:?}: {told}");
    }
    let taken = PagePurpose::Taken { by: "bo".into(), covering_as: None };
    for purpose in [taken, PagePurpose::StoodDown, PagePurpose::Resolved] {
        let told = shown(&incident, &about(&brief, purpose), TextForm::Screen);
        assert!(told.contains("SANDBOX: mail and sms are not sent from this machine."), "{told}");
    }
}

#[test]
fn a_catch_all_that_is_asked_first_does_not_read_that_everybody_else_was_asked() {
    let before = opened(flash_crash(false));
    let plan = EscalationPlan { required: vec!["catch-all".into()], ..(*before.plan).clone() };
    let opening = IncidentOpening {
        key: before.key.clone(),
        summary: before.summary.clone(),
        plan: Arc::new(plan),
        alert: before.alert.clone(),
        received_at: OPENED,
        terms: None,
        ask: None,
        nonce: None,
    };
    let (first, _) = stentor::core::open(before.id, opening, &roster(), OPENED);
    let last = later(before, 200);
    let templates = PageTemplates::shipped();
    for form in [TextForm::Screen, TextForm::Slack, TextForm::Sms, TextForm::Mail] {
        let text = |incident| {
            let rendered = render(&templates, incident, brief_of(incident, "catch-all"), form);
            assert_eq!(rendered.fallback, None);
            (rendered.body + &rendered.html.unwrap_or_default()).to_lowercase()
        };
        assert!(!text(&first).contains("last one asked"), "{form:?}: {}", text(&first));
        assert!(!text(&first).contains("nobody else is left"), "{form:?}: {}", text(&first));
        assert!(text(&first).contains("nobody else is asked"), "{form:?}: {}", text(&first));
        assert!(text(&last).contains("last one asked"), "{form:?}: {}", text(&last));
    }
}

#[test]
fn whoever_is_asked_again_reads_who_had_it_and_since_when_and_the_others_that_it_is_open() {
    let templates = PageTemplates::shipped();
    let mut incident = taken_by_ana(false);
    says(&mut incident, "ana", Answer::Unable, 70);
    // A person whose earlier message was not sent yet is told nothing: this is what she would read.
    let word = PagePurpose::HandedBack { by: "ana".into(), of: "trader".into() };
    let covered = later(incident.clone(), 120);
    let head = word_to(&covered, "eli", |purpose| purpose.is_brief());
    let mut texts = Vec::new();
    for form in FORMS {
        texts.push(render(&templates, &incident, brief_of(&incident, "trader"), form).body);
    }
    let brief = brief_of(&incident, "trader");
    for person in ["ana", "bo", "cy"] {
        let page = Page { person: Some(person.into()), ..about(brief, word.clone()) };
        texts.extend(
            [TextForm::Mail, TextForm::Sms, TextForm::Voice]
                .map(|form| render(&templates, &incident, &page, form).body),
        );
    }
    let room = Page { person: None, role: None, ..about(brief, PagePurpose::RoomCard) };
    texts.push(render(&templates, &incident, &room, TextForm::Slack).body);
    texts.extend([TextForm::Screen, TextForm::Sms].map(|form| render(&templates, &covered, head, form).body));
    for text in &texts {
        assert!(!text.contains("No answer from Ana"), "she has answered: {text}");
    }
    insta::assert_snapshot!(texts.join("\n====\n"));
}

#[test]
fn a_brief_that_asks_for_nothing_any_more_says_so_in_its_first_line() {
    let templates = PageTemplates::shipped();
    let first = |incident: &Incident| {
        let role = "trader".into();
        let brief = incident.briefs_of(&role).next().expect("a brief");
        render(&templates, incident, brief, TextForm::Screen)
    };
    let mut incident = taken_by_ana(false);
    let taken = first(&incident);
    assert!(taken.headline.ends_with("TRADER: you have it since 14:45:38 EDT."), "{}", taken.headline);
    assert!(!taken.body.contains("press ") && !taken.body.contains("No answer"), "{}", taken.body);
    says(&mut incident, "ana", Answer::Unable, 70);
    assert!(first(&incident).headline.contains("TRADER: press \"I have it\" by"), "it is open again");
    let by = stentor::core::Actor::Person("bo".into());
    step(&mut incident, IncidentInput::Resolve { by, why: None }, &roster(), after(100));
    assert!(first(&incident).headline.ends_with("TRADER: it is over since 14:47:08 EDT."));
}

#[test]
fn a_real_room_reads_what_was_kept_in_the_sandbox() {
    let (templates, mut incident) = (PageTemplates::shipped(), opened(flash_crash(false)));
    let brief = brief_of(&incident, "trader").clone();
    let mut kept = brief.clone();
    kept.channel = "sms".into();
    let receipt = SendReceipt::of_stand_in(StandIn::Sandbox, "sandbox");
    kept.settle(&SendOutcome::Accepted { receipt }, Some(kept.born_at), None, kept.born_at);
    incident.pages.insert(kept.into());
    let room = Page { person: None, role: None, ..brief };
    let of = |incident: &Incident| {
        let purposes = [PagePurpose::RoomCard, PagePurpose::RoomSummary];
        purposes.map(|purpose| render(&templates, incident, &about(&room, purpose), TextForm::Slack).body)
    };
    for text in of(&incident) {
        assert!(text.contains("SANDBOX: 1 of 1 messages kept on this machine, sent to nobody (sms)."), "{text}");
    }
    // What asks nobody for anything has nobody who has it.
    incident.engagements = Default::default();
    let [card, _] = of(&incident);
    assert!(card.contains("It asks nobody for anything.") && !card.contains("Every role has somebody"), "{card}");
}

/// What the trail says of Ana's pages by `sms`, in the brief of compliance.
fn trail(incident: &Incident) -> String {
    let body = render(&PageTemplates::shipped(), incident, brief_of(incident, "compliance"), TextForm::Mail).body;
    body.lines().find(|line| line.contains("Ana Ruiz") && line.contains(" for trader ")).unwrap_or_default().to_owned()
}

#[test]
fn a_trail_says_that_somebody_was_asked_once_a_page_has_left_and_what_kept_it_as_its_receipt_has_it() {
    let mut incident = opened(flash_crash(false));
    assert_eq!(trail(&incident), "14:45:28 Ana Ruiz is being asked for trader by desk");
    let n = brief_of(&incident, "trader").n;
    let settled = |receipt| {
        let settlement = SendOutcome::Accepted { receipt };
        let now = incident.last_at;
        let input = IncidentInput::Settled { page: n, settlement, sent_at: Some(now), text: None };
        let mut incident = incident.clone();
        step(&mut incident, input, &roster(), now);
        trail(&incident)
    };
    assert_eq!(settled(SendReceipt::of("m1")), "14:45:28 Ana Ruiz was asked for trader by desk");
    let kept = SendReceipt::of_stand_in(StandIn::Sandbox, "sandbox");
    assert_eq!(settled(kept), "14:45:28 Ana Ruiz was to be asked for trader by desk (sandbox)");
    says(&mut incident, "bo", Answer::Wilco, 1);
    assert_eq!(trail(&incident), "14:45:28 Ana Ruiz was to be asked for trader by desk (not sent)");
}

#[test]
fn the_frozen_facts_of_a_page_do_not_depend_on_the_reader_s_template() {
    let incident = opened(flash_crash(false));
    let page = brief_of(&incident, "trader");
    let (whole, folder) = (PageTemplates::shipped(), tempfile::tempdir().expect("a folder"));
    let own = folder.path().join("trader");
    fs::create_dir(&own).expect("a folder");
    fs::write(own.join("brief.txt"), "LIVE drills are fun %LINK%\n").expect("a file");
    let other = PageTemplates::load(folder.path()).expect("sound templates");
    let (a, b) = (render(&whole, &incident, page, TextForm::Screen), render(&other, &incident, page, TextForm::Screen));
    assert_eq!((&a.headline, &a.subject), (&b.headline, &b.subject));
    assert_ne!(a.revision, b.revision);
    assert_eq!(whole.revisions()["it"], other.revisions()["it"]);
    assert!(b.body.ends_with("LIVE drills are fun (LINK)"), "{}", b.body);
}

#[test]
fn every_broken_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, text) in [
        ("trader/brief.txt", "fine\n{{ alert.values.drop_pct }}\n"),
        ("it/sms.txt", "{% if %}\n"),
        ("it/mail.html", "<p>\n\n{{ nosuch }}</p>"),
    ] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let error = PageTemplates::load(folder.path()).expect_err("three are broken").to_string();
    for start in ["it/mail.html:3: undefined", "it/sms.txt:1: syntax", "trader/brief.txt:2: undefined"] {
        assert!(error.lines().any(|line| line.starts_with(start)), "{start} is not in\n{error}");
    }
}

#[test]
fn a_template_that_loops_or_fails_or_is_too_long_gives_way_to_the_raw_facts() {
    let incident = opened(flash_crash(false));
    for (text, why) in [
        ("{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}", "fuel"),
        ("{{ alert.labels.nosuch }}", "undefined"),
        ("{% for a in range(40) %}a line\n{{ a }}\n{% endfor %}", "too long"),
    ] {
        // Sound for the alerts that templates are tried with: only this one has a desk.
        let templates = overlaid(&format!("{{% if alert.labels.desk is defined %}}{text}{{% endif %}}"));
        for form in [TextForm::Screen, TextForm::Slack, TextForm::Mail] {
            let rendered = render(&templates, &incident, brief_of(&incident, "trader"), form);
            let fallback = rendered.fallback.clone().unwrap_or_else(|| panic!("{text} was used:\n{}", rendered.body));
            assert!(fallback.starts_with("trader/brief.txt") && fallback.contains(why), "{fallback}");
            for fact in ["LIVE INC-12", "symbol=ES", "drop_pct=6.2", "venue_state=Stop Logic", "risk-monitor"] {
                assert!(rendered.body.contains(fact), "{fact} is not in\n{}", rendered.body);
            }
            let leaks = rendered.body.contains("84,000,000") || rendered.body.contains("1,250,000");
            assert!(!leaks, "who may have the figures is said by the template: {}", rendered.body);
        }
    }
}

/// The shipped templates with this brief for traders.
fn overlaid(brief: &str) -> PageTemplates {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("trader")).expect("a folder");
    fs::write(folder.path().join("trader/brief.txt"), brief).expect("a file");
    PageTemplates::load(folder.path()).expect("sound templates")
}

#[test]
fn a_template_says_in_a_call_what_it_likes_and_its_sms_where_it_likes_nothing() {
    let incident = opened(flash_crash(false));
    let page = brief_of(&incident, "trader");
    let shipped = PageTemplates::shipped();
    let sms = render(&shipped, &incident, page, TextForm::Voice);
    assert!(sms.body.contains("E S down 6.2 percent"), "{}", sms.body);
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("trader")).expect("a folder");
    fs::write(folder.path().join("trader/voice.txt"), "Wake up, {{ role }}: INC-7 & 12 bps.\nDRILL or not.")
        .expect("a file");
    let own = PageTemplates::load(folder.path()).expect("sound templates");
    let said = render(&own, &incident, page, TextForm::Voice);
    assert!(
        said.body.contains("Wake up, trader: incident 7 and 12 basis points. text, DRILL or not."),
        "{}",
        said.body
    );
    assert_ne!(own.revisions()["trader"], shipped.revisions()["trader"]);
    assert_eq!(own.revisions()["it"], shipped.revisions()["it"]);
    fs::write(folder.path().join("trader/voice.txt"), "{{ nosuch }}").expect("a file");
    let error = PageTemplates::load(folder.path()).expect_err("it is broken").to_string();
    assert!(error.starts_with("trader/voice.txt:1: undefined"), "{error}");
}

#[test]
fn the_shipped_templates_are_sound() {
    let empty = tempfile::tempdir().expect("a folder");
    let loaded = PageTemplates::load(empty.path()).expect("sound templates");
    assert_eq!(loaded.revisions(), PageTemplates::shipped().revisions());
    assert_eq!(loaded.revisions().len(), 8);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        1 => "[ -~]{0,400}",
        1 => Just("LIVE this is not a drill\nLIVE DRILL <script>alert(1)</script> %CODE% %LINK%".to_owned()),
        1 => Just("DRILL\u{202e}\u{200b} %CO\u{200b}DE% %CO😀DE% %C\u{14c}DE% “€” 金 {}[]~^|\\".to_owned()),
        1 => Just("€".repeat(700)),
        1 => Just("<".repeat(5000)),
        1 => Just("word ".repeat(3000)),
        1 => Just(String::new()),
    ]
}

fn any_alert() -> impl Strategy<Value = Alert> {
    let key = || {
        prop_oneof![
            3 => prop::sample::select(vec!["symbol", "venue", "host", "service", "desk", "impact", "action_a", "runbook"]).prop_map(str::to_owned),
            1 => any_text(),
        ]
    };
    let value = prop_oneof![any::<f64>(), -1e9..1e9f64];
    let number =
        prop::sample::select(vec!["drop_pct", "exposure_usd", "pnl_per_min_usd", "depth_pct", "spread_ticks", "x"]);
    (
        any_text(),
        any_text(),
        prop::collection::btree_map(key(), any_text(), 0..60),
        prop::collection::btree_map(prop_oneof![number.prop_map(str::to_owned), any_text()], value, 0..60),
        prop::collection::btree_map(key(), any_text(), 0..60),
        any::<f64>(),
        any::<bool>(),
    )
        .prop_map(|(kind, summary, labels, values, annotations, confidence, drill)| {
            let evidence = serde_json::json!({ "versions": labels, "deep": [[[[[[[[[summary]]]]]]]]] });
            let source = annotations.keys().next().cloned().unwrap_or_default();
            Alert { summary, labels, values, annotations, confidence, drill, evidence, ..Alert::new(source, kind) }
        })
}

fn any_purpose() -> impl Strategy<Value = PagePurpose> {
    prop_oneof![
        6 => (0u32..4).prop_map(|round| PagePurpose::Brief { round }),
        1 => Just(PagePurpose::Taken { by: "ana".into(), covering_as: None }),
        1 => Just(PagePurpose::Taken { by: "bo".into(), covering_as: Some("head-of-desk".into()) }),
        1 => Just(PagePurpose::HandedBack { by: "ana".into(), of: "trader".into() }),
        1 => Just(PagePurpose::StoodDown),
        1 => Just(PagePurpose::Resolved),
        1 => Just(PagePurpose::RoomCard),
        1 => any_text().prop_map(|line| PagePurpose::RoomLine { line }),
        1 => any_text().prop_map(|line| PagePurpose::RoomNote { line }),
        1 => (2u32..).prop_map(|revision| PagePurpose::RoomUpdate { revision, shows: String::new() }),
        1 => Just(PagePurpose::RoomSummary),
        1 => Just(PagePurpose::RoomFurnish),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        rng_seed: RngSeed::Fixed(1845),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_template_moves_what_happened_or_the_question_from_their_place(
        text in any_text(),
        repeated: bool,
        drill: bool,
        id in prop_oneof![1i64..2000, Just(i64::MAX)],
        role in "[a-z][a-z-]{0,39}",
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("trader")).expect("a folder");
        let raw = format!("{{% raw %}}{}{{% endraw %}}", text.replace("{%", ""));
        for file in ["sms.txt", "voice.txt"] {
            fs::write(folder.path().join("trader").join(file), &raw).expect("a file");
        }
        let templates = PageTemplates::load(folder.path()).expect("sound templates");
        let mut incident = later(opened(flash_crash(drill)), 0);
        incident.id = stentor::core::IncidentId(id);
        let page = Page { maybe_repeated: repeated, ..brief_of(&incident, "trader").clone() };
        judge(&render(&templates, &incident, &page, TextForm::Sms), TextForm::Sms, drill, true);
        judge(&render(&templates, &incident, &page, TextForm::Voice), TextForm::Voice, drill, true);
        // However long a role's name is.
        let role = stentor::core::RoleName::from(role.as_str());
        let page = Page { role: Some(role), ..page };
        judge(&render(&templates, &incident, &page, TextForm::Sms), TextForm::Sms, drill, true);
    }

    #[test]
    fn no_alert_makes_a_text_that_misleads_or_does_not_fit(
        alert in any_alert(),
        purpose in any_purpose(),
        seconds in 0u64..400,
        repeated: bool,
        id in prop_oneof![1i64..2000, Just(i64::MAX)],
    ) {
        let templates = PageTemplates::shipped();
        let drill = alert.drill;
        let mut incident = later(opened(alert), seconds);
        incident.id = stentor::core::IncidentId(id);
        let paged: BTreeMap<_, _> = incident.pages.values().map(|page| (page.role.clone(), page.clone())).collect();
        for page in paged.into_values() {
            let page = Page { purpose: purpose.clone(), maybe_repeated: repeated, ..(*page).clone() };
            for form in FORMS {
                let rendered = render(&templates, &incident, &page, form);
                // Where every field is as long as it may be, the raw facts are the better brief.
                let why = rendered.fallback.as_deref();
                prop_assert!(why.is_none_or(|why| why.contains("too long")), "{why:?}");
                judge(&rendered, form, drill, purpose.is_brief());
            }
        }
    }
}
