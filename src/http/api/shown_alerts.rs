//! Alerts as Alertmanager's API shows them, for amtool and dashboards: those of open incidents, and those that wait for a
//! layer or are held by a silence. A receiver is a role that its trigger names.
//!
//! Drills are left out: nothing in this format tells them from the real thing.

mod view;

use super::{
    alertmanager::{self, AlertRefusal, framework, said},
    alertmanager_query::AlertmanagerQuery,
};
use crate::{
    core::{Alert, AlertStatus, Incident, SourceName, TriggerName, silence::MatcherSet},
    http::{
        credential,
        openapi::{
            Access, Operation,
            operation::{AnswerHeader, JSON},
        },
        refusal_log,
        state::AppState,
    },
    matrix::SourceScope,
    store::{IncidentFilter, StoreError},
};
use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use view::{ALERTNAME, ReceiverName, ShownAlert, ShownState, of_incident, of_waiting};

/// The most open incidents, and the most waiting alerts, that are looked at.
const LOOKED_AT_MAX: usize = 1000;

/// The longest compiled pattern of receivers, in bytes.
const PATTERN_MAX: usize = 256 << 10;

/// How many open incidents were not looked at.
const LEFT_OUT: &str = "Stentor-Left-Out";

/// Alerts with one `alertname` for one receiver.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AlertGroup {
    /// The `alertname`.
    labels: BTreeMap<String, String>,
    /// Who.
    receiver: ReceiverName,
    /// The alerts.
    alerts: Vec<ShownAlert>,
}

/// What is asked.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "it describes what `AlertmanagerQuery` reads")]
struct ShownAlertsQuery {
    /// A matcher, such as `severity="critical"` or `host=~"db.*"`, or several between braces. May come several times.
    filter: Option<String>,
    /// A pattern for the whole name of a receiver.
    receiver: Option<String>,
    /// Whether those of open incidents are shown. Default true.
    active: Option<bool>,
    /// Whether those that a silence holds are shown. Default true.
    silenced: Option<bool>,
    /// Changes nothing: no alert inhibits another here.
    inhibited: Option<bool>,
    /// Whether those that wait for a layer are shown. Default true.
    unprocessed: Option<bool>,
}

/// A refusal: an object for how a request is made, a text for what it says.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what `AlertRefusal` says")]
enum Refusal {
    /// Why.
    Text(String),
    /// Why, with a code.
    Framework {
        /// The status, or 601 and more for a parameter.
        code: u16,
        /// Why.
        message: String,
    },
}

/// `GET /api/v2/alerts` in the API's document.
pub fn operation() -> Operation {
    let details = "Alerts of open incidents, and those that wait for a layer of their trigger or are held by a silence. With \
                   the scope `read` all of them, with `alerts` those whose newest alert the source sent itself. Drills are \
                   left out. Of more than 1000 open incidents the newest are looked at.";
    described(Operation::get("getAlertmanagerAlerts", list))
        .about("Alerts, as Alertmanager shows them", details)
        .query::<ShownAlertsQuery>()
        .answer::<Vec<ShownAlert>>(StatusCode::OK, "The alerts, by fingerprint.")
        .with_header(left_out())
        .otherwise(alertmanager::wrong_method)
}

/// `GET /api/v2/alerts/groups` in the API's document.
pub fn groups_operation() -> Operation {
    described(Operation::get("getAlertmanagerGroups", groups))
        .about("The same alerts, by receiver and `alertname`", "An alert with several receivers is in several groups.")
        .query::<ShownAlertsQuery>()
        .answer::<Vec<AlertGroup>>(StatusCode::OK, "The groups.")
        .with_header(left_out())
}

/// `GET /api/v2/receivers` in the API's document.
pub fn receivers_operation() -> Operation {
    described(Operation::get("getAlertmanagerReceivers", receivers))
        .about("The roles of the matrix", "As Alertmanager shows receivers.")
        .answer::<Vec<ReceiverName>>(StatusCode::OK, "The roles.")
}

fn described(operation: Operation) -> Operation {
    operation
        .access_told_as::<Refusal>(Access::Source(SourceScope::Alerts), JSON)
        .answer_as::<Refusal>(StatusCode::BAD_REQUEST, JSON, "A filter can not be read.")
        .answer_as::<Refusal>(StatusCode::UNPROCESSABLE_ENTITY, JSON, "A parameter has the wrong type.")
        .answer_as::<Refusal>(StatusCode::SERVICE_UNAVAILABLE, JSON, "The store can not be read now.")
}

fn left_out() -> AnswerHeader {
    AnswerHeader {
        name: LEFT_OUT,
        details: "There if open incidents or waiting alerts were not looked at: how many incidents.",
        is_number: true,
        is_required: false,
    }
}

/// `GET /api/v2/alerts`.
pub async fn list(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AlertRefusal> {
    let (alerts, left_out) = wanted(&app, &headers, query).await?;
    Ok(bounded(Json(alerts), left_out))
}

/// `GET /api/v2/alerts/groups`.
pub async fn groups(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AlertRefusal> {
    let (alerts, left_out) = wanted(&app, &headers, query).await?;
    let mut groups: BTreeMap<(ReceiverName, Option<String>), Vec<ShownAlert>> = BTreeMap::new();
    for alert in &alerts {
        let name = alert.labels.get(ALERTNAME);
        for receiver in &alert.receivers {
            groups.entry((receiver.clone(), name.cloned())).or_default().push(alert.clone());
        }
    }
    let groups = groups.into_iter().map(|((receiver, name), alerts)| AlertGroup {
        labels: name.into_iter().map(|name| (ALERTNAME.to_owned(), name)).collect(),
        receiver,
        alerts,
    });
    Ok(bounded(Json(groups.collect::<Vec<_>>()), left_out))
}

/// `GET /api/v2/receivers`.
pub async fn receivers(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
) -> Result<Json<Vec<ReceiverName>>, AlertRefusal> {
    Sees::of(&app, &headers)?;
    let live = app.engine.config();
    Ok(Json(live.matrix.roles.keys().map(|name| ReceiverName { name: name.clone() }).collect()))
}

fn bounded(body: impl IntoResponse, left_out: Option<usize>) -> Response {
    let mut response = body.into_response();
    if let Some(left_out) = left_out {
        response.headers_mut().insert(LEFT_OUT, HeaderValue::from(left_out));
    }
    response
}

/// Whose alerts a source sees.
enum Sees {
    All,
    Own(SourceName),
}

impl Sees {
    fn of(app: &AppState, headers: &HeaderMap) -> Result<Self, AlertRefusal> {
        let source = credential::source(app, headers).ok_or_else(|| {
            refusal_log::credential(None, SourceScope::Read);
            framework(StatusCode::UNAUTHORIZED, 401, "no source of the matrix has this credential".to_owned())
        })?;
        if credential::has_scope(app, &source, SourceScope::Read) {
            return Ok(Self::All);
        }
        credential::in_scope(app, &source, SourceScope::Alerts)
            .map_err(|message| framework(StatusCode::FORBIDDEN, 403, message))?;
        Ok(Self::Own(source))
    }

    fn sees(&self, alert: &Alert) -> bool {
        match self {
            Self::All => true,
            Self::Own(source) => alert.source == *source,
        }
    }
}

/// What is asked for, read.
struct Wanted {
    filter: MatcherSet,
    receiver: Option<Regex>,
    states: Vec<ShownState>,
}

impl Wanted {
    fn read(query: &AlertmanagerQuery) -> Result<Self, AlertRefusal> {
        let pattern = |text: &str| RegexBuilder::new(&format!("^(?:{text})$")).size_limit(PATTERN_MAX).build();
        let receiver = query
            .value("receiver")
            .map(pattern)
            .transpose()
            .map_err(|error| said(StatusCode::BAD_REQUEST, format!("failed to parse receiver param: {error}")))?;
        query.flag("inhibited")?;
        let states = [
            (ShownState::Active, query.flag("active")?),
            (ShownState::Suppressed, query.flag("silenced")?),
            (ShownState::Unprocessed, query.flag("unprocessed")?),
        ];
        Ok(Self {
            filter: query.matchers()?,
            receiver,
            states: states.into_iter().filter(|(_, wanted)| *wanted).map(|(state, _)| state).collect(),
        })
    }

    fn wants(&self, alert: &Alert, trigger: &TriggerName, shown: &ShownAlert) -> bool {
        let is_for = |pattern: &Regex| shown.receivers.iter().any(|receiver| pattern.is_match(receiver.name.as_str()));
        self.states.contains(&shown.status.state)
            && self.receiver.as_ref().is_none_or(is_for)
            && self.filter.matches(alert, trigger)
    }
}

/// The alerts that are asked for, by fingerprint; and how many open incidents were not looked at, if something was not.
async fn wanted(
    app: &AppState,
    headers: &HeaderMap,
    query: Vec<(String, String)>,
) -> Result<(Vec<ShownAlert>, Option<usize>), AlertRefusal> {
    let sees = Sees::of(app, headers)?;
    let wanted = Wanted::read(&AlertmanagerQuery(query))?;
    let reads = app.engine.reads();
    let filter = IncidentFilter { open_only: true, limit: LOOKED_AT_MAX };
    let open = reads.list(filter).await.map_err(unread)?;
    let (waiting, more_wait) = reads.waiting(LOOKED_AT_MAX).await.map_err(unread)?;
    let left_out = match open.len() {
        LOOKED_AT_MAX => reads.open_count().await.map_err(unread)?.saturating_sub(LOOKED_AT_MAX),
        _ => 0,
    };
    let mut shown: BTreeMap<String, ShownAlert> = BTreeMap::new();
    let mut show = |alert: &Alert, trigger: &TriggerName, own: ShownAlert| {
        if alert.drill || !sees.sees(alert) || !wanted.wants(alert, trigger, &own) {
            return;
        }
        // One alert that several triggers look at is one here.
        match shown.get_mut(&own.fingerprint) {
            None => drop(shown.insert(own.fingerprint.clone(), own)),
            Some(known) => known.take_in(own),
        }
    };
    let is_over =
        |incident: &Incident| incident.all_clear_at.is_some() || incident.alert.status == AlertStatus::Resolved;
    for incident in open.iter().filter(|incident| !is_over(incident)) {
        show(&incident.alert, &incident.trigger, of_incident(app, incident));
    }
    for (trigger, pending) in &waiting {
        show(&pending.alert, trigger, of_waiting(app, trigger, pending));
    }
    let is_whole = left_out == 0 && !more_wait;
    Ok((shown.into_values().collect(), (!is_whole).then_some(left_out)))
}

fn unread(error: StoreError) -> AlertRefusal {
    refusal_log::store(&error);
    said(StatusCode::SERVICE_UNAVAILABLE, format!("the store can not be read: {error}"))
}
