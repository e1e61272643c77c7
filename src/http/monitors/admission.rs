//! How the items of every format are admitted: each by itself, durable before the answer.

use super::item::{MonitorItem, ReadItem};
use crate::{
    core::SourceName,
    http::{
        api::quota,
        problem::{BodyFault, ProblemDetails},
        refusal_log,
        state::AppState,
    },
};

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
    let (mut alerts, mut places, mut faults, mut noted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, item) in read.into_iter().enumerate() {
        match item {
            Ok(MonitorItem::Alert(mut alert)) => {
                alert.source = source.clone();
                alert.id = format!("ALT-{:016x}", rand::random::<u64>());
                places.push(index);
                alerts.push(*alert);
            }
            Ok(MonitorItem::Noted(event)) => noted.push(event),
            Err(detail) => faults.push(BodyFault { index, detail }),
        }
    }
    if !alerts.is_empty() {
        let admitted = app.engine.admission().admit(alerts, app.engine.now()).await?;
        let over_quota = admitted.iter().filter(|admitted| admitted.is_over_quota()).count();
        if over_quota != 0 {
            return Err(quota::over(app, source, over_quota, admitted.len()));
        }
        let over_cost = admitted.iter().filter(|admitted| admitted.is_over_cost()).count();
        if over_cost != 0 {
            return Err(quota::over_cost(over_cost, admitted.len()));
        }
        let refused = places.into_iter().zip(&admitted);
        faults.extend(
            refused.filter_map(|(index, admitted)| Some(BodyFault { index, detail: admitted.refused()?.to_owned() })),
        );
        faults.sort_by_key(|fault| fault.index);
    }
    noted.into_iter().for_each(|event| {
        app.engine.metrics().monitor_event(api, event);
        tracing::info!(%source, api, event, "a monitor sent an event that pages nobody");
    });
    refusal_log::elements(source, api, faults.len(), all);
    Ok(faults)
}
