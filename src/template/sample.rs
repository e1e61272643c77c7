//! Sample crises for testing templates when they are loaded: one alert with almost no fields, one with many. A template
//! that fails for one of them is refused then, not in a crisis.

use crate::{
    core::{
        Alert, AnswerLevel, EscalationPlan, Incident, IncidentId, IncidentKey, IncidentOpening, RoleName, RolePlan,
        Roster, StepPlan, StepTarget, Timestamp, Zone, open, plan::OnResolved,
    },
    template::{
        PageTemplates,
        brief::{BriefInput, PageReader, TextForm},
        broken::BrokenTemplate,
        context,
        load::FILES,
        words::BriefWords,
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// 6 May 2010, 14:45:28 in New York.
const THEN: Timestamp = Timestamp::from_micros(1_273_171_528_000_000);

/// The errors of each template for each crisis.
pub(super) fn try_all(templates: &PageTemplates) -> Vec<BrokenTemplate> {
    let (names, utc) = (BTreeMap::new(), Zone::utc());
    let mut broken = Vec::new();
    for name in templates.revisions().into_keys() {
        for alert in [Alert::new("monitor", "bare"), rich()] {
            let incident = crisis(&name, alert);
            let Some(page) = incident.pages.values().next() else { continue };
            let reader = Some(PageReader { name: "Ana", zone: &utc });
            let brief = BriefInput {
                incident: &incident,
                page,
                reader,
                names: &names,
                shared_zone: &utc,
                following: 0,
                sandboxed: &[],
            };
            for (file, form) in FILES.into_iter().zip([TextForm::Screen, TextForm::Sms, TextForm::Mail]) {
                broken.extend(templates.run(&name, file, context::of(&BriefWords::new(&brief), form)).err());
            }
            let context = context::of(&BriefWords::new(&brief), TextForm::Voice);
            broken.extend(templates.run(&name, templates.voice_file(&name), context).err());
        }
    }
    broken
}

pub(super) fn rich() -> Alert {
    let mut alert = Alert::new("monitor", "price_velocity");
    alert.summary = "ES down 6.2% in 4 min".to_owned();
    alert.labels.insert("symbol".to_owned(), "ES".to_owned());
    alert.values.insert("drop_pct".to_owned(), 6.2);
    alert.annotations.insert("action_a".to_owned(), "Pull quotes".to_owned());
    alert.evidence = serde_json::json!({ "versions": { "a": "1", "b": "1", "c": "2" } });
    alert
}

pub(super) fn crisis(template: &str, mut alert: Alert) -> Incident {
    let role = RoleName::from("trader");
    let whom = vec![StepTarget::Person("ana".into())];
    let step = StepPlan { page: whom, by: vec!["desk".into()], wait: Duration::from_secs(45), repeat: 0 };
    let row = RolePlan {
        name: None,
        engaged_by: AnswerLevel::Wilco,
        target: None,
        template: template.to_owned(),
        template_revision: String::new(),
        steps: vec![step],
        next: None,
    };
    let plan = EscalationPlan {
        trigger: "trigger".into(),
        matrix: String::new(),
        required: vec![role.clone()],
        roles: BTreeMap::from([(role, row)]),
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
    };
    alert.drill = true;
    let summary = alert.headline().to_owned();
    let opening = IncidentOpening {
        key: IncidentKey::stored(""),
        summary,
        plan: Arc::new(plan),
        alert: Arc::new(alert),
        received_at: THEN,
        terms: None,
        ask: None,
        nonce: None,
    };
    let reach = BTreeMap::from([("ana".into(), vec!["desk".into()])]);
    open(IncidentId(1), opening, &Roster { reach, ..Roster::default() }, THEN).0
}
