//! Alerts of a request with an `Idempotency-Key`.

use super::alert_results::{self, AlertResult, ReadItem};
use crate::{
    engine::{IncomingAlert, KeptResult, KeyedRequest, KeyedResult},
    http::{idempotency, problem::ProblemDetails, state::AppState},
    store::RequestKey,
};
use axum::{http::StatusCode, response::Response};
use serde_json::json;
use std::sync::Arc;

/// What keys of this API are for.
pub const OPERATION: &str = "alerts";

/// The most alerts of a request with a key: the results of all of them are kept together.
pub const KEYED_ALERTS_MAX: usize = 1_000;

/// The largest response that is kept whole, in bytes. Of a larger one each alert's id, status and incidents are kept.
pub const RESPONSE_MAX: usize = 256 * 1024;

/// What became of the request.
pub enum KeyedOutcome {
    /// It was admitted now.
    Results(Vec<AlertResult>),
    /// It was admitted before, and this was the response.
    Again(Response),
}

/// Admits the alerts of a request, of whose items they are the valid ones, unless the request was admitted before.
///
/// # Errors
/// `413` for more than [`KEYED_ALERTS_MAX`], `422` where the key was used for another body, those of the store.
pub async fn admit(
    app: &AppState,
    alerts: Vec<IncomingAlert>,
    items: Vec<ReadItem>,
    (key, digest): (RequestKey, String),
) -> Result<KeyedOutcome, ProblemDetails> {
    if KEYED_ALERTS_MAX < items.len() {
        let detail = format!(
            "a request with an Idempotency-Key may have {KEYED_ALERTS_MAX} alerts, and this one has {}: nothing was kept. \
             Send them in several requests, each with a key of its own",
            items.len()
        );
        return Err(ProblemDetails::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    let received_at = app.engine.now();
    let items = Arc::new(items);
    let of_request = items.clone();
    let respond = Arc::new(move |kept: &[KeptResult]| kept_response(&results(&of_request, kept.to_vec())));
    let request = KeyedRequest { key, digest, respond };
    match app.engine.admission().admit_keyed(alerts, received_at, request).await? {
        KeyedResult::Admitted(kept) => Ok(KeyedOutcome::Results(results(&items, kept))),
        KeyedResult::Again { status, body } => Ok(KeyedOutcome::Again(idempotency::replayed(status, body))),
        KeyedResult::OtherBody => Err(idempotency::other_body()),
    }
}

fn results(items: &[ReadItem], kept: Vec<KeptResult>) -> Vec<AlertResult> {
    alert_results::results(items, kept.into_iter().map(|result| (result.id, result.admitted)))
}

/// What is kept; nothing where alerts must be sent again, or where none was kept.
fn kept_response(results: &[AlertResult]) -> Option<(u16, String)> {
    if alert_results::to_come_again(results) != 0 {
        return None;
    }
    let (status, body) = alert_results::told(results).ok()?;
    let body = body.to_string();
    let short = || json!({ "alerts": results.iter().map(AlertResult::short).collect::<Vec<_>>() }).to_string();
    Some((status.as_u16(), if body.len() <= RESPONSE_MAX { body } else { short() }))
}
