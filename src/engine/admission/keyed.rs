//! Alerts of a request with an idempotency key: what is kept of them is kept once, however often the request comes.
//!
//! Each part's transaction keeps the results of its alerts, by their places in the request, with what they opened; the
//! last one keeps the whole response. So after a crash between two parts the same request goes on with the next alert,
//! also by another matrix, which may divide it otherwise. Two at once meet in the store: each alert is admitted by
//! whichever transaction comes first, and both are told the same.

use crate::{
    core::{Alert, DrillTerms, Timestamp, drill::DRILL_LIFE},
    engine::admission::{
        Admission, AdmittedAlert, IncomingAlert,
        admit::AlertAdmission,
        judge::{MatchedAlert, RequestCost},
        may_open::MayOpen,
        parts::{PART_MAX, needs, parts},
        silences::JudgementBasis,
    },
    store::{KeptResponse, RequestClass, RequestKey, RequestProgress, StoreError, Transaction, transact},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// A request that may come again.
#[derive(Clone)]
pub struct KeyedRequest {
    /// Its key.
    pub key: RequestKey,
    /// The digest of its body.
    pub digest: String,
    /// The response for the results of all alerts.
    pub respond: KeyedResponder,
}

/// The status and body of the response for the results of all alerts; `None` where it must not be kept, because some
/// alerts must be sent again or all were refused. It must be pure.
pub type KeyedResponder = Arc<dyn Fn(&[KeptResult]) -> Option<(u16, String)> + Send + Sync>;

/// The result for one alert of such a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptResult {
    /// The alert's id.
    pub id: String,
    /// What became of it.
    pub admitted: AdmittedAlert,
}

/// What became of such a request.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyedResult {
    /// It was admitted now, or the rest of it. The results are in the order of its alerts.
    Admitted(Vec<KeptResult>),
    /// It was admitted before, and this was the response.
    Again {
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
    /// Its key was used for another body.
    OtherBody,
}

/// Results by the places of their alerts.
type ResultsByPlace = BTreeMap<usize, KeptResult>;

/// What every part of one request is admitted by.
#[derive(Clone)]
struct KeyedTerms {
    request: KeyedRequest,
    basis: JudgementBasis,
    received_at: Timestamp,
    /// How many alerts the request has.
    total: usize,
}

/// What one part's transaction did: the results so far, and which of them are new.
type PartDone = Result<(ResultsByPlace, Vec<usize>), KeyedResult>;

impl Admission {
    /// Admits alerts of one source as [`Admission::admit`] does, unless the request was admitted before. An alert that
    /// was refused for the quota of its source is admitted when the request comes again.
    ///
    /// # Errors
    /// Those of the store. What was admitted before the error is not admitted again.
    pub async fn admit_keyed(
        &self,
        alerts: Vec<impl Into<IncomingAlert>>,
        received_at: Timestamp,
        request: KeyedRequest,
    ) -> Result<KeyedResult, StoreError> {
        let kept = self.context.store.response(request.key.clone()).await?;
        let mut done = match known(kept.as_deref(), &request) {
            Ok(done) => done,
            Err(known) => return Ok(known),
        };
        let terms = KeyedTerms { request, basis: self.basis(), received_at, total: alerts.len() };
        let mut cost = RequestCost::default();
        let mut left = alerts
            .into_iter()
            .map(Into::into)
            .enumerate()
            .filter(|(place, _)| !done.contains_key(place))
            .collect::<Vec<_>>();
        loop {
            let rest = left.split_off(left.len().min(PART_MAX / 2));
            let (places, alerts): (Vec<usize>, Vec<IncomingAlert>) = left.into_iter().unzip();
            let mut places = places.into_iter();
            for part in parts(self.judge_turns(alerts, &terms.basis.config, &mut cost).await) {
                let places = places.by_ref().take(part.len()).collect();
                match self.admit_keyed_part(places, part, &terms, done).await? {
                    Ok(so_far) => done = so_far,
                    Err(known) => return Ok(known),
                }
            }
            left = rest;
            if left.is_empty() {
                return Ok(KeyedResult::Admitted(done.into_values().collect()));
            }
        }
    }

    async fn admit_keyed_part(
        &self,
        places: Vec<usize>,
        part: Vec<MatchedAlert>,
        terms: &KeyedTerms,
        before: ResultsByPlace,
    ) -> Result<Result<ResultsByPlace, KeyedResult>, StoreError> {
        let mut needs = needs(&part, &terms.basis.config.matrix);
        needs.responses.push(terms.request.key.clone());
        self.open_overdue(&needs.judged).await?;
        let alerts: BTreeMap<usize, Arc<Alert>> =
            places.iter().copied().zip(part.iter().map(|judged| judged.alert.clone())).collect();
        let (of_work, may_open) = (terms.clone(), self.may_open(&part));
        let run = move |tx: &mut Transaction<'_>| admit_part(tx, &of_work, &places, &part, &before, may_open);
        let (done, _): (PartDone, _) = transact(&*self.context.store, RequestClass::Admission, needs, run).await?;
        let (done, new) = match done {
            Ok(done) => done,
            Err(known) => return Ok(Err(known)),
        };
        let of = |place: &usize| Some((alerts.get(place)?.clone(), done.get(place)?.admitted.clone()));
        let (alerts, admitted): (Vec<_>, Vec<_>) = new.iter().filter_map(of).unzip();
        self.count(&alerts, &admitted);
        self.check_held(&terms.basis, admitted.iter().flat_map(|admitted| &admitted.results)).await;
        Ok(Ok(done))
    }
}

impl Admission {
    /// The body of the response that is kept under this key, if it still counts.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn response(&self, key: RequestKey) -> Result<Option<String>, StoreError> {
        let kept = self.context.store.response(key).await?;
        Ok(kept.and_then(|kept| match &kept.progress {
            RequestProgress::Whole { body, .. } => Some(body.clone()),
            RequestProgress::Part { .. } => None,
        }))
    }
}

/// What is known of a request: the results that are kept, or what it is told.
fn known(kept: Option<&KeptResponse>, request: &KeyedRequest) -> Result<ResultsByPlace, KeyedResult> {
    match kept {
        None => Ok(ResultsByPlace::new()),
        Some(kept) if kept.digest != request.digest => Err(KeyedResult::OtherBody),
        Some(KeptResponse { progress: RequestProgress::Whole { status, body }, .. }) => {
            Err(KeyedResult::Again { status: *status, body: body.clone() })
        }
        // What can not be read was written by another version: those alerts are admitted as if they came without a key.
        Some(KeptResponse { progress: RequestProgress::Part { done }, .. }) => {
            Ok(serde_json::from_str(done).unwrap_or_default())
        }
    }
}

/// One part, in its transaction.
fn admit_part(
    tx: &mut Transaction<'_>,
    terms: &KeyedTerms,
    places: &[usize],
    part: &[MatchedAlert],
    before: &ResultsByPlace,
    may_open: MayOpen,
) -> PartDone {
    let request = &terms.request;
    // As it is now: the same request may have come twice.
    let mut done = known(tx.response(&request.key).as_deref(), request)?;
    before.iter().for_each(|(place, result)| {
        done.entry(*place).or_insert_with(|| result.clone());
    });
    let of_drills = DrillTerms::until(terms.received_at + DRILL_LIFE);
    let (matrix, received_at) = (&terms.basis.config.matrix, terms.received_at);
    let mut admission = AlertAdmission { tx, matrix, received_at, terms: &of_drills, may_open };
    let mut new = Vec::new();
    for (place, judged) in places.iter().zip(part).filter(|(place, _)| !done.contains_key(place)) {
        new.push((*place, KeptResult { id: judged.alert.id.clone(), admitted: admission.admit(judged) }));
    }
    let places = new.iter().map(|(place, _)| *place).collect();
    done.extend(new);
    if let Some(progress) = progress(&done, terms) {
        tx.keep_response(&request.key, &request.digest, progress);
    }
    Ok((done, places))
}

/// What to keep of these results: the response once it is whole, before that what needs not be done again.
fn progress(done: &ResultsByPlace, terms: &KeyedTerms) -> Option<RequestProgress> {
    if done.len() == terms.total {
        let results: Vec<KeptResult> = done.values().cloned().collect();
        if let Some((status, body)) = (terms.request.respond)(&results) {
            return Some(RequestProgress::Whole { status, body });
        }
    }
    let is_done = |result: &KeptResult| !result.admitted.must_come_again() && result.admitted.refused().is_none();
    let kept: BTreeMap<&usize, &KeptResult> = done.iter().filter(|(_, result)| is_done(result)).collect();
    // It can not fail: results are names, numbers and texts, under numbers.
    let done = serde_json::to_string(&kept).unwrap_or_default();
    (!kept.is_empty()).then_some(RequestProgress::Part { done })
}
