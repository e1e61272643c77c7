//! How the items of every format are admitted: each by itself, durable before the answer.

use super::item::{MonitorItem, ReadItem};
use crate::{
    core::{Alert, SourceName},
    engine::{AdmittedAlert, IncomingAlert, KeptResult, KeyedRequest, KeyedResult},
    http::{
        api::quota,
        problem::{BodyFault, ProblemDetails},
        refusal_log,
        state::AppState,
    },
    store::RequestKey,
};
use axum::http::StatusCode;
use std::{collections::BTreeMap, sync::Arc};

/// What ids of items are for among the keys of a source.
const OPERATION: &str = "monitor";

/// What an item counts as that was admitted before.
const REPEATED: &str = "repeated";

/// Admits the items of a body of this source, and says what is wrong with some of them: a fault of one costs no other. When
/// this returns, what was taken is durable.
///
/// # Errors
/// `503` where the store can not keep them; `429` where some would open more incidents than the source may now, or where
/// the conditions took too long: the others are kept, and join their incidents when all of them are sent again.
pub async fn admit(
    app: &AppState,
    api: &'static str,
    source: &SourceName,
    read: Vec<ReadItem>,
) -> Result<Vec<BodyFault>, ProblemDetails> {
    let all = read.len();
    let (mut alerts, mut places, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let (mut once, mut noted) = (Vec::new(), Vec::new());
    let named = |alert: Box<Alert>| {
        let id = format!("ALT-{:016x}", rand::random::<u64>());
        Alert { source: source.clone(), id, ..*alert }
    };
    for (index, item) in read.into_iter().enumerate() {
        match item {
            Ok(MonitorItem::Alert(alert)) => {
                places.push(index);
                alerts.push(named(alert));
            }
            Ok(MonitorItem::Once { id, alert, answer }) => once.push((index, (id, answer), named(alert))),
            Ok(MonitorItem::Noted(event)) => noted.push(event),
            Err(detail) => faults.push(BodyFault { index, detail }),
        }
    }
    let mut admitted: Vec<(usize, AdmittedAlert)> = Vec::with_capacity(all);
    if !alerts.is_empty() {
        places
            .into_iter()
            .zip(app.engine.admission().admit(alerts, app.engine.now()).await?)
            .for_each(|one| admitted.push(one));
    }
    // In the order of the body: an all-clear may follow what it ends.
    for (index, kept, alert) in once {
        match admit_once(app, source, kept, alert).await? {
            Some(results) => admitted.extend(results.into_iter().map(|result| (index, result.admitted))),
            None => noted.push(REPEATED),
        }
    }
    tell(app, api, source, &noted);
    let refused = admitted.iter().filter_map(|(index, admitted)| Some((*index, admitted.refused()?.to_owned())));
    faults.extend(refused.map(|(index, detail)| BodyFault { index, detail }));
    faults.sort_by_key(|fault| fault.index);
    refusal_log::elements(source, api, faults.len(), all);
    let over_quota = admitted.iter().filter(|(_, admitted)| admitted.is_over_quota()).count();
    if over_quota != 0 {
        return Err(quota::over(app, source, over_quota, admitted.len()));
    }
    let over_cost = admitted.iter().filter(|(_, admitted)| admitted.is_over_cost()).count();
    if over_cost != 0 {
        return Err(quota::over_cost(over_cost, admitted.len()));
    }
    Ok(faults)
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
    (id, answer): (String, String),
    alert: Alert,
) -> Result<Option<Vec<KeptResult>>, ProblemDetails> {
    let key = key_of(source, id);
    let respond = Arc::new(move |kept: &[KeptResult]| {
        let is_done = |result: &KeptResult| !result.admitted.must_come_again() && result.admitted.refused().is_none();
        kept.iter().all(is_done).then(|| (StatusCode::ACCEPTED.as_u16(), answer.clone()))
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
