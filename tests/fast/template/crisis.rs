//! Crises to make texts from.

use std::{collections::BTreeMap, sync::Arc, time::Duration};
use stentor::core::{
    Alert, AnswerLevel, Ask, ChannelName, EscalationPlan, Incident, IncidentId, IncidentInput, IncidentKey,
    IncidentOpening, Page, PagePurpose, PersonName, RoleName, RolePlan, Roster, SendOutcome, SendReceipt, StepPlan,
    StepTarget, Timestamp, open,
    plan::{OnResolved, SuggestedAction},
    step,
};

/// Whom the plan knows, by their name in the matrix.
pub const PEOPLE: [(&str, &str); 6] = [
    ("ana", "Ana Ruiz"),
    ("bo", "Bo Lind"),
    ("cy", "Cy Okafor"),
    ("dee", "Dee Novak"),
    ("eli", "Eli Brandt"),
    ("fay", "Fay Moreau"),
];

/// The flash crash of 6 May 2010, 14:45:28 in New York.
pub const OPENED: Timestamp = Timestamp::from_micros(1_273_171_528_000_000);

pub fn after(seconds: u64) -> Timestamp {
    OPENED + Duration::from_secs(seconds)
}

pub fn names() -> BTreeMap<PersonName, String> {
    PEOPLE.iter().map(|(id, name)| (PersonName::from(*id), (*name).to_owned())).collect()
}

pub fn flash_crash(drill: bool) -> Alert {
    let mut alert = Alert::new("risk-monitor", "price_velocity");
    alert.summary = "ES down 6.2% in 4 min, depth below 1%".into();
    alert.drill = drill;
    alert.confidence = 0.93;
    alert.starts_at = Timestamp::parse("2010-05-06T18:45:13Z");
    for (name, text) in [("symbol", "ES"), ("venue", "CME"), ("desk", "index"), ("host", "smars-8")] {
        alert.labels.insert(name.into(), text.into());
    }
    let values = [
        ("drop_pct", 6.2),
        ("window_s", 240.0),
        ("depth_pct", 0.8),
        ("spread_ticks", 6.0),
        ("exposure_usd", -84_000_000.0),
        ("pnl_per_min_usd", -1_250_000.0),
        ("open_orders", 312.0),
        ("error_rate_pct", 4.5),
        ("queue_depth", 18_400.0),
        ("tick_rate", 2700.0),
    ];
    alert.values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    for (name, text) in [
        ("venue_state", "Stop Logic: paused 5 s at 14:45:28"),
        ("drivers", "sell program without price limit; buy side gone; hot potato volume"),
        ("service", "order router"),
        ("last_deploy", "router 4.2 on 5 May 21:10, 7 of 8 hosts"),
        ("runbook", "RB-12 router divergence"),
    ] {
        alert.annotations.insert(name.into(), text.into());
    }
    alert.evidence = serde_json::json!({ "versions": {
        "smars-1": "4.2", "smars-2": "4.2", "smars-3": "4.2", "smars-8": "4.1"
    }});
    alert
}

/// An incident with every shipped template's role in it, open at [`OPENED`].
pub fn opened(alert: Alert) -> Incident {
    suggesting(alert, Vec::new())
}

/// The same by another trigger of the shipped matrix.
pub fn by_trigger(trigger: &str, alert: Alert) -> Incident {
    made(trigger, alert, Vec::new())
}

/// The same by a trigger that suggests something.
pub fn suggesting(alert: Alert, actions: Vec<SuggestedAction>) -> Incident {
    made("flash-crash", alert, actions)
}

fn made(trigger: &str, alert: Alert, actions: Vec<SuggestedAction>) -> Incident {
    let roles = ["trader", "compliance", "it", "commander"];
    let summary = alert.headline().to_owned();
    let opening = IncidentOpening {
        ask: None,
        key: IncidentKey::stored("ES"),
        summary,
        plan: Arc::new(EscalationPlan { actions, trigger: trigger.into(), ..plan(&roles) }),
        alert: Arc::new(alert),
        received_at: OPENED,
        terms: None,
        nonce: None,
    };
    open(IncidentId(12), opening, &roster(), OPENED).0
}

/// The same, `seconds` later, with its timers run. What was sent at earlier times was accepted at once.
pub fn later(mut incident: Incident, seconds: u64) -> Incident {
    while let Some(due) = incident.deadline().filter(|due| *due <= after(seconds)) {
        accept_all(&mut incident);
        step(&mut incident, IncidentInput::Tick, &roster(), due);
    }
    incident
}

/// Every page that waits is sent, and accepted.
pub fn accept_all(incident: &mut Incident) {
    let queued: Vec<u32> = incident.pages.queued().map(|page| page.n).collect();
    let now = incident.last_at;
    for page in queued {
        let settlement = SendOutcome::Accepted { receipt: SendReceipt::of("m1") };
        step(incident, IncidentInput::Settled { page, settlement, sent_at: Some(now), text: None }, &roster(), now);
    }
}

/// The newest brief about a role.
pub fn brief_of<'a>(incident: &'a Incident, role: &str) -> &'a Page {
    let about = |page: &&Arc<Page>| page.purpose.is_brief() && page.role.as_ref().is_some_and(|r| r.as_str() == role);
    incident.pages.values().rfind(about).expect("the role was paged")
}

/// A page like that one for another purpose.
pub fn about(page: &Page, purpose: PagePurpose) -> Page {
    Page { purpose, ..page.clone() }
}

pub fn roster() -> Roster {
    let channels: Vec<ChannelName> = ["desk", "sms", "mail"].map(ChannelName::from).into();
    Roster {
        reach: PEOPLE.iter().map(|(id, _)| (PersonName::from(*id), channels.clone())).collect(),
        ..Roster::default()
    }
}

fn plan(required: &[&str]) -> EscalationPlan {
    let step_entries = |people: &[&str], wait: u64, repeat| -> Vec<StepPlan> {
        let step_plan = |person: &&str| StepPlan {
            page: vec![StepTarget::Person((*person).into())],
            by: vec!["desk".into()],
            wait: Duration::from_secs(wait),
            repeat,
        };
        people.iter().map(step_plan).collect()
    };
    let row = |template: &str, level, steps, next: Option<&str>| RolePlan {
        name: None,
        engaged_by: level,
        target: None,
        template: template.into(),
        template_revision: String::new(),
        steps,
        next: next.map(RoleName::from),
    };
    let roles = [
        ("trader", row("trader", AnswerLevel::Wilco, step_entries(&["ana", "bo"], 45, 0), Some("head-of-desk"))),
        ("head-of-desk", row("head-of-desk", AnswerLevel::Wilco, step_entries(&["eli"], 60, 0), None)),
        ("compliance", row("compliance", AnswerLevel::Roger, step_entries(&["cy"], 60, 1), None)),
        ("it", row("it", AnswerLevel::Wilco, step_entries(&["dee"], 60, 0), None)),
        ("commander", row("commander", AnswerLevel::Wilco, step_entries(&["eli"], 90, 0), None)),
        ("catch-all", row("catch-all", AnswerLevel::Wilco, step_entries(&["fay"], 120, 0), None)),
    ];
    EscalationPlan {
        trigger: "flash-crash".into(),
        matrix: "0000".into(),
        required: required.iter().map(|role| RoleName::from(*role)).collect(),
        roles: roles.into_iter().map(|(role, row)| (RoleName::from(role), row)).collect(),
        accept_timeout: BTreeMap::new(),
        rooms: Vec::new(),
        living: Default::default(),
        webhooks: Vec::new(),
        actions: Vec::new(),
        report_timeout: Default::default(),
        ask: None,
        priority: Default::default(),
        tier: None,
        raised: None,
        on_resolved: OnResolved::Note,
    }
}

/// An incident in which a program asks this.
pub fn asking(ask: Ask, drill: bool) -> Incident {
    let alert = flash_crash(drill);
    let summary = alert.headline().to_owned();
    let opening = IncidentOpening {
        ask: Some(Box::new(ask)),
        key: IncidentKey::stored("ES"),
        summary,
        plan: Arc::new(plan(&["trader"])),
        alert: Arc::new(alert),
        received_at: OPENED,
        terms: None,
        nonce: None,
    };
    open(IncidentId(12), opening, &roster(), OPENED).0
}
