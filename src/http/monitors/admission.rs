//! How the items of every format are admitted: each by itself, durable before the answer.

use super::item::{self, KeptAnswer, MonitorItem, ReadItem};
use crate::{
    core::{Alert, SourceName},
    engine::{AdmittedAlert, IncomingAlert, KeptResult, KeyedRequest, KeyedResult},
    http::{
        api::quota,
        problem::{BodyFault, ProblemDetails},
        refusal_log,
        state::AppState,
        unfinished::{self, BodyName},
    },
    store::RequestKey,
};
use axum::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What ids of items are for among the keys of a source.
const OPERATION: &str = "monitor";

/// What an item counts as that was admitted before.
const REPEATED: &str = "repeated";

/// What an item counts as of which something was cut, because the alert was too large.
const CUT: &str = "cut";

/// What an item counts as that had a secret of its source in it.
const SECRET: &str = "secret-left-out";

/// The shortest secret that is looked for in alerts, in bytes: a shorter one stands in words.
const SECRET_MIN: usize = 8;

/// What became of a body.
#[derive(Debug, Default)]
pub struct AdmittedBody {
    /// How many alerts were admitted now.
    pub taken: usize,
    /// How many were admitted before.
    pub repeated: usize,
    /// What is wrong with the others.
    pub faults: Vec<BodyFault>,
}

/// An alert of a body, and how it is told from others.
struct BodyAlert {
    place: usize,
    alert: Alert,
    once: Option<(String, KeptAnswer)>,
}

/// Admits the items of a body of this source in their order, and says what is wrong with some of them: a fault of one costs no
/// other. When this returns, what was taken is durable. `name`: a body that comes again as it is goes on with what had to
/// come again.
///
/// # Errors
/// `503` where the store can not keep them; `429` where some would open more incidents than the source may now, or where
/// the conditions took too long: the others are kept.
pub async fn admit(
    app: &AppState,
    api: &'static str,
    source: &SourceName,
    read: Vec<ReadItem>,
    name: Option<BodyName>,
) -> Result<AdmittedBody, ProblemDetails> {
    let all = read.len();
    let before = name.as_ref().map(|name| app.unfinished.done(name)).unwrap_or_default();
    let (mut alerts, mut noted, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut repeated = 0;
    let secrets = secrets(app, source);
    let secrets: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    for (place, item) in read.into_iter().enumerate() {
        let (alert, once) = match item {
            Ok(MonitorItem::Alert(_) | MonitorItem::Once { .. }) if before.contains(&place) => {
                repeated += 1;
                continue;
            }
            Ok(MonitorItem::Alert(alert)) => (alert, None),
            Ok(MonitorItem::Once { id, alert, answer }) => (alert, Some((id, answer))),
            Ok(MonitorItem::Noted(event)) => {
                noted.push(event);
                continue;
            }
            Err(detail) => {
                faults.push(BodyFault { index: place, detail });
                continue;
            }
        };
        let id = format!("ALT-{:016x}", rand::random::<u64>());
        let mut alert = Alert { source: source.clone(), id, ..*alert };
        noted.extend(item::leave_out(&mut alert, &secrets).then_some(SECRET));
        match item::bring_within(&mut alert) {
            Ok(is_cut) => {
                noted.extend(is_cut.then_some(CUT));
                alerts.push(BodyAlert { place, alert, once });
            }
            Err(detail) => faults.push(BodyFault { index: place, detail }),
        }
    }
    let of_body: Vec<(usize, Alert)> = match &name {
        Some(_) => alerts.iter().map(|one| (one.place, about(&one.alert))).collect(),
        None => Vec::new(),
    };
    let (admitted, again) = in_order(app, source, alerts).await?;
    repeated += again;
    noted.extend(std::iter::repeat_n(REPEATED, repeated));
    tell(app, api, source, &noted);
    let refused = admitted.iter().filter_map(|(index, admitted)| Some((*index, admitted.refused()?.to_owned())));
    let refused: Vec<BodyFault> = refused.map(|(index, detail)| BodyFault { index, detail }).collect();
    let taken = admitted.len() - refused.len();
    faults.extend(refused);
    faults.sort_by_key(|fault| fault.index);
    refusal_log::elements(source, api, faults.len(), all);
    let must: BTreeSet<usize> =
        admitted.iter().filter(|(_, admitted)| admitted.must_come_again()).map(|(place, _)| *place).collect();
    if let Some(name) = name {
        let done = unfinished::finished(of_body.iter().map(|(place, alert)| (*place, alert, must.contains(place))));
        app.unfinished.keep(name, (!must.is_empty()).then(|| done.into_iter().chain(before).collect()));
    }
    let over_quota = admitted.iter().filter(|(_, admitted)| admitted.is_over_quota()).count();
    if over_quota != 0 {
        return Err(quota::over(app, source, over_quota, admitted.len()));
    }
    let over_cost = admitted.iter().filter(|(_, admitted)| admitted.is_over_cost()).count();
    if over_cost != 0 {
        return Err(quota::over_cost(over_cost, admitted.len()));
    }
    Ok(AdmittedBody { taken, repeated, faults })
}

/// Admits alerts in the order of their body, for an all-clear may follow what it ends: their results by their places, and how
/// many were admitted before. Those that come once are each a work of its own, the others between them one.
async fn in_order(
    app: &AppState,
    source: &SourceName,
    alerts: Vec<BodyAlert>,
) -> Result<(Vec<(usize, AdmittedAlert)>, usize), ProblemDetails> {
    let (mut admitted, mut repeated) = (Vec::with_capacity(alerts.len()), 0);
    let (mut places, mut together) = (Vec::new(), Vec::new());
    for BodyAlert { place, alert, once } in alerts {
        let Some(kept) = once else {
            places.push(place);
            together.push(alert);
            continue;
        };
        admitted.extend(admit_together(app, &mut places, &mut together).await?);
        match admit_once(app, source, kept, alert).await? {
            Some(results) => admitted.extend(results.into_iter().map(|result| (place, result.admitted))),
            None => repeated += 1,
        }
    }
    admitted.extend(admit_together(app, &mut places, &mut together).await?);
    Ok((admitted, repeated))
}

async fn admit_together(
    app: &AppState,
    places: &mut Vec<usize>,
    alerts: &mut Vec<Alert>,
) -> Result<Vec<(usize, AdmittedAlert)>, ProblemDetails> {
    if alerts.is_empty() {
        return Ok(Vec::new());
    }
    let admitted = app.engine.admission().admit(std::mem::take(alerts), app.engine.now()).await?;
    Ok(std::mem::take(places).into_iter().zip(admitted).collect())
}

/// What an alert is about, without all that it says.
fn about(alert: &Alert) -> Alert {
    let (labels, status) = (alert.labels.clone(), alert.status);
    Alert { labels, status, ..Alert::new("", alert.kind.as_str()) }
}

/// What must be in no alert of this source: its tokens and keys.
fn secrets(app: &AppState, source: &SourceName) -> Vec<SecretString> {
    let live = app.engine.config();
    let all = live.tokens.iter().chain(&live.signing_keys).filter(|(owner, _)| owner == source);
    let secrets = all.map(|(_, secret)| secret.clone());
    secrets.filter(|secret| SECRET_MIN <= secret.expose_secret().len()).collect()
}

/// Counts events that page nobody; one line of the log for those of a body that are the same.
fn tell(app: &AppState, api: &'static str, source: &SourceName, noted: &[&'static str]) {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for event in noted {
        app.engine.metrics().monitor_event(api, event);
        *counts.entry(event).or_default() += 1;
    }
    for (event, count) in counts {
        tracing::info!(%source, api, event, count, "a monitor sent what pages nobody");
    }
}

/// Admits an alert unless it was admitted before under this id; `None` if it was. Its id is free again where it was
/// refused, or must come again.
async fn admit_once(
    app: &AppState,
    source: &SourceName,
    (id, answer): (String, KeptAnswer),
    alert: Alert,
) -> Result<Option<Vec<KeptResult>>, ProblemDetails> {
    let key = key_of(source, id);
    let respond = Arc::new(move |kept: &[KeptResult]| {
        let is_done = |result: &KeptResult| !result.admitted.must_come_again() && result.admitted.refused().is_none();
        let told = kept.first().map_or_else(String::new, |one| answer.of(&one.admitted));
        kept.iter().all(is_done).then(|| (StatusCode::ACCEPTED.as_u16(), told))
    });
    // The id alone says that it is the same: its body may be written otherwise.
    let request = KeyedRequest { key, digest: String::new(), respond };
    match app.engine.admission().admit_keyed(vec![IncomingAlert::from(alert)], app.engine.now(), request).await? {
        KeyedResult::Admitted(results) => Ok(Some(results)),
        KeyedResult::Again { .. } | KeyedResult::OtherBody => Ok(None),
    }
}

/// What is kept of the item that this source sent under this id.
///
/// # Errors
/// Those of the store.
pub async fn kept(app: &AppState, source: &SourceName, id: &str) -> Result<Option<String>, ProblemDetails> {
    Ok(app.engine.admission().response(key_of(source, id.to_owned())).await?)
}

fn key_of(source: &SourceName, id: String) -> RequestKey {
    RequestKey { source: source.clone(), operation: OPERATION.to_owned(), key: id }
}
