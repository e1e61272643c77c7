//! What the person who has a conversation says of it, and erasing it.

use super::{AnswerError, InboundResponses};
use crate::{
    core::{Actor, AnswerVerdict, Event, GivenHandoffStep, HandoffVerdict, IncidentId, IncidentInput},
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};

/// The effect of what a person did with a handoff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandoffAnswer {
    /// Of a step.
    Step(HandoffVerdict),
    /// It was passed on, which is the answer *unable*: its effect.
    PassedOn(AnswerVerdict),
}

/// What came of erasing a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// Its key is destroyed.
    Done,
    /// It was destroyed before.
    Before,
    /// It is still open: people need it.
    Open,
    /// There is no such handoff.
    NoHandoff,
}

impl InboundResponses {
    /// Takes a step of an authenticated person. It is durable when this returns.
    pub async fn handoff(&self, id: IncidentId, said: GivenHandoffStep) -> Result<HandoffAnswer, AnswerError> {
        let events = self.context.step(id, IncidentInput::Handoff(said)).await?;
        let told = events.into_iter().find_map(|happened| match happened.event {
            Event::Answered { verdict, .. } => Some(HandoffAnswer::PassedOn(verdict)),
            Event::HandoffMoved(moved) => Some(HandoffAnswer::Step(moved.verdict)),
            _ => None,
        });
        told.ok_or(AnswerError::NoIncident(id))
    }

    /// Destroys the key of a handoff that is over, and journals who did it, in one transaction.
    pub async fn erase(&self, id: IncidentId, by: Actor) -> Result<Erasure, StoreError> {
        let config = self.context.config.load_full();
        let needs = LockSet { incidents: vec![id], ..LockSet::default() };
        let run = move |tx: &mut Transaction<'_>| {
            let request = tx.incident(id).and_then(|incident| incident.request.clone());
            let Some(progress) = request.as_ref().and_then(|request| request.handoff.as_ref()) else {
                return Erasure::NoHandoff;
            };
            if progress.erased_at.is_some() {
                return Erasure::Before;
            }
            let events = tx.step(id, IncidentInput::Erase { by: by.clone() }, &config.matrix.roster);
            if !events.iter().any(|happened| matches!(happened.event, Event::Erased { .. })) {
                return Erasure::Open;
            }
            tx.destroy_request_key(id);
            Erasure::Done
        };
        Ok(transact(&*self.context.store, RequestClass::Ladder, needs, run).await?.0)
    }
}
