//! Admits requests: an alert with a question. The matrix says through which trigger it may be asked, who is asked, how
//! many must agree and what happens by default; the system that asks can only choose among what is allowed.

use crate::{
    core::{
        Alert, Ask, AskKind, AskOption, AskRules, DrillTerms, EscalationPlan, Form, Incident, IncidentId, IncidentKey,
        IncidentNonce, IncidentOpening, Packet, PersonName, RequestId, SourceEvent, Timestamp, TriggerName,
        action_edit::ActionEdit,
        drill::DRILL_LIFE,
        handoff::OutOfHours,
        request::{Supersedes, UnknownRequest},
        request_facts::question_of,
    },
    engine::{
        admission::{
            Admission, handoff,
            judge::{RequestCost, Unjudged},
            live_beside,
        },
        packets::SealedPacket,
        runtime_config::RuntimeConfig,
    },
    matrix::{Matrix, TriggerMatch},
    store::{KeptResponse, LockSet, RequestClass, RequestKey, RequestProgress, StoreError, Transaction, transact},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// What a system wants to ask, checked for its form.
#[derive(Debug, Clone)]
pub struct AskWish {
    /// What kind of answer it needs.
    pub kind: AskKind,
    /// The question, in one line.
    pub question: String,
    /// The options of a decision; those of an approval are always the same two.
    pub options: Vec<AskOption>,
    /// What is to be filled in, if it is a form.
    pub form: Option<Form>,
    /// The action, `null` if there is none.
    pub action: Value,
    /// What people may change of it.
    pub edit: Option<ActionEdit>,
    /// The digest of the action and the facts.
    pub action_digest: String,
    /// How long people should have; `None` for as long as the matrix allows.
    pub deadline: Option<Duration>,
    /// The option that should take effect if nobody decides.
    pub default: Option<String>,
    /// The person on whose behalf it is asked.
    pub on_behalf_of: Option<PersonName>,
    /// The question in whose place it is asked.
    pub supersedes: Option<Supersedes>,
    /// What a person needs who takes the conversation over, if it is a handoff.
    pub packet: Option<Box<Packet>>,
}

/// A request that was accepted. It is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestAdmission {
    /// Its identity for the system that asks.
    pub id: RequestId,
    /// Whether it had been accepted before, by the same idempotency key.
    pub again: bool,
}

/// Why a request was refused. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum RequestFault {
    /// No trigger of the matrix takes it.
    #[error(
        "no trigger of the matrix takes a request of kind {kind:?} from {source_name}: a [trigger] needs \"{kind}\" in `on`, \
         {key}, and a condition that holds"
    )]
    NoTrigger {
        /// The kind.
        kind: String,
        /// The source.
        source_name: String,
        /// The key that it would need.
        key: &'static str,
    },
    /// The alert can not be stored, or a condition can not be evaluated.
    #[error("{0}")]
    Unusable(String),
    /// The wish is not among what the matrix allows.
    #[error("{0}")]
    NotAllowed(String),
    /// Its idempotency key was used for another body.
    #[error("the idempotency key was used for another body")]
    OtherBody,
    /// It is a drill, and this live incident is open.
    #[error("{0} is open: no drill begins beside a live incident")]
    Live(IncidentId),
    /// The source may not open more incidents now.
    #[error("the source opens more incidents than its openings_per_minute allows")]
    OverQuota,
    /// The store can not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Admission {
    /// Admits a request of a source. When this returns, it is durable, and people are being asked. With an idempotency key
    /// and the digest of its body, it is admitted once: the key and the incident are in one commit.
    ///
    /// # Errors
    /// Why nothing was kept.
    pub async fn admit_request(
        &self,
        alert: Alert,
        wish: AskWish,
        received_at: Timestamp,
        keyed: Option<(RequestKey, String)>,
    ) -> Result<RequestAdmission, RequestFault> {
        if let Some((key, digest)) = &keyed
            && let Some(kept) = self.context.store.response(key.clone()).await?
        {
            return known(&kept, digest).map(|id| RequestAdmission { id, again: true });
        }
        let prepared = self.prepare(alert, wish, received_at).await?;
        let responses = keyed.iter().map(|(key, _)| key.clone()).collect();
        let needs = LockSet { responses, ..prepared.needs() };
        let run = move |tx: &mut Transaction<'_>| {
            // The same request may have come twice at once.
            let kept = keyed.as_ref().and_then(|(key, digest)| Some((tx.response(key)?, digest)));
            if let Some((kept, digest)) = kept {
                return known(&kept, digest).map(|id| RequestAdmission { id, again: true });
            }
            let id = prepared.open(tx, None)?;
            if let Some((key, digest)) = &keyed {
                tx.keep_response(key, digest, RequestProgress::Whole { status: ACCEPTED, body: id.to_string() });
            }
            Ok(RequestAdmission { id, again: false })
        };
        transact(&*self.context.store, RequestClass::Admission, needs, run).await?.0
    }

    /// What opens the request, if its source may open one now and the matrix allows what it asks.
    pub(super) async fn prepare(
        &self,
        alert: Alert,
        wish: AskWish,
        received_at: Timestamp,
    ) -> Result<PreparedRequest, RequestFault> {
        if self.quota_wait(&alert.source, alert.drill).is_some() {
            return Err(RequestFault::OverQuota);
        }
        let config = self.context.config.load_full();
        let judged = self.judge(vec![alert], &config, &mut RequestCost::default()).await.pop();
        let judged = judged.ok_or_else(|| RequestFault::Unusable("the request has no alert".into()))?;
        let alert = judged.alert;
        let said = judged.said.map_err(unjudged)?;
        let (plan, trigger, summary) = asked_by(&said, &alert, wish.kind, &config.matrix)?;
        let rules = plan.ask.clone().ok_or_else(|| no_trigger(&alert, wish.kind))?;
        let nonce = IncidentNonce::new(rand::random());
        if let Some(person) = wish.on_behalf_of.as_ref().filter(|person| !config.matrix.people.contains_key(*person)) {
            let detail = format!("on_behalf_of: the matrix has no person {person:?}: send the id of one");
            return Err(RequestFault::NotAllowed(detail));
        }
        let (mut ask, packet) = (allowed(&wish, &rules, &alert, received_at)?, wish.packet);
        let handoff = packet.zip(rules.handoff).map(|(packet, rules)| {
            let closed = self.closed(&config, &trigger);
            handoff::terms(&packet, &rules, (ask.deadline.since(received_at), closed), nonce)
        });
        let sealed =
            handoff.map(|made| made.ok_or_else(|| RequestFault::Unusable("the packet can not be kept".into())));
        let sealed = sealed.transpose()?.map(|(terms, sealed)| {
            ask.handoff = Some(terms);
            sealed
        });
        let opening = IncidentOpening {
            key: IncidentKey::of_request(&trigger, &alert.id, alert.drill),
            summary,
            plan,
            received_at,
            terms: alert.drill.then(|| DrillTerms::until(received_at + DRILL_LIFE)),
            alert,
            ask: Some(Box::new(ask)),
            nonce: Some(nonce),
        };
        Ok(PreparedRequest { config, trigger, opening, nonce, sealed })
    }
}

/// A request that may be asked, and is not asked yet.
pub(super) struct PreparedRequest {
    pub config: Arc<RuntimeConfig>,
    pub trigger: TriggerName,
    pub opening: IncidentOpening,
    nonce: IncidentNonce,
    sealed: Option<SealedPacket>,
}

impl PreparedRequest {
    /// What a transaction that opens it needs.
    pub fn needs(&self) -> LockSet {
        let alert = &self.opening.alert;
        LockSet {
            keys: vec![self.opening.key.clone()],
            sources: vec![alert.source.clone()],
            live_open: alert.drill,
            ..LockSet::default()
        }
    }

    /// Lets it have the key and the asker of an incident in whose place it is asked. Where the trigger asks
    /// (`is_triggers`), the question is what it says of the new facts.
    pub fn keep(&mut self, before: &Incident, is_triggers: bool) {
        self.opening.key = before.key.clone();
        if let Some(ask) = &mut self.opening.ask {
            ask.asker = Some(before.asker().clone());
            if is_triggers {
                ask.question = question_of(&self.opening.summary);
            }
        }
    }

    /// Opens it, unless it is a drill beside a live incident; in place of an incident that its caller ends in the same
    /// transaction, if there is one.
    pub fn open(&self, tx: &mut Transaction<'_>, before: Option<IncidentId>) -> Result<RequestId, RequestFault> {
        let alert = &self.opening.alert;
        if let Some(live) = live_beside(tx, alert.drill) {
            let event = SourceEvent::DrillRefused { trigger: self.trigger.clone(), live, alert: alert.clone() };
            tx.record_alert(&alert.source, event);
            return Err(RequestFault::Live(live));
        }
        let incident = tx.open_in_place_of(before, self.opening.clone(), &self.config.matrix.roster);
        if let Some(sealed) = &self.sealed {
            tx.keep_text(&sealed.hash, &sealed.text);
            tx.keep_request_key(incident, sealed.key);
        }
        Ok(RequestId { incident, nonce: self.nonce })
    }
}

impl Admission {
    /// The trigger that would take a handoff of this alert now, with its plan, and whether it is out of hours.
    ///
    /// # Errors
    /// Why no trigger takes it.
    pub async fn handoff_trigger(&self, alert: Alert) -> Result<HandoffTrigger, RequestFault> {
        let config = self.context.config.load_full();
        let judged = self.judge(vec![alert], &config, &mut RequestCost::default()).await.pop();
        let judged = judged.ok_or_else(|| RequestFault::Unusable("the request has no alert".into()))?;
        let said = judged.said.map_err(unjudged)?;
        let (plan, trigger, _) = asked_by(&said, &judged.alert, AskKind::Handoff, &config.matrix)?;
        let closed = self.closed(&config, &trigger);
        Ok(HandoffTrigger { trigger, plan, closed })
    }

    /// Whether nobody is there now for the handoffs of a trigger, and when somebody is again.
    pub(super) fn closed(&self, config: &RuntimeConfig, trigger: &TriggerName) -> Option<OutOfHours> {
        let now = self.context.store.civil_now();
        let hours = config.matrix.triggers.get(trigger)?.hours.as_ref().filter(|hours| !hours.are_open(now))?;
        Some(OutOfHours { opens_at: hours.opens_at(now) })
    }
}

/// Who would be asked for a handoff.
#[derive(Debug, Clone)]
pub struct HandoffTrigger {
    /// The trigger.
    pub trigger: TriggerName,
    /// Its plan.
    pub plan: Arc<EscalationPlan>,
    /// Nobody is there now.
    pub closed: Option<OutOfHours>,
}

/// The status of the response to an accepted request.
const ACCEPTED: u16 = 202;

/// The request that this key was used for.
fn known(kept: &KeptResponse, digest: &str) -> Result<RequestId, RequestFault> {
    let RequestProgress::Whole { body, .. } = &kept.progress else { return Err(RequestFault::OtherBody) };
    if kept.digest != digest {
        return Err(RequestFault::OtherBody);
    }
    body.parse().map_err(|error: UnknownRequest| RequestFault::Unusable(error.to_string()))
}

/// The first trigger that holds and takes requests, with its plan and the summary for people.
fn asked_by(
    said: &[TriggerMatch],
    alert: &Alert,
    kind: AskKind,
    matrix: &Matrix,
) -> Result<(Arc<EscalationPlan>, TriggerName, String), RequestFault> {
    let takes = |plan: &EscalationPlan| plan.ask.as_ref().is_some_and(|rules| rules.takes(kind));
    for judgement in said {
        match judgement {
            TriggerMatch::Holds { trigger, summary, .. } => {
                if let Some(plan) = matrix.plan(trigger).filter(|plan| takes(plan)) {
                    return Ok((plan, trigger.clone(), summary.clone()));
                }
            }
            // Nobody is asked in place of people whom a condition would have chosen.
            TriggerMatch::Failed { trigger, why, .. } if matrix.plan(trigger).is_some_and(|plan| takes(&plan)) => {
                return Err(RequestFault::Unusable(format!("trigger {trigger} can not be evaluated: {why}")));
            }
            TriggerMatch::Failed { .. }
            | TriggerMatch::Clears { .. }
            | TriggerMatch::Breaks { .. }
            | TriggerMatch::Speaks { .. } => {}
        }
    }
    Err(no_trigger(alert, kind))
}

fn no_trigger(alert: &Alert, kind: AskKind) -> RequestFault {
    let key = if kind == AskKind::Handoff { "a `handoff`" } else { "an `ask`" };
    RequestFault::NoTrigger { kind: alert.kind.clone(), source_name: alert.source.to_string(), key }
}

/// What is asked, as far as the matrix allows it.
fn allowed(wish: &AskWish, rules: &AskRules, alert: &Alert, now: Timestamp) -> Result<Ask, RequestFault> {
    if wish.deadline.is_some_and(|wanted| rules.after < wanted) {
        let most = humantime::format_duration(rules.after);
        return Err(RequestFault::NotAllowed(format!("the deadline is too late: the matrix allows {most} at most")));
    }
    // People who look for nothing to change would not see that it can be.
    if wish.edit.is_some() && !rules.edits {
        let detail =
            "`edit` is not allowed: the trigger of the matrix has no `edits = true` in its `ask`. Ask without it";
        return Err(RequestFault::NotAllowed(detail.into()));
    }
    let options = match wish.kind {
        AskKind::Approval => Ask::approval_options(),
        AskKind::Decision => wish.options.clone(),
        AskKind::Form => form_options(wish, rules)?,
        AskKind::Handoff => Vec::new(),
    };
    let is_option = |name: &String| options.iter().any(|option| option.name == *name);
    let default = match wish.default.clone() {
        Some(wanted) if rules.defaults.contains(&wanted) && is_option(&wanted) => Some(wanted),
        Some(wanted) => {
            let allowed = if rules.defaults.is_empty() { "none".to_owned() } else { rules.defaults.join(", ") };
            return Err(RequestFault::NotAllowed(format!(
                "the default {wanted:?} is not allowed: the matrix allows {allowed}"
            )));
        }
        // Nobody has filled a form in who did not answer.
        None if wish.kind == AskKind::Form => None,
        None => rules.defaults.iter().find(|name| is_option(name)).cloned(),
    };
    let read_back = rules.read_back.as_ref().map(|fact| fact.of(alert)).transpose();
    Ok(Ask {
        kind: wish.kind,
        question: wish.question.clone(),
        options,
        form: wish.form.clone(),
        action: wish.action.clone(),
        edit: wish.edit.clone(),
        action_digest: wish.action_digest.clone(),
        on_behalf_of: wish.on_behalf_of.clone(),
        approvals: rules.approvals,
        default,
        deadline: now + wish.deadline.unwrap_or(rules.after),
        supersedes: wish.supersedes.clone(),
        handoff: None,
        read_back: read_back.map_err(RequestFault::NotAllowed)?,
        asker: None,
    })
}

/// The choices of a form, if one choice is all. One person fills it in: what two people typed can not be the same by chance.
fn form_options(wish: &AskWish, rules: &AskRules) -> Result<Vec<AskOption>, RequestFault> {
    if 1 < rules.approvals {
        return Err(RequestFault::NotAllowed(format!(
            "a form is filled in by one person, and this trigger needs {}: ask by one with approvals = 1, or ask for an \
             approval or a decision",
            rules.approvals
        )));
    }
    if rules.read_back.is_some() {
        let detail = "this trigger has `read_back`, which belongs to options: ask for an approval or a decision, or by a trigger \
                      without it";
        return Err(RequestFault::NotAllowed(detail.into()));
    }
    if wish.default.is_some() {
        return Err(RequestFault::NotAllowed("a form has no `default`: without an answer it expires".into()));
    }
    let choices = wish.form.as_ref().and_then(|form| form.one_choice()).map_or(&[][..], |(_, choices)| choices);
    Ok(choices.iter().map(|name| AskOption { name: name.clone(), label: name.clone(), does: None }).collect())
}

fn unjudged(why: Unjudged) -> RequestFault {
    RequestFault::Unusable(match why {
        Unjudged::Flaw(why) => why,
        Unjudged::OverCost => "the conditions for it take too many steps".to_owned(),
    })
}
