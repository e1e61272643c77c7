//! Conversations that alerts hand over: each turn is an alert with the turns so far, and the triggers say when a person is
//! due.

use super::handoff;
use crate::{
    core::{
        Alert, Ask, AskKind, AskRules, IncidentId, IncidentKey, IncidentNonce, Packet, Timestamp, TriggerName,
        handoff::{HandoffTerms, OutOfHours},
        packet::PacketEvidence,
        request_facts::{action_digest, question_of},
    },
    engine::{packets::SealedPacket, runtime_config::RuntimeConfig},
    matrix::TriggerMatch,
    store::Transaction,
};
use serde_json::{Value, json};

/// An alert as it comes in, with the conversation that it is a turn of.
#[derive(Debug, Clone)]
pub struct IncomingAlert {
    /// The alert.
    pub alert: Alert,
    /// The conversation so far; nothing of it is kept unless a person is to take it over.
    pub packet: Option<Box<Packet>>,
}

impl From<Alert> for IncomingAlert {
    fn from(alert: Alert) -> Self {
        Self { alert, packet: None }
    }
}

/// What opens a handoff, if one is opened.
pub(super) struct HandoffOffer {
    /// Whose it is.
    pub trigger: TriggerName,
    /// The identity of its request.
    pub nonce: IncidentNonce,
    question: String,
    digest: String,
    terms: HandoffTerms,
    sealed: SealedPacket,
}

/// Why a trigger that hands over can not.
const NO_PACKET: &str = "it hands conversations over, and the alert has no `packet` that can be read";
const OTHER_CONVERSATION: &str =
    "it hands conversations over, and its `key` is not the `conversation.id` of the alert's `packet`";

/// Makes an offer for each trigger that holds and hands over. Without the conversation that its key names such a trigger has
/// failed. Where one of them has somebody there, those that are out of hours say nothing.
pub(super) fn offers(
    said: &mut Vec<TriggerMatch>,
    (alert, packet): (&Alert, Option<&Packet>),
    config: &RuntimeConfig,
    closed: impl Fn(&TriggerName) -> Option<OutOfHours>,
) -> Vec<HandoffOffer> {
    let mut offers: Vec<HandoffOffer> = Vec::new();
    for judgement in &mut *said {
        let TriggerMatch::Holds { trigger, summary, key, .. } = judgement else { continue };
        let plan = config.matrix.plan(trigger);
        let rules = plan.as_ref().and_then(|plan| plan.ask.as_ref());
        let Some(rules) = rules.filter(|rules| rules.hands_over()) else { continue };
        // Another conversation under this key would be told of the person who has that one.
        let is_named = |packet: &&Packet| {
            *key == IncidentKey::of_conversation(&alert.source, &packet.conversation.id, alert.drill)
        };
        let offer = packet
            .filter(is_named)
            .and_then(|packet| HandoffOffer::of(packet, alert, (trigger, summary), rules, closed(trigger)));
        match offer {
            Some(offer) => offers.push(offer),
            None => {
                let why = if packet.is_some() { OTHER_CONVERSATION } else { NO_PACKET };
                *judgement = TriggerMatch::Failed { trigger: trigger.clone(), why: why.to_owned(), entity: None };
            }
        }
    }
    if offers.iter().any(|offer| offer.terms.closed.is_none()) {
        let silent: Vec<TriggerName> =
            offers.extract_if(.., |offer| offer.terms.closed.is_some()).map(|offer| offer.trigger).collect();
        said.retain(|judgement| !matches!(judgement, TriggerMatch::Holds { trigger, .. } if silent.contains(trigger)));
    }
    offers
}

impl HandoffOffer {
    fn of(
        packet: &Packet,
        alert: &Alert,
        (trigger, summary): (&TriggerName, &str),
        rules: &AskRules,
        closed: Option<OutOfHours>,
    ) -> Option<Self> {
        let mut packet = packet.clone();
        // The program that sends turns need not know why a person is due.
        if packet.reason.code.trim().is_empty() {
            packet.reason.code = trigger.to_string();
        }
        if packet.reason.text.trim().is_empty() {
            summary.clone_into(&mut packet.reason.text);
        }
        packet.evidence.push(held(trigger, alert));
        let packet = packet.fitted();
        let nonce = IncidentNonce::new(rand::random());
        let (terms, sealed) = handoff::terms(&packet, rules.handoff.as_ref()?, (rules.after, closed), nonce)?;
        let digest = action_digest(&Value::Null, alert).ok()?;
        let question = question_of(&packet.question());
        Some(Self { trigger: trigger.clone(), nonce, question, digest, terms, sealed })
    }

    /// What is asked.
    pub fn ask(&self, rules: &AskRules, alert: &Alert, received_at: Timestamp) -> Ask {
        Ask {
            kind: AskKind::Handoff,
            question: self.question.clone(),
            options: Vec::new(),
            form: None,
            edit: None,
            action: Value::Null,
            action_digest: self.digest.clone(),
            on_behalf_of: None,
            approvals: rules.approvals,
            default: None,
            deadline: received_at + rules.after,
            supersedes: None,
            read_back: None,
            asker: Some(alert.source.clone()),
            handoff: Some(self.terms.clone()),
        }
    }

    /// Keeps the conversation of the incident that was opened.
    pub fn keep(&self, tx: &mut Transaction<'_>, incident: IncidentId) {
        tx.keep_text(&self.sealed.hash, &self.sealed.text);
        tx.keep_request_key(incident, self.sealed.key);
    }
}

/// That this trigger held, with what was measured.
fn held(trigger: &TriggerName, alert: &Alert) -> PacketEvidence {
    let mut values = json!(alert.values);
    values["confidence"] = alert.confidence.into();
    PacketEvidence { condition: trigger.to_string(), values }
}
