//! New facts of an open request: the question is asked anew as another request, which takes the place of the first one
//! in one commit. So each request has one question and one outcome, and an answer to the old one can not count for the
//! new one. The matrix judges the new facts as if they were asked for the first time: other people may have to decide.

use crate::{
    core::{
        Alert, AskKind, Incident, IncidentInput, PersonName, Replacement, Request, RequestId, RequestOutcome,
        Timestamp,
        action_edit::ActionEdit,
        request::Supersedes,
        request_facts::{QUESTIONS_MAX, asked_digest, what_changed},
    },
    engine::admission::{Admission, AskWish, RequestFault, request::PreparedRequest},
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// New facts. What is left out stays as it was; a map takes the place of the whole map.
#[derive(Debug, Clone, Default)]
pub struct NewFacts {
    /// The labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// The measurements.
    pub values: Option<BTreeMap<String, f64>>,
    /// What will be done.
    pub action: Option<Value>,
    /// The question, in one line.
    pub question: Option<String>,
    /// One sentence for people.
    pub summary: Option<String>,
    /// Anything that people should see.
    pub evidence: Option<Value>,
    /// How sure the system is, 0 to 1.
    pub confidence: Option<f64>,
}

/// What became of new facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewFactsResult {
    /// The request has these facts already, or was asked anew with them before: this one.
    Known(RequestId),
    /// It is asked anew: this one.
    Asked(RequestId),
    /// It had its outcome before.
    Ended,
}

impl Admission {
    /// Asks the request of this incident anew, with these facts. The caller knows that it may.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub async fn new_facts(
        &self,
        incident: &Incident,
        facts: NewFacts,
        received_at: Timestamp,
    ) -> Result<NewFactsResult, RequestFault> {
        let asked = incident.request.as_deref().zip(incident.request_id());
        let (request, id) = asked.ok_or_else(|| RequestFault::Unusable("the incident is no request".into()))?;
        // The trigger asks, and asks by what it says of the new facts.
        let is_triggers = request.ask.asker.is_some() && facts.question.is_none();
        let (alert, wish) = anew(incident, request, id, facts)?;
        if let Some(known) = self.known_facts(incident, id, (&alert, &wish, is_triggers)).await? {
            return Ok(known);
        }
        let question = wish.supersedes.as_ref().map_or(1, |before| before.question);
        if QUESTIONS_MAX < question {
            return Err(RequestFault::NotAllowed(format!(
                "the facts have changed {} times: cancel the request and ask another one",
                QUESTIONS_MAX - 1
            )));
        }
        let changed = wish.supersedes.as_ref().map(|before| before.changed.clone()).unwrap_or_default();
        let mut prepared = self.prepare(alert, wish, received_at).await?;
        if request.ask.asker.is_some() {
            // Alerts asked it, and those with its key go on to belong to it.
            prepared.keep(incident, is_triggers);
        }
        let needs = LockSet { incidents: vec![id.incident], ..prepared.needs() };
        let run = move |tx: &mut Transaction<'_>| replace(tx, id, &prepared, &changed);
        transact(&*self.context.store, RequestClass::Admission, needs, run).await?.0
    }

    /// Whether nothing is to be done: the facts are the same, it has ended, or this was said before.
    async fn known_facts(
        &self,
        incident: &Incident,
        id: RequestId,
        (alert, wish, is_triggers): (&Alert, &AskWish, bool),
    ) -> Result<Option<NewFactsResult>, StoreError> {
        let words = |alert: &Alert| (alert.summary.clone(), alert.evidence.clone(), alert.confidence);
        let is_same = |other: &Incident| {
            other.request.as_deref().is_some_and(|request| {
                request.ask.action_digest == wish.action_digest
                    && (is_triggers || request.ask.question == wish.question)
                    && words(&other.alert) == words(alert)
            })
        };
        let outcome = incident.request.as_deref().and_then(Request::outcome);
        Ok(match outcome {
            None => is_same(incident).then_some(NewFactsResult::Known(id)),
            Some(RequestOutcome::Superseded { by, .. }) => {
                let next = self.context.store.view(by.incident).await?;
                let is_it = |next: &Arc<Incident>| next.request_id() == Some(*by) && is_same(next);
                Some(if next.as_ref().is_some_and(is_it) { NewFactsResult::Known(*by) } else { NewFactsResult::Ended })
            }
            Some(_) => Some(NewFactsResult::Ended),
        })
    }
}

/// Opens the new request and ends the old one, unless that has its outcome meanwhile.
fn replace(
    tx: &mut Transaction<'_>,
    old: RequestId,
    new: &PreparedRequest,
    changed: &str,
) -> Result<NewFactsResult, RequestFault> {
    let is_open = |incident: &Incident| {
        // A deadline that has passed counts before a tick says so.
        incident.request.as_ref().is_some_and(|request| request.deadline().is_some_and(|deadline| tx.now() < deadline))
    };
    if !tx.incident(old.incident).is_some_and(is_open) {
        tx.step(old.incident, IncidentInput::Tick, &new.config.matrix.roster);
        return Ok(NewFactsResult::Ended);
    }
    let by = new.open(tx, Some(old.incident))?;
    let asked: BTreeSet<PersonName> = tx.incident(by.incident).map(asked_now).unwrap_or_default();
    let other = Replacement { by, changed: changed.to_owned(), asked };
    tx.step(old.incident, IncidentInput::Supersede(other), &new.config.matrix.roster);
    Ok(NewFactsResult::Asked(by))
}

fn asked_now(incident: &Incident) -> BTreeSet<PersonName> {
    let briefs = incident.pages.values().filter(|page| page.purpose.is_brief());
    briefs.filter_map(|page| page.person.clone()).collect()
}

/// The alert and the question with the new facts. People have as long as before, counted anew.
fn anew(
    incident: &Incident,
    request: &Request,
    id: RequestId,
    facts: NewFacts,
) -> Result<(Alert, AskWish), RequestFault> {
    let mut alert = (*incident.alert).clone();
    alert.id = format!("ALT-{:016x}", rand::random::<u64>());
    // In a request of an earlier version the last alert that joined it may be of another source.
    alert.source = incident.asker().clone();
    alert.labels = facts.labels.unwrap_or(alert.labels);
    alert.values = facts.values.unwrap_or(alert.values);
    alert.summary = facts.summary.unwrap_or(alert.summary);
    alert.evidence = facts.evidence.unwrap_or(alert.evidence);
    alert.confidence = facts.confidence.unwrap_or(alert.confidence);
    let ask = &request.ask;
    if ask.kind == AskKind::Handoff {
        return Err(RequestFault::NotAllowed(
            "a conversation is not asked anew: cancel it, and hand over again".into(),
        ));
    }
    let action = facts.action.unwrap_or_else(|| ask.action.clone());
    let question = facts.question.unwrap_or_else(|| ask.question.clone());
    let digest =
        asked_digest(&action, ask.form.as_ref(), &alert).map_err(|error| RequestFault::Unusable(error.to_string()))?;
    let edit = ask.edit.as_ref().map(|edit| ActionEdit::read(edit.form().schema(), &action)).transpose();
    let edit = edit.map_err(|fault| RequestFault::Unusable(format!("/ask/edit{fault}")))?;
    let changed = what_changed((&incident.alert, request), (&alert, &question, &action));
    let before = ask.supersedes.as_ref().map_or(1, |before| before.question);
    let wish = AskWish {
        kind: ask.kind,
        question,
        options: if ask.kind == AskKind::Approval { Vec::new() } else { ask.options.clone() },
        form: ask.form.clone(),
        action,
        edit,
        action_digest: digest,
        deadline: Some(ask.deadline.since(incident.received_at)),
        default: ask.default.clone(),
        on_behalf_of: ask.on_behalf_of.clone(),
        supersedes: Some(Supersedes { request: id, changed, question: before + 1 }),
        packet: None,
    };
    Ok((alert, wish))
}
